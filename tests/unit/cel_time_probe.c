/*
 * cel_time_probe.c: a program, not a test: questions from standard input, one a line, and their answers. "zone NAME INSTANT": the offset in seconds;
 * "duration TEXT" and "timestamp TEXT": seconds, nanoseconds and the printed form; "calendar SECONDS": year, month, day, day of week, day of
 * year, hour, minute, second. "error ..." for what is refused.
 */
#include "policy/cel/time.h"
#include "policy/cel/zone.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_BYTES_MAX 65536u

static void answer_zone(struct bh_slice text)
{
	struct bh_slice name, instant;
	struct bh_err err;
	int offset;
	bh_slice_cut(text, ' ', &name, &instant);
	if (cel_zone_offset(name, strtoll((const char *)instant.ptr, NULL, 10), &offset, &err) < 0)
		printf("error %s\n", err.text);
	else
		printf("%d\n", offset);
}

static void answer_text(struct bh_slice text, bool is_duration)
{
	char printed[CEL_DURATION_TEXT_BYTES];
	struct cel_time t;
	struct bh_err err;
	if ((is_duration ? cel_duration_parse(text, &t, &err) : cel_timestamp_parse(text, &t, &err)) < 0)
		printf("error %s\n", err.text);
	else
		printf("%" PRId64 " %d %s\n", t.seconds, t.nanos, is_duration ? cel_duration_print(t, printed) : cel_timestamp_print(t, printed));
}

static void answer_calendar(struct bh_slice text)
{
	struct cel_calendar c = cel_calendar_of(strtoll((const char *)text.ptr, NULL, 10));
	printf("%" PRId64 " %d %d %d %d %d %d %d\n", c.year, c.month, c.day, c.day_of_week, c.day_of_year, c.hour, c.minute, c.second);
}

int main(void)
{
	static char line[LINE_BYTES_MAX];
	while (fgets(line, sizeof(line), stdin)) {
		struct bh_slice verb, rest;
		line[strcspn(line, "\n")] = '\0';
		bh_slice_cut(bh_slice_str(line), ' ', &verb, &rest);
		if (bh_slice_eq_str(verb, "zone"))
			answer_zone(rest);
		else if (bh_slice_eq_str(verb, "calendar"))
			answer_calendar(rest);
		else
			answer_text(rest, bh_slice_eq_str(verb, "duration"));
	}
	return 0;
}
