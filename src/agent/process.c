/* process.c: see process.h. */
#include "agent/process.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "sys/files.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BUCKETS 65536u
#define PROC_TEXT_BYTES_MAX (1u << 20)

bool agent_record_is_whole(const struct guard_record *r, size_t bytes)
{
	if (bytes < sizeof(*r) || r->bytes > bytes || r->bytes < sizeof(*r) || r->kind >= GUARD_KINDS)
		return false;
	for (size_t i = 0; i < GUARD_STRINGS; i++)
		if (r->string_bytes[i] && (size_t)r->string_at[i] + r->string_bytes[i] > r->bytes - sizeof(*r))
			return false;
	return true;
}

struct bh_slice agent_string(const struct guard_record *r, enum guard_string which)
{
	const uint8_t *strings = (const uint8_t *)(r + 1);
	return (struct bh_slice){ strings + r->string_at[which], r->string_bytes[which] };
}

/* ---- memory ---- */

static void release_program(struct agent_program *p)
{
	if (p && --p->refs == 0)
		free(p);
}

/* A chain of ancestors may be long: no recursion. */
static void release(struct agent_process *p)
{
	while (p && --p->refs == 0) {
		struct agent_process *parent = p->parent;
		release_program(p->program);
		free(p);
		p = parent;
	}
}

static void put(uint8_t **at, struct bh_slice from, struct bh_slice *ret)
{
	*ret = (struct bh_slice){ *at, from.len };
	if (from.len)
		memcpy(*at, from.ptr, from.len);
	*at += from.len;
}

/* The strings lie behind the structure. */
static struct agent_program *new_program(const struct agent_program *from)
{
	struct agent_program *p = malloc(sizeof(*p) + from->path.len + from->arguments.len + from->env.len + from->cwd.len);
	if (!p)
		return NULL;
	uint8_t *at = (uint8_t *)(p + 1);
	*p = *from;
	p->refs = 1;
	put(&at, from->path, &p->path);
	put(&at, from->arguments, &p->arguments);
	put(&at, from->env, &p->env);
	put(&at, from->cwd, &p->cwd);
	return p;
}

int agent_processes_init(struct agent_processes *p, struct bh_err *err)
{
	*p = (struct agent_processes){ .table = calloc(BUCKETS, sizeof(struct agent_process *)) };
	return p->table ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

void agent_processes_done(struct agent_processes *p)
{
	for (size_t i = 0; p->table && i < BUCKETS; i++)
		for (struct agent_process *next, *e = p->table[i]; e; e = next) {
			next = e->next;
			release(e);
		}
	free(p->table);
	p->table = NULL;
}

/* ---- the table ---- */

static uint64_t tick_ns(void)
{
	return 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);
}

static struct agent_process **bucket(const struct agent_processes *p, uint32_t pid)
{
	return &p->table[pid % BUCKETS];
}

/* Of those that ran already, /proc tells a hundredth of a second only; what a record says is exact. */
static bool is_same(struct agent_process *e, uint32_t pid, uint64_t start_ns)
{
	if (e->pid != pid || (e->is_rough ? e->start_ns != start_ns / tick_ns() * tick_ns() : e->start_ns != start_ns))
		return false;
	e->start_ns = start_ns;
	e->is_rough = false;
	return true;
}

static struct agent_process *find(const struct agent_processes *p, uint32_t pid, uint64_t start_ns)
{
	for (struct agent_process *e = *bucket(p, pid); e; e = e->next)
		if (is_same(e, pid, start_ns))
			return e;
	return NULL;
}

struct agent_process *agent_process_find(const struct agent_processes *p, uint32_t pid)
{
	for (struct agent_process *e = *bucket(p, pid); e; e = e->next)
		if (e->pid == pid && !e->has_ended)
			return e;
	return NULL;
}

static void unlist(struct agent_processes *p, struct agent_process *e)
{
	struct agent_process **at = bucket(p, e->pid);
	while (*at && *at != e)
		at = &(*at)->next;
	if (*at) {
		*at = e->next;
		p->n--;
		release(e);
	}
}

static struct agent_process *add(struct agent_processes *p, uint32_t pid, uint64_t start_ns, struct agent_process *parent)
{
	struct agent_process *e = p->n < AGENT_PROCESSES_MAX ? calloc(1, sizeof(*e)) : NULL;
	if (!e) {
		p->n_forgotten++;
		return NULL;
	}
	e->pid = pid;
	e->start_ns = start_ns;
	e->refs = 1;
	e->parent = parent;
	if (parent) {
		parent->refs++;
		e->program = parent->program;
		if (e->program)
			e->program->refs++;
	}
	e->next = *bucket(p, pid);
	*bucket(p, pid) = e;
	p->n++;
	return e;
}

/* Where the parent is gone, another process has become it. */
static void set_parent(struct agent_processes *p, struct agent_process *e, const struct guard_record *r)
{
	if (e->parent && e->parent->pid == r->parent_pid)
		return;
	struct agent_process *parent = find(p, r->parent_pid, r->parent_start_ns);
	if (parent && parent != e) {
		parent->refs++;
		release(e->parent);
		e->parent = parent;
	}
}

static void end(struct agent_processes *p, struct agent_process *e)
{
	if (e->has_ended)
		return;
	e->has_ended = true;
	struct agent_process **oldest = &p->ended[p->n_ended++ % AGENT_ENDED_MAX];
	if (*oldest)
		unlist(p, *oldest);
	*oldest = e;
}

static void set_program(struct agent_process *e, const struct guard_record *r)
{
	struct agent_program *program = new_program(&(struct agent_program){
		.path = agent_string(r, GUARD_STRING_PATH), .arguments = agent_string(r, GUARD_STRING_NAME2),
		.env = agent_string(r, GUARD_STRING_ENV), .cwd = agent_string(r, GUARD_STRING_CWD), .inode = r->inode, .changed_ns = r->changed_ns, .modified_ns = r->modified_ns, .flags = r->flags });
	release_program(e->program);
	e->program = program;
}

struct agent_process *agent_process_of(struct agent_processes *p, const struct guard_record *r)
{
	struct agent_process *e = find(p, r->pid, r->start_ns);
	struct bh_slice comm = agent_string(r, GUARD_STRING_COMM);
	if (!e)
		e = add(p, r->pid, r->start_ns, find(p, r->parent_pid, r->parent_start_ns));
	if (!e)
		return NULL;
	set_parent(p, e, r);
	e->vpid = r->vpid;
	memset(e->comm, 0, sizeof(e->comm));
	if (comm.len)
		memcpy(e->comm, comm.ptr, comm.len < sizeof(e->comm) ? comm.len : sizeof(e->comm) - 1);
	if (r->kind == GUARD_KIND_EXEC)
		set_program(e, r);
	else if (r->kind == GUARD_KIND_EXIT)
		end(p, e);
	return e;
}

/* ---- those that run already ---- */

static bool read_proc(uint32_t pid, const char *what, struct bh_buf *text)
{
	char path[64];
	struct bh_err err = { 0 };
	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, what);
	bh_buf_clear(text);
	return bh_read_file(path, PROC_TEXT_BYTES_MAX, text, &err) == 0;
}

static struct bh_slice read_link(uint32_t pid, const char *what, char *text, size_t max)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, what);
	ssize_t n = readlink(path, text, max);
	return (struct bh_slice){ (const uint8_t *)text, n > 0 ? (size_t)n : 0 };
}

struct stat_line {
	char comm[16];
	uint32_t parent;
	uint64_t start_ticks;
};

/* proc(5): "pid (comm) state ppid pgrp session tty_nr tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime priority nice num_threads itrealvalue starttime"; comm may have anything. */
static bool parse_stat(struct bh_buf *text, struct stat_line *ret)
{
	if (!bh_buf_add_byte(text, '\0'))
		return false;
	const char *s = (const char *)text->ptr, *open = strchr(s, '('), *close = strrchr(s, ')');
	if (!open || !close || close < open)
		return false;
	(void)snprintf(ret->comm, sizeof(ret->comm), "%.*s", (int)(close - open - 1), open + 1);
	return sscanf(close + 1, " %*c %" SCNu32 " %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64, &ret->parent, &ret->start_ticks) == 2;
}

/* A descriptor holds the process while its start is compared: what has taken over its number is not ended. */
bool agent_process_kill(uint32_t pid, uint64_t start_ns)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	struct stat_line line = { 0 };
	if (pid <= 1 || (pid_t)pid == getpid())
		return false;
	bh_buf_init(&text, PROC_TEXT_BYTES_MAX + 1);
	BH_CLOSE int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd >= 0 && read_proc(pid, "stat", &text) && parse_stat(&text, &line) && line.start_ticks == start_ns / tick_ns() && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
}

static struct agent_process *scan_one(struct agent_processes *p, uint32_t pid, unsigned depth, struct bh_buf *text);

static struct agent_process *scanned(struct agent_processes *p, uint32_t pid, unsigned depth, struct bh_buf *text)
{
	struct agent_process *e = agent_process_find(p, pid);
	return e || pid == 0 || depth > AGENT_ANCESTORS_MAX ? e : scan_one(p, pid, depth, text);
}

static void scan_program(struct agent_process *e, struct bh_buf *text)
{
	char path[4096], cwd[4096];
	BH_WITH(bh_buf_done) struct bh_buf env = { 0 };
	bh_buf_init(&env, PROC_TEXT_BYTES_MAX);
	struct bh_slice executable = read_link(e->pid, "exe", path, sizeof(path)), folder = read_link(e->pid, "cwd", cwd, sizeof(cwd));
	if (executable.len == 0 || !read_proc(e->pid, "environ", &env) || !read_proc(e->pid, "cmdline", text))
		return;
	struct bh_slice arguments = bh_slice_sub(bh_buf_slice(text), 0, GUARD_STRING_BYTES_MAX);
	release_program(e->program);
	e->program = new_program(&(struct agent_program){ .path = executable, .arguments = arguments,
							   .env = bh_slice_sub(bh_buf_slice(&env), 0, GUARD_STRING_BYTES_MAX), .cwd = folder });
}

static struct agent_process *scan_one(struct agent_processes *p, uint32_t pid, unsigned depth, struct bh_buf *text)
{
	struct stat_line line = { 0 };
	if (!read_proc(pid, "stat", text) || !parse_stat(text, &line))
		return NULL;
	struct agent_process *parent = scanned(p, line.parent, depth + 1, text);
	struct agent_process *e = add(p, pid, line.start_ticks * tick_ns(), parent);
	if (!e)
		return NULL;
	e->is_rough = true;
	memcpy(e->comm, line.comm, sizeof(e->comm));
	scan_program(e, text);
	return e;
}

int agent_processes_scan(struct agent_processes *p, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bh_buf_init(&text, PROC_TEXT_BYTES_MAX + 1);
	DIR *proc = opendir("/proc");
	if (!proc)
		return bh_fail_errno(err, errno, "/proc");
	for (struct dirent *d; (d = readdir(proc));) {
		uint64_t pid;
		if (bh_slice_u64(bh_slice_str(d->d_name), UINT32_MAX, &pid))
			(void)scanned(p, (uint32_t)pid, 0, &text);
	}
	(void)closedir(proc);
	return 0;
}
