/* sign.c: see sign.h. OpenSSL's EVP does it all; what it can do beyond the kinds named there is refused. */
#include "crypto/sign.h"

#include "crypto/digest.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <errno.h>
#include <stdio.h>

#define EC_BITS_LEAST 256
#define EC_BITS_MOST 384

struct bh_sign_key {
	EVP_PKEY *pkey;
	bool ed25519;
};

/* Without this OpenSSL asks at the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *user)
{
	(void)buf, (void)size, (void)rwflag, (void)user;
	return -1;
}

static EVP_PKEY *read_pem(FILE *f, bool secret)
{
	EVP_PKEY *pkey = PEM_read_PrivateKey(f, NULL, no_passphrase, NULL);
	if (pkey || secret)
		return pkey;
	rewind(f);
	return PEM_read_PUBKEY(f, NULL, no_passphrase, NULL);
}

static int check_kind(const char *path, EVP_PKEY *pkey, bool *ret_ed25519, struct bh_err *err)
{
	int bits = EVP_PKEY_get_bits(pkey);
	*ret_ed25519 = EVP_PKEY_is_a(pkey, "ED25519");
	if (*ret_ed25519 || (EVP_PKEY_is_a(pkey, "EC") && bits >= EC_BITS_LEAST && bits <= EC_BITS_MOST))
		return 0;
	return bh_fail(err, BH_EUSAGE, 0, "%s: neither an Ed25519 key nor one on the curves P-256 or P-384", path);
}

int bh_sign_key_load(const char *path, bool secret, struct bh_sign_key **ret, struct bh_err *err)
{
	int rc = bh_crypto_init(err);
	if (rc < 0)
		return rc;
	FILE *f = fopen(path, "re");
	if (!f) {
		(void)bh_fail_errno(err, errno, "%s", path);
		return bh_failure(err ? (int)(err->code = BH_EUSAGE) : BH_EUSAGE);
	}
	EVP_PKEY *pkey = read_pem(f, secret);
	(void)fclose(f);
	if (!pkey)
		return bh_fail(err, BH_EUSAGE, 0, "%s: no %s in PEM without a passphrase, as openssl genpkey -algorithm ed25519 makes", path,
			       secret ? "private key" : "key");
	struct bh_sign_key *key = calloc(1, sizeof(*key));
	rc = key ? check_kind(path, pkey, &key->ed25519, err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
	if (rc < 0) {
		EVP_PKEY_free(pkey);
		free(key);
		return rc;
	}
	key->pkey = pkey;
	*ret = key;
	return 0;
}

void bh_sign_key_free(struct bh_sign_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

const char *bh_sign_key_kind(const struct bh_sign_key *key)
{
	return key->ed25519 ? "ed25519" : "ecdsa";
}

int bh_sign(const struct bh_sign_key *key, struct bh_slice bytes, uint8_t ret[BH_SIGNATURE_BYTES_MAX], size_t *ret_len, struct bh_err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = BH_SIGNATURE_BYTES_MAX;
	bool good = ctx && EVP_DigestSignInit(ctx, NULL, key->ed25519 ? NULL : EVP_sha256(), NULL, key->pkey) == 1 &&
		    EVP_DigestSign(ctx, ret, &len, bytes.ptr, bytes.len) == 1;
	EVP_MD_CTX_free(ctx);
	if (!good)
		return bh_fail(err, BH_ENOMEM, 0, "OpenSSL can't sign with this key");
	*ret_len = len;
	return 0;
}

int bh_sign_check(const struct bh_sign_key *key, struct bh_slice bytes, struct bh_slice signature, struct bh_err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ready = ctx && EVP_DigestVerifyInit(ctx, NULL, key->ed25519 ? NULL : EVP_sha256(), NULL, key->pkey) == 1;
	bool good = ready && EVP_DigestVerify(ctx, signature.ptr, signature.len, bytes.ptr, bytes.len) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ready)
		return bh_fail(err, BH_ENOMEM, 0, "OpenSSL can't check with this key");
	return good ? 0 : bh_fail(err, BH_EMISMATCH, 0, "the signature is not one of this key over these bytes");
}
