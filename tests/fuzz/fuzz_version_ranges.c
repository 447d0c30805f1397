/* fuzz_version_ranges.c: a range and, behind the first newline, a version, in every syntax: intervals and their complement share nothing. */
#include "version/ranges.h"

#include <stdlib.h>

#define ARENA_BYTES (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_in(const struct version_scheme *s, const struct version_interval *all, size_t n, struct bh_slice v)
{
	for (size_t i = 0; i < n; i++) {
		int low = 1, high = -1;
		if ((all[i].low.len && s->compare(v, all[i].low, &low, NULL) < 0) || (all[i].high.len && s->compare(v, all[i].high, &high, NULL) < 0))
			return false;
		if ((low > 0 || (low == 0 && !all[i].low_excluded)) && (high < 0 || (high == 0 && !all[i].high_excluded)))
			return true;
	}
	return false;
}

static void check(const struct version_range_syntax *syntax, struct bh_slice text, struct bh_slice version)
{
	struct bh_arena arena;
	struct version_range range;
	struct version_interval *all, *others;
	size_t n;
	bool yes;
	bh_arena_init(&arena, ARENA_BYTES);
	if (version_range_parse(syntax, text, &arena, &range, NULL) == 0) {
		bool valid = version_range_contains(&range, version, &yes, NULL) == 0;
		if (valid != range.scheme->valid(version))
			abort();
		if (version_range_intervals(&range, &all, &n, NULL) == 0 && (others = bh_arena_array(&arena, n + 1, sizeof(*others)))) {
			size_t m = version_intervals_complement(all, n, others);
			if (m > n + 1 || (valid && is_in(range.scheme, all, n, version) && is_in(range.scheme, others, m, version) && syntax->scheme[0] != 'm'))
				abort(); /* Maven's order has cycles */
		}
	}
	bh_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_slice text, version;
	(void)bh_slice_cut((struct bh_slice){ data, size }, '\n', &text, &version);
	for (size_t i = 0; version_ranges[i]; i++)
		check(version_ranges[i], text, version);
	return 0;
}
