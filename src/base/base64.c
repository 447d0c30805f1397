/* base64.c: see base64.h. */
#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool bh_base64(struct bh_buf *out, struct bh_slice bytes)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		uint32_t v = (uint32_t)bytes.ptr[i] << 16;
		v |= i + 1 < bytes.len ? (uint32_t)bytes.ptr[i + 1] << 8 : 0;
		v |= i + 2 < bytes.len ? bytes.ptr[i + 2] : 0;
		bh_buf_add_byte(out, (uint8_t)alphabet[v >> 18]);
		bh_buf_add_byte(out, (uint8_t)alphabet[v >> 12 & 63]);
		bh_buf_add_byte(out, i + 1 < bytes.len ? (uint8_t)alphabet[v >> 6 & 63] : '=');
		bh_buf_add_byte(out, i + 2 < bytes.len ? (uint8_t)alphabet[v & 63] : '=');
	}
	return !out->failed;
}

bool bh_unbase64(struct bh_buf *out, struct bh_slice text)
{
	uint32_t bits = 0;
	unsigned n = 0;
	while (text.len && text.ptr[text.len - 1] == '=')
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		const char *at = text.ptr[i] ? strchr(alphabet, text.ptr[i]) : NULL;
		if (!at)
			return false;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		n += 6;
		if (n >= 8) {
			n -= 8;
			bh_buf_add_byte(out, (uint8_t)(bits >> n));
		}
	}
	return text.len % 4 != 1 && !out->failed;
}
