/*
 * deliver.h: texts that are brought where somebody waits for them: into a file, to those who log, to a web hook, to a program. Each output has a process of its own, so that whoever gives
 * something never waits: what can't be delivered now waits there, in memory or in a file that outlives it, and is tried again.
 *
 *   who gives ──pipe──► process of the output: queue ──► file, socket, HTTP, program        nobody, without capabilities (files: their owner)
 *        ▲──── counts in shared memory ────┘
 */
#ifndef BH_DELIVER_DELIVER_H
#define BH_DELIVER_DELIVER_H

#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DELIVER_OUTPUTS_MAX 16u
#define DELIVER_PROBLEM_BYTES 256u

struct deliver_record {
	uint32_t severity; /* of syslog: 0 emergency ... 7 debug */
	uint64_t time_ns;  /* since 1970 */
	struct bh_slice text; /* without line breaks */
};

/* Where records go together, they stand between head and tail, with commas between them; both empty: each goes alone. The strings are the caller's, and stay. */
struct deliver_format {
	const char *name, *content_type, *head, *tail;
};

struct deliver_counts {
	uint64_t delivered, refused /* for good */, dropped /* there was no room */, waiting;
	bool fails;
	char problem[DELIVER_PROBLEM_BYTES]; /* why the last try that failed did */
};

struct deliver;

struct deliver_options {
	const char *program;       /* in what is sent: who speaks */
	const char *spool;         /* a folder for what waits, made if it is not there; NULL: it waits in memory, and is lost with the process */
	uint64_t waiting_bytes_max; /* of one output */
};

int deliver_new(const struct deliver_options *options, struct deliver **ret, struct bh_err *err) BH_MUST_CHECK;

/*
 * One more output, whose process runs from here on. Targets: "-" (standard output), /FILE, syslog:[/SOCKET | udp://HOST[:PORT] | tcp://HOST[:PORT]], http(s)://..., program:COMMAND, and
 * @FILE, whose first line is one of these and whose other lines are headers of HTTP: for what others must not see. BH_EUSAGE: it is none.
 */
int deliver_add(struct deliver *d, const char *target, const struct deliver_format *format, struct bh_err *err) BH_MUST_CHECK;

size_t deliver_outputs(const struct deliver *d);
const struct deliver_format *deliver_format(const struct deliver *d, size_t output);
const char *deliver_name(const struct deliver *d, size_t output); /* without what may be secret */

/* Never waits. What there is no room for is counted. */
void deliver_give(struct deliver *d, size_t output, const struct deliver_record *r);

/* From time to time: gives what a pipe had no room for. */
void deliver_flush(struct deliver *d);

void deliver_counts(const struct deliver *d, size_t output, struct deliver_counts *ret);

/* Lets all deliver what waits, for some seconds at most, and ends them. NULL: nothing. */
void deliver_end(struct deliver *d);

#endif
