/* fuzz_tzif.c: any bytes as a zone file; a zone that is read has an offset of less than some days at every instant, and always the same. */
#include "policy/cel/zone.h"

#include <stdlib.h>

#define OFFSET_SECONDS_MAX (26 * 3600)
#define STEP_SECONDS 7777777 /* a quarter of a year */
#define STEPS 3000           /* 700 years around 1970 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_at(const struct cel_zone *zone, int64_t instant)
{
	int offset = cel_zone_at(zone, instant);
	if (abs(offset) > OFFSET_SECONDS_MAX || cel_zone_at(zone, instant) != offset)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cel_zone *zone = NULL;
	struct bh_err err;
	int rc = cel_zone_parse((struct bh_slice){ data, size }, &zone, &err);
	if (rc != BH_OK) {
		if (rc >= 0 || err.code != rc || err.text[0] == '\0' || zone)
			abort();
		return 0;
	}
	for (int64_t i = -STEPS / 2; i < STEPS / 2; i++)
		check_at(zone, i * STEP_SECONDS);
	check_at(zone, INT64_MIN);
	check_at(zone, INT64_MAX);
	cel_zone_free(zone);
	return 0;
}
