/* helper.c: see helper.h. Answers are RESULT frames when they failed, REPLY frames else. */
#include "sys/helper.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/log.h"
#include "sys/channel.h"
#include "sys/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER_SOCK 3
#define PIPE_BYTES (1 << 20)     /* as much as an ordinary user may have: fewer changes between reader and writer */
#define STREAM_OUT 4             /* where a spawned process finds its pipe and its status; behind the helper's own socket */
#define STREAM_STATUS 5
#define DESCRIPTORS_WITHOUT_CLOSE_RANGE 65536

struct bh_helper {
	pid_t pid;
	int sock;
};

static void close_from(int first)
{
	if (syscall(SYS_close_range, first, ~0u, 0) < 0)
		for (int fd = first; fd < DESCRIPTORS_WITHOUT_CLOSE_RANGE; fd++)
			(void)close(fd);
}

/* ---- in the helper ---- */

static int serve_one(int sock, bh_helper_serve *serve, void *ctx, struct bh_buf *in, struct bh_buf *out)
{
	struct channel_frame request;
	int rc = channel_read(sock, in, &request, NULL, NULL);
	if (rc < 0)
		return rc; /* the program is gone */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	bh_buf_clear(out);
	struct bh_err why = { 0 };
	struct bh_child_reply reply = { .payload = out, .fd = -1 };
	rc = serve(ctx, request.type, request.payload, &reply, &why);
	if (rc >= 0 && out->failed)
		rc = bh_fail(&why, BH_ENOMEM, 0, "out of memory");
	struct channel_out frame;
	int sent = rc < 0 ? channel_write_result(sock, rc, &why) : channel_out_init(&frame, request.type, CHANNEL_REPLY, bh_buf_slice(out), reply.fd, NULL);
	if (sent == 0 && rc >= 0)
		sent = channel_push(sock, &frame, true, NULL);
	if (reply.close_fd && reply.fd >= 0)
		(void)close(reply.fd);
	return sent < 0 ? sent : 0;
}

static bool keep_only(int sock)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	return null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
	       (sock == HELPER_SOCK || dup2(sock, HELPER_SOCK) >= 0) && fcntl(HELPER_SOCK, F_SETFD, FD_CLOEXEC) == 0;
}

_Noreturn static void become_helper(bh_helper_serve *serve, void *ctx, int sock, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || !keep_only(sock))
		_exit(1);
	close_from(HELPER_SOCK + 1);
	bh_log_set_hook(NULL, NULL);            /* the progress bar is the program's */
	(void)prctl(PR_SET_DUMPABLE, 0);        /* what it knows is not for others' eyes, nor for core files */
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	struct bh_buf in, out;
	bh_buf_init(&in, BH_FRAME_BYTES_MAX);
	bh_buf_init(&out, BH_FRAME_BYTES_MAX);
	while (serve_one(HELPER_SOCK, serve, ctx, &in, &out) == 0)
		;
	_exit(0);
}

static int write_outcome(int rc, const struct bh_err *why)
{
	return channel_write_result(STREAM_STATUS, rc < 0 ? rc : 0, why) < 0 ? 1 : 0;
}

/* Its place in the table of descriptors may be any: first out of the way, then where they belong. */
_Noreturn static void become_stream(int (*run)(void *, int, struct bh_err *), void *ctx, int out, int status, pid_t parent)
{
	struct bh_err why = { 0 };
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	int high_out = fcntl(out, F_DUPFD_CLOEXEC, 64), high_status = fcntl(status, F_DUPFD_CLOEXEC, 64);
	if (getppid() != parent || high_out < 0 || high_status < 0 || dup2(high_out, STREAM_OUT) < 0 || dup2(high_status, STREAM_STATUS) < 0)
		_exit(1);
	(void)close(HELPER_SOCK);
	close_from(STREAM_STATUS + 1);
	(void)fcntl(STREAM_STATUS, F_SETFD, FD_CLOEXEC);
	int rc = run(ctx, STREAM_OUT, &why);
	(void)close(STREAM_OUT);
	_exit(write_outcome(rc, &why));
}

int bh_helper_spawn(int (*run)(void *ctx, int out_fd, struct bh_err *err), void *ctx, int *ret_fd, int *ret_status_fd, struct bh_err *err)
{
	int data[2] = { -1, -1 }, status[2] = { -1, -1 };
	if (pipe2(data, O_CLOEXEC) < 0)
		return bh_fail_errno(err, errno, "pipe");
	(void)fcntl(data[1], F_SETPIPE_SZ, PIPE_BYTES);
	int rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, status) < 0 ? bh_fail_errno(err, errno, "socketpair") : 0;
	pid_t parent = getpid(), pid = rc < 0 ? -1 : fork();
	if (pid == 0)
		become_stream(run, ctx, data[1], status[1], parent);
	if (rc == 0 && pid < 0)
		rc = bh_fail_errno(err, errno, "fork");
	(void)close(data[1]);
	if (status[1] >= 0)
		(void)close(status[1]);
	if (rc < 0) {
		(void)close(data[0]);
		if (status[0] >= 0)
			(void)close(status[0]);
		return rc;
	}
	*ret_fd = data[0];
	*ret_status_fd = status[0];
	return 0;
}

int bh_helper_outcome(int status_fd, struct bh_err *err)
{
	struct bh_buf in;
	struct channel_frame f;
	struct bh_err told = { 0 };
	int code = 0;
	bh_buf_init(&in, CHANNEL_HEADER_BYTES + BH_ERR_TEXT_BYTES);
	int rc = channel_read(status_fd, &in, &f, NULL, NULL);
	if (rc < 0 || f.kind != CHANNEL_RESULT || !channel_parse_result(f.payload, &code, &told))
		code = bh_fail(&told, BH_ECHILD, 0, "the process that transfers it ended without a result");
	bh_buf_done(&in);
	if (code < 0)
		*err = told;
	return code;
}

/* ---- in the program ---- */

int bh_helper_start(bh_helper_serve *serve, void *ctx, struct bh_helper **ret, struct bh_err *err)
{
	int pair[2];
	struct bh_helper *h = calloc(1, sizeof(*h));
	if (!h)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		free(h);
		return bh_fail_errno(err, errno, "socketpair");
	}
	pid_t parent = getpid();
	h->pid = fork();
	h->sock = pair[0];
	if (h->pid == 0)
		become_helper(serve, ctx, pair[1], parent);
	int why = errno;
	(void)close(pair[1]);
	if (h->pid > 0) {
		*ret = h;
		return 0;
	}
	(void)close(pair[0]);
	free(h);
	return bh_fail_errno(err, why, "fork");
}

/* False when interrupted. */
static bool wait_for_answer(const struct bh_helper *h)
{
	struct pollfd wait[2] = { { .fd = h->sock, .events = POLLIN }, { .fd = bh_interrupt_fd(), .events = POLLIN } };
	int n;
	do
		n = poll(wait, 2, -1);
	while (n < 0 && errno == EINTR && !bh_interrupted());
	return !bh_interrupted();
}

int bh_helper_call(struct bh_helper *h, uint16_t type, struct bh_slice payload, struct bh_buf *reply, int *ret_fd, struct bh_err *err)
{
	BH_CLOSE int fd = -1;
	struct channel_frame f = { 0 };
	struct bh_err told = { 0 };
	int rc = channel_write(h->sock, type, CHANNEL_REQUEST, payload, &told), code;
	bool waited = rc == 0 && wait_for_answer(h);
	rc = waited ? channel_read(h->sock, reply, &f, &fd, &told) : rc;
	if (bh_interrupted())
		return bh_fail(err, BH_ECANCELLED, 0, "interrupted by signal %d", bh_interrupt_signal());
	if (rc < 0)
		return bh_fail(err, BH_ECHILD, 0, "the process that uses the network is gone");
	if (f.kind == CHANNEL_RESULT && channel_parse_result(f.payload, &code, &told) && code < 0) {
		*err = told;
		return code;
	}
	if (f.kind != CHANNEL_REPLY)
		return bh_fail(err, BH_ECHILD, 0, "the process that uses the network answered in a way nobody knows");
	if (ret_fd)
		*ret_fd = BH_TAKE_FD(fd);
	return 0;
}

void bh_helper_stop(struct bh_helper *h)
{
	if (!h)
		return;
	(void)close(h->sock);
	(void)kill(h->pid, SIGKILL); /* it holds nothing that would want to be put away; its own children die with it */
	while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(h);
}
