/* terraform_aws.c: aws_lambda_function and the resources around it (registry.terraform.io/providers/hashicorp/aws). */
#include "serverless/terraform.h"

struct function {
	struct fn_doc *doc;
	const struct tf_plan *plan;
	const struct tf_resource *r;
	struct fn_map spec;
	bool is_used;
};

static struct fn_from at_map(struct cel_value v)
{
	return (struct fn_from){ .value = v, .map = v.kind == CEL_MAP ? v.map : NULL };
}

static struct fn_from value(const struct function *f, const char *path)
{
	struct fn_from v = tf_value(f->doc, f->r, path);
	if (v.value.kind == CEL_STRING && v.value.text.len == 0) /* as the provider writes "not set" */
		v.value = cel_null();
	return v;
}

/* The object of a bucket that the plan itself puts there from a file, else its address. */
static struct fn_from bucket_key(const struct function *f)
{
	struct fn_from key = value(f, "s3_key");
	const struct tf_resource *r;
	static const char *const types[] = { "aws_s3_object", "aws_s3_bucket_object" };
	for (size_t i = 0; i < 2; i++)
		for (size_t at = 0; (r = tf_next(f->plan, types[i], &at));) {
			struct fn_from own = tf_value(f->doc, r, "key");
			bool same = own.value.kind == CEL_STRING && key.value.kind == CEL_STRING && bh_slice_eq(own.value.text, key.value.text);
			if (same && tf_value(f->doc, r, "source").value.kind == CEL_STRING)
				return tf_value(f->doc, r, "source");
		}
	if (key.value.kind == CEL_STRING)
		key.value = fn_text(f->doc, "s3://%.*s", BH_SLICE_FMT(key.value.text));
	return key;
}

static void put_settings(struct function *f)
{
	struct fn_doc *doc = f->doc;
	struct fn_from image = value(f, "image_uri"), at_once = value(f, "reserved_concurrent_executions");
	bool is_image = fn_has(image) || fn_is_text(value(f, "package_type"), "Image");
	fn_set(&f->spec, "packageType", cel_string(is_image ? BH_SLICE_LIT("Image") : BH_SLICE_LIT("Zip")));
	fn_put_whole(&f->spec, "image", image);
	if (!is_image)
		fn_put_runtime(&f->spec, "aws-lambda", value(f, "runtime"));
	fn_put(&f->spec, "codePath", value(f, "filename"));
	tf_put_code(doc, &f->spec, f->r->address, fn_first(value(f, "filename"), bucket_key(f)));
	fn_put_number(&f->spec, "timeoutSeconds", value(f, "timeout"));
	fn_set(&f->spec, "timeoutMaximumSeconds", cel_int(900));
	fn_put_number(&f->spec, "memoryMB", value(f, "memory_size"));
	fn_set(&f->spec, "memoryMaximumMB", cel_int(10240));
	if (!(at_once.value.kind == CEL_INT && at_once.value.integer < 0))
		fn_put_number(&f->spec, "concurrency", at_once);
	struct fn_from environment = value(f, "environment.0.variables");
	fn_put_as(&f->spec, "environment", fn_environment(doc, environment), environment);
	fn_put(&f->spec, "environmentKey", value(f, "kms_key_arn"));
	fn_put(&f->spec, "tracing", value(f, "tracing_config.0.mode"));
	fn_put(&f->spec, "codeSigning", value(f, "code_signing_config_arn"));
	struct fn_from layers = value(f, "layers");
	fn_put_as(&f->spec, "layers", fn_texts(doc, layers.value), layers);
}

static void put_failure_target(struct function *f)
{
	struct fn_from target = value(f, "dead_letter_config.0.target_arn");
	const struct tf_resource *r;
	for (size_t at = 0; !fn_has(target) && (r = tf_next(f->plan, "aws_lambda_function_event_invoke_config", &at));)
		if (tf_names(f->doc, r, "function_name", f->r))
			target = tf_value(f->doc, r, "destination_config.0.on_failure.0.destination");
	fn_put(&f->spec, "failureTarget", target);
}

static void put_logs(struct function *f)
{
	struct cel_value name = value(f, "function_name").value;
	const struct tf_resource *r;
	for (size_t at = 0; (r = tf_next(f->plan, "aws_cloudwatch_log_group", &at));) {
		struct cel_value group = tf_value(f->doc, r, "name").value;
		bool is_mine = tf_names(f->doc, r, "name", f->r);
		if (group.kind == CEL_STRING && name.kind == CEL_STRING && bh_slice_starts(group.text, BH_SLICE_LIT("/aws/lambda/")))
			is_mine |= bh_slice_eq(bh_slice_sub(group.text, 12, group.text.len), name.text);
		struct fn_from days = tf_value(f->doc, r, "retention_in_days");
		if (is_mine && !(days.value.kind == CEL_INT && days.value.integer == 0)) /* 0: for ever */
			fn_put_number(&f->spec, "logRetentionDays", days);
	}
}

/* ---- the role ---- */

static void add_policy(struct fn_doc *doc, struct fn_from text, struct fn_list *out)
{
	if (text.value.kind == CEL_UNKNOWN)
		fn_add(out, text.value);
	if (text.value.kind != CEL_STRING)
		return;
	struct fn_from document = { .value = fn_json(doc, text.value.text) };
	if (document.value.kind != CEL_MAP)
		fn_add(out, cel_unknown());
	fn_statements(doc, fn_path(doc, document, "Statement"), out);
}

static const struct tf_resource *role_of(const struct function *f)
{
	const struct tf_resource *r;
	for (size_t at = 0; (r = tf_next(f->plan, "aws_iam_role", &at));)
		if (tf_names(f->doc, f->r, "role", r))
			return r;
	return NULL;
}

static void add_attachments(struct function *f, const struct tf_resource *role, struct fn_list *statements, struct fn_list *managed)
{
	const struct tf_resource *r, *policy;
	for (size_t at = 0; (r = tf_next(f->plan, "aws_iam_role_policy_attachment", &at));) {
		if (!tf_names(f->doc, r, "role", role))
			continue;
		struct cel_value arn = tf_value(f->doc, r, "policy_arn").value;
		bool found = arn.kind == CEL_STRING;
		if (found)
			fn_add(managed, arn);
		for (size_t k = 0; (policy = tf_next(f->plan, "aws_iam_policy", &k));)
			if (tf_names(f->doc, r, "policy_arn", policy)) {
				add_policy(f->doc, tf_value(f->doc, policy, "policy"), statements);
				found = true;
			}
		if (!found)
			fn_add(managed, cel_unknown());
	}
}

static struct cel_value sharers(struct function *f)
{
	struct fn_list out = { .doc = f->doc };
	const struct tf_resource *r;
	struct cel_value mine = value(f, "role").value;
	for (size_t at = 0; (r = tf_next(f->plan, "aws_lambda_function", &at));) {
		struct cel_value theirs = tf_value(f->doc, r, "role").value;
		bool same = tf_same_reference(f->r, "role", r, "role") || (mine.kind == CEL_STRING && theirs.kind == CEL_STRING && bh_slice_eq(mine.text, theirs.text));
		if (r != f->r && same)
			fn_add(&out, cel_string(r->address));
	}
	return fn_list_end(&out);
}

static void put_role(struct function *f)
{
	struct fn_doc *doc = f->doc;
	struct fn_from place = { .map = f->spec.whole.map, .field = BH_SLICE_LIT("role") };
	struct fn_map map = fn_map_at(doc, place);
	struct fn_list statements = { .doc = doc }, managed = { .doc = doc };
	const struct tf_resource *role = role_of(f), *r;
	if (!role)
		fn_put_as(&map, "statements", cel_unknown(), place);
	for (size_t at = 0; role && (r = tf_next(f->plan, "aws_iam_role_policy", &at));)
		if (tf_names(doc, r, "role", role))
			add_policy(doc, tf_value(doc, r, "policy"), &statements);
	struct cel_value inline_policies = role ? tf_value(doc, role, "inline_policy").value : cel_null();
	for (size_t i = 0; i < fn_len(inline_policies) && inline_policies.kind == CEL_LIST; i++)
		add_policy(doc, fn_path(doc, at_map(inline_policies.list->items[i]), "policy"), &statements);
	struct cel_value arns = role ? fn_texts(doc, tf_value(doc, role, "managed_policy_arns").value) : cel_null();
	for (size_t i = 0; i < fn_len(arns); i++)
		fn_add(&managed, arns.list->items[i]);
	if (role)
		add_attachments(f, role, &statements, &managed);
	fn_put_as(&map, "statements", fn_list_end(&statements), place);
	fn_put_as(&map, "managedPolicies", fn_list_end(&managed), place);
	fn_put_as(&map, "sharedWith", sharers(f), place);
	fn_put_as(&f->spec, "role", fn_map_end(&map), place);
}

/* ---- who reaches it ---- */

static void add_route(struct function *f, struct fn_list *routes, const struct tf_resource *r, const char *kind, const char *auth, struct fn_from cors)
{
	struct fn_doc *doc = f->doc;
	struct fn_map map = fn_map_at(doc, at_map(r->values.value));
	struct fn_from how = tf_value(doc, r, auth);
	fn_set(&map, "kind", cel_string(bh_slice_str(kind)));
	fn_put_as(&map, "auth", fn_has(how) ? how.value : cel_string(BH_SLICE_LIT("NONE")), how);
	fn_set(&map, "needsApiKey", cel_bool(cel_is_true(tf_value(doc, r, "api_key_required").value)));
	fn_put(&map, "method", tf_value(doc, r, "http_method"));
	fn_put(&map, "path", tf_value(doc, r, "route_key"));
	fn_put_as(&map, "corsOrigins", fn_texts(doc, cors.value), cors);
	fn_add(routes, fn_map_end(&map));
	f->is_used = true;
}

static void add_rest_routes(struct function *f, struct fn_list *routes)
{
	const struct tf_resource *integration, *method;
	for (size_t at = 0; (integration = tf_next(f->plan, "aws_api_gateway_integration", &at));) {
		if (!tf_names(f->doc, integration, "uri", f->r))
			continue;
		for (size_t k = 0; (method = tf_next(f->plan, "aws_api_gateway_method", &k));)
			if (tf_same_reference(integration, "resource_id", method, "resource_id") || tf_names(f->doc, integration, "http_method", method))
				add_route(f, routes, method, "api", "authorization", (struct fn_from){ .value = cel_null() });
	}
}

static void add_http_routes(struct function *f, struct fn_list *routes)
{
	const struct tf_resource *integration, *route, *api;
	for (size_t at = 0; (integration = tf_next(f->plan, "aws_apigatewayv2_integration", &at));) {
		if (!tf_names(f->doc, integration, "integration_uri", f->r))
			continue;
		for (size_t k = 0; (route = tf_next(f->plan, "aws_apigatewayv2_route", &k));) {
			struct fn_from cors = { .value = cel_null() };
			if (!tf_names(f->doc, route, "target", integration))
				continue;
			for (size_t n = 0; (api = tf_next(f->plan, "aws_apigatewayv2_api", &n));)
				if (tf_names(f->doc, route, "api_id", api))
					cors = tf_value(f->doc, api, "cors_configuration.0.allow_origins");
			add_route(f, routes, route, "http-api", "authorization_type", cors);
		}
	}
}

static void put_routes(struct function *f)
{
	struct fn_list routes = { .doc = f->doc };
	const struct tf_resource *r;
	for (size_t at = 0; (r = tf_next(f->plan, "aws_lambda_function_url", &at));)
		if (tf_names(f->doc, r, "function_name", f->r))
			add_route(f, &routes, r, "url", "authorization_type", tf_value(f->doc, r, "cors.0.allow_origins"));
	add_rest_routes(f, &routes);
	add_http_routes(f, &routes);
	fn_set(&f->spec, "routes", fn_list_end(&routes));
}

static void put_permissions(struct function *f)
{
	static const struct {
		const char *name, *field;
	} fields[] = {
		{ "action", "action" }, { "principal", "principal" }, { "sourceArn", "source_arn" }, { "sourceAccount", "source_account" },
		{ "organization", "principal_org_id" }, { "urlAuth", "function_url_auth_type" }, { "token", "event_source_token" },
	};
	struct fn_list out = { .doc = f->doc };
	const struct tf_resource *r;
	for (size_t at = 0; (r = tf_next(f->plan, "aws_lambda_permission", &at));) {
		if (!tf_names(f->doc, r, "function_name", f->r))
			continue;
		struct fn_map map = fn_map_at(f->doc, at_map(r->values.value));
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
			struct fn_from v = tf_value(f->doc, r, fields[i].field);
			if (v.value.kind == CEL_UNKNOWN && tf_is_of_resources(r, fields[i].field)) /* an ARN that is not known yet is one all the same */
				v.value = cel_string(BH_SLICE_LIT("(known after apply)"));
			fn_put(&map, fields[i].name, v);
		}
		fn_add(&out, fn_map_end(&map));
		f->is_used = true;
	}
	fn_set(&f->spec, "permissions", fn_list_end(&out));
}

/* A version that the configuration has as a number; all others follow the code. */
static void put_aliases(struct function *f)
{
	struct fn_list out = { .doc = f->doc };
	const struct tf_resource *r;
	for (size_t at = 0; (r = tf_next(f->plan, "aws_lambda_alias", &at));) {
		if (!tf_names(f->doc, r, "function_name", f->r))
			continue;
		struct fn_map map = fn_map_at(f->doc, at_map(r->values.value));
		struct fn_from version = tf_value(f->doc, r, "function_version");
		if (tf_is_of_resources(r, "function_version"))
			version.value = cel_string(BH_SLICE_LIT("(that of a resource)"));
		fn_put(&map, "name", tf_value(f->doc, r, "name"));
		fn_put(&map, "version", version);
		fn_add(&out, fn_map_end(&map));
	}
	fn_set(&f->spec, "aliases", fn_list_end(&out));
}

/* Policies of the queues, topics and buckets that a trigger reads of. */
static struct cel_value source_statements(struct function *f, const struct tf_resource *mapping, const char *argument)
{
	static const struct {
		const char *source, *policy, *argument;
	} kinds[] = {
		{ "aws_sqs_queue", "aws_sqs_queue_policy", "queue_url" }, { "aws_sns_topic", "aws_sns_topic_policy", "arn" },
		{ "aws_s3_bucket", "aws_s3_bucket_policy", "bucket" },
	};
	struct fn_list out = { .doc = f->doc };
	const struct tf_resource *source, *policy;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (size_t at = 0; (source = tf_next(f->plan, kinds[i].source, &at));) {
			if (!tf_names(f->doc, mapping, argument, source))
				continue;
			add_policy(f->doc, tf_value(f->doc, source, "policy"), &out);
			for (size_t k = 0; (policy = tf_next(f->plan, kinds[i].policy, &k));)
				if (tf_names(f->doc, policy, kinds[i].argument, source))
					add_policy(f->doc, tf_value(f->doc, policy, "policy"), &out);
		}
	return fn_list_end(&out);
}

static void put_triggers(struct function *f)
{
	static const struct {
		const char *type, *function, *source;
	} kinds[] = {
		{ "aws_lambda_event_source_mapping", "function_name", "event_source_arn" }, { "aws_sns_topic_subscription", "endpoint", "topic_arn" },
		{ "aws_lambda_permission", "function_name", "source_arn" }, { "aws_cloudwatch_event_target", "arn", "rule" },
	};
	struct fn_list out = { .doc = f->doc };
	const struct tf_resource *r;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (size_t at = 0; (r = tf_next(f->plan, kinds[i].type, &at));) {
			if (!tf_names(f->doc, r, kinds[i].function, f->r))
				continue;
			struct fn_map map = fn_map_at(f->doc, at_map(r->values.value));
			fn_set(&map, "kind", cel_string(bh_slice_str(kinds[i].type)));
			fn_set(&map, "statements", source_statements(f, r, kinds[i].source));
			fn_add(&out, fn_map_end(&map));
			f->is_used = true;
		}
	fn_set(&f->spec, "triggers", fn_list_end(&out));
}

static bool opens_egress(struct cel_value egress)
{
	for (size_t i = 0; egress.kind == CEL_LIST && i < egress.list->len; i++) {
		struct cel_value rule = egress.list->items[i], blocks = kube_get(rule, "cidr_blocks");
		struct bh_slice protocol = kube_text(rule, "protocol");
		for (size_t k = 0; k < fn_len(blocks); k++)
			if ((bh_slice_eq_str(protocol, "-1") || bh_slice_eq_str(protocol, "all")) && blocks.list->items[k].kind == CEL_STRING
			    && bh_slice_eq_str(blocks.list->items[k].text, "0.0.0.0/0"))
				return true;
	}
	return false;
}

static void put_network(struct function *f)
{
	struct fn_from vpc = value(f, "vpc_config.0");
	struct cel_value references = kube_get(f->r->expressions, "vpc_config"), open = cel_unknown();
	const struct tf_resource *r;
	if (vpc.value.kind != CEL_MAP)
		return;
	references = kube_path(fn_item(f->doc, references, 0), "security_group_ids.references");
	for (size_t at = 0; (r = tf_next(f->plan, "aws_security_group", &at));)
		for (size_t i = 0; i < fn_len(references); i++) {
			struct bh_slice text = references.list->items[i].kind == CEL_STRING ? references.list->items[i].text : (struct bh_slice){ 0 }, type, name;
			(void)bh_slice_cut(text, '.', &type, &name);
			(void)bh_slice_cut(name, '.', &name, &text);
			struct cel_value egress = tf_value(f->doc, r, "egress").value;
			if (bh_slice_eq(r->module, f->r->module) && bh_slice_eq(name, r->name) && egress.kind == CEL_LIST && !cel_is_true(open))
				open = cel_bool(opens_egress(egress));
		}
	fn_put_as(&f->spec, "openEgress", open, vpc);
}

static void read_function(struct fn_doc *doc, const struct tf_plan *plan, const struct tf_resource *r)
{
	struct function f = { .doc = doc, .plan = plan, .r = r, .spec = fn_map_at(doc, at_map(r->values.value)) };
	fn_set(&f.spec, "platform", cel_string(BH_SLICE_LIT("aws-lambda")));
	fn_set(&f.spec, "format", cel_string(BH_SLICE_LIT("terraform")));
	put_settings(&f);
	put_failure_target(&f);
	put_logs(&f);
	put_network(&f);
	put_role(&f);
	put_routes(&f);
	put_permissions(&f);
	put_aliases(&f);
	put_triggers(&f);
	/* Whoever else calls it stands in other plans: what is not used in this one may be used there. */
	fn_set(&f.spec, "isUsed", f.is_used ? cel_bool(true) : cel_unknown());
	fn_finish(&f.spec, r->address, (struct bh_slice){ 0 }, at_map(r->values.value));
}

void tf_read_aws(struct fn_doc *doc, const struct tf_plan *plan)
{
	const struct tf_resource *r;
	for (size_t at = 0; (r = tf_next(plan, "aws_lambda_function", &at));)
		read_function(doc, plan, r);
}
