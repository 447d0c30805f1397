/* match.h: which advisories concern the packages of a report. */
#ifndef BH_VULN_MATCH_H
#define BH_VULN_MATCH_H

#include "base/err.h"
#include "model/report.h"

struct vuln_set; /* the databases in use: the user's, else the embedded one */

/*
 * db_path: a database file, or NULL for the default ($BULKHEAD_DB, else $XDG_DATA_HOME/bulkhead/bulkhead.bkdb, else
 * /var/lib/bulkhead/bulkhead.bkdb, else the embedded facts). A named file that is missing or damaged is an error; a damaged default
 * one too: never silently fall back to older data.
 */
int vuln_set_open(const char *db_path, struct vuln_set **ret, struct bh_err *err) BH_MUST_CHECK;
void vuln_set_close(struct vuln_set *set);

/*
 * "GROUP:ARTIFACT:VERSION" of the archive with this SHA-1 (hex), borrowed from the set; empty when no index was imported or it does not know
 * it. Of several names the one with this artifact, else the first.
 */
int vuln_archive_name(const struct vuln_set *set, struct bh_slice sha1, struct bh_slice artifact, struct bh_slice *ret,
		      struct bh_err *err) BH_MUST_CHECK;

struct vuln_match_options {
	bool include_withdrawn;
	bool match_owned;      /* match language packages that a distribution's package brought, too: it may have patched them */
	int32_t today_days;    /* days since 1970-01-01, for end-of-life findings and data age */
	uint32_t max_db_age_days; /* data older than this gives an `incomplete` entry; 0 = never */
};

/* Adds findings, ->data, ->not_covered, ->not_affected and incomplete entries. Packages are sorted and final. */
int vuln_match(const struct vuln_set *set, const struct vuln_match_options *options, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif
