/*
 * paths_draw.c: the ways as a drawing: what the attacker gains stands in boxes, what he does on the arrows. What only joins two rules (a namespace whose
 * secrets can be read, a class of workloads) is no box of its own: the arrow goes on to what is gained there.
 */
#include "cmd/paths_write.h"

#include "base/map.h"
#include "kube/paths.h"
#include "report/graph_svg.h"

#define TEXTS_BYTES_MAX (64u << 20)
#define CHAIN_MAX 12u /* joining conclusions one behind the other */

struct drawing {
	const struct kube_answer *a;
	struct bh_arena arena;
	struct bh_map nodes, steps, edges; /* fact -> its number + 1; concluded fact -> its step's row; "from to" */
	struct graph_node *list;
	struct graph_edge *arrows;
	size_t n_nodes, n_arrows;
	struct bh_err *err;
};

/* What facts are to who looks at them; the others only join. */
static const struct {
	const char *predicate, *group;
	enum graph_class class;
} shown[] = {
	{ "outside", "outside", GRAPH_OUTSIDE }, { "start", "outside", GRAPH_OUTSIDE },   { "start_as", "outside", GRAPH_OUTSIDE },
	{ "code", "code in", GRAPH_BAD },        { "identity", "service account", GRAPH_NORMAL }, { "secret", "secret", GRAPH_NORMAL },
	{ "node", "node", GRAPH_BAD },           { "admin", "administrator of", GRAPH_STRONG },   { "cloud", "cloud", GRAPH_STRONG },
	{ "data", "volume", GRAPH_NORMAL },
};

static int full(struct drawing *d)
{
	return bh_fail(d->err, BH_ELIMIT, 0, "more ways than fit into a drawing (%u boxes, %u arrows); ask for fewer with --to and --ways", GRAPH_NODES_MAX,
		       GRAPH_EDGES_MAX);
}

static int kind_of(struct bh_slice fact)
{
	struct bh_slice predicate = bh_slice_sub(fact, 0, bh_slice_find(fact, ' '));
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		if (bh_slice_eq_str(predicate, shown[i].predicate))
			return (int)i;
	return -1;
}

static int node_of(struct drawing *d, struct bh_slice fact, size_t *ret)
{
	const void *known = bh_map_get(&d->nodes, fact);
	int kind = kind_of(fact);
	if (known) {
		*ret = (size_t)((uintptr_t)known - 1);
		return 0;
	}
	void **at = d->n_nodes < GRAPH_NODES_MAX ? bh_map_put(&d->nodes, fact) : NULL;
	if (!at)
		return full(d);
	size_t space = bh_slice_find(fact, ' ');
	d->list[d->n_nodes] = (struct graph_node){
		.label = bh_slice_sub(fact, space < fact.len ? space + 1 : 0, fact.len), .group = bh_slice_str(shown[kind].group), .class = shown[kind].class,
	};
	*ret = d->n_nodes++;
	*at = (void *)((uintptr_t)*ret + 1);
	return 0;
}

static int add_arrow(struct drawing *d, size_t from, size_t to, const struct kube_row *step)
{
	char key[64];
	struct bh_slice copy;
	int n = snprintf(key, sizeof(key), "%zu %zu", from, to);
	struct bh_slice text = { (const uint8_t *)key, (size_t)n };
	if (from == to || bh_map_get(&d->edges, text))
		return 0;
	void **at = d->n_arrows < GRAPH_EDGES_MAX && bh_arena_copy(&d->arena, text, &copy) ? bh_map_put(&d->edges, copy) : NULL;
	if (!at)
		return full(d);
	*at = d;
	struct bh_slice technique = kube_cell(step, PATHS_STEP_TECHNIQUE), rule = kube_cell(step, PATHS_STEP_RULE);
	const char *label = bh_arena_printf(&d->arena, "%.*s %.*s", BH_SLICE_FMT(technique), BH_SLICE_FMT(rule));
	d->arrows[d->n_arrows++] = (struct graph_edge){
		.from = from, .to = to, .label = bh_slice_trim(bh_slice_str(label ? label : "")), .note = kube_cell(step, PATHS_STEP_SENTENCE),
	};
	return label ? 0 : full(d);
}

/* Arrows from what the step rests on; through conclusions that only join to what those rest on. */
static int draw_into(struct drawing *d, size_t to, const struct kube_row *said, const struct kube_row *step, unsigned depth)
{
	struct bh_slice needs = kube_cell(step, PATHS_STEP_NEEDS), fact;
	int rc = 0;
	while (rc == 0 && needs.len && depth < CHAIN_MAX) {
		size_t end = bh_slice_find(needs, ';'), from = 0;
		fact = bh_slice_sub(needs, 0, end);
		needs = end < needs.len ? bh_slice_trim(bh_slice_sub(needs, end + 1, needs.len)) : (struct bh_slice){ 0 };
		const struct kube_row *before = bh_map_get(&d->steps, fact);
		if (kind_of(fact) >= 0) {
			rc = node_of(d, fact, &from);
			rc = rc < 0 ? rc : add_arrow(d, from, to, said);
		} else if (before) {
			rc = draw_into(d, to, before, before, depth + 1);
		}
	}
	return rc;
}

static int draw_step(struct drawing *d, const struct kube_row *step)
{
	size_t to;
	if (kind_of(kube_cell(step, PATHS_STEP_CONCLUDES)) < 0)
		return 0;
	int rc = node_of(d, kube_cell(step, PATHS_STEP_CONCLUDES), &to);
	return rc < 0 ? rc : draw_into(d, to, step, step, 0);
}

/* By what a way concludes: of one fact the first step counts, as other ways go the same way there or need not be told apart. */
static int note_steps(struct drawing *d)
{
	for (size_t i = 0; i < d->a->rows.len; i++) {
		struct kube_row *row = &d->a->rows.ptr[i];
		if (row->kind != PATHS_ROW_STEP || bh_map_get(&d->steps, kube_cell(row, PATHS_STEP_CONCLUDES)))
			continue;
		void **at = bh_map_put(&d->steps, kube_cell(row, PATHS_STEP_CONCLUDES));
		if (!at)
			return full(d);
		*at = row;
	}
	return 0;
}

static int draw_all(struct drawing *d, struct bh_buf *out)
{
	d->list = bh_arena_array(&d->arena, GRAPH_NODES_MAX, sizeof(*d->list));
	d->arrows = bh_arena_array(&d->arena, GRAPH_EDGES_MAX, sizeof(*d->arrows));
	int rc = d->list && d->arrows ? note_steps(d) : full(d);
	for (size_t i = 0; rc == 0 && i < d->a->rows.len; i++)
		if (d->a->rows.ptr[i].kind == PATHS_ROW_STEP)
			rc = draw_step(d, &d->a->rows.ptr[i]);
	const struct graph graph = { .title = BH_SLICE_LIT("Attack paths"), .nodes = d->list, .n_nodes = d->n_nodes, .edges = d->arrows, .n_edges = d->n_arrows };
	return rc < 0 ? rc : graph_svg(&graph, out, d->err);
}

int paths_draw(const struct kube_answer *a, struct bh_buf *out, struct bh_err *err)
{
	struct drawing d = { .a = a, .err = err };
	bh_arena_init(&d.arena, TEXTS_BYTES_MAX);
	bh_map_init(&d.nodes, GRAPH_NODES_MAX);
	bh_map_init(&d.steps, KUBE_ASK_ROWS_MAX);
	bh_map_init(&d.edges, GRAPH_EDGES_MAX);
	int rc = draw_all(&d, out);
	bh_map_done(&d.nodes);
	bh_map_done(&d.steps);
	bh_map_done(&d.edges);
	bh_arena_done(&d.arena);
	return rc;
}
