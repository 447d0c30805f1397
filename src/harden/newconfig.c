/*
 * newconfig.c: see newconfig.h. What says how to run the program stays: environment, command, ports, volumes, health check, stop signal, labels. What was about the
 * build goes: triggers for other builds, the container that a layer was made in.
 */
#include "harden/newconfig.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "format/json.h"
#include "sys/child.h"

#include <inttypes.h>

static const char *const replaced[] = { "config", "rootfs", "history", "container", "container_config", "docker_version", "id", "parent", "parent_id", NULL };
static const char *const of_the_build[] = { "User", "OnBuild", "Image", "Hostname", "Domainname", "AttachStdin", "AttachStdout", "AttachStderr", NULL };

/* Members of an object without its braces, each with a comma behind it. */
static void put_members(const struct bh_json_node *object, const char *const *without, struct bh_buf *out)
{
	void *iter = NULL;
	struct bh_slice name;
	const struct bh_json_node *value;
	while (bh_json_next(object, &iter, &name, &value)) {
		if (bh_slice_is_one_of(name, without))
			continue;
		bh_buf_add_json(out, name);
		bh_buf_add_byte(out, ':');
		(void)bh_json_write(value, NULL, out);
		bh_buf_add_byte(out, ',');
	}
}

static void put_rootfs(const struct newconfig *n, struct bh_buf *out)
{
	char text[BH_DIGEST_TEXT_BYTES];
	bh_buf_add_str(out, "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[");
	for (size_t i = 0; i < n->n_diff_ids; i++)
		bh_buf_printf(out, "%s\"%s\"", i ? "," : "", bh_digest_text(&n->diff_ids[i], text));
	bh_buf_add_str(out, "]},");
}

/* The old entries are of the old layers, which are all there still. */
static void put_history(const struct newconfig *n, const struct bh_json_node *old, struct bh_buf *out)
{
	bh_buf_add_str(out, "\"history\":[");
	for (size_t i = 0; i < bh_json_len(old) && bh_json_is_array(old); i++) {
		(void)bh_json_write(bh_json_at(old, i), NULL, out);
		bh_buf_add_byte(out, ',');
	}
	bh_buf_printf(out, "{\"created\":\"%s\",\"created_by\":\"bulkhead harden\"%s}]", n->created, n->adds_layer ? "" : ",\"empty_layer\":true");
}

static int edit(const struct newconfig *n, struct bh_buf *out, struct bh_err *err)
{
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	int rc = bh_json_parse(n->old, BH_MANIFEST_BYTES_MAX, &doc, err);
	if (rc < 0)
		return bh_wrap(err, "configuration");
	const struct bh_json_node *root = bh_json_root(doc);
	bh_buf_add_byte(out, '{');
	put_members(root, replaced, out);
	bh_buf_add_str(out, "\"config\":{");
	put_members(bh_json_get(root, "config"), of_the_build, out);
	bh_buf_printf(out, "\"User\":\"%" PRIu32 ":%" PRIu32 "\"},", n->uid, n->gid);
	put_rootfs(n, out);
	put_history(n, bh_json_get(root, "history"), out);
	bh_buf_add_byte(out, '}');
	return out->failed ? bh_fail(err, BH_ELIMIT, 0, "the configuration would be larger than %zu bytes", out->max_bytes) : 0;
}

/* ---- the child ---- */

enum message { MESSAGE_PIECE = 1 };

struct editing {
	const struct newconfig *n;
	struct bh_buf *out;
};

static int run_edit(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct editing *e = ctx;
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bh_buf_init(&text, 2 * BH_MANIFEST_BYTES_MAX);
	int rc = edit(e->n, &text, err);
	for (size_t at = 0; rc == 0 && at < text.len; at += BH_FRAME_BYTES_MAX)
		rc = bh_channel_send(ch, MESSAGE_PIECE, bh_slice_sub(bh_buf_slice(&text), at, BH_FRAME_BYTES_MAX), err);
	return rc;
}

static int take_piece(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	const struct editing *e = ctx;
	(void)reply;
	if (is_request || type != MESSAGE_PIECE)
		return bh_fail(err, BH_EMALFORMED, 0, "message %u is not known", type);
	return bh_buf_add(e->out, payload) ? 0 : bh_fail(err, BH_ELIMIT, 0, "the configuration would be larger than %zu bytes", e->out->max_bytes);
}

int newconfig_make(const struct newconfig *n, struct bh_buf *out, struct bh_err *err)
{
	struct editing e = { n, out };
	struct bh_child_spec spec = { .name = "image configuration", .run = run_edit, .handle = take_piece, .ctx = &e };
	int result = 0;
	struct bh_err why = { 0 };
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc == 0 && result < 0)
		*err = why;
	return rc < 0 ? rc : result;
}
