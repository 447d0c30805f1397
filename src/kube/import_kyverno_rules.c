/*
 * import_kyverno_rules.c: the rules of Kyverno's ClusterPolicy and Policy whose validation is written in CEL (kyverno.io/docs, "CEL expressions",
 * "Match/Exclude", "Auto-Gen Rules"). Each rule becomes a policy of its own. Whom it matches is said in Kyverno's own words, so it becomes an
 * expression:
 *
 *     any: [{resources: {kinds: [Pod], namespaces: ["shop-*"]}}]   ->   ((request.kind.kind == 'Pod' && ...) && (namespace.matches('^shop-.*$')))
 */
#include <stdio.h>

#include "kube/admission.h"
#include "kube/import_kyverno.h"

#define TEXT_BYTES_MAX (1u << 20)
#define KIND_PARTS_MAX 4u

struct rule {
	struct import *im;
	const struct kube_object *object;
	struct cel_value spec, value, cel; /* of the policy; the rule; its validate.cel */
	struct bh_slice id, name;          /* of findings; of what is made */
	unsigned controllers;              /* bits of those that it is asked about instead of Pods; 0: of what it says */
	bool is_refused;
};

/* ---- texts with * and ? ---- */

static bool is_wild(struct bh_slice s)
{
	return bh_slice_find(s, '*') < s.len || bh_slice_find(s, '?') < s.len;
}

/* A condition: does the expression's value fit the text? */
static void add_fits(struct bh_buf *b, const char *expression, struct bh_slice text)
{
	if (bh_slice_eq_str(text, "*")) {
		bh_buf_add_str(b, "true");
		return;
	}
	bh_buf_printf(b, "%s%s", expression, is_wild(text) ? ".matches(" : " == ");
	if (!is_wild(text)) {
		import_quote(b, text);
		return;
	}
	bh_buf_add_str(b, "r'^");
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (c == '*' || c == '?')
			bh_buf_add_str(b, c == '*' ? ".*" : ".");
		else if ((c >= '0' && c <= '9') || (bh_lower(c) >= 'a' && bh_lower(c) <= 'z'))
			bh_buf_add_byte(b, c);
		else
			bh_buf_printf(b, "\\x%02x", c < 0x80 ? c : '?'); /* names have no others */
	}
	bh_buf_add_str(b, "$')");
}

static struct bh_slice text_at(struct cel_value list, size_t i)
{
	return list.list->items[i].kind == CEL_STRING ? list.list->items[i].text : (struct bh_slice){ 0 };
}

/* " && (any of the texts fits)", nothing when there are none. */
static void add_any(struct bh_buf *b, const char *expression, struct cel_value texts)
{
	for (size_t i = 0; i < kube_length(texts); i++) {
		bh_buf_add_str(b, i ? " || " : " && (");
		add_fits(b, expression, text_at(texts, i));
	}
	if (kube_length(texts))
		bh_buf_add_byte(b, ')');
}

/* ---- kinds ---- */

static bool is_lower(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != bh_lower(s.ptr[i]))
			return false;
	return true;
}

/* "v1", "v2beta1", "*": not the name of a kind or group. */
static bool is_version(struct bh_slice s)
{
	return bh_slice_eq_str(s, "*") || (s.len >= 2 && s.ptr[0] == 'v' && s.ptr[1] >= '0' && s.ptr[1] <= '9');
}

/* At slashes, and the last part at its dot: "Pod.status". */
static size_t split(struct bh_slice text, struct bh_slice parts[KIND_PARTS_MAX + 2])
{
	size_t n = 0;
	struct bh_slice head, rest = text;
	while (n < KIND_PARTS_MAX && bh_slice_cut(rest, '/', &head, &text)) {
		parts[n++] = head;
		rest = text;
	}
	bool has_dot = bh_slice_cut(rest, '.', &parts[n], &parts[n + 1]);
	return n + 1 + has_dot;
}

struct kind {
	struct bh_slice group, version, kind, subresource;
};

/* "Pod", "v1/Pod", "apps/v1/Deployment", "Pod/exec", "v1/Pod/exec", "apps/v1/Deployment/scale", with stars (Kyverno, "Match/Exclude"). */
static struct kind kind_of(struct bh_slice text)
{
	const struct bh_slice any = BH_SLICE_LIT("*"), none = { 0 };
	struct bh_slice p[KIND_PARTS_MAX + 2];
	size_t n = split(text, p);
	if (n == 1)
		return (struct kind){ any, any, p[0], none };
	if (n == 2 && bh_slice_eq_str(p[0], "*") && bh_slice_eq_str(p[1], "*"))
		return (struct kind){ any, any, any, any };
	if (n == 2 && is_version(p[0]) && !(bh_slice_eq_str(p[0], "*") && is_lower(p[1])))
		return (struct kind){ any, p[0], p[1], none };
	if (n == 2)
		return (struct kind){ any, any, p[0], p[1] };
	if (n == 3 && is_version(p[0]))
		return (struct kind){ any, p[0], p[1], p[2] };
	if (n == 3)
		return (struct kind){ p[0], p[1], p[2], none };
	return n == 4 ? (struct kind){ p[0], p[1], p[2], p[3] } : (struct kind){ none, none, none, none };
}

static void add_kind(struct bh_buf *b, struct kind k)
{
	bh_buf_add_byte(b, '(');
	add_fits(b, "request.kind.kind", k.kind);
	bh_buf_add_str(b, " && ");
	add_fits(b, "request.kind.group", k.group);
	bh_buf_add_str(b, " && ");
	add_fits(b, "request.kind.version", k.version);
	bh_buf_add_str(b, " && ");
	add_fits(b, "request.subResource", k.subresource);
	bh_buf_add_byte(b, ')');
}

static const struct {
	const char *kind;
	bool is_cron;
} controllers[] = {
	{ "DaemonSet", false },  { "Deployment", false },            { "Job", false },   { "StatefulSet", false },
	{ "ReplicaSet", false }, { "ReplicationController", false }, { "CronJob", true },
};

#define N_CONTROLLERS (sizeof(controllers) / sizeof(controllers[0]))

static bool names_pod(struct cel_value kinds)
{
	for (size_t i = 0; i < kube_length(kinds); i++)
		if (bh_slice_eq_str(kind_of(text_at(kinds, i)).kind, "Pod"))
			return true;
	return false;
}

static void add_kinds(struct bh_buf *b, const struct rule *r, struct cel_value kinds)
{
	bool is_first = true;
	if (r->controllers && names_pod(kinds)) {
		bh_buf_add_str(b, " && request.kind.group in ['', 'apps', 'batch'] && request.kind.kind in [");
		for (size_t i = 0; i < N_CONTROLLERS; i++)
			if (r->controllers & (1u << i)) {
				bh_buf_printf(b, "%s'%s'", is_first ? "" : ", ", controllers[i].kind);
				is_first = false;
			}
		bh_buf_add_byte(b, ']');
		return;
	}
	for (size_t i = 0; i < kube_length(kinds); i++) {
		bh_buf_add_str(b, i ? " || " : " && (");
		add_kind(b, kind_of(text_at(kinds, i)));
	}
	if (kube_length(kinds))
		bh_buf_add_byte(b, ')');
}

/* ---- labels and annotations ---- */

#define OBJECT "importedObject"
#define LABELS OBJECT ".metadata.?labels.orValue({})"
#define ANNOTATIONS OBJECT ".metadata.?annotations.orValue({})"
#define NAMESPACE_LABELS "namespaceObject.metadata.?labels.orValue({})"

/* Each key and value fits one that is there. */
static void add_pairs(struct bh_buf *b, const char *map, struct cel_value wanted)
{
	char value[64]; /* MAP[k] */
	(void)snprintf(value, sizeof(value), "%s[k]", map);
	for (size_t i = 0; wanted.kind == CEL_MAP && i < wanted.map->len; i++) {
		const struct cel_entry *e = &wanted.map->entries[i];
		bh_buf_printf(b, " && %s.exists(k, ", map);
		add_fits(b, "k", e->key.kind == CEL_STRING ? e->key.text : (struct bh_slice){ 0 });
		bh_buf_add_str(b, " && ");
		add_fits(b, value, e->value.kind == CEL_STRING ? e->value.text : (struct bh_slice){ 0 });
		bh_buf_add_byte(b, ')');
	}
}

static void add_requirement(struct bh_buf *b, const char *map, struct cel_value e)
{
	struct bh_slice operator = kube_text(e, "operator");
	bool is_in = bh_slice_eq_str(operator, "In"), is_listed = is_in || bh_slice_eq_str(operator, "NotIn");
	struct cel_value values = kube_get(e, "values");
	bh_buf_add_str(b, is_in || bh_slice_eq_str(operator, "Exists") ? " && (" : " && !(");
	import_quote(b, kube_text(e, "key"));
	bh_buf_printf(b, " in %s", map);
	if (is_listed) {
		bh_buf_printf(b, " && %s[", map);
		import_quote(b, kube_text(e, "key"));
		bh_buf_add_str(b, "] in [");
		for (size_t i = 0; i < kube_length(values); i++) {
			bh_buf_add_str(b, i ? ", " : "");
			import_quote(b, text_at(values, i));
		}
		bh_buf_add_byte(b, ']');
	}
	bh_buf_add_byte(b, ')');
}

static void add_selector(struct bh_buf *b, const char *map, struct cel_value selector)
{
	struct cel_value list = kube_get(selector, "matchExpressions");
	add_pairs(b, map, kube_get(selector, "matchLabels"));
	for (size_t i = 0; i < kube_length(list); i++)
		add_requirement(b, map, list.list->items[i]);
}

/* ---- filters ---- */

static void refuse(struct rule *r, const struct cel_map *map, const char *field)
{
	r->is_refused = true;
	import_tell(r->im, r->object, map, field, "rule %.*s: %s is not plain CEL, so the rule is not supported", BH_SLICE_FMT(kube_text(r->value, "name")),
		    field);
}

/* Who asks is not known of a file, and roles are not what CEL knows of a user. */
static void refuse_users(struct rule *r, struct cel_value filter)
{
	static const char *const fields[] = { "subjects", "roles", "clusterRoles" };
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (kube_length(kube_get(filter, fields[i])) && !r->is_refused)
			refuse(r, filter.map, fields[i]);
}

/* "(true && ... && ...)": all that a filter asks for; one that asks for nothing matches nothing. */
static void add_filter(struct bh_buf *b, struct rule *r, struct cel_value filter)
{
	struct cel_value resources = kube_get(filter, "resources");
	struct cel_value name = kube_get(resources, "name"), operations = kube_get(resources, "operations");
	bool is_empty = resources.kind != CEL_MAP || resources.map->len == 0;
	refuse_users(r, filter);
	bh_buf_add_str(b, is_empty ? "(false" : "(true");
	add_kinds(b, r, kube_get(resources, "kinds"));
	add_any(b, "request.operation", operations);
	if (name.kind == CEL_STRING && name.text.len)
		add_any(b, "request.name", import_one(r->im, name));
	add_any(b, "request.name", kube_get(resources, "names"));
	add_any(b, "(request.kind.kind == 'Namespace' ? request.name : request.namespace)", kube_get(resources, "namespaces"));
	add_pairs(b, ANNOTATIONS, kube_get(resources, "annotations"));
	add_selector(b, LABELS, kube_get(resources, "selector"));
	if (kube_get(resources, "namespaceSelector").kind == CEL_MAP) {
		bh_buf_add_str(b, " && request.kind.kind != 'Namespace' && request.namespace != ''");
		add_selector(b, NAMESPACE_LABELS, kube_get(resources, "namespaceSelector"));
	}
	bh_buf_add_byte(b, ')');
}

/* The whole of match or exclude: any, all, or one filter in its old form. */
static struct cel_value filters(struct rule *r, const char *field)
{
	struct cel_value block = kube_get(r->value, field), any = kube_get(block, "any"), all = kube_get(block, "all");
	struct cel_value list = kube_length(any) ? any : all;
	bool is_exclude = field[0] == 'e';
	struct bh_buf b;
	if (block.kind != CEL_MAP || block.map->len == 0)
		return cel_null();
	bh_buf_init(&b, TEXT_BYTES_MAX);
	bh_buf_add_str(&b, is_exclude ? "!(" : "(");
	for (size_t i = 0; i < kube_length(list); i++) {
		bh_buf_add_str(&b, i == 0 ? "" : kube_length(any) ? " || " : " && ");
		add_filter(&b, r, list.list->items[i]);
	}
	if (kube_length(list) == 0)
		add_filter(&b, r, block);
	bh_buf_add_byte(&b, ')');
	r->im->failed |= b.failed;
	struct import_map m = import_map(r->im);
	import_set(&m, "name", import_string(field));
	import_set(&m, "expression", import_copy(r->im, bh_buf_slice(&b)));
	bh_buf_done(&b);
	return import_end(&m);
}

/* ---- the policy ---- */

static const char *path_of(const struct rule *r)
{
	unsigned cron = 1u << (N_CONTROLLERS - 1);
	return r->controllers == 0 ? NULL : r->controllers == cron ? KYVERNO_IN_CRONJOBS : KYVERNO_IN_CONTROLLERS;
}

static struct cel_value texts(const struct rule *r, struct cel_value list)
{
	return kyverno_texts(r->im, r->object, list, path_of(r), false);
}

static struct cel_value with_first(struct import *im, const struct cel_value *first, size_t n_first, struct cel_value list)
{
	size_t n = 0, n_list = kube_length(list);
	struct cel_value *items = bh_arena_array(&im->arena, n_first + n_list + 1, sizeof(*items));
	im->failed |= !items;
	for (size_t i = 0; items && i < n_first; i++)
		if (first[i].kind == CEL_MAP)
			items[n++] = first[i];
	for (size_t i = 0; items && i < n_list; i++)
		items[n++] = list.list->items[i];
	return items ? import_list(im, items, n) : cel_null();
}

static struct cel_value conditions(struct rule *r)
{
	const struct cel_value own[] = {
		filters(r, "match"),
		filters(r, "exclude"),
		r->object->namespace.len ? kyverno_in_namespace(r->im, r->object) : cel_null(),
	};
	return with_first(r->im, own, 3, texts(r, kube_get(r->value, "celPreconditions")));
}

static struct cel_value variables(const struct rule *r)
{
	const struct cel_value own = import_expression(r->im, ADMISSION_GLOBAL OBJECT, "object == null ? oldObject : object");
	return with_first(r->im, &own, 1, texts(r, kube_get(r->cel, "variables")));
}

/* One without a message says the rule's. */
static struct cel_value validations(const struct rule *r)
{
	struct cel_value list = kube_get(r->cel, "expressions"), message = kube_path(r->value, "validate.message");
	size_t n = kube_length(list);
	struct cel_value *items = bh_arena_array(&r->im->arena, n + 1, sizeof(*items));
	r->im->failed |= !items;
	for (size_t i = 0; items && i < n; i++) {
		struct import_map m = import_map(r->im);
		struct cel_value item = list.list->items[i], own = kube_get(item, "message");
		import_set(&m, "expression", kube_get(item, "expression"));
		import_set(&m, "message", own.kind == CEL_STRING && own.text.len ? own : message);
		import_set(&m, "messageExpression", kube_get(item, "messageExpression"));
		import_set(&m, "reason", kube_get(item, "reason"));
		items[i] = import_end(&m);
		if (item.kind == CEL_MAP)
			import_place(r->im, r->object, item.map, items[i]);
	}
	return items ? texts(r, import_list(r->im, items, n)) : cel_null();
}

static struct cel_value constraints(const struct rule *r)
{
	const struct cel_value main_and_sub[] = { import_string("*"), import_string("*/*") };
	struct import_map rule = import_map(r->im), m = import_map(r->im);
	import_set(&rule, "apiGroups", import_any(r->im));
	import_set(&rule, "apiVersions", import_any(r->im));
	import_set(&rule, "operations", import_any(r->im));
	import_set(&rule, "resources", import_list(r->im, main_and_sub, 2));
	import_set(&m, "resourceRules", import_one(r->im, import_end(&rule)));
	return import_end(&m);
}

static void add_rule(struct rule *r)
{
	struct import *im = r->im;
	struct import_map spec = import_map(im), policy = import_map(im);
	struct cel_value own = conditions(r);
	if (r->is_refused)
		return;
	import_set(&spec, "failurePolicy", kube_get(r->spec, "failurePolicy"));
	import_set(&spec, "paramKind", kube_get(r->cel, "paramKind"));
	import_set(&spec, "matchConstraints", constraints(r));
	import_set(&spec, "variables", variables(r));
	import_set(&spec, "matchConditions", own);
	import_set(&spec, "validations", validations(r));
	import_set(&spec, "auditAnnotations", texts(r, kube_get(r->cel, "auditAnnotations")));
	import_set(&policy, "metadata", import_metadata(im, r->object, r->id, kyverno_severity(r->object)));
	import_set(&policy, "spec", import_end(&spec));
	import_add(im, r->object, NULL, "ValidatingAdmissionPolicy", r->name, &policy);
}

/* ---- what makes Pods ---- */

/* A filter that what makes a Pod could not meet for the Pod's reasons forbids it to the whole policy. */
static bool filter_allows(struct cel_value filter, bool *needed)
{
	struct cel_value r = kube_get(filter, "resources"), kinds = kube_get(r, "kinds");
	*needed |= names_pod(kinds);
	return kube_text(r, "name").len == 0 && kube_length(kube_get(r, "names")) == 0 && kube_get(r, "selector").kind != CEL_MAP
	       && kube_get(r, "annotations").kind != CEL_MAP && !(kube_length(kinds) > 1 && names_pod(kinds));
}

static bool block_allows(struct cel_value block, bool *needed)
{
	bool ok = filter_allows(block, needed);
	static const char *const lists[] = { "any", "all" };
	for (size_t i = 0; i < 2; i++) {
		struct cel_value list = kube_get(block, lists[i]);
		for (size_t k = 0; k < kube_length(list); k++)
			ok = filter_allows(list.list->items[k], needed) && ok;
	}
	return ok;
}

static bool policy_allows(struct cel_value rules)
{
	bool needed = false, ok = true, ignored = false;
	for (size_t i = 0; i < kube_length(rules); i++) {
		ok = ok && block_allows(kube_get(rules.list->items[i], "match"), &needed);
		ok = ok && block_allows(kube_get(rules.list->items[i], "exclude"), &ignored);
	}
	return ok && needed;
}

/* Bits of the controllers that the annotation names; all without one. */
static unsigned controllers_of(const struct kube_object *o)
{
	const struct cel_value names = kube_get(kube_path(o->value, "metadata.annotations"), "pod-policies.kyverno.io/autogen-controllers");
	struct bh_slice name, rest = names.kind == CEL_STRING ? names.text : (struct bh_slice){ 0 };
	unsigned bits = names.kind == CEL_STRING ? 0 : (1u << N_CONTROLLERS) - 1;
	for (bool more = rest.len > 0; more;) {
		struct bh_slice all = rest;
		more = bh_slice_cut(all, ',', &name, &rest);
		for (size_t i = 0; i < N_CONTROLLERS; i++)
			if (bh_slice_eq_str(bh_slice_trim(name), controllers[i].kind))
				bits |= 1u << i;
	}
	return bits;
}

static bool rule_names_pod(struct cel_value rule)
{
	bool needed = false;
	(void)block_allows(kube_get(rule, "match"), &needed);
	return needed;
}

/* ---- */

static struct cel_value actions_of(const struct rule *r)
{
	struct bh_slice action = kube_text(r->value, "validate.failureAction");
	if (action.len == 0)
		action = kube_text(r->spec, "validationFailureAction");
	bool denies = bh_slice_eq_str(action, "Enforce") || bh_slice_eq_str(action, "enforce");
	return import_one(r->im, import_string(denies ? "Deny" : "Audit"));
}

/* What of a rule is not CEL. */
static void check_rule(struct rule *r)
{
	struct cel_value validate = kube_get(r->value, "validate");
	if (r->cel.kind != CEL_MAP) {
		r->is_refused = true;
		import_tell(r->im, r->object, r->value.kind == CEL_MAP ? r->value.map : NULL, "name", "rule %.*s has no validate.cel, and only CEL is supported",
			    BH_SLICE_FMT(kube_text(r->value, "name")));
		return;
	}
	static const char *const fields[] = { "context", "preconditions" };
	for (size_t i = 0; i < 2 && !r->is_refused; i++) {
		struct cel_value v = kube_get(r->value, fields[i]);
		if (kube_length(v) || (v.kind == CEL_MAP && v.map->len))
			refuse(r, r->value.map, fields[i]);
	}
	if (kube_length(kube_get(validate, "failureActionOverrides")) || kube_length(kube_get(r->spec, "validationFailureActionOverrides")))
		import_tell(r->im, r->object, validate.map, "failureActionOverrides",
			    "rule %.*s: overrides of the failure action are not supported; its own counts", BH_SLICE_FMT(kube_text(r->value, "name")));
}

static void import_rule_of(struct rule *r, bool is_autogen)
{
	unsigned bits = is_autogen && rule_names_pod(r->value) ? controllers_of(r->object) : 0, cron = 1u << (N_CONTROLLERS - 1);
	check_rule(r);
	if (r->is_refused)
		return;
	kyverno_bind(r->im, r->object, r->name, actions_of(r), kube_get(r->cel, "paramRef"));
	const unsigned rounds[] = { 0, bits & ~cron, bits & cron };
	for (size_t i = 0; i < 3; i++) {
		r->controllers = rounds[i];
		if (i == 0 || rounds[i])
			add_rule(r);
	}
}

void import_rules(struct import *im, const struct kube_object *o)
{
	struct cel_value spec = kube_get(o->value, "spec"), rules = kube_get(spec, "rules");
	bool is_autogen = policy_allows(rules);
	for (size_t i = 0; i < kube_length(rules) && !im->failed; i++) {
		struct rule r = { .im = im, .object = o, .spec = spec, .value = rules.list->items[i] };
		const char *slash = o->namespace.len ? "/" : "";
		const char *name = bh_arena_printf(&im->arena, "%.*s %.*s%s%.*s/%.*s", BH_SLICE_FMT(o->kind), BH_SLICE_FMT(o->namespace), slash,
						   BH_SLICE_FMT(o->name), BH_SLICE_FMT(kube_text(r.value, "name")));
		im->failed |= !name;
		r.name = bh_slice_str(name);
		r.id = bh_slice_sub(r.name, o->kind.len + 1, r.name.len);
		r.cel = kube_path(r.value, "validate.cel");
		if (name)
			import_rule_of(&r, is_autogen);
	}
}
