/*
 * tree.h: directories and root file systems. The parent walks the tree, without ever following a link out of it, and passes
 * an open descriptor of each wanted file to one sandboxed child, which reads and parses.
 *
 *   IMAGE_ASK_NEXT   payload: empty
 *                    reply:   files, small ones with their bytes, as many as fit; behind the last one u8 0 when there are more, else u8 3
 *                             u8 1, path, u64 limit, u32 mode, uid, gid, bytes
 *                             u8 2, path, u64 limit, u32 mode, uid, gid, u64 size; with the descriptor, so the last of its reply
 *                             u8 4, path, u32 mode, uid, gid, target: a link, whose target is not empty, or a folder, for whoever watches
 *
 * A call for each file would cost several times what reading it does.
 */
#ifndef BH_IMAGE_TREE_H
#define BH_IMAGE_TREE_H

#include "image/image.h"
#include "image/layer.h"
#include "sys/child.h"

struct image_tree;

/* root_fd is borrowed. What can't be read becomes an incomplete entry of report. */
int image_tree_new(int root_fd, const struct image_visitor *visitor, struct bh_report *report, struct image_tree **ret,
		   struct bh_err *err) BH_MUST_CHECK;
void image_tree_free(struct image_tree *t);

struct image_tree_file {
	int fd; /* the caller closes it; -1: a link or folder, to be looked at only */
	struct bh_slice link; /* where it leads; until the next call */
	struct bh_slice path; /* until the next call */
	uint64_t size_bytes, limit_bytes;
	uint32_t mode, uid, gid;
};

/* 1: the next wanted file, in the order of the walk (names in byte order, links last); 0: no more; negative: cancelled or out of memory. */
int image_tree_next(struct image_tree *t, struct image_tree_file *ret, struct bh_err *err) BH_MUST_CHECK;

/* Answers IMAGE_ASK_NEXT. */
int image_tree_answer(struct image_tree *t, struct bh_child_reply *reply, struct bh_err *err) BH_MUST_CHECK;

/* The child: asks for files until there are none; frames as for a layer. */
int image_tree_read(struct bh_channel *ch, const struct image_visitor *visitor, struct bh_err *err) BH_MUST_CHECK;

/* The child: the one file that the source is, as path; frames as for a layer. What the visitor fails with is returned. */
int image_file_read(struct bh_channel *ch, const struct image_visitor *visitor, struct bh_slice path, struct bh_err *err) BH_MUST_CHECK;

/* The child: the zip archive that the source is, as a directory; frames as for a layer. Damage ends the reading and is told. */
int image_zip_read(struct bh_channel *ch, const struct image_visitor *visitor, struct bh_err *err) BH_MUST_CHECK;

/* The child: the blobs of a git repository that the source streams; only the visitor's watcher sees them. */
int image_git_read(struct bh_channel *ch, const struct image_visitor *visitor, struct bh_err *err) BH_MUST_CHECK;
int image_git_blobs(struct bh_source batch, const struct image_visitor *visitor, const struct image_sink *sink, struct bh_err *err) BH_MUST_CHECK;

/* The same of any stream of bytes to anyone. */
int image_zip_entries(struct bh_source archive, const struct image_visitor *visitor, const struct image_sink *sink, struct bh_err *err) BH_MUST_CHECK;

#endif
