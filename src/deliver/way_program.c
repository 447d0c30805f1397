/* way_program.c: a program that reads a line for each record from its standard input, as long as there are some. When it ends it is started again. It runs as nobody, as the process of the output does. */
#include "deliver/courier.h"
#include "sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define PREFIX "program:"

extern char **environ;

static bool takes(const char *target)
{
	return strncmp(target, PREFIX, sizeof(PREFIX) - 1) == 0;
}

static int prepare(struct courier *c, struct bh_err *err)
{
	(void)err;
	c->fd = -1;
	return 0;
}

static int start(struct courier *c, struct bh_err *err)
{
	char command[] = "/bin/sh", option[] = "-c", *argv[] = { command, option, (char *)(uintptr_t)c->target + sizeof(PREFIX) - 1, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t usual;
	int ends[2];
	pid_t pid;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return bh_fail_errno(err, errno, "a pipe to a program");
	(void)sigemptyset(&usual);
	(void)sigaddset(&usual, SIGINT);
	(void)sigaddset(&usual, SIGTERM);
	(void)sigaddset(&usual, SIGHUP);
	(void)sigaddset(&usual, SIGPIPE);
	int rc = posix_spawn_file_actions_init(&actions);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
	rc = rc ? rc : posix_spawnattr_init(&attributes);
	rc = rc ? rc : posix_spawnattr_setsigdefault(&attributes, &usual);
	rc = rc ? rc : posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	rc = rc ? rc : posix_spawn(&pid, command, &actions, &attributes, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	(void)close(ends[0]);
	if (rc != 0) {
		(void)close(ends[1]);
		return bh_fail_errno(err, rc, "starting a program");
	}
	c->fd = ends[1];
	return 0;
}

static int send_line(struct courier *c, const struct deliver_record *records, size_t n, struct bh_err *err)
{
	int rc = c->fd < 0 ? start(c, err) : 0;
	deliver_lines(c, records, n);
	rc = rc < 0 ? rc : bh_write_all(c->fd, bh_buf_slice(&c->text), err);
	if (rc < 0 && c->fd >= 0) {
		(void)close(c->fd);
		c->fd = -1;
		return bh_fail(err, BH_EIO, 0, "the program has ended");
	}
	return rc;
}

const struct deliver_way deliver_way_program = { .batch_max = 1, .takes = takes, .open = prepare, .send = send_line, .is_secret = true };
