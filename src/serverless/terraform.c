/*
 * terraform.c: `terraform show -json` of a plan: planned_values with all modules; what refers to what stands in configuration, what only applying
 * tells in resource_changes (developer.hashicorp.com/terraform/internals/json-format).
 */
#include "serverless/terraform.h"

#include "base/map.h"
#include "serverless/code.h"
#include "serverless/format.h"

#define MODULES_DEPTH_MAX 16u

static bool knows(const struct bh_yaml_node *root)
{
	return bh_yaml_get(root, "planned_values") && bh_yaml_get(root, "format_version") && !bh_yaml_get(root, "kind");
}

/* ---- collecting ---- */

struct collector {
	struct fn_doc *doc;
	struct tf_plan *plan;
	struct bh_map changes; /* address -> struct cel_value of resource_changes */
};

static void index_changes(struct collector *c)
{
	struct cel_value changes = kube_get(c->doc->root, "resource_changes");
	for (size_t i = 0; changes.kind == CEL_LIST && i < changes.list->len; i++) {
		void **at = bh_map_put(&c->changes, kube_text(changes.list->items[i], "address"));
		if (at)
			*at = (void *)(uintptr_t)&changes.list->items[i];
		else
			c->doc->failed = true;
	}
}

/* Up to "[" or "." behind it: the name of one step of an address, without its key. */
static struct bh_slice take_step(struct bh_slice *rest)
{
	size_t end = 0;
	bool in_key = false, quoted = false;
	while (end < rest->len && (in_key || rest->ptr[end] != '.')) {
		quoted ^= rest->ptr[end] == '"';
		if (!quoted && (rest->ptr[end] == '[' || rest->ptr[end] == ']'))
			in_key = rest->ptr[end] == '[';
		end++;
	}
	struct bh_slice step = bh_slice_sub(*rest, 0, end);
	*rest = bh_slice_sub(*rest, end + 1, rest->len);
	return bh_slice_sub(step, 0, bh_slice_find(step, '['));
}

/* The configuration of a module: "module.a[0].module.b" is root_module.module_calls.a.module.module_calls.b.module. */
static struct cel_value module_configuration(struct fn_doc *doc, struct bh_slice module)
{
	struct cel_value at = kube_path(doc->root, "configuration.root_module");
	for (unsigned i = 0; i < MODULES_DEPTH_MAX && module.len; i++) {
		(void)take_step(&module); /* "module" */
		struct bh_slice name = take_step(&module);
		struct cel_value calls = kube_get(at, "module_calls");
		const struct cel_value *call = calls.kind == CEL_MAP ? cel_map_field(calls.map, name) : NULL;
		at = call ? kube_get(*call, "module") : cel_null();
	}
	return at;
}

static struct cel_value expressions_of(struct cel_value configuration, const struct tf_resource *r)
{
	struct cel_value resources = kube_get(configuration, "resources");
	for (size_t i = 0; resources.kind == CEL_LIST && i < resources.list->len; i++)
		if (bh_slice_eq(kube_text(resources.list->items[i], "type"), r->type) && bh_slice_eq(kube_text(resources.list->items[i], "name"), r->name))
			return kube_get(resources.list->items[i], "expressions");
	return cel_null();
}

static void collect_module(struct collector *c, struct cel_value module, unsigned depth)
{
	struct cel_value resources = kube_get(module, "resources"), children = kube_get(module, "child_modules");
	struct bh_slice address = kube_text(module, "address");
	struct cel_value configuration = module_configuration(c->doc, address);
	for (size_t i = 0; resources.kind == CEL_LIST && i < resources.list->len; i++) {
		struct cel_value v = resources.list->items[i];
		struct tf_resource r = { .address = kube_text(v, "address"), .module = address, .type = kube_text(v, "type"), .name = kube_text(v, "name") };
		r.values = fn_path(c->doc, (struct fn_from){ .value = v }, "values");
		const struct cel_value *change = bh_map_get(&c->changes, r.address);
		r.unknown = change ? kube_path(*change, "change.after_unknown") : cel_null();
		r.expressions = expressions_of(configuration, &r);
		if (!tf_resources_push(&c->plan->all, r))
			c->doc->failed = true;
	}
	for (size_t i = 0; depth < MODULES_DEPTH_MAX && children.kind == CEL_LIST && i < children.list->len; i++)
		collect_module(c, children.list->items[i], depth + 1);
}

void tf_collect(struct fn_doc *doc, struct tf_plan *plan)
{
	struct collector c = { .doc = doc, .plan = plan };
	plan->all = (struct tf_resources){ .max = TF_RESOURCES_MAX };
	bh_map_init(&c.changes, TF_RESOURCES_MAX);
	index_changes(&c);
	collect_module(&c, kube_path(doc->root, "planned_values.root_module"), 0);
	bh_map_done(&c.changes);
}

void tf_done(struct tf_plan *plan)
{
	tf_resources_done(&plan->all);
}

/* ---- reading ---- */

static struct fn_from step(struct fn_doc *doc, struct fn_from of, struct bh_slice name)
{
	uint64_t i;
	if (of.value.kind == CEL_LIST && bh_slice_u64(name, UINT32_MAX, &i))
		return (struct fn_from){ fn_item(doc, of.value, (size_t)i), of.map, of.field };
	return fn_field(doc, of, name);
}

struct fn_from tf_value(struct fn_doc *doc, const struct tf_resource *r, const char *path)
{
	struct bh_slice rest = bh_slice_str(path), name;
	struct fn_from at = r->values, open = { .value = r->unknown };
	while (rest.len) {
		(void)bh_slice_cut(rest, '.', &name, &rest);
		struct fn_from before = at;
		at = step(doc, at, name);
		open = cel_is_true(open.value) ? open : step(doc, open, name);
		if (!fn_has(at) && before.value.kind == CEL_MAP)
			at = (struct fn_from){ cel_null(), before.value.map, name };
	}
	if (!fn_has(at) && cel_is_true(open.value))
		at.value = cel_unknown();
	return at;
}

static struct cel_value references(const struct tf_resource *r, const char *argument)
{
	return kube_get(kube_get(r->expressions, argument), "references");
}

bool tf_is_of_resources(const struct tf_resource *r, const char *argument)
{
	static const char *const others[] = { "var", "local", "module", "each", "count", NULL };
	struct cel_value all = references(r, argument);
	for (size_t i = 0; i < fn_len(all); i++) {
		struct bh_slice text = all.list->items[i].kind == CEL_STRING ? all.list->items[i].text : (struct bh_slice){ 0 };
		if (text.len == 0 || bh_slice_is_one_of(take_step(&text), others))
			return false;
	}
	return all.kind == CEL_LIST && all.list->len > 0;
}

/* "aws_iam_role.lambda.arn", "aws_iam_role.lambda[0]" are about aws_iam_role.lambda. */
static bool refers(struct bh_slice reference, const struct tf_resource *of)
{
	return bh_slice_eq(take_step(&reference), of->type) && bh_slice_eq(take_step(&reference), of->name);
}

static bool value_names(struct fn_doc *doc, struct cel_value v, const struct tf_resource *of)
{
	static const char *const names[] = { "function_name", "name", "arn", "id", "invoke_arn" };
	for (size_t i = 0; v.kind == CEL_STRING && v.text.len && i < sizeof(names) / sizeof(names[0]); i++) {
		struct cel_value own = tf_value(doc, of, names[i]).value;
		if (own.kind == CEL_STRING && bh_slice_eq(own.text, v.text))
			return true;
	}
	return false;
}

bool tf_names(struct fn_doc *doc, const struct tf_resource *r, const char *argument, const struct tf_resource *of)
{
	struct cel_value list = references(r, argument);
	for (size_t i = 0; bh_slice_eq(r->module, of->module) && list.kind == CEL_LIST && i < list.list->len; i++)
		if (list.list->items[i].kind == CEL_STRING && refers(list.list->items[i].text, of))
			return true;
	return value_names(doc, tf_value(doc, r, argument).value, of);
}

bool tf_same_reference(const struct tf_resource *a, const char *argument_a, const struct tf_resource *b, const char *argument_b)
{
	struct cel_value one = references(a, argument_a), two = references(b, argument_b);
	return one.kind == CEL_LIST && two.kind == CEL_LIST && one.list->len && two.list->len && bh_slice_eq(a->module, b->module)
	       && cel_equal(one.list->items[0], two.list->items[0]);
}

const struct tf_resource *tf_next(const struct tf_plan *plan, const char *type, size_t *at)
{
	while (*at < plan->all.len) {
		const struct tf_resource *r = &plan->all.ptr[(*at)++];
		if (bh_slice_eq_str(r->type, type))
			return r;
	}
	return NULL;
}

/* In whichever module: {source_dir, source_file, output_path} of the archive that has this name. */
static struct fn_from archive_source(struct fn_doc *doc, struct cel_value module, struct bh_slice output, unsigned depth)
{
	struct cel_value resources = kube_get(module, "resources"), children = kube_get(module, "child_modules");
	struct fn_from found = { .value = cel_null() };
	for (size_t i = 0; !fn_has(found) && resources.kind == CEL_LIST && i < resources.list->len; i++) {
		struct cel_value v = resources.list->items[i], values = kube_get(v, "values");
		if (!bh_slice_eq_str(kube_text(v, "type"), "archive_file") || !bh_slice_eq(kube_text(values, "output_path"), output) || values.kind != CEL_MAP)
			continue;
		struct fn_from at = { .value = values, .map = values.map };
		found = fn_first(fn_path(doc, at, "source_dir"), fn_path(doc, at, "source_file"));
	}
	for (size_t i = 0; !fn_has(found) && depth < MODULES_DEPTH_MAX && children.kind == CEL_LIST && i < children.list->len; i++)
		found = archive_source(doc, children.list->items[i], output, depth + 1);
	return found;
}

void tf_put_code(struct fn_doc *doc, struct fn_map *spec, struct bh_slice function, struct fn_from path)
{
	static const char *const states[] = { "prior_state.values.root_module", "planned_values.root_module" };
	struct fn_code code = fn_code_of(doc, function);
	if (!fn_has(path))
		return;
	bool found = fn_code_path(&code, path, cel_null());
	for (size_t i = 0; !found && i < 2; i++) {
		struct fn_from source = archive_source(doc, kube_path(doc->root, states[i]), path.value.text, 0);
		found = fn_has(source) && fn_code_path(&code, source, cel_null());
	}
	if (!found)
		fn_code_missing(&code, path, "not read: %.*s is not there, nor what it is made of", (int)(path.value.text.len > 200 ? 200 : path.value.text.len),
				(const char *)path.value.text.ptr);
	if (code.n) /* where the plan names it, whatever was read in its stead */
		code.whole = path;
	fn_code_put(&code, spec);
}

static void read(struct fn_doc *doc)
{
	struct tf_plan plan;
	tf_collect(doc, &plan);
	tf_read_aws(doc, &plan);
	tf_read_google(doc, &plan);
	tf_read_azure(doc, &plan);
	tf_done(&plan);
}

const struct fn_format fn_format_terraform = { .knows = knows, .read = read };
