/*
 * db.h: reading an advisory database (BKDB, docs/formats/bkdb.md) in place: a mapped file or bytes linked into the program.
 *
 * Opening looks at the header and the section table only. Nothing is parsed or indexed, and every access afterwards is
 * bounds-checked, because the file is hostile input too: a reference that points astray is BH_EMALFORMED with the offset,
 * never a silent "no data". Slices point into the database and live as long as its bytes. A struct vuln_db is immutable:
 * any number of threads may read it.
 *
 *     struct vuln_span rows;
 *     vuln_db_find(db, "Debian:12", "openssl", &rows, err);           n = 0: no row about this package
 *     for (uint32_t i = 0; i < rows.n; i++)
 *             vuln_db_row(db, rows.first + i, &row, err);             then _range/_version, _advisory, _exploit
 */
#ifndef BH_VULN_DB_H
#define BH_VULN_DB_H

#include "base/err.h"
#include "base/slice.h"
#include "model/finding.h"

#define VULN_NO_DAY INT32_MIN    /* a date that the source does not give; else days since 1970-01-01 */
#define VULN_NO_INDEX UINT32_MAX

struct vuln_db;

/* Items [first, first + n) of a section. */
struct vuln_span {
	uint32_t first, n;
};

/* ---- opening ---- */

/* bytes are borrowed and must outlive the database. */
int vuln_db_open(struct bh_slice bytes, struct vuln_db **ret, struct bh_err *err) BH_MUST_CHECK;
void vuln_db_close(struct vuln_db *db);

/* Everything: every checksum, every reference, every order. Linear in the file. BH_EMISMATCH for a checksum. */
int vuln_db_verify(const struct vuln_db *db, struct bh_err *err) BH_MUST_CHECK;

struct vuln_db_totals {
	uint64_t bytes;
	uint32_t rows, packages, advisories, ids, ecosystems, sources, entries, epss, kev;
	int32_t newest_day; /* the newest date of any source; VULN_NO_DAY when none has one */
};
void vuln_db_totals(const struct vuln_db *db, struct vuln_db_totals *ret);

/* ---- sources and ecosystems: what is covered, and how old it is ---- */

enum vuln_source_flags {
	VULN_SOURCE_FIXED_ONLY = 1, /* knows fixed issues only: its silence says nothing about open ones */
	VULN_SOURCE_EMBEDDED = 2,   /* came with the program */
};

struct vuln_source {
	struct bh_slice name;    /* "debian-changelogs": unique in a database */
	struct bh_slice feed;    /* importer: "osv", "debian_tracker"; "embedded" for the tables of data/ */
	struct bh_slice url;     /* where the user got it; may be empty */
	struct bh_slice licence; /* as text; may be empty */
	struct bh_slice note;    /* "fixed versions only; no open issues"; may be empty */
	uint8_t sha256[32];      /* of the input; all zero = unknown */
	uint64_t records;        /* of the input */
	int32_t day;             /* date of the data: its newest record, or the feed's own date */
	uint16_t precedence;     /* for the same (ecosystem, package, id) the higher one wins; see builder.h */
	uint16_t flags;          /* enum vuln_source_flags */
};
int vuln_db_source(const struct vuln_db *db, uint32_t index, struct vuln_source *ret, struct bh_err *err) BH_MUST_CHECK;

struct vuln_ecosystem {
	struct bh_slice name; /* OSV spelling: "Debian:12", "Alpine:v3.19", "PyPI" */
	uint32_t packages, rows;
	bool fixed_only;      /* every row comes from sources that know fixed issues only */
};
/* Sorted by name. */
int vuln_db_ecosystem(const struct vuln_db *db, uint32_t index, struct vuln_ecosystem *ret, struct bh_err *err) BH_MUST_CHECK;
/* BH_ENOTFOUND: no data at all for this ecosystem. */
int vuln_db_find_ecosystem(const struct vuln_db *db, struct bh_slice name, struct vuln_ecosystem *ret, struct bh_err *err) BH_MUST_CHECK;

/* ---- rows: what a source says about (package, advisory) ---- */

/*
 * Packages of rpm are matched by their own names. Where an advisory names a source package instead, its row has this architecture and
 * concerns all packages built from it.
 */
#define VULN_ARCH_SOURCE "src"

enum vuln_row_flags {
	VULN_ROW_PENDING_UPDATE = 1, /* not a vulnerability of its own: the newest security version of a package, without an id */
	VULN_ROW_UNREVIEWED = 2,     /* the source has not looked at it: rank below reviewed rows */
};

struct vuln_row {
	uint32_t advisory;            /* for vuln_db_advisory */
	uint32_t source;              /* for vuln_db_source */
	struct bh_slice erratum;      /* announcement that brought it, "ALSA-2024:0012"; may be empty */
	struct bh_slice arch;         /* concerns this architecture only; empty = all; VULN_ARCH_SOURCE: what is built from this source */
	struct bh_slice module;       /* rpm module "name:stream"; "?" = a module build of unknown stream; empty = no module */
	enum bh_state state;
	enum bh_severity severity;    /* the vendor's; BH_SEV_UNKNOWN: use the advisory's */
	uint16_t flags;               /* enum vuln_row_flags */
	/*
	 * Which versions: any range or any exact version. Neither: NOT_AFFECTED means never affected, every other state is
	 * UNDETERMINED already. "Every version" is one range with an empty start and VULN_END_NONE.
	 */
	uint32_t n_ranges, n_versions;
	uint32_t ranges_at, versions_at; /* for the reader */
};

enum vuln_end {
	VULN_END_NONE,  /* no upper end: not fixed */
	VULN_END_FIXED, /* end is the first version that is fixed: affected when start <= v < end */
	VULN_END_LAST,  /* end is the last affected one: start <= v <= end */
	VULN_END_LIMIT, /* v < end, but end is not a fix (another branch begins there) */
};

struct vuln_range {
	struct bh_slice start; /* empty = from the beginning */
	struct bh_slice end;   /* empty for VULN_END_NONE only */
	enum vuln_end kind;
};

/* Rows about one package. ret->n is 0 when there is none. */
int vuln_db_find(const struct vuln_db *db, struct bh_slice ecosystem, struct bh_slice package, struct vuln_span *ret, struct bh_err *err)
	BH_MUST_CHECK;
int vuln_db_row(const struct vuln_db *db, uint32_t index, struct vuln_row *ret, struct bh_err *err) BH_MUST_CHECK;
int vuln_db_range(const struct vuln_db *db, const struct vuln_row *row, uint32_t i, struct vuln_range *ret, struct bh_err *err) BH_MUST_CHECK;
int vuln_db_version(const struct vuln_db *db, const struct vuln_row *row, uint32_t i, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;

/* All packages, in the file's order (by hash). */
struct vuln_package {
	struct bh_slice ecosystem, name;
	struct vuln_span rows;
};
int vuln_db_package(const struct vuln_db *db, uint32_t index, struct vuln_package *ret, struct bh_err *err) BH_MUST_CHECK;

/* ---- advisories: one per flaw, all its names merged ---- */

enum vuln_advisory_flags {
	VULN_ADV_WITHDRAWN = 1,     /* kept for lookups; never a finding */
	VULN_ADV_MALWARE = 2,       /* the package itself is malicious */
	VULN_ADV_INFORMATIONAL = 4, /* unmaintained, unsound, notice: not a vulnerability */
};

struct vuln_advisory {
	struct bh_slice id;         /* canonical: the CVE when there is one */
	uint32_t n_aliases, n_cvss; /* for vuln_db_alias, vuln_db_cvss */
	enum bh_severity severity;
	uint16_t score_tenths;      /* CVSS base score, 98 = 9.8; 0 = none */
	uint16_t flags;             /* enum vuln_advisory_flags */
	int32_t published_day, modified_day, withdrawn_day;
	uint32_t aliases_at, cvss_at, title_at; /* for the reader */
};

int vuln_db_advisory(const struct vuln_db *db, uint32_t index, struct vuln_advisory *ret, struct bh_err *err) BH_MUST_CHECK;
int vuln_db_alias(const struct vuln_db *db, const struct vuln_advisory *a, uint32_t i, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;
int vuln_db_cvss(const struct vuln_db *db, const struct vuln_advisory *a, uint32_t i, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;
/* From the text section, which nothing else touches; empty when there is none. */
int vuln_db_title(const struct vuln_db *db, const struct vuln_advisory *a, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;
/* By any of its names, exactly as written. BH_ENOTFOUND. */
int vuln_db_find_id(const struct vuln_db *db, struct bh_slice id, uint32_t *ret, struct bh_err *err) BH_MUST_CHECK;

/* Known exploitation and its likelihood; the strongest over all CVE ids of the advisory. */
struct vuln_exploit {
	bool kev, kev_ransomware, has_epss;
	int32_t kev_day, epss_day;
	uint16_t epss_score, epss_percentile; /* 0..65535 = 0..1 */
};
int vuln_db_exploit(const struct vuln_db *db, const struct vuln_advisory *a, struct vuln_exploit *ret, struct bh_err *err) BH_MUST_CHECK;
/* The same for a bare id: exploitation data may know CVEs that no advisory here names. */
int vuln_db_exploit_id(const struct vuln_db *db, struct bh_slice cve, struct vuln_exploit *ret, struct bh_err *err) BH_MUST_CHECK;

/* ---- tables: small sorted key -> value sets; a new one needs no change of the format ---- */

struct vuln_entry {
	struct bh_slice table, key, value; /* bytes; the table's owner says what they mean */
	uint32_t source;
};
/* All entries of a table, sorted by key, then value; n = 0 when there is none. */
int vuln_db_table(const struct vuln_db *db, struct bh_slice table, struct vuln_span *ret, struct bh_err *err) BH_MUST_CHECK;
/* The entries of one key. */
int vuln_db_table_find(const struct vuln_db *db, struct bh_slice table, struct bh_slice key, struct vuln_span *ret, struct bh_err *err)
	BH_MUST_CHECK;
int vuln_db_entry(const struct vuln_db *db, uint32_t index, struct vuln_entry *ret, struct bh_err *err) BH_MUST_CHECK;

/* ---- dates and ids ---- */

/* "2026-11-24" or an RFC 3339 time -> days since 1970-01-01. False for anything else and for impossible dates. */
bool vuln_day_parse(struct bh_slice text, int32_t *ret);
/* Writes "2026-11-24" and its NUL; "" for VULN_NO_DAY. Returns out. */
const char *vuln_day_text(int32_t day, char out[16]);

/* CVE-YYYY-N... with exact upper case, and small enough to be packed (year - 1990 in 8 bits, number in 24). */
bool vuln_cve_pack(struct bh_slice id, uint32_t *ret);

#endif
