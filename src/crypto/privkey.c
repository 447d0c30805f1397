/* privkey.c: see privkey.h. OpenSSL reads the DER. */
#include "crypto/privkey.h"

#include "crypto/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <limits.h>
#include <stdio.h>

static bool is_encrypted(struct bh_slice der)
{
	const unsigned char *p = der.ptr;
	X509_SIG *sig = d2i_X509_SIG(NULL, &p, (long)der.len);
	X509_SIG_free(sig);
	return sig != NULL;
}

enum bh_privkey bh_privkey_of_der(struct bh_slice der, char kind[BH_PRIVKEY_KIND_BYTES])
{
	const unsigned char *p = der.ptr;
	kind[0] = '\0';
	if (der.len == 0 || der.len > INT_MAX || bh_crypto_init(NULL) < 0)
		return BH_PRIVKEY_NONE;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.len);
	if (key) {
		const char *name = EVP_PKEY_get0_type_name(key);
		(void)snprintf(kind, BH_PRIVKEY_KIND_BYTES, "%s %d", name ? name : "key", EVP_PKEY_get_bits(key));
	}
	bool clear = key != NULL;
	EVP_PKEY_free(key);
	bool encrypted = !clear && is_encrypted(der);
	ERR_clear_error();
	return clear ? BH_PRIVKEY_CLEAR : encrypted ? BH_PRIVKEY_ENCRYPTED : BH_PRIVKEY_NONE;
}
