/*
 * import_kyverno.c: Kyverno's ValidatingPolicy, cluster-wide or of one namespace (kyverno.io/docs, "ValidatingPolicy", "PolicyException"): a policy
 * like Kubernetes' own, with its actions inside, so it becomes one and a binding. A policy about Pods is one about what makes Pods, too: the same
 * text with object.spec read as object.spec.template.spec. Exceptions are match conditions that must not hold; those that allow images or values only
 * are what the policy's expressions find in the variable `exceptions`.
 */
#include "kube/import_kyverno.h"

#include "kube/admission.h"

#define GROUP "policies.kyverno.io"
#define TEXT_BYTES_MAX (1u << 20)
#define EXCEPTIONS_MAX 1000u

struct kyverno {
	struct import *im;
	const struct kube_object *object;
	struct cel_value spec;
	struct bh_slice id, name; /* of findings; of what is made */
	const struct kube_object *exceptions[EXCEPTIONS_MAX];
	size_t n_exceptions;
};

/* ---- Pods in others ---- */

static const struct {
	const char *name, *group, *resource;
	bool is_cron;
} controllers[] = {
	{ "daemonsets", "apps", "daemonsets", false },   { "deployments", "apps", "deployments", false }, { "replicasets", "apps", "replicasets", false },
	{ "statefulsets", "apps", "statefulsets", false }, { "jobs", "batch", "jobs", false },            { "cronjobs", "batch", "cronjobs", true },
};

#define N_CONTROLLERS (sizeof(controllers) / sizeof(controllers[0]))

static bool is_word(uint8_t c)
{
	return c == '_' || (c >= '0' && c <= '9') || (bh_lower(c) >= 'a' && bh_lower(c) <= 'z');
}

/* ".namespace": a template has none, it is the object's own. */
static bool is_of_object(struct bh_slice rest)
{
	const struct bh_slice suffix = BH_SLICE_LIT(".namespace");
	return bh_slice_starts(rest, suffix) && (rest.len == suffix.len || !is_word(rest.ptr[suffix.len]));
}

/* Bytes of "object.spec" and the like that `rest` begins with, 0 for none; *ret_path: how many of them stand before "spec". */
static size_t pod_field(struct bh_slice rest, size_t *ret_path)
{
	static const char *const roots[] = { "object.", "oldObject." }, *const fields[] = { "spec", "metadata" };
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(roots[i]);
		if (!bh_slice_starts(rest, bh_slice_str(roots[i])))
			continue;
		*ret_path = n;
		for (size_t k = 0; k < 2; k++)
			if (bh_slice_starts(bh_slice_sub(rest, n, rest.len), bh_slice_str(fields[k])))
				return n + strlen(fields[k]);
	}
	return 0;
}

struct cel_value kyverno_pod_text(struct import *im, struct bh_slice text, const char *path, bool keep_namespace)
{
	struct bh_buf b;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	for (size_t i = 0; i < text.len;) {
		size_t before = 0, n = pod_field(bh_slice_sub(text, i, text.len), &before);
		if (n == 0 || (keep_namespace && is_of_object(bh_slice_sub(text, i + n, text.len)))) {
			bh_buf_add_byte(&b, text.ptr[i++]);
			continue;
		}
		bh_buf_add(&b, bh_slice_sub(text, i, before));
		bh_buf_add_str(&b, path);
		bh_buf_add(&b, bh_slice_sub(text, i + before, n - before));
		i += n;
	}
	im->failed |= b.failed;
	struct cel_value v = import_copy(im, bh_buf_slice(&b));
	bh_buf_done(&b);
	return v;
}

/* A map whose texts are about a Pod, as one about what makes it. */
static struct cel_value about_controller(struct import *im, const struct kube_object *o, struct cel_value item, const char *path, bool keep_namespace)
{
	if (item.kind != CEL_MAP)
		return item;
	struct cel_entry *entries = bh_arena_array(&im->arena, item.map->len + 1, sizeof(*entries));
	if (!entries) {
		im->failed = true;
		return item;
	}
	for (size_t i = 0; i < item.map->len; i++) {
		entries[i] = item.map->entries[i];
		if (entries[i].value.kind == CEL_STRING)
			entries[i].value = kyverno_pod_text(im, entries[i].value.text, path, keep_namespace);
	}
	struct cel_value made = cel_map_of(&im->arena, entries, item.map->len);
	if (made.kind != CEL_MAP) {
		im->failed = true;
		return item;
	}
	import_place(im, o, item.map, made);
	return made;
}

struct cel_value kyverno_texts(struct import *im, const struct kube_object *o, struct cel_value list, const char *path, bool keep_namespace)
{
	size_t n = kube_length(list);
	struct cel_value *items = path ? bh_arena_array(&im->arena, n + 1, sizeof(*items)) : NULL;
	if (!path || list.kind != CEL_LIST)
		return list;
	im->failed |= !items;
	for (size_t i = 0; items && i < n; i++)
		items[i] = about_controller(im, o, list.list->items[i], path, keep_namespace);
	return items ? import_list(im, items, n) : list;
}

/* ---- exceptions ---- */

static bool is_about(const struct kube_object *exception, const struct kyverno *k)
{
	struct cel_value refs = kube_path(exception->value, "spec.policyRefs");
	for (size_t i = 0; i < kube_length(refs); i++)
		if (bh_slice_eq(kube_text(refs.list->items[i], "name"), k->object->name) && bh_slice_eq(kube_text(refs.list->items[i], "kind"), k->object->kind))
			return true;
	return false;
}

/* Those among the policies: what is checked must not exempt itself. */
static void find_exceptions(struct kyverno *k)
{
	const struct kube_kind all = kube_world_kind(&k->im->trusted, BH_SLICE_LIT(GROUP), BH_SLICE_LIT("PolicyException"));
	for (size_t i = 0; i < all.n; i++) {
		if (!is_about(all.objects[i], k))
			continue;
		if (k->n_exceptions == EXCEPTIONS_MAX) {
			import_tell(k->im, k->object, NULL, NULL, "more than %u exceptions; the others don't count", EXCEPTIONS_MAX);
			return;
		}
		k->exceptions[k->n_exceptions++] = all.objects[i];
	}
}

/* An exception of nothing in particular is one of the whole policy. */
static bool is_whole(const struct kube_object *exception)
{
	return kube_length(kube_path(exception->value, "spec.images")) == 0 && kube_length(kube_path(exception->value, "spec.allowedValues")) == 0;
}

/* "((a) && (b))": all of its conditions hold. */
static void add_conditions(struct bh_buf *b, const struct kube_object *exception)
{
	struct cel_value conditions = kube_path(exception->value, "spec.matchConditions");
	bh_buf_add_byte(b, '(');
	for (size_t i = 0; i < kube_length(conditions); i++) {
		bh_buf_add_str(b, i ? " && (" : "(");
		bh_buf_add(b, kube_text(conditions.list->items[i], "expression"));
		bh_buf_add_byte(b, ')');
	}
	bh_buf_add_str(b, kube_length(conditions) ? ")" : "true)");
}

static void add_texts(struct bh_buf *b, struct cel_value list)
{
	bh_buf_add_byte(b, '[');
	for (size_t i = 0; i < kube_length(list); i++) {
		if (i)
			bh_buf_add_str(b, ", ");
		import_quote(b, list.list->items[i].kind == CEL_STRING ? list.list->items[i].text : (struct bh_slice){ 0 });
	}
	bh_buf_add_byte(b, ']');
}

/* dyn([] + (conditions ? ['a'] : [])): what the exceptions allow of a kind. */
static void add_allowed(struct bh_buf *b, const struct kyverno *k, const char *field, const char *path)
{
	bh_buf_printf(b, "'%s': dyn([]", field);
	for (size_t i = 0; i < k->n_exceptions; i++) {
		struct cel_value list = kube_path(k->exceptions[i]->value, path);
		if (kube_length(list) == 0)
			continue;
		bh_buf_add_str(b, " + (");
		add_conditions(b, k->exceptions[i]);
		bh_buf_add_str(b, " ? ");
		add_texts(b, list);
		bh_buf_add_str(b, " : [])");
	}
	bh_buf_add_byte(b, ')');
}

static struct cel_value named_expression(struct import *im, struct bh_slice name, const struct bh_buf *expression)
{
	struct import_map m = import_map(im);
	im->failed |= expression->failed;
	import_set(&m, "name", import_copy(im, name));
	import_set(&m, "expression", import_copy(im, bh_buf_slice(expression)));
	return import_end(&m);
}

static struct cel_value exceptions_variable(const struct kyverno *k)
{
	struct bh_buf b;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	bh_buf_add_byte(&b, '{');
	add_allowed(&b, k, "allowedImages", "spec.images");
	bh_buf_add_str(&b, ", ");
	add_allowed(&b, k, "allowedValues", "spec.allowedValues");
	bh_buf_add_byte(&b, '}');
	struct cel_value v = named_expression(k->im, BH_SLICE_LIT(ADMISSION_GLOBAL "exceptions"), &b);
	bh_buf_done(&b);
	return v;
}

/* ---- the policy ---- */

struct cel_value kyverno_in_namespace(struct import *im, const struct kube_object *o)
{
	struct bh_buf b;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	bh_buf_add_str(&b, "request.namespace == ");
	import_quote(&b, o->namespace);
	struct cel_value v = named_expression(im, BH_SLICE_LIT("namespace"), &b);
	bh_buf_done(&b);
	return v;
}

static struct cel_value *room(struct import *im, size_t n)
{
	struct cel_value *items = bh_arena_array(&im->arena, n + 1, sizeof(*items));
	im->failed |= !items;
	return items;
}

static struct cel_value variables(const struct kyverno *k, const char *path)
{
	struct cel_value theirs = kyverno_texts(k->im, k->object, kube_get(k->spec, "variables"), path, true);
	size_t n = kube_length(theirs);
	struct cel_value *items = room(k->im, n + 1);
	if (!items)
		return cel_null();
	items[0] = exceptions_variable(k);
	for (size_t i = 0; i < n; i++)
		items[i + 1] = theirs.list->items[i];
	return import_list(k->im, items, n + 1);
}

/* Not excepted, in the namespace of a policy that has one, and what the policy asks for. */
static struct cel_value conditions(const struct kyverno *k, const char *path)
{
	struct cel_value theirs = kyverno_texts(k->im, k->object, kube_get(k->spec, "matchConditions"), path, true);
	size_t n = 0, n_theirs = kube_length(theirs);
	struct cel_value *items = room(k->im, n_theirs + k->n_exceptions + 1);
	struct bh_buf b;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	for (size_t i = 0; items && i < k->n_exceptions; i++) {
		if (!is_whole(k->exceptions[i]))
			continue;
		bh_buf_clear(&b);
		bh_buf_add_byte(&b, '!');
		add_conditions(&b, k->exceptions[i]);
		items[n++] = named_expression(k->im, k->exceptions[i]->name, &b);
	}
	bh_buf_done(&b);
	if (items && k->object->namespace.len)
		items[n++] = kyverno_in_namespace(k->im, k->object);
	for (size_t i = 0; items && i < n_theirs; i++)
		items[n++] = theirs.list->items[i];
	return items ? import_list(k->im, items, n) : cel_null();
}

static void add_policy(const struct kyverno *k, struct cel_value constraints, const char *path)
{
	struct import *im = k->im;
	struct import_map spec = import_map(im), policy = import_map(im);
	import_set(&spec, "failurePolicy", kube_get(k->spec, "failurePolicy"));
	import_set(&spec, "matchConstraints", constraints);
	import_set(&spec, "variables", variables(k, path));
	import_set(&spec, "matchConditions", conditions(k, path));
	import_set(&spec, "validations", kyverno_texts(im, k->object, kube_get(k->spec, "validations"), path, true));
	import_set(&spec, "auditAnnotations", kyverno_texts(im, k->object, kube_get(k->spec, "auditAnnotations"), path, true));
	import_set(&policy, "metadata", import_metadata(im, k->object, k->id, kyverno_severity(k->object)));
	import_set(&policy, "spec", import_end(&spec));
	import_add(im, k->object, NULL, "ValidatingAdmissionPolicy", k->name, &policy);
}

void kyverno_bind(struct import *im, const struct kube_object *o, struct bh_slice policy, struct cel_value actions, struct cel_value param_ref)
{
	struct import_map spec = import_map(im), binding = import_map(im);
	import_set(&spec, "policyName", cel_string(policy));
	import_set(&spec, "paramRef", param_ref);
	import_set(&spec, "validationActions", actions);
	import_set(&binding, "spec", import_end(&spec));
	import_add(im, o, NULL, "ValidatingAdmissionPolicyBinding", o->name, &binding);
}

struct bh_slice kyverno_severity(const struct kube_object *o)
{
	const struct cel_value severity = kube_get(kube_path(o->value, "metadata.annotations"), "policies.kyverno.io/severity");
	if (severity.kind != CEL_STRING)
		return (struct bh_slice){ 0 };
	return bh_slice_eq_str(severity.text, "info") ? BH_SLICE_LIT("negligible") : severity.text;
}

/* ---- what makes Pods ---- */

static bool is_only(struct cel_value list, const char *text)
{
	return kube_length(list) == 1 && list.list->items[0].kind == CEL_STRING && bh_slice_eq_str(list.list->items[0].text, text);
}

/* About Pods and nothing else, and about none by name or label, which Pods of a controller need not have in common with it. */
static bool is_about_pods(struct cel_value constraints)
{
	struct cel_value rules = kube_get(constraints, "resourceRules"), selector = kube_get(constraints, "objectSelector");
	struct cel_value labels = kube_get(selector, "matchLabels");
	if (kube_length(rules) != 1 || kube_length(kube_get(constraints, "excludeResourceRules")) || kube_length(kube_get(selector, "matchExpressions"))
	    || (labels.kind == CEL_MAP && labels.map->len))
		return false;
	struct cel_value rule = rules.list->items[0];
	return is_only(kube_get(rule, "apiGroups"), "") && is_only(kube_get(rule, "apiVersions"), "v1") && is_only(kube_get(rule, "resources"), "pods")
	       && kube_length(kube_get(rule, "resourceNames")) == 0;
}

static bool is_asked_for(struct cel_value names, const char *name)
{
	bool found = names.kind != CEL_LIST; /* nothing said: all */
	for (size_t i = 0; i < kube_length(names); i++)
		found |= names.list->items[i].kind == CEL_STRING && bh_slice_eq_str(names.list->items[i].text, name);
	return found;
}

static struct cel_value controller_rule(const struct kyverno *k, size_t i, struct cel_value operations)
{
	struct import_map m = import_map(k->im);
	import_set(&m, "apiGroups", import_one(k->im, import_string(controllers[i].group)));
	import_set(&m, "apiVersions", import_one(k->im, import_string("v1")));
	import_set(&m, "resources", import_one(k->im, import_string(controllers[i].resource)));
	import_set(&m, "operations", operations);
	return import_end(&m);
}

static void add_for(const struct kyverno *k, struct cel_value constraints, struct cel_value names, bool is_cron)
{
	struct cel_value rules[N_CONTROLLERS], operations = kube_get(kube_get(constraints, "resourceRules").list->items[0], "operations");
	struct import_map m = import_map(k->im);
	size_t n = 0;
	for (size_t i = 0; i < N_CONTROLLERS; i++)
		if (controllers[i].is_cron == is_cron && is_asked_for(names, controllers[i].name))
			rules[n++] = controller_rule(k, i, operations);
	if (n == 0)
		return;
	import_set(&m, "resourceRules", import_list(k->im, rules, n));
	import_set(&m, "namespaceSelector", kube_get(constraints, "namespaceSelector"));
	add_policy(k, import_end(&m), is_cron ? KYVERNO_IN_CRONJOBS : KYVERNO_IN_CONTROLLERS);
}

static void tell_unknown(const struct kyverno *k, struct cel_value names)
{
	for (size_t i = 0; i < kube_length(names); i++) {
		struct bh_slice name = names.list->items[i].kind == CEL_STRING ? names.list->items[i].text : (struct bh_slice){ 0 };
		bool is_known = false;
		for (size_t c = 0; c < N_CONTROLLERS; c++)
			is_known |= bh_slice_eq_str(name, controllers[c].name);
		if (!is_known)
			import_tell(k->im, k->object, kube_path(k->spec, "autogen.podControllers").map, "controllers", "autogen for %.*s is not supported",
				    BH_SLICE_FMT(name));
	}
}

static void add_for_controllers(const struct kyverno *k, struct cel_value constraints)
{
	struct cel_value names = kube_path(k->spec, "autogen.podControllers.controllers");
	if (!is_about_pods(constraints))
		return;
	tell_unknown(k, names);
	add_for(k, constraints, names, false);
	add_for(k, constraints, names, true);
}

/* ---- */

/* Deny, unless it says otherwise; a policy that is not asked at admission finds afterwards. */
static struct cel_value actions_of(const struct kyverno *k)
{
	struct cel_value actions = kube_get(k->spec, "validationActions"), enabled = kube_path(k->spec, "evaluation.admission.enabled");
	if (enabled.kind == CEL_BOOL && !enabled.boolean)
		return import_one(k->im, import_string("Audit"));
	return kube_length(actions) ? actions : import_one(k->im, import_string("Deny"));
}

void import_validating(struct import *im, const struct kube_object *o)
{
	struct kyverno k = { .im = im, .object = o, .spec = kube_get(o->value, "spec"), .id = o->name };
	struct cel_value constraints = kube_get(k.spec, "matchConstraints");
	struct bh_slice mode = kube_text(k.spec, "evaluation.mode");
	const char *slash = o->namespace.len ? "/" : "";
	const char *name = bh_arena_printf(&im->arena, "%.*s %.*s%s%.*s", BH_SLICE_FMT(o->kind), BH_SLICE_FMT(o->namespace), slash, BH_SLICE_FMT(o->name));
	if (!name) {
		im->failed = true;
		return;
	}
	k.name = bh_slice_str(name);
	if (o->namespace.len)
		k.id = bh_slice_sub(k.name, o->kind.len + 1, k.name.len);
	if (mode.len && !bh_slice_eq_str(mode, "Kubernetes"))
		import_tell(im, o, kube_get(k.spec, "evaluation").map, "mode", "spec.evaluation.mode: %.*s is not supported", BH_SLICE_FMT(mode));
	else if (constraints.kind != CEL_MAP)
		import_tell(im, o, NULL, NULL, "spec.matchConstraints is missing, so Kyverno asks it of nothing");
	else {
		find_exceptions(&k);
		kyverno_bind(im, o, k.name, actions_of(&k), cel_null());
		add_policy(&k, constraints, NULL);
		add_for_controllers(&k, constraints);
	}
}
