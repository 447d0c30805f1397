/*
 * sign.h: signatures with keys in PEM files, as `openssl genpkey` writes them: Ed25519, and ECDSA over P-256 or P-384 with SHA-256.
 * For checking, a private key does as well as its public half.
 */
#ifndef BH_CRYPTO_SIGN_H
#define BH_CRYPTO_SIGN_H

#include "base/err.h"
#include "base/slice.h"

#define BH_SIGNATURE_BYTES_MAX 160u

struct bh_sign_key;

/* secret: the private key is needed. Keys with a passphrase are refused: nobody is there to be asked. BH_EUSAGE says what is wrong. */
int bh_sign_key_load(const char *path, bool secret, struct bh_sign_key **ret, struct bh_err *err) BH_MUST_CHECK;
void bh_sign_key_free(struct bh_sign_key *key);

const char *bh_sign_key_kind(const struct bh_sign_key *key); /* "ed25519", "ecdsa" */

int bh_sign(const struct bh_sign_key *key, struct bh_slice bytes, uint8_t ret[BH_SIGNATURE_BYTES_MAX], size_t *ret_len,
	    struct bh_err *err) BH_MUST_CHECK;
/* BH_EMISMATCH: not this key's signature of these bytes. */
int bh_sign_check(const struct bh_sign_key *key, struct bh_slice bytes, struct bh_slice signature, struct bh_err *err) BH_MUST_CHECK;

#endif
