/* privkey.h: is this a private key? Only its structure is read; nothing is done with the key. */
#ifndef BH_CRYPTO_PRIVKEY_H
#define BH_CRYPTO_PRIVKEY_H

#include "base/slice.h"

enum bh_privkey { BH_PRIVKEY_NONE, BH_PRIVKEY_CLEAR, BH_PRIVKEY_ENCRYPTED };

#define BH_PRIVKEY_KIND_BYTES 32u

/* DER: PKCS #8 (encrypted or not), or the traditional forms of RSA, EC and DSA. kind: "RSA 2048", "ED25519"; empty when that can't be seen. */
enum bh_privkey bh_privkey_of_der(struct bh_slice der, char kind[BH_PRIVKEY_KIND_BYTES]);

#endif
