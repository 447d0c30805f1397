/* openfaas_object.c: objects openfaas.com/v1 Function (docs.openfaas.com/reference/crd). */
#include "serverless/openfaas.h"

#include "serverless/code.h"

static bool knows_object(struct bh_slice group, struct bh_slice kind)
{
	return bh_slice_eq_str(group, "openfaas.com") && bh_slice_eq_str(kind, "Function");
}

/* Whoever reaches the gateway calls the function: it has no say in it. */
void openfaas_function(struct fn_doc *doc, struct fn_from own, struct bh_slice name, struct bh_slice namespace, const char *format, const char *read_only)
{
	struct fn_from whole = own.value.kind == CEL_MAP ? (struct fn_from){ .value = own.value, .map = own.value.map } : own;
	struct fn_map spec = fn_map_at(doc, whole), route = fn_map_at(doc, whole);
	struct fn_list routes = { .doc = doc };
	bool read_handler = strcmp(format, "openfaas") == 0;
	fn_set(&spec, "platform", cel_string(BH_SLICE_LIT("openfaas")));
	fn_set(&spec, "format", cel_string(bh_slice_str(format)));
	fn_set(&spec, "packageType", cel_string(BH_SLICE_LIT("Image")));
	fn_put_whole(&spec, "image", fn_path(doc, own, "image"));
	struct fn_from environment = fn_path(doc, own, "environment"), memory = fn_path(doc, own, "limits.memory"), root = fn_path(doc, own, read_only);
	fn_put_as(&spec, "environment", fn_environment(doc, environment), environment);
	fn_put_as(&spec, "hasMemoryLimit", memory.value.kind == CEL_UNKNOWN ? memory.value : cel_bool(fn_has(memory)), fn_has(memory) ? memory : whole);
	fn_put_as(&spec, "readOnlyRoot", root.value.kind == CEL_BOOL || root.value.kind == CEL_UNKNOWN ? root.value : cel_bool(false), fn_has(root) ? root : whole);
	fn_set(&route, "kind", cel_string(BH_SLICE_LIT("gateway")));
	fn_set(&route, "auth", cel_string(BH_SLICE_LIT("NONE")));
	fn_set(&route, "needsApiKey", cel_bool(false));
	fn_add(&routes, fn_map_end(&route));
	fn_set(&spec, "routes", fn_list_end(&routes));
	struct fn_code code = fn_code_of(doc, name);
	struct fn_from handler = fn_path(doc, own, "handler"); /* of stack.yml: the folder that the image is built of */
	if (read_handler && fn_has(handler)) {
		fn_put(&spec, "codePath", handler);
		if (!fn_code_path(&code, handler, cel_null()))
			fn_code_missing(&code, handler, "not read: the folder of its handler is not there");
		fn_code_put(&code, &spec);
	}
	fn_finish(&spec, name, namespace, whole);
}

static void read(struct fn_doc *doc)
{
	struct fn_from own = fn_path(doc, fn_root(doc), "spec"), called = fn_path(doc, own, "name");
	struct bh_slice name = called.value.kind == CEL_STRING ? called.value.text : kube_text(doc->root, "metadata.name");
	openfaas_function(doc, own, name, kube_text(doc->root, "metadata.namespace"), "openfaas-crd", "readOnlyRootFilesystem");
}

const struct fn_format fn_format_openfaas_object = { .knows_object = knows_object, .read = read };
