/* peers.h: addresses and ports of policies: "10.0.0.0/8 tcp/443", "metadata", "world udp", as a table in which the longest prefix says all. */
#ifndef BH_AGENT_PEERS_H
#define BH_AGENT_PEERS_H

#include "agent/policy.h"

struct agent_peer_rule {
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint32_t bits;
	struct guard_port_rule ports;
};

BH_VEC(agent_peer_rule_vec, struct agent_peer_rule)

struct agent_peer_rules {
	struct agent_peer_rule_vec rules;
};

void agent_peer_rules_init(struct agent_peer_rules *r);
void agent_peer_rules_done(struct agent_peer_rules *r);

/* PEER [PORTS]. PEER: an address or prefix, or loopback, link-local, private, metadata, world. NULL, or what is wrong with it. */
const char *agent_peer_rules_add(struct agent_peer_rules *r, struct bh_slice text, bool refuses);

/* PORT, FROM-TO, tcp, udp, tcp/PORT, udp/FROM-TO. NULL, or what is wrong with it. */
const char *agent_ports_parse(struct bh_slice text, struct guard_port_rule *ret);

/* The first rule of the list that is about an address and a port decides. NULL, or why it can't be. */
const char *agent_peer_rules_flatten(const struct agent_peer_rules *r, uint32_t policy, bool otherwise_refuses, struct agent_policy_peer_vec *to);

#endif
