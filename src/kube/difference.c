/*
 * difference.c: two values to the changes between them, and those as a JSON Patch. Elements of lists are paired when they are the same one: equal, or maps of
 * one name, as containers and variables have them; what is left between two pairs is paired in order, so a change inside an element stays one.
 */
#include "kube/patch.h"

#include <string.h>

#define PAIRINGS_MAX 4000000u /* comparisons of elements of two lists: longer ones are replaced whole */
#define UNPAIRED SIZE_MAX
#define PATH_BYTES_MAX (1u << 20)

struct differ {
	struct bh_arena *arena;
	struct kube_change_vec *changes;
	struct kube_step path[KUBE_PATCH_DEPTH_MAX];
	size_t depth;
	struct bh_err *err;
};

static int no_memory(struct differ *d)
{
	return bh_fail(d->err, BH_ENOMEM, 0, "the changes of an object use up the memory for them");
}

static int push(struct differ *d, struct kube_step step)
{
	if (d->depth == KUBE_PATCH_DEPTH_MAX)
		return bh_fail(d->err, BH_ELIMIT, 0, "a change is deeper than %u levels", KUBE_PATCH_DEPTH_MAX);
	d->path[d->depth++] = step;
	return 0;
}

/* A change at the path. */
static int add(struct differ *d, struct kube_change change)
{
	struct kube_step *steps = bh_arena_array(d->arena, d->depth + 1, sizeof(*steps));
	if (!steps)
		return no_memory(d);
	memcpy(steps, d->path, d->depth * sizeof(*steps));
	change.steps = steps;
	change.n_steps = d->depth;
	return kube_change_vec_push(d->changes, change) ? 0 : bh_fail(d->err, BH_ELIMIT, 0, "more than %zu changes of an object", d->changes->max);
}

static int add_at(struct differ *d, struct kube_step step, struct kube_change change)
{
	int rc = push(d, step);
	rc = rc < 0 ? rc : add(d, change);
	d->depth -= rc == 0;
	return rc;
}

static int compare(struct differ *d, const struct cel_value *before, const struct cel_value *after);

static int compare_at(struct differ *d, struct kube_step step, const struct cel_value *before, const struct cel_value *after)
{
	int rc = push(d, step);
	rc = rc < 0 ? rc : compare(d, before, after);
	d->depth -= rc == 0;
	return rc;
}

/* What becomes empty or is it before is set as a whole: in a text, {} is another thing than a list of keys. */
static bool is_set_whole(size_t before, size_t after)
{
	return (before == 0) != (after == 0);
}

static int compare_maps(struct differ *d, const struct cel_map *before, const struct cel_map *after)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < before->len; i++) {
		const struct cel_value *now = cel_map_get(after, before->entries[i].key);
		const struct kube_step step = { .key = before->entries[i].key.text };
		rc = now ? compare_at(d, step, &before->entries[i].value, now) : add_at(d, step, (struct kube_change){ .kind = KUBE_CHANGE_REMOVE });
	}
	for (size_t i = 0; rc == 0 && i < after->len; i++) {
		const struct kube_change set = { .kind = KUBE_CHANGE_SET, .is_new = true, .values = &after->entries[i].value, .n_values = 1 };
		if (!cel_map_get(before, after->entries[i].key))
			rc = add_at(d, (struct kube_step){ .key = after->entries[i].key.text }, set);
	}
	return rc;
}

static bool is_same(const struct cel_value *a, const struct cel_value *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == CEL_MAP && a->map != b->map) {
		const struct cel_value *x = cel_map_field(a->map, BH_SLICE_LIT("name")), *y = cel_map_field(b->map, BH_SLICE_LIT("name"));
		if (x && y && x->kind == CEL_STRING && y->kind == CEL_STRING)
			return bh_slice_eq(x->text, y->text);
	}
	return (a->kind == CEL_MAP && a->map == b->map) || cel_same(*a, *b);
}

/* For each element before, the one after that is the same: each time the next there is. */
static void pair(const struct cel_list *before, const struct cel_list *after, size_t *pairs)
{
	size_t next = 0;
	for (size_t i = 0; i < before->len; i++) {
		size_t k = next;
		while (k < after->len && !is_same(&before->items[i], &after->items[k]))
			k++;
		pairs[i] = k < after->len ? k : UNPAIRED;
		next = k < after->len ? k + 1 : next;
	}
}

/* Elements [from, to) before became [from_after, to_after): last to first. */
static int compare_run(struct differ *d, const struct cel_list *before, size_t from, size_t to, const struct cel_list *after, size_t from_after,
		       size_t to_after)
{
	size_t n_before = to - from, n_after = to_after - from_after, both = n_before < n_after ? n_before : n_after;
	const struct kube_change insert = {
		.kind = KUBE_CHANGE_INSERT,
		.values = after->items ? after->items + from_after + both : NULL,
		.n_values = n_after - both,
	};
	int rc = n_after > both ? add_at(d, (struct kube_step){ .is_element = true, .index = to }, insert) : 0;
	for (size_t i = n_before; rc == 0 && i > both; i--)
		rc = add_at(d, (struct kube_step){ .is_element = true, .index = from + i - 1 }, (struct kube_change){ .kind = KUBE_CHANGE_REMOVE });
	for (size_t i = both; rc == 0 && i > 0; i--)
		rc = compare_at(d, (struct kube_step){ .is_element = true, .index = from + i - 1 }, &before->items[from + i - 1], &after->items[from_after + i - 1]);
	return rc;
}

static int compare_lists(struct differ *d, const struct cel_list *before, const struct cel_list *after)
{
	size_t *pairs = bh_arena_array(d->arena, before->len + 1, sizeof(*pairs));
	size_t to = before->len, to_after = after->len;
	int rc = 0;
	if (!pairs)
		return no_memory(d);
	pair(before, after, pairs);
	for (size_t i = before->len; rc == 0 && i > 0; i--) {
		size_t at = i - 1;
		if (pairs[at] == UNPAIRED)
			continue;
		rc = compare_run(d, before, at + 1, to, after, pairs[at] + 1, to_after);
		rc = rc < 0 ? rc : compare_at(d, (struct kube_step){ .is_element = true, .index = at }, &before->items[at], &after->items[pairs[at]]);
		to = at;
		to_after = pairs[at];
	}
	return rc < 0 ? rc : compare_run(d, before, 0, to, after, 0, to_after);
}

static bool is_short(const struct cel_list *a, const struct cel_list *b)
{
	return b->len == 0 || a->len <= PAIRINGS_MAX / b->len;
}

/* As deep as a path may be. */
static int compare(struct differ *d, const struct cel_value *before, const struct cel_value *after)
{
	bool same_kind = before->kind == after->kind;
	if (same_kind && before->kind == CEL_MAP && !is_set_whole(before->map->len, after->map->len))
		return before->map == after->map ? 0 : compare_maps(d, before->map, after->map);
	if (same_kind && before->kind == CEL_LIST && !is_set_whole(before->list->len, after->list->len) && is_short(before->list, after->list))
		return before->list == after->list ? 0 : compare_lists(d, before->list, after->list);
	if (cel_same(*before, *after))
		return 0;
	return add(d, (struct kube_change){ .kind = KUBE_CHANGE_SET, .values = after, .n_values = 1 });
}

int kube_difference(struct bh_arena *arena, struct cel_value before, struct cel_value after, struct kube_change_vec *changes, struct bh_err *err)
{
	struct differ d = { .arena = arena, .changes = changes, .err = err };
	struct cel_value *kept = BH_ARENA_NEW(arena, struct cel_value); /* a change of the whole points to it */
	if (!kept)
		return no_memory(&d);
	*kept = after;
	return compare(&d, &before, kept);
}

/* ---- as a JSON Patch ---- */

/* "/spec/containers/0" */
static void print_path(struct bh_buf *out, const struct kube_step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_byte(out, '/');
		if (steps[i].is_element)
			bh_buf_printf(out, "%zu", steps[i].index);
		for (size_t k = 0; k < steps[i].key.len; k++) {
			uint8_t c = steps[i].key.ptr[k];
			if (c == '~' || c == '/')
				bh_buf_add_str(out, c == '~' ? "~0" : "~1");
			else
				bh_buf_add_byte(out, c);
		}
	}
}

/* {"op": ..., "path": ..., "value": ...} */
static bool make_step(struct bh_arena *arena, const struct kube_change *c, const char *op, const struct cel_value *value, struct cel_value *ret)
{
	struct cel_entry *entries = bh_arena_array(arena, 3, sizeof(*entries));
	struct bh_slice path = { 0 };
	struct bh_buf text;
	bh_buf_init(&text, PATH_BYTES_MAX);
	print_path(&text, c->steps, c->n_steps);
	bool ok = entries && !text.failed && bh_arena_copy(arena, bh_buf_slice(&text), &path);
	bh_buf_done(&text);
	if (!ok)
		return false;
	entries[0] = (struct cel_entry){ cel_string(BH_SLICE_LIT("op")), cel_string(bh_slice_str(op)) };
	entries[1] = (struct cel_entry){ cel_string(BH_SLICE_LIT("path")), cel_string(path) };
	if (value)
		entries[2] = (struct cel_entry){ cel_string(BH_SLICE_LIT("value")), *value };
	*ret = cel_map_of(arena, entries, value ? 3 : 2);
	return cel_is_known(*ret);
}

static size_t count_steps(const struct kube_change_vec *changes)
{
	size_t n = 0;
	for (size_t i = 0; i < changes->len; i++)
		n += changes->ptr[i].kind == KUBE_CHANGE_INSERT ? changes->ptr[i].n_values : 1;
	return n;
}

/* What is inserted: each before the one that was inserted before it. */
static bool make_steps(struct bh_arena *arena, const struct kube_change *c, struct cel_value *items, size_t *n)
{
	bool ok = true;
	switch (c->kind) {
	case KUBE_CHANGE_SET: ok = make_step(arena, c, c->is_new ? "add" : "replace", &c->values[0], &items[(*n)++]); break;
	case KUBE_CHANGE_REMOVE: ok = make_step(arena, c, "remove", NULL, &items[(*n)++]); break;
	case KUBE_CHANGE_INSERT:
		for (size_t k = c->n_values; ok && k > 0; k--)
			ok = make_step(arena, c, "add", &c->values[k - 1], &items[(*n)++]);
		break;
	}
	return ok;
}

int kube_difference_steps(struct bh_arena *arena, const struct kube_change_vec *changes, struct cel_value *ret, struct bh_err *err)
{
	struct cel_value *items = bh_arena_array(arena, count_steps(changes) + 1, sizeof(*items)), list = cel_null();
	size_t n = 0;
	bool ok = items != NULL;
	for (size_t i = 0; ok && i < changes->len; i++)
		ok = make_steps(arena, &changes->ptr[i], items, &n);
	if (ok)
		list = cel_list_of(arena, items, n);
	if (list.kind != CEL_LIST)
		return bh_fail(err, BH_ENOMEM, 0, "the changes of an object use up the memory for them");
	*ret = list;
	return 0;
}
