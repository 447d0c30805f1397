/*
 * embed-facts.c: makes the built-in advisory database of the tables in data/.
 *
 *     embed-facts DATA_DIR OUT.bkdb OUT.h
 *
 * Runs during the build, so it trusts nothing it reads: a row with a column too few, a date that doesn't exist or a version that
 * dpkg would refuse stops the build with file and line. The formats are described in data/README.md.
 *
 * debian-facts.tsv holds three kinds of rows, and here is what becomes of them:
 *
 *     CVE-...  affected below `fixed`
 *     -        newest version in the security suite: a pending update under the id debian-update-SOURCE. An older version
 *              is a finding even when no CVE is named: Debian's security team does not publish without a reason.
 *     +        newest version by point release or -updates: the same under debian-stable-update-SOURCE, marked informational.
 *              Point releases carry translations, new time zones and crash fixes, too; an old tzdata is no vulnerability. The
 *              row still says which version to upgrade to where a CVE was fixed that way.
 *
 * Severity is not in any of Debian's tables; it comes from cve-severity.tsv where that names the CVE and is unknown elsewhere.
 */
#include "crypto/digest.h"
#include "sys/files.h"
#include "version/version.h"
#include "vuln/builder.h"
#include "vuln/numbering.h"
#include "vuln/pattern.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define TABLE_BYTES_MAX (64u << 20)
#define DATABASE_BYTES_MAX (256u << 20)
#define COLUMNS_MAX 8u

struct facts {
	struct vuln_builder *builder;
	const struct table *table;
	uint32_t source[8];     /* by enum source_number */
	uint32_t line;
	struct bh_err err;
};

enum source_number { CHANGELOGS, SUPPORT, DISTRO_INFO, KEV, VULNRICHMENT, SOURCES };

struct table {
	const char *name;
	unsigned columns;
	enum source_number source;
	bool main;              /* its rows are the records of the source */
	int (*row)(struct facts *f, const struct bh_slice *column);
};

/* ---- what a row may look like ---- */

static int wrong(struct facts *f, const char *fmt, ...) BH_PRINTF(2, 3);
static int wrong(struct facts *f, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return bh_fail(&f->err, BH_EMALFORMED, 0, "%s:%" PRIu32 ": %s", f->table->name, f->line, text);
}

/* The builder said no: say where. */
static int placed(struct facts *f, int rc)
{
	return rc < 0 ? bh_wrap(&f->err, "%s:%" PRIu32, f->table->name, f->line) : BH_OK;
}

static bool absent(struct bh_slice s)
{
	return bh_slice_eq_str(s, "-");
}

static bool is_version(struct bh_slice s)
{
	static const struct version_scheme *dpkg;
	if (!dpkg)
		dpkg = version_scheme_find(BH_SLICE_LIT("dpkg"));
	return dpkg && dpkg->valid(s);
}

static bool is_day(struct bh_slice s)
{
	int32_t day;
	return absent(s) || (s.len == 10 && vuln_day_parse(s, &day));
}

/* Names of packages, distributions and releases. */
static bool is_word(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))
			return false;
	}
	return s.len > 0;
}

/* printf into buf; names that don't fit are refused. */
static int join(struct facts *f, char *buf, size_t size, struct bh_slice *ret, const char *fmt, ...) BH_PRINTF(5, 6);
static int join(struct facts *f, char *buf, size_t size, struct bh_slice *ret, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= size)
		return wrong(f, "a value is too long");
	*ret = (struct bh_slice){ (const uint8_t *)buf, (size_t)n };
	return BH_OK;
}

static int entry(struct facts *f, const char *table, struct bh_slice key, struct bh_slice value)
{
	return placed(f, vuln_builder_entry(f->builder, f->source[f->table->source], bh_slice_str(table), key, value, &f->err));
}

/* ---- the tables ---- */

/* "-" and "+" rows: see the head of this file. */
static int name_update(struct facts *f, char *buf, size_t size, struct bh_slice source, bool security, struct bh_slice *ret)
{
	int rc = join(f, buf, size, ret, "%s-%.*s", security ? "debian-update" : "debian-stable-update", BH_SLICE_FMT(source));
	struct vuln_new_advisory a = { .source = f->source[CHANGELOGS],
				       .flags = security ? 0 : VULN_ADV_INFORMATIONAL,
				       .published_day = VULN_NO_DAY,
				       .modified_day = VULN_NO_DAY,
				       .withdrawn_day = VULN_NO_DAY };
	a.id = *ret;
	return rc < 0 ? rc : placed(f, vuln_builder_advisory(f->builder, &a, &f->err));
}

static int debian_facts(struct facts *f, const struct bh_slice *column)
{
	struct bh_slice release = column[0], source = column[1], id = column[2], fixed = column[3], ecosystem = { 0 };
	char eco[64], name[512];
	uint32_t packed;
	bool security = absent(id), pending = security || bh_slice_eq_str(id, "+");
	if (!is_word(release) || !is_word(source) || !is_version(fixed) || !(pending || vuln_cve_pack(id, &packed)))
		return wrong(f, "wants release, source, CVE or - or +, version");
	int rc = join(f, eco, sizeof(eco), &ecosystem, "Debian:%.*s", BH_SLICE_FMT(release));
	if (rc == BH_OK && pending)
		rc = name_update(f, name, sizeof(name), source, security, &id);
	if (rc < 0)
		return rc;
	struct vuln_range range = { .end = fixed, .kind = VULN_END_FIXED };
	struct vuln_new_row row = { .source = f->source[CHANGELOGS],
				    .ecosystem = ecosystem,
				    .package = source,
				    .id = id,
				    .state = BH_STATE_FIXED,
				    .flags = pending ? VULN_ROW_PENDING_UPDATE : 0,
				    .ranges = &range,
				    .n_ranges = 1 };
	return placed(f, vuln_builder_row(f->builder, &row, &f->err));
}

static int debian_binaries(struct facts *f, const struct bh_slice *column)
{
	char eco[64], key[1024], value[1024];
	struct bh_slice ecosystem = { 0 }, k = { 0 }, v = { 0 };
	if (!is_word(column[0]) || !is_word(column[1]) || !is_version(column[2]) || !is_word(column[3]) || !is_version(column[4]))
		return wrong(f, "wants release, source, source version, binary, binary version");
	int rc = join(f, eco, sizeof(eco), &ecosystem, "Debian:%.*s", BH_SLICE_FMT(column[0]));
	if (rc == BH_OK)
		rc = join(f, key, sizeof(key), &k, VULN_BINARY_VERSION_KEY, BH_SLICE_FMT(ecosystem), BH_SLICE_FMT(column[1]), BH_SLICE_FMT(column[3]));
	if (rc == BH_OK)
		rc = join(f, value, sizeof(value), &v, "%.*s\t%.*s", BH_SLICE_FMT(column[2]), BH_SLICE_FMT(column[4]));
	return rc < 0 ? rc : entry(f, "binary-version", k, v);
}

/* The columns behind the key stay as they are, tabs included. */
static struct bh_slice from_column(const struct bh_slice *column, unsigned from, unsigned n)
{
	return (struct bh_slice){ column[from].ptr, (size_t)(column[n - 1].ptr + column[n - 1].len - column[from].ptr) };
}

static int distro_eol(struct facts *f, const struct bh_slice *column)
{
	char key[256];
	struct bh_slice k = { 0 };
	if (!is_word(column[0]) || !is_word(column[2]) || !is_day(column[3]) || !is_day(column[4]) || !is_day(column[5]) || !is_day(column[6]))
		return wrong(f, "wants distro, version, codename and four dates");
	if (absent(column[1]))
		return BH_OK; /* unstable, experimental: os-release has no number to find them by */
	int rc = join(f, key, sizeof(key), &k, "%.*s:%.*s", BH_SLICE_FMT(column[0]), BH_SLICE_FMT(column[1]));
	return rc < 0 ? rc : entry(f, "eol", k, from_column(column, 2, f->table->columns));
}

static int debian_support(struct facts *f, const struct bh_slice *column)
{
	char key[256];
	struct bh_slice k = { 0 }, kind = column[2];
	bool known = bh_slice_eq_str(kind, "ended") || bh_slice_eq_str(kind, "limited") || bh_slice_eq_str(kind, "supported");
	if (!is_word(column[0]) || !known || !(absent(column[3]) || is_version(column[3])) || !is_day(column[4]))
		return wrong(f, "wants release, source, ended or limited or supported, version, date, note");
	if (!vuln_pattern_valid(column[1]))
		return wrong(f, "the pattern %.*s uses more of regular expressions than is understood", BH_SLICE_FMT(column[1]));
	int rc = join(f, key, sizeof(key), &k, "debian:%.*s", BH_SLICE_FMT(column[0]));
	return rc < 0 ? rc : entry(f, "support-ended", k, from_column(column, 1, f->table->columns));
}

static int kev(struct facts *f, const struct bh_slice *column)
{
	int32_t day;
	bool ransomware = bh_slice_eq_str(column[2], "yes");
	if (!vuln_day_parse(column[1], &day) || !(ransomware || bh_slice_eq_str(column[2], "no")))
		return wrong(f, "wants CVE, date, yes or no");
	return placed(f, vuln_builder_kev(f->builder, f->source[KEV], column[0], day, ransomware, &f->err));
}

/* "9.8" -> 98 */
static bool take_score(struct bh_slice text, uint16_t *ret)
{
	struct bh_slice whole, tenth;
	uint64_t a, b;
	if (!bh_slice_cut(text, '.', &whole, &tenth) || tenth.len != 1 || !bh_slice_u64(whole, 10, &a) || !bh_slice_u64(tenth, 9, &b))
		return false;
	*ret = (uint16_t)(a * 10 + b);
	return true;
}

/* Score and severity are written down for people and for other programs; they must be what the vector says. */
static int cve_severity(struct facts *f, const struct bh_slice *column)
{
	uint16_t score = 0, computed = 0;
	uint32_t packed;
	enum bh_severity severity;
	bool scored = vuln_cvss_score(column[1], &computed);
	if (!vuln_cve_pack(column[0], &packed) || !bh_severity_parse(column[3], &severity) || !(absent(column[2]) || take_score(column[2], &score)))
		return wrong(f, "wants CVE, CVSS vector, score, severity");
	if (score != computed || scored == absent(column[2]) || severity != vuln_cvss_severity(computed))
		return wrong(f, "the vector's score is %u.%u, severity %s", computed / 10u, computed % 10u, bh_severity_name(vuln_cvss_severity(computed)));
	struct vuln_new_advisory a = { .source = f->source[VULNRICHMENT],
				       .id = column[0],
				       .cvss = &column[1],
				       .n_cvss = 1,
				       .severity = severity,
				       .score_tenths = score,
				       .published_day = VULN_NO_DAY,
				       .modified_day = VULN_NO_DAY,
				       .withdrawn_day = VULN_NO_DAY };
	return placed(f, vuln_builder_advisory(f->builder, &a, &f->err));
}

static const struct table tables[] = {
	{ "debian-facts.tsv", 4, CHANGELOGS, true, debian_facts },
	{ "debian-binaries.tsv", 5, CHANGELOGS, false, debian_binaries },
	{ "debian-support.tsv", 6, SUPPORT, true, debian_support },
	{ "distro-eol.tsv", 7, DISTRO_INFO, true, distro_eol },
	{ "kev.tsv", 3, KEV, true, kev },
	{ "cve-severity.tsv", 4, VULNRICHMENT, true, cve_severity },
};

/* In the order of enum source_number, which is the order in which reports name them. */
static const struct {
	const char *name, *url, *licence, *note;
	uint16_t flags;
} sources[SOURCES] = {
	[CHANGELOGS] = { "debian-changelogs", "https://www.debian.org/security/", "facts read from Debian packages", "no open issues",
			 VULN_SOURCE_FIXED_ONLY },
	[SUPPORT] = { "debian-security-support", "https://tracker.debian.org/pkg/debian-security-support", "facts read from Debian packages", "", 0 },
	[DISTRO_INFO] = { "distro-info-data", "https://tracker.debian.org/pkg/distro-info-data", "ISC", "", 0 },
	[KEV] = { "cisa-kev", "https://www.cisa.gov/known-exploited-vulnerabilities-catalog", "CC0-1.0", "", 0 },
	[VULNRICHMENT] = { "cisa-vulnrichment", "https://github.com/cisagov/vulnrichment", "CC0-1.0", "severity of CVEs", 0 },
};

/* ---- reading and writing ---- */

static int open_sources(struct facts *f)
{
	for (size_t i = 0; i < SOURCES; i++) {
		struct vuln_source s = { .name = bh_slice_str(sources[i].name),
					 .feed = BH_SLICE_LIT("embedded"),
					 .url = bh_slice_str(sources[i].url),
					 .licence = bh_slice_str(sources[i].licence),
					 .note = bh_slice_str(sources[i].note),
					 .day = VULN_NO_DAY,
					 .precedence = VULN_PREC_CHANGELOG,
					 .flags = (uint16_t)(sources[i].flags | VULN_SOURCE_EMBEDDED) };
		int rc = vuln_builder_source(f->builder, &s, &f->source[i], &f->err);
		if (rc < 0)
			return rc;
	}
	return BH_OK;
}

/* "# Date: 2026-07-24" (of the data) or "# Collected: 2026-11-24". */
static void take_date(struct bh_slice line, int32_t *day)
{
	static const char *const starts[] = { "# Date: ", "# Collected: " };
	for (size_t i = 0; i < 2; i++)
		if (bh_slice_starts(line, bh_slice_str(starts[i])))
			(void)vuln_day_parse(bh_slice_sub(line, strlen(starts[i]), 10), day);
}

static int split(struct facts *f, struct bh_slice line, struct bh_slice *column)
{
	unsigned n = 0;
	for (bool more = true; more && n < COLUMNS_MAX; n++) {
		struct bh_slice rest;
		more = bh_slice_cut(line, '\t', &column[n], &rest);
		line = rest;
	}
	if (n != f->table->columns || line.len)
		return wrong(f, "has %u%s columns instead of %u", n, line.len ? " or more" : "", f->table->columns);
	for (unsigned i = 0; i < n; i++)
		if (column[i].len == 0)
			return wrong(f, "column %u is empty; - stands for nothing", i + 1);
	return BH_OK;
}

static int read_rows(struct facts *f, struct bh_slice text, uint64_t *records, int32_t *day)
{
	struct bh_slice line, before = { 0 };
	for (f->line = 1; text.len; f->line++) {
		struct bh_slice column[COLUMNS_MAX];
		if (!bh_slice_cut(text, '\n', &line, &text))
			return wrong(f, "the last line does not end");
		if (line.len && line.ptr[0] == '#') {
			take_date(line, day);
			continue;
		}
		int rc = split(f, line, column);
		rc = rc == BH_OK ? f->table->row(f, column) : rc;
		if (rc < 0)
			return rc;
		if (before.len && bh_slice_eq(before, line))
			return wrong(f, "repeats the line before");
		before = line;
		++*records;
	}
	if (*records == 0 || *day == VULN_NO_DAY)
		return bh_fail(&f->err, BH_EMALFORMED, 0, "%s: %s", f->table->name, *records ? "no line says \"# Collected: YYYY-MM-DD\"" : "no rows");
	return BH_OK;
}

static int digest_of(struct facts *f, struct bh_slice text, uint8_t ret[32])
{
	struct bh_digest d;
	int rc = bh_digest_of(BH_DIGEST_SHA256, text, &d, &f->err);
	if (rc == BH_OK)
		memcpy(ret, d.bytes, 32);
	return rc;
}

static int read_table(struct facts *f, const struct table *t, const char *dir)
{
	char path[4096];
	struct bh_buf text;
	uint64_t records = 0;
	int32_t day = VULN_NO_DAY;
	uint8_t sha[32];
	f->table = t;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, t->name);
	bh_buf_init(&text, TABLE_BYTES_MAX);
	int rc = bh_read_file(path, TABLE_BYTES_MAX, &text, &f->err);
	rc = rc == BH_OK ? read_rows(f, bh_buf_slice(&text), &records, &day) : rc;
	rc = rc == BH_OK ? digest_of(f, bh_buf_slice(&text), sha) : rc;
	if (rc == BH_OK && t->main)
		vuln_builder_source_set(f->builder, f->source[t->source], records, day, sha);
	bh_buf_done(&text);
	return rc;
}

/* The header names the database for .incbin; its digest makes the object that includes it out of date when the facts change. */
static int write_outputs(struct facts *f, const char *db_path, const char *header_path)
{
	struct bh_buf db, header;
	uint8_t sha[32];
	bh_buf_init(&db, DATABASE_BYTES_MAX);
	bh_buf_init(&header, 64u << 10);
	int rc = vuln_builder_finish(f->builder, &db, &f->err);
	rc = rc == BH_OK ? digest_of(f, bh_buf_slice(&db), sha) : rc;
	if (rc == BH_OK) {
		bh_buf_printf(&header, "/* made by tools/embed-facts */\n#define FACTS_PATH \"%s\"\n/* sha256 ", db_path);
		for (size_t i = 0; i < 32; i++)
			bh_buf_printf(&header, "%02x", sha[i]);
		bh_buf_add_str(&header, " */\n");
		rc = header.failed ? bh_fail(&f->err, BH_ENOMEM, 0, "out of memory") : bh_write_file_atomic(db_path, bh_buf_slice(&db), 0644, &f->err);
	}
	rc = rc == BH_OK ? bh_write_file_atomic(header_path, bh_buf_slice(&header), 0644, &f->err) : rc;
	bh_buf_done(&header);
	bh_buf_done(&db);
	return rc;
}

int main(int argc, char **argv)
{
	struct facts f = { 0 };
	if (argc != 4) {
		(void)fprintf(stderr, "usage: embed-facts DATA_DIR OUT.bkdb OUT.h\n");
		return 2;
	}
	int rc = vuln_builder_new(&f.builder, &f.err);
	rc = rc == BH_OK ? open_sources(&f) : rc;
	for (size_t i = 0; rc == BH_OK && i < sizeof(tables) / sizeof(tables[0]); i++)
		rc = read_table(&f, &tables[i], argv[1]);
	rc = rc == BH_OK ? write_outputs(&f, argv[2], argv[3]) : rc;
	vuln_builder_free(f.builder);
	if (rc < 0)
		(void)fprintf(stderr, "embed-facts: %s\n", f.err.text);
	return rc < 0;
}
