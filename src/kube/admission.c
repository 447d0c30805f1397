#include "kube/admission.h"

#include <stdlib.h>

#include "kube/match.h"
#include "kube/selector.h"

#define ARENA_BYTES_MAX (64u << 20)
#define RUN_BYTES_MAX (64u << 20)
#define EXPRESSIONS_MAX 1000u
#define PATH_BYTES_MAX 4096u
#define COST_PER_EXPRESSION 1000000u       /* apiserver, apis/cel/config.go */
#define COST_OF_CONDITIONS 2500000u

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for an admission policy");
}

/* ---- the environment ---- */

#define LIBRARY(name) extern const struct cel_library cel_library_##name
LIBRARY(macros);
LIBRARY(standard);
LIBRARY(time);
LIBRARY(cross_type);
LIBRARY(optional);
LIBRARY(comprehensions);
LIBRARY(regex);
LIBRARY(strings);
LIBRARY(lists);
LIBRARY(sets);
LIBRARY(quantity);
LIBRARY(ip);
LIBRARY(url);
LIBRARY(semver);
LIBRARY(format);
LIBRARY(authz);
LIBRARY(strings_format);
LIBRARY(authz_selectors);
LIBRARY(lists_more);
LIBRARY(lists_includes);
LIBRARY(jsonpatch);


/*
 * Which version of Kubernetes brought what (apiserver, cel/environment/base.go). The servers of that version keep it for objects that are stored; new
 * expressions may use it one version later, so that a cluster can go back.
 */
static const struct {
	const struct cel_library *library;
	unsigned since;
} libraries[] = {
	{ &cel_library_macros, 0 },    { &cel_library_standard, 0 },  { &cel_library_time, 0 },        { &cel_library_regex, 0 },
	{ &cel_library_strings, 0 },   { &cel_library_lists, 0 },     { &cel_library_url, 0 },         { &cel_library_authz, 27 },
	{ &cel_library_cross_type, 28 }, { &cel_library_optional, 28 }, { &cel_library_quantity, 28 }, { &cel_library_sets, 29 },
	{ &cel_library_ip, 30 },       { &cel_library_format, 31 },   { &cel_library_comprehensions, 32 }, { &cel_library_semver, 33 },
	{ &cel_library_strings_format, 29 }, { &cel_library_authz_selectors, 31 }, { &cel_library_lists_more, 34 }, { &cel_library_lists_includes, 37 },
};

#define N_LIBRARIES (sizeof(libraries) / sizeof(libraries[0]))

static const struct cel_field kind_fields[] = { { "group", "string" }, { "version", "string" }, { "kind", "string" }, { 0 } };
static const struct cel_field resource_fields[] = { { "group", "string" }, { "version", "string" }, { "resource", "string" }, { 0 } };
static const struct cel_field user_fields[] = {
	{ "username", "string" }, { "uid", "string" }, { "groups", "list(string)" }, { "extra", "map(string, list(string))" }, { 0 },
};
static const struct cel_field request_fields[] = {
	{ "kind", "kubernetes.GroupVersionKind" },
	{ "resource", "kubernetes.GroupVersionResource" },
	{ "subResource", "string" },
	{ "requestKind", "kubernetes.GroupVersionKind" },
	{ "requestResource", "kubernetes.GroupVersionResource" },
	{ "requestSubResource", "string" },
	{ "name", "string" },
	{ "namespace", "string" },
	{ "operation", "string" },
	{ "userInfo", "kubernetes.UserInfo" },
	{ "dryRun", "bool" },
	{ "options", "dyn" },
	{ 0 },
};
static const struct cel_field metadata_fields[] = {
	{ "name", "string" },        { "generateName", "string" },
	{ "namespace", "string" },   { "labels", "map(string, string)" },
	{ "annotations", "map(string, string)" }, { "UID", "string" },
	{ "creationTimestamp", "timestamp" }, { "deletionGracePeriodSeconds", "int" },
	{ "deletionTimestamp", "timestamp" }, { "generation", "int" },
	{ "resourceVersion", "string" }, { "finalizers", "list(string)" },
	{ 0 },
};
static const struct cel_field namespace_spec_fields[] = { { "finalizers", "list(string)" }, { 0 } };
static const struct cel_field condition_fields[] = {
	{ "type", "string" }, { "status", "string" }, { "lastTransitionTime", "timestamp" }, { "reason", "string" }, { "message", "string" }, { 0 },
};
static const struct cel_field status_fields[] = { { "conditions", "list(kubernetes.NamespaceCondition)" }, { "phase", "string" }, { 0 } };
static const struct cel_field namespace_fields[] = {
	{ "metadata", "kubernetes.NamespaceMetadata" }, { "spec", "kubernetes.NamespaceSpec" }, { "status", "kubernetes.NamespaceStatus" }, { 0 },
};

static const struct {
	const char *name;
	const struct cel_field *fields;
} records[] = {
	{ "kubernetes.GroupVersionKind", kind_fields },
	{ "kubernetes.GroupVersionResource", resource_fields },
	{ "kubernetes.UserInfo", user_fields },
	{ "kubernetes.AdmissionRequest", request_fields },
	{ "kubernetes.NamespaceMetadata", metadata_fields },
	{ "kubernetes.NamespaceSpec", namespace_spec_fields },
	{ "kubernetes.NamespaceCondition", condition_fields },
	{ "kubernetes.NamespaceStatus", status_fields },
	{ "kubernetes.Namespace", namespace_fields },
};

const struct cel_library *const *admission_libraries(struct bh_arena *arena, unsigned minor)
{
	const struct cel_library **list = bh_arena_array(arena, N_LIBRARIES + 1, sizeof(*list));
	size_t n = 0;
	for (size_t i = 0; list && i < N_LIBRARIES; i++)
		if (libraries[i].since == 0 || libraries[i].since < minor)
			list[n++] = libraries[i].library;
	return list;
}

static int make_env(struct admission *p, unsigned minor, struct bh_err *err)
{
	const struct cel_library *const *list = admission_libraries(&p->arena, minor);
	if (!list)
		return no_memory(err);
	int rc = cel_env_new(list, &p->env, err);
	for (size_t i = 0; rc == 0 && i < sizeof(records) / sizeof(records[0]); i++)
		rc = cel_env_record(p->env, records[i].name, records[i].fields, err);
	const struct {
		const char *name, *type;
		unsigned *slot;
	} variables[] = {
		{ "object", "dyn", &p->slot_object },
		{ "oldObject", "dyn", &p->slot_old },
		{ "request", "kubernetes.AdmissionRequest", &p->slot_request },
		{ "namespaceObject", "kubernetes.Namespace", &p->slot_namespace },
		{ "authorizer", "kubernetes.authorization.Authorizer", &p->slot_authorizer },
		{ "authorizer.requestResource", "kubernetes.authorization.ResourceCheck", &p->slot_access },
		{ "params", "dyn", &p->slot_params },
	};
	size_t n_variables = sizeof(variables) / sizeof(variables[0]) - !p->wants_params;
	for (size_t i = 0; rc == 0 && i < n_variables; i++)
		rc = cel_env_variable(p->env, variables[i].name, variables[i].type, variables[i].slot, err);
	if (rc == 0)
		cel_env_set_literals(p->env, true, minor > ADMISSION_LITERALS_SINCE);
	return rc;
}

/* ---- compiling ---- */

/* Where the expression stands in the file, and its path there: of a policy that was made of another document, that document's. */
static uint32_t find_place(const struct admission *p, const char *where, size_t i, const char *field, struct bh_buf *path)
{
	const struct cel_value list = kube_get(p->spec, where);
	bool is_there = i < kube_length(list) && list.list->items[i].kind == CEL_MAP;
	return is_there ? kube_tree_find(p->object->tree, list.list->items[i].map, bh_slice_str(field), path) : 0;
}

void admission_tell(struct admission_compiler *c, const char *where, size_t i, const char *field, struct bh_slice text)
{
	struct bh_buf path;
	bh_buf_init(&path, PATH_BYTES_MAX);
	uint32_t line = c->policy->object->is_made ? find_place(c->policy, where, i, field, &path) : 0;
	c->failed = true;
	if (c->why->len)
		bh_buf_add_byte(c->why, '\n');
	if (line)
		bh_buf_printf(c->why, "%.*s (line %u): ", BH_SLICE_FMT(bh_buf_slice(&path)), line);
	else
		bh_buf_printf(c->why, "spec.%s[%zu].%s: ", where, i, field);
	bh_buf_add(c->why, text);
	bh_buf_done(&path);
}

int admission_compile(struct admission_compiler *c, const char *where, size_t i, const char *field, struct bh_slice text, const struct cel_type *wanted,
		   struct cel_program **ret)
{
	struct bh_buf issues;
	bh_buf_init(&issues, 64u << 10);
	int rc = cel_compile(c->policy->env, text, CEL_CHECKED, ret, &issues, c->err);
	if (rc == BH_EMALFORMED) {
		admission_tell(c, where, i, field, bh_buf_slice(&issues));
		rc = 0;
	} else if (rc == 0 && wanted && !cel_type_same(cel_program_type(*ret), wanted)) {
		bh_buf_add_str(&issues, "must evaluate to ");
		cel_type_print(&issues, wanted);
		bh_buf_add_str(&issues, " but got ");
		cel_type_print(&issues, cel_program_type(*ret));
		admission_tell(c, where, i, field, bh_buf_slice(&issues));
	}
	bh_buf_done(&issues);
	return rc;
}

int admission_take_list(struct admission_compiler *c, const char *field, struct admission_list *out, struct cel_value *ret_values)
{
	*ret_values = kube_get(c->policy->spec, field);
	out->n = ret_values->kind == CEL_LIST ? ret_values->list->len : 0;
	if (out->n > EXPRESSIONS_MAX)
		return bh_fail(c->err, BH_ELIMIT, 0, "more than %u expressions in spec.%s", EXPRESSIONS_MAX, field);
	out->items = bh_arena_array(&c->policy->arena, out->n + 1, sizeof(*out->items));
	return out->items ? 0 : no_memory(c->err);
}

static int compile_variable(struct admission_compiler *c, struct admission_expression *e, size_t i)
{
	struct admission *p = c->policy;
	struct bh_buf type;
	int rc = admission_compile(c, "variables", i, "expression", e->text, NULL, &e->program);
	if (rc < 0)
		return rc;
	bool is_global = p->object->is_made && bh_slice_starts(e->name, BH_SLICE_LIT(ADMISSION_GLOBAL));
	char *name = is_global ? bh_arena_strdup(&p->arena, bh_slice_sub(e->name, strlen(ADMISSION_GLOBAL), e->name.len)) :
				 bh_arena_printf(&p->arena, "variables.%.*s", BH_SLICE_FMT(e->name));
	bh_buf_init(&type, 4096);
	if (e->program)
		cel_type_print(&type, cel_program_type(e->program));
	else
		bh_buf_add_str(&type, "dyn"); /* its own complaint is enough */
	bh_buf_add_byte(&type, '\0');
	rc = name && !type.failed ? cel_env_field_variable(p->env, name, (const char *)type.ptr, &e->slot, c->err) : no_memory(c->err);
	bh_buf_done(&type);
	return rc;
}

/* A variable may use those before it. */
static int compile_variables(struct admission_compiler *c)
{
	struct cel_value values;
	int rc = admission_take_list(c, "variables", &c->policy->variables, &values);
	for (size_t i = 0; rc == 0 && i < c->policy->variables.n; i++) {
		struct admission_expression *e = &c->policy->variables.items[i];
		e->name = kube_text(values.list->items[i], "name");
		e->text = kube_text(values.list->items[i], "expression");
		rc = compile_variable(c, e, i);
	}
	return rc;
}

static int compile_conditions(struct admission_compiler *c)
{
	struct cel_value values;
	int rc = admission_take_list(c, "matchConditions", &c->policy->conditions, &values);
	for (size_t i = 0; rc == 0 && i < c->policy->conditions.n; i++) {
		struct admission_expression *e = &c->policy->conditions.items[i];
		e->name = kube_text(values.list->items[i], "name");
		e->text = kube_text(values.list->items[i], "expression");
		rc = admission_compile(c, "matchConditions", i, "expression", e->text, &cel_type_bool, &e->program);
	}
	return rc;
}

static struct cel_value resolve(void *ctx, struct cel_run *run, unsigned slot)
{
	const struct admission *p = ctx;
	for (size_t i = 0; i < p->variables.n; i++)
		if (p->variables.items[i].slot == slot)
			return cel_eval(run, p->variables.items[i].program);
	return cel_error("a variable without a value");
}

int admission_init(struct admission_compiler *c, const struct kube_object *o, unsigned minor, bool mutates)
{
	struct admission *p = c->policy;
	*p = (struct admission){ .object = o, .spec = kube_get(o->value, "spec"), .mutates = mutates };
	bh_arena_init(&p->arena, ARENA_BYTES_MAX);
	p->fails_open = bh_slice_eq_str(kube_text(p->spec, "failurePolicy"), "Ignore");
	p->wants_params = kube_get(p->spec, "paramKind").kind == CEL_MAP;
	int rc = make_env(p, minor, c->err);
	rc = rc < 0 ? rc : compile_variables(c);
	return rc < 0 ? rc : compile_conditions(c);
}

int admission_finish(struct admission_compiler *c)
{
	const struct cel_limits limits = { .cost = COST_PER_EXPRESSION, .memory_bytes = RUN_BYTES_MAX };
	if (c->failed)
		return bh_fail(c->err, BH_EMALFORMED, 0, "the policy is wrong");
	int rc = cel_run_new(c->policy->env, &limits, &c->policy->run, c->err);
	if (rc == 0)
		cel_run_resolver(c->policy->run, resolve, c->policy);
	return rc;
}

void admission_list_done(struct admission_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		cel_program_free(list->items[i].program);
		cel_program_free(list->items[i].message_program);
	}
}

void admission_done(struct admission *a)
{
	admission_list_done(&a->variables);
	admission_list_done(&a->conditions);
	cel_run_free(a->run);
	cel_env_free(a->env);
	bh_arena_done(&a->arena);
}

/* ---- reviewing ---- */

struct bh_slice admission_print(struct admission_review *r, const char *before, struct bh_slice text, const char *after)
{
	struct bh_arena *arena = cel_arena(r->policy->run);
	char *p = bh_arena_printf(arena, "%s%.*s%s", before, BH_SLICE_FMT(text), after);
	return p ? bh_slice_str(p) : BH_SLICE_LIT("(no memory is left for the message)");
}

struct cel_value admission_evaluate(struct admission_review *r, const struct cel_program *program, uint64_t limit)
{
	struct cel_value v = cel_eval(r->policy->run, program);
	r->policy->spent += cel_run_cost(r->policy->run);
	return r->policy->spent > limit ? cel_error("validation failed due to running out of cost budget, no further validation rules will be run") : v;
}

int admission_fail(struct admission_review *r, const struct admission_expression *e, const char *why)
{
	if (r->policy->fails_open)
		return 0;
	struct bh_slice first = admission_print(r, "expression '", bh_slice_trim(e->text), "' resulted in error: ");
	return r->say(r, VAP_FAILED, e, admission_print(r, (const char *)first.ptr, bh_slice_str(why), ""));
}

/* 1: go on; 0: a condition does not hold. */
static int check_conditions(struct admission_review *r)
{
	const struct admission_expression *bad = NULL;
	struct cel_value error = cel_null();
	r->policy->spent = 0;
	for (size_t i = 0; i < r->policy->conditions.n; i++) {
		const struct admission_expression *e = &r->policy->conditions.items[i];
		struct cel_value v = admission_evaluate(r, e->program, COST_OF_CONDITIONS);
		if (v.kind == CEL_BOOL && !v.boolean)
			return 0; /* whatever errors the others have */
		if (v.kind != CEL_BOOL && !bad) {
			bad = e;
			error = v;
		}
	}
	if (!bad)
		return 1;
	int rc = error.kind == CEL_UNKNOWN ? r->say(r, VAP_UNKNOWN, bad, BH_SLICE_LIT("whether the policy applies depends on what is not known here")) :
					     admission_fail(r, bad, error.kind == CEL_ERROR ? error.error : "not a bool");
	return rc < 0 ? rc : 0;
}

void admission_bind(struct admission_review *r, struct cel_value object, struct cel_value params)
{
	struct admission *p = r->policy;
	cel_run_reset(p->run);
	cel_run_set(p->run, p->slot_object, object);
	cel_run_set(p->run, p->slot_old, r->request->old_object);
	cel_run_set(p->run, p->slot_request, r->request->value);
	cel_run_set(p->run, p->slot_namespace, r->request->namespace_object);
	cel_run_set(p->run, p->slot_authorizer, cel_unknown());
	cel_run_set(p->run, p->slot_access, cel_unknown());
	if (p->wants_params)
		cel_run_set(p->run, p->slot_params, params);
}

static int review_with(struct admission_review *r, struct cel_value params)
{
	admission_bind(r, r->request->object, params);
	int rc = check_conditions(r);
	if (rc <= 0)
		return rc;
	r->policy->spent = 0;
	return r->apply(r, params);
}

/* ---- bindings ---- */

static bool is_param(const struct admission_review *r, const struct kube_object *o, struct cel_value ref)
{
	struct bh_slice namespace = kube_text(ref, "namespace"), name = kube_text(ref, "name");
	if (!bh_slice_eq(o->api_version, kube_text(r->policy->spec, "paramKind.apiVersion")) || !bh_slice_eq(o->kind, kube_text(r->policy->spec, "paramKind.kind")))
		return false;
	if (namespace.len == 0 && o->namespace.len)
		namespace = r->request->namespace; /* of a namespaced kind: the object's own */
	if (o->namespace.len && !bh_slice_eq(o->namespace, namespace))
		return false;
	if (name.len)
		return bh_slice_eq(o->name, name);
	return kube_selects(kube_get(ref, "selector"), kube_path(o->value, "metadata.labels"));
}

/* Everything of the policy's paramKind, of whatever version. */
static struct kube_kind params_of(const struct admission_review *r)
{
	struct bh_slice group, version;
	if (!bh_slice_cut(kube_text(r->policy->spec, "paramKind.apiVersion"), '/', &group, &version))
		group = (struct bh_slice){ 0 }; /* the core's */
	return kube_world_kind(r->world, group, kube_text(r->policy->spec, "paramKind.kind"));
}

static int review_params(struct admission_review *r)
{
	struct cel_value ref = kube_path(r->binding->value, "spec.paramRef");
	size_t found = 0;
	if (!r->policy->wants_params || ref.kind != CEL_MAP)
		return review_with(r, cel_null());
	const struct kube_kind params = params_of(r);
	for (size_t i = 0; i < params.n; i++) {
		if (!is_param(r, params.objects[i], ref))
			continue;
		found++;
		int rc = review_with(r, params.objects[i]->value);
		if (rc < 0)
			return rc;
	}
	if (found || bh_slice_eq_str(kube_text(ref, "parameterNotFoundAction"), "Allow"))
		return 0;
	admission_bind(r, r->request->object, cel_null());
	return r->say(r, VAP_FAILED, NULL, BH_SLICE_LIT("no params found for policy binding with `Deny` parameterNotFoundAction"));
}

static unsigned actions_of(const struct kube_object *binding)
{
	static const struct {
		const char *name;
		unsigned bit;
	} actions[] = { { "Deny", VAP_DENY }, { "Warn", VAP_WARN }, { "Audit", VAP_AUDIT } };
	struct cel_value list = kube_path(binding->value, "spec.validationActions");
	unsigned bits = 0;
	for (size_t i = 0; list.kind == CEL_LIST && i < list.list->len; i++)
		for (size_t k = 0; k < sizeof(actions) / sizeof(actions[0]); k++)
			if (list.list->items[i].kind == CEL_STRING && bh_slice_eq_str(list.list->items[i].text, actions[k].name))
				bits |= actions[k].bit;
	return bits;
}

static bool is_binding_of(const struct kube_object *o, const struct admission *p)
{
	return bh_slice_eq(kube_text(o->value, "spec.policyName"), p->object->name);
}

static int review_binding(struct admission_review *r, const struct kube_object *binding)
{
	r->binding = binding;
	r->actions = actions_of(binding);
	switch (kube_matches(kube_path(binding->value, "spec.matchResources"), r->request)) {
	case KUBE_MATCH_NO: return 0;
	case KUBE_MATCH_UNKNOWN:
		admission_bind(r, r->request->object, cel_null());
		return r->say(r, VAP_UNKNOWN, NULL, BH_SLICE_LIT("whether the binding applies depends on labels of a namespace that is not given"));
	case KUBE_MATCH_YES: break;
	}
	return review_params(r);
}

static int review_bindings(struct admission_review *r)
{
	const char *kind = r->policy->mutates ? "MutatingAdmissionPolicyBinding" : "ValidatingAdmissionPolicyBinding";
	const struct kube_kind bindings = kube_world_kind(r->world, BH_SLICE_LIT(ADMISSION_GROUP), bh_slice_str(kind));
	size_t found = 0;
	for (size_t i = 0; i < bindings.n; i++) {
		if (!is_binding_of(bindings.objects[i], r->policy))
			continue;
		found++;
		int rc = review_binding(r, bindings.objects[i]);
		if (rc < 0)
			return rc;
	}
	if (found)
		return 0;
	if (r->policy->wants_params)
		return bh_fail(r->err, BH_EMALFORMED, 0, "the policy wants parameters (spec.paramKind), and no %s of it was given", kind);
	r->binding = NULL;
	r->actions = VAP_DENY;
	return review_with(r, cel_null());
}

int admission_review(struct admission_review *r)
{
	r->actions = VAP_DENY;
	switch (kube_matches(kube_get(r->policy->spec, "matchConstraints"), r->request)) {
	case KUBE_MATCH_NO: return 0;
	case KUBE_MATCH_UNKNOWN:
		r->policy->asked++;
		admission_bind(r, r->request->object, cel_null());
		return r->say(r, VAP_UNKNOWN, NULL, BH_SLICE_LIT("whether the policy applies depends on labels of a namespace that is not given"));
	case KUBE_MATCH_YES: break;
	}
	r->policy->asked++;
	return review_bindings(r);
}
