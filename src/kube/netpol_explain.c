#include "kube/netpol_explain.h"

#include "kube/cells.h"
#include "kube/netpol_find.h"
#include "kube/netpol_print.h"

#define LIST_BYTES_MAX 2000u

static const char *const direction_names[] = { [NETPOL_INGRESS] = "ingress", [NETPOL_EGRESS] = "egress" };

struct explaining {
	struct netpol *n;
	struct kube_cells cells;
	const struct netpol_peer *from, *to;
	struct kube_ports wanted;
	/* Of the end that is being explained: */
	struct bh_buf isolating, allowing, denying; /* policies and rules, by name */
	bool silent, policies_allow;                /* silent: only the lists are made */
	const struct netpol_policy *isolator, *denier;
	size_t denier_rule;
};

static int say(struct explaining *x, enum netpol_why_row kind)
{
	for (size_t i = 0; x->silent && i < NETPOL_WHY_CELLS; i++)
		bh_buf_clear(&x->cells.text[i]);
	if (x->silent)
		return 0;
	return kube_cells_say(x->n->asked, &x->cells, (uint16_t)kind, NETPOL_WHY_CELLS, x->n->err);
}

static int wanted_of(struct explaining *x, const struct kube_ports *ports, struct kube_ports *ret)
{
	return kube_ports_both(&x->n->scratch, &x->wanted, ports, ret) ? 0 : netpol_no_memory(x->n);
}

static void add_listed(struct bh_buf *list, struct bh_slice text)
{
	if (list->len + text.len + 2 > LIST_BYTES_MAX)
		return;
	bh_buf_add_str(list, list->len ? ", " : "");
	bh_buf_add(list, text);
}

static void print_tier(const struct netpol_policy *p, struct bh_buf *out)
{
	bh_buf_add_str(out, p->tier == NETPOL_ADMIN ? "admin" : p->tier == NETPOL_POLICY ? "policy" : "baseline");
	if (p->tier == NETPOL_ADMIN || p->api == NETPOL_API_CLUSTER)
		bh_buf_printf(out, " %lld", (long long)p->priority);
}

/* ---- rules ---- */

static int hear_policy(void *ctx, const struct netpol_policy *p, enum netpol_direction d)
{
	struct explaining *x = ctx;
	struct bh_buf name;
	(void)d;
	if (p->tier != NETPOL_POLICY)
		return 0;
	bh_buf_init(&name, LIST_BYTES_MAX);
	netpol_print_policy(p, &name);
	add_listed(&x->isolating, bh_buf_slice(&name));
	bh_buf_done(&name);
	x->isolator = x->isolator ? x->isolator : p;
	return 0;
}

/* Why a rule decides nothing. */
static int idle_reason(struct explaining *x, const struct netpol_policy *p, enum netpol_direction d, const struct netpol_rule *rule, bool taken, const char **ret)
{
	struct kube_ports ports;
	*ret = d == NETPOL_EGRESS ? "other destinations" : "other sources";
	if (!taken)
		return 0;
	int rc = netpol_rule_ports(x->n, p, rule, x->to, &ports);
	rc = rc < 0 ? rc : wanted_of(x, &ports, &ports);
	if (rc == 0)
		*ret = kube_ports_are_none(&ports) ? "other ports" : "decided above";
	return rc;
}

static void note(struct explaining *x, const struct netpol_policy *p, enum netpol_action action, size_t index)
{
	struct bh_buf name;
	bh_buf_init(&name, LIST_BYTES_MAX);
	bh_buf_add(&name, bh_buf_slice(&x->cells.text[NETPOL_WHY_PATH]));
	bh_buf_add_str(&name, " of ");
	netpol_print_policy(p, &name);
	x->policies_allow |= p->tier == NETPOL_POLICY;
	if (action == NETPOL_ALLOW)
		add_listed(&x->allowing, bh_buf_slice(&name));
	if (action == NETPOL_DENY) {
		add_listed(&x->denying, bh_buf_slice(&name));
		x->denier = p;
		x->denier_rule = index;
	}
	bh_buf_done(&name);
}

static int hear_rule(void *ctx, const struct netpol_policy *p, enum netpol_direction d, size_t index, bool taken, const struct kube_ports *decided)
{
	static const char *const actions[] = { [NETPOL_ALLOW] = "allow", [NETPOL_DENY] = "deny", [NETPOL_PASS] = "pass" };
	struct explaining *x = ctx;
	const struct netpol_rule *rule = &p->rules[d].list[index];
	struct bh_buf *c = x->cells.text;
	struct kube_ports ports;
	const char *reason = "";
	int rc = wanted_of(x, decided, &ports);
	if (rc == 0 && kube_ports_are_none(&ports))
		rc = idle_reason(x, p, d, rule, taken, &reason);
	if (rc < 0)
		return rc;
	bh_buf_add_str(&c[NETPOL_WHY_WHAT], "rule");
	bh_buf_add_str(&c[NETPOL_WHY_DIRECTION], direction_names[d]);
	print_tier(p, &c[NETPOL_WHY_TIER]);
	netpol_print_policy(p, &c[NETPOL_WHY_POLICY]);
	netpol_print_where(p->object, netpol_place(p->object, rule->value, NULL, &c[NETPOL_WHY_PATH]), &c[NETPOL_WHY_PLACE]);
	if (c[NETPOL_WHY_PATH].len == 0)
		bh_buf_printf(&c[NETPOL_WHY_PATH], "spec.%s[%zu]", direction_names[d], index);
	bh_buf_add_str(&c[NETPOL_WHY_ACTION], actions[rule->action]);
	if (kube_ports_are_none(&ports)) {
		bh_buf_add_str(&c[NETPOL_WHY_TEXT], reason);
	} else {
		kube_ports_print(&ports, &c[NETPOL_WHY_DECIDES]);
		bh_buf_add_str(&c[NETPOL_WHY_TEXT], rule->action == NETPOL_ALLOW ? "allows" : rule->action == NETPOL_DENY ? "denies" : "leaves it to the next tier");
		note(x, p, rule->action, index);
	}
	return say(x, NETPOL_WHY_RULE);
}

/* ---- the sentence ---- */

static void add_parts(struct bh_buf *out, const char *before, const struct bh_buf *list)
{
	if (list->len == 0)
		return;
	bh_buf_add_str(out, before);
	bh_buf_add(out, bh_buf_slice(list));
}

static void print_sentence(struct explaining *x, enum netpol_direction d, const struct netpol_peer *subject, const struct kube_ports *denied, struct bh_buf *out)
{
	bool any_denied = !kube_ports_are_none(denied);
	if (subject->kind != NETPOL_WORKLOAD) {
		bh_buf_add_str(out, "allowed: no policy applies outside of the cluster's workloads");
		return;
	}
	bh_buf_add_str(out, any_denied ? (kube_ports_equal(denied, &x->wanted) ? "denied" : "partly denied") : "allowed");
	add_parts(out, " by ", &x->denying);
	if (x->isolating.len == 0 && x->denying.len == 0 && x->allowing.len == 0)
		bh_buf_printf(out, ": no policy selects %.*s for %s, so nothing isolates it", BH_SLICE_FMT(subject->text), direction_names[d]);
	add_parts(out, x->denying.len ? "; allowed by " : " by ", &x->allowing);
	if (x->isolating.len && (any_denied || x->policies_allow)) {
		bh_buf_printf(out, "%sisolated for %s by ", x->denying.len || x->allowing.len ? "; " : ": ", direction_names[d]);
		bh_buf_add(out, bh_buf_slice(&x->isolating));
		if (any_denied && x->denying.len == 0)
			bh_buf_add_str(out, x->allowing.len ? ", no rule of which allows the rest" : ", no rule of which matches");
	}
}

/* ---- what is needed ---- */

static void print_rule(struct explaining *x, enum netpol_direction d, const struct kube_ports *denied, struct bh_buf *out)
{
	const struct netpol_peer *subject = d == NETPOL_EGRESS ? x->from : x->to, *other = d == NETPOL_EGRESS ? x->to : x->from;
	bh_buf_printf(out, "{%s: [", d == NETPOL_EGRESS ? "to" : "from");
	netpol_print_peer(subject->workload->namespace, other, out);
	bh_buf_add_byte(out, ']');
	if (!kube_ports_are_all(denied)) {
		bh_buf_add_str(out, ", ports: [");
		netpol_print_ports(denied, out);
		bh_buf_add_byte(out, ']');
	}
	bh_buf_add_byte(out, '}');
}

static int say_need(struct explaining *x, enum netpol_direction d, const struct kube_ports *denied)
{
	struct bh_buf *c = x->cells.text, *out = &c[NETPOL_WHY_TEXT];
	const struct netpol_policy *p = x->denier ? x->denier : x->isolator;
	bh_buf_add_str(&c[NETPOL_WHY_WHAT], "needed");
	bh_buf_add_str(&c[NETPOL_WHY_DIRECTION], direction_names[d]);
	if (p) {
		netpol_print_policy(p, &c[NETPOL_WHY_POLICY]);
		netpol_print_where(p->object, x->denier ? netpol_place(p->object, p->rules[d].list[x->denier_rule].value, NULL, &c[NETPOL_WHY_PATH]) : 0, &c[NETPOL_WHY_PLACE]);
	}
	kube_ports_print(denied, &c[NETPOL_WHY_DECIDES]);
	if (x->denier) {
		bh_buf_add_str(out, "an administrator's rule that allows it before this one, or this one without it");
	} else {
		bh_buf_printf(out, "a rule under spec.%s: ", direction_names[d]);
		print_rule(x, d, denied, out);
	}
	return say(x, NETPOL_WHY_NEED);
}

/* ---- ends ---- */

static void explaining_init(struct explaining *x)
{
	bh_buf_init(&x->isolating, LIST_BYTES_MAX);
	bh_buf_init(&x->allowing, LIST_BYTES_MAX);
	bh_buf_init(&x->denying, LIST_BYTES_MAX);
	kube_cells_init(&x->cells);
}

static void explaining_done(struct explaining *x)
{
	kube_cells_done(&x->cells);
	bh_buf_done(&x->isolating);
	bh_buf_done(&x->allowing);
	bh_buf_done(&x->denying);
}

static void forget(struct explaining *x)
{
	bh_buf_clear(&x->isolating);
	bh_buf_clear(&x->allowing);
	bh_buf_clear(&x->denying);
	x->isolator = x->denier = NULL;
	x->policies_allow = false;
}

/* Twice: the sentence stands before the rules of which it is made. */
static int explain_end(struct explaining *x, enum netpol_direction d)
{
	const struct netpol_witness w = { .rule = hear_rule, .policy = hear_policy, .ctx = x };
	const struct netpol_peer *subject = d == NETPOL_EGRESS ? x->from : x->to;
	struct kube_ports allowed, denied;
	forget(x);
	x->silent = true;
	int rc = netpol_end(x->n, d, x->from, x->to, &w, &allowed);
	x->silent = false;
	if (rc == 0 && !kube_ports_without(&x->n->scratch, &x->wanted, &allowed, &denied))
		rc = netpol_no_memory(x->n);
	if (rc < 0)
		return rc;
	bh_buf_add_str(&x->cells.text[NETPOL_WHY_WHAT], "why");
	bh_buf_add_str(&x->cells.text[NETPOL_WHY_DIRECTION], direction_names[d]);
	print_sentence(x, d, subject, &denied, &x->cells.text[NETPOL_WHY_TEXT]);
	rc = say(x, NETPOL_WHY_SENTENCE);
	rc = rc < 0 ? rc : netpol_end(x->n, d, x->from, x->to, &w, &allowed);
	return rc < 0 || kube_ports_are_none(&denied) ? rc : say_need(x, d, &denied);
}

int netpol_sentence(struct netpol *n, const struct netpol_peer *from, const struct netpol_peer *to, const struct kube_ports *ports, struct bh_buf *out)
{
	struct explaining x = { .n = n, .from = from, .to = to, .wanted = *ports, .silent = true };
	const struct netpol_witness w = { .rule = hear_rule, .policy = hear_policy, .ctx = &x };
	int rc = 0;
	explaining_init(&x);
	for (size_t i = 0; rc == 0 && out->len == 0 && i < NETPOL_DIRECTIONS; i++) {
		enum netpol_direction d = i == 0 ? NETPOL_EGRESS : NETPOL_INGRESS;
		struct kube_ports allowed, denied;
		forget(&x);
		rc = netpol_end(n, d, from, to, &w, &allowed);
		if (rc == 0 && !kube_ports_without(&n->scratch, ports, &allowed, &denied))
			rc = netpol_no_memory(n);
		if (rc < 0 || kube_ports_are_none(&denied))
			continue;
		bh_buf_printf(out, "%s: ", direction_names[d]);
		print_sentence(&x, d, d == NETPOL_EGRESS ? from : to, &denied, out);
	}
	explaining_done(&x);
	return rc;
}

static int say_verdict(struct explaining *x)
{
	struct bh_buf *c = x->cells.text;
	struct kube_ports allowed;
	int rc = netpol_allowed(x->n, x->from, x->to, &allowed);
	rc = rc < 0 ? rc : wanted_of(x, &allowed, &allowed);
	if (rc < 0)
		return rc;
	bool none = kube_ports_are_none(&allowed), all = kube_ports_equal(&allowed, &x->wanted);
	bh_buf_add_str(&c[NETPOL_WHY_WHAT], "verdict");
	bh_buf_add_str(&c[NETPOL_WHY_DIRECTION], all ? "allowed" : none ? "denied" : "partly");
	kube_ports_print(&allowed, &c[NETPOL_WHY_DECIDES]);
	struct bh_buf *out = &c[NETPOL_WHY_TEXT];
	bh_buf_add(out, x->from->text);
	bh_buf_add_str(out, " => ");
	bh_buf_add(out, x->to->text);
	bh_buf_add_str(out, " : ");
	kube_ports_print(&x->wanted, out);
	bh_buf_add_str(out, all ? ": allowed" : none ? ": denied" : ": only ");
	if (!all && !none)
		kube_ports_print(&allowed, out);
	return say(x, NETPOL_WHY_VERDICT);
}

static int explain(struct explaining *x, const struct netpol_explaining *what)
{
	struct netpol *n = x->n;
	int rc = netpol_cut_name(n, what->from);
	rc = rc < 0 ? rc : netpol_cut_name(n, what->to);
	rc = rc < 0 ? rc : netpol_compile(n);
	rc = rc < 0 ? rc : netpol_find_peer(n, what->from, NETPOL_INGRESS, &x->from);
	rc = rc < 0 ? rc : netpol_find_peer(n, what->to, NETPOL_EGRESS, &x->to);
	rc = rc < 0 ? rc : netpol_find_ports(n, what->port, x->to, &x->wanted);
	if (rc < 0)
		return rc;
	if (x->from == x->to)
		return bh_fail(n->err, BH_EUSAGE, 0, "%.*s is both ends: policies say nothing about a pod's connections to itself", BH_SLICE_FMT(x->from->text));
	if (x->from->kind == NETPOL_BLOCK && x->to->kind == NETPOL_BLOCK)
		return bh_fail(n->err, BH_EUSAGE, 0, "both ends are outside of the cluster");
	rc = say_verdict(x);
	rc = rc < 0 ? rc : explain_end(x, NETPOL_EGRESS);
	return rc < 0 ? rc : explain_end(x, NETPOL_INGRESS);
}

int netpol_explain(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	struct netpol n;
	struct explaining x = { .n = &n };
	explaining_init(&x);
	int rc = netpol_read(&n, asked, 0, err);
	rc = rc < 0 ? rc : explain(&x, ctx);
	explaining_done(&x);
	netpol_done(&n);
	return rc;
}
