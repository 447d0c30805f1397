#include "policy/cel/time.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/reader.h"

#define DAYS_PER_400_YEARS 146097
#define DAYS_TO_1970 719468      /* from 0000-03-01 */
#define FRACTION_DIGITS_MAX 17   /* of a double's shortest form: 0.1 + 0.2 has them all */
#define NANOS_LIMIT (1ull << 63) /* Go's durations are int64_t nanoseconds */

/* ---- small numbers in texts ---- */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool take_byte(struct bh_reader *r, char c)
{
	struct bh_slice s;
	return bh_peek(r, 1, &s) && s.ptr[0] == (uint8_t)c && bh_skip(r, 1);
}

/* The digits that are next, at most `max` of them. */
static struct bh_slice take_digits(struct bh_reader *r, size_t max)
{
	struct bh_slice rest, digits = { 0 };
	size_t n = 0;
	if (bh_peek(r, bh_reader_left(r), &rest))
		while (n < rest.len && n < max && is_digit(rest.ptr[n]))
			n++;
	(void)bh_take(r, n, &digits);
	return digits;
}

/* Exactly n digits, n at most 9; otherwise nothing is taken. */
static bool take_number(struct bh_reader *r, size_t n, int *ret)
{
	struct bh_slice digits;
	int value = 0;
	if (!bh_peek(r, n, &digits))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(digits.ptr[i]))
			return false;
		value = value * 10 + (digits.ptr[i] - '0');
	}
	*ret = value;
	return bh_skip(r, n);
}

/* ---- durations ---- */

/* The unit's nanoseconds, 0 for none. */
static uint64_t unit_nanos(struct bh_slice unit)
{
	static const struct {
		const char *name;
		uint64_t nanos;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\xc2\xb5s", 1000 }, /* U+00B5, the micro sign */
		{ "\xce\xbcs", 1000 }, /* U+03BC, the Greek letter */
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "m", 60000000000 },
		{ "h", 3600000000000 },
	};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (bh_slice_eq_str(unit, units[i].name))
			return units[i].nanos;
	return 0;
}

/* What is behind the point times the unit. In doubles, as Go does it, so that the last nanosecond of "0.1234567h" is the same. */
static uint64_t fraction_nanos(struct bh_slice digits, uint64_t unit)
{
	uint64_t value = 0;
	double scale = 1;
	for (size_t i = 0; i < digits.len && value <= (NANOS_LIMIT - 1) / 10; i++) {
		uint64_t next = value * 10 + (digits.ptr[i] - '0');
		if (next > NANOS_LIMIT)
			break;
		value = next;
		scale *= 10;
	}
	return (uint64_t)((double)value * ((double)unit / scale));
}

static int fail_range(struct bh_slice text, struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "duration '%.*s' is out of the range of 292 years", BH_SLICE_FMT(text));
}

/* One number with its unit, added to *nanos. */
static int parse_term(struct bh_reader *r, struct bh_slice text, uint64_t *nanos, struct bh_err *err)
{
	struct bh_slice whole = take_digits(r, SIZE_MAX), fraction = { 0 }, rest, unit;
	uint64_t value = 0;
	size_t n = 0;
	if (take_byte(r, '.'))
		fraction = take_digits(r, SIZE_MAX);
	if (whole.len + fraction.len == 0)
		return bh_fail(err, BH_EMALFORMED, r->pos, "'%.*s' is no duration: a number is missing", BH_SLICE_FMT(text));
	if (!bh_peek(r, bh_reader_left(r), &rest))
		rest = (struct bh_slice){ 0 };
	while (n < rest.len && rest.ptr[n] != '.' && !is_digit(rest.ptr[n]))
		n++;
	unit = bh_slice_sub(rest, 0, n);
	uint64_t of_unit = unit_nanos(unit);
	if (of_unit == 0)
		return bh_fail(err, BH_EMALFORMED, r->pos, "'%.*s' is no duration: units are h, m, s, ms, us, ns", BH_SLICE_FMT(text));
	(void)bh_skip(r, n);
	if (whole.len && (!bh_slice_u64(whole, NANOS_LIMIT, &value) || value > NANOS_LIMIT / of_unit))
		return fail_range(text, err);
	/* No sum can wrap: each part is at most 2^63, and the sum before it, too. */
	value = value * of_unit;
	uint64_t more = fraction_nanos(fraction, of_unit);
	if (more > NANOS_LIMIT - value || *nanos > NANOS_LIMIT - value - more)
		return fail_range(text, err);
	*nanos += value + more;
	return BH_OK;
}

int cel_duration_parse(struct bh_slice text, struct cel_time *ret, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(text);
	uint64_t nanos = 0;
	bool negative = take_byte(&r, '-');
	if (!negative)
		(void)take_byte(&r, '+');
	if (bh_reader_left(&r) == 0)
		return bh_fail(err, BH_EMALFORMED, r.pos, "'%.*s' is no duration: a number is missing", BH_SLICE_FMT(text));
	bool zero = bh_reader_left(&r) == 1 && take_byte(&r, '0'); /* the only number that needs no unit */
	while (!zero && bh_reader_left(&r)) {
		int rc = parse_term(&r, text, &nanos, err);
		if (rc < 0)
			return rc;
	}
	if (nanos == NANOS_LIMIT && !negative)
		return fail_range(text, err);
	int sign = negative ? -1 : 1;
	*ret = (struct cel_time){ sign * (int64_t)(nanos / CEL_NANOS_PER_SECOND), sign * (int32_t)(nanos % CEL_NANOS_PER_SECOND) };
	return BH_OK;
}

/* cel-go prints the double that is nearest, so do we: the fewest digits behind the point that read back as the same. */
const char *cel_duration_print(struct cel_time duration, char out[CEL_DURATION_TEXT_BYTES])
{
	double seconds = (double)duration.seconds + (double)duration.nanos / 1e9;
	for (int digits = 0; digits <= FRACTION_DIGITS_MAX; digits++) {
		(void)snprintf(out, CEL_DURATION_TEXT_BYTES, "%.*fs", digits, seconds);
		if (strtod(out, NULL) == seconds)
			break;
	}
	return out;
}

static __int128 all_nanos(struct cel_time t)
{
	return (__int128)t.seconds * CEL_NANOS_PER_SECOND + t.nanos;
}

static bool duration_of(__int128 nanos, struct cel_time *ret)
{
	if (nanos < INT64_MIN || nanos > INT64_MAX)
		return false;
	*ret = (struct cel_time){ (int64_t)(nanos / CEL_NANOS_PER_SECOND), (int32_t)(nanos % CEL_NANOS_PER_SECOND) };
	return true;
}

bool cel_duration_nanos(struct cel_time duration, int64_t *ret)
{
	__int128 nanos = all_nanos(duration);
	if (nanos < INT64_MIN || nanos > INT64_MAX)
		return false;
	*ret = (int64_t)nanos;
	return true;
}

bool cel_duration_add(struct cel_time a, struct cel_time b, int sign, struct cel_time *ret)
{
	return duration_of(all_nanos(a) + sign * all_nanos(b), ret);
}

/* ---- the calendar ---- */

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int cel_days_in_month(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* For divisors above zero: rounds down, and what is left is never negative. */
static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Years begin in March, so that the leap day is the last one; then everything is a multiplication. */
int64_t cel_days(int64_t year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1, era = floor_div(y, 400), of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * DAYS_PER_400_YEARS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

struct cel_calendar cel_calendar_of(int64_t seconds)
{
	int64_t days = floor_div(seconds, CEL_SECONDS_PER_DAY), z = days + DAYS_TO_1970;
	int64_t era = floor_div(z, DAYS_PER_400_YEARS), of_era = z - era * DAYS_PER_400_YEARS;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;
	int of_day = (int)(seconds - days * CEL_SECONDS_PER_DAY);
	struct cel_calendar c = {
		.year = era * 400 + y + (m >= 10),
		.month = (int)(m < 10 ? m + 3 : m - 9),
		.day = (int)(of_year - (153 * m + 2) / 5 + 1),
		.day_of_week = (int)((days + 4) - floor_div(days + 4, 7) * 7), /* 1970-01-01 was a Thursday */
		.hour = of_day / 3600,
		.minute = of_day / 60 % 60,
		.second = of_day % 60,
	};
	c.day_of_year = (int)(days - cel_days(c.year, 1, 1));
	return c;
}

/* ---- timestamps ---- */

/* "+01:00". Go has 24 hours and 60 minutes in range here, and nowhere else. */
static bool take_offset(struct bh_reader *r, int *ret_seconds)
{
	int hours, minutes;
	if (take_byte(r, 'Z')) {
		*ret_seconds = 0;
		return true;
	}
	bool west = take_byte(r, '-');
	if ((!west && !take_byte(r, '+')) || !take_number(r, 2, &hours) || !take_byte(r, ':') || !take_number(r, 2, &minutes) || hours > 24 || minutes > 60)
		return false;
	*ret_seconds = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

/* What is behind the first nine digits of the fraction is cut off. */
static bool take_fraction(struct bh_reader *r, int32_t *ret_nanos)
{
	*ret_nanos = 0;
	if (!take_byte(r, '.') && !take_byte(r, ','))
		return true;
	struct bh_slice digits = take_digits(r, SIZE_MAX);
	for (size_t i = 0; i < 9; i++)
		*ret_nanos = *ret_nanos * 10 + (i < digits.len ? digits.ptr[i] - '0' : 0);
	return digits.len > 0;
}

static bool take_date(struct bh_reader *r, int *ret_year, int64_t *ret_days)
{
	int month, day;
	if (!take_number(r, 4, ret_year) || !take_byte(r, '-') || !take_number(r, 2, &month) || !take_byte(r, '-') || !take_number(r, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > cel_days_in_month(*ret_year, month))
		return false;
	*ret_days = cel_days(*ret_year, month, day);
	return true;
}

/* "23:31:30"; Go takes an hour of one digit, too. */
static bool take_clock(struct bh_reader *r, int *ret_seconds)
{
	int hour, minute, second;
	if ((!take_number(r, 2, &hour) && !take_number(r, 1, &hour)) || !take_byte(r, ':') || !take_number(r, 2, &minute) || !take_byte(r, ':') ||
	    !take_number(r, 2, &second) || hour > 23 || minute > 59 || second > 59)
		return false;
	*ret_seconds = hour * 3600 + minute * 60 + second;
	return true;
}

/* A year of more than four digits: RFC 3339 can't write it, but why it is refused should be said. */
static bool has_long_year(struct bh_slice text)
{
	struct bh_reader r = bh_reader_of(text);
	return take_digits(&r, SIZE_MAX).len > 4 && take_byte(&r, '-');
}

int cel_timestamp_parse(struct bh_slice text, struct cel_time *ret, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(text);
	int year, clock, offset;
	int32_t nanos;
	int64_t days;
	bool is_long = has_long_year(text);
	if (!is_long && (!take_date(&r, &year, &days) || !take_byte(&r, 'T') || !take_clock(&r, &clock) || !take_fraction(&r, &nanos) ||
			 !take_offset(&r, &offset) || bh_reader_left(&r)))
		return bh_fail(err, BH_EMALFORMED, r.pos, "'%.*s' is no timestamp of RFC 3339 as 2009-02-13T23:31:30Z", BH_SLICE_FMT(text));
	int64_t seconds = is_long ? INT64_MAX : days * CEL_SECONDS_PER_DAY + clock - offset;
	if (!cel_timestamp_in_range(seconds))
		return bh_fail(err, BH_ELIMIT, 0, "timestamp '%.*s' is out of the range of years 1 to 9999", BH_SLICE_FMT(text));
	*ret = (struct cel_time){ seconds, nanos };
	return BH_OK;
}

const char *cel_timestamp_print(struct cel_time timestamp, char out[CEL_TIMESTAMP_TEXT_BYTES])
{
	struct cel_calendar c = cel_calendar_of(timestamp.seconds);
	int n = snprintf(out, CEL_TIMESTAMP_TEXT_BYTES, "%04lld-%02d-%02dT%02d:%02d:%02d.%09d", (long long)c.year, c.month, c.day, c.hour, c.minute,
			 c.second, (int)timestamp.nanos);
	size_t len = n > 0 && (size_t)n < CEL_TIMESTAMP_TEXT_BYTES - 1 ? (size_t)n : 0;
	while (len && out[len - 1] == '0')
		len--;
	if (len && out[len - 1] == '.')
		len--;
	out[len] = 'Z';
	out[len + 1] = '\0';
	return out;
}

/* Exact, and then cut to the range. The whole nanoseconds are never negative once they are split at a second. */
static bool timestamp_of(__int128 nanos, struct cel_time *ret)
{
	__int128 seconds = nanos / CEL_NANOS_PER_SECOND - (nanos % CEL_NANOS_PER_SECOND < 0);
	if (seconds < CEL_TIMESTAMP_SECONDS_MIN || seconds > CEL_TIMESTAMP_SECONDS_MAX)
		return false;
	*ret = (struct cel_time){ (int64_t)seconds, (int32_t)(nanos - seconds * CEL_NANOS_PER_SECOND) };
	return true;
}

bool cel_timestamp_add(struct cel_time timestamp, struct cel_time duration, int sign, struct cel_time *ret)
{
	return timestamp_of(all_nanos(timestamp) + sign * all_nanos(duration), ret);
}

bool cel_timestamp_difference(struct cel_time a, struct cel_time b, struct cel_time *ret)
{
	return duration_of(all_nanos(a) - all_nanos(b), ret);
}
