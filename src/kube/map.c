#include "kube/map.h"

#include <stdlib.h>

#include "kube/admission.h"
#include "kube/merge.h"
#include "kube/patch.h"

#define CAUSE_BYTES_MAX 300u

extern const struct cel_library cel_library_jsonpatch;

enum patch_type { PATCH_APPLY, PATCH_JSON };

struct map_policy {
	struct admission admission;
	struct admission_list list; /* of the mutations: what is freed */
	enum patch_type *types;
	bool is_reinvoked;
};

bool map_is_policy(const struct kube_object *o)
{
	return bh_slice_eq_str(o->kind, "MutatingAdmissionPolicy") && bh_slice_eq_str(o->group, ADMISSION_GROUP);
}

const struct kube_object *map_policy_object(const struct map_policy *p)
{
	return p->admission.object;
}

/* ---- compiling ---- */

static const struct cel_field patch_fields[] = { { "op", "string" }, { "path", "string" }, { "from", "string" }, { "value", "dyn" }, { 0 } };

/* Only mutations have these, variables and conditions have not (apiserver, plugin/cel/compile.go: HasPatchTypes). */
static int add_patch_types(struct admission *a, struct bh_err *err)
{
	int rc = cel_env_open_record(a->env, "Object", err);
	rc = rc < 0 ? rc : cel_env_record(a->env, "JSONPatch", patch_fields, err);
	for (const struct cel_overload *o = cel_library_jsonpatch.overloads; rc == 0 && o->signature; o++)
		rc = cel_env_overload(a->env, o, err);
	return rc;
}

/* Object, or list(JSONPatch). */
static int type_of(struct admission *a, enum patch_type type, const struct cel_type **ret, struct bh_err *err)
{
	const struct cel_type *record =
		cel_type_make(&a->arena, CEL_TYPE_RECORD, type == PATCH_APPLY ? BH_SLICE_LIT("Object") : BH_SLICE_LIT("JSONPatch"), NULL, 0);
	*ret = type == PATCH_APPLY || !record ? record : cel_type_list_of(&a->arena, record);
	return *ret ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for an admission policy");
}

/* patchType says which of the two has the expression. */
static int compile_mutation(struct admission_compiler *c, struct cel_value mutation, size_t i, struct map_policy *p)
{
	static const char *const fields[] = { [PATCH_APPLY] = "applyConfiguration", [PATCH_JSON] = "jsonPatch" };
	static const char *const names[] = { [PATCH_APPLY] = "ApplyConfiguration", [PATCH_JSON] = "JSONPatch" };
	struct bh_slice named = kube_text(mutation, "patchType");
	struct admission_expression *e = &p->list.items[i];
	const struct cel_type *type = NULL;
	unsigned which = bh_slice_eq_str(named, names[PATCH_JSON]) ? PATCH_JSON : PATCH_APPLY;
	p->types[i] = (enum patch_type)which;
	if (!bh_slice_eq_str(named, names[which])) {
		admission_tell(c, "mutations", i, "patchType", BH_SLICE_LIT("must be ApplyConfiguration or JSONPatch"));
		return 0;
	}
	if (kube_get(mutation, fields[!which]).kind == CEL_MAP) {
		admission_tell(c, "mutations", i, fields[!which], BH_SLICE_LIT("must not be specified with this patchType"));
		return 0;
	}
	e->text = kube_text(kube_get(mutation, fields[which]), "expression");
	int rc = type_of(c->policy, p->types[i], &type, c->err);
	return rc < 0 ? rc : admission_compile(c, "mutations", i, which == PATCH_JSON ? "jsonPatch.expression" : "applyConfiguration.expression", e->text, type, &e->program);
}

static int compile_mutations(struct admission_compiler *c, struct map_policy *p)
{
	struct cel_value values;
	int rc = admission_take_list(c, "mutations", &p->list, &values);
	p->types = rc == 0 ? bh_arena_array(&p->admission.arena, p->list.n + 1, sizeof(*p->types)) : NULL;
	if (rc == 0 && !p->types)
		return bh_fail(c->err, BH_ENOMEM, 0, "out of memory for an admission policy");
	for (size_t i = 0; rc == 0 && i < p->list.n; i++)
		rc = compile_mutation(c, values.list->items[i], i, p);
	if (rc == 0 && p->list.n == 0 && !c->failed) {
		bh_buf_add_str(c->why, "spec.mutations: at least one mutation is required");
		c->failed = true;
	}
	return rc;
}

static int prepare(struct map_policy *p, const struct kube_object *o, unsigned minor, struct bh_buf *why, struct bh_err *err)
{
	struct admission_compiler c = { .policy = &p->admission, .why = why, .err = err };
	int rc = admission_init(&c, o, minor, true);
	rc = rc < 0 ? rc : add_patch_types(&p->admission, err);
	rc = rc < 0 ? rc : compile_mutations(&c, p);
	p->is_reinvoked = bh_slice_eq_str(kube_text(p->admission.spec, "reinvocationPolicy"), "IfNeeded");
	return rc < 0 ? rc : admission_finish(&c);
}

int map_policy_new(const struct kube_object *o, unsigned minor, struct map_policy **ret, struct bh_buf *why, struct bh_err *err)
{
	struct map_policy *p = calloc(1, sizeof(*p));
	if (!p)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for an admission policy");
	int rc = prepare(p, o, minor, why, err);
	if (rc < 0) {
		map_policy_free(p);
		return rc;
	}
	*ret = p;
	return 0;
}

void map_policy_free(struct map_policy *p)
{
	if (!p)
		return;
	admission_list_done(&p->list);
	admission_done(&p->admission);
	free(p);
}

/* ---- mutating ---- */

struct run {
	struct admission_review review; /* first */
	struct kube_request request;    /* its object is the one so far */
	const struct map_context *context;
	const struct map_policy *policy;
	bool failed;                    /* what the policy changed doesn't count */
};

static int say(struct admission_review *a, enum vap_outcome outcome, const struct admission_expression *e, struct bh_slice message)
{
	struct run *r = (struct run *)a;
	(void)e;
	r->failed = true;
	return r->context->sink(r->context->ctx, r->policy, outcome, message, a->err);
}

/*
 * A literal of Object.spec stands below spec of an Object: what the checker can't tell (apiserver, cel/mutation/dynamic: CheckTypeNamesMatchFieldPathNames).
 * `path` is the name that v's type has to have.
 */
static bool names_match(struct bh_buf *path, struct cel_value v)
{
	bool ok = true;
	size_t before = path->len;
	if (v.kind == CEL_MAP && v.map->record.len)
		ok = bh_slice_eq(v.map->record, bh_buf_slice(path));
	for (size_t i = 0; ok && v.kind == CEL_LIST && i < v.list->len; i++)
		ok = names_match(path, v.list->items[i]);
	for (size_t i = 0; ok && v.kind == CEL_MAP && i < v.map->len; i++) {
		if (v.map->record.len && v.map->entries[i].key.kind == CEL_STRING) {
			bh_buf_add_byte(path, '.');
			bh_buf_add(path, v.map->entries[i].key.text);
		}
		ok = names_match(path, v.map->entries[i].value);
		path->len = before;
	}
	return ok;
}

static int check_names(struct bh_slice root, struct cel_value v, struct bh_err *err)
{
	struct bh_buf path;
	bh_buf_init(&path, 64u << 10);
	bh_buf_add(&path, root);
	bool ok = names_match(&path, v) && !path.failed;
	bh_buf_done(&path);
	return ok ? 0 : bh_fail(err, BH_EMALFORMED, 0, "type mismatch: the name of an Object type has to be the path of the field where it stands");
}

/* Nulls and unsigned integers of CEL are no values to the server's merge: it refuses the configuration. */
static bool has_unfit(struct cel_value v)
{
	bool found = v.kind == CEL_NULL || v.kind == CEL_UINT;
	for (size_t i = 0; !found && v.kind == CEL_LIST && i < v.list->len; i++)
		found = has_unfit(v.list->items[i]);
	for (size_t i = 0; !found && v.kind == CEL_MAP && i < v.map->len; i++)
		found = has_unfit(v.map->entries[i].value);
	return found;
}

static int apply_configuration(struct run *r, struct cel_value v, struct cel_value *ret, struct bh_err *err)
{
	int rc = check_names(BH_SLICE_LIT("Object"), v, err);
	if (rc == 0 && has_unfit(v))
		return bh_fail(err, BH_EMALFORMED, 0, "null and unsigned integers are no values in an apply configuration");
	rc = rc < 0 ? rc : kube_plain(r->context->arena, v, &v, err);
	return rc < 0 ? rc : kube_merge(r->context->schema, r->context->arena, r->request.object, v, ret, err);
}

/* In values of a patch, a literal is the root of its own names. */
static int check_patch(struct cel_value v, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < v.list->len; i++) {
		struct cel_value value = kube_get(v.list->items[i], "value");
		if (value.kind == CEL_MAP && value.map->record.len)
			rc = check_names(value.map->record, value, err);
	}
	return rc;
}

static int apply_patch(struct run *r, struct cel_value v, struct cel_value *ret, struct bh_err *err)
{
	*ret = r->request.object;
	int rc = check_patch(v, err);
	rc = rc < 0 ? rc : kube_patch_apply(r->context->arena, r->request.object, v, KUBE_PATCH_SERVER, ret, err);
	return rc < 0 ? rc : 0;
}

/* What the expressions made is freed with the next binding of values, so texts of the new object are copied. */
static int keep(struct run *r, struct cel_value v, struct bh_err *err)
{
	return kube_copy(r->context->arena, r->request.object, v, &r->request.object, err);
}

static int mutate(struct run *r, size_t i)
{
	const struct admission_expression *e = &r->policy->list.items[i];
	struct bh_err why = { 0 };
	struct cel_value object, v = admission_evaluate(&r->review, e->program, ADMISSION_COST_MAX);
	if (v.kind == CEL_UNKNOWN)
		return say(&r->review, VAP_UNKNOWN, e,
			   admission_print(&r->review, "'", bh_slice_sub(bh_slice_trim(e->text), 0, CAUSE_BYTES_MAX), "' depends on what is not known here"));
	if (v.kind == CEL_ERROR)
		return admission_fail(&r->review, e, v.error);
	int rc = r->policy->types[i] == PATCH_APPLY ? apply_configuration(r, v, &object, &why) : apply_patch(r, v, &object, &why);
	rc = rc < 0 ? rc : keep(r, object, &why);
	if (rc == BH_EMALFORMED)
		return admission_fail(&r->review, e, why.text);
	if (rc < 0)
		*r->review.err = why;
	return rc;
}

/* A policy that fails open goes on with its next mutation; the cost is of all of them. */
static int apply(struct admission_review *a, struct cel_value params)
{
	struct run *r = (struct run *)a;
	int rc = 0;
	for (size_t i = 0; rc == 0 && !r->failed && i < r->policy->list.n; i++) {
		admission_bind(a, r->request.object, params);
		rc = mutate(r, i);
	}
	return rc;
}

static int run(struct map_policy *p, const struct map_context *context, struct cel_value *object, bool *ret_changed, struct bh_err *err)
{
	struct run r = { .request = *context->request, .context = context, .policy = p };
	r.review = (struct admission_review){ .policy = &p->admission, .world = context->world, .apply = apply, .say = say, .err = err };
	r.review.request = &r.request;
	r.request.object = *object;
	int rc = object->kind == CEL_MAP ? admission_review(&r.review) : 0;
	*ret_changed = rc == 0 && !r.failed && !cel_same(*object, r.request.object);
	if (*ret_changed)
		*object = r.request.object;
	return rc;
}

/* ---- all of them ---- */

static int by_name(const void *a, const void *b)
{
	const struct map_policy *x = *(struct map_policy *const *)a, *y = *(struct map_policy *const *)b;
	return bh_slice_cmp(x->admission.object->name, y->admission.object->name);
}

/* The second time only those are asked that want it, and after which another changed something. */
static int run_all(struct map_policy **policies, size_t n, const struct map_context *context, struct cel_value *object, struct bh_err *err)
{
	size_t last_change = 0; /* 1-based */
	bool changed;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = run(policies[i], context, object, &changed, err);
		last_change = changed ? i + 1 : last_change;
	}
	for (size_t i = 0; rc == 0 && i + 1 < last_change; i++)
		if (policies[i]->is_reinvoked)
			rc = run(policies[i], context, object, &changed, err);
	return rc;
}

int map_mutate(struct map_policy *const *policies, size_t n, const struct map_context *context, struct cel_value *ret, struct bh_err *err)
{
	struct map_policy **sorted = bh_arena_array(context->arena, n + 1, sizeof(struct map_policy *));
	struct cel_value object = context->request->object;
	if (!sorted)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for mutating policies");
	for (size_t i = 0; i < n; i++)
		sorted[i] = policies[i];
	qsort(sorted, n, sizeof(*sorted), by_name);
	int rc = run_all(sorted, n, context, &object, err);
	if (rc == 0)
		*ret = object;
	return rc;
}
