#include "policy/cel/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "policy/cel/type.h"

#define SHORT_MAP 8u /* entries that are looked through rather than hashed */
#define DEPTH_MAX 512u /* of lists in lists; documents and expressions are far flatter */

static bool is_number(struct cel_value v)
{
	return v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE;
}

static bool compare_doubles(double a, double b, int *ret)
{
	if (isnan(a) || isnan(b))
		return false;
	*ret = (a > b) - (a < b);
	return true;
}

/* As cel-go: beyond all integers by size, else as doubles, so that the largest integers equal the doubles they round to. */
static bool compare_int_double(int64_t a, double b, int *ret)
{
	return compare_doubles((double)a, b, ret);
}

static bool compare_uint_double(uint64_t a, double b, int *ret)
{
	return compare_doubles((double)a, b, ret);
}

static int int_against_uint(int64_t a, uint64_t b)
{
	if (a < 0)
		return -1;
	return ((uint64_t)a > b) - ((uint64_t)a < b);
}

/* False when one of them is NaN. */
static bool compare_numbers(struct cel_value a, struct cel_value b, int *ret)
{
	bool ok = true;
	if (a.kind == b.kind) {
		if (a.kind == CEL_INT)
			*ret = (a.integer > b.integer) - (a.integer < b.integer);
		else if (a.kind == CEL_UINT)
			*ret = (a.natural > b.natural) - (a.natural < b.natural);
		else
			ok = compare_doubles(a.real, b.real, ret);
		return ok;
	}
	if (a.kind > b.kind) { /* int, uint, double: the lower kind first */
		ok = compare_numbers(b, a, ret);
		*ret = ok ? -*ret : 0;
		return ok;
	}
	if (b.kind == CEL_UINT)
		*ret = int_against_uint(a.integer, b.natural);
	else if (a.kind == CEL_INT)
		ok = compare_int_double(a.integer, b.real, ret);
	else
		ok = compare_uint_double(a.natural, b.real, ret);
	return ok;
}

static int compare_times(struct cel_value a, struct cel_value b)
{
	if (a.integer != b.integer)
		return a.integer < b.integer ? -1 : 1;
	return (a.nanos > b.nanos) - (a.nanos < b.nanos);
}

bool cel_compare(struct cel_value a, struct cel_value b, int *ret)
{
	if (is_number(a) && is_number(b))
		return compare_numbers(a, b, ret);
	if (a.kind != b.kind)
		return false;
	switch (a.kind) {
	case CEL_BOOL: *ret = (int)a.boolean - (int)b.boolean; return true;
	case CEL_STRING:
	case CEL_BYTES: {
		int c = bh_slice_cmp(a.text, b.text); /* the order of UTF-8 is the order of code points */
		*ret = (c > 0) - (c < 0);
		return true;
	}
	case CEL_DURATION:
	case CEL_TIMESTAMP: *ret = compare_times(a, b); return true;
	default: return false;
	}
}

enum how { UNKNOWNS_DIFFER, UNKNOWNS_SAME };

static bool equal(struct cel_value a, struct cel_value b, unsigned depth, enum how how);

static bool lists_equal(const struct cel_list *a, const struct cel_list *b, unsigned depth, enum how how)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (!equal(a->items[i], b->items[i], depth + 1, how))
			return false;
	return true;
}

static bool maps_equal(const struct cel_map *a, const struct cel_map *b, unsigned depth, enum how how)
{
	if (a->len != b->len || !bh_slice_eq(a->record, b->record))
		return false;
	for (size_t i = 0; i < a->len; i++) {
		const struct cel_value *other = cel_map_get(b, a->entries[i].key);
		if (!other || !equal(a->entries[i].value, *other, depth + 1, how))
			return false;
	}
	return true;
}

static bool optionals_equal(const struct cel_value *a, const struct cel_value *b, unsigned depth, enum how how)
{
	return a && b ? equal(*a, *b, depth + 1, how) : a == b;
}

/* Types are equal when they have the same name: their parameters are unknown at run time. */
static bool types_equal(const struct cel_type *a, const struct cel_type *b)
{
	return a->kind == b->kind && bh_slice_eq(a->name, b->name) && (a->kind != CEL_TYPE_WRAPPER || a->params[0]->kind == b->params[0]->kind);
}

static bool equal(struct cel_value a, struct cel_value b, unsigned depth, enum how how)
{
	int order;
	if (is_number(a) && is_number(b))
		return compare_numbers(a, b, &order) && order == 0;
	if (a.kind != b.kind || depth > DEPTH_MAX)
		return false;
	switch (a.kind) {
	case CEL_NULL: return true;
	case CEL_BOOL: return a.boolean == b.boolean;
	case CEL_STRING:
	case CEL_BYTES: return bh_slice_eq(a.text, b.text);
	case CEL_DURATION:
	case CEL_TIMESTAMP: return compare_times(a, b) == 0;
	case CEL_LIST: return lists_equal(a.list, b.list, depth, how);
	case CEL_MAP: return maps_equal(a.map, b.map, depth, how);
	case CEL_TYPE: return types_equal(a.type, b.type);
	case CEL_OPTIONAL: return optionals_equal(a.optional, b.optional, depth, how);
	case CEL_OBJECT: return a.object->class == b.object->class && a.object->class->equal && a.object->class->equal(a.object, b.object);
	case CEL_UNKNOWN: return how == UNKNOWNS_SAME;
	default: return false; /* numbers are done, errors never come here */
	}
}

bool cel_equal(struct cel_value a, struct cel_value b)
{
	return equal(a, b, 0, UNKNOWNS_DIFFER);
}

bool cel_same(struct cel_value a, struct cel_value b)
{
	return equal(a, b, 0, UNKNOWNS_SAME);
}

/* ---- lists and maps ---- */

struct cel_value cel_list_of(struct bh_arena *arena, const struct cel_value *items, size_t n)
{
	struct cel_list *list = BH_ARENA_NEW(arena, struct cel_list);
	if (!list)
		return cel_error("out of memory");
	*list = (struct cel_list){ n, items };
	return (struct cel_value){ .kind = CEL_LIST, .list = list };
}

static bool can_be_key(struct cel_value v)
{
	return v.kind == CEL_BOOL || v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_STRING;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15u;
	return x ^ (x >> 29);
}

/* Of a key; equal ones have equal hashes. */
static uint64_t hash_key(struct cel_value key)
{
	switch (key.kind) {
	case CEL_BOOL: return mix(key.boolean ? 3 : 5);
	case CEL_STRING: return bh_slice_hash(key.text);
	default: return mix(key.natural);
	}
}

/* A double that is a whole number seeks the integer. */
static bool can_be_sought(struct cel_value *key)
{
	double v = key->real;
	if (key->kind != CEL_DOUBLE)
		return can_be_key(*key);
	if (v >= -CEL_TWO_63 && v < CEL_TWO_63 && v == (double)(int64_t)v)
		*key = cel_int((int64_t)v);
	else if (v >= CEL_TWO_63 && v < CEL_TWO_64)
		*key = cel_uint((uint64_t)v);
	else
		return false;
	return true;
}

const struct cel_value *cel_map_get(const struct cel_map *map, struct cel_value key)
{
	if (!can_be_sought(&key))
		return NULL;
	if (!map->slots) {
		for (size_t i = 0; i < map->len; i++)
			if (cel_equal(map->entries[i].key, key))
				return &map->entries[i].value;
		return NULL;
	}
	for (size_t at = hash_key(key) & (map->n_slots - 1); map->slots[at]; at = (at + 1) & (map->n_slots - 1)) {
		const struct cel_entry *e = &map->entries[map->slots[at] - 1];
		if (cel_equal(e->key, key))
			return &e->value;
	}
	return NULL;
}

const struct cel_value *cel_map_field(const struct cel_map *map, struct bh_slice key)
{
	if (!map->slots) {
		for (size_t i = 0; i < map->len; i++)
			if (map->entries[i].key.kind == CEL_STRING && bh_slice_eq(map->entries[i].key.text, key))
				return &map->entries[i].value;
		return NULL;
	}
	return cel_map_get(map, cel_string(key));
}

static struct cel_value check_keys(const struct cel_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!can_be_key(entries[i].key))
			return cel_error("unsupported key type: keys of a map are bool, int, uint or string");
	return cel_null();
}

static struct cel_value index_map(struct bh_arena *arena, struct cel_map *map)
{
	size_t n_slots = 2 * SHORT_MAP;
	while (n_slots < map->len * 2)
		n_slots *= 2;
	uint32_t *slots = map->len < UINT32_MAX / 2 ? bh_arena_array(arena, n_slots, sizeof(*slots)) : NULL;
	if (!slots)
		return cel_error("out of memory");
	for (size_t i = 0; i < map->len; i++) {
		size_t at = hash_key(map->entries[i].key) & (n_slots - 1);
		for (; slots[at]; at = (at + 1) & (n_slots - 1))
			if (cel_equal(map->entries[slots[at] - 1].key, map->entries[i].key))
				return cel_error("a key stands twice in a map");
		slots[at] = (uint32_t)i + 1;
	}
	map->slots = slots;
	map->n_slots = n_slots;
	return cel_null();
}

static struct cel_value find_twins(const struct cel_map *map)
{
	for (size_t i = 0; i < map->len; i++)
		for (size_t k = 0; k < i; k++)
			if (cel_equal(map->entries[i].key, map->entries[k].key))
				return cel_error("a key stands twice in a map");
	return cel_null();
}

struct cel_value cel_record_of(struct bh_arena *arena, struct bh_slice record, const struct cel_entry *entries, size_t n)
{
	struct cel_value bad = check_keys(entries, n);
	if (!cel_is_known(bad))
		return bad;
	struct cel_map *map = BH_ARENA_NEW(arena, struct cel_map);
	if (!map)
		return cel_error("out of memory");
	*map = (struct cel_map){ .len = n, .entries = entries, .record = record };
	bad = n > SHORT_MAP ? index_map(arena, map) : find_twins(map);
	return cel_is_known(bad) ? (struct cel_value){ .kind = CEL_MAP, .map = map } : bad;
}

struct cel_value cel_map_of(struct bh_arena *arena, const struct cel_entry *entries, size_t n)
{
	return cel_record_of(arena, (struct bh_slice){ 0 }, entries, n);
}

/* ---- types of values ---- */

const struct cel_type *cel_type_of(struct bh_arena *arena, struct cel_value v)
{
	switch (v.kind) {
	case CEL_NULL: return &cel_type_null;
	case CEL_BOOL: return &cel_type_bool;
	case CEL_INT: return &cel_type_int;
	case CEL_UINT: return &cel_type_uint;
	case CEL_DOUBLE: return &cel_type_double;
	case CEL_STRING: return &cel_type_string;
	case CEL_BYTES: return &cel_type_bytes;
	case CEL_LIST: return &cel_type_list;
	case CEL_MAP: return v.map->record.len ? cel_type_make(arena, CEL_TYPE_RECORD, v.map->record, NULL, 0) : &cel_type_map;
	case CEL_DURATION: return &cel_type_duration;
	case CEL_TIMESTAMP: return &cel_type_timestamp;
	case CEL_TYPE: return &cel_type_type;
	case CEL_OPTIONAL: return &cel_type_optional;
	case CEL_OBJECT: return cel_type_make(arena, CEL_TYPE_OPAQUE, bh_slice_str(v.object->class->name), NULL, 0);
	case CEL_ERROR:
	case CEL_UNKNOWN: break;
	}
	return &cel_type_error;
}

const char *cel_kind_name(struct cel_value v)
{
	static const char *const names[] = {
		[CEL_ERROR] = "error", [CEL_UNKNOWN] = "unknown", [CEL_NULL] = "null_type", [CEL_BOOL] = "bool", [CEL_INT] = "int", [CEL_UINT] = "uint",
		[CEL_DOUBLE] = "double", [CEL_STRING] = "string", [CEL_BYTES] = "bytes", [CEL_LIST] = "list", [CEL_MAP] = "map",
		[CEL_DURATION] = "google.protobuf.Duration", [CEL_TIMESTAMP] = "google.protobuf.Timestamp", [CEL_TYPE] = "type",
		[CEL_OPTIONAL] = "optional_type",
	};
	return v.kind == CEL_OBJECT ? v.object->class->name : names[v.kind];
}

size_t cel_characters(struct bh_slice text)
{
	size_t n = 0;
	for (; text.len; n++) {
		uint32_t c;
		size_t bytes = bh_utf8_next(text, &c);
		text = bh_slice_sub(text, bytes ? bytes : 1, text.len);
	}
	return n;
}

bool cel_is_zero(struct cel_value v)
{
	switch (v.kind) {
	case CEL_NULL: return true;
	case CEL_BOOL: return !v.boolean;
	case CEL_INT:
	case CEL_UINT: return v.natural == 0;
	case CEL_DOUBLE: return v.real == 0;
	case CEL_STRING:
	case CEL_BYTES: return v.text.len == 0;
	case CEL_LIST: return v.list->len == 0;
	case CEL_MAP: return v.map->len == 0;
	case CEL_DURATION: return v.integer == 0 && v.nanos == 0;
	case CEL_OPTIONAL: return v.optional == NULL;
	default: return false;
	}
}

/* ---- doubles as text ---- */

/* Go turns to an exponent from this one on when it prints the shortest digits (strconv, format 'g' without precision). */
#define FIRST_LARGE_EXPONENT 6

static void print_shortest(double v, char text[32], long *exponent)
{
	for (int digits = 0; digits < 17; digits++) {
		snprintf(text, 32, "%.*e", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	*exponent = strtol(strchr(text, 'e') + 1, NULL, 10);
}

void cel_print_double(double v, char text[32])
{
	if (isnan(v) || isinf(v)) {
		snprintf(text, 32, "%s", isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf");
		return;
	}
	char scientific[32];
	long exponent;
	print_shortest(v, scientific, &exponent);
	long digits = (long)strcspn(scientific, "e") - (scientific[0] == '-') - (strchr(scientific, '.') != NULL);
	if (exponent < -4 || exponent >= FIRST_LARGE_EXPONENT)
		snprintf(text, 32, "%s", scientific);
	else
		snprintf(text, 32, "%.*f", digits - 1 > exponent ? (int)(digits - 1 - exponent) : 0, v);
}
