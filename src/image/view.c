/* view.c: a hash table of the paths that matter, each with the topmost layer that hides it in one of the three ways. */
#include "image/view.h"

#include "base/limits.h"

#include <stdlib.h>

#define SLOTS_MAX (8u << 20)

struct image_view_slot {
	uint64_t hash; /* 0 = free; the low bits, which tell kinds in HIDES, are zero */
	uint16_t all, below, self; /* layer + 1; 0 = none */
	bool mentioned;
};

_Static_assert(BH_LAYERS_MAX < UINT16_MAX, "a layer's number fits a slot");

void image_view_init(struct image_view *view, const struct image_key *key)
{
	*view = (struct image_view){ .key = key };
}

void image_view_done(struct image_view *view)
{
	free(view->slots);
	view->slots = NULL;
	view->len = view->cap = 0;
}

static uint64_t bare(uint64_t hash)
{
	hash &= ~(uint64_t)IMAGE_HIDE_BITS;
	return hash ? hash : IMAGE_HIDE_BITS + 1; /* zero means free */
}

/* The slot of hash, or the free one where it belongs. */
static struct image_view_slot *slot_of(struct image_view_slot *slots, size_t cap, uint64_t hash)
{
	size_t at = (size_t)(hash >> 8) & (cap - 1);
	while (slots[at].hash && slots[at].hash != hash)
		at = (at + 1) & (cap - 1);
	return &slots[at];
}

static const struct image_view_slot *look(const struct image_view *view, struct bh_slice path)
{
	static const struct image_view_slot nothing;
	if (view->cap == 0)
		return &nothing;
	return slot_of(view->slots, view->cap, bare(image_path_hash(view->key, path)));
}

static bool grow(struct image_view *view)
{
	size_t cap = view->cap ? view->cap * 2 : 1024;
	if (cap > SLOTS_MAX)
		return false;
	struct image_view_slot *slots = calloc(cap, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; i < view->cap; i++) {
		if (view->slots[i].hash)
			*slot_of(slots, cap, view->slots[i].hash) = view->slots[i];
	}
	free(view->slots);
	view->slots = slots;
	view->cap = cap;
	return true;
}

/* 1: new, 0: was there, negative: full. */
static int add_one(struct image_view *view, struct bh_slice path)
{
	if (view->len >= view->cap / 2 && !grow(view))
		return -1;
	uint64_t hash = bare(image_path_hash(view->key, path));
	struct image_view_slot *s = slot_of(view->slots, view->cap, hash);
	if (s->hash)
		return 0;
	s->hash = hash;
	view->len++;
	return 1;
}

static struct bh_slice parent_of(struct bh_slice path)
{
	size_t at = path.len;
	while (at && path.ptr[at - 1] != '/')
		at--;
	return bh_slice_sub(path, 0, at ? at - 1 : 0);
}

bool image_view_add(struct image_view *view, struct bh_slice path)
{
	int rc = add_one(view, path);
	while (rc == 1 && path.len) { /* a path that is there has its folders there */
		path = parent_of(path);
		rc = add_one(view, path);
	}
	return rc >= 0;
}

static void raise(uint16_t *top, uint32_t layer)
{
	if (*top < layer + 1)
		*top = (uint16_t)(layer + 1);
}

void image_view_apply(struct image_view *view, uint32_t layer, const struct image_unit *unit)
{
	if (view->cap == 0)
		return;
	for (const struct image_hides *h = unit->hides; h; h = h->next) {
		for (size_t i = 0; i < h->len; i++) {
			struct image_view_slot *s = slot_of(view->slots, view->cap, bare(h->hash[i]));
			if (s->hash == 0)
				continue;
			s->mentioned = true;
			switch ((enum image_hide)(h->hash[i] & IMAGE_HIDE_BITS)) {
			case IMAGE_HIDES_ALL: raise(&s->all, layer); break;
			case IMAGE_HIDES_BELOW: raise(&s->below, layer); break;
			case IMAGE_HIDES_SELF: raise(&s->self, layer); break;
			case IMAGE_HIDES_NOTHING: break;
			}
		}
	}
}

bool image_view_visible(const struct image_view *view, uint32_t layer, struct bh_slice path)
{
	const struct image_view_slot *s = look(view, path);
	uint32_t mine = layer + 1;
	if (s->all > mine || s->self > mine)
		return false;
	while (path.len) {
		path = parent_of(path);
		s = look(view, path);
		if (s->all > mine || s->below > mine)
			return false;
	}
	return true;
}

bool image_view_has_entry(const struct image_view *view, struct bh_slice path)
{
	return look(view, path)->all != 0;
}

bool image_view_mentioned(const struct image_view *view, struct bh_slice path)
{
	if (look(view, path)->mentioned)
		return true;
	for (path = parent_of(path); path.len; path = parent_of(path)) {
		if (look(view, path)->all) /* maybe a link */
			return true;
	}
	return false;
}

/* ---- within one layer ---- */

static int compare_drops(const void *a, const void *b)
{
	const struct image_drop *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

void image_unit_sort_drops(struct image_unit *unit)
{
	if (unit->drops.len > 1)
		qsort(unit->drops.ptr, unit->drops.len, sizeof(unit->drops.ptr[0]), compare_drops);
}

/* Is there a drop of that hash later than seq? */
static bool dropped_later(const struct image_unit *unit, uint64_t hash, uint32_t seq)
{
	size_t from = 0, to = unit->drops.len;
	while (from < to) { /* first element beyond (hash, seq) */
		size_t mid = from + (to - from) / 2;
		const struct image_drop *d = &unit->drops.ptr[mid];
		if (d->hash < hash || (d->hash == hash && d->seq <= seq))
			from = mid + 1;
		else
			to = mid;
	}
	return from < unit->drops.len && unit->drops.ptr[from].hash == hash;
}

bool image_unit_dropped(const struct image_unit *unit, const struct image_key *key, struct bh_slice path, uint32_t seq)
{
	if (unit->drops.len == 0)
		return false;
	uint64_t hash = image_path_hash(key, path);
	if (dropped_later(unit, image_hide(hash, IMAGE_HIDES_ALL), seq) || dropped_later(unit, image_hide(hash, IMAGE_HIDES_SELF), seq))
		return true;
	while (path.len) {
		path = parent_of(path);
		if (dropped_later(unit, image_hide(image_path_hash(key, path), IMAGE_HIDES_ALL), seq))
			return true;
	}
	return false;
}
