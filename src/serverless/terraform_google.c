/* terraform_google.c: google_cloudfunctions_function and google_cloudfunctions2_function (registry.terraform.io/providers/hashicorp/google). */
#include "serverless/terraform.h"

/* Where the two generations keep the same. */
struct generation {
	const char *type, *runtime, *timeout, *instances, *environment, *ingress, *key;
	int64_t longest_s;
	const char *members[4][2]; /* types of bindings, and the argument that names the function */
};

static const struct generation generations[] = {
	{ "google_cloudfunctions_function", "runtime", "timeout", "max_instances", "environment_variables", "ingress_settings", "kms_key_name", 540,
	  { { "google_cloudfunctions_function_iam_member", "cloud_function" }, { "google_cloudfunctions_function_iam_binding", "cloud_function" } } },
	{ "google_cloudfunctions2_function", "build_config.0.runtime", "service_config.0.timeout_seconds", "service_config.0.max_instance_count",
	  "service_config.0.environment_variables", "service_config.0.ingress_settings", "kms_key_name", 3600,
	  { { "google_cloudfunctions2_function_iam_member", "cloud_function" }, { "google_cloudfunctions2_function_iam_binding", "cloud_function" },
	    { "google_cloud_run_service_iam_member", "service" }, { "google_cloud_run_service_iam_binding", "service" } } },
};

static struct fn_from at_map(struct cel_value v)
{
	return (struct fn_from){ .value = v, .map = v.kind == CEL_MAP ? v.map : NULL };
}

static bool is_anybody(struct cel_value v)
{
	return v.kind == CEL_STRING && (bh_slice_eq_str(v.text, "allUsers") || bh_slice_eq_str(v.text, "allAuthenticatedUsers"));
}

/* Is everybody allowed to call it? */
static void add_binding(struct fn_doc *doc, const struct tf_resource *binding, struct fn_list *routes)
{
	struct fn_from member = tf_value(doc, binding, "member"), members = tf_value(doc, binding, "members");
	struct fn_from place = fn_has(member) ? member : members;
	bool anybody = is_anybody(member.value);
	for (size_t i = 0; members.value.kind == CEL_LIST && i < members.value.list->len; i++)
		anybody |= is_anybody(members.value.list->items[i]);
	struct fn_map map = fn_map_at(doc, at_map(binding->values.value));
	fn_set(&map, "kind", cel_string(BH_SLICE_LIT("url")));
	fn_put_as(&map, "auth", place.value.kind == CEL_UNKNOWN ? place.value : cel_string(anybody ? BH_SLICE_LIT("NONE") : BH_SLICE_LIT("IAM")), place);
	fn_set(&map, "needsApiKey", cel_bool(false));
	fn_add(routes, fn_map_end(&map));
}

/* The object of the bucket, when the plan puts it there from a file. */
static struct fn_from archive(struct fn_doc *doc, const struct tf_plan *plan, const struct tf_resource *r)
{
	struct fn_from name = fn_first(tf_value(doc, r, "source_archive_object"), tf_value(doc, r, "build_config.0.source.0.storage_source.0.object"));
	const struct tf_resource *object;
	for (size_t at = 0; (object = tf_next(plan, "google_storage_bucket_object", &at));) {
		struct fn_from own = tf_value(doc, object, "name"), source = tf_value(doc, object, "source");
		bool same = own.value.kind == CEL_STRING && name.value.kind == CEL_STRING && bh_slice_eq(own.value.text, name.value.text);
		if ((same || tf_names(doc, r, "source_archive_object", object)) && source.value.kind == CEL_STRING)
			return source;
	}
	if (name.value.kind == CEL_STRING)
		name.value = fn_text(doc, "gs://%.*s", BH_SLICE_FMT(name.value.text));
	return name;
}

static void read_function(struct fn_doc *doc, const struct tf_plan *plan, const struct generation *g, const struct tf_resource *r)
{
	struct fn_map spec = fn_map_at(doc, at_map(r->values.value));
	struct fn_list routes = { .doc = doc };
	struct fn_from environment = tf_value(doc, r, g->environment), instances = tf_value(doc, r, g->instances);
	const struct tf_resource *binding;
	fn_set(&spec, "platform", cel_string(BH_SLICE_LIT("google-cloud-functions")));
	fn_set(&spec, "format", cel_string(BH_SLICE_LIT("terraform")));
	fn_set(&spec, "packageType", cel_string(BH_SLICE_LIT("Zip")));
	tf_put_code(doc, &spec, r->address, archive(doc, plan, r));
	fn_put_runtime(&spec, "google-cloud-functions", tf_value(doc, r, g->runtime));
	fn_put_number(&spec, "timeoutSeconds", tf_value(doc, r, g->timeout));
	fn_set(&spec, "timeoutMaximumSeconds", cel_int(g->longest_s));
	if (!(instances.value.kind == CEL_INT && instances.value.integer == 0)) /* 0: no limit */
		fn_put_number(&spec, "concurrency", instances);
	fn_put_as(&spec, "environment", fn_environment(doc, environment), environment);
	fn_put(&spec, "environmentKey", tf_value(doc, r, g->key));
	fn_put(&spec, "ingress", tf_value(doc, r, g->ingress));
	for (size_t i = 0; i < 4 && g->members[i][0]; i++)
		for (size_t at = 0; (binding = tf_next(plan, g->members[i][0], &at));)
			if (tf_names(doc, binding, g->members[i][1], r))
				add_binding(doc, binding, &routes);
	fn_set(&spec, "routes", fn_list_end(&routes));
	fn_finish(&spec, r->address, (struct bh_slice){ 0 }, at_map(r->values.value));
}

void tf_read_google(struct fn_doc *doc, const struct tf_plan *plan)
{
	const struct tf_resource *r;
	for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++)
		for (size_t at = 0; (r = tf_next(plan, generations[i].type, &at));)
			read_function(doc, plan, &generations[i], r);
}
