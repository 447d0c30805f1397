/*
 * nuget.c: the order of NuGet packages, as NuGet.Versioning has it: one to four numbers, a pre-release in any case, build metadata that
 * count for nothing. In a pre-release a word is a number when it fits into 32 bits (with a sign: "1.0--5"), else a text.
 */
#include "version/chars.h"
#include "version/semver_parts.h"
#include "version/version.h"

#define NUMBERS 4

struct nuget {
	struct bh_slice numbers[NUMBERS];
	struct bh_slice pre; /* empty: none */
};

static bool parse(struct bh_slice v, struct nuget *ret)
{
	*ret = (struct nuget){ 0 };
	v = version_trim(v);
	size_t n = 0;
	do {
		ret->numbers[n] = version_take_digits(&v);
		if (ret->numbers[n++].len == 0)
			return false;
	} while (n < NUMBERS && version_take_char(&v, '.'));
	struct bh_slice build;
	if (bh_slice_cut(v, '+', &v, &build) && !semver_are_identifiers(build))
		return false;
	ret->pre = v;
	return v.len == 0 || (version_take_char(&ret->pre, '-') && semver_are_identifiers(ret->pre));
}

static bool fits(struct bh_slice word, int64_t *ret)
{
	uint64_t value;
	bool negative = version_take_char(&word, '-');
	if (!bh_slice_u64(word, (uint64_t)INT32_MAX + negative, &value))
		return false;
	*ret = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

static int compare_word(struct bh_slice a, struct bh_slice b)
{
	int64_t x = 0, y = 0;
	bool number_a = fits(a, &x), number_b = fits(b, &y);
	if (number_a && number_b)
		return (x > y) - (x < y);
	if (number_a != number_b)
		return number_a ? -1 : 1;
	return version_compare_nocase(a, b);
}

static int compare_pre(struct bh_slice a, struct bh_slice b)
{
	if (a.len == 0 || b.len == 0)
		return (a.len == 0) - (b.len == 0);
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
	struct nuget x, y;
	if (!parse(a, &x))
		return version_refuse(err, a, "NuGet");
	if (!parse(b, &y))
		return version_refuse(err, b, "NuGet");
	int order = 0;
	for (size_t i = 0; i < NUMBERS && order == 0; i++)
		order = version_compare_numbers(x.numbers[i], y.numbers[i]);
	*ret = order ? order : compare_pre(x.pre, y.pre);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct nuget parts;
	return parse(v, &parts);
}

const struct version_scheme version_scheme_nuget = { .name = "nuget", .compare = compare, .valid = valid };
