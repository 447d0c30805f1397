#include "kube/crd_schema.h"

#define ARENA_BYTES_MAX (256u << 20)
#define NODES_MAX 400000u               /* the largest real definitions have 30,000 in a version */
#define PATTERNS_MAX 20000u
#define PATTERN_MEMORY_BYTES (4u << 20) /* of one */

BH_VEC(crd_regex_vec, struct bh_regex *)

struct reader {
	struct crd_compiled *to;
	unsigned nodes;
	struct bh_err *err;
};

static int no_memory(struct reader *r)
{
	return bh_fail(r->err, BH_ELIMIT, 0, "a schema with more than %u parts, or %u MiB", NODES_MAX, ARENA_BYTES_MAX >> 20);
}

static enum crd_type type_of(struct bh_slice name)
{
	static const struct {
		const char *name;
		enum crd_type type;
	} types[] = { { "object", CRD_OBJECT },   { "array", CRD_ARRAY },   { "string", CRD_STRING },
		      { "integer", CRD_INTEGER }, { "number", CRD_NUMBER }, { "boolean", CRD_BOOLEAN } };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (bh_slice_eq_str(name, types[i].name))
			return types[i].type;
	return CRD_ANY;
}

static struct crd_bound bound_of(struct cel_value schema, const char *name, const char *exclusive)
{
	struct cel_value v = kube_get(schema, name);
	struct crd_bound b = { .is_exclusive = exclusive && cel_is_true(kube_get(schema, exclusive)) };
	b.is_set = v.kind == CEL_INT || v.kind == CEL_DOUBLE || v.kind == CEL_UINT;
	b.value = v.kind == CEL_INT ? (double)v.integer : v.kind == CEL_UINT ? (double)v.natural : v.kind == CEL_DOUBLE ? v.real : 0;
	return b;
}

static struct crd_limit limit_of(struct cel_value schema, const char *name)
{
	struct cel_value v = kube_get(schema, name);
	return (struct crd_limit){ .is_set = v.kind == CEL_INT, .value = v.kind == CEL_INT ? v.integer : 0 };
}

static int read_texts(struct reader *r, struct cel_value list, struct crd_texts *out)
{
	out->list = bh_arena_array(&r->to->arena, kube_length(list) + 1, sizeof(*out->list));
	if (!out->list)
		return no_memory(r);
	for (size_t i = 0; i < kube_length(list); i++)
		if (list.list->items[i].kind == CEL_STRING)
			out->list[out->n++] = list.list->items[i].text;
	return 0;
}

static int read_pattern(struct reader *r, struct crd_schema *s)
{
	struct bh_regex *re = NULL;
	if (s->pattern_text.len == 0)
		return 0;
	int rc = bh_regex_compile(s->pattern_text, BH_REGEX_UTF8, PATTERN_MEMORY_BYTES, &re, r->err);
	if (rc < 0)
		return rc;
	s->pattern = re;
	if (crd_regex_vec_push(r->to->patterns, re))
		return 0;
	bh_regex_free(re);
	s->pattern = NULL;
	return bh_fail(r->err, BH_ELIMIT, 0, "a schema with more than %u patterns", PATTERNS_MAX);
}

static int read_schema(struct reader *r, struct cel_value v, unsigned depth, struct crd_schema **ret);

static int read_part(struct reader *r, struct cel_value v, unsigned depth, struct crd_schema **out)
{
	struct crd_schema *s = NULL;
	int rc = v.kind == CEL_MAP ? read_schema(r, v, depth + 1, &s) : 0;
	*out = s;
	return rc;
}

static int read_parts(struct reader *r, struct cel_value list, unsigned depth, struct crd_schemas *out)
{
	int rc = 0;
	out->list = bh_arena_array(&r->to->arena, kube_length(list) + 1, sizeof(*out->list));
	if (!out->list)
		return no_memory(r);
	for (size_t i = 0; rc == 0 && i < kube_length(list); i++)
		if (list.list->items[i].kind == CEL_MAP)
			rc = read_part(r, list.list->items[i], depth, &out->list[out->n++]);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return bh_slice_cmp(((const struct crd_property *)a)->name, ((const struct crd_property *)b)->name);
}

static int read_properties(struct reader *r, struct cel_value v, unsigned depth, struct crd_schema *s)
{
	int rc = 0;
	if (v.kind != CEL_MAP || v.map->len == 0)
		return 0;
	s->properties = bh_arena_array(&r->to->arena, v.map->len, sizeof(*s->properties));
	if (!s->properties)
		return no_memory(r);
	for (size_t i = 0; rc == 0 && i < v.map->len; i++) {
		const struct cel_entry *e = &v.map->entries[i];
		struct crd_property *p = &s->properties[s->n_properties];
		if (e->key.kind != CEL_STRING || e->value.kind != CEL_MAP)
			continue;
		p->name = e->key.text;
		rc = read_part(r, e->value, depth, &p->schema);
		s->n_properties++;
	}
	if (rc == 0 && s->n_properties)
		qsort(s->properties, s->n_properties, sizeof(*s->properties), by_name);
	return rc;
}

static void read_flags(struct cel_value v, struct crd_schema *s)
{
	struct bh_slice list = kube_text(v, "x-kubernetes-list-type");
	struct cel_value more = kube_get(v, "additionalProperties");
	const struct cel_value *standard = cel_map_field(v.map, BH_SLICE_LIT("default"));
	s->type = type_of(kube_text(v, "type"));
	s->int_or_string = cel_is_true(kube_get(v, "x-kubernetes-int-or-string"));
	s->preserves = cel_is_true(kube_get(v, "x-kubernetes-preserve-unknown-fields"));
	s->is_embedded = cel_is_true(kube_get(v, "x-kubernetes-embedded-resource"));
	s->is_nullable = cel_is_true(kube_get(v, "nullable"));
	s->opens = more.kind == CEL_MAP || cel_is_true(more);
	s->list = bh_slice_eq_str(list, "set") ? CRD_LIST_SET : bh_slice_eq_str(list, "map") ? CRD_LIST_MAP : CRD_LIST_ATOMIC;
	s->has_default = standard && standard->kind != CEL_NULL;
	s->default_value = standard ? *standard : cel_null();
	s->has_rules = kube_length(kube_get(v, "x-kubernetes-validations")) > 0;
}

static void read_bounds(struct cel_value v, struct crd_schema *s)
{
	s->enums = kube_get(v, "enum").kind == CEL_LIST ? kube_get(v, "enum").list : NULL;
	s->format = kube_text(v, "format");
	s->pattern_text = kube_text(v, "pattern");
	s->minimum = bound_of(v, "minimum", "exclusiveMinimum");
	s->maximum = bound_of(v, "maximum", "exclusiveMaximum");
	s->multiple_of = bound_of(v, "multipleOf", NULL);
	s->min_length = limit_of(v, "minLength");
	s->max_length = limit_of(v, "maxLength");
	s->min_items = limit_of(v, "minItems");
	s->max_items = limit_of(v, "maxItems");
	s->min_properties = limit_of(v, "minProperties");
	s->max_properties = limit_of(v, "maxProperties");
}

static void note_rules(struct crd_schema *s)
{
	s->has_rules_below = s->has_rules || (s->items && s->items->has_rules_below) || (s->additional && s->additional->has_rules_below);
	for (size_t i = 0; !s->has_rules_below && i < s->n_properties; i++)
		s->has_rules_below = s->properties[i].schema->has_rules_below;
}

static int read_schema(struct reader *r, struct cel_value v, unsigned depth, struct crd_schema **ret)
{
	struct crd_schema *s = BH_ARENA_NEW(&r->to->arena, struct crd_schema);
	if (!s || depth > CRD_SCHEMA_DEPTH_MAX || ++r->nodes > NODES_MAX)
		return no_memory(r);
	s->at = v.map;
	read_flags(v, s);
	read_bounds(v, s);
	int rc = read_pattern(r, s);
	rc = rc < 0 ? rc : read_texts(r, kube_get(v, "required"), &s->required);
	rc = rc < 0 ? rc : read_texts(r, kube_get(v, "x-kubernetes-list-map-keys"), &s->map_keys);
	rc = rc < 0 ? rc : read_properties(r, kube_get(v, "properties"), depth, s);
	rc = rc < 0 ? rc : read_part(r, kube_get(v, "additionalProperties"), depth, &s->additional);
	rc = rc < 0 ? rc : read_part(r, kube_get(v, "items"), depth, &s->items);
	rc = rc < 0 ? rc : read_part(r, kube_get(v, "not"), depth, &s->not);
	rc = rc < 0 ? rc : read_parts(r, kube_get(v, "allOf"), depth, &s->all_of);
	rc = rc < 0 ? rc : read_parts(r, kube_get(v, "anyOf"), depth, &s->any_of);
	rc = rc < 0 ? rc : read_parts(r, kube_get(v, "oneOf"), depth, &s->one_of);
	note_rules(s);
	*ret = s;
	return rc;
}

int crd_schema_new(struct cel_value schema, struct crd_compiled **ret, struct bh_err *err)
{
	struct crd_compiled *c = calloc(1, sizeof(*c));
	struct reader r = { .to = c, .err = err };
	if (!c)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a schema");
	bh_arena_init(&c->arena, ARENA_BYTES_MAX);
	c->patterns = BH_ARENA_NEW(&c->arena, struct crd_regex_vec);
	int rc = c->patterns && schema.kind == CEL_MAP ? 0 : no_memory(&r);
	if (rc == 0) {
		c->patterns->max = PATTERNS_MAX;
		rc = read_schema(&r, schema, 0, &c->root);
	}
	if (rc < 0) {
		crd_schema_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

void crd_schema_free(struct crd_compiled *c)
{
	if (!c)
		return;
	for (size_t i = 0; c->patterns && i < c->patterns->len; i++)
		bh_regex_free(c->patterns->ptr[i]);
	if (c->patterns)
		crd_regex_vec_done(c->patterns);
	bh_arena_done(&c->arena);
	free(c);
}

const struct crd_schema *crd_property(const struct crd_schema *s, struct bh_slice name)
{
	size_t low = 0, high = s->n_properties;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = bh_slice_cmp(s->properties[middle].name, name);
		if (c == 0)
			return s->properties[middle].schema;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

int crd_schema_visit(struct crd_schema *s, int (*visit)(void *ctx, struct crd_schema *s), void *ctx)
{
	int rc = visit(ctx, s);
	for (size_t i = 0; rc >= 0 && i < s->n_properties; i++)
		rc = crd_schema_visit(s->properties[i].schema, visit, ctx);
	if (rc >= 0 && s->items)
		rc = crd_schema_visit(s->items, visit, ctx);
	if (rc >= 0 && s->additional)
		rc = crd_schema_visit(s->additional, visit, ctx);
	return rc;
}
