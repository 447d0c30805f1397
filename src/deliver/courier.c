/* courier.c: see courier.h. One thread takes records from the pipe into the queue, the other one delivers them. */
#include "deliver/courier.h"

#include "sys/child.h"
#include "sys/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define BATCH_MAX 64u
#define BATCH_BYTES_MAX (1u << 20)
#define FIRST_PAUSE_MS 500u
#define PAUSE_MS_MAX 60000u
#define END_NS 5000000000ull /* so long is tried on when the program ends */
#define TEXT_BYTES_MAX (8u << 20)

#define WAY(name) extern const struct deliver_way deliver_way_##name;
#include "deliver/ways.def"
#undef WAY

const struct deliver_way *deliver_way_of(const char *target)
{
	static const struct deliver_way *const ways[] = {
#define WAY(name) &deliver_way_##name,
#include "deliver/ways.def"
#undef WAY
	};
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (ways[i]->takes(target))
			return ways[i];
	return NULL;
}

void deliver_lines(struct courier *c, const struct deliver_record *records, size_t n)
{
	bh_buf_clear(&c->text);
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_str(&c->text, c->format->head);
		bh_buf_add(&c->text, records[i].text);
		bh_buf_add_str(&c->text, c->format->tail);
		bh_buf_add_byte(&c->text, '\n');
	}
}

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t ends_ns; /* 0: it goes on */
} state = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

/* ---- what others see ---- */

static void count(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static void publish(const struct courier *c)
{
	__atomic_store_n(&c->shared->waiting, c->queue.n_waiting, __ATOMIC_RELAXED);
}

/* The text of a problem stands before it is announced, and stays until it is over. */
static void say_problem(const struct courier *c, const struct bh_err *why)
{
	if (__atomic_load_n(&c->shared->fails, __ATOMIC_RELAXED))
		return;
	(void)snprintf(c->shared->problem, sizeof(c->shared->problem), "%s", why->text);
	__atomic_store_n(&c->shared->fails, 1, __ATOMIC_RELEASE);
}

static void say_well(const struct courier *c)
{
	__atomic_store_n(&c->shared->fails, 0, __ATOMIC_RELEASE);
}

/* ---- delivering ---- */

static void pause_for(unsigned ms)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	bool ended = state.ends_ns != 0;
	while (!!state.ends_ns == ended && pthread_cond_timedwait(&state.changed, &state.lock, &until) == 0)
		;
}

/* The records of one try; the lock is given up while it lasts. */
static int deliver_some(struct courier *c, struct bh_buf *bytes)
{
	struct deliver_record records[BATCH_MAX];
	struct bh_err why = { 0 };
	size_t n = 0, most = c->format->head[0] ? BATCH_MAX : c->way->batch_max;
	uint64_t next = 0;
	int rc = queue_read(&c->queue, bytes, records, most, &n, &next, &why);
	(void)pthread_mutex_unlock(&state.lock);
	rc = rc < 0 ? rc : c->way->send(c, records, n, &why);
	(void)pthread_mutex_lock(&state.lock);
	if (rc == 0 || rc == BH_EMALFORMED) {
		queue_forget(&c->queue, n, next);
		count(rc == 0 ? &c->shared->delivered : &c->shared->refused, n);
		publish(c);
	}
	if (rc < 0)
		say_problem(c, &why);
	else
		say_well(c);
	return rc == BH_EMALFORMED ? 0 : rc;
}

static bool goes_on(const struct courier *c, bool failed)
{
	if (state.ends_ns == 0)
		return true;
	return c->queue.n_waiting && (!failed || bh_clock_ns(CLOCK_MONOTONIC) - state.ends_ns < END_NS);
}

static void *deliver_all(void *ctx)
{
	struct courier *c = ctx;
	struct bh_buf bytes;
	unsigned pause_ms = FIRST_PAUSE_MS;
	bool failed = false;
	bh_buf_init(&bytes, BATCH_BYTES_MAX + QUEUE_RECORD_BYTES_MAX);
	(void)pthread_mutex_lock(&state.lock);
	while (goes_on(c, failed)) {
		if (c->queue.n_waiting == 0) {
			(void)pthread_cond_wait(&state.changed, &state.lock);
			continue;
		}
		failed = deliver_some(c, &bytes) < 0;
		if (failed)
			pause_for(state.ends_ns ? FIRST_PAUSE_MS : pause_ms);
		pause_ms = !failed ? FIRST_PAUSE_MS : pause_ms < PAUSE_MS_MAX / 2 ? pause_ms * 2 : PAUSE_MS_MAX;
	}
	(void)pthread_mutex_unlock(&state.lock);
	bh_buf_done(&bytes);
	return NULL;
}

/* ---- taking ---- */

static bool read_whole(int fd, void *to, size_t n)
{
	uint8_t *at = to;
	while (n) {
		ssize_t got = read(fd, at, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

static void take(struct courier *c, const struct deliver_record *r)
{
	struct bh_err why = { 0 };
	(void)pthread_mutex_lock(&state.lock);
	if (queue_add(&c->queue, r, &why) < 0) {
		count(&c->shared->dropped, 1);
		say_problem(c, &why);
	}
	publish(c);
	(void)pthread_cond_signal(&state.changed);
	(void)pthread_mutex_unlock(&state.lock);
}

static void take_all(struct courier *c)
{
	struct bh_buf b;
	struct queue_head head;
	bh_buf_init(&b, QUEUE_RECORD_BYTES_MAX);
	while (read_whole(c->pipe, &head, sizeof(head))) {
		bh_buf_clear(&b);
		if (head.bytes > QUEUE_RECORD_BYTES_MAX || !bh_buf_reserve(&b, head.bytes) || !read_whole(c->pipe, b.ptr, head.bytes))
			break;
		const struct deliver_record r = { head.severity, head.time_ns, { b.ptr, head.bytes } };
		take(c, &r);
	}
	bh_buf_done(&b);
	(void)pthread_mutex_lock(&state.lock);
	state.ends_ns = bh_clock_ns(CLOCK_MONOTONIC);
	(void)pthread_cond_signal(&state.changed);
	(void)pthread_mutex_unlock(&state.lock);
}

int deliver_courier_run(struct courier *c)
{
	pthread_t thread = 0;
	struct bh_err why = { 0 };
	(void)signal(SIGINT, SIG_IGN); /* it ends when there is nothing more to deliver */
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	bh_buf_init(&c->text, TEXT_BYTES_MAX);
	int rc = c->way->open ? c->way->open(c, &why) : 0;
	bh_drop_user(c->way->keeps_root);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (rc == 0 && pthread_create(&thread, NULL, deliver_all, c) != 0)
		rc = bh_fail(&why, BH_ENOMEM, 0, "a thread can't be started");
	if (rc < 0)
		say_problem(c, &why);
	publish(c);
	__atomic_store_n(&c->shared->has_begun, 1, __ATOMIC_RELEASE);
	if (rc < 0)
		return 1;
	take_all(c);
	(void)pthread_join(thread, NULL);
	queue_close(&c->queue);
	return 0;
}
