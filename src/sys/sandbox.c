/* sandbox.c: see sandbox.h. */
#include "sys/sandbox.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "sys/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534
#define DESCRIPTORS_MAX 64
#define DEFAULT_MEMORY_BYTES (1ull << 30)
#define DEFAULT_CPU_SECONDS 3600u
#define DEFAULT_STALL_SECONDS 60u
#define DEFAULT_OUTPUT_BYTES (1ull << 30)
#define LAST_CAPABILITY 63

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

struct bh_child_limits sandbox_limits(const struct bh_child_limits *asked)
{
	return (struct bh_child_limits){
		.memory_bytes = asked->memory_bytes ? asked->memory_bytes : DEFAULT_MEMORY_BYTES,
		.cpu_seconds = asked->cpu_seconds ? asked->cpu_seconds : DEFAULT_CPU_SECONDS,
		.stall_seconds = asked->stall_seconds ? asked->stall_seconds : DEFAULT_STALL_SECONDS,
		.output_bytes = asked->output_bytes ? asked->output_bytes : DEFAULT_OUTPUT_BYTES,
	};
}

/* ---- user ---- */

/* Failures are fine: an ordinary user, or root of a user namespace with nothing to give up. */
static void drop_user(void)
{
	if (geteuid() != 0)
		return;
	for (unsigned long cap = 0; cap <= LAST_CAPABILITY; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	int rc = setgroups(0, NULL);
	rc |= setresgid(NOBODY, NOBODY, NOBODY);
	rc |= setresuid(NOBODY, NOBODY, NOBODY);
	(void)rc;
}

/* ---- limits ---- */

static uint64_t address_space_now(void)
{
	BH_CLOSE int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[64] = { 0 };
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	return n > 0 ? strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void limit(int resource, uint64_t soft, uint64_t hard)
{
	struct rlimit old, want = { (rlim_t)soft, (rlim_t)hard };
	if (getrlimit((__rlimit_resource_t)resource, &old) == 0 && old.rlim_max != RLIM_INFINITY && want.rlim_max > old.rlim_max)
		want.rlim_max = old.rlim_max;
	if (want.rlim_cur > want.rlim_max)
		want.rlim_cur = want.rlim_max;
	(void)setrlimit((__rlimit_resource_t)resource, &want);
}

static void set_limits(const struct bh_child_limits *l)
{
	/* AddressSanitizer reserves terabytes of address space; the parent's watch over resident memory remains. */
	if (!SANITIZED) {
		uint64_t space = address_space_now() + l->memory_bytes;
		limit(RLIMIT_AS, space, space);
	}
	limit(RLIMIT_CPU, l->cpu_seconds, (uint64_t)l->cpu_seconds + 2);
	limit(RLIMIT_CORE, 0, 0);
	limit(RLIMIT_FSIZE, 0, 0);
	limit(RLIMIT_NOFILE, DESCRIPTORS_MAX, DESCRIPTORS_MAX);
	limit(RLIMIT_MEMLOCK, 0, 0);
}

/* ---- Landlock (Documentation/userspace-api/landlock.rst); constants here, as older headers lack the newer ones ---- */

struct landlock_attr {
	uint64_t handled_fs, handled_net, scoped;
};

#define LANDLOCK_VERSION_FLAG 1u
#define LANDLOCK_FS_ABI1 ((1ull << 13) - 1)  /* execute ... make_sym */
#define LANDLOCK_FS_REFER (1ull << 13)       /* ABI 2 */
#define LANDLOCK_FS_TRUNCATE (1ull << 14)    /* ABI 3 */
#define LANDLOCK_NET_TCP 3ull                /* ABI 4: bind, connect */
#define LANDLOCK_FS_IOCTL_DEV (1ull << 15)   /* ABI 5 */
#define LANDLOCK_SCOPES 3ull                 /* ABI 6: abstract unix sockets, signals */

static void close_file_system(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);
	if (abi < 1)
		return;
	struct landlock_attr attr = { .handled_fs = LANDLOCK_FS_ABI1 };
	attr.handled_fs |= abi >= 2 ? LANDLOCK_FS_REFER : 0;
	attr.handled_fs |= abi >= 3 ? LANDLOCK_FS_TRUNCATE : 0;
	attr.handled_net |= abi >= 4 ? LANDLOCK_NET_TCP : 0;
	attr.handled_fs |= abi >= 5 ? LANDLOCK_FS_IOCTL_DEV : 0;
	attr.scoped |= abi >= 6 ? LANDLOCK_SCOPES : 0;
	size_t size = abi >= 6 ? sizeof(attr) : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
	BH_CLOSE int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset >= 0)
		(void)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

/* ---- seccomp ---- */

static int report_sock = -1;

/* A forbidden system call arrives here instead of in the kernel. Async-signal-safe calls only. */
static void on_violation(int signal_number, siginfo_t *info, void *context)
{
	(void)signal_number;
	(void)context;
	uint32_t number = (uint32_t)info->si_syscall;
	uint8_t bytes[4] = { (uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16), (uint8_t)(number >> 24) };
	int rc = channel_write(report_sock, 0, CHANNEL_VIOLATION, (struct bh_slice){ bytes, sizeof(bytes) }, -1, NULL);
	_exit(rc < 0 ? 100 : 101);
}

static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(close),
	SCMP_SYS(write), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(fadvise64),
	SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(sysinfo),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(exit), SCMP_SYS(exit_group),
#if SANITIZED
	SCMP_SYS(sigaltstack), SCMP_SYS(sched_getaffinity), SCMP_SYS(getrlimit), SCMP_SYS(prlimit64),
#endif
};

static int add_rules(scmp_filter_ctx ctx)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	/* Memory never becomes executable. */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* abort() and nothing else may signal, and only itself. */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(rt_sigaction), 1, SCMP_A0(SCMP_CMP_EQ, SIGABRT));
	/* Is this descriptor readable? */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, F_GETFL));
	return rc;
}

static int filter_calls(int violation_sock, struct bh_err *err)
{
	report_sock = violation_sock;
	struct sigaction act = { .sa_sigaction = on_violation, .sa_flags = SA_SIGINFO };
	sigfillset(&act.sa_mask);
	if (sigaction(SIGSYS, &act, NULL) < 0)
		return bh_fail_errno(err, errno, "sandbox: sigaction");
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
	if (!ctx)
		return bh_fail(err, BH_ENOMEM, 0, "sandbox: out of memory");
	int rc = add_rules(ctx);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc == 0 ? BH_OK : bh_fail_errno(err, -rc, "sandbox: this kernel does not take the system call filter");
}

int sandbox_enter(const struct bh_child_limits *limits, int violation_sock, struct bh_err *err)
{
	drop_user();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* after the user: changing it clears this */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return bh_fail_errno(err, errno, "sandbox: no new privileges");
	set_limits(limits);
	close_file_system();
	return filter_calls(violation_sock, err);
}

const char *sandbox_syscall_name(uint32_t number, char out[64])
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);
	if (name)
		(void)snprintf(out, 64, "%s", name);
	else
		(void)snprintf(out, 64, "#%u", number);
	free(name);
	return out;
}
