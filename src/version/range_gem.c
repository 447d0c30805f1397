/*
 * range_gem.c: requirements of gems, as Gem::Requirement reads them: comparisons between commas, all of which must hold; without an operator "=".
 *
 *     ~> 1.2.3   >=1.2.3, <1.3.A        ~> 1   >=1, <2.A
 *
 * The tool compares the version without its pre-release part with 1.3; "1.3.A" is what the pre-releases of 1.3 begin with.
 */
#include "version/chars.h"
#include "version/ranges.h"

static bool is_number_byte(uint8_t c)
{
	return version_is_digit(c) || c == '.';
}

/* The numbers before the first word. */
static struct bh_slice release_of(struct bh_slice version)
{
	version = version_trim(version);
	size_t n = version_count(version, is_number_byte);
	while (n && version.ptr[n - 1] == '.')
		n--;
	return bh_slice_sub(version, 0, n);
}

/* "1.2.3" -> "1.3.A": without the last number the one before it goes up; "1" -> "2.A" */
static struct bh_slice bumped(struct version_range *r, struct bh_slice version)
{
	struct bh_slice s = release_of(version);
	size_t dot = s.len;
	while (dot && s.ptr[dot - 1] != '.')
		dot--;
	if (dot)
		s = bh_slice_sub(s, 0, dot - 1);
	dot = s.len;
	while (dot && s.ptr[dot - 1] != '.')
		dot--;
	struct bh_slice head = bh_slice_sub(s, 0, dot), last = version_range_plus_one(r, bh_slice_sub(s, dot, s.len));
	return bh_slice_str(bh_arena_printf(r->arena, "%.*s%.*s.A", BH_SLICE_FMT(head), BH_SLICE_FMT(last)));
}

static int parse(struct bh_slice text, struct version_range *r, struct bh_err *err)
{
	static const char *const operators[] = { "~>", "!=", "<=", ">=", "=", "<", ">", NULL };
	static const enum version_op ops[] = { VERSION_GE, VERSION_NE, VERSION_LE, VERSION_GE, VERSION_EQ, VERSION_LT, VERSION_GT };
	struct bh_slice rest = text, word;
	for (bool more = true; more;) {
		more = bh_slice_cut(rest, ',', &word, &rest);
		int op = version_range_take_op(&word, operators);
		if (!r->scheme->valid(word) || !version_range_add(r, op < 0 ? VERSION_EQ : ops[op], word, 0))
			return version_range_refuse(r, text, err);
		if (op == 0 && !version_range_add(r, VERSION_LT, bumped(r, word), 0))
			return version_range_refuse(r, text, err);
	}
	return 0;
}

const struct version_range_syntax version_ranges_gem = { .name = "gem", .scheme = "gem", .parse = parse };
