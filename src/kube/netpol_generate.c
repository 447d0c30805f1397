/*
 * Per namespace: a policy that isolates all pods, one that lets them ask the cluster's DNS. Per workload: a rule for each peer that it needs or that needs
 * it, at both ends of the connection. A workload whose pods have no labels of their own can't have a policy: it is told.
 */
#include "kube/netpol_generate.h"

#include <stdlib.h>

#include "kube/netpol_needs.h"
#include "kube/netpol_print.h"

#define DOCUMENT_BYTES_MAX (KUBE_ASK_CELL_BYTES_MAX - 1)
#define EVIDENCES_SHOWN 3u

struct generating {
	struct netpol *n;
	struct netpol_need_vec needs;
	struct bh_buf document;
};

/* A need as one of its ends sees it. */
struct side {
	enum netpol_direction d;
	const struct netpol_peer *subject, *other;
	const struct netpol_need *need;
};
BH_VEC(side_vec, struct side)

static int compare(const void *a, const void *b)
{
	const struct side *x = a, *y = b;
	if (x->subject != y->subject)
		return x->subject->index < y->subject->index ? -1 : 1;
	if (x->d != y->d)
		return x->d < y->d ? -1 : 1;
	if (x->other != y->other)
		return x->other->index < y->other->index ? -1 : 1;
	int c = bh_slice_cmp(x->need->evidence, y->need->evidence);
	return c ? c : (x->need > y->need) - (x->need < y->need);
}

static int add_sides(struct generating *g, struct side_vec *out)
{
	for (size_t i = 0; i < g->needs.len; i++) {
		const struct netpol_need *need = &g->needs.ptr[i];
		if (need->from->kind == NETPOL_WORKLOAD && !side_vec_push(out, (struct side){ NETPOL_EGRESS, need->from, need->to, need }))
			return netpol_no_memory(g->n);
		if (need->to->kind == NETPOL_WORKLOAD && !side_vec_push(out, (struct side){ NETPOL_INGRESS, need->to, need->from, need }))
			return netpol_no_memory(g->n);
	}
	if (out->len)
		qsort(out->ptr, out->len, sizeof(*out->ptr), compare);
	return 0;
}

static int say(struct generating *g)
{
	struct bh_slice text = bh_buf_slice(&g->document);
	int rc = g->document.failed ? bh_fail(g->n->err, BH_ELIMIT, 0, "a policy of more than %u bytes", DOCUMENT_BYTES_MAX) :
				      kube_say(g->n->asked, NETPOL_ROW_DOCUMENT, &text, 1, g->n->err);
	bh_buf_clear(&g->document);
	return rc;
}

/* ---- parts of documents ---- */

/* Names come from others: a line end would end the comment. */
static void add_comment(struct bh_buf *out, const char *indent, struct bh_slice text)
{
	bh_buf_add_str(out, indent);
	bh_buf_add_str(out, "# ");
	bh_buf_add_escaped(out, text);
	bh_buf_add_byte(out, '\n');
}

static void add_head(struct bh_buf *out, struct bh_slice namespace, struct bh_slice name)
{
	bh_buf_add_str(out, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: ");
	netpol_print_scalar(name, out);
	bh_buf_add_str(out, "\n  namespace: ");
	netpol_print_scalar(namespace, out);
	bh_buf_add_str(out, "\nspec:\n");
}

static int say_defaults(struct generating *g, struct bh_slice namespace)
{
	struct bh_buf *out = &g->document;
	add_comment(out, "", BH_SLICE_LIT("Nobody may connect to the pods of this namespace, nor they to anybody, but for what other policies allow."));
	add_head(out, namespace, BH_SLICE_LIT("default-deny"));
	bh_buf_add_str(out, "  podSelector: {}\n  policyTypes: [Ingress, Egress]\n");
	int rc = say(g);
	if (rc < 0)
		return rc;
	add_comment(out, "", BH_SLICE_LIT("The cluster's DNS."));
	add_head(out, namespace, BH_SLICE_LIT("allow-dns"));
	bh_buf_add_str(out, "  podSelector: {}\n  policyTypes: [Egress]\n  egress:\n"
			    "  - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]\n"
			    "    ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]\n");
	return say(g);
}

static void add_evidence(struct bh_buf *out, const struct side *sides, size_t n)
{
	size_t shown = 0, more = 0;
	for (size_t i = 0; i < n; i++) {
		if (i && bh_slice_eq(sides[i].need->evidence, sides[i - 1].need->evidence))
			continue;
		if (shown++ < EVIDENCES_SHOWN)
			add_comment(out, "  ", sides[i].need->evidence);
		else
			more++;
	}
	if (more)
		bh_buf_printf(out, "  # and %zu more\n", more);
	if (sides[0].other->kind == NETPOL_CONTROLLER)
		bh_buf_add_str(out, "  # Which pods the controller has is not known here: narrow this to its namespace.\n");
}

static bool has_own_labels(struct cel_value labels)
{
	struct bh_buf text;
	bh_buf_init(&text, DOCUMENT_BYTES_MAX);
	netpol_print_labels(labels, &text);
	bool any = text.len > 2;
	bh_buf_done(&text);
	return any;
}

static bool can_be_named(const struct netpol_peer *p)
{
	return p->kind != NETPOL_WORKLOAD || has_own_labels(p->workload->labels);
}

/* All needs of one peer. */
static int add_rule(struct generating *g, const struct side *sides, size_t n)
{
	struct bh_buf *out = &g->document;
	struct kube_ports ports = kube_ports_none();
	int rc = 0;
	if (!can_be_named(sides[0].other))
		return 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = netpol_join(g->n, &ports, &sides[i].need->ports);
	add_evidence(out, sides, n);
	bh_buf_printf(out, "  - %s: [", sides[0].d == NETPOL_EGRESS ? "to" : "from");
	netpol_print_peer(sides[0].subject->workload->namespace, sides[0].other, out);
	bh_buf_add_str(out, "]\n");
	if (!kube_ports_are_all(&ports)) {
		bh_buf_add_str(out, "    ports: [");
		netpol_print_ports(&ports, out);
		bh_buf_add_str(out, "]\n");
	}
	bh_arena_done(&g->n->scratch);
	return rc;
}

/* ---- a workload ---- */

static bool shares_name(const struct netpol *n, uint32_t i)
{
	const struct kube_workload *w = n->workloads.ptr;
	bool before = i > 0 && bh_slice_eq(w[i - 1].name, w[i].name) && bh_slice_eq(w[i - 1].namespace, w[i].namespace);
	bool behind = i + 1 < n->workloads.len && bh_slice_eq(w[i + 1].name, w[i].name) && bh_slice_eq(w[i + 1].namespace, w[i].namespace);
	return before || behind;
}

/* "allow-web"; with its kind where there are two of the name. */
static void print_name(const struct netpol *n, const struct netpol_peer *p, struct bh_buf *out)
{
	bh_buf_add_str(out, "allow-");
	bh_buf_add(out, p->workload->name);
	for (size_t i = 0; shares_name(n, p->index) && i < p->workload->kind.len; i++) {
		if (i == 0)
			bh_buf_add_byte(out, '-');
		bh_buf_add_byte(out, bh_lower(p->workload->kind.ptr[i]));
	}
}

static size_t same_peer(const struct side *sides, size_t n)
{
	size_t k = 1;
	while (k < n && sides[k].d == sides[0].d && sides[k].other == sides[0].other)
		k++;
	return k;
}

static void add_types(struct bh_buf *out, const struct side *sides, size_t n)
{
	bool in = sides[0].d == NETPOL_INGRESS, egress = sides[n - 1].d == NETPOL_EGRESS;
	bh_buf_printf(out, "  policyTypes: [%s%s%s]\n", in ? "Ingress" : "", in && egress ? ", " : "", egress ? "Egress" : "");
}

static int say_workload(struct generating *g, const struct side *sides, size_t n)
{
	const struct kube_workload *w = sides[0].subject->workload;
	struct bh_buf name, *out = &g->document;
	int rc = 0;
	if (!has_own_labels(w->labels))
		return kube_say_gap(g->n->asked, w->object->file, w->object->line, BH_SLICE_LIT("a workload whose pods have no labels: no policy can allow what it needs"), g->n->err);
	bh_buf_init(&name, DOCUMENT_BYTES_MAX);
	print_name(g->n, sides[0].subject, &name);
	add_head(out, w->namespace, bh_buf_slice(&name));
	bh_buf_done(&name);
	bh_buf_add_str(out, "  podSelector: {matchLabels: ");
	netpol_print_labels(w->labels, out);
	bh_buf_add_str(out, "}\n");
	add_types(out, sides, n);
	for (size_t i = 0, k; rc == 0 && i < n; i += k) {
		if (i == 0 || sides[i].d != sides[i - 1].d)
			bh_buf_add_str(out, sides[i].d == NETPOL_EGRESS ? "  egress:\n" : "  ingress:\n");
		k = same_peer(&sides[i], n - i);
		rc = add_rule(g, &sides[i], k);
	}
	return rc < 0 ? rc : say(g);
}

static int say_all(struct generating *g, const struct side_vec *sides)
{
	const struct netpol *n = g->n;
	size_t at = 0;
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < n->workloads.len; i++) {
		size_t from = at;
		if (i == 0 || !bh_slice_eq(n->workloads.ptr[i].namespace, n->workloads.ptr[i - 1].namespace))
			rc = say_defaults(g, n->workloads.ptr[i].namespace);
		while (at < sides->len && sides->ptr[at].subject->index == i)
			at++;
		if (rc == 0 && at > from)
			rc = say_workload(g, &sides->ptr[from], at - from);
	}
	return rc;
}

/* What policies there are is not asked: what is needed does not depend on them. */
static void forget_policies(struct netpol *n)
{
	n->policies.len = 0;
	for (size_t d = 0; d < NETPOL_DIRECTIONS; d++)
		n->cuts[d][0].len = n->cuts[d][1].len = 0;
}

int netpol_generate(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	struct netpol n;
	struct netpol_flows flows = { 0 };
	struct generating g = { .n = &n, .needs = { .max = NETPOL_NEEDS_MAX } };
	struct side_vec sides = { .max = 2 * NETPOL_NEEDS_MAX };
	(void)ctx;
	bh_buf_init(&g.document, DOCUMENT_BYTES_MAX);
	int rc = netpol_read(&n, asked, 0, err);
	forget_policies(&n);
	rc = rc < 0 ? rc : netpol_flows_read(&n, &flows);
	rc = rc < 0 ? rc : netpol_compile(&n);
	rc = rc < 0 ? rc : netpol_flows_resolve(&n, &flows);
	rc = rc < 0 ? rc : netpol_needs_find(&n, &flows, &g.needs);
	bh_arena_done(&n.scratch);
	rc = rc < 0 ? rc : add_sides(&g, &sides);
	rc = rc < 0 ? rc : say_all(&g, &sides);
	bh_buf_done(&g.document);
	side_vec_done(&sides);
	netpol_need_vec_done(&g.needs);
	netpol_flows_done(&flows);
	netpol_done(&n);
	return rc;
}
