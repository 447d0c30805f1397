/*
 * test_version_ranges.c: ranges of versions. What is right comes from the package managers: the tables in tests/table/ranges were answered by
 * them (tests/live/version_ranges.py, which also compares afresh), NuGet's is its documentation. Intervals must say the same as asking.
 */
#include "version/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define LINE_BYTES_MAX 4096
#define ARENA_BYTES (1u << 20)
#define CASES_MIN 30

struct range_case {
	struct bh_slice version, range, answer;
};

typedef void check_fn(const struct version_range_syntax *syntax, const struct range_case *c, const char *line);

static size_t for_each_case(const struct version_range_syntax *syntax, check_fn *check)
{
	char path[128], line[LINE_BYTES_MAX];
	snprintf(path, sizeof(path), "tests/table/ranges/%s.tsv", syntax->name);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t n = 0;
	while (fgets(line, sizeof(line), f)) {
		struct range_case c;
		struct bh_slice rest;
		if (line[0] == '#')
			continue;
		assert_true(bh_slice_cut(bh_slice_str(line), '\t', &c.version, &rest) && bh_slice_cut(rest, '\t', &c.range, &c.answer));
		c.answer = bh_slice_trim(c.answer);
		check(syntax, &c, line);
		n++;
	}
	fclose(f);
	return n;
}

static char ask(const struct version_range_syntax *syntax, const struct range_case *c)
{
	struct bh_arena arena;
	struct version_range range;
	struct bh_err err = { 0 };
	bool yes;
	bh_arena_init(&arena, ARENA_BYTES);
	int rc = version_range_parse(syntax, c->range, &arena, &range, &err);
	rc = rc == 0 ? version_range_contains(&range, c->version, &yes, &err) : rc;
	bh_arena_done(&arena);
	if (rc == 0)
		return yes ? 'y' : 'n';
	assert_int_equal(err.code, BH_EMALFORMED);
	assert_true(err.text[0] != '\0');
	return '?';
}

static void check_answer(const struct version_range_syntax *syntax, const struct range_case *c, const char *line)
{
	char got = ask(syntax, c);
	if (c->answer.len != 1 || got != c->answer.ptr[0])
		fail_msg("%s: %s: we say %c", syntax->name, line, got);
}

static void every_syntax_agrees_with_its_tool(void **state)
{
	(void)state;
	for (size_t i = 0; version_ranges[i]; i++)
		assert_true(for_each_case(version_ranges[i], check_answer) >= CASES_MIN);
}

static bool is_in(const struct version_scheme *s, const struct version_interval *all, size_t n, struct bh_slice v)
{
	for (size_t i = 0; i < n; i++) {
		int low = 1, high = -1;
		assert_true(all[i].low.len == 0 || s->compare(v, all[i].low, &low, NULL) == 0);
		assert_true(all[i].high.len == 0 || s->compare(v, all[i].high, &high, NULL) == 0);
		if ((low > 0 || (low == 0 && !all[i].low_excluded)) && (high < 0 || (high == 0 && !all[i].high_excluded)))
			return true;
	}
	return false;
}

/* Releases, of which the order alone decides; of Python's specifiers only those that are plain comparisons. */
static bool order_decides(const struct version_range_syntax *syntax, const struct range_case *c)
{
	for (size_t i = 0; i < c->version.len; i++)
		if (c->version.ptr[i] != '.' && (c->version.ptr[i] < '0' || c->version.ptr[i] > '9'))
			return false;
	return strcmp(syntax->name, "pep440") != 0 || (bh_slice_find(c->range, '*') == c->range.len && bh_slice_find(c->range, '~') == c->range.len &&
						      !memmem(c->range.ptr, c->range.len, "===", 3));
}

static void check_intervals(const struct version_range_syntax *syntax, const struct range_case *c, const char *line)
{
	struct bh_arena arena;
	struct version_range range;
	struct version_interval *all, *others;
	size_t n;
	if (c->answer.ptr[0] == '?' || !order_decides(syntax, c))
		return;
	bh_arena_init(&arena, ARENA_BYTES);
	assert_int_equal(version_range_parse(syntax, c->range, &arena, &range, NULL), 0);
	assert_int_equal(version_range_intervals(&range, &all, &n, NULL), 0);
	others = bh_arena_array(&arena, n + 1, sizeof(*others));
	assert_non_null(others);
	size_t m = version_intervals_complement(all, n, others);
	bool yes = c->answer.ptr[0] == 'y';
	if (is_in(range.scheme, all, n, c->version) != yes || is_in(range.scheme, others, m, c->version) == yes)
		fail_msg("%s: %s: intervals say otherwise", syntax->name, line);
	bh_arena_done(&arena);
}

static void intervals_say_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; version_ranges[i]; i++)
		(void)for_each_case(version_ranges[i], check_intervals);
}

static void intervals_are_merged_and_turned_around(void **state)
{
	(void)state;
	struct bh_arena arena;
	struct version_range range;
	struct version_interval *all, gaps[8];
	size_t n;
	bh_arena_init(&arena, ARENA_BYTES);
	assert_int_equal(version_range_parse(version_ranges_find(BH_SLICE_LIT("maven")), BH_SLICE_LIT("[1,2),[2,3],(4,5)"), &arena, &range, NULL), 0);
	assert_int_equal(version_range_intervals(&range, &all, &n, NULL), 0);
	assert_int_equal(n, 2); /* [1,3] and (4,5) */
	assert_true(bh_slice_eq_str(all[0].low, "1") && bh_slice_eq_str(all[0].high, "3") && !all[0].high_excluded);
	assert_int_equal(version_intervals_complement(all, n, gaps), 3); /* below 1, (3,4], from 5 on */
	assert_true(gaps[0].low.len == 0 && bh_slice_eq_str(gaps[0].high, "1") && gaps[0].high_excluded);
	assert_true(bh_slice_eq_str(gaps[1].low, "3") && gaps[1].low_excluded && bh_slice_eq_str(gaps[1].high, "4") && !gaps[1].high_excluded);
	assert_true(bh_slice_eq_str(gaps[2].low, "5") && !gaps[2].low_excluded && gaps[2].high.len == 0);
	assert_int_equal(version_intervals_complement(NULL, 0, gaps), 1); /* nothing: all */
	assert_true(gaps[0].low.len == 0 && gaps[0].high.len == 0);
	bh_arena_done(&arena);
}

static void hostile_ranges_end(void **state)
{
	(void)state;
	static const char *const patterns[] = { "<1 ", "||", "!=1,", "[1,2],", "^", "1.", "|", "(", "9", "- ", "~>1,", "*", "1 - 2 " };
	static uint8_t text[VERSION_RANGE_BYTES_MAX + 1];
	for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = (uint8_t)patterns[p][i % strlen(patterns[p])];
		for (size_t i = 0; version_ranges[i]; i++) {
			struct bh_arena arena;
			struct version_range range;
			struct version_interval *all;
			size_t n;
			bh_arena_init(&arena, 16 * ARENA_BYTES);
			assert_int_equal(version_range_parse(version_ranges[i], (struct bh_slice){ text, sizeof(text) }, &arena, &range, NULL), BH_ELIMIT);
			if (version_range_parse(version_ranges[i], (struct bh_slice){ text, VERSION_RANGE_BYTES_MAX }, &arena, &range, NULL) == 0)
				assert_int_equal(version_range_intervals(&range, &all, &n, NULL), 0);
			bh_arena_done(&arena);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_syntax_agrees_with_its_tool),
		cmocka_unit_test(intervals_say_the_same),
		cmocka_unit_test(intervals_are_merged_and_turned_around),
		cmocka_unit_test(hostile_ranges_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
