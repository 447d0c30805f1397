/* network.h: programs of control groups: connections, messages and ports by policy, on every kernel; and for a container in quarantine every packet. */
#ifndef BH_AGENT_BPF_NETWORK_H
#define BH_AGENT_BPF_NETWORK_H

#include "agent/bpf/refuse.h"

#include <bpf/bpf_endian.h>

#define ALLOWED 1
#define REFUSED 0 /* the caller gets EPERM */
#define LOOPBACK_INDEX 1

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, GUARD_PEERS_MAX);
	__type(key, struct guard_peer_key);
	__type(value, struct guard_ports);
} peers SEC(".maps");

static __always_inline bool port_is_refused(const struct guard_ports *ports, __u16 port, __u8 protocol)
{
	for (int i = 0; i < (int)GUARD_PORT_RULES_MAX && i < ports->n; i++) {
		const struct guard_port_rule *r = &ports->rules[i];
		if (port >= r->from && port <= r->to && (r->protocol == GUARD_PROTOCOL_ANY || r->protocol == protocol))
			return r->refuses;
	}
	return ports->otherwise_refuses;
}

static __always_inline int decide(const struct policed *p, __u32 deed, struct bpf_sock_addr *ctx, const __u8 address[16], __u16 port)
{
	bool refused = is_refused(p, deed);
	struct scratch *s = begin_deed(p, deed);
	if (s) {
		struct guard_socket *to = &s->head.socket;
		s->head.flags |= GUARD_FLAG_SOCKET | (refused ? GUARD_FLAG_REFUSED : 0);
		to->family = AF_INET6; /* IPv4 as a part of it */
		to->type = ctx->type;
		to->protocol = ctx->protocol;
		if (deed == GUARD_DEED_CONNECT) {
			__builtin_memcpy(to->remote, address, 16);
			to->remote_port = port;
		} else {
			to->local_port = port;
		}
		commit(s);
	}
	return refused ? REFUSED : ALLOWED;
}

static __always_inline int check_peer(struct bpf_sock_addr *ctx, const __u32 words[4])
{
	struct policed p;
	struct guard_peer_key key = { .bits = 8 * (sizeof(key) - sizeof(key.bits)) };
	__u16 port = bpf_ntohs(ctx->user_port);
	if (!find_policy(&p) || !is_policed(&p, GUARD_DEED_CONNECT))
		return ALLOWED;
	key.policy = p.number;
	__builtin_memcpy(key.address, words, sizeof(key.address));
	struct guard_ports *ports = bpf_map_lookup_elem(&peers, &key);
	bool refused = ports ? port_is_refused(ports, port, ctx->protocol) : p.policy->refuses_peers;
	return refused ? decide(&p, GUARD_DEED_CONNECT, ctx, key.address, port) : ALLOWED;
}

static __always_inline int check_peer4(struct bpf_sock_addr *ctx)
{
	const __u32 words[4] = { 0, 0, bpf_htonl(0xffff), ctx->user_ip4 };
	return check_peer(ctx, words);
}

static __always_inline int check_peer6(struct bpf_sock_addr *ctx)
{
	const __u32 words[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };
	return check_peer(ctx, words);
}

SEC("cgroup/connect4")
int refuse_connect4(struct bpf_sock_addr *ctx)
{
	return check_peer4(ctx);
}

SEC("cgroup/connect6")
int refuse_connect6(struct bpf_sock_addr *ctx)
{
	return check_peer6(ctx);
}

SEC("cgroup/sendmsg4")
int refuse_sendmsg4(struct bpf_sock_addr *ctx)
{
	return check_peer4(ctx);
}

SEC("cgroup/sendmsg6")
int refuse_sendmsg6(struct bpf_sock_addr *ctx)
{
	return check_peer6(ctx);
}

/* Port 0 is one that the kernel chooses, for who sends. */
static __always_inline int check_port(struct bpf_sock_addr *ctx)
{
	struct policed p;
	const __u8 nowhere[16] = { 0 };
	__u16 port = bpf_ntohs(ctx->user_port);
	if (!port || !find_policy(&p) || !is_policed(&p, GUARD_DEED_LISTEN) || !port_is_refused(&p.policy->listen, port, ctx->protocol))
		return ALLOWED;
	return decide(&p, GUARD_DEED_LISTEN, ctx, nowhere, port);
}

SEC("cgroup/bind4")
int refuse_bind4(struct bpf_sock_addr *ctx)
{
	return check_port(ctx);
}

SEC("cgroup/bind6")
int refuse_bind6(struct bpf_sock_addr *ctx)
{
	return check_port(ctx);
}

/* Attached to the group of a container in quarantine only. */
SEC("cgroup_skb/egress")
int cut_egress(struct __sk_buff *packet)
{
	return packet->ifindex == LOOPBACK_INDEX;
}

SEC("cgroup_skb/ingress")
int cut_ingress(struct __sk_buff *packet)
{
	return packet->ifindex == LOOPBACK_INDEX;
}

#endif
