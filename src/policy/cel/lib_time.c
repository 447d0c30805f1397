/*
 * lib_time.c: functions of durations and timestamps (cel-spec langdef.md, "Timestamps and Durations"). Where cel-spec leaves room the answers are those
 * of cel-go: durations have 63 bits of nanoseconds, and their parts are taken from doubles, as Go's Duration.Hours() and its sisters do.
 *
 * One difference: cel-go's timestamps remember the offset that they were written with, and string() prints it. Ours are printed in UTC.
 */
#include "policy/cel/library.h"
#include "policy/cel/time.h"
#include "policy/cel/type.h"
#include "policy/cel/zone.h"

#define UNUSED_RUN (void)run, (void)n
#define NANOS_PER_MILLISECOND 1000000
#define NANOS_PER_MINUTE 60e9
#define NANOS_PER_HOUR 3600e9

static const char duration_range[] = "duration overflow: out of the range of 292 years";
static const char timestamp_range[] = "timestamp overflow: out of the range of years 1 to 9999";

static struct cel_time time_of(struct cel_value v)
{
	return (struct cel_time){ v.integer, v.nanos };
}

static struct cel_value value_of(enum cel_kind kind, struct cel_time t)
{
	return (struct cel_value){ .kind = kind, .integer = t.seconds, .nanos = t.nanos };
}

/* Only a literal of google.protobuf.Timestamp may be another. */
static bool is_on_calendar(struct cel_value timestamp)
{
	return cel_timestamp_in_range(timestamp.integer) && timestamp.nanos >= 0;
}

/* ---- conversion ---- */

static struct cel_value same(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return a[0];
}

static struct cel_value string_to_timestamp(struct cel_run *run, const struct cel_value *a, size_t n)
{
	struct cel_time t;
	struct bh_err err;
	(void)n;
	return cel_timestamp_parse(a[0].text, &t, &err) < 0 ? cel_fail(run, "%s", err.text) : value_of(CEL_TIMESTAMP, t);
}

static struct cel_value int_to_timestamp(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_timestamp_in_range(a[0].integer) ? value_of(CEL_TIMESTAMP, (struct cel_time){ a[0].integer, 0 }) : cel_error(timestamp_range);
}

static struct cel_value timestamp_to_int(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_int(a[0].integer);
}

static struct cel_value timestamp_to_string(struct cel_run *run, const struct cel_value *a, size_t n)
{
	char text[CEL_TIMESTAMP_TEXT_BYTES];
	(void)n;
	if (!is_on_calendar(a[0]))
		return cel_error(timestamp_range);
	return cel_string_copy(run, bh_slice_str(cel_timestamp_print(time_of(a[0]), text)));
}

static struct cel_value string_to_duration(struct cel_run *run, const struct cel_value *a, size_t n)
{
	struct cel_time t;
	struct bh_err err;
	(void)n;
	return cel_duration_parse(a[0].text, &t, &err) < 0 ? cel_fail(run, "%s", err.text) : value_of(CEL_DURATION, t);
}

/* cel-go declares it and then has no such conversion, so what passes the checker there fails when it runs. */
static struct cel_value int_to_duration(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	(void)a;
	return cel_error("type conversion error from 'int' to 'google.protobuf.Duration'");
}

static struct cel_value duration_to_int(struct cel_run *run, const struct cel_value *a, size_t n)
{
	int64_t nanos;
	UNUSED_RUN;
	return cel_duration_nanos(time_of(a[0]), &nanos) ? cel_int(nanos) : cel_error(duration_range);
}

static struct cel_value duration_to_string(struct cel_run *run, const struct cel_value *a, size_t n)
{
	char text[CEL_DURATION_TEXT_BYTES];
	(void)n;
	return cel_string_copy(run, bh_slice_str(cel_duration_print(time_of(a[0]), text)));
}

/* ---- arithmetic ---- */

static struct cel_value sum_of_durations(struct cel_value a, struct cel_value b, int sign)
{
	struct cel_time t;
	return cel_duration_add(time_of(a), time_of(b), sign, &t) ? value_of(CEL_DURATION, t) : cel_error(duration_range);
}

static struct cel_value moved_timestamp(struct cel_value timestamp, struct cel_value duration, int sign)
{
	struct cel_time t;
	return cel_timestamp_add(time_of(timestamp), time_of(duration), sign, &t) ? value_of(CEL_TIMESTAMP, t) : cel_error(timestamp_range);
}

static struct cel_value add_durations(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return sum_of_durations(a[0], a[1], 1);
}

static struct cel_value add_duration_timestamp(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return moved_timestamp(a[1], a[0], 1);
}

static struct cel_value add_timestamp_duration(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return moved_timestamp(a[0], a[1], 1);
}

static struct cel_value subtract_durations(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return sum_of_durations(a[0], a[1], -1);
}

static struct cel_value subtract_timestamp_duration(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return moved_timestamp(a[0], a[1], -1);
}

static struct cel_value subtract_timestamps(struct cel_run *run, const struct cel_value *a, size_t n)
{
	struct cel_time t;
	UNUSED_RUN;
	return cel_timestamp_difference(time_of(a[0]), time_of(a[1]), &t) ? value_of(CEL_DURATION, t) : cel_error(duration_range);
}

/* ---- parts of timestamps, on the clock of UTC or of a zone ---- */

enum part {
	PART_YEAR,
	PART_MONTH, /* from 0 */
	PART_DAY_OF_YEAR, /* from 0 */
	PART_DAY_OF_MONTH, /* from 0 */
	PART_DATE, /* from 1 */
	PART_DAY_OF_WEEK, /* from 0, Sunday */
	PART_HOURS,
	PART_MINUTES,
	PART_SECONDS,
	PART_MILLISECONDS,
};

static int64_t part_of(const struct cel_calendar *c, int32_t nanos, enum part part)
{
	switch (part) {
	case PART_YEAR: return c->year;
	case PART_MONTH: return c->month - 1;
	case PART_DAY_OF_YEAR: return c->day_of_year;
	case PART_DAY_OF_MONTH: return c->day - 1;
	case PART_DATE: return c->day;
	case PART_DAY_OF_WEEK: return c->day_of_week;
	case PART_HOURS: return c->hour;
	case PART_MINUTES: return c->minute;
	case PART_SECONDS: return c->second;
	case PART_MILLISECONDS: return nanos / NANOS_PER_MILLISECOND;
	}
	return 0;
}

static struct cel_value timestamp_part(struct cel_run *run, const struct cel_value *a, size_t n, enum part part)
{
	struct bh_err err;
	int offset = 0;
	if (!is_on_calendar(a[0]))
		return cel_error(timestamp_range);
	if (n > 1 && cel_zone_offset(a[1].text, a[0].integer, &offset, &err) < 0)
		return cel_fail(run, "%s", err.text);
	struct cel_calendar c = cel_calendar_of(a[0].integer + offset);
	return cel_int(part_of(&c, a[0].nanos, part));
}

#define PART(name, part)                                                                                             \
	static struct cel_value name(struct cel_run *run, const struct cel_value *a, size_t n)                       \
	{                                                                                                            \
		return timestamp_part(run, a, n, part);                                                              \
	}

PART(year, PART_YEAR)
PART(month, PART_MONTH)
PART(day_of_year, PART_DAY_OF_YEAR)
PART(day_of_month, PART_DAY_OF_MONTH)
PART(date, PART_DATE)
PART(day_of_week, PART_DAY_OF_WEEK)
PART(hours, PART_HOURS)
PART(minutes, PART_MINUTES)
PART(seconds, PART_SECONDS)
PART(milliseconds, PART_MILLISECONDS)

/* ---- durations in other units ---- */

/* Whole units, and what is left as a double: near the end of the range 0.9999999999 units more are rounded up to one, as in Go. */
static struct cel_value in_units(struct cel_value duration, int64_t seconds_per_unit, double nanos_per_unit)
{
	int64_t all;
	if (!cel_duration_nanos(time_of(duration), &all)) /* a literal of google.protobuf.Duration may have more */
		return cel_error(duration_range);
	int64_t whole = duration.integer / seconds_per_unit, left = duration.integer % seconds_per_unit * CEL_NANOS_PER_SECOND + duration.nanos;
	return cel_int((int64_t)((double)whole + (double)left / nanos_per_unit));
}

static struct cel_value duration_hours(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return in_units(a[0], 3600, NANOS_PER_HOUR);
}

static struct cel_value duration_minutes(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return in_units(a[0], 60, NANOS_PER_MINUTE);
}

static struct cel_value duration_seconds(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return in_units(a[0], 1, CEL_NANOS_PER_SECOND);
}

/*
 * All of them, as in cel-go and so in Kubernetes. The conformance data wants those behind the whole seconds only; cel-go leaves that case out and
 * cel-spec says that it will be deprecated.
 */
static struct cel_value duration_milliseconds(struct cel_run *run, const struct cel_value *a, size_t n)
{
	int64_t nanos;
	UNUSED_RUN;
	return cel_duration_nanos(time_of(a[0]), &nanos) ? cel_int(nanos / NANOS_PER_MILLISECOND) : cel_error(duration_range);
}

/* ---- the tables ---- */

#define SELECTOR(function, id, tz_id, call)                                                                          \
	{ function, id, "timestamp.() -> int", call, NULL },                                                         \
	{ function, tz_id, "timestamp.(string) -> int", call, NULL }

/* Comparison is with all the other kinds' in lib_standard.c. */
static const struct cel_overload overloads[] = {
	{ "timestamp", "timestamp_to_timestamp", "(timestamp) -> timestamp", same, NULL },
	{ "timestamp", "int64_to_timestamp", "(int) -> timestamp", int_to_timestamp, NULL },
	{ "timestamp", "string_to_timestamp", "(string) -> timestamp", string_to_timestamp, NULL },
	{ "duration", "duration_to_duration", "(duration) -> duration", same, NULL },
	{ "duration", "int64_to_duration", "(int) -> duration", int_to_duration, NULL },
	{ "duration", "string_to_duration", "(string) -> duration", string_to_duration, NULL },
	{ "int", "timestamp_to_int64", "(timestamp) -> int", timestamp_to_int, NULL },
	{ "int", "duration_to_int64", "(duration) -> int", duration_to_int, NULL },
	{ "string", "timestamp_to_string", "(timestamp) -> string", timestamp_to_string, NULL },
	{ "string", "duration_to_string", "(duration) -> string", duration_to_string, NULL },

	{ "_+_", "add_duration_duration", "(duration, duration) -> duration", add_durations, NULL },
	{ "_+_", "add_duration_timestamp", "(duration, timestamp) -> timestamp", add_duration_timestamp, NULL },
	{ "_+_", "add_timestamp_duration", "(timestamp, duration) -> timestamp", add_timestamp_duration, NULL },
	{ "_-_", "subtract_duration_duration", "(duration, duration) -> duration", subtract_durations, NULL },
	{ "_-_", "subtract_timestamp_duration", "(timestamp, duration) -> timestamp", subtract_timestamp_duration, NULL },
	{ "_-_", "subtract_timestamp_timestamp", "(timestamp, timestamp) -> duration", subtract_timestamps, NULL },

	SELECTOR("getFullYear", "timestamp_to_year", "timestamp_to_year_with_tz", year),
	SELECTOR("getMonth", "timestamp_to_month", "timestamp_to_month_with_tz", month),
	SELECTOR("getDayOfYear", "timestamp_to_day_of_year", "timestamp_to_day_of_year_with_tz", day_of_year),
	SELECTOR("getDayOfMonth", "timestamp_to_day_of_month", "timestamp_to_day_of_month_with_tz", day_of_month),
	SELECTOR("getDate", "timestamp_to_day_of_month_1_based", "timestamp_to_day_of_month_1_based_with_tz", date),
	SELECTOR("getDayOfWeek", "timestamp_to_day_of_week", "timestamp_to_day_of_week_with_tz", day_of_week),
	SELECTOR("getHours", "timestamp_to_hours", "timestamp_to_hours_with_tz", hours),
	SELECTOR("getMinutes", "timestamp_to_minutes", "timestamp_to_minutes_with_tz", minutes),
	SELECTOR("getSeconds", "timestamp_to_seconds", "timestamp_to_seconds_tz", seconds),
	SELECTOR("getMilliseconds", "timestamp_to_milliseconds", "timestamp_to_milliseconds_with_tz", milliseconds),
	{ "getHours", "duration_to_hours", "duration.() -> int", duration_hours, NULL },
	{ "getMinutes", "duration_to_minutes", "duration.() -> int", duration_minutes, NULL },
	{ "getSeconds", "duration_to_seconds", "duration.() -> int", duration_seconds, NULL },
	{ "getMilliseconds", "duration_to_milliseconds", "duration.() -> int", duration_milliseconds, NULL },
	{ 0 },
};

static const struct cel_constant constants[] = {
	{ "google.protobuf.Duration", "type(duration)", { .kind = CEL_TYPE, .type = &cel_type_duration } },
	{ "google.protobuf.Timestamp", "type(timestamp)", { .kind = CEL_TYPE, .type = &cel_type_timestamp } },
	{ 0 },
};

const struct cel_library cel_library_time = { .name = "time", .overloads = overloads, .constants = constants };
