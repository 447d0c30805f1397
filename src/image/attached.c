/* attached.c: see attached.h. */
#include "image/attached.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "image/document.h"
#include "image/source.h"
#include "model/wire.h"
#include "sys/files.h"

#include <stdio.h>
#include <unistd.h>

#define ARTIFACTS_MAX 256u /* of one subject that are opened */
#define BLOBS_MAX 16u      /* of one artifact */
#define TYPE_BYTES_MAX 256u
#define PART_BYTES (512u << 10)
#define CHILD_MEMORY_BYTES (512u << 20)
#define STALL_SECONDS 3600u /* waiting for the network is the parent's */

enum message { SAY_BEGIN = 100, SAY_PART, SAY_END };

/* ---- the child ---- */

struct reading {
	struct bh_channel *ch;
	const struct image_attached *what;
	struct bh_buf bytes, frame;
};

/* "manifests", "configs" -> its place; the digest is verified. */
static int load(struct reading *r, const char *place, const struct bh_digest *digest, size_t max_bytes, struct bh_err *err)
{
	char name[IMAGE_BLOB_NAME_BYTES + 16], text[BH_DIGEST_TEXT_BYTES];
	struct bh_slice algorithm, hex;
	struct image_opened file;
	bh_digest_text(digest, text);
	(void)bh_slice_cut(bh_slice_str(text), ':', &algorithm, &hex);
	snprintf(name, sizeof(name), "%s/%.*s/%.*s", place, BH_SLICE_FMT(algorithm), BH_SLICE_FMT(hex));
	int rc = image_ask_open(r->ch, name, &file, err);
	if (rc < 0)
		return rc;
	bh_buf_clear(&r->bytes);
	rc = bh_read_all(file.fd, max_bytes, &r->bytes, err);
	close(file.fd);
	return rc < 0 ? rc : image_document_check(name, bh_buf_slice(&r->bytes), digest, err);
}

static int send_blob(struct reading *r, struct bh_slice type, const struct bh_digest *digest, struct bh_err *err)
{
	bh_buf_clear(&r->frame);
	bh_wire_put_slice(&r->frame, type);
	if (!bh_wire_put_digest(&r->frame, digest))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	int rc = bh_channel_send(r->ch, SAY_BEGIN, bh_buf_slice(&r->frame), err);
	for (struct bh_slice rest = bh_buf_slice(&r->bytes); rc == 0 && rest.len; rest = bh_slice_sub(rest, PART_BYTES, rest.len))
		rc = bh_channel_send(r->ch, SAY_PART, bh_slice_sub(rest, 0, PART_BYTES), err);
	return rc < 0 ? rc : bh_channel_send(r->ch, SAY_END, (struct bh_slice){ 0 }, err);
}

static bool wanted(const struct reading *r, struct bh_slice type)
{
	return type.len && type.len <= TYPE_BYTES_MAX && r->what->wants(type);
}

static int read_blobs(struct reading *r, const struct bh_json_node *manifest, struct bh_err *err)
{
	struct bh_slice artifact = bh_json_str(bh_json_get(manifest, "artifactType"));
	if (artifact.len == 0) /* how it was said before the specification had a place for it */
		artifact = bh_json_str(bh_json_get(bh_json_get(manifest, "config"), "mediaType"));
	const struct bh_json_node *layers = bh_json_get(manifest, "layers");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_json_len(layers) && i < BLOBS_MAX; i++) {
		const struct bh_json_node *blob = bh_json_at(layers, i);
		struct bh_slice type = bh_json_str(bh_json_get(blob, "mediaType"));
		struct bh_digest digest;
		bool by_type = wanted(r, type);
		if ((!by_type && !wanted(r, artifact)) || !bh_digest_parse(bh_json_str(bh_json_get(blob, "digest")), &digest))
			continue;
		rc = load(r, "configs", &digest, IMAGE_ATTACHED_BYTES_MAX, err);
		rc = rc < 0 ? rc : send_blob(r, by_type ? type : artifact, &digest, err);
	}
	return rc;
}

static int read_artifact(struct reading *r, const struct bh_json_node *descriptor, struct bh_err *err)
{
	struct bh_digest digest;
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	if (!bh_digest_parse(bh_json_str(bh_json_get(descriptor, "digest")), &digest))
		return 0;
	int rc = load(r, "manifests", &digest, BH_MANIFEST_BYTES_MAX, err);
	rc = rc < 0 ? rc : image_document_parse("an artifact's manifest", bh_buf_slice(&r->bytes), &doc, err);
	return rc < 0 ? rc : read_blobs(r, bh_json_root(doc), err);
}

static int read_list(struct reading *r, const char *name, struct bh_err *err)
{
	struct image_opened file;
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	int rc = image_ask_open(r->ch, name, &file, err);
	if (rc < 0)
		return rc;
	rc = bh_read_all(file.fd, BH_MANIFEST_BYTES_MAX, &r->bytes, err);
	close(file.fd);
	rc = rc < 0 ? rc : image_document_parse("the list of what is attached", bh_buf_slice(&r->bytes), &doc, err);
	const struct bh_json_node *list = rc < 0 ? NULL : bh_json_get(bh_json_root(doc), "manifests");
	if (bh_json_len(list) > ARTIFACTS_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "%zu documents are attached, the limit is %u", bh_json_len(list), ARTIFACTS_MAX);
	for (size_t i = 0; rc == 0 && i < bh_json_len(list); i++)
		rc = read_artifact(r, bh_json_at(list, i), err);
	return rc;
}

/* ---- the parent ---- */

struct taking {
	const struct image_attached *what; /* the child uses it, too */
	char list[IMAGE_BLOB_NAME_BYTES + 16];
	struct image_source source;
	struct bh_buf bytes;
	char type[TYPE_BYTES_MAX + 1];
	struct bh_digest digest;
	bool open;
};

static int run(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct taking *t = ctx;
	struct reading r = { .ch = ch, .what = t->what };
	bh_buf_init(&r.bytes, IMAGE_ATTACHED_BYTES_MAX);
	bh_buf_init(&r.frame, 4096);
	int rc = read_list(&r, t->list, err);
	bh_buf_done(&r.bytes);
	bh_buf_done(&r.frame);
	return rc;
}

static int take_begin(struct taking *t, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader in = bh_reader_of(payload);
	struct bh_slice type;
	if (t->open || !bh_wire_get_slice(&in, TYPE_BYTES_MAX, &type) || !bh_wire_get_digest(&in, &t->digest))
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged message about an attached document");
	snprintf(t->type, sizeof(t->type), "%.*s", BH_SLICE_FMT(type));
	bh_buf_clear(&t->bytes);
	t->open = true;
	return 0;
}

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct taking *t = ctx;
	if (is_request)
		return type == IMAGE_ASK_OPEN ? image_source_answer(&t->source, payload, IMAGE_ATTACHED_BYTES_MAX, reply, err) :
						bh_fail(err, BH_EMALFORMED, 0, "request %u is not known", type);
	if (type == SAY_BEGIN)
		return take_begin(t, payload, err);
	if (type == SAY_PART && t->open)
		return bh_buf_add(&t->bytes, payload) ? 0 : bh_fail(err, BH_ELIMIT, 0, "an attached document of more than %u bytes", IMAGE_ATTACHED_BYTES_MAX);
	if (type != SAY_END || !t->open)
		return bh_fail(err, BH_EMALFORMED, 0, "message %u out of order", type);
	t->open = false;
	return t->what->give(t->what->ctx, bh_slice_str(t->type), &t->digest, bh_buf_slice(&t->bytes), err);
}

int image_attached_read(const struct image_remote *remote, const struct bh_digest *subject, const struct image_attached *what, struct bh_err *err)
{
	struct taking t = { .what = what, .source = { .kind = IMAGE_SOURCE_LAYOUT, .fd = -1, .remote = remote } };
	char text[BH_DIGEST_TEXT_BYTES];
	struct bh_slice algorithm, hex;
	if (remote->archive)
		return bh_fail(err, BH_ENOTFOUND, 0, "documents are attached to images in registries only");
	snprintf(t.list, sizeof(t.list), "referrers");
	if (subject) {
		(void)bh_slice_cut(bh_slice_str(bh_digest_text(subject, text)), ':', &algorithm, &hex);
		snprintf(t.list, sizeof(t.list), "referrers/%.*s/%.*s", BH_SLICE_FMT(algorithm), BH_SLICE_FMT(hex));
	}
	bh_buf_init(&t.bytes, IMAGE_ATTACHED_BYTES_MAX);
	struct bh_child_spec spec = {
		.name = "attached documents", .run = run, .handle = handle, .ctx = &t,
		.limits = { .memory_bytes = CHILD_MEMORY_BYTES, .stall_seconds = STALL_SECONDS },
	};
	int result = 0;
	struct bh_err why = { 0 };
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	bh_buf_done(&t.bytes);
	if (rc == 0 && result < 0) {
		*err = why;
		rc = result;
	}
	return rc;
}
