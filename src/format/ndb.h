/* ndb.h: reads Packages.db, rpm's own "ndb" package store (SUSE). */
#ifndef BH_FORMAT_NDB_H
#define BH_FORMAT_NDB_H

#include "format/records.h"

/* Every package blob; the key is the package index as the 4 little-endian bytes of the file. */
int bh_ndb_each(struct bh_slice file, const struct bh_record_sink *sink, struct bh_err *err) BH_MUST_CHECK;

#endif
