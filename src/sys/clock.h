/* clock.h: nanoseconds of a clock: CLOCK_MONOTONIC for how long something takes. */
#ifndef BH_SYS_CLOCK_H
#define BH_SYS_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t bh_clock_ns(clockid_t clock)
{
	struct timespec t;
	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
