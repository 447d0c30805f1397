/* terraform_azure.c: azurerm_linux_function_app, azurerm_windows_function_app (registry.terraform.io/providers/hashicorp/azurerm). */
#include "serverless/terraform.h"

static struct fn_from at_map(struct cel_value v)
{
	return (struct fn_from){ .value = v, .map = v.kind == CEL_MAP ? v.map : NULL };
}

/* Without a login each function of the app says in its code who may call it: what that is can't be told here. */
static void put_route(struct fn_doc *doc, struct fn_map *spec, const struct tf_resource *r)
{
	struct fn_from old = tf_value(doc, r, "auth_settings.0.enabled"), new = tf_value(doc, r, "auth_settings_v2.0.auth_enabled");
	struct fn_from origins = tf_value(doc, r, "site_config.0.cors.0.allowed_origins");
	struct fn_from reached = tf_value(doc, r, "public_network_access_enabled");
	bool has_login = cel_is_true(old.value) || cel_is_true(new.value);
	struct fn_map map = fn_map_at(doc, at_map(r->values.value));
	struct fn_list routes = { .doc = doc };
	fn_set(&map, "kind", cel_string(BH_SLICE_LIT("url")));
	fn_set(&map, "auth", has_login ? cel_string(BH_SLICE_LIT("login")) : cel_unknown());
	fn_set(&map, "needsApiKey", cel_bool(false));
	fn_put_as(&map, "corsOrigins", fn_texts(doc, origins.value), origins);
	if (!(reached.value.kind == CEL_BOOL && !reached.value.boolean))
		fn_add(&routes, fn_map_end(&map));
	fn_set(spec, "routes", fn_list_end(&routes));
}

/* "~20" and "v8.0" are 20 and 8.0 as Windows' apps have them. */
static struct bh_slice plain_version(struct bh_slice version)
{
	bool marked = version.len > 1 && (version.ptr[0] == '~' || version.ptr[0] == 'v');
	return bh_slice_sub(version, marked, version.len);
}

/* application_stack: {python_version: "3.9"} is the runtime "python3.9". */
static void put_runtime(struct fn_doc *doc, struct fn_map *spec, const struct tf_resource *r)
{
	static const char *const languages[] = { "python", "node", "java", "dotnet", "powershell_core" };
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
		struct cel_value path = fn_text(doc, "site_config.0.application_stack.0.%s_version", languages[i]);
		const char *copy = path.kind == CEL_STRING ? bh_arena_strdup(doc->arena, path.text) : NULL;
		struct fn_from version = copy ? tf_value(doc, r, copy) : (struct fn_from){ .value = cel_null() };
		if (version.value.kind != CEL_STRING || version.value.text.len == 0)
			continue;
		version.value = fn_text(doc, "%s%.*s", languages[i], BH_SLICE_FMT(plain_version(version.value.text)));
		fn_put_runtime(spec, "azure-functions", version);
	}
}

static void read_function(struct fn_doc *doc, const struct tf_resource *r)
{
	struct fn_map spec = fn_map_at(doc, at_map(r->values.value));
	struct fn_from environment = tf_value(doc, r, "app_settings"), https = tf_value(doc, r, "https_only");
	struct fn_from insights = tf_value(doc, r, "site_config.0.application_insights_connection_string");
	fn_set(&spec, "platform", cel_string(BH_SLICE_LIT("azure-functions")));
	fn_set(&spec, "format", cel_string(BH_SLICE_LIT("terraform")));
	fn_set(&spec, "packageType", cel_string(BH_SLICE_LIT("Zip")));
	struct fn_from archive = tf_value(doc, r, "zip_deploy_file");
	if (archive.value.kind == CEL_STRING && archive.value.text.len)
		tf_put_code(doc, &spec, r->address, archive);
	put_runtime(doc, &spec, r);
	fn_put_as(&spec, "environment", fn_environment(doc, environment), environment);
	fn_put_as(&spec, "httpsOnly", https.value.kind == CEL_NULL ? cel_bool(false) : https.value, https);
	if (fn_has(insights))
		fn_put_as(&spec, "tracing", cel_string(BH_SLICE_LIT("Active")), insights);
	put_route(doc, &spec, r);
	fn_finish(&spec, r->address, (struct bh_slice){ 0 }, at_map(r->values.value));
}

void tf_read_azure(struct fn_doc *doc, const struct tf_plan *plan)
{
	static const char *const types[] = { "azurerm_linux_function_app", "azurerm_windows_function_app" };
	const struct tf_resource *r;
	for (size_t i = 0; i < 2; i++)
		for (size_t at = 0; (r = tf_next(plan, types[i], &at));)
			read_function(doc, r);
}
