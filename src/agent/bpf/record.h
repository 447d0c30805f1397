/*
 * record.h: how the programs write records: strings, paths, processes, files and sockets, into room of the CPU and from there into the ring.
 */
#ifndef BH_AGENT_BPF_RECORD_H
#define BH_AGENT_BPF_RECORD_H

#include "agent/bpf/kernel.h"
#include "agent/event.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define PATH_DEPTH_MAX 48
#define PATH_BYTES 4096u /* a power of two */
#define NAME_BYTES_MAX 256u
#define OVERLAY_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994
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
	__u64 uses; /* somebody else's, where the kernel takes the CPU away from a program */
	__u64 words[GUARD_PATH_WORDS + 1], name[GUARD_PATH_WORDS + 1]; /* filter.h */
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
/* Set before the programs are loaded, and nobody's to change then. */
const volatile __u32 host_root_device; /* of the host's own root, as the kernel writes it; it may be an overlay, too */
const volatile __u64 host_root_inode;

/* Read by the agent. */
__u64 written[GUARD_CPUS_MAX];
__u64 lost[GUARD_CPUS_MAX];

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

/* struct qstr, as machines with the low byte first have it (include/linux/dcache.h): one read instead of two. */
struct name_of_dentry {
	__u32 hash, len;
	const void *text;
};

/*
 * From a file up to the root that the process sees, through mounts, or up to that of its own file system; written from behind, from the place that is returned. A file without a place in the
 * tree (memfd, pipe) has only its name: PATH_BYTES. A function that other files could call, as the verifier looks at those once only, and takes numbers for pointers there.
 */
__noinline __u32 write_path(__u64 from_mnt, __u64 from_dentry, __u32 stays)
{
	__u32 zero = 0;
	struct path_room *room = bpf_map_lookup_elem(&path_rooms, &zero);
	struct vfsmount *mnt = (struct vfsmount *)from_mnt;
	struct dentry *dentry = (struct dentry *)from_dentry;
	if (!room)
		return PATH_BYTES;
	room->uses++;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct dentry *root = BPF_CORE_READ(task, fs, root.dentry);
	struct vfsmount *root_mnt = BPF_CORE_READ(task, fs, root.mnt);
	struct dentry *top = BPF_CORE_READ(mnt, mnt_root);
	__u32 at = PATH_BYTES;
	for (int i = 0; i < PATH_DEPTH_MAX; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		struct name_of_dentry name = { 0 };
		if (!stays && dentry == root && mnt == root_mnt)
			break;
		if ((!stays && dentry == top) || dentry == parent) {
			struct mount *m = (void *)mnt - bpf_core_field_offset(struct mount, mnt), *above = BPF_CORE_READ(m, mnt_parent);
			if (stays || dentry != top || above == m || !above)
				break;
			dentry = BPF_CORE_READ(m, mnt_mountpoint);
			mnt = (void *)above + bpf_core_field_offset(struct mount, mnt);
			top = BPF_CORE_READ(mnt, mnt_root);
			continue;
		}
		bpf_probe_read_kernel(&name, sizeof(name), (void *)dentry + bpf_core_field_offset(struct dentry, d_name));
		__u32 len = name.len & (NAME_BYTES_MAX - 1);
		if (at <= len + 1 || at > PATH_BYTES)
			break;
		at = masked(at - len - 1, PATH_BYTES - 1); /* so that all rounds look alike to the verifier, which is then done soon */
		room->bytes[at] = '/';
		bpf_probe_read_kernel(&room->bytes[at + 1], masked(len, NAME_BYTES_MAX - 1), name.text);
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
	__u32 from = write_path((__u64)mnt, (__u64)dentry, 0);
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

/* Containers have another root, be it a folder of the same file system. */
static __always_inline bool is_host_root(struct dentry *root)
{
	return BPF_CORE_READ(root, d_sb, s_dev) == host_root_device && BPF_CORE_READ(root, d_inode, i_ino) == host_root_inode;
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
	struct dentry *root = BPF_CORE_READ(task, fs, root.dentry);
	if (!is_host_root(root))
		r->flags |= BPF_CORE_READ(root, d_sb, s_magic) == OVERLAY_MAGIC ? GUARD_FLAG_CONTAINED : GUARD_FLAG_OTHER_ROOT;
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

#define FMODE_BACKING (1u << 25)

/* Where the program sees the file. */
static __always_inline struct path *place_of(struct file *file)
{
	struct backing_file *below = (void *)file;
	if (bpf_core_field_exists(below->user_path) && BPF_CORE_READ(file, f_mode) & FMODE_BACKING)
		return (void *)file + bpf_core_field_offset(struct backing_file, user_path);
	return (void *)file + bpf_core_field_offset(struct file, f_path);
}

/* The overlay's inode has the VFS's as its first part and, behind it, the dentry of the writable layer, if the file has one there (fs/overlayfs/ovl_entry.h). */
static __always_inline bool is_upper(struct dentry *dentry)
{
	struct dentry *upper = 0;
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	if (BPF_CORE_READ(dentry, d_sb, s_magic) != OVERLAY_MAGIC)
		return 0;
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	return upper && BPF_CORE_READ(upper, d_inode);
}

static __always_inline bool is_memory(struct dentry *dentry)
{
	return BPF_CORE_READ(dentry, d_sb, s_magic) == TMPFS_MAGIC && BPF_CORE_READ(dentry, d_parent) == dentry;
}

/* Of a file that is executed, or mapped to be. */
static __always_inline __u32 drift_of(struct file *file)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct path *place = place_of(file);
	struct dentry *dentry = BPF_CORE_READ(place, dentry);
	if (is_upper(dentry))
		return GUARD_FLAG_UPPER;
	if (is_memory(dentry))
		return GUARD_FLAG_MEMORY;
	return BPF_CORE_READ(dentry, d_sb) != BPF_CORE_READ(task, fs, root.dentry, d_sb) ? GUARD_FLAG_VOLUME : 0;
}

#endif
