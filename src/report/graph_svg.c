#include "report/graph_svg.h"

#include "report/describe.h"
#include "report/graph_layout.h"

#define ARENA_BYTES_MAX (128u << 20)
#define LABEL_CHARACTERS_MAX 44u
#define EDGE_CHARACTERS_MAX 24u
#define CHARACTER_PX 7      /* of a 12 px sans-serif, a little more than its mean */
#define SMALL_CHARACTER_PX 6 /* of a 10 px one */
#define NODE_HEIGHT_PX 34
#define GAP_PX 48           /* between the middles of neighbours */
#define COLUMN_GAP_PX 170   /* between columns: room for the labels of edges */
#define MARGIN_PX 24
#define TITLE_PX 40
#define HUES 12u            /* of groups */

struct drawing {
	const struct graph *g;
	struct graph_layout at;
	int32_t *x, *width;     /* by layer: left edge and width of its column */
	int32_t *label_x, *label_y; /* by edge */
	int32_t total_x, total_y;
	struct bh_buf *out;
};

/* ---- texts ---- */

/* Whole characters, at most so many; whether something was cut. */
static struct bh_slice shortened(struct bh_slice text, size_t max, bool *ret_cut)
{
	size_t n = 0, end = 0;
	for (struct bh_slice rest = text, c; n < max && describe_next(&rest, &c); n++)
		end = text.len - rest.len;
	*ret_cut = end < text.len;
	return bh_slice_sub(text, 0, end);
}

static int32_t text_px(struct bh_slice text)
{
	int32_t n = 0;
	for (struct bh_slice rest = text, c; n < (int32_t)LABEL_CHARACTERS_MAX && describe_next(&rest, &c);)
		n++;
	return n * CHARACTER_PX;
}

static void add_text(struct bh_buf *out, struct bh_slice text, size_t max)
{
	bool cut;
	describe_markup(out, shortened(text, max, &cut));
	bh_buf_add_str(out, cut ? "\xe2\x80\xa6" : "");
}

static void add_note(struct bh_buf *out, struct bh_slice note, struct bh_slice label)
{
	bh_buf_add_str(out, "<title>");
	describe_markup(out, note.len ? note : label);
	bh_buf_add_str(out, "</title>");
}

/* ---- where ---- */

static int32_t node_px(const struct graph_node *n)
{
	int32_t label = text_px(n->label), group = text_px(n->group);
	return (label > group ? label : group) + 24;
}

static bool bows_in_last_column(const struct drawing *d)
{
	for (size_t i = 0; i < d->g->n_edges; i++)
		if (d->at.points[d->g->edges[i].from].layer + 1 == d->at.n_layers && d->at.points[d->g->edges[i].to].layer + 1 == d->at.n_layers)
			return true;
	return false;
}

static bool place_columns(struct drawing *d, struct bh_arena *arena)
{
	int32_t at = MARGIN_PX;
	d->x = bh_arena_array(arena, d->at.n_layers + 1, sizeof(*d->x));
	d->width = bh_arena_array(arena, d->at.n_layers + 1, sizeof(*d->width));
	d->label_x = bh_arena_array(arena, d->g->n_edges + 1, sizeof(*d->label_x));
	d->label_y = bh_arena_array(arena, d->g->n_edges + 1, sizeof(*d->label_y));
	if (!d->x || !d->width || !d->label_x || !d->label_y)
		return false;
	for (size_t i = 0; i < d->g->n_nodes; i++) {
		int32_t px = node_px(&d->g->nodes[i]), *width = &d->width[d->at.points[i].layer];
		*width = px > *width ? px : *width;
	}
	for (size_t i = 0; i < d->at.n_layers; i++) {
		d->x[i] = at;
		at += d->width[i] + COLUMN_GAP_PX;
	}
	d->total_x = at - COLUMN_GAP_PX + MARGIN_PX + (bows_in_last_column(d) ? COLUMN_GAP_PX : 0);
	for (size_t i = 0; i < d->at.n_points; i++)
		d->total_y = d->at.points[i].y > d->total_y ? d->at.points[i].y : d->total_y;
	d->total_y += TITLE_PX + NODE_HEIGHT_PX + 2 * MARGIN_PX;
	return true;
}

static int32_t y_of(const struct drawing *d, size_t point)
{
	return d->at.points[point].y + TITLE_PX + MARGIN_PX + NODE_HEIGHT_PX / 2;
}

static int32_t left_of(const struct drawing *d, size_t node)
{
	uint32_t layer = d->at.points[node].layer;
	return d->x[layer] + (d->width[layer] - node_px(&d->g->nodes[node])) / 2;
}

static int32_t right_of(const struct drawing *d, size_t node)
{
	return left_of(d, node) + node_px(&d->g->nodes[node]);
}

/* ---- edges ---- */

static const char *const class_names[] = {
	[GRAPH_NORMAL] = "normal", [GRAPH_OUTSIDE] = "outside", [GRAPH_GOOD] = "good", [GRAPH_BAD] = "bad", [GRAPH_STRONG] = "strong", [GRAPH_MUTED] = "muted",
};

static void curve_to(struct bh_buf *out, int32_t from_x, int32_t from_y, int32_t x, int32_t y)
{
	int32_t middle = (from_x + x) / 2;
	bh_buf_printf(out, "C%d %d %d %d %d %d", middle, from_y, middle, y, x, y);
}

/* Of the smaller type of edges. */
static int32_t label_px(struct bh_slice label)
{
	int32_t n = text_px(label) / CHARACTER_PX;
	return (n > (int32_t)EDGE_CHARACTERS_MAX ? (int32_t)EDGE_CHARACTERS_MAX : n) * SMALL_CHARACTER_PX;
}

/* Inside a column: a bow on its right. Returns where the label goes: right of the bow, as on it the nodes would cover its start. */
static void draw_bow(struct drawing *d, const struct graph_edge *e, int32_t *ret_x, int32_t *ret_y)
{
	int32_t from_y = y_of(d, e->from), to_y = y_of(d, e->to), from_x = right_of(d, e->from), to_x = right_of(d, e->to);
	int32_t far = from_x > to_x ? from_x : to_x, height = from_y > to_y ? from_y - to_y : to_y - from_y;
	int32_t out = far + 30 + (height > 480 ? 60 : height / 8);
	bh_buf_printf(d->out, "M%d %dC%d %d %d %d %d %d", from_x, from_y, out, from_y, out, to_y, to_x, to_y);
	*ret_x = far + (out - far) * 3 / 4 + 6 + label_px(e->label) / 2;
	*ret_y = (from_y + to_y) / 2 + 3;
}

/* Across columns, through its bends. */
static void draw_way(struct drawing *d, size_t edge, int32_t *ret_x, int32_t *ret_y)
{
	const struct graph_edge *e = &d->g->edges[edge];
	bool turned = d->at.is_turned[edge];
	size_t tail = turned ? e->to : e->from, head = turned ? e->from : e->to;
	/* An edge that leads back is drawn a little lower, so that the two of a pair stay apart. */
	int32_t shift = turned ? 6 : -6, x = right_of(d, tail), y = y_of(d, tail) + shift;
	bh_buf_printf(d->out, "M%d %d", x, y);
	for (uint32_t b = d->at.first_bend[edge]; b != GRAPH_NO_POINT; b = d->at.points[b].next) {
		int32_t column = d->x[d->at.points[b].layer], by = y_of(d, b) + shift;
		curve_to(d->out, x, y, column, by);
		x = column + d->width[d->at.points[b].layer];
		y = by;
		bh_buf_printf(d->out, "L%d %d", x, y);
	}
	int32_t to_x = left_of(d, head), to_y = y_of(d, head) + shift;
	curve_to(d->out, x, y, to_x, to_y);
	*ret_x = (x + to_x) / 2;
	*ret_y = (y + to_y) / 2 + (turned ? 10 : -4);
}

static void draw_edge(struct drawing *d, size_t i)
{
	const struct graph_edge *e = &d->g->edges[i];
	bool flat = d->at.points[e->from].layer == d->at.points[e->to].layer;
	if (e->from == e->to)
		return;
	bh_buf_printf(d->out, "<g class=\"edge %s\"><path d=\"", class_names[e->class]);
	if (flat)
		draw_bow(d, e, &d->label_x[i], &d->label_y[i]);
	else
		draw_way(d, i, &d->label_x[i], &d->label_y[i]);
	bh_buf_printf(d->out, "\" marker-%s=\"url(#%s)\">", d->at.is_turned[i] ? "start" : "end", class_names[e->class]);
	add_note(d->out, e->note, e->label);
	bh_buf_add_str(d->out, "</path></g>\n");
}

/* Behind all edges, so that none is drawn over a label. */
static void draw_label(struct drawing *d, size_t i)
{
	const struct graph_edge *e = &d->g->edges[i];
	if (e->from == e->to || e->label.len == 0)
		return;
	bh_buf_printf(d->out, "<text class=\"label\" x=\"%d\" y=\"%d\">", d->label_x[i], d->label_y[i]);
	add_text(d->out, e->label, EDGE_CHARACTERS_MAX);
	bh_buf_add_str(d->out, "</text>\n");
}

/* ---- nodes ---- */

static void draw_node(struct drawing *d, size_t i)
{
	const struct graph_node *n = &d->g->nodes[i];
	int32_t x = left_of(d, i), y = y_of(d, i), width = node_px(n);
	bh_buf_printf(d->out, "<g class=\"node %s", class_names[n->class]);
	if (n->group.len)
		bh_buf_printf(d->out, " g%u", (unsigned)(bh_slice_hash(n->group) % HUES));
	bh_buf_add_str(d->out, "\">");
	add_note(d->out, n->note, n->label);
	bh_buf_printf(d->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>", x, y - NODE_HEIGHT_PX / 2, width, NODE_HEIGHT_PX);
	bh_buf_printf(d->out, "<text x=\"%d\" y=\"%d\">", x + width / 2, n->group.len ? y - 1 : y + 4);
	add_text(d->out, n->label, LABEL_CHARACTERS_MAX);
	bh_buf_add_str(d->out, "</text>");
	if (n->group.len) {
		bh_buf_printf(d->out, "<text class=\"group\" x=\"%d\" y=\"%d\">", x + width / 2, y + 12);
		add_text(d->out, n->group, LABEL_CHARACTERS_MAX);
		bh_buf_add_str(d->out, "</text>");
	}
	bh_buf_add_str(d->out, "</g>\n");
}

/* ---- the document ---- */

static void add_style(struct bh_buf *out)
{
	static const char *const colours[] = {
		[GRAPH_NORMAL] = "#57606a", [GRAPH_OUTSIDE] = "#57606a", [GRAPH_GOOD] = "#1a7f37", [GRAPH_BAD] = "#cf222e", [GRAPH_STRONG] = "#8250df", [GRAPH_MUTED] = "#afb8c1",
	};
	bh_buf_add_str(out, "<style>text{font:12px sans-serif;text-anchor:middle;fill:#1f2328}.group{font-size:10px;fill:#57606a}.title{font-size:16px;"
			    "text-anchor:start}.edge path{fill:none;stroke-width:1.3}.label{font-size:10px;paint-order:stroke;stroke:#fff;stroke-width:3px}"
			    ".node rect{stroke-width:1.3;fill:#fff}.edge:hover path{stroke-width:3}");
	for (size_t i = 0; i < HUES; i++)
		bh_buf_printf(out, ".g%zu rect{fill:hsl(%zu,60%%,94%%)}", i, i * 360 / HUES);
	for (size_t i = 0; i < sizeof(colours) / sizeof(*colours); i++)
		bh_buf_printf(out, ".%s path,.%s rect{stroke:%s}", class_names[i], class_names[i], colours[i]);
	bh_buf_add_str(out, ".outside rect{stroke-dasharray:5 3}.bad rect,.strong rect{stroke-width:2.5}.muted text{fill:#8c959f}</style>\n<defs>");
	for (size_t i = 0; i < sizeof(colours) / sizeof(*colours); i++)
		bh_buf_printf(out, "<marker id=\"%s\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" markerUnits=\"userSpaceOnUse\" "
				   "orient=\"auto-start-reverse\"><path d=\"M0 0L10 5L0 10z\" fill=\"%s\" stroke=\"none\"/></marker>", class_names[i], colours[i]);
	bh_buf_add_str(out, "</defs>\n");
}

static void draw(struct drawing *d)
{
	struct bh_buf *out = d->out;
	bh_buf_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n", d->total_x, d->total_y, d->total_x,
		      d->total_y);
	add_note(out, (struct bh_slice){ 0 }, d->g->title);
	add_style(out);
	bh_buf_printf(out, "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/><text class=\"title\" x=\"%d\" y=\"%d\">", MARGIN_PX, MARGIN_PX + 8);
	describe_markup(out, d->g->title);
	bh_buf_add_str(out, "</text>\n");
	for (size_t i = 0; i < d->g->n_edges; i++)
		draw_edge(d, i);
	for (size_t i = 0; i < d->g->n_edges; i++)
		draw_label(d, i);
	for (size_t i = 0; i < d->g->n_nodes; i++)
		draw_node(d, i);
	bh_buf_add_str(out, "</svg>\n");
}

int graph_svg(const struct graph *g, struct bh_buf *out, struct bh_err *err)
{
	struct drawing d = { .g = g, .out = out };
	struct bh_arena arena;
	if (g->n_nodes > GRAPH_NODES_MAX || g->n_edges > GRAPH_EDGES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "%zu nodes and %zu edges are too many for a drawing (%u and %u)", g->n_nodes, g->n_edges, GRAPH_NODES_MAX, GRAPH_EDGES_MAX);
	bh_arena_init(&arena, ARENA_BYTES_MAX);
	int rc = graph_lay_out(g, GAP_PX, &arena, &d.at, err);
	if (rc == 0 && !place_columns(&d, &arena))
		rc = bh_fail(err, BH_ENOMEM, 0, "out of memory for a drawing");
	if (rc == 0)
		draw(&d);
	bh_arena_done(&arena);
	return rc;
}
