/*
 * composer.c: the order of Composer packages: what Composer\Semver's VersionParser makes of a version, compared as PHP's version_compare does.
 *
 *     1.2  ->  1.2.0.0          v2.0.0-b3  ->  2.0.0.0-beta3        1.x-dev  ->  1.9999999.9999999.9999999-dev
 *     2010-01-02  ->  2010.01.02
 *
 * version_compare splits at signs and between digits and letters; words have places: unknown < dev < alpha < beta < RC < number, "#" < patch.
 *
 * Branches without a number ("dev-main") have no place in any order and are not valid. version_compare takes any text, and so does compare():
 * what Composer refuses is compared as it stands.
 */
#include "version/chars.h"
#include "version/composer_parts.h"
#include "version/version.h"

#define NUMBERS 4
#define MAJOR_DIGITS_MAX 5u    /* more are a date */
#define DATE_GROUPS_MAX 6u

static void put(struct composer_text *t, struct bh_slice s)
{
	size_t room = sizeof(t->bytes) - t->len, n = s.len < room ? s.len : room;
	memcpy(t->bytes + t->len, s.ptr, n);
	t->len += n;
}

static void put_str(struct composer_text *t, const char *s)
{
	put(t, bh_slice_str(s));
}

static bool is_sign(uint8_t c)
{
	return c == '.' || c == '_' || c == '-';
}

static struct bh_slice without_sign(struct bh_slice s)
{
	if (s.len && is_sign(s.ptr[0]))
		(void)version_take(&s, 1);
	return s;
}

/* ---- what Composer makes of a version ---- */

/* The words of stabilities, longer ones first where one begins another. */
static const struct stability {
	const char *word, *normal;
} stabilities[] = {
	{ "stable", "stable" }, { "beta", "beta" }, { "b", "beta" }, { "rc", "RC" }, { "alpha", "alpha" },
	{ "a", "alpha" }, { "patch", "patch" }, { "pl", "patch" }, { "p", "patch" },
};

static const struct stability *take_stability(struct bh_slice *s)
{
	for (size_t i = 0; i < sizeof(stabilities) / sizeof(stabilities[0]); i++) {
		size_t len = strlen(stabilities[i].word);
		if (version_eq_nocase(bh_slice_sub(*s, 0, len), stabilities[i].word)) {
			(void)version_take(s, len);
			return &stabilities[i];
		}
	}
	return NULL;
}

/* "3", ".3.1", "-3": digits with signs before them */
static struct bh_slice take_stability_number(struct bh_slice *s)
{
	struct bh_slice whole = *s;
	for (;;) {
		struct bh_slice rest = *s;
		if (rest.len && (rest.ptr[0] == '.' || rest.ptr[0] == '-'))
			(void)version_take(&rest, 1);
		if (version_take_digits(&rest).len == 0)
			return bh_slice_sub(whole, 0, whole.len - s->len);
		*s = rest;
	}
}

static bool is_dev(struct bh_slice s)
{
	if (s.len == 4 && (s.ptr[0] == '.' || s.ptr[0] == '-'))
		(void)version_take(&s, 1);
	return version_eq_nocase(s, "dev");
}

/* [sign][stability[number]][[sign]dev], cut into its parts. */
static bool split_modifier(struct bh_slice s, const struct stability **found, struct bh_slice *number, bool *dev)
{
	struct bh_slice word = without_sign(s);
	*number = (struct bh_slice){ 0 };
	*found = take_stability(&word);
	if (*found)
		*number = take_stability_number(&word);
	*dev = word.len && is_dev(word);
	return word.len == 0 || *dev;
}

bool composer_is_modifier(struct bh_slice s, struct composer_modifier *ret)
{
	const struct stability *found;
	struct bh_slice number;
	bool good = split_modifier(s, &found, &number, &ret->dev);
	ret->stability = found != NULL;
	return good;
}

/* What stands behind the numbers. */
static bool put_modifier(struct bh_slice s, struct composer_text *ret)
{
	const struct stability *found;
	struct bh_slice number;
	bool dev;
	if (!split_modifier(s, &found, &number, &dev))
		return false;
	if (found && bh_slice_starts(without_sign(s), BH_SLICE_LIT("stable")))
		return true;
	if (found) {
		put_str(ret, "-");
		put_str(ret, found->normal);
		while (number.len && is_sign(number.ptr[0]))
			(void)version_take(&number, 1);
		put(ret, number);
	}
	put_str(ret, dev ? "-dev" : "");
	return true;
}

/* Numbers with points before them, as they stand; ".0" for those that are missing. */
static bool put_classical(struct bh_slice s, struct composer_text *ret)
{
	struct bh_slice digits = version_take_digits(&s);
	if (digits.len == 0 || digits.len > MAJOR_DIGITS_MAX)
		return false;
	put(ret, digits);
	for (unsigned i = 1; i < NUMBERS; i++) {
		struct bh_slice rest = s;
		digits = version_take_char(&rest, '.') ? version_take_digits(&rest) : (struct bh_slice){ 0 };
		if (digits.len)
			s = rest;
		put_str(ret, ".");
		put(ret, digits.len ? digits : BH_SLICE_LIT("0"));
	}
	return put_modifier(s, ret);
}

static bool is_date_sign(uint8_t c)
{
	return c == '.' || c == ':' || c == '-';
}

/* Takes n digits, more up to max, with a sign before them or none. */
static bool take_date_part(struct bh_slice *s, size_t min, size_t max, struct composer_text *ret)
{
	struct bh_slice rest = *s;
	bool sign = rest.len && is_date_sign(rest.ptr[0]);
	(void)version_take(&rest, sign);
	size_t n = version_count(bh_slice_sub(rest, 0, max), version_is_digit);
	if (n < min)
		return false;
	put_str(ret, sign ? "." : "");
	put(ret, version_take(&rest, n));
	*s = rest;
	return true;
}

/* 2010, 2010-01-02, 20100102.3 */
static bool put_date(struct bh_slice s, struct composer_text *ret)
{
	if (version_count(bh_slice_sub(s, 0, 4), version_is_digit) < 4)
		return false;
	put(ret, version_take(&s, 4));
	unsigned groups = 0;
	while (groups < DATE_GROUPS_MAX && take_date_part(&s, 2, 2, ret))
		groups++;
	if (groups == 0)
		return false;
	(void)take_date_part(&s, 1, 3, ret);
	return put_modifier(s, ret);
}

/* "1.x-dev": numbers, x or * */
static bool put_branch(struct bh_slice s, struct composer_text *ret)
{
	static const char any[] = "9999999";
	for (unsigned i = 0; i < NUMBERS; i++) {
		struct bh_slice part = { 0 };
		if (i == 0) {
			part = version_take_digits(&s);
			if (part.len == 0)
				return false;
		} else if (version_take_char(&s, '.')) {
			part = version_take_digits(&s);
			if (part.len == 0 && !version_take_char(&s, 'x') && !version_take_char(&s, 'X') && !version_take_char(&s, '*'))
				return false;
		}
		put_str(ret, i ? "." : "");
		put(ret, part.len ? part : bh_slice_str(any));
	}
	put_str(ret, "-dev");
	return s.len == 0;
}

/* Without "@stable" and its like, and without "+build". */
static struct bh_slice strip(struct bh_slice s)
{
	static const char *const flags[] = { "@stable", "@rc", "@beta", "@alpha", "@dev" };
	for (size_t i = 0; i < 5; i++) {
		size_t len = strlen(flags[i]);
		if (s.len >= len && version_eq_nocase(bh_slice_sub(s, s.len - len, len), flags[i])) {
			s.len -= len;
			break;
		}
	}
	size_t plus = bh_slice_find(s, '+');
	if (plus > 0 && plus + 1 < s.len && bh_slice_find(s, ',') > plus)
		s.len = plus;
	return s;
}

static bool has_space(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (version_is_space(s.ptr[i]))
			return true;
	return false;
}

bool composer_normalize(struct bh_slice v, struct composer_text *ret)
{
	struct bh_slice s = strip(version_trim(v)), numbers = s;
	if (s.len > COMPOSER_VERSION_BYTES_MAX || has_space(s))
		return false;
	if (s.len && version_lower(s.ptr[0]) == 'v')
		(void)version_take(&numbers, 1);
	ret->len = 0;
	if (put_classical(numbers, ret))
		return true;
	ret->len = 0;
	if (put_date(numbers, ret))
		return true;
	ret->len = 0;
	if (numbers.len < 3 || !version_eq_nocase(bh_slice_sub(numbers, numbers.len - 3, 3), "dev"))
		return false;
	struct bh_slice name = bh_slice_sub(numbers, 0, numbers.len - 3);
	if (name.len && (name.ptr[name.len - 1] == '.' || name.ptr[name.len - 1] == '-'))
		name.len--;
	return put_branch(name, ret);
}

/* ---- version_compare ---- */

/*
 * The next part of a version: a run of digits or of what is neither digit nor sign. `before`: whether a sign or a change of kind may
 * still come. Signs one after the other are one.
 */
static bool next_part(struct bh_slice *s, struct bh_slice *ret)
{
	size_t n = 0;
	while (n < s->len && !version_is_digit(s->ptr[n]) && !version_is_alpha(s->ptr[n]) && s->ptr[n] != '#')
		n++;
	(void)version_take(s, n);
	if (s->len == 0)
		return false;
	n = version_is_digit(s->ptr[0]) ? version_count(*s, version_is_digit) : s->ptr[0] == '#' ? 1 : version_count(*s, version_is_alpha);
	*ret = version_take(s, n);
	return true;
}

static int place_of(struct bh_slice part)
{
	static const struct {
		const char *begins;
		int place;
	} forms[] = { { "dev", 0 }, { "alpha", 1 }, { "a", 1 }, { "beta", 2 }, { "b", 2 }, { "RC", 3 }, { "rc", 3 }, { "#", 4 }, { "pl", 5 }, { "p", 5 } };
	if (part.len == 0 || version_is_digit(part.ptr[0]))
		return 4;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (bh_slice_starts(part, bh_slice_str(forms[i].begins)))
			return forms[i].place;
	return -1;
}

static int compare_parts(struct bh_slice a, struct bh_slice b)
{
	if (version_is_number(a) && version_is_number(b))
		return version_compare_numbers(a, b);
	return place_of(a) - place_of(b);
}

/* What one version has beyond the other: a number makes it greater, a word counts as against a number. */
static int compare_rest(struct bh_slice part, struct bh_slice rest)
{
	do {
		if (version_is_number(part))
			return 1;
		int order = place_of(part) - 4;
		if (order)
			return order;
	} while (next_part(&rest, &part));
	return 0;
}

int composer_compare(struct bh_slice a, struct bh_slice b)
{
	for (;;) {
		struct bh_slice x, y;
		bool some_a = next_part(&a, &x), some_b = next_part(&b, &y);
		if (!some_a || !some_b)
			return some_a ? compare_rest(x, a) : some_b ? -compare_rest(y, b) : 0;
		int order = compare_parts(x, y);
		if (order)
			return order;
	}
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct bh_slice v[2] = { a, b };
	struct composer_text text[2];
	for (size_t i = 0; i < 2; i++) {
		if (v[i].len == 0 || v[i].len > COMPOSER_VERSION_BYTES_MAX || bh_slice_find(v[i], '\0') < v[i].len)
			return version_refuse(err, v[i], "Composer");
		if (composer_normalize(v[i], &text[i]))
			v[i] = (struct bh_slice){ (const uint8_t *)text[i].bytes, text[i].len };
	}
	int order = composer_compare(v[0], v[1]);
	*ret = (order > 0) - (order < 0);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct composer_text text;
	return v.len <= COMPOSER_VERSION_BYTES_MAX && bh_slice_find(v, '\0') == v.len && composer_normalize(v, &text);
}

const struct version_scheme version_scheme_composer = { .name = "composer", .compare = compare, .valid = valid };
