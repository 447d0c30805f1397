/*
 * entry.h: what parsers of language packages share: one checked way to hand a package on, line numbers, and the small texts that
 * several formats have in common.
 */
#ifndef BH_PKG_ENTRY_H
#define BH_PKG_ENTRY_H

#include "base/buf.h"
#include "base/limits.h"
#include "pkg/notes.h"

/*
 * Hands p on. Without a usable name it becomes a note instead; an unusable version is noted and left out, so that the package is listed
 * and judged "undetermined". offset: where the entry stands, for the notes.
 */
int pkg_give(struct pkg_notes *n, const struct bh_package *p, uint64_t offset_bytes, struct bh_err *err) BH_MUST_CHECK;

/* Which line an offset is on. Offsets that grow from call to call cost one pass over the text in all. */
struct pkg_lines {
	struct bh_slice text;
	size_t at;
	uint32_t before; /* line feeds in front of at */
};
uint32_t pkg_line(struct pkg_lines *l, size_t offset_bytes);

/* The same for a slice that lies in the text. */
uint32_t pkg_line_of(struct pkg_lines *l, struct bh_slice part);

/* Where a slice of the text begins. */
static inline size_t pkg_offset(struct bh_slice text, struct bh_slice part)
{
	return part.len ? (size_t)(part.ptr - text.ptr) : text.len;
}

/* Without a UTF-8 byte order mark, which .NET and editors on Windows write. */
struct bh_slice pkg_without_bom(struct bh_slice text);

/* Without the quotes (both ' or both ") around it, when it has them. */
struct bh_slice pkg_unquoted(struct bh_slice s);

/* Appends an item to a list: "MIT OR GPL-2.0" with between " OR ". */
void pkg_add_item(struct bh_buf *list, const char *between, struct bh_slice item);

/* "k v" at the first byte c: both trimmed; false when there is no c. */
bool pkg_cut_trimmed(struct bh_slice line, char c, struct bh_slice *ret_head, struct bh_slice *ret_tail);

#endif
