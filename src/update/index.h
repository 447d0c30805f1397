/*
 * index.h: lists that publishers keep beside their data: what changed when, where a file is. They come from the web, so a sandboxed child
 * reads them.
 */
#ifndef BH_UPDATE_INDEX_H
#define BH_UPDATE_INDEX_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/vec.h"

enum update_index_kind {
	UPDATE_INDEX_OSV,     /* modified_id.csv: TIME,ID */
	UPDATE_INDEX_CSAF,    /* changes.csv, deletions.csv: "PATH","TIME" */
	UPDATE_INDEX_REPOMD,  /* repomd.xml: where updateinfo is, and its SHA-256 */
	UPDATE_INDEX_LINE,    /* one word: archive_latest.txt, mirror.list, a .sha256 */
};

#define UPDATE_INDEX_ENTRIES_MAX 20000u

struct update_index_entry {
	struct bh_slice name, stamp; /* stamp: "2026-11-24T10:00:00", or a digest in hexadecimal digits */
};
BH_VEC(update_index_vec, struct update_index_entry)

struct update_index {
	struct bh_arena arena;
	struct update_index_vec entries; /* newer than `since` only */
	struct bh_slice newest;          /* stamp of all */
	uint64_t more;                   /* entries beyond the maximum */
};

/* Names that could lead astray (".." in them, a slash at their start, odd characters) are an error: nobody publishes such. */
int update_index_read(enum update_index_kind kind, const char *path, struct bh_slice since, struct update_index *ret,
		      struct bh_err *err) BH_MUST_CHECK;
void update_index_done(struct update_index *x);

#endif
