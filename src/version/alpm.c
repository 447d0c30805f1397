/*
 * alpm.c: the order of Arch Linux packages, [epoch:]version[-release], as vercmp of pacman 6 has it. Runs of digits are numbers, runs of letters
 * words, all else separates; more separators make the later version; a number beats a word; a word that is left over makes the earlier
 * version, all else
 * that is left over the later one ("1.0rc" < "1.0" < "1.0.1"). The release counts only when both have one.
 */
#include "version/chars.h"
#include "version/version.h"

struct alpm {
	struct bh_slice epoch, version, release;
	bool has_release;
};

static bool is_other(uint8_t c)
{
	return !version_is_digit(c) && !version_is_alpha(c);
}

static struct alpm split(struct bh_slice s)
{
	struct alpm ret = { .epoch = BH_SLICE_LIT("0"), .version = s };
	struct bh_slice rest = s, digits = version_take_digits(&rest);
	if (version_take_char(&rest, ':')) {
		ret.epoch = digits.len ? digits : ret.epoch;
		ret.version = rest;
	}
	for (size_t i = rest.len; i > 0; i--) {
		if (rest.ptr[i - 1] != '-')
			continue;
		ret.release = bh_slice_sub(rest, i, rest.len);
		ret.version.len -= ret.release.len + 1;
		ret.has_release = true;
		break;
	}
	return ret;
}

/* What is left of two parts of which one at least has ended. */
static int compare_rests(struct bh_slice a, struct bh_slice b)
{
	if (a.len == 0 && b.len == 0)
		return 0;
	if (a.len == 0)
		return version_is_alpha(b.ptr[0]) ? 1 : -1;
	return version_is_alpha(a.ptr[0]) ? -1 : 1;
}

/* One run of each; a begins with a digit or a letter. */
static int compare_runs(struct bh_slice *a, struct bh_slice *b)
{
	bool number = version_is_digit(a->ptr[0]);
	bool (*is)(uint8_t) = number ? version_is_digit : version_is_alpha;
	struct bh_slice x = version_take(a, version_count(*a, is)), y = version_take(b, version_count(*b, is));
	if (y.len == 0)
		return number ? 1 : -1;
	return number ? version_compare_numbers(x, y) : bh_slice_cmp(x, y);
}

static int compare_part(struct bh_slice a, struct bh_slice b)
{
	if (bh_slice_eq(a, b))
		return 0;
	while (a.len && b.len) {
		size_t x = version_take(&a, version_count(a, is_other)).len, y = version_take(&b, version_count(b, is_other)).len;
		if (a.len == 0 || b.len == 0)
			break;
		if (x != y)
			return x < y ? -1 : 1;
		int order = compare_runs(&a, &b);
		if (order)
			return order;
	}
	return compare_rests(a, b);
}

static bool valid(struct bh_slice v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.ptr[i] == '\0' || version_is_space(v.ptr[i]))
			return false;
	return v.len > 0;
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	if (!valid(a))
		return version_refuse(err, a, "Arch Linux");
	if (!valid(b))
		return version_refuse(err, b, "Arch Linux");
	struct alpm x = split(a), y = split(b);
	int order = compare_part(x.epoch, y.epoch);
	if (order == 0)
		order = compare_part(x.version, y.version);
	if (order == 0 && x.has_release && y.has_release)
		order = compare_part(x.release, y.release);
	*ret = order;
	return 0;
}

const struct version_scheme version_scheme_alpm = { .name = "alpm", .compare = compare, .valid = valid };
