/*
 * fleet.c: see fleet.h.
 *
 *   targets ─► worker 1 ─► memory: standard output, standard error, fleet_result ─┐
 *          └─► worker 2 ...                                                       ├─► in order: standard output
 *                                                                                 └─► summary
 */
#include "cmd/fleet.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/map.h"
#include "cmd/summary.h"
#include "sys/files.h"
#include "sys/progress.h"
#include "sys/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REDRAW_MS 200
#define AHEAD_MAX 256u /* reports kept while an earlier target takes its time: two descriptors each */
#define OUTPUT_BYTES_MAX (1024u << 20)
#define SLUG_BYTES 200u
#define JOBS_MAX 64u

struct worker {
	pid_t pid;    /* 0: free */
	int pidfd;
	size_t index; /* of its target */
};

struct fleet {
	const struct cmd_args *args;
	const struct cmd_target_list *targets;
	fleet_scan *scan;
	struct fleet_result *results; /* shared with the workers */
	int *outputs, *messages;      /* memory files of each target; -1: not begun, or written out */
	char **slugs;
	bool *done;
	size_t begun, ended, written;
	struct worker workers[JOBS_MAX];
	size_t jobs;
	struct bh_progress *bar;
	struct summary summary;
	bool broken;                  /* standard output does not take any more */
};

/* ---- names of files ---- */

int cmd_check_fleet(const struct cmd_args *args, struct bh_err *err)
{
	const char *const *formats;
	int rc = cmd_check_report(args, err);
	if (rc < 0 || !cmd_is_fleet(args))
		return rc;
	for (size_t i = 0, n = cmd_list(args, "format", &formats); i < n; i++) {
		struct bh_slice name, file;
		bool has_file = bh_slice_cut(bh_slice_str(formats[i]), '=', &name, &file);
		const char *path = has_file ? (const char *)file.ptr : cmd_string(args, "output");
		bool to_file = path && strcmp(path, "-") != 0;
		if (to_file && !strstr(path, "%s"))
			return bh_fail(err, BH_EUSAGE, 0, "several targets: write %%s into the name of the file, it becomes the target's: -f %.*s=%%s.%.*s",
				       BH_SLICE_FMT(name), BH_SLICE_FMT(name));
		if (!to_file && !bh_slice_eq_str(name, "table") && !bh_slice_eq_str(name, "json"))
			return bh_fail(err, BH_EUSAGE, 0, "several targets in one output: table and json only; -f %.*s=%%s.%.*s makes one file for each",
				       BH_SLICE_FMT(name), BH_SLICE_FMT(name));
	}
	const char *output = cmd_string(args, "output");
	if (cmd_list(args, "format", &formats) == 0 && output && strcmp(output, "-") != 0 && !strstr(output, "%s"))
		return bh_fail(err, BH_EUSAGE, 0, "several targets: write %%s into the name of the file, it becomes the target's: -o %%s.txt");
	return 0;
}

/* "registry:host:5000/a/b:1" -> "registry_host_5000_a_b_1". */
static char *make_slug(const char *target, size_t twin)
{
	char slug[SLUG_BYTES], *ret;
	size_t n = 0;
	for (const char *c = target; *c && n + 1 < sizeof(slug); c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '-' || (*c == '.' && n);
		slug[n++] = plain ? *c : '_';
	}
	slug[n] = '\0';
	if (twin == 0)
		return strdup(slug);
	return asprintf(&ret, "%s-%zu", slug, twin + 1) < 0 ? NULL : ret;
}

/* Targets whose names look the same as files get numbers. */
static int make_slugs(struct fleet *f, struct bh_err *err)
{
	size_t n = f->targets->all.len;
	struct bh_map seen; /* slug -> how often */
	bh_map_init(&seen, n);
	bool ok = true;
	for (size_t i = 0; ok && i < n; i++) {
		const char *target = f->targets->all.ptr[i];
		f->slugs[i] = make_slug(target, 0);
		void **slot = f->slugs[i] ? bh_map_put(&seen, bh_slice_str(f->slugs[i])) : NULL;
		size_t twins = slot ? (size_t)(uintptr_t)*slot : 0;
		ok = slot != NULL;
		if (ok)
			*slot = (void *)(uintptr_t)(twins + 1);
		if (ok && twins) {
			free(f->slugs[i]);
			f->slugs[i] = make_slug(target, twins);
			ok = f->slugs[i] != NULL;
		}
	}
	bh_map_done(&seen);
	return ok ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

/* ---- workers ---- */

_Noreturn static void become_worker(struct fleet *f, size_t i, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	bh_log_set_hook(NULL, NULL); /* the bar is the parent's */
	if (getppid() != parent || dup2(f->messages[i], STDERR_FILENO) < 0)
		_exit(EXIT_INTERNAL);
	const struct cmd_place place = { .name = f->slugs[i], .fd = f->outputs[i] };
	f->scan(f->args, f->targets->all.ptr[i], &place, &f->results[i]);
	_exit(f->results[i].code);
}

static int begin(struct fleet *f, struct worker *w, struct bh_err *err)
{
	size_t i = f->begun;
	f->outputs[i] = memfd_create("report", MFD_CLOEXEC);
	f->messages[i] = memfd_create("messages", MFD_CLOEXEC);
	if (f->outputs[i] < 0 || f->messages[i] < 0)
		return bh_fail_errno(err, errno, "memfd_create");
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		become_worker(f, i, parent);
	if (pid < 0)
		return bh_fail_errno(err, errno, "fork");
	*w = (struct worker){ .pid = pid, .pidfd = (int)syscall(SYS_pidfd_open, pid, 0), .index = i };
	f->begun++;
	return 0;
}

/* A worker that was killed could not say so itself. */
static void take_ending(struct fleet *f, struct worker *w, int status)
{
	struct fleet_result *r = &f->results[w->index];
	if (WIFSIGNALED(status) && !bh_interrupted()) {
		*r = (struct fleet_result){ .code = EXIT_INTERNAL };
		snprintf(r->reason, sizeof(r->reason), "the process that scanned it was ended by signal %d", WTERMSIG(status));
		bh_error("%s: %s", f->targets->all.ptr[w->index], r->reason);
	}
	if (w->pidfd >= 0)
		(void)close(w->pidfd);
	f->done[w->index] = true;
	f->ended++;
	w->pid = 0;
}

static void collect(struct fleet *f)
{
	for (size_t i = 0; i < f->jobs; i++) {
		int status = 0;
		if (f->workers[i].pid && waitpid(f->workers[i].pid, &status, WNOHANG) == f->workers[i].pid)
			take_ending(f, &f->workers[i], status);
	}
}

static void stop_all(struct fleet *f)
{
	for (size_t i = 0; i < f->jobs; i++) {
		int status = 0;
		if (f->workers[i].pid == 0)
			continue;
		(void)kill(f->workers[i].pid, SIGTERM);
		while (waitpid(f->workers[i].pid, &status, 0) < 0 && errno == EINTR)
			;
		take_ending(f, &f->workers[i], status);
	}
}

static void wait_for_any(const struct fleet *f)
{
	struct pollfd fds[JOBS_MAX + 1];
	for (size_t i = 0; i < f->jobs; i++)
		fds[i] = (struct pollfd){ .fd = f->workers[i].pid ? f->workers[i].pidfd : -1, .events = POLLIN };
	fds[f->jobs] = (struct pollfd){ .fd = bh_interrupt_fd(), .events = POLLIN };
	(void)poll(fds, (nfds_t)f->jobs + 1, REDRAW_MS);
}

/* ---- results, in order ---- */

static int read_memory(int fd, struct bh_buf *out, struct bh_err *err)
{
	if (lseek(fd, 0, SEEK_SET) != 0)
		return bh_fail_errno(err, errno, "a report in memory");
	return bh_read_all(fd, OUTPUT_BYTES_MAX, out, err);
}

/* The worker's words are escaped already; the bar makes room for them. */
static void pass_messages(struct fleet *f, size_t i)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	struct bh_err ignored;
	bh_buf_init(&text, OUTPUT_BYTES_MAX);
	if (read_memory(f->messages[i], &text, &ignored) == 0 && text.len) {
		bh_progress_hide(f->bar);
		ssize_t n = write(STDERR_FILENO, text.ptr, text.len);
		(void)n; /* nowhere left to say it */
	}
}

static void pass_output(struct fleet *f, size_t i)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	struct bh_err err = { 0 };
	bh_buf_init(&text, OUTPUT_BYTES_MAX);
	int rc = read_memory(f->outputs[i], &text, &err);
	if (rc == 0 && text.len && !f->broken) {
		bh_progress_hide(f->bar);
		rc = summary_report(&f->summary, &text, &err);
	}
	if (rc < 0) {
		f->broken = true;
		(void)cmd_failed(&err);
	}
}

static void write_ready(struct fleet *f)
{
	while (f->written < f->begun && f->done[f->written]) {
		size_t i = f->written++;
		pass_messages(f, i);
		pass_output(f, i);
		(void)close(f->outputs[i]);
		(void)close(f->messages[i]);
		f->outputs[i] = f->messages[i] = -1;
	}
}

static int work(struct fleet *f, struct bh_err *err)
{
	size_t n = f->targets->all.len;
	while (f->ended < n && !f->broken) {
		for (size_t k = 0; k < f->jobs && f->begun < n && f->begun - f->written < AHEAD_MAX; k++) {
			int rc = f->workers[k].pid ? 0 : begin(f, &f->workers[k], err);
			if (rc < 0)
				return rc;
		}
		bh_progress_set(f->bar, f->ended);
		wait_for_any(f);
		if (bh_interrupted())
			return bh_fail(err, BH_ECANCELLED, 0, "interrupted by signal %d after %zu of %zu targets", bh_interrupt_signal(), f->ended, n);
		collect(f);
		write_ready(f);
	}
	return 0;
}

/* ---- the whole ---- */

/* How bad: nothing, incomplete, findings, wrong input, our own trouble. */
static int rank(int code)
{
	static const int order[] = { EXIT_CLEAN, EXIT_INCOMPLETE, EXIT_FINDINGS, EXIT_USAGE, EXIT_INTERNAL };
	for (int i = 0; i < 5; i++)
		if (order[i] == code)
			return i;
	return 5;
}

static int worst(const struct fleet *f)
{
	int code = EXIT_CLEAN;
	for (size_t i = 0; i < f->targets->all.len; i++)
		if (rank(f->results[i].code) > rank(code))
			code = f->results[i].code;
	return f->broken ? EXIT_INTERNAL : code;
}

static bool prepare(struct fleet *f)
{
	size_t n = f->targets->all.len;
	f->results = mmap(NULL, n * sizeof(*f->results), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	f->outputs = malloc(n * sizeof(int));
	f->messages = malloc(n * sizeof(int));
	f->slugs = calloc(n, sizeof(char *));
	f->done = calloc(n, sizeof(bool));
	if (f->results == MAP_FAILED || !f->outputs || !f->messages || !f->slugs || !f->done)
		return false;
	for (size_t i = 0; i < n; i++)
		f->outputs[i] = f->messages[i] = -1;
	return true;
}

static void fleet_done(struct fleet *f)
{
	size_t n = f->targets->all.len;
	for (size_t i = 0; i < n && f->slugs; i++)
		free(f->slugs[i]);
	if (f->results && f->results != MAP_FAILED)
		(void)munmap(f->results, n * sizeof(*f->results));
	free(f->slugs);
	free(f->outputs);
	free(f->messages);
	free(f->done);
}

static int run(struct fleet *f, struct bh_err *err)
{
	if (!prepare(f))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	int rc = make_slugs(f, err);
	f->bar = bh_progress_new("scanning targets", f->targets->all.len, BH_PROGRESS_ITEMS, cmd_flag(f->args, "quiet"));
	rc = rc < 0 ? rc : summary_begin(&f->summary, err);
	rc = rc < 0 ? rc : work(f, err);
	stop_all(f);
	bh_progress_free(f->bar);
	if (rc < 0)
		return rc;
	return f->broken ? 0 : summary_end(&f->summary, f->args, f->targets, f->results, err);
}

int cmd_fleet_run(const struct cmd_args *args, const struct cmd_target_list *targets, fleet_scan *scan)
{
	struct fleet f = { .args = args, .targets = targets, .scan = scan, .summary = summary_of(args), .jobs = (size_t)cmd_uint(args, "jobs") };
	struct bh_err err = { 0 };
	int rc = run(&f, &err), code = rc < 0 ? cmd_failed(&err) : worst(&f);
	if (rc == BH_ECANCELLED && bh_interrupted())
		code = EXIT_SIGNAL_BASE + bh_interrupt_signal();
	fleet_done(&f);
	return code;
}
