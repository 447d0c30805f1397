/*
 * sqlite_db.h: reads a table of a hostile SQLite file that lies in memory. Nothing is opened, written or copied: sqlite's file system is the slice.
 */
#ifndef BH_FORMAT_SQLITE_DB_H
#define BH_FORMAT_SQLITE_DB_H

#include "format/records.h"

/*
 * Hands the given column (blobs) of each row of a table to sink->record, with an empty key. wal: the content of the "-wal"
 * file beside the database, or empty; its committed frames count. All pages are checked first: what sqlite finds
 * wrong there goes to sink->damaged, as rows may be missing then.
 */
int bh_sqlite_each(struct bh_slice db, struct bh_slice wal, const char *table, const char *column, const struct bh_record_sink *sink,
		   struct bh_err *err) BH_MUST_CHECK;

#endif
