/* cran.c: the order of R packages, as numeric_version has it: numbers between "." or "-", compared one by one; what is missing is 0. */
#include "version/chars.h"
#include "version/version.h"

static struct bh_slice take_number(struct bh_slice *s)
{
	struct bh_slice digits = version_take_digits(s);
	(void)version_take(s, 1);
	return digits;
}

static bool valid(struct bh_slice v)
{
	do {
		if (version_take_digits(&v).len == 0)
			return false;
	} while (version_take_char(&v, '.') || version_take_char(&v, '-'));
	return v.len == 0;
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	if (!valid(a))
		return version_refuse(err, a, "R");
	if (!valid(b))
		return version_refuse(err, b, "R");
	int order = 0;
	while (order == 0 && (a.len || b.len))
		order = version_compare_numbers(take_number(&a), take_number(&b));
	*ret = order;
	return 0;
}

const struct version_scheme version_scheme_cran = { .name = "cran", .compare = compare, .valid = valid };
