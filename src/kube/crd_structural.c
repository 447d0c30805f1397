#include "kube/crd_structural.h"

#include <stdarg.h>
#include <stdio.h>

#include "format/regex.h"
#include "kube/crd_faults.h"
#include "kube/crd_schema.h"

#define PATTERN_MEMORY_BYTES (4u << 20)

enum level { AT_ROOT, AT_ITEM, AT_FIELD };

/* Where in a schema something is. */
struct place {
	struct cel_value schema;
	enum level level;
	bool is_nested;           /* in a junctor */
	bool is_int_or_string;    /* {type: integer} and {type: string} in the first anyOf of an int-or-string: these types are fine */
	bool in_metadata;
	bool is_checked_outside;  /* nested in a junctor of the root: outside has to specify the same */
	struct cel_value outside;
	unsigned depth;
};

struct checker {
	const struct kube_fault_taker *taker;
	unsigned n;
	struct bh_err *err;
};

static BH_PRINTF(4, 5) int tell(struct checker *c, struct cel_value at, const char *field, const char *format, ...)
{
	char text[CRD_MESSAGE_BYTES_MAX];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	c->n++;
	return n < 0 ? 0 : crd_tell(c->taker, KUBE_FAULT_CRD, at.map, bh_slice_str(field), c->err, "%s: %s", field, text);
}

static bool has(struct cel_value schema, const char *field)
{
	return kube_get(schema, field).kind != CEL_NULL;
}

static bool is_set(struct cel_value schema, const char *field)
{
	return cel_is_true(kube_get(schema, field));
}

static struct bh_slice type_of(struct cel_value schema)
{
	return kube_text(schema, "type");
}

/* ---- what no schema may have ---- */

static int check_forbidden(struct checker *c, const struct place *p)
{
	static const char *const fields[] = { "id", "$schema", "$ref", "patternProperties", "dependencies", "additionalItems", "definitions", NULL };
	static const char *const types[] = { "array", "boolean", "integer", "number", "object", "string", NULL };
	struct bh_slice type = type_of(p->schema);
	int rc = 0;
	for (const char *const *f = fields; rc == 0 && *f; f++)
		if (has(p->schema, *f))
			rc = tell(c, p->schema, *f, "not supported in the schema of a CustomResourceDefinition");
	if (rc == 0 && is_set(p->schema, "uniqueItems"))
		rc = tell(c, p->schema, "uniqueItems", "can't be true: comparing all with all is too slow; x-kubernetes-list-type: set says the same");
	if (rc == 0 && type.len && !bh_slice_is_one_of(type, types))
		rc = tell(c, p->schema, "type", "can't be \"%.*s\"", BH_SLICE_FMT(type));
	if (rc == 0 && kube_get(p->schema, "items").kind == CEL_LIST)
		rc = tell(c, p->schema, "items", "has to be one schema, not a list of them");
	if (rc == 0 && kube_get(p->schema, "x-kubernetes-preserve-unknown-fields").kind == CEL_BOOL && !is_set(p->schema, "x-kubernetes-preserve-unknown-fields"))
		rc = tell(c, p->schema, "x-kubernetes-preserve-unknown-fields", "has to be true, or not there");
	return rc;
}

/* ---- junctors ---- */

static int check_nested_fields(struct checker *c, const struct place *p)
{
	static const char *const fields[] = { "default", "title", "description", "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-map-type",
					      "x-kubernetes-validations", NULL };
	static const char *const flags[] = { "nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string", NULL };
	int rc = 0;
	for (const char *const *f = fields; rc == 0 && *f; f++)
		if (has(p->schema, *f))
			rc = tell(c, p->schema, *f, "can't stand inside of allOf, anyOf, oneOf or not");
	for (const char *const *f = flags; rc == 0 && *f; f++)
		if (is_set(p->schema, *f))
			rc = tell(c, p->schema, *f, "can't stand inside of allOf, anyOf, oneOf or not");
	if (rc == 0 && type_of(p->schema).len && !p->is_int_or_string)
		rc = tell(c, p->schema, "type", "can't stand inside of allOf, anyOf, oneOf or not");
	if (rc == 0 && has(p->schema, "additionalProperties") && (kube_get(p->schema, "additionalProperties").kind == CEL_MAP || is_set(p->schema, "additionalProperties")))
		rc = tell(c, p->schema, "additionalProperties", "can't stand inside of allOf, anyOf, oneOf or not");
	if (rc == 0 && kube_path(p->schema, "properties.metadata").kind != CEL_NULL)
		rc = tell(c, kube_get(p->schema, "properties"), "metadata", "can't stand inside of allOf, anyOf, oneOf or not");
	if (rc == 0 && p->is_checked_outside && has(p->schema, "items") && kube_get(p->outside, "items").kind != CEL_MAP)
		rc = tell(c, p->schema, "items", "is not specified outside of allOf, anyOf, oneOf and not");
	return rc;
}

/* anyOf: [{type: integer}, {type: string}] and nothing else. */
static bool is_int_or_string(struct cel_value list)
{
	if (kube_length(list) != 2 || list.list->items[0].kind != CEL_MAP || list.list->items[1].kind != CEL_MAP)
		return false;
	struct cel_value a = list.list->items[0], b = list.list->items[1];
	return a.map->len == 1 && b.map->len == 1 && bh_slice_eq_str(type_of(a), "integer") && bh_slice_eq_str(type_of(b), "string");
}

static int check_schema(struct checker *c, const struct place *p);

static struct place junctor_place(const struct place *p, struct cel_value schema)
{
	struct place part = { .schema = schema, .level = p->level, .is_nested = true, .in_metadata = p->in_metadata, .depth = p->depth + 1 };
	part.is_checked_outside = p->is_nested ? p->is_checked_outside : p->level == AT_ROOT;
	part.outside = p->is_nested ? p->outside : p->schema;
	return part;
}

static int check_junctor(struct checker *c, const struct place *p, const char *field)
{
	struct cel_value list = kube_get(p->schema, field);
	bool may_have_types = strcmp(field, "anyOf") == 0 && is_int_or_string(list);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(list); i++) {
		struct place part = junctor_place(p, list.list->items[i]);
		part.is_int_or_string = may_have_types;
		rc = check_schema(c, &part);
	}
	return rc;
}

static int check_junctors(struct checker *c, const struct place *p)
{
	static const char *const fields[] = { "allOf", "anyOf", "oneOf", NULL };
	struct place not = junctor_place(p, kube_get(p->schema, "not"));
	int rc = 0;
	for (const char *const *f = fields; rc == 0 && *f; f++)
		rc = check_junctor(c, p, *f);
	return rc == 0 && not.schema.kind == CEL_MAP ? check_schema(c, &not) : rc;
}

/* ---- lists and maps ---- */

static bool names_property(struct cel_value list, struct bh_slice name)
{
	for (size_t i = 0; i < kube_length(list); i++)
		if (list.list->items[i].kind == CEL_STRING && bh_slice_eq(list.list->items[i].text, name))
			return true;
	return false;
}

static int check_map_key(struct checker *c, const struct place *p, struct cel_value key)
{
	struct cel_value items = kube_get(p->schema, "items"), properties = kube_get(items, "properties");
	const struct cel_value *property = properties.kind == CEL_MAP && key.kind == CEL_STRING ? cel_map_field(properties.map, key.text) : NULL;
	if (key.kind != CEL_STRING || !property || property->kind != CEL_MAP)
		return tell(c, p->schema, "x-kubernetes-list-map-keys", "every key has to be a property of the items");
	if (bh_slice_eq_str(type_of(*property), "array") || bh_slice_eq_str(type_of(*property), "object"))
		return tell(c, *property, "type", "has to be scalar: the property is a key of a list of type map");
	if (is_set(*property, "nullable"))
		return tell(c, *property, "nullable", "can't be true: the property is a key of a list of type map");
	if (!names_property(kube_get(items, "required"), key.text) && !has(*property, "default"))
		return tell(c, *property, "default", "is missing: a key of a list of type map has a default or is required");
	return 0;
}

static int check_map_list(struct checker *c, const struct place *p)
{
	struct cel_value keys = kube_get(p->schema, "x-kubernetes-list-map-keys"), items = kube_get(p->schema, "items");
	int rc = 0;
	if (kube_length(keys) == 0)
		return tell(c, p->schema, "x-kubernetes-list-map-keys", "is missing: a list of type map needs keys");
	if (!bh_slice_eq_str(type_of(items), "object"))
		return tell(c, p->schema, "items", "have to be objects: the list is of type map");
	for (size_t i = 0; rc == 0 && i < kube_length(keys); i++)
		rc = check_map_key(c, p, keys.list->items[i]);
	return rc;
}

static int check_set_list(struct checker *c, const struct place *p)
{
	struct cel_value items = kube_get(p->schema, "items");
	struct bh_slice list = kube_text(items, "x-kubernetes-list-type"), map = kube_text(items, "x-kubernetes-map-type");
	if (bh_slice_eq_str(type_of(items), "array") && list.len && !bh_slice_eq_str(list, "atomic"))
		return tell(c, items, "x-kubernetes-list-type", "has to be atomic: the lists are elements of a set");
	if (bh_slice_eq_str(type_of(items), "object") && !bh_slice_eq_str(map, "atomic"))
		return tell(c, items, "x-kubernetes-map-type", "has to be atomic: the objects are elements of a set");
	return 0;
}

static int check_list_type(struct checker *c, const struct place *p)
{
	struct bh_slice list = kube_text(p->schema, "x-kubernetes-list-type"), map = kube_text(p->schema, "x-kubernetes-map-type");
	bool is_set_list = bh_slice_eq_str(list, "set"), is_map_list = bh_slice_eq_str(list, "map");
	int rc = 0;
	if (map.len && !bh_slice_eq_str(map, "atomic") && !bh_slice_eq_str(map, "granular"))
		return tell(c, p->schema, "x-kubernetes-map-type", "has to be atomic or granular");
	if (map.len && !bh_slice_eq_str(type_of(p->schema), "object"))
		return tell(c, p->schema, "x-kubernetes-map-type", "is for type: object only");
	if (list.len && !is_set_list && !is_map_list && !bh_slice_eq_str(list, "atomic"))
		return tell(c, p->schema, "x-kubernetes-list-type", "has to be atomic, set or map");
	if (list.len && !bh_slice_eq_str(type_of(p->schema), "array"))
		return tell(c, p->schema, "x-kubernetes-list-type", "is for type: array only");
	if (!is_map_list && kube_length(kube_get(p->schema, "x-kubernetes-list-map-keys")))
		return tell(c, p->schema, "x-kubernetes-list-map-keys", "is for x-kubernetes-list-type: map only");
	if ((is_set_list || is_map_list) && is_set(kube_get(p->schema, "items"), "nullable"))
		rc = tell(c, kube_get(p->schema, "items"), "nullable", "can't be true for the elements of a set or map");
	if (rc == 0 && is_map_list)
		rc = check_map_list(c, p);
	return rc == 0 && is_set_list ? check_set_list(c, p) : rc;
}

/* ---- types ---- */

static int check_int_or_string(struct checker *c, const struct place *p)
{
	bool here = is_set(p->schema, "x-kubernetes-int-or-string");
	if (here && is_set(p->schema, "x-kubernetes-preserve-unknown-fields"))
		return tell(c, p->schema, "x-kubernetes-preserve-unknown-fields", "can't stand beside x-kubernetes-int-or-string");
	if (here && is_set(p->schema, "x-kubernetes-embedded-resource"))
		return tell(c, p->schema, "x-kubernetes-embedded-resource", "can't stand beside x-kubernetes-int-or-string");
	return 0;
}

static int check_type(struct checker *c, const struct place *p)
{
	struct bh_slice type = type_of(p->schema);
	bool is_embedded = is_set(p->schema, "x-kubernetes-embedded-resource");
	if (is_embedded && !bh_slice_eq_str(type, "object"))
		return tell(c, p->schema, "type", "has to be object beside x-kubernetes-embedded-resource");
	if (p->level == AT_ROOT && !bh_slice_eq_str(type, "object"))
		return tell(c, p->schema, "type", "has to be object at the root");
	if (type.len == 0 && !is_set(p->schema, "x-kubernetes-int-or-string") && !is_set(p->schema, "x-kubernetes-preserve-unknown-fields"))
		return tell(c, p->schema, "type", "is missing: every %s needs one", p->level == AT_ITEM ? "element of a list" : "field");
	if (bh_slice_eq_str(type, "array") && kube_get(p->schema, "items").kind != CEL_MAP)
		return tell(c, p->schema, "items", "is missing: an array has to say of what");
	if (is_embedded && !is_set(p->schema, "x-kubernetes-preserve-unknown-fields") && kube_get(p->schema, "properties").kind != CEL_MAP)
		return tell(c, p->schema, "properties", "is missing: an embedded resource has fields, or keeps unknown ones");
	return check_int_or_string(c, p);
}

static int check_additional(struct checker *c, const struct place *p)
{
	struct cel_value more = kube_get(p->schema, "additionalProperties"), properties = kube_get(p->schema, "properties");
	if (more.kind == CEL_NULL)
		return 0;
	if (p->level == AT_ROOT)
		return tell(c, p->schema, "additionalProperties", "can't stand at the root");
	if (is_set(p->schema, "x-kubernetes-embedded-resource"))
		return tell(c, p->schema, "additionalProperties", "can't stand beside x-kubernetes-embedded-resource");
	if (properties.kind == CEL_MAP && properties.map->len && !cel_is_true(more))
		return tell(c, p->schema, "additionalProperties", "can't stand beside properties");
	return 0;
}

/* Of metadata a schema may limit names only, and only where a resource begins. */
static int check_metadata(struct checker *c, const struct place *p)
{
	struct cel_value properties = kube_get(p->schema, "properties"), metadata = kube_get(properties, "metadata");
	bool is_resource = p->level == AT_ROOT || is_set(p->schema, "x-kubernetes-embedded-resource");
	static const char *const allowed[] = { "type", "properties", "default", NULL };
	static const char *const names[] = { "name", "generateName", NULL };
	struct cel_value fields = kube_get(metadata, "properties");
	if (!is_resource || metadata.kind != CEL_MAP)
		return 0;
	if (!bh_slice_eq_str(type_of(metadata), "object"))
		return tell(c, metadata, "type", "has to be object");
	for (size_t i = 0; p->level == AT_ROOT && i < metadata.map->len; i++)
		if (!bh_slice_is_one_of(metadata.map->entries[i].key.text, allowed))
			return tell(c, properties, "metadata", "only name and generateName can be specified, the rest of metadata is the API server's");
	for (size_t i = 0; p->level == AT_ROOT && fields.kind == CEL_MAP && i < fields.map->len; i++)
		if (!bh_slice_is_one_of(fields.map->entries[i].key.text, names))
			return tell(c, properties, "metadata", "only name and generateName can be specified, the rest of metadata is the API server's");
	return 0;
}

static int check_root(struct checker *c, struct cel_value schema, bool has_status)
{
	static const char *const fields[] = { "allOf", "anyOf", "oneOf", "not", "enum", "minProperties", "maxProperties", NULL };
	if (is_set(schema, "nullable"))
		return tell(c, schema, "nullable", "can't be true at the root");
	for (const char *const *f = fields; has_status && *f; f++)
		if (has(schema, *f))
			return tell(c, schema, *f, "can't stand at the root of a version with a status subresource");
	return 0;
}

static int check_pattern(struct checker *c, const struct place *p)
{
	struct bh_slice pattern = kube_text(p->schema, "pattern");
	struct bh_regex *re = NULL;
	struct bh_err why = { 0 };
	if (pattern.len == 0)
		return 0;
	int rc = bh_regex_compile(pattern, BH_REGEX_UTF8, PATTERN_MEMORY_BYTES, &re, &why);
	bh_regex_free(re);
	return rc < 0 ? tell(c, p->schema, "pattern", "%s", why.text) : 0;
}

/* ---- rules, as far as they are no expressions ---- */

static bool has_lines(struct bh_slice text)
{
	return bh_slice_find(text, '\n') < text.len || bh_slice_find(text, '\r') < text.len;
}

/* Takes ".name" or "['name']" from the front; false: it begins with neither. */
static bool take_step(struct bh_slice *path, struct bh_slice *ret)
{
	bool is_quoted = bh_slice_starts(*path, BH_SLICE_LIT("['"));
	size_t n = 0;
	if (!is_quoted && !bh_slice_starts(*path, BH_SLICE_LIT(".")))
		return false;
	struct bh_slice rest = bh_slice_sub(*path, is_quoted ? 2 : 1, path->len);
	while (n < rest.len && (is_quoted ? rest.ptr[n] != '\'' : rest.ptr[n] != '.' && rest.ptr[n] != '['))
		n++;
	*ret = bh_slice_sub(rest, 0, n);
	rest = bh_slice_sub(rest, n, rest.len);
	if (is_quoted && !bh_slice_starts(rest, BH_SLICE_LIT("']")))
		return false;
	*path = bh_slice_sub(rest, is_quoted ? 2 : 0, rest.len);
	return ret->len > 0;
}

/* Does a rule's fieldPath lead to a field of the schema? */
static bool leads_somewhere(struct cel_value schema, struct bh_slice path)
{
	struct bh_slice name;
	path = bh_slice_trim(path);
	while (path.len) {
		struct cel_value properties = kube_get(schema, "properties"), more = kube_get(schema, "additionalProperties");
		if (!take_step(&path, &name))
			return false;
		const struct cel_value *field = properties.kind == CEL_MAP ? cel_map_field(properties.map, name) : more.kind == CEL_MAP ? &more : NULL;
		if (!field)
			return false;
		schema = *field;
	}
	return true;
}

static int check_rule(struct checker *c, struct cel_value schema, struct cel_value rule)
{
	static const char *const reasons[] = { "", "FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate", NULL };
	struct bh_slice text = bh_slice_trim(kube_text(rule, "rule")), message = bh_slice_trim(kube_text(rule, "message"));
	if (rule.kind != CEL_MAP)
		return 0; /* said with its type */
	if (text.len == 0)
		return tell(c, rule, "rule", "is missing or empty");
	if (has_lines(message))
		return tell(c, rule, "message", "can't have line breaks");
	if (has_lines(text) && message.len == 0)
		return tell(c, rule, "message", "is missing: a rule of several lines needs one");
	if (!leads_somewhere(schema, kube_text(rule, "fieldPath")))
		return tell(c, rule, "fieldPath", "leads to no field of the schema");
	if (!bh_slice_is_one_of(kube_text(rule, "reason"), reasons))
		return tell(c, rule, "reason", "has to be FieldValueInvalid, FieldValueForbidden, FieldValueRequired or FieldValueDuplicate");
	return 0;
}

static int check_rules(struct checker *c, const struct place *p)
{
	struct cel_value rules = kube_get(p->schema, "x-kubernetes-validations");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(rules); i++)
		rc = check_rule(c, p->schema, rules.list->items[i]);
	return rc;
}

/* ---- the walk ---- */

static struct place inner_place(const struct place *p, struct cel_value schema, enum level level, struct cel_value outside)
{
	return (struct place){ .schema = schema, .level = level, .is_nested = p->is_nested, .in_metadata = p->in_metadata, .is_checked_outside = p->is_checked_outside,
			       .outside = outside, .depth = p->depth + 1 };
}

static int check_properties(struct checker *c, const struct place *p)
{
	struct cel_value properties = kube_get(p->schema, "properties"), outside = kube_get(p->outside, "properties");
	bool is_resource = p->level == AT_ROOT || is_set(p->schema, "x-kubernetes-embedded-resource");
	int rc = 0;
	for (size_t i = 0; rc == 0 && properties.kind == CEL_MAP && i < properties.map->len; i++) {
		const struct cel_entry *e = &properties.map->entries[i];
		const struct cel_value *same = outside.kind == CEL_MAP ? cel_map_field(outside.map, e->key.text) : NULL;
		struct place part = inner_place(p, e->value, AT_FIELD, same ? *same : cel_null());
		bool is_alone = p->is_checked_outside && !same;
		part.in_metadata |= is_resource && bh_slice_eq_str(e->key.text, "metadata");
		if (is_alone)
			rc = crd_tell(c->taker, KUBE_FAULT_CRD, properties.map, e->key.text, c->err, "%.*s is not specified outside of allOf, anyOf, oneOf and not",
				      BH_SLICE_FMT(e->key.text));
		c->n += is_alone;
		if (rc == 0 && part.in_metadata && p->level == AT_ROOT && has(e->value, "default"))
			rc = tell(c, e->value, "default", "can't be set in metadata");
		rc = rc < 0 ? rc : check_schema(c, &part);
	}
	return rc;
}

static int check_parts(struct checker *c, const struct place *p)
{
	struct place items = inner_place(p, kube_get(p->schema, "items"), AT_ITEM, kube_get(p->outside, "items"));
	struct place more = inner_place(p, kube_get(p->schema, "additionalProperties"), AT_FIELD, cel_null());
	int rc = check_properties(c, p);
	if (rc == 0 && items.schema.kind == CEL_MAP)
		rc = check_schema(c, &items);
	if (rc == 0 && more.schema.kind == CEL_MAP)
		rc = check_schema(c, &more);
	return rc;
}

static int check_schema(struct checker *c, const struct place *p)
{
	if (p->schema.kind != CEL_MAP)
		return 0; /* said with its type */
	if (p->depth > CRD_SCHEMA_DEPTH_MAX)
		return bh_fail(c->err, BH_ELIMIT, 0, "a schema deeper than %u levels", CRD_SCHEMA_DEPTH_MAX);
	int rc = check_forbidden(c, p);
	rc = rc < 0 ? rc : check_pattern(c, p);
	if (rc == 0 && p->is_nested)
		rc = check_nested_fields(c, p);
	else if (rc == 0)
		rc = check_type(c, p);
	if (rc == 0 && !p->is_nested) {
		rc = check_additional(c, p);
		rc = rc < 0 ? rc : check_metadata(c, p);
		rc = rc < 0 ? rc : check_list_type(c, p);
		rc = rc < 0 ? rc : check_rules(c, p);
	}
	rc = rc < 0 ? rc : check_junctors(c, p);
	return rc < 0 ? rc : check_parts(c, p);
}

int crd_structural_check(struct cel_value schema, bool has_status, const struct kube_fault_taker *taker, unsigned *ret_n, struct bh_err *err)
{
	struct checker c = { .taker = taker, .err = err };
	struct place root = { .schema = schema, .level = AT_ROOT };
	int rc = check_root(&c, schema, has_status);
	rc = rc < 0 ? rc : check_schema(&c, &root);
	*ret_n = c.n;
	return rc;
}
