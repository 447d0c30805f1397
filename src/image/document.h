/* document.h: what the readers of OCI layouts and of docker-archives share: checked JSON documents and the configuration. */
#ifndef BH_IMAGE_DOCUMENT_H
#define BH_IMAGE_DOCUMENT_H

#include "format/json.h"
#include "image/plan.h"
#include "image/refname.h"

#define IMAGE_BLOB_NAME_BYTES (sizeof("blobs/sha512/") + 2 * BH_DIGEST_BYTES_MAX)

/* BH_EMISMATCH naming both digests when bytes don't have the expected one. what: for the message. */
int image_document_check(const char *what, struct bh_slice bytes, const struct bh_digest *expected, struct bh_err *err) BH_MUST_CHECK;

int image_document_parse(const char *name, struct bh_slice bytes, struct bh_json **ret, struct bh_err *err) BH_MUST_CHECK;

/*
 * The image configuration: platform (which must serve the wish when the user gave one), creation time, and for the layers
 * that plan has already: their diffIDs, whose number must be theirs, and the history entries that made them; then labels.
 */
int image_config_read(const struct bh_json_node *config, const struct image_wish *wish, struct image_plan *plan, struct bh_err *err) BH_MUST_CHECK;

/* Labels or annotations; a name that is there already keeps its value. What is more than a plan may hold is left out. */
int image_labels_read(const struct bh_json_node *object, struct image_plan *plan, struct bh_err *err) BH_MUST_CHECK;

/*
 * Texts for whoever watches: environment, entry point, command, health check and labels of a configuration, an image's or a container's, and what its history says. Either may be NULL.
 */
int image_texts_read(const struct bh_json_node *config, const struct bh_json_node *history, struct image_plan *plan, struct bh_err *err) BH_MUST_CHECK;

#endif
