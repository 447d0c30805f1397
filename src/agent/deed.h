/*
 * deed.h: what policies refuse, and policies as the kernel programs look them up; both sides include this file. Numbers have the machine's byte order, addresses the network's.
 */
#ifndef BH_AGENT_DEED_H
#define BH_AGENT_DEED_H

#include <linux/types.h>

enum guard_deed {
#define DEED(name, ...) GUARD_DEED_##name,
#include "agent/deeds.def"
#undef DEED
	GUARD_DEEDS
};

#define GUARD_BIT(deed) (1u << GUARD_DEED_##deed)

#define GUARD_CALL_ALWAYS 0x80u  /* added to the deed of a call: whatever its arguments are; DRIFT stands for mappings, READ_ONLY for all that is about files */
#define GUARD_CALL_NO_DEED 0xffu

#define GUARD_POLICIES_MAX 256u
#define GUARD_GROUPS_MAX 16384u /* groups of containers with a policy */
#define GUARD_PORT_RULES_MAX 16u
#define GUARD_FILE_RULES_MAX 4096u
#define GUARD_PEERS_MAX 4096u
#define GUARD_POLICY_PATH_BYTES 248u /* a prefix tree's keys have at most 256 */
#define GUARD_SOCKET_NAME_BYTES 32u
#define GUARD_PROTOCOL_ANY 0u

struct guard_port_rule {
	__u16 from, to; /* both belong to it */
	__u8 protocol;  /* IPPROTO_TCP ..., GUARD_PROTOCOL_ANY */
	__u8 refuses;
};

/* The first that is about a port decides. */
struct guard_ports {
	__u8 n, otherwise_refuses;
	struct guard_port_rule rules[GUARD_PORT_RULES_MAX];
};

/* Policy 0 is that of containers that no other one is for. */
struct guard_policy {
	__u32 refused, told; /* deeds: bits by enum guard_deed; told: they only make an alert */
	__u32 kills;         /* of those refused: the process dies of it */
	__u32 kills_instead; /* the same, where it can't be refused */
	__u32 refuses_peers; /* those that no rule is about */
	__u32 pad;
	__u64 capabilities;
	struct guard_ports listen;
};

/* Longest prefix first: whole names end with a NUL, what is below a folder begins with its name and a slash. */
struct guard_file_key {
	__u32 bits; /* of what follows */
	__u32 policy;
	char path[GUARD_POLICY_PATH_BYTES];
};

enum guard_file_right {
	GUARD_FILE_READ_ONLY = 1,
	GUARD_FILE_FORBIDDEN = 2,
	GUARD_FILE_PINNED = 4, /* a folder above a protected file: it keeps its name */
};

struct guard_peer_key {
	__u32 bits; /* of what follows */
	__u32 policy;
	__u8 address[16]; /* IPv4 as ::ffff:a.b.c.d */
};

#endif
