/*
 * schema.c: the table of types, and objects against it. The table (data/kubernetes/schema.txt) has one line per fact; versions are of Kubernetes 1.x:
 *
 *     versions 25-37                                  what it covers
 *     kind apps/v1 Deployment apps.v1.Deployment      apiVersion, kind, type
 *     kind policy/v1beta1 X policy.v1beta1.X -31      until 1.31; "28-" since 1.28, "28-31" both
 *     type core.v1.Container                          its fields follow
 *     <tab>name! string                               "!" = has to be there
 *     <tab>args [string                               a list of; "{string" = a map of
 *     <tab>protocol =SCTP|TCP|UDP 27-                 one of these texts
 *
 * Behind "@" stands how a value is merged into another one (x-kubernetes-list-type and its sisters):
 *
 *     type core.v1.LabelSelector @atomic              all of it or nothing
 *     <tab>env [core.v1.EnvVar@name                   elements of one name are the same one
 *     <tab>ports [core.v1.ContainerPort@containerPort,protocol=TCP        of both, protocol being TCP where it is left out
 *     <tab>finalizers [string@set                     each text once
 *     <tab>nodeSelector {string@atomic
 *     <tab>claimRef core.v1.ObjectReference@granular  field by field, whatever the type says
 *
 * Lists of which nothing is said are atomic, maps are merged key by key.
 *
 * Types: string, int, number, bool, quantity, intstr (integer or text), object (any map), any, else the name of a type. A null is a field that is not there,
 * as for the API server. What is below status is written by controllers: it is compared, but nothing is missing there.
 */
#include "kube/schema.h"

#include <stdarg.h>

#include "base/map.h"
#include "kube/schema_text.h" /* made by the build */

#define KINDS_MAX 4096u
#define TYPES_MAX 8192u
#define FIELDS_MAX 65536u
#define TABLE_BYTES_MAX (8u << 20)
#define MESSAGE_BYTES_MAX 1024u
#define DEPTH_MAX 128u /* of values below an object; a reader of YAML takes less */
#define VALUE_SHOWN_BYTES_MAX 64u

const struct kube_fault_kind kube_fault_kinds[] = {
	[KUBE_FAULT_FIELD] = { "k8s-schema-unknown-field", BH_SEV_MEDIUM, "Correct the field's name or its place, or take it out: the API server refuses or drops it." },
	[KUBE_FAULT_TYPE] = { "k8s-schema-wrong-type", BH_SEV_HIGH, "Give a value of the field's type; quote texts that look like numbers or booleans." },
	[KUBE_FAULT_MISSING] = { "k8s-schema-missing-field", BH_SEV_HIGH, "Add the field: the API server refuses the object without it." },
	[KUBE_FAULT_VALUE] = { "k8s-schema-invalid-value", BH_SEV_HIGH, "Give one of the values that the field can have." },
	[KUBE_FAULT_RULE] = { "k8s-schema-rule", BH_SEV_HIGH, "Change what the rule of the CustomResourceDefinition asks for: the API server refuses the object." },
	[KUBE_FAULT_DEPRECATED] = { "k8s-deprecated-version", BH_SEV_LOW, "Write the object in a version that its CustomResourceDefinition does not deprecate." },
	[KUBE_FAULT_CRD] = { "k8s-crd-invalid", BH_SEV_HIGH, "Mend the CustomResourceDefinition: the API server refuses it, and its resources are not compared." },
	[KUBE_FAULT_KIND] = { "k8s-schema-unknown-kind", BH_SEV_HIGH, "Correct apiVersion and kind to ones that this version of Kubernetes serves." },
};

struct range {
	unsigned low, high; /* 1.low to 1.high */
};

struct field {
	struct bh_slice name, type, merge;
	struct range range;
	bool required;
};

struct type {
	struct bh_slice name;
	size_t first, n; /* of its fields, in the order of their names */
	bool is_atomic;
};

struct kind {
	struct bh_slice group, name, type;
	struct range range;
	const struct kind *older; /* the same kind and version in other versions of Kubernetes */
};

BH_VEC(schema_field_vec, struct field)

struct kube_schema {
	struct bh_arena arena;
	struct bh_map kinds; /* "apps/v1 Deployment" -> struct kind */
	struct bh_map types; /* name -> struct type */
	struct schema_field_vec fields;
	unsigned minor, newest;
};

/* ---- the table ---- */

/* "28-", "-31", "28-31"; nothing = all versions. */
static struct range read_range(struct bh_slice text)
{
	struct bh_slice from, to;
	uint64_t low = 0, high = UINT32_MAX;
	(void)bh_slice_cut(text, '-', &from, &to);
	(void)bh_slice_u64(from, UINT32_MAX, &low);
	(void)bh_slice_u64(to, UINT32_MAX, &high);
	return (struct range){ (unsigned)low, (unsigned)high };
}

static bool is_in(const struct kube_schema *s, struct range r)
{
	return s->minor >= r.low && s->minor <= r.high;
}

static struct bh_slice group_of(struct bh_slice api_version)
{
	struct bh_slice group, version;
	return bh_slice_cut(api_version, '/', &group, &version) ? group : (struct bh_slice){ 0 };
}

/* "apps/v1 Deployment apps.v1.Deployment 25-" */
static bool add_kind(struct kube_schema *s, struct bh_slice line)
{
	struct bh_slice api, rest, name, type, range;
	struct kind *k = BH_ARENA_NEW(&s->arena, struct kind);
	(void)bh_slice_cut(line, ' ', &api, &rest);
	(void)bh_slice_cut(rest, ' ', &name, &rest);
	(void)bh_slice_cut(rest, ' ', &type, &range);
	void **at = bh_map_put(&s->kinds, bh_slice_sub(line, 0, api.len + 1 + name.len));
	if (!k || !at)
		return false;
	*k = (struct kind){ .group = group_of(api), .name = name, .type = type, .range = read_range(range), .older = *at };
	*at = k;
	return true;
}

/* "core.v1.LabelSelector @atomic" */
static bool add_type(struct kube_schema *s, struct bh_slice line, struct type **ret)
{
	struct bh_slice name, merge;
	(void)bh_slice_cut(line, ' ', &name, &merge);
	struct type *t = BH_ARENA_NEW(&s->arena, struct type);
	void **at = bh_map_put(&s->types, name);
	if (!t || !at)
		return false;
	*t = (struct type){ .name = name, .first = s->fields.len, .is_atomic = merge.len > 0 };
	*at = *ret = t;
	return true;
}

/* "name! string@set 27-" */
static bool add_field(struct kube_schema *s, struct type *t, struct bh_slice line)
{
	struct field f = { 0 };
	struct bh_slice rest, range;
	(void)bh_slice_cut(line, ' ', &f.name, &rest);
	(void)bh_slice_cut(rest, ' ', &f.type, &range);
	(void)bh_slice_cut(f.type, '@', &f.type, &f.merge);
	f.range = read_range(range);
	f.required = bh_slice_ends(f.name, BH_SLICE_LIT("!"));
	f.name = bh_slice_sub(f.name, 0, f.name.len - f.required);
	t->n++;
	return schema_field_vec_push(&s->fields, f);
}

static bool read_line(struct kube_schema *s, struct bh_slice line, struct type **type)
{
	if (bh_slice_starts(line, BH_SLICE_LIT("\t")))
		return *type && add_field(s, *type, bh_slice_sub(line, 1, line.len));
	if (bh_slice_starts(line, BH_SLICE_LIT("kind ")))
		return add_kind(s, bh_slice_sub(line, 5, line.len));
	if (bh_slice_starts(line, BH_SLICE_LIT("type ")))
		return add_type(s, bh_slice_sub(line, 5, line.len), type);
	if (bh_slice_starts(line, BH_SLICE_LIT("versions ")))
		s->newest = read_range(bh_slice_sub(line, 9, line.len)).high;
	return true;
}

int kube_schema_new(unsigned minor, struct kube_schema **ret, struct bh_err *err)
{
	struct kube_schema *s = calloc(1, sizeof(*s));
	struct bh_slice text = BH_SLICE_LIT(KUBE_SCHEMA), line;
	struct type *type = NULL;
	if (!s)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for the types of Kubernetes");
	bh_arena_init(&s->arena, TABLE_BYTES_MAX);
	bh_map_init(&s->kinds, KINDS_MAX);
	bh_map_init(&s->types, TYPES_MAX);
	s->fields.max = FIELDS_MAX;
	bool ok = true;
	while (ok && text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		ok = read_line(s, line, &type);
	}
	s->minor = minor < s->newest ? minor : s->newest;
	if (ok) {
		*ret = s;
		return 0;
	}
	kube_schema_free(s);
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for the types of Kubernetes");
}

void kube_schema_free(struct kube_schema *s)
{
	if (!s)
		return;
	bh_map_done(&s->kinds);
	bh_map_done(&s->types);
	schema_field_vec_done(&s->fields);
	bh_arena_done(&s->arena);
	free(s);
}

/* ---- values ---- */

/* A value, and where it stands: the field of a map, an element of a list (no field). */
struct spot {
	struct cel_value value;
	const void *container;
	struct bh_slice field;
	struct bh_slice name; /* what messages call it */
};

struct comparison {
	struct kube_schema *schema;
	const struct kube_fault_taker *taker;
	bool is_status; /* nothing is missing there */
	struct bh_err *err;
};

static BH_PRINTF(4, 5) int tell(struct comparison *c, enum kube_fault fault, const struct spot *at, const char *format, ...)
{
	char text[MESSAGE_BYTES_MAX];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	struct bh_slice message = { (const uint8_t *)text, n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 };
	return c->taker->take(c->taker->ctx, fault, at->container, at->field, message, c->err);
}

static int tell_type(struct comparison *c, const struct spot *at, const char *wanted)
{
	return tell(c, KUBE_FAULT_TYPE, at, "%.*s has to be %s, not %s", BH_SLICE_FMT(at->name), wanted, kube_kind_words(at->value));
}

static bool is_integer(struct cel_value v)
{
	return v.kind == CEL_INT || v.kind == CEL_UINT || (v.kind == CEL_DOUBLE && v.real >= -9e15 && v.real <= 9e15 && v.real == (double)(int64_t)v.real);
}

static bool is_number(struct cel_value v)
{
	return v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE;
}

static const struct scalar {
	const char *type, *wanted;
	bool text, integer, number, boolean, map;
} scalars[] = {
	{ .type = "string", .wanted = "a text", .text = true },
	{ .type = "int", .wanted = "an integer", .integer = true },
	{ .type = "number", .wanted = "a number", .number = true },
	{ .type = "bool", .wanted = "a boolean", .boolean = true },
	{ .type = "quantity", .wanted = "a quantity", .text = true, .number = true },
	{ .type = "intstr", .wanted = "an integer or a text", .text = true, .integer = true },
	{ .type = "object", .wanted = "a map", .map = true },
};

static const struct scalar *scalar_of(struct bh_slice type)
{
	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++)
		if (bh_slice_eq_str(type, scalars[i].type))
			return &scalars[i];
	return NULL;
}

static bool fits(const struct scalar *s, struct cel_value v)
{
	return (s->text && v.kind == CEL_STRING) || (s->integer && is_integer(v)) || (s->number && is_number(v)) || (s->boolean && v.kind == CEL_BOOL)
	       || (s->map && v.kind == CEL_MAP);
}

/* "SCTP|TCP|UDP"; an empty text is a field that is not there, for a server. */
static int compare_text(struct comparison *c, struct bh_slice texts, const struct spot *at)
{
	struct bh_slice one, rest = texts;
	if (at->value.kind != CEL_STRING)
		return tell_type(c, at, "a text");
	while (rest.len && at->value.text.len) {
		(void)bh_slice_cut(rest, '|', &one, &rest);
		if (bh_slice_eq(one, at->value.text))
			return 0;
	}
	if (at->value.text.len == 0)
		return 0;
	return tell(c, KUBE_FAULT_VALUE, at, "%.*s can't be \"%.*s\", but one of %.*s", BH_SLICE_FMT(at->name),
		    BH_SLICE_FMT(bh_slice_sub(at->value.text, 0, VALUE_SHOWN_BYTES_MAX)), BH_SLICE_FMT(texts));
}

static int compare(struct comparison *c, struct bh_slice type, const struct spot *at, unsigned depth);

static int compare_list(struct comparison *c, struct bh_slice type, const struct spot *at, unsigned depth)
{
	int rc = 0;
	if (at->value.kind != CEL_LIST)
		return tell_type(c, at, "a list");
	for (size_t i = 0; rc == 0 && i < at->value.list->len; i++) {
		char name[MESSAGE_BYTES_MAX / 2];
		int n = snprintf(name, sizeof(name), "%.*s[%zu]", BH_SLICE_FMT(bh_slice_sub(at->name, 0, MESSAGE_BYTES_MAX / 4)), i);
		struct spot item = { at->value.list->items[i], at->value.list, { 0 }, { (const uint8_t *)name, (size_t)n } };
		rc = item.value.kind == CEL_NULL ? 0 : compare(c, type, &item, depth);
	}
	return rc;
}

static int compare_map(struct comparison *c, struct bh_slice type, const struct spot *at, unsigned depth)
{
	int rc = 0;
	if (at->value.kind != CEL_MAP)
		return tell_type(c, at, "a map");
	for (size_t i = 0; rc == 0 && i < at->value.map->len; i++) {
		const struct cel_entry *e = &at->value.map->entries[i];
		struct spot item = { e->value, at->value.map, e->key.text, e->key.text };
		rc = e->key.kind != CEL_STRING || e->value.kind == CEL_NULL ? 0 : compare(c, type, &item, depth);
	}
	return rc;
}

/* The field in the version that is asked for; *other gets one of another version. */
static const struct field *field_of(const struct kube_schema *s, const struct type *t, struct bh_slice name, const struct field **other)
{
	const struct field *fields = s->fields.ptr + t->first;
	*other = NULL;
	for (size_t i = 0; i < t->n; i++)
		if (bh_slice_eq(fields[i].name, name)) {
			if (is_in(s, fields[i].range))
				return &fields[i];
			*other = &fields[i];
		}
	return NULL;
}

static struct bh_slice last_name(struct bh_slice type)
{
	struct bh_slice head, rest = type;
	while (bh_slice_cut(rest, '.', &head, &rest))
		;
	return head;
}

static int tell_unknown(struct comparison *c, const struct type *t, const struct spot *at, const struct field *other)
{
	struct bh_slice owner = last_name(t->name);
	if (other && other->range.low > c->schema->minor)
		return tell(c, KUBE_FAULT_FIELD, at, "%.*s of %.*s is known from Kubernetes 1.%u on only", BH_SLICE_FMT(at->name), BH_SLICE_FMT(owner), other->range.low);
	if (other)
		return tell(c, KUBE_FAULT_FIELD, at, "%.*s of %.*s was known until Kubernetes 1.%u", BH_SLICE_FMT(at->name), BH_SLICE_FMT(owner), other->range.high);
	return tell(c, KUBE_FAULT_FIELD, at, "%.*s has no field %.*s", BH_SLICE_FMT(owner), BH_SLICE_FMT(at->name));
}

static int compare_missing(struct comparison *c, const struct type *t, const struct cel_map *map)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && !c->is_status && i < t->n; i++) {
		const struct field *f = &c->schema->fields.ptr[t->first + i];
		const struct cel_value *v = cel_map_field(map, f->name);
		struct spot at = { .container = map, .field = f->name };
		if (f->required && is_in(c->schema, f->range) && (!v || v->kind == CEL_NULL))
			rc = tell(c, KUBE_FAULT_MISSING, &at, "%.*s has no %.*s", BH_SLICE_FMT(last_name(t->name)), BH_SLICE_FMT(f->name));
	}
	return rc;
}

static int compare_fields(struct comparison *c, const struct type *t, const struct cel_map *map, unsigned depth)
{
	int rc = compare_missing(c, t, map);
	for (size_t i = 0; rc == 0 && i < map->len; i++) {
		const struct cel_entry *e = &map->entries[i];
		const struct field *other, *f;
		struct spot at = { e->value, map, e->key.text, e->key.text };
		if (e->key.kind != CEL_STRING)
			continue;
		f = field_of(c->schema, t, e->key.text, &other);
		bool was_status = c->is_status;
		c->is_status = was_status || bh_slice_eq_str(e->key.text, "status");
		if (!f)
			rc = tell_unknown(c, t, &at, other);
		else if (e->value.kind != CEL_NULL)
			rc = compare(c, f->type, &at, depth);
		c->is_status = was_status;
	}
	return rc;
}

/* Values are as deep as a reader of YAML lets them be; DEPTH_MAX is for who gives others. */
static int compare(struct comparison *c, struct bh_slice type, const struct spot *at, unsigned depth)
{
	const struct scalar *scalar = scalar_of(type);
	if (depth >= DEPTH_MAX || bh_slice_eq_str(type, "any"))
		return 0;
	if (scalar)
		return fits(scalar, at->value) ? 0 : tell_type(c, at, scalar->wanted);
	switch (type.len ? type.ptr[0] : 0) {
	case '=': return compare_text(c, bh_slice_sub(type, 1, type.len), at);
	case '[': return compare_list(c, bh_slice_sub(type, 1, type.len), at, depth + 1);
	case '{': return compare_map(c, bh_slice_sub(type, 1, type.len), at, depth + 1);
	default: break;
	}
	const struct type *t = bh_map_get(&c->schema->types, type);
	if (at->value.kind != CEL_MAP)
		return tell_type(c, at, "a map");
	return t ? compare_fields(c, t, at->value.map, depth + 1) : 0;
}

/* ---- objects ---- */

static const struct kind *kind_of(const struct kube_schema *s, struct bh_slice api_version, struct bh_slice kind)
{
	char key[512];
	int n = snprintf(key, sizeof(key), "%.*s %.*s", BH_SLICE_FMT(api_version), BH_SLICE_FMT(kind));
	if (n < 0 || (size_t)n >= sizeof(key))
		return NULL;
	return bh_map_get(&s->kinds, (struct bh_slice){ (const uint8_t *)key, (size_t)n });
}

/* Is the group one that the API server itself serves? Others are those of custom resources, or of files for components. */
static bool is_own_group(const struct kube_schema *s, struct bh_slice group)
{
	for (size_t i = 0; i < s->kinds.len; i++)
		if (bh_slice_eq(((const struct kind *)s->kinds.entries[i].value)->group, group))
			return true;
	return false;
}

static int tell_kind(struct comparison *c, const struct kube_object *o, const struct kind *other)
{
	struct spot at = { .container = o->value.map, .field = BH_SLICE_LIT("apiVersion") };
	struct bh_slice api = o->api_version, name = o->kind;
	if (other && other->range.low > c->schema->minor)
		return tell(c, KUBE_FAULT_KIND, &at, "%.*s of %.*s is served from Kubernetes 1.%u on only", BH_SLICE_FMT(api), BH_SLICE_FMT(name), other->range.low);
	if (other)
		return tell(c, KUBE_FAULT_KIND, &at, "%.*s of %.*s was served until Kubernetes 1.%u", BH_SLICE_FMT(api), BH_SLICE_FMT(name), other->range.high);
	return tell(c, KUBE_FAULT_KIND, &at, "Kubernetes 1.%u has no kind %.*s in %.*s", c->schema->minor, BH_SLICE_FMT(name), BH_SLICE_FMT(api));
}

int kube_schema_check_metadata(struct kube_schema *s, const struct kube_object *o, const struct kube_fault_taker *taker, struct bh_err *err)
{
	struct comparison c = { .schema = s, .taker = taker, .err = err };
	const struct spot at = { kube_get(o->value, "metadata"), o->value.map, BH_SLICE_LIT("metadata"), BH_SLICE_LIT("metadata") };
	return at.value.kind == CEL_NULL ? 0 : compare(&c, BH_SLICE_LIT("apis.meta.v1.ObjectMeta"), &at, 0);
}

int kube_schema_check(struct kube_schema *s, const struct kube_object *o, const struct kube_fault_taker *taker, struct bh_err *err)
{
	struct comparison c = { .schema = s, .taker = taker, .err = err };
	const struct kind *first = kind_of(s, o->api_version, o->kind), *k = first;
	while (k && !is_in(s, k->range))
		k = k->older;
	if (!k && !first && !is_own_group(s, o->group))
		return 0;
	if (!k && o->group.len == 0 && bh_slice_eq_str(o->kind, "List"))
		return 1;
	const struct spot root = { .value = o->value, .container = o->value.map, .name = o->kind };
	int rc = k ? compare(&c, k->type, &root, 0) : tell_kind(&c, o, first);
	return rc < 0 ? rc : 1;
}

/* ---- for merging ---- */

bool kube_schema_type_of(const struct kube_schema *s, struct bh_slice api_version, struct bh_slice kind, struct kube_type *ret)
{
	const struct kind *k = kind_of(s, api_version, kind);
	while (k && !is_in(s, k->range))
		k = k->older;
	*ret = (struct kube_type){ .text = k ? k->type : BH_SLICE_LIT("any") };
	return k != NULL;
}

bool kube_schema_has_fields(const struct kube_schema *s, const struct kube_type *type, bool *ret_is_atomic)
{
	const struct type *t = bh_map_get(&s->types, type->text);
	*ret_is_atomic = t && t->is_atomic;
	return t != NULL;
}

bool kube_schema_field(const struct kube_schema *s, const struct kube_type *type, struct bh_slice name, struct kube_type *ret)
{
	const struct type *t = bh_map_get(&s->types, type->text);
	const struct field *other, *f = t ? field_of(s, t, name, &other) : NULL;
	if (f)
		*ret = (struct kube_type){ f->type, f->merge };
	return f != NULL;
}
