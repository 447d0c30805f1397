/*
 * rewrite.h: an image's layers written anew, without what is not wanted in them. Every layer is read by a sandboxed child and comes back packed; what an edit does
 * not touch stays as it is, byte for byte, and a layer in which nothing is touched keeps its blob.
 *
 *   blob -> digest -> inflate -> diffID -> tar -> entry -> edit() -> tar -> gzip -> parent -> blobs/sha256/...
 */
#ifndef BH_IMAGE_REWRITE_H
#define BH_IMAGE_REWRITE_H

#include "format/tar_edit.h"
#include "image/blobs.h"
#include "image/image.h"
#include "image/layer.h"
#include "image/plan.h"

/* What becomes of an entry. */
struct image_edit {
	bool drop;
	uint32_t why;            /* for the parent's told(); 0: nothing was edited, and nothing is told */
	struct bh_tar_edit tar;  /* when it is not dropped */
};

struct image_rewriter {
	/* In the child. Whiteouts come, too; never the root itself. NULL: nothing is edited. */
	void (*edit)(void *ctx, uint32_t layer, const struct image_entry *e, struct image_edit *ret);
	/* In the parent: an edited entry. */
	int (*told)(void *ctx, uint32_t layer, const struct image_edit *edit, uint64_t size_bytes, struct bh_slice path, struct bh_err *err);
	void *ctx;
	int blobs_fd;            /* the folder that blobs are written to */
};

/* The child's work, and what its frames hold: EDITED and PACKED as they come, WRITTEN at the end (unit.h). */
struct image_rewrite_job {
	const struct image_rewriter *rewriter;
	uint32_t layer;
	uint64_t max_bytes; /* plain */
	enum bh_digest_kind digest_kind, diff_kind;
};

int image_layer_rewrite(const struct image_rewrite_job *job, struct bh_source raw, const struct image_sink *sink, struct bh_err *err) BH_MUST_CHECK;

struct image_new_layer {
	struct bh_digest digest, diff_id; /* sha256 */
	uint64_t size_bytes;              /* of the blob */
	struct bh_slice media_type;
	bool same;                        /* the blob is the one that was read */
};

BH_VEC(image_new_layer_vec, struct image_new_layer)

struct image_rewriting {
	struct image_plan plan;           /* of the image that was read; its configuration as one line of JSON among it */
	struct image_new_layer_vec layers; /* one for each of the plan's */
};

/*
 * Reads req once more (image_read came first, with the same key). BH_EUNSUPPORTED: an archive that only streams by, or is compressed as a whole. A layer that can't be read
 * to its end is an error here: half an image is none. ret is to be released in either case.
 */
int image_rewrite(const struct image_request *req, const struct image_rewriter *rewriter, struct bh_report *report, struct image_rewriting *ret, struct bh_err *err) BH_MUST_CHECK;
void image_rewriting_done(struct image_rewriting *r);

/* An archive that only streams by (a daemon's, standard input), written to an unnamed file of the folder, from which it can be read again. *ret_fd: the caller's; else -1. */
int image_keep_stream(const struct image_request *req, const char *folder, int *ret_fd, struct bh_err *err) BH_MUST_CHECK;

#endif
