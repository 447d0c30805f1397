/*
 * manifest.h: the signed list of a published database: what it is, how old it may get, and the pieces it consists of. Text, format in
 * docs/formats/manifest.md. Nothing of it is looked at before its signature is right.
 */
#ifndef BH_UPDATE_MANIFEST_H
#define BH_UPDATE_MANIFEST_H

#include "base/buf.h"
#include "base/vec.h"
#include "crypto/sign.h"

#define UPDATE_MANIFEST_BYTES_MAX (64u << 20) /* 300,000 pieces: a database of 20 GB */

struct update_piece {
	uint8_t sha256[32];      /* of its plain bytes; also its name */
	uint8_t packed_sha256[32];
	uint32_t bytes, packed_bytes;
};
BH_VEC(update_piece_vec, struct update_piece)

struct update_manifest {
	uint64_t version;        /* grows with each publication */
	int32_t created_day, expires_day;
	uint64_t bytes;
	uint8_t sha256[32];      /* of the database */
	uint8_t root[32];        /* SHA-256 over the pieces' lines */
	struct update_piece_vec pieces;
};

void update_manifest_init(struct update_manifest *m);
void update_manifest_done(struct update_manifest *m);

/* Text with its signature, appended to out. Fills in m->root. */
int update_manifest_write(struct update_manifest *m, const struct bh_sign_key *key, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* BH_EMISMATCH: the signature is wrong, or not of this key. */
int update_manifest_read(struct bh_slice text, const struct bh_sign_key *key, struct update_manifest *ret, struct bh_err *err) BH_MUST_CHECK;

/* 64 hexadecimal digits and NUL. */
const char *update_hex(const uint8_t bytes[32], char out[65]);
/* Back, from exactly 2 * n lower-case digits. */
bool update_unhex(struct bh_slice text, uint8_t *out, size_t n);

#endif
