/* digest.c: text form of digests. Computing them is crypto's. */
#include "model/digest.h"

#include <stdio.h>

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static size_t size_of(enum bh_digest_kind kind)
{
	return kind == BH_DIGEST_SHA256 ? 32 : kind == BH_DIGEST_SHA512 ? 64 : 0;
}

bool bh_digest_parse(struct bh_slice text, struct bh_digest *out)
{
	struct bh_slice algorithm, hex;
	if (!bh_slice_cut(text, ':', &algorithm, &hex))
		return false;
	struct bh_digest d = { 0 };
	if (bh_slice_eq_str(algorithm, "sha256"))
		d.kind = BH_DIGEST_SHA256;
	else if (bh_slice_eq_str(algorithm, "sha512"))
		d.kind = BH_DIGEST_SHA512;
	size_t n = size_of(d.kind);
	if (n == 0 || hex.len != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_value(hex.ptr[2 * i]), lo = hex_value(hex.ptr[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return false;
		d.bytes[i] = (uint8_t)(hi << 4 | lo);
	}
	*out = d;
	return true;
}

const char *bh_digest_text(const struct bh_digest *d, char out[BH_DIGEST_TEXT_BYTES])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = size_of(d->kind);
	if (n == 0) {
		out[0] = '\0';
		return out;
	}
	char *p = out + snprintf(out, BH_DIGEST_TEXT_BYTES, "%s:", d->kind == BH_DIGEST_SHA256 ? "sha256" : "sha512");
	for (size_t i = 0; i < n; i++) {
		*p++ = hex[d->bytes[i] >> 4];
		*p++ = hex[d->bytes[i] & 15];
	}
	*p = '\0';
	return out;
}

bool bh_digest_eq(const struct bh_digest *a, const struct bh_digest *b)
{
	return a->kind == b->kind && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
