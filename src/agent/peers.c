/* peers.c: see peers.h. */
#include "agent/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define MAPPED_BITS 96u
#define PEER_KEY_BITS(bits) (8 * (uint32_t)sizeof(uint32_t) + (bits))

void agent_peer_rules_init(struct agent_peer_rules *r)
{
	*r = (struct agent_peer_rules){ .rules.max = GUARD_PEERS_MAX };
}

void agent_peer_rules_done(struct agent_peer_rules *r)
{
	agent_peer_rule_vec_done(&r->rules);
}

/* ---- texts ---- */

/* Where the clouds' metadata services are: AWS, GCP, Azure and most others; AWS by IPv6; Alibaba; Oracle; Azure's host. */
static const struct {
	const char *name, *prefixes;
} places[] = {
	{ "loopback", "127.0.0.0/8 ::1/128 0.0.0.0/32 ::/128" }, /* the last two are the machine itself, too, for who connects */
	{ "link-local", "169.254.0.0/16 fe80::/10" },
	{ "private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7" },
	{ "metadata", "169.254.169.254/32 fd00:ec2::254/128 100.100.100.200/32 192.0.0.192/32 168.63.129.16/32" },
	{ "world", "::/0" }, /* with IPv4, which is a part of it here */
	{ NULL, NULL },
};

static const char *ports_of(struct bh_slice text, struct guard_port_rule *ret)
{
	struct bh_slice first, last;
	uint64_t from, to;
	if (!bh_slice_cut(text, '-', &first, &last))
		last = first;
	if (!bh_slice_u64(first, UINT16_MAX, &from) || !bh_slice_u64(last, UINT16_MAX, &to))
		return "ports are numbers up to 65535, or FROM-TO, with tcp/ or udp/ in front of them or not";
	ret->from = (uint16_t)from;
	ret->to = (uint16_t)to;
	return from > to ? "the first port of a range is the lower one" : NULL;
}

const char *agent_ports_parse(struct bh_slice text, struct guard_port_rule *ret)
{
	struct bh_slice protocol, rest;
	*ret = (struct guard_port_rule){ .to = UINT16_MAX };
	bool has_rest = bh_slice_cut(text, '/', &protocol, &rest);
	ret->protocol = bh_slice_eq_str(protocol, "tcp") ? IPPROTO_TCP : bh_slice_eq_str(protocol, "udp") ? IPPROTO_UDP : GUARD_PROTOCOL_ANY;
	if (ret->protocol == GUARD_PROTOCOL_ANY)
		return ports_of(text, ret);
	return has_rest ? ports_of(rest, ret) : NULL;
}

static const char *prefix_of(struct bh_slice text, struct agent_peer_rule *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char own[INET6_ADDRSTRLEN] = "";
	struct bh_slice address, length;
	bool has_length = bh_slice_cut(text, '/', &address, &length);
	if (address.len >= sizeof(own))
		return "that is no address";
	memcpy(own, address.ptr, address.len);
	bool is_v4 = !strchr(own, ':');
	uint64_t bits = is_v4 ? 32 : 128;
	if (inet_pton(is_v4 ? AF_INET : AF_INET6, own, ret->address + (is_v4 ? sizeof(mapped) : 0)) != 1)
		return "an address, a prefix like 10.0.0.0/8, or one of loopback, link-local, private, metadata, world is wanted (names of hosts have addresses that change)";
	if (has_length && !bh_slice_u64(length, bits, &bits))
		return "the length of the prefix is wrong";
	if (is_v4)
		memcpy(ret->address, mapped, sizeof(mapped));
	ret->bits = (uint32_t)bits + (is_v4 ? MAPPED_BITS : 0);
	for (uint32_t i = ret->bits; i < 128; i++)
		ret->address[i / 8] &= (uint8_t)~(0x80u >> i % 8);
	return NULL;
}

const char *agent_peer_rules_add(struct agent_peer_rules *r, struct bh_slice text, bool refuses)
{
	struct bh_slice peer, ports;
	struct agent_peer_rule rule = { .ports.to = UINT16_MAX };
	const char *why = NULL;
	if (bh_slice_cut(text, ' ', &peer, &ports))
		why = agent_ports_parse(bh_slice_trim(ports), &rule.ports);
	rule.ports.refuses = refuses;
	size_t place = 0;
	while (places[place].name && !bh_slice_eq_str(peer, places[place].name))
		place++;
	struct bh_slice rest = places[place].name ? bh_slice_str(places[place].prefixes) : peer, one;
	while (!why && rest.len) {
		(void)bh_slice_cut(rest, ' ', &one, &rest);
		memset(rule.address, 0, sizeof(rule.address));
		why = prefix_of(one, &rule);
		if (!why && !agent_peer_rule_vec_push(&r->rules, rule))
			why = "there are too many addresses";
	}
	return why;
}

/* ---- the table ---- */

static bool holds(const struct agent_peer_rule *outer, const struct agent_peer_rule *inner)
{
	uint32_t bytes = outer->bits / 8, rest = outer->bits % 8;
	if (outer->bits > inner->bits || memcmp(outer->address, inner->address, bytes) != 0)
		return false;
	return rest == 0 || (outer->address[bytes] ^ inner->address[bytes]) >> (8 - rest) == 0;
}

static bool is_first_of_its_prefix(const struct agent_peer_rules *r, size_t at)
{
	const struct agent_peer_rule *own = &r->rules.ptr[at];
	for (size_t i = 0; i < at; i++)
		if (r->rules.ptr[i].bits == own->bits && memcmp(r->rules.ptr[i].address, own->address, sizeof(own->address)) == 0)
			return false;
	return true;
}

const char *agent_peer_rules_flatten(const struct agent_peer_rules *r, uint32_t policy, bool otherwise_refuses, struct agent_policy_peer_vec *to)
{
	for (size_t i = 0; i < r->rules.len; i++) {
		const struct agent_peer_rule *own = &r->rules.ptr[i];
		struct agent_policy_peer peer = { .key = { .bits = PEER_KEY_BITS(own->bits), .policy = policy }, .ports.otherwise_refuses = otherwise_refuses };
		if (!is_first_of_its_prefix(r, i))
			continue;
		memcpy(peer.key.address, own->address, sizeof(own->address));
		for (size_t k = 0; k < r->rules.len; k++) {
			if (!holds(&r->rules.ptr[k], own))
				continue;
			if (peer.ports.n == GUARD_PORT_RULES_MAX)
				return "more than 16 rules are about the same address";
			peer.ports.rules[peer.ports.n++] = r->rules.ptr[k].ports;
		}
		if (!agent_policy_peer_vec_push(to, peer))
			return "there are too many addresses";
	}
	return NULL;
}
