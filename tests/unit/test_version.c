/*
 * test_version.c: the orders of versions. What is right comes from the distributions' own tools: the tables in tests/table/versions
 * were answered by them (see its README.md), not by us. tests/live/versions.py compares with them afresh.
 */
#include "version/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define LINE_BYTES_MAX 4096
#define CASES_MIN 100
#define VERSIONS_MAX 160
#define LONG_BYTES (256u << 10)

static char sign_of(const struct version_scheme *scheme, struct bh_slice a, struct bh_slice b)
{
	int order;
	struct bh_err err;
	if (scheme->compare(a, b, &order, &err) < 0) {
		assert_int_equal(err.code, BH_EMALFORMED);
		assert_true(err.text[0] != '\0');
		return '?';
	}
	return order < 0 ? '<' : order > 0 ? '>' : '=';
}

static char mirrored(char sign)
{
	return sign == '<' ? '>' : sign == '>' ? '<' : sign;
}

/* Lines "A op B", both ways round. Returns how many there were. */
static size_t check_table(const char *scheme_name, const char *path)
{
	const struct version_scheme *scheme = version_scheme_find(bh_slice_str(scheme_name));
	assert_non_null(scheme);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	char line[LINE_BYTES_MAX];
	size_t n = 0;
	while (fgets(line, sizeof(line), f)) {
		struct bh_slice s = bh_slice_trim(bh_slice_str(line)), a, op, b = { 0 };
		if (s.len == 0 || s.ptr[0] == '#')
			continue;
		assert_true(bh_slice_cut(s, ' ', &a, &s) && bh_slice_cut(s, ' ', &op, &b));
		char got = sign_of(scheme, a, b), back = sign_of(scheme, b, a);
		if (op.len != 1 || got != op.ptr[0] || back != mirrored(got))
			fail_msg("%s: %s: we say %c and %c", path, line, got, back);
		n++;
	}
	fclose(f);
	return n;
}

static void every_scheme_agrees_with_its_tool(void **state)
{
	(void)state;
	for (size_t i = 0; version_schemes[i]; i++) {
		char path[128];
		snprintf(path, sizeof(path), "tests/table/versions/%s.txt", version_schemes[i]->name);
		assert_true(check_table(version_schemes[i]->name, path) >= CASES_MIN);
	}
}

static void a_commit_hash_sorts_before_the_revision(void **state)
{
	(void)state; /* apk-tools 3, test/unit/version.data; apk 2 has no such thing */
	const struct version_scheme *apk = version_scheme_find(BH_SLICE_LIT("apk"));
	assert_int_equal(sign_of(apk, BH_SLICE_LIT("1.0~1234"), BH_SLICE_LIT("1.0~2345")), '<');
	assert_int_equal(sign_of(apk, BH_SLICE_LIT("1.0~1234-r1"), BH_SLICE_LIT("1.0~1234-r0")), '>');
	assert_int_equal(sign_of(apk, BH_SLICE_LIT("1.0"), BH_SLICE_LIT("1.0~1234")), '<');
	assert_true(apk->valid(BH_SLICE_LIT("1.0_p3~1234abcd-r2")));
	assert_false(apk->valid(BH_SLICE_LIT("1.0~")));
	assert_false(apk->valid(BH_SLICE_LIT("1.0~xyz")));
	assert_false(apk->valid(BH_SLICE_LIT("1.0~12~34")));
	assert_false(apk->valid(BH_SLICE_LIT("1.0-r0~12")));
}

static void apk_knows_invalid_versions(void **state)
{
	(void)state; /* as `apk version --check` of apk-tools 2.14 */
	static const char *const good[] = { "1", "1.2.3", "0.1.0_alpha", "1.2.3a_rc1_p2-r10", "1.06-r6", "2.3.0b-r4", "3.1_p17", "006" };
	static const char *const bad[] = { "", "1.0bc", "23_foo", "1.2.0A", "1.0-1", "1-r1.1", "1.0+git", "1:2", "1.0-r1_p1", "1.0 " };
	const struct version_scheme *apk = version_scheme_find(BH_SLICE_LIT("apk"));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(apk->valid(bh_slice_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(apk->valid(bh_slice_str(bad[i])));
}

static void a_refused_version_is_not_valid(void **state)
{
	(void)state;
	for (size_t i = 0; version_schemes[i]; i++) {
		assert_int_equal(sign_of(version_schemes[i], BH_SLICE_LIT(""), BH_SLICE_LIT("1")), '?');
		assert_int_equal(sign_of(version_schemes[i], BH_SLICE_LIT("1"), BH_SLICE_LIT("")), '?');
		assert_int_equal(sign_of(version_schemes[i], BH_SLICE_LIT("1\0002"), BH_SLICE_LIT("1")), '?');
		assert_false(version_schemes[i]->valid(BH_SLICE_LIT("")));
		assert_false(version_schemes[i]->valid(BH_SLICE_LIT("1\0002")));
	}
}

/* The left sides of a table, to be compared with each other. */
static size_t read_versions(const char *path, char store[][128], struct bh_slice *ret)
{
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	char line[LINE_BYTES_MAX];
	size_t n = 0, seen = 0;
	while (n < VERSIONS_MAX && fgets(line, sizeof(line), f)) {
		struct bh_slice a, rest;
		if (line[0] == '#' || seen++ % 3 || !bh_slice_cut(bh_slice_str(line), ' ', &a, &rest) || a.len >= 128)
			continue;
		memcpy(store[n], a.ptr, a.len);
		ret[n] = (struct bh_slice){ (const uint8_t *)store[n], a.len };
		n++;
	}
	fclose(f);
	return n;
}

static void check_order(const struct version_scheme *scheme, const struct bh_slice *v, size_t n)
{
	static char sign[VERSIONS_MAX][VERSIONS_MAX];
	bool transitive = strcmp(scheme->name, "maven") != 0; /* Maven's own order has cycles: 1.0 < 1-rc_milestone < 1.0-.RC1 < 1.0 */
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			sign[i][j] = scheme->valid(v[i]) && scheme->valid(v[j]) ? sign_of(scheme, v[i], v[j]) : '?';
	for (size_t i = 0; i < n; i++) {
		if (scheme->valid(v[i]))
			assert_int_equal(sign[i][i], '=');
		for (size_t j = 0; j < n; j++) {
			assert_int_equal(sign[i][j], mirrored(sign[j][i]));
			for (size_t k = 0; k < n; k++)
				if (transitive && sign[i][j] == '<' && sign[j][k] == '<' && sign[i][k] != '<')
					fail_msg("%s: %.*s < %.*s < %.*s", scheme->name, BH_SLICE_FMT(v[i]), BH_SLICE_FMT(v[j]), BH_SLICE_FMT(v[k]));
		}
	}
}

static void valid_versions_have_one_order(void **state)
{
	(void)state;
	static char store[VERSIONS_MAX][128];
	for (size_t i = 0; version_schemes[i]; i++) {
		char path[128];
		struct bh_slice versions[VERSIONS_MAX];
		snprintf(path, sizeof(path), "tests/table/versions/%s.txt", version_schemes[i]->name);
		size_t n = read_versions(path, store, versions);
		assert_true(n > 30);
		check_order(version_schemes[i], versions, n);
	}
}

/* Hundreds of thousands of signs, digits or alternations: quadratic work or recursion would show as a timeout or a crash. */
static void long_versions_are_cheap(void **state)
{
	(void)state;
	static const char *const patterns[] = { "~", "0", "9", "a", ".", "1a", "1.", "-", "^", "_p", "_p1", ":", "~1", "-r1", ".0", "+1", "-a", "-.", "0.", ".a" };
	uint8_t *a = malloc(LONG_BYTES), *b = malloc(LONG_BYTES);
	assert_true(a && b);
	for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
		size_t len = strlen(patterns[p]);
		for (size_t i = 0; i < LONG_BYTES; i++)
			a[i] = b[i] = i == 0 ? '1' : (uint8_t)patterns[p][(i - 1) % len];
		b[LONG_BYTES - 1] = 'z';
		for (size_t i = 0; version_schemes[i]; i++) {
			struct bh_slice x = { a, LONG_BYTES }, y = { b, LONG_BYTES };
			char same = sign_of(version_schemes[i], x, x), there = sign_of(version_schemes[i], x, y);
			assert_true(same == '=' || same == '?');
			assert_int_equal(there, mirrored(sign_of(version_schemes[i], y, x)));
			(void)version_schemes[i]->valid(x);
		}
	}
	free(a);
	free(b);
}

static void ecosystems_have_schemes(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "Debian:12", "dpkg" },     { "Ubuntu:22.04:LTS", "dpkg" }, { "Ubuntu:Pro:18.04:LTS", "dpkg" }, { "Alpine:v3.19", "apk" },
		{ "Wolfi", "apk" },          { "Chainguard", "apk" },        { "AlmaLinux:9", "rpm" },           { "Rocky Linux:9", "rpm" },
		{ "openSUSE:Leap 15.5", "rpm" }, { "Red Hat:enterprise_linux:9::baseos", "rpm" },
		{ "npm", "semver" },         { "PyPI", "pep440" },           { "Maven:https://repo1.maven.org/maven2", "maven" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct version_scheme *s = version_scheme_for_ecosystem(bh_slice_str(cases[i][0]));
		assert_non_null(s);
		assert_string_equal(s->name, cases[i][1]);
	}
	assert_null(version_scheme_for_ecosystem(BH_SLICE_LIT("Debianish:12")));
	assert_null(version_scheme_for_ecosystem(BH_SLICE_LIT("")));
	assert_null(version_scheme_find(BH_SLICE_LIT("nope")));
}

static void types_have_schemes(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "deb", "dpkg" }, { "apk", "apk" }, { "rpm", "rpm" }, { "pypi", "pep440" }, { "npm", "semver" }, { "gem", "gem" }, { "golang", "golang" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(version_scheme_for_type(bh_slice_str(cases[i][0]))->name, cases[i][1]);
	assert_null(version_scheme_for_type(BH_SLICE_LIT("conan")));
	assert_null(version_scheme_for_type(BH_SLICE_LIT("generic")));
	assert_string_equal(version_ecosystem_of_type(BH_SLICE_LIT("conan")), "ConanCenter");
	assert_null(version_ecosystem_of_type(BH_SLICE_LIT("generic")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scheme_agrees_with_its_tool),
		cmocka_unit_test(a_commit_hash_sorts_before_the_revision),
		cmocka_unit_test(apk_knows_invalid_versions),
		cmocka_unit_test(a_refused_version_is_not_valid),
		cmocka_unit_test(valid_versions_have_one_order),
		cmocka_unit_test(long_versions_are_cheap),
		cmocka_unit_test(ecosystems_have_schemes),
		cmocka_unit_test(types_have_schemes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
