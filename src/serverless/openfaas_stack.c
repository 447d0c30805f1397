/* openfaas_stack.c: stack.yml of OpenFaaS (docs.openfaas.com/reference/yaml), with its variables of the environment: ${TAG:-latest}. */
#include "serverless/openfaas.h"

static bool knows(const struct bh_yaml_node *root)
{
	struct bh_slice provider = bh_yaml_str(bh_yaml_get(bh_yaml_get(root, "provider"), "name"));
	return !bh_yaml_get(root, "service") && bh_yaml_get(root, "functions") && (bh_slice_eq_str(provider, "openfaas") || bh_slice_eq_str(provider, "faas"));
}

/* ${NAME:-default} is its default; ${NAME} alone is whatever the environment says, and so is a text that holds more. */
static struct cel_value resolve(struct fn_doc *doc, struct cel_value v)
{
	if (v.kind != CEL_STRING || !bh_slice_search(v.text, "${"))
		return v;
	const uint8_t *at = bh_slice_search(v.text, "${");
	struct bh_slice before = bh_slice_sub(v.text, 0, (size_t)(at - v.text.ptr)), rest = bh_slice_sub(v.text, before.len + 2, v.text.len);
	size_t end = bh_slice_find(rest, '}');
	struct bh_slice name = bh_slice_sub(rest, 0, end), after = bh_slice_sub(rest, end + 1, rest.len);
	const uint8_t *fallback = bh_slice_search(name, ":-");
	if (!fallback || bh_slice_search(after, "${"))
		return cel_unknown();
	struct bh_slice text = bh_slice_sub(name, (size_t)(fallback - name.ptr) + 2, name.len);
	return fn_text(doc, "%.*s%.*s%.*s", BH_SLICE_FMT(before), BH_SLICE_FMT(text), BH_SLICE_FMT(after));
}

static void read(struct fn_doc *doc)
{
	doc->resolve = resolve;
	struct fn_from functions = fn_path(doc, fn_root(doc), "functions");
	for (size_t i = 0; functions.value.kind == CEL_MAP && i < functions.value.map->len; i++) {
		struct bh_slice name = fn_key(functions.value, i);
		openfaas_function(doc, fn_field(doc, functions, name), name, (struct bh_slice){ 0 }, "openfaas", "readonly_root_filesystem");
	}
}

const struct fn_format fn_format_openfaas_stack = { .knows = knows, .read = read };
