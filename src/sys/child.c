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
#include "sys/clock.h"
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WATCH_EVERY_MS 100
#define GRACE_MS 500                        /* between closing the channel and being gone; a normal exit takes far less than 1 ms */
#define CHILD_SOCK 3                        /* where the child finds its channel: the first number behind the standard streams */
#define DESCRIPTORS_WITHOUT_CLOSE_RANGE 65536 /* Linux before 5.9: close one by one up to here */
#define NEAR_LIMIT(bytes) ((bytes) / 10 * 9) /* a crash this close to the memory limit is blamed on it */

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
	uint64_t inherited_bytes; /* resident in the parent at the start: not the child's doing */
	bool replying;            /* nothing is read until the reply below is out */
	struct channel_out out;
	struct bh_buf reply;
	int reply_fd; /* -1, or to be closed when the reply is out */
	bool finished; /* the RESULT frame came */
	int code;
	struct bh_err result;
};

/* ---- inside the new process ---- */

extern char **environ;

/* Tokens and passwords live in the environment of build machines; a hijacked parser must not find them. Ours stay. */
static void forget_environment(void)
{
	static char *nothing[] = { NULL };
	for (char **e = environ; e && *e; e++)
		if (strncmp(*e, "BULKHEAD_", 9) != 0)
			explicit_bzero(*e, strlen(*e));
	environ = nothing;
}

/* Standard streams on /dev/null, the channel on CHILD_SOCK, nothing else. */
static int keep_only(int sock, struct bh_err *err)
{
	if (sock == CHILD_SOCK ? fcntl(sock, F_SETFD, 0) < 0 : dup2(sock, CHILD_SOCK) < 0)
		return bh_fail_errno(err, errno, "sandbox: channel");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return bh_fail_errno(err, errno, "sandbox: /dev/null");
	/* Whoever debugs wants to see; and AddressSanitizer's report is the point of building with it. */
	int last = sandboxed && !SANDBOX_SANITIZED ? STDERR_FILENO : STDOUT_FILENO;
	for (int fd = STDIN_FILENO; fd <= last; fd++)
		if (dup2(null, fd) < 0)
			return bh_fail_errno(err, errno, "sandbox: /dev/null");
	if (syscall(SYS_close_range, CHILD_SOCK + 1, ~0u, 0) < 0)
		for (int fd = CHILD_SOCK + 1; fd < DESCRIPTORS_WITHOUT_CLOSE_RANGE; fd++)
			(void)close(fd);
	return BH_OK;
}

/* The parent's handlers make no sense here. Ctrl-C reaches the whole group of processes, but the parent decides. */
static void own_signals(void)
{
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	sigset_t none;
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void become_child(const struct bh_child_spec *spec, const struct bh_child_limits *limits, int sock, pid_t parent)
{
	struct bh_err err = { 0 };
	own_signals();
	int rc = keep_only(sock, &err);
	if (rc < 0)
		_exit(channel_write_result(sock, rc, &err) < 0 ? 1 : 0);
	if (sandboxed) {
		forget_environment();
		rc = sandbox_enter(spec, limits, CHILD_SOCK, &err);
	} else if (spec->prepare) {
		rc = spec->prepare(spec->ctx, &err);
	}
	if (rc == BH_OK && getppid() != parent)
		_exit(1); /* it died before PR_SET_PDEATHSIG could tell */
	struct bh_channel channel = { .sock = CHILD_SOCK };
	if (rc == BH_OK)
		rc = spec->run(&channel, spec->ctx, &err);
	if (rc < 0 && err.code == BH_OK)
		(void)bh_fail(&err, (enum bh_code)rc, 0, "failed without a reason");
	bool told = channel_flush(&channel, NULL) == BH_OK && channel_write_result(CHILD_SOCK, rc < 0 ? rc : 0, &err) == BH_OK;
	_exit(told ? 0 : 1);
}

/* ---- starting and ending ---- */

static uint64_t resident_bytes(pid_t pid);

/* No signal handler of the parent ever runs in the child: they stay blocked from before the fork until it has its own. */
static pid_t fork_quietly(void)
{
	sigset_t all, before;
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	int why = errno;
	if (pid != 0)
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
	errno = why;
	return pid;
}

static int start(struct running *r, struct bh_child_spec *spec, size_t index, struct bh_err *err)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return bh_fail_errno(err, errno, "socketpair");
	const int room = BH_FRAME_BYTES_MAX; /* a whole message, as far as the system allows: else both sides take turns over each part of it */
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	struct bh_child_limits limits = sandbox_limits(&spec->limits);
	pid_t parent = getpid(), pid = fork_quietly();
	if (pid < 0) {
		int rc = bh_fail_errno(err, errno, "fork");
		(void)close(pair[0]);
		(void)close(pair[1]);
		return rc;
	}
	if (pid == 0)
		become_child(spec, &limits, pair[1], parent);
	(void)close(pair[1]);
	*r = (struct running){ .spec = spec, .limits = limits, .index = index, .pid = pid, .sock = pair[0], .heard_ns = bh_clock_ns(CLOCK_MONOTONIC), .reply_fd = -1 };
	r->inherited_bytes = resident_bytes(parent);
	bh_buf_init(&r->in, CHANNEL_HEADER_BYTES + BH_FRAME_BYTES_MAX);
	bh_buf_init(&r->reply, BH_FRAME_BYTES_MAX);
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

/* How its process ended, as the kernel tells it. */
struct ending {
	int status;
	bool lingered; /* closed its channel but went on, so we killed it */
	struct rusage used;
};

static const char *signal_name(int number)
{
	switch (number) {
	case SIGSEGV: return "SIGSEGV";
	case SIGBUS: return "SIGBUS";
	case SIGFPE: return "SIGFPE";
	case SIGILL: return "SIGILL";
	case SIGABRT: return "SIGABRT";
	case SIGTERM: return "SIGTERM";
	case SIGTRAP: return "SIGTRAP";
	}
	return strsignal(number);
}

static void blame_signal(struct running *r, int number, const struct rusage *used)
{
	unsigned long long memory_mib = r->limits.memory_bytes >> 20;
	uint64_t peak = (uint64_t)used->ru_maxrss << 10;
	time_t cpu = used->ru_utime.tv_sec + used->ru_stime.tv_sec + (used->ru_utime.tv_usec + used->ru_stime.tv_usec) / 1000000;
	if (number == SIGXCPU || (number == SIGKILL && cpu >= (time_t)r->limits.cpu_seconds))
		blame(r, "stopped: used more than %u s of CPU time", r->limits.cpu_seconds);
	else if (number == SIGKILL)
		blame(r, "killed from outside (SIGKILL), perhaps because the machine ran out of memory");
	else if (number == SIGSYS)
		blame(r, "stopped: tried a forbidden system call");
	else if (peak >= NEAR_LIMIT(r->limits.memory_bytes))
		blame(r, "crashed (%s) at its limit of %llu MiB of memory", signal_name(number), memory_mib);
	else
		blame(r, "crashed (%s)", signal_name(number));
}

static void put_into_words(struct running *r, const struct ending *e)
{
	if (e->lingered)
		blame(r, "stopped: closed its channel without a result");
	else if (WIFSIGNALED(e->status))
		blame_signal(r, WTERMSIG(e->status), &e->used);
	else
		blame(r, "ended without a result (exit code %d)", WEXITSTATUS(e->status));
}

static void drop_reply(struct running *r)
{
	if (r->reply_fd >= 0)
		(void)close(r->reply_fd);
	r->reply_fd = -1;
	r->replying = false;
}

/* Waits up to GRACE_MS for a child that closed its channel, then kills it. After this it is gone. */
static void reap(struct running *r, bool kill_now)
{
	struct ending e = { 0 };
	pid_t got = 0;
	BH_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0); /* -1 before Linux 5.3: poll then just waits a millisecond */
	struct pollfd gone = { .fd = pidfd, .events = POLLIN };
	for (uint64_t until = bh_clock_ns(CLOCK_MONOTONIC) + GRACE_MS * 1000000ull; !kill_now && got == 0 && bh_clock_ns(CLOCK_MONOTONIC) < until;) {
		(void)poll(&gone, 1, pidfd >= 0 ? GRACE_MS : 1);
		got = wait4(r->pid, &e.status, WNOHANG, &e.used);
	}
	if (got == 0) {
		e.lingered = !kill_now;
		(void)kill(r->pid, SIGKILL);
		while (wait4(r->pid, &e.status, 0, &e.used) < 0 && errno == EINTR)
			;
	}
	put_into_words(r, &e);
	drop_reply(r);
	(void)close(r->sock);
	bh_buf_done(&r->in);
	bh_buf_done(&r->reply);
	r->pid = 0;
}

/* ---- messages ---- */

static int fail_with(struct running *r, int rc, const struct bh_err *err)
{
	if (!r->finished) {
		r->finished = true;
		r->code = rc;
		r->result = *err;
	}
	return rc;
}

static int answer(struct running *r, const struct channel_frame *f)
{
	bh_buf_clear(&r->reply);
	struct bh_child_reply reply = { .payload = &r->reply, .fd = -1 };
	struct bh_err err = { 0 };
	bool request = f->kind == CHANNEL_REQUEST;
	int rc = r->spec->handle ? r->spec->handle(r->spec->ctx, f->type, request, f->payload, &reply, &err)
				 : bh_fail(&err, BH_ECHILD, 0, "%s: sent a message nobody expects", r->spec->name);
	if (rc >= 0 && r->reply.failed)
		rc = bh_fail(&err, BH_ELIMIT, 0, "%s: a reply is larger than %u bytes", r->spec->name, BH_FRAME_BYTES_MAX);
	r->reply_fd = reply.close_fd ? reply.fd : -1;
	if (rc >= 0 && request) {
		r->replying = true;
		rc = channel_out_init(&r->out, f->type, CHANNEL_REPLY, bh_buf_slice(&r->reply), reply.fd, &err);
	} else {
		drop_reply(r);
	}
	return rc < 0 ? fail_with(r, rc, &err) : BH_OK;
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

enum more { MORE, ENDED, BROKEN };

/* Sends what the socket takes. A descriptor that is not ours to close must live on in the handler's ctx until then. */
static enum more push_reply(struct running *r)
{
	int rc = channel_push(r->sock, &r->out, false, NULL);
	if (rc == 0)
		return MORE; /* poll tells when there is room; a child that never reads runs into stall_seconds */
	drop_reply(r);
	r->heard_ns = bh_clock_ns(CLOCK_MONOTONIC);
	return rc < 0 ? ENDED : MORE;
}

static enum more decode_all(struct running *r)
{
	struct bh_slice left = bh_buf_slice(&r->in);
	struct bh_err err = { 0 };
	enum more more = MORE;
	int rc = 1;
	while (rc == 1 && more == MORE && !r->finished && !r->replying) {
		struct channel_frame f;
		size_t used;
		rc = channel_decode(left, &f, &used, &err);
		if (rc == 1 && !take_frame(r, &f))
			rc = BH_ECHILD;
		if (rc == 1)
			left = bh_slice_sub(left, used, left.len);
		if (rc == 1 && r->replying)
			more = push_reply(r);
	}
	if (rc < 0)
		blame(r, "%s", err.text[0] ? err.text : "broke the message protocol");
	if (left.len != r->in.len)
		memmove(r->in.ptr, left.ptr, left.len);
	r->in.len = left.len;
	return rc < 0 ? BROKEN : more;
}

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
	enum more more = decode_all(r);
	r->heard_ns = bh_clock_ns(CLOCK_MONOTONIC);
	return more;
}

/* One turn of a child whose channel is ready. */
static enum more converse(struct running *r)
{
	if (!r->replying)
		return receive(r);
	enum more more = push_reply(r);
	return more == MORE && !r->replying ? decode_all(r) : more; /* what came behind the request is still in the buffer */
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
	if (resident_bytes(r->pid) > sandbox_resident_max(&r->limits) + r->inherited_bytes)
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

static void kill_all(struct loop *l, const struct bh_err *why)
{
	for (size_t i = 0; i < l->parallel; i++) {
		struct running *r = &l->run[i];
		if (!r->pid)
			continue;
		struct bh_err err;
		(void)bh_fail(&err, BH_ECANCELLED, 0, "%s: stopped: %s", r->spec->name, why->text);
		(void)fail_with(r, err.code, &err);
		retire(l, r, true);
	}
}

static int wait_for_messages(struct loop *l)
{
	for (size_t i = 0; i < l->parallel; i++)
		l->fds[i] = (struct pollfd){ .fd = l->run[i].pid ? l->run[i].sock : -1, .events = l->run[i].replying ? POLLOUT : POLLIN };
	l->fds[l->parallel] = (struct pollfd){ .fd = bh_interrupt_fd(), .events = POLLIN };
	return poll(l->fds, (nfds_t)l->parallel + 1, WATCH_EVERY_MS);
}

static void serve(struct loop *l, uint64_t *watched_ns)
{
	uint64_t now = bh_clock_ns(CLOCK_MONOTONIC);
	bool watch = now - *watched_ns >= WATCH_EVERY_MS * 1000000ull;
	if (watch)
		*watched_ns = now;
	for (size_t i = 0; i < l->parallel; i++) {
		struct running *r = &l->run[i];
		if (!r->pid)
			continue;
		enum more more = l->fds[i].revents ? converse(r) : MORE;
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
	struct bh_err own = { 0 };
	err = err ? err : &own;
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
		kill_all(&l, err);
	free(l.run);
	free(l.fds);
	return rc;
}
