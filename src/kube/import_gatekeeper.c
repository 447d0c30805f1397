/*
 * import_gatekeeper.c: Gatekeeper's templates in CEL and their constraints (open-policy-agent.github.io/gatekeeper, "CEL" and "Constraint match"). A
 * template becomes a policy, each constraint a binding and a parameter: what it asks for, with the defaults of the template's schema, and whom it
 * matches, in a form that expressions of ours compare with the request.
 *
 *     parameter:  match:      {kinds: [{apiGroups: [""], kinds: [Pod]}], namespaces: [glob], excluded: [glob], names: [glob]}
 *                 parameters: {...}
 *     glob:       {text: "kube-", head: true, tail: false}   of kube-*: the text is at the head of the name, but need not be at its tail
 */
#include "kube/import.h"

#define GLOBS_MAX 10000u
#define SCHEMA_DEPTH_MAX 32u
#define SCHEMA_FIELDS_MAX 4096u
#define ENGINE "K8sNativeValidation"
#define RESERVED "gatekeeper_internal_"
#define PARAM_VERSION "imported.bulkhead.io/v1"
#define CONSTRAINTS "constraints.gatekeeper.sh"

struct template {
	struct import *im;
	const struct kube_object *object;
	struct bh_slice kind;           /* of its constraints */
	struct bh_slice policy;         /* the name of what it becomes */
	struct cel_value source, schema;
	struct cel_value excluded;      /* globs: namespaces that the Config leaves out */
};

/* ---- the policy ---- */

#define GLOB(name) \
	"(n.head ? (n.tail ? " name " == n.text : " name ".startsWith(n.text)) : (n.tail ? " name ".endsWith(n.text) : " name ".contains(n.text)))"
#define NAMESPACE "variables." RESERVED "namespace"

static const struct {
	const char *name, *expression;
} own_variables[] = {
	{ "anyObject", "object == null ? oldObject : object" },
	{ "params", "params.parameters" },
	{ RESERVED "namespace", "request.kind.kind == 'Namespace' && request.kind.group == '' ? request.name : request.namespace" },
};

static const struct {
	const char *name, *expression;
} own_conditions[] = {
	{ RESERVED "match_kinds", "params.match.kinds.exists(k, ('*' in k.kinds || request.kind.kind in k.kinds) && ('*' in k.apiGroups || "
				  "request.kind.group in k.apiGroups))" },
	{ RESERVED "match_namespaces",
	  "size(params.match.namespaces) == 0 || " NAMESPACE " == '' || params.match.namespaces.exists(n, " GLOB(NAMESPACE) ")" },
	{ RESERVED "match_excluded", NAMESPACE " == '' || !params.match.excluded.exists(n, " GLOB(NAMESPACE) ")" },
	/* What has no name yet is known by the text that it will begin with. */
	{ RESERVED "match_names",
	  "size(params.match.names) == 0 || params.match.names.exists(n, [object, oldObject].exists(o, o != null && ((has(o.metadata.name) && " GLOB(
		  "o.metadata.name") ") || (has(o.metadata.generateName) && !n.tail && " GLOB("o.metadata.generateName") "))))" },
};

#define N_VARIABLES (sizeof(own_variables) / sizeof(own_variables[0]))
#define N_CONDITIONS (sizeof(own_conditions) / sizeof(own_conditions[0]))

static struct cel_value append(const struct template *t, const struct cel_value *own, size_t n_own, struct cel_value theirs)
{
	size_t n = kube_length(theirs);
	struct cel_value *items = bh_arena_array(&t->im->arena, n_own + n + 1, sizeof(*items));
	if (!items) {
		t->im->failed = true;
		return cel_null();
	}
	memcpy(items, own, n_own * sizeof(*own));
	for (size_t i = 0; i < n; i++)
		items[n_own + i] = theirs.list->items[i];
	return import_list(t->im, items, n_own + n);
}

static struct cel_value variables(const struct template *t)
{
	struct cel_value own[N_VARIABLES];
	for (size_t i = 0; i < N_VARIABLES; i++)
		own[i] = import_expression(t->im, own_variables[i].name, own_variables[i].expression);
	return append(t, own, N_VARIABLES, kube_get(t->source, "variables"));
}

static struct cel_value conditions(const struct template *t)
{
	struct cel_value own[N_CONDITIONS];
	for (size_t i = 0; i < N_CONDITIONS; i++)
		own[i] = import_expression(t->im, own_conditions[i].name, own_conditions[i].expression);
	return append(t, own, N_CONDITIONS, kube_get(t->source, "matchCondition"));
}

/* What a template asks for beyond the webhook's CREATE and UPDATE it has to name. */
static struct cel_value constraints_of(const struct template *t, struct cel_value target)
{
	struct cel_value operations = kube_get(target, "operations");
	if (kube_length(operations) == 0) {
		const struct cel_value usual[] = { import_string("CREATE"), import_string("UPDATE") };
		operations = import_list(t->im, usual, 2);
	}
	struct import_map m = import_map(t->im);
	import_set(&m, "resourceRules", import_one(t->im, import_rule(t->im, operations, "*")));
	return import_end(&m);
}

static void add_policy(const struct template *t, struct cel_value target)
{
	struct import_map spec = import_map(t->im), kind = import_map(t->im), policy = import_map(t->im);
	import_set(&kind, "apiVersion", import_string(PARAM_VERSION));
	import_set(&kind, "kind", cel_string(t->kind));
	import_set(&spec, "paramKind", import_end(&kind));
	import_set(&spec, "failurePolicy", kube_get(t->source, "failurePolicy"));
	import_set(&spec, "matchConstraints", constraints_of(t, target));
	import_set(&spec, "variables", variables(t));
	import_set(&spec, "matchConditions", conditions(t));
	import_set(&spec, "validations", kube_get(t->source, "validations"));
	import_set(&policy, "metadata", import_metadata(t->im, t->object, t->kind, (struct bh_slice){ 0 }));
	import_set(&policy, "spec", import_end(&spec));
	import_add(t->im, t->object, NULL, "ValidatingAdmissionPolicy", t->policy, &policy);
}

/* ---- defaults ---- */

/* The value with what the schema gives where it says nothing: fields of maps, at every depth (apiextensions, structural defaulting). */
static struct cel_value with_defaults(struct import *im, struct cel_value value, struct cel_value schema, unsigned depth);

static struct cel_value list_with_defaults(struct import *im, struct cel_value value, struct cel_value schema, unsigned depth)
{
	struct cel_value *items = bh_arena_array(&im->arena, value.list->len + 1, sizeof(*items));
	if (!items) {
		im->failed = true;
		return value;
	}
	for (size_t i = 0; i < value.list->len; i++)
		items[i] = with_defaults(im, value.list->items[i], schema, depth + 1);
	return import_list(im, items, value.list->len);
}

static struct cel_value map_with_defaults(struct import *im, struct cel_value value, struct cel_value schema, unsigned depth)
{
	struct cel_value properties = kube_get(schema, "properties"), others = kube_get(schema, "additionalProperties");
	size_t n = value.map->len, n_properties = properties.kind == CEL_MAP ? properties.map->len : 0;
	struct cel_entry *entries = n_properties <= SCHEMA_FIELDS_MAX ? bh_arena_array(&im->arena, n + n_properties + 1, sizeof(*entries)) : NULL;
	if (!entries) {
		im->failed = true;
		return value;
	}
	for (size_t i = 0; i < n; i++) {
		const struct cel_entry *e = &value.map->entries[i];
		const struct cel_value *of = n_properties && e->key.kind == CEL_STRING ? cel_map_field(properties.map, e->key.text) : NULL;
		entries[i] = (struct cel_entry){ e->key, with_defaults(im, e->value, of ? *of : others, depth + 1) };
	}
	for (size_t i = 0; i < n_properties; i++) {
		const struct cel_entry *p = &properties.map->entries[i];
		const struct cel_value *set = p->value.kind == CEL_MAP ? cel_map_field(p->value.map, BH_SLICE_LIT("default")) : NULL;
		if (set && p->key.kind == CEL_STRING && !cel_map_field(value.map, p->key.text))
			entries[n++] = (struct cel_entry){ p->key, with_defaults(im, *set, p->value, depth + 1) };
	}
	struct cel_value whole = cel_map_of(&im->arena, entries, n);
	im->failed |= whole.kind != CEL_MAP;
	return whole.kind == CEL_MAP ? whole : value;
}

static struct cel_value with_defaults(struct import *im, struct cel_value value, struct cel_value schema, unsigned depth)
{
	if (depth > SCHEMA_DEPTH_MAX || schema.kind != CEL_MAP || im->failed)
		return value;
	if (value.kind == CEL_LIST)
		return list_with_defaults(im, value, kube_get(schema, "items"), depth);
	return value.kind == CEL_MAP ? map_with_defaults(im, value, schema, depth) : value;
}

static struct cel_value parameters_of(const struct template *t, const struct kube_object *constraint)
{
	struct cel_value spec = kube_get(constraint->value, "spec"), given = kube_get(spec, "parameters");
	if (given.kind == CEL_NULL)
		given = kube_get(t->schema, "default");
	return with_defaults(t->im, given, t->schema, 0);
}

/* ---- whom a constraint matches ---- */

static struct cel_value glob(struct import *im, struct bh_slice text)
{
	struct import_map m = import_map(im);
	bool head = !bh_slice_starts(text, BH_SLICE_LIT("*")), tail = !bh_slice_ends(text, BH_SLICE_LIT("*"));
	if (!head)
		text = bh_slice_sub(text, 1, text.len);
	if (!tail && text.len)
		text = bh_slice_sub(text, 0, text.len - 1);
	import_set(&m, "text", cel_string(text));
	import_set(&m, "head", cel_bool(head));
	import_set(&m, "tail", cel_bool(tail));
	return import_end(&m);
}

/* The globs of a list of texts, and those of another one. */
static struct cel_value globs(struct import *im, struct cel_value texts, struct cel_value others)
{
	size_t n = 0, n_others = kube_length(others), n_texts = kube_length(texts);
	struct cel_value *items = n_texts <= GLOBS_MAX ? bh_arena_array(&im->arena, n_texts + n_others + 1, sizeof(*items)) : NULL;
	if (!items) {
		im->failed = true;
		return cel_null();
	}
	for (size_t i = 0; i < n_texts; i++)
		if (texts.list->items[i].kind == CEL_STRING)
			items[n++] = glob(im, texts.list->items[i].text);
	for (size_t i = 0; i < n_others; i++)
		items[n++] = others.list->items[i];
	return import_list(im, items, n);
}

/* Nothing said is everything. */
static struct cel_value kind_rule(struct import *im, struct cel_value groups, struct cel_value kinds)
{
	struct import_map m = import_map(im);
	import_set(&m, "apiGroups", kube_length(groups) ? groups : import_any(im));
	import_set(&m, "kinds", kube_length(kinds) ? kinds : import_any(im));
	return import_end(&m);
}

static struct cel_value kinds_of(struct import *im, struct cel_value kinds)
{
	size_t n = kube_length(kinds);
	struct cel_value *items = bh_arena_array(&im->arena, n + 1, sizeof(*items));
	if (!items) {
		im->failed = true;
		return cel_null();
	}
	for (size_t i = 0; i < n; i++)
		items[i] = kind_rule(im, kube_get(kinds.list->items[i], "apiGroups"), kube_get(kinds.list->items[i], "kinds"));
	if (n == 0)
		items[n++] = kind_rule(im, cel_null(), cel_null());
	return import_list(im, items, n);
}

static struct cel_value match_of(const struct template *t, struct cel_value match)
{
	struct import_map m = import_map(t->im);
	struct bh_slice name = kube_text(match, "name");
	struct cel_value one = name.len ? import_one(t->im, cel_string(name)) : cel_null();
	import_set(&m, "kinds", kinds_of(t->im, kube_get(match, "kinds")));
	import_set(&m, "namespaces", globs(t->im, kube_get(match, "namespaces"), cel_null()));
	import_set(&m, "excluded", globs(t->im, kube_get(match, "excludedNamespaces"), t->excluded));
	import_set(&m, "names", globs(t->im, one, cel_null()));
	return import_end(&m);
}

/* What a binding can say by itself. */
static struct cel_value resources_of(const struct template *t, struct cel_value match)
{
	struct import_map m = import_map(t->im);
	struct bh_slice scope = kube_text(match, "scope");
	import_set(&m, "objectSelector", kube_get(match, "labelSelector"));
	import_set(&m, "namespaceSelector", kube_get(match, "namespaceSelector"));
	const char *one = bh_slice_eq_str(scope, "Cluster") ? "Cluster" : bh_slice_eq_str(scope, "Namespaced") ? "Namespaced" : NULL;
	if (one)
		import_set(&m, "resourceRules", import_one(t->im, import_rule(t->im, import_any(t->im), one)));
	return import_end(&m);
}

/* ---- what is done about what it finds ---- */

enum { DENY = 1, WARN = 2, AUDIT = 4 };

static unsigned action_of(struct bh_slice action)
{
	if (action.len == 0 || bh_slice_eq_str(action, "deny"))
		return DENY;
	return bh_slice_eq_str(action, "warn") ? WARN : bh_slice_eq_str(action, "dryrun") ? AUDIT : 0;
}

/* At the points where requests or files are asked about; what only the audit looks at comes too late to be stopped. */
static unsigned action_at(struct bh_slice point, unsigned action)
{
	static const char *const early[] = { "*", "validation.gatekeeper.sh", "vap.k8s.io", "gator.gatekeeper.sh", NULL };
	if (bh_slice_is_one_of(point, early))
		return action;
	return bh_slice_eq_str(point, "audit.gatekeeper.sh") && action ? AUDIT : 0;
}

static unsigned scoped_actions(struct cel_value list)
{
	unsigned found = 0;
	for (size_t i = 0; i < kube_length(list); i++) {
		struct cel_value points = kube_get(list.list->items[i], "enforcementPoints");
		unsigned action = action_of(kube_text(list.list->items[i], "action"));
		for (size_t k = 0; k < kube_length(points); k++)
			found |= action_at(kube_text(points.list->items[k], "name"), action);
	}
	return found;
}

/* Nothing: it is told why. */
static struct cel_value actions_of(const struct template *t, const struct kube_object *o)
{
	struct cel_value spec = kube_get(o->value, "spec"), names[3];
	struct bh_slice action = kube_text(spec, "enforcementAction");
	bool is_scoped = bh_slice_eq_str(action, "scoped");
	unsigned bits = is_scoped ? scoped_actions(kube_get(spec, "scopedEnforcementActions")) : action_of(action);
	size_t n = 0;
	if (!bits) {
		import_tell(t->im, o, spec.kind == CEL_MAP ? spec.map : NULL, "enforcementAction",
			    is_scoped ? "spec.scopedEnforcementActions: nothing is enforced at any point that is known" :
					"spec.enforcementAction: %.*s is none of deny, warn, dryrun and scoped", BH_SLICE_FMT(action));
		return cel_null();
	}
	if (bits & DENY)
		names[n++] = import_string("Deny");
	if (bits & WARN)
		names[n++] = import_string("Warn");
	if (bits & AUDIT)
		names[n++] = import_string("Audit");
	return import_list(t->im, names, n);
}

/* True: it is asked about objects. */
static bool add_constraint(const struct template *t, const struct kube_object *o, size_t i)
{
	struct import *im = t->im;
	struct cel_value match = kube_path(o->value, "spec.match"), actions = actions_of(t, o);
	struct import_map param = import_map(im), binding = import_map(im), spec = import_map(im), ref = import_map(im);
	const char *name = bh_arena_printf(&im->arena, "%zu %.*s", i, BH_SLICE_FMT(o->name)); /* two files may have one of the same name */
	if (bh_slice_eq_str(kube_text(match, "source"), "Generated")) {
		import_tell(im, o, match.map, "source", "spec.match.source: what expansion templates generate is not supported");
		return false;
	}
	if (!name || actions.kind != CEL_LIST) {
		im->failed |= !name;
		return false;
	}
	import_set(&param, "match", match_of(t, match));
	struct cel_value parameters = parameters_of(t, o);
	if (parameters.kind != CEL_NULL)
		import_set(&param, "parameters", parameters);
	else if (param.entries)
		param.entries[param.n++] = (struct cel_entry){ import_string("parameters"), cel_null() };
	import_add(im, o, PARAM_VERSION, (const char *)t->kind.ptr, bh_slice_str(name), &param);
	import_set(&ref, "name", cel_string(bh_slice_str(name)));
	import_set(&spec, "policyName", cel_string(t->policy));
	import_set(&spec, "paramRef", import_end(&ref));
	import_set(&spec, "validationActions", actions);
	import_set(&spec, "matchResources", resources_of(t, match));
	import_set(&binding, "spec", import_end(&spec));
	import_add(im, o, NULL, "ValidatingAdmissionPolicyBinding", o->name, &binding);
	return true;
}

/* ---- the template ---- */

static void tell_names(const struct template *t, struct cel_value list, const char *what)
{
	static const char *const taken[] = { "anyObject", "params", NULL };
	for (size_t i = 0; i < kube_length(list); i++) {
		struct cel_value item = list.list->items[i];
		struct bh_slice name = kube_text(item, "name");
		if (bh_slice_starts(name, BH_SLICE_LIT(RESERVED)) || (what[0] == 'v' && bh_slice_is_one_of(name, taken)))
			import_tell(t->im, t->object, item.map, "name", "the name %.*s of a %s is Gatekeeper's own", BH_SLICE_FMT(name), what);
	}
}

/* True: the template can be used; Gatekeeper itself would take it. */
static bool is_good(struct template *t)
{
	size_t before = t->im->notes.len;
	struct bh_slice policy = kube_text(t->source, "failurePolicy");
	if (policy.len && !bh_slice_eq_str(policy, "Fail") && !bh_slice_eq_str(policy, "Ignore"))
		import_tell(t->im, t->object, t->source.map, "failurePolicy", "failurePolicy: %.*s is neither Fail nor Ignore", BH_SLICE_FMT(policy));
	tell_names(t, kube_get(t->source, "variables"), "variable");
	tell_names(t, kube_get(t->source, "matchCondition"), "match condition");
	bool good = t->im->notes.len == before;
	if (kube_length(kube_get(t->source, "matchConditions")))
		import_tell(t->im, t->object, t->source.map, "matchConditions", "matchConditions is not read, nor is it by Gatekeeper: its name is matchCondition");
	return good;
}

/* The source in CEL; null, and it is told, when there is none. */
static struct cel_value source_of(struct import *im, const struct kube_object *o, struct cel_value targets)
{
	struct cel_value target = targets.list->items[0], code = kube_get(target, "code");
	for (size_t i = 0; i < kube_length(code); i++)
		if (bh_slice_eq_str(kube_text(code.list->items[i], "engine"), ENGINE))
			return kube_get(code.list->items[i], "source");
	struct bh_slice engine = kube_length(code) ? kube_text(code.list->items[0], "engine") : BH_SLICE_LIT("Rego");
	import_tell(im, o, target.kind == CEL_MAP ? target.map : NULL, kube_length(code) ? "code" : "rego",
		    "%.*s is not supported, only CEL (the engine " ENGINE ")", BH_SLICE_FMT(engine));
	return cel_null();
}

/* Namespaces that Gatekeeper's Config keeps from the webhook. */
static struct cel_value excluded_by_config(struct import *im)
{
	const struct kube_kind configs = kube_world_kind(&im->trusted, BH_SLICE_LIT("config.gatekeeper.sh"), BH_SLICE_LIT("Config"));
	struct cel_value found = cel_null();
	for (size_t i = 0; i < configs.n; i++) {
		struct cel_value match = kube_path(configs.objects[i]->value, "spec.match");
		for (size_t k = 0; k < kube_length(match); k++) {
			struct cel_value processes = kube_get(match.list->items[k], "processes");
			bool is_webhooks = false;
			for (size_t p = 0; p < kube_length(processes); p++)
				is_webhooks |= processes.list->items[p].kind == CEL_STRING
					       && (bh_slice_eq_str(processes.list->items[p].text, "*") || bh_slice_eq_str(processes.list->items[p].text, "webhook"));
			if (is_webhooks)
				found = globs(im, kube_get(match.list->items[k], "excludedNamespaces"), found);
		}
	}
	return found;
}

static bool same_but_for_case(struct bh_slice lower, struct bh_slice kind)
{
	bool same = lower.len == kind.len;
	for (size_t i = 0; same && i < kind.len; i++)
		same = lower.ptr[i] == bh_lower(kind.ptr[i]);
	return same;
}

/* Its kind as a text that ends. */
static bool name_template(struct template *t)
{
	struct import *im = t->im;
	struct bh_slice kind = kube_text(t->object->value, "spec.crd.spec.names.kind");
	if (kind.len == 0 || !same_but_for_case(t->object->name, kind)) {
		import_tell(im, t->object, NULL, NULL, "spec.crd.spec.names.kind: has to be the template's name, in upper and lower case, but is '%.*s'",
			    BH_SLICE_FMT(kind));
		return false;
	}
	char *copy = bh_arena_strdup(&im->arena, kind);
	const char *policy = bh_arena_printf(&im->arena, "ConstraintTemplate %.*s", BH_SLICE_FMT(t->object->name));
	t->kind = bh_slice_str(copy);
	t->policy = bh_slice_str(policy);
	void **at = copy && policy ? bh_map_put(&im->templates, t->kind) : NULL;
	im->failed |= !at;
	bool is_new = at && !*at;
	if (is_new)
		*at = (void *)(uintptr_t)t->object;
	else if (at)
		import_tell(im, t->object, NULL, NULL, "there is another template of this name, which counts");
	return is_new;
}

void import_template(struct import *im, const struct kube_object *o)
{
	struct template t = { .im = im, .object = o, .schema = kube_path(o->value, "spec.crd.spec.validation.openAPIV3Schema") };
	struct cel_value targets = kube_path(o->value, "spec.targets");
	if (!name_template(&t))
		return;
	if (kube_length(targets) != 1) {
		import_tell(im, o, NULL, NULL, "spec.targets: one target is expected");
		return;
	}
	t.source = source_of(im, o, targets);
	if (t.source.kind != CEL_MAP || !is_good(&t))
		return;
	t.excluded = excluded_by_config(im);
	const struct kube_kind constraints = kube_world_kind(im->world, BH_SLICE_LIT(CONSTRAINTS), t.kind);
	bool is_asked = false;
	for (size_t i = 0; i < constraints.n && !im->failed; i++)
		is_asked |= add_constraint(&t, constraints.objects[i], i);
	if (is_asked)
		add_policy(&t, targets.list->items[0]);
	else if (constraints.n == 0)
		import_tell(im, o, NULL, NULL, "no constraint (%.*s) was given, so it is asked of nothing", BH_SLICE_FMT(t.kind));
}

void import_constraint(struct import *im, const struct kube_object *o)
{
	if (!bh_map_get(&im->templates, o->kind))
		import_tell(im, o, NULL, NULL, "there is no ConstraintTemplate of its kind");
}
