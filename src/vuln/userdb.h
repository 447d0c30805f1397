/*
 * userdb.h: the database that commands read and change: where it lies, opening it, putting a source into it.
 *
 * Which one is read: the named file, else the user's, else the machine's, else the facts built into the program (see match.h).
 * Which one is changed: the named file, else the user's. It starts as a copy of what was read until then.
 */
#ifndef BH_VULN_USERDB_H
#define BH_VULN_USERDB_H

#include "base/buf.h"
#include "base/limits.h"
#include "vuln/db.h"

struct vuln_userdb {
	char path[BH_PATH_BYTES_MAX]; /* of the file; empty: the built-in facts, or nothing */
	struct vuln_db *db;           /* NULL: there is none */
	struct bh_slice bytes;
	bool mapped;                  /* bytes are a mapped file, else built in */
};

/* Opens the database that is read. named: --db or $BULKHEAD_DB, may be NULL. BH_ENOTFOUND when there is none at all. */
int vuln_userdb_open(const char *named, struct vuln_userdb *ret, struct bh_err *err) BH_MUST_CHECK;
void vuln_userdb_close(struct vuln_userdb *u);

struct vuln_userdb_change {
	char path[BH_PATH_BYTES_MAX]; /* the file that is changed */
	struct vuln_userdb from;      /* what it starts from, verified; .db NULL: nothing */
	int lock;                     /* folder of the file, locked against other changes */
};

/* Makes the folder, locks it, and opens and verifies what is there. fresh: without the built-in facts when there is no file yet. */
int vuln_userdb_begin(const char *named, bool fresh, struct vuln_userdb_change *ret, struct bh_err *err) BH_MUST_CHECK;
void vuln_userdb_end(struct vuln_userdb_change *c);

/*
 * Is there an ecosystem that the source covers now and `with` does not? *ret is the first one, its rows in *ret_rows; it lives
 * as long as c. False when there is none, or no such source.
 */
int vuln_userdb_loses(const struct vuln_userdb_change *c, struct bh_slice source, const struct vuln_db *with, struct bh_slice *ret,
		      uint32_t *ret_rows, struct bh_err *err) BH_MUST_CHECK;

/*
 * Writes the database anew: everything but the source of that name, and what `with` has (NULL: nothing). All or nothing: the old
 * file stays until the new one is complete. *ret_totals: of the new one.
 */
int vuln_userdb_replace(struct vuln_userdb_change *c, struct bh_slice source, const struct vuln_db *with, struct vuln_db_totals *ret_totals,
			struct bh_err *err) BH_MUST_CHECK;

#endif
