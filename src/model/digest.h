/* digest.h: content digests as OCI writes them, "sha256:64 hex digits" (image-spec, descriptor.md "Digests"). */
#ifndef BH_MODEL_DIGEST_H
#define BH_MODEL_DIGEST_H

#include "base/slice.h"

enum bh_digest_kind { BH_DIGEST_NONE, BH_DIGEST_SHA256, BH_DIGEST_SHA512 };

#define BH_DIGEST_BYTES_MAX 64u
#define BH_DIGEST_TEXT_BYTES (7u + 2 * BH_DIGEST_BYTES_MAX + 1) /* "sha512:" + hex + NUL */

struct bh_digest {
	enum bh_digest_kind kind;
	uint8_t bytes[BH_DIGEST_BYTES_MAX]; /* 32 or 64 used, the rest zero */
};

/* Lower-case hex and a known algorithm only; anything else is false and *out stays untouched. */
bool bh_digest_parse(struct bh_slice text, struct bh_digest *out);

/* Writes "sha256:..." with its NUL; "" for BH_DIGEST_NONE. Returns out. */
const char *bh_digest_text(const struct bh_digest *d, char out[BH_DIGEST_TEXT_BYTES]);

bool bh_digest_eq(const struct bh_digest *a, const struct bh_digest *b);

#endif
