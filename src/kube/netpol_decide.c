/*
 * netpol_decide.c: what is allowed between two peers, tier by tier: administrators' rules in the order of their priority, the first that takes a port
 * decides; then NetworkPolicies, which only add to nothing; then the baseline; what nobody decides about is allowed.
 */
#include "kube/netpol_model.h"

enum kube_protocol netpol_protocol(struct cel_value port)
{
	struct bh_slice text = kube_text(port, "protocol");
	return bh_slice_eq_str(text, "UDP") ? KUBE_UDP : bh_slice_eq_str(text, "SCTP") ? KUBE_SCTP : KUBE_TCP;
}

int netpol_join(struct netpol *n, struct kube_ports *into, const struct kube_ports *more)
{
	return kube_ports_join(&n->scratch, into, more, into) ? 0 : netpol_no_memory(n);
}

int netpol_join_range(struct netpol *n, enum kube_protocol protocol, uint64_t from, uint64_t to, struct kube_ports *into)
{
	struct kube_ports more;
	return kube_ports_of(&n->scratch, protocol, from, to, &more) ? netpol_join(n, into, &more) : netpol_no_memory(n);
}

int netpol_join_named(struct netpol *n, const enum kube_protocol *protocol, struct bh_slice name, const struct kube_workload *to, struct kube_ports *into)
{
	struct cel_value containers = kube_get(to->spec, "containers");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(containers); i++) {
		struct cel_value ports = kube_get(containers.list->items[i], "ports");
		for (size_t k = 0; rc == 0 && k < kube_length(ports); k++) {
			struct cel_value p = ports.list->items[k];
			uint64_t number = netpol_port_number(kube_get(p, "containerPort"));
			if (number && bh_slice_eq(kube_text(p, "name"), name) && (!protocol || netpol_protocol(p) == *protocol))
				rc = netpol_join_range(n, netpol_protocol(p), number, number, into);
		}
	}
	return rc;
}

/* The outside has no names. */
static int join_name(struct netpol *n, const enum kube_protocol *protocol, struct bh_slice name, const struct netpol_peer *to, struct kube_ports *into)
{
	return to->kind == NETPOL_WORKLOAD ? netpol_join_named(n, protocol, name, to->workload, into) : 0;
}

static int join_port(struct netpol *n, struct cel_value port, const struct netpol_peer *to, struct kube_ports *into)
{
	enum kube_protocol protocol = netpol_protocol(port);
	struct cel_value number = kube_get(port, "port"), end = kube_get(port, "endPort");
	if (number.kind == CEL_STRING)
		return join_name(n, &protocol, number.text, to, into);
	if (number.kind == CEL_NULL)
		return netpol_join_range(n, protocol, 1, 65535, into);
	return netpol_join_range(n, protocol, netpol_port_number(number), netpol_port_number(end.kind == CEL_NULL ? number : end), into);
}

static int join_admin_port(struct netpol *n, struct cel_value port, const struct netpol_peer *to, struct kube_ports *into)
{
	struct cel_value number = kube_get(port, "portNumber"), range = kube_get(port, "portRange");
	if (number.kind == CEL_MAP)
		return netpol_join_range(n, netpol_protocol(number), netpol_port_number(kube_get(number, "port")), netpol_port_number(kube_get(number, "port")), into);
	if (range.kind == CEL_MAP)
		return netpol_join_range(n, netpol_protocol(range), netpol_port_number(kube_get(range, "start")), netpol_port_number(kube_get(range, "end")), into);
	return join_name(n, NULL, kube_text(port, "namedPort"), to, into);
}

static int join_protocol(struct netpol *n, struct cel_value port, const struct netpol_peer *to, struct kube_ports *into)
{
	static const char *const names[] = { [KUBE_TCP] = "tcp", [KUBE_UDP] = "udp", [KUBE_SCTP] = "sctp" };
	for (size_t i = 0; i < KUBE_PROTOCOLS; i++) {
		struct cel_value of = kube_get(port, names[i]), at = kube_get(of, "destinationPort"), range = kube_get(at, "range"), number = kube_get(at, "number");
		if (of.kind != CEL_MAP)
			continue;
		if (range.kind == CEL_MAP)
			return netpol_join_range(n, (enum kube_protocol)i, netpol_port_number(kube_get(range, "start")), netpol_port_number(kube_get(range, "end")), into);
		return netpol_join_range(n, (enum kube_protocol)i, netpol_port_number(number), netpol_port_number(number), into);
	}
	return join_name(n, NULL, kube_text(port, "destinationNamedPort"), to, into);
}

int netpol_rule_ports(struct netpol *n, const struct netpol_policy *p, const struct netpol_rule *rule, const struct netpol_peer *to, struct kube_ports *ret)
{
	int rc = 0;
	if (kube_length(rule->ports) == 0) {
		*ret = kube_ports_all();
		return 0;
	}
	*ret = kube_ports_none();
	for (size_t i = 0; rc == 0 && i < kube_length(rule->ports); i++) {
		struct cel_value port = rule->ports.list->items[i];
		rc = p->api == NETPOL_API_V1 ? join_port(n, port, to, ret) : p->api == NETPOL_API_ADMIN ? join_admin_port(n, port, to, ret) : join_protocol(n, port, to, ret);
	}
	return rc;
}

static int ports_of(struct netpol *n, const struct netpol_policy *p, const struct netpol_rule *rule, const struct netpol_peer *to, struct kube_ports *ret)
{
	if (rule->by_name)
		return netpol_rule_ports(n, p, rule, to, ret);
	*ret = rule->fixed;
	return 0;
}

/* ---- one end ---- */

struct end {
	struct netpol *n;
	enum netpol_direction d;
	const struct netpol_peer *other, *to;
	const struct netpol_class *class;       /* of the pod */
	const struct netpol_witness *witness;
	struct kube_ports open;                 /* nobody decided about it yet */
	struct kube_ports allowed, passed;      /* passed: to the next tier */
};

static int tell_policy(const struct end *e, const struct netpol_policy *p)
{
	return e->witness && e->witness->policy ? e->witness->policy(e->witness->ctx, p, e->d) : 0;
}

static int tell_rule(const struct end *e, const struct netpol_policy *p, size_t rule, bool taken, const struct kube_ports *decided)
{
	return e->witness && e->witness->rule ? e->witness->rule(e->witness->ctx, p, e->d, rule, taken, decided) : 0;
}

/* A rule of an administrator. */
static int decide(struct end *e, const struct netpol_policy *p, size_t i)
{
	const struct netpol_rule *rule = &p->rules[e->d].list[i];
	struct kube_ports ports, taken = kube_ports_none();
	if (!netpol_bit(rule->takes, e->other->index))
		return tell_rule(e, p, i, false, &taken);
	int rc = ports_of(e->n, p, rule, e->to, &ports);
	if (rc < 0)
		return rc;
	if (!kube_ports_both(&e->n->scratch, &e->open, &ports, &taken) || !kube_ports_without(&e->n->scratch, &e->open, &ports, &e->open))
		return netpol_no_memory(e->n);
	if (rule->action == NETPOL_ALLOW)
		rc = netpol_join(e->n, &e->allowed, &taken);
	else if (rule->action == NETPOL_PASS)
		rc = netpol_join(e->n, &e->passed, &taken);
	return rc < 0 ? rc : tell_rule(e, p, i, true, &taken);
}

/* The administrators' policies of a tier. What they pass is open again behind it. */
static int tier(struct end *e, enum netpol_tier which)
{
	int rc = 0;
	e->passed = kube_ports_none();
	for (size_t i = 0; rc == 0 && i < e->class->n_policies; i++) {
		const struct netpol_policy *p = e->class->policies[i];
		if (p->tier != which || p->rules[e->d].n == 0)
			continue;
		rc = tell_policy(e, p);
		for (size_t k = 0; rc == 0 && k < p->rules[e->d].n; k++)
			rc = decide(e, p, k);
	}
	return rc < 0 ? rc : netpol_join(e->n, &e->open, &e->passed);
}

/* A rule of a NetworkPolicy adds to what is allowed. */
static int add_rule(struct end *e, const struct netpol_policy *p, size_t i, struct kube_ports *allowed)
{
	const struct netpol_rule *rule = &p->rules[e->d].list[i];
	struct kube_ports ports = kube_ports_none();
	bool taken = netpol_bit(rule->takes, e->other->index);
	if (!taken && !e->witness)
		return 0;
	int rc = taken ? ports_of(e->n, p, rule, e->to, &ports) : 0;
	rc = rc < 0 ? rc : netpol_join(e->n, allowed, &ports);
	if (rc == 0 && e->witness && !kube_ports_both(&e->n->scratch, &e->open, &ports, &ports))
		rc = netpol_no_memory(e->n);
	return rc < 0 ? rc : tell_rule(e, p, i, taken, &ports);
}

/* The NetworkPolicies: they decide about all that is open if any selects the pod in this direction. */
static int policies(struct end *e, bool *ret_isolated)
{
	struct kube_ports more = kube_ports_none();
	int rc = 0;
	*ret_isolated = false;
	for (size_t i = 0; rc == 0 && i < e->class->n_policies; i++) {
		const struct netpol_policy *p = e->class->policies[i];
		if (p->tier != NETPOL_POLICY || !p->decides[e->d])
			continue;
		*ret_isolated = true;
		rc = tell_policy(e, p);
		for (size_t k = 0; rc == 0 && k < p->rules[e->d].n; k++)
			rc = add_rule(e, p, k, &more);
	}
	if (rc < 0 || !*ret_isolated)
		return rc;
	return kube_ports_both(&e->n->scratch, &e->open, &more, &more) ? netpol_join(e->n, &e->allowed, &more) : netpol_no_memory(e->n);
}

int netpol_end(struct netpol *n, enum netpol_direction d, const struct netpol_peer *from, const struct netpol_peer *to, const struct netpol_witness *w,
	       struct kube_ports *ret)
{
	const struct netpol_peer *subject = d == NETPOL_EGRESS ? from : to;
	struct end e = {
		.n = n, .d = d, .other = d == NETPOL_EGRESS ? to : from, .to = to, .witness = w,
		.open = kube_ports_all(), .allowed = kube_ports_none(),
	};
	bool isolated;
	if (subject->kind != NETPOL_WORKLOAD) {
		*ret = kube_ports_all();
		return 0;
	}
	e.class = &n->classes.ptr[subject->class];
	int rc = tier(&e, NETPOL_ADMIN);
	rc = rc < 0 ? rc : policies(&e, &isolated);
	if (rc == 0 && !isolated) {
		rc = tier(&e, NETPOL_BASELINE);
		rc = rc < 0 ? rc : netpol_join(n, &e.allowed, &e.open);
	}
	*ret = e.allowed;
	return rc;
}

bool netpol_may_reach(const struct netpol *n, const struct netpol_peer *from, const struct netpol_peer *to)
{
	const uint64_t *out = n->classes.ptr[from->class].reach[NETPOL_EGRESS], *in = n->classes.ptr[to->class].reach[NETPOL_INGRESS];
	return (!out || netpol_bit(out, to->index)) && (!in || netpol_bit(in, from->index));
}

int netpol_allowed(struct netpol *n, const struct netpol_peer *from, const struct netpol_peer *to, struct kube_ports *ret)
{
	struct kube_ports out, in;
	*ret = kube_ports_none();
	if (!netpol_may_reach(n, from, to))
		return 0;
	int rc = netpol_end(n, NETPOL_EGRESS, from, to, NULL, &out);
	if (rc < 0 || kube_ports_are_none(&out))
		return rc;
	rc = netpol_end(n, NETPOL_INGRESS, from, to, NULL, &in);
	if (rc < 0)
		return rc;
	return kube_ports_both(&n->scratch, &out, &in, ret) ? 0 : netpol_no_memory(n);
}

/* ---- texts ---- */

int netpol_text_number(struct netpol *n, const struct kube_ports *ports, uint32_t *ret)
{
	struct bh_buf text;
	struct bh_slice copy;
	int rc = 0;
	*ret = 0;
	if (kube_ports_are_none(ports))
		return 0;
	bh_buf_init(&text, NETPOL_PORTS_BYTES_MAX);
	kube_ports_print(ports, &text);
	void *known = bh_map_get(&n->texts, bh_buf_slice(&text));
	if (!known) {
		void **at = !text.failed && bh_arena_copy(&n->arena, bh_buf_slice(&text), &copy) ? bh_map_put(&n->texts, copy) : NULL;
		if (at && netpol_text_vec_push(&n->by_number, copy))
			known = *at = (void *)(uintptr_t)(n->by_number.len - 1);
		else
			rc = netpol_no_memory(n);
	}
	bh_buf_done(&text);
	*ret = (uint32_t)(uintptr_t)known;
	return rc;
}
