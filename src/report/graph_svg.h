/*
 * graph_svg.h: a directed graph as an SVG drawing: layers from left to right, arrows between them. For whatever has nodes and edges: who may connect to
 * whom, who may do what, which way an attack goes. Names are escaped; the same graph gives the same bytes.
 *
 *     struct graph_node nodes[] = { { .label = BH_SLICE_LIT("web"), .group = BH_SLICE_LIT("shop") }, ... };
 *     struct graph_edge edges[] = { { .from = 0, .to = 1, .label = BH_SLICE_LIT("TCP 80") } };
 *     graph_svg(&(struct graph){ .title = ..., .nodes = nodes, .n_nodes = 2, .edges = edges, .n_edges = 1 }, &out, &err);
 */
#ifndef BH_REPORT_GRAPH_SVG_H
#define BH_REPORT_GRAPH_SVG_H

#include "base/buf.h"

#define GRAPH_NODES_MAX 2000u
#define GRAPH_EDGES_MAX 10000u /* nobody can look at more */

/* How something is drawn. */
enum graph_class {
	GRAPH_NORMAL,
	GRAPH_OUTSIDE, /* not ours: the internet, an external user */
	GRAPH_GOOD,    /* added, allowed, safe */
	GRAPH_BAD,     /* removed, reached by an attack */
	GRAPH_STRONG,  /* what matters most: a target, a choke point */
	GRAPH_MUTED,
};

struct graph_node {
	struct bh_slice label;
	struct bh_slice group; /* nodes of one group have one colour and its name under theirs; empty: none */
	struct bh_slice note;  /* shown when somebody points at it; empty: the label */
	enum graph_class class;
};

struct graph_edge {
	size_t from, to;       /* indexes of nodes; edges from a node to itself are left out */
	struct bh_slice label;
	struct bh_slice note;
	enum graph_class class;
};

struct graph {
	struct bh_slice title;
	const struct graph_node *nodes;
	size_t n_nodes;
	const struct graph_edge *edges;
	size_t n_edges;
};

/* BH_ELIMIT: too many nodes or edges for a drawing. */
int graph_svg(const struct graph *g, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

#endif
