/* records.h: where the readers of key-value files (berkeley.h, ndb.h, sqlite_db.h) hand their records. */
#ifndef BH_FORMAT_RECORDS_H
#define BH_FORMAT_RECORDS_H

#include "base/err.h"
#include "base/slice.h"

struct bh_record_sink {
	/* A negative return ends the reading with that code. Slices live for the call only. */
	int (*record)(void *ctx, uint64_t offset_bytes, struct bh_slice key, struct bh_slice value, struct bh_err *err);
	/* A damaged record; the reader carries on behind it. */
	int (*damaged)(void *ctx, uint64_t offset_bytes, const char *reason, struct bh_err *err);
	void *ctx;
};

#endif
