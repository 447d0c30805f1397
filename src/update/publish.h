/*
 * publish.h: a database for a fleet: signing it, checking it, fetching it piece by piece. Beside FILE lie FILE.manifest (manifest.h) and
 * FILE.pieces/HASH.zst; any web server that serves files will do, or a folder.
 */
#ifndef BH_UPDATE_PUBLISH_H
#define BH_UPDATE_PUBLISH_H

#include "base/buf.h"
#include "base/limits.h"
#include "crypto/sign.h"
#include "net/http.h"

struct update_published {
	uint64_t version, bytes, pieces;
	uint64_t new_pieces, new_bytes; /* packed: written, or fetched */
	int32_t created_day, expires_day;
};

/*
 * Signs FILE: writes its pieces, then its manifest. The version is higher than that of the manifest before, and at least now_s. Pieces
 * that neither this manifest nor the one before names are removed. expires_day may be VULN_NO_DAY.
 */
int update_sign(const char *file, const struct bh_sign_key *key, int64_t now_s, int32_t expires_day, struct update_published *ret, struct bh_err *err)
	BH_MUST_CHECK;

/* Is FILE what FILE.manifest says, is that signed with the key, and not expired? Its pieces are not looked at. */
int update_check(const char *file, const struct bh_sign_key *key, int32_t today, struct update_published *ret, struct bh_err *err) BH_MUST_CHECK;

struct update_pull {
	const char *from;               /* URL or path of FILE; with a slash at its end, or a folder: bulkhead.bkdb in it */
	const struct bh_sign_key *key;
	struct net_session *session;    /* for URLs */
	int32_t today;
	const char *own;                /* path of the database that is replaced; its manifest says which version it is */
	struct bh_slice have;           /* its bytes: pieces in it are not fetched; may be empty */
	void (*progress)(void *ctx, uint64_t done_bytes, uint64_t total_bytes);
	void *ctx;
};

/*
 * Fetches the manifest and what is missing, and verifies everything: signature, expiry, that it is no older version than the own one, each
 * piece, the whole. *database (empty, born with its maximum) and *manifest get the bytes; both stay empty when the own one is this
 * version already.
 */
int update_pull(const struct update_pull *p, struct bh_buf *database, struct bh_buf *manifest, struct update_published *ret, struct bh_err *err)
	BH_MUST_CHECK;

/* FILE.manifest. False when the path is too long. */
bool update_manifest_path(const char *file, char out[BH_PATH_BYTES_MAX]);

#endif
