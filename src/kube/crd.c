#include "kube/crd.h"

#include <stdio.h>

#include "base/map.h"
#include "base/vec.h"
#include "kube/crd_faults.h"
#include "kube/crd_rules.h"
#include "kube/crd_schema.h"
#include "kube/crd_structural.h"

#define ARENA_BYTES_MAX (256u << 20)
#define DEFINITIONS_MAX 20000u
#define VERSIONS_MAX 100u             /* of one definition */
#define FAULTS_MAX 1000u              /* of one definition: the others say little more */
#define RESOURCE_BYTES_MAX (256u << 20) /* what comparing one makes */
#define KEY_BYTES_MAX 512u
#define STEPS_OF_ALL 1000000000u       /* of comparing resources, all together */

/* What is wrong with a definition, kept until it is asked about. */
struct fault {
	const void *container;
	struct bh_slice field, message;
};
BH_VEC(fault_vec, struct fault)

struct version {
	struct bh_slice name, warning;
	bool is_served, is_deprecated, has_status;
	struct cel_value value;      /* in the definition */
	struct crd_compiled *schema; /* NULL: there is none, or it is broken */
	struct crd_ruleset *rules;   /* NULL: there are none */
};

struct definition {
	const struct kube_object *object;
	struct bh_slice group, kind;
	bool is_namespaced, is_read, is_broken;
	struct version *versions;
	size_t n;
	struct fault_vec faults;
};

struct crds {
	struct bh_arena arena;       /* of definitions */
	struct bh_arena resource;    /* of what is compared */
	struct bh_map by_kind;       /* "group kind" -> struct definition */
	struct bh_map by_object;     /* the address of an object's map -> struct definition */
	struct crd_formats formats;
	unsigned minor;
	uint64_t steps; /* that are left for all resources */
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the CustomResourceDefinitions need more than %u MiB", ARENA_BYTES_MAX >> 20);
}

bool crd_is_definition(const struct kube_object *o)
{
	return bh_slice_eq_str(o->kind, "CustomResourceDefinition") && bh_slice_eq_str(o->group, "apiextensions.k8s.io") && bh_slice_eq_str(o->version, "v1");
}

/* ---- the catalogue ---- */

static struct bh_slice key_of(char *buffer, struct bh_slice group, struct bh_slice kind)
{
	int n = snprintf(buffer, KEY_BYTES_MAX, "%.*s %.*s", BH_SLICE_FMT(group), BH_SLICE_FMT(kind));
	return (struct bh_slice){ (const uint8_t *)buffer, n < (int)KEY_BYTES_MAX ? (size_t)n : KEY_BYTES_MAX - 1 };
}

static void read_version(struct version *v, struct cel_value value)
{
	v->value = value;
	v->name = kube_text(value, "name");
	v->warning = kube_text(value, "deprecationWarning");
	v->is_served = cel_is_true(kube_get(value, "served"));
	v->is_deprecated = cel_is_true(kube_get(value, "deprecated"));
	v->has_status = kube_path(value, "subresources.status").kind == CEL_MAP;
}

static bool add_definition(struct crds *c, const struct kube_object *o)
{
	char buffer[KEY_BYTES_MAX];
	struct definition *d = BH_ARENA_NEW(&c->arena, struct definition);
	struct cel_value versions = kube_path(o->value, "spec.versions");
	struct bh_slice key;
	const struct cel_map **address = BH_ARENA_NEW(&c->arena, const struct cel_map *);
	if (!d || !address)
		return false;
	*d = (struct definition){ .object = o, .group = kube_text(o->value, "spec.group"), .kind = kube_text(o->value, "spec.names.kind") };
	d->faults.max = FAULTS_MAX;
	d->is_namespaced = bh_slice_eq_str(kube_text(o->value, "spec.scope"), "Namespaced");
	d->versions = bh_arena_array(&c->arena, kube_length(versions) + 1, sizeof(*d->versions));
	*address = o->value.map;
	void **by_object = bh_map_put(&c->by_object, (struct bh_slice){ (const uint8_t *)address, sizeof(*address) });
	if (!d->versions || !by_object || !bh_arena_copy(&c->arena, key_of(buffer, d->group, d->kind), &key))
		return false;
	*by_object = d;
	for (size_t i = 0; i < kube_length(versions) && d->n < VERSIONS_MAX; i++)
		read_version(&d->versions[d->n++], versions.list->items[i]);
	void **at = bh_map_put(&c->by_kind, key);
	if (at && !*at) /* the first of a kind counts */
		*at = d;
	return at != NULL;
}

int crds_new(const struct kube_object_vec *all, unsigned minor, struct crds **ret, struct bh_err *err)
{
	struct crds *c = calloc(1, sizeof(*c));
	bool ok = true;
	if (!c)
		return no_memory(err);
	bh_arena_init(&c->arena, ARENA_BYTES_MAX);
	bh_arena_init(&c->resource, RESOURCE_BYTES_MAX);
	bh_map_init(&c->by_kind, DEFINITIONS_MAX);
	bh_map_init(&c->by_object, DEFINITIONS_MAX);
	c->minor = minor;
	c->steps = STEPS_OF_ALL;
	for (size_t i = 0; ok && i < all->len; i++)
		if (crd_is_definition(&all->ptr[i]))
			ok = add_definition(c, &all->ptr[i]);
	if (ok) {
		*ret = c;
		return 0;
	}
	crds_free(c);
	return no_memory(err);
}

void crds_free(struct crds *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->by_object.len; i++) {
		struct definition *d = c->by_object.entries[i].value;
		for (size_t k = 0; d && k < d->n; k++) {
			crd_rules_free(d->versions[k].rules);
			crd_schema_free(d->versions[k].schema);
		}
		if (d)
			fault_vec_done(&d->faults);
	}
	crd_formats_done(&c->formats);
	bh_map_done(&c->by_kind);
	bh_map_done(&c->by_object);
	bh_arena_done(&c->resource);
	bh_arena_done(&c->arena);
	free(c);
}

/* ---- reading a definition ---- */

struct reading {
	struct crds *crds;
	struct definition *d;
	const struct cel_map *at; /* faults of defaults: where the default stands */
	bool has_fault;
};

static int keep_fault(struct reading *r, const void *container, struct bh_slice field, struct bh_slice message, struct bh_err *err)
{
	struct fault f = { .container = container, .field = field };
	r->d->is_broken = true;
	if (r->d->faults.len == r->d->faults.max)
		return 0;
	return bh_arena_copy(&r->crds->arena, message, &f.message) && fault_vec_push(&r->d->faults, f) ? 0 : no_memory(err);
}

static int take_fault(void *ctx, enum kube_fault fault, const void *container, struct bh_slice field, struct bh_slice message, struct bh_err *err)
{
	(void)fault;
	return keep_fault(ctx, container, field, message, err);
}

static int note(struct reading *r, struct cel_value at, const char *field, const char *message, struct bh_err *err)
{
	return keep_fault(r, at.kind == CEL_MAP ? at.map : r->d->object->value.map, bh_slice_str(field), bh_slice_str(message), err);
}

static int take_default_fault(void *ctx, enum kube_fault fault, const void *container, struct bh_slice field, struct bh_slice message, struct bh_err *err)
{
	struct reading *r = ctx;
	char text[CRD_MESSAGE_BYTES_MAX];
	(void)fault;
	(void)container;
	(void)field;
	if (r->has_fault)
		return 0;
	r->has_fault = true;
	(void)snprintf(text, sizeof(text), "default: %.*s", BH_SLICE_FMT(message));
	return keep_fault(r, r->at, BH_SLICE_LIT("default"), bh_slice_str(text), err);
}

struct default_check {
	struct reading *reading;
	struct crd_check check;
};

/* A default has to be right by its own schema. */
static int check_default(void *ctx, struct crd_schema *s)
{
	struct default_check *d = ctx;
	struct cel_value ignored;
	if (!s->has_default)
		return 0;
	d->reading->at = s->at;
	d->reading->has_fault = false;
	bh_arena_clear(d->check.arena);
	return crd_part_check(&d->check, s, s->default_value, BH_SLICE_LIT("it"), &ignored);
}

static int read_schema(struct reading *r, struct version *v, struct bh_err *err)
{
	const struct kube_fault_taker taker = { take_fault, r }, default_taker = { take_default_fault, r };
	struct default_check defaults = { r, { .taker = &default_taker, .formats = &r->crds->formats, .arena = &r->crds->resource, .minor = r->crds->minor, .steps = CRD_STEPS_MAX, .err = err } };
	struct cel_value schema = kube_path(v->value, "schema.openAPIV3Schema");
	unsigned n = 0;
	if (schema.kind != CEL_MAP)
		return note(r, v->value, "schema", "schema.openAPIV3Schema is missing: every version needs a schema", err);
	int rc = crd_structural_check(schema, v->has_status, &taker, &n, err);
	if (rc < 0 || n)
		return rc;
	rc = crd_schema_new(schema, &v->schema, err);
	rc = rc < 0 ? rc : crd_schema_visit(v->schema->root, check_default, &defaults);
	return rc < 0 ? rc : crd_rules_new(v->schema->root, r->crds->minor, &taker, &n, &v->rules, err);
}

static int check_versions(struct reading *r, struct bh_err *err)
{
	struct definition *d = r->d;
	size_t stored = 0;
	int rc = 0;
	for (size_t i = 0; i < d->n; i++)
		stored += cel_is_true(kube_get(d->versions[i].value, "storage"));
	if (stored != 1)
		rc = note(r, kube_get(d->object->value, "spec"), "versions", "exactly one version has to be the one of storage: storage: true", err);
	for (size_t i = 0; rc == 0 && i < d->n; i++) {
		const struct version *v = &d->versions[i];
		for (size_t k = 0; rc == 0 && k < i; k++)
			if (bh_slice_eq(v->name, d->versions[k].name))
				rc = note(r, v->value, "name", "the version is there twice", err);
		if (rc == 0 && v->warning.len && !v->is_deprecated)
			rc = note(r, v->value, "deprecationWarning", "deprecationWarning is for versions with deprecated: true", err);
	}
	return rc;
}

static int check_names(struct reading *r, struct bh_err *err)
{
	char wanted[KEY_BYTES_MAX], message[KEY_BYTES_MAX * 2];
	const struct kube_object *o = r->d->object;
	struct cel_value spec = kube_get(o->value, "spec");
	(void)snprintf(wanted, sizeof(wanted), "%.*s.%.*s", BH_SLICE_FMT(kube_text(spec, "names.plural")), BH_SLICE_FMT(r->d->group));
	if (bh_slice_eq_str(o->name, wanted))
		return cel_is_true(kube_get(spec, "preserveUnknownFields")) ? note(r, spec, "preserveUnknownFields", "has to be false; schemas say x-kubernetes-preserve-unknown-fields", err) : 0;
	(void)snprintf(message, sizeof(message), "the name has to be %s: spec.names.plural, and spec.group", wanted);
	return note(r, kube_get(o->value, "metadata"), "name", message, err);
}

/* BH_ELIMIT of one definition is its own fault. */
static int read_definition(struct crds *c, struct definition *d, struct bh_err *err)
{
	struct reading r = { .crds = c, .d = d };
	struct bh_err why = { 0 };
	if (d->is_read)
		return 0;
	d->is_read = true;
	int rc = check_names(&r, err);
	rc = rc < 0 ? rc : check_versions(&r, err);
	for (size_t i = 0; rc == 0 && i < d->n; i++) {
		rc = read_schema(&r, &d->versions[i], &why);
		if (rc < 0)
			rc = note(&r, d->versions[i].value, "schema", why.text, err);
	}
	return rc;
}

int crds_check_definition(struct crds *c, const struct kube_object *o, const struct kube_fault_taker *taker, struct bh_err *err)
{
	const struct cel_map *address = o->value.map;
	struct definition *d = bh_map_get(&c->by_object, (struct bh_slice){ (const uint8_t *)&address, sizeof(address) });
	int rc = d ? read_definition(c, d, err) : 0;
	for (size_t i = 0; rc == 0 && d && i < d->faults.len; i++) {
		const struct fault *f = &d->faults.ptr[i];
		rc = taker->take(taker->ctx, KUBE_FAULT_CRD, f->container, f->field, f->message, err);
	}
	return rc;
}

/* ---- resources ---- */

struct asking {
	struct crds *crds;
	const struct definition *d;
	const struct kube_object *o;
	const struct kube_fault_taker *taker;
	struct bh_err *err;
};

static const struct version *find_version(const struct definition *d, struct bh_slice name)
{
	for (size_t i = 0; i < d->n; i++)
		if (bh_slice_eq(d->versions[i].name, name))
			return &d->versions[i];
	return NULL;
}

static void print_served(const struct definition *d, struct bh_buf *out)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->versions[i].is_served) {
			bh_buf_add_str(out, out->len ? ", " : "");
			bh_buf_add(out, d->versions[i].name);
		}
}

static int tell_version(struct asking *a, bool is_there)
{
	struct bh_buf served;
	bh_buf_init(&served, KEY_BYTES_MAX);
	print_served(a->d, &served);
	int rc = crd_tell(a->taker, KUBE_FAULT_KIND, a->o->value.map, BH_SLICE_LIT("apiVersion"), a->err, "%.*s of %.*s is %s by its CustomResourceDefinition; served: %.*s",
			  BH_SLICE_FMT(a->o->api_version), BH_SLICE_FMT(a->o->kind), is_there ? "not served" : "not defined", BH_SLICE_FMT(bh_buf_slice(&served)));
	bh_buf_done(&served);
	return rc;
}

static int tell_deprecated(struct asking *a, const struct version *v)
{
	if (v->warning.len)
		return crd_tell(a->taker, KUBE_FAULT_DEPRECATED, a->o->value.map, BH_SLICE_LIT("apiVersion"), a->err, "%.*s", BH_SLICE_FMT(v->warning));
	return crd_tell(a->taker, KUBE_FAULT_DEPRECATED, a->o->value.map, BH_SLICE_LIT("apiVersion"), a->err, "%.*s of %.*s is deprecated", BH_SLICE_FMT(a->o->api_version),
			BH_SLICE_FMT(a->o->kind));
}

static int check_scope(struct asking *a)
{
	struct cel_value metadata = kube_get(a->o->value, "metadata");
	if (a->d->is_namespaced || a->o->namespace.len == 0)
		return 0;
	return crd_tell(a->taker, KUBE_FAULT_VALUE, metadata.map, BH_SLICE_LIT("namespace"), a->err, "%.*s is of the scope Cluster: it has no namespace", BH_SLICE_FMT(a->o->kind));
}

/* A resource that takes too much is given up, and told as not checked. */
static int check_value(struct asking *a, const struct version *v, enum crd_answer *ret)
{
	struct crd_check check = { .taker = a->taker, .formats = &a->crds->formats, .arena = &a->crds->resource, .minor = a->crds->minor, .err = a->err };
	struct crd_spot root = { .written = a->o->value, .container = a->o->value.map, .name = a->o->kind };
	uint64_t steps = a->crds->steps < CRD_STEPS_MAX ? a->crds->steps : CRD_STEPS_MAX;
	bh_arena_clear(&a->crds->resource);
	check.steps = steps;
	int rc = crd_value_check(&check, v->schema->root, a->o->value, a->o->kind, v->has_status, &root.value);
	if (rc == 0 && v->rules && !check.blocks_rules)
		rc = crd_rules_check(v->rules, &check, v->schema->root, &root);
	a->crds->steps -= check.steps < steps ? steps - check.steps : steps;
	if (rc == BH_ELIMIT) {
		*ret = CRD_GIVEN_UP;
		return 0;
	}
	return rc;
}

static int check_resource(struct asking *a, enum crd_answer *ret)
{
	const struct version *v = find_version(a->d, a->o->version);
	*ret = CRD_COMPARED;
	if (!v || !v->is_served)
		return tell_version(a, v != NULL);
	int rc = v->is_deprecated ? tell_deprecated(a, v) : 0;
	rc = rc < 0 ? rc : check_scope(a);
	return rc == 0 && v->schema ? check_value(a, v, ret) : rc;
}

int crds_check(struct crds *c, const struct kube_object *o, const struct kube_fault_taker *taker, enum crd_answer *ret, const struct kube_object **ret_definition,
	       struct bh_err *err)
{
	char buffer[KEY_BYTES_MAX];
	struct definition *d = bh_map_get(&c->by_kind, key_of(buffer, o->group, o->kind));
	*ret = CRD_UNKNOWN;
	*ret_definition = d ? d->object : NULL;
	int rc = d ? read_definition(c, d, err) : 0;
	if (rc < 0 || !d)
		return rc;
	struct asking a = { c, d, o, taker, err };
	*ret = CRD_BROKEN;
	return d->is_broken ? 0 : check_resource(&a, ret);
}
