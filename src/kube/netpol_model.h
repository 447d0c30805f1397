/*
 * netpol_model.h: what the files of netpol.h share: policies of all kinds as one kind of policy, whom they select, whom their rules take, and what that
 * allows. Nobody else includes it.
 *
 *   netpol_read      objects -> workloads, namespaces, policies (checked), the places where addresses are told apart      netpol_read.c, netpol_check.c
 *   netpol_compile   -> peers; a bit per peer for every rule; classes of peers that no rule tells apart                   netpol_compile.c
 *   netpol_allowed   -> the ports of one pair, tier by tier                                                               netpol_decide.c
 */
#ifndef BH_KUBE_NETPOL_MODEL_H
#define BH_KUBE_NETPOL_MODEL_H

#include "base/map.h"
#include "kube/address_range.h"
#include "kube/ask.h"
#include "kube/ports.h"
#include "kube/workload.h"

#define NETPOL_POLICIES_MAX 20000u
#define NETPOL_CUTS_MAX 100000u
#define NETPOL_PORTS_BYTES_MAX (1u << 20)
#define NETPOL_NO_CLASS UINT32_MAX

enum netpol_direction { NETPOL_INGRESS, NETPOL_EGRESS };
#define NETPOL_DIRECTIONS 2u

/* What is at the other end. The controllers are pods somewhere, of unknown labels. */
enum netpol_peer_kind { NETPOL_WORKLOAD, NETPOL_BLOCK, NETPOL_CONTROLLER };

struct netpol_peer {
	enum netpol_peer_kind kind;
	enum netpol_direction direction;        /* of a block: whose rules see it: sources are ingress's */
	const struct kube_workload *workload;
	struct kube_address_range range;        /* of a block: no policy tells two of its addresses apart */
	struct bh_slice text;
	uint32_t index, class;
};

enum netpol_tier { NETPOL_ADMIN, NETPOL_POLICY, NETPOL_BASELINE };
enum netpol_action { NETPOL_ALLOW, NETPOL_DENY, NETPOL_PASS };

struct netpol_rule {
	enum netpol_action action;
	struct cel_value value, peers, ports;
	const uint64_t *takes;                  /* a bit per peer */
	bool by_name;                           /* ports depend on the destination */
	struct kube_ports fixed;                /* else they are these */
};

struct netpol_rules {
	struct netpol_rule *list;
	size_t n;
};

/* How a kind of policy is written. */
enum netpol_api { NETPOL_API_V1, NETPOL_API_ADMIN, NETPOL_API_CLUSTER };

struct netpol_policy {
	const struct kube_object *object;
	enum netpol_api api;
	enum netpol_tier tier;
	int64_t priority;
	struct bh_slice namespace;              /* of a NetworkPolicy */
	bool decides[NETPOL_DIRECTIONS];
	struct netpol_rules rules[NETPOL_DIRECTIONS];
	const uint64_t *subjects;               /* a bit per workload */
};

struct netpol_namespace {
	struct bh_slice name;
	const struct kube_object *object;       /* NULL: only mentioned */
	struct cel_value labels;
	uint32_t first, workloads;              /* which of the workloads are in it */
};

/* The policies of all peers of a class, in the order in which they are asked. */
struct netpol_class {
	const struct netpol_policy *const *policies;
	size_t n_policies;
	uint32_t first, members;                /* a peer of it; how many there are */
	const uint64_t *reach[NETPOL_DIRECTIONS]; /* a bit per peer that any rule allows something; NULL: not isolated, so any may be */
};

BH_VEC(netpol_peer_vec, struct netpol_peer)
BH_VEC(netpol_cut_vec, kube_address)
BH_VEC(netpol_namespace_vec, struct netpol_namespace)
BH_VEC(netpol_policy_vec, struct netpol_policy)
BH_VEC(netpol_class_vec, struct netpol_class)
BH_VEC(netpol_text_vec, struct bh_slice)

struct netpol {
	struct kube_asked *asked;
	struct bh_err *err;
	const struct kube_object_vec *all;
	struct bh_arena arena, scratch;         /* scratch: emptied by whoever begins a pair */
	struct kube_workload_vec workloads;
	struct netpol_namespace_vec namespaces; /* by name */
	struct netpol_policy_vec policies;      /* in the order in which they are asked */
	struct netpol_cut_vec cuts[NETPOL_DIRECTIONS][2]; /* by version: where a run of addresses begins */
	struct netpol_peer_vec peers;           /* workload i is peer i; then blocks; last the controller */
	uint32_t controller;
	uint32_t blocks[NETPOL_DIRECTIONS][2][2]; /* by version: the first peer that is a block of it, in the order of addresses; and the one behind the last */
	uint64_t *skipped;                      /* while a rule is compiled: blocks that an except takes out; else no bit is set */
	struct netpol_class_vec classes;
	struct bh_map texts;                    /* of ports: few differ */
	struct netpol_text_vec by_number;       /* 0: none may connect */
};

/* ---- reading ---- */

/* *n is the caller's to end with netpol_done, whatever this returned. */
int netpol_read(struct netpol *n, struct kube_asked *asked, uint8_t role, struct bh_err *err) BH_MUST_CHECK;
void netpol_done(struct netpol *n);

/* Does the policy keep to its API? BH_EMALFORMED with file and line if not. Notes where addresses are told apart. */
int netpol_check(struct netpol *n, const struct netpol_policy *p) BH_MUST_CHECK;

/* Tells addresses apart where this range begins and ends. */
int netpol_cut(struct netpol *n, enum netpol_direction d, const struct kube_address_range *range) BH_MUST_CHECK;

/* Tells apart what `other` does. */
int netpol_cut_like(struct netpol *n, const struct netpol *other) BH_MUST_CHECK;

int netpol_compile(struct netpol *n) BH_MUST_CHECK;

/* The block that holds all of the range; NULL: there is none. */
const struct netpol_peer *netpol_find_block(const struct netpol *n, enum netpol_direction d, const struct kube_address_range *range);

int netpol_no_memory(struct netpol *n);

/* ---- parts of objects ---- */

static inline bool netpol_has(struct cel_value map, const char *field)
{
	return map.kind == CEL_MAP && cel_map_field(map.map, bh_slice_str(field)) != NULL;
}

static inline uint64_t netpol_port_number(struct cel_value v)
{
	return v.kind == CEL_INT && v.integer > 0 && v.integer <= 65535 ? (uint64_t)v.integer : 0;
}

static inline bool netpol_bit(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

const struct netpol_namespace *netpol_find_namespace(const struct netpol *n, struct bh_slice name);
enum kube_protocol netpol_protocol(struct cel_value port);


/* "spec.ingress[0].from[1]" and its line: where a part of a policy stands. Line 0: nowhere. */
uint32_t netpol_place(const struct kube_object *o, struct cel_value part, const char *field, struct bh_buf *path);

/* ---- deciding ---- */

/* Who hears how it came to a decision; any may be NULL. */
struct netpol_witness {
	/* A rule of a policy that selects the pod: does it take the other end, and which ports does it decide about that nobody did before? */
	int (*rule)(void *ctx, const struct netpol_policy *p, enum netpol_direction d, size_t rule, bool taken, const struct kube_ports *decided);
	int (*policy)(void *ctx, const struct netpol_policy *p, enum netpol_direction d); /* one that selects the pod: before its rules */
	void *ctx;
};

/* What one end lets through, by the policies of its pod. Ends that are no workloads let everything through. */
int netpol_end(struct netpol *n, enum netpol_direction d, const struct netpol_peer *from, const struct netpol_peer *to, const struct netpol_witness *w,
	       struct kube_ports *ret) BH_MUST_CHECK;

/* False: policies certainly allow nothing between them. Quick, for the many pairs of which that is so. */
bool netpol_may_reach(const struct netpol *n, const struct netpol_peer *from, const struct netpol_peer *to);

/* Both ends. */
int netpol_allowed(struct netpol *n, const struct netpol_peer *from, const struct netpol_peer *to, struct kube_ports *ret) BH_MUST_CHECK;

/* The ports of a rule when the connection goes there. */
int netpol_rule_ports(struct netpol *n, const struct netpol_policy *p, const struct netpol_rule *rule, const struct netpol_peer *to,
		      struct kube_ports *ret) BH_MUST_CHECK;

/* Adds the ports of that name at a workload; protocol NULL: of any. */
int netpol_join_named(struct netpol *n, const enum kube_protocol *protocol, struct bh_slice name, const struct kube_workload *to,
		      struct kube_ports *into) BH_MUST_CHECK;
int netpol_join_range(struct netpol *n, enum kube_protocol protocol, uint64_t from, uint64_t to, struct kube_ports *into) BH_MUST_CHECK;
int netpol_join(struct netpol *n, struct kube_ports *into, const struct kube_ports *more) BH_MUST_CHECK;

/* The number of the text of the ports: equal numbers, equal ports. 0: none. */
int netpol_text_number(struct netpol *n, const struct kube_ports *ports, uint32_t *ret) BH_MUST_CHECK;

/* "ingress: denied: isolated for ingress by NetworkPolicy shop/p, no rule of which matches": why the ports are not all allowed; nothing if they are. */
int netpol_sentence(struct netpol *n, const struct netpol_peer *from, const struct netpol_peer *to, const struct kube_ports *ports, struct bh_buf *out) BH_MUST_CHECK;

/* ---- what is exposed (netpol_expose.c) ---- */

/* Something that lets the outside in: of workload i the ports exposed[i]. */
struct netpol_exposure {
	struct bh_slice source;                 /* "{ingress-controller}", "{LoadBalancer shop/front}" */
	bool from_outside;                      /* its connections come from addresses; else from a controller's pod */
	struct kube_ports *ports;               /* by workload */
};

/* NULL: there is none of that name. */
const struct kube_object *netpol_find_service(const struct netpol *n, struct bh_slice namespace, struct bh_slice name);

/* What a service's port (number or name; null: any) is at a workload that it selects. */
int netpol_service_ports(struct netpol *n, const struct kube_object *service, struct cel_value wanted, size_t workload, struct kube_ports *ret) BH_MUST_CHECK;

/* Sources without anything behind them are told too. Empties nothing of the scratch. */
int netpol_exposures(struct netpol *n, bool services, int (*each)(void *ctx, const struct netpol_exposure *e), void *ctx) BH_MUST_CHECK;

/* ---- pairs (netpol_pairs.c) ---- */

struct netpol_pair {
	const struct netpol_peer *from, *to;    /* from NULL: an exposure */
	struct bh_slice from_text, to_text, ports;
};

struct netpol_pairing {
	bool services;                          /* services that let the outside in, too */
	bool exposures_only;                    /* no pairs of peers */
	int (*each)(void *ctx, const struct netpol_pair *pair);
	void *ctx;
};

/* Every pair that may connect, in the order of their names. */
int netpol_pairs(struct netpol *n, const struct netpol_pairing *p) BH_MUST_CHECK;

#endif
