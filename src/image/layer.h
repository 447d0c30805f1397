/*
 * layer.h: stream one layer through everything at once: blob digest, decompression, diffID, tar, wanted files, visitor.
 * Runs in a sandboxed child; what it finds goes out as the frames of unit.h.
 */
#ifndef BH_IMAGE_LAYER_H
#define BH_IMAGE_LAYER_H

#include "crypto/lane.h"
#include "format/stream.h"
#include "image/changes.h"
#include "image/image.h"
#include "image/pathhash.h"

/* Where frames go. A failing send ends the work. */
struct image_sink {
	int (*send)(void *ctx, uint16_t type, struct bh_slice payload, struct bh_err *err);
	void (*progress)(void *ctx, uint64_t raw_bytes); /* may be NULL */
	void *ctx;
};

/*
 * A file that is wanted under another name because a link leads to it: files at `from`, or in the folder `from`, count as `to`.
 * A hard link at `until` ends that: later entries at `from` are other files.
 */
struct image_alias {
	struct bh_slice from, to, until;
};

struct image_layer_job {
	const struct image_visitor *visitor;
	const struct image_key *key;
	uint64_t max_bytes;                    /* plain bytes */
	enum bh_digest_kind digest_kind, diff_kind;
	struct bh_lane *lane;                  /* a second thread for the digests; NULL: none */
	bool want_hides;                       /* something lies below this layer */
	bool whole;                            /* a complete file system: nothing of what lies below shows */
	const struct image_changes *watched;   /* tell what stands at these paths; NULL: none */
	/* Second pass: only files that an alias leads to are read, and links that stand in the way of one are told. */
	const struct image_alias *aliases;
	size_t n_aliases;
};

/* An entry of a layer's archive under its clean path; both borrowed. */
struct bh_tar_entry;
struct image_entry image_entry_of(const struct bh_tar_entry *e, struct bh_slice path);

/* 0 when END was sent, however the layer ended; negative when frames could not be sent. */
int image_layer_read(const struct image_layer_job *job, struct bh_source raw, const struct image_sink *sink, struct bh_err *err) BH_MUST_CHECK;

struct bh_channel;

/* Frames to the parent of this child. */
struct image_sink image_channel_sink(struct bh_channel *ch);

#endif
