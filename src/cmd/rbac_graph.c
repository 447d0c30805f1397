/* rbac_graph.c: `bulkhead rbac graph PATH...`: who is bound to which role, as a drawing. */
#include "cmd/rbac.h"

#include <stdlib.h>

#include "base/map.h"
#include "cmd/output.h"
#include "cmd/scanning.h"
#include "report/graph_svg.h"

/* The node of that name: its index + 1 lies in the map. False: no memory, or too many. */
static bool find_node(struct bh_map *known, struct graph *g, struct graph_node *nodes, struct bh_slice label, enum graph_class class, size_t *ret)
{
	void **at = bh_map_put(known, label);
	if (!at || (!*at && g->n_nodes == GRAPH_NODES_MAX))
		return false;
	if (!*at) {
		nodes[g->n_nodes] = (struct graph_node){ .label = label, .class = class };
		*at = &nodes[g->n_nodes++];
	}
	*ret = (size_t)((struct graph_node *)*at - nodes);
	return true;
}

static bool add_row(struct bh_map *known, struct graph *g, struct graph_node *nodes, struct graph_edge *edges, const struct kube_row *row)
{
	struct bh_slice role = kube_cell(row, RBAC_BOUND_ROLE);
	struct graph_edge e = { .label = kube_cell(row, RBAC_BOUND_SCOPE), .note = kube_cell(row, RBAC_BOUND_BINDING) };
	if (e.label.len == 0)
		e.label = BH_SLICE_LIT("everywhere");
	if (g->n_edges == GRAPH_EDGES_MAX || !find_node(known, g, nodes, kube_cell(row, RBAC_BOUND_SUBJECT), GRAPH_NORMAL, &e.from)
	    || !find_node(known, g, nodes, role, bh_slice_eq_str(role, "ClusterRole cluster-admin") ? GRAPH_STRONG : GRAPH_MUTED, &e.to))
		return false;
	edges[g->n_edges++] = e;
	return true;
}

static int draw(const struct kube_answer *a, struct bh_buf *out, struct bh_err *err)
{
	struct graph_node *nodes = calloc(GRAPH_NODES_MAX, sizeof(*nodes));
	struct graph_edge *edges = calloc(GRAPH_EDGES_MAX, sizeof(*edges));
	struct graph g = { .title = BH_SLICE_LIT("Who is bound to which role"), .nodes = nodes, .edges = edges };
	struct bh_map known;
	bh_map_init(&known, GRAPH_NODES_MAX + 1);
	bool ok = nodes && edges;
	for (size_t i = 0; ok && i < a->rows.len; i++)
		ok = add_row(&known, &g, nodes, edges, &a->rows.ptr[i]);
	int rc = ok ? graph_svg(&g, out, err) : bh_fail(err, BH_ELIMIT, 0, "more than %u subjects and roles: too many for a drawing", GRAPH_NODES_MAX);
	bh_map_done(&known);
	free(edges);
	free(nodes);
	return rc;
}

int cmd_rbac_graph(const struct cmd_args *args, const char *const *targets, size_t n)
{
	struct rbac_asking a;
	struct kube_answer answer;
	struct bh_err err = { 0 };
	struct bh_buf out;
	const struct kube_question question = { .name = "roles", .paths = { { targets, n } }, .answer = rbac_bound, .ctx = &a };
	int rc = cmd_rbac_asking(args, &a, &err);
	rc = rc < 0 ? rc : cmd_ask(args, &question, &answer, &err);
	if (rc < 0)
		return cmd_no_report(&err);
	cmd_tell_gaps(&answer);
	bh_buf_init(&out, RBAC_DOCUMENT_BYTES_MAX);
	rc = cmd_want_objects(&answer, targets[0], &err);
	rc = rc < 0 ? rc : draw(&answer, &out, &err);
	rc = rc < 0 ? rc : cmd_write_document(args, &out, &err);
	bh_buf_done(&out);
	int code = rc < 0 ? cmd_no_report(&err) : answer.gaps.len ? EXIT_INCOMPLETE : EXIT_CLEAN;
	kube_answer_done(&answer);
	return code;
}
