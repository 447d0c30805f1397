/*
 * test_cel_time.c: durations, timestamps, the calendar and time zones of CEL. Expected values come from Go's documentation and package time (1.26),
 * from Python's datetime and zoneinfo (3.11), or from cel-spec's conformance data, as each table says. tests/live/time_zones.py asks Python much more.
 */
#include "policy/cel/time.h"
#include "policy/cel/zone.h"

#include "sys/files.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- durations ---- */

/* What Go's time.ParseDuration and cel-go's string(duration) say. */
static void durations_are_read_and_printed_as_in_go(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds;
		int32_t nanos;
		const char *printed;
	} cases[] = {
		{ "1h10m10s", 4210, 0, "4210s" },
		{ "1h2m3.5s", 3723, 500000000, "3723.5s" },
		{ "-1.5h", -5400, 0, "-5400s" },
		{ "+5s", 5, 0, "5s" },
		{ "100us", 0, 100000, "0.0001s" },
		{ "1\xc2\xb5s", 0, 1000, "0.000001s" },
		{ "1\xce\xbcs", 0, 1000, "0.000001s" },
		{ "-999999999ns", 0, -999999999, "-0.999999999s" },
		{ "1000000s", 1000000, 0, "1000000s" },
		{ "123.321456789s", 123, 321456789, "123.321456789s" },
		{ ".5h", 1800, 0, "1800s" },
		{ "1.s", 1, 0, "1s" },
		{ "0", 0, 0, "0s" },
		{ "-0", 0, 0, "0s" },
		{ "0.3333333333333333333h", 1200, 0, "1200s" },
		{ "0.1234567891234567891234567h", 444, 444440844, "444.444440844s" },
		{ "0000001s0000002s", 3, 0, "3s" },
		{ "9223372036854775807ns", 9223372036, 854775807, "9223372036.854776s" },
		{ "-9223372036854775808ns", -9223372036, -854775808, "-9223372036.854776s" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cel_time t;
		struct bh_err err;
		char printed[CEL_DURATION_TEXT_BYTES];
		if (cel_duration_parse(bh_slice_str(cases[i].text), &t, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_string_equal(cel_duration_print(t, printed), cases[i].printed);
		assert_int_equal(t.seconds, cases[i].seconds);
		assert_int_equal(t.nanos, cases[i].nanos);
	}
}

static void wrong_durations_say_why(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int code;
		const char *complaint;
	} cases[] = {
		{ "", BH_EMALFORMED, "'' is no duration: a number is missing" },
		{ "-", BH_EMALFORMED, "'-' is no duration: a number is missing" },
		{ "--1s", BH_EMALFORMED, "'--1s' is no duration: a number is missing" },
		{ ".s", BH_EMALFORMED, "'.s' is no duration: a number is missing" },
		{ "1", BH_EMALFORMED, "'1' is no duration: units are h, m, s, ms, us, ns" },
		{ "00", BH_EMALFORMED, "'00' is no duration: units are h, m, s, ms, us, ns" },
		{ "1d", BH_EMALFORMED, "'1d' is no duration: units are h, m, s, ms, us, ns" },
		{ "1h 2m", BH_EMALFORMED, "'1h 2m' is no duration: units are h, m, s, ms, us, ns" },
		{ "1 s", BH_EMALFORMED, "'1 s' is no duration: units are h, m, s, ms, us, ns" },
		{ "320000000000s", BH_ELIMIT, "duration '320000000000s' is out of the range of 292 years" }, /* conformance: duration_range/from_string_over */
		{ "-320000000000s", BH_ELIMIT, "duration '-320000000000s' is out of the range of 292 years" },
		{ "9223372036854775808ns", BH_ELIMIT, "duration '9223372036854775808ns' is out of the range of 292 years" },
		{ "-9223372036854775809ns", BH_ELIMIT, "duration '-9223372036854775809ns' is out of the range of 292 years" },
		{ "9223372036854775808ns9223372036854775808ns", BH_ELIMIT, /* wraps to 0 in Go */
		  "duration '9223372036854775808ns9223372036854775808ns' is out of the range of 292 years" },
		{ "2562047h48m", BH_ELIMIT, "duration '2562047h48m' is out of the range of 292 years" },
		{ "99999999999999999999999s", BH_ELIMIT, "duration '99999999999999999999999s' is out of the range of 292 years" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cel_time t = { 7, 7 };
		struct bh_err err;
		assert_int_equal(cel_duration_parse(bh_slice_str(cases[i].text), &t, &err), cases[i].code);
		assert_string_equal(err.text, cases[i].complaint);
		assert_true(t.seconds == 7 && t.nanos == 7);
	}
}

/* ---- timestamps ---- */

/* What Go's time.Parse(time.RFC3339) says; the shorter hour, the comma and the 24 hours of an offset are its own. */
static void timestamps_are_read_and_printed_as_in_go(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds;
		int32_t nanos;
		const char *printed;
	} cases[] = {
		{ "2009-02-13T23:31:30Z", 1234567890, 0, "2009-02-13T23:31:30Z" },
		{ "2009-02-13T23:31:30.5+01:00", 1234564290, 500000000, "2009-02-13T22:31:30.5Z" },
		{ "2009-02-13T23:31:30,5Z", 1234567890, 500000000, "2009-02-13T23:31:30.5Z" },
		{ "2009-02-13T3:31:30Z", 1234495890, 0, "2009-02-13T03:31:30Z" },
		{ "2009-02-13T23:31:30+24:60", 1234477890, 0, "2009-02-12T22:31:30Z" },
		{ "2009-02-13T23:31:30-00:00", 1234567890, 0, "2009-02-13T23:31:30Z" },
		{ "2009-02-13T23:31:30.1234567899Z", 1234567890, 123456789, "2009-02-13T23:31:30.123456789Z" },
		{ "9999-12-31T23:59:59.999999999Z", 253402300799, 999999999, "9999-12-31T23:59:59.999999999Z" },
		{ "0001-01-01T00:00:00Z", -62135596800, 0, "0001-01-01T00:00:00Z" },
		{ "0000-12-31T23:00:00-01:00", -62135596800, 0, "0001-01-01T00:00:00Z" },
		{ "1969-12-31T23:59:59.25Z", -1, 250000000, "1969-12-31T23:59:59.25Z" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cel_time t;
		struct bh_err err;
		char printed[CEL_TIMESTAMP_TEXT_BYTES];
		if (cel_timestamp_parse(bh_slice_str(cases[i].text), &t, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_string_equal(cel_timestamp_print(t, printed), cases[i].printed);
		assert_int_equal(t.seconds, cases[i].seconds);
		assert_int_equal(t.nanos, cases[i].nanos);
	}
}

static void wrong_timestamps_are_refused(void **state)
{
	(void)state;
	static const char *const malformed[] = {
		"", "2009-02-13", "2009-02-13T23:31:30", "2009-02-13t23:31:30Z", "2009-02-13T23:31:30z", "2009-02-13 23:31:30Z", "2009-02-13T23:31:30.Z",
		"2009-02-13T24:00:00Z", "2016-12-31T23:59:60Z", "2009-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2009-2-13T23:31:30Z", "2009-02-13T23:31:30+0100",
		"2009-02-13T23:1:30Z", "2009-02-13T123:31:30Z", "2009-02-13T23:31:30Z ", "+009-02-13T23:31:30Z", "2009-02-13T3:31:30+25:00", "2009-02-00T03:31:30Z",
		"2009-00-01T03:31:30Z", "2009-13-01T03:31:30Z", "2009-02-13T 3:31:30Z", "2009-02-13T03:61:30Z", "2009-02-13T03:31:30+01:61",
	};
	static const char *const outside[] = {
		"0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", /* conformance: timestamp_range */
		"0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
	};
	struct cel_time t = { 7, 7 };
	struct bh_err err;
	for (size_t i = 0; i < COUNT(malformed); i++)
		assert_int_equal(cel_timestamp_parse(bh_slice_str(malformed[i]), &t, &err), BH_EMALFORMED);
	assert_string_equal(err.text, "'2009-02-13T03:31:30+01:61' is no timestamp of RFC 3339 as 2009-02-13T23:31:30Z");
	for (size_t i = 0; i < COUNT(outside); i++)
		assert_int_equal(cel_timestamp_parse(bh_slice_str(outside[i]), &t, &err), BH_ELIMIT);
	assert_string_equal(err.text, "timestamp '9999-12-31T23:59:59-01:00' is out of the range of years 1 to 9999");
	assert_true(t.seconds == 7 && t.nanos == 7);
}

/* ---- sums: conformance/timestamps, timestamp_arithmetic, timestamp_range, duration_range ---- */

static struct cel_time duration(const char *text)
{
	struct cel_time t;
	struct bh_err err;
	if (cel_duration_parse(bh_slice_str(text), &t, &err) < 0)
		fail_msg("%s", err.text);
	return t;
}

static struct cel_time timestamp(const char *text)
{
	struct cel_time t;
	struct bh_err err;
	if (cel_timestamp_parse(bh_slice_str(text), &t, &err) < 0)
		fail_msg("%s", err.text);
	return t;
}

static void timestamps_and_durations_add_up(void **state)
{
	(void)state;
	static const struct {
		const char *timestamp, *duration;
		int sign;
		const char *sum; /* NULL: out of range */
	} cases[] = {
		{ "2009-02-13T23:00:00Z", "240s", 1, "2009-02-13T23:04:00Z" },
		{ "2009-02-13T23:10:00Z", "600s", -1, "2009-02-13T23:00:00Z" },
		{ "0001-01-01T00:00:01.000000001Z", "-999999999ns", 1, "0001-01-01T00:00:00.000000002Z" },
		{ "0001-01-01T00:00:01.999999999Z", "999999999ns", 1, "0001-01-01T00:00:02.999999998Z" },
		{ "1970-01-01T00:00:00Z", "1ns", -1, "1969-12-31T23:59:59.999999999Z" },
		{ "0001-01-01T00:00:00Z", "-1s", 1, NULL },
		{ "9999-12-31T23:59:59Z", "1s", 1, NULL },
		{ "9999-12-31T23:59:59.999999999Z", "1ns", 1, NULL },
		{ "0001-01-01T00:00:00Z", "-1ns", 1, NULL },
		{ "0001-01-01T00:00:00Z", "1ns", -1, NULL },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cel_time sum;
		char printed[CEL_TIMESTAMP_TEXT_BYTES];
		bool ok = cel_timestamp_add(timestamp(cases[i].timestamp), duration(cases[i].duration), cases[i].sign, &sum);
		assert_int_equal(ok, cases[i].sum != NULL);
		if (ok)
			assert_string_equal(cel_timestamp_print(sum, printed), cases[i].sum);
	}
}

static void differences_and_sums_have_limits(void **state)
{
	(void)state;
	const struct cel_time most = { 9223372036, 854775807 }, least = { -9223372036, -854775808 }, nano = { 0, 1 };
	const struct cel_time proto_most = { 315576000000, 999999999 }; /* a protobuf message may hold it */
	struct cel_time t;
	int64_t nanos;
	assert_true(cel_timestamp_difference(timestamp("2009-02-13T23:31:00Z"), timestamp("2009-02-13T23:29:00Z"), &t) && t.seconds == 120 && t.nanos == 0);
	assert_true(cel_timestamp_difference(timestamp("1970-01-01T00:00:00Z"), timestamp("1970-01-01T00:00:01.5Z"), &t) && t.seconds == -1 && t.nanos == -500000000);
	assert_false(cel_timestamp_difference(timestamp("9999-12-31T23:59:59Z"), timestamp("0001-01-01T00:00:00Z"), &t));
	assert_false(cel_timestamp_difference(timestamp("0001-01-01T00:00:00Z"), timestamp("9999-12-31T23:59:59Z"), &t));
	assert_true(cel_duration_add(duration("600s"), duration("-50.5s"), 1, &t) && t.seconds == 549 && t.nanos == 500000000);
	assert_true(cel_duration_add(duration("1s"), duration("1.5s"), -1, &t) && t.seconds == 0 && t.nanos == -500000000);
	assert_false(cel_duration_add(most, nano, 1, &t));
	assert_false(cel_duration_add(least, nano, -1, &t));
	assert_true(cel_duration_add(most, nano, -1, &t) && t.nanos == 854775806);
	assert_false(cel_duration_add(proto_most, proto_most, 1, &t));
	assert_false(cel_duration_nanos(proto_most, &nanos));
	assert_true(cel_duration_nanos(least, &nanos) && nanos == INT64_MIN);
}

/* ---- the calendar: Python's datetime ---- */

static void seconds_become_dates(void **state)
{
	(void)state;
	static const struct {
		int64_t seconds;
		struct cel_calendar want;
	} cases[] = {
		{ 1234567890, { 2009, 2, 13, 5, 43, 23, 31, 30 } },
		{ 0, { 1970, 1, 1, 4, 0, 0, 0, 0 } },
		{ -1, { 1969, 12, 31, 3, 364, 23, 59, 59 } },
		{ -62135596800, { 1, 1, 1, 1, 0, 0, 0, 0 } },
		{ 253402300799, { 9999, 12, 31, 5, 364, 23, 59, 59 } },
		{ 951782400, { 2000, 2, 29, 2, 59, 0, 0, 0 } },
		{ 4107542400, { 2100, 3, 1, 1, 59, 0, 0, 0 } },
		{ 1735689599, { 2024, 12, 31, 2, 365, 23, 59, 59 } },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cel_calendar got = cel_calendar_of(cases[i].seconds), want = cases[i].want;
		assert_true(got.year == want.year && got.month == want.month && got.day == want.day);
		assert_true(got.hour == want.hour && got.minute == want.minute && got.second == want.second);
		assert_int_equal(got.day_of_week, want.day_of_week);
		assert_int_equal(got.day_of_year, want.day_of_year);
		assert_int_equal(cel_days(want.year, want.month, want.day) * CEL_SECONDS_PER_DAY + want.hour * 3600 + want.minute * 60 + want.second, cases[i].seconds);
	}
}

/* A zone far from UTC may see the years 0 and 10000. */
static void the_calendar_goes_on_at_its_ends(void **state)
{
	(void)state;
	struct cel_calendar before = cel_calendar_of(CEL_TIMESTAMP_SECONDS_MIN - 1), after = cel_calendar_of(CEL_TIMESTAMP_SECONDS_MAX + 1);
	assert_true(before.year == 0 && before.month == 12 && before.day == 31 && before.day_of_year == 365 && before.day_of_week == 0);
	assert_true(after.year == 10000 && after.month == 1 && after.day == 1 && after.day_of_year == 0 && after.day_of_week == 6);
}

/* ---- zones ---- */

static struct cel_zone *load(const char *name, int want_code, struct bh_err *err)
{
	char path[128];
	struct bh_buf bytes;
	struct cel_zone *zone = NULL;
	(void)snprintf(path, sizeof(path), "tests/corpus/tzif/%s", name);
	bh_buf_init(&bytes, 2 * CEL_ZONE_FILE_BYTES_MAX);
	if (bh_read_file(path, 2 * CEL_ZONE_FILE_BYTES_MAX, &bytes, err) < 0)
		fail_msg("%s", err->text);
	assert_int_equal(cel_zone_parse(bh_buf_slice(&bytes), &zone, err), want_code);
	bh_buf_done(&bytes);
	return zone;
}

/* What Python's zoneinfo says about the same files. The last four were made for their rules. */
static void zone_files_say_what_they_say_to_python(void **state)
{
	(void)state;
	static const int64_t instants[] = { -3786825600, -615513600, 1711886400, 1735704000, 2845281600, 4118083200, 16751512800 };
	static const struct {
		const char *name;
		int offsets[COUNT(instants)]; /* 1850-01-01, 1950-07-01, 2024-03-31 12:00, 2025-01-01 04:00, 2060-02-29, 2100-07-01, 2500-11-01 */
	} cases[] = {
		{ "America-New_York", { -17762, -14400, -14400, -18000, -18000, -14400, -14400 } },
		{ "Europe-Dublin", { -1521, 3600, 3600, 0, 0, 3600, 0 } },
		{ "Africa-Casablanca", { -1820, 3600, 0, 3600, 0, 3600, 3600 } },
		{ "Australia-Lord_Howe", { 38180, 36000, 39600, 39600, 39600, 37800, 39600 } },
		{ "America-Nuuk", { -12416, -10800, -3600, -7200, -7200, -3600, -7200 } },
		{ "Asia-Kathmandu", { 20476, 19800, 20700, 20700, 20700, 20700, 20700 } },
		{ "Antarctica-Troll", { 0, 0, 7200, 0, 0, 7200, 0 } },
		{ "America-Asuncion", { -13840, -14400, -14400, -10800, -10800, -10800, -10800 } },
		{ "Asia-Gaza", { 8272, 7200, 7200, 7200, 7200, 10800, 7200 } },
		{ "UTC", { 0, 0, 0, 0, 0, 0, 0 } },
		{ "always-summer", { -14400, -14400, -14400, -14400, -14400, -14400, -14400 } },
		{ "julian", { -10800, -7200, -7200, -10800, -10800, -7200, -10800 } },
		{ "day-of-year", { 39600, 36000, 36000, 39600, 36000, 36000, 39600 } },
		{ "no-footer-rule", { 3600, 3600, 3600, 3600, 3600, 3600, 3600 } },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_err err;
		struct cel_zone *zone = load(cases[i].name, BH_OK, &err);
		for (size_t j = 0; j < COUNT(instants); j++)
			if (cel_zone_at(zone, instants[j]) != cases[i].offsets[j])
				fail_msg("%s at %lld: %d, not %d", cases[i].name, (long long)instants[j], cel_zone_at(zone, instants[j]), cases[i].offsets[j]);
		cel_zone_free(zone);
	}
}

/* RFC 9636: version 1 has no rule, so the last type stays. Berlin's clocks at the last change it can hold, in October 2037. */
static void old_files_end_with_their_last_change(void **state)
{
	(void)state;
	struct bh_err err;
	struct cel_zone *zone = load("version-1", BH_OK, &err);
	assert_int_equal(cel_zone_at(zone, 2140045199), 7200);
	assert_int_equal(cel_zone_at(zone, 2140045200), 3600);
	assert_int_equal(cel_zone_at(zone, 4118083200), 3600);
	cel_zone_free(zone);
}

static void damaged_files_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int code;
		const char *complaint;
	} cases[] = {
		{ "bad-rule", BH_EMALFORMED, "a zone file whose transitions or rule are wrong" },
		{ "bad-order", BH_EMALFORMED, "a zone file whose transitions or rule are wrong" },
		{ "bad-type", BH_EMALFORMED, "a zone file whose transitions or rule are wrong" },
		{ "truncated", BH_ETRUNCATED, "a zone file that ends too early" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_err err;
		assert_null(load(cases[i].name, cases[i].code, &err));
		assert_string_equal(err.text, cases[i].complaint);
	}
	static uint8_t large[CEL_ZONE_FILE_BYTES_MAX + 1];
	struct cel_zone *zone = NULL;
	struct bh_err err;
	assert_int_equal(cel_zone_parse((struct bh_slice){ large, sizeof(large) }, &zone, &err), BH_ELIMIT);
	assert_int_equal(cel_zone_parse((struct bh_slice){ large, 44 }, &zone, &err), BH_EMALFORMED);
}

/* However much of a file is there, it is read or refused. */
static void every_shorter_file_is_refused(void **state)
{
	(void)state;
	struct bh_buf bytes;
	struct bh_err err;
	struct cel_zone *zone = NULL;
	bh_buf_init(&bytes, CEL_ZONE_FILE_BYTES_MAX);
	assert_int_equal(bh_read_file("tests/corpus/tzif/Australia-Lord_Howe", CEL_ZONE_FILE_BYTES_MAX, &bytes, &err), BH_OK);
	for (size_t n = 0; n < bytes.len; n++)
		assert_true(cel_zone_parse(bh_slice_sub(bh_buf_slice(&bytes), 0, n), &zone, &err) < 0);
	assert_null(zone);
	bh_buf_done(&bytes);
}

/* conformance/timestamps, timestamp_selectors_tz, and what cel-go's strconv.Atoi reads. */
static void offsets_need_no_files(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int seconds;
	} cases[] = {
		{ "", 0 }, { "UTC", 0 }, { "+11:00", 39600 }, { "-02:30", -9000 }, { "-09:30", -34200 }, { "02:00", 7200 }, { "-00:00", 0 }, { "-00:30", -1800 },
		{ "+1:5", 3900 }, { "99:99", 362340 },
	};
	static const struct {
		const char *name, *complaint;
	} wrong[] = {
		{ ":30", "':30' is no offset from UTC as +01:00" },
		{ "02:", "'02:' is no offset from UTC as +01:00" },
		{ "+-1:00", "'+-1:00' is no offset from UTC as +01:00" },
		{ "100:00", "'100:00' is no offset from UTC as +01:00" },
		{ "01:00:00", "'01:00:00' is no offset from UTC as +01:00" },
		{ "Europe:Berlin", "'Europe:Berlin' is no offset from UTC as +01:00" },
		{ "../etc/passwd", "'../etc/passwd' is no name of a time zone" },
		{ "/etc/localtime", "'/etc/localtime' is no name of a time zone" },
		{ "Europe/", "'Europe/' is no name of a time zone" },
		{ "Europe//Berlin", "'Europe//Berlin' is no name of a time zone" },
		{ "zone.tab", "'zone.tab' is no name of a time zone" },
		{ "Europe/Berlin ", "'Europe/Berlin ' is no name of a time zone" },
		{ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		  "'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' is no name of a time zone" },
	};
	struct bh_err err;
	int seconds;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(cel_zone_offset(bh_slice_str(cases[i].name), 0, &seconds, &err), BH_OK);
		assert_int_equal(seconds, cases[i].seconds);
	}
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(cel_zone_offset(bh_slice_str(wrong[i].name), 0, &seconds, &err), BH_EMALFORMED);
		assert_string_equal(err.text, wrong[i].complaint);
	}
	assert_int_equal(cel_zone_offset(BH_SLICE_LIT("Europe\0Berlin"), 0, &seconds, &err), BH_EMALFORMED);
}

/* ---- zones of this system ---- */

static bool has_zone_files(void)
{
	struct bh_err err;
	int seconds;
	int rc = cel_zone_offset(BH_SLICE_LIT("Europe/Berlin"), 0, &seconds, &err);
	if (rc < 0)
		print_message("skipped: %s\n", err.text);
	return rc == BH_OK;
}

static void unknown_zones_are_errors(void **state)
{
	struct bh_err err;
	int seconds = 7;
	(void)state;
	if (!has_zone_files())
		skip();
	assert_int_equal(cel_zone_offset(BH_SLICE_LIT("Europe/Berlinx"), 0, &seconds, &err), BH_ENOTFOUND);
	assert_string_equal(err.text, "unknown time zone 'Europe/Berlinx'");
	assert_true(cel_zone_offset(BH_SLICE_LIT("Europe"), 0, &seconds, &err) < 0);
	assert_int_equal(seconds, 7);
	cel_zone_forget();
}

static const struct {
	const char *name;
	int offset; /* at 1234567890; conformance/timestamps, timestamp_selectors_tz, and Python's zoneinfo */
} zones[] = {
	{ "Australia/Sydney", 39600 }, { "America/St_Johns", -12600 }, { "Asia/Kathmandu", 20700 }, { "Europe/Berlin", 3600 }, { "Africa/Cairo", 7200 },
	{ "America/New_York", -18000 }, { "America/Chicago", -21600 }, { "America/Denver", -25200 }, { "America/Los_Angeles", -28800 }, { "Asia/Tokyo", 32400 },
	{ "Asia/Kolkata", 19800 }, { "Asia/Tehran", 12600 }, { "Europe/London", 0 }, { "Europe/Moscow", 10800 }, { "America/Sao_Paulo", -7200 },
	{ "Pacific/Auckland", 46800 }, { "Pacific/Honolulu", -36000 }, { "Etc/GMT+5", -18000 }, { "Asia/Shanghai", 28800 }, { "America/Argentina/Salta", -10800 },
};

/* More zones than are remembered, from several threads at once. */
static void *ask_all_zones(void *ctx)
{
	size_t *wrong = ctx;
	for (size_t i = 0; i < 50 * COUNT(zones); i++) {
		struct bh_err err;
		int seconds;
		size_t which = i * 7 % COUNT(zones);
		if (cel_zone_offset(bh_slice_str(zones[which].name), 1234567890, &seconds, &err) < 0 || seconds != zones[which].offset)
			(*wrong)++;
	}
	return NULL;
}

static void zones_are_shared_by_threads(void **state)
{
	pthread_t threads[4];
	size_t wrong[COUNT(threads)] = { 0 };
	(void)state;
	if (!has_zone_files())
		skip();
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_all_zones, &wrong[i]), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(wrong[i], 0);
	}
	cel_zone_forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read_and_printed_as_in_go),
		cmocka_unit_test(wrong_durations_say_why),
		cmocka_unit_test(timestamps_are_read_and_printed_as_in_go),
		cmocka_unit_test(wrong_timestamps_are_refused),
		cmocka_unit_test(timestamps_and_durations_add_up),
		cmocka_unit_test(differences_and_sums_have_limits),
		cmocka_unit_test(seconds_become_dates),
		cmocka_unit_test(the_calendar_goes_on_at_its_ends),
		cmocka_unit_test(zone_files_say_what_they_say_to_python),
		cmocka_unit_test(old_files_end_with_their_last_change),
		cmocka_unit_test(damaged_files_are_refused),
		cmocka_unit_test(every_shorter_file_is_refused),
		cmocka_unit_test(offsets_need_no_files),
		cmocka_unit_test(unknown_zones_are_errors),
		cmocka_unit_test(zones_are_shared_by_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
