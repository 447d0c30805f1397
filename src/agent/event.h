/*
 * event.h: the records that the kernel programs write and the agent reads; both sides include this file.
 *
 *   offset
 *        0  struct guard_record
 *      ...  the strings, without ends: string_bytes[i] bytes, string_at[i] behind the structure
 *
 * Numbers have the machine's byte order. Times are nanoseconds since boot (CLOCK_BOOTTIME).
 */
#ifndef BH_AGENT_EVENT_H
#define BH_AGENT_EVENT_H

#include <linux/types.h>

#define GUARD_CALL_NUMBERS 512u /* numbers of system calls that are told apart */
#define GUARD_ARGUMENTS 8u /* a power of two; the last two are openat2's flags and mode */
#define GUARD_STRINGS 6u
#define GUARD_STRING_BYTES_MAX 4096u
#define GUARD_STRINGS_BYTES 16384u /* a power of two; a record's strings are cut off that begin behind it */
#define GUARD_RING_BYTES (8u << 20) /* 4 million events a second for 25 ms (the reference's section 8) */
#define GUARD_CPUS_MAX 1024u
#define GUARD_PATHS 16384u    /* paths that no rule can be about; a power of two; a map of 4 MiB is the most that Linux 5.10 takes */
#define GUARD_PATH_WORDS 16u  /* of them, 8 bytes each; longer ones are always told */
#define GUARD_PATH_PLACES 2u  /* where one may stand: at its number, and behind it */

enum guard_kind { GUARD_KIND_CALL, GUARD_KIND_EXEC, GUARD_KIND_FORK, GUARD_KIND_EXIT, GUARD_KIND_GROUP, GUARD_KIND_GROUP_END, GUARD_KIND_DEED, GUARD_KINDS };

/* Which string is what. */
enum guard_string {
	GUARD_STRING_COMM,
	GUARD_STRING_PATH,  /* CALL, DEED: of the file, as the kernel has it; EXEC: of the executable; GROUP: of the control group */
	GUARD_STRING_NAME,  /* CALL: the first path as the caller wrote it; EXEC: what was asked for, which may be a script */
	GUARD_STRING_NAME2, /* CALL: the second one; EXEC: the arguments, each with its end */
	GUARD_STRING_ENV,   /* EXEC: the environment, in the same way */
	GUARD_STRING_CWD,  /* EXEC: the current folder; CALL: the folder that a relative name starts from */
};

/* What is read in the kernel when a call ends. */
enum guard_how {
	GUARD_HOW_NONE,   /* the call is not looked at */
	GUARD_HOW_PLAIN,  /* its arguments */
	GUARD_HOW_RESULT, /* and the file that it returned */
	GUARD_HOW_FILE,   /* and the file or socket of its first argument */
	GUARD_HOW_SEND,   /* the same, if the call names an address */
};

/* What the kernel is told of a call; numbers of arguments from 1, 0: there is none. */
struct guard_call_facts {
	__u8 how, name, name2, address;
	__u8 folder;            /* the descriptor that a relative name starts from */
	__u8 address_in_header; /* the address is the first member of what the argument points to */
	__u8 open_how;          /* the third argument points to a struct open_how */
	__u8 flags;             /* of an open whose path may be one that no rule can be about */
};

#define GUARD_PATH_AS_NAMED (1ull << 63) /* with a path's call: the caller wrote it just so */

enum guard_filter { GUARD_FILTER_OFF, GUARD_FILTER_DROPS, GUARD_FILTER_MARKS };

/*
 * A path that was opened, with the call and its flags behind it, which no rule can be about, whoever opened it. The words are padded with zeros and mixed with secret ones, so that neither a
 * place that is not used nor one that is just being written is ever like a path. A place is written once.
 */
struct guard_path {
	__u64 words[GUARD_PATH_WORDS + 1];
};

/* The number of its place: 0, mixed with each of its words, below GUARD_PATHS then. */
static inline __attribute__((always_inline)) __u64 guard_path_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

enum guard_flag {
	GUARD_FLAG_UPPER = 1 << 0,     /* the executable lies in the writable layer of its container */
	GUARD_FLAG_MEMORY = 1 << 1,    /* it is a file in memory, of memfd_create */
	GUARD_FLAG_DELETED = 1 << 2,   /* it has no name any more */
	GUARD_FLAG_TRUNCATED = 1 << 3, /* a string was longer than GUARD_STRING_BYTES_MAX, or had no room */
	GUARD_FLAG_KILLED = 1 << 4,    /* the process was killed for it */
	GUARD_FLAG_ADDRESS = 1 << 5,   /* sockets: the remote side is what the caller named, as the socket has none */
	GUARD_FLAG_CREATED = 1 << 6,   /* files: the call made it */
	GUARD_FLAG_SOCKET = 1 << 7,
	GUARD_FLAG_CONTAINED = 1 << 8, /* the process has an overlay for a root that is not the host's */
	GUARD_FLAG_VOLUME = 1 << 10,   /* the executable lies on another file system than the process's root */
	GUARD_FLAG_OTHER_ROOT = 1 << 11, /* the process has neither that for a root nor the host's */
	GUARD_FLAG_REFUSED = 1 << 9,   /* DEED: it did not happen */
	GUARD_FLAG_FILTERED = 1 << 12, /* GUARD_FILTER_MARKS: it would not have been told */
};

/* Ports in the machine's byte order; an IPv4 address takes the first four bytes. */
struct guard_socket {
	__u16 family, type, protocol, local_port, remote_port, pad;
	__u8 local[16], remote[16];
};

struct guard_record {
	__u32 bytes; /* of the record with its strings */
	__u16 kind, call; /* call: of the system call; DEED: enum guard_deed, and then the arguments are the number of the policy and that of a capability */
	__u64 time_ns;
	__u64 cgroup;
	__u64 start_ns; /* of the process */
	__u64 arguments[GUARD_ARGUMENTS];
	__s64 result;
	__u64 inheritable, permitted, effective; /* capabilities */
	__u64 inode, changed_ns, modified_ns;    /* EXEC: of the executable */
	__u32 cpu, flags, mode;                  /* mode: st_mode of the file */
	__u32 pid, tid, parent_pid, vpid, vtid, pgid, vpgid, sid;
	__u32 uid, gid, loginuid, tty;
	__u64 parent_start_ns;
	struct guard_socket socket;
	__u16 string_bytes[GUARD_STRINGS], string_at[GUARD_STRINGS];
};

_Static_assert(sizeof(struct guard_record) % 8 == 0, "records are aligned");
_Static_assert(__builtin_offsetof(struct guard_record, arguments) == 32, "wire layout");

#endif
