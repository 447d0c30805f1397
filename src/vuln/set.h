/* set.h: the open databases, as the files of the matcher see them. */
#ifndef BH_VULN_SET_H
#define BH_VULN_SET_H

#include "vuln/db.h"
#include "vuln/match.h"
#include "vuln/userdb.h"

struct vuln_set {
	const struct vuln_db *db;  /* advisories: the user's, else the embedded ones */
	struct vuln_db *facts;     /* the embedded tables, where a user's database has none of that kind; NULL when db is the embedded one */
	struct vuln_userdb opened; /* what db is in */
};

/*
 * The entries of a small table ("eol", "support-ended", "binary-version") and the database that they are in: the user's when it
 * has such a table at all, else the embedded one. Dates of end of life don't vanish because somebody imported one feed.
 */
int vuln_set_table(const struct vuln_set *set, const char *table, struct bh_slice key, const struct vuln_db **ret_db, struct vuln_span *ret,
		   struct bh_err *err) BH_MUST_CHECK;

#endif
