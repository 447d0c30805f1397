/* cloudformation_role.c: what a function's role may do, by the policies in the template, and which other functions have it. */
#include "serverless/cloudformation.h"

struct role {
	struct cfn_function *f;
	struct fn_map map;
	struct fn_list statements, managed;
};

static void add_document(struct role *r, struct fn_from document)
{
	if (document.value.kind == CEL_UNKNOWN)
		fn_add(&r->statements, document.value);
	else
		fn_statements(r->f->doc, fn_path(r->f->doc, document, "Statement"), &r->statements);
}

/* Policies: [{PolicyName, PolicyDocument}] of a role. */
static void add_inline(struct role *r, struct cel_value policies)
{
	for (size_t i = 0; i < fn_len(policies); i++) {
		struct fn_from policy = { .value = fn_item(r->f->doc, policies, i) };
		add_document(r, fn_path(r->f->doc, policy, "PolicyDocument"));
	}
}

static void add_managed(struct role *r, struct cel_value arns)
{
	struct cel_value texts = fn_texts(r->f->doc, arns);
	if (texts.kind == CEL_UNKNOWN)
		fn_add(&r->managed, texts);
	for (size_t i = 0; i < fn_len(texts); i++)
		fn_add(&r->managed, texts.list->items[i]);
}

static bool lists_role(struct fn_doc *doc, struct cel_value roles, struct bh_slice id)
{
	for (size_t i = 0; i < fn_len(roles); i++) {
		struct cel_value role = fn_item(doc, roles, i);
		if (role.kind == CEL_STRING && bh_slice_eq(fn_resource_in(role.text), id))
			return true;
	}
	return false;
}

/* Policies that are resources of their own and name the role. */
static void add_attached(struct role *r, struct bh_slice role)
{
	static const char *const types[] = { "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy" };
	struct fn_doc *doc = r->f->doc;
	struct bh_slice id;
	struct fn_from properties;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (size_t at = 0; cfn_next(doc, types[i], &at, &id, &properties);) {
			struct cel_value roles = fn_texts(doc, fn_first(fn_path(doc, properties, "Roles"), fn_path(doc, properties, "RoleName")).value);
			if (lists_role(doc, roles, role))
				add_document(r, fn_path(doc, properties, "PolicyDocument"));
		}
}

/* The role's managed policies may be resources of the template, too: their statements count. */
static void add_own_managed(struct role *r)
{
	struct fn_doc *doc = r->f->doc;
	for (size_t i = 0; i < r->managed.n; i++) {
		struct bh_slice id = r->managed.items[i].kind == CEL_STRING ? fn_resource_in(r->managed.items[i].text) : (struct bh_slice){ 0 };
		struct fn_from policy = cfn_resource(doc, id);
		if (fn_has(policy))
			add_document(r, fn_path(doc, policy, "Properties.PolicyDocument"));
	}
}

static void add_role(struct role *r, struct fn_from role)
{
	struct fn_doc *doc = r->f->doc;
	struct bh_slice id = role.value.kind == CEL_STRING ? fn_resource_in(role.value.text) : (struct bh_slice){ 0 };
	struct fn_from resource = cfn_resource(doc, id);
	if (!fn_has(resource)) { /* a role of somebody else's: what it may do stands elsewhere */
		fn_put_as(&r->map, "statements", cel_unknown(), role);
		return;
	}
	add_inline(r, fn_path(doc, resource, "Properties.Policies").value);
	add_managed(r, fn_path(doc, resource, "Properties.ManagedPolicyArns").value);
	add_attached(r, id);
	add_own_managed(r);
}

/* Does a parameter of a policy template say "all"? */
static bool is_given_all(struct fn_doc *doc, struct fn_from parameters)
{
	for (size_t i = 0; i < fn_len(parameters.value); i++)
		if (fn_is_text(fn_field(doc, parameters, fn_key(parameters.value, i)), "*"))
			return true;
	return false;
}

static void add_for_all(struct role *r, struct bh_slice actions, struct fn_from place)
{
	struct fn_doc *doc = r->f->doc;
	struct fn_map map = fn_map_at(doc, place);
	struct fn_list list = { .doc = doc }, all = { .doc = doc };
	struct bh_slice action;
	while (actions.len) {
		(void)bh_slice_cut(actions, ' ', &action, &actions);
		fn_add(&list, cel_string(action));
	}
	fn_add(&all, cel_string(BH_SLICE_LIT("*")));
	fn_put_as(&map, "effect", cel_string(BH_SLICE_LIT("Allow")), place);
	fn_put_as(&map, "actions", fn_list_end(&list), place);
	fn_put_as(&map, "resources", fn_list_end(&all), place);
	fn_add(&r->statements, fn_map_end(&map));
}

/* {S3CrudPolicy: {BucketName: ...}} */
static void add_sam_template(struct role *r, struct fn_from policy)
{
	static const struct {
		const char *name, *for_all;
	} templates[] = {
#define SAM_POLICY(name, for_all) { name, for_all },
#include "serverless/sam_policies.def"
#undef SAM_POLICY
	};
	struct fn_doc *doc = r->f->doc;
	struct bh_slice name = fn_key(policy.value, 0);
	struct fn_from parameters = fn_field(doc, policy, name);
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		if (!bh_slice_eq_str(name, templates[i].name))
			continue;
		if (templates[i].for_all[0])
			add_for_all(r, bh_slice_str(templates[i].for_all), parameters);
		if (is_given_all(doc, parameters))
			add_for_all(r, name, parameters);
		return;
	}
	fn_add(&r->statements, cel_unknown()); /* a template that is newer than the table, or none */
}

/* SAM's Policies: a name, an ARN, a document, a policy template, or a list of these. */
static void add_sam_policy(struct role *r, struct cel_value policy)
{
	struct fn_from from = { .value = policy, .map = policy.kind == CEL_MAP ? policy.map : NULL };
	if (policy.kind == CEL_STRING)
		fn_add(&r->managed, policy);
	else if (policy.kind == CEL_UNKNOWN)
		fn_add(&r->statements, policy);
	else if (fn_has(fn_path(r->f->doc, from, "Statement")))
		add_document(r, from);
	else if (fn_len(policy) == 1)
		add_sam_template(r, from);
}

static void add_sam_policies(struct role *r, struct cel_value policies)
{
	if (policies.kind != CEL_LIST)
		add_sam_policy(r, policies);
	for (size_t i = 0; policies.kind == CEL_LIST && i < policies.list->len; i++)
		add_sam_policy(r, fn_item(r->f->doc, policies, i));
}

/* Other functions of the template with the same role. */
static struct cel_value sharers(struct cfn_function *f, struct fn_from role)
{
	static const char *const types[] = { "AWS::Lambda::Function", "AWS::Serverless::Function" };
	struct fn_list out = { .doc = f->doc };
	struct bh_slice id;
	struct fn_from properties;
	for (size_t i = 0; role.value.kind == CEL_STRING && i < 2; i++)
		for (size_t at = 0; cfn_next(f->doc, types[i], &at, &id, &properties);) {
			struct cfn_function other = { .doc = f->doc, .properties = properties, .globals = i ? f->globals : (struct fn_from){ .map = NULL } };
			struct cel_value theirs = cfn_property(&other, "Role").value;
			if (!bh_slice_eq(id, f->id) && theirs.kind == CEL_STRING && bh_slice_eq(theirs.text, role.value.text))
				fn_add(&out, cel_string(id));
		}
	return fn_list_end(&out);
}

void cfn_role(struct cfn_function *f)
{
	struct fn_from role = cfn_property(f, "Role"), policies = cfn_property(f, "Policies");
	struct fn_from place = fn_has(role) ? role : fn_has(policies) ? policies : (struct fn_from){ .map = f->spec.whole.map };
	struct role r = { .f = f, .map = fn_map_at(f->doc, place), .statements.doc = f->doc, .managed.doc = f->doc };
	if (fn_has(role))
		add_role(&r, role);
	else if (f->is_sam && fn_has(policies))
		add_sam_policies(&r, policies.value);
	fn_put(&r.map, "name", role);
	fn_put_as(&r.map, "managedPolicies", fn_list_end(&r.managed), place);
	fn_put_as(&r.map, "statements", fn_list_end(&r.statements), place);
	fn_put_as(&r.map, "sharedWith", sharers(f, role), role);
	fn_put_as(&f->spec, "role", fn_map_end(&r.map), place);
}
