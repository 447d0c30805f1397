/*
 * sensor.bpf.c: what happens on the host, written down in the kernel where it happens: programs that start, processes that come and go, groups that they are put into, and system calls when
 * they end. Names of files and addresses of connections are read from the kernel's own objects behind a descriptor, not from the caller's memory, which another thread may change; what exists in
 * the caller's memory only (names of calls that failed, names without a descriptor) is taken from there.
 */
#include "agent/bpf/kernel.h"

#include "agent/event.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL"; /* bpf_send_signal, and helpers that read, are for programs that say so */

#define PATH_DEPTH_MAX 48
#define PATH_BYTES 4096u /* a power of two */
#define NAME_BYTES_MAX 256u
#define OVERLAY_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994
#define SIGKILL 9
#define PROT_EXEC 4
#define MAP_ANONYMOUS 0x20
#define AT_FDCWD (-100)
#define TS_COMPAT 2u
#define USER32_CS 0x23
#define PSR_MODE32 0x10
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define FMODE_CREATED 0x100000u
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

/* What is being written, one for each CPU; programs of one CPU don't interrupt each other here. */
struct scratch {
	struct guard_record head;
	__u8 strings[GUARD_STRINGS_BYTES];
	__u8 room[GUARD_STRING_BYTES_MAX]; /* behind the last string, so that bounds are plain to the verifier */
	__u32 used;
};

/* A path as it grows towards its beginning. */
struct path_room {
	__u8 bytes[PATH_BYTES + NAME_BYTES_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, GUARD_RING_BYTES);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct path_room);
} path_rooms SEC(".maps");

/* Set by the agent. */
struct guard_call_facts calls[GUARD_CALL_NUMBERS];
__u32 ignored_pids[2]; /* the agent itself */
__u32 host_root;       /* device of the host's own root, which may be an overlay, too; as the kernel writes it */
__u32 kills_drift;     /* 0: nothing is killed, 1: what the image did not bring may not run */

/* Read by the agent. */
__u64 written[GUARD_CPUS_MAX];
__u64 lost[GUARD_CPUS_MAX];
__u64 compat_calls; /* of 32-bit programs: their numbers mean other calls, so they are counted only */

static __always_inline struct scratch *begin(enum guard_kind kind)
{
	__u32 zero = 0;
	struct scratch *s = bpf_map_lookup_elem(&scratches, &zero);
	if (!s)
		return 0;
	__builtin_memset(&s->head, 0, sizeof(s->head));
	s->used = 0;
	s->head.kind = kind;
	s->head.time_ns = bpf_ktime_get_boot_ns();
	s->head.cpu = bpf_get_smp_processor_id();
	return s;
}

/* n & mask, where the compiler can't turn it into something that the verifier does not see through. */
static __always_inline __u32 masked(__u32 n, const __u32 mask)
{
	asm volatile("%0 &= %[mask]" : "+r"(n) : [mask] "i"(mask));
	return n;
}

static __always_inline void commit(struct scratch *s)
{
	__u32 cpu = s->head.cpu & (GUARD_CPUS_MAX - 1), used = masked(s->used, 2 * GUARD_STRINGS_BYTES - 1);
	if (used > GUARD_STRINGS_BYTES + GUARD_STRING_BYTES_MAX)
		return; /* can't be: no string is longer than its part */
	written[cpu]++;
	s->head.bytes = sizeof(s->head) + used;
	if (bpf_ringbuf_output(&ring, s, sizeof(s->head) + used, BPF_RB_NO_WAKEUP) < 0)
		lost[cpu]++;
}

/* ---- strings ---- */

static __always_inline void added(struct scratch *s, enum guard_string slot, __u32 at, long n)
{
	if (n <= 0 || n > GUARD_STRING_BYTES_MAX)
		return;
	if (n == GUARD_STRING_BYTES_MAX)
		s->head.flags |= GUARD_FLAG_TRUNCATED;
	s->head.string_bytes[slot] = n;
	s->head.string_at[slot] = at;
	s->used = at + n;
}

/* Is there room for one more? It starts at *ret then. */
static __always_inline bool has_room(struct scratch *s, __u32 *ret)
{
	__u32 at = s->used;
	if (at >= GUARD_STRINGS_BYTES) {
		s->head.flags |= GUARD_FLAG_TRUNCATED;
		return 0;
	}
	*ret = masked(at, GUARD_STRINGS_BYTES - 1);
	return 1;
}

static __always_inline void add_kernel_string(struct scratch *s, enum guard_string slot, const void *from)
{
	__u32 at;
	if (has_room(s, &at))
		added(s, slot, at, bpf_probe_read_kernel_str(&s->strings[at], GUARD_STRING_BYTES_MAX, from) - 1);
}

static __always_inline void add_user_string(struct scratch *s, enum guard_string slot, const void *from)
{
	__u32 at;
	if (has_room(s, &at))
		added(s, slot, at, bpf_probe_read_user_str(&s->strings[at], GUARD_STRING_BYTES_MAX, from) - 1);
}

static __always_inline void add_user_bytes(struct scratch *s, enum guard_string slot, unsigned long from, unsigned long to)
{
	__u32 at;
	__u64 n = to - from;
	if (to <= from)
		return;
	if (n > GUARD_STRING_BYTES_MAX)
		n = GUARD_STRING_BYTES_MAX;
	if (has_room(s, &at) && bpf_probe_read_user(&s->strings[at], n, (const void *)from) == 0)
		added(s, slot, at, n);
}

/* ---- paths ---- */

/*
 * From a file up to the root that the process sees, through mounts; written from behind, from the place that is returned. A file without a place in the tree (memfd, pipe) has only its name:
 * PATH_BYTES. A function that other files could call, as the verifier looks at those once only, and takes numbers for pointers there.
 */
__noinline __u32 write_path(__u64 from_mnt, __u64 from_dentry)
{
	__u32 zero = 0;
	struct path_room *room = bpf_map_lookup_elem(&path_rooms, &zero);
	struct vfsmount *mnt = (struct vfsmount *)from_mnt;
	struct dentry *dentry = (struct dentry *)from_dentry;
	if (!room)
		return PATH_BYTES;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct dentry *root = BPF_CORE_READ(task, fs, root.dentry);
	struct vfsmount *root_mnt = BPF_CORE_READ(task, fs, root.mnt);
	__u32 at = PATH_BYTES;
	for (int i = 0; i < PATH_DEPTH_MAX; i++) {
		struct dentry *top = BPF_CORE_READ(mnt, mnt_root), *parent = BPF_CORE_READ(dentry, d_parent);
		if (dentry == root && mnt == root_mnt)
			break;
		if (dentry == top || dentry == parent) {
			struct mount *m = (void *)mnt - bpf_core_field_offset(struct mount, mnt), *above = BPF_CORE_READ(m, mnt_parent);
			if (dentry != top || above == m || !above)
				break;
			dentry = BPF_CORE_READ(m, mnt_mountpoint);
			mnt = (void *)above + bpf_core_field_offset(struct mount, mnt);
			continue;
		}
		__u32 len = BPF_CORE_READ(dentry, d_name.len) & (NAME_BYTES_MAX - 1);
		if (at <= len + 1 || at > PATH_BYTES)
			break;
		at = masked(at - len - 1, PATH_BYTES - 1); /* so that all rounds look alike to the verifier, which is then done soon */
		room->bytes[at] = '/';
		bpf_probe_read_kernel(&room->bytes[at + 1], masked(len, NAME_BYTES_MAX - 1), BPF_CORE_READ(dentry, d_name.name));
		dentry = parent;
	}
	return at;
}

static __always_inline void add_path(struct scratch *s, enum guard_string slot, struct vfsmount *mnt, struct dentry *dentry)
{
	__u32 zero = 0, at;
	struct path_room *room = bpf_map_lookup_elem(&path_rooms, &zero);
	if (!mnt || !dentry || !room)
		return;
	__u32 from = write_path((__u64)mnt, (__u64)dentry);
	if (from >= PATH_BYTES) {
		add_kernel_string(s, slot, BPF_CORE_READ(dentry, d_name.name));
		return;
	}
	__u32 n = masked(PATH_BYTES - from, PATH_BYTES - 1), start = masked(from, PATH_BYTES - 1);
	if (has_room(s, &at) && bpf_probe_read_kernel(&s->strings[at], n, &room->bytes[start]) == 0)
		added(s, slot, at, n);
}

/* ---- who ---- */

static __always_inline __u32 number_in(struct pid *pid)
{
	struct upid u = { 0 };
	unsigned level = BPF_CORE_READ(pid, level);
	bpf_core_read(&u, sizeof(u), (void *)pid + bpf_core_field_offset(struct pid, numbers) + (__u64)(level & 31) * 16); /* struct upid: a number and a pointer */
	return u.nr;
}

static __always_inline __u32 number_outside(struct pid *pid)
{
	return BPF_CORE_READ(pid, numbers[0].nr);
}

static __always_inline void add_who(struct scratch *s, struct task_struct *task)
{
	struct guard_record *r = &s->head;
	struct task_struct *leader = BPF_CORE_READ(task, group_leader), *parent = BPF_CORE_READ(leader, real_parent);
	const struct cred *cred = BPF_CORE_READ(task, cred);
	struct pid *group = BPF_CORE_READ(task, signal, pids[PIDTYPE_PGID]);
	struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);
	r->pid = BPF_CORE_READ(task, tgid);
	r->tid = BPF_CORE_READ(task, pid);
	r->start_ns = BPF_CORE_READ(leader, start_boottime);
	r->parent_pid = BPF_CORE_READ(parent, tgid);
	r->parent_start_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
	r->vtid = number_in(BPF_CORE_READ(task, thread_pid));
	r->vpid = number_in(BPF_CORE_READ(leader, thread_pid));
	r->pgid = number_outside(group);
	r->vpgid = number_in(group);
	r->sid = number_outside(BPF_CORE_READ(task, signal, pids[PIDTYPE_SID]));
	r->uid = BPF_CORE_READ(cred, euid.val);
	r->gid = BPF_CORE_READ(cred, egid.val);
	r->loginuid = BPF_CORE_READ(task, loginuid.val);
	bpf_core_read(&r->inheritable, 8, &cred->cap_inheritable);
	bpf_core_read(&r->permitted, 8, &cred->cap_permitted);
	bpf_core_read(&r->effective, 8, &cred->cap_effective);
	if (tty)
		r->tty = (__u32)BPF_CORE_READ(tty, driver, major) << 8 | (__u32)(BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index));
	r->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	struct super_block *root = BPF_CORE_READ(task, fs, root.dentry, d_sb);
	if (BPF_CORE_READ(root, s_magic) == OVERLAY_MAGIC && BPF_CORE_READ(root, s_dev) != host_root)
		r->flags |= GUARD_FLAG_CONTAINED;
	add_kernel_string(s, GUARD_STRING_COMM, &task->comm);
}

/* ---- files and sockets ---- */

static __always_inline struct file *file_of(struct task_struct *task, __u64 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **all = BPF_CORE_READ(table, fd), *file = 0;
	if (fd < BPF_CORE_READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), &all[fd & 0xffffff]);
	return file;
}

static __always_inline __u16 swapped(__u16 port)
{
	return __builtin_bswap16(port);
}

static __always_inline void add_socket(struct scratch *s, struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk);
	struct guard_socket *to = &s->head.socket;
	if (!sk)
		return;
	s->head.flags |= GUARD_FLAG_SOCKET;
	to->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	to->type = BPF_CORE_READ(socket, type);
	to->protocol = BPF_CORE_READ(sk, sk_protocol);
	if (to->family == AF_INET || to->family == AF_INET6) {
		to->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
		to->remote_port = swapped(BPF_CORE_READ(sk, __sk_common.skc_dport));
	}
	if (to->family == AF_INET) {
		bpf_core_read(to->local, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(to->remote, 4, &sk->__sk_common.skc_daddr);
	} else if (to->family == AF_INET6) {
		bpf_core_read(to->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(to->remote, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

/* The kernel's copy of an address that a socket is bound or connected to. */
static __always_inline void add_unix_name(struct scratch *s, struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct unix_sock *own = (struct unix_sock *)BPF_CORE_READ(socket, sk);
	struct unix_sock *peer = (struct unix_sock *)BPF_CORE_READ(own, peer);
	struct unix_address *address = peer ? BPF_CORE_READ(peer, addr) : BPF_CORE_READ(own, addr);
	if (address && BPF_CORE_READ(address, len) > 2)
		add_kernel_string(s, GUARD_STRING_PATH, (void *)address + bpf_core_field_offset(struct unix_address, name) + 2);
}

/* sockaddr_in and sockaddr_in6: family, port, and an address behind 4 or 8 bytes. Of sockaddr_un the path. */
static __always_inline void add_named_address(struct scratch *s, __u64 user)
{
	struct guard_socket *to = &s->head.socket;
	__u16 start[2] = { 0 };
	if (!user || bpf_probe_read_user(start, sizeof(start), (const void *)user) < 0 || (start[0] != AF_INET && start[0] != AF_INET6 && start[0] != AF_UNIX))
		return;
	s->head.flags |= GUARD_FLAG_ADDRESS;
	if (start[0] == AF_UNIX) {
		add_user_string(s, GUARD_STRING_NAME, (const void *)(user + 2));
		return;
	}
	to->remote_port = swapped(start[1]);
	if (start[0] == AF_INET)
		bpf_probe_read_user(to->remote, 4, (const void *)(user + 4));
	else
		bpf_probe_read_user(to->remote, 16, (const void *)(user + 8));
}

static __always_inline void add_file(struct scratch *s, struct file *file)
{
	s->head.mode = BPF_CORE_READ(file, f_inode, i_mode);
	s->head.inode = BPF_CORE_READ(file, f_inode, i_ino);
	if (BPF_CORE_READ(file, f_mode) & FMODE_CREATED)
		s->head.flags |= GUARD_FLAG_CREATED;
	if ((s->head.mode & S_IFMT) == S_IFSOCK)
		add_socket(s, file);
	else
		add_path(s, GUARD_STRING_PATH, BPF_CORE_READ(file, f_path.mnt), BPF_CORE_READ(file, f_path.dentry));
}

/* ---- what the image did not bring ---- */

/* The overlay's inode has the VFS's as its first part and, behind it, the dentry of the writable layer, if the file has one there (fs/overlayfs/ovl_entry.h). */
static __always_inline bool is_upper(struct file *file)
{
	struct dentry *upper = 0;
	struct inode *inode = BPF_CORE_READ(file, f_path.dentry, d_inode);
	if (BPF_CORE_READ(file, f_path.dentry, d_sb, s_magic) != OVERLAY_MAGIC)
		return 0;
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	return upper && BPF_CORE_READ(upper, d_inode);
}

static __always_inline bool is_memory(struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	return BPF_CORE_READ(dentry, d_sb, s_magic) == TMPFS_MAGIC && BPF_CORE_READ(dentry, d_parent) == dentry;
}

static __always_inline __u32 drift_of(struct file *file)
{
	return is_upper(file) ? GUARD_FLAG_UPPER : is_memory(file) ? GUARD_FLAG_MEMORY : 0;
}

/* Of a process in a container. */
static __always_inline void kill_drift(struct scratch *s)
{
	if (kills_drift && s->head.flags & GUARD_FLAG_CONTAINED && s->head.flags & (GUARD_FLAG_UPPER | GUARD_FLAG_MEMORY) && bpf_send_signal(SIGKILL) == 0)
		s->head.flags |= GUARD_FLAG_KILLED;
}

/* ---- system calls ---- */

#if defined(__TARGET_ARCH_x86)
static __always_inline long call_number(struct pt_regs *regs)
{
	return regs->orig_ax;
}

static __always_inline void add_arguments(struct guard_record *r, struct pt_regs *regs)
{
	r->arguments[0] = regs->di;
	r->arguments[1] = regs->si;
	r->arguments[2] = regs->dx;
	r->arguments[3] = regs->r10;
	r->arguments[4] = regs->r8;
	r->arguments[5] = regs->r9;
}

/* A 64-bit program can make a 32-bit call: int 0x80. */
static __always_inline bool is_compat(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
}

static __always_inline bool is_compat_program(struct pt_regs *regs)
{
	return regs->cs == USER32_CS;
}
#elif defined(__TARGET_ARCH_arm64)
static __always_inline long call_number(struct pt_regs *regs)
{
	return regs->syscallno;
}

static __always_inline void add_arguments(struct guard_record *r, struct pt_regs *regs)
{
	r->arguments[0] = regs->orig_x0;
	for (int i = 1; i < 6; i++)
		r->arguments[i] = regs->regs[i];
}

static __always_inline bool is_compat(struct task_struct *task)
{
	(void)task;
	return 0;
}

static __always_inline bool is_compat_program(struct pt_regs *regs)
{
	return regs->pstate & PSR_MODE32;
}
#endif

static __always_inline __u64 argument(const struct guard_record *r, __u8 number)
{
	return r->arguments[(number - 1) & (GUARD_ARGUMENTS - 1)];
}

/* Where a relative name starts from: the current folder, or that of a descriptor. */
static __always_inline void add_folder(struct scratch *s, struct task_struct *task, const struct guard_call_facts *c)
{
	struct file *file = 0;
	if (c->folder && (__s32)argument(&s->head, c->folder) != AT_FDCWD)
		file = file_of(task, argument(&s->head, c->folder));
	if (file)
		add_path(s, GUARD_STRING_CWD, BPF_CORE_READ(file, f_path.mnt), BPF_CORE_READ(file, f_path.dentry));
	else
		add_path(s, GUARD_STRING_CWD, BPF_CORE_READ(task, fs, pwd.mnt), BPF_CORE_READ(task, fs, pwd.dentry));
}

static __always_inline bool is_relative(__u64 user)
{
	char first = '/';
	return user && bpf_probe_read_user(&first, 1, (const void *)user) == 0 && first != '/';
}

static __always_inline void add_names(struct scratch *s, struct task_struct *task, const struct guard_call_facts *c)
{
	if ((c->name && is_relative(argument(&s->head, c->name))) || (c->name2 && is_relative(argument(&s->head, c->name2))))
		add_folder(s, task, c);
	if (c->name)
		add_user_string(s, GUARD_STRING_NAME, (const void *)argument(&s->head, c->name));
	if (c->name2)
		add_user_string(s, GUARD_STRING_NAME2, (const void *)argument(&s->head, c->name2));
}

/* The address a message is for: the argument itself, or the first member of the message header that it points to. */
static __always_inline __u64 address_of(const struct guard_record *r, const struct guard_call_facts *c)
{
	__u64 user = c->address ? argument(r, c->address) : 0, inner = 0;
	if (!c->address_in_header)
		return user;
	return bpf_probe_read_user(&inner, sizeof(inner), (const void *)user) == 0 ? inner : 0;
}

static __always_inline void add_target(struct scratch *s, struct task_struct *task, const struct guard_call_facts *c, __u64 address)
{
	bool by_result = c->how == GUARD_HOW_RESULT;
	if (by_result && s->head.result < 0)
		return;
	struct file *file = file_of(task, by_result ? (__u64)s->head.result : s->head.arguments[0]);
	if (!file)
		return;
	add_file(s, file);
	if (s->head.flags & GUARD_FLAG_SOCKET && s->head.socket.family == AF_UNIX)
		add_unix_name(s, file);
	else if (address && !s->head.socket.remote_port)
		add_named_address(s, address);
}

/* Libraries, and programs that ld.so was told to run, come without an exec. */
static __always_inline void end_mapping(struct scratch *s, struct task_struct *task)
{
	if (!(s->head.arguments[2] & PROT_EXEC) || s->head.arguments[3] & MAP_ANONYMOUS || s->head.result < 0)
		return;
	struct file *file = file_of(task, s->head.arguments[4]);
	__u32 drift = file ? drift_of(file) : 0;
	if (!drift)
		return;
	add_who(s, task);
	s->head.flags |= drift;
	kill_drift(s);
	if (!(s->head.flags & GUARD_FLAG_KILLED))
		return;
	add_file(s, file);
	commit(s);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_call, struct pt_regs *regs, long result)
{
	long number = call_number(regs);
	if (is_compat_program(regs)) {
		__sync_fetch_and_add(&compat_calls, 1);
		return 0;
	}
	if (number < 0 || number >= GUARD_CALL_NUMBERS)
		return 0;
	struct guard_call_facts c = calls[number & (GUARD_CALL_NUMBERS - 1)];
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	if (c.how == GUARD_HOW_NONE || pid == ignored_pids[0] || pid == ignored_pids[1])
		return 0;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	if (is_compat(task)) {
		__sync_fetch_and_add(&compat_calls, 1);
		return 0;
	}
	struct scratch *s = begin(GUARD_KIND_CALL);
	if (!s)
		return 0;
	s->head.call = number;
	s->head.result = result;
	add_arguments(&s->head, regs);
	if (c.open_how)
		bpf_probe_read_user(&s->head.arguments[6], 16, (const void *)s->head.arguments[2]);
	if (c.how == GUARD_HOW_MAP) {
		end_mapping(s, task);
		return 0;
	}
	__u64 address = address_of(&s->head, &c);
	if (c.how == GUARD_HOW_SEND && !address)
		return 0; /* over a connection, which was told when it was made */
	add_who(s, task);
	if (c.how != GUARD_HOW_PLAIN)
		add_target(s, task, &c, address);
	add_names(s, task, &c);
	commit(s);
	return 0;
}

/* ---- programs that start ---- */

static __always_inline void add_times(struct guard_record *r, struct inode *inode)
{
	struct inode___new *n = (void *)inode;
	struct inode___middle *m = (void *)inode;
	struct inode___old *o = (void *)inode;
	if (bpf_core_field_exists(n->i_mtime_sec)) {
		r->modified_ns = BPF_CORE_READ(n, i_mtime_sec) * 1000000000ull + BPF_CORE_READ(n, i_mtime_nsec);
		r->changed_ns = BPF_CORE_READ(n, i_ctime_sec) * 1000000000ull + BPF_CORE_READ(n, i_ctime_nsec);
	} else if (bpf_core_field_exists(m->__i_ctime)) {
		r->changed_ns = BPF_CORE_READ(m, __i_ctime.tv_sec) * 1000000000ull + BPF_CORE_READ(m, __i_ctime.tv_nsec);
	} else if (bpf_core_field_exists(o->i_ctime)) {
		r->modified_ns = BPF_CORE_READ(o, i_mtime.tv_sec) * 1000000000ull + BPF_CORE_READ(o, i_mtime.tv_nsec);
		r->changed_ns = BPF_CORE_READ(o, i_ctime.tv_sec) * 1000000000ull + BPF_CORE_READ(o, i_ctime.tv_nsec);
	}
}

static __always_inline void add_executable(struct scratch *s, struct file *file)
{
	struct guard_record *r = &s->head;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	r->inode = BPF_CORE_READ(inode, i_ino);
	r->mode = BPF_CORE_READ(inode, i_mode);
	add_times(r, inode);
	r->flags |= drift_of(file);
	if (!(r->flags & GUARD_FLAG_MEMORY) && BPF_CORE_READ(inode, i_nlink) == 0)
		r->flags |= GUARD_FLAG_DELETED;
	add_path(s, GUARD_STRING_PATH, BPF_CORE_READ(file, f_path.mnt), BPF_CORE_READ(file, f_path.dentry));
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct scratch *s = begin(GUARD_KIND_EXEC);
	if (!s)
		return 0;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	add_who(s, task);
	add_executable(s, BPF_CORE_READ(mm, exe_file));
	kill_drift(s);
	add_kernel_string(s, GUARD_STRING_NAME, BPF_CORE_READ(bprm, filename));
	add_user_bytes(s, GUARD_STRING_NAME2, BPF_CORE_READ(mm, arg_start), BPF_CORE_READ(mm, arg_end));
	add_user_bytes(s, GUARD_STRING_ENV, BPF_CORE_READ(mm, env_start), BPF_CORE_READ(mm, env_end));
	add_path(s, GUARD_STRING_CWD, BPF_CORE_READ(task, fs, pwd.mnt), BPF_CORE_READ(task, fs, pwd.dentry));
	commit(s);
	return 0;
}

/* ---- processes that come and go ---- */

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (BPF_CORE_READ(parent, tgid) == BPF_CORE_READ(child, tgid))
		return 0; /* a thread */
	struct scratch *s = begin(GUARD_KIND_FORK);
	if (!s)
		return 0;
	add_who(s, child);
	commit(s);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	if (BPF_CORE_READ(task, tgid) != BPF_CORE_READ(task, pid))
		return 0;
	struct scratch *s = begin(GUARD_KIND_EXIT);
	if (!s)
		return 0;
	add_who(s, task);
	commit(s);
	return 0;
}

static __always_inline int tell_group(struct cgroup *group, const char *path, enum guard_kind kind)
{
	if (BPF_CORE_READ(group, root, hierarchy_id) != 0)
		return 0; /* of version 1: their numbers are others' too */
	struct scratch *s = begin(kind);
	if (!s)
		return 0;
	s->head.cgroup = BPF_CORE_READ(group, kn, id);
	add_kernel_string(s, GUARD_STRING_PATH, path);
	commit(s);
	return 0;
}

/* Before any process is in it. */
SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_group, struct cgroup *group, const char *path)
{
	return tell_group(group, path, GUARD_KIND_GROUP);
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(on_group_end, struct cgroup *group, const char *path)
{
	return tell_group(group, path, GUARD_KIND_GROUP_END);
}
