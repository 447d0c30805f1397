/* plain.c: values of CEL as documents have them, and documents as JSON. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "kube/patch.h"

#define DEPTH_MAX 128u /* lists in lists; an expression makes no deeper ones: CEL_DEPTH_MAX, and documents are flatter */

struct plainer {
	struct bh_arena *arena;
	struct bh_err *err;
};

static int no_memory(struct plainer *p)
{
	return bh_fail(p->err, BH_ENOMEM, 0, "a value uses up the memory for it");
}

static int plain(struct plainer *p, struct cel_value v, unsigned depth, struct cel_value *ret);

static int plain_list(struct plainer *p, const struct cel_list *list, unsigned depth, struct cel_value *ret)
{
	struct cel_value *items = bh_arena_array(p->arena, list->len + 1, sizeof(*items));
	int rc = items ? 0 : no_memory(p);
	for (size_t i = 0; rc == 0 && i < list->len; i++)
		rc = plain(p, list->items[i], depth + 1, &items[i]);
	if (rc < 0)
		return rc;
	*ret = cel_list_of(p->arena, items, list->len);
	return cel_is_known(*ret) ? 0 : no_memory(p);
}

static int plain_map(struct plainer *p, const struct cel_map *map, unsigned depth, struct cel_value *ret)
{
	struct cel_entry *entries = bh_arena_array(p->arena, map->len + 1, sizeof(*entries));
	int rc = 0;
	if (!entries)
		return no_memory(p);
	for (size_t i = 0; rc == 0 && i < map->len; i++) {
		entries[i].key = map->entries[i].key;
		rc = entries[i].key.kind == CEL_STRING ? plain(p, map->entries[i].value, depth + 1, &entries[i].value) :
							 bh_fail(p->err, BH_EMALFORMED, 0, "a key of a map is no text");
	}
	if (rc < 0)
		return rc;
	*ret = cel_map_of(p->arena, entries, map->len);
	return cel_is_known(*ret) ? 0 : no_memory(p);
}

/* Is it made of nothing but what documents have? Then it need not be made anew. */
static bool is_plain(struct cel_value v, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return false;
	for (size_t i = 0; v.kind == CEL_LIST && i < v.list->len; i++)
		if (!is_plain(v.list->items[i], depth + 1))
			return false;
	for (size_t i = 0; v.kind == CEL_MAP && i < v.map->len; i++)
		if (v.map->record.len || v.map->entries[i].key.kind != CEL_STRING || !is_plain(v.map->entries[i].value, depth + 1))
			return false;
	return v.kind == CEL_NULL || v.kind == CEL_BOOL || v.kind == CEL_INT || (v.kind == CEL_DOUBLE && isfinite(v.real)) || v.kind == CEL_STRING || v.kind == CEL_LIST
	       || (v.kind == CEL_MAP && v.map->record.len == 0);
}

static int plain(struct plainer *p, struct cel_value v, unsigned depth, struct cel_value *ret)
{
	if (depth > DEPTH_MAX)
		return bh_fail(p->err, BH_ELIMIT, 0, "a value is deeper than %u levels", DEPTH_MAX);
	if (v.kind == CEL_LIST)
		return plain_list(p, v.list, depth, ret);
	if (v.kind == CEL_MAP)
		return plain_map(p, v.map, depth, ret);
	if (v.kind == CEL_UINT && v.natural <= INT64_MAX)
		v = cel_int((int64_t)v.natural);
	if (!is_plain(v, depth))
		return bh_fail(p->err, BH_EMALFORMED, 0, "a value of the type %s can't stand in a document", cel_kind_name(v));
	*ret = v;
	return 0;
}

int kube_plain(struct bh_arena *arena, struct cel_value v, struct cel_value *ret, struct bh_err *err)
{
	struct plainer p = { arena, err };
	if (is_plain(v, 0)) {
		*ret = v;
		return 0;
	}
	return plain(&p, v, 0, ret);
}

/* ---- copies ---- */

static int copy(struct plainer *p, const struct cel_value *old, struct cel_value v, unsigned depth, struct cel_value *ret);

static int copy_list(struct plainer *p, const struct cel_list *old, const struct cel_list *list, unsigned depth, struct cel_value *ret)
{
	struct cel_value *items = bh_arena_array(p->arena, list->len + 1, sizeof(*items));
	int rc = items ? 0 : no_memory(p);
	for (size_t i = 0; rc == 0 && i < list->len; i++)
		rc = copy(p, old && i < old->len ? &old->items[i] : NULL, list->items[i], depth + 1, &items[i]);
	if (rc < 0)
		return rc;
	*ret = cel_list_of(p->arena, items, list->len);
	return cel_is_known(*ret) ? 0 : no_memory(p);
}

static int copy_map(struct plainer *p, const struct cel_map *old, const struct cel_map *map, unsigned depth, struct cel_value *ret)
{
	struct cel_entry *entries = bh_arena_array(p->arena, map->len + 1, sizeof(*entries));
	int rc = entries ? 0 : no_memory(p);
	for (size_t i = 0; rc == 0 && i < map->len; i++) {
		const struct cel_entry *e = &map->entries[i];
		rc = copy(p, NULL, e->key, depth + 1, &entries[i].key);
		rc = rc < 0 ? rc : copy(p, old ? cel_map_get(old, e->key) : NULL, e->value, depth + 1, &entries[i].value);
	}
	if (rc < 0)
		return rc;
	*ret = cel_map_of(p->arena, entries, map->len);
	return cel_is_known(*ret) ? 0 : no_memory(p);
}

static int copy(struct plainer *p, const struct cel_value *old, struct cel_value v, unsigned depth, struct cel_value *ret)
{
	if (depth > DEPTH_MAX)
		return bh_fail(p->err, BH_ELIMIT, 0, "a value is deeper than %u levels", DEPTH_MAX);
	if (v.kind == CEL_LIST && !(old && old->kind == CEL_LIST && old->list == v.list))
		return copy_list(p, old && old->kind == CEL_LIST ? old->list : NULL, v.list, depth, ret);
	if (v.kind == CEL_MAP && !(old && old->kind == CEL_MAP && old->map == v.map))
		return copy_map(p, old && old->kind == CEL_MAP ? old->map : NULL, v.map, depth, ret);
	if (v.kind == CEL_STRING && v.text.len && !bh_arena_copy(p->arena, v.text, &v.text))
		return no_memory(p);
	*ret = v;
	return 0;
}

int kube_copy(struct bh_arena *arena, struct cel_value old, struct cel_value v, struct cel_value *ret, struct bh_err *err)
{
	struct plainer p = { arena, err };
	return copy(&p, &old, v, 0, ret);
}

/* ---- JSON ---- */

static void print(struct bh_buf *out, struct cel_value v, unsigned depth);

static void print_list(struct bh_buf *out, const struct cel_list *list, unsigned depth)
{
	bh_buf_add_byte(out, '[');
	for (size_t i = 0; i < list->len; i++) {
		bh_buf_add_str(out, i ? ", " : "");
		print(out, list->items[i], depth + 1);
	}
	bh_buf_add_byte(out, ']');
}

static void print_map(struct bh_buf *out, const struct cel_map *map, unsigned depth)
{
	bh_buf_add_byte(out, '{');
	for (size_t i = 0; i < map->len; i++) {
		bh_buf_add_str(out, i ? ", " : "");
		bh_buf_add_json(out, map->entries[i].key.kind == CEL_STRING ? map->entries[i].key.text : (struct bh_slice){ 0 });
		bh_buf_add_str(out, ": ");
		print(out, map->entries[i].value, depth + 1);
	}
	bh_buf_add_byte(out, '}');
}

/* With a point or an exponent, so that it is read as what it is; the shortest digits that are the same double. */
static void print_double(struct bh_buf *out, double v)
{
	char text[32];
	cel_print_double(v, text);
	bh_buf_add_str(out, text);
	if (!strpbrk(text, ".e"))
		bh_buf_add_str(out, ".0");
}

static void print(struct bh_buf *out, struct cel_value v, unsigned depth)
{
	if (depth > DEPTH_MAX)
		v = cel_null();
	switch (v.kind) {
	case CEL_BOOL: bh_buf_add_str(out, v.boolean ? "true" : "false"); break;
	case CEL_INT: bh_buf_printf(out, "%" PRId64, v.integer); break;
	case CEL_UINT: bh_buf_printf(out, "%" PRIu64, v.natural); break;
	case CEL_DOUBLE: print_double(out, v.real); break;
	case CEL_STRING: bh_buf_add_json(out, v.text); break;
	case CEL_LIST: print_list(out, v.list, depth); break;
	case CEL_MAP: print_map(out, v.map, depth); break;
	case CEL_ERROR:
	case CEL_UNKNOWN:
	case CEL_NULL:
	case CEL_BYTES:
	case CEL_DURATION:
	case CEL_TIMESTAMP:
	case CEL_TYPE:
	case CEL_OPTIONAL:
	case CEL_OBJECT: bh_buf_add_str(out, "null"); break;
	}
}

void kube_print_json(struct bh_buf *out, struct cel_value v)
{
	print(out, v, 0);
}
