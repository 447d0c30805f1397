/*
 * netpol_check.c: what the APIs demand of policies, so that a document that no API server would take is refused instead of being read somehow; and the
 * addresses that rules name.
 */
#include "kube/netpol_model.h"

#define CLUSTER_RULES_MAX 25u
#define ADMIN_RULES_MAX 100u
#define CLUSTER_PEERS_MAX 25u
#define PRIORITY_MAX 1000
#define PATH_BYTES_MAX 4096u

/* Where an item of a List stands is the List's affair: "items[3].spec.ingress[0]" is spec.ingress[0] of the policy. */
static struct bh_slice without_list(struct bh_slice path)
{
	size_t dot = bh_slice_find(path, '.');
	return bh_slice_starts(path, BH_SLICE_LIT("items[")) && dot < path.len ? bh_slice_sub(path, dot + 1, path.len) : path;
}

uint32_t netpol_place(const struct kube_object *o, struct cel_value part, const char *field, struct bh_buf *path)
{
	const void *at = part.kind == CEL_MAP ? (const void *)part.map : part.kind == CEL_LIST ? (const void *)part.list : NULL;
	struct bh_buf text;
	if (!at || !o->tree)
		return 0;
	bh_buf_init(&text, PATH_BYTES_MAX);
	uint32_t line = kube_tree_find(o->tree, at, bh_slice_str(field), &text);
	if (path)
		bh_buf_add(path, without_list(bh_buf_slice(&text)));
	bh_buf_done(&text);
	return line;
}

/* The policy, the rule and what is checked in them. */
struct checked {
	struct netpol *n;
	const struct netpol_policy *p;
	enum netpol_direction d;
};

/* part: the map or list that is wrong; null: the policy as a whole. */
static int wrong(const struct checked *c, struct cel_value part, const char *why)
{
	const struct kube_object *o = c->p->object;
	struct bh_buf path;
	bh_buf_init(&path, PATH_BYTES_MAX);
	uint32_t line = netpol_place(o, part, NULL, &path);
	int rc = bh_fail(c->n->err, BH_EMALFORMED, 0, "%.*s:%u: %.*s %.*s: %.*s%s%s", BH_SLICE_FMT(o->file), line ? line : o->line, BH_SLICE_FMT(o->kind),
			 BH_SLICE_FMT(o->name), BH_SLICE_FMT(bh_buf_slice(&path)), path.len ? ": " : "", why);
	bh_buf_done(&path);
	return rc;
}

static size_t count_fields(struct cel_value map)
{
	return map.kind == CEL_MAP ? map.map->len : 0;
}

/* ---- addresses ---- */

static int add_cut(struct netpol *n, enum netpol_direction d, bool is_v6, kube_address at)
{
	return netpol_cut_vec_push(&n->cuts[d][is_v6], at) ? 0 :
		bh_fail(n->err, BH_ELIMIT, 0, "policies and flows name more than %u blocks of addresses", NETPOL_CUTS_MAX / 2);
}

int netpol_cut(struct netpol *n, enum netpol_direction d, const struct kube_address_range *range)
{
	int rc = add_cut(n, d, range->is_v6, range->from);
	return rc < 0 || range->to == kube_addresses_all(range->is_v6).to ? rc : add_cut(n, d, range->is_v6, range->to + 1);
}

int netpol_cut_like(struct netpol *n, const struct netpol *other)
{
	int rc = 0;
	for (size_t d = 0; d < NETPOL_DIRECTIONS; d++)
		for (size_t v = 0; v < 2; v++)
			for (size_t i = 0; rc == 0 && i < other->cuts[d][v].len; i++)
				rc = add_cut(n, (enum netpol_direction)d, v == 1, other->cuts[d][v].ptr[i]);
	return rc;
}

static int check_prefix(const struct checked *c, struct cel_value part, struct cel_value cidr, const char *why, struct kube_address_range *ret)
{
	if (cidr.kind != CEL_STRING || !kube_prefix_read(cidr.text, ret))
		return wrong(c, part, why);
	return netpol_cut(c->n, c->d, ret);
}

static int check_block(const struct checked *c, struct cel_value block)
{
	struct cel_value except = kube_get(block, "except");
	struct kube_address_range whole, out;
	int rc = check_prefix(c, block, kube_get(block, "cidr"), "an ipBlock whose cidr is no prefix", &whole);
	for (size_t i = 0; rc == 0 && i < kube_length(except); i++) {
		rc = check_prefix(c, block, except.list->items[i], "an ipBlock whose except has what is no prefix", &out);
		if (rc == 0 && (!kube_addresses_hold(&whole, &out) || kube_addresses_hold(&out, &whole)))
			rc = wrong(c, block, "an ipBlock whose except is not inside its cidr");
	}
	return rc;
}

/* ---- NetworkPolicy ---- */

static bool is_protocol(struct cel_value protocol)
{
	static const char *const known[] = { "TCP", "UDP", "SCTP", NULL };
	return protocol.kind == CEL_NULL || (protocol.kind == CEL_STRING && bh_slice_is_one_of(protocol.text, known));
}

static int check_port(const struct checked *c, struct cel_value port)
{
	struct cel_value number = kube_get(port, "port"), end = kube_get(port, "endPort");
	if (!is_protocol(kube_get(port, "protocol")))
		return wrong(c, port, "a port whose protocol is none of TCP, UDP and SCTP");
	if (number.kind != CEL_NULL && number.kind != CEL_STRING && !netpol_port_number(number))
		return wrong(c, port, "a port that is no number from 1 to 65535 and no name");
	if (end.kind == CEL_NULL)
		return 0;
	if (!netpol_port_number(number))
		return wrong(c, port, "endPort needs a port that is a number");
	return netpol_port_number(end) >= netpol_port_number(number) ? 0 : wrong(c, port, "an endPort that is less than port, or no port");
}

static int check_peer(const struct checked *c, struct cel_value peer)
{
	bool selects = netpol_has(peer, "podSelector") || netpol_has(peer, "namespaceSelector");
	if (!netpol_has(peer, "ipBlock"))
		return selects ? 0 : wrong(c, peer, "a peer without podSelector, namespaceSelector and ipBlock");
	return selects ? wrong(c, peer, "a peer with both ipBlock and a selector") : check_block(c, kube_get(peer, "ipBlock"));
}

static int check_rule(const struct checked *c, const struct netpol_rule *rule)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(rule->peers); i++)
		rc = check_peer(c, rule->peers.list->items[i]);
	for (size_t i = 0; rc == 0 && i < kube_length(rule->ports); i++)
		rc = check_port(c, rule->ports.list->items[i]);
	return rc;
}

static int check_types(const struct checked *c)
{
	static const char *const known[] = { "Ingress", "Egress", NULL };
	struct cel_value types = kube_path(c->p->object->value, "spec.policyTypes");
	for (size_t i = 0; i < kube_length(types); i++)
		if (types.list->items[i].kind != CEL_STRING || !bh_slice_is_one_of(types.list->items[i].text, known))
			return wrong(c, types, "a policy type that is neither Ingress nor Egress");
	return 0;
}

/* ---- the administrators' policies ---- */

static int check_domains(const struct checked *c, const struct netpol_rule *rule, struct cel_value peer)
{
	const struct kube_object *o = c->p->object;
	if (!netpol_has(peer, "domainNames"))
		return 0;
	if (rule->action != NETPOL_ALLOW)
		return wrong(c, peer, "domainNames in a rule that does not accept");
	return kube_say_gap(c->n->asked, o->file, netpol_place(o, peer, NULL, NULL), BH_SLICE_LIT("domain names: nobody knows their addresses here, so what the rule allows is not in the answer"),
			    c->n->err);
}

static int check_unknown(const struct checked *c, struct cel_value peer)
{
	static const char *const known[] = { "namespaces", "pods", "nodes", "networks", "domainNames", NULL };
	const struct kube_object *o = c->p->object;
	if (bh_slice_is_one_of(peer.map->entries[0].key.text, known))
		return 0;
	return kube_say_gap(c->n->asked, o->file, netpol_place(o, peer, NULL, NULL),
			    BH_SLICE_LIT("a peer with an unknown field: the rule allows nothing by it, and denies everything if it denies or passes"), c->n->err);
}

static int check_admin_peer(const struct checked *c, const struct netpol_rule *rule, struct cel_value peer)
{
	struct cel_value networks = kube_get(peer, "networks");
	struct kube_address_range range;
	if (count_fields(peer) != 1)
		return wrong(c, peer, "exactly one field must be set in a rule's peer");
	int rc = check_unknown(c, peer);
	rc = rc < 0 ? rc : check_domains(c, rule, peer);
	for (size_t i = 0; rc == 0 && i < kube_length(networks); i++)
		rc = check_prefix(c, peer, networks.list->items[i], "networks with what is no prefix", &range);
	return rc;
}

static int check_range(const struct checked *c, struct cel_value range, bool may_be_one)
{
	uint64_t from = netpol_port_number(kube_get(range, "start")), to = netpol_port_number(kube_get(range, "end"));
	return from && to && (from < to || (may_be_one && from == to)) ? 0 : wrong(c, range, "a range of ports whose start is not less than its end");
}

static int check_admin_port(const struct checked *c, struct cel_value port)
{
	struct cel_value number = kube_get(port, "portNumber"), range = kube_get(port, "portRange");
	if (count_fields(port) != 1)
		return wrong(c, port, "exactly one field must be set in a rule's port");
	if (!is_protocol(kube_get(number, "protocol")) || !is_protocol(kube_get(range, "protocol")))
		return wrong(c, port, "a port whose protocol is none of TCP, UDP and SCTP");
	if (number.kind == CEL_MAP && !netpol_port_number(kube_get(number, "port")))
		return wrong(c, port, "a port that is no number from 1 to 65535");
	return range.kind == CEL_MAP ? check_range(c, range, true) : 0;
}

static int check_protocol(const struct checked *c, struct cel_value protocol)
{
	static const char *const known[] = { "tcp", "udp", "sctp", "destinationNamedPort", NULL };
	if (count_fields(protocol) != 1 || !bh_slice_is_one_of(protocol.map->entries[0].key.text, known))
		return wrong(c, protocol, "exactly one of tcp, udp, sctp and destinationNamedPort must be set");
	if (netpol_has(protocol, "destinationNamedPort"))
		return 0;
	struct cel_value port = kube_get(protocol.map->entries[0].value, "destinationPort"), range = kube_get(port, "range");
	if (count_fields(port) != 1)
		return wrong(c, protocol, "exactly one of number and range must be set in destinationPort");
	if (range.kind == CEL_MAP)
		return check_range(c, range, false);
	return netpol_port_number(kube_get(port, "number")) ? 0 : wrong(c, protocol, "a port that is no number from 1 to 65535");
}

/* What is outside the cluster has no named ports. */
static int check_names(const struct checked *c, const struct netpol_rule *rule)
{
	bool outside = false, named = false;
	for (size_t i = 0; i < kube_length(rule->peers); i++) {
		struct cel_value peer = rule->peers.list->items[i];
		outside |= netpol_has(peer, "networks") || netpol_has(peer, "nodes") || netpol_has(peer, "domainNames");
	}
	for (size_t i = 0; i < kube_length(rule->ports); i++)
		named |= netpol_has(rule->ports.list->items[i], "destinationNamedPort");
	return outside && named ? wrong(c, rule->value, "networks, nodes and domainNames have no named ports") : 0;
}

static int check_action(const struct checked *c, const struct netpol_rule *rule)
{
	static const char *const cluster[] = { "Accept", "Deny", "Pass", NULL }, *const admin[] = { "Allow", "Deny", "Pass", NULL },
				 *const baseline[] = { "Allow", "Deny", NULL };
	bool is_cluster = c->p->api == NETPOL_API_CLUSTER;
	const char *const *known = is_cluster ? cluster : c->p->tier == NETPOL_BASELINE ? baseline : admin;
	if (bh_slice_is_one_of(kube_text(rule->value, "action"), known))
		return 0;
	return wrong(c, rule->value, is_cluster ? "an action that is none of Accept, Deny and Pass" : "an action that is none of Allow, Deny and (not in the baseline) Pass");
}

static int check_admin_rule(const struct checked *c, const struct netpol_rule *rule)
{
	bool is_cluster = c->p->api == NETPOL_API_CLUSTER;
	if (kube_length(rule->peers) == 0)
		return wrong(c, rule->value, c->d == NETPOL_INGRESS ? "a rule's from must be defined and hold at least one item" :
								      "a rule's to must be defined and hold at least one item");
	if (is_cluster && (kube_length(rule->peers) > CLUSTER_PEERS_MAX || kube_length(rule->ports) > CLUSTER_PEERS_MAX))
		return wrong(c, rule->value, "a rule with more than 25 peers or protocols");
	int rc = check_action(c, rule);
	for (size_t i = 0; rc == 0 && i < kube_length(rule->peers); i++)
		rc = check_admin_peer(c, rule, rule->peers.list->items[i]);
	for (size_t i = 0; rc == 0 && i < kube_length(rule->ports); i++)
		rc = is_cluster ? check_protocol(c, rule->ports.list->items[i]) : check_admin_port(c, rule->ports.list->items[i]);
	return rc < 0 || !is_cluster ? rc : check_names(c, rule);
}

static int check_head(const struct checked *c)
{
	static const char *const tiers[] = { "Admin", "Baseline", NULL };
	struct cel_value spec = kube_get(c->p->object->value, "spec");
	bool is_cluster = c->p->api == NETPOL_API_CLUSTER;
	if (is_cluster && !bh_slice_is_one_of(kube_text(spec, "tier"), tiers))
		return wrong(c, spec, "spec.tier must be Admin or Baseline");
	if ((is_cluster || c->p->tier == NETPOL_ADMIN) && (c->p->priority < 0 || c->p->priority > PRIORITY_MAX))
		return wrong(c, cel_null(), "spec.priority must be a number from 0 to 1000");
	if (count_fields(kube_get(spec, "subject")) != 1)
		return wrong(c, cel_null(), "exactly one field must be set in spec.subject");
	for (size_t d = 0; d < NETPOL_DIRECTIONS; d++)
		if (c->p->rules[d].n > (is_cluster ? CLUSTER_RULES_MAX : ADMIN_RULES_MAX))
			return wrong(c, spec, is_cluster ? "more than 25 rules of one direction" : "more than 100 rules of one direction");
	return 0;
}

int netpol_check(struct netpol *n, const struct netpol_policy *p)
{
	struct checked c = { n, p, NETPOL_INGRESS };
	int rc = p->api == NETPOL_API_V1 ? check_types(&c) : check_head(&c);
	for (size_t d = 0; d < NETPOL_DIRECTIONS; d++) {
		c.d = (enum netpol_direction)d;
		for (size_t i = 0; rc == 0 && i < p->rules[d].n; i++)
			rc = p->api == NETPOL_API_V1 ? check_rule(&c, &p->rules[d].list[i]) : check_admin_rule(&c, &p->rules[d].list[i]);
	}
	return rc;
}
