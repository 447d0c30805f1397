/* test_graph_svg.c: drawings of graphs. What is expected follows from the layout's rules: layers by distance, gaps kept, nothing outside of the drawing. */
#include "report/graph_svg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "report/graph_layout.h"

#define GAP 48
#define MEMORY_BYTES (128u << 20)

/* "01 12 20": edges between nodes named by a digit. */
static size_t read_edges(const char *text, struct graph_edge *edges)
{
	size_t n = 0;
	for (; *text; text += text[2] ? 3 : 2)
		edges[n++] = (struct graph_edge){ .from = (size_t)(text[0] - '0'), .to = (size_t)(text[1] - '0') };
	return n;
}

static void layers_are_distances(void **state)
{
	static const struct {
		size_t n;
		const char *edges;
		const char *layers; /* a digit per node */
	} cases[] = {
		{ 1, "", "0" },
		{ 3, "", "000" },
		{ 2, "01", "01" },
		{ 4, "01 12 23", "0123" },
		{ 4, "01 12 23 03", "0121" },  /* the shorter way */
		{ 3, "01 12 20", "012" },      /* a cycle begins with its first node */
		{ 2, "01 10", "01" },
		{ 3, "12", "001" },
		{ 4, "01 02 03 12 23 31", "0111" },
		{ 1, "00", "0" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct graph_node nodes[10] = { 0 };
		struct graph_edge edges[20];
		struct graph_layout out;
		struct bh_arena arena;
		struct bh_err err = { 0 };
		const struct graph g = { .nodes = nodes, .n_nodes = cases[i].n, .edges = edges, .n_edges = read_edges(cases[i].edges, edges) };
		bh_arena_init(&arena, MEMORY_BYTES);
		assert_int_equal(graph_lay_out(&g, GAP, &arena, &out, &err), 0);
		for (size_t k = 0; k < g.n_nodes; k++)
			assert_int_equal(out.points[k].layer, cases[i].layers[k] - '0');
		bh_arena_done(&arena);
	}
}

/* A fixed sequence of numbers (Numerical Recipes' generator): graphs of many shapes, the same each time. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

static void neighbours_keep_their_gap(void **state)
{
	struct graph_node *nodes = calloc(100, sizeof(*nodes));
	struct graph_edge *edges = calloc(400, sizeof(*edges));
	uint32_t seed = 1;
	(void)state;
	assert_true(nodes && edges);
	for (size_t round = 0; round < 50; round++) {
		struct graph_layout out;
		struct bh_arena arena;
		struct bh_err err = { 0 };
		const struct graph g = { .nodes = nodes, .n_nodes = 1 + next_random(&seed) % 100, .edges = edges, .n_edges = next_random(&seed) % 400 };
		for (size_t i = 0; i < g.n_edges; i++)
			edges[i] = (struct graph_edge){ .from = next_random(&seed) % g.n_nodes, .to = next_random(&seed) % g.n_nodes };
		bh_arena_init(&arena, MEMORY_BYTES);
		assert_int_equal(graph_lay_out(&g, GAP, &arena, &out, &err), 0);
		for (size_t i = 0; i < out.n_points; i++) {
			assert_true(out.points[i].y >= 0 && out.points[i].layer < out.n_layers);
			for (size_t k = i + 1; k < out.n_points; k++)
				assert_true(out.points[i].layer != out.points[k].layer || abs(out.points[i].y - out.points[k].y) >= GAP);
		}
		bh_arena_done(&arena);
	}
	free(nodes);
	free(edges);
}

static void too_many_are_refused(void **state)
{
	struct bh_buf out;
	struct bh_err err = { 0 };
	const struct graph g = { .n_nodes = GRAPH_NODES_MAX + 1 };
	(void)state;
	bh_buf_init(&out, MEMORY_BYTES);
	assert_int_equal(graph_svg(&g, &out, &err), BH_ELIMIT);
	bh_buf_done(&out);
}

static void names_are_escaped(void **state)
{
	const struct graph_node nodes[] = { { .label = BH_SLICE_LIT("</svg><script>"), .group = BH_SLICE_LIT("a\"b&\x1b") }, { .label = BH_SLICE_LIT("b") } };
	const struct graph_edge edges[] = { { .from = 0, .to = 1, .label = BH_SLICE_LIT("<&>"), .class = GRAPH_BAD } };
	const struct graph g = { .title = BH_SLICE_LIT("<t>"), .nodes = nodes, .n_nodes = 2, .edges = edges, .n_edges = 1 };
	struct bh_buf out;
	struct bh_err err = { 0 };
	(void)state;
	bh_buf_init(&out, MEMORY_BYTES);
	assert_int_equal(graph_svg(&g, &out, &err), 0);
	assert_null(bh_slice_search(bh_buf_slice(&out), "<script"));
	assert_null(bh_slice_search(bh_buf_slice(&out), "\x1b"));
	assert_non_null(bh_slice_search(bh_buf_slice(&out), "&lt;/svg&gt;&lt;script&gt;"));
	assert_non_null(bh_slice_search(bh_buf_slice(&out), "&lt;&amp;&gt;</text>"));
	bh_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_are_distances),
		cmocka_unit_test(neighbours_keep_their_gap),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(names_are_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
