/* netpol_draw.c: the list of `bulkhead netpol` as a drawing: a text for graphviz with namespaces as boxes, or SVG; namespaces whole or not. */
#include <stdlib.h>

#include "cmd/netpol.h"
#include "report/graph_svg.h"

static bool is_workload(struct bh_slice name)
{
	return bh_slice_find(name, '/') < name.len && !bh_slice_starts(name, BH_SLICE_LIT("{"));
}

static struct bh_slice namespace_of(struct bh_slice name)
{
	return bh_slice_sub(name, 0, bh_slice_find(name, '/'));
}

static int by_name(const void *a, const void *b)
{
	return bh_slice_cmp(*(const struct bh_slice *)a, *(const struct bh_slice *)b);
}

/* What is drawn: the pairs of the answer, or those of their namespaces. */
struct pairs {
	struct pair {
		struct bh_slice from, to, ports;
	} *list;
	size_t n;
};

static int by_ends(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int c = bh_slice_cmp(x->from, y->from);
	return c ? c : bh_slice_cmp(x->to, y->to);
}

static struct bh_slice collapsed(struct bh_slice name)
{
	return is_workload(name) ? namespace_of(name) : name;
}

/* Pairs of the same ends are one, with the ports of all if they are the same. Pairs inside a namespace are not drawn. */
static void merge(struct pairs *p)
{
	size_t kept = 0;
	if (p->n)
		qsort(p->list, p->n, sizeof(*p->list), by_ends);
	for (size_t i = 0; i < p->n; i++) {
		struct pair *last = kept ? &p->list[kept - 1] : NULL;
		if (bh_slice_eq(p->list[i].from, p->list[i].to))
			continue;
		if (last && by_ends(last, &p->list[i]) == 0)
			last->ports = bh_slice_eq(last->ports, p->list[i].ports) ? last->ports : BH_SLICE_LIT("various");
		else
			p->list[kept++] = p->list[i];
	}
	p->n = kept;
}

static int pairs_of(const struct kube_answer *a, bool collapse, struct pairs *ret, struct bh_err *err)
{
	ret->n = a->rows.len;
	ret->list = calloc(a->rows.len + 1, sizeof(*ret->list));
	if (!ret->list)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a drawing");
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct bh_slice *cells = a->rows.ptr[i].cells;
		ret->list[i] = (struct pair){ cells[NETPOL_FROM], cells[NETPOL_TO], cells[NETPOL_PORTS] };
		if (collapse) {
			ret->list[i].from = collapsed(ret->list[i].from);
			ret->list[i].to = collapsed(ret->list[i].to);
		}
	}
	if (collapse)
		merge(ret);
	return 0;
}

/* Every end of a pair, once, in order; NULL: no memory. */
static struct bh_slice *collect_nodes(const struct pairs *p, size_t *ret_n)
{
	struct bh_slice *nodes = calloc(p->n * 2 + 1, sizeof(*nodes));
	size_t n = 0, kept = 0;
	for (size_t i = 0; nodes && i < p->n; i++) {
		nodes[n++] = p->list[i].from;
		nodes[n++] = p->list[i].to;
	}
	if (n)
		qsort(nodes, n, sizeof(*nodes), by_name);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !bh_slice_eq(nodes[kept - 1], nodes[i]))
			nodes[kept++] = nodes[i];
	*ret_n = kept;
	return nodes;
}

/* ---- dot: namespaces as clusters ---- */

static void add_node(struct bh_buf *out, const char *indent, struct bh_slice name, struct bh_slice label, const char *colour)
{
	bh_buf_add_str(out, indent);
	bh_buf_add_json(out, name);
	bh_buf_add_str(out, " [label=");
	bh_buf_add_json(out, label);
	bh_buf_printf(out, " color=\"%s\" fontcolor=\"%s\"]\n", colour, colour);
}

/* "cluster_NAMESPACE[namespace]": an identifier to dot, with underscores for hyphens. */
static void add_cluster_name(struct bh_buf *out, struct bh_slice ns)
{
	struct bh_buf name;
	bh_buf_init(&name, ns.len + 64);
	bh_buf_add_str(&name, "cluster_");
	for (size_t i = 0; i < ns.len; i++)
		bh_buf_add_byte(&name, ns.ptr[i] == '-' ? '_' : ns.ptr[i]);
	bh_buf_add_str(&name, "[namespace]");
	bh_buf_add_json(out, bh_buf_slice(&name));
	bh_buf_done(&name);
}

/* The namespace with what marks it as one. */
static void add_cluster_label(struct bh_buf *out, struct bh_slice ns)
{
	struct bh_buf label;
	bh_buf_init(&label, ns.len + 64);
	bh_buf_add(&label, ns);
	bh_buf_add_str(&label, "[namespace]");
	bh_buf_add_json(out, bh_buf_slice(&label));
	bh_buf_done(&label);
}

static void write_clusters(const struct bh_slice *nodes, size_t n, struct bh_buf *out)
{
	for (size_t i = 0; i < n;) {
		struct bh_slice ns = namespace_of(nodes[i]);
		if (!is_workload(nodes[i])) {
			i++;
			continue;
		}
		bh_buf_add_str(out, "\tsubgraph ");
		add_cluster_name(out, ns);
		bh_buf_add_str(out, " {\n\t\tcolor=\"black\"\n\t\tfontcolor=\"black\"\n");
		for (; i < n && is_workload(nodes[i]) && bh_slice_eq(namespace_of(nodes[i]), ns); i++)
			add_node(out, "\t\t", nodes[i], bh_slice_sub(nodes[i], ns.len + 1, nodes[i].len), "blue");
		bh_buf_add_str(out, "\t\tlabel=");
		add_cluster_label(out, ns);
		bh_buf_add_str(out, "\n\t}\n");
	}
	for (size_t i = 0; i < n; i++)
		if (!is_workload(nodes[i]))
			add_node(out, "\t", nodes[i], nodes[i], bh_slice_ends(nodes[i], BH_SLICE_LIT("[External]")) ? "red2" : "blue");
}

static void write_edges(const struct pairs *p, struct bh_buf *out)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct pair *e = &p->list[i];
		bh_buf_add_byte(out, '\t');
		bh_buf_add_json(out, e->from);
		bh_buf_add_str(out, " -> ");
		bh_buf_add_json(out, e->to);
		bh_buf_add_str(out, " [label=");
		bh_buf_add_json(out, e->ports);
		/* Lighter edges forward in the alphabet: dot then ranks the other way. */
		bh_buf_printf(out, " color=\"gold2\" fontcolor=\"darkgreen\" weight=%s]\n", bh_slice_cmp(e->from, e->to) < 0 ? "0.5" : "1");
	}
}

static void write_dot(const struct pairs *p, const struct bh_slice *nodes, size_t n, struct bh_buf *out)
{
	bh_buf_add_str(out, "digraph {\n");
	write_clusters(nodes, n, out);
	write_edges(p, out);
	bh_buf_add_str(out, "}\n");
}

/* ---- SVG ---- */

static void fill_node(struct bh_slice name, struct graph_node *ret)
{
	*ret = (struct graph_node){ .label = name, .note = name };
	if (is_workload(name)) {
		ret->group = namespace_of(name);
		ret->label = bh_slice_sub(name, ret->group.len + 1, name.len);
	} else if (bh_slice_ends(name, BH_SLICE_LIT("[External]")) || bh_slice_starts(name, BH_SLICE_LIT("{"))) {
		ret->class = GRAPH_OUTSIDE;
	}
}

static size_t index_of(const struct bh_slice *nodes, size_t n, const struct bh_slice *name)
{
	const struct bh_slice *at = bsearch(name, nodes, n, sizeof(*nodes), by_name);
	return at ? (size_t)(at - nodes) : 0;
}

static int write_svg(const struct pairs *p, const struct bh_slice *nodes, size_t n, struct bh_buf *out, struct bh_err *err)
{
	struct graph_node *drawn = calloc(n + 1, sizeof(*drawn));
	struct graph_edge *edges = calloc(p->n + 1, sizeof(*edges));
	int rc = drawn && edges ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for a drawing");
	for (size_t i = 0; rc == 0 && i < n; i++)
		fill_node(nodes[i], &drawn[i]);
	for (size_t i = 0; rc == 0 && i < p->n; i++) {
		const struct pair *e = &p->list[i];
		bool all = bh_slice_eq_str(e->ports, "All Connections");
		edges[i] = (struct graph_edge){ .from = index_of(nodes, n, &e->from), .to = index_of(nodes, n, &e->to), .label = e->ports, .note = e->ports };
		if (all)
			edges[i].label = BH_SLICE_LIT("all");
	}
	const struct graph g = { .title = BH_SLICE_LIT("Who may connect to whom"), .nodes = drawn, .n_nodes = n, .edges = edges, .n_edges = p->n };
	rc = rc < 0 ? rc : graph_svg(&g, out, err);
	free(drawn);
	free(edges);
	return rc;
}

int cmd_netpol_draw(const struct kube_answer *a, bool svg, bool collapse, struct bh_buf *out, struct bh_err *err)
{
	struct pairs p = { 0 };
	struct bh_slice *nodes = NULL;
	size_t n = 0;
	int rc = pairs_of(a, collapse, &p, err);
	if (rc == 0 && !(nodes = collect_nodes(&p, &n)))
		rc = bh_fail(err, BH_ENOMEM, 0, "out of memory for a drawing");
	if (rc == 0 && svg)
		rc = write_svg(&p, nodes, n, out, err);
	else if (rc == 0)
		write_dot(&p, nodes, n, out);
	free(nodes);
	free(p.list);
	return rc;
}
