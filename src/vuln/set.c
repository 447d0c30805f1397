/*
 * set.c: which database is used, and opening it.
 *
 *     --db FILE                                   named: must be there and sound
 *     $BULKHEAD_DB                                named as well
 *     $XDG_DATA_HOME/bulkhead/bulkhead.bkdb       (~/.local/share when unset)
 *     /var/lib/bulkhead/bulkhead.bkdb
 *     the facts that are built in
 *
 * A file that is there but can't be used is an error at each step. Going on with older data would turn a damaged disk into
 * a cleaner report.
 */
#include "vuln/set.h"

#include "base/limits.h"
#include "sys/files.h"
#include "vuln/embedded.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DB_BYTES_MAX (8ull << 30) /* a full production database is expected to have 0.25 GiB */
#define SYSTEM_DB "/var/lib/bulkhead/bulkhead.bkdb"
#define USER_DB "bulkhead/bulkhead.bkdb"

struct chosen {
	char path[BH_PATH_BYTES_MAX]; /* empty: the embedded facts */
	const char *named_by;         /* "--db", "BULKHEAD_DB"; NULL for the default places */
};

static int set_path(struct chosen *c, const char *named_by, const char *folder, const char *below, struct bh_err *err)
{
	int n = snprintf(c->path, sizeof(c->path), "%s%s", folder, below);
	c->named_by = named_by;
	return n >= 0 && (size_t)n < sizeof(c->path) ? BH_OK : bh_fail(err, BH_ELIMIT, 0, "the database's path is longer than %zu bytes", sizeof(c->path) - 1);
}

/* Anything but "not there" counts as there, so that opening it says what is wrong. */
static bool there(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static int choose(const char *db_path, struct chosen *c, struct bh_err *err)
{
	const char *named = getenv("BULKHEAD_DB"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (db_path)
		return set_path(c, "--db", db_path, "", err);
	if (named && named[0])
		return set_path(c, "BULKHEAD_DB", named, "", err);
	int rc = BH_OK;
	if (data && data[0] == '/') /* the specification: relative ones are to be ignored */
		rc = set_path(c, NULL, data, "/" USER_DB, err);
	else if (home && home[0] == '/')
		rc = set_path(c, NULL, home, "/.local/share/" USER_DB, err);
	if (rc < 0 || (c->path[0] && there(c->path)))
		return rc;
	rc = set_path(c, NULL, SYSTEM_DB, "", err);
	if (rc == BH_OK && !there(c->path))
		c->path[0] = '\0';
	return rc;
}

static int open_embedded(struct vuln_db **ret, struct bh_err *err)
{
	struct bh_slice bytes;
	if (!vuln_embedded(&bytes))
		return bh_fail(err, BH_ENOTFOUND, 0, "this program was built without advisory facts, and there is no database: name one with --db");
	int rc = vuln_db_open(bytes, ret, err);
	return rc < 0 ? bh_wrap(err, "the advisory facts built into this program") : BH_OK;
}

/* What went wrong with the file, and what to do now. */
static int refuse(const struct chosen *c, struct bh_err *err)
{
	if (c->named_by)
		return bh_wrap(err, "advisory database of %s (leave it out to use the built-in facts)", c->named_by);
	return bh_wrap(err, "advisory database: move the file away to use the built-in facts, or make it again with bulkhead db import");
}

static int open_user(struct vuln_set *set, const struct chosen *c, struct bh_err *err)
{
	int rc = bh_map_file(c->path, DB_BYTES_MAX, &set->mapped, err); /* names the path itself */
	if (rc < 0)
		return refuse(c, err);
	rc = vuln_db_open(set->mapped, &set->db, err);
	if (rc < 0) {
		(void)bh_wrap(err, "%s", c->path);
		return refuse(c, err);
	}
	set->user = true;
	struct bh_slice bytes;
	return vuln_embedded(&bytes) ? open_embedded(&set->facts, err) : BH_OK;
}

int vuln_set_open(const char *db_path, struct vuln_set **ret, struct bh_err *err)
{
	struct chosen c = { 0 };
	int rc = choose(db_path, &c, err);
	if (rc < 0)
		return rc;
	struct vuln_set *set = calloc(1, sizeof(*set));
	if (!set)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	rc = c.path[0] || c.named_by ? open_user(set, &c, err) : open_embedded(&set->db, err);
	if (rc < 0) {
		vuln_set_close(set);
		return rc;
	}
	*ret = set;
	return BH_OK;
}

void vuln_set_close(struct vuln_set *set)
{
	if (!set)
		return;
	vuln_db_close(set->db);
	vuln_db_close(set->facts);
	bh_unmap(set->mapped);
	free(set);
}

int vuln_set_table(const struct vuln_set *set, const char *table, struct bh_slice key, const struct vuln_db **ret_db, struct vuln_span *ret,
		   struct bh_err *err)
{
	struct vuln_span all, found;
	const struct vuln_db *db = set->db;
	int rc = vuln_db_table(db, bh_slice_str(table), &all, err);
	if (rc == BH_OK && all.n == 0 && set->facts)
		db = set->facts;
	rc = rc == BH_OK ? vuln_db_table_find(db, bh_slice_str(table), key, &found, err) : rc;
	if (rc < 0)
		return rc;
	*ret_db = db;
	*ret = found;
	return BH_OK;
}
