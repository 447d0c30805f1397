/* sqlite_edit.h: a SQLite database that lies in memory, without some of its rows. Hostile files: in a sandboxed child only. */
#ifndef BH_FORMAT_SQLITE_EDIT_H
#define BH_FORMAT_SQLITE_EDIT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* What sqlite opens at its first use (a source of random numbers): to be called before a sandbox forbids that. */
void bh_sqlite_prepare(void);

/*
 * Of every table with a column `column` the rows go whose value there is one that table `index` has beside one of the keys in its column "key": with
 * "Name" and "hnum" a package and all that rpm's indexes say of it. What the rows held is overwritten. out: the whole database, in no WAL mode.
 * BH_EMALFORMED: it is damaged, or has no such table; *ret_rows: how many went.
 */
int bh_sqlite_without(struct bh_slice db, const char *index, const char *column, const struct bh_slice *keys, size_t n, uint64_t *ret_rows, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

#endif
