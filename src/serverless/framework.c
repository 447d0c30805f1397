/*
 * framework.c: serverless.yml of the Serverless Framework (serverless.com/framework/docs/providers/aws/guide/serverless.yml): what a function doesn't say, its
 * provider says. Resources in it are CloudFormation's.
 */
#include "serverless/code.h"
#include "serverless/format.h"
#include "serverless/intrinsic.h"
#include "serverless/variables.h"

struct function {
	struct fn_doc *doc;
	struct bh_slice name;
	struct fn_from own, provider;
	bool is_aws;
	const char *platform;
	struct fn_map spec;
};

static bool knows(const struct bh_yaml_node *root)
{
	const struct bh_yaml_node *provider = bh_yaml_get(root, "provider");
	if (!bh_yaml_get(root, "service") || bh_yaml_get(root, "kind") || !provider)
		return false;
	return bh_yaml_is(provider, BH_YAML_SCALAR) || bh_yaml_get(provider, "name");
}

static struct cel_value resolve(struct fn_doc *doc, struct cel_value v)
{
	if (v.kind == CEL_STRING && bh_slice_search(v.text, "${"))
		return fn_variables(doc, v.text);
	return fn_intrinsic(doc, v);
}

static struct fn_from at_map(struct cel_value v)
{
	return (struct fn_from){ .value = v, .map = v.kind == CEL_MAP ? v.map : NULL };
}

/* The function's, else the provider's. */
static struct fn_from property(const struct function *f, const char *name)
{
	return fn_first(fn_path(f->doc, f->own, name), fn_path(f->doc, f->provider, name));
}

/* patterns of the service, then the function's; "exclude" of old is "!". Null: one of them is not known, so all is read. */
static struct cel_value patterns(struct function *f)
{
	struct fn_doc *doc = f->doc;
	struct fn_from owners[] = { fn_path(doc, fn_root(doc), "package"), fn_path(doc, f->own, "package") };
	struct fn_list out = { .doc = doc };
	for (size_t i = 0; i < 2; i++) {
		struct cel_value excluded = fn_texts(doc, fn_path(doc, owners[i], "exclude").value), more = fn_texts(doc, fn_path(doc, owners[i], "patterns").value);
		for (size_t k = 0; excluded.kind == CEL_LIST && k < excluded.list->len; k++)
			if (excluded.list->items[k].kind == CEL_STRING)
				fn_add(&out, fn_text(doc, "!%.*s", BH_SLICE_FMT(excluded.list->items[k].text)));
		for (size_t k = 0; more.kind == CEL_LIST && k < more.list->len; k++)
			fn_add(&out, more.list->items[k]);
	}
	return fn_list_end(&out);
}

static void read_path(struct fn_code *code, struct fn_from at, struct cel_value some)
{
	if (!fn_code_path(code, at, some))
		fn_code_missing(code, at, "not read: %.*s is not there", (int)(at.value.text.len > 200 ? 200 : at.value.text.len), (const char *)at.value.text.ptr);
}

/* A layer of the same file is called "${NameLambdaLayer}", with a capital letter. */
static struct fn_from layer_named(struct fn_doc *doc, struct bh_slice reference)
{
	struct fn_from layers = fn_path(doc, fn_root(doc), "layers"), none = { .value = cel_null() };
	struct bh_slice id = fn_resource_in(reference);
	for (size_t i = 0; i < fn_len(layers.value); i++) {
		struct bh_slice name = fn_key(layers.value, i);
		if (name.len && id.len == name.len + 11 && bh_slice_ends(id, BH_SLICE_LIT("LambdaLayer")) && bh_lower(id.ptr[0]) == bh_lower(name.ptr[0])
		    && memcmp(id.ptr + 1, name.ptr + 1, name.len - 1) == 0)
			return fn_field(doc, layers, name);
	}
	return none;
}

/* An artifact is what is deployed; without one it is the folder of the file. */
static void read_code(struct function *f, struct cel_value layers)
{
	struct fn_doc *doc = f->doc;
	struct fn_code code = fn_code_of(doc, f->name);
	struct fn_from artifact = fn_first(fn_path(doc, f->own, "package.artifact"), fn_path(doc, fn_path(doc, fn_root(doc), "package"), "artifact"));
	struct fn_from folder = fn_path(doc, f->own, "handler");
	if (fn_has(artifact)) {
		fn_put(&f->spec, "codePath", artifact);
		read_path(&code, artifact, cel_null());
	} else {
		if (!fn_has(folder))
			folder = at_map(f->own.value);
		folder.value = cel_string(BH_SLICE_LIT("."));
		read_path(&code, folder, patterns(f));
	}
	for (size_t i = 0; layers.kind == CEL_LIST && i < layers.list->len; i++)
		if (layers.list->items[i].kind == CEL_STRING) {
			struct fn_from layer = layer_named(doc, layers.list->items[i].text);
			read_path(&code, fn_first(fn_path(doc, layer, "package.artifact"), fn_path(doc, layer, "path")), cel_null());
		}
	fn_code_put(&code, &f->spec);
}

static void put_code(struct function *f)
{
	struct fn_from image = fn_path(f->doc, f->own, "image");
	if (image.value.kind == CEL_MAP)
		image = fn_first(fn_path(f->doc, image, "uri"), fn_path(f->doc, image, "name"));
	fn_set(&f->spec, "packageType", cel_string(fn_has(image) ? BH_SLICE_LIT("Image") : BH_SLICE_LIT("Zip")));
	if (fn_has(image)) {
		struct fn_from uri = image;
		if (image.value.kind == CEL_STRING) { /* a name of provider.ecr.images */
			struct fn_from named = fn_field(f->doc, fn_path(f->doc, f->provider, "ecr.images"), image.value.text);
			if (fn_has(named))
				uri = named.value.kind == CEL_MAP ? fn_path(f->doc, named, "uri") : named;
		}
		fn_put_whole(&f->spec, "image", uri); /* one that is built from a folder has no name yet */
	} else {
		fn_put_runtime(&f->spec, f->platform, property(f, "runtime"));
	}
	struct fn_from layers = property(f, "layers");
	fn_put_as(&f->spec, "layers", fn_texts(f->doc, layers.value), layers);
	if (!fn_has(image))
		read_code(f, fn_texts(f->doc, layers.value));
}

static void put_settings(struct function *f)
{
	struct fn_doc *doc = f->doc;
	fn_put_number(&f->spec, "timeoutSeconds", property(f, "timeout"));
	fn_put_number(&f->spec, "memoryMB", property(f, "memorySize"));
	if (f->is_aws) {
		fn_set(&f->spec, "timeoutMaximumSeconds", cel_int(900));
		fn_set(&f->spec, "memoryMaximumMB", cel_int(10240));
	}
	fn_put_number(&f->spec, "concurrency", property(f, "reservedConcurrency"));
	struct fn_from own = fn_path(doc, f->own, "environment"), all = fn_path(doc, f->provider, "environment");
	fn_put_as(&f->spec, "environment", fn_environment(doc, own), own);
	if (fn_has(all))
		fn_put_as(&f->spec, fn_has(own) ? "globalEnvironment" : "environment", fn_environment(doc, all), all);
	fn_put(&f->spec, "environmentKey", property(f, "kmsKeyArn"));
	struct fn_from target = fn_first(fn_path(doc, f->own, "onError"), fn_path(doc, f->own, "destinations.onFailure"));
	if (fn_has(target))
		fn_put_as(&f->spec, "failureTarget", target.value.kind == CEL_MAP ? cel_bool(true) : target.value, target);
	struct fn_from tracing = fn_first(fn_path(doc, f->own, "tracing"), fn_path(doc, f->provider, "tracing.lambda"));
	struct cel_value mode = tracing.value;
	if (mode.kind == CEL_BOOL)
		mode = cel_string(mode.boolean ? BH_SLICE_LIT("Active") : BH_SLICE_LIT("PassThrough"));
	fn_put_as(&f->spec, "tracing", mode, tracing);
	fn_put_number(&f->spec, "logRetentionDays", property(f, "logRetentionInDays"));
	struct fn_from vpc = property(f, "vpc");
	if (fn_has(vpc))
		fn_put_as(&f->spec, "openEgress", cel_unknown(), vpc); /* the groups are somebody else's */
}

/* ---- the role ---- */

static bool has_own_role(struct fn_doc *doc, struct fn_from own)
{
	return fn_has(fn_path(doc, own, "role")) || fn_has(fn_path(doc, own, "iamRoleStatements"));
}

/* Who has no role of its own has the provider's, with all the others. */
static struct cel_value sharers(struct function *f, struct fn_from functions)
{
	struct fn_list out = { .doc = f->doc };
	struct fn_from mine = fn_path(f->doc, f->own, "role");
	for (size_t i = 0; i < fn_len(functions.value); i++) {
		struct bh_slice name = fn_key(functions.value, i);
		struct fn_from other = fn_field(f->doc, functions, name), theirs = fn_path(f->doc, other, "role");
		bool same = fn_has(mine) ? mine.value.kind == CEL_STRING && theirs.value.kind == CEL_STRING && bh_slice_eq(mine.value.text, theirs.value.text) :
					   !has_own_role(f->doc, f->own) && !has_own_role(f->doc, other);
		if (same && !bh_slice_eq(name, f->name))
			fn_add(&out, cel_string(name));
	}
	return fn_list_end(&out);
}

static void put_role(struct function *f, struct fn_from functions)
{
	struct fn_doc *doc = f->doc;
	struct fn_from own = fn_path(doc, f->own, "role"), common = fn_path(doc, f->provider, "iam.role"), old = fn_path(doc, f->provider, "role");
	struct fn_from mine = fn_path(doc, f->own, "iamRoleStatements");
	struct fn_from all = fn_first(fn_path(doc, common, "statements"), fn_path(doc, f->provider, "iamRoleStatements"));
	struct fn_from managed = fn_first(fn_path(doc, common, "managedPolicies"), fn_path(doc, f->provider, "iamManagedPolicies"));
	bool is_elsewhere = fn_has(own) || (!fn_has(mine) && (fn_has(old) || common.value.kind == CEL_STRING || common.value.kind == CEL_UNKNOWN));
	struct fn_from place = fn_has(own) ? own : fn_has(mine) ? mine : fn_has(all) ? all : fn_has(old) ? old : at_map(f->own.value);
	struct fn_map role = fn_map_at(doc, place);
	struct fn_list statements = { .doc = doc };
	fn_put(&role, "name", fn_first(own, old));
	if (is_elsewhere) {
		fn_put_as(&role, "statements", cel_unknown(), place);
	} else {
		fn_statements(doc, mine, &statements);
		if (!fn_has(mine) || cel_is_true(fn_path(doc, f->own, "iamRoleStatementsInherit").value))
			fn_statements(doc, all, &statements);
		fn_put_as(&role, "statements", fn_list_end(&statements), place);
		fn_put_as(&role, "managedPolicies", fn_texts(doc, managed.value), fn_has(managed) ? managed : place);
	}
	fn_put_as(&role, "sharedWith", sharers(f, functions), place);
	fn_set(&f->spec, "role", fn_map_end(&role));
}

/* ---- events ---- */

static struct cel_value origins(struct fn_doc *doc, struct fn_from cors)
{
	if (cel_is_true(cors.value))
		return fn_texts(doc, cel_string(BH_SLICE_LIT("*")));
	if (cors.value.kind != CEL_MAP)
		return fn_texts(doc, cors.value.kind == CEL_UNKNOWN ? cors.value : cel_null());
	struct fn_from named = fn_first(fn_path(doc, cors, "allowedOrigins"), fn_first(fn_path(doc, cors, "origins"), fn_path(doc, cors, "origin")));
	return fn_texts(doc, named.value);
}

struct route {
	const char *kind;
	struct fn_from config, auth, cors;
	struct fn_from place;
	bool needs_key;
};

static void add_route(struct function *f, struct fn_list *routes, const struct route *r)
{
	struct fn_map map = fn_map_at(f->doc, r->place);
	struct cel_value auth = r->auth.value;
	if (auth.kind == CEL_MAP)
		auth = cel_string(BH_SLICE_LIT("authorizer"));
	fn_set(&map, "kind", cel_string(bh_slice_str(r->kind)));
	fn_put_as(&map, "auth", auth.kind == CEL_NULL ? cel_string(BH_SLICE_LIT("NONE")) : auth, fn_has(r->auth) ? r->auth : r->place);
	fn_put_as(&map, "needsApiKey", cel_bool(r->needs_key), r->place);
	fn_put(&map, "path", fn_path(f->doc, r->config, "path"));
	fn_put(&map, "method", fn_path(f->doc, r->config, "method"));
	fn_put_as(&map, "corsOrigins", origins(f->doc, r->cors), fn_has(r->cors) ? r->cors : r->place);
	fn_add(routes, fn_map_end(&map));
}

static void add_event(struct function *f, struct cel_value event, struct fn_list *routes, struct fn_list *triggers)
{
	struct fn_doc *doc = f->doc;
	if (event.kind == CEL_UNKNOWN) {
		fn_add(routes, event);
		return;
	}
	for (size_t i = 0; i < fn_len(event) && event.kind == CEL_MAP; i++) {
		struct bh_slice kind = fn_key(event, i);
		struct fn_from config = fn_field(doc, at_map(event), kind), place = config.value.kind == CEL_MAP ? at_map(config.value) : config;
		struct fn_from none = { .value = cel_null() };
		struct route r = { .config = config, .auth = fn_path(doc, config, "authorizer"), .cors = none, .place = place };
		if (bh_slice_eq_str(kind, "http")) {
			r.kind = "api";
			r.cors = fn_path(doc, config, "cors");
			r.needs_key = cel_is_true(fn_path(doc, config, "private").value);
		} else if (bh_slice_eq_str(kind, "httpApi")) {
			r.kind = "http-api";
			r.cors = fn_path(doc, f->provider, "httpApi.cors");
		} else if (bh_slice_eq_str(kind, "websocket")) {
			r.kind = "websocket";
		} else {
			struct fn_map map = fn_map_at(doc, place);
			fn_set(&map, "kind", cel_string(kind));
			struct fn_from source = fn_first(fn_path(doc, config, "arn"), config);
			if (source.value.kind == CEL_STRING)
				fn_put(&map, "source", source);
			fn_add(triggers, fn_map_end(&map));
			continue;
		}
		add_route(f, routes, &r);
	}
}

static void put_events(struct function *f)
{
	struct fn_doc *doc = f->doc;
	struct fn_list routes = { .doc = doc }, triggers = { .doc = doc };
	struct fn_from events = fn_path(doc, f->own, "events"), url = fn_path(doc, f->own, "url");
	if (fn_has(url) && !(url.value.kind == CEL_BOOL && !url.value.boolean))
		add_route(f, &routes, &(struct route){ "url", url, fn_path(doc, url, "authorizer"), fn_path(doc, url, "cors"), .place = url });
	for (size_t i = 0; i < fn_len(events.value); i++)
		add_event(f, fn_item(doc, events.value, i), &routes, &triggers);
	bool is_used = routes.n + triggers.n > 0;
	fn_put_as(&f->spec, "isUsed", events.value.kind == CEL_UNKNOWN ? events.value : cel_bool(is_used), fn_has(events) ? events : at_map(f->own.value));
	fn_set(&f->spec, "routes", fn_list_end(&routes));
	fn_set(&f->spec, "triggers", fn_list_end(&triggers));
}

static const char *platform_of(struct fn_from provider)
{
	static const char *const platforms[][2] = { { "aws", "aws-lambda" }, { "google", "google-cloud-functions" }, { "azure", "azure-functions" } };
	struct bh_slice name = provider.value.kind == CEL_STRING ? provider.value.text : kube_text(provider.value, "name");
	for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++)
		if (bh_slice_eq_str(name, platforms[i][0]))
			return platforms[i][1];
	return "other";
}

static void read_function(struct fn_doc *doc, struct fn_from functions, struct bh_slice name, struct fn_from own)
{
	struct function f = { .doc = doc, .name = name, .own = own, .provider = fn_path(doc, fn_root(doc), "provider") };
	struct fn_from whole = own.value.kind == CEL_MAP ? at_map(own.value) : own;
	f.platform = platform_of(f.provider);
	f.is_aws = strcmp(f.platform, "aws-lambda") == 0;
	f.spec = fn_map_at(doc, whole);
	fn_set(&f.spec, "platform", cel_string(bh_slice_str(f.platform)));
	fn_set(&f.spec, "format", cel_string(BH_SLICE_LIT("serverless-framework")));
	put_code(&f);
	put_settings(&f);
	if (f.is_aws)
		put_role(&f, functions);
	put_events(&f);
	fn_finish(&f.spec, name, (struct bh_slice){ 0 }, whole);
}

/* functions: a map, or a list of maps. */
static void read_functions(struct fn_doc *doc, struct fn_from functions)
{
	if (functions.value.kind == CEL_UNKNOWN) {
		struct bh_err err;
		if (kube_set_complain(doc->d, 0, "the functions stand in another file, or depend on a variable: functions", &err) < 0)
			doc->failed = true;
	}
	for (size_t i = 0; functions.value.kind == CEL_MAP && i < functions.value.map->len; i++) {
		struct bh_slice name = fn_key(functions.value, i);
		read_function(doc, functions, name, fn_field(doc, functions, name));
	}
}

static void read(struct fn_doc *doc)
{
	struct fn_template t = { .resources = kube_path(doc->root, "resources.Resources") };
	doc->format = &t;
	doc->resolve = resolve;
	struct fn_from functions = fn_path(doc, fn_root(doc), "functions");
	if (functions.value.kind == CEL_LIST)
		for (size_t i = 0; i < functions.value.list->len; i++) {
			struct cel_value some = fn_item(doc, functions.value, i);
			read_functions(doc, at_map(some));
		}
	else
		read_functions(doc, functions);
	doc->format = NULL;
}

const struct fn_format fn_format_framework = { .knows = knows, .read = read };
