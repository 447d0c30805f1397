/* days.c: dates as days since 1970-01-01 in the proleptic Gregorian calendar, years 1 to 9999. */
#include "vuln/db.h"

#include <stdio.h>

#define DAYS_PER_400_YEARS 146097
#define DAYS_TO_1970 719468 /* from 0000-03-01 */
#define FIRST_DAY (-719162)  /* 0001-01-01 */
#define LAST_DAY 2932896     /* 9999-12-31 */

static bool digits(struct bh_slice s, size_t at, size_t n, uint64_t *ret)
{
	struct bh_slice part = bh_slice_sub(s, at, n);
	return part.len == n && bh_slice_u64(part, UINT64_MAX, ret);
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

/* Years begin in March, so that the leap day is the last one; then everything is a multiplication. */
static int32_t days_of(int year, int month, int day)
{
	int y = month > 2 ? year : year - 1;
	int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int of_era = y % 400 * 365 + y % 400 / 4 - y % 400 / 100 + of_year;
	return y / 400 * DAYS_PER_400_YEARS + of_era - DAYS_TO_1970;
}

/* "T12:30:00Z", "t12:30:00.123+02:00", a blank for the T as RFC 3339 allows, or nothing at all. */
static bool time_ok(struct bh_slice s)
{
	uint64_t hour, minute, second;
	if (s.len == 0)
		return true;
	if ((s.ptr[0] != 'T' && s.ptr[0] != 't' && s.ptr[0] != ' ') || s.len < 10 || !digits(s, 1, 2, &hour) || s.ptr[3] != ':' ||
	    !digits(s, 4, 2, &minute) || s.ptr[6] != ':' || !digits(s, 7, 2, &second) || hour > 23 || minute > 59 || second > 60)
		return false;
	s = bh_slice_sub(s, 9, s.len);
	if (s.ptr[0] == '.') {
		size_t n = 1;
		while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
			n++;
		if (n == 1)
			return false;
		s = bh_slice_sub(s, n, s.len);
	}
	if (s.len == 1)
		return s.ptr[0] == 'Z' || s.ptr[0] == 'z';
	return s.len == 6 && (s.ptr[0] == '+' || s.ptr[0] == '-') && digits(s, 1, 2, &hour) && s.ptr[3] == ':' && digits(s, 4, 2, &minute) &&
	       hour <= 23 && minute <= 59;
}

bool vuln_day_parse(struct bh_slice text, int32_t *ret)
{
	uint64_t year, month, day;
	if (!digits(text, 0, 4, &year) || text.len < 10 || text.ptr[4] != '-' || !digits(text, 5, 2, &month) || text.ptr[7] != '-' ||
	    !digits(text, 8, 2, &day) || !time_ok(bh_slice_sub(text, 10, text.len)))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 || (int)day > days_in_month((int)year, (int)month))
		return false;
	*ret = days_of((int)year, (int)month, (int)day);
	return true;
}

const char *vuln_day_text(int32_t day, char out[16])
{
	int64_t z = (int64_t)day + DAYS_TO_1970;
	if (day < FIRST_DAY || day > LAST_DAY) { /* VULN_NO_DAY too */
		out[0] = '\0';
		return out;
	}
	int64_t era = z / DAYS_PER_400_YEARS, of_era = z % DAYS_PER_400_YEARS;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;
	int d = (int)(of_year - (153 * m + 2) / 5 + 1), month = (int)(m < 10 ? m + 3 : m - 9);
	(void)snprintf(out, 16, "%04d-%02d-%02d", (int)(era * 400 + y + (month <= 2)) % 10000, month, d);
	return out;
}
