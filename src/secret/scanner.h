/*
 * scanner.h: files that stream by, searched for secrets: in pieces of a megabyte that overlap, so that memory stays the same whatever the size; as UTF-16; inside of
 * base64 and of what that holds; inside of archives and compressed files (gzip, zstd, xz, bzip2, tar, zip), and of those in them.
 */
#ifndef BH_SECRET_SCANNER_H
#define BH_SECRET_SCANNER_H

#include "secret/engine.h"
#include "secret/found.h"

struct secret_scanner;

struct secret_scanner_options {
	const uint8_t *key; /* SECRET_KEY_BYTES, for fingerprints; must outlive the scanner; NULL: none are made */
	unsigned depth;     /* how many archives the file lies in */
	bool comments;      /* "bulkhead:allow ID reason" and "gitleaks:allow" count: the text is of whoever asks. An image can't excuse itself */
};

/* A negative return ends the search with it. */
struct secret_sink {
	int (*found)(void *ctx, const struct secret_found *f, struct bh_err *err);
	int (*incomplete)(void *ctx, const char *reason, struct bh_err *err); /* of this file something was not searched */
	void *ctx;
};

/* The engine is borrowed. */
int secret_scanner_new(struct secret_engine *engine, const struct secret_scanner_options *options, struct secret_scanner **ret, struct bh_err *err) BH_MUST_CHECK;
void secret_scanner_free(struct secret_scanner *s);

/* A file; path and sink live until its end. size_bytes: as far as it is known, to search small files where they lie; 0 = not. */
void secret_scanner_begin(struct secret_scanner *s, struct bh_slice path, uint64_t size_bytes, const struct secret_sink *sink);
int secret_scanner_bytes(struct secret_scanner *s, struct bh_slice run, struct bh_err *err) BH_MUST_CHECK;
int secret_scanner_end(struct secret_scanner *s, struct bh_err *err) BH_MUST_CHECK;

#endif
