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

/* MD5 of a stream: what dpkg records of its files. It is compared with that record and proves nothing more: that is why it is no kind of digest, either. */
#define BH_MD5_BYTES 16u
struct bh_md5;
int bh_md5_new(struct bh_md5 **ret, struct bh_err *err) BH_MUST_CHECK; /* before the fork, as bh_crypto_init */
void bh_md5_free(struct bh_md5 *m);
void bh_md5_reset(struct bh_md5 *m);
void bh_md5_update(struct bh_md5 *m, struct bh_slice bytes);
bool bh_md5_finish(struct bh_md5 *m, uint8_t ret[BH_MD5_BYTES]); /* false: OpenSSL refused something */

#endif
