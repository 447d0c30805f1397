/* semver_parts.c: reading and ordering semantic versions. Each byte is looked at a fixed number of times. */
#include "version/semver_parts.h"

#include "version/chars.h"

static bool is_identifier_byte(uint8_t c)
{
	return version_is_digit(c) || version_is_alpha(c) || c == '-';
}

bool semver_are_identifiers(struct bh_slice s)
{
	bool more = true;
	while (more) {
		struct bh_slice id;
		more = bh_slice_cut(s, '.', &id, &s);
		if (id.len == 0 || version_count(id, is_identifier_byte) != id.len)
			return false;
	}
	return true;
}

static bool has_leading_zero(struct bh_slice digits)
{
	return digits.len > 1 && digits.ptr[0] == '0';
}

static bool has_zero_identifier(struct bh_slice s)
{
	bool more = true;
	while (more) {
		struct bh_slice id;
		more = bh_slice_cut(s, '.', &id, &s);
		if (version_is_number(id) && has_leading_zero(id))
			return true;
	}
	return false;
}

bool semver_are_strict_identifiers(struct bh_slice s)
{
	return semver_are_identifiers(s) && !has_zero_identifier(s);
}

static bool take_numbers(struct bh_slice *s, unsigned flags, struct semver *ret)
{
	do {
		struct bh_slice digits = version_take_digits(s);
		if (digits.len == 0 || (has_leading_zero(digits) && !(flags & SEMVER_ZEROS)))
			return false;
		ret->numbers[ret->n_numbers++] = digits;
	} while (ret->n_numbers < SEMVER_NUMBERS && version_take_char(s, '.'));
	if (ret->n_numbers == SEMVER_NUMBERS)
		return true;
	return (flags & SEMVER_SHORT_PRE) || ((flags & SEMVER_SHORT) && s->len == 0);
}

/* s: all between the numbers and the build. */
static bool read_pre(struct bh_slice s, unsigned flags, struct semver *ret)
{
	ret->pre = s;
	bool signed_ = version_take_char(&ret->pre, '-');
	if (!signed_ && !(flags & SEMVER_GLUED))
		return s.len == 0;
	if (flags & SEMVER_GLUED && !semver_are_identifiers(ret->pre)) /* "1.2.3-": the sign is an identifier then */
		ret->pre = s;
	if (s.len == 0)
		return true;
	return flags & SEMVER_ZEROS ? semver_are_identifiers(ret->pre) : semver_are_strict_identifiers(ret->pre);
}

bool semver_parse(struct bh_slice s, unsigned flags, struct semver *ret)
{
	*ret = (struct semver){ 0 };
	if (flags & SEMVER_PREFIX_V)
		(void)version_take_char(&s, 'v');
	if (!take_numbers(&s, flags, ret))
		return false;
	struct bh_slice pre;
	if (bh_slice_cut(s, '+', &pre, &ret->build) && ((flags & SEMVER_NO_BUILD) || !semver_are_identifiers(ret->build)))
		return false;
	return read_pre(pre, flags, ret);
}

int semver_compare_numbers(const struct semver *a, const struct semver *b)
{
	int order = 0;
	for (size_t i = 0; i < SEMVER_NUMBERS && order == 0; i++)
		order = version_compare_numbers(a->numbers[i], b->numbers[i]);
	return order;
}

static int compare_identifier(struct bh_slice a, struct bh_slice b)
{
	bool x = version_is_number(a), y = version_is_number(b);
	if (x != y)
		return x ? -1 : 1;
	return x ? version_compare_numbers(a, b) : bh_slice_cmp(a, b);
}

int semver_compare_identifiers(struct bh_slice a, struct bh_slice b)
{
	for (;;) {
		struct bh_slice x, y;
		bool more_a = bh_slice_cut(a, '.', &x, &a), more_b = bh_slice_cut(b, '.', &y, &b);
		int order = compare_identifier(x, y);
		if (order || !more_a || !more_b)
			return order ? order : more_a - more_b;
	}
}

int semver_compare(const struct semver *a, const struct semver *b)
{
	int order = semver_compare_numbers(a, b);
	if (order)
		return order;
	if (a->pre.len == 0 || b->pre.len == 0)
		return (a->pre.len == 0) - (b->pre.len == 0);
	return semver_compare_identifiers(a->pre, b->pre);
}
