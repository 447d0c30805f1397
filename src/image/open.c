/* open.c: how a layer of a plan is called, opened by the child that reads it, and compared with the plan. */
#include "image/open.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <unistd.h>

static void blob_name(const struct bh_digest *d, char ret[IMAGE_LAYER_NAME_BYTES])
{
	char text[BH_DIGEST_TEXT_BYTES];
	struct bh_slice algorithm, hex;
	bh_digest_text(d, text);
	(void)bh_slice_cut(bh_slice_str(text), ':', &algorithm, &hex);
	snprintf(ret, IMAGE_LAYER_NAME_BYTES, "blobs/%.*s/%.*s", BH_SLICE_FMT(algorithm), BH_SLICE_FMT(hex));
}

void image_layer_name(const struct image_plan_layer *l, char ret[IMAGE_LAYER_NAME_BYTES])
{
	if (l->place.kind == IMAGE_PLACE_BLOB)
		blob_name(&l->digest, ret);
	else
		snprintf(ret, IMAGE_LAYER_NAME_BYTES, "%s", l->place.kind == IMAGE_PLACE_CONTAINER ? "container" : "archive");
}

int image_layer_open(struct bh_channel *ch, const struct image_plan_layer *l, struct bh_file_source *ret, struct bh_err *err)
{
	char name[IMAGE_LAYER_NAME_BYTES];
	struct image_opened file;
	image_layer_name(l, name);
	int rc = image_ask_open(ch, name, &file, err);
	if (rc < 0)
		return rc;
	bool region = l->place.kind == IMAGE_PLACE_REGION;
	rc = bh_file_source_init(ret, file.fd, region ? l->place.offset : 0, region ? l->place.length : UINT64_MAX, !file.seekable, err);
	if (rc < 0)
		close(file.fd);
	return rc;
}

void image_layer_close(struct bh_file_source *source)
{
	int fd = source->fd;
	bh_file_source_done(source);
	close(fd);
}

const char *image_layer_label(const struct image_plan_layer *l, size_t number, char ret[IMAGE_LAYER_LABEL_BYTES])
{
	char text[BH_DIGEST_TEXT_BYTES];
	const struct bh_digest *d = l->digest.kind ? &l->digest : &l->diff_id;
	if (l->place.kind == IMAGE_PLACE_CONTAINER)
		snprintf(ret, IMAGE_LAYER_LABEL_BYTES, "container");
	else
		snprintf(ret, IMAGE_LAYER_LABEL_BYTES, "layer %zu (%s)", number + 1, bh_digest_text(d, text));
	return ret;
}

int image_mismatch(const char *label, const char *what, const struct bh_digest *actual, const struct bh_digest *expected, struct bh_err *err)
{
	char have[BH_DIGEST_TEXT_BYTES], want[BH_DIGEST_TEXT_BYTES];
	return bh_fail(err, BH_EMISMATCH, 0, "%s: its %s is %s but %s was expected", label, what, bh_digest_text(actual, have),
		       bh_digest_text(expected, want));
}
