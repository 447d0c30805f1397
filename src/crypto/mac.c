/* mac.c: see mac.h. */
#include "crypto/mac.h"

#include "crypto/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

int bh_mac(struct bh_slice key, struct bh_slice bytes, uint8_t ret[BH_MAC_BYTES], struct bh_err *err)
{
	unsigned len = 0;
	int rc = bh_crypto_init(err);
	if (rc < 0)
		return rc;
	if (!HMAC(EVP_sha256(), key.ptr, (int)key.len, bytes.ptr, bytes.len, ret, &len) || len != BH_MAC_BYTES)
		return bh_fail(err, BH_ENOMEM, 0, "HMAC failed");
	return 0;
}
