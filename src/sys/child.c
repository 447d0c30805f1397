/*
 * child.c: the parent's half: start children, answer them, watch them, and put into words how each ended.
 *
 *   waiting --start--> running --RESULT--> done (its own code and text)
 *                         |---- VIOLATION, signal, silence, memory, output, broken frame --> killed --> BH_ECHILD + reason
 */
#include "sys/child.h"

#include "base/cleanup.h"
#include "base/reader.h"
#include "sys/channel.h"
#include "sys/sandbox.h"
#include "sys/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WATCH_EVERY_MS 100
#define REPLY_SECONDS_MAX 10 /* a child that does not read its reply that long is broken */
#define GRACE_MS 2000        /* between closing the channel and being gone */

static bool sandboxed = true;

void bh_child_disable_sandbox(void)
{
	sandboxed = false;
}

struct running {
	struct bh_child_spec *spec;
	struct bh_child_limits limits;
	struct bh_buf in; /* bytes received, not yet decoded */
	size_t index;
	pid_t pid;
	int sock;
	uint64_t output_bytes;
	uint64_t heard_ns;
	bool finished; /* the RESULT frame came */
	int code;
	struct bh_err result;
};

static uint64_t now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- inside the new process ---- */

static void keep_only(int sock)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		if (fd != STDERR_FILENO || sandboxed) /* without a sandbox someone is debugging: let them see */
			(void)dup2(null, fd);
	/* Two ranges around the one that stays. Old kernels without close_range: O_CLOEXEC does not help a fork, so one by one. */
	if (syscall(SYS_close_range, 3, (unsigned)sock - 1, 0) < 0 || syscall(SYS_close_range, (unsigned)sock + 1, ~0u, 0) < 0)
		for (int fd = 3; fd < 65536; fd++)
			if (fd != sock)
				(void)close(fd);
}

_Noreturn static void become_child(const struct bh_child_spec *spec, const struct bh_child_limits *limits, int sock, pid_t parent)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM };
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		(void)signal(crashes[i], SIG_DFL); /* the parent's handlers make no sense here */
	(void)signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the whole group; the parent decides */
	(void)signal(SIGHUP, SIG_IGN);
	if (sock < 3) /* a caller without standard streams */
		sock = fcntl(sock, F_DUPFD_CLOEXEC, 3);
	keep_only(sock);
	struct bh_err err = { 0 };
	int rc = BH_OK;
	if (sandboxed)
		rc = sandbox_enter(limits, sock, &err);
	struct bh_channel channel = { .sock = sock };
	if (rc == BH_OK && getppid() == parent)
		rc = spec->run(&channel, spec->ctx, &err);
	if (rc < 0 && err.code == BH_OK)
		(void)bh_fail(&err, (enum bh_code)rc, 0, "failed without a reason");
	_exit(channel_write_result(sock, rc < 0 ? rc : 0, &err) < 0);
}

/* ---- starting and ending ---- */

static int start(struct running *r, struct bh_child_spec *spec, size_t index, struct bh_err *err)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return bh_fail_errno(err, errno, "socketpair");
	struct timeval timeout = { .tv_sec = REPLY_SECONDS_MAX };
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	struct bh_child_limits limits = sandbox_limits(&spec->limits);
	pid_t parent = getpid(), pid = fork();
	if (pid < 0) {
		int rc = bh_fail_errno(err, errno, "fork");
		(void)close(pair[0]);
		(void)close(pair[1]);
		return rc;
	}
	if (pid == 0)
		become_child(spec, &limits, pair[1], parent);
	(void)close(pair[1]);
	*r = (struct running){ .spec = spec, .limits = limits, .index = index, .pid = pid, .sock = pair[0], .heard_ns = now_ns() };
	bh_buf_init(&r->in, CHANNEL_HEADER_BYTES + BH_FRAME_BYTES_MAX);
	return BH_OK;
}

static void blame(struct running *r, const char *fmt, ...) BH_PRINTF(2, 3);
static void blame(struct running *r, const char *fmt, ...)
{
	if (r->finished)
		return; /* the first reason counts */
	char text[BH_ERR_TEXT_BYTES];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->finished = true;
	r->code = bh_fail(&r->result, BH_ECHILD, 0, "%s: %s", r->spec->name, text);
}

static void put_into_words(struct running *r, int status)
{
	if (WIFSIGNALED(status)) {
		int number = WTERMSIG(status);
		if (number == SIGXCPU || number == SIGKILL)
			blame(r, "stopped: used more than %u s of CPU time, or was killed by the system", r->limits.cpu_seconds);
		else
			blame(r, "crashed (%s)", strsignal(number));
	} else {
		blame(r, "ended without a result (exit code %d)", WEXITSTATUS(status));
	}
}

/* Waits up to GRACE_MS for a child that closed its channel, then kills it. After this it is gone. */
static void reap(struct running *r, bool kill_now)
{
	int status = 0;
	pid_t got = 0;
	for (int waited = 0; !kill_now && waited < GRACE_MS && got == 0; waited++) {
		got = waitpid(r->pid, &status, WNOHANG);
		if (got == 0)
			(void)poll(NULL, 0, 1);
	}
	if (got == 0) {
		(void)kill(r->pid, SIGKILL);
		while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	put_into_words(r, status);
	(void)close(r->sock);
	bh_buf_done(&r->in);
	r->pid = 0;
}

/* ---- messages ---- */

static int answer(struct running *r, const struct channel_frame *f)
{
	struct bh_buf payload;
	bh_buf_init(&payload, BH_FRAME_BYTES_MAX);
	struct bh_child_reply reply = { .payload = &payload, .fd = -1 };
	struct bh_err err = { 0 };
	bool request = f->kind == CHANNEL_REQUEST;
	int rc = r->spec->handle ? r->spec->handle(r->spec->ctx, f->type, request, f->payload, &reply, &err)
				 : bh_fail(&err, BH_ECHILD, 0, "sent a message nobody expects");
	if (rc >= 0 && request)
		rc = channel_write(r->sock, f->type, CHANNEL_REPLY, bh_buf_slice(&payload), reply.fd, &err);
	if (reply.close_fd && reply.fd >= 0)
		(void)close(reply.fd);
	bh_buf_done(&payload);
	if (rc < 0 && !r->finished) {
		r->finished = true;
		r->code = rc;
		r->result = err;
	}
	return rc;
}

static bool take_progress(struct running *r, struct bh_slice payload)
{
	struct bh_reader reader = bh_reader_of(payload);
	uint64_t done;
	if (!bh_take_u64le(&reader, &done))
		return false;
	if (r->spec->progress)
		r->spec->progress(r->spec->ctx, done);
	return true;
}

static bool take_violation(struct running *r, struct bh_slice payload)
{
	struct bh_reader reader = bh_reader_of(payload);
	uint32_t number;
	char name[64];
	if (!bh_take_u32le(&reader, &number))
		return false;
	blame(r, "stopped: tried the forbidden system call %s", sandbox_syscall_name(number, name));
	return true;
}

/* False: the child is to be killed; why is already noted, or it broke the protocol. */
static bool take_frame(struct running *r, const struct channel_frame *f)
{
	switch (f->kind) {
	case CHANNEL_EVENT:
	case CHANNEL_REQUEST: return answer(r, f) >= 0;
	case CHANNEL_PROGRESS: return take_progress(r, f->payload);
	case CHANNEL_VIOLATION: return take_violation(r, f->payload);
	case CHANNEL_RESULT:
		r->finished = channel_parse_result(f->payload, &r->code, &r->result);
		return r->finished;
	case CHANNEL_REPLY:
	case CHANNEL_KINDS: break;
	}
	return false;
}

static bool decode_all(struct running *r)
{
	struct bh_slice left = bh_buf_slice(&r->in);
	struct bh_err err = { 0 };
	int rc = 1;
	while (rc == 1 && !r->finished) {
		struct channel_frame f;
		size_t used;
		rc = channel_decode(left, &f, &used, &err);
		if (rc == 1 && !take_frame(r, &f))
			rc = BH_ECHILD;
		if (rc == 1)
			left = bh_slice_sub(left, used, left.len);
	}
	if (rc < 0)
		blame(r, "%s", err.text[0] ? err.text : "broke the message protocol");
	memmove(r->in.ptr, left.ptr, left.len);
	r->in.len = left.len;
	return rc >= 0;
}

enum more { MORE, ENDED, BROKEN };

static enum more receive(struct running *r)
{
	if (!bh_buf_reserve(&r->in, 1) || !(bh_buf_reserve(&r->in, 64u << 10) || bh_buf_reserve(&r->in, r->in.max_bytes - r->in.len)))
		return BROKEN;
	r->in.failed = false;
	ssize_t n = recv(r->sock, r->in.ptr + r->in.len, r->in.cap - r->in.len, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? MORE : ENDED;
	if (n == 0)
		return ENDED;
	r->in.len += (size_t)n;
	r->output_bytes += (uint64_t)n;
	if (r->output_bytes > r->limits.output_bytes) {
		blame(r, "stopped: sent more than %llu MiB of results", (unsigned long long)(r->limits.output_bytes >> 20));
		return BROKEN;
	}
	bool good = decode_all(r);
	r->heard_ns = now_ns();
	return good ? MORE : BROKEN;
}

/* ---- watching ---- */

static uint64_t resident_bytes(pid_t pid)
{
	char path[64], text[128] = { 0 };
	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	BH_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	unsigned long long size, resident, shared;
	if (n <= 0 || sscanf(text, "%llu %llu %llu", &size, &resident, &shared) != 3 || shared > resident)
		return 0;
	return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE); /* file pages can be dropped: they cost nobody */
}

static bool within_limits(struct running *r, uint64_t now)
{
	if (!sandboxed)
		return true;
	if (resident_bytes(r->pid) > r->limits.memory_bytes)
		blame(r, "stopped: needed more than %llu MiB of memory", (unsigned long long)(r->limits.memory_bytes >> 20));
	else if (now > r->heard_ns + r->limits.stall_seconds * 1000000000ull)
		blame(r, "stopped: made no progress for %u s", r->limits.stall_seconds);
	else
		return true;
	return false;
}

/* ---- the loop ---- */

struct loop {
	struct running *run; /* `parallel` places; pid 0 = free */
	struct pollfd *fds;  /* one per place, and the interrupt */
	size_t parallel, active;
	int *results;
	struct bh_err *errs;
};

static void retire(struct loop *l, struct running *r, bool kill_now)
{
	reap(r, kill_now);
	l->results[r->index] = r->code;
	l->errs[r->index] = r->result;
	l->active--;
}

static void kill_all(struct loop *l)
{
	for (size_t i = 0; i < l->parallel; i++)
		if (l->run[i].pid)
			retire(l, &l->run[i], true);
}

static int wait_for_messages(struct loop *l)
{
	for (size_t i = 0; i < l->parallel; i++)
		l->fds[i] = (struct pollfd){ .fd = l->run[i].pid ? l->run[i].sock : -1, .events = POLLIN };
	l->fds[l->parallel] = (struct pollfd){ .fd = bh_interrupt_fd(), .events = POLLIN };
	return poll(l->fds, (nfds_t)l->parallel + 1, WATCH_EVERY_MS);
}

static void serve(struct loop *l, uint64_t *watched_ns)
{
	uint64_t now = now_ns();
	bool watch = now - *watched_ns >= WATCH_EVERY_MS * 1000000ull;
	if (watch)
		*watched_ns = now;
	for (size_t i = 0; i < l->parallel; i++) {
		struct running *r = &l->run[i];
		if (!r->pid)
			continue;
		enum more more = l->fds[i].revents ? receive(r) : MORE;
		if (r->finished && more == MORE)
			more = ENDED;
		if (more == MORE && watch && !within_limits(r, now))
			more = BROKEN;
		if (more != MORE)
			retire(l, r, more == BROKEN);
	}
}

static int loop_run(struct loop *l, struct bh_child_spec *specs, size_t n, struct bh_err *err)
{
	uint64_t watched_ns = 0;
	size_t next = 0;
	while (next < n || l->active) {
		for (size_t i = 0; i < l->parallel && next < n; i++) {
			if (l->run[i].pid)
				continue;
			int rc = start(&l->run[i], &specs[next], next, err);
			if (rc < 0)
				return rc;
			next++;
			l->active++;
		}
		if (wait_for_messages(l) < 0 && errno != EINTR)
			return bh_fail_errno(err, errno, "poll");
		if (bh_interrupted())
			return bh_fail(err, BH_ECANCELLED, 0, "interrupted by signal %d", bh_interrupt_signal());
		serve(l, &watched_ns);
	}
	return BH_OK;
}

int bh_children_run(struct bh_child_spec *specs, size_t n, size_t parallel, int *results, struct bh_err *errs, struct bh_err *err)
{
	parallel = parallel && parallel < n ? parallel : parallel ? n : 1;
	parallel = parallel ? parallel : 1;
	struct loop l = { .parallel = parallel, .results = results, .errs = errs };
	l.run = calloc(parallel, sizeof(*l.run));
	l.fds = calloc(parallel + 1, sizeof(*l.fds));
	int rc = BH_OK;
	if (!l.run || !l.fds)
		rc = bh_fail(err, BH_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < n; i++) {
		errs[i] = (struct bh_err){ 0 };
		results[i] = bh_fail(&errs[i], BH_ECANCELLED, 0, "%s: not started", specs[i].name);
	}
	if (rc == BH_OK)
		rc = loop_run(&l, specs, n, err);
	if (l.run && rc < 0)
		kill_all(&l);
	free(l.run);
	free(l.fds);
	return rc;
}
