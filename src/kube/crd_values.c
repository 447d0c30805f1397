#include "kube/crd_values.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "kube/crd_faults.h"

#define DEPTH_MAX 128u
#define SHOWN_BYTES_MAX 64u
#define LARGEST_WHOLE 9007199254740991.0 /* of JSON's numbers */

static int out_of_work(struct crd_check *c)
{
	return bh_fail(c->err, BH_ELIMIT, 0, "comparing it with its schema takes more than %u steps", CRD_STEPS_MAX);
}

static int no_memory(struct crd_check *c)
{
	return bh_fail(c->err, BH_ELIMIT, 0, "its defaults need more memory than there is for one resource");
}

static BH_PRINTF(5, 6) int tell(struct crd_check *c, enum kube_fault fault, const void *container, struct bh_slice field, const char *format, ...)
{
	char text[CRD_MESSAGE_BYTES_MAX];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0)
		return 0;
	if (c->quiet) {
		if (c->n_quiet++ == 0)
			(void)snprintf(c->first, sizeof(c->first), "%s", text);
		return 0;
	}
	c->blocks_rules |= fault == KUBE_FAULT_TYPE || fault == KUBE_FAULT_MISSING;
	if (c->n_faults++ >= CRD_FAULTS_MAX)
		return c->n_faults > CRD_FAULTS_MAX + 1 ? 0 : crd_tell(c->taker, fault, container, field, c->err, "%s; more of this resource is not told", text);
	return crd_tell(c->taker, fault, container, field, c->err, "%s", text);
}

/* ---- fields that are not known ---- */

static bool is_meta_field(struct bh_slice name)
{
	static const char *const names[] = { "apiVersion", "kind", "metadata", NULL };
	return bh_slice_is_one_of(name, names);
}


static int find_unknown(struct crd_check *c, const struct crd_schema *s, struct cel_value v, struct bh_slice name, bool is_root, unsigned depth);

/* Beside fields that are kept whatever they are, and when nothing is known (s NULL) everything is unknown. */
static int find_unknown_fields(struct crd_check *c, const struct crd_schema *s, const struct cel_map *map, struct bh_slice name, bool is_root, unsigned depth)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < map->len; i++) {
		const struct cel_entry *e = &map->entries[i];
		bool is_meta = (is_root || (s && s->is_embedded)) && is_meta_field(e->key.text);
		const struct crd_schema *field = s && e->key.kind == CEL_STRING ? crd_property(s, e->key.text) : NULL;
		if (e->key.kind != CEL_STRING || is_meta)
			continue;
		if (field)
			rc = find_unknown(c, field, e->value, e->key.text, false, depth + 1);
		else if (s && s->opens)
			rc = find_unknown(c, s->additional, e->value, e->key.text, false, depth + 1);
		else if (!s || !s->preserves)
			rc = tell(c, KUBE_FAULT_FIELD, map, e->key.text, "%.*s has no field %.*s", BH_SLICE_FMT(bh_slice_sub(name, 0, CRD_NAME_BYTES_MAX)),
				  BH_SLICE_FMT(bh_slice_sub(e->key.text, 0, CRD_NAME_BYTES_MAX)));
	}
	return rc;
}

static int find_unknown(struct crd_check *c, const struct crd_schema *s, struct cel_value v, struct bh_slice name, bool is_root, unsigned depth)
{
	int rc = 0;
	if (c->steps == 0)
		return out_of_work(c);
	c->steps--;
	if (depth >= DEPTH_MAX)
		return 0;
	if (v.kind == CEL_MAP)
		return find_unknown_fields(c, s, v.map, name, is_root, depth);
	for (size_t i = 0; rc == 0 && v.kind == CEL_LIST && i < v.list->len; i++)
		rc = s && s->preserves && !s->items ? 0 : find_unknown(c, s ? s->items : NULL, v.list->items[i], name, false, depth + 1);
	return rc;
}

/* ---- nulls, unknown fields out, defaults in ---- */


static int make_effective(struct crd_check *c, const struct crd_schema *s, struct cel_value v, bool is_root, bool drops_status, unsigned depth, struct cel_value *ret);

/* Scalars are the same or come from a default, which has another kind than the null before. */
static bool is_untouched(struct cel_value now, struct cel_value before)
{
	if (now.kind != before.kind)
		return false;
	return now.kind == CEL_MAP ? now.map == before.map : now.kind == CEL_LIST ? now.list == before.list : true;
}

static bool is_wrong_null(struct cel_value v, const struct crd_schema *s)
{
	return v.kind == CEL_NULL && s && !s->is_nullable;
}

static const struct crd_schema *schema_of_field(const struct crd_schema *s, struct bh_slice name)
{
	const struct crd_schema *field = crd_property(s, name);
	return field ? field : s->additional;
}

/* Does the field stay: it is known, or kept whatever it is, and no null where there may be none? */
static bool stays(const struct crd_schema *s, const struct cel_entry *e, bool is_root, bool drops_status)
{
	if (e->key.kind != CEL_STRING)
		return true;
	if (drops_status && bh_slice_eq_str(e->key.text, "status"))
		return false;
	if (is_wrong_null(e->value, schema_of_field(s, e->key.text)))
		return false; /* a default may come instead */
	return s->preserves || s->opens || crd_property(s, e->key.text) || ((is_root || s->is_embedded) && is_meta_field(e->key.text));
}

static bool wants_default(const struct cel_map *map, const struct crd_property *p, bool drops_status)
{
	const struct cel_value *v = cel_map_field(map, p->name);
	if (!p->schema->has_default || (drops_status && bh_slice_eq_str(p->name, "status")))
		return false;
	return !v || is_wrong_null(*v, p->schema);
}

static int add_defaults(struct crd_check *c, const struct crd_schema *s, const struct cel_map *map, bool drops_status, unsigned depth, struct cel_entry *entries, size_t *n)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < s->n_properties; i++) {
		const struct crd_property *p = &s->properties[i];
		if (!wants_default(map, p, drops_status))
			continue;
		entries[*n].key = cel_string(p->name);
		rc = make_effective(c, p->schema, p->schema->default_value, false, false, depth + 1, &entries[*n].value);
		++*n;
	}
	return rc;
}

static int effective_map(struct crd_check *c, const struct crd_schema *s, struct cel_value v, bool is_root, bool drops_status, unsigned depth, struct cel_value *ret)
{
	struct cel_entry *entries = bh_arena_array(c->arena, v.map->len + s->n_properties + 1, sizeof(*entries));
	size_t n = 0;
	bool is_same = true;
	int rc = 0;
	if (!entries)
		return no_memory(c);
	for (size_t i = 0; rc == 0 && i < v.map->len; i++) {
		const struct cel_entry *e = &v.map->entries[i];
		const struct crd_schema *field = e->key.kind == CEL_STRING ? schema_of_field(s, e->key.text) : NULL;
		if (!stays(s, e, is_root, drops_status)) {
			is_same = false;
			if (e->value.kind == CEL_NULL && s->additional && s->additional->has_default && field == s->additional)
				entries[n++] = (struct cel_entry){ e->key, s->additional->default_value };
			continue;
		}
		entries[n] = *e;
		if (field)
			rc = make_effective(c, field, e->value, false, false, depth + 1, &entries[n].value);
		is_same &= is_untouched(entries[n].value, e->value);
		n++;
	}
	size_t before = n;
	rc = rc < 0 ? rc : add_defaults(c, s, v.map, drops_status, depth, entries, &n);
	if (rc < 0 || (is_same && n == before)) {
		*ret = v;
		return rc;
	}
	*ret = cel_map_of(c->arena, entries, n);
	return ret->kind == CEL_MAP ? 0 : no_memory(c);
}

static int effective_list(struct crd_check *c, const struct crd_schema *s, struct cel_value v, unsigned depth, struct cel_value *ret)
{
	struct cel_value *items = bh_arena_array(c->arena, v.list->len + 1, sizeof(*items));
	bool is_same = true;
	int rc = 0;
	if (!items)
		return no_memory(c);
	for (size_t i = 0; rc == 0 && i < v.list->len; i++) {
		struct cel_value item = v.list->items[i];
		if (is_wrong_null(item, s->items) && s->items->has_default)
			item = s->items->default_value;
		rc = make_effective(c, s->items, item, false, false, depth + 1, &items[i]);
		is_same &= is_untouched(items[i], v.list->items[i]);
	}
	*ret = v;
	if (rc < 0 || is_same)
		return rc;
	*ret = cel_list_of(c->arena, items, v.list->len);
	return ret->kind == CEL_LIST ? 0 : no_memory(c);
}

static int make_effective(struct crd_check *c, const struct crd_schema *s, struct cel_value v, bool is_root, bool drops_status, unsigned depth, struct cel_value *ret)
{
	*ret = v;
	if (c->steps == 0)
		return out_of_work(c);
	c->steps--;
	if (depth >= DEPTH_MAX)
		return 0;
	if (v.kind == CEL_MAP)
		return effective_map(c, s, v, is_root, drops_status, depth, ret);
	return v.kind == CEL_LIST && s->items ? effective_list(c, s, v, depth, ret) : 0;
}

/* ---- types ---- */

static bool is_whole(struct cel_value v)
{
	return v.kind == CEL_INT || v.kind == CEL_UINT || (v.kind == CEL_DOUBLE && fabs(v.real) <= LARGEST_WHOLE && v.real == floor(v.real));
}

static bool is_number(struct cel_value v)
{
	return v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE;
}

static double real_of(struct cel_value v)
{
	return v.kind == CEL_INT ? (double)v.integer : v.kind == CEL_UINT ? (double)v.natural : v.real;
}

static bool fits_type(const struct crd_schema *s, struct cel_value v)
{
	if (s->int_or_string)
		return is_whole(v) || v.kind == CEL_STRING;
	switch (s->type) {
	case CRD_ANY: return true;
	case CRD_OBJECT: return v.kind == CEL_MAP;
	case CRD_ARRAY: return v.kind == CEL_LIST;
	case CRD_STRING: return v.kind == CEL_STRING;
	case CRD_INTEGER: return is_whole(v);
	case CRD_NUMBER: return is_number(v);
	case CRD_BOOLEAN: return v.kind == CEL_BOOL;
	}
	return true;
}

static const char *wanted(const struct crd_schema *s)
{
	static const char *const names[] = { "a value", "a map", "a list", "a text", "an integer", "a number", "a boolean" };
	return s->int_or_string ? "an integer or a text" : names[s->type];
}

#define SPOT(at) (at)->container, (at)->field
#define NAME(at) BH_SLICE_FMT(bh_slice_sub((at)->name, 0, CRD_NAME_BYTES_MAX))

/* ---- bounds ---- */

static void print_scalar(struct cel_value v, struct bh_buf *out)
{
	switch (v.kind) {
	case CEL_STRING: bh_buf_add(out, bh_slice_sub(v.text, 0, SHOWN_BYTES_MAX)); break;
	case CEL_INT: bh_buf_printf(out, "%lld", (long long)v.integer); break;
	case CEL_UINT: bh_buf_printf(out, "%llu", (unsigned long long)v.natural); break;
	case CEL_DOUBLE: bh_buf_printf(out, "%.15g", v.real); break;
	case CEL_BOOL: bh_buf_add_str(out, v.boolean ? "true" : "false"); break;
	case CEL_NULL: bh_buf_add_str(out, "null"); break;
	default: bh_buf_add_str(out, kube_kind_words(v)); break;
	}
}

static int check_enum(struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at)
{
	for (size_t i = 0; s->enums && i < s->enums->len; i++)
		if (cel_equal(s->enums->items[i], at->value))
			return 0;
	if (!s->enums)
		return 0;
	struct bh_buf value, list;
	bh_buf_init(&value, SHOWN_BYTES_MAX * 4);
	bh_buf_init(&list, CRD_MESSAGE_BYTES_MAX / 2);
	print_scalar(at->value, &value);
	for (size_t i = 0; i < s->enums->len && !list.failed; i++) {
		if (i)
			bh_buf_add_byte(&list, '|');
		print_scalar(s->enums->items[i], &list);
	}
	int rc = tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s can't be \"%.*s\", but one of %.*s", NAME(at), BH_SLICE_FMT(bh_buf_slice(&value)), BH_SLICE_FMT(bh_buf_slice(&list)));
	bh_buf_done(&value);
	bh_buf_done(&list);
	return rc;
}

/* A bound of 0.5 is one of 0 for whole numbers: an API server compares them as such (kube-openapi, validate/values.go). */
static double bound_for(struct cel_value v, struct crd_bound bound)
{
	return v.kind == CEL_DOUBLE ? bound.value : trunc(bound.value);
}

static bool is_multiple(struct cel_value v, double factor)
{
	double value = real_of(v);
	if (factor <= 0)
		return false;
	double times = factor < 1 ? 1 / factor * value : value / factor;
	return fabs(times - nearbyint(times)) <= fabs(times) * 1e-9;
}

static int check_number(struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at)
{
	double v = real_of(at->value), most = bound_for(at->value, s->maximum), least = bound_for(at->value, s->minimum);
	if (s->maximum.is_set && (v > most || (s->maximum.is_exclusive && v >= most)))
		return tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s has to be %s %.15g", NAME(at), s->maximum.is_exclusive ? "less than" : "at most", s->maximum.value);
	if (s->minimum.is_set && (v < least || (s->minimum.is_exclusive && v <= least)))
		return tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s has to be %s %.15g", NAME(at), s->minimum.is_exclusive ? "more than" : "at least", s->minimum.value);
	if (s->multiple_of.is_set && !is_multiple(at->value, bound_for(at->value, s->multiple_of)))
		return tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s has to be a multiple of %.15g", NAME(at), s->multiple_of.value);
	return 0;
}

static int check_format(struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at)
{
	bool fits = true;
	int rc = s->format.len ? crd_format_fits(c->formats, s->format, c->minor, at->value.text, &fits, c->err) : 0;
	if (rc < 0 || fits)
		return rc;
	rc = tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s has to be of the format %.*s", NAME(at), BH_SLICE_FMT(bh_slice_sub(s->format, 0, SHOWN_BYTES_MAX)));
	c->blocks_rules |= !c->quiet; /* an API server calls it a wrong type */
	return rc;
}

static int check_text(struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at)
{
	struct bh_slice text = at->value.text;
	int64_t n = (int64_t)cel_characters(text);
	int rc = 0;
	if (s->max_length.is_set && n > s->max_length.value) {
		rc = tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s has to be at most %lld characters long", NAME(at), (long long)s->max_length.value);
		c->blocks_rules |= !c->quiet;
	} else if (s->min_length.is_set && n < s->min_length.value) {
		rc = tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s has to be at least %lld character%s long", NAME(at), (long long)s->min_length.value, s->min_length.value == 1 ? "" : "s");
	} else if (s->pattern && bh_regex_search(s->pattern, text, 0, NULL, 0) != 1) {
		rc = tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s has to match %.*s", NAME(at), BH_SLICE_FMT(bh_slice_sub(s->pattern_text, 0, CRD_MESSAGE_BYTES_MAX / 4)));
	}
	return rc < 0 ? rc : check_format(c, s, at);
}

static int check_count(struct crd_check *c, const struct crd_spot *at, size_t n, struct crd_limit most, struct crd_limit least, const char *what)
{
	int rc = 0;
	if (most.is_set && (int64_t)n > most.value) {
		rc = tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s has %zu %s, more than %lld", NAME(at), n, what, (long long)most.value);
		c->blocks_rules |= !c->quiet;
	}
	if (rc == 0 && least.is_set && (int64_t)n < least.value)
		rc = tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s has %zu %s, fewer than %lld", NAME(at), n, what, (long long)least.value);
	return rc;
}

/* ---- the walk ---- */

static int check(struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at, unsigned depth);

static int check_required(struct crd_check *c, const struct crd_texts *required, const struct crd_spot *at)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < required->n; i++) {
		struct cel_entry e = { cel_string(required->list[i]), cel_null() };
		struct crd_spot missing = crd_field_spot(at, &e);
		if (!cel_map_field(at->value.map, required->list[i]))
			rc = tell(c, KUBE_FAULT_MISSING, SPOT(&missing), "%.*s has no %.*s", NAME(at), BH_SLICE_FMT(bh_slice_sub(required->list[i], 0, CRD_NAME_BYTES_MAX)));
	}
	return rc;
}

static int check_map(struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at, unsigned depth)
{
	int rc = check_count(c, at, at->value.map->len, s->max_properties, s->min_properties, "fields");
	rc = rc < 0 ? rc : check_required(c, &s->required, at);
	for (size_t i = 0; rc == 0 && i < at->value.map->len; i++) {
		const struct cel_entry *e = &at->value.map->entries[i];
		const struct crd_schema *field = e->key.kind == CEL_STRING ? schema_of_field(s, e->key.text) : NULL;
		struct crd_spot part = crd_field_spot(at, e);
		if (field)
			rc = check(c, field, &part, depth + 1);
	}
	return rc;
}

static int check_items(struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at, unsigned depth)
{
	char name[CRD_NAME_BYTES_MAX];
	int rc = check_count(c, at, at->value.list->len, s->max_items, s->min_items, "elements");
	for (size_t i = 0; rc == 0 && s->items && i < at->value.list->len; i++) {
		struct crd_spot item = crd_item_spot(at, i, name);
		rc = check(c, s->items, &item, depth + 1);
	}
	return rc;
}

/* ---- junctors ---- */

/* Is it right by the schema? Nobody is told; c->first says what is not. */
static int try_schema(struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at, unsigned depth, bool *ret)
{
	unsigned before = c->n_quiet;
	c->n_quiet = 0;
	c->quiet++;
	int rc = check(c, s, at, depth + 1);
	c->quiet--;
	*ret = c->n_quiet == 0;
	c->n_quiet = before;
	return rc;
}

static int count_right(struct crd_check *c, const struct crd_schemas *list, const struct crd_spot *at, unsigned depth, size_t *ret)
{
	int rc = 0;
	*ret = 0;
	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		bool is_right;
		rc = try_schema(c, list->list[i], at, depth, &is_right);
		*ret += is_right;
	}
	return rc;
}

/* try_schema writes c->first of inner mistakes; in a junctor inside of another the outer one keeps its own. */
static int check_junctors(struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at, unsigned depth)
{
	size_t right = 0;
	bool is_right = false;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < s->all_of.n; i++)
		rc = check(c, s->all_of.list[i], at, depth + 1);
	if (rc == 0 && s->any_of.n) {
		rc = count_right(c, &s->any_of, at, depth, &right);
		if (rc == 0 && right == 0)
			rc = tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s fits none of the %zu schemas of anyOf: %s", NAME(at), s->any_of.n, c->quiet ? "" : c->first);
	}
	if (rc == 0 && s->one_of.n) {
		rc = count_right(c, &s->one_of, at, depth, &right);
		if (rc == 0 && right == 0)
			rc = tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s fits none of the %zu schemas of oneOf: %s", NAME(at), s->one_of.n, c->quiet ? "" : c->first);
		else if (rc == 0 && right > 1)
			rc = tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s fits %zu of the %zu schemas of oneOf, not one", NAME(at), right, s->one_of.n);
	}
	if (rc == 0 && s->not) {
		rc = try_schema(c, s->not, at, depth, &is_right);
		if (rc == 0 && is_right)
			rc = tell(c, KUBE_FAULT_VALUE, SPOT(at), "%.*s is what the schema of not excludes", NAME(at));
	}
	return rc;
}

/* ---- lists of type set and map ---- */

static uint64_t hash_of(struct cel_value v, unsigned depth)
{
	uint64_t h = (uint64_t)v.kind * 0x9e3779b97f4a7c15u;
	if (is_number(v)) {
		double d = real_of(v);
		return bh_slice_hash((struct bh_slice){ (const uint8_t *)&d, sizeof(d) });
	}
	switch (v.kind) {
	case CEL_STRING: return bh_slice_hash(v.text);
	case CEL_BOOL: return h + v.boolean;
	case CEL_LIST:
		for (size_t i = 0; depth < DEPTH_MAX && i < v.list->len; i++)
			h = h * 31 + hash_of(v.list->items[i], depth + 1);
		return h;
	case CEL_MAP:
		for (size_t i = 0; depth < DEPTH_MAX && i < v.map->len; i++) /* in whatever order */
			h += hash_of(v.map->entries[i].key, depth + 1) * 31 + hash_of(v.map->entries[i].value, depth + 1);
		return h;
	default: return h;
	}
}

/* What two elements may not share: themselves, or their keys. */
static struct cel_value identity_of(struct crd_check *c, const struct crd_schema *s, struct cel_value item)
{
	if (s->list == CRD_LIST_SET || item.kind != CEL_MAP)
		return item;
	struct cel_entry *entries = bh_arena_array(c->arena, s->map_keys.n + 1, sizeof(*entries));
	size_t n = 0;
	for (size_t i = 0; entries && i < s->map_keys.n; i++) {
		const struct cel_value *v = cel_map_field(item.map, s->map_keys.list[i]);
		if (v)
			entries[n++] = (struct cel_entry){ cel_string(s->map_keys.list[i]), *v };
	}
	return entries ? cel_map_of(c->arena, entries, n) : cel_error("out of memory");
}

static int tell_twice(struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at, size_t i)
{
	char name[CRD_NAME_BYTES_MAX];
	struct crd_spot item = crd_item_spot(at, i, name);
	if (s->list == CRD_LIST_SET)
		return tell(c, KUBE_FAULT_VALUE, SPOT(&item), "%.*s is there twice: the list is a set", NAME(&item));
	return tell(c, KUBE_FAULT_VALUE, SPOT(&item), "%.*s has the %.*s of another element: the list is a map", NAME(&item),
		    BH_SLICE_FMT(bh_slice_sub(s->map_keys.list[0], 0, CRD_NAME_BYTES_MAX)));
}

/* Open addressing over the elements; each that is there again is told at its second place. */
static int check_unique(struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at)
{
	size_t n = at->value.list->len, n_slots = 4;
	int rc = 0;
	while (n_slots < n * 2)
		n_slots *= 2;
	struct cel_value *keys = bh_arena_array(c->arena, n + 1, sizeof(*keys));
	uint32_t *slots = bh_arena_array(c->arena, n_slots, sizeof(*slots));
	uint8_t *times = bh_arena_array(c->arena, n + 1, sizeof(*times));
	if (!keys || !slots || !times)
		return no_memory(c);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		keys[i] = identity_of(c, s, at->value.list->items[i]);
		size_t slot = hash_of(keys[i], 0) & (n_slots - 1);
		while (slots[slot] && !cel_equal(keys[slots[slot] - 1], keys[i]))
			slot = (slot + 1) & (n_slots - 1);
		if (!slots[slot])
			slots[slot] = (uint32_t)i + 1;
		else if (times[slots[slot] - 1]++ == 0)
			rc = tell_twice(c, s, at, i);
	}
	return rc;
}

/* ---- resources in resources ---- */

static int check_embedded(struct crd_check *c, const struct crd_spot *at)
{
	struct bh_slice names[] = { BH_SLICE_LIT("apiVersion"), BH_SLICE_LIT("kind") };
	struct crd_texts both = { names, 2 };
	return check_required(c, &both, at);
}

/* Everything that an API server asks about a value: what is of another type is asked no more. */
static int check(struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at, unsigned depth)
{
	int rc = 0;
	if (c->steps == 0)
		return out_of_work(c);
	c->steps--;
	if (depth >= DEPTH_MAX)
		return 0;
	if (at->value.kind == CEL_NULL)
		return s->is_nullable || (s->type == CRD_ANY && !s->int_or_string) ? 0 : tell(c, KUBE_FAULT_TYPE, SPOT(at), "%.*s can't be null", NAME(at));
	if (!fits_type(s, at->value))
		return tell(c, KUBE_FAULT_TYPE, SPOT(at), "%.*s has to be %s, not %s", NAME(at), wanted(s), kube_kind_words(at->value));
	rc = check_junctors(c, s, at, depth);
	rc = rc < 0 ? rc : check_enum(c, s, at);
	if (rc == 0 && is_number(at->value))
		rc = check_number(c, s, at);
	if (rc == 0 && at->value.kind == CEL_STRING)
		rc = check_text(c, s, at);
	if (rc == 0 && at->value.kind == CEL_LIST)
		rc = check_items(c, s, at, depth);
	if (rc == 0 && at->value.kind == CEL_LIST && s->list != CRD_LIST_ATOMIC && (s->list == CRD_LIST_SET || s->map_keys.n))
		rc = check_unique(c, s, at);
	if (rc == 0 && at->value.kind == CEL_MAP)
		rc = check_map(c, s, at, depth);
	return rc == 0 && s->is_embedded && at->value.kind == CEL_MAP ? check_embedded(c, at) : rc;
}

static int check_all(struct crd_check *c, const struct crd_schema *s, struct cel_value value, struct bh_slice name, bool is_root, bool drops_status, struct cel_value *ret)
{
	struct cel_value v = value;
	int rc = find_unknown(c, s, value, name, is_root, 0);
	rc = rc < 0 ? rc : make_effective(c, s, value, is_root, drops_status, 0, &v);
	if (rc < 0)
		return rc;
	const struct crd_spot root = { .value = v, .written = value, .container = value.kind == CEL_MAP ? value.map : NULL, .name = name };
	*ret = v;
	return check(c, s, &root, 0);
}

int crd_value_check(struct crd_check *c, const struct crd_schema *s, struct cel_value value, struct bh_slice name, bool drops_status, struct cel_value *ret)
{
	return check_all(c, s, value, name, true, drops_status, ret);
}

int crd_part_check(struct crd_check *c, const struct crd_schema *s, struct cel_value value, struct bh_slice name, struct cel_value *ret)
{
	return check_all(c, s, value, name, false, false, ret);
}
