/*
 * test_match.c: the matcher, driven by tests/table/match.txt (whose head explains the language): each case builds a database, makes
 * a report with packages, matches, and compares what comes out as text.
 */
#include "vuln/builder.h"
#include "vuln/match.h"

#include "sys/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define FIELDS_MAX 10
#define S(text) BH_SLICE_LIT(text)
#define DB_BYTES_MAX (64u << 20)

static char db_path[64];

struct run {
	struct vuln_builder *builder;
	struct bh_report report;
	struct vuln_match_options options;
	uint32_t sources;
	bool facts;         /* the embedded facts instead of a database */
	struct bh_slice name;
	struct bh_buf expected, got;
};

/* ---- the language ---- */

static size_t fields_of(struct bh_slice line, struct bh_slice *out)
{
	size_t n = 0;
	for (bool more = true; more; n++) {
		assert_true(n < FIELDS_MAX);
		struct bh_slice rest;
		more = bh_slice_cut(line, '|', &out[n], &rest);
		out[n] = bh_slice_trim(out[n]);
		line = rest;
	}
	for (size_t i = n; i < FIELDS_MAX; i++)
		out[i] = (struct bh_slice){ 0 };
	return n;
}

/* The value of "key=value" among words, or empty; for "key" alone the word itself. */
static struct bh_slice option(struct bh_slice words, const char *key)
{
	struct bh_slice word, name, value;
	for (bool more = true; more;) {
		more = bh_slice_cut(words, ' ', &word, &words);
		if (bh_slice_eq_str(word, key))
			return word;
		if (bh_slice_cut(word, '=', &name, &value) && bh_slice_eq_str(name, key))
			return value;
	}
	return (struct bh_slice){ 0 };
}

static int32_t day_of(struct bh_slice text)
{
	int32_t day = VULN_NO_DAY;
	if (text.len)
		assert_true(vuln_day_parse(text, &day));
	return day;
}

static enum bh_severity severity_of(struct bh_slice text)
{
	enum bh_severity s = BH_SEV_UNKNOWN;
	if (text.len)
		assert_true(bh_severity_parse(text, &s));
	return s;
}

static void must(int rc, const struct bh_err *err)
{
	if (rc < 0)
		fail_msg("%s", err->text);
}

static void add_source(struct run *r, struct bh_slice name, struct bh_slice day, struct bh_slice flags)
{
	struct bh_err err;
	struct vuln_source s = { .name = name, .feed = S("test"), .day = day_of(day), .precedence = VULN_PREC_GENERIC, .records = 7 };
	s.flags = option(flags, "fixed-only").len ? VULN_SOURCE_FIXED_ONLY : 0;
	uint32_t index;
	must(vuln_builder_source(r->builder, &s, &index, &err), &err);
	assert_int_equal(index, r->sources);
	r->sources++;
}

/* Facts belong to the source named last. */
static uint32_t source(struct run *r)
{
	if (r->sources == 0)
		add_source(r, S("test-data"), S("2026-11-20"), S(""));
	return r->sources - 1;
}

/* "1.0<2.0", "<2.0", "1.0<", "<", "1.0<=2.0", "1.0!2.0" (limit) */
static struct vuln_range range_of(struct bh_slice text)
{
	struct vuln_range r = { .kind = VULN_END_FIXED };
	if (bh_slice_cut(text, '!', &r.start, &r.end)) {
		r.kind = VULN_END_LIMIT;
		return r;
	}
	assert_true(bh_slice_cut(text, '<', &r.start, &r.end));
	if (r.end.len && r.end.ptr[0] == '=') {
		r.end = bh_slice_sub(r.end, 1, r.end.len);
		r.kind = VULN_END_LAST;
	} else if (r.end.len == 0) {
		r.kind = VULN_END_NONE;
	}
	return r;
}

/* row ECOSYSTEM | PACKAGE | ID | STATE | RANGES | OPTIONS */
static void add_row(struct run *r, const struct bh_slice *f)
{
	struct bh_err err;
	struct vuln_range ranges[8];
	struct bh_slice versions[8], word, rest = f[4];
	struct vuln_new_row row = { .source = source(r), .ecosystem = f[0], .package = f[1], .id = f[2], .ranges = ranges, .versions = versions };
	assert_true(bh_state_parse(f[3], &row.state));
	for (bool more = rest.len > 0; more;) {
		more = bh_slice_cut(rest, ' ', &word, &rest);
		if (word.ptr[0] == '=')
			versions[row.n_versions++] = bh_slice_sub(word, 1, word.len);
		else
			ranges[row.n_ranges++] = range_of(word);
	}
	row.severity = severity_of(option(f[5], "severity"));
	row.arch = option(f[5], "arch");
	row.module = option(f[5], "module");
	row.erratum = option(f[5], "erratum");
	row.flags = (uint16_t)((option(f[5], "pending").len ? VULN_ROW_PENDING_UPDATE : 0) | (option(f[5], "unreviewed").len ? VULN_ROW_UNREVIEWED : 0));
	must(vuln_builder_row(r->builder, &row, &err), &err);
}

/* advisory ID | OPTIONS | TITLE */
static void add_advisory(struct run *r, const struct bh_slice *f)
{
	struct bh_err err;
	struct bh_slice alias = option(f[1], "alias"), cvss = option(f[1], "cvss");
	struct vuln_new_advisory a = { .source = source(r),
				       .id = f[0],
				       .aliases = &alias,
				       .n_aliases = alias.len > 0,
				       .cvss = &cvss,
				       .n_cvss = cvss.len > 0,
				       .severity = severity_of(option(f[1], "severity")),
				       .published_day = VULN_NO_DAY,
				       .modified_day = VULN_NO_DAY,
				       .withdrawn_day = day_of(option(f[1], "withdrawn")),
				       .title = f[2] };
	a.flags = (uint16_t)((a.withdrawn_day != VULN_NO_DAY ? VULN_ADV_WITHDRAWN : 0) | (option(f[1], "malware").len ? VULN_ADV_MALWARE : 0) |
			     (option(f[1], "informational").len ? VULN_ADV_INFORMATIONAL : 0));
	must(vuln_builder_advisory(r->builder, &a, &err), &err);
}

/* entry TABLE | KEY | COLUMN | COLUMN ...: the columns are joined with tabs; "\t" in a key is one. */
static void add_entry(struct run *r, const struct bh_slice *f, size_t n)
{
	struct bh_err err;
	struct bh_buf key, value;
	bh_buf_init(&key, 1024);
	bh_buf_init(&value, 1024);
	for (size_t i = 0; i < f[1].len; i++)
		bh_buf_add_byte(&key, f[1].ptr[i] == ';' ? '\t' : f[1].ptr[i]);
	for (size_t i = 2; i < n; i++) {
		bh_buf_add_str(&value, i == 2 ? "" : "\t");
		bh_buf_add(&value, f[i]);
	}
	must(vuln_builder_entry(r->builder, source(r), f[0], bh_buf_slice(&key), bh_buf_slice(&value), &err), &err);
	bh_buf_done(&value);
	bh_buf_done(&key);
}

/* package TYPE | NAME | VERSION | SOURCE | SOURCE_VERSION | OPTIONS */
static void add_package(struct run *r, const struct bh_slice *f)
{
	struct bh_package p = { .type = f[0],
				.name = f[1],
				.version = f[2],
				.source_name = f[3],
				.source_version = f[4],
				.arch = option(f[5], "arch"),
				.modularity = option(f[5], "modularity"),
				.owner = option(f[5], "owner"),
				.at.layer = BH_NO_LAYER };
	assert_true(bh_package_vec_push(&r->report.packages, p));
}

static void set_distro(struct run *r, const struct bh_slice *f)
{
	r->report.target.distro = (struct bh_distro){ .id = f[0], .version_id = f[1], .codename = option(f[2], "codename"), .id_like = option(f[2], "like") };
}

static void set_option(struct run *r, struct bh_slice key, struct bh_slice value)
{
	uint64_t n;
	if (bh_slice_eq_str(key, "today"))
		r->options.today_days = day_of(value);
	else if (bh_slice_eq_str(key, "withdrawn"))
		r->options.include_withdrawn = true;
	else if (bh_slice_eq_str(key, "owned"))
		r->options.match_owned = true;
	else if (bh_slice_eq_str(key, "max-age") && bh_slice_u64(value, 100000, &n))
		r->options.max_db_age_days = (uint32_t)n;
	else if (bh_slice_eq_str(key, "facts"))
		r->facts = true;
	else
		fail_msg("unknown option %.*s", BH_SLICE_FMT(key));
}

/* ---- what comes out ---- */

/* finding CLASS | ID | STATE | SEVERITY | PACKAGE | FIXED | EVIDENCE | FIX */
static void print_finding(struct bh_buf *b, const struct bh_finding *f)
{
	bh_buf_printf(b, "finding %s | %.*s", bh_class_name(f->class), BH_SLICE_FMT(f->id));
	for (size_t i = 0; i < f->n_aliases; i++)
		bh_buf_printf(b, " %.*s", BH_SLICE_FMT(f->aliases[i]));
	bh_buf_printf(b, " | %s | %s", bh_state_name(f->state), bh_severity_name(f->severity));
	if (f->cvss.score_tenths)
		bh_buf_printf(b, " %u.%u", f->cvss.score_tenths / 10u, f->cvss.score_tenths % 10u);
	if (f->kev)
		bh_buf_printf(b, " kev %.*s%s", BH_SLICE_FMT(f->kev_date), f->kev_ransomware ? " ransomware" : "");
	if (f->has_epss)
		bh_buf_printf(b, " epss %u", f->epss_score);
	assert_true(f->package == NULL || f->layer == f->package->at.layer);
	struct bh_slice about = f->package ? f->package->name : S("image");
	bh_buf_printf(b, " | %.*s |", BH_SLICE_FMT(about));
	for (size_t i = 0; i < f->n_fixed; i++)
		bh_buf_printf(b, " %.*s", BH_SLICE_FMT(f->fixed[i]));
	bh_buf_printf(b, " | %.*s | %.*s\n", BH_SLICE_FMT(f->evidence), BH_SLICE_FMT(f->fix));
	assert_true(f->title.len > 0 || f->class != BH_CLASS_END_OF_LIFE);
	assert_true(f->source.len > 0);
}

static void print_report(struct bh_buf *b, const struct bh_report *r)
{
	for (size_t i = 0; i < r->findings.len; i++)
		print_finding(b, &r->findings.ptr[i]);
	if (r->not_affected)
		bh_buf_printf(b, "not-affected %llu\n", (unsigned long long)r->not_affected);
	for (size_t i = 0; i < r->not_covered.len; i++)
		bh_buf_printf(b, "not-covered %.*s | %llu | %s | %.*s\n", BH_SLICE_FMT(r->not_covered.ptr[i].ecosystem),
			      (unsigned long long)r->not_covered.ptr[i].packages, r->not_covered.ptr[i].partial ? "partial" : "nothing",
			      BH_SLICE_FMT(r->not_covered.ptr[i].note));
	for (size_t i = 0; i < r->incomplete.len; i++)
		bh_buf_printf(b, "incomplete %.*s | %.*s | %.*s\n", BH_SLICE_FMT(r->incomplete.ptr[i].what), BH_SLICE_FMT(r->incomplete.ptr[i].path),
			      BH_SLICE_FMT(r->incomplete.ptr[i].reason));
}

/* Only in cases that ask: "data NAME | DATE | ORIGIN | RECORDS". */
static void print_data(struct bh_buf *b, const struct bh_report *r)
{
	for (size_t i = 0; i < r->data.len; i++)
		bh_buf_printf(b, "data %.*s | %.*s | %.*s | %llu\n", BH_SLICE_FMT(r->data.ptr[i].name), BH_SLICE_FMT(r->data.ptr[i].date),
			      BH_SLICE_FMT(r->data.ptr[i].origin), (unsigned long long)r->data.ptr[i].records);
}

static void write_database(struct run *r)
{
	struct bh_err err;
	struct bh_buf db;
	bh_buf_init(&db, DB_BYTES_MAX);
	(void)source(r);
	must(vuln_builder_finish(r->builder, &db, &err), &err);
	must(bh_write_file_atomic(db_path, bh_buf_slice(&db), 0600, &err), &err);
	bh_buf_done(&db);
}

static void start(struct run *r, struct bh_slice name)
{
	struct bh_err err;
	*r = (struct run){ .name = name };
	bh_report_init(&r->report);
	bh_buf_init(&r->expected, 1u << 20);
	bh_buf_init(&r->got, 1u << 20);
	r->options.today_days = day_of(S("2026-11-26"));
	must(vuln_builder_new(&r->builder, &err), &err);
}

static void finish(struct run *r)
{
	struct bh_err err;
	struct vuln_set *set;
	if (r->builder == NULL)
		return;
	write_database(r);
	assert_int_equal(setenv("BULKHEAD_DB", "", 1) | setenv("XDG_DATA_HOME", "/nonexistent", 1), 0);
	must(vuln_set_open(r->facts ? NULL : db_path, &set, &err), &err);
	must(vuln_match(set, &r->options, &r->report, &err), &err);
	vuln_set_close(set); /* the report must not need it any more */
	bh_report_sort_findings(&r->report);
	print_report(&r->got, &r->report);
	if (r->expected.len && memmem(r->expected.ptr, r->expected.len, "\ndata ", 6))
		print_data(&r->got, &r->report);
	if (!bh_slice_eq(bh_buf_slice(&r->got), bh_buf_slice(&r->expected)))
		fail_msg("case %.*s\n--- expected\n%.*s--- got\n%.*s", BH_SLICE_FMT(r->name), (int)r->expected.len, (const char *)r->expected.ptr, (int)r->got.len,
			 (const char *)r->got.ptr);
	vuln_builder_free(r->builder);
	bh_report_done(&r->report);
	bh_buf_done(&r->expected);
	bh_buf_done(&r->got);
	*r = (struct run){ 0 };
}

static void take_line(struct run *r, struct bh_slice line)
{
	struct bh_slice keyword, rest, f[FIELDS_MAX];
	struct bh_err err;
	(void)bh_slice_cut(line, ' ', &keyword, &rest);
	size_t n = fields_of(rest, f);
	uint64_t score;
	if (bh_slice_eq_str(keyword, "distro"))
		set_distro(r, f);
	else if (bh_slice_eq_str(keyword, "option"))
		set_option(r, f[0], f[1]);
	else if (bh_slice_eq_str(keyword, "source"))
		add_source(r, f[0], f[1], f[2]);
	else if (bh_slice_eq_str(keyword, "package"))
		add_package(r, f);
	else if (bh_slice_eq_str(keyword, "row"))
		add_row(r, f);
	else if (bh_slice_eq_str(keyword, "advisory"))
		add_advisory(r, f);
	else if (bh_slice_eq_str(keyword, "entry"))
		add_entry(r, f, n);
	else if (bh_slice_eq_str(keyword, "kev"))
		must(vuln_builder_kev(r->builder, source(r), f[0], day_of(f[1]), f[2].len > 0, &err), &err);
	else if (bh_slice_eq_str(keyword, "epss") && bh_slice_u64(f[1], 65535, &score))
		must(vuln_builder_epss(r->builder, source(r), f[0], (uint16_t)score, 60000, day_of(S("2026-11-20")), &err), &err);
	else if (bh_slice_eq_str(keyword, "finding") || bh_slice_starts(keyword, S("not-")) || bh_slice_eq_str(keyword, "incomplete") ||
		 bh_slice_eq_str(keyword, "data"))
		(void)(bh_buf_add(&r->expected, line) && bh_buf_add_byte(&r->expected, '\n'));
	else
		fail_msg("unknown keyword: %.*s", BH_SLICE_FMT(line));
}

static void test_table(void **state)
{
	(void)state;
	struct bh_err err;
	struct bh_buf text;
	struct run r = { 0 };
	unsigned cases = 0;
	bh_buf_init(&text, 1u << 20);
	must(bh_read_file("tests/table/match.txt", 1u << 20, &text, &err), &err);
	struct bh_slice line, rest = bh_buf_slice(&text);
	for (bool more = true; more;) {
		more = bh_slice_cut(rest, '\n', &line, &rest);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		if (bh_slice_starts(line, S("case "))) {
			finish(&r);
			start(&r, bh_slice_sub(line, 5, line.len));
			cases++;
		} else {
			take_line(&r, line);
		}
	}
	finish(&r);
	assert_true(cases > 40);
	bh_buf_done(&text);
	(void)unlink(db_path);
}

/* ---- which database is used ---- */

static char folder[64];

static const char *below(const char *name)
{
	static char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, struct bh_slice bytes)
{
	struct bh_err err;
	char dir[256];
	(void)snprintf(dir, sizeof(dir), "%s", below(name));
	*strrchr(dir, '/') = '\0';
	must(bh_mkdirs(dir, 0700, &err), &err);
	must(bh_write_file_atomic(below(name), bytes, 0600, &err), &err);
}

/* A database with a source of this name. */
static void put_database(const char *name, const char *source_name)
{
	struct run r;
	struct bh_err err;
	struct bh_buf db;
	start(&r, S("set"));
	bh_buf_init(&db, DB_BYTES_MAX);
	add_source(&r, bh_slice_str(source_name), S("2026-11-20"), S(""));
	must(vuln_builder_finish(r.builder, &db, &err), &err);
	put(name, bh_buf_slice(&db));
	bh_buf_done(&db);
	vuln_builder_free(r.builder);
	bh_report_done(&r.report);
	bh_buf_done(&r.expected);
	bh_buf_done(&r.got);
}

/* Name of the first source of the set that opens, or the error's text. */
static const char *opened(const char *db_option)
{
	static char answer[BH_ERR_TEXT_BYTES];
	struct bh_err err;
	struct vuln_set *set;
	struct bh_report report;
	struct vuln_match_options options = { 0 };
	if (vuln_set_open(db_option, &set, &err) < 0) {
		(void)snprintf(answer, sizeof(answer), "%s", err.text);
		return answer;
	}
	bh_report_init(&report);
	must(vuln_match(set, &options, &report, &err), &err);
	(void)snprintf(answer, sizeof(answer), "%.*s", BH_SLICE_FMT(report.data.ptr[0].name));
	bh_report_done(&report);
	vuln_set_close(set);
	return answer;
}

static void set_env(const char *bulkhead_db, const char *xdg, const char *home)
{
	assert_int_equal(bulkhead_db ? setenv("BULKHEAD_DB", bulkhead_db, 1) : unsetenv("BULKHEAD_DB"), 0);
	assert_int_equal(xdg ? setenv("XDG_DATA_HOME", xdg, 1) : unsetenv("XDG_DATA_HOME"), 0);
	assert_int_equal(home ? setenv("HOME", home, 1) : unsetenv("HOME"), 0);
}

/* The text names the file and says what to do. */
static void assert_refused(const char *text, const char *file, const char *advice)
{
	if (!strstr(text, file) || !strstr(text, advice))
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", text, file, advice);
}

static void test_set(void **state)
{
	(void)state;
	char named[256], home[256];
	if (access("/var/lib/bulkhead/bulkhead.bkdb", F_OK) == 0) {
		print_message("# skipped: the database in /var/lib/bulkhead would answer\n");
		skip();
	}
	(void)snprintf(folder, sizeof(folder), "/tmp/bulkhead-test-set-%d", (int)getpid());
	put_database("named.bkdb", "named");
	put_database("xdg/bulkhead/bulkhead.bkdb", "xdg");
	put_database("home/.local/share/bulkhead/bulkhead.bkdb", "home");
	put("broken/bulkhead/bulkhead.bkdb", S("this is no database, but it is long enough to look at its first bytes"));
	put("empty/bulkhead/bulkhead.bkdb", S(""));
	put("folder/bulkhead/bulkhead.bkdb/x", S(""));
	(void)snprintf(named, sizeof(named), "%s", below("named.bkdb"));
	(void)snprintf(home, sizeof(home), "%s", below("home"));

	set_env(NULL, NULL, NULL);
	assert_string_equal(opened(NULL), "cisa-kev"); /* the embedded facts */
	set_env(NULL, NULL, home);
	assert_string_equal(opened(NULL), "home");
	set_env(NULL, "relative", home); /* to be ignored, says the specification */
	assert_string_equal(opened(NULL), "home");
	set_env("", below("xdg"), home);
	assert_string_equal(opened(NULL), "xdg");
	set_env(named, below("xdg"), home);
	assert_string_equal(opened(NULL), "named");
	assert_string_equal(opened(below("xdg/bulkhead/bulkhead.bkdb")), "xdg");
	set_env(NULL, below("nothing-here"), home);
	assert_string_equal(opened(NULL), "cisa-kev");

	/* Named, but missing or damaged: never something else instead. */
	assert_refused(opened(below("missing.bkdb")), "missing.bkdb", "--db");
	assert_refused(opened(""), "--db", "empty");
	set_env(below("missing.bkdb"), NULL, NULL);
	assert_refused(opened(NULL), "missing.bkdb", "BULKHEAD_DB");
	static const char *const damaged[] = { "broken", "empty", "folder" };
	for (size_t i = 0; i < 3; i++) {
		set_env(NULL, below(damaged[i]), home);
		assert_refused(opened(NULL), damaged[i], "move the file away");
	}
	char clean[128];
	(void)snprintf(clean, sizeof(clean), "rm -rf %s", folder);
	assert_int_equal(system(clean), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_set),
	};
	(void)snprintf(db_path, sizeof(db_path), "/tmp/bulkhead-test-match-%d.bkdb", (int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
