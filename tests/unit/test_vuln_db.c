/*
 * test_vuln_db.c: the advisory database: what goes in comes out, in whatever order it went in; names and sources are merged
 * as builder.h says; damage is noticed. Databases are made from text (bkdb_text.h).
 */
#include "bkdb_text.h"
#include "vuln/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S(text) BH_SLICE_LIT(text)
#define DB_BYTES_MAX (16u << 20)
#define LINES_MAX 600
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct bh_err err;

/* ---- helpers ---- */

static void must(int rc)
{
	if (rc < 0)
		fail_msg("%s (offset %llu)", err.text, (unsigned long long)err.offset_bytes);
}

static struct bh_buf load(const char *path)
{
	struct bh_buf b;
	char chunk[4096];
	size_t n;
	bh_buf_init(&b, DB_BYTES_MAX);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		assert_true(bh_buf_add(&b, (struct bh_slice){ (const uint8_t *)chunk, n }));
	fclose(f);
	return b;
}

static struct bh_buf finish(struct vuln_builder *b)
{
	struct bh_buf out;
	bh_buf_init(&out, DB_BYTES_MAX);
	must(vuln_builder_finish(b, &out, &err));
	vuln_builder_free(b);
	return out;
}

static struct bh_buf build(struct bh_slice text)
{
	struct vuln_builder *b = NULL;
	must(vuln_builder_new(&b, &err));
	must(bkdb_add_text(b, text, &err));
	return finish(b);
}

static struct vuln_db *open_db(const struct bh_buf *bytes)
{
	struct vuln_db *db = NULL;
	must(vuln_db_open(bh_buf_slice(bytes), &db, &err));
	return db;
}

/* A database in which everything is right, as text. */
static struct bh_buf dump(const struct bh_buf *bytes)
{
	struct bh_buf out;
	struct vuln_db *db = open_db(bytes);
	bh_buf_init(&out, DB_BYTES_MAX);
	must(vuln_db_verify(db, &err));
	must(bkdb_dump(db, &out, &err));
	vuln_db_close(db);
	return out;
}

/* The lines of `text` that begin with `head`. */
static struct bh_buf lines_of(struct bh_slice text, const char *head)
{
	struct bh_buf out;
	struct bh_slice line;
	bh_buf_init(&out, DB_BYTES_MAX);
	while (text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		if (bh_slice_starts(line, bh_slice_str(head))) {
			assert_true(bh_buf_add(&out, line));
			assert_true(bh_buf_add_byte(&out, '\n'));
		}
	}
	return out;
}

/* Builds `facts` and compares the lines of its dump that begin with `head`. */
static void expect(const char *facts, const char *head, const char *want)
{
	struct bh_buf bytes = build(bh_slice_str(facts)), all = dump(&bytes), got = lines_of(bh_buf_slice(&all), head);
	if (!bh_slice_eq_str(bh_buf_slice(&got), want))
		fail_msg("got:\n%.*swant:\n%s", BH_SLICE_FMT(bh_buf_slice(&got)), want);
	bh_buf_done(&bytes);
	bh_buf_done(&all);
	bh_buf_done(&got);
}

static void same_bytes(const struct bh_buf *a, const struct bh_buf *b)
{
	if (bh_slice_eq(bh_buf_slice(a), bh_buf_slice(b)))
		return;
	struct bh_buf x = dump(a), y = dump(b);
	fail_msg("databases differ:\n%.*s\n---\n%.*s", BH_SLICE_FMT(bh_buf_slice(&x)), BH_SLICE_FMT(bh_buf_slice(&y)));
}

static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % n;
}

static void shuffle(struct bh_slice *lines, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = random_below((uint32_t)i);
		struct bh_slice t = lines[i - 1];
		lines[i - 1] = lines[k];
		lines[k] = t;
	}
}

/* Sources first, as they must be; returns their number. */
static size_t split_lines(struct bh_slice text, struct bh_slice lines[LINES_MAX], size_t *ret_n)
{
	struct bh_slice line, rest;
	size_t n = 0, sources = 0;
	for (int pass = 0; pass < 2; pass++)
		for (rest = text; rest.len;) {
			(void)bh_slice_cut(rest, '\n', &line, &rest);
			if (line.len == 0 || line.ptr[0] == '#' || bh_slice_starts(line, S("source|")) != (pass == 0))
				continue;
			assert_true(n < LINES_MAX);
			lines[n++] = line;
			sources += pass == 0;
		}
	*ret_n = n;
	return sources;
}

static struct bh_buf build_lines(const struct bh_slice *lines, size_t n)
{
	struct vuln_builder *b = NULL;
	must(vuln_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++)
		must(bkdb_add_line(b, lines[i], &err));
	return finish(b);
}

/* ---- round trips ---- */

static void what_goes_in_comes_out(void **state)
{
	(void)state;
	struct bh_buf text = load("tests/table/bkdb/sample.txt"), want = load("tests/table/bkdb/sample.dump");
	struct bh_buf bytes = build(bh_buf_slice(&text)), got = dump(&bytes);
	if (!bh_slice_eq(bh_buf_slice(&got), bh_buf_slice(&want)))
		fail_msg("differs from sample.dump:\n%.*s", BH_SLICE_FMT(bh_buf_slice(&got)));
	bh_buf_done(&text);
	bh_buf_done(&want);
	bh_buf_done(&bytes);
	bh_buf_done(&got);
}

/* Through the public calls alone, as the matcher does it. */
static void lookups_find_what_is_there(void **state)
{
	(void)state;
	struct bh_buf text = load("tests/table/bkdb/sample.txt"), bytes = build(bh_buf_slice(&text));
	struct vuln_db *db = open_db(&bytes);
	struct vuln_db_totals t;
	struct vuln_span span;
	struct vuln_row row;
	struct vuln_range range;
	struct vuln_advisory a;
	struct vuln_exploit e;
	struct vuln_entry entry;
	struct vuln_ecosystem ecosystem;
	struct bh_slice s;
	uint32_t index;
	char day[16];
	vuln_db_totals(db, &t);
	assert_int_equal(t.bytes, bytes.len);
	assert_int_equal(t.rows, 16);
	assert_int_equal(t.packages, 7);
	assert_int_equal(t.advisories, 14);
	assert_int_equal(t.ids, 16);
	assert_int_equal(t.ecosystems, 5);
	assert_int_equal(t.sources, 6);
	assert_int_equal(t.entries, 4);
	assert_int_equal(t.epss, 2);
	assert_int_equal(t.kev, 2);
	assert_string_equal(vuln_day_text(t.newest_day, day), "2026-11-21");

	must(vuln_db_find(db, S("npm"), S("tar"), &span, &err));
	assert_int_equal(span.n, 1);
	must(vuln_db_row(db, span.first, &row, &err));
	assert_int_equal(row.state, BH_STATE_AFFECTED);
	assert_int_equal(row.n_ranges, 2);
	must(vuln_db_range(db, &row, 0, &range, &err));
	assert_true(bh_slice_eq_str(range.start, "3.0.0") && bh_slice_eq_str(range.end, "4.4.1") && range.kind == VULN_END_LAST);
	must(vuln_db_range(db, &row, 1, &range, &err));
	assert_true(bh_slice_eq_str(range.start, "5.0.0") && bh_slice_eq_str(range.end, "6.0.0") && range.kind == VULN_END_LIMIT);
	assert_int_equal(vuln_db_range(db, &row, 2, &range, &err), BH_EMALFORMED);
	assert_int_equal(vuln_db_version(db, &row, 0, &s, &err), BH_EMALFORMED);
	must(vuln_db_find(db, S("npm"), S("tarr"), &span, &err));
	assert_int_equal(span.n, 0);
	must(vuln_db_find(db, S("PyPI"), S("tar"), &span, &err));
	assert_int_equal(span.n, 0);
	must(vuln_db_find(db, S(""), S(""), &span, &err));
	assert_int_equal(span.n, 0);

	must(vuln_db_find_id(db, S("PYSEC-2024-7"), &index, &err));
	must(vuln_db_advisory(db, index, &a, &err));
	assert_true(bh_slice_eq_str(a.id, "CVE-2024-0001"));
	must(vuln_db_title(db, &a, &s, &err));
	assert_true(bh_slice_eq_str(s, "Remote code execution in démo"));
	must(vuln_db_exploit(db, &a, &e, &err));
	assert_true(e.has_epss && !e.kev && e.epss_score == 65000 && e.epss_percentile == 65530 && e.kev_day == VULN_NO_DAY);
	assert_string_equal(vuln_day_text(e.epss_day, day), "2026-07-22");
	must(vuln_db_exploit_id(db, S("CVE-2021-44228"), &e, &err));
	assert_true(e.kev && e.kev_ransomware && !e.has_epss);
	must(vuln_db_exploit_id(db, S("GHSA-aaaa-bbbb-cccc"), &e, &err));
	assert_true(!e.kev && !e.has_epss);
	assert_int_equal(vuln_db_find_id(db, S("PYSEC-2024-8"), &index, &err), BH_ENOTFOUND);
	assert_int_equal(vuln_db_find_id(db, S("pysec-2024-7"), &index, &err), BH_ENOTFOUND);

	must(vuln_db_find_ecosystem(db, S("Debian:11"), &ecosystem, &err));
	assert_true(ecosystem.fixed_only && ecosystem.rows == 1 && ecosystem.packages == 1);
	assert_int_equal(vuln_db_find_ecosystem(db, S("Debian"), &ecosystem, &err), BH_ENOTFOUND);

	must(vuln_db_table(db, S("eol"), &span, &err));
	assert_int_equal(span.n, 3);
	must(vuln_db_entry(db, span.first, &entry, &err));
	assert_true(bh_slice_eq_str(entry.key, "alpine:3.15") && bh_slice_eq_str(entry.value, "2023-11-01"));
	must(vuln_db_table_find(db, S("eol"), S("debian:11"), &span, &err));
	assert_int_equal(span.n, 1);
	must(vuln_db_table_find(db, S("eol"), S("debian:1"), &span, &err));
	assert_int_equal(span.n, 0);
	must(vuln_db_table(db, S("eo"), &span, &err));
	assert_int_equal(span.n, 0);
	vuln_db_close(db);
	bh_buf_done(&text);
	bh_buf_done(&bytes);
}

/* Many packages: each is found through its bucket, with its own rows, and no other. */
static void every_package_is_found(void **state)
{
	(void)state;
	const uint32_t sizes[] = { 1, 4, 5, 8, 9, 1000, 5000 };
	for (size_t k = 0; k < COUNT(sizes); k++) {
		struct vuln_builder *b = NULL;
		char text[128];
		struct vuln_span span;
		struct vuln_row row;
		struct vuln_advisory a;
		must(vuln_builder_new(&b, &err));
		must(bkdb_add_line(b, S("source|s|20"), &err));
		for (uint32_t i = 0; i < sizes[k]; i++) {
			(void)snprintf(text, sizeof(text), "row|s|E%u|p%u|CVE-2024-%04u|affected|||<", i % 3, i / 2, i);
			must(bkdb_add_line(b, bh_slice_str(text), &err));
		}
		struct bh_buf bytes = finish(b);
		struct vuln_db *db = open_db(&bytes);
		must(vuln_db_verify(db, &err));
		for (uint32_t i = 0; i < sizes[k]; i++) {
			char ecosystem[16], package[16];
			(void)snprintf(ecosystem, sizeof(ecosystem), "E%u", i % 3);
			(void)snprintf(package, sizeof(package), "p%u", i / 2);
			(void)snprintf(text, sizeof(text), "CVE-2024-%04u", i);
			must(vuln_db_find(db, bh_slice_str(ecosystem), bh_slice_str(package), &span, &err));
			assert_int_equal(span.n, 1);
			must(vuln_db_row(db, span.first, &row, &err));
			must(vuln_db_advisory(db, row.advisory, &a, &err));
			assert_true(bh_slice_eq_str(a.id, text));
			(void)snprintf(package, sizeof(package), "q%u", i / 2);
			must(vuln_db_find(db, bh_slice_str(ecosystem), bh_slice_str(package), &span, &err));
			assert_int_equal(span.n, 0);
		}
		vuln_db_close(db);
		bh_buf_done(&bytes);
	}
}

/* Lengths around the borders of the two forms of a string, and bytes of all kinds. */
static void strings_of_all_lengths(void **state)
{
	(void)state;
	const size_t sizes[] = { 0, 1, 254, 255, 256, 65534, 65535 };
	static uint8_t text[65536];
	struct vuln_builder *b = NULL;
	struct vuln_span span;
	struct vuln_entry e;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7);
	must(vuln_builder_new(&b, &err));
	must(bkdb_add_line(b, S("source|s|20"), &err));
	for (size_t i = 0; i < COUNT(sizes); i++)
		must(vuln_builder_entry(b, 0, S("t"), (struct bh_slice){ text, sizes[i] }, S("v"), &err));
	assert_int_equal(vuln_builder_entry(b, 0, S("t"), (struct bh_slice){ text, 65536 }, S("v"), &err), BH_ELIMIT);
	struct bh_buf bytes = finish(b);
	struct vuln_db *db = open_db(&bytes);
	must(vuln_db_verify(db, &err));
	for (size_t i = 0; i < COUNT(sizes); i++) {
		must(vuln_db_table_find(db, S("t"), (struct bh_slice){ text, sizes[i] }, &span, &err));
		assert_int_equal(span.n, 1);
		must(vuln_db_entry(db, span.first, &e, &err));
		assert_true(bh_slice_eq(e.key, (struct bh_slice){ text, sizes[i] }));
	}
	vuln_db_close(db);
	bh_buf_done(&bytes);
}

static void an_empty_database_is_one(void **state)
{
	(void)state;
	struct bh_buf bytes = build(S(""));
	struct vuln_db *db = open_db(&bytes);
	struct vuln_span span = { 7, 7 };
	struct vuln_db_totals t;
	uint32_t index;
	must(vuln_db_verify(db, &err));
	must(vuln_db_find(db, S("npm"), S("tar"), &span, &err));
	assert_int_equal(span.n, 0);
	must(vuln_db_table(db, S("eol"), &span, &err));
	assert_int_equal(span.n, 0);
	assert_int_equal(vuln_db_find_id(db, S("CVE-2024-0001"), &index, &err), BH_ENOTFOUND);
	vuln_db_totals(db, &t);
	assert_int_equal(t.newest_day, VULN_NO_DAY);
	vuln_db_close(db);
	bh_buf_done(&bytes);
}

/* ---- order, names, precedence ---- */

static void the_order_of_addition_does_not_matter(void **state)
{
	(void)state;
	struct bh_buf text = load("tests/table/bkdb/sample.txt"), want = build(bh_buf_slice(&text));
	struct bh_slice lines[LINES_MAX];
	size_t n, sources = split_lines(bh_buf_slice(&text), lines, &n);
	random_state = 1;
	for (int round = 0; round < 200; round++) {
		shuffle(lines, sources);
		shuffle(lines + sources, n - sources);
		struct bh_buf got = build_lines(lines, n);
		same_bytes(&want, &got);
		bh_buf_done(&got);
	}
	bh_buf_done(&text);
	bh_buf_done(&want);
}

#define TWO_SOURCES "source|low|20\nsource|high|30\n"

static void names_become_one_flaw(void **state)
{
	(void)state;
	/* a chain, whose last link comes first */
	expect("source|s|20\nadvisory|s|B|C\nadvisory|s|CVE-2024-0001|A\nadvisory|s|A|B\nrow|s|E|p|C|affected|||<\n", "name",
	       "name|A|CVE-2024-0001\nname|B|CVE-2024-0001\nname|C|CVE-2024-0001\nname|CVE-2024-0001|CVE-2024-0001\n");
	/* without a CVE the GHSA names it, else the first by bytes */
	expect("source|s|20\nadvisory|s|AAA-1|GHSA-x,BBB-1\nadvisory|s|ZZZ-1|YYY-1\n", "name",
	       "name|AAA-1|GHSA-x\nname|BBB-1|GHSA-x\nname|GHSA-x|GHSA-x\nname|YYY-1|YYY-1\nname|ZZZ-1|YYY-1\n");
	/* an announcement of several CVEs is none of them */
	expect("source|s|20\nadvisory|s|ALSA-1|CVE-2024-0001,CVE-2024-0002,OTHER-1\nrow|s|E|p|CVE-2024-0001|affected|||<\n", "name",
	       "name|ALSA-1|ALSA-1\nname|CVE-2024-0001|CVE-2024-0001\nname|OTHER-1|ALSA-1\n");
	/* a CVE that mentions another one keeps its own names */
	expect("source|s|20\nadvisory|s|CVE-2024-0001|CVE-2024-0002,GHSA-x\nrow|s|E|p|CVE-2024-0002|affected|||<\n", "name",
	       "name|CVE-2024-0001|CVE-2024-0001\nname|CVE-2024-0002|CVE-2024-0002\nname|GHSA-x|CVE-2024-0001\n");
	/* two CVEs that share an alias: the better source's link counts, whatever comes first by bytes */
	expect(TWO_SOURCES "advisory|low|GHSA-x|CVE-2024-0001\nadvisory|high|GHSA-x|CVE-2024-0002\n", "name",
	       "name|CVE-2024-0001|CVE-2024-0001\nname|CVE-2024-0002|CVE-2024-0002\nname|GHSA-x|CVE-2024-0002\n");
	/* and over a bridge of several records */
	expect("source|s|20\nadvisory|s|A|CVE-2024-0001\nadvisory|s|B|CVE-2024-0002\nadvisory|s|A|B\n", "name",
	       "name|A|CVE-2024-0001\nname|B|CVE-2024-0002\nname|CVE-2024-0001|CVE-2024-0001\nname|CVE-2024-0002|CVE-2024-0002\n");
	/* an id is itself among its aliases, twice */
	expect("source|s|20\nadvisory|s|GHSA-x|GHSA-x,,GHSA-x,CVE-2024-0001\n", "name", "name|CVE-2024-0001|CVE-2024-0001\nname|GHSA-x|CVE-2024-0001\n");
}

static void records_become_one_view(void **state)
{
	(void)state;
	/* severity, score and title each from the best source that has one; vectors of the best source first, the newest first */
	expect(TWO_SOURCES "advisory|low|GHSA-x|CVE-2024-0001|CVSS:3.1/a,CVSS:4.0/b|critical|95||2024-01-02|2024-01-03||low title\n"
			   "advisory|high|CVE-2024-0001||CVSS:3.0/c,CVSS:3.1/a|low|||2024-01-05|2024-01-06\n",
	       "advisory", "advisory||CVE-2024-0001|GHSA-x|CVSS:3.1/a,CVSS:3.0/c,CVSS:4.0/b|low|95|0|2024-01-02|2024-01-06||low title\n");
	/* of equally good ones the higher */
	expect("source|a|20\nsource|b|20\nadvisory|a|CVE-2024-0001|||low|21\nadvisory|b|CVE-2024-0001|||high|75\n", "advisory",
	       "advisory||CVE-2024-0001|||high|75|0||||\n");
	/* severity from the score, the score from the vector (the newest version that has a formula) */
	expect("source|a|20\nadvisory|a|A-1|||unknown|95\n"
	       "advisory|a|A-2||CVSS:4.0/AV:N,CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:L/I:L/A:N,AV:N/AC:L/Au:N/C:C/I:C/A:C\n",
	       "advisory",
	       "advisory|a|A-1|||critical|95|0||||\n"
	       "advisory|a|A-2||CVSS:4.0/AV:N,CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:L/I:L/A:N,AV:N/AC:L/Au:N/C:C/I:C/A:C|high|72|0||||\n");
	/* withdrawn and informational by all, malware by any */
	expect("source|a|20\nsource|b|20\nadvisory|a|CVE-2024-0001|||||7|||2024-05-01\nadvisory|b|CVE-2024-0001|||||1|||2024-04-01\n", "advisory",
	       "advisory||CVE-2024-0001|||unknown|0|3|||2024-05-01|\n");
	expect("source|a|20\nsource|b|20\nadvisory|a|CVE-2024-0001|||||4|||2024-05-01\nadvisory|b|CVE-2024-0001|||high\n", "advisory",
	       "advisory||CVE-2024-0001|||high|0|0||||\n");
	/* a day of withdrawal is a withdrawal */
	expect("source|a|20\nadvisory|a|CVE-2024-0001||||||||2024-05-01\n", "advisory", "advisory|a|CVE-2024-0001|||unknown|0|1|||2024-05-01|\n");
}

static void better_sources_outweigh_others(void **state)
{
	(void)state;
	const char *facts = "source|change|10|1\nsource|generic|20\nsource|vendor|30\n"
			    "row|change|D|p|CVE-2024-0001|fixed|||<1\nrow|vendor|D|p|CVE-2024-0001|not_affected\n"
			    "row|change|D|p|CVE-2024-0002|fixed|||<2\nrow|generic|D|p|CVE-2024-0002|fixed|||<3\n"
			    "row|change|D|p|CVE-2024-0003|fixed|||<4\n"
			    "row|change|D|q|CVE-2024-0001|fixed|||<5\n";
	expect(facts, "row",
	       "row|vendor|D|p|CVE-2024-0001|CVE-2024-0001|not_affected|unknown|0|||||\n"
	       "row|generic|D|p|CVE-2024-0002|CVE-2024-0002|fixed|unknown|0|<3||||\n"
	       "row|change|D|p|CVE-2024-0003|CVE-2024-0003|fixed|unknown|0|<4||||\n"
	       "row|change|D|q|CVE-2024-0001|CVE-2024-0001|fixed|unknown|0|<5||||\n");
	expect(facts, "hidden",
	       "hidden|change|D|p|CVE-2024-0001|CVE-2024-0001|fixed|unknown|0|<1||||\n"
	       "hidden|change|D|p|CVE-2024-0002|CVE-2024-0002|fixed|unknown|0|<2||||\n");
	/* by flaw, not by name: the vendor's CVE outweighs the other's GHSA */
	expect(TWO_SOURCES "advisory|low|GHSA-x|CVE-2024-0001\nrow|low|E|p|GHSA-x|affected|||<\nrow|high|E|p|CVE-2024-0001|fixed|||<1\n", "row",
	       "row|high|E|p|CVE-2024-0001|CVE-2024-0001|fixed|unknown|0|<1||||\n");
	/* an ecosystem is fixed-only when all rows that are seen are */
	expect(facts, "ecosystem", "ecosystem|D|2|4|0\n");
	expect("source|change|10|1\nrow|change|D|p|CVE-2024-0003|fixed|||<4\n", "ecosystem", "ecosystem|D|1|1|1\n");
}

static void repeats_go(void **state)
{
	(void)state;
	/* in any order of ranges and versions; another arch, source or range is no repeat */
	expect("source|a|20\nsource|b|20\n"
	       "row|a|E|p|X-1|fixed|||1<2,3<4|7,8\nrow|a|E|p|X-1|fixed|||3<4,1<2,1<2|8,7,8\nrow|b|E|p|X-1|fixed|||1<2,3<4|7,8\n"
	       "row|a|E|p|X-1|fixed|||1<2,3<4|7,8||arm64\nrow|a|E|p|X-1|fixed|||1<2|7,8\n",
	       "row",
	       "row|a|E|p|X-1|X-1|fixed|unknown|0|1<2|7,8|||\nrow|a|E|p|X-1|X-1|fixed|unknown|0|1<2,3<4|7,8|||\n"
	       "row|a|E|p|X-1|X-1|fixed|unknown|0|1<2,3<4|7,8||arm64|\nrow|b|E|p|X-1|X-1|fixed|unknown|0|1<2,3<4|7,8|||\n");
	expect("source|a|20\nkev|a|CVE-2024-0001|2024-01-01\nkev|a|CVE-2024-0001|2024-01-01\nepss|a|CVE-2024-0001|5|6|2024-01-01\n"
	       "epss|a|CVE-2024-0001|5|6|2024-01-01\nentry|a|t|k|v\nentry|a|t|k|v\n",
	       "e", "epss|a|CVE-2024-0001|5|6|2024-01-01\nentry|a|t|k|v\n");
}

static void the_strongest_exploitation_data_counts(void **state)
{
	(void)state;
	struct bh_buf bytes = build(S("source|a|20\nsource|b|20\nkev|a|CVE-2024-0001|2024-03-01\nkev|b|CVE-2024-0001|2024-02-01|1\n"
				      "kev|a|CVE-2024-0002\nepss|a|CVE-2024-0001|900|60000|2024-01-01\nepss|b|CVE-2024-0001|500|50000|2024-01-02\n"
				      "epss|a|CVE-2024-0001|400|40000|2024-01-02\n"));
	struct vuln_db *db = open_db(&bytes);
	struct vuln_exploit e;
	char day[16];
	must(vuln_db_verify(db, &err));
	must(vuln_db_exploit_id(db, S("CVE-2024-0001"), &e, &err));
	assert_true(e.kev && e.kev_ransomware && e.has_epss);
	assert_string_equal(vuln_day_text(e.kev_day, day), "2024-02-01");
	assert_string_equal(vuln_day_text(e.epss_day, day), "2024-01-02");
	assert_int_equal(e.epss_score, 500);
	assert_int_equal(e.epss_percentile, 50000);
	must(vuln_db_exploit_id(db, S("CVE-2024-0002"), &e, &err));
	assert_true(e.kev && !e.kev_ransomware && e.kev_day == VULN_NO_DAY);
	must(vuln_db_exploit_id(db, S("CVE-2024-0003"), &e, &err));
	assert_true(!e.kev && !e.has_epss);
	vuln_db_close(db);
	bh_buf_done(&bytes);
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	struct vuln_builder *b = NULL;
	struct bh_buf out;
	const struct vuln_range open_end = { S("1"), S("2"), VULN_END_NONE }, no_end = { S("1"), S(""), VULN_END_FIXED };
	struct vuln_new_row row = { .ecosystem = S("E"), .package = S("p"), .id = S("X-1"), .n_ranges = 1 };
	bh_buf_init(&out, DB_BYTES_MAX);
	must(vuln_builder_new(&b, &err));
	must(bkdb_add_line(b, S("source|a|20"), &err));
	assert_int_equal(bkdb_add_line(b, S("source|a|30"), &err), BH_EUSAGE);
	assert_int_equal(bkdb_add_line(b, S("source||30"), &err), BH_EUSAGE);
	assert_int_equal(bkdb_add_line(b, S("advisory|a|"), &err), BH_EMALFORMED);
	assert_int_equal(bkdb_add_line(b, S("row|a||p|X-1|affected|||<"), &err), BH_EMALFORMED);
	assert_int_equal(bkdb_add_line(b, S("row|a|E||X-1|affected|||<"), &err), BH_EMALFORMED);
	assert_int_equal(bkdb_add_line(b, S("row|a|E|p||affected|||<"), &err), BH_EMALFORMED);
	assert_int_equal(bkdb_add_line(b, S("kev|a|GHSA-x"), &err), BH_EMALFORMED);
	assert_int_equal(bkdb_add_line(b, S("epss|a|CVE-24-1|1|1"), &err), BH_EMALFORMED);
	assert_int_equal(bkdb_add_line(b, S("entry|a||k|v"), &err), BH_EMALFORMED);
	row.ranges = &open_end;
	assert_int_equal(vuln_builder_row(b, &row, &err), BH_EMALFORMED);
	row.ranges = &no_end;
	assert_int_equal(vuln_builder_row(b, &row, &err), BH_EMALFORMED);
	struct vuln_range *many = calloc(VULN_ROW_ITEMS_MAX + 1, sizeof(*many));
	assert_non_null(many);
	row.ranges = many;
	row.n_ranges = VULN_ROW_ITEMS_MAX + 1;
	assert_int_equal(vuln_builder_row(b, &row, &err), BH_ELIMIT);
	row.n_ranges = VULN_ROW_ITEMS_MAX;
	must(vuln_builder_row(b, &row, &err));
	free(many);
	/* what was refused left nothing behind, and a builder finishes once */
	must(vuln_builder_finish(b, &out, &err));
	struct bh_buf want = build(S("source|a|20\nrow|a|E|p|X-1|affected|||<"));
	same_bytes(&want, &out);
	assert_int_equal(vuln_builder_finish(b, &out, &err), BH_EUSAGE);
	assert_int_equal(vuln_builder_row(b, &row, &err), BH_EUSAGE);
	vuln_builder_free(b);
	bh_buf_done(&out);
	bh_buf_init(&out, want.len - 1);
	must(vuln_builder_new(&b, &err));
	assert_int_equal(bkdb_add_text(b, S("source|a|20\nrow|a|E|p|X-1|affected|||<"), &err), 0);
	assert_int_equal(vuln_builder_finish(b, &out, &err), BH_ELIMIT);
	vuln_builder_free(b);
	bh_buf_done(&out);
	bh_buf_done(&want);
}

/* ---- merging ---- */

static void merge(struct vuln_builder *b, const struct bh_buf *bytes, const char *except)
{
	struct vuln_db *db = open_db(bytes);
	must(vuln_builder_merge(b, db, bh_slice_str(except), &err));
	vuln_db_close(db);
}

/* `text`, then the databases (NULL: none), the second without its source `except`. */
static struct bh_buf merged(struct bh_slice text, const struct bh_buf *first, const struct bh_buf *second, const char *except)
{
	struct vuln_builder *b = NULL;
	must(vuln_builder_new(&b, &err));
	must(bkdb_add_text(b, text, &err));
	if (first)
		merge(b, first, "");
	if (second)
		merge(b, second, except);
	return finish(b);
}

static void merging_is_building_from_all(void **state)
{
	(void)state;
	struct bh_buf text = load("tests/table/bkdb/sample.txt"), whole = build(bh_buf_slice(&text));
	struct bh_buf again = merged(S(""), &whole, NULL, ""), twice = merged(S(""), &whole, &whole, "");
	same_bytes(&whole, &again);
	same_bytes(&whole, &twice);
	bh_buf_done(&text);
	bh_buf_done(&whole);
	bh_buf_done(&again);
	bh_buf_done(&twice);
}

/* When the tracker goes, the changelogs' facts come back; when the link between names goes, so does the merged name. */
static void what_was_outweighed_comes_back(void **state)
{
	(void)state;
	const char *rest = "source|low|20\nadvisory|low|GHSA-x|||high|80|||||title\nrow|low|E|p|GHSA-x|affected|||<\nrow|low|E|p|CVE-2024-0001|fixed|||<1\n"
			   "kev|low|CVE-2024-0001|2024-01-01\nentry|low|t|k|v\n";
	const char *gone = "source|high|30\nadvisory|high|CVE-2024-0001|GHSA-x||low\nrow|high|E|p|CVE-2024-0001|not_affected\n"
			   "kev|high|CVE-2024-0001|2023-01-01\nentry|high|t|k|w\nepss|high|CVE-2024-0001|1|2\n";
	struct bh_buf both_text, want = build(bh_slice_str(rest));
	bh_buf_init(&both_text, DB_BYTES_MAX);
	assert_true(bh_buf_add_str(&both_text, rest) && bh_buf_add_str(&both_text, gone));
	struct bh_buf both = build(bh_buf_slice(&both_text)), got = merged(S(""), NULL, &both, "high");
	same_bytes(&want, &got);
	/* a source that is there already is not taken again, not even a better version of it */
	struct bh_buf kept = merged(S("source|high|30\nrow|high|E|p|CVE-2024-0009|affected|||<\n"), NULL, &both, "");
	bh_buf_clear(&both_text);
	assert_true(bh_buf_add_str(&both_text, rest) && bh_buf_add_str(&both_text, "source|high|30\nrow|high|E|p|CVE-2024-0009|affected|||<\n"));
	struct bh_buf kept_want = build(bh_buf_slice(&both_text));
	same_bytes(&kept_want, &kept);
	bh_buf_done(&both_text);
	bh_buf_done(&want);
	bh_buf_done(&both);
	bh_buf_done(&got);
	bh_buf_done(&kept);
	bh_buf_done(&kept_want);
}

/* Facts from small pools, so that names collide, sources contradict each other and rows repeat. */
static void random_facts(struct bh_buf *out, char source, unsigned n)
{
	static const char *const ids[] = { "CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0003", "GHSA-a", "GHSA-b", "GHSA-c", "X-1", "X-2", "X-3", "DSA-1" };
	static const char *const states[] = { "affected", "fixed", "not_affected" };
	static const char *const severities[] = { "", "low", "high" };
#define ID ids[random_below(COUNT(ids))]
	bh_buf_printf(out, "source|%c|%u|%u|2024-01-0%u\n", source, 10 + 10 * random_below(3), random_below(2), 1 + random_below(9));
	for (unsigned i = 0; i < n; i++)
		switch (random_below(8)) {
		case 0:
		case 1:
		case 2:
			bh_buf_printf(out, "advisory|%c|%s|%s,%s|%s|%s|%u|%u|2024-01-0%u|||%s\n", source, ID, ID, random_below(2) ? ID : "",
				      random_below(2) ? "CVSS:3.1/a" : "CVSS:3.0/b,CVSS:4.0/c", severities[random_below(3)], random_below(3), random_below(8),
				      1 + random_below(9), random_below(2) ? "t" : "");
			break;
		case 3:
			bh_buf_printf(out, "kev|%c|CVE-2024-000%u|2024-01-0%u|%u\n", source, random_below(3), 1 + random_below(3), random_below(2));
			break;
		case 4:
			bh_buf_printf(out, "entry|%c|t%u|k%u|v%u\n", source, random_below(2), random_below(3), random_below(2));
			break;
		default:
			bh_buf_printf(out, "row|%c|E%u|p%u|%s|%s|%s||%u<%u,%u<%u|%s|%s\n", source, random_below(2), random_below(2), ID,
				      states[random_below(3)], severities[random_below(3)], random_below(2), 3 + random_below(2), random_below(2),
				      5 + random_below(2), random_below(2) ? "1.0,1.1" : "", random_below(3) ? "" : "E-1");
		}
	assert_false(out->failed);
#undef ID
}

static void random_facts_keep_all_laws(void **state)
{
	(void)state;
	random_state = 2;
	for (unsigned round = 0; round < 300; round++) {
		struct bh_buf a, b, all, other;
		struct bh_slice lines[LINES_MAX];
		size_t n, sources;
		bh_buf_init(&a, DB_BYTES_MAX);
		bh_buf_init(&b, DB_BYTES_MAX);
		bh_buf_init(&all, DB_BYTES_MAX);
		bh_buf_init(&other, DB_BYTES_MAX);
		random_facts(&a, 'a', random_below(20));
		random_facts(&a, 'b', random_below(20));
		random_facts(&b, 'c', random_below(20));
		random_facts(&other, 'c', random_below(20));
		assert_true(bh_buf_add(&all, bh_buf_slice(&a)) && bh_buf_add(&all, bh_buf_slice(&b)));
		struct bh_buf want = build(bh_buf_slice(&all)), text = dump(&want);
		/* any order gives the same bytes */
		sources = split_lines(bh_buf_slice(&all), lines, &n);
		shuffle(lines, sources);
		shuffle(lines + sources, n - sources);
		struct bh_buf shuffled = build_lines(lines, n);
		same_bytes(&want, &shuffled);
		/* so does merging the parts, from either side, or adding to a part */
		struct bh_buf db_a = build(bh_buf_slice(&a)), db_b = build(bh_buf_slice(&b));
		struct bh_buf ab = merged(S(""), &db_a, &db_b, ""), ba = merged(S(""), &db_b, &db_a, ""), added = merged(bh_buf_slice(&b), NULL, &db_a, "");
		same_bytes(&want, &ab);
		same_bytes(&want, &ba);
		same_bytes(&want, &added);
		/* and replacing a source is building without the old one */
		bh_buf_clear(&all);
		assert_true(bh_buf_add(&all, bh_buf_slice(&a)) && bh_buf_add(&all, bh_buf_slice(&other)));
		struct bh_buf old = build(bh_buf_slice(&all)), replaced = merged(bh_buf_slice(&b), NULL, &old, "c");
		same_bytes(&want, &replaced);
		struct bh_buf *const bufs[] = { &a, &b, &all, &other, &want, &text, &shuffled, &db_a, &db_b, &ab, &ba, &added, &old, &replaced };
		for (size_t i = 0; i < COUNT(bufs); i++)
			bh_buf_done(bufs[i]);
	}
}

/* ---- damage ---- */

/* Every call on a database that may be damaged anywhere: it may fail, but must not crash, and must say why. */
static int walk(const struct bh_buf *bytes, bool *ret_opened)
{
	struct vuln_db *db = NULL;
	struct bh_buf out;
	struct vuln_span span;
	struct vuln_exploit e;
	uint32_t index;
	*ret_opened = false;
	err.text[0] = '\0';
	int rc = vuln_db_open(bh_buf_slice(bytes), &db, &err);
	if (rc < 0) {
		assert_true(err.text[0] != '\0');
		return rc;
	}
	*ret_opened = true;
	bh_buf_init(&out, DB_BYTES_MAX);
	int verified = vuln_db_verify(db, &err);
	assert_true(verified == 0 || err.text[0]);
	rc = bkdb_dump(db, &out, &err);
	rc = rc < 0 ? rc : vuln_db_find(db, S("PyPI"), S("demo"), &span, &err);
	rc = rc < 0 ? rc : vuln_db_find(db, S("Debian:12"), S("openssl"), &span, &err);
	rc = rc < 0 ? rc : vuln_db_exploit_id(db, S("CVE-2023-44487"), &e, &err);
	rc = rc < 0 ? rc : vuln_db_table(db, S("eol"), &span, &err);
	if (rc == 0) {
		rc = vuln_db_find_id(db, S("GHSA-aaaa-bbbb-cccc"), &index, &err);
		rc = rc == BH_ENOTFOUND ? 0 : rc;
	}
	if (verified == 0)
		must(rc); /* what passed gives no error later */
	assert_true(rc == 0 || rc == BH_EMALFORMED || rc == BH_ENOTFOUND);
	bh_buf_done(&out);
	vuln_db_close(db);
	return verified;
}

static void any_flipped_byte_is_noticed(void **state)
{
	(void)state;
	struct bh_buf text = load("tests/table/bkdb/sample.txt"), bytes = build(bh_buf_slice(&text));
	const uint8_t flips[] = { 0x01, 0x80, 0xff };
	bool opened;
	assert_int_equal(walk(&bytes, &opened), 0);
	for (size_t i = 0; i < bytes.len; i++)
		for (size_t k = 0; k < COUNT(flips); k++) {
			bytes.ptr[i] ^= flips[k];
			if (walk(&bytes, &opened) == 0)
				fail_msg("byte %zu ^ %02x was not noticed", i, flips[k]);
			bytes.ptr[i] ^= flips[k];
		}
	assert_int_equal(walk(&bytes, &opened), 0);
	bh_buf_done(&text);
	bh_buf_done(&bytes);
}

static void any_other_length_is_noticed(void **state)
{
	(void)state;
	struct bh_buf text = load("tests/table/bkdb/sample.txt"), bytes = build(bh_buf_slice(&text));
	bool opened;
	for (size_t len = 0; len < bytes.len; len++) {
		struct bh_buf exact; /* its own allocation: ASan sees one byte too far */
		bh_buf_init(&exact, len + 1);
		assert_true(bh_buf_add(&exact, bh_slice_sub(bh_buf_slice(&bytes), 0, len)));
		assert_true(walk(&exact, &opened) < 0 && !opened);
		bh_buf_done(&exact);
	}
	assert_true(bh_buf_add_byte(&bytes, 0));
	assert_int_equal(walk(&bytes, &opened), BH_EMALFORMED);
	bh_buf_done(&text);
	bh_buf_done(&bytes);
}

/* Sound checksums prove nothing: what passes all other checks must be safe to use. */
static void sealed_damage_is_noticed_or_harmless(void **state)
{
	(void)state;
	struct bh_buf text = load("tests/table/bkdb/sample.txt"), bytes = build(bh_buf_slice(&text)), copy;
	size_t head = VULN_HEADER_BYTES + VULN_N_SECTIONS * VULN_TABLE_ITEM_BYTES, noticed = 0, tried = 0;
	const uint8_t flips[] = { 0x01, 0x02, 0x10, 0x80, 0xff };
	bool opened;
	bh_buf_init(&copy, DB_BYTES_MAX);
	for (size_t i = head; i < bytes.len; i++)
		for (size_t k = 0; k < COUNT(flips); k++) {
			bh_buf_clear(&copy);
			assert_true(bh_buf_add(&copy, bh_buf_slice(&bytes)));
			copy.ptr[i] ^= flips[k];
			assert_true(bkdb_seal(copy.ptr, copy.len));
			noticed += walk(&copy, &opened) < 0;
			tried++;
		}
	/* the rest changed days, scores, flags and letters, which may be anything */
	print_message("# sealed damage: %zu of %zu noticed\n", noticed, tried);
	assert_true(noticed > tried / 3);
	bh_buf_done(&text);
	bh_buf_done(&bytes);
	bh_buf_done(&copy);
}

static void put_u32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, sizeof(v));
}

/* An unknown section and longer items are no obstacle; another major version is. */
static void later_formats_are_read_or_refused(void **state)
{
	(void)state;
	struct bh_buf text = load("tests/table/bkdb/sample.txt"), bytes = build(bh_buf_slice(&text)), want = dump(&bytes);
	const size_t head = VULN_HEADER_BYTES + VULN_N_SECTIONS * VULN_TABLE_ITEM_BYTES;
	struct bh_buf later;
	bh_buf_init(&later, DB_BYTES_MAX);
	assert_true(bh_buf_add(&later, bh_slice_sub(bh_buf_slice(&bytes), 0, head)));
	for (uint32_t i = 0; i < VULN_TABLE_ITEM_BYTES; i++)
		assert_true(bh_buf_add_byte(&later, 0)); /* one more section in the table */
	/* the sections once more, each item with four more bytes, but for the texts */
	for (size_t s = 0; s < VULN_N_SECTIONS; s++) {
		uint8_t *at = bytes.ptr + VULN_HEADER_BYTES + s * VULN_TABLE_ITEM_BYTES;
		uint64_t offset, length;
		uint32_t item, grown;
		memcpy(&item, at + 4, 4);
		memcpy(&offset, at + 8, 8);
		memcpy(&length, at + 16, 8);
		grown = item == 1 ? 1 : item + 4;
		while (later.len % VULN_ALIGN_BYTES)
			assert_true(bh_buf_add_byte(&later, 0));
		uint64_t new_offset = later.len, new_length = length / item * grown;
		for (uint64_t i = 0; i < length / item; i++) {
			assert_true(bh_buf_add(&later, bh_slice_sub(bh_buf_slice(&bytes), offset + i * item, item)));
			assert_true(item == 1 || bh_buf_add_str(&later, "more"));
		}
		uint8_t *to = later.ptr + VULN_HEADER_BYTES + s * VULN_TABLE_ITEM_BYTES;
		put_u32(to + 4, grown);
		memcpy(to + 8, &new_offset, 8);
		memcpy(to + 16, &new_length, 8);
	}
	while (later.len % VULN_ALIGN_BYTES)
		assert_true(bh_buf_add_byte(&later, 0));
	uint64_t offset = later.len, length = 6, total = later.len + 6;
	assert_true(bh_buf_add_str(&later, "future"));
	uint8_t *last = later.ptr + head;
	memcpy(last, "ZZZZ", 4);
	put_u32(last + 4, 3);
	memcpy(last + 8, &offset, 8);
	memcpy(last + 16, &length, 8);
	memcpy(later.ptr + 8, &total, 8);
	put_u32(later.ptr + 16, VULN_N_SECTIONS + 1);
	later.ptr[6] = 9; /* minor */
	assert_true(bkdb_seal(later.ptr, later.len));
	struct bh_buf got = dump(&later);
	assert_true(bh_slice_eq(bh_buf_slice(&want), bh_buf_slice(&got)));
	later.ptr[4] = 2; /* major */
	struct vuln_db *db = NULL;
	assert_int_equal(vuln_db_open(bh_buf_slice(&later), &db, &err), BH_EUNSUPPORTED);
	assert_null(db);
	bh_buf_done(&text);
	bh_buf_done(&bytes);
	bh_buf_done(&want);
	bh_buf_done(&later);
	bh_buf_done(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(lookups_find_what_is_there),
		cmocka_unit_test(every_package_is_found),
		cmocka_unit_test(strings_of_all_lengths),
		cmocka_unit_test(an_empty_database_is_one),
		cmocka_unit_test(the_order_of_addition_does_not_matter),
		cmocka_unit_test(names_become_one_flaw),
		cmocka_unit_test(records_become_one_view),
		cmocka_unit_test(better_sources_outweigh_others),
		cmocka_unit_test(repeats_go),
		cmocka_unit_test(the_strongest_exploitation_data_counts),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(merging_is_building_from_all),
		cmocka_unit_test(what_was_outweighed_comes_back),
		cmocka_unit_test(random_facts_keep_all_laws),
		cmocka_unit_test(any_flipped_byte_is_noticed),
		cmocka_unit_test(any_other_length_is_noticed),
		cmocka_unit_test(sealed_damage_is_noticed_or_harmless),
		cmocka_unit_test(later_formats_are_read_or_refused),
	};
	return cmocka_run_group_tests_name("vuln_db", tests, NULL, NULL);
}
