/* program.c: see program.h. */
#include "sys/program.h"

#include "base/cleanup.h"
#include "sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn static void become(const struct bh_program *p, int in, int out, int complaints)
{
	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(complaints, STDERR_FILENO) >= 0)
		execvp(p->argv[0], (char *const *)(uintptr_t)p->argv);
	_exit(BH_PROGRAM_MISSING);
}

static void read_complaint(int fd, char out[static BH_PROGRAM_COMPLAINT_BYTES])
{
	char raw[BH_PROGRAM_COMPLAINT_BYTES / 4];
	struct bh_buf safe;
	ssize_t n = pread(fd, raw, sizeof(raw), 0);
	bh_buf_init(&safe, BH_PROGRAM_COMPLAINT_BYTES - 1);
	struct bh_slice text = bh_slice_trim((struct bh_slice){ (const uint8_t *)raw, n > 0 ? (size_t)n : 0 });
	(void)bh_buf_add_escaped(&safe, bh_slice_sub(text, 0, bh_slice_find(text, '\n')));
	snprintf(out, BH_PROGRAM_COMPLAINT_BYTES, "%.*s", BH_SLICE_FMT(bh_buf_slice(&safe)));
	bh_buf_done(&safe);
}

static int wait_for(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int bh_program_run(const struct bh_program *p, int *ret_code, char complaint[static BH_PROGRAM_COMPLAINT_BYTES], struct bh_err *err)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	BH_CLOSE int complaints = memfd_create("complaints", MFD_CLOEXEC);
	if (complaints < 0 || pipe2(in, O_CLOEXEC) < 0)
		return bh_fail_errno(err, errno, "%s", p->argv[0]);
	BH_CLOSE int in_read = in[0], in_write = in[1];
	if (p->out && pipe2(out, O_CLOEXEC) < 0)
		return bh_fail_errno(err, errno, "%s", p->argv[0]);
	BH_CLOSE int out_read = out[0], out_write = out[1];
	pid_t pid = fork();
	if (pid == 0)
		become(p, in_read, p->out ? out_write : p->out_fd, complaints);
	if (pid < 0)
		return bh_fail_errno(err, errno, "fork");
	if (out_write >= 0)
		(void)close(BH_TAKE_FD(out_write));
	int rc = p->input.len ? bh_write_all(in_write, p->input, err) : 0;
	(void)close(BH_TAKE_FD(in_write));
	if (rc == 0 && p->out)
		rc = bh_read_all(out_read, p->out->max_bytes, p->out, err);
	if (rc < 0)
		(void)kill(pid, SIGKILL);
	*ret_code = wait_for(pid);
	read_complaint(complaints, complaint);
	return rc < 0 ? bh_wrap(err, "%s", p->argv[0]) : 0;
}

int bh_leave_network(struct bh_err *err)
{
	if (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
		return 0;
	return bh_fail(err, BH_EUNSUPPORTED, 0, "this system lets nobody leave the network");
}
