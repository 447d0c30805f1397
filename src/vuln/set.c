/*
 * set.c: opening what a scan matches against. Which file that is, userdb.c decides; here is what a scan adds to it:
 *
 *     $BULKHEAD_DB names a database as --db does;
 *     a file that is there but can't be used is an error, with what to do: going on with older data would turn a damaged disk
 *     into a cleaner report;
 *     tables that the user's database lacks are taken from the embedded facts.
 */
#include "vuln/set.h"

#include "vuln/embedded.h"

#include <stdlib.h>

static const char *named_database(const char *db_path)
{
	const char *named = getenv("BULKHEAD_DB");
	return db_path ? db_path : named && named[0] ? named : NULL;
}

static int open_facts(struct vuln_set *set, struct bh_err *err)
{
	struct bh_slice bytes;
	if (!set->opened.mapped || !vuln_embedded(&bytes))
		return BH_OK;
	int rc = vuln_db_open(bytes, &set->facts, err);
	return rc < 0 ? bh_wrap(err, "the facts built into this program") : BH_OK;
}

int vuln_set_open(const char *db_path, struct vuln_set **ret, struct bh_err *err)
{
	const char *named = named_database(db_path);
	struct vuln_set *set = calloc(1, sizeof(*set));
	if (!set)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	int rc = vuln_userdb_open(named, &set->opened, err);
	if (rc < 0)
		rc = bh_wrap(err, named ? "advisory database named by --db or BULKHEAD_DB (without it the user's or the built-in facts are used)"
					: "advisory database (to use the built-in facts move the file away)");
	else
		rc = open_facts(set, err);
	if (rc < 0) {
		vuln_set_close(set);
		return rc;
	}
	set->db = set->opened.db;
	*ret = set;
	return BH_OK;
}

void vuln_set_close(struct vuln_set *set)
{
	if (!set)
		return;
	vuln_userdb_close(&set->opened);
	vuln_db_close(set->facts);
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
