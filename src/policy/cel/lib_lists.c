/*
 * lib_lists.c: functions of lists: Kubernetes' (apiserver, library/lists.go: isSorted, sum, min, max, indexOf, lastIndexOf; includes came later) and
 * cel-go's (ext.Lists, version 3: slice, flatten, sort, sortBy, distinct, reverse, lists.range).
 */
#include <stdlib.h>

#include "policy/cel/library.h"
#include "policy/cel/macros.h"
#include "policy/cel/time.h"

#define RANGE_MAX 1000000
#define FLATTEN_DEPTH_MAX 64
#define SORT_INPUT "@__sortBy_input__"

#define FUNCTION(name) static struct cel_value name(struct cel_run *run, const struct cel_value *a, size_t n)

static struct cel_value *new_items(struct cel_run *run, size_t n)
{
	return bh_arena_array(cel_arena(run), n + 1, sizeof(struct cel_value));
}

/* ---- Kubernetes' ---- */

FUNCTION(is_sorted)
{
	const struct cel_list *list = a[0].list;
	int order;
	(void)n;
	for (size_t i = 1; i < list->len; i++) {
		if (!cel_compare(list->items[i - 1], list->items[i], &order))
			return cel_fail(run, "no such overload: %s and %s have no order", cel_kind_name(list->items[i - 1]), cel_kind_name(list->items[i]));
		if (order > 0)
			return cel_bool(false);
	}
	return cel_bool(true);
}

/* The greatest (sign 1) or least. */
static struct cel_value extreme(struct cel_run *run, const struct cel_list *list, int sign)
{
	int order;
	if (list->len == 0)
		return cel_fail(run, "%s called on empty list", sign > 0 ? "max" : "min");
	struct cel_value found = list->items[0];
	for (size_t i = 1; i < list->len; i++) {
		if (!cel_compare(list->items[i], found, &order))
			return cel_fail(run, "no such overload: %s and %s have no order", cel_kind_name(list->items[i]), cel_kind_name(found));
		if (order * sign > 0)
			found = list->items[i];
	}
	return found;
}

FUNCTION(max)
{
	(void)n;
	return extreme(run, a[0].list, 1);
}

FUNCTION(min)
{
	(void)n;
	return extreme(run, a[0].list, -1);
}

static bool add(struct cel_value *sum, struct cel_value v)
{
	struct cel_time total;
	switch (v.kind) {
	case CEL_INT: return !__builtin_add_overflow(sum->integer, v.integer, &sum->integer);
	case CEL_UINT: return !__builtin_add_overflow(sum->natural, v.natural, &sum->natural);
	case CEL_DOUBLE: sum->real += v.real; return true;
	default:
		if (!cel_duration_add((struct cel_time){ sum->integer, sum->nanos }, (struct cel_time){ v.integer, v.nanos }, 1, &total))
			return false;
		sum->integer = total.seconds;
		sum->nanos = total.nanos;
		return true;
	}
}

/* The zero comes from the kind that the elements have; 0 for no element. */
FUNCTION(sum)
{
	const struct cel_list *list = a[0].list;
	struct cel_value total = { .kind = list->len ? list->items[0].kind : CEL_INT };
	(void)n;
	if (total.kind == CEL_DOUBLE)
		total.real = 0;
	for (size_t i = 0; i < list->len; i++) {
		if (list->items[i].kind != total.kind)
			return cel_fail(run, "no such overload: sum of %s and %s", cel_kind_name(total), cel_kind_name(list->items[i]));
		if (!add(&total, list->items[i]))
			return cel_error("integer overflow");
	}
	return total;
}

FUNCTION(index_of)
{
	(void)run, (void)n;
	for (size_t i = 0; i < a[0].list->len; i++)
		if (cel_equal(a[0].list->items[i], a[1]))
			return cel_int((int64_t)i);
	return cel_int(-1);
}

FUNCTION(last_index_of)
{
	(void)run, (void)n;
	for (size_t i = a[0].list->len; i > 0; i--)
		if (cel_equal(a[0].list->items[i - 1], a[1]))
			return cel_int((int64_t)i - 1);
	return cel_int(-1);
}

/* Of what is no list, whether it is that. */
FUNCTION(includes)
{
	return cel_bool(a[0].kind == CEL_LIST ? index_of(run, a, n).integer >= 0 : cel_equal(a[0], a[1]));
}

/* ---- cel-go's ---- */

FUNCTION(slice)
{
	int64_t from = a[1].integer, to = a[2].integer, len = (int64_t)a[0].list->len;
	(void)n;
	if (from < 0 || to < 0)
		return cel_fail(run, "cannot slice(%lld, %lld), negative indexes not supported", (long long)from, (long long)to);
	if (from > to)
		return cel_fail(run, "cannot slice(%lld, %lld), start index must be less than or equal to end index", (long long)from, (long long)to);
	if (to > len)
		return cel_fail(run, "cannot slice(%lld, %lld), list is length %lld", (long long)from, (long long)to, (long long)len);
	return cel_list_of(cel_arena(run), a[0].list->items + from, (size_t)(to - from));
}

struct flat {
	struct cel_value *items; /* NULL: count only */
	size_t n;
};

static void flatten_into(struct flat *out, const struct cel_list *list, int64_t depth)
{
	for (size_t i = 0; i < list->len; i++) {
		if (list->items[i].kind == CEL_LIST && depth > 0) {
			flatten_into(out, list->items[i].list, depth - 1);
			continue;
		}
		if (out->items)
			out->items[out->n] = list->items[i];
		out->n++;
	}
}

FUNCTION(flatten)
{
	int64_t depth = n == 2 ? a[1].integer : 1;
	struct flat out = { 0 };
	if (depth < 0)
		return cel_error("level must be non-negative");
	depth = depth < FLATTEN_DEPTH_MAX ? depth : FLATTEN_DEPTH_MAX;
	flatten_into(&out, a[0].list, depth);
	struct cel_value *items = cel_charge(run, out.n) ? new_items(run, out.n) : NULL;
	if (!items)
		return cel_out_of_memory();
	out = (struct flat){ .items = items };
	flatten_into(&out, a[0].list, depth);
	return cel_list_of(cel_arena(run), items, out.n);
}

FUNCTION(distinct)
{
	const struct cel_list *list = a[0].list;
	struct cel_value *items = new_items(run, list->len);
	size_t len = 0;
	(void)n;
	if (!items)
		return cel_out_of_memory();
	for (size_t i = 0; i < list->len; i++) {
		size_t k = 0;
		while (k < len && !cel_equal(items[k], list->items[i]))
			k++;
		if (!cel_charge(run, k))
			return cel_error("distinct");
		if (k == len)
			items[len++] = list->items[i];
	}
	return cel_list_of(cel_arena(run), items, len);
}

FUNCTION(reverse)
{
	const struct cel_list *list = a[0].list;
	struct cel_value *items = new_items(run, list->len);
	(void)n;
	if (!items)
		return cel_out_of_memory();
	for (size_t i = 0; i < list->len; i++)
		items[i] = list->items[list->len - 1 - i];
	return cel_list_of(cel_arena(run), items, list->len);
}

FUNCTION(range)
{
	(void)n;
	if (a[0].integer > RANGE_MAX)
		return cel_fail(run, "lists.range() argument too large: max size %d", RANGE_MAX);
	size_t len = a[0].integer > 0 ? (size_t)a[0].integer : 0;
	struct cel_value *items = cel_charge(run, len) ? new_items(run, len) : NULL;
	if (!items)
		return cel_out_of_memory();
	for (size_t i = 0; i < len; i++)
		items[i] = cel_int((int64_t)i);
	return cel_list_of(cel_arena(run), items, len);
}

/* An element with the key it is sorted by, and its place, which makes the order stable. */
struct keyed {
	struct cel_value key, item;
	size_t place;
};

static int by_key(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;
	int order = 0;
	(void)cel_compare(a->key, b->key, &order);
	return order ? order : (a->place > b->place) - (a->place < b->place);
}

static struct cel_value sort_by(struct cel_run *run, const struct cel_list *list, const struct cel_list *keys)
{
	struct keyed *pairs = bh_arena_array(cel_arena(run), list->len + 1, sizeof(*pairs));
	struct cel_value *items = new_items(run, list->len);
	int order;
	if (keys->len != list->len)
		return cel_error("@sortByAssociatedKeys() expected a list of the same size as the associated keys list");
	if (!pairs || !items)
		return cel_out_of_memory();
	for (size_t i = 0; i < list->len; i++) {
		if (keys->items[i].kind != keys->items[0].kind || !cel_compare(keys->items[i], keys->items[0], &order))
			return cel_error("list elements must have the same type");
		pairs[i] = (struct keyed){ keys->items[i], list->items[i], i };
	}
	qsort(pairs, list->len, sizeof(*pairs), by_key);
	for (size_t i = 0; i < list->len; i++)
		items[i] = pairs[i].item;
	return cel_list_of(cel_arena(run), items, list->len);
}

FUNCTION(sort)
{
	(void)n;
	return sort_by(run, a[0].list, a[0].list);
}

FUNCTION(sort_by_keys)
{
	(void)n;
	return sort_by(run, a[0].list, a[1].list);
}

/* list.sortBy(e, key): the list bound to a name, sorted by the list of its keys. */
static struct cel_expr *sort_by_macro(struct cel_maker *m, const struct cel_macro_call *call)
{
	size_t at = call->offset_bytes;
	struct bh_slice name = BH_SLICE_LIT(SORT_INPUT);
	struct cel_fold keys = {
		.accu = BH_SLICE_LIT(CEL_ACCU),
		.range = cel_make_ident(m, at, name),
		.init = cel_make_list(m, at, NULL, NULL, 0),
		.condition = cel_make_const(m, at, cel_bool(true)),
		.step = cel_macro_append(m, at, call->args[1]),
		.result = cel_macro_accu(m, at),
	};
	if (!cel_macro_name(m, call->args[0], &keys.iter))
		return NULL;
	struct cel_expr *list = cel_make_fold(m, at, &keys);
	struct cel_expr *sorted = cel_make_named_call(m, at, BH_SLICE_LIT("@sortByAssociatedKeys"), cel_make_ident(m, at, name), &list, 1);
	return cel_macro_bind(m, at, name, call->target, sorted);
}

static const struct cel_macro macros[] = {
	{ "sortBy", true, 2, sort_by_macro },
	{ 0 },
};

/* One overload per type with an order. */
#define ORDERED(O, ...)                                                                                              \
	O("int", __VA_ARGS__), O("uint", __VA_ARGS__), O("double", __VA_ARGS__), O("bool", __VA_ARGS__), O("duration", __VA_ARGS__), \
		O("timestamp", __VA_ARGS__), O("string", __VA_ARGS__), O("bytes", __VA_ARGS__)
#define IS_SORTED(type, unused) { "isSorted", "list_" type "_is_sorted_bool", "list(" type ").() -> bool", is_sorted, cel_cost_of_traversal }
#define EXTREME(type, name, call) { name, "list_" type "_" name "_" type, "list(" type ").() -> " type, call, cel_cost_of_traversal }
#define SORT(type, unused) { "sort", "list_" type "_sort", "list(" type ").() -> list(" type ")", sort, cel_cost_of_traversal }
#define SORT_BY(type, unused)                                                                                        \
	{ "@sortByAssociatedKeys", "list_" type "_sortByAssociatedKeys", "list(A).(list(" type ")) -> list(A)", sort_by_keys, cel_cost_of_traversal }
#define SUM(type) { "sum", "list_" type "_sum_" type, "list(" type ").() -> " type, sum, cel_cost_of_traversal }

static const struct cel_overload overloads[] = {
	ORDERED(IS_SORTED, 0),
	ORDERED(EXTREME, "max", max),
	ORDERED(EXTREME, "min", min),
	SUM("int"), SUM("uint"), SUM("double"), SUM("duration"),
	{ "indexOf", "list_a_index_of_int", "list(A).(A) -> int", index_of, cel_cost_of_traversal },
	{ "lastIndexOf", "list_a_last_index_of_int", "list(A).(A) -> int", last_index_of, cel_cost_of_traversal },
	{ 0 },
};

static const struct cel_overload includes_overloads[] = {
	{ "includes", "list_includes_dyn_dyn", "dyn.(dyn) -> bool", includes, cel_cost_of_traversal },
	{ 0 },
};

static const struct cel_overload more_overloads[] = {
	{ "slice", "list_slice", "list(A).(int, int) -> list(A)", slice, NULL },
	{ "flatten", "list_flatten", "list(list(A)).() -> list(A)", flatten, NULL },
	{ "flatten", "list_flatten_int", "list(dyn).(int) -> list(dyn)", flatten, NULL },
	ORDERED(SORT, 0),
	ORDERED(SORT_BY, 0),
	{ "distinct", "list_distinct", "list(A).() -> list(A)", distinct, NULL },
	{ "reverse", "list_reverse", "list(A).() -> list(A)", reverse, NULL },
	{ "lists.range", "lists_range", "(int) -> list(int)", range, NULL },
	{ 0 },
};

const struct cel_library cel_library_lists = { .name = "lists", .overloads = overloads };
const struct cel_library cel_library_lists_includes = { .name = "lists_includes", .overloads = includes_overloads };
const struct cel_library cel_library_lists_more = { .name = "lists_more", .overloads = more_overloads, .macros = macros };
