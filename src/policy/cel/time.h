/*
 * time.h: durations and timestamps of CEL (cel-spec langdef.md, "Timestamps and Durations") as texts and numbers, and the calendar. Texts are read
 * and printed as cel-go does, which is what Kubernetes runs: durations as Go's time.ParseDuration, timestamps as its time.RFC3339.
 */
#ifndef CEL_TIME_H
#define CEL_TIME_H

#include "base/err.h"
#include "base/slice.h"

#define CEL_NANOS_PER_SECOND 1000000000
#define CEL_SECONDS_PER_DAY 86400
#define CEL_TIMESTAMP_SECONDS_MIN (-62135596800) /* 0001-01-01T00:00:00Z */
#define CEL_TIMESTAMP_SECONDS_MAX 253402300799   /* 9999-12-31T23:59:59Z */

#define CEL_DURATION_TEXT_BYTES 64u  /* -315576000000.999999999s and to spare */
#define CEL_TIMESTAMP_TEXT_BYTES 40u /* 9999-12-31T23:59:59.999999999Z */

/* A duration: both of the same sign or zero. A timestamp: since 1970, nanos 0 to 999,999,999. */
struct cel_time {
	int64_t seconds;
	int32_t nanos;
};

/* "1h2m3.5s", "-1.5h", "100us", "0". BH_EMALFORMED, or BH_ELIMIT when it does not fit into 63 bits of nanoseconds (292 years). */
int cel_duration_parse(struct bh_slice text, struct cel_time *ret, struct bh_err *err) BH_MUST_CHECK;

/* Seconds with as many digits as a double needs: "1000000s", "-0.5s". Returns `out`. */
const char *cel_duration_print(struct cel_time duration, char out[CEL_DURATION_TEXT_BYTES]);

/* "2009-02-13T23:31:30.5+01:00". BH_EMALFORMED, or BH_ELIMIT outside of the years 1 to 9999 (UTC). Leap seconds are refused. */
int cel_timestamp_parse(struct bh_slice text, struct cel_time *ret, struct bh_err *err) BH_MUST_CHECK;

/* In UTC, with as few digits of a second as it takes: "2009-02-13T23:31:30.5Z". It must be in range. Returns `out`. */
const char *cel_timestamp_print(struct cel_time timestamp, char out[CEL_TIMESTAMP_TEXT_BYTES]);

static inline bool cel_timestamp_in_range(int64_t seconds)
{
	return seconds >= CEL_TIMESTAMP_SECONDS_MIN && seconds <= CEL_TIMESTAMP_SECONDS_MAX;
}

/*
 * Sums, false when they leave the range: of durations what fits into 63 bits of nanoseconds, of timestamps the years 1 to 9999. `sign` is 1 or -1:
 * a + b or a - b.
 */
bool cel_duration_add(struct cel_time a, struct cel_time b, int sign, struct cel_time *ret);
bool cel_timestamp_add(struct cel_time timestamp, struct cel_time duration, int sign, struct cel_time *ret);
bool cel_timestamp_difference(struct cel_time a, struct cel_time b, struct cel_time *ret);

/* All nanoseconds of a duration; false when they don't fit. */
bool cel_duration_nanos(struct cel_time duration, int64_t *ret);

/* The proleptic Gregorian calendar. */
struct cel_calendar {
	int64_t year;
	int month, day; /* from 1 */
	int day_of_week; /* 0: Sunday */
	int day_of_year; /* from 0 */
	int hour, minute, second;
};

/* Days since 1970-01-01. The year is any within some millions. */
int64_t cel_days(int64_t year, int month, int day);
int cel_days_in_month(int64_t year, int month);

/* Seconds since 1970 of the clock that is asked for: UTC, or UTC plus the offset of a zone. */
struct cel_calendar cel_calendar_of(int64_t seconds);

#endif
