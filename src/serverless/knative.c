/*
 * knative.c: services of Knative (knative.dev/docs/serving/reference/serving-api) as functions. The pods of their revisions are found like those of all custom
 * resources (kube/custom_pods.h).
 */
#include "serverless/format.h"

static bool knows_object(struct bh_slice group, struct bh_slice kind)
{
	return bh_slice_eq_str(group, "serving.knative.dev") && (bh_slice_eq_str(kind, "Service") || bh_slice_eq_str(kind, "Configuration"));
}

/* An annotation's or label's value; names hold dots. */
static struct fn_from meta(struct fn_doc *doc, struct fn_from of, const char *map, const char *name)
{
	return fn_field(doc, fn_path(doc, fn_path(doc, of, "metadata"), map), bh_slice_str(name));
}

static struct fn_from at_map(struct cel_value v)
{
	return (struct fn_from){ .value = v, .map = v.kind == CEL_MAP ? v.map : NULL };
}

/* env: [{name, value}] of the container; what comes from elsewhere is no value here. */
static struct cel_value environment(struct fn_doc *doc, struct fn_from env)
{
	struct fn_map out = fn_map_at(doc, env);
	for (size_t i = 0; i < fn_len(env.value); i++) {
		struct fn_from item = at_map(fn_item(doc, env.value, i)), value = fn_path(doc, item, "value");
		const char *name = bh_arena_strdup(doc->arena, kube_text(item.value, "name"));
		if (name && value.value.kind == CEL_STRING)
			fn_put(&out, name, value);
	}
	return fn_map_end(&out);
}

/* Nobody but Istio or a gateway of one's own asks who comes; only a service of the cluster is not reached from outside. */
static void put_route(struct fn_doc *doc, struct fn_map *spec, struct fn_from service)
{
	struct fn_list routes = { .doc = doc };
	struct fn_from visibility = meta(doc, service, "labels", "networking.knative.dev/visibility");
	if (!fn_is_text(visibility, "cluster-local")) {
		struct fn_map route = fn_map_at(doc, at_map(service.value));
		fn_set(&route, "kind", cel_string(BH_SLICE_LIT("ingress")));
		fn_set(&route, "auth", cel_string(BH_SLICE_LIT("NONE")));
		fn_set(&route, "needsApiKey", cel_bool(false));
		fn_add(&routes, fn_map_end(&route));
	}
	fn_set(spec, "routes", fn_list_end(&routes));
}

static void put_limits(struct fn_doc *doc, struct fn_map *spec, struct fn_from template)
{
	struct fn_from at_once = fn_path(doc, template, "spec.containerConcurrency"), timeout = fn_path(doc, template, "spec.timeoutSeconds");
	struct fn_from most = fn_first(meta(doc, template, "annotations", "autoscaling.knative.dev/max-scale"),
				       meta(doc, template, "annotations", "autoscaling.knative.dev/maxScale"));
	fn_put_number(spec, "timeoutSeconds", timeout);
	fn_set(spec, "timeoutMaximumSeconds", cel_int(600)); /* max-revision-timeout-seconds */
	if (at_once.value.kind == CEL_INT && at_once.value.integer > 0)
		fn_put(spec, "concurrency", at_once);
	if (!fn_is_text(most, "0"))
		fn_put_number(spec, "maxScale", most);
}

static void read(struct fn_doc *doc)
{
	struct fn_from service = fn_root(doc), template = fn_path(doc, service, "spec.template"), whole = at_map(doc->root);
	struct bh_slice name = kube_text(doc->root, "metadata.name"), namespace = kube_text(doc->root, "metadata.namespace");
	struct fn_from container = at_map(fn_item(doc, fn_path(doc, template, "spec.containers").value, 0));
	if (template.value.kind != CEL_MAP)
		return; /* Knative would refuse it */
	struct fn_map spec = fn_map_at(doc, fn_path(doc, service, "spec"));
	fn_set(&spec, "platform", cel_string(BH_SLICE_LIT("knative")));
	fn_set(&spec, "format", cel_string(BH_SLICE_LIT("knative")));
	fn_set(&spec, "packageType", cel_string(BH_SLICE_LIT("Image")));
	fn_put_whole(&spec, "image", fn_path(doc, container, "image"));
	struct fn_from env = fn_path(doc, container, "env");
	fn_put_as(&spec, "environment", environment(doc, env), env);
	put_limits(doc, &spec, template);
	put_route(doc, &spec, service);
	fn_finish(&spec, name, namespace, whole);
}

const struct fn_format fn_format_knative = { .knows_object = knows_object, .read = read };
