/* names.c: see names.h. */
#include "image/names.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "image/document.h"
#include "image/image.h"
#include "image/source.h"
#include "sys/files.h"

#include <unistd.h>

#define NAMES_MAX 4096u
#define NAME_BYTES_MAX 512u

static struct bh_slice name_of(const struct bh_json_node *descriptor)
{
	const struct bh_json_node *notes = bh_json_get(descriptor, "annotations");
	if (bh_json_get(notes, "vnd.docker.reference.type") || bh_json_get(descriptor, "artifactType"))
		return (struct bh_slice){ 0 };
	struct bh_slice full = bh_json_str(bh_json_get(notes, "io.containerd.image.name"));
	struct bh_slice brief = bh_json_str(bh_json_get(notes, "org.opencontainers.image.ref.name"));
	struct bh_slice digest = bh_json_str(bh_json_get(descriptor, "digest"));
	return full.len ? full : brief.len ? brief : digest;
}

/* Names of several platforms come several times: quadratic in at most NAMES_MAX. */
static bool named_before(const struct bh_json_node *list, size_t i, struct bh_slice name)
{
	for (size_t k = 0; k < i; k++)
		if (bh_slice_eq(name_of(bh_json_at(list, k)), name))
			return true;
	return false;
}

static int read_names(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ctx;
	struct image_opened file;
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	bh_buf_init(&text, BH_MANIFEST_BYTES_MAX);
	int rc = image_ask_open(ch, "index.json", &file, err);
	if (rc < 0)
		return rc;
	BH_CLOSE int fd = file.fd;
	rc = bh_read_all(fd, BH_MANIFEST_BYTES_MAX, &text, err);
	rc = rc < 0 ? rc : image_document_parse("index.json", bh_buf_slice(&text), &doc, err);
	const struct bh_json_node *list = rc < 0 ? NULL : bh_json_get(bh_json_root(doc), "manifests");
	for (size_t i = 0; rc == 0 && i < bh_json_len(list) && i < NAMES_MAX; i++) {
		struct bh_slice name = name_of(bh_json_at(list, i));
		if (name.len && name.len <= NAME_BYTES_MAX && !named_before(list, i, name))
			rc = bh_channel_send(ch, IMAGE_SAY_HEAD, name, err);
	}
	return rc;
}

struct asking {
	struct image_source source;
	int (*give)(void *ctx, struct bh_slice name, struct bh_err *err);
	void *ctx;
};

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct asking *a = ctx;
	if (is_request && type == IMAGE_ASK_OPEN)
		return image_source_answer(&a->source, payload, BH_MANIFEST_BYTES_MAX, reply, err);
	if (!is_request && type == IMAGE_SAY_HEAD && payload.len <= NAME_BYTES_MAX && !memchr(payload.ptr, 0, payload.len))
		return a->give(a->ctx, payload, err);
	return bh_fail(err, BH_EMALFORMED, 0, "message %u is not known", type);
}

int image_layout_names(const char *folder, int (*give)(void *ctx, struct bh_slice name, struct bh_err *err), void *ctx, struct bh_err *err)
{
	struct asking a = { .give = give, .ctx = ctx };
	const struct image_request req = { .kind = IMAGE_OCI, .path = folder };
	int rc = image_source_open(&req, &a.source, err);
	if (rc < 0)
		return rc;
	struct bh_child_spec spec = { .name = "index of a layout", .run = read_names, .handle = handle, .ctx = &a };
	int result = 0;
	struct bh_err why = { 0 };
	rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	image_source_done(&a.source);
	if (rc == 0 && result < 0) {
		*err = why;
		rc = result;
	}
	return rc;
}
