/*
 * graph_layout.c: a drawing in layers, after Sugiyama, Tagawa and Toda (1981), but for the layers: a node's is its distance from where things begin, so that
 * what is all connected with all stays compact. An edge that leads back across layers gets a bend in each. Nodes are ordered in their layer by where
 * their neighbours stand, some times forth and back; then each moves as near to its neighbours as the others let it.
 */
#include "report/graph_layout.h"

#include <stdlib.h>

#define BENDS_MAX 40000u
#define SWEEPS 8u
#define NO_POINT GRAPH_NO_POINT

/* Neighbours of each point, as one array: point i has list[start[i]] to list[start[i + 1] - 1]. */
struct neighbours {
	uint32_t *start, *fill, *list;
};

struct layouting {
	const struct graph *g;
	struct bh_arena *arena;
	struct graph_layout *out;
	struct neighbours before, after; /* of points */
	uint32_t **layers;               /* points of each layer, in order */
	size_t *n_in_layer;
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for a drawing");
}

static bool counts(const struct graph_edge *e)
{
	return e->from != e->to;
}

/* ---- layers ---- */

/* The earlier and the later end of an edge. */
static size_t tail_of(const struct layouting *l, size_t edge)
{
	return l->out->is_turned[edge] ? l->g->edges[edge].to : l->g->edges[edge].from;
}

static size_t head_of(const struct layouting *l, size_t edge)
{
	return l->out->is_turned[edge] ? l->g->edges[edge].from : l->g->edges[edge].to;
}

static bool is_flat(const struct layouting *l, size_t edge)
{
	const struct graph_edge *e = &l->g->edges[edge];
	return !counts(e) || l->out->points[e->from].layer == l->out->points[e->to].layer;
}

/* Breadth first through edges by their source. */
struct walk {
	uint32_t *start, *fill, *edges;
	uint32_t *queue;
	bool *seen, *has_before;
	size_t begin, end;
};

static bool walk_init(const struct graph *g, struct bh_arena *a, struct walk *w)
{
	*w = (struct walk){
		.start = bh_arena_array(a, g->n_nodes + 2, sizeof(uint32_t)), .fill = bh_arena_array(a, g->n_nodes + 2, sizeof(uint32_t)),
		.edges = bh_arena_array(a, g->n_edges + 1, sizeof(uint32_t)), .queue = bh_arena_array(a, g->n_nodes + 1, sizeof(uint32_t)),
		.seen = bh_arena_array(a, g->n_nodes + 1, sizeof(bool)), .has_before = bh_arena_array(a, g->n_nodes + 1, sizeof(bool)),
	};
	if (!w->start || !w->fill || !w->edges || !w->queue || !w->seen || !w->has_before)
		return false;
	for (size_t i = 0; i < g->n_edges; i++) {
		w->start[g->edges[i].from + 1]++;
		w->has_before[g->edges[i].to] |= counts(&g->edges[i]);
	}
	for (size_t i = 0; i < g->n_nodes; i++)
		w->start[i + 1] += w->start[i];
	for (size_t i = 0; i < g->n_edges; i++) {
		size_t from = g->edges[i].from;
		w->edges[w->start[from] + w->fill[from]++] = (uint32_t)i;
	}
	return true;
}

static void push(struct walk *w, size_t node)
{
	if (w->seen[node])
		return;
	w->seen[node] = true;
	w->queue[w->end++] = (uint32_t)node;
}

static void spread(struct layouting *l, struct walk *w)
{
	struct graph_point *p = l->out->points;
	for (; w->begin < w->end; w->begin++) {
		uint32_t at = w->queue[w->begin];
		for (uint32_t i = w->start[at]; i < w->start[at + 1]; i++) {
			size_t to = l->g->edges[w->edges[i]].to;
			if (!w->seen[to])
				p[to].layer = p[at].layer + 1;
			push(w, to);
		}
	}
}

/* Things begin where nothing leads to, and outside. What can't be reached from there begins with the first of its nodes. */
static bool find_layers(struct layouting *l)
{
	const struct graph *g = l->g;
	struct walk w;
	if (!walk_init(g, l->arena, &w))
		return false;
	for (size_t i = 0; i < g->n_nodes; i++)
		if (!w.has_before[i] || (g->nodes[i].class == GRAPH_OUTSIDE && w.start[i + 1] > w.start[i]))
			push(&w, i);
	spread(l, &w);
	for (size_t i = 0; i < g->n_nodes; i++) {
		push(&w, i);
		spread(l, &w);
	}
	for (size_t i = 0; i < g->n_edges; i++)
		l->out->is_turned[i] = l->out->points[g->edges[i].to].layer < l->out->points[g->edges[i].from].layer;
	for (size_t i = 0; i < g->n_nodes; i++)
		if (l->out->points[i].layer + 1 > l->out->n_layers)
			l->out->n_layers = l->out->points[i].layer + 1;
	return true;
}

/* ---- bends ---- */

static size_t count_bends(const struct layouting *l)
{
	size_t n = 0;
	for (size_t i = 0; i < l->g->n_edges; i++)
		if (!is_flat(l, i))
			n += l->out->points[head_of(l, i)].layer - l->out->points[tail_of(l, i)].layer - 1;
	return n;
}

static void add_bends(struct layouting *l)
{
	struct graph_point *p = l->out->points;
	for (size_t i = 0; i < l->g->n_edges; i++) {
		size_t tail = tail_of(l, i), head = head_of(l, i);
		uint32_t *at = &l->out->first_bend[i];
		*at = NO_POINT;
		for (uint32_t layer = p[tail].layer + 1; !is_flat(l, i) && layer < p[head].layer; layer++) {
			*at = (uint32_t)l->out->n_points++;
			p[*at] = (struct graph_point){ .layer = layer, .is_bend = true, .next = NO_POINT };
			at = &p[*at].next;
		}
	}
}

/* Calls with each step of an edge from one layer to the next. */
static void each_step(const struct layouting *l, void (*step)(void *ctx, uint32_t from, uint32_t to), void *ctx)
{
	for (size_t i = 0; i < l->g->n_edges; i++) {
		uint32_t at = (uint32_t)tail_of(l, i);
		if (is_flat(l, i))
			continue;
		for (uint32_t b = l->out->first_bend[i]; b != NO_POINT; b = l->out->points[b].next) {
			step(ctx, at, b);
			at = b;
		}
		step(ctx, at, (uint32_t)head_of(l, i));
	}
}

static void count_step(void *ctx, uint32_t from, uint32_t to)
{
	struct layouting *l = ctx;
	l->after.start[from + 1]++;
	l->before.start[to + 1]++;
}

static void add_step(void *ctx, uint32_t from, uint32_t to)
{
	struct layouting *l = ctx;
	l->after.list[l->after.start[from] + l->after.fill[from]++] = to;
	l->before.list[l->before.start[to] + l->before.fill[to]++] = from;
}

static bool make_neighbours(struct layouting *l)
{
	struct neighbours *const both[] = { &l->before, &l->after };
	size_t n = l->out->n_points, steps = l->g->n_edges + n;
	for (size_t k = 0; k < 2; k++) {
		both[k]->start = bh_arena_array(l->arena, n + 2, sizeof(uint32_t));
		both[k]->fill = bh_arena_array(l->arena, n + 2, sizeof(uint32_t));
		both[k]->list = bh_arena_array(l->arena, steps + 1, sizeof(uint32_t));
		if (!both[k]->start || !both[k]->fill || !both[k]->list)
			return false;
	}
	each_step(l, count_step, l);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < n; i++)
			both[k]->start[i + 1] += both[k]->start[i];
	each_step(l, add_step, l);
	return true;
}

/* ---- order ---- */

static bool fill_layers(struct layouting *l)
{
	l->layers = bh_arena_array(l->arena, l->out->n_layers + 1, sizeof(*l->layers));
	l->n_in_layer = bh_arena_array(l->arena, l->out->n_layers + 1, sizeof(*l->n_in_layer));
	if (!l->layers || !l->n_in_layer)
		return false;
	for (size_t i = 0; i < l->out->n_points; i++)
		l->n_in_layer[l->out->points[i].layer]++;
	for (size_t k = 0; k < l->out->n_layers; k++) {
		l->layers[k] = bh_arena_array(l->arena, l->n_in_layer[k] + 1, sizeof(uint32_t));
		l->n_in_layer[k] = 0;
		if (!l->layers[k])
			return false;
	}
	for (size_t i = 0; i < l->out->n_points; i++) {
		struct graph_point *p = &l->out->points[i];
		p->rank = (uint32_t)l->n_in_layer[p->layer];
		l->layers[p->layer][l->n_in_layer[p->layer]++] = (uint32_t)i;
	}
	return true;
}

static int by_key(const void *a, const void *b)
{
	const struct graph_point *x = *(const struct graph_point *const *)a, *y = *(const struct graph_point *const *)b;
	if (x->key < y->key || x->key > y->key)
		return x->key < y->key ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Where the neighbours on one side stand in the middle; without any, where it stands. */
static double middle_rank(const struct layouting *l, const struct neighbours *side, uint32_t point)
{
	uint32_t from = side->start[point], to = side->start[point + 1];
	double sum = 0;
	for (uint32_t i = from; i < to; i++)
		sum += l->out->points[side->list[i]].rank;
	return to > from ? sum / (to - from) : l->out->points[point].rank;
}

static void order_layer(struct layouting *l, size_t layer, const struct neighbours *side, struct graph_point **sorted)
{
	size_t n = l->n_in_layer[layer];
	for (size_t i = 0; i < n; i++) {
		sorted[i] = &l->out->points[l->layers[layer][i]];
		sorted[i]->key = middle_rank(l, side, l->layers[layer][i]);
	}
	if (n)
		qsort(sorted, n, sizeof(*sorted), by_key);
	for (size_t i = 0; i < n; i++) {
		l->layers[layer][i] = (uint32_t)(sorted[i] - l->out->points);
		sorted[i]->rank = (uint32_t)i;
	}
}

static bool order(struct layouting *l)
{
	struct graph_point **sorted = bh_arena_array(l->arena, l->out->n_points + 1, sizeof(*sorted));
	for (size_t sweep = 0; sorted && sweep < SWEEPS; sweep++)
		for (size_t i = 0; i < l->out->n_layers; i++)
			order_layer(l, sweep % 2 ? l->out->n_layers - 1 - i : i, sweep % 2 ? &l->after : &l->before, sorted);
	return sorted != NULL;
}

/* ---- heights ---- */

static double middle_height(const struct layouting *l, uint32_t point)
{
	const struct neighbours *const both[] = { &l->before, &l->after };
	double sum = 0;
	size_t n = 0;
	for (size_t k = 0; k < 2; k++)
		for (uint32_t i = both[k]->start[point]; i < both[k]->start[point + 1]; i++, n++)
			sum += l->out->points[both[k]->list[i]].y;
	return n ? sum / (double)n : l->out->points[point].y;
}

/* As near to where each wants to be as the order and the gaps allow: the mean of pushing down and of pushing up keeps both. */
static void settle(struct layouting *l, size_t layer, int32_t gap, int32_t *down)
{
	const uint32_t *in = l->layers[layer];
	size_t n = l->n_in_layer[layer];
	double up = 0;
	for (size_t i = 0; i < n; i++) {
		l->out->points[in[i]].key = middle_height(l, in[i]);
		int32_t wanted = (int32_t)l->out->points[in[i]].key;
		down[i] = i && wanted < down[i - 1] + gap ? down[i - 1] + gap : wanted;
	}
	for (size_t i = n; i-- > 0;) {
		double wanted = l->out->points[in[i]].key;
		up = i + 1 < n && wanted > up - gap ? up - gap : wanted;
		l->out->points[in[i]].y = (int32_t)((down[i] + up) / 2);
	}
	/* Rounding must not eat a gap. */
	for (size_t i = 1; i < n; i++)
		if (l->out->points[in[i]].y < l->out->points[in[i - 1]].y + gap)
			l->out->points[in[i]].y = l->out->points[in[i - 1]].y + gap;
}

static bool place(struct layouting *l, int32_t gap)
{
	int32_t *down = bh_arena_array(l->arena, l->out->n_points + 1, sizeof(*down)), least = INT32_MAX;
	if (!down)
		return false;
	for (size_t i = 0; i < l->out->n_points; i++) {
		struct graph_point *p = &l->out->points[i];
		p->y = (int32_t)p->rank * gap - (int32_t)(l->n_in_layer[p->layer] / 2) * gap;
	}
	for (size_t sweep = 0; sweep < SWEEPS; sweep++)
		for (size_t i = 0; i < l->out->n_layers; i++)
			settle(l, sweep % 2 ? l->out->n_layers - 1 - i : i, gap, down);
	for (size_t i = 0; i < l->out->n_points; i++)
		least = l->out->points[i].y < least ? l->out->points[i].y : least;
	for (size_t i = 0; i < l->out->n_points; i++)
		l->out->points[i].y -= least;
	return true;
}

int graph_lay_out(const struct graph *g, int32_t gap, struct bh_arena *arena, struct graph_layout *ret, struct bh_err *err)
{
	struct layouting l = { .g = g, .arena = arena, .out = ret };
	*ret = (struct graph_layout){
		.points = bh_arena_array(arena, g->n_nodes + BENDS_MAX, sizeof(struct graph_point)), .n_points = g->n_nodes,
		.first_bend = bh_arena_array(arena, g->n_edges + 1, sizeof(uint32_t)), .is_turned = bh_arena_array(arena, g->n_edges + 1, sizeof(bool)),
	};
	if (!ret->points || !ret->first_bend || !ret->is_turned || !find_layers(&l))
		return no_memory(err);
	if (count_bends(&l) > BENDS_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "the graph is too deep and has too many edges for a drawing");
	add_bends(&l);
	return make_neighbours(&l) && fill_layers(&l) && order(&l) && place(&l, gap) ? 0 : no_memory(err);
}
