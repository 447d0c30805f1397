/* found.h: a secret as it may be shown: masked, with a keyed fingerprint. Nothing but this leaves the process that read it. */
#ifndef BH_SECRET_FOUND_H
#define BH_SECRET_FOUND_H

#include "base/buf.h"
#include "base/err.h"
#include "base/reader.h"
#include "format/allow.h"
#include "secret/detector.h"

#define SECRET_SHOWN_BYTES 64u
#define SECRET_KEY_BYTES 32u
#define SECRET_FINGERPRINT_BYTES 33u /* 128 bits in hex, NUL-terminated */

struct secret_found {
	struct bh_slice detector;  /* its id */
	struct bh_slice shown;     /* "AKIA... (20 bytes)": nothing that helps to guess it */
	struct bh_slice fingerprint; /* the same for the same secret and key; empty without a key */
	struct bh_slice inside;    /* where in the file, when that is an archive or is encoded: "app.tar: etc/env", "base64"; empty: in its plain bytes */
	struct bh_slice said;      /* by the check of its structure; may be empty */
	struct bh_slice origin;    /* of the file: the commit that brought it; may be empty */
	struct bh_slice reason;    /* of a comment that allows it */
	enum bh_allow allow;
	uint32_t line, column;     /* from 1; 0 = has no lines */
	uint32_t length;           /* from there on, of what has to be covered to hide it: its own, or that of what is encoded */
};

/* What may be seen of a secret: its first four bytes when they are few of many, and its length. */
void secret_show(struct bh_slice secret, char ret[SECRET_SHOWN_BYTES]);

/* HMAC-SHA-256 of the secret, its first half in hex. */
int secret_fingerprint(const uint8_t key[SECRET_KEY_BYTES], struct bh_slice secret, char ret[SECRET_FINGERPRINT_BYTES], struct bh_err *err) BH_MUST_CHECK;

void secret_found_put(struct bh_buf *b, const struct secret_found *f);
bool secret_found_get(struct bh_reader *r, struct secret_found *ret); /* false: malformed. Slices are the reader's */

#endif
