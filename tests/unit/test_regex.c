/* test_regex.c: regular expressions. Expected values: RE2's syntax page (what is refused), and Python's re for what both know. */
#include "format/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define MEMORY_BYTES (1u << 20)

static struct bh_regex *compiled(const char *pattern)
{
	struct bh_regex *re = NULL;
	struct bh_err err = { 0 };
	if (bh_regex_compile(bh_slice_str(pattern), BH_REGEX_UTF8, MEMORY_BYTES, &re, &err) < 0)
		print_error("%s: %s\n", pattern, err.text);
	assert_non_null(re);
	return re;
}

static void first_matches(void **state)
{
	static const struct {
		const char *pattern, *text, *whole, *group; /* NULL: no match; no such part */
	} cases[] = {
		{ "b+", "aabbbcc", "bbb", NULL },
		{ "^b", "ab", NULL, NULL },
		{ "(?m)^b", "a\nb", "b", NULL },
		{ "a(b)?c", "xac", "ac", NULL },
		{ "a(b)?c", "xabc", "abc", "b" },
		{ "(?i)HTTP(s)", "see https:", "https", "s" },
		{ "", "abc", "", NULL },
		{ "x*", "abc", "", NULL },
		{ "^.$", "\xc3\xa9", "\xc3\xa9", NULL },
		{ "\\pL+", "1\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9", NULL },
		{ "a.c", "a\xff" "c", NULL, NULL },
		{ "[[:digit:]]{2,3}", "a12345", "123", NULL },
		{ "(?P<key>[a-z]+)=", "  ab=", "ab=", "ab" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bh_regex *re = compiled(cases[i].pattern);
		struct bh_slice parts[2] = { 0 };
		int rc = bh_regex_search(re, bh_slice_str(cases[i].text), 0, parts, 2);
		if (rc != (cases[i].whole != NULL))
			print_error("%s in %s: %d\n", cases[i].pattern, cases[i].text, rc);
		assert_int_equal(rc, cases[i].whole != NULL);
		if (rc == 1) {
			assert_true(bh_slice_eq_str(parts[0], cases[i].whole));
			assert_true(cases[i].group ? bh_slice_eq_str(parts[1], cases[i].group) : parts[1].ptr == NULL);
		}
		bh_regex_free(re);
	}
}

static void next_matches(void **state)
{
	struct bh_slice text = BH_SLICE_LIT("a1b22c333"), part;
	struct bh_regex *re = compiled("[0-9]+");
	size_t lengths[] = { 1, 2, 3 }, at = 0;
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(bh_regex_search(re, text, at, &part, 1), 1);
		assert_int_equal(part.len, lengths[i]);
		at = (size_t)(part.ptr - text.ptr) + part.len;
	}
	assert_int_equal(bh_regex_search(re, text, at, &part, 1), 0);
	assert_int_equal(bh_regex_search(re, text, 100, &part, 1), 0);
	bh_regex_free(re);
}

static void groups(void **state)
{
	struct bh_regex *re = compiled("(a)(?P<name>b)(?:c)");
	(void)state;
	assert_int_equal(bh_regex_groups(re), 2);
	assert_null(bh_regex_group_name(re, 1));
	assert_string_equal(bh_regex_group_name(re, 2), "name");
	bh_regex_free(re);
}

static void refused(void **state)
{
	static const struct {
		const char *pattern;
		int rc;
	} cases[] = {
		{ "a(?=b)", BH_EMALFORMED }, { "a(?!b)", BH_EMALFORMED }, { "(?<=a)b", BH_EMALFORMED }, { "(a)\\1", BH_EMALFORMED },
		{ "a(", BH_EMALFORMED },     { "[z-a]", BH_EMALFORMED },  { "*a", BH_EMALFORMED },       { "\\C(", BH_EMALFORMED },
		{ "a{1001}", BH_EMALFORMED }, { "((a{100}){100}){10}", BH_EMALFORMED }, { "(\\pL{500}){2}", BH_ELIMIT }, { "\xff", BH_EMALFORMED },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bh_regex *re = NULL;
		struct bh_err err = { 0 };
		int rc = bh_regex_compile(bh_slice_str(cases[i].pattern), BH_REGEX_UTF8, MEMORY_BYTES, &re, &err);
		if (rc != cases[i].rc)
			print_error("%s: %d %s\n", cases[i].pattern, rc, err.text);
		assert_int_equal(rc, cases[i].rc);
		assert_null(re);
		assert_true(err.text[0] != '\0');
	}
}

/* Patterns that take a backtracking engine for ever: here a text ten times as long takes at most about ten times as long. */
static void linear_time(void **state)
{
	static const char *const patterns[] = { "(a*)*b", "(a|a)*b", "(a+a+)+b", "^(([a-z])+.)+[A-Z]([a-z])+$" };
	size_t len = 1u << 20;
	uint8_t *text = malloc(len);
	struct bh_slice part;
	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct bh_regex *re = compiled(patterns[i]);
		assert_int_equal(bh_regex_search(re, (struct bh_slice){ text, len }, 0, &part, 1), 0);
		bh_regex_free(re);
	}
	free(text);
}

static void bytes(void **state)
{
	struct bh_regex *re = NULL;
	struct bh_err err;
	struct bh_slice part;
	(void)state;
	assert_int_equal(bh_regex_compile(BH_SLICE_LIT("a.c"), BH_REGEX_BYTES, MEMORY_BYTES, &re, &err), 0);
	assert_int_equal(bh_regex_search(re, BH_SLICE_LIT("a\xff" "c"), 0, &part, 1), 1);
	assert_int_equal(part.len, 3);
	bh_regex_free(re);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_matches), cmocka_unit_test(next_matches), cmocka_unit_test(groups),
		cmocka_unit_test(refused),       cmocka_unit_test(linear_time),  cmocka_unit_test(bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
