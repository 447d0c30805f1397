/* courier.h: the process of one output, and what ways to deliver are. Private to the room. */
#ifndef BH_DELIVER_COURIER_H
#define BH_DELIVER_COURIER_H

#include "base/arena.h"
#include "deliver/deliver.h"
#include "deliver/queue.h"

#define DELIVER_HEADERS_MAX 16u

/* A way says BH_EMALFORMED where the other end has refused something for good; any other failure is tried again. */
struct courier;

struct deliver_way {
	size_t batch_max;  /* records at a time, of formats that have no head: one message or line for each */
	bool keeps_root;   /* it opens files again */
	bool (*takes)(const char *target);
	bool is_secret;    /* targets may have secrets behind their host */
	/* Before rights are given up, in the process; NULL: nothing to do. BH_EUSAGE ends the whole. */
	int (*open)(struct courier *c, struct bh_err *err);
	int (*send)(struct courier *c, const struct deliver_record *records, size_t n, struct bh_err *err);
};

struct courier {
	const struct deliver_way *way;
	const struct deliver_format *format;
	const char *program, *target;
	const char *headers[DELIVER_HEADERS_MAX], *authorization; /* of HTTP */
	size_t n_headers;
	struct deliver_shared *shared;
	struct queue queue;
	int pipe;
	/* the way's own */
	void *state;
	int fd;
	struct bh_buf text;
};

/* In shared memory: written by the process of the output, but `dropped_before`. */
struct deliver_shared {
	uint64_t delivered, refused, dropped, waiting, dropped_before;
	uint32_t fails, has_begun;
	char problem[DELIVER_PROBLEM_BYTES];
};

/* A line for each record, into the courier's text. */
void deliver_lines(struct courier *c, const struct deliver_record *records, size_t n);

/* NULL: none takes the target. */
const struct deliver_way *deliver_way_of(const char *target);

/* Until the pipe ends. Opens what the way wants first, as long as it has the rights. Returns the exit status. */
int deliver_courier_run(struct courier *c);

#endif
