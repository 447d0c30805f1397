/*
 * zone.h: how far clocks are from UTC: time zones by their IANA names ("Europe/Berlin"), from the system's zone files, and fixed offsets. There are
 * no zones of our own: where the files are missing only UTC and offsets are known.
 */
#ifndef CEL_ZONE_H
#define CEL_ZONE_H

#include "base/err.h"
#include "base/slice.h"

#define CEL_ZONE_NAME_BYTES_MAX 64u
#define CEL_ZONE_FILE_BYTES_MAX (64u << 10) /* the largest real one has 4 KiB */

/*
 * Seconds that clocks are east of UTC at an instant (seconds since 1970). The name is one of IANA's, "UTC", empty (UTC), or an offset as "+01:00",
 * "-07:30", "02:00". BH_ENOTFOUND: no such zone; BH_EMALFORMED, BH_ELIMIT: no such name, or a damaged file; BH_EIO: no zone files here.
 * Any thread may call it.
 */
int cel_zone_offset(struct bh_slice name, int64_t instant, int *ret_seconds, struct bh_err *err) BH_MUST_CHECK;

/* What cel_zone_offset remembers. It is bounded, so only tests for leaks need to forget it. */
void cel_zone_forget(void);

/* One zone file (TZif, RFC 9636) read by itself. */
struct cel_zone;

int cel_zone_parse(struct bh_slice bytes, struct cel_zone **ret, struct bh_err *err) BH_MUST_CHECK;
void cel_zone_free(struct cel_zone *zone);
int cel_zone_at(const struct cel_zone *zone, int64_t instant);

#endif
