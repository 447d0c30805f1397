/*
 * kernel.h: of the kernel's structures what the programs read. Offsets are those of the kernel that runs: libbpf puts them in when it loads the programs (CO-RE), so members stand here in any
 * order and without the others. Names behind ___ are other versions of a structure.
 */
#ifndef BH_AGENT_BPF_KERNEL_H
#define BH_AGENT_BPF_KERNEL_H

#include <linux/types.h>

typedef _Bool bool;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
};

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

struct inode {
	unsigned short i_mode;
	unsigned int i_nlink;
	unsigned long i_ino;
	__u32 i_rdev;
	struct super_block *i_sb;
};

struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
};

struct inode___old { /* before 6.7 */
	struct timespec64 i_mtime, i_ctime;
};

struct inode___middle { /* 6.7 to 6.10 */
	struct timespec64 __i_mtime, __i_ctime;
};

struct inode___new {
	__s64 i_mtime_sec, i_ctime_sec;
	__u32 i_mtime_nsec, i_ctime_nsec;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_mode;
	void *private_data;
};

/* What an overlay maps is the file below it, which knows the one that was opened (6.8 and later; before, its path is that one's). */
struct backing_file {
	struct path user_path;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path root, pwd;
};

struct mm_struct {
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
};

typedef struct {
	__u64 val;
} kernel_cap_t;

struct user_namespace;

struct cred {
	struct user_namespace *user_ns;
	kuid_t uid, euid;
	kgid_t gid, egid;
	kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct tty_driver {
	int major, minor_start;
};

struct tty_struct {
	int index;
	struct tty_driver *driver;
};

enum { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPES };

struct signal_struct {
	struct pid *pids[PIDTYPES];
	struct tty_struct *tty;
};

struct kernfs_node {
	__u64 id;
	struct kernfs_node *parent;
};

struct kernfs_node___new { /* since 6.15 */
	struct kernfs_node *__parent;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct cgroup_root *root;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct thread_info {
	__u32 status;
};

struct task_struct {
	struct thread_info thread_info;
	int pid, tgid;
	__u64 start_boottime;
	struct task_struct *group_leader, *real_parent;
	struct signal_struct *signal;
	const struct cred *cred;
	struct fs_struct *fs;
	struct files_struct *files;
	struct mm_struct *mm;
	struct pid *thread_pid;
	kuid_t loginuid;
	char comm[16];
	struct css_set *cgroups;
};

struct vm_area_struct {
	struct file *vm_file;
};

struct linux_binprm {
	struct file *file;
	struct cred *cred;
	unsigned int secureexec : 1;
	const char *filename, *interp;
};

struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	unsigned short skc_family;
	__u32 skc_daddr, skc_rcv_saddr;
	__u16 skc_dport, skc_num;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol, sk_type;
};

struct socket {
	short type;
	struct sock *sk;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[];
};

struct unix_sock {
	struct sock sk;
	struct path path;
	struct sock *peer;
	struct unix_address *addr;
};

struct pt_regs {
#if defined(__TARGET_ARCH_x86)
	unsigned long di, si, dx, r10, r8, r9, orig_ax, cs;
#elif defined(__TARGET_ARCH_arm64)
	unsigned long regs[31];
	unsigned long orig_x0;
	int syscallno;
	__u64 pstate;
#endif
};

#pragma clang attribute pop

#endif
