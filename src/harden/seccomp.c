/*
 * seccomp.c: see seccomp.h.
 *
 * A profile is never wider than Docker's default one: what that refuses without a capability stays refused (refused.def), clone() may make no
 * namespaces, and clone3(), whose flags a filter can't see, is answered "not implemented", so that C libraries take clone() instead.
 */
#include "harden/seccomp.h"

#include "sys/sandbox.h"

#include <stdlib.h>

#define NAMES_BYTES_MAX (256u << 10)
#define NEW_NAMESPACES 2114060288u /* CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET */
#define ENOSYS_NUMBER 38

#define REFUSED(name) #name,
static const char *const refused[] = {
#include "harden/refused.def"
	NULL
};
#undef REFUSED

/*
 * runc and crun load the filter last, when "no new privileges" is set, and then close descriptors and execve(). runc is written in Go, whose runtime
 * may switch threads and collect garbage meanwhile. The kernel itself calls restart_syscall, and the vDSO falls back to the calls that it stands for.
 */
static const char *const needed_by_runtimes[] = {
	"execve", "exit", "exit_group", "close", "close_range", "fcntl", "openat", "read", "write", "fstat", "fstatfs", "newfstatat", "getdents64", "lseek", "prctl", "capget", "capset",
	"futex", "mmap", "munmap", "madvise", "rt_sigreturn", "rt_sigaction", "rt_sigprocmask", "sigaltstack", "getpid", "gettid", "tgkill", "nanosleep", "sched_yield",
	"epoll_ctl", "epoll_pwait", "restart_syscall", "clock_gettime", "clock_getres", "gettimeofday", "time", "getcpu", "brk", "arch_prctl", "set_tid_address", NULL,
};

static bool is_refused(const char *name)
{
	return bh_slice_is_one_of(bh_slice_str(name), refused) || strcmp(name, "clone3") == 0;
}

static int find_number(const struct seccomp_profile *p, const char *name)
{
	for (int i = 0; i < (int)REACH_NUMBERS; i++)
		if (p->names[i] && strcmp(p->names[i], name) == 0)
			return i;
	return -1;
}

static bool name_all(struct seccomp_profile *p)
{
	char text[64];
	for (uint32_t i = 0; i < REACH_NUMBERS; i++) {
		if (!sandbox_syscall_name_on(p->machine == BINARY_AARCH64, i, text))
			continue;
		p->names[i] = bh_arena_strdup(&p->arena, bh_slice_str(text));
		if (!p->names[i])
			return false;
	}
	return true;
}

static int allow_asked(struct seccomp_profile *p, const char *const *allow, size_t n, struct bh_err *err)
{
	for (size_t i = 0; i < n; i++) {
		int number = find_number(p, allow[i]);
		if (number < 0)
			return bh_fail(err, BH_EUSAGE, 0, "--allow %s: no system call of this architecture has that name", allow[i]);
		if (p->why[number] == SECCOMP_NOT || p->why[number] == SECCOMP_REFUSED)
			p->why[number] = SECCOMP_ASKED;
	}
	return 0;
}

static void count(struct seccomp_profile *p)
{
	for (unsigned i = 0; i < REACH_NUMBERS; i++) {
		p->n_allowed += p->names[i] && seccomp_allows(p, i);
		p->n_default += p->names[i] && !is_refused(p->names[i]);
		p->n_refused += p->why[i] == SECCOMP_REFUSED;
	}
}

/* Names that known.def lists, one behind the other. */
static void add_known(struct reach *r, struct gather_file *f, struct seccomp_profile *p)
{
	struct bh_slice rest = bh_slice_str(reach_known(f)), word;
	while (rest.len) {
		(void)bh_slice_cut(rest, ' ', &word, &rest);
		for (unsigned i = 0; i < REACH_NUMBERS; i++)
			if (p->names[i] && bh_slice_eq_str(word, p->names[i]) && !r->by[i])
				r->by[i] = f;
	}
}

int seccomp_decide(struct reach *r, const char *const *allow, size_t n_allow, struct seccomp_profile *ret, struct bh_err *err)
{
	struct seccomp_profile *p = ret;
	*p = (struct seccomp_profile){ .machine = r->machine, .fell_back = r->opens.len > 0 };
	bh_arena_init(&p->arena, NAMES_BYTES_MAX);
	if (!name_all(p))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < r->known.len; i++)
		add_known(r, r->known.ptr[i], p);
	for (unsigned i = 0; i < REACH_NUMBERS; i++) {
		if (!p->names[i])
			continue;
		if (r->by[i])
			p->why[i] = is_refused(p->names[i]) ? SECCOMP_REFUSED : SECCOMP_REACHED;
		else if (bh_slice_is_one_of(bh_slice_str(p->names[i]), needed_by_runtimes))
			p->why[i] = SECCOMP_RUNTIME;
		else if (p->fell_back && !is_refused(p->names[i]))
			p->why[i] = SECCOMP_DEFAULT;
	}
	int rc = allow_asked(p, allow, n_allow, err);
	count(p);
	return rc;
}

void seccomp_done(struct seccomp_profile *p)
{
	bh_arena_done(&p->arena);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool seccomp_write(const struct seccomp_profile *p, struct bh_buf *out)
{
	const char *names[REACH_NUMBERS] = { 0 };
	size_t n = 0;
	bool clone = false, clone3 = true;
	for (unsigned i = 0; i < REACH_NUMBERS; i++) {
		if (!p->names[i] || !seccomp_allows(p, i))
			continue;
		if (strcmp(p->names[i], "clone") == 0 && p->why[i] != SECCOMP_ASKED)
			clone = true;
		else
			names[n++] = p->names[i];
		clone3 &= strcmp(p->names[i], "clone3") != 0;
	}
	if (n > 1)
		qsort(names, n, sizeof(names[0]), compare);
	bh_buf_printf(out, "{\n  \"defaultAction\": \"SCMP_ACT_ERRNO\",\n  \"architectures\": [\"%s\"],\n  \"syscalls\": [\n    {\n      \"names\": [\n",
		      p->machine == BINARY_AARCH64 ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64");
	for (size_t i = 0; i < n; i++)
		bh_buf_printf(out, "        \"%s\"%s\n", names[i], i + 1 < n ? "," : "");
	bh_buf_add_str(out, "      ],\n      \"action\": \"SCMP_ACT_ALLOW\"\n    }");
	if (clone)
		bh_buf_printf(out, ",\n    {\n      \"names\": [\"clone\"],\n      \"action\": \"SCMP_ACT_ALLOW\",\n"
				   "      \"args\": [{ \"index\": 0, \"value\": %u, \"valueTwo\": 0, \"op\": \"SCMP_CMP_MASKED_EQ\" }]\n    }", NEW_NAMESPACES);
	if (clone3)
		bh_buf_printf(out, ",\n    {\n      \"names\": [\"clone3\"],\n      \"action\": \"SCMP_ACT_ERRNO\",\n      \"errnoRet\": %d\n    }", ENOSYS_NUMBER);
	bh_buf_add_str(out, "\n  ]\n}\n");
	return !out->failed;
}
