/*
 * cloudformation.c: templates of CloudFormation and SAM (docs.aws.amazon.com, "Template reference"; github.com/aws/serverless-application-model,
 * versions/2016-10-31.md): AWS::Lambda::Function and AWS::Serverless::Function with what other resources say about them.
 */
#include "serverless/cloudformation.h"

#include "serverless/code.h"
#include "serverless/format.h"

/* A template has resources, and no kind. Resources that are no types of AWS are somebody else's. */
static bool knows(const struct bh_yaml_node *root)
{
	const struct bh_yaml_node *resources = bh_yaml_get(root, "Resources"), *name, *resource;
	if (bh_yaml_get(root, "kind") || !bh_yaml_is(resources, BH_YAML_MAPPING))
		return false;
	if (bh_yaml_get(root, "AWSTemplateFormatVersion") || bh_yaml_get(root, "Transform"))
		return true;
	return bh_yaml_pair(resources, 0, &name, &resource) && bh_slice_find(bh_yaml_str(bh_yaml_get(resource, "Type")), ':') < bh_yaml_str(bh_yaml_get(resource, "Type")).len;
}

static struct fn_from resources_of(struct fn_doc *doc)
{
	return fn_path(doc, fn_root(doc), "Resources");
}

bool cfn_next(struct fn_doc *doc, const char *type, size_t *at, struct bh_slice *ret_id, struct fn_from *ret_properties)
{
	const struct fn_template *t = doc->format;
	for (; *at < t->n; ++*at) {
		if (!bh_slice_eq_str(t->list[*at].type, type))
			continue;
		*ret_id = t->list[*at].id;
		*ret_properties = fn_path(doc, fn_field(doc, resources_of(doc), *ret_id), "Properties");
		++*at;
		return true;
	}
	return false;
}

/* The types once for all: each function asks for many. */
static void list_resources(struct fn_doc *doc, struct fn_template *t)
{
	t->list = bh_arena_array(doc->arena, fn_len(t->resources) + 1, sizeof(*t->list));
	doc->failed = !t->list;
	for (size_t i = 0; t->list && t->resources.kind == CEL_MAP && i < t->resources.map->len; i++) {
		struct cel_value resource = t->resources.map->entries[i].value;
		struct bh_slice condition = kube_text(resource, "Condition");
		if (condition.len && fn_condition(doc, condition) == FN_FALSE)
			continue;
		t->list[t->n++] = (struct fn_resource){ kube_text(resource, "Type"), fn_key(t->resources, i) };
	}
}

struct fn_from cfn_resource(struct fn_doc *doc, struct bh_slice id)
{
	return fn_field(doc, resources_of(doc), id);
}

static bool text_names(struct bh_slice text, const struct cfn_function *f, struct cel_value own_name)
{
	if (bh_slice_eq(fn_resource_in(text), f->id) || bh_slice_eq(text, f->id))
		return true;
	return own_name.kind == CEL_STRING && own_name.text.len && bh_slice_eq(text, own_name.text);
}

bool cfn_names(struct fn_doc *doc, struct cel_value v, const struct cfn_function *f)
{
	struct cel_value own_name = fn_path(doc, f->properties, "FunctionName").value;
	for (size_t i = 0; v.kind == CEL_LIST && i < v.list->len; i++) {
		struct cel_value item = fn_item(doc, v, i);
		if (item.kind == CEL_STRING && text_names(item.text, f, own_name))
			return true;
	}
	return v.kind == CEL_STRING && text_names(v.text, f, own_name);
}

struct fn_from cfn_property(const struct cfn_function *f, const char *path)
{
	struct fn_from own = fn_path(f->doc, f->properties, path);
	return fn_has(own) ? own : fn_path(f->doc, f->globals, path);
}

/* ---- the parts of a function ---- */

static void put_limits(struct cfn_function *f)
{
	struct fn_from timeout = cfn_property(f, "Timeout"), memory = cfn_property(f, "MemorySize");
	fn_put_number(&f->spec, "timeoutSeconds", timeout);
	fn_set(&f->spec, "timeoutMaximumSeconds", cel_int(900));
	fn_put_number(&f->spec, "memoryMB", memory);
	fn_set(&f->spec, "memoryMaximumMB", cel_int(10240));
	fn_put_number(&f->spec, "concurrency", cfn_property(f, "ReservedConcurrentExecutions"));
}

/* The template's common variables and the function's own, which win. */
static void put_environment(struct cfn_function *f)
{
	struct fn_from own = fn_path(f->doc, f->properties, "Environment.Variables"), all = fn_path(f->doc, f->globals, "Environment.Variables");
	fn_put_as(&f->spec, "environment", fn_environment(f->doc, own), own);
	if (fn_has(all))
		fn_put_as(&f->spec, fn_has(own) ? "globalEnvironment" : "environment", fn_environment(f->doc, all), all);
	fn_put(&f->spec, "environmentKey", cfn_property(f, "KmsKeyArn"));
}

/* {S3Bucket, S3Key} and SAM's {Bucket, Key} lie in a bucket; a text is a path, until `aws cloudformation package` puts a bucket's in its place. */
static void read_path(struct cfn_function *f, struct fn_code *code, struct fn_from at)
{
	struct fn_from key = fn_first(fn_path(f->doc, at, "S3Key"), fn_path(f->doc, at, "Key"));
	if (at.value.kind == CEL_MAP && fn_has(key))
		fn_code_missing(code, key, "not read: it lies elsewhere, in a bucket");
	else if (at.value.kind != CEL_MAP && !fn_code_path(code, at, cel_null()))
		fn_code_missing(code, at, "not read: %.*s is not there", at.value.kind == CEL_STRING ? (int)(at.value.text.len > 200 ? 200 : at.value.text.len) : 0,
				at.value.kind == CEL_STRING ? (const char *)at.value.text.ptr : "");
}

/* Of the layers those that the template holds; what an ARN names is somebody else's. */
static void read_code(struct cfn_function *f, struct cel_value layers)
{
	struct fn_doc *doc = f->doc;
	struct fn_code code = fn_code_of(doc, f->id);
	struct fn_from text = fn_first(fn_path(doc, f->properties, "Code.ZipFile"), fn_path(doc, f->properties, "InlineCode"));
	struct fn_from path = f->is_sam ? cfn_property(f, "CodeUri") : fn_path(doc, f->properties, "Code");
	if (path.value.kind == CEL_STRING)
		fn_put(&f->spec, "codePath", path);
	if (fn_has(text))
		fn_code_text(&code, text, cfn_property(f, "Runtime"));
	else
		read_path(f, &code, path);
	for (size_t i = 0; i < fn_len(layers) && layers.kind == CEL_LIST; i++) {
		struct cel_value layer = layers.list->items[i];
		struct fn_from resource = cfn_resource(doc, layer.kind == CEL_STRING ? fn_resource_in(layer.text) : (struct bh_slice){ 0 });
		read_path(f, &code, fn_first(fn_path(doc, resource, "Properties.ContentUri"), fn_path(doc, resource, "Properties.Content")));
	}
	fn_code_put(&code, &f->spec);
}

static void put_code(struct cfn_function *f)
{
	struct fn_from image = fn_first(fn_path(f->doc, f->properties, "ImageUri"), fn_path(f->doc, f->properties, "Code.ImageUri"));
	bool is_image = fn_has(image) || fn_is_text(cfn_property(f, "PackageType"), "Image");
	fn_set(&f->spec, "packageType", cel_string(is_image ? BH_SLICE_LIT("Image") : BH_SLICE_LIT("Zip")));
	if (image.value.kind == CEL_STRING || image.value.kind == CEL_UNKNOWN)
		fn_put_whole(&f->spec, "image", image);
	if (!is_image)
		fn_put_runtime(&f->spec, "aws-lambda", cfn_property(f, "Runtime"));
	struct fn_from layers = cfn_property(f, "Layers");
	fn_put_as(&f->spec, "layers", fn_texts(f->doc, layers.value), layers);
	if (!is_image)
		read_code(f, fn_texts(f->doc, layers.value));
	fn_put(&f->spec, "codeSigning", cfn_property(f, "CodeSigningConfigArn"));
}

/* A destination of failed events: on the function, of its own asynchronous configuration, or as a resource. */
static struct fn_from failure_target(struct cfn_function *f)
{
	struct fn_doc *doc = f->doc;
	struct fn_from found = fn_first(cfn_property(f, "DeadLetterConfig.TargetArn"), cfn_property(f, "DeadLetterQueue.TargetArn")), properties;
	found = fn_first(found, cfn_property(f, "EventInvokeConfig.DestinationConfig.OnFailure"));
	struct bh_slice id;
	for (size_t at = 0; !fn_has(found) && cfn_next(doc, "AWS::Lambda::EventInvokeConfig", &at, &id, &properties);)
		if (cfn_names(doc, fn_path(doc, properties, "FunctionName").value, f))
			found = fn_path(doc, properties, "DestinationConfig.OnFailure");
	return found;
}

static void put_observability(struct cfn_function *f)
{
	struct fn_doc *doc = f->doc;
	struct fn_from tracing = fn_first(cfn_property(f, "TracingConfig.Mode"), cfn_property(f, "Tracing")), properties;
	fn_put(&f->spec, "tracing", tracing);
	struct fn_from group = cfn_property(f, "LoggingConfig.LogGroup");
	struct bh_slice id;
	for (size_t at = 0; cfn_next(doc, "AWS::Logs::LogGroup", &at, &id, &properties);) {
		struct fn_from name = fn_path(doc, properties, "LogGroupName");
		bool is_mine = name.value.kind == CEL_STRING && cfn_names(doc, name.value, f);
		struct cel_value own = fn_path(doc, f->properties, "FunctionName").value;
		if (!is_mine && own.kind == CEL_STRING && name.value.kind == CEL_STRING)
			is_mine = bh_slice_starts(name.value.text, BH_SLICE_LIT("/aws/lambda/")) && bh_slice_eq(bh_slice_sub(name.value.text, 12, name.value.text.len), own.text);
		is_mine |= group.value.kind == CEL_STRING && bh_slice_eq(fn_resource_in(group.value.text), id);
		if (is_mine)
			fn_put_number(&f->spec, "logRetentionDays", fn_path(doc, properties, "RetentionInDays"));
	}
	if (group.value.kind == CEL_STRING && fn_resource_in(group.value.text).len == 0)
		fn_put_as(&f->spec, "logRetentionDays", cel_unknown(), group); /* a log group of somebody else's */
	struct fn_from target = failure_target(f);
	if (fn_has(target))
		fn_put_as(&f->spec, "failureTarget", target.value.kind == CEL_STRING ? target.value : cel_bool(true), target);
}

static bool is_world(struct cel_value v)
{
	return v.kind == CEL_STRING && (bh_slice_eq_str(v.text, "0.0.0.0/0") || bh_slice_eq_str(v.text, "::/0"));
}

/* A security group that says nothing about egress allows all of it. */
static struct cel_value opens_egress(struct fn_doc *doc, struct fn_from group)
{
	struct cel_value rules = fn_path(doc, group, "Properties.SecurityGroupEgress").value;
	if (rules.kind == CEL_UNKNOWN)
		return rules;
	if (rules.kind != CEL_LIST)
		return cel_bool(true);
	for (size_t i = 0; i < rules.list->len; i++) {
		struct fn_from rule = { .value = fn_item(doc, rules, i) };
		struct cel_value protocol = fn_path(doc, rule, "IpProtocol").value;
		bool all = (protocol.kind == CEL_STRING && bh_slice_eq_str(protocol.text, "-1")) || (protocol.kind == CEL_INT && protocol.integer == -1);
		if (all && (is_world(fn_path(doc, rule, "CidrIp").value) || is_world(fn_path(doc, rule, "CidrIpv6").value)))
			return cel_bool(true);
	}
	return cel_bool(false);
}

static void put_network(struct cfn_function *f)
{
	struct fn_doc *doc = f->doc;
	struct fn_from vpc = cfn_property(f, "VpcConfig"), groups = cfn_property(f, "VpcConfig.SecurityGroupIds");
	struct cel_value names = fn_texts(doc, groups.value), open = cel_bool(false);
	if (!fn_has(vpc))
		return;
	for (size_t i = 0; i < fn_len(names) && !cel_is_true(open); i++) {
		struct bh_slice id = names.list->items[i].kind == CEL_STRING ? fn_resource_in(names.list->items[i].text) : (struct bh_slice){ 0 };
		struct fn_from group = cfn_resource(doc, id);
		struct cel_value one = fn_has(group) ? opens_egress(doc, group) : cel_unknown();
		open = cel_is_known(one) && !cel_is_true(one) ? open : one;
	}
	fn_put_as(&f->spec, "openEgress", names.kind == CEL_UNKNOWN ? names : open, fn_has(groups) ? groups : vpc);
}

static void read_function(struct fn_doc *doc, struct bh_slice id, struct fn_from properties, bool is_sam)
{
	const struct fn_template *t = doc->format;
	struct cfn_function f = { .doc = doc, .id = id, .properties = properties, .is_sam = is_sam, .resource = cfn_resource(doc, id) };
	if (is_sam)
		f.globals = (struct fn_from){ .value = kube_get(t->globals, "Function") };
	struct fn_from whole = { .value = f.resource.value, .map = f.resource.value.map };
	f.spec = fn_map_at(doc, properties.value.kind == CEL_MAP ? (struct fn_from){ .value = properties.value, .map = properties.value.map } : whole);
	f.routes.doc = f.permissions.doc = f.triggers.doc = doc;
	fn_set(&f.spec, "platform", cel_string(BH_SLICE_LIT("aws-lambda")));
	fn_set(&f.spec, "format", cel_string(is_sam ? BH_SLICE_LIT("sam") : BH_SLICE_LIT("cloudformation")));
	put_code(&f);
	put_limits(&f);
	put_environment(&f);
	put_observability(&f);
	put_network(&f);
	cfn_role(&f);
	cfn_events(&f);
	fn_finish(&f.spec, id, (struct bh_slice){ 0 }, whole);
}

static void read(struct fn_doc *doc)
{
	struct fn_template t = {
		.parameters = kube_get(doc->root, "Parameters"),
		.mappings = kube_get(doc->root, "Mappings"),
		.conditions = kube_get(doc->root, "Conditions"),
		.resources = kube_get(doc->root, "Resources"),
		.globals = kube_get(doc->root, "Globals"),
	};
	struct bh_slice id;
	struct fn_from properties;
	doc->format = &t;
	doc->resolve = fn_intrinsic;
	list_resources(doc, &t);
	for (size_t at = 0; cfn_next(doc, "AWS::Lambda::Function", &at, &id, &properties);)
		read_function(doc, id, properties, false);
	for (size_t at = 0; cfn_next(doc, "AWS::Serverless::Function", &at, &id, &properties);)
		read_function(doc, id, properties, true);
	doc->format = NULL;
}

const struct fn_format fn_format_cloudformation = { .knows = knows, .read = read };
