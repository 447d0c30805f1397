/*
 * source.h: the parent's half of reading an image: it opens what the user named, looks at nothing in it, and passes
 * descriptors to the children that ask.
 *
 *   IMAGE_ASK_OPEN   payload: "archive", "index.json", "oci-layout" or "blobs/ALG/HEX"
 *                    reply:   u8 0, u64 size, u8 seekable, and the descriptor; or u8 -bh_code and the reason
 */
#ifndef BH_IMAGE_SOURCE_H
#define BH_IMAGE_SOURCE_H

#include "image/image.h"
#include "image/unit.h"
#include "sys/child.h"

enum image_source_kind {
	IMAGE_SOURCE_LAYOUT, /* fd: the folder */
	IMAGE_SOURCE_ARCHIVE,
	IMAGE_SOURCE_TREE,   /* fd: the folder */
};

struct image_source {
	enum image_source_kind kind;
	int fd;
	uint64_t size_bytes; /* archives; 0 when not known */
	bool seekable;
	const struct image_remote *remote; /* asked instead of fd; NULL: none */
	bool owned;          /* close fd at the end: not for standard input */
};

int image_source_open(const struct image_request *req, struct image_source *ret, struct bh_err *err) BH_MUST_CHECK;
void image_source_done(struct image_source *source);

/* Can it be read a second time, layer by layer? Not when it only streams by, or is compressed as a whole, or is a tree of files. */
bool image_source_reads_again(const struct image_source *source);

/* Answers IMAGE_ASK_OPEN. max_bytes: of a remote stream. What can't be opened is an answer too, not an error. */
int image_source_answer(const struct image_source *source, struct bh_slice name, uint64_t max_bytes, struct bh_child_reply *reply,
			struct bh_err *err) BH_MUST_CHECK;

/* The child's half. BH_ENOTFOUND when there is no such file. */
struct image_opened {
	int fd;
	uint64_t size_bytes;
	bool seekable;
};
int image_ask_open(struct bh_channel *ch, const char *name, struct image_opened *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
