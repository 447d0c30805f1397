/* found.c: see found.h. */
#include "secret/found.h"

#include "base/limits.h"
#include "crypto/mac.h"
#include "model/wire.h"

#include <stdio.h>

#define HEAD_SHOWN 4u
#define HEAD_SHOWN_OF 16u /* shorter ones are not begun to be shown */
#define REASON_BYTES_MAX 512u

static bool is_plain(uint8_t c)
{
	return c > ' ' && c < 0x7f;
}

void secret_show(struct bh_slice secret, char ret[SECRET_SHOWN_BYTES])
{
	bool headed = secret.len >= HEAD_SHOWN_OF;
	for (size_t i = 0; headed && i < HEAD_SHOWN; i++)
		headed = is_plain(secret.ptr[i]);
	(void)snprintf(ret, SECRET_SHOWN_BYTES, "%.*s... (%zu bytes)", headed ? (int)HEAD_SHOWN : 0, (const char *)secret.ptr, secret.len);
}

int secret_fingerprint(const uint8_t key[SECRET_KEY_BYTES], struct bh_slice secret, char ret[SECRET_FINGERPRINT_BYTES], struct bh_err *err)
{
	uint8_t mac[BH_MAC_BYTES];
	int rc = bh_mac((struct bh_slice){ key, SECRET_KEY_BYTES }, secret, mac, err);
	for (size_t i = 0; rc == 0 && i < SECRET_FINGERPRINT_BYTES / 2; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", mac[i]);
	return rc;
}

void secret_found_put(struct bh_buf *b, const struct secret_found *f)
{
	bh_wire_put_slice(b, f->detector);
	bh_wire_put_slice(b, f->shown);
	bh_wire_put_slice(b, f->fingerprint);
	bh_wire_put_slice(b, f->inside);
	bh_wire_put_slice(b, f->said);
	bh_wire_put_slice(b, f->origin);
	bh_wire_put_slice(b, bh_slice_sub(f->reason, 0, REASON_BYTES_MAX));
	bh_wire_put_u8(b, (uint8_t)f->allow);
	bh_wire_put_u32(b, f->line);
	bh_wire_put_u32(b, f->column);
	bh_wire_put_u32(b, f->length);
}

bool secret_found_get(struct bh_reader *r, struct secret_found *ret)
{
	uint8_t allow;
	bool ok = bh_wire_get_slice(r, BH_NAME_BYTES_MAX, &ret->detector) && bh_wire_get_slice(r, SECRET_SHOWN_BYTES, &ret->shown) &&
		  bh_wire_get_slice(r, SECRET_FINGERPRINT_BYTES, &ret->fingerprint) && bh_wire_get_slice(r, BH_PATH_BYTES_MAX, &ret->inside) &&
		  bh_wire_get_slice(r, SECRET_SAID_BYTES, &ret->said) && bh_wire_get_slice(r, BH_NAME_BYTES_MAX, &ret->origin) && bh_wire_get_slice(r, REASON_BYTES_MAX, &ret->reason) && bh_take_u8(r, &allow) &&
		  bh_take_u32le(r, &ret->line) && bh_take_u32le(r, &ret->column) && bh_take_u32le(r, &ret->length) && allow <= BH_ALLOWED;
	ret->allow = ok ? (enum bh_allow)allow : BH_NOT_ALLOWED;
	return ok && bh_reader_left(r) == 0;
}
