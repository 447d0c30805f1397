/* sign.c: making and checking what publish.h describes. */
#include "update/publish.h"

#include "base/map.h"
#include "crypto/digest.h"
#include "format/zstd_frame.h"
#include "sys/files.h"
#include "update/chunk.h"
#include "update/manifest.h"
#include "vuln/import.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define LEVEL 15 /* published once, fetched often */
#define FILE_MODE 0644u
#define FOLDER_MODE 0755u
#define SECONDS_A_DAY 86400

bool update_manifest_path(const char *file, char out[BH_PATH_BYTES_MAX])
{
	int n = snprintf(out, BH_PATH_BYTES_MAX, "%s.manifest", file);
	return n > 0 && n < (int)BH_PATH_BYTES_MAX;
}

struct signing {
	const char *file;
	struct update_manifest now, before; /* before: of the manifest that is replaced, if it is ours */
	struct update_published *result;
};

static int hash(struct bh_slice bytes, uint8_t ret[32], struct bh_err *err)
{
	struct bh_digest digest = { 0 };
	int rc = bh_digest_of(BH_DIGEST_SHA256, bytes, &digest, err);
	if (rc == 0)
		memcpy(ret, digest.bytes, 32);
	return rc;
}

static int piece_path(const char *file, const uint8_t sha256[32], char out[BH_PATH_BYTES_MAX], struct bh_err *err)
{
	char hex[65];
	int n = snprintf(out, BH_PATH_BYTES_MAX, "%s.pieces/%s.zst", file, update_hex(sha256, hex));
	return n > 0 && n < (int)BH_PATH_BYTES_MAX ? 0 : bh_fail(err, BH_ELIMIT, 0, "%s: the path is too long", file);
}

/* The packed piece that is there already, or a new one. */
static int pack(struct signing *s, struct bh_slice plain, struct update_piece *p, struct bh_err *err)
{
	char path[BH_PATH_BYTES_MAX];
	struct bh_buf packed;
	bh_buf_init(&packed, 2 * UPDATE_CHUNK_BYTES_MAX);
	int rc = piece_path(s->file, p->sha256, path, err);
	bool there = rc == 0 && access(path, R_OK) == 0;
	if (rc == 0)
		rc = there ? bh_read_file(path, 2 * UPDATE_CHUNK_BYTES_MAX, &packed, err) : bh_zstd_compress(plain, LEVEL, &packed, err);
	if (rc == 0 && !there) {
		rc = bh_write_file_atomic(path, bh_buf_slice(&packed), FILE_MODE, err);
		s->result->new_pieces++;
		s->result->new_bytes += packed.len;
	}
	rc = rc < 0 ? rc : hash(bh_buf_slice(&packed), p->packed_sha256, err);
	p->bytes = (uint32_t)plain.len;
	p->packed_bytes = (uint32_t)packed.len;
	bh_buf_done(&packed);
	return rc;
}

static int cut(struct signing *s, struct bh_slice bytes, struct bh_err *err)
{
	struct update_cutter cutter;
	int rc = 0;
	update_cutter_init(&cutter);
	while (rc == 0 && bytes.len) {
		struct bh_slice plain = bh_slice_sub(bytes, 0, update_cutter_next(&cutter, bytes));
		struct update_piece p = { 0 };
		rc = hash(plain, p.sha256, err);
		rc = rc < 0 ? rc : pack(s, plain, &p, err);
		if (rc == 0 && !update_piece_vec_push(&s->now.pieces, p))
			rc = bh_fail(err, BH_ELIMIT, 0, "%s is too large to be published", s->file);
		bytes = bh_slice_sub(bytes, plain.len, bytes.len);
	}
	return rc;
}

/* A manifest of another key, or none, counts as none. */
static void read_before(struct signing *s, const struct bh_sign_key *key)
{
	char path[BH_PATH_BYTES_MAX];
	struct bh_buf text;
	bh_buf_init(&text, UPDATE_MANIFEST_BYTES_MAX);
	bool there = update_manifest_path(s->file, path) && bh_read_file(path, UPDATE_MANIFEST_BYTES_MAX, &text, NULL) == 0;
	if (there && update_manifest_read(bh_buf_slice(&text), key, &s->before, NULL) < 0)
		update_manifest_init(&s->before);
	bh_buf_done(&text);
}

static bool put_names(struct bh_map *keep, const struct update_manifest *m)
{
	for (size_t i = 0; i < m->pieces.len; i++) {
		void **slot = bh_map_put(keep, (struct bh_slice){ m->pieces.ptr[i].sha256, 32 });
		if (!slot)
			return false;
		*slot = keep;
	}
	return true;
}

/* Readers of the manifest before may still be fetching: its pieces stay for one publication more. Best effort. */
static void sweep(const struct signing *s)
{
	char folder[BH_PATH_BYTES_MAX];
	struct bh_map keep;
	struct dirent *e;
	uint8_t sha256[32];
	(void)snprintf(folder, sizeof(folder), "%s.pieces", s->file);
	bh_map_init(&keep, s->now.pieces.len + s->before.pieces.len + 1);
	DIR *dir = put_names(&keep, &s->now) && put_names(&keep, &s->before) ? opendir(folder) : NULL;
	while (dir && (e = readdir(dir))) {
		bool is_piece = strlen(e->d_name) == 68 && strcmp(e->d_name + 64, ".zst") == 0 &&
			update_unhex((struct bh_slice){ (const uint8_t *)e->d_name, 64 }, sha256, 32);
		if (is_piece && !bh_map_get(&keep, (struct bh_slice){ sha256, 32 }))
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
	if (dir)
		(void)closedir(dir);
	bh_map_done(&keep);
}

static int write_manifest(struct signing *s, const struct bh_sign_key *key, struct bh_err *err)
{
	char path[BH_PATH_BYTES_MAX];
	struct bh_buf text;
	bh_buf_init(&text, UPDATE_MANIFEST_BYTES_MAX);
	int rc = update_manifest_write(&s->now, key, &text, err);
	if (rc == 0 && !update_manifest_path(s->file, path))
		rc = bh_fail(err, BH_ELIMIT, 0, "%s: the path is too long", s->file);
	rc = rc < 0 ? rc : bh_write_file_atomic(path, bh_buf_slice(&text), FILE_MODE, err);
	bh_buf_done(&text);
	return rc;
}

/* Only what a reader will find sound is signed. */
static int verify_database(const char *file, struct bh_slice bytes, struct bh_err *err)
{
	struct vuln_db *db = NULL;
	int rc = vuln_db_open(bytes, &db, err);
	rc = rc < 0 ? rc : vuln_db_verify(db, err);
	vuln_db_close(db);
	return rc < 0 ? bh_wrap(err, "%s", file) : 0;
}

static int sign_bytes(struct signing *s, const struct bh_sign_key *key, struct bh_slice bytes, struct bh_err *err)
{
	char folder[BH_PATH_BYTES_MAX];
	(void)snprintf(folder, sizeof(folder), "%s.pieces", s->file);
	int rc = verify_database(s->file, bytes, err);
	rc = rc < 0 ? rc : hash(bytes, s->now.sha256, err);
	rc = rc < 0 ? rc : bh_mkdirs(folder, FOLDER_MODE, err);
	rc = rc < 0 ? rc : cut(s, bytes, err);
	return rc < 0 ? rc : write_manifest(s, key, err);
}

static void fill(struct update_published *ret, const struct update_manifest *m)
{
	ret->version = m->version;
	ret->bytes = m->bytes;
	ret->pieces = m->pieces.len;
	ret->created_day = m->created_day;
	ret->expires_day = m->expires_day;
}

int update_sign(const char *file, const struct bh_sign_key *key, int64_t now_s, int32_t expires_day, struct update_published *ret, struct bh_err *err)
{
	struct signing s = { .file = file, .result = ret };
	struct bh_slice bytes = { 0 };
	*ret = (struct update_published){ 0 };
	update_manifest_init(&s.now);
	update_manifest_init(&s.before);
	int rc = bh_map_file(file, VULN_DB_BYTES_MAX, &bytes, err);
	if (rc < 0)
		return rc;
	read_before(&s, key);
	s.now.version = s.before.version >= (uint64_t)now_s ? s.before.version + 1 : (uint64_t)now_s;
	s.now.created_day = (int32_t)(now_s / SECONDS_A_DAY);
	s.now.expires_day = expires_day;
	s.now.bytes = bytes.len;
	rc = sign_bytes(&s, key, bytes, err);
	if (rc == 0) {
		fill(ret, &s.now);
		sweep(&s);
	}
	bh_unmap(bytes);
	update_manifest_done(&s.now);
	update_manifest_done(&s.before);
	return rc;
}

static int compare(const char *file, const struct update_manifest *m, int32_t today, struct bh_err *err)
{
	struct bh_slice bytes = { 0 };
	uint8_t sha256[32];
	char day[16];
	int rc = bh_map_file(file, VULN_DB_BYTES_MAX, &bytes, err);
	rc = rc < 0 ? rc : hash(bytes, sha256, err);
	bool same = rc == 0 && bytes.len == m->bytes && memcmp(sha256, m->sha256, 32) == 0;
	bh_unmap(bytes);
	if (rc < 0)
		return rc;
	if (!same)
		return bh_fail(err, BH_EMISMATCH, 0, "%s is not the file that was signed", file);
	if (m->expires_day != VULN_NO_DAY && m->expires_day < today)
		return bh_fail(err, BH_EMISMATCH, 0, "the signature of %s expired on %s", file, vuln_day_text(m->expires_day, day));
	return 0;
}

int update_check(const char *file, const struct bh_sign_key *key, int32_t today, struct update_published *ret, struct bh_err *err)
{
	char path[BH_PATH_BYTES_MAX];
	struct bh_buf text;
	struct update_manifest m;
	*ret = (struct update_published){ 0 };
	update_manifest_init(&m);
	bh_buf_init(&text, UPDATE_MANIFEST_BYTES_MAX);
	int rc = update_manifest_path(file, path) ? bh_read_file(path, UPDATE_MANIFEST_BYTES_MAX, &text, err)
						  : bh_fail(err, BH_ELIMIT, 0, "%s: the path is too long", file);
	if (rc == 0 && (rc = update_manifest_read(bh_buf_slice(&text), key, &m, err)) < 0)
		rc = bh_wrap(err, "%s", path);
	rc = rc < 0 ? rc : compare(file, &m, today, err);
	if (rc == 0)
		fill(ret, &m);
	bh_buf_done(&text);
	update_manifest_done(&m);
	return rc;
}
