/*
 * digest.c: SHA-2 by OpenSSL's EVP.
 *
 * Two things are special. OpenSSL is told not to read its configuration file (a digest must not depend on one, and a
 * sandboxed child can't open it), and the algorithms are fetched once, because fetching is what costs. Nothing happens
 * before the first hash, so programs that hash nothing don't pay for it.
 */
#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <assert.h>

struct bh_hasher {
	EVP_MD_CTX *ctx;
	enum bh_digest_kind kind;
	bool failed; /* EVP refused something; the result is then no digest, which equals no other */
};

static EVP_MD *fetched[2]; /* SHA-256, SHA-512; kept until the process ends */
static EVP_MD *sha1;

static EVP_MD **slot_of(enum bh_digest_kind kind)
{
	assert(kind == BH_DIGEST_SHA256 || kind == BH_DIGEST_SHA512);
	return &fetched[kind == BH_DIGEST_SHA512];
}

static int openssl_failed(struct bh_err *err, const char *what)
{
	char text[256];
	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	return bh_fail(err, BH_ENOMEM, 0, "OpenSSL: %s: %s", what, text);
}

static int fetch(enum bh_digest_kind kind, const char *name, struct bh_err *err)
{
	EVP_MD **slot = slot_of(kind);
	if (!*slot)
		*slot = EVP_MD_fetch(NULL, name, NULL);
	return *slot ? 0 : openssl_failed(err, name);
}

int bh_crypto_init(struct bh_err *err)
{
	if (fetched[0] && fetched[1] && sha1)
		return 0;
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL))
		return openssl_failed(err, "initialisation");
	int rc = fetch(BH_DIGEST_SHA256, "SHA2-256", err);
	rc = rc < 0 ? rc : fetch(BH_DIGEST_SHA512, "SHA2-512", err);
	if (rc == 0 && !sha1)
		sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	return rc < 0 || sha1 ? rc : openssl_failed(err, "SHA1");
}

int bh_hasher_new(enum bh_digest_kind kind, struct bh_hasher **ret, struct bh_err *err)
{
	int rc = bh_crypto_init(err);
	if (rc < 0)
		return rc;
	struct bh_hasher *h = calloc(1, sizeof(*h));
	if (!h)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a digest");
	h->kind = kind;
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx)
		bh_hasher_reset(h);
	if (!h->ctx || h->failed) {
		bh_hasher_free(h);
		return openssl_failed(err, "digest");
	}
	*ret = h;
	return 0;
}

void bh_hasher_free(struct bh_hasher *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void bh_hasher_reset(struct bh_hasher *h)
{
	h->failed = EVP_DigestInit_ex2(h->ctx, *slot_of(h->kind), NULL) != 1;
}

void bh_hasher_update(struct bh_hasher *h, struct bh_slice bytes)
{
	if (bytes.len && EVP_DigestUpdate(h->ctx, bytes.ptr, bytes.len) != 1)
		h->failed = true;
}

void bh_hasher_finish(struct bh_hasher *h, struct bh_digest *out)
{
	unsigned len = 0;
	*out = (struct bh_digest){ .kind = h->kind };
	_Static_assert(sizeof(out->bytes) >= EVP_MAX_MD_SIZE, "EVP writes up to EVP_MAX_MD_SIZE bytes");
	if (EVP_DigestFinal_ex(h->ctx, out->bytes, &len) != 1 || h->failed)
		*out = (struct bh_digest){ .kind = BH_DIGEST_NONE };
}

int bh_digest_of(enum bh_digest_kind kind, struct bh_slice bytes, struct bh_digest *ret, struct bh_err *err)
{
	struct bh_hasher *h = NULL;
	int rc = bh_hasher_new(kind, &h, err);
	if (rc < 0)
		return rc;
	bh_hasher_update(h, bytes);
	bh_hasher_finish(h, ret);
	bh_hasher_free(h);
	return 0;
}

int bh_sha1_text(struct bh_slice bytes, char ret[BH_SHA1_TEXT_BYTES], struct bh_err *err)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int rc = bh_crypto_init(err);
	if (rc < 0)
		return rc;
	if (EVP_Digest(bytes.ptr, bytes.len, digest, &len, sha1, NULL) != 1 || len != (BH_SHA1_TEXT_BYTES - 1) / 2)
		return openssl_failed(err, "SHA1");
	for (unsigned i = 0; i < len; i++) {
		ret[2 * i] = digits[digest[i] >> 4];
		ret[2 * i + 1] = digits[digest[i] & 15];
	}
	ret[2 * len] = '\0';
	return 0;
}

struct bh_sum {
	enum bh_sum_kind kind;
	EVP_MD *algorithm;
	EVP_MD_CTX *ctx;
	bool failed;
};

static const struct {
	const char *name;
	size_t bytes;
} sums[BH_SUM_KINDS] = { [BH_SUM_MD5] = { "MD5", 16 }, [BH_SUM_SHA1] = { "SHA1", 20 }, [BH_SUM_SHA256] = { "SHA256", 32 } };

size_t bh_sum_bytes(enum bh_sum_kind kind)
{
	return sums[kind].bytes;
}

int bh_sum_new(enum bh_sum_kind kind, struct bh_sum **ret, struct bh_err *err)
{
	int rc = bh_crypto_init(err);
	struct bh_sum *m = rc < 0 ? NULL : calloc(1, sizeof(*m));
	if (!m)
		return rc < 0 ? rc : bh_fail(err, BH_ENOMEM, 0, "out of memory for a digest");
	m->kind = kind;
	m->algorithm = EVP_MD_fetch(NULL, sums[kind].name, NULL);
	m->ctx = EVP_MD_CTX_new();
	if (m->algorithm && m->ctx)
		bh_sum_reset(m);
	if (!m->algorithm || !m->ctx || m->failed) {
		bh_sum_free(m);
		return openssl_failed(err, sums[kind].name);
	}
	*ret = m;
	return 0;
}

void bh_sum_free(struct bh_sum *m)
{
	if (!m)
		return;
	EVP_MD_CTX_free(m->ctx);
	EVP_MD_free(m->algorithm);
	free(m);
}

void bh_sum_reset(struct bh_sum *m)
{
	m->failed = EVP_DigestInit_ex2(m->ctx, m->algorithm, NULL) != 1;
}

void bh_sum_update(struct bh_sum *m, struct bh_slice bytes)
{
	if (bytes.len && EVP_DigestUpdate(m->ctx, bytes.ptr, bytes.len) != 1)
		m->failed = true;
}

bool bh_sum_finish(struct bh_sum *m, uint8_t ret[BH_SUM_BYTES_MAX])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool ok = EVP_DigestFinal_ex(m->ctx, digest, &len) == 1 && len == sums[m->kind].bytes && !m->failed;
	memset(ret, 0, BH_SUM_BYTES_MAX);
	if (ok)
		memcpy(ret, digest, len);
	return ok;
}
