#include "kube/netpol.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "kube/ports.h"
#include "kube/selector.h"
#include "kube/workload.h"

#define SCRATCH_BYTES_MAX (64u << 20)
#define ARENA_BYTES_MAX (256u << 20)
#define POLICIES_MAX 20000u
#define CUTS_MAX 100000u
#define PORTS_BYTES_MAX (1u << 20)

enum direction { INGRESS, EGRESS };

/* What is at the other end. */
enum peer_kind { PEER_WORKLOAD, PEER_BLOCK, PEER_CONTROLLER /* of ingresses: a pod somewhere, with unknown labels */ };

struct peer {
	enum peer_kind kind;
	const struct kube_workload *workload;
	uint32_t from, to; /* of a block: IPv4 addresses, both in it; no policy tells two of them apart */
	struct bh_slice text;
};

struct namespace {
	struct bh_slice name;
	struct cel_value labels;
};

struct admin {
	const struct kube_object *object;
	int64_t priority;
};

/* A pair that may connect. */
struct row {
	struct bh_slice from, to, ports;
};

BH_VEC(row_vec, struct row)
BH_VEC(peer_vec, struct peer)
BH_VEC(cut_vec, uint64_t)
BH_VEC(namespace_vec, struct namespace)
BH_VEC(object_vec, const struct kube_object *)
BH_VEC(admin_vec, struct admin)

struct netpol {
	const struct kube_object_vec *all;
	struct bh_arena arena, scratch;
	struct kube_workload_vec workloads;
	struct namespace_vec namespaces;
	struct object_vec policies; /* NetworkPolicy */
	struct admin_vec admins;    /* by priority */
	const struct kube_object *baseline;
	struct cut_vec cuts[2];     /* by direction: first addresses of blocks, and those behind them */
	struct peer_vec peers;      /* workload i is peer i */
	struct peer_vec blocks[2];  /* by direction: addresses that no rule of it tells apart */
	struct bh_map texts;        /* of ports: few differ */
	struct row_vec rows;
	struct kube_asked *asked;
	struct bh_err *err;
};

static int no_memory(struct netpol *n)
{
	return bh_fail(n->err, BH_ELIMIT, 0, "the network policies need more memory than there is for them");
}

static int wrong(struct netpol *n, const struct kube_object *o, const char *why)
{
	return bh_fail(n->err, BH_EMALFORMED, 0, "%.*s:%u: %.*s %.*s: %s", BH_SLICE_FMT(o->file), o->line, BH_SLICE_FMT(o->kind), BH_SLICE_FMT(o->name), why);
}

static int say_gap(struct netpol *n, const struct kube_object *o, const char *text)
{
	return kube_say_gap(n->asked, o->file, o->line, bh_slice_str(text), n->err);
}

static size_t length(struct cel_value list)
{
	return list.kind == CEL_LIST ? list.list->len : 0;
}

static bool is_there(struct cel_value map, const char *field)
{
	return map.kind == CEL_MAP && cel_map_field(map.map, bh_slice_str(field)) != NULL;
}

/* ---- namespaces ---- */

/* Their own labels, and the one that every namespace has. */
static struct cel_value labels_of(struct netpol *n, struct bh_slice name, struct cel_value own)
{
	size_t len = own.kind == CEL_MAP ? own.map->len : 0, k = 0;
	struct cel_entry *list = bh_arena_array(&n->arena, len + 1, sizeof(*list));
	if (!list)
		return cel_null();
	for (size_t i = 0; i < len; i++)
		if (!bh_slice_eq_str(own.map->entries[i].key.text, "kubernetes.io/metadata.name"))
			list[k++] = own.map->entries[i];
	list[k++] = (struct cel_entry){ cel_string(BH_SLICE_LIT("kubernetes.io/metadata.name")), cel_string(name) };
	return cel_map_of(&n->arena, list, k);
}

static const struct namespace *find_namespace(const struct netpol *n, struct bh_slice name)
{
	for (size_t i = 0; i < n->namespaces.len; i++)
		if (bh_slice_eq(n->namespaces.ptr[i].name, name))
			return &n->namespaces.ptr[i];
	return NULL;
}

static int add_namespace(struct netpol *n, struct bh_slice name, struct cel_value own)
{
	struct namespace ns = { name, cel_null() };
	if (find_namespace(n, name))
		return 0;
	ns.labels = labels_of(n, name, own);
	return ns.labels.kind == CEL_MAP && namespace_vec_push(&n->namespaces, ns) ? 0 : no_memory(n);
}

static int find_namespaces(struct netpol *n)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n->all->len; i++)
		if (bh_slice_eq_str(n->all->ptr[i].kind, "Namespace") && n->all->ptr[i].group.len == 0)
			rc = add_namespace(n, n->all->ptr[i].name, kube_path(n->all->ptr[i].value, "metadata.labels"));
	for (size_t i = 0; rc == 0 && i < n->workloads.len; i++)
		rc = add_namespace(n, n->workloads.ptr[i].namespace, cel_null());
	return rc;
}

static bool namespace_selected(const struct netpol *n, struct cel_value selector, struct bh_slice name)
{
	const struct namespace *ns = find_namespace(n, name);
	return ns && kube_selects(selector, ns->labels);
}

/* ---- addresses ---- */

struct block {
	uint64_t from, to; /* to: behind it */
};

/* False: no IPv4 prefix. */
static bool read_block(struct cel_value cidr, struct block *ret)
{
	char text[64];
	struct in_addr address;
	struct bh_slice head, tail;
	uint64_t bits;
	if (cidr.kind != CEL_STRING || !bh_slice_cut(cidr.text, '/', &head, &tail) || head.len >= sizeof(text) || !bh_slice_u64(tail, 32, &bits))
		return false;
	if (head.len)
		memcpy(text, head.ptr, head.len);
	text[head.len] = '\0';
	if (inet_pton(AF_INET, text, &address) != 1)
		return false;
	uint64_t size = 1ull << (32 - bits);
	ret->from = ntohl(address.s_addr) & ~(size - 1);
	ret->to = ret->from + size;
	return true;
}

static int add_cut(struct netpol *n, const struct kube_object *o, enum direction d, struct cel_value cidr)
{
	struct block b;
	if (!read_block(cidr, &b))
		return cidr.kind == CEL_STRING && bh_slice_find(cidr.text, ':') < cidr.text.len ?
			       say_gap(n, o, "an IPv6 block: connections with it are not listed") :
			       wrong(n, o, "an ipBlock whose cidr is no prefix");
	return cut_vec_push(&n->cuts[d], b.from) && cut_vec_push(&n->cuts[d], b.to) ? 0 : no_memory(n);
}

static int cut_peer(struct netpol *n, const struct kube_object *o, enum direction d, struct cel_value peer)
{
	struct cel_value except = kube_path(peer, "ipBlock.except"), networks = kube_get(peer, "networks");
	int rc = is_there(peer, "ipBlock") ? add_cut(n, o, d, kube_path(peer, "ipBlock.cidr")) : 0;
	for (size_t i = 0; rc == 0 && i < length(except); i++)
		rc = add_cut(n, o, d, except.list->items[i]);
	for (size_t i = 0; rc == 0 && i < length(networks); i++)
		rc = add_cut(n, o, d, networks.list->items[i]);
	return rc;
}

static int cut_policy(struct netpol *n, const struct kube_object *o)
{
	static const char *const lists[][2] = { { "spec.ingress", "from" }, { "spec.egress", "to" } };
	int rc = 0;
	for (size_t d = 0; d < 2; d++) {
		struct cel_value rules = kube_path(o->value, lists[d][0]);
		for (size_t i = 0; rc == 0 && i < length(rules); i++) {
			struct cel_value peers = kube_get(rules.list->items[i], lists[d][1]);
			for (size_t k = 0; rc == 0 && k < length(peers); k++)
				rc = cut_peer(n, o, d == 0 ? INGRESS : EGRESS, peers.list->items[k]);
		}
	}
	return rc;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* ---- who there is ---- */

static int add_workloads(struct netpol *n)
{
	for (size_t i = 0; i < n->workloads.len; i++) {
		const struct kube_workload *w = &n->workloads.ptr[i];
		const char *text = bh_arena_printf(&n->arena, "%.*s/%.*s[%.*s]", BH_SLICE_FMT(w->namespace), BH_SLICE_FMT(w->name), BH_SLICE_FMT(w->kind));
		if (!text || !peer_vec_push(&n->peers, (struct peer){ .kind = PEER_WORKLOAD, .workload = w, .text = bh_slice_str(text) }))
			return no_memory(n);
	}
	return 0;
}

static const char *address_text(struct netpol *n, uint32_t from, uint32_t to)
{
	return bh_arena_printf(&n->arena, "%u.%u.%u.%u-%u.%u.%u.%u[External]", from >> 24, from >> 16 & 255, from >> 8 & 255, from & 255, to >> 24,
			       to >> 16 & 255, to >> 8 & 255, to & 255);
}

static int add_blocks(struct netpol *n, enum direction d)
{
	struct cut_vec *cuts = &n->cuts[d];
	if (!cut_vec_push(cuts, 0) || !cut_vec_push(cuts, 1ull << 32))
		return no_memory(n);
	qsort(cuts->ptr, cuts->len, sizeof(*cuts->ptr), by_number);
	for (size_t i = 0; i + 1 < cuts->len; i++) {
		if (cuts->ptr[i] == cuts->ptr[i + 1])
			continue;
		struct peer block = { .kind = PEER_BLOCK, .from = (uint32_t)cuts->ptr[i], .to = (uint32_t)(cuts->ptr[i + 1] - 1) };
		const char *text = address_text(n, block.from, block.to);
		block.text = bh_slice_str(text);
		if (!text || !peer_vec_push(&n->blocks[d], block))
			return no_memory(n);
	}
	return 0;
}

/* ---- what a rule takes ---- */

static bool block_holds(struct cel_value cidr, const struct peer *p)
{
	struct block b;
	return read_block(cidr, &b) && p->from >= b.from && p->to < b.to;
}

static bool ip_block_takes(struct cel_value ip_block, const struct peer *p)
{
	struct cel_value except = kube_get(ip_block, "except");
	if (p->kind != PEER_BLOCK || !block_holds(kube_get(ip_block, "cidr"), p))
		return false;
	for (size_t i = 0; i < length(except); i++)
		if (block_holds(except.list->items[i], p))
			return false;
	return true;
}

/* Pods by namespace (the policy's own, or a selector's) and by labels. Of the ingress controller nobody knows either: only selectors of all take it. */
static bool pods_taken(const struct netpol *n, const struct bh_slice *own, struct cel_value namespaces, bool has_namespaces, struct cel_value pods,
		       const struct peer *p)
{
	if (p->kind == PEER_CONTROLLER)
		return has_namespaces && kube_selector_is_empty(namespaces) && kube_selector_is_empty(pods);
	if (p->kind != PEER_WORKLOAD)
		return false;
	bool there = has_namespaces ? namespace_selected(n, namespaces, p->workload->namespace) : own && bh_slice_eq(*own, p->workload->namespace);
	return there && kube_selects(pods, p->workload->labels);
}

static bool peer_taken(const struct netpol *n, struct bh_slice own, struct cel_value peer, const struct peer *p)
{
	if (is_there(peer, "ipBlock"))
		return ip_block_takes(kube_get(peer, "ipBlock"), p);
	return pods_taken(n, &own, kube_get(peer, "namespaceSelector"), is_there(peer, "namespaceSelector"), kube_get(peer, "podSelector"), p);
}

/* No peers: everybody, the outside too. */
static bool rule_takes(const struct netpol *n, struct bh_slice own, struct cel_value peers, const struct peer *p)
{
	for (size_t i = 0; i < length(peers); i++)
		if (peer_taken(n, own, peers.list->items[i], p))
			return true;
	return length(peers) == 0;
}

static bool admin_peer_taken(const struct netpol *n, struct cel_value peer, const struct peer *p)
{
	struct cel_value networks = kube_get(peer, "networks"), pods = kube_get(peer, "pods");
	for (size_t i = 0; p->kind == PEER_BLOCK && i < length(networks); i++)
		if (block_holds(networks.list->items[i], p))
			return true;
	if (is_there(peer, "namespaces"))
		return pods_taken(n, NULL, kube_get(peer, "namespaces"), true, cel_null(), p);
	return is_there(peer, "pods") && pods_taken(n, NULL, kube_get(pods, "namespaceSelector"), true, kube_get(pods, "podSelector"), p);
}

static bool admin_rule_takes(const struct netpol *n, struct cel_value peers, const struct peer *p)
{
	for (size_t i = 0; i < length(peers); i++)
		if (admin_peer_taken(n, peers.list->items[i], p))
			return true;
	return false;
}

static bool is_subject(const struct netpol *n, const struct kube_object *o, const struct peer *p)
{
	return p->kind == PEER_WORKLOAD && admin_peer_taken(n, kube_path(o->value, "spec.subject"), p);
}

/* ---- ports ---- */

static enum kube_protocol protocol_of(struct cel_value port)
{
	struct bh_slice text = kube_text(port, "protocol");
	return bh_slice_eq_str(text, "UDP") ? KUBE_UDP : bh_slice_eq_str(text, "SCTP") ? KUBE_SCTP : KUBE_TCP;
}

static int join(struct netpol *n, struct kube_ports *into, const struct kube_ports *more)
{
	return kube_ports_join(&n->scratch, into, more, into) ? 0 : no_memory(n);
}

static int join_range(struct netpol *n, enum kube_protocol protocol, uint64_t from, uint64_t to, struct kube_ports *into)
{
	struct kube_ports more;
	return kube_ports_of(&n->scratch, protocol, from, to, &more) ? join(n, into, &more) : no_memory(n);
}

/* The ports of that name at the destination; protocol NULL: of any. */
static int join_named(struct netpol *n, const enum kube_protocol *protocol, struct bh_slice name, const struct peer *to, struct kube_ports *into)
{
	int rc = 0;
	struct cel_value containers = to->kind == PEER_WORKLOAD ? kube_get(to->workload->spec, "containers") : cel_null();
	for (size_t i = 0; rc == 0 && i < length(containers); i++) {
		struct cel_value ports = kube_get(containers.list->items[i], "ports");
		for (size_t k = 0; rc == 0 && k < length(ports); k++) {
			struct cel_value p = ports.list->items[k], number = kube_get(p, "containerPort");
			if (bh_slice_eq(kube_text(p, "name"), name) && (!protocol || protocol_of(p) == *protocol) && number.kind == CEL_INT && number.integer > 0)
				rc = join_range(n, protocol_of(p), (uint64_t)number.integer, (uint64_t)number.integer, into);
		}
	}
	return rc;
}

static uint64_t port_number(struct cel_value v)
{
	return v.kind == CEL_INT && v.integer > 0 && v.integer <= 65535 ? (uint64_t)v.integer : 0;
}

static int join_port(struct netpol *n, struct cel_value port, const struct peer *to, struct kube_ports *into)
{
	enum kube_protocol protocol = protocol_of(port);
	struct cel_value number = kube_get(port, "port"), end = kube_get(port, "endPort");
	if (number.kind == CEL_STRING)
		return join_named(n, &protocol, number.text, to, into);
	if (number.kind == CEL_NULL)
		return join_range(n, protocol, 1, 65535, into);
	return join_range(n, protocol, port_number(number), end.kind == CEL_INT ? port_number(end) : port_number(number), into);
}

static int rule_ports(struct netpol *n, struct cel_value ports, const struct peer *to, struct kube_ports *ret)
{
	int rc = 0;
	*ret = length(ports) ? kube_ports_none() : kube_ports_all();
	for (size_t i = 0; rc == 0 && i < length(ports); i++)
		rc = join_port(n, ports.list->items[i], to, ret);
	return rc;
}

static int admin_ports(struct netpol *n, struct cel_value ports, const struct peer *to, struct kube_ports *ret)
{
	int rc = 0;
	*ret = length(ports) ? kube_ports_none() : kube_ports_all();
	for (size_t i = 0; rc == 0 && i < length(ports); i++) {
		struct cel_value p = ports.list->items[i], number = kube_get(p, "portNumber"), range = kube_get(p, "portRange");
		if (number.kind == CEL_MAP)
			rc = join_range(n, protocol_of(number), port_number(kube_get(number, "port")), port_number(kube_get(number, "port")), ret);
		else if (range.kind == CEL_MAP)
			rc = join_range(n, protocol_of(range), port_number(kube_get(range, "start")), port_number(kube_get(range, "end")), ret);
		else
			rc = join_named(n, NULL, kube_text(p, "namedPort"), to, ret);
	}
	return rc;
}

/* ---- the tiers ---- */

static bool has_type(const struct kube_object *o, enum direction d)
{
	struct cel_value types = kube_path(o->value, "spec.policyTypes");
	if (length(types) == 0)
		return d == INGRESS || length(kube_path(o->value, "spec.egress")) > 0;
	for (size_t i = 0; i < length(types); i++)
		if (types.list->items[i].kind == CEL_STRING && bh_slice_eq_str(types.list->items[i].text, d == INGRESS ? "Ingress" : "Egress"))
			return true;
	return false;
}

static struct bh_slice namespace_of(const struct kube_object *o)
{
	return o->namespace.len ? o->namespace : BH_SLICE_LIT("default");
}

/* One end of a connection, as the policies of its pod see it. */
struct end {
	enum direction direction;
	const struct peer *subject, *other, *to; /* to: where the connection goes */
};

static struct cel_value rules_of(const struct kube_object *o, enum direction d)
{
	return kube_path(o->value, d == INGRESS ? "spec.ingress" : "spec.egress");
}

static struct cel_value peers_of(struct cel_value rule, enum direction d)
{
	return kube_get(rule, d == INGRESS ? "from" : "to");
}

static int policy_allows(struct netpol *n, const struct kube_object *o, const struct end *e, struct kube_ports *allowed)
{
	struct cel_value rules = rules_of(o, e->direction);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < length(rules); i++) {
		struct kube_ports ports;
		if (!rule_takes(n, namespace_of(o), peers_of(rules.list->items[i], e->direction), e->other))
			continue;
		rc = rule_ports(n, kube_get(rules.list->items[i], "ports"), e->to, &ports);
		rc = rc < 0 ? rc : join(n, allowed, &ports);
	}
	return rc;
}

/* What NetworkPolicies allow; *ret_isolated false: none selects the pod in this direction. */
static int policies_allow(struct netpol *n, const struct end *e, bool *ret_isolated, struct kube_ports *ret)
{
	int rc = 0;
	*ret_isolated = false;
	*ret = kube_ports_none();
	for (size_t i = 0; rc == 0 && i < n->policies.len; i++) {
		const struct kube_object *o = n->policies.ptr[i];
		if (!bh_slice_eq(namespace_of(o), e->subject->workload->namespace) || !has_type(o, e->direction)
		    || !kube_selects(kube_path(o->value, "spec.podSelector"), e->subject->workload->labels))
			continue;
		*ret_isolated = true;
		rc = policy_allows(n, o, e, ret);
	}
	return rc;
}

struct decided {
	struct kube_ports open;    /* nobody decided about it yet */
	struct kube_ports allowed;
	struct kube_ports passed;  /* to the next tier */
};

/* The rules of one administrator's policy, in their order: the first that takes a connection decides. */
static int decide(struct netpol *n, const struct kube_object *o, const struct end *e, struct decided *d)
{
	struct cel_value rules = rules_of(o, e->direction);
	for (size_t i = 0; i < length(rules); i++) {
		struct cel_value rule = rules.list->items[i];
		struct bh_slice action = kube_text(rule, "action");
		struct kube_ports ports, taken;
		if (!admin_rule_takes(n, peers_of(rule, e->direction), e->other))
			continue;
		int rc = admin_ports(n, kube_get(rule, "ports"), e->to, &ports);
		if (rc < 0)
			return rc;
		if (!kube_ports_both(&n->scratch, &d->open, &ports, &taken) || !kube_ports_without(&n->scratch, &d->open, &ports, &d->open))
			return no_memory(n);
		if (bh_slice_eq_str(action, "Allow"))
			rc = join(n, &d->allowed, &taken);
		else if (bh_slice_eq_str(action, "Pass"))
			rc = join(n, &d->passed, &taken);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Admin, then NetworkPolicies, then the baseline; what nobody decides about is allowed. */
static int end_allows(struct netpol *n, const struct end *e, struct kube_ports *ret)
{
	struct decided d = { kube_ports_all(), kube_ports_none(), kube_ports_none() };
	struct kube_ports rest, more;
	bool isolated;
	int rc = 0;
	if (e->subject->kind != PEER_WORKLOAD) {
		*ret = kube_ports_all();
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < n->admins.len; i++)
		if (is_subject(n, n->admins.ptr[i].object, e->subject))
			rc = decide(n, n->admins.ptr[i].object, e, &d);
	rc = rc < 0 ? rc : join(n, &d.open, &d.passed);
	rest = d.open;
	rc = rc < 0 ? rc : policies_allow(n, e, &isolated, &more);
	if (rc < 0)
		return rc;
	if (isolated) {
		if (!kube_ports_both(&n->scratch, &rest, &more, &more))
			return no_memory(n);
	} else if (n->baseline && is_subject(n, n->baseline, e->subject)) {
		struct decided b = { rest, kube_ports_none(), kube_ports_none() };
		rc = decide(n, n->baseline, e, &b);
		more = b.allowed;
		rc = rc < 0 ? rc : join(n, &more, &b.open);
	} else {
		more = rest;
	}
	*ret = d.allowed;
	return rc < 0 ? rc : join(n, ret, &more);
}

static int connection(struct netpol *n, const struct peer *from, const struct peer *to, struct kube_ports *ret)
{
	const struct end ends[] = { { EGRESS, from, to, to }, { INGRESS, to, from, to } };
	struct kube_ports out, in;
	int rc = end_allows(n, &ends[0], &out);
	rc = rc < 0 ? rc : end_allows(n, &ends[1], &in);
	if (rc < 0)
		return rc;
	return kube_ports_both(&n->scratch, &out, &in, ret) ? 0 : no_memory(n);
}

/* ---- ingresses ---- */

/* A service's port by number or name (null: all its ports), at a workload that it selects. */
static int service_ports(struct netpol *n, struct cel_value service, struct cel_value wanted, const struct peer *to, struct kube_ports *ret)
{
	struct cel_value ports = kube_path(service, "spec.ports");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < length(ports); i++) {
		struct cel_value p = ports.list->items[i], target = kube_get(p, "targetPort"), name = kube_get(p, "name"), number = kube_get(p, "port");
		enum kube_protocol protocol = protocol_of(p);
		if (wanted.kind != CEL_NULL && !cel_equal(wanted, number) && !cel_equal(wanted, name) && !cel_equal(wanted, target))
			continue;
		target = target.kind == CEL_NULL ? number : target;
		if (target.kind == CEL_STRING)
			rc = join_named(n, &protocol, target.text, to, ret);
		else
			rc = join_range(n, protocol, port_number(target), port_number(target), ret);
	}
	return rc;
}

static const struct kube_object *find_service(const struct netpol *n, struct bh_slice namespace, struct bh_slice name)
{
	for (size_t i = 0; i < n->all->len; i++) {
		const struct kube_object *o = &n->all->ptr[i];
		if (bh_slice_eq_str(o->kind, "Service") && o->group.len == 0 && bh_slice_eq(o->name, name) && bh_slice_eq(namespace_of(o), namespace))
			return o;
	}
	return NULL;
}

static int expose(struct netpol *n, const struct kube_object *by, struct bh_slice name, struct cel_value port, struct kube_ports *exposed)
{
	const struct kube_object *service = find_service(n, namespace_of(by), name);
	struct cel_value selector = service ? kube_path(service->value, "spec.selector") : cel_null();
	struct cel_entry labels = { cel_string(BH_SLICE_LIT("matchLabels")), selector };
	if (selector.kind != CEL_MAP || selector.map->len == 0)
		return 0;
	struct cel_value match = cel_map_of(&n->scratch, &labels, 1);
	int rc = match.kind == CEL_MAP ? 0 : no_memory(n);
	for (size_t i = 0; rc == 0 && i < n->workloads.len; i++) {
		const struct kube_workload *w = &n->workloads.ptr[i];
		if (bh_slice_eq(w->namespace, namespace_of(by)) && kube_selects(match, w->labels))
			rc = service_ports(n, service->value, port, &n->peers.ptr[i], &exposed[i]);
	}
	return rc;
}

/* networking.k8s.io/v1 and the versions before it name a backend differently. */
static int expose_backend(struct netpol *n, const struct kube_object *by, struct cel_value backend, struct kube_ports *exposed)
{
	struct bh_slice name = kube_text(backend, "service.name");
	struct cel_value port = kube_path(backend, "service.port.number");
	if (port.kind == CEL_NULL)
		port = kube_path(backend, "service.port.name");
	if (name.len == 0) {
		name = kube_text(backend, "serviceName");
		port = kube_get(backend, "servicePort");
	}
	return name.len ? expose(n, by, name, port, exposed) : 0;
}

static int expose_ingress(struct netpol *n, const struct kube_object *o, struct kube_ports *exposed)
{
	struct cel_value rules = kube_path(o->value, "spec.rules");
	int rc = expose_backend(n, o, kube_path(o->value, "spec.defaultBackend"), exposed);
	rc = rc < 0 ? rc : expose_backend(n, o, kube_path(o->value, "spec.backend"), exposed);
	for (size_t i = 0; rc == 0 && i < length(rules); i++) {
		struct cel_value paths = kube_path(rules.list->items[i], "http.paths");
		for (size_t k = 0; rc == 0 && k < length(paths); k++)
			rc = expose_backend(n, o, kube_get(paths.list->items[k], "backend"), exposed);
	}
	return rc;
}

static int expose_route(struct netpol *n, const struct kube_object *o, struct kube_ports *exposed)
{
	struct cel_value port = kube_path(o->value, "spec.port.targetPort"), more = kube_path(o->value, "spec.alternateBackends");
	int rc = expose(n, o, kube_text(o->value, "spec.to.name"), port, exposed);
	for (size_t i = 0; rc == 0 && i < length(more); i++)
		rc = expose(n, o, kube_text(more.list->items[i], "name"), port, exposed);
	return rc;
}

static int find_exposed(struct netpol *n, struct kube_ports *exposed, bool *ret_any)
{
	int rc = 0;
	*ret_any = false;
	for (size_t i = 0; rc == 0 && i < n->all->len; i++) {
		const struct kube_object *o = &n->all->ptr[i];
		bool is_ingress = bh_slice_eq_str(o->kind, "Ingress"), is_route = bh_slice_eq_str(o->kind, "Route");
		*ret_any |= is_ingress || is_route;
		if (is_ingress)
			rc = expose_ingress(n, o, exposed);
		else if (is_route)
			rc = expose_route(n, o, exposed);
	}
	return rc;
}

/* ---- the list ---- */

/* The text of the ports, each once. */
static int text_of(struct netpol *n, const struct kube_ports *ports, struct bh_slice *ret)
{
	struct bh_buf text;
	int rc = 0;
	bh_buf_init(&text, PORTS_BYTES_MAX);
	kube_ports_print(ports, &text);
	const struct bh_slice *known = bh_map_get(&n->texts, bh_buf_slice(&text));
	if (!known) {
		struct bh_slice *copy = BH_ARENA_NEW(&n->arena, struct bh_slice);
		void **at = copy && !text.failed && bh_arena_copy(&n->arena, bh_buf_slice(&text), copy) ? bh_map_put(&n->texts, *copy) : NULL;
		if (at)
			*at = copy;
		known = at ? copy : NULL;
	}
	bh_buf_done(&text);
	if (known)
		*ret = *known;
	else
		rc = no_memory(n);
	return rc;
}

static int add_row(struct netpol *n, struct bh_slice from, struct bh_slice to, const struct kube_ports *ports)
{
	struct row row = { .from = from, .to = to };
	if (kube_ports_are_none(ports))
		return 0;
	int rc = text_of(n, ports, &row.ports);
	return rc < 0 || row_vec_push(&n->rows, row) ? rc : no_memory(n);
}

static int add_pair(struct netpol *n, const struct peer *from, const struct peer *to)
{
	struct kube_ports ports;
	if (from == to)
		return 0;
	bh_arena_done(&n->scratch);
	int rc = connection(n, from, to, &ports);
	return rc < 0 ? rc : add_row(n, from->text, to->text, &ports);
}

static int add_exposed(struct netpol *n)
{
	struct peer controller = { .kind = PEER_CONTROLLER, .text = BH_SLICE_LIT("{ingress-controller}") };
	struct kube_ports *exposed = bh_arena_array(&n->arena, n->workloads.len + 1, sizeof(*exposed)), ports;
	bool any;
	if (!exposed)
		return no_memory(n);
	bh_arena_done(&n->scratch);
	int rc = find_exposed(n, exposed, &any);
	for (size_t i = 0; rc == 0 && any && i < n->workloads.len; i++) {
		if (kube_ports_are_none(&exposed[i]))
			continue;
		rc = connection(n, &controller, &n->peers.ptr[i], &ports);
		if (rc == 0 && !kube_ports_both(&n->scratch, &ports, &exposed[i], &ports))
			rc = no_memory(n);
		rc = rc < 0 ? rc : add_row(n, controller.text, n->peers.ptr[i].text, &ports);
	}
	return rc;
}

static int by_names(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = bh_slice_cmp(x->from, y->from);
	return c ? c : bh_slice_cmp(x->to, y->to);
}

static int say_all(struct netpol *n)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n->workloads.len; i++) {
		for (size_t k = 0; rc == 0 && k < n->workloads.len; k++)
			rc = add_pair(n, &n->peers.ptr[i], &n->peers.ptr[k]);
		for (size_t k = 0; rc == 0 && k < n->blocks[EGRESS].len; k++)
			rc = add_pair(n, &n->peers.ptr[i], &n->blocks[EGRESS].ptr[k]);
		for (size_t k = 0; rc == 0 && k < n->blocks[INGRESS].len; k++)
			rc = add_pair(n, &n->blocks[INGRESS].ptr[k], &n->peers.ptr[i]);
	}
	rc = rc < 0 ? rc : add_exposed(n);
	if (n->rows.len)
		qsort(n->rows.ptr, n->rows.len, sizeof(*n->rows.ptr), by_names);
	for (size_t i = 0; rc == 0 && i < n->rows.len; i++) {
		const struct row *row = &n->rows.ptr[i];
		rc = kube_say(n->asked, NETPOL_ROW_PAIR, (const struct bh_slice[]){ row->from, row->to, row->ports }, NETPOL_CELLS, n->err);
	}
	return rc;
}

/* ---- what the API demands ---- */

static size_t count_fields(struct cel_value map)
{
	return map.kind == CEL_MAP ? map.map->len : 0;
}

static int check_admin(struct netpol *n, const struct kube_object *o)
{
	static const enum direction directions[] = { INGRESS, EGRESS };
	if (count_fields(kube_path(o->value, "spec.subject")) != 1)
		return wrong(n, o, "exactly one field must be set in spec.subject");
	for (size_t d = 0; d < 2; d++) {
		struct cel_value rules = rules_of(o, directions[d]);
		for (size_t i = 0; i < length(rules); i++) {
			struct cel_value peers = peers_of(rules.list->items[i], directions[d]);
			if (length(peers) == 0)
				return wrong(n, o, directions[d] == INGRESS ? "a rule's from must be defined and hold at least one item" :
									     "a rule's to must be defined and hold at least one item");
			for (size_t k = 0; k < length(peers); k++)
				if (count_fields(peers.list->items[k]) != 1)
					return wrong(n, o, "exactly one field must be set in a rule's peer");
		}
	}
	return 0;
}

static int by_priority(const void *a, const void *b)
{
	const struct admin *x = a, *y = b;
	return (x->priority > y->priority) - (x->priority < y->priority);
}

static int take_admin(struct netpol *n, const struct kube_object *o)
{
	struct cel_value priority = kube_path(o->value, "spec.priority");
	if (priority.kind != CEL_INT || priority.integer < 0 || priority.integer > 1000)
		return wrong(n, o, "spec.priority must be a number from 0 to 1000");
	int rc = check_admin(n, o);
	if (rc == 0 && !admin_vec_push(&n->admins, (struct admin){ o, priority.integer }))
		rc = no_memory(n);
	return rc < 0 ? rc : cut_policy(n, o);
}

static int take_baseline(struct netpol *n, const struct kube_object *o)
{
	if (n->baseline)
		return wrong(n, o, "only one BaselineAdminNetworkPolicy may be there");
	n->baseline = o;
	int rc = check_admin(n, o);
	return rc < 0 ? rc : cut_policy(n, o);
}

static int take_policies(struct netpol *n)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n->all->len; i++) {
		const struct kube_object *o = &n->all->ptr[i];
		if (bh_slice_eq_str(o->kind, "NetworkPolicy") && kube_get(o->value, "spec").kind == CEL_MAP
		    && (bh_slice_eq_str(o->group, "networking.k8s.io") || bh_slice_eq_str(o->group, "extensions")))
			rc = object_vec_push(&n->policies, o) ? cut_policy(n, o) : no_memory(n);
		else if (bh_slice_eq_str(o->kind, "AdminNetworkPolicy"))
			rc = take_admin(n, o);
		else if (bh_slice_eq_str(o->kind, "BaselineAdminNetworkPolicy"))
			rc = take_baseline(n, o);
		else if (bh_slice_eq_str(o->kind, "ClusterNetworkPolicy"))
			rc = say_gap(n, o, "ClusterNetworkPolicy is not evaluated yet");
	}
	if (n->admins.len)
		qsort(n->admins.ptr, n->admins.len, sizeof(*n->admins.ptr), by_priority);
	for (size_t i = 1; rc == 0 && i < n->admins.len; i++)
		if (n->admins.ptr[i].priority == n->admins.ptr[i - 1].priority)
			rc = say_gap(n, n->admins.ptr[i].object, "two AdminNetworkPolicies of the same priority: which comes first is undefined");
	return rc;
}

static void done(struct netpol *n)
{
	kube_workload_vec_done(&n->workloads);
	namespace_vec_done(&n->namespaces);
	object_vec_done(&n->policies);
	admin_vec_done(&n->admins);
	for (size_t d = 0; d < 2; d++) {
		cut_vec_done(&n->cuts[d]);
		peer_vec_done(&n->blocks[d]);
	}
	peer_vec_done(&n->peers);
	row_vec_done(&n->rows);
	bh_map_done(&n->texts);
	bh_arena_done(&n->arena);
	bh_arena_done(&n->scratch);
}

int netpol_list(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	const struct kube_object_vec *all = kube_set_objects(kube_asked_set(asked, 0));
	struct netpol n = {
		.asked = asked, .all = all, .err = err,
		.workloads = { .max = KUBE_WORKLOADS_MAX }, .namespaces = { .max = KUBE_WORKLOADS_MAX }, .policies = { .max = POLICIES_MAX },
		.admins = { .max = POLICIES_MAX }, .cuts = { { .max = CUTS_MAX }, { .max = CUTS_MAX } }, .peers = { .max = KUBE_WORKLOADS_MAX },
		.blocks = { { .max = CUTS_MAX }, { .max = CUTS_MAX } }, .rows = { .max = KUBE_ASK_ROWS_MAX },
	};
	bh_arena_init(&n.arena, ARENA_BYTES_MAX);
	bh_arena_init(&n.scratch, SCRATCH_BYTES_MAX);
	bh_map_init(&n.texts, KUBE_ASK_ROWS_MAX);
	(void)ctx;
	int rc = kube_workloads(all, &n.workloads, err);
	rc = rc < 0 ? rc : find_namespaces(&n);
	rc = rc < 0 ? rc : take_policies(&n);
	rc = rc < 0 ? rc : add_workloads(&n);
	rc = rc < 0 ? rc : add_blocks(&n, INGRESS);
	rc = rc < 0 ? rc : add_blocks(&n, EGRESS);
	rc = rc < 0 ? rc : say_all(&n);
	done(&n);
	return rc;
}
