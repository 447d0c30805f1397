/*
 * filter.h: opens of paths that no rule can be about are not told. Which paths these are the agent says, when one of them was told for the first time: a table, not code, so the verifier never
 * meets a rule.
 */
#ifndef BH_AGENT_BPF_FILTER_H
#define BH_AGENT_BPF_FILTER_H

#include "agent/bpf/record.h"

#define O_CREAT 0100
#define O_TMPFILE_ALONE 020000000 /* O_TMPFILE without O_DIRECTORY */

/* Set by the agent. */
struct guard_path paths[GUARD_PATHS];
__u64 path_secrets[GUARD_PATH_WORDS + 1];
__u32 filter_mode;  /* enum guard_filter */
__u32 filter_names; /* a rule asks for names as they were written */

/* Read by the agent. */
__u64 filtered[GUARD_CPUS_MAX];

/* Did the caller write the path as it is? A link, "..", or a relative name may be what a rule is about. */
static __always_inline bool is_as_named(struct path_room *room, __u64 user)
{
	__u64 unlike = 0;
#pragma unroll
	for (__u32 i = 0; i <= GUARD_PATH_WORDS; i++)
		room->name[i] = 0;
	if (bpf_probe_read_user_str(room->name, sizeof(room->name), (const void *)user) < 0)
		return 0;
#pragma unroll
	for (__u32 i = 0; i < GUARD_PATH_WORDS; i++)
		unlike |= room->name[i] ^ room->words[i];
	return !(unlike | room->name[GUARD_PATH_WORDS]);
}

/* Is the path at its place? how: the call and its flags; user: the name that the caller wrote. A function of its own, as add_path's is. */
__noinline __u32 is_listed_path(__u64 mnt, __u64 dentry, __u64 how, __u64 user)
{
	__u64 hash = 0;
	__u32 zero = 0, is_listed = 0;
	struct path_room *room = bpf_map_lookup_elem(&path_rooms, &zero);
	if (!room)
		return 0;
	__u64 uses = room->uses;
	__u32 from = write_path(mnt, dentry, 0);
	if (from >= PATH_BYTES || PATH_BYTES - from > GUARD_PATH_WORDS * 8)
		return 0;
	__u32 n = masked(PATH_BYTES - from - 1, GUARD_PATH_WORDS * 8 - 1) + 1, start = masked(from, PATH_BYTES - 1);
	__u64 *words = room->words;
#pragma unroll
	for (__u32 i = 0; i < GUARD_PATH_WORDS; i++)
		words[i] = 0;
	if (bpf_probe_read_kernel(words, n, &room->bytes[start]) < 0)
		return 0;
	words[GUARD_PATH_WORDS] = how | (filter_names && is_as_named(room, user) ? GUARD_PATH_AS_NAMED : 0);
#pragma unroll
	for (__u32 i = 0; i <= GUARD_PATH_WORDS; i++) {
		words[i] ^= path_secrets[i];
		hash = guard_path_mix(hash, words[i]);
	}
#pragma unroll
	for (__u32 place = 0; place < GUARD_PATH_PLACES; place++) {
		const struct guard_path *p = &paths[(hash + place) & (GUARD_PATHS - 1)];
		__u64 unlike = 0;
#pragma unroll
		for (__u32 i = 0; i <= GUARD_PATH_WORDS; i++)
			unlike |= p->words[i] ^ words[i];
		is_listed |= !unlike;
	}
	/* Whoever took the CPU meanwhile has overwritten it. */
	return is_listed && room->uses == uses + 1;
}

/* What is made is always told. */
static __always_inline bool is_filtered(struct task_struct *task, __u32 call, __u32 flags, __u64 user, long fd)
{
	if (flags & (O_CREAT | O_TMPFILE_ALONE))
		return 0;
	struct file *file = file_of(task, fd);
	return file && is_listed_path((__u64)BPF_CORE_READ(file, f_path.mnt), (__u64)BPF_CORE_READ(file, f_path.dentry), (__u64)call << 32 | flags, user);
}

#endif
