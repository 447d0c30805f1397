/* digest.h: computing SHA-256/SHA-512 over a stream. The only header of crypto/ that scanning needs; OpenSSL EVP inside. */
#ifndef BH_CRYPTO_DIGEST_H
#define BH_CRYPTO_DIGEST_H

#include "base/err.h"
#include "model/digest.h"

struct bh_hasher; /* opaque; one per stream */

/*
 * Loads what hashing needs (about 2 ms, once per process; later calls cost nothing). bh_hasher_new calls it, so only one
 * caller has to: whoever forks sandboxed children, before the fork, so that they inherit it and open no file.
 */
int bh_crypto_init(struct bh_err *err) BH_MUST_CHECK;

int bh_hasher_new(enum bh_digest_kind kind, struct bh_hasher **ret, struct bh_err *err) BH_MUST_CHECK;
void bh_hasher_free(struct bh_hasher *h);
void bh_hasher_update(struct bh_hasher *h, struct bh_slice bytes);
void bh_hasher_finish(struct bh_hasher *h, struct bh_digest *out); /* then only free or reset; kind BH_DIGEST_NONE if OpenSSL failed */
void bh_hasher_reset(struct bh_hasher *h);                         /* ready for a new stream of the same kind */

/* In one call; for small inputs. */
int bh_digest_of(enum bh_digest_kind kind, struct bh_slice bytes, struct bh_digest *ret, struct bh_err *err) BH_MUST_CHECK;

/*
 * SHA-1 in hex, NUL-terminated. A name by which others index files (Maven archives), nothing to trust: that is why it is no kind of digest.
 */
#define BH_SHA1_TEXT_BYTES 41u
int bh_sha1_text(struct bh_slice bytes, char ret[BH_SHA1_TEXT_BYTES], struct bh_err *err) BH_MUST_CHECK;

/*
 * Sums of a stream as package managers record them of their packages' files: MD5 (dpkg, old rpm), SHA-1 (apk), SHA-256 (rpm). They are compared with those records and prove
 * nothing more: that is why they are no kinds of digests.
 */
enum bh_sum_kind { BH_SUM_MD5, BH_SUM_SHA1, BH_SUM_SHA256 };
#define BH_SUM_KINDS 3u
#define BH_SUM_BYTES_MAX 32u
struct bh_sum;
size_t bh_sum_bytes(enum bh_sum_kind kind);
int bh_sum_new(enum bh_sum_kind kind, struct bh_sum **ret, struct bh_err *err) BH_MUST_CHECK; /* before the fork, as bh_crypto_init */
void bh_sum_free(struct bh_sum *m);
void bh_sum_reset(struct bh_sum *m);
void bh_sum_update(struct bh_sum *m, struct bh_slice bytes);
bool bh_sum_finish(struct bh_sum *m, uint8_t ret[BH_SUM_BYTES_MAX]); /* false: OpenSSL refused something */

#endif
