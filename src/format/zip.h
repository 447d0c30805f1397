/*
 * zip.h: walk a zip archive (PKWARE APPNOTE 6.3; stored and deflated entries, Zip64) entry by entry, as a stream: from a pipe
 * too. Checksums are verified, and in the end that the archive's own list has as many entries as were seen. Encrypted entries and
 * other methods are errors.
 */
#ifndef BH_FORMAT_ZIP_H
#define BH_FORMAT_ZIP_H

#include "base/err.h"
#include "base/slice.h"
#include "format/stream.h"

struct bh_zip;

/* Do these first bytes (4 are enough) begin a zip archive? */
bool bh_zip_sniff(struct bh_slice head);

int bh_zip_new(struct bh_source plain, struct bh_zip **ret, struct bh_err *err) BH_MUST_CHECK;
void bh_zip_free(struct bh_zip *z);

/* 1: *ret_name is the next entry's name as stored, valid until the next call; folders end with "/". 0: end of the archive. */
int bh_zip_next(struct bh_zip *z, struct bh_slice *ret_name, struct bh_err *err) BH_MUST_CHECK;

/* The next run of the current entry's content, borrowed until the next call; empty at its end. */
int bh_zip_read(struct bh_zip *z, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
