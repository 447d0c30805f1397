/*
 * archive.h: files that hold others, opened for the search for secrets: gzip, zstd, xz and bzip2, tar in them or by itself, zip with its kin (jar, wheel, docx). An archive is
 * kept whole in memory, so larger ones than SECRET_ARCHIVE_BYTES_MAX are not opened, which is told; what comes out of it streams by.
 */
#ifndef BH_SECRET_ARCHIVE_H
#define BH_SECRET_ARCHIVE_H

#include "secret/scanner.h"

#define SECRET_ARCHIVE_BYTES_MAX (32u << 20)
#define SECRET_ARCHIVE_DEPTH_MAX 3u             /* archives in archives */
#define SECRET_UNPACKED_BYTES_MAX (2ull << 30)  /* of one file, all that comes out of it together */

struct secret_archive;

/* Looks at the first bytes of a file. *a is made when the first archive comes, and kept. The sink lives as long as the file. */
int secret_archive_begin(struct secret_archive **a, struct secret_engine *engine, const struct secret_scanner_options *options, struct bh_slice path, struct bh_slice head,
			 const struct secret_sink *sink, struct bh_err *err) BH_MUST_CHECK;
bool secret_archive_is_open(const struct secret_archive *a); /* false for NULL: the file is none */
int secret_archive_bytes(struct secret_archive *a, struct bh_slice run, struct bh_err *err) BH_MUST_CHECK;
int secret_archive_end(struct secret_archive *a, struct bh_err *err) BH_MUST_CHECK;
void secret_archive_free(struct secret_archive *a);

/* All that a gzip member says, appended to out as far as there is room. Negative: it is damaged. */
int secret_inflate(struct bh_slice gzip, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

#endif
