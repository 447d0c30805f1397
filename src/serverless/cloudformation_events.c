/* cloudformation_events.c: who reaches a function: URLs, routes, permissions, and the queues, topics and buckets that call it. */
#include "serverless/cloudformation.h"

static struct fn_from at_map(struct cel_value v)
{
	return (struct fn_from){ .value = v, .map = v.kind == CEL_MAP ? v.map : NULL };
}

/* ---- routes ---- */

struct route {
	const char *kind;
	struct fn_from auth, cors, method, path, place;
	bool is_key_needed;
};

/* No word about who may come means everybody. */
static void add_route(struct cfn_function *f, const struct route *r)
{
	struct fn_map map = fn_map_at(f->doc, r->place);
	fn_set(&map, "kind", cel_string(bh_slice_str(r->kind)));
	fn_put_as(&map, "auth", fn_has(r->auth) ? r->auth.value : cel_string(BH_SLICE_LIT("NONE")), fn_has(r->auth) ? r->auth : r->place);
	fn_put_as(&map, "needsApiKey", cel_bool(r->is_key_needed), r->place);
	fn_put(&map, "method", r->method);
	fn_put(&map, "path", r->path);
	fn_put_as(&map, "corsOrigins", fn_texts(f->doc, r->cors.value), fn_has(r->cors) ? r->cors : r->place);
	fn_add(&f->routes, fn_map_end(&map));
	f->is_used = true;
}

static void add_urls(struct cfn_function *f)
{
	struct fn_doc *doc = f->doc;
	struct bh_slice id;
	struct fn_from properties, own = cfn_property(f, "FunctionUrlConfig");
	if (fn_has(own))
		add_route(f, &(struct route){ "url", fn_path(doc, own, "AuthType"), fn_path(doc, own, "Cors.AllowOrigins"), .place = at_map(own.value) });
	for (size_t at = 0; cfn_next(doc, "AWS::Lambda::Url", &at, &id, &properties);)
		if (cfn_names(doc, fn_path(doc, properties, "TargetFunctionArn").value, f))
			add_route(f, &(struct route){ "url", fn_path(doc, properties, "AuthType"), fn_path(doc, properties, "Cors.AllowOrigins"),
						      .place = at_map(properties.value) });
}

/* The API that an event of SAM names, else the one that SAM makes, whose settings are in Globals. */
static struct fn_from api_setting(struct cfn_function *f, struct fn_from event, bool is_http, const char *path)
{
	const struct fn_template *t = f->doc->format;
	struct cel_value id = fn_path(f->doc, event, is_http ? "ApiId" : "RestApiId").value;
	struct fn_from own = { .value = cel_null() };
	if (id.kind == CEL_STRING)
		own = fn_path(f->doc, fn_path(f->doc, cfn_resource(f->doc, fn_resource_in(id.text)), "Properties"), path);
	else if (id.kind == CEL_UNKNOWN)
		own.value = id;
	return fn_has(own) ? own : fn_path(f->doc, at_map(kube_get(t->globals, is_http ? "HttpApi" : "Api")), path);
}

/* Cors: "'*'", {AllowOrigin}, {AllowOrigins}, true. */
static struct fn_from origins_of(struct fn_doc *doc, struct fn_from cors)
{
	if (cors.value.kind == CEL_MAP)
		return fn_first(fn_path(doc, cors, "AllowOrigins"), fn_path(doc, cors, "AllowOrigin"));
	if (cel_is_true(cors.value))
		cors.value = cel_string(BH_SLICE_LIT("*"));
	return cors.value.kind == CEL_STRING || cors.value.kind == CEL_UNKNOWN ? cors : (struct fn_from){ .value = cel_null() };
}

static void add_api_event(struct cfn_function *f, struct fn_from properties, bool is_http)
{
	struct fn_doc *doc = f->doc;
	struct fn_from own = fn_path(doc, properties, "Auth.Authorizer"), key = fn_path(doc, properties, "Auth.ApiKeyRequired");
	struct fn_from all_keys = api_setting(f, properties, is_http, "Auth.ApiKeyRequired");
	struct route r = {
		.kind = is_http ? "http-api" : "api",
		.auth = fn_first(own, api_setting(f, properties, is_http, "Auth.DefaultAuthorizer")),
		.cors = origins_of(doc, api_setting(f, properties, is_http, is_http ? "CorsConfiguration" : "Cors")),
		.method = fn_path(doc, properties, "Method"),
		.path = fn_path(doc, properties, "Path"),
		.place = at_map(properties.value),
		.is_key_needed = cel_is_true(fn_has(key) ? key.value : all_keys.value),
	};
	add_route(f, &r);
}

/* API Gateway's own resources: methods of REST APIs, routes of HTTP APIs with their integrations. */
static void add_gateway_methods(struct cfn_function *f)
{
	struct fn_doc *doc = f->doc;
	struct bh_slice id;
	struct fn_from p;
	for (size_t at = 0; cfn_next(doc, "AWS::ApiGateway::Method", &at, &id, &p);)
		if (cfn_names(doc, fn_path(doc, p, "Integration.Uri").value, f))
			add_route(f, &(struct route){ "api", fn_path(doc, p, "AuthorizationType"), .method = fn_path(doc, p, "HttpMethod"), .place = at_map(p.value),
						      .is_key_needed = cel_is_true(fn_path(doc, p, "ApiKeyRequired").value) });
	for (size_t at = 0; cfn_next(doc, "AWS::ApiGatewayV2::Route", &at, &id, &p);) {
		struct cel_value target = fn_path(doc, p, "Target").value;
		struct fn_from integration = target.kind == CEL_STRING ? cfn_resource(doc, fn_resource_in(target.text)) : (struct fn_from){ .value = cel_null() };
		struct fn_from api = fn_path(doc, p, "ApiId"), cors = { .value = cel_null() };
		if (api.value.kind == CEL_STRING)
			cors = fn_path(doc, cfn_resource(doc, fn_resource_in(api.value.text)), "Properties.CorsConfiguration.AllowOrigins");
		if (cfn_names(doc, fn_path(doc, integration, "Properties.IntegrationUri").value, f))
			add_route(f, &(struct route){ "http-api", fn_path(doc, p, "AuthorizationType"), cors, .path = fn_path(doc, p, "RouteKey"), .place = at_map(p.value) });
	}
}

/* ---- permissions ---- */

static void add_permissions(struct cfn_function *f)
{
	static const struct {
		const char *name, *field;
	} fields[] = {
		{ "action", "Action" }, { "principal", "Principal" }, { "sourceArn", "SourceArn" }, { "sourceAccount", "SourceAccount" },
		{ "organization", "PrincipalOrgID" }, { "urlAuth", "FunctionUrlAuthType" }, { "token", "EventSourceToken" },
	};
	struct fn_doc *doc = f->doc;
	struct bh_slice id;
	struct fn_from p;
	for (size_t at = 0; cfn_next(doc, "AWS::Lambda::Permission", &at, &id, &p);) {
		if (!cfn_names(doc, fn_path(doc, p, "FunctionName").value, f))
			continue;
		struct fn_map map = fn_map_at(doc, at_map(p.value));
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			fn_put(&map, fields[i].name, fn_path(doc, p, fields[i].field));
		fn_add(&f->permissions, fn_map_end(&map));
		f->is_used = true;
	}
}

/* ---- aliases ---- */

static void add_aliases(struct cfn_function *f)
{
	struct fn_doc *doc = f->doc;
	struct fn_list aliases = { .doc = doc };
	struct bh_slice id;
	struct fn_from p;
	for (size_t at = 0; cfn_next(doc, "AWS::Lambda::Alias", &at, &id, &p);) {
		if (!cfn_names(doc, fn_path(doc, p, "FunctionName").value, f))
			continue;
		struct fn_map map = fn_map_at(doc, at_map(p.value));
		fn_put(&map, "name", fn_path(doc, p, "Name"));
		fn_put(&map, "version", fn_path(doc, p, "FunctionVersion"));
		fn_add(&aliases, fn_map_end(&map));
	}
	fn_set(&f->spec, "aliases", fn_list_end(&aliases));
}

/* ---- triggers ---- */

/* Who may write into the source: its policies in this template. */
static struct cel_value source_statements(struct fn_doc *doc, struct bh_slice source)
{
	static const struct {
		const char *type, *field;
	} policies[] = { { "AWS::SQS::QueuePolicy", "Queues" }, { "AWS::SNS::TopicPolicy", "Topics" }, { "AWS::S3::BucketPolicy", "Bucket" } };
	struct fn_list out = { .doc = doc };
	struct bh_slice id;
	struct fn_from p;
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
		for (size_t at = 0; cfn_next(doc, policies[i].type, &at, &id, &p);) {
			struct cel_value of = fn_texts(doc, fn_path(doc, p, policies[i].field).value);
			for (size_t k = 0; k < fn_len(of); k++)
				if (of.list->items[k].kind == CEL_STRING && bh_slice_eq(fn_resource_in(of.list->items[k].text), source))
					fn_statements(doc, fn_path(doc, p, "PolicyDocument.Statement"), &out);
		}
	return fn_list_end(&out);
}

static void add_trigger(struct cfn_function *f, struct bh_slice kind, struct fn_from source, struct fn_from place)
{
	struct fn_map map = fn_map_at(f->doc, place);
	fn_set(&map, "kind", cel_string(kind));
	fn_put(&map, "source", source);
	struct bh_slice id = source.value.kind == CEL_STRING ? fn_resource_in(source.value.text) : (struct bh_slice){ 0 };
	if (id.len)
		fn_put_as(&map, "statements", source_statements(f->doc, id), source);
	fn_add(&f->triggers, fn_map_end(&map));
	f->is_used = true;
}

static void add_sources(struct cfn_function *f)
{
	struct fn_doc *doc = f->doc;
	struct bh_slice id;
	struct fn_from p;
	for (size_t at = 0; cfn_next(doc, "AWS::Lambda::EventSourceMapping", &at, &id, &p);)
		if (cfn_names(doc, fn_path(doc, p, "FunctionName").value, f))
			add_trigger(f, BH_SLICE_LIT("event-source"), fn_path(doc, p, "EventSourceArn"), at_map(p.value));
	for (size_t at = 0; cfn_next(doc, "AWS::SNS::Subscription", &at, &id, &p);)
		if (cfn_names(doc, fn_path(doc, p, "Endpoint").value, f))
			add_trigger(f, BH_SLICE_LIT("topic"), fn_path(doc, p, "TopicArn"), at_map(p.value));
}

/* Events of SAM. */
static void add_event(struct cfn_function *f, struct fn_from event)
{
	static const char *const sources[] = { "Queue", "Topic", "Bucket", "Stream", NULL };
	struct fn_doc *doc = f->doc;
	struct bh_slice type = kube_text(event.value, "Type");
	struct fn_from properties = fn_path(doc, event, "Properties"), source = { .value = cel_null() };
	if (bh_slice_eq_str(type, "Api") || bh_slice_eq_str(type, "HttpApi")) {
		if (properties.value.kind != CEL_MAP)
			properties = at_map(event.value);
		add_api_event(f, properties, bh_slice_eq_str(type, "HttpApi"));
		return;
	}
	for (size_t i = 0; sources[i]; i++)
		source = fn_first(source, fn_path(doc, properties, sources[i]));
	add_trigger(f, type, source, at_map(event.value));
}

static void add_events(struct cfn_function *f)
{
	struct fn_from events = cfn_property(f, "Events");
	for (size_t i = 0; f->is_sam && events.value.kind == CEL_MAP && i < events.value.map->len; i++)
		add_event(f, fn_field(f->doc, events, fn_key(events.value, i)));
}

/* ---- uses ---- */

#define WALK_DEPTH_MAX BH_YAML_DEPTH_MAX
#define WALKED_MAX 50000000u /* of one template: each function that nothing calls looks through all of it */

/* Is there a Ref, GetAtt or Sub of the function in the value? */
static bool mentions(struct fn_template *t, struct cel_value v, struct bh_slice id, unsigned depth)
{
	bool found = false;
	t->walked++;
	if (v.kind == CEL_STRING)
		return bh_slice_eq(v.text, id) || bh_slice_eq(fn_resource_in(v.text), id)
		       || (v.text.len > id.len && bh_slice_starts(v.text, id) && v.text.ptr[id.len] == '.');
	if (depth >= WALK_DEPTH_MAX || t->walked > WALKED_MAX)
		return false;
	for (size_t i = 0; !found && v.kind == CEL_LIST && i < v.list->len; i++)
		found = mentions(t, v.list->items[i], id, depth + 1);
	for (size_t i = 0; !found && v.kind == CEL_MAP && i < v.map->len; i++)
		found = mentions(t, v.map->entries[i].value, id, depth + 1);
	return found;
}

/* Logs, alarms and versions are about a function and call none. */
static bool is_use(struct bh_slice type)
{
	static const char *const others[] = { "AWS::Logs::LogGroup", "AWS::CloudWatch::Alarm", "AWS::Lambda::Version", "AWS::Lambda::EventInvokeConfig",
					      "AWS::CloudWatch::Dashboard", NULL };
	return !bh_slice_is_one_of(type, others);
}

static struct cel_value is_mentioned(struct cfn_function *f)
{
	struct fn_template *t = f->doc->format;
	bool found = mentions(t, kube_get(f->doc->root, "Outputs"), f->id, 0);
	for (size_t i = 0; !found && i < t->n; i++)
		if (!bh_slice_eq(t->list[i].id, f->id) && is_use(t->list[i].type))
			found = mentions(t, kube_get(cfn_resource(f->doc, t->list[i].id).value, "Properties"), f->id, 0);
	return !found && t->walked > WALKED_MAX ? cel_unknown() : cel_bool(found);
}

void cfn_events(struct cfn_function *f)
{
	add_urls(f);
	add_events(f);
	add_gateway_methods(f);
	add_permissions(f);
	add_sources(f);
	add_aliases(f);
	fn_set(&f->spec, "routes", fn_list_end(&f->routes));
	fn_set(&f->spec, "permissions", fn_list_end(&f->permissions));
	fn_set(&f->spec, "triggers", fn_list_end(&f->triggers));
	fn_set(&f->spec, "isUsed", f->is_used ? cel_bool(true) : is_mentioned(f));
}
