#include "kube/netpol_lint.h"

#include "kube/cells.h"
#include "kube/netpol_print.h"

#define COMPARED_MAX 50000000u /* pairs of rules, when looking for those that others cover */
#define NAMES_BYTES_MAX 200u

/* What is said, and what to do about it. */
struct check {
	const char *severity, *id, *fix;
};

static const struct check
	selects_nothing = { "medium", "netpol-selects-nothing", "Correct the selector, or remove the policy: it protects nobody." },
	takes_nobody = { "low", "netpol-peer-nobody", "Correct the selectors of the rule, or remove it." },
	empty_rule = { "high", "netpol-empty-rule", "Name who may connect and on which port. To allow nothing leave the list empty: `ingress: []`." },
	world_in = { "high", "netpol-world", "Name the sources: selectors, or blocks of the addresses that need it." },
	world_out = { "medium", "netpol-world", "Name the destinations: selectors, or blocks of the addresses that are needed." },
	no_such_name = { "medium", "netpol-port-name", "Give the port its number, or a container's port this name and protocol." },
	nobody_listens = { "low", "netpol-port-unused", "Correct the number, or declare the port with the container." },
	covered = { "low", "netpol-redundant", "Remove the rule, or narrow the one that covers it." },
	shadowed = { "medium", "netpol-shadowed", "Move the rule before the ones that decide first, or remove it." },
	tied = { "medium", "netpol-priority-tied", "Give each policy of a tier a priority of its own." },
	types_ignore = { "high", "netpol-rules-ignored", "Name the direction in policyTypes, or remove its rules." },
	selectors_apart = { "medium", "netpol-selectors-apart", "If both shall hold, write them in one element: no `-` before the second." },
	no_dns = { "medium", "netpol-no-dns", "Allow egress to the cluster's DNS: UDP and TCP 53." },
	on_host = { "medium", "netpol-host-network", "Don't use the node's network, or protect the node itself." },
	open_in = { "medium", "netpol-no-default-deny", "Add a NetworkPolicy with podSelector: {} and policyTypes: [Ingress]." },
	open_out = { "low", "netpol-no-default-deny", "Add a NetworkPolicy with podSelector: {} and policyTypes: [Egress], and what egress is needed." };

struct linting {
	struct netpol *n;
	struct kube_cells cells;
	uint64_t compared;
};

static const char *const direction_names[] = { [NETPOL_INGRESS] = "ingress", [NETPOL_EGRESS] = "egress" };

/* The message is in its cell already; part: where in the object. */
static int say(struct linting *l, const struct check *check, const struct kube_object *o, struct cel_value part, const char *field)
{
	struct bh_buf *c = l->cells.text;
	bh_buf_add_str(&c[NETPOL_LINT_SEVERITY], check->severity);
	bh_buf_add_str(&c[NETPOL_LINT_ID], check->id);
	if (o) {
		uint32_t line = netpol_place(o, part, field, &c[NETPOL_LINT_PATH]);
		bh_buf_add(&c[NETPOL_LINT_FILE], o->file);
		bh_buf_printf(&c[NETPOL_LINT_LINE], "%u", line && o->line ? line : o->line);
	}
	bh_buf_add_str(&c[NETPOL_LINT_FIX], check->fix);
	return kube_cells_say(l->n->asked, &l->cells, NETPOL_ROW_LINT, NETPOL_LINT_CELLS, l->n->err);
}

static int say_policy(struct linting *l, const struct check *check, const struct netpol_policy *p, struct cel_value part, const char *message)
{
	netpol_print_policy(p, &l->cells.text[NETPOL_LINT_OBJECT]);
	bh_buf_add_str(&l->cells.text[NETPOL_LINT_MESSAGE], message);
	return say(l, check, p->object, part, NULL);
}

/* ---- bits ---- */

static bool is_empty(const uint64_t *bits, size_t n)
{
	for (size_t i = 0; i <= n / 64; i++)
		if (bits[i])
			return false;
	return true;
}

static bool is_subset(const uint64_t *of, const uint64_t *all, size_t n)
{
	for (size_t i = 0; i <= n / 64; i++)
		if (of[i] & ~all[i])
			return false;
	return true;
}

/* ---- a rule by itself ---- */

static bool is_world(struct cel_value block)
{
	struct kube_address_range range;
	struct bh_slice cidr = kube_text(block, "cidr");
	if (kube_length(kube_get(block, "except")) || !kube_prefix_read(cidr, &range))
		return false;
	const struct kube_address_range all = kube_addresses_all(range.is_v6);
	return kube_addresses_hold(&range, &all);
}

static int check_world(struct linting *l, const struct netpol_policy *p, enum netpol_direction d, const struct netpol_rule *rule)
{
	const struct check *check = d == NETPOL_INGRESS ? &world_in : &world_out;
	int rc = 0;
	if (p->api != NETPOL_API_V1)
		return 0;
	if (kube_length(rule->peers) == 0)
		return kube_length(rule->ports) == 0 ? say_policy(l, &empty_rule, p, rule->value, "an empty rule allows everything, from and to everywhere") :
			say_policy(l, check, p, rule->value, d == NETPOL_INGRESS ? "without from, everybody may connect, the outside too" : "without to, every destination is allowed, the outside too");
	for (size_t i = 0; rc == 0 && i < kube_length(rule->peers); i++)
		if (is_world(kube_get(rule->peers.list->items[i], "ipBlock")))
			rc = say_policy(l, check, p, rule->peers.list->items[i], "a block of all addresses without except");
	return rc;
}

/* "- namespaceSelector" and "- podSelector" are two peers; most who write that meant one. */
static int check_apart(struct linting *l, const struct netpol_policy *p, const struct netpol_rule *rule)
{
	int rc = 0;
	for (size_t i = 1; rc == 0 && p->api == NETPOL_API_V1 && i < kube_length(rule->peers); i++) {
		struct cel_value a = rule->peers.list->items[i - 1], b = rule->peers.list->items[i];
		if (netpol_has(a, "namespaceSelector") && !netpol_has(a, "podSelector") && netpol_has(b, "podSelector") && !netpol_has(b, "namespaceSelector"))
			rc = say_policy(l, &selectors_apart, p, b, "two peers, of which either is enough: all pods of those namespaces, and these pods of the policy's own");
	}
	return rc;
}

/* ---- ports ---- */

/* Can any destination of the rule have it? Ports of ingress are the subjects', of egress the peers'. */
static int any_port(struct linting *l, const struct netpol_policy *p, enum netpol_direction d, const struct netpol_rule *rule, struct bh_slice name, bool *ret)
{
	struct kube_ports ports = kube_ports_none();
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < l->n->workloads.len; i++)
		if (netpol_bit(d == NETPOL_INGRESS ? p->subjects : rule->takes, i))
			rc = netpol_join_named(l->n, NULL, name, &l->n->workloads.ptr[i], &ports);
	*ret = !kube_ports_are_none(&ports);
	bh_arena_done(&l->n->scratch);
	return rc;
}

/* All ports that containers declare; false: one of the workloads declares none, so that nobody knows. */
static int declared(struct linting *l, const struct netpol_policy *p, struct kube_ports *ret, bool *ret_all)
{
	int rc = 0;
	*ret = kube_ports_none();
	*ret_all = true;
	for (size_t i = 0; rc == 0 && i < l->n->workloads.len; i++) {
		struct cel_value containers = kube_get(l->n->workloads.ptr[i].spec, "containers");
		size_t n = 0;
		if (!netpol_bit(p->subjects, i))
			continue;
		for (size_t k = 0; rc == 0 && k < kube_length(containers); k++) {
			struct cel_value ports = kube_get(containers.list->items[k], "ports");
			for (size_t m = 0; rc == 0 && m < kube_length(ports); m++, n++) {
				uint64_t number = netpol_port_number(kube_get(ports.list->items[m], "containerPort"));
				rc = netpol_join_range(l->n, netpol_protocol(ports.list->items[m]), number, number, ret);
			}
		}
		*ret_all &= n > 0;
	}
	return rc;
}

static struct bh_slice port_name(const struct netpol_policy *p, struct cel_value port)
{
	return kube_text(port, p->api == NETPOL_API_V1 ? "port" : p->api == NETPOL_API_ADMIN ? "namedPort" : "destinationNamedPort");
}

static int check_names(struct linting *l, const struct netpol_policy *p, enum netpol_direction d, const struct netpol_rule *rule)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(rule->ports); i++) {
		struct bh_slice name = port_name(p, rule->ports.list->items[i]);
		bool any;
		if (name.len == 0)
			continue;
		rc = any_port(l, p, d, rule, name, &any);
		if (rc == 0 && !any) {
			struct bh_buf *message = &l->cells.text[NETPOL_LINT_MESSAGE];
			bh_buf_add_str(message, d == NETPOL_INGRESS ? "no pod that the policy selects has a port named " : "no pod that the rule takes has a port named ");
			bh_buf_add(message, name);
			rc = say_policy(l, &no_such_name, p, rule->ports.list->items[i], "");
		}
	}
	return rc;
}

static int check_numbers(struct linting *l, const struct netpol_policy *p, enum netpol_direction d, const struct netpol_rule *rule)
{
	struct kube_ports known, both;
	bool all;
	if (d != NETPOL_INGRESS || rule->by_name || kube_length(rule->ports) == 0)
		return 0;
	int rc = declared(l, p, &known, &all);
	if (rc == 0 && !kube_ports_both(&l->n->scratch, &rule->fixed, &known, &both))
		rc = netpol_no_memory(l->n);
	bool none = rc == 0 && all && kube_ports_are_none(&both);
	bh_arena_done(&l->n->scratch);
	return none ? say_policy(l, &nobody_listens, p, rule->ports, "no container that the policy selects declares any of these ports") : rc;
}

static int check_rule(struct linting *l, const struct netpol_policy *p, enum netpol_direction d, const struct netpol_rule *rule)
{
	int rc = check_world(l, p, d, rule);
	rc = rc < 0 ? rc : check_apart(l, p, rule);
	rc = rc < 0 ? rc : check_names(l, p, d, rule);
	rc = rc < 0 ? rc : check_numbers(l, p, d, rule);
	if (rc == 0 && kube_length(rule->peers) && is_empty(rule->takes, l->n->peers.len))
		rc = say_policy(l, &takes_nobody, p, rule->value, d == NETPOL_INGRESS ? "nobody is one of these sources" : "nobody is one of these destinations");
	return rc;
}

/* ---- rules beside each other ---- */

/* Does the rule b of q allow, for all pods of p, all that the rule a of p does? Names of ports are the same when they are written the same. */
static int covers(struct linting *l, const struct netpol_policy *p, const struct netpol_rule *a, const struct netpol_policy *q, const struct netpol_rule *b, bool *ret)
{
	struct kube_ports left = kube_ports_none();
	*ret = false;
	if (!is_subset(p->subjects, q->subjects, l->n->workloads.len) || !is_subset(a->takes, b->takes, l->n->peers.len))
		return 0;
	bool by_name = a->by_name || b->by_name;
	if (!by_name && !kube_ports_without(&l->n->scratch, &a->fixed, &b->fixed, &left))
		return netpol_no_memory(l->n);
	*ret = by_name ? kube_length(b->ports) == 0 || (kube_length(a->ports) && cel_equal(a->ports, b->ports)) : kube_ports_are_none(&left);
	bh_arena_done(&l->n->scratch);
	return 0;
}

static int say_covered(struct linting *l, const struct netpol_policy *p, const struct netpol_rule *a, const struct netpol_policy *q, const struct netpol_rule *b)
{
	struct bh_buf *message = &l->cells.text[NETPOL_LINT_MESSAGE];
	bh_buf_add_str(message, p->tier == NETPOL_POLICY ? "all that the rule allows is allowed by " : "all that the rule takes is decided before by ");
	uint32_t line = netpol_place(q->object, b->value, NULL, message);
	bh_buf_add_str(message, " of ");
	netpol_print_policy(q, message);
	bh_buf_add_str(message, " (");
	netpol_print_where(q->object, line, message);
	bh_buf_add_byte(message, ')');
	return say_policy(l, p->tier == NETPOL_POLICY ? &covered : &shadowed, p, a->value, "");
}

/* Of two that cover each other the later one is told. */
static bool comes_first(const struct netpol_policy *q, const struct netpol_rule *b, const struct netpol_policy *p, const struct netpol_rule *a)
{
	return q == p ? b < a : q < p;
}

static int check_covered(struct linting *l, const struct netpol_policy *p, enum netpol_direction d, const struct netpol_rule *a)
{
	if (is_empty(a->takes, l->n->peers.len)) /* has been told */
		return 0;
	for (size_t i = 0; i < l->n->policies.len; i++) {
		const struct netpol_policy *q = &l->n->policies.ptr[i];
		if (q->tier != p->tier || !bh_slice_eq(q->namespace, p->namespace) || !q->decides[d])
			continue;
		for (size_t k = 0; k < q->rules[d].n; k++) {
			const struct netpol_rule *b = &q->rules[d].list[k];
			bool first = comes_first(q, b, p, a), yes, back = false;
			if (a == b || (p->tier != NETPOL_POLICY && !first) || ++l->compared > COMPARED_MAX)
				continue;
			int rc = covers(l, p, a, q, b, &yes);
			if (rc == 0 && yes && !first)
				rc = covers(l, q, b, p, a, &back);
			if (rc < 0)
				return rc;
			if (yes && !back)
				return say_covered(l, p, a, q, b);
		}
	}
	return 0;
}

/* ---- policies ---- */

/* Is the UDP port 53 of anybody allowed? */
static int allows_dns(struct linting *l, const struct netpol_policy *p, bool *ret)
{
	for (size_t i = 0; i < p->rules[NETPOL_EGRESS].n; i++) {
		const struct netpol_rule *rule = &p->rules[NETPOL_EGRESS].list[i];
		struct kube_ports dns, both;
		if (rule->action != NETPOL_ALLOW)
			continue;
		if (rule->by_name) {
			*ret = true; /* it may be one of these */
			continue;
		}
		if (!kube_ports_of(&l->n->scratch, KUBE_UDP, 53, 53, &dns) || !kube_ports_both(&l->n->scratch, &rule->fixed, &dns, &both))
			return netpol_no_memory(l->n);
		*ret |= !kube_ports_are_none(&both);
	}
	bh_arena_done(&l->n->scratch);
	return 0;
}

/* Pods whose egress is isolated and none of whose policies allows DNS: told at the first policy that isolates them. */
static int check_dns(struct linting *l, const struct netpol_policy *p)
{
	const struct netpol *n = l->n;
	bool told = false;
	int rc = 0;
	for (size_t i = 0; rc == 0 && !told && p->tier == NETPOL_POLICY && p->decides[NETPOL_EGRESS] && i < n->workloads.len; i++) {
		const struct netpol_class *c = &n->classes.ptr[n->peers.ptr[i].class];
		const struct netpol_policy *first = NULL;
		bool dns = false;
		if (!netpol_bit(p->subjects, i))
			continue;
		for (size_t k = 0; rc == 0 && k < c->n_policies; k++) {
			const struct netpol_policy *q = c->policies[k];
			if (q->tier == NETPOL_POLICY && q->decides[NETPOL_EGRESS] && !first)
				first = q;
			if (q->tier == NETPOL_ADMIN || q->decides[NETPOL_EGRESS])
				rc = allows_dns(l, q, &dns);
		}
		if (rc == 0 && first == p && !dns) {
			struct bh_buf *message = &l->cells.text[NETPOL_LINT_MESSAGE];
			bh_buf_add(message, n->peers.ptr[i].text);
			told = true;
			rc = say_policy(l, &no_dns, p, kube_get(p->object->value, "spec"), " can't resolve names: no rule for its egress allows UDP 53");
		}
	}
	return rc;
}

static int check_types(struct linting *l, const struct netpol_policy *p)
{
	int rc = 0;
	for (size_t d = 0; rc == 0 && p->tier == NETPOL_POLICY && d < NETPOL_DIRECTIONS; d++)
		if (!p->decides[d] && p->rules[d].n) {
			bh_buf_printf(&l->cells.text[NETPOL_LINT_MESSAGE], "rules for %s, which policyTypes leaves out: they are ignored", direction_names[d]);
			rc = say_policy(l, &types_ignore, p, kube_get(kube_get(p->object->value, "spec"), direction_names[d]), "");
		}
	return rc;
}

static int check_tied(struct linting *l, size_t i)
{
	const struct netpol_policy *a = i ? &l->n->policies.ptr[i - 1] : NULL, *b = &l->n->policies.ptr[i];
	if (!a || a->tier != b->tier || a->priority != b->priority || a->tier == NETPOL_POLICY)
		return 0;
	struct bh_buf *message = &l->cells.text[NETPOL_LINT_MESSAGE];
	bh_buf_add_str(message, "the same priority as ");
	netpol_print_policy(a, message);
	return say_policy(l, &tied, b, kube_get(b->object->value, "spec"), ": which is asked first is undefined");
}

static int check_policy(struct linting *l, size_t i)
{
	const struct netpol_policy *p = &l->n->policies.ptr[i];
	int rc = check_tied(l, i);
	if (rc == 0 && l->n->workloads.len && is_empty(p->subjects, l->n->workloads.len))
		return say_policy(l, &selects_nothing, p, kube_get(p->object->value, "spec"), "selects no pod of these manifests");
	rc = rc < 0 ? rc : check_types(l, p);
	rc = rc < 0 ? rc : check_dns(l, p);
	for (size_t d = 0; d < NETPOL_DIRECTIONS; d++)
		for (size_t k = 0; rc == 0 && p->decides[d] && k < p->rules[d].n; k++) {
			rc = check_rule(l, p, (enum netpol_direction)d, &p->rules[d].list[k]);
			rc = rc < 0 ? rc : check_covered(l, p, (enum netpol_direction)d, &p->rules[d].list[k]);
		}
	return rc;
}

/* ---- namespaces and workloads ---- */

static bool is_isolated(const struct netpol *n, size_t workload, enum netpol_direction d)
{
	const struct netpol_class *c = &n->classes.ptr[n->peers.ptr[workload].class];
	for (size_t i = 0; i < c->n_policies; i++)
		if (c->policies[i]->tier == NETPOL_POLICY ? c->policies[i]->decides[d] : c->policies[i]->tier == NETPOL_BASELINE && c->policies[i]->rules[d].n)
			return true;
	return false;
}

static int check_namespace(struct linting *l, const struct netpol_namespace *ns, enum netpol_direction d)
{
	struct bh_buf names;
	const struct kube_object *at = ns->object;
	size_t count = 0;
	bh_buf_init(&names, NAMES_BYTES_MAX);
	for (size_t i = 0; i < l->n->workloads.len; i++) {
		const struct kube_workload *w = &l->n->workloads.ptr[i];
		if (!bh_slice_eq(w->namespace, ns->name) || is_isolated(l->n, i, d))
			continue;
		at = at ? at : w->object;
		if (count < 3)
			bh_buf_printf(&names, "%s%.*s", count ? ", " : "", BH_SLICE_FMT(bh_slice_sub(w->name, 0, 63)));
		count++;
	}
	if (count) {
		struct bh_buf *c = l->cells.text;
		bh_buf_add_str(&c[NETPOL_LINT_OBJECT], "Namespace ");
		bh_buf_add(&c[NETPOL_LINT_OBJECT], ns->name);
		bh_buf_printf(&c[NETPOL_LINT_MESSAGE], "%zu workload%s open for %s, as no policy selects %s: %.*s%s", count, count == 1 ? " is" : "s are", direction_names[d],
			      count == 1 ? "it" : "them", BH_SLICE_FMT(bh_buf_slice(&names)), count > 3 ? ", ..." : "");
	}
	bh_buf_done(&names);
	return count ? say(l, d == NETPOL_INGRESS ? &open_in : &open_out, at, cel_null(), NULL) : 0;
}

static int check_workload(struct linting *l, size_t i)
{
	const struct kube_workload *w = &l->n->workloads.ptr[i];
	const struct netpol_class *c = &l->n->classes.ptr[l->n->peers.ptr[i].class];
	if (!cel_is_true(kube_get(w->spec, "hostNetwork")) || c->n_policies == 0)
		return 0;
	struct bh_buf *cells = l->cells.text;
	bh_buf_add(&cells[NETPOL_LINT_OBJECT], l->n->peers.ptr[i].text);
	netpol_print_policy(c->policies[0], &cells[NETPOL_LINT_MESSAGE]);
	bh_buf_add_str(&cells[NETPOL_LINT_MESSAGE], " selects it, but it is on the node's network: most implementations ignore policies there");
	return say(l, &on_host, w->object, w->spec, "hostNetwork");
}

static int lint(struct linting *l)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < l->n->policies.len; i++) {
		rc = check_policy(l, i);
		kube_say_progress(l->n->asked, i);
	}
	for (size_t i = 0; rc == 0 && i < l->n->namespaces.len; i++) {
		rc = check_namespace(l, &l->n->namespaces.ptr[i], NETPOL_INGRESS);
		rc = rc < 0 ? rc : check_namespace(l, &l->n->namespaces.ptr[i], NETPOL_EGRESS);
	}
	for (size_t i = 0; rc == 0 && i < l->n->workloads.len; i++)
		rc = check_workload(l, i);
	if (rc == 0 && l->compared > COMPARED_MAX)
		rc = kube_say_gap(l->n->asked, (struct bh_slice){ 0 }, 0, BH_SLICE_LIT("too many rules to compare each with each: some that others cover may be missing"), l->n->err);
	return rc;
}

int netpol_lint(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	struct netpol n;
	struct linting l = { .n = &n };
	(void)ctx;
	kube_cells_init(&l.cells);
	int rc = netpol_read(&n, asked, 0, err);
	rc = rc < 0 ? rc : netpol_compile(&n);
	rc = rc < 0 ? rc : lint(&l);
	kube_cells_done(&l.cells);
	netpol_done(&n);
	return rc;
}
