/*
 * test_child.c: children that misbehave in every way we could think of. Each must end with the reason, within its limits, while a
 * well-behaved child beside it finishes. Run as root and, in a fork, as nobody.
 */
#include "sys/channel.h"
#include "sys/child.h"
#include "sys/sandbox.h"
#include "sys/signals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* clang's sanitizers intercept some calls; volatile keeps the compiler from dropping the misdeeds. */
static volatile int sink;
static volatile int *volatile nowhere;

static int behave(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ctx;
	struct bh_buf reply;
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	int rc = bh_channel_call(ch, 7, BH_SLICE_LIT("ping"), &reply, NULL, err);
	if (rc == BH_OK && !bh_slice_eq_str(bh_buf_slice(&reply), "pong"))
		rc = bh_fail(err, BH_EMALFORMED, 0, "no pong");
	bh_buf_done(&reply);
	return rc;
}

static int open_socket(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	return sink = socket(AF_INET, SOCK_STREAM, 0), 0;
}

static int read_a_file(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	return sink = open("/etc/passwd", O_RDONLY), 0;
}

static int write_a_file(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	return sink = open("/tmp/bulkhead-escaped", O_WRONLY | O_CREAT, 0600), 0;
}

static int execute(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	char program[] = "/bin/true";
	char *argv[] = { program, NULL };
	return execv(program, argv);
}

static int fork_itself(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	return sink = fork(), 0;
}

static int make_code(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	return sink = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED, 0;
}

static int trace(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	return sink = (int)ptrace(PTRACE_ATTACH, 1, NULL, NULL), 0;
}

static int signal_the_parent(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	return sink = kill(getppid(), SIGKILL), 0;
}

/* Touches what it gets, as a parser's table would; gives up only when malloc says no. */
static int eat_memory(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx;
	for (size_t i = 0; i < 4096; i++) {
		uint8_t *p = malloc(4u << 20);
		if (!p)
			return bh_fail(err, BH_ENOMEM, 0, "out of memory");
		for (size_t at = 0; at < 4u << 20; at += 4096)
			p[at] = (uint8_t)(i + 1);
		sink = p[4096];
	}
	return BH_OK;
}

static int spin(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	for (sink = 0; sink >= 0;)
		sink = (sink + 1) & 0xffff;
	return 0;
}

/* The sanitizer would turn the crash into a report. */
#define UNCHECKED __attribute__((no_sanitize("address", "undefined")))

UNCHECKED static int crash(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	*nowhere = 1;
	return 0;
}

static int give_up(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	abort();
}

static int leave_early(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	_exit(42);
}

static void send_raw(const struct bh_channel *ch, struct bh_slice bytes)
{
	struct iovec part = { (void *)(uintptr_t)bytes.ptr, bytes.len };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	sink = (int)sendmsg(ch->sock, &msg, MSG_NOSIGNAL);
}

static int send_garbage(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	send_raw(ch, BH_SLICE_LIT("\xff\xff\xff\xff\xff\xff\xff\xff and more"));
	return spin(ch, ctx, err);
}

static int send_too_long(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	send_raw(ch, BH_SLICE_LIT("\x01\x00\x10\x00\x09\x00\x00\x00")); /* one byte more than a mebibyte */
	return spin(ch, ctx, err);
}

static int pose_as_parent(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	send_raw(ch, BH_SLICE_LIT("\x00\x00\x00\x00\x09\x00\x02\x00")); /* a reply */
	return spin(ch, ctx, err);
}

static int lie_about_the_result(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	send_raw(ch, BH_SLICE_LIT("\x0c\x00\x00\x00\x00\x00\x04\x00\x05\x00\x00\x00........")); /* code 5 does not exist */
	return spin(ch, ctx, err);
}

static int half_a_message(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ctx, (void)err;
	send_raw(ch, BH_SLICE_LIT("\x00\x01\x00\x00\x09\x00\x00\x00 not 256 bytes"));
	_exit(0);
}

static int hang_up_and_stay(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	close(ch->sock);
	return spin(ch, ctx, err);
}

/* Asks for replies of a mebibyte and never reads one. */
static int never_listen(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	for (size_t i = 0; i < 4; i++)
		send_raw(ch, BH_SLICE_LIT("\x00\x00\x00\x00\x08\x00\x01\x00"));
	return spin(ch, ctx, err);
}

static int write_to_the_terminal(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	return sink = (int)write(STDOUT_FILENO, "\x1b[2J", 4), 0;
}

static int make_a_file_in_memory(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	return sink = memfd_create("escape", 0), 0;
}

static int raise_its_limits(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	sink = setrlimit(RLIMIT_CPU, &all); /* AddressSanitizer needs the call, but raising is refused */
	return spin(ch, ctx, err);
}

static int block_the_alarm(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	return open_socket(ch, ctx, err);
}

static int abort_without_memory(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	if (eat_memory(ch, ctx, err) == BH_ENOMEM)
		abort();
	return 0;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winfinite-recursion"
UNCHECKED static int dig(volatile uint8_t *above)
{
	volatile uint8_t here[4096];
	here[0] = (uint8_t)(above[0] + 1);
	return dig(here) + here[0];
}
#pragma GCC diagnostic pop

static int overflow_the_stack(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	uint8_t top = 0;
	return sink = dig(&top), 0;
}

static int ask_in_vain(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ctx;
	return bh_channel_send(ch, 10, BH_SLICE_LIT("please fail"), err);
}

static int flood(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ctx;
	static const uint8_t block[64 * 1024];
	for (;;) {
		int rc = bh_channel_send(ch, 9, (struct bh_slice){ block, sizeof(block) }, err);
		if (rc < 0)
			return rc;
	}
}

static int fail_politely(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx;
	return bh_fail(err, BH_ETRUNCATED, 1234, "ends at byte 1234");
}

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	(void)ctx;
	if (type == 9)
		return BH_OK;
	if (type == 10)
		return bh_fail(err, BH_EMISMATCH, 3, "the handler says no");
	if (type == 8)
		return bh_buf_reserve(reply->payload, BH_FRAME_BYTES_MAX) ? (reply->payload->len = BH_FRAME_BYTES_MAX, BH_OK) : BH_ENOMEM;
	if (!is_request || type != 7 || !bh_slice_eq_str(payload, "ping"))
		return bh_fail(err, BH_ECHILD, 0, "unexpected message");
	return bh_buf_add_str(reply->payload, "pong") ? BH_OK : BH_ENOMEM;
}

struct misdeed {
	int (*run)(struct bh_channel *ch, void *ctx, struct bh_err *err);
	int code;
	const char *words;
};

static const struct misdeed misdeeds[] = {
	{ open_socket, BH_ECHILD, "forbidden system call socket" },
	{ read_a_file, BH_ECHILD, "forbidden system call open" },
	{ write_a_file, BH_ECHILD, "forbidden system call open" },
	{ execute, BH_ECHILD, "forbidden system call execve" },
	{ fork_itself, BH_ECHILD, "forbidden system call clone" },
	{ make_code, BH_ECHILD, "forbidden system call mmap" },
	{ trace, BH_ECHILD, "forbidden system call ptrace" },
	{ signal_the_parent, BH_ECHILD, "forbidden system call kill" },
	{ write_to_the_terminal, BH_ECHILD, "forbidden system call write" },
	{ make_a_file_in_memory, BH_ECHILD, "forbidden system call memfd_create" },
	{ raise_its_limits, BH_ECHILD, SANDBOX_SANITIZED ? "CPU time" : "forbidden system call prlimit64" },
	{ block_the_alarm, BH_ECHILD, "forbidden system call" },
	{ eat_memory, 0, "memory" }, /* malloc's NULL or the parent's watch, whichever comes first */
	{ spin, BH_ECHILD, "CPU time" },
	{ crash, BH_ECHILD, "test: crashed (SIGSEGV)" },
	{ overflow_the_stack, BH_ECHILD, "test: crashed (SIGSEGV)" },
	{ give_up, BH_ECHILD, "test: crashed (SIGABRT)" },
	{ abort_without_memory, BH_ECHILD, SANDBOX_SANITIZED ? "memory" : "crashed (SIGABRT) at its limit of 256 MiB of memory" },
	{ leave_early, BH_ECHILD, "ended without a result (exit code 42)" },
	{ send_garbage, BH_ECHILD, "breaks the protocol" },
	{ send_too_long, BH_ECHILD, "a message of 1048577 bytes and kind 0 breaks the protocol" },
	{ pose_as_parent, BH_ECHILD, "broke the message protocol" },
	{ lie_about_the_result, BH_ECHILD, "broke the message protocol" },
	{ half_a_message, BH_ECHILD, "ended without a result (exit code 0)" },
	{ hang_up_and_stay, BH_ECHILD, "closed its channel without a result" },
	{ never_listen, BH_ECHILD, "CPU time" },
	{ ask_in_vain, BH_EMISMATCH, "the handler says no" },
	{ flood, BH_ECHILD, "of results" },
	{ fail_politely, BH_ETRUNCATED, "ends at byte 1234" },
};

#define N_MISDEEDS (sizeof(misdeeds) / sizeof(misdeeds[0]))

static size_t open_descriptors(void)
{
	size_t n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static struct bh_child_spec spec_of(int (*run)(struct bh_channel *, void *, struct bh_err *))
{
	/* How long a page takes to come is the machine's affair: who eats memory shall come to its limit. */
	uint32_t cpu_seconds = run == eat_memory || run == abort_without_memory ? 60 : 2;
	return (struct bh_child_spec){
		.name = "test",
		.run = run,
		.handle = handle,
		.limits = { .memory_bytes = 256u << 20, .cpu_seconds = cpu_seconds, .stall_seconds = 20, .output_bytes = 8u << 20 },
	};
}

/* ---- threads that prepare started ---- */

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER; /* held until the child is locked in */

static void *open_in_a_thread(void *ctx)
{
	(void)ctx;
	pthread_mutex_lock(&turn);
	sink = open("/etc/passwd", O_RDONLY);
	pthread_mutex_unlock(&turn);
	return NULL;
}

static int start_a_thread(void *ctx, struct bh_err *err)
{
	pthread_t thread;
	(void)ctx;
	pthread_mutex_lock(&turn);
	if (pthread_create(&thread, NULL, open_in_a_thread, NULL) != 0)
		return bh_fail(err, BH_EIO, 0, "no thread");
	poll(NULL, 0, 100); /* past what a thread does by itself when it begins */
	return BH_OK;
}

static int wake_the_thread(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ch, (void)ctx, (void)err;
	pthread_mutex_unlock(&turn);
	poll(NULL, 0, 2000);
	return 0;
}

static int refuse_to_start(void *ctx, struct bh_err *err)
{
	(void)ctx;
	return bh_fail(err, BH_EIO, 0, "not today");
}

static void what_prepare_starts_is_held_too(void **state)
{
	(void)state;
	static const struct {
		int (*prepare)(void *ctx, struct bh_err *err);
		int code;
		const char *words;
	} cases[] = {
		{ start_a_thread, BH_ECHILD, "forbidden system call open" },
		{ refuse_to_start, BH_EIO, "not today" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bh_child_spec spec = spec_of(wake_the_thread);
		int result = 1;
		struct bh_err text = { 0 }, err = { 0 };
		spec.prepare = cases[i].prepare;
		assert_int_equal(bh_children_run(&spec, 1, 1, &result, &text, &err), 0);
		if (result != cases[i].code || !strstr(text.text, cases[i].words))
			fail_msg("case %zu: %d, %s", i, result, text.text);
	}
}

static void misdeeds_end_with_their_reason(void **state)
{
	(void)state;
	struct bh_child_spec specs[N_MISDEEDS * 2];
	int results[N_MISDEEDS * 2];
	struct bh_err errs[N_MISDEEDS * 2], err = { 0 };
	for (size_t i = 0; i < N_MISDEEDS; i++) {
		specs[2 * i] = spec_of(misdeeds[i].run);
		specs[2 * i + 1] = spec_of(behave);
	}
	size_t before = open_descriptors();
	assert_int_equal(bh_children_run(specs, N_MISDEEDS * 2, 2, results, errs, &err), BH_OK);
	for (size_t i = 0; i < N_MISDEEDS; i++) {
		const char *text = errs[2 * i].text;
		if (!strstr(text, misdeeds[i].words))
			fail_msg("misdeed %zu: \"%s\" does not say \"%s\"", i, text, misdeeds[i].words);
		assert_true(results[2 * i] < 0);
		if (misdeeds[i].code)
			assert_int_equal(results[2 * i], misdeeds[i].code);
		if (results[2 * i + 1] != BH_OK)
			fail_msg("the good child beside misdeed %zu failed: %s", i, errs[2 * i + 1].text);
	}
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
	assert_int_equal(errno, ECHILD);
	assert_int_equal(access("/tmp/bulkhead-escaped", F_OK), -1);
}

/* ---- what it is to be such a child ---- */

/* The child says who it is; the parent looks it up, as only the kernel is a witness. */
static int introduce(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ctx;
	pid_t pid = getpid();
	for (int fd = 0; fd < 64; fd++)
		if ((fcntl(fd, F_GETFL) >= 0) != (fd <= 3))
			return bh_fail(err, BH_EIO, 0, "descriptor %d", fd);
	struct stat st;
	if (stat("/etc/passwd", &st) == 0)
		return bh_fail(err, BH_EIO, 0, "sees files");
	if (getenv("BULKHEAD_TEST_SECRET") == NULL && getenv("TEST_SECRET") == NULL)
		return bh_channel_send(ch, 11, (struct bh_slice){ (const uint8_t *)&pid, sizeof(pid) }, err);
	return bh_fail(err, BH_EIO, 0, "still knows the environment");
}

static const char *secret; /* where the environment keeps it */

static int forgot(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	return secret[0] == '\0' ? introduce(ch, ctx, err) : bh_fail(err, BH_EIO, 0, "the secret is still in memory");
}

static int look_up(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	(void)type, (void)is_request, (void)reply;
	char *status = ctx, path[64];
	pid_t pid;
	memcpy(&pid, payload.ptr, sizeof(pid));
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, status, 4095);
	if (fd >= 0)
		close(fd);
	return n > 0 ? BH_OK : bh_fail_errno(err, errno, "%s", path);
}

static void a_child_has_next_to_nothing(void **state)
{
	(void)state;
	setenv("TEST_SECRET", "token", 1);
	secret = getenv("TEST_SECRET");
	int spare = open("/dev/null", O_RDONLY); /* a descriptor without O_CLOEXEC, as libraries open them */
	static char status[4096];
	struct bh_child_spec spec = { .name = "modest", .run = forgot, .handle = look_up, .ctx = status };
	int result;
	struct bh_err text, err = { 0 };
	assert_int_equal(bh_children_run(&spec, 1, 1, &result, &text, &err), BH_OK);
	close(spare);
	if (result != BH_OK)
		fail_msg("%s", text.text);
	assert_string_equal(secret, "token"); /* the parent's own stays */
	unsetenv("TEST_SECRET");
	assert_non_null(strstr(status, "NoNewPrivs:\t1"));
	assert_non_null(strstr(status, "Seccomp:\t2"));
	assert_non_null(strstr(status, "CapEff:\t0000000000000000"));
	assert_non_null(strstr(status, "CapPrm:\t0000000000000000"));
	if (geteuid() == 0) {
		assert_non_null(strstr(status, "Uid:\t65534\t65534\t65534\t65534"));
		assert_non_null(strstr(status, "Gid:\t65534\t65534\t65534\t65534"));
		assert_non_null(strstr(status, "Groups:\t \n"));
		assert_non_null(strstr(status, "CapBnd:\t0000000000000000"));
	}
	assert_non_null(strstr(bh_sandbox_describe(), "seccomp, "));
}

static int kill_the_child(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	(void)ctx, (void)type, (void)is_request, (void)reply;
	pid_t pid;
	memcpy(&pid, payload.ptr, sizeof(pid));
	return kill(pid, SIGKILL) == 0 ? BH_OK : bh_fail_errno(err, errno, "kill");
}

static int tell_and_spin(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	pid_t pid = getpid();
	int rc = bh_channel_send(ch, 11, (struct bh_slice){ (const uint8_t *)&pid, sizeof(pid) }, err);
	return rc < 0 ? rc : spin(ch, ctx, err);
}

static void a_kill_from_outside_is_told_apart(void **state)
{
	(void)state;
	struct bh_child_spec spec = { .name = "victim", .run = tell_and_spin, .handle = kill_the_child };
	int result;
	struct bh_err text, err = { 0 };
	assert_int_equal(bh_children_run(&spec, 1, 1, &result, &text, &err), BH_OK);
	assert_int_equal(result, BH_ECHILD);
	assert_non_null(strstr(text.text, "victim: killed from outside (SIGKILL)"));
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A child that never reads must not keep the parent from serving the other one. */
static void a_deaf_child_does_not_hold_up_the_other(void **state)
{
	(void)state;
	struct bh_child_spec specs[2] = { spec_of(never_listen), spec_of(behave) };
	specs[0].limits.cpu_seconds = 100;
	specs[0].limits.stall_seconds = 2;
	int results[2];
	struct bh_err texts[2], err = { 0 };
	double before = seconds();
	assert_int_equal(bh_children_run(specs, 2, 2, results, texts, &err), BH_OK);
	assert_int_equal(results[1], BH_OK);
	assert_int_equal(results[0], BH_ECHILD);
	assert_non_null(strstr(texts[0].text, "no progress for 2 s"));
	assert_true(seconds() - before < 10);
}

static void silence_is_noticed(void **state)
{
	(void)state;
	struct bh_child_spec spec = spec_of(spin);
	spec.limits.cpu_seconds = 100;
	spec.limits.stall_seconds = 1;
	int result;
	struct bh_err text, err = { 0 };
	assert_int_equal(bh_children_run(&spec, 1, 1, &result, &text, &err), BH_OK);
	assert_int_equal(result, BH_ECHILD);
	assert_non_null(strstr(text.text, "no progress for 1 s"));
}

/* ---- descriptors and large messages ---- */

static int read_given_file(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ctx;
	struct bh_buf reply;
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	int fd = -1;
	int rc = bh_channel_call(ch, 1, BH_SLICE_LIT("file"), &reply, &fd, err);
	char text[16] = { 0 };
	if (rc == BH_OK && (fd < 0 || pread(fd, text, 5, 0) != 5 || memcmp(text, "hello", 5) != 0))
		rc = bh_fail(err, BH_EIO, 0, "could not read the descriptor: %d", fd);
	if (rc == BH_OK && reply.len != BH_FRAME_BYTES_MAX)
		rc = bh_fail(err, BH_EIO, 0, "short reply");
	if (rc == BH_OK) /* and the whole way back */
		rc = bh_channel_send(ch, 2, bh_buf_slice(&reply), err);
	bh_buf_done(&reply);
	return rc;
}

static int hand_out_file(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	size_t *echoed = ctx;
	if (type == 2 && !is_request) {
		for (size_t i = 0; i < payload.len; i++)
			*echoed += payload.ptr[i] == (uint8_t)i;
		return BH_OK;
	}
	for (size_t i = 0; i < BH_FRAME_BYTES_MAX; i++)
		bh_buf_add_byte(reply->payload, (uint8_t)i);
	char path[] = "/tmp/bulkhead-test-XXXXXX";
	reply->fd = mkstemp(path);
	reply->close_fd = true;
	(void)unlink(path);
	return write(reply->fd, "hello", 5) == 5 ? BH_OK : bh_fail_errno(err, errno, "write");
}

static void descriptors_and_a_mebibyte_pass(void **state)
{
	(void)state;
	size_t echoed = 0;
	struct bh_child_spec spec = { .name = "fd", .run = read_given_file, .handle = hand_out_file, .ctx = &echoed };
	int result;
	struct bh_err text, err = { 0 };
	size_t before = open_descriptors();
	assert_int_equal(bh_children_run(&spec, 1, 1, &result, &text, &err), BH_OK);
	if (result != BH_OK)
		fail_msg("%s", text.text);
	assert_int_equal(echoed, BH_FRAME_BYTES_MAX);
	assert_int_equal(open_descriptors(), before);
}

/* ---- two at a time ---- */

static int meet(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ctx;
	struct bh_buf reply;
	bh_buf_init(&reply, 64);
	int rc;
	do {
		rc = bh_channel_call(ch, 3, BH_SLICE_LIT("is the other here?"), &reply, NULL, err);
	} while (rc == BH_OK && reply.len == 0);
	bh_buf_done(&reply);
	return rc;
}

struct meeting {
	unsigned *here;
	bool counted;
};

static int doorman(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	(void)type, (void)is_request, (void)payload, (void)err;
	struct meeting *m = ctx;
	*m->here += !m->counted;
	m->counted = true;
	if (*m->here == 2)
		bh_buf_add_str(reply->payload, "yes");
	return BH_OK;
}

static void two_children_run_at_once(void **state)
{
	(void)state;
	unsigned here = 0;
	struct meeting meetings[2] = { { &here, false }, { &here, false } };
	struct bh_child_spec specs[2];
	for (size_t i = 0; i < 2; i++)
		specs[i] = (struct bh_child_spec){ .name = "meet", .run = meet, .handle = doorman, .ctx = &meetings[i], .limits.cpu_seconds = 20 };
	int results[2];
	struct bh_err texts[2], err = { 0 };
	assert_int_equal(bh_children_run(specs, 2, 2, results, texts, &err), BH_OK);
	assert_int_equal(results[0], BH_OK);
	assert_int_equal(results[1], BH_OK);
}

/* ---- in forks of their own, as they change the process for good ---- */

static int in_fork(int (*body)(void))
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(body());
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int interrupted_body(void)
{
	bh_signals_init();
	struct bh_child_spec specs[3] = { spec_of(spin), spec_of(never_listen), spec_of(behave) };
	for (size_t i = 0; i < 2; i++)
		specs[i].limits.cpu_seconds = 100;
	int results[3];
	struct bh_err texts[3], err = { 0 };
	double before = seconds();
	pid_t self = getpid(), helper = fork();
	if (helper == 0) {
		struct timespec pause = { .tv_nsec = 300000000 };
		nanosleep(&pause, NULL);
		_exit(kill(self, SIGINT) != 0);
	}
	int rc = bh_children_run(specs, 3, 2, results, texts, &err);
	if (rc != BH_ECANCELLED || waitpid(helper, NULL, 0) != helper)
		return 1;
	for (size_t i = 0; i < 3; i++) /* killed, killed, never started */
		if (results[i] != BH_ECANCELLED || !strstr(texts[i].text, i < 2 ? "test: stopped: interrupted" : "test: not started"))
			return 3;
	if (seconds() - before > 5)
		return 4;
	return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : 2; /* all reaped */
}

static void an_interrupt_kills_and_reaps(void **state)
{
	(void)state;
	assert_int_equal(in_fork(interrupted_body), 0);
}

static int kill_the_parent(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	(void)type, (void)is_request, (void)reply;
	const int *out = ctx;
	if (write(*out, payload.ptr, payload.len) != (ssize_t)payload.len)
		return bh_fail_errno(err, errno, "write");
	return kill(getpid(), SIGKILL);
}

static int unprivileged_body(void)
{
	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		return 3;
	struct bh_child_spec specs[3] = { spec_of(open_socket), spec_of(behave), spec_of(read_a_file) };
	int results[3];
	struct bh_err texts[3], err = { 0 };
	if (bh_children_run(specs, 3, 2, results, texts, &err) != BH_OK)
		return 1;
	return results[0] == BH_ECHILD && results[1] == BH_OK && results[2] == BH_ECHILD ? 0 : 2;
}

static void it_works_without_root(void **state)
{
	(void)state;
	assert_int_equal(in_fork(unprivileged_body), 0);
}

/* --no-sandbox: the same conversation without the walls, for a debugger. */
static int bare_body(void)
{
	bh_child_disable_sandbox();
	struct bh_child_spec specs[2] = { spec_of(read_a_file), spec_of(behave) };
	int results[2];
	struct bh_err texts[2], err = { 0 };
	if (bh_children_run(specs, 2, 2, results, texts, &err) != BH_OK)
		return 1;
	return results[0] == BH_OK && results[1] == BH_OK ? 0 : 2;
}

static void without_a_sandbox_it_still_talks(void **state)
{
	(void)state;
	assert_int_equal(in_fork(bare_body), 0);
}

/* The parent dies without a word: its child must not go on. */
static int orphan_body(void)
{
	int pids[2];
	if (pipe(pids) < 0)
		return 1;
	pid_t middle = fork();
	if (middle == 0) {
		struct bh_child_spec spec = { .name = "orphan", .run = tell_and_spin, .ctx = &pids[1] };
		spec.handle = kill_the_parent;
		int result;
		struct bh_err text, err;
		_exit(bh_children_run(&spec, 1, 1, &result, &text, &err) != 0);
	}
	close(pids[1]);
	pid_t orphan;
	if (read(pids[0], &orphan, sizeof(orphan)) != sizeof(orphan) || waitpid(middle, NULL, 0) != middle)
		return 2;
	for (int i = 0; i < 200; i++) {
		char path[64], text[512] = { 0 };
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)orphan);
		int fd = open(path, O_RDONLY);
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			close(fd);
		const char *name_end = strrchr(text, ')');
		if (n <= 0 || (name_end && name_end[2] == 'Z')) /* gone, or nobody but init left to reap it */
			return 0;
		poll(NULL, 0, 10);
	}
	return 3;
}

static void no_child_outlives_the_parent(void **state)
{
	(void)state;
	assert_int_equal(in_fork(orphan_body), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(misdeeds_end_with_their_reason),
		cmocka_unit_test(what_prepare_starts_is_held_too),
		cmocka_unit_test(a_child_has_next_to_nothing),
		cmocka_unit_test(a_kill_from_outside_is_told_apart),
		cmocka_unit_test(a_deaf_child_does_not_hold_up_the_other),
		cmocka_unit_test(silence_is_noticed),
		cmocka_unit_test(descriptors_and_a_mebibyte_pass),
		cmocka_unit_test(two_children_run_at_once),
		cmocka_unit_test(an_interrupt_kills_and_reaps),
		cmocka_unit_test(no_child_outlives_the_parent),
		cmocka_unit_test(without_a_sandbox_it_still_talks),
		cmocka_unit_test(it_works_without_root),
	};
	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
