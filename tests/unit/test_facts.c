/*
 * test_facts.c: the facts linked into the program are those of data/, no more and no less. The tables are read here a second time
 * and counted by awk; every fact is looked up through the reader.
 */
#include "vuln/builder.h"
#include "vuln/embedded.h"
#include "vuln/match.h"
#include "vuln/pattern.h"

#include "sys/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#define S(text) BH_SLICE_LIT(text)
#define COLUMNS_MAX 8

static struct vuln_db *db;

static void must(int rc, const struct bh_err *err)
{
	if (rc < 0)
		fail_msg("%s", err->text);
}

static int open_facts(void **state)
{
	(void)state;
	struct bh_slice bytes;
	struct bh_err err;
	return vuln_embedded(&bytes) && vuln_db_open(bytes, &db, &err) == BH_OK ? 0 : -1;
}

static int close_facts(void **state)
{
	(void)state;
	vuln_db_close(db);
	return 0;
}

/* What awk says to a table of data/. */
static unsigned long awk(const char *program, const char *table)
{
	char command[512], answer[64] = "";
	(void)snprintf(command, sizeof(command), "awk -F'\\t' '!/^#/ { %s } END { print n + 0 }' data/%s", program, table);
	FILE *f = popen(command, "r");
	assert_non_null(f);
	assert_non_null(fgets(answer, sizeof(answer), f));
	assert_int_equal(pclose(f), 0);
	return strtoul(answer, NULL, 10);
}

static void test_sound(void **state)
{
	(void)state;
	struct bh_err err;
	must(vuln_db_verify(db, &err), &err);
}

static void test_counts(void **state)
{
	(void)state;
	struct bh_err err;
	struct vuln_db_totals totals;
	struct vuln_span span;
	vuln_db_totals(db, &totals);
	assert_int_equal(totals.rows, awk("n++", "debian-facts.tsv"));
	assert_int_equal(totals.packages, awk("if (!seen[$1 FS $2]++) n++", "debian-facts.tsv"));
	assert_int_equal(totals.ecosystems, awk("if (!seen[$1]++) n++", "debian-facts.tsv"));
	assert_int_equal(totals.kev, awk("n++", "kev.tsv"));
	assert_int_equal(totals.epss, 0);
	must(vuln_db_table(db, S("eol"), &span, &err), &err);
	assert_int_equal(span.n, awk("if ($2 != \"-\") n++", "distro-eol.tsv"));
	must(vuln_db_table(db, S("support-ended"), &span, &err), &err);
	assert_int_equal(span.n, awk("n++", "debian-support.tsv"));
	must(vuln_db_table(db, S("binary-version"), &span, &err), &err);
	assert_int_equal(span.n, awk("n++", "debian-binaries.tsv"));
	for (uint32_t i = 0; i < totals.ecosystems; i++) {
		struct vuln_ecosystem e;
		char program[64];
		must(vuln_db_ecosystem(db, i, &e, &err), &err);
		assert_true(bh_slice_starts(e.name, S("Debian:")) && e.fixed_only);
		(void)snprintf(program, sizeof(program), "if ($1 == %.*s) n++", BH_SLICE_FMT(bh_slice_sub(e.name, 7, e.name.len)));
		assert_int_equal(e.rows, awk(program, "debian-facts.tsv"));
	}
}

static void test_sources(void **state)
{
	(void)state;
	static const struct {
		const char *name, *table;
		bool fixed_only;
	} expected[] = { { "cisa-kev", "kev.tsv", false },
			 { "cisa-vulnrichment", "cve-severity.tsv", false },
			 { "debian-changelogs", "debian-facts.tsv", true },
			 { "debian-security-support", "debian-support.tsv", false },
			 { "distro-info-data", "distro-eol.tsv", false } };
	struct bh_err err;
	struct vuln_db_totals totals;
	vuln_db_totals(db, &totals);
	assert_int_equal(totals.sources, 5);
	for (uint32_t i = 0; i < 5; i++) {
		struct vuln_source s;
		must(vuln_db_source(db, i, &s, &err), &err);
		assert_true(bh_slice_eq_str(s.name, expected[i].name));
		assert_int_equal(s.records, awk("n++", expected[i].table));
		assert_int_equal(s.flags, VULN_SOURCE_EMBEDDED | (expected[i].fixed_only ? VULN_SOURCE_FIXED_ONLY : 0));
		assert_true(s.day != VULN_NO_DAY && s.licence.len && s.url.len);
	}
}

/* ---- every line ---- */

typedef void check_line(const struct bh_slice *column);

static void each_line(const char *path, check_line *check)
{
	struct bh_err err;
	struct bh_buf text;
	bh_buf_init(&text, 64u << 20);
	must(bh_read_file(path, 64u << 20, &text, &err), &err);
	struct bh_slice line, rest = bh_buf_slice(&text);
	while (bh_slice_cut(rest, '\n', &line, &rest)) {
		struct bh_slice column[COLUMNS_MAX], tail = line;
		if (line.ptr[0] == '#')
			continue;
		for (size_t i = 0; i < COLUMNS_MAX; i++) {
			struct bh_slice next;
			(void)bh_slice_cut(tail, '\t', &column[i], &next);
			tail = next;
		}
		check(column);
	}
	bh_buf_done(&text);
}

static void expect_fact(const struct bh_slice *c)
{
	char ecosystem[32], id[256];
	bool security = bh_slice_eq_str(c[2], "-"), stable = bh_slice_eq_str(c[2], "+");
	(void)snprintf(ecosystem, sizeof(ecosystem), "Debian:%.*s", BH_SLICE_FMT(c[0]));
	(void)snprintf(id, sizeof(id), "%s%.*s", security ? "debian-update-" : stable ? "debian-stable-update-" : "", BH_SLICE_FMT(security || stable ? c[1] : c[2]));
	struct bh_err err;
	struct vuln_span rows;
	uint32_t wanted;
	must(vuln_db_find_id(db, bh_slice_str(id), &wanted, &err), &err);
	must(vuln_db_find(db, bh_slice_str(ecosystem), c[1], &rows, &err), &err);
	static uint32_t before; /* the file's order is nearly the database's: go on from there, or the kernel's 4,000 rows take a while */
	for (uint32_t k = 0; k < rows.n; k++) {
		uint32_t i = (before + k) % rows.n;
		struct vuln_row row;
		struct vuln_range range;
		struct vuln_advisory advisory;
		must(vuln_db_row(db, rows.first + i, &row, &err), &err);
		if (row.advisory != wanted)
			continue;
		before = i + 1;
		assert_int_equal(row.state, BH_STATE_FIXED);
		assert_int_equal(row.flags, security || stable ? VULN_ROW_PENDING_UPDATE : 0);
		assert_int_equal(row.n_ranges, 1);
		must(vuln_db_range(db, &row, 0, &range, &err), &err);
		must(vuln_db_advisory(db, row.advisory, &advisory, &err), &err);
		assert_true(range.kind == VULN_END_FIXED && range.start.len == 0 && bh_slice_eq(range.end, c[3]));
		assert_int_equal(advisory.flags, stable ? VULN_ADV_INFORMATIONAL : 0);
		return;
	}
	fail_msg("%s in %s %.*s: no row", id, ecosystem, BH_SLICE_FMT(c[1]));
}

static void expect_kev(const struct bh_slice *c)
{
	struct bh_err err;
	struct vuln_exploit e;
	char day[16];
	must(vuln_db_exploit_id(db, c[0], &e, &err), &err);
	assert_true(e.kev && bh_slice_eq_str(c[1], vuln_day_text(e.kev_day, day)));
	assert_int_equal(e.kev_ransomware, bh_slice_eq_str(c[2], "yes"));
}

static void expect_severity(const struct bh_slice *c)
{
	struct bh_err err;
	struct vuln_advisory a;
	struct bh_slice vector;
	uint32_t index;
	char score[16];
	must(vuln_db_find_id(db, c[0], &index, &err), &err);
	must(vuln_db_advisory(db, index, &a, &err), &err);
	(void)snprintf(score, sizeof(score), "%u.%u", a.score_tenths / 10u, a.score_tenths % 10u);
	assert_true(bh_slice_eq_str(c[2], a.score_tenths ? score : "-"));
	assert_true(bh_slice_eq_str(c[3], bh_severity_name(a.severity)));
	assert_int_equal(a.n_cvss, 1);
	must(vuln_db_cvss(db, &a, 0, &vector, &err), &err);
	assert_true(bh_slice_eq(vector, c[1]));
}

static void test_every_fact(void **state)
{
	(void)state;
	each_line("data/debian-facts.tsv", expect_fact);
	each_line("data/kev.tsv", expect_kev);
	each_line("data/cve-severity.tsv", expect_severity);
}

/* ---- patterns ---- */

static void test_patterns(void **state)
{
	(void)state;
	/* Answers of: perl -e 'print "@ARGV[1]" =~ /^(?:$ARGV[0])$/ ? 1 : 0' PATTERN NAME */
	static const struct {
		const char *pattern, *name;
		bool matches;
	} cases[] = {
		{ "golang.*", "golang", true },   { "golang.*", "golang-1.19", true }, { "golang.*", "my-golang", false }, { "golang*", "golan", true },
		{ "golang*", "golangggg", true }, { "golang*", "golang-1", false },    { "python2.7", "python2.7", true }, { "python2.7", "python2x7", true },
		{ "python2.7", "python27", false }, { ".*", "", true },                { ".*a.*b", "xaxxbxb", true },     { ".*a.*b", "xaxxbxc", false },
		{ "a*a*a", "aa", true },          { "a*b", "b", true },                { "a*b", "aac", false },           { "a", "", false },
		{ "", "", false }, /* Perl: true; an empty pattern is no entry */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (vuln_pattern_matches(bh_slice_str(cases[i].pattern), bh_slice_str(cases[i].name)) != cases[i].matches)
			fail_msg("%s against %s", cases[i].pattern, cases[i].name);
	static const char *const refused[] = { "", "a+", "(a|b)", "[a]", "a**", "*a", "^a", "a$", "a\\.b", "a{2}", "a?" };
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_false(vuln_pattern_valid(bh_slice_str(refused[i])) || vuln_pattern_matches(bh_slice_str(refused[i]), S("a")));
}

/* ---- speed ---- */

static double seconds(void)
{
	struct timespec t;
	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A sanity bound, not a budget (those are in tests/bench): each source of Debian 12 once, none of them updated. */
static void test_fast_enough(void **state)
{
	(void)state;
	struct bh_err err;
	struct bh_report report;
	struct vuln_set *set;
	struct vuln_db_totals totals;
	bh_report_init(&report);
	report.target.distro = (struct bh_distro){ .id = S("debian"), .version_id = S("12") };
	vuln_db_totals(db, &totals);
	for (uint32_t i = 0; i < totals.packages; i++) {
		struct vuln_package p;
		must(vuln_db_package(db, i, &p, &err), &err);
		struct bh_package installed = { .type = S("deb"), .name = p.name, .version = S("0"), .arch = S("amd64") };
		if (bh_slice_eq_str(p.ecosystem, "Debian:12"))
			assert_true(bh_package_vec_push(&report.packages, installed));
	}
	bh_report_sort_packages(&report);
	assert_int_equal(setenv("BULKHEAD_DB", "", 1) | setenv("XDG_DATA_HOME", "/nonexistent", 1), 0);
	must(vuln_set_open(NULL, &set, &err), &err);
	double start = seconds();
	struct vuln_match_options options = { .today_days = 20000 };
	must(vuln_match(set, &options, &report, &err), &err);
	double took = seconds() - start;
	vuln_set_close(set);
	print_message("# %zu packages, %zu findings in %.1f ms\n", report.packages.len, report.findings.len, took * 1000);
	/* Every CVE of the release, and an update where none is named. */
	unsigned long cves = awk("if ($1 == 12 && $3 ~ /^CVE/) n++", "debian-facts.tsv");
	unsigned long alone = awk("if ($1 == 12) { if ($3 ~ /^CVE/) cve[$2] = 1; else if ($3 == \"-\") new[$2] = 1 } } END { n = 0; for (s in new) if (!(s in cve)) n++",
				  "debian-facts.tsv");
	size_t vulnerabilities = 0;
	for (size_t i = 0; i < report.findings.len; i++)
		vulnerabilities += report.findings.ptr[i].class == BH_CLASS_VULNERABILITY;
	assert_int_equal(vulnerabilities, cves + alone);
	assert_true(took < 2.0);
	bh_report_done(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),      cmocka_unit_test(test_counts),   cmocka_unit_test(test_sources),
		cmocka_unit_test(test_every_fact), cmocka_unit_test(test_patterns), cmocka_unit_test(test_fast_enough),
	};
	return cmocka_run_group_tests(tests, open_facts, close_facts);
}
