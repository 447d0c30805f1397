/* test_progress.c: the bar on a pseudo-terminal, its absence elsewhere, and what signals do. */
#include "base/log.h"
#include "sys/progress.h"
#include "sys/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void work(void)
{
	struct bh_progress *p = bh_progress_new("layer \x1b[31m1", 100u << 20, BH_PROGRESS_BYTES, false);
	for (uint64_t done = 0; done < 20; done++) { /* in 1.2 seconds */
		bh_progress_set(p, done * (5u << 20));
		poll(NULL, 0, 60);
		if (done == 10)
			bh_warn("in between");
	}
	bh_progress_title(p, "layer 2");
	bh_progress_free(p);
}

static void work_quietly(void)
{
	struct bh_progress *p = bh_progress_new("quiet", 100, BH_PROGRESS_ITEMS, true);
	bh_progress_set(p, 50);
	bh_progress_title(p, "still quiet");
	bh_progress_free(p);
}

static void work_wide(void)
{
	/* 40 characters of two columns each, in 61 columns */
	struct bh_progress *p = bh_progress_new("\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad"
						"\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad"
						"\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad",
						100, BH_PROGRESS_ITEMS, false);
	bh_progress_set(p, 50);
	bh_progress_free(p);
}

/* Runs body with `end` as its stderr, collects what comes out of `from`. */
static size_t collect(void (*body)(void), int from, int end, char *out, size_t size)
{
	pid_t pid = fork();
	if (pid == 0) {
		dup2(end, STDERR_FILENO);
		close(from);
		body();
		_exit(0);
	}
	close(end);
	size_t len = 0;
	ssize_t n;
	while (len < size - 1 && (n = read(from, out + len, size - 1 - len)) > 0) /* a pty ends with EIO */
		len += (size_t)n;
	out[len] = '\0';
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(from);
	return len;
}

static size_t on_terminal(void (*body)(void), unsigned short columns, char *out, size_t size)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) {
		print_message("# skipped: no pseudo terminal to be had\n");
		skip();
	}
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	struct winsize w = { .ws_row = 24, .ws_col = columns };
	assert_int_equal(ioctl(slave, TIOCSWINSZ, &w), 0);
	return collect(body, master, slave, out, size);
}

static size_t through_a_pipe(void (*body)(void), char *out, size_t size)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	return collect(body, ends[0], ends[1], out, size);
}

static void a_pipe_sees_log_lines_only(void **state)
{
	(void)state;
	char out[8192];
	through_a_pipe(work, out, sizeof(out));
	assert_string_equal(out, "bulkhead: warning: in between\n");
	assert_int_equal(through_a_pipe(work_quietly, out, sizeof(out)), 0);
}

static void a_quiet_or_dumb_terminal_sees_nothing(void **state)
{
	(void)state;
	char out[8192];
	setenv("TERM", "xterm", 1);
	assert_int_equal(on_terminal(work_quietly, 80, out, sizeof(out)), 0);
	setenv("TERM", "dumb", 1);
	on_terminal(work, 80, out, sizeof(out));
	assert_string_equal(out, "bulkhead: warning: in between\r\n");
	setenv("TERM", "xterm", 1);
}

static void a_terminal_sees_the_bar_and_whole_log_lines(void **state)
{
	(void)state;
	char out[8192];
	setenv("TERM", "xterm", 1);
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	on_terminal(work, 80, out, sizeof(out));
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_non_null(strstr(out, "layer \\x1b[31m1  ["));
	assert_non_null(strstr(out, " left"));
	assert_non_null(strstr(out, "/s"));
	/* erased before the line, and again at the end, so that the prompt stands on a clean line */
	assert_non_null(strstr(out, "\r\x1b[Kbulkhead: warning: in between\r\n"));
	size_t len = strlen(out);
	assert_true(len > 4);
	assert_string_equal(out + len - 4, "\r\x1b[K");
	size_t draws = 0;
	for (const char *at = out; (at = strstr(at, "\r\x1b[K")); at++)
		draws++;
	double took = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
	assert_in_range(draws, 5, (size_t)(took * 10) + 1 + 2); /* ten a second, beginning at once, and two erasures; not all 20 steps */
}

/* Columns of each drawn line: everything between two "\r\x1b[K" or line ends. */
static void no_line_is_wider_than_the_terminal(void **state)
{
	(void)state;
	char out[8192];
	setenv("TERM", "xterm", 1);
	static const unsigned short widths[] = { 10, 20, 40, 61, 200 };
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		on_terminal(work_wide, widths[i], out, sizeof(out));
		size_t columns = 0, widest = 0;
		for (const char *c = out; *c; c++) {
			bool wide = (*c & 0xf0) == 0xe0; /* our test character: three bytes, two columns */
			if (*c == '\r' && strncmp(c, "\r\x1b[K", 4) == 0) {
				columns = 0;
				c += 3;
				continue;
			}
			assert_true((unsigned char)*c >= ' ');
			columns += wide ? 2 : 1;
			c += wide ? 2 : 0;
			widest = columns > widest ? columns : widest;
		}
		assert_in_range(widest, 5, widths[i] - 1);
	}
}

static int signals_body(void)
{
	signal(SIGCHLD, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* nohup */
	bh_signals_init();
	struct pollfd p = { .fd = bh_interrupt_fd(), .events = POLLIN };
	if (bh_interrupted() || poll(&p, 1, 0) != 0)
		return 1;
	raise(SIGHUP);
	if (bh_interrupted())
		return 2;
	int ends[2];
	if (pipe(ends) < 0)
		return 3;
	close(ends[0]);
	if (write(ends[1], "x", 1) != -1 || errno != EPIPE)
		return 4;
	pid_t child = fork();
	if (child == 0)
		_exit(7);
	int status = 0;
	if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 7)
		return 5;
	raise(SIGTERM);
	if (!bh_interrupted() || bh_interrupt_signal() != SIGTERM || poll(&p, 1, 0) != 1)
		return 6;
	raise(SIGTERM); /* the second one ends at once */
	return 8;
}

static void signals_set_a_flag_once(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		_exit(signals_body());
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		fail_msg("step %d", WEXITSTATUS(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_sees_log_lines_only),
		cmocka_unit_test(a_quiet_or_dumb_terminal_sees_nothing),
		cmocka_unit_test(a_terminal_sees_the_bar_and_whole_log_lines),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(signals_set_a_flag_once),
	};
	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
