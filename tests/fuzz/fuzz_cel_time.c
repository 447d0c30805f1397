/*
 * fuzz_cel_time.c: any text as a duration, a timestamp and an offset from UTC; what is read and printed reads back as the same,
 * durations to the nanosecond, as they are printed from doubles.
 */
#include "policy/cel/time.h"
#include "policy/cel/zone.h"

#include <stdlib.h>

#define EXACT_SECONDS (1 << 20) /* below this a double has all nanoseconds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_failure(int rc, const struct bh_err *err)
{
	if (rc >= 0 || err->code != rc || err->text[0] == '\0')
		abort();
}

static void check_duration(struct bh_slice text)
{
	struct cel_time t, again, sum;
	struct bh_err err;
	char printed[CEL_DURATION_TEXT_BYTES];
	int64_t nanos, nanos_again;
	int rc = cel_duration_parse(text, &t, &err);
	if (rc != BH_OK) {
		check_failure(rc, &err);
		return;
	}
	if ((t.seconds > 0 && t.nanos < 0) || (t.seconds < 0 && t.nanos > 0) || abs(t.nanos) >= CEL_NANOS_PER_SECOND || !cel_duration_nanos(t, &nanos))
		abort();
	rc = cel_duration_parse(bh_slice_str(cel_duration_print(t, printed)), &again, &err);
	if (llabs(t.seconds) < EXACT_SECONDS && (rc != BH_OK || !cel_duration_nanos(again, &nanos_again) || llabs(nanos - nanos_again) > 1))
		abort();
	if (!cel_duration_add(t, t, -1, &sum) || sum.seconds || sum.nanos)
		abort();
}

static void check_timestamp(struct bh_slice text)
{
	struct cel_time t, again, gap;
	struct bh_err err;
	char printed[CEL_TIMESTAMP_TEXT_BYTES];
	int rc = cel_timestamp_parse(text, &t, &err);
	if (rc != BH_OK) {
		check_failure(rc, &err);
		return;
	}
	if (!cel_timestamp_in_range(t.seconds) || t.nanos < 0 || t.nanos >= CEL_NANOS_PER_SECOND)
		abort();
	if (cel_timestamp_parse(bh_slice_str(cel_timestamp_print(t, printed)), &again, &err) != BH_OK || again.seconds != t.seconds || again.nanos != t.nanos)
		abort();
	if (!cel_timestamp_difference(t, again, &gap) || gap.seconds || gap.nanos || !cel_timestamp_add(t, gap, 1, &again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_slice text = { data, size };
	struct bh_err err;
	int offset;
	check_duration(text);
	check_timestamp(text);
	/* Other names would be looked for in the file system. */
	if (bh_slice_find(text, ':') < text.len) {
		int rc = cel_zone_offset(text, 0, &offset, &err);
		if (rc != BH_OK)
			check_failure(rc, &err);
	}
	return 0;
}
