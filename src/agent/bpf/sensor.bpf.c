/*
 * sensor.bpf.c: what happens on the host, written down in the kernel where it happens: programs that start, processes that come and go, groups that they are put into, and system calls when
 * they end. Names of files and addresses of connections are read from the kernel's own objects behind a descriptor, not from the caller's memory, which another thread may change; what exists in
 * the caller's memory only (names of calls that failed, names without a descriptor) is taken from there.
 */
#include "agent/bpf/filter.h"
#include "agent/bpf/network.h"
#include "agent/bpf/refuse.h"

char LICENSE[] SEC("license") = "GPL"; /* bpf_send_signal, and helpers that read, are for programs that say so */

#define AT_FDCWD (-100)
#define TS_COMPAT 2u
#define USER32_CS 0x23
#define PSR_MODE32 0x10

/* Set by the agent's reader. */
struct guard_call_facts calls[GUARD_CALL_NUMBERS];
__u32 ignored_pids[2]; /* the agent itself */

/* Read by the agent. */
__u64 compat_calls; /* of 32-bit programs: their numbers mean other calls, so they are counted only */

/* ---- system calls ---- */

#if defined(__TARGET_ARCH_x86)
static __always_inline long call_number(struct pt_regs *regs)
{
	return regs->orig_ax;
}

/* n: a constant, from 0 */
static __always_inline __u64 call_argument(struct pt_regs *regs, int n)
{
	return n == 0 ? regs->di : n == 1 ? regs->si : n == 2 ? regs->dx : n == 3 ? regs->r10 : n == 4 ? regs->r8 : regs->r9;
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

static __always_inline __u64 call_argument(struct pt_regs *regs, int n)
{
	return n == 0 ? regs->orig_x0 : regs->regs[n];
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

static __always_inline void add_arguments(struct guard_record *r, struct pt_regs *regs)
{
	for (int i = 0; i < 6; i++)
		r->arguments[i] = call_argument(regs, i);
}

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

/* ---- what can't be refused here is punished ---- */

#define PTRACE_ATTACH 16
#define PTRACE_SEIZE 0x4206
#define CLONE_NEWUSER 0x10000000

/* Libraries, and programs that ld.so was told to run, come without an exec. */
static __always_inline void end_mapping(const struct policed *p, struct pt_regs *regs)
{
	if (!(call_argument(regs, 2) & PROT_EXEC) || call_argument(regs, 3) & MAP_ANONYMOUS)
		return;
	struct file *file = file_of(p->task, call_argument(regs, 4));
	__u32 deed = file ? deed_of_code(p, drift_of(file)) : GUARD_DEEDS;
	if (deed != GUARD_DEEDS && !(refused_before >> deed & 1))
		punish(p, deed, file);
}

static __always_inline void end_open(const struct policed *p, long fd)
{
	struct file *file = file_of(p->task, fd);
	__u32 deed = file ? deed_of_open(p, file) : GUARD_DEEDS;
	if (deed != GUARD_DEEDS && !(refused_before >> deed & 1))
		punish(p, deed, file);
}

static __always_inline void end_connect(const struct policed *p, __u64 fd)
{
	struct file *file = file_of(p->task, fd);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return;
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk);
	if (!sk || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX)
		return;
	struct sock *peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	if (peer && is_runtime_socket(place_of_socket(peer)))
		punish(p, GUARD_DEED_RUNTIME_SOCKET, file);
}

/* Is the call, by its arguments, what its deed is about? */
static __always_inline bool is_deed(__u32 deed, struct pt_regs *regs)
{
	__u64 first = call_argument(regs, 0);
	switch (deed) {
	case GUARD_DEED_USER_NAMESPACE:
		return first & CLONE_NEWUSER;
	case GUARD_DEED_RAW_SOCKET:
		return is_raw(first, call_argument(regs, 1));
	case GUARD_DEED_PTRACE:
		return first == PTRACE_ATTACH || first == PTRACE_SEIZE;
	default:
		return 1;
	}
}

static __always_inline void end_deed(__u32 code, struct pt_regs *regs, long result)
{
	struct policed p;
	__u32 deed = code & (GUARD_CALL_ALWAYS - 1);
	if (result < 0 || !find_policy(&p))
		return;
	if (deed == GUARD_DEED_DRIFT)
		end_mapping(&p, regs);
	else if (deed == GUARD_DEED_READ_ONLY)
		end_open(&p, result);
	else if (!is_policed(&p, deed) || refused_before >> deed & 1)
		return;
	else if (deed == GUARD_DEED_RUNTIME_SOCKET)
		end_connect(&p, call_argument(regs, 0));
	else if (code & GUARD_CALL_ALWAYS || is_deed(deed, regs))
		punish(&p, deed, 0);
}

/* ---- calls that end ---- */

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
	__u32 deed = deeds_of_calls[number & (GUARD_CALL_NUMBERS - 1)];
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	if ((c.how == GUARD_HOW_NONE && deed == GUARD_CALL_NO_DEED) || pid == ignored_pids[0] || pid == ignored_pids[1])
		return 0;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	if (is_compat(task)) {
		__sync_fetch_and_add(&compat_calls, 1);
		return 0;
	}
	if (deed != GUARD_CALL_NO_DEED)
		end_deed(deed, regs, result);
	if (c.how == GUARD_HOW_NONE)
		return 0;
	__u32 mode = filter_mode;
	bool is_known = 0;
	if (mode != GUARD_FILTER_OFF && c.flags && result >= 0) {
		bool has_folder = c.flags == 3; /* as its first argument */
		is_known = is_filtered(task, number, has_folder ? call_argument(regs, 2) : call_argument(regs, 1), has_folder ? call_argument(regs, 1) : call_argument(regs, 0), result);
	}
	if (is_known)
		filtered[bpf_get_smp_processor_id() & (GUARD_CPUS_MAX - 1)]++;
	if (is_known && mode == GUARD_FILTER_DROPS)
		return 0;
	struct scratch *s = begin(GUARD_KIND_CALL);
	if (!s)
		return 0;
	s->head.flags |= is_known ? GUARD_FLAG_FILTERED : 0;
	s->head.call = number;
	s->head.result = result;
	add_arguments(&s->head, regs);
	if (c.open_how)
		bpf_probe_read_user(&s->head.arguments[6], 16, (const void *)s->head.arguments[2]);
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

/* From the first program on that has the container's root. Its group may not be known yet. True: this is it. */
static __always_inline bool start_container(struct task_struct *task)
{
	__u64 group = bpf_get_current_cgroup_id();
	__u8 yes = 1;
	if (bpf_map_lookup_elem(&started, &group) || is_host_root(BPF_CORE_READ(task, fs, root.dentry)))
		return 0;
	return bpf_map_update_elem(&started, &group, &yes, BPF_NOEXIST) == 0;
}

/* is_first: no policy held for it when its exec began, so what could have been refused was not. */
static __always_inline void end_exec(struct linux_binprm *bprm, __u32 drift, struct file *file, bool is_first)
{
	struct policed p;
	if (!find_policy(&p))
		return;
	__u32 deed = deed_of_code(&p, drift);
	if (deed == GUARD_DEEDS && is_policed(&p, GUARD_DEED_SETUID) && !is_first && BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec))
		deed = GUARD_DEED_SETUID;
	if (deed != GUARD_DEEDS && (is_first || !(refused_before >> deed & 1)))
		punish(&p, deed, file);
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
	add_kernel_string(s, GUARD_STRING_NAME, BPF_CORE_READ(bprm, filename));
	add_user_bytes(s, GUARD_STRING_NAME2, BPF_CORE_READ(mm, arg_start), BPF_CORE_READ(mm, arg_end));
	add_user_bytes(s, GUARD_STRING_ENV, BPF_CORE_READ(mm, env_start), BPF_CORE_READ(mm, env_end));
	add_path(s, GUARD_STRING_CWD, BPF_CORE_READ(task, fs, pwd.mnt), BPF_CORE_READ(task, fs, pwd.dentry));
	__u32 drift = s->head.flags;
	commit(s);
	bool is_first = start_container(task);
	end_exec(bprm, drift, BPF_CORE_READ(mm, exe_file), is_first);
	return 0;
}

/* ---- processes that come and go ---- */

/* clone() with a user namespace; the parent is the one that did it, and the child dies of its first mistake at the latest. */
static __always_inline void end_fork(struct task_struct *parent, struct task_struct *child)
{
	struct policed p;
	if (BPF_CORE_READ(parent, cred, user_ns) == BPF_CORE_READ(child, cred, user_ns) || refused_before & GUARD_BIT(USER_NAMESPACE))
		return;
	if (find_policy(&p) && is_policed(&p, GUARD_DEED_USER_NAMESPACE))
		punish(&p, GUARD_DEED_USER_NAMESPACE, 0);
}

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
	end_fork(parent, child);
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

static __always_inline __u64 group_above(struct cgroup *group)
{
	struct kernfs_node *node = BPF_CORE_READ(group, kn);
	struct kernfs_node___new *new = (void *)node;
	return bpf_core_field_exists(new->__parent) ? BPF_CORE_READ(new, __parent, id) : BPF_CORE_READ(node, parent, id);
}

/* A container's own groups have its policy from their first moment. */
static __always_inline void inherit(struct cgroup *group)
{
	__u64 own = BPF_CORE_READ(group, kn, id), above = group_above(group);
	__u32 *policy = bpf_map_lookup_elem(&policy_of_group, &above);
	__u8 yes = 1;
	if (!policy || BPF_CORE_READ(group, root, hierarchy_id) != 0)
		return;
	__u32 copy = *policy;
	if (bpf_map_lookup_elem(&started, &above))
		bpf_map_update_elem(&started, &own, &yes, BPF_NOEXIST);
	bpf_map_update_elem(&policy_of_group, &own, &copy, BPF_NOEXIST);
}

static __always_inline void forget(struct cgroup *group)
{
	__u64 own = BPF_CORE_READ(group, kn, id);
	if (BPF_CORE_READ(group, root, hierarchy_id) != 0)
		return;
	bpf_map_delete_elem(&policy_of_group, &own);
	bpf_map_delete_elem(&started, &own);
}

/* Before any process is in it. */
SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_group, struct cgroup *group, const char *path)
{
	inherit(group);
	return tell_group(group, path, GUARD_KIND_GROUP);
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(on_group_end, struct cgroup *group, const char *path)
{
	forget(group);
	return tell_group(group, path, GUARD_KIND_GROUP_END);
}
