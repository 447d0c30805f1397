/* pull.c: fetching a published database: what publish.h promises. */
#include "update/publish.h"

#include "base/map.h"
#include "base/vec.h"
#include "crypto/digest.h"
#include "format/stream.h"
#include "sys/files.h"
#include "update/chunk.h"
#include "update/manifest.h"
#include "vuln/import.h"

#include <stdio.h>
#include <sys/stat.h>

#define DEFAULT_NAME "bulkhead.bkdb"

struct own_piece {
	uint8_t sha256[32];
	struct bh_slice bytes;
};
BH_VEC(own_vec, struct own_piece)

struct pulling {
	const struct update_pull *p;
	char base[BH_PATH_BYTES_MAX];  /* URL or path of the database */
	bool is_url;
	struct update_manifest manifest;
	struct own_vec own;            /* pieces of the database that is here */
	struct bh_map index;           /* SHA-256 -> bytes of a piece that is here, as struct bh_slice */
	uint64_t to_fetch;             /* packed bytes */
	struct update_published *result;
};

static int find_base(struct pulling *u, struct bh_err *err)
{
	const char *from = u->p->from;
	struct stat st;
	u->is_url = strncmp(from, "http://", 7) == 0 || strncmp(from, "https://", 8) == 0;
	size_t len = strlen(from);
	bool slash = len && from[len - 1] == '/', folder = slash || (!u->is_url && stat(from, &st) == 0 && S_ISDIR(st.st_mode));
	int n = snprintf(u->base, sizeof(u->base), "%s%s%s", from, folder && !slash ? "/" : "", folder ? DEFAULT_NAME : "");
	return n > 0 && n < (int)sizeof(u->base) - 100 ? 0 : bh_fail(err, BH_EUSAGE, 0, "--from: the name is too long");
}

static int sink(void *ctx, struct bh_slice bytes, struct bh_err *err)
{
	return bh_buf_add(ctx, bytes) ? 0 : bh_fail(err, BH_ELIMIT, 0, "larger than it may be");
}

static int restart(void *ctx, struct bh_err *err)
{
	(void)err;
	bh_buf_clear(ctx);
	return 0;
}

static int get(const struct pulling *u, const char *what, size_t max_bytes, struct bh_buf *out, struct bh_err *err)
{
	char place[BH_PATH_BYTES_MAX];
	int n = snprintf(place, sizeof(place), "%s%s", u->base, what);
	if (n < 0 || n >= (int)sizeof(place))
		return bh_fail(err, BH_EUSAGE, 0, "--from: the name is too long");
	if (!u->is_url)
		return bh_read_file(place, max_bytes, out, err);
	struct net_request request = { .url = place, .max_bytes = max_bytes, .sink = sink, .restart = restart, .ctx = out };
	struct net_response response;
	net_response_init(&response);
	int rc = net_fetch(u->p->session, &request, &response, err);
	if (rc == 0 && !net_succeeded(&response))
		rc = net_refused(&response, place, err);
	net_response_done(&response);
	return rc;
}

/* ---- the manifest ---- */

/* The version that is here already: by the manifest beside the database, if this key signed it. 0: unknown. */
static uint64_t own_version(const struct update_pull *p)
{
	char path[BH_PATH_BYTES_MAX];
	struct bh_buf text;
	struct update_manifest m;
	uint64_t version = 0;
	bh_buf_init(&text, UPDATE_MANIFEST_BYTES_MAX);
	update_manifest_init(&m);
	if (p->own && update_manifest_path(p->own, path) && bh_read_file(path, UPDATE_MANIFEST_BYTES_MAX, &text, NULL) == 0 &&
	    update_manifest_read(bh_buf_slice(&text), p->key, &m, NULL) == 0)
		version = m.version;
	update_manifest_done(&m);
	bh_buf_done(&text);
	return version;
}

static int check_manifest(const struct pulling *u, uint64_t own, struct bh_err *err)
{
	const struct update_manifest *m = &u->manifest;
	char day[16];
	if (m->expires_day != VULN_NO_DAY && m->expires_day < u->p->today)
		return bh_fail(err, BH_EMISMATCH, 0, "%s.manifest expired on %s: whoever publishes it has to sign a newer one", u->base,
			       vuln_day_text(m->expires_day, day));
	if (m->version < own)
		return bh_fail(err, BH_EMISMATCH, 0, "%s.manifest is of version %llu, older than the %llu that is here: refused as a rollback", u->base,
			       (unsigned long long)m->version, (unsigned long long)own);
	if (m->bytes > VULN_DB_BYTES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "%s is larger than a database may be", u->base);
	return 0;
}

static int fetch_manifest(struct pulling *u, struct bh_buf *text, struct bh_err *err)
{
	int rc = get(u, ".manifest", UPDATE_MANIFEST_BYTES_MAX, text, err);
	if (rc == 0 && (rc = update_manifest_read(bh_buf_slice(text), u->p->key, &u->manifest, err)) < 0)
		rc = bh_wrap(err, "%s.manifest", u->base);
	return rc;
}

/* ---- pieces ---- */

static int hash_matches(struct bh_slice bytes, const uint8_t sha256[32], bool *ret, struct bh_err *err)
{
	struct bh_digest digest = { 0 };
	int rc = bh_digest_of(BH_DIGEST_SHA256, bytes, &digest, err);
	*ret = rc == 0 && memcmp(digest.bytes, sha256, 32) == 0;
	return rc;
}

static int index_piece(struct pulling *u, struct own_piece *o, struct bh_err *err)
{
	void **slot = bh_map_put(&u->index, (struct bh_slice){ o->sha256, 32 });
	if (!slot)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	*slot = &o->bytes;
	return 0;
}

/* Cuts what is here as the publisher cut it, so that equal runs of bytes are equal pieces. */
static int index_own(struct pulling *u, struct bh_err *err)
{
	struct update_cutter cutter;
	struct bh_slice rest = u->p->have;
	int rc = 0;
	update_cutter_init(&cutter);
	u->own.max = rest.len / UPDATE_CHUNK_BYTES_MIN + 2;
	while (rc == 0 && rest.len) {
		struct own_piece o = { .bytes = bh_slice_sub(rest, 0, update_cutter_next(&cutter, rest)) };
		struct bh_digest digest = { 0 };
		rc = bh_digest_of(BH_DIGEST_SHA256, o.bytes, &digest, err);
		memcpy(o.sha256, digest.bytes, 32);
		if (rc == 0 && !own_vec_push(&u->own, o))
			rc = bh_fail(err, BH_ENOMEM, 0, "out of memory");
		rest = bh_slice_sub(rest, o.bytes.len, rest.len);
	}
	bh_map_init(&u->index, u->own.len + 1);
	for (size_t i = 0; rc == 0 && i < u->own.len; i++) /* the array doesn't move any more */
		rc = index_piece(u, &u->own.ptr[i], err);
	return rc;
}

struct packed {
	struct bh_slice left;
};

static int read_packed(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct packed *p = ctx;
	(void)err;
	*ret = p->left;
	p->left = (struct bh_slice){ 0 };
	return 0;
}

/* The packed bytes are the publisher's, the signature says so: unpacking them is no adventure. */
static int unpack(struct bh_slice bytes, const struct update_piece *piece, struct bh_buf *database, struct bh_err *err)
{
	struct packed p = { bytes };
	struct bh_stream *s = NULL;
	struct bh_stream_limits limits = { .max_bytes = piece->bytes };
	struct bh_slice got = { 0 };
	size_t from = database->len;
	bool same = false;
	int rc = bh_stream_new((struct bh_source){ .read = read_packed, .ctx = &p }, &limits, NULL, NULL, &s, err);
	if (rc < 0)
		return rc;
	while ((rc = bh_stream_read(s, &got, err)) == 0 && got.len)
		if (!bh_buf_add(database, got)) {
			rc = bh_fail(err, BH_ENOMEM, 0, "out of memory");
			break;
		}
	bh_stream_free(s);
	rc = rc < 0 ? rc : hash_matches(bh_slice_sub(bh_buf_slice(database), from, database->len), piece->sha256, &same, err);
	return rc < 0 || same ? rc : bh_fail(err, BH_EMISMATCH, 0, "it unpacks to other bytes than the manifest says");
}

static int fetch_piece(struct pulling *u, const struct update_piece *piece, struct bh_buf *database, struct bh_err *err)
{
	char what[100], hex[65];
	struct bh_buf packed;
	bool same = false;
	(void)snprintf(what, sizeof(what), ".pieces/%s.zst", update_hex(piece->sha256, hex));
	bh_buf_init(&packed, (size_t)piece->packed_bytes + 1);
	int rc = get(u, what, (size_t)piece->packed_bytes + 1, &packed, err);
	rc = rc < 0 ? rc : hash_matches(bh_buf_slice(&packed), piece->packed_sha256, &same, err);
	if (rc == 0 && !same)
		rc = bh_fail(err, BH_EMISMATCH, 0, "it is not the piece that was signed");
	rc = rc < 0 ? rc : unpack(bh_buf_slice(&packed), piece, database, err);
	if (rc == 0) {
		u->result->new_pieces++;
		u->result->new_bytes += packed.len;
	}
	bh_buf_done(&packed);
	return rc < 0 ? bh_wrap(err, "piece %.12s of %s", hex, u->base) : 0;
}

static void count_missing(struct pulling *u)
{
	for (size_t i = 0; i < u->manifest.pieces.len; i++) {
		const struct update_piece *p = &u->manifest.pieces.ptr[i];
		if (!bh_map_get(&u->index, (struct bh_slice){ p->sha256, 32 }))
			u->to_fetch += p->packed_bytes;
	}
}

static int assemble(struct pulling *u, struct bh_buf *database, struct bh_err *err)
{
	bool same = false;
	int rc = bh_buf_reserve(database, (size_t)u->manifest.bytes + 1) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for the database");
	count_missing(u);
	for (size_t i = 0; rc == 0 && i < u->manifest.pieces.len; i++) {
		const struct update_piece *piece = &u->manifest.pieces.ptr[i];
		const struct bh_slice *here = bh_map_get(&u->index, (struct bh_slice){ piece->sha256, 32 });
		if (here)
			rc = bh_buf_add(database, *here) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
		else
			rc = fetch_piece(u, piece, database, err);
		if (u->p->progress)
			u->p->progress(u->p->ctx, u->result->new_bytes, u->to_fetch);
	}
	rc = rc < 0 ? rc : hash_matches(bh_buf_slice(database), u->manifest.sha256, &same, err);
	return rc < 0 || same ? rc : bh_fail(err, BH_EMISMATCH, 0, "%s: the pieces don't make the database that was signed", u->base);
}

static int verify(const struct bh_buf *database, struct bh_err *err)
{
	struct vuln_db *db = NULL;
	int rc = vuln_db_open(bh_buf_slice(database), &db, err);
	rc = rc < 0 ? rc : vuln_db_verify(db, err);
	vuln_db_close(db);
	return rc;
}

/* Is what is here the published database itself, not only of its version? */
static int is_current(const struct pulling *u, uint64_t own, bool *ret, struct bh_err *err)
{
	*ret = false;
	if (u->manifest.version != own || u->p->have.len != u->manifest.bytes)
		return 0;
	return hash_matches(u->p->have, u->manifest.sha256, ret, err);
}

static int pull(struct pulling *u, struct bh_buf *database, struct bh_buf *manifest, struct bh_err *err)
{
	uint64_t own = own_version(u->p);
	bool current = false;
	int rc = find_base(u, err);
	rc = rc < 0 ? rc : fetch_manifest(u, manifest, err);
	rc = rc < 0 ? rc : check_manifest(u, own, err);
	rc = rc < 0 ? rc : is_current(u, own, &current, err);
	if (rc < 0)
		return rc;
	struct update_published *r = u->result;
	r->version = u->manifest.version;
	r->bytes = u->manifest.bytes;
	r->pieces = u->manifest.pieces.len;
	r->created_day = u->manifest.created_day;
	r->expires_day = u->manifest.expires_day;
	if (current) {
		bh_buf_clear(manifest);
		return 0;
	}
	rc = index_own(u, err);
	rc = rc < 0 ? rc : assemble(u, database, err);
	return rc < 0 ? rc : verify(database, err);
}

int update_pull(const struct update_pull *p, struct bh_buf *database, struct bh_buf *manifest, struct update_published *ret, struct bh_err *err)
{
	struct pulling u = { .p = p, .result = ret };
	*ret = (struct update_published){ 0 };
	update_manifest_init(&u.manifest);
	bh_map_init(&u.index, 1);
	int rc = pull(&u, database, manifest, err);
	if (rc < 0) {
		bh_buf_clear(database);
		bh_buf_clear(manifest);
	}
	bh_map_done(&u.index);
	own_vec_done(&u.own);
	update_manifest_done(&u.manifest);
	return rc;
}
