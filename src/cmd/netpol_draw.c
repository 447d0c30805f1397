/* netpol_draw.c: the list of `bulkhead netpol` as a drawing: a text for graphviz, with namespaces as boxes. */
#include <stdlib.h>

#include "cmd/netpol.h"

static bool is_workload(struct bh_slice name)
{
	return bh_slice_find(name, '/') < name.len;
}

static struct bh_slice namespace_of(struct bh_slice name)
{
	return bh_slice_sub(name, 0, bh_slice_find(name, '/'));
}

static int by_name(const void *a, const void *b)
{
	return bh_slice_cmp(*(const struct bh_slice *)a, *(const struct bh_slice *)b);
}

/* Every end of a pair, once, in order; workloads first. */
static size_t collect_nodes(const struct kube_answer *a, struct bh_slice *nodes)
{
	size_t n = 0, kept = 0;
	for (size_t i = 0; i < a->rows.len; i++) {
		nodes[n++] = a->rows.ptr[i].cells[NETPOL_FROM];
		nodes[n++] = a->rows.ptr[i].cells[NETPOL_TO];
	}
	if (n)
		qsort(nodes, n, sizeof(*nodes), by_name);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !bh_slice_eq(nodes[kept - 1], nodes[i]))
			nodes[kept++] = nodes[i];
	return kept;
}

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

static void write_edges(const struct kube_answer *a, struct bh_buf *out)
{
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct bh_slice *cells = a->rows.ptr[i].cells;
		bh_buf_add_byte(out, '\t');
		bh_buf_add_json(out, cells[NETPOL_FROM]);
		bh_buf_add_str(out, " -> ");
		bh_buf_add_json(out, cells[NETPOL_TO]);
		bh_buf_add_str(out, " [label=");
		bh_buf_add_json(out, cells[NETPOL_PORTS]);
		/* Lighter edges forward in the alphabet: dot then ranks the other way. */
		bh_buf_printf(out, " color=\"gold2\" fontcolor=\"darkgreen\" weight=%s]\n", bh_slice_cmp(cells[NETPOL_FROM], cells[NETPOL_TO]) < 0 ? "0.5" : "1");
	}
}

int cmd_netpol_dot(const struct kube_answer *a, struct bh_buf *out, struct bh_err *err)
{
	struct bh_slice *nodes = calloc(a->rows.len * 2 + 1, sizeof(*nodes));
	if (!nodes)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a drawing");
	size_t n = collect_nodes(a, nodes);
	bh_buf_add_str(out, "digraph {\n");
	write_clusters(nodes, n, out);
	write_edges(a, out);
	bh_buf_add_str(out, "}\n");
	free(nodes);
	return 0;
}
