/* merge.c: collect what every layer has to say, decide what is visible, hand it on in one fixed order. */
#include "image/merge.h"

#include "base/map.h"
#include "image/view.h"

#include <stdlib.h>

struct item {
	const struct image_found *found;
	uint32_t layer;
	bool visible;
};

#define ITEMS_MAX 4000000u

BH_VEC(item_vec, struct item)

struct merge {
	struct image_stack *stack;
	struct bh_report *report;
	struct image_view view;
	struct bh_map hard; /* link path -> its lead; hard links only */
	struct item_vec items;
};

static struct bh_slice real_path(const struct image_found *f)
{
	return f->real.len ? f->real : f->path;
}

static struct image_unit *extra_of(const struct image_stack *stack, size_t layer)
{
	return stack->extra ? stack->extra[layer] : NULL;
}

static bool add_unit(struct image_view *view, const struct image_unit *u)
{
	bool ok = true;
	for (size_t i = 0; ok && i < u->found.len; i++)
		ok = image_view_add(view, real_path(&u->found.ptr[i])) && image_view_add(view, u->found.ptr[i].path);
	for (size_t i = 0; ok && i < u->notes.len; i++)
		ok = image_view_add(view, u->notes.ptr[i].path);
	return ok;
}

static int build_view(struct merge *m, const struct image_links *links, struct bh_err *err)
{
	const struct image_stack *s = m->stack;
	bool ok = true;
	for (size_t i = 0; ok && links && i < links->leads.len; i++)
		ok = image_view_add(&m->view, links->leads.ptr[i].hard_path);
	for (size_t k = 0; ok && k < s->n; k++) {
		ok = !s->units[k] || add_unit(&m->view, s->units[k]);
		ok = ok && (!extra_of(s, k) || add_unit(&m->view, extra_of(s, k)));
	}
	if (!ok)
		return bh_fail(err, BH_ELIMIT, 0, "too many files to merge the layers");
	for (size_t k = 0; k < s->n; k++) {
		if (s->units[k])
			image_view_apply(&m->view, (uint32_t)k, s->units[k]);
	}
	return 0;
}

/* The topmost layer up to the link's own in which the second pass found the link's content. */
static bool is_best_for_hard(const struct merge *m, const struct image_lead *lead, size_t layer)
{
	if (layer > lead->until_layer)
		return false;
	for (size_t k = lead->until_layer; k > layer; k--) {
		struct image_unit *u = extra_of(m->stack, k);
		if (u && bh_map_get(&u->index, lead->alias.to))
			return false;
	}
	return true;
}

static int push(struct merge *m, struct item item, struct bh_err *err)
{
	return item_vec_push(&m->items, item) ? 0 : bh_fail(err, BH_ELIMIT, 0, "too many files in the image");
}

/* False: not part of the image. */
static bool judge(const struct merge *m, const struct image_unit *u, bool is_extra, struct item *item)
{
	const struct image_found *f = item->found;
	const struct image_lead *lead = is_extra ? bh_map_get(&m->hard, f->path) : NULL;
	bool dropped = image_unit_dropped(u, m->stack->key, real_path(f), f->seq);
	if (!lead) {
		item->visible = image_view_visible(&m->view, item->layer, real_path(f));
		item->visible = item->visible && !dropped;
		return !dropped || f->watched; /* a hard link may lead to it still */
	}
	/* In the link's own layer its target may be replaced later: the link keeps the old file. */
	if ((dropped && item->layer != lead->until_layer) || !is_best_for_hard(m, lead, item->layer))
		return false;
	item->layer = lead->layer;
	item->visible = image_view_visible(&m->view, lead->layer, lead->hard_path);
	return true;
}

static int collect(struct merge *m, uint32_t layer, const struct image_unit *u, bool is_extra, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < u->found.len; i++) {
		struct item item = { &u->found.ptr[i], layer, false };
		if (judge(m, u, is_extra, &item))
			rc = push(m, item, err);
	}
	return rc;
}

/* A problem with a file that a layer above replaced or removed is none. */
static void report_notes(struct merge *m, uint32_t layer, const struct image_unit *u)
{
	for (size_t i = 0; i < u->notes.len; i++) {
		const struct image_note *n = &u->notes.ptr[i];
		if (n->path.len && !image_view_visible(&m->view, layer, n->path))
			continue;
		const char *what = bh_arena_strdup(&m->report->arena, n->what); /* the report keeps the pointer */
		bh_report_incomplete(m->report, what ? what : "file", n->path, m->stack->flat ? BH_NO_LAYER : layer, "%.*s",
				     BH_SLICE_FMT(n->reason));
	}
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	int c = bh_slice_cmp(x->found->path, y->found->path);
	return c ? c : (x->found->seq > y->found->seq) - (x->found->seq < y->found->seq);
}

static int hand_on(struct merge *m, struct bh_err *err)
{
	const struct image_visitor *v = m->stack->visitor;
	if (m->items.len > 1)
		qsort(m->items.ptr, m->items.len, sizeof(m->items.ptr[0]), compare_items);
	for (size_t i = 0; i < m->items.len; i++) {
		const struct item *it = &m->items.ptr[i];
		for (const struct image_record *r = it->found->first; r; r = r->next) {
			uint32_t layer = m->stack->flat ? BH_NO_LAYER : it->layer;
			int rc = v->record(v->ctx, layer, it->found->path, it->visible, r->kind, r->payload, err);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int run(struct merge *m, const struct image_links *links, struct bh_err *err)
{
	struct image_stack *s = m->stack;
	for (size_t i = 0; links && i < links->leads.len; i++) {
		struct image_lead *lead = &links->leads.ptr[i];
		void **slot = lead->hard ? bh_map_put(&m->hard, lead->alias.to) : NULL;
		if (slot)
			*slot = lead;
	}
	int rc = build_view(m, links, err);
	for (size_t k = 0; rc == 0 && k < s->n; k++) {
		for (int pass = 0; rc == 0 && pass < 2; pass++) {
			struct image_unit *u = pass ? extra_of(s, k) : s->units[k];
			if (!u)
				continue;
			image_unit_sort_drops(u);
			rc = collect(m, (uint32_t)k, u, pass == 1, err);
			report_notes(m, (uint32_t)k, u);
			if (k > 0 && pass == 0 && u->end.hides_cut)
				bh_report_incomplete(m->report, "layer", (struct bh_slice){ 0 }, (uint32_t)k,
						     "more than %u entries: it may hide files of lower layers that are reported here",
						     IMAGE_HIDES_MAX);
		}
	}
	return rc < 0 ? rc : hand_on(m, err);
}

int image_merge(struct image_stack *stack, const struct image_links *links, struct bh_report *report, struct bh_err *err)
{
	struct merge m = { .stack = stack, .report = report, .items.max = ITEMS_MAX };
	image_view_init(&m.view, stack->key);
	bh_map_init(&m.hard, links ? links->leads.len : 0);
	int rc = run(&m, links, err);
	item_vec_done(&m.items);
	bh_map_done(&m.hard);
	image_view_done(&m.view);
	return rc;
}
