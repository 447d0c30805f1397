/*
 * hackage.c: the order of Haskell packages (Package Versioning Policy): numbers between points, compared one by one, the shorter list first, so
 * that "1.0" < "1.0.0". A number has no leading zeros.
 */
#include "version/chars.h"
#include "version/version.h"

static bool valid(struct bh_slice v)
{
	do {
		struct bh_slice digits = version_take_digits(&v);
		if (digits.len == 0 || (digits.len > 1 && digits.ptr[0] == '0'))
			return false;
	} while (version_take_char(&v, '.'));
	return v.len == 0;
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	if (!valid(a))
		return version_refuse(err, a, "Hackage");
	if (!valid(b))
		return version_refuse(err, b, "Hackage");
	for (;;) {
		struct bh_slice x, y;
		bool more_a = bh_slice_cut(a, '.', &x, &a), more_b = bh_slice_cut(b, '.', &y, &b);
		int order = version_compare_numbers(x, y);
		if (order == 0 && more_a && more_b)
			continue;
		*ret = order ? order : more_a - more_b;
		return 0;
	}
}

const struct version_scheme version_scheme_hackage = { .name = "hackage", .compare = compare, .valid = valid };
