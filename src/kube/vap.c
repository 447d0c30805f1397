#include "kube/vap.h"

#include <stdio.h>
#include <stdlib.h>

#include "kube/match.h"
#include "kube/selector.h"

#define ARENA_BYTES_MAX (64u << 20)
#define RUN_BYTES_MAX (64u << 20)
#define EXPRESSIONS_MAX 1000u
#define MESSAGE_BYTES_MAX (5u << 10)       /* apiserver: longer messages of messageExpression are not used */
#define COST_PER_EXPRESSION 1000000u       /* apiserver, apis/cel/config.go */
#define COST_PER_REVIEW 10000000u
#define COST_OF_CONDITIONS 2500000u
#define CAUSE_BYTES_MAX 300u

struct expression {
	struct bh_slice name;           /* of a variable or condition */
	struct bh_slice text;
	struct cel_program *program;
	unsigned slot;                  /* of a variable */
	struct bh_slice message, reason;
	struct bh_slice message_text;
	struct cel_program *message_program;
};

struct list {
	struct expression *items;
	size_t n;
};

struct vap_policy {
	const struct kube_object *object;
	struct bh_arena arena;
	struct cel_value spec;
	struct cel_env *env;
	struct cel_run *run;
	struct list variables, conditions, validations, audits;
	unsigned slot_object, slot_old, slot_request, slot_params, slot_namespace, slot_authorizer, slot_access;
	bool fails_open, wants_params;
	uint64_t spent; /* cost in the review that runs */
	uint64_t asked; /* requests that matched */
};

const struct kube_object *vap_policy_object(const struct vap_policy *p)
{
	return p->object;
}

bool vap_policy_wants_params(const struct vap_policy *p)
{
	return p->wants_params;
}

uint64_t vap_policy_asked(const struct vap_policy *p)
{
	return p->asked;
}

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

/* Which version of Kubernetes brought what (apiserver, cel/environment/base.go). */
static const struct {
	const struct cel_library *library;
	unsigned since;
} libraries[] = {
	{ &cel_library_macros, 0 },    { &cel_library_standard, 0 },  { &cel_library_time, 0 },        { &cel_library_regex, 0 },
	{ &cel_library_strings, 0 },   { &cel_library_lists, 0 },     { &cel_library_url, 0 },         { &cel_library_authz, 27 },
	{ &cel_library_cross_type, 28 }, { &cel_library_optional, 28 }, { &cel_library_quantity, 28 }, { &cel_library_sets, 29 },
	{ &cel_library_ip, 30 },       { &cel_library_format, 31 },   { &cel_library_comprehensions, 32 }, { &cel_library_semver, 33 },
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

static int make_env(struct vap_policy *p, unsigned minor, struct bh_err *err)
{
	const struct cel_library **list = bh_arena_array(&p->arena, N_LIBRARIES + 1, sizeof(*list));
	size_t n = 0;
	if (!list)
		return no_memory(err);
	for (size_t i = 0; i < N_LIBRARIES; i++)
		if (libraries[i].since <= minor)
			list[n++] = libraries[i].library;
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
		cel_env_set_homogeneous(p->env, true);
	return rc;
}

/* ---- compiling ---- */

struct compiler {
	struct vap_policy *policy;
	struct bh_buf *why;
	struct bh_err *err;
	bool failed; /* an expression is wrong; the others are looked at all the same */
};

static void tell(struct compiler *c, const char *where, size_t i, const char *field, struct bh_slice text)
{
	c->failed = true;
	bh_buf_printf(c->why, "%sspec.%s[%zu].%s: ", c->why->len ? "\n" : "", where, i, field);
	bh_buf_add(c->why, text);
}

/* Compiled, and of the type; NULL: of any. */
static int compile(struct compiler *c, const char *where, size_t i, const char *field, struct bh_slice text, const struct cel_type *wanted,
		   struct cel_program **ret)
{
	struct bh_buf issues;
	bh_buf_init(&issues, 64u << 10);
	int rc = cel_compile(c->policy->env, text, CEL_CHECKED, ret, &issues, c->err);
	if (rc == BH_EMALFORMED) {
		tell(c, where, i, field, bh_buf_slice(&issues));
		rc = 0;
	} else if (rc == 0 && wanted && !cel_type_same(cel_program_type(*ret), wanted)) {
		bh_buf_add_str(&issues, "must evaluate to ");
		cel_type_print(&issues, wanted);
		bh_buf_add_str(&issues, " but got ");
		cel_type_print(&issues, cel_program_type(*ret));
		tell(c, where, i, field, bh_buf_slice(&issues));
	}
	bh_buf_done(&issues);
	return rc;
}

static int take_list(struct compiler *c, const char *field, struct list *out, struct cel_value *ret_values)
{
	*ret_values = kube_get(c->policy->spec, field);
	out->n = ret_values->kind == CEL_LIST ? ret_values->list->len : 0;
	if (out->n > EXPRESSIONS_MAX)
		return bh_fail(c->err, BH_ELIMIT, 0, "more than %u expressions in spec.%s", EXPRESSIONS_MAX, field);
	out->items = bh_arena_array(&c->policy->arena, out->n + 1, sizeof(*out->items));
	return out->items ? 0 : no_memory(c->err);
}

static int compile_variable(struct compiler *c, struct expression *e, size_t i)
{
	struct vap_policy *p = c->policy;
	struct bh_buf type;
	int rc = compile(c, "variables", i, "expression", e->text, NULL, &e->program);
	if (rc < 0)
		return rc;
	char *name = bh_arena_printf(&p->arena, "variables.%.*s", BH_SLICE_FMT(e->name));
	bh_buf_init(&type, 4096);
	if (e->program)
		cel_type_print(&type, cel_program_type(e->program));
	else
		bh_buf_add_str(&type, "dyn"); /* its own complaint is enough */
	bh_buf_add_byte(&type, '\0');
	rc = name && !type.failed ? cel_env_variable(p->env, name, (const char *)type.ptr, &e->slot, c->err) : no_memory(c->err);
	bh_buf_done(&type);
	return rc;
}

/* A variable may use those before it. */
static int compile_variables(struct compiler *c)
{
	struct cel_value values;
	int rc = take_list(c, "variables", &c->policy->variables, &values);
	for (size_t i = 0; rc == 0 && i < c->policy->variables.n; i++) {
		struct expression *e = &c->policy->variables.items[i];
		e->name = kube_text(values.list->items[i], "name");
		e->text = kube_text(values.list->items[i], "expression");
		rc = compile_variable(c, e, i);
	}
	return rc;
}

static int compile_conditions(struct compiler *c)
{
	struct cel_value values;
	int rc = take_list(c, "matchConditions", &c->policy->conditions, &values);
	for (size_t i = 0; rc == 0 && i < c->policy->conditions.n; i++) {
		struct expression *e = &c->policy->conditions.items[i];
		e->name = kube_text(values.list->items[i], "name");
		e->text = kube_text(values.list->items[i], "expression");
		rc = compile(c, "matchConditions", i, "expression", e->text, &cel_type_bool, &e->program);
	}
	return rc;
}

static int compile_validations(struct compiler *c)
{
	struct cel_value values;
	int rc = take_list(c, "validations", &c->policy->validations, &values);
	for (size_t i = 0; rc == 0 && i < c->policy->validations.n; i++) {
		struct expression *e = &c->policy->validations.items[i];
		e->text = kube_text(values.list->items[i], "expression");
		e->message = bh_slice_trim(kube_text(values.list->items[i], "message"));
		e->reason = kube_text(values.list->items[i], "reason");
		e->message_text = kube_text(values.list->items[i], "messageExpression");
		rc = compile(c, "validations", i, "expression", e->text, &cel_type_bool, &e->program);
		if (rc == 0 && e->message_text.len)
			rc = compile(c, "validations", i, "messageExpression", e->message_text, &cel_type_string, &e->message_program);
	}
	return rc;
}

/* Audit annotations are of no use here, but one that fails denies as a validation does. */
static int compile_audits(struct compiler *c)
{
	struct cel_value values;
	int rc = take_list(c, "auditAnnotations", &c->policy->audits, &values);
	for (size_t i = 0; rc == 0 && i < c->policy->audits.n; i++) {
		struct expression *e = &c->policy->audits.items[i];
		e->name = kube_text(values.list->items[i], "key");
		e->text = kube_text(values.list->items[i], "valueExpression");
		rc = compile(c, "auditAnnotations", i, "valueExpression", e->text, NULL, &e->program);
		const struct cel_type *t = rc == 0 && e->program ? cel_program_type(e->program) : &cel_type_string;
		if (rc == 0 && t->kind != CEL_TYPE_STRING && t->kind != CEL_TYPE_NULL && t->kind != CEL_TYPE_DYN)
			tell(c, "auditAnnotations", i, "valueExpression", BH_SLICE_LIT("must evaluate to string or null"));
	}
	return rc;
}

static struct cel_value resolve(void *ctx, struct cel_run *run, unsigned slot)
{
	const struct vap_policy *p = ctx;
	for (size_t i = 0; i < p->variables.n; i++)
		if (p->variables.items[i].slot == slot)
			return cel_eval(run, p->variables.items[i].program);
	return cel_error("a variable without a value");
}

static int prepare(struct vap_policy *p, unsigned minor, struct bh_buf *why, struct bh_err *err)
{
	struct compiler c = { .policy = p, .why = why, .err = err };
	const struct cel_limits limits = { .cost = COST_PER_EXPRESSION, .memory_bytes = RUN_BYTES_MAX };
	int rc = make_env(p, minor, err);
	rc = rc < 0 ? rc : compile_variables(&c);
	rc = rc < 0 ? rc : compile_conditions(&c);
	rc = rc < 0 ? rc : compile_validations(&c);
	rc = rc < 0 ? rc : compile_audits(&c);
	if (rc == 0 && !c.failed && p->validations.n + p->audits.n == 0) {
		bh_buf_add_str(why, "spec.validations: at least one validation or audit annotation is required");
		c.failed = true;
	}
	if (rc == 0 && c.failed)
		return bh_fail(err, BH_EMALFORMED, 0, "the policy is wrong");
	rc = rc < 0 ? rc : cel_run_new(p->env, &limits, &p->run, err);
	if (rc == 0)
		cel_run_resolver(p->run, resolve, p);
	return rc;
}

int vap_policy_new(const struct kube_object *o, unsigned minor, struct vap_policy **ret, struct bh_buf *why, struct bh_err *err)
{
	struct vap_policy *p = calloc(1, sizeof(*p));
	if (!p)
		return no_memory(err);
	bh_arena_init(&p->arena, ARENA_BYTES_MAX);
	p->object = o;
	p->spec = kube_get(o->value, "spec");
	p->fails_open = bh_slice_eq_str(kube_text(p->spec, "failurePolicy"), "Ignore");
	p->wants_params = kube_get(p->spec, "paramKind").kind == CEL_MAP;
	int rc = prepare(p, minor, why, err);
	if (rc < 0) {
		vap_policy_free(p);
		return rc;
	}
	*ret = p;
	return 0;
}

static void free_list(struct list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		cel_program_free(list->items[i].program);
		cel_program_free(list->items[i].message_program);
	}
}

void vap_policy_free(struct vap_policy *p)
{
	if (!p)
		return;
	free_list(&p->variables);
	free_list(&p->conditions);
	free_list(&p->validations);
	free_list(&p->audits);
	cel_run_free(p->run);
	cel_env_free(p->env);
	bh_arena_done(&p->arena);
	free(p);
}

/* ---- reviewing ---- */

struct review {
	struct vap_policy *policy;
	const struct kube_request *request;
	const struct kube_world *world;
	const struct kube_object *binding;
	unsigned actions;
	vap_sink sink;
	void *ctx;
	struct bh_err *err;
};

static int say(struct review *r, enum vap_outcome outcome, const struct expression *e, struct bh_slice message)
{
	struct vap_result result = {
		.outcome = outcome,
		.policy = r->policy,
		.binding = r->binding,
		.message = message,
		.expression = e ? e->text : (struct bh_slice){ 0 },
		.reason = e && e->reason.len ? e->reason : BH_SLICE_LIT("Invalid"),
		.actions = r->actions,
	};
	result.n_reads = cel_run_last_reads(r->policy->run, result.reads);
	return r->sink(r->ctx, &result, r->err);
}

static struct bh_slice print(struct review *r, const char *before, struct bh_slice text, const char *after)
{
	struct bh_arena *arena = cel_arena(r->policy->run);
	char *p = bh_arena_printf(arena, "%s%.*s%s", before, BH_SLICE_FMT(text), after);
	return p ? bh_slice_str(p) : BH_SLICE_LIT("(no memory is left for the message)");
}

static struct cel_value evaluate(struct review *r, const struct cel_program *program, uint64_t limit)
{
	struct cel_value v = cel_eval(r->policy->run, program);
	r->policy->spent += cel_run_cost(r->policy->run);
	return r->policy->spent > limit ? cel_error("validation failed due to running out of cost budget, no further validation rules will be run") : v;
}

/* An error denies, unless the policy fails open. */
static int fail(struct review *r, const struct expression *e, const char *why)
{
	if (r->policy->fails_open)
		return 0;
	struct bh_slice first = print(r, "expression '", bh_slice_trim(e->text), "' resulted in error: ");
	return say(r, VAP_FAILED, e, print(r, (const char *)first.ptr, bh_slice_str(why), ""));
}

static bool is_usable(struct bh_slice message)
{
	return message.len > 0 && message.len <= MESSAGE_BYTES_MAX && bh_slice_find(message, '\n') == message.len;
}

/* messageExpression's text, else message, else the expression itself. */
static struct bh_slice message_of(struct review *r, const struct expression *e)
{
	struct bh_slice message = { 0 };
	if (e->message_program) {
		struct cel_value v = evaluate(r, e->message_program, COST_PER_REVIEW);
		message = v.kind == CEL_STRING ? bh_slice_trim(v.text) : message;
	}
	if (is_usable(message))
		return message;
	return e->message.len ? e->message : print(r, "failed expression: ", bh_slice_trim(e->text), "");
}

static int deny(struct review *r, const struct expression *e)
{
	struct vap_result result = {
		.outcome = VAP_DENIED,
		.policy = r->policy,
		.binding = r->binding,
		.expression = e->text,
		.reason = e->reason.len ? e->reason : BH_SLICE_LIT("Invalid"),
		.actions = r->actions,
	};
	result.n_reads = cel_run_last_reads(r->policy->run, result.reads); /* before the message's own */
	result.message = message_of(r, e);
	return r->sink(r->ctx, &result, r->err);
}

/* 1: go on; 0: a condition does not hold. */
static int check_conditions(struct review *r)
{
	const struct expression *bad = NULL;
	struct cel_value error = cel_null();
	r->policy->spent = 0;
	for (size_t i = 0; i < r->policy->conditions.n; i++) {
		const struct expression *e = &r->policy->conditions.items[i];
		struct cel_value v = evaluate(r, e->program, COST_OF_CONDITIONS);
		if (v.kind == CEL_BOOL && !v.boolean)
			return 0; /* whatever errors the others have */
		if (v.kind != CEL_BOOL && !bad) {
			bad = e;
			error = v;
		}
	}
	if (!bad)
		return 1;
	int rc = error.kind == CEL_UNKNOWN ? say(r, VAP_UNKNOWN, bad, BH_SLICE_LIT("whether the policy applies depends on what is not known here")) :
					     fail(r, bad, error.kind == CEL_ERROR ? error.error : "not a bool");
	return rc < 0 ? rc : 0;
}

static int check_validation(struct review *r, const struct expression *e)
{
	struct cel_value v = evaluate(r, e->program, COST_PER_REVIEW);
	if (v.kind == CEL_BOOL)
		return v.boolean ? 0 : deny(r, e);
	if (v.kind == CEL_UNKNOWN)
		return say(r, VAP_UNKNOWN, e, print(r, "'", bh_slice_sub(bh_slice_trim(e->text), 0, CAUSE_BYTES_MAX), "' depends on what is not known here"));
	return fail(r, e, v.kind == CEL_ERROR ? v.error : "not a bool");
}

/* Values are bound anew, so that variables are worked out for these parameters. */
static void bind(struct review *r, struct cel_value params)
{
	struct vap_policy *p = r->policy;
	cel_run_reset(p->run);
	cel_run_set(p->run, p->slot_object, r->request->object);
	cel_run_set(p->run, p->slot_old, r->request->old_object);
	cel_run_set(p->run, p->slot_request, r->request->value);
	cel_run_set(p->run, p->slot_namespace, r->request->namespace_object);
	cel_run_set(p->run, p->slot_authorizer, cel_unknown());
	cel_run_set(p->run, p->slot_access, cel_unknown());
	if (p->wants_params)
		cel_run_set(p->run, p->slot_params, params);
}

static int review_with(struct review *r, struct cel_value params)
{
	bind(r, params);
	int rc = check_conditions(r);
	if (rc <= 0)
		return rc;
	rc = 0;
	r->policy->spent = 0;
	for (size_t i = 0; rc == 0 && i < r->policy->validations.n; i++)
		rc = check_validation(r, &r->policy->validations.items[i]);
	for (size_t i = 0; rc == 0 && i < r->policy->audits.n; i++) {
		struct cel_value v = evaluate(r, r->policy->audits.items[i].program, COST_PER_REVIEW);
		rc = v.kind == CEL_ERROR ? fail(r, &r->policy->audits.items[i], v.error) : 0;
	}
	return rc;
}

/* ---- bindings ---- */

static bool is_param(const struct review *r, const struct kube_object *o, struct cel_value ref)
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
static struct kube_kind params_of(const struct review *r)
{
	struct bh_slice group, version;
	if (!bh_slice_cut(kube_text(r->policy->spec, "paramKind.apiVersion"), '/', &group, &version))
		group = (struct bh_slice){ 0 }; /* the core's */
	return kube_world_kind(r->world, group, kube_text(r->policy->spec, "paramKind.kind"));
}

static int review_params(struct review *r)
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
	bind(r, cel_null());
	return say(r, VAP_FAILED, NULL, BH_SLICE_LIT("no params found for policy binding with `Deny` parameterNotFoundAction"));
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

static bool is_binding_of(const struct kube_object *o, const struct vap_policy *p)
{
	return bh_slice_eq(kube_text(o->value, "spec.policyName"), p->object->name);
}

static int review_binding(struct review *r, const struct kube_object *binding)
{
	r->binding = binding;
	r->actions = actions_of(binding);
	switch (kube_matches(kube_path(binding->value, "spec.matchResources"), r->request)) {
	case KUBE_MATCH_NO: return 0;
	case KUBE_MATCH_UNKNOWN:
		bind(r, cel_null());
		return say(r, VAP_UNKNOWN, NULL, BH_SLICE_LIT("whether the binding applies depends on labels of a namespace that is not given"));
	case KUBE_MATCH_YES: break;
	}
	return review_params(r);
}

static int review_bindings(struct review *r)
{
	const struct kube_kind bindings = kube_world_kind(r->world, BH_SLICE_LIT("admissionregistration.k8s.io"), BH_SLICE_LIT("ValidatingAdmissionPolicyBinding"));
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
		return bh_fail(r->err, BH_EMALFORMED, 0, "the policy wants parameters (spec.paramKind), and no ValidatingAdmissionPolicyBinding of it was given");
	r->binding = NULL;
	r->actions = VAP_DENY;
	return review_with(r, cel_null());
}

int vap_review(struct vap_policy *p, const struct kube_request *request, const struct kube_world *world, vap_sink sink, void *ctx, struct bh_err *err)
{
	struct review r = { .policy = p, .request = request, .world = world, .actions = VAP_DENY, .sink = sink, .ctx = ctx, .err = err };
	switch (kube_matches(kube_get(p->spec, "matchConstraints"), request)) {
	case KUBE_MATCH_NO: return 0;
	case KUBE_MATCH_UNKNOWN:
		p->asked++;
		bind(&r, cel_null());
		return say(&r, VAP_UNKNOWN, NULL, BH_SLICE_LIT("whether the policy applies depends on labels of a namespace that is not given"));
	case KUBE_MATCH_YES: break;
	}
	p->asked++;
	return review_bindings(&r);
}
