/*
 * rpm.c: the order of RPM versions, [epoch:]version[-release], as rpm 4.18 has it (rpmvercmp.c and rpmverParse()).
 *
 * A missing epoch is 0; a missing release sorts before every release. Each part is cut into segments of letters or of digits; other bytes
 * only separate. Digits beat letters, more digits beat fewer (leading zeros aside), "~" sorts before the end of the version and
 * "^" right behind it. rpm has no invalid versions except the empty one.
 */
#include "version/version.h"

struct evr {
	struct bh_slice epoch, version, release;
	bool has_release;
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The byte at the front; NUL at the end, as in the C strings of rpm. */
static uint8_t front(struct bh_slice s)
{
	return s.len ? s.ptr[0] : 0;
}

static struct bh_slice drop(struct bh_slice s, size_t n)
{
	return bh_slice_sub(s, n, s.len);
}

static struct bh_slice skip_separators(struct bh_slice s)
{
	size_t n = 0;
	while (n < s.len && !is_digit(s.ptr[n]) && !is_alpha(s.ptr[n]) && s.ptr[n] != '~' && s.ptr[n] != '^')
		n++;
	return drop(s, n);
}

static size_t run_length(struct bh_slice s, bool (*is_kind)(uint8_t))
{
	size_t n = 0;
	while (n < s.len && is_kind(s.ptr[n]))
		n++;
	return n;
}

static struct bh_slice drop_zeros(struct bh_slice s)
{
	size_t n = 0;
	while (n < s.len && s.ptr[n] == '0')
		n++;
	return drop(s, n);
}

static int compare_numbers(struct bh_slice a, struct bh_slice b)
{
	a = drop_zeros(a);
	b = drop_zeros(b);
	return a.len != b.len ? (a.len < b.len ? -1 : 1) : bh_slice_cmp(a, b);
}

/*
 * One step over "~" and "^". Returns true when *order is the answer; *stepped tells that both had the sign, which is then
 * behind us.
 */
static bool compare_signs(struct bh_slice *a, struct bh_slice *b, int *order, bool *stepped)
{
	uint8_t x = front(*a), y = front(*b);
	*stepped = false;
	if (x == '~' || y == '~') {
		*order = x != '~' ? 1 : -1;
		if (x != y)
			return true;
	} else if (x == '^' || y == '^') {
		*order = x == 0 ? -1 : y == 0 ? 1 : x != '^' ? 1 : -1;
		if (x != y)
			return true;
	} else {
		return false;
	}
	*a = drop(*a, 1);
	*b = drop(*b, 1);
	*stepped = true;
	return false;
}

/* rpmvercmp(). */
static int compare_part(struct bh_slice a, struct bh_slice b)
{
	while (a.len || b.len) {
		a = skip_separators(a);
		b = skip_separators(b);
		int order;
		bool stepped;
		if (compare_signs(&a, &b, &order, &stepped))
			return order;
		if (stepped)
			continue;
		if (a.len == 0 || b.len == 0)
			break;
		bool number = is_digit(a.ptr[0]);
		size_t n = run_length(a, number ? is_digit : is_alpha), m = run_length(b, number ? is_digit : is_alpha);
		if (m == 0) /* segments of different kinds: numbers are newer */
			return number ? 1 : -1;
		struct bh_slice x = bh_slice_sub(a, 0, n), y = bh_slice_sub(b, 0, m);
		order = number ? compare_numbers(x, y) : bh_slice_cmp(x, y);
		if (order)
			return order < 0 ? -1 : 1;
		a = drop(a, n);
		b = drop(b, m);
	}
	return (a.len > 0) - (b.len > 0);
}

/* Digits before a colon are the epoch (none before it: "0"); the last hyphen behind that starts the release. */
static struct evr split(struct bh_slice s)
{
	struct evr r = { .epoch = BH_SLICE_LIT("0"), .version = s };
	size_t n = run_length(s, is_digit);
	struct bh_slice rest = drop(s, n);
	if (front(rest) == ':') {
		if (n)
			r.epoch = bh_slice_sub(s, 0, n);
		r.version = drop(rest, 1);
	}
	for (size_t i = r.version.len; i > 0; i--) {
		if (r.version.ptr[i - 1] == '-') {
			r.release = drop(r.version, i);
			r.has_release = true;
			r.version = bh_slice_sub(r.version, 0, i - 1);
			break;
		}
	}
	return r;
}

static bool valid(struct bh_slice v)
{
	return v.len != 0 && bh_slice_find(v, '\0') == v.len;
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	if (!valid(a) || !valid(b))
		return bh_fail(err, BH_EMALFORMED, 0, "an empty text, or one with a NUL byte, is not an RPM version");
	struct evr x = split(a), y = split(b);
	int order = compare_part(x.epoch, y.epoch);
	if (order == 0)
		order = compare_part(x.version, y.version);
	if (order == 0)
		order = x.has_release != y.has_release ? (x.has_release ? 1 : -1) : compare_part(x.release, y.release);
	*ret = order;
	return 0;
}

const struct version_scheme version_scheme_rpm = { .name = "rpm", .compare = compare, .valid = valid };
