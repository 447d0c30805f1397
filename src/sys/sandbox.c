/* sandbox.c: see sandbox.h. */
#include "sys/sandbox.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "sys/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
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
#define STACK_BYTES_MAX (8ull << 20) /* what programs get by default; deep recursion ends as a crash, not as a memory hog */
#define SANITIZER_EXTRA_BYTES (512ull << 20) /* AddressSanitizer holds back 256 MiB of freed memory and a shadow of everything */
#define DEFAULT_MEMORY_BYTES (1ull << 30)
#define DEFAULT_CPU_SECONDS 3600u
#define DEFAULT_STALL_SECONDS 60u
#define DEFAULT_OUTPUT_BYTES (1ull << 30)
#define LAST_CAPABILITY 63

struct bh_child_limits sandbox_limits(const struct bh_child_limits *asked)
{
	return (struct bh_child_limits){
		.memory_bytes = asked->memory_bytes ? asked->memory_bytes : DEFAULT_MEMORY_BYTES,
		.cpu_seconds = asked->cpu_seconds ? asked->cpu_seconds : DEFAULT_CPU_SECONDS,
		.stall_seconds = asked->stall_seconds ? asked->stall_seconds : DEFAULT_STALL_SECONDS,
		.output_bytes = asked->output_bytes ? asked->output_bytes : DEFAULT_OUTPUT_BYTES,
	};
}

uint64_t sandbox_resident_max(const struct bh_child_limits *limits)
{
	return SANDBOX_SANITIZED ? limits->memory_bytes * 2 + SANITIZER_EXTRA_BYTES : limits->memory_bytes;
}

/* ---- user ---- */

/* Raw capget and capset: two calls are not worth a library (libcap). */
static bool may_kill_others(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { 0 };
	return syscall(SYS_capget, &header, caps) == 0 && (caps[0].effective & 1u << CAP_KILL);
}

/*
 * Failures are fine: an ordinary user, or root of a user namespace with nothing to give up. A root that may not kill other users'
 * processes (a container without CAP_KILL) could not end a child that became one, so that child stays root without capabilities.
 */
void bh_drop_user(bool keeps_root)
{
	for (unsigned long cap = 0; cap <= LAST_CAPABILITY; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break; /* behind the last one this kernel knows, or not permitted */
	if (!keeps_root && geteuid() == 0 && may_kill_others()) {
		int rc = setgroups(0, NULL);
		rc |= setresgid(NOBODY, NOBODY, NOBODY);
		rc |= setresuid(NOBODY, NOBODY, NOBODY);
		(void)rc;
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	(void)syscall(SYS_capset, &header, none);
}

/* ---- limits ---- */

static uint64_t address_space_now(void)
{
	BH_CLOSE int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[64] = { 0 };
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	return n > 0 ? strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static int limit(int resource, uint64_t soft, uint64_t hard)
{
	struct rlimit old, want = { (rlim_t)soft, (rlim_t)hard };
	if (getrlimit((__rlimit_resource_t)resource, &old) == 0 && old.rlim_max != RLIM_INFINITY && want.rlim_max > old.rlim_max)
		want.rlim_max = old.rlim_max;
	if (want.rlim_cur > want.rlim_max)
		want.rlim_cur = want.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &want);
}

static int set_limits(const struct bh_child_limits *l, struct bh_err *err)
{
	int rc = 0;
	/* AddressSanitizer reserves terabytes of address space; the parent's watch over resident memory remains. */
	if (!SANDBOX_SANITIZED) {
		uint64_t space = address_space_now() + l->memory_bytes;
		rc |= limit(RLIMIT_AS, space, space);
	}
	rc |= limit(RLIMIT_CPU, l->cpu_seconds, (uint64_t)l->cpu_seconds + 2);
	rc |= limit(RLIMIT_CORE, 0, 0);
	rc |= limit(RLIMIT_FSIZE, 0, 0);
	rc |= limit(RLIMIT_NOFILE, DESCRIPTORS_MAX, DESCRIPTORS_MAX);
	rc |= limit(RLIMIT_NPROC, 0, 0);
	rc |= limit(RLIMIT_MEMLOCK, 0, 0);
	rc |= limit(RLIMIT_MSGQUEUE, 0, 0);
	rc |= limit(RLIMIT_STACK, STACK_BYTES_MAX, STACK_BYTES_MAX);
	return rc == 0 ? BH_OK : bh_fail_errno(err, errno, "sandbox: limits");
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

/* 0: this kernel has none, or it is switched off. */
static long landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);
	return abi > 0 ? abi : 0;
}

static void close_file_system(void)
{
	long abi = landlock_abi();
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
	int rc = channel_write(report_sock, 0, CHANNEL_VIOLATION, (struct bh_slice){ bytes, sizeof(bytes) }, NULL);
	_exit(rc < 0 ? 100 : 101);
}

static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(close), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(fadvise64),
	SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(sysinfo),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(exit), SCMP_SYS(exit_group),
#if SANDBOX_SANITIZED
	SCMP_SYS(sigaltstack), SCMP_SYS(sched_getaffinity), SCMP_SYS(getrlimit), SCMP_SYS(prlimit64),
#endif
};

static int allow_when(scmp_filter_ctx ctx, int number, struct scmp_arg_cmp condition)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, number, 1, condition);
}

static int add_rules(scmp_filter_ctx ctx, int sock)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	const struct {
		int number;
		struct scmp_arg_cmp when;
	} conditional[] = {
		/* Memory never becomes executable. */
		{ SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
		{ SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
		/* One socket to talk to, and stderr for the last words of libc (it is /dev/null). Given descriptors are only read. */
		{ SCMP_SYS(sendmsg), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)sock) },
		{ SCMP_SYS(recvmsg), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)sock) },
		{ SCMP_SYS(write), SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO) },
		{ SCMP_SYS(writev), SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO) },
		/* abort() and nothing else may signal, and only itself. */
		{ SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()) },
		{ SCMP_SYS(rt_sigaction), SCMP_A0(SCMP_CMP_EQ, SIGABRT) },
		/* Is this descriptor readable? */
		{ SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL) },
	};
	for (size_t i = 0; rc == 0 && i < sizeof(conditional) / sizeof(conditional[0]); i++)
		rc = allow_when(ctx, conditional[i].number, conditional[i].when);
	/* What glibc makes of fstat(): it takes a path, so it can't be allowed; libraries live with a failing fstat. */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), 0);
	return rc;
}

static int filter_calls(int sock, struct bh_err *err)
{
	report_sock = sock;
	struct sigaction act = { .sa_sigaction = on_violation, .sa_flags = SA_SIGINFO };
	sigfillset(&act.sa_mask);
	if (sigaction(SIGSYS, &act, NULL) < 0)
		return bh_fail_errno(err, errno, "sandbox: sigaction");
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
	if (!ctx)
		return bh_fail(err, BH_ENOMEM, 0, "sandbox: out of memory");
	/*
	 * A search tree instead of a list. And kernels before 5.16 need not slow a filtered process down by switching off
	 * speculative stores: nothing that this process can read is secret from it.
	 */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_SSB, 1);
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1); /* all threads, or none and an error */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	int rc = add_rules(ctx, sock);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc == 0 ? BH_OK : bh_fail_errno(err, -rc, "sandbox: this kernel does not take the system call filter");
}

int sandbox_enter(const struct bh_child_spec *spec, const struct bh_child_limits *limits, int sock, struct bh_err *err)
{
	bh_drop_user(false);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* after the user: changing it clears this */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return bh_fail_errno(err, errno, "sandbox: no new privileges");
	int rc = spec->prepare ? spec->prepare(spec->ctx, err) : BH_OK;
	rc = rc == BH_OK ? set_limits(limits, err) : rc;
	if (rc < 0)
		return rc;
	close_file_system();
	return filter_calls(sock, err);
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

bool sandbox_syscall_name_on(bool aarch64, uint32_t number, char out[64])
{
	char *name = seccomp_syscall_resolve_num_arch(aarch64 ? SCMP_ARCH_AARCH64 : SCMP_ARCH_X86_64, (int)number);
	bool known = name != NULL;
	if (known)
		(void)snprintf(out, 64, "%s", name);
	free(name);
	return known;
}

bool bh_syscall_exists(const char *name)
{
	return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR;
}

const char *bh_sandbox_describe(void)
{
	static char text[160];
	uint32_t trap = SECCOMP_RET_TRAP;
	bool filters = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &trap) == 0;
	long abi = landlock_abi();
	char landlock[32] = "no Landlock";
	if (abi)
		(void)snprintf(landlock, sizeof(landlock), "Landlock ABI %ld", abi);
	bool nobody = geteuid() == 0 && may_kill_others();
	(void)snprintf(text, sizeof(text), "%s, %s, %s, limits on memory, CPU time and output", filters ? "seccomp" : "no seccomp (children can't run)",
		       landlock, nobody ? "user nobody" : geteuid() == 0 ? "root without capabilities" : "same user");
	return text;
}
