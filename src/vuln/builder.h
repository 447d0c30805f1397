/*
 * builder.h: making an advisory database. Facts are added in any order; finishing sorts, interns, merges and lays them out.
 * Same facts, same bytes: nothing depends on the clock or on the order of addition.
 *
 * - Advisories: ids that share aliases become one (union-find), named by its CVE. Two different CVEs never merge: a record
 *   that names several CVEs is an announcement (row.erratum), not an identity; the importer writes one row per CVE.
 *   Where records disagree on whose alias a name is, the better source's link counts, then one to a CVE.
 *   Of several sources' severities and scores the one with the higher precedence counts; of equally good ones the higher.
 *   Withdrawn and informational is what all records about a flaw call so, malware what any does.
 * - Rows: exact repeats go. For the same (ecosystem, package, advisory) only the rows of the highest precedence are seen. The
 *   others are kept where readers don't look, so that merging without a source is the same as never having had it.
 * - Sources: adding a source whose name is there already is an error; replacing one is vuln_builder_merge with its name as `except`.
 *
 * All slices are copied. Every string is at most VULN_STRING_BYTES_MAX long.
 */
#ifndef BH_VULN_BUILDER_H
#define BH_VULN_BUILDER_H

#include "base/buf.h"
#include "vuln/db.h"

#define VULN_STRING_BYTES_MAX 65535u
#define VULN_ROW_ITEMS_MAX 65535u /* ranges of a row, and versions */

/* Precedence of sources, by what they know. The distribution's own data beats generic data, both beat facts read from changelogs. */
enum vuln_precedence {
	VULN_PREC_CHANGELOG = 10, /* derived facts: the embedded default */
	VULN_PREC_GENERIC = 20,   /* aggregated databases */
	VULN_PREC_VENDOR = 30,    /* who makes the package says so */
};

struct vuln_builder;

int vuln_builder_new(struct vuln_builder **ret, struct bh_err *err) BH_MUST_CHECK;
void vuln_builder_free(struct vuln_builder *b);

/* Returns the number that the facts of this source carry. `records` and `day` may be changed later. */
int vuln_builder_source(struct vuln_builder *b, const struct vuln_source *s, uint32_t *ret, struct bh_err *err) BH_MUST_CHECK;
void vuln_builder_source_set(struct vuln_builder *b, uint32_t source, uint64_t records, int32_t day, const uint8_t sha256[32]);

struct vuln_new_advisory {
	uint32_t source;
	struct bh_slice id;
	const struct bh_slice *aliases;
	size_t n_aliases;
	const struct bh_slice *cvss; /* vectors */
	size_t n_cvss;
	enum bh_severity severity;   /* BH_SEV_UNKNOWN: from the score, when there is one */
	uint16_t score_tenths;       /* 0: from the newest complete vector */
	uint16_t flags;              /* enum vuln_advisory_flags */
	int32_t published_day, modified_day, withdrawn_day; /* VULN_NO_DAY; a day of withdrawal is a withdrawal */
	struct bh_slice title;
};
int vuln_builder_advisory(struct vuln_builder *b, const struct vuln_new_advisory *a, struct bh_err *err) BH_MUST_CHECK;

struct vuln_new_row {
	uint32_t source;
	struct bh_slice ecosystem, package;
	struct bh_slice id;           /* any name of the advisory; it need not be added itself */
	struct bh_slice erratum, arch, module; /* may be empty; see struct vuln_row */
	enum bh_state state;
	enum bh_severity severity;
	uint16_t flags;
	const struct vuln_range *ranges;
	size_t n_ranges;
	const struct bh_slice *versions;
	size_t n_versions;
};
int vuln_builder_row(struct vuln_builder *b, const struct vuln_new_row *r, struct bh_err *err) BH_MUST_CHECK;

/* Exploitation data about a CVE (others are refused with BH_EMALFORMED). */
int vuln_builder_kev(struct vuln_builder *b, uint32_t source, struct bh_slice cve, int32_t day, bool ransomware, struct bh_err *err) BH_MUST_CHECK;
int vuln_builder_epss(struct vuln_builder *b, uint32_t source, struct bh_slice cve, uint16_t score, uint16_t percentile, int32_t day,
		      struct bh_err *err) BH_MUST_CHECK;

/* One entry of a small table ("eol", "support-ended", "binary-version" ...). */
int vuln_builder_entry(struct vuln_builder *b, uint32_t source, struct bh_slice table, struct bh_slice key, struct bh_slice value,
		       struct bh_err *err) BH_MUST_CHECK;

/* Adds everything of another database, but for sources that are here already by name and the one named `except` (may be empty). */
int vuln_builder_merge(struct vuln_builder *b, const struct vuln_db *db, struct bh_slice except, struct bh_err *err) BH_MUST_CHECK;

/* The finished bytes, appended to out (empty, born with its maximum). The builder can only be freed afterwards. */
int vuln_builder_finish(struct vuln_builder *b, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/*
 * CVSS v2, v3.0, v3.1 base score of a vector or v4.0 score of all its metrics, in tenths. False for anything that is no complete vector.
 */
bool vuln_cvss_score(struct bh_slice vector, uint16_t *ret_tenths);
enum bh_severity vuln_cvss_severity(uint16_t score_tenths); /* the ratings of CVSS v3: 0 unknown, low < 4.0 <= medium < 7.0 <= high < 9.0 */

#endif
