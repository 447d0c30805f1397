/* userdb.c: see userdb.h. */
#include "vuln/userdb.h"

#include "base/vec.h"
#include "sys/files.h"
#include "vuln/builder.h"
#include "vuln/embedded.h"
#include "vuln/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_DB "/var/lib/bulkhead/bulkhead.bkdb"
#define USER_DB "bulkhead/bulkhead.bkdb"
#define FILE_MODE 0644u
#define FOLDER_MODE 0755u
#define ECOSYSTEMS_MAX 100000u

/* Anything but "not there" counts as there, so that opening it says what is wrong. */
static bool there(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* The file that is changed. */
static int own_path(const char *named, char out[BH_PATH_BYTES_MAX], struct bh_err *err)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	int n;
	if (named && !named[0])
		return bh_fail(err, BH_EUSAGE, 0, "--db: the name is empty");
	if (named)
		n = snprintf(out, BH_PATH_BYTES_MAX, "%s", named);
	else if (data && data[0] == '/') /* the specification: relative ones are to be ignored */
		n = snprintf(out, BH_PATH_BYTES_MAX, "%s/" USER_DB, data);
	else if (home && home[0] == '/')
		n = snprintf(out, BH_PATH_BYTES_MAX, "%s/.local/share/" USER_DB, home);
	else
		return bh_fail(err, BH_EUSAGE, 0, "no home folder: say with --db where the database is");
	return n >= 0 && n < (int)BH_PATH_BYTES_MAX ? 0 : bh_fail(err, BH_ELIMIT, 0, "the database's path is too long");
}

static int open_file(const char *path, struct vuln_userdb *u, struct bh_err *err)
{
	(void)snprintf(u->path, sizeof(u->path), "%s", path);
	int rc = bh_map_file(path, VULN_DB_BYTES_MAX, &u->bytes, err);
	if (rc < 0)
		return rc;
	u->mapped = true;
	rc = vuln_db_open(u->bytes, &u->db, err);
	return rc < 0 ? bh_wrap(err, "%s", path) : 0;
}

static int open_embedded(struct vuln_userdb *u, struct bh_err *err)
{
	if (!vuln_embedded(&u->bytes))
		return 0;
	int rc = vuln_db_open(u->bytes, &u->db, err);
	return rc < 0 ? bh_wrap(err, "the facts built into this program") : 0;
}

/* The file at path, else the machine's, else the built-in facts; nothing of that: db stays NULL. */
static int open_first(const char *path, bool is_named, struct vuln_userdb *u, struct bh_err *err)
{
	if (path && (is_named || there(path)))
		return open_file(path, u, err);
	if (there(SYSTEM_DB))
		return open_file(SYSTEM_DB, u, err);
	return open_embedded(u, err);
}

int vuln_userdb_open(const char *named, struct vuln_userdb *ret, struct bh_err *err)
{
	char path[BH_PATH_BYTES_MAX];
	*ret = (struct vuln_userdb){ 0 };
	int rc = own_path(named, path, err);
	if (rc < 0 && named)
		return rc;
	rc = open_first(rc < 0 ? NULL : path, named != NULL, ret, err);
	if (rc == 0 && !ret->db)
		rc = bh_fail(err, BH_ENOTFOUND, 0, "no advisory database yet; bulkhead db import makes one");
	if (rc < 0)
		vuln_userdb_close(ret);
	return rc;
}

void vuln_userdb_close(struct vuln_userdb *u)
{
	vuln_db_close(u->db);
	if (u->mapped)
		bh_unmap(u->bytes);
	u->db = NULL;
	u->mapped = false;
	u->bytes = (struct bh_slice){ 0 };
}

/* ---- changing it ---- */

static int lock_folder(const char *path, int *ret, struct bh_err *err)
{
	char folder[BH_PATH_BYTES_MAX];
	const char *slash = strrchr(path, '/');
	(void)snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : slash ? (int)(slash - path) : 1, slash ? path : ".");
	int rc = bh_mkdirs(folder, FOLDER_MODE, err);
	if (rc < 0)
		return rc;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return bh_fail_errno(err, errno, "%s", folder);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK ? bh_fail(err, BH_EUSAGE, 0, "%s: another bulkhead is changing the database in this folder", folder)
					  : bh_fail_errno(err, errno, "%s", folder);
		(void)close(fd);
		return rc;
	}
	*ret = fd;
	return 0;
}

/* Can the new file take the place of the old one? Better asked before an hour of work. */
static int check_writable(const char *path, struct bh_err *err)
{
	struct stat st;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return bh_fail(err, BH_EUSAGE, 0, "%s is not a regular file", path);
	return 0;
}

int vuln_userdb_begin(const char *named, bool fresh, struct vuln_userdb_change *ret, struct bh_err *err)
{
	*ret = (struct vuln_userdb_change){ .lock = -1 };
	int rc = own_path(named, ret->path, err);
	rc = rc < 0 ? rc : lock_folder(ret->path, &ret->lock, err);
	rc = rc < 0 ? rc : check_writable(ret->path, err);
	if (rc == 0 && there(ret->path))
		rc = open_file(ret->path, &ret->from, err);
	else if (rc == 0 && !fresh)
		rc = open_first(NULL, false, &ret->from, err);
	/* All of it: a flipped bit would get a new, matching checksum. */
	if (rc == 0 && ret->from.db && (rc = vuln_db_verify(ret->from.db, err)) < 0)
		(void)bh_wrap(err, "%s is damaged: move it away to begin anew", ret->from.path[0] ? ret->from.path : "the built-in facts");
	if (rc < 0)
		vuln_userdb_end(ret);
	return rc;
}

void vuln_userdb_end(struct vuln_userdb_change *c)
{
	vuln_userdb_close(&c->from);
	if (c->lock >= 0)
		(void)close(c->lock); /* and unlocks */
	c->lock = -1;
}

static int source_index(const struct vuln_db *db, struct bh_slice name, uint32_t *ret, struct bh_err *err)
{
	struct vuln_db_totals totals;
	struct vuln_source s;
	vuln_db_totals(db, &totals);
	for (uint32_t i = 0; i < totals.sources; i++) {
		int rc = vuln_db_source(db, i, &s, err);
		if (rc < 0)
			return rc;
		if (bh_slice_eq(s.name, name)) {
			*ret = i;
			return 0;
		}
	}
	*ret = VULN_NO_INDEX;
	return 0;
}

struct loss {
	struct bh_slice ecosystem;
	uint32_t rows;
};
BH_VEC(loss_vec, struct loss)

/* Packages of one ecosystem stand together or not: the list is short, so a search from its end is cheap. */
static bool count_loss(struct loss_vec *v, struct bh_slice ecosystem, uint32_t rows)
{
	for (size_t i = v->len; i-- > 0;)
		if (bh_slice_eq(v->ptr[i].ecosystem, ecosystem)) {
			v->ptr[i].rows += rows;
			return true;
		}
	return loss_vec_push(v, (struct loss){ ecosystem, rows });
}

/* How many rows of the package are the source's? */
static int rows_of(const struct vuln_db *db, const struct vuln_package *p, uint32_t source, uint32_t *ret, struct bh_err *err)
{
	struct vuln_row row;
	*ret = 0;
	for (uint32_t i = 0; i < p->rows.n; i++) {
		int rc = vuln_db_row(db, p->rows.first + i, &row, err);
		if (rc < 0)
			return rc;
		*ret += row.source == source;
	}
	return 0;
}

static int collect_losses(const struct vuln_db *db, uint32_t source, struct loss_vec *v, struct bh_err *err)
{
	struct vuln_db_totals totals;
	vuln_db_totals(db, &totals);
	for (uint32_t i = 0; i < totals.packages; i++) {
		struct vuln_package p;
		uint32_t rows;
		int rc = vuln_db_package(db, i, &p, err);
		rc = rc < 0 ? rc : rows_of(db, &p, source, &rows, err);
		if (rc < 0)
			return rc;
		if (rows && !count_loss(v, p.ecosystem, rows))
			return bh_fail(err, BH_ELIMIT, 0, "more than %u ecosystems", ECOSYSTEMS_MAX);
	}
	return 0;
}

int vuln_userdb_loses(const struct vuln_userdb_change *c, struct bh_slice source, const struct vuln_db *with, struct bh_slice *ret,
		      uint32_t *ret_rows, struct bh_err *err)
{
	struct loss_vec losses = { .max = ECOSYSTEMS_MAX };
	uint32_t index = VULN_NO_INDEX;
	*ret = (struct bh_slice){ 0 };
	int rc = c->from.db ? source_index(c->from.db, source, &index, err) : 0;
	if (rc == 0 && index != VULN_NO_INDEX)
		rc = collect_losses(c->from.db, index, &losses, err);
	for (size_t i = 0; rc == 0 && i < losses.len && ret->len == 0; i++) {
		struct vuln_ecosystem e;
		if (vuln_db_find_ecosystem(with, losses.ptr[i].ecosystem, &e, err) == BH_ENOTFOUND) {
			*ret = losses.ptr[i].ecosystem;
			*ret_rows = losses.ptr[i].rows;
		}
	}
	loss_vec_done(&losses);
	return rc;
}

static int build(const struct vuln_userdb_change *c, struct bh_slice source, const struct vuln_db *with, struct bh_buf *out, struct bh_err *err)
{
	struct vuln_builder *b = NULL;
	int rc = vuln_builder_new(&b, err);
	if (rc == 0 && with)
		rc = vuln_builder_merge(b, with, (struct bh_slice){ 0 }, err);
	if (rc == 0 && c->from.db)
		rc = vuln_builder_merge(b, c->from.db, source, err);
	rc = rc < 0 ? rc : vuln_builder_finish(b, out, err);
	vuln_builder_free(b);
	return rc;
}

int vuln_userdb_replace(struct vuln_userdb_change *c, struct bh_slice source, const struct vuln_db *with, struct vuln_db_totals *ret_totals,
			struct bh_err *err)
{
	struct bh_buf out;
	struct vuln_db *db = NULL;
	bh_buf_init(&out, VULN_DB_BYTES_MAX);
	int rc = build(c, source, with, &out, err);
	rc = rc < 0 ? rc : vuln_db_open(bh_buf_slice(&out), &db, err);
	if (rc == 0)
		vuln_db_totals(db, ret_totals);
	rc = rc < 0 ? rc : bh_write_file_atomic(c->path, bh_buf_slice(&out), FILE_MODE, err);
	vuln_db_close(db);
	bh_buf_done(&out);
	return rc;
}
