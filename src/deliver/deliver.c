/* deliver.c: see deliver.h: the side of whoever gives. */
#include "deliver/courier.h"

#include "base/cleanup.h"
#include "sys/clock.h"
#include "sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_BYTES (1 << 20)
#define PENDING_BYTES_MAX (4u << 20) /* what a pipe has no room for at once */
#define NAME_BYTES 128u
#define TARGET_FILE_BYTES_MAX 65536u
#define BEGIN_MS 10000
#define END_NS 20000000000ull

struct output {
	char name[NAME_BYTES];
	const struct deliver_format *format;
	struct deliver_shared *shared;
	struct bh_buf pending;
	pid_t pid;
	int pipe; /* -1: its process has ended */
};

struct deliver {
	const struct deliver_options *options;
	struct bh_arena arena;
	struct output outputs[DELIVER_OUTPUTS_MAX];
	size_t n;
};

int deliver_new(const struct deliver_options *options, struct deliver **ret, struct bh_err *err)
{
	struct deliver *d = calloc(1, sizeof(*d));
	if (!d)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	d->options = options;
	bh_arena_init(&d->arena, DELIVER_OUTPUTS_MAX * 2 * TARGET_FILE_BYTES_MAX);
	int rc = options->spool ? bh_mkdirs(options->spool, 0700, err) : 0;
	if (rc < 0) {
		free(d);
		return rc;
	}
	*ret = d;
	return 0;
}

/* ---- targets ---- */

/* Of a URL, what stands behind its host and in front of it is nobody else's. */
static void name_it(struct output *o, const struct deliver_way *way, const char *target)
{
	const char *host = strstr(target, "://"), *end = host ? host + 3 + strcspn(host + 3, "/?#") : NULL, *at = host ? memchr(host, '@', (size_t)(end - host)) : NULL;
	if (way->is_secret && host && way->takes("https://"))
		(void)snprintf(o->name, sizeof(o->name), "%s=%.*s://%.*s", o->format->name, (int)(host - target), target, (int)(end - (at ? at + 1 : host + 3)), at ? at + 1 : host + 3);
	else
		(void)snprintf(o->name, sizeof(o->name), "%s=%.*s", o->format->name, (int)(way->is_secret ? strcspn(target, " ") : strlen(target)), target);
}

static const char *keep(struct deliver *d, struct bh_slice text)
{
	return bh_arena_printf(&d->arena, "%.*s", (int)text.len, text.len ? (const char *)text.ptr : "");
}

static int take_header(struct deliver *d, struct courier *c, const char *file, struct bh_slice line, struct bh_err *err)
{
	struct bh_slice name, value;
	if (line.len == 0)
		return 0;
	if (!bh_slice_cut(line, ':', &name, &value) || name.len == 0 || c->n_headers == DELIVER_HEADERS_MAX)
		return bh_fail(err, BH_EUSAGE, 0, "%s: its first line is a target, the others, %u at most, headers: 'Name: value'", file, DELIVER_HEADERS_MAX);
	const char *own = keep(d, bh_slice_eq_str(name, "Authorization") ? bh_slice_trim(value) : line);
	if (!own)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	if (bh_slice_eq_str(name, "Authorization"))
		c->authorization = own;
	else
		c->headers[c->n_headers++] = own;
	return 0;
}

/* Words of a command line are everybody's to read; a file need not be. */
static int read_target(struct deliver *d, struct courier *c, const char *file, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	struct bh_slice line, rest;
	bh_buf_init(&text, TARGET_FILE_BYTES_MAX);
	int rc = bh_read_file(file, TARGET_FILE_BYTES_MAX, &text, err);
	if (rc < 0)
		return rc;
	(void)bh_slice_cut(bh_buf_slice(&text), '\n', &line, &rest);
	c->target = keep(d, bh_slice_trim(line));
	while (rc == 0 && rest.len) {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		rc = take_header(d, c, file, bh_slice_trim(line), err);
	}
	return rc < 0 || c->target ? rc : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

static int find_way(struct deliver *d, struct courier *c, const char *target, struct bh_err *err)
{
	int rc = 0;
	c->target = target;
	if (target[0] == '@')
		rc = read_target(d, c, target + 1, err);
	if (rc < 0)
		return rc;
	c->way = deliver_way_of(c->target);
	return c->way ? 0 : bh_fail(err, BH_EUSAGE, 0, "'%s' is no output: -, /FILE, syslog:, syslog:udp://HOST:PORT, syslog:tcp://HOST:PORT, http://..., https://..., program:COMMAND, or @FILE with one of them", target);
}

/* The same output finds what it left, whatever its place among the others. */
static int open_queue(const struct deliver *d, struct courier *c, struct bh_err *err)
{
	char path[4096];
	if (!d->options->spool)
		return queue_open(&c->queue, NULL, d->options->waiting_bytes_max, err);
	uint64_t hash = bh_slice_hash(bh_slice_str(c->format->name)) * 31 + bh_slice_hash(bh_slice_str(c->target));
	if (snprintf(path, sizeof(path), "%s/%016" PRIx64 ".queue", d->options->spool, hash) >= (int)sizeof(path))
		return bh_fail(err, BH_EUSAGE, 0, "the path of the spool is too long");
	return queue_open(&c->queue, path, d->options->waiting_bytes_max, err);
}

/* ---- processes ---- */

static int begin(struct deliver *d, struct output *o, struct courier *c, struct bh_err *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return bh_fail_errno(err, errno, "a pipe to an output");
	(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
	(void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
	pid_t parent = getpid();
	o->pid = fork();
	if (o->pid == 0) {
		/* Others' pipes would never end otherwise. */
		for (size_t i = 0; i < d->n; i++)
			(void)close(d->outputs[i].pipe);
		(void)close(ends[1]);
		c->pipe = ends[0];
		_exit(getppid() == parent ? deliver_courier_run(c) : 1);
	}
	(void)close(ends[0]);
	o->pipe = ends[1];
	return o->pid < 0 ? bh_fail_errno(err, errno, "the process of an output") : 0;
}

/* A file that can't be made, or a path that is no socket's, is told at once. */
static int wait_begun(struct output *o, struct bh_err *err)
{
	for (int ms = 0; ms < BEGIN_MS && !__atomic_load_n(&o->shared->has_begun, __ATOMIC_ACQUIRE) && waitpid(o->pid, NULL, WNOHANG) == 0; ms++)
		(void)poll(NULL, 0, 1);
	if (!__atomic_load_n(&o->shared->has_begun, __ATOMIC_ACQUIRE))
		return bh_fail(err, BH_ECHILD, 0, "output %s: its process did not begin", o->name);
	return o->shared->fails ? bh_fail(err, BH_EUSAGE, 0, "output %s: %s", o->name, o->shared->problem) : 0;
}

int deliver_add(struct deliver *d, const char *target, const struct deliver_format *format, struct bh_err *err)
{
	struct courier c = { .format = format, .program = d->options->program, .fd = -1, .queue = { .fd = -1 } };
	if (d->n == DELIVER_OUTPUTS_MAX)
		return bh_fail(err, BH_EUSAGE, 0, "there are more than %u outputs", DELIVER_OUTPUTS_MAX);
	struct output *o = &d->outputs[d->n];
	*o = (struct output){ .format = format, .pipe = -1 };
	int rc = find_way(d, &c, target, err);
	if (rc < 0)
		return rc;
	name_it(o, c.way, c.target);
	bh_buf_init(&o->pending, PENDING_BYTES_MAX);
	o->shared = mmap(NULL, sizeof(*o->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (o->shared == MAP_FAILED)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	c.shared = o->shared;
	rc = open_queue(d, &c, err);
	rc = rc < 0 ? bh_wrap(err, "output %s", o->name) : begin(d, o, &c, err);
	queue_close(&c.queue); /* the process's own from here on */
	if (rc < 0)
		return rc;
	d->n++;
	return wait_begun(o, err);
}

/* ---- giving ---- */

size_t deliver_outputs(const struct deliver *d)
{
	return d->n;
}

const struct deliver_format *deliver_format(const struct deliver *d, size_t output)
{
	return d->outputs[output].format;
}

const char *deliver_name(const struct deliver *d, size_t output)
{
	return d->outputs[output].name;
}

static void lose(struct output *o, uint64_t n)
{
	__atomic_fetch_add(&o->shared->dropped_before, n, __ATOMIC_RELAXED);
}

/* Its process is gone: whoever looks at the counts sees it. */
static void is_gone(struct output *o)
{
	(void)close(o->pipe);
	o->pipe = -1;
	bh_buf_clear(&o->pending);
	(void)snprintf(o->shared->problem, sizeof(o->shared->problem), "its process has ended");
	__atomic_store_n(&o->shared->fails, 1, __ATOMIC_RELEASE);
}

static void flush(struct output *o)
{
	while (o->pipe >= 0 && o->pending.len) {
		ssize_t n = write(o->pipe, o->pending.ptr, o->pending.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			is_gone(o);
		if (n <= 0)
			return;
		memmove(o->pending.ptr, o->pending.ptr + n, o->pending.len - (size_t)n);
		o->pending.len -= (size_t)n;
	}
}

void deliver_give(struct deliver *d, size_t output, const struct deliver_record *r)
{
	struct output *o = &d->outputs[output];
	const struct queue_head head = { (uint32_t)r->text.len, r->severity, r->time_ns };
	flush(o);
	if (o->pipe < 0 || r->text.len > QUEUE_RECORD_BYTES_MAX || !bh_buf_reserve(&o->pending, sizeof(head) + r->text.len)) {
		lose(o, 1);
		return;
	}
	bh_buf_add(&o->pending, (struct bh_slice){ (const uint8_t *)&head, sizeof(head) });
	bh_buf_add(&o->pending, r->text);
	flush(o);
}

void deliver_flush(struct deliver *d)
{
	for (size_t i = 0; i < d->n; i++)
		flush(&d->outputs[i]);
}

void deliver_counts(const struct deliver *d, size_t output, struct deliver_counts *ret)
{
	const struct deliver_shared *s = d->outputs[output].shared;
	*ret = (struct deliver_counts){ .fails = __atomic_load_n(&s->fails, __ATOMIC_ACQUIRE), .delivered = __atomic_load_n(&s->delivered, __ATOMIC_RELAXED), .refused = __atomic_load_n(&s->refused, __ATOMIC_RELAXED),
					.waiting = __atomic_load_n(&s->waiting, __ATOMIC_RELAXED),
					.dropped = __atomic_load_n(&s->dropped, __ATOMIC_RELAXED) + __atomic_load_n(&s->dropped_before, __ATOMIC_RELAXED) };
	if (ret->fails)
		(void)snprintf(ret->problem, sizeof(ret->problem), "%.*s", (int)sizeof(s->problem) - 1, s->problem);
}

/* ---- the end ---- */

static void finish(struct output *o, uint64_t until_ns)
{
	/* What did not go into the pipe yet: its process reads it as fast as it can. */
	while (o->pipe >= 0 && o->pending.len && bh_clock_ns(CLOCK_MONOTONIC) < until_ns) {
		flush(o);
		(void)poll(NULL, 0, 1);
	}
	if (o->pipe >= 0)
		(void)close(o->pipe);
	o->pipe = -1;
}

static void reap(struct output *o, uint64_t until_ns)
{
	while (waitpid(o->pid, NULL, WNOHANG) == 0) {
		if (bh_clock_ns(CLOCK_MONOTONIC) >= until_ns)
			(void)kill(o->pid, SIGKILL);
		(void)poll(NULL, 0, 2);
	}
	bh_buf_done(&o->pending);
	(void)munmap(o->shared, sizeof(*o->shared));
}

void deliver_end(struct deliver *d)
{
	if (!d)
		return;
	uint64_t until_ns = bh_clock_ns(CLOCK_MONOTONIC) + END_NS;
	for (size_t i = 0; i < d->n; i++)
		finish(&d->outputs[i], until_ns);
	for (size_t i = 0; i < d->n; i++)
		reap(&d->outputs[i], until_ns);
	bh_arena_done(&d->arena);
	free(d);
}
