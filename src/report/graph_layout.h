/* graph_layout.h: where the nodes and the bends of the edges of a drawing stand. For graph_svg.c. */
#ifndef BH_REPORT_GRAPH_LAYOUT_H
#define BH_REPORT_GRAPH_LAYOUT_H

#include "base/arena.h"
#include "report/graph_svg.h"

#define GRAPH_NO_POINT UINT32_MAX

/* A node, or where an edge passes a layer that it only crosses. */
struct graph_point {
	uint32_t layer;
	int32_t y;         /* of its middle; the smallest is 0 */
	bool is_bend;
	uint32_t next;     /* of a bend: the next point of its edge, towards its later layer */
	/* Used while ordering: */
	double key;
	uint32_t rank;     /* in its layer */
};

struct graph_layout {
	struct graph_point *points; /* first the nodes, then the bends */
	size_t n_points;
	uint32_t *first_bend;       /* by edge: from the earlier layer's end on; GRAPH_NO_POINT: none */
	bool *is_turned;            /* by edge: it leads from a later layer to an earlier one */
	uint32_t n_layers;
};

/* gap: between the middles of neighbours in a layer. Everything lives in the arena. */
int graph_lay_out(const struct graph *g, int32_t gap, struct bh_arena *arena, struct graph_layout *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
