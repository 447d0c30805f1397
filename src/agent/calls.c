/* calls.c: see calls.h. */
#include "agent/calls.h"

#include "agent/deed.h"
#include "sys/sandbox.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const struct agent_call calls[] = {
#define P(name, form, argument) { name, AGENT_##form, argument }
#define CALL(name, how, first, second, folder_, address_, flags, ...) { #name, { GUARD_HOW_##how, first, second, .address = address_, .folder = folder_, CALL_FLAG(flags) }, { __VA_ARGS__ } },
#define CALL_FLAG(flags) CALL_FLAG_##flags
#define CALL_FLAG_0
#define CALL_FLAG_HEADER .address_in_header = 1
#define CALL_FLAG_HOW .open_how = 1
#define CALL_FLAG_FLAGS2 .flags = 2
#define CALL_FLAG_FLAGS3 .flags = 3
#include "agent/calls.def"
#undef CALL
#undef P
};

#define N (sizeof(calls) / sizeof(calls[0]))

const struct agent_call *agent_call_at(size_t number)
{
	return number < N ? &calls[number] : NULL;
}

static const struct agent_call *named(const char *name)
{
	for (size_t i = 0; i < N; i++)
		if (strcmp(calls[i].name, name) == 0)
			return &calls[i];
	return NULL;
}

const struct agent_call *agent_call_of(unsigned number)
{
	static const struct agent_call *by_number[GUARD_CALL_NUMBERS];
	static bool is_filled;
	for (unsigned i = 0; !is_filled && i < GUARD_CALL_NUMBERS; i++) {
		char name[64];
		by_number[i] = named(sandbox_syscall_name(i, name));
	}
	is_filled = true;
	return number < GUARD_CALL_NUMBERS ? by_number[number] : NULL;
}

/* ---- texts ---- */

struct bit {
	uint64_t mask;
	const char *name;
};

static void put_bits(const struct bit *bits, uint64_t value, bool any, struct bh_buf *out)
{
	for (; bits->name; bits++)
		if ((value & bits->mask) == bits->mask) {
			bh_buf_add_str(out, any ? "|" : "");
			bh_buf_add_str(out, bits->name);
			any = true;
		}
}

static void put_open(uint64_t flags, struct bh_buf *out)
{
	static const char *const access_modes[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "O_RDWR" };
	static const struct bit bits[] = {
		{ O_CREAT, "O_CREAT" }, { O_APPEND, "O_APPEND" }, { O_DSYNC, "O_DSYNC" }, { O_EXCL, "O_EXCL" }, { O_NONBLOCK, "O_NONBLOCK" }, { O_SYNC, "O_SYNC" }, { O_TRUNC, "O_TRUNC" },
		{ O_DIRECT, "O_DIRECT" }, { O_DIRECTORY, "O_DIRECTORY" }, { O_NOFOLLOW, "O_NOFOLLOW" }, { O_TMPFILE, "O_TMPFILE" }, { O_CLOEXEC, "O_CLOEXEC" }, { O_PATH, "O_PATH" }, { 0, NULL },
	};
	bh_buf_add_str(out, access_modes[flags & O_ACCMODE]);
	put_bits(bits, flags, true, out);
}

static void put_mode(uint64_t mode, struct bh_buf *out)
{
	static const struct bit bits[] = {
		{ S_IXOTH, "S_IXOTH" }, { S_IWOTH, "S_IWOTH" }, { S_IROTH, "S_IROTH" }, { S_IXGRP, "S_IXGRP" }, { S_IWGRP, "S_IWGRP" }, { S_IRGRP, "S_IRGRP" }, { S_IXUSR, "S_IXUSR" },
		{ S_IWUSR, "S_IWUSR" }, { S_IRUSR, "S_IRUSR" }, { S_ISVTX, "S_ISVTX" }, { S_ISGID, "S_ISGID" }, { S_ISUID, "S_ISUID" }, { 0, NULL },
	};
	if (mode & 07777)
		put_bits(bits, mode, false, out);
	else
		bh_buf_add_str(out, "0");
}

static void put_clone(uint64_t flags, struct bh_buf *out)
{
	static const struct bit bits[] = {
		{ CLONE_FILES, "CLONE_FILES" }, { CLONE_FS, "CLONE_FS" }, { CLONE_NEWIPC, "CLONE_NEWIPC" }, { CLONE_NEWNET, "CLONE_NEWNET" }, { CLONE_NEWNS, "CLONE_NEWNS" }, { CLONE_NEWPID, "CLONE_NEWPID" },
		{ CLONE_NEWUTS, "CLONE_NEWUTS" }, { CLONE_NEWUSER, "CLONE_NEWUSER" }, { CLONE_NEWCGROUP, "CLONE_NEWCGROUP" }, { 0, NULL },
	};
	if (flags)
		put_bits(bits, flags, false, out);
	else
		bh_buf_add_str(out, "0");
}

static void put_named(const char *const *names, size_t n, uint64_t value, struct bh_buf *out)
{
	if (value < n && names[value])
		bh_buf_add_str(out, names[value]);
	else
		bh_buf_printf(out, "%" PRIu64, value);
}

static void put_family(uint64_t family, struct bh_buf *out)
{
	static const char *const names[] = {
		[AF_UNIX] = "AF_UNIX", [AF_INET] = "AF_INET", [AF_INET6] = "AF_INET6", [AF_NETLINK] = "AF_NETLINK", [AF_PACKET] = "AF_PACKET", [AF_VSOCK] = "AF_VSOCK", [AF_ALG] = "AF_ALG", [AF_XDP] = "AF_XDP",
	};
	put_named(names, sizeof(names) / sizeof(names[0]), family, out);
}

static void put_ptrace(uint64_t request, struct bh_buf *out)
{
	static const char *const names[] = { "PTRACE_TRACEME", "PTRACE_PEEKTEXT", "PTRACE_PEEKDATA", "PTRACE_PEEKUSR", "PTRACE_POKETEXT", "PTRACE_POKEDATA", "PTRACE_POKEUSR", "PTRACE_CONT",
					     "PTRACE_KILL", "PTRACE_SINGLESTEP", NULL, NULL, "PTRACE_GETREGS", "PTRACE_SETREGS", "PTRACE_GETFPREGS", "PTRACE_SETFPREGS", "PTRACE_ATTACH", "PTRACE_DETACH" };
	static const char *const later[] = { "PTRACE_SETOPTIONS", "PTRACE_GETEVENTMSG", "PTRACE_GETSIGINFO", "PTRACE_SETSIGINFO", "PTRACE_GETREGSET", "PTRACE_SETREGSET", "PTRACE_SEIZE", "PTRACE_INTERRUPT" };
	if (request == 24)
		bh_buf_add_str(out, "PTRACE_SYSCALL");
	else if (request >= 0x4200 && request - 0x4200 < sizeof(later) / sizeof(later[0]))
		put_named(later, sizeof(later) / sizeof(later[0]), request - 0x4200, out);
	else
		put_named(names, sizeof(names) / sizeof(names[0]), request, out);
}

/* enum bpf_cmd of linux/bpf.h. */
static void put_bpf(uint64_t command, struct bh_buf *out)
{
	static const char *const names[] = { "BPF_MAP_CREATE", "BPF_MAP_LOOKUP_ELEM", "BPF_MAP_UPDATE_ELEM", "BPF_MAP_DELETE_ELEM", "BPF_MAP_GET_NEXT_KEY", "BPF_PROG_LOAD", "BPF_OBJ_PIN", "BPF_OBJ_GET", "BPF_PROG_ATTACH",
					     "BPF_PROG_DETACH", "BPF_PROG_TEST_RUN", "BPF_PROG_GET_NEXT_ID", "BPF_MAP_GET_NEXT_ID", "BPF_PROG_GET_FD_BY_ID", "BPF_MAP_GET_FD_BY_ID", "BPF_OBJ_GET_INFO_BY_FD", "BPF_PROG_QUERY",
					     "BPF_RAW_TRACEPOINT_OPEN", "BPF_BTF_LOAD", "BPF_BTF_GET_FD_BY_ID", "BPF_TASK_FD_QUERY", "BPF_MAP_LOOKUP_AND_DELETE_ELEM", "BPF_MAP_FREEZE", "BPF_BTF_GET_NEXT_ID",
					     "BPF_MAP_LOOKUP_BATCH", "BPF_MAP_LOOKUP_AND_DELETE_BATCH", "BPF_MAP_UPDATE_BATCH", "BPF_MAP_DELETE_BATCH", "BPF_LINK_CREATE", "BPF_LINK_UPDATE", "BPF_LINK_GET_FD_BY_ID",
					     "BPF_LINK_GET_NEXT_ID", "BPF_ENABLE_STATS", "BPF_ITER_CREATE", "BPF_LINK_DETACH", "BPF_PROG_BIND_MAP" };
	put_named(names, sizeof(names) / sizeof(names[0]), command, out);
}

const char *agent_errno_name(int64_t result, char text[32])
{
	const char *name = result < 0 && result > -4096 ? strerrorname_np((int)-result) : NULL;
	if (name)
		return name;
	(void)snprintf(text, 32, "#%" PRId64, -result);
	return text;
}

static void put_result(const struct guard_record *r, struct bh_buf *out)
{
	char text[32];
	if (r->result < 0 && r->result > -4096)
		bh_buf_add_str(out, agent_errno_name(r->result, text));
	else
		bh_buf_printf(out, "%" PRId64, (int64_t)r->result);
}

bool agent_argument_text(const struct guard_record *r, const struct agent_parameter *p, struct bh_buf *out)
{
	uint64_t value = p->argument ? r->arguments[(p->argument - 1) % GUARD_ARGUMENTS] : 0;
	static void (*const writers[])(uint64_t value, struct bh_buf *out) = {
		[AGENT_OPEN] = put_open, [AGENT_MODE] = put_mode, [AGENT_FAMILY] = put_family, [AGENT_CLONE] = put_clone, [AGENT_PTRACE] = put_ptrace, [AGENT_BPF] = put_bpf,
	};
	if (p->form == AGENT_RESULT)
		put_result(r, out);
	else if (p->form == AGENT_FD && (int32_t)value == AT_FDCWD)
		bh_buf_add_str(out, "AT_FDCWD");
	else if (p->form == AGENT_FD || p->form == AGENT_NUMBER)
		bh_buf_printf(out, "%" PRId32, (int32_t)value); /* they are int in the kernel; a uid that is -1 too */
	else if (p->form == AGENT_HEX)
		bh_buf_printf(out, "0x%" PRIx64, value);
	else if (p->form < sizeof(writers) / sizeof(writers[0]) && writers[p->form])
		writers[p->form](value, out);
	else
		return false;
	return true;
}

/* linux/capability.h */
const char *agent_capability_name(unsigned number)
{
	static const char *const names[] = { "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
					     "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
					     "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE" };
	return number < sizeof(names) / sizeof(names[0]) ? names[number] : NULL;
}

void agent_capability_names(uint64_t set, struct bh_buf *out)
{
	bool any = false;
	for (unsigned i = 0; agent_capability_name(i); i++)
		if (set >> i & 1) {
			bh_buf_printf(out, "%sCAP_%s", any ? " " : "", agent_capability_name(i));
			any = true;
		}
}

/* ---- calls that are deeds ---- */

/* Where the kernel can't refuse them, they are looked at when they end. */
uint8_t agent_deed_of_call(unsigned number)
{
	static const struct {
		const char *name;
		uint8_t deed;
	} table[] = {
		{ "mmap", GUARD_DEED_DRIFT }, { "open", GUARD_DEED_READ_ONLY }, { "openat", GUARD_DEED_READ_ONLY }, { "openat2", GUARD_DEED_READ_ONLY }, { "creat", GUARD_DEED_READ_ONLY },
		{ "open_by_handle_at", GUARD_DEED_READ_ONLY }, { "unshare", GUARD_DEED_USER_NAMESPACE }, { "ptrace", GUARD_DEED_PTRACE }, { "process_vm_writev", GUARD_DEED_PTRACE | GUARD_CALL_ALWAYS },
		{ "init_module", GUARD_DEED_MODULE }, { "finit_module", GUARD_DEED_MODULE }, { "kexec_load", GUARD_DEED_MODULE }, { "kexec_file_load", GUARD_DEED_MODULE }, { "mount", GUARD_DEED_MOUNT },
		{ "move_mount", GUARD_DEED_MOUNT }, { "umount2", GUARD_DEED_MOUNT }, { "pivot_root", GUARD_DEED_MOUNT }, { "bpf", GUARD_DEED_BPF }, { "perf_event_open", GUARD_DEED_BPF },
		{ "socket", GUARD_DEED_RAW_SOCKET }, { "connect", GUARD_DEED_RUNTIME_SOCKET },
	};
	char own[64];
	const char *name = sandbox_syscall_name(number, own);
	for (size_t i = 0; name && i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].deed;
	return GUARD_CALL_NO_DEED;
}
