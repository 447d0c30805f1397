/* open.h: an image whose manifests were read, for who reads its layers in a way of their own. */
#ifndef BH_IMAGE_OPEN_H
#define BH_IMAGE_OPEN_H

#include "format/stream.h"
#include "image/plan.h"
#include "image/source.h"

/* Both are to be released in either case. The plan has the configuration with it. */
int image_open(const struct image_request *req, struct bh_report *report, struct image_source *source, struct image_plan *plan, struct bh_err *err) BH_MUST_CHECK;

/* The name that a child asks for a layer by, and the file that the answer gave it, from the right place on. */
#define IMAGE_LAYER_NAME_BYTES 160u
void image_layer_name(const struct image_plan_layer *l, char ret[IMAGE_LAYER_NAME_BYTES]);
int image_layer_open(struct bh_channel *ch, const struct image_plan_layer *l, struct bh_file_source *ret, struct bh_err *err) BH_MUST_CHECK;
void image_layer_close(struct bh_file_source *source);

/* "layer 2 (sha256:...)" */
#define IMAGE_LAYER_LABEL_BYTES (BH_DIGEST_TEXT_BYTES + 16u)
const char *image_layer_label(const struct image_plan_layer *l, size_t number, char ret[IMAGE_LAYER_LABEL_BYTES]);

/* BH_EMISMATCH. what: "digest", "diffID". */
int image_mismatch(const char *label, const char *what, const struct bh_digest *actual, const struct bh_digest *expected, struct bh_err *err) BH_MUST_CHECK;

#endif
