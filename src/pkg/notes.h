/* notes.h: damaged entries on their way to the sink: worded, escaped, and capped so that a file of garbage is one story. */
#ifndef BH_PKG_NOTES_H
#define BH_PKG_NOTES_H

#include "pkg/pkg.h"

struct pkg_notes {
	const struct pkg_sink *sink;
	uint64_t count;
};

/* Hands one damaged entry to the sink (after PKG_NOTES_MAX of them it only counts). Returns what the sink returned. */
int pkg_note(struct pkg_notes *n, uint64_t offset_bytes, struct bh_err *err, const char *fmt, ...) BH_PRINTF(4, 5) BH_MUST_CHECK;

/* Call at the end of a file: one more note when some were only counted. */
int pkg_notes_end(const struct pkg_notes *n, uint64_t offset_bytes, struct bh_err *err) BH_MUST_CHECK;

/* What every parser asks of a name or version before it hands it on: 1 to max bytes, no blanks, no control bytes. */
bool pkg_word_ok(struct bh_slice s, size_t max_bytes);

#endif
