/*
 * bench_guard.c: what a system call costs, for tests/bench/guard.py: bench_guard CALL N. Prints nanoseconds of processor time for each; best of five. "flood" opens files for N milliseconds and prints how many.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void untraced(long n)
{
	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
}

static void opens(long n)
{
	for (long i = 0; i < n; i++)
		close(open("/etc/hostname", O_RDONLY | O_CLOEXEC));
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? strtol(argv[2], NULL, 10) : 0, done = 0;
	double best = 1e18;
	if (n <= 0)
		return 2;
	if (strcmp(argv[1], "flood") == 0) {
		for (uint64_t end = now_ns(CLOCK_MONOTONIC) + (uint64_t)n * 1000000u; now_ns(CLOCK_MONOTONIC) < end; done += 100)
			opens(100);
		printf("%ld\n", done);
		return 0;
	}
	for (int i = 0; i < 5; i++) {
		uint64_t start = now_ns(CLOCK_THREAD_CPUTIME_ID);
		(strcmp(argv[1], "open") == 0 ? opens : untraced)(n);
		double each = (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)n;
		best = each < best ? each : best;
	}
	printf("%.1f\n", best);
	return 0;
}
