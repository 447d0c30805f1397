/*
 * cargo.c: the order of crate versions, as the crate `semver` 1.0 has it: strict semantic versions, and where all else is equal build
 * metadata decide (none first; numbers before texts, of equal numbers the one with fewer zeros in front).
 */
#include "version/chars.h"
#include "version/semver_parts.h"
#include "version/version.h"

static int compare_word(struct bh_slice a, struct bh_slice b)
{
	bool x = a.len == 0 || version_is_number(a), y = b.len == 0 || version_is_number(b);
	if (x != y)
		return x ? -1 : 1;
	int order = x ? version_compare_numbers(a, b) : bh_slice_cmp(a, b);
	return order || !x ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_build(struct bh_slice a, struct bh_slice b)
{
	for (;;) {
		struct bh_slice x, y;
		bool more_a = bh_slice_cut(a, '.', &x, &a), more_b = bh_slice_cut(b, '.', &y, &b);
		int order = compare_word(x, y);
		if (order || !more_a || !more_b)
			return order ? order : more_a - more_b;
	}
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct semver x, y;
	if (!semver_parse(a, SEMVER_STRICT, &x))
		return version_refuse(err, a, "Cargo");
	if (!semver_parse(b, SEMVER_STRICT, &y))
		return version_refuse(err, b, "Cargo");
	int order = semver_compare(&x, &y);
	*ret = order ? order : compare_build(x.build, y.build);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct semver parts;
	return semver_parse(v, SEMVER_STRICT, &parts);
}

const struct version_scheme version_scheme_cargo = { .name = "cargo", .compare = compare, .valid = valid };
