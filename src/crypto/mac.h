/* mac.h: HMAC-SHA-256 (RFC 2104, FIPS 198-1). */
#ifndef BH_CRYPTO_MAC_H
#define BH_CRYPTO_MAC_H

#include "base/err.h"
#include "base/slice.h"

#define BH_MAC_BYTES 32u

int bh_mac(struct bh_slice key, struct bh_slice bytes, uint8_t ret[BH_MAC_BYTES], struct bh_err *err) BH_MUST_CHECK;

#endif
