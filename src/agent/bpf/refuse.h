/*
 * refuse.h: what policies say of a deed, and the programs of BPF LSM, which refuse it before it is done. Where the kernel has no BPF LSM, sensor.bpf.c kills instead.
 */
#ifndef BH_AGENT_BPF_REFUSE_H
#define BH_AGENT_BPF_REFUSE_H

#include "agent/bpf/record.h"
#include "agent/deed.h"

#define SIGKILL 9
#define EPERM 1
#define PROT_EXEC 4
#define MAP_ANONYMOUS 0x20
#define SOCK_TYPE_MASK 0xf
#define SOCK_RAW 3
#define SOCK_PACKET 10
#define AF_PACKET 17
#define FMODE_WRITE 2u
#define S_IFBLK 0060000
#define S_IFCHR 0020000
#define MINOR_BITS 20
#define MEMORY_MAJOR 1 /* /dev/mem, /dev/kmem, /dev/port: minors 1, 2 and 4 */
#define PTRACE_MODE_ATTACH 2u
#define READING_FIRMWARE 1
#define CAPABILITY_NOAUDIT 2u
#define PROC_MAGIC 0x9fa0
#define SYS_MAGIC 0x62656572
#define CGROUP_MAGIC 0x27e0eb
#define DEPTH_MAX 16

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GUARD_POLICIES_MAX);
	__type(key, __u32);
	__type(value, struct guard_policy);
} policies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GUARD_GROUPS_MAX);
	__type(key, __u64);
	__type(value, __u32);
} policy_of_group SEC(".maps");

/* Groups in which a program runs that has a container's root: what comes before is its manager's work. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GUARD_GROUPS_MAX);
	__type(key, __u64);
	__type(value, __u8);
} started SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4 * GUARD_FILE_RULES_MAX);
	__type(key, struct guard_file_key);
	__type(value, __u32);
} file_rights SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, char[GUARD_SOCKET_NAME_BYTES]);
	__type(value, __u8);
} socket_names SEC(".maps");

/* What is looked up, with what tells whether it was written by one program alone. */
struct file_question {
	__u64 uses;
	struct guard_file_key key;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct file_question);
} file_questions SEC(".maps");

/* Set before the programs are loaded. */
const volatile __u32 refused_before; /* deeds that programs of BPF LSM refuse here: bits by enum guard_deed */
const volatile __u8 deeds_of_calls[GUARD_CALL_NUMBERS]; /* enum guard_deed, GUARD_CALL_ALWAYS, GUARD_CALL_NO_DEED */

/* ---- which policy ---- */

struct policed {
	struct task_struct *task;
	const struct guard_policy *policy;
	__u32 number;
};

/*
 * Before a manager has given its container a group, or when somebody has left it, the root tells; a program of the container's own then tells that its manager is done.
 */
static __always_inline bool is_in_container(struct task_struct *task, struct dentry *root)
{
	return BPF_CORE_READ(root, d_sb, s_magic) == OVERLAY_MAGIC && BPF_CORE_READ(task, mm, exe_file, f_path.dentry, d_sb) == BPF_CORE_READ(root, d_sb);
}

static __always_inline bool find_policy(struct policed *ret)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 group = bpf_get_current_cgroup_id();
	__u32 *own = bpf_map_lookup_elem(&policy_of_group, &group);
	if (own && !bpf_map_lookup_elem(&started, &group))
		return 0;
	struct dentry *root = BPF_CORE_READ(task, fs, root.dentry);
	if (is_host_root(root) || (!own && !is_in_container(task, root)))
		return 0;
	ret->task = task;
	ret->number = own ? *own : 0;
	ret->policy = bpf_map_lookup_elem(&policies, &ret->number);
	return ret->policy;
}

static __always_inline bool is_policed(const struct policed *p, __u32 deed)
{
	return (p->policy->refused | p->policy->told) >> deed & 1;
}

static __always_inline bool is_refused(const struct policed *p, __u32 deed)
{
	return p->policy->refused >> deed & 1;
}

/* ---- what is told of it ---- */

static __always_inline struct scratch *begin_deed(const struct policed *p, __u32 deed)
{
	struct scratch *s = begin(GUARD_KIND_DEED);
	if (!s)
		return 0;
	s->head.call = deed;
	s->head.arguments[0] = p->number;
	s->head.result = -EPERM;
	add_who(s, p->task);
	return s;
}

/* By a program that can refuse: 0, or an error for the caller. */
static __always_inline int refuse_file(const struct policed *p, __u32 deed, struct vfsmount *mnt, struct dentry *dentry, struct inode *inode)
{
	bool refused = is_refused(p, deed);
	struct scratch *s = begin_deed(p, deed);
	if (s) {
		s->head.flags |= refused ? GUARD_FLAG_REFUSED : 0;
		if (refused && p->policy->kills >> deed & 1 && bpf_send_signal(SIGKILL) == 0)
			s->head.flags |= GUARD_FLAG_KILLED;
		if (inode) {
			s->head.mode = BPF_CORE_READ(inode, i_mode);
			s->head.inode = BPF_CORE_READ(inode, i_ino);
		}
		if (dentry)
			add_path(s, GUARD_STRING_PATH, mnt, dentry);
		commit(s);
	}
	return refused ? -EPERM : 0;
}

static __always_inline int refuse(const struct policed *p, __u32 deed)
{
	return refuse_file(p, deed, 0, 0, 0);
}

static __always_inline int refuse_open(const struct policed *p, __u32 deed, struct file *file)
{
	struct path *place = place_of(file);
	return refuse_file(p, deed, BPF_CORE_READ(place, mnt), BPF_CORE_READ(place, dentry), BPF_CORE_READ(file, f_inode));
}

/* By a program that can't: the process is killed, if its policy says so. */
static __always_inline void punish(const struct policed *p, __u32 deed, struct file *file)
{
	struct scratch *s = begin_deed(p, deed);
	if (!s)
		return;
	if (is_refused(p, deed) && p->policy->kills_instead >> deed & 1 && bpf_send_signal(SIGKILL) == 0)
		s->head.flags |= GUARD_FLAG_KILLED;
	if (file)
		add_file(s, file);
	commit(s);
}

/* ---- files ---- */

#define ALL_RIGHTS_GONE (GUARD_FILE_READ_ONLY | GUARD_FILE_FORBIDDEN)

/* Of the container's own root the place in it counts, whatever it is mounted on; of other file systems the place that the process sees. */
static __always_inline __u32 rights_once(const struct policed *p, struct file_question *q, struct path_room *room, struct vfsmount *mnt, struct dentry *dentry, bool *is_sure)
{
	__u32 stays = BPF_CORE_READ(dentry, d_sb, s_magic) == OVERLAY_MAGIC;
	__u64 uses = ++q->uses, room_uses = room->uses + 1; /* the one that follows */
	__u32 from = write_path((__u64)mnt, (__u64)dentry, stays);
	q->key.bits = 8 * (sizeof(q->key) - sizeof(q->key.bits));
	q->key.policy = p->number;
	/* Behind a path there are only zeros in the room. */
	bpf_probe_read_kernel(q->key.path, sizeof(q->key.path), &room->bytes[from >= PATH_BYTES ? PATH_BYTES : masked(from, PATH_BYTES - 1)]);
	if (from >= PATH_BYTES)
		q->key.path[0] = '/'; /* the root itself */
	__u32 *rights = bpf_map_lookup_elem(&file_rights, &q->key);
	__u32 found = rights ? *rights : 0;
	*is_sure = q->uses == uses && room->uses == room_uses;
	return found;
}

static __always_inline __u32 rights_of(const struct policed *p, struct vfsmount *mnt, struct dentry *dentry)
{
	__u32 zero = 0, found;
	bool is_sure = 0;
	struct file_question *q = bpf_map_lookup_elem(&file_questions, &zero);
	struct path_room *room = bpf_map_lookup_elem(&path_rooms, &zero);
	if (!q || !room || !((p->policy->refused | p->policy->told) & (GUARD_BIT(READ_ONLY) | GUARD_BIT(FORBIDDEN))))
		return 0;
	found = rights_once(p, q, room, mnt, dentry, &is_sure);
	return is_sure ? found : ALL_RIGHTS_GONE; /* somebody else wrote there meanwhile: better too little than too much */
}

static __always_inline struct dentry *parent_of(struct dentry *dentry)
{
	return BPF_CORE_READ(dentry, d_parent);
}

static __always_inline bool is_named(struct dentry *dentry, const char name[16])
{
	char own[16] = { 0 };
	bpf_probe_read_kernel_str(own, sizeof(own), BPF_CORE_READ(dentry, d_name.name));
	bool same = 1;
#pragma unroll
	for (int i = 0; i < (int)sizeof(own); i++)
		same = same && own[i] == name[i];
	return same;
}

/* /proc but processes' own files and the network's settings, which belong to the container's namespace. */
static __always_inline bool is_setting_of_proc(struct dentry *dentry)
{
	struct dentry *below = dentry;
	char first = 0;
	for (int i = 0; i < DEPTH_MAX; i++) {
		struct dentry *above = parent_of(dentry);
		if (above == parent_of(above))
			break;
		below = dentry;
		dentry = above;
	}
	bpf_probe_read_kernel(&first, 1, BPF_CORE_READ(dentry, d_name.name));
	if (first >= '0' && first <= '9')
		return 0;
	return !(is_named(dentry, "sys\0\0\0\0\0\0\0\0\0\0\0\0") && is_named(below, "net\0\0\0\0\0\0\0\0\0\0\0\0"));
}

/* That it is opened for writing, the caller knows. */
static __always_inline bool is_host_setting(struct dentry *dentry)
{
	switch (BPF_CORE_READ(dentry, d_sb, s_magic)) {
	case PROC_MAGIC:
		return is_setting_of_proc(dentry);
	case CGROUP_MAGIC:
		return is_named(dentry, "release_agent\0\0") || is_named(dentry, "devices.allow\0\0");
	case SYS_MAGIC:
	case 0x64626720: /* debugfs */
	case 0x74726163: /* tracefs */
	case 0x73636673: /* securityfs */
	case 0xcafe4a11: /* bpffs */
	case 0xde5e81e4: /* efivarfs */
	case 0x62656570: /* configfs */
		return 1;
	default:
		return 0;
	}
}

static __always_inline bool is_host_device(struct inode *inode)
{
	__u32 mode = BPF_CORE_READ(inode, i_mode) & S_IFMT, device = BPF_CORE_READ(inode, i_rdev), minor = device & ((1u << MINOR_BITS) - 1);
	return mode == S_IFBLK || (mode == S_IFCHR && device >> MINOR_BITS == MEMORY_MAJOR && (minor == 1 || minor == 2 || minor == 4));
}

/* What an open is, in terms of policies; GUARD_DEEDS: nothing that they are about. */
static __always_inline __u32 deed_of_open(const struct policed *p, struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	bool writes = BPF_CORE_READ(file, f_mode) & FMODE_WRITE;
	if (is_policed(p, GUARD_DEED_DEVICE) && is_host_device(BPF_CORE_READ(file, f_inode)))
		return GUARD_DEED_DEVICE;
	if (writes && is_policed(p, GUARD_DEED_HOST_SETTING) && is_host_setting(dentry))
		return GUARD_DEED_HOST_SETTING;
	__u32 rights = rights_of(p, BPF_CORE_READ(file, f_path.mnt), dentry);
	if (rights & GUARD_FILE_FORBIDDEN)
		return GUARD_DEED_FORBIDDEN;
	return writes && rights & GUARD_FILE_READ_ONLY ? GUARD_DEED_READ_ONLY : GUARD_DEEDS;
}

/* ---- programs ---- */

static __always_inline __u32 deed_of_code(const struct policed *p, __u32 drift)
{
	if (drift & (GUARD_FLAG_UPPER | GUARD_FLAG_MEMORY) && is_policed(p, GUARD_DEED_DRIFT))
		return GUARD_DEED_DRIFT;
	return drift & GUARD_FLAG_VOLUME && is_policed(p, GUARD_DEED_VOLUME) ? GUARD_DEED_VOLUME : GUARD_DEEDS;
}

static __always_inline int check_code(struct file *file)
{
	struct policed p;
	if (!file || !find_policy(&p))
		return 0;
	__u32 deed = deed_of_code(&p, drift_of(file));
	return deed == GUARD_DEEDS ? 0 : refuse_open(&p, deed, file);
}

/*
 * What somebody else refused does not come here: neither after another security module nor after another program. So nobody needs the verdict before, which has another place in the arguments
 * of other kernels, and only arguments are named that are the same in all of them.
 */
SEC("lsm/bprm_check_security")
int BPF_PROG(refuse_program, struct linux_binprm *bprm)
{
	return check_code(BPF_CORE_READ(bprm, file));
}

SEC("lsm/mmap_file")
int BPF_PROG(refuse_mapping, struct file *file, unsigned long asked, unsigned long protection)
{
	return protection & PROT_EXEC ? check_code(file) : 0;
}

SEC("lsm/file_mprotect")
int BPF_PROG(refuse_protection, struct vm_area_struct *area, unsigned long asked, unsigned long protection)
{
	return protection & PROT_EXEC ? check_code(BPF_CORE_READ(area, vm_file)) : 0;
}

/* The new rights are known here, the caller still has the old ones. */
SEC("lsm/bprm_creds_from_file")
int BPF_PROG(refuse_rights, struct linux_binprm *bprm, struct file *file)
{
	struct policed p;
	__u64 now = 0, then = 0;
	if (!find_policy(&p) || !is_policed(&p, GUARD_DEED_SETUID))
		return 0;
	struct task_struct *task = p.task; /* the macro takes members of anything for the kernel's */
	const struct cred *new = BPF_CORE_READ(bprm, cred), *old = BPF_CORE_READ(task, cred);
	bpf_core_read(&now, sizeof(now), &new->cap_permitted);
	bpf_core_read(&then, sizeof(then), &old->cap_permitted);
	bool changes = BPF_CORE_READ(new, euid.val) != BPF_CORE_READ(old, euid.val) || BPF_CORE_READ(new, egid.val) != BPF_CORE_READ(old, egid.val);
	return changes || now & ~then ? refuse_open(&p, GUARD_DEED_SETUID, file) : 0;
}

/* ---- privileges ---- */

static __always_inline int check(__u32 deed)
{
	struct policed p;
	return find_policy(&p) && is_policed(&p, deed) ? refuse(&p, deed) : 0;
}

SEC("lsm/userns_create")
int BPF_PROG(refuse_user_namespace)
{
	return check(GUARD_DEED_USER_NAMESPACE);
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(refuse_ptrace, struct task_struct *child, unsigned int mode)
{
	bool own = BPF_CORE_READ(child, tgid) == bpf_get_current_pid_tgid() >> 32;
	return mode & PTRACE_MODE_ATTACH && !own ? check(GUARD_DEED_PTRACE) : 0;
}

SEC("lsm/kernel_load_data")
int BPF_PROG(refuse_data, int id)
{
	return id == READING_FIRMWARE ? 0 : check(GUARD_DEED_MODULE);
}

SEC("lsm/kernel_read_file")
int BPF_PROG(refuse_module, struct file *file, int id)
{
	return id == READING_FIRMWARE ? 0 : check(GUARD_DEED_MODULE);
}

SEC("lsm/sb_mount")
int BPF_PROG(refuse_mount)
{
	return check(GUARD_DEED_MOUNT);
}

SEC("lsm/move_mount")
int BPF_PROG(refuse_move)
{
	return check(GUARD_DEED_MOUNT);
}

SEC("lsm/sb_umount")
int BPF_PROG(refuse_umount)
{
	return check(GUARD_DEED_MOUNT);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(refuse_pivot)
{
	return check(GUARD_DEED_MOUNT);
}

SEC("lsm/bpf")
int BPF_PROG(refuse_bpf)
{
	return check(GUARD_DEED_BPF);
}

SEC("lsm/perf_event_open")
int BPF_PROG(refuse_events)
{
	return check(GUARD_DEED_BPF);
}

static __always_inline bool is_raw(__u64 family, __u64 type)
{
	return family == AF_PACKET || (type & SOCK_TYPE_MASK) == SOCK_PACKET || ((type & SOCK_TYPE_MASK) == SOCK_RAW && (family == AF_INET || family == AF_INET6));
}

SEC("lsm/socket_create")
int BPF_PROG(refuse_socket, int family, int type, int protocol, int kernel)
{
	return kernel || !is_raw(family, type) ? 0 : check(GUARD_DEED_RAW_SOCKET);
}

/* The file that a socket is bound to, whatever it was asked for by. */
static __always_inline struct dentry *place_of_socket(struct sock *sk)
{
	return BPF_CORE_READ((struct unix_sock *)sk, path.dentry);
}

static __always_inline bool is_runtime_socket(struct dentry *dentry)
{
	char name[GUARD_SOCKET_NAME_BYTES] = { 0 };
	return dentry && bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name)) > 0 && bpf_map_lookup_elem(&socket_names, name);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(refuse_runtime, struct sock *own, struct sock *other)
{
	struct policed p;
	struct dentry *dentry = place_of_socket(other);
	if (!is_runtime_socket(dentry) || !find_policy(&p) || !is_policed(&p, GUARD_DEED_RUNTIME_SOCKET))
		return 0;
	return refuse_file(&p, GUARD_DEED_RUNTIME_SOCKET, BPF_CORE_READ((struct unix_sock *)other, path.mnt), dentry, 0);
}

SEC("lsm/capable")
int BPF_PROG(refuse_capability, const struct cred *cred, void *namespace, int capability, unsigned int options)
{
	struct policed p;
	if (!find_policy(&p) || !is_policed(&p, GUARD_DEED_CAPABILITY) || !(p.policy->capabilities >> (capability & 63) & 1))
		return 0;
	bool refused = is_refused(&p, GUARD_DEED_CAPABILITY);
	struct scratch *s = options & CAPABILITY_NOAUDIT ? 0 : begin_deed(&p, GUARD_DEED_CAPABILITY);
	if (s) {
		s->head.arguments[1] = capability;
		s->head.flags |= refused ? GUARD_FLAG_REFUSED : 0;
		commit(s);
	}
	return refused ? -EPERM : 0;
}

/* ---- files ---- */

SEC("lsm/file_open")
int BPF_PROG(refuse_file_open, struct file *file)
{
	struct policed p;
	if (!find_policy(&p))
		return 0;
	__u32 deed = deed_of_open(&p, file);
	return deed == GUARD_DEEDS ? 0 : refuse_open(&p, deed, file);
}

/* Arguments of programs are more than numbers to verifiers, and functions of their own take numbers alone. */
static __always_inline void *as_number(const void *pointer)
{
	const void *own = pointer;
	void *number = 0;
	bpf_probe_read_kernel(&number, sizeof(number), &own);
	return number;
}

/* A name, or what is behind it, is changed. */
static __always_inline int check_change(const struct path *folder, struct dentry *argument, __u32 rights_that_refuse)
{
	struct policed p;
	struct vfsmount *mnt = BPF_CORE_READ(folder, mnt);
	if (!find_policy(&p))
		return 0;
	struct dentry *dentry = as_number(argument);
	__u32 rights = rights_of(&p, mnt, dentry) & rights_that_refuse;
	return rights ? refuse_file(&p, rights & GUARD_FILE_FORBIDDEN ? GUARD_DEED_FORBIDDEN : GUARD_DEED_READ_ONLY, mnt, dentry, BPF_CORE_READ(dentry, d_inode)) : 0;
}

#define CHANGES ALL_RIGHTS_GONE
#define MOVES (ALL_RIGHTS_GONE | GUARD_FILE_PINNED)

SEC("lsm/path_unlink")
int BPF_PROG(refuse_unlink, const struct path *folder, struct dentry *dentry)
{
	return check_change(folder, dentry, CHANGES);
}

SEC("lsm/path_rmdir")
int BPF_PROG(refuse_rmdir, const struct path *folder, struct dentry *dentry)
{
	return check_change(folder, dentry, MOVES);
}

SEC("lsm/path_mkdir")
int BPF_PROG(refuse_mkdir, const struct path *folder, struct dentry *dentry)
{
	return check_change(folder, dentry, CHANGES);
}

SEC("lsm/path_mknod")
int BPF_PROG(refuse_mknod, const struct path *folder, struct dentry *dentry)
{
	return check_change(folder, dentry, CHANGES);
}

SEC("lsm/path_symlink")
int BPF_PROG(refuse_symlink, const struct path *folder, struct dentry *dentry)
{
	return check_change(folder, dentry, CHANGES);
}

/* Another name would be another place to write. */
SEC("lsm/path_link")
int BPF_PROG(refuse_link, struct dentry *old, const struct path *folder, struct dentry *new)
{
	int found = check_change(folder, old, CHANGES);
	return found ? found : check_change(folder, new, CHANGES);
}

SEC("lsm/path_rename")
int BPF_PROG(refuse_rename, const struct path *old_folder, struct dentry *old, const struct path *new_folder, struct dentry *new)
{
	int found = check_change(old_folder, old, MOVES);
	return found ? found : check_change(new_folder, new, MOVES);
}

SEC("lsm/path_truncate")
int BPF_PROG(refuse_truncate, const struct path *path)
{
	return check_change(path, BPF_CORE_READ(path, dentry), CHANGES);
}

SEC("lsm/path_chmod")
int BPF_PROG(refuse_chmod, const struct path *path)
{
	return check_change(path, BPF_CORE_READ(path, dentry), CHANGES);
}

SEC("lsm/path_chown")
int BPF_PROG(refuse_chown, const struct path *path)
{
	return check_change(path, BPF_CORE_READ(path, dentry), CHANGES);
}

#endif
