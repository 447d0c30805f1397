#include "kube/request.h"

struct fields {
	struct bh_arena *arena;
	struct cel_entry *list;
	size_t n, cap;
};

static void set(struct fields *f, const char *name, struct cel_value v)
{
	if (f->list && f->n < f->cap)
		f->list[f->n++] = (struct cel_entry){ cel_string(bh_slice_str(name)), v };
}

static struct fields fields_of(struct bh_arena *arena, size_t cap)
{
	return (struct fields){ .arena = arena, .list = bh_arena_array(arena, cap, sizeof(struct cel_entry)), .cap = cap };
}

static struct cel_value close_fields(struct fields *f)
{
	return f->list ? cel_map_of(f->arena, f->list, f->n) : cel_error("memory limit exceeded");
}

static struct cel_value group_of(struct bh_arena *arena, struct bh_slice group, struct bh_slice version, const char *last, struct bh_slice value)
{
	struct fields f = fields_of(arena, 3);
	set(&f, "group", cel_string(group));
	set(&f, "version", cel_string(version));
	set(&f, last, cel_string(value));
	return close_fields(&f);
}

static struct cel_value request_value(const struct kube_request *r, struct bh_arena *arena)
{
	struct fields f = fields_of(arena, 12);
	struct cel_value kind = group_of(arena, r->group, r->version, "kind", r->kind);
	struct cel_value resource = group_of(arena, r->group, r->version, "resource", r->resource.plural);
	set(&f, "kind", kind);
	set(&f, "requestKind", kind);
	set(&f, "resource", resource);
	set(&f, "requestResource", resource);
	set(&f, "subResource", cel_string(r->subresource));
	set(&f, "requestSubResource", cel_string(r->subresource));
	set(&f, "name", cel_string(r->name));
	set(&f, "namespace", cel_string(r->namespace));
	set(&f, "operation", cel_string(r->operation));
	set(&f, "userInfo", cel_unknown());
	set(&f, "dryRun", cel_bool(false));
	set(&f, "options", cel_null());
	return cel_is_known(kind) && cel_is_known(resource) ? close_fields(&f) : cel_error("memory limit exceeded");
}

bool kube_request_create(const struct kube_object *o, const struct kube_world *world, struct bh_arena *arena, struct kube_request *ret)
{
	*ret = (struct kube_request){
		.object = o->value,
		.old_object = cel_null(),
		.namespace_object = cel_null(),
		.operation = BH_SLICE_LIT("CREATE"),
		.name = o->name,
		.group = o->group,
		.version = o->version,
		.kind = o->kind,
	};
	if (!kube_resource_of(o, arena, &ret->resource))
		return false;
	if (ret->resource.is_namespaced) {
		ret->namespace = kube_namespace(o);
		const struct kube_object *namespace = kube_world_namespace(world, ret->namespace);
		ret->namespace_object = namespace ? namespace->value : cel_unknown();
	}
	if (bh_slice_eq_str(ret->resource.plural, "namespaces"))
		ret->namespace = o->name; /* as the API server fills it in */
	ret->value = request_value(ret, arena);
	return cel_is_known(ret->value);
}

int kube_request_of_review(struct cel_value review, struct kube_request *ret, struct bh_err *err)
{
	struct cel_value r = kube_get(review, "request").kind == CEL_MAP ? kube_get(review, "request") : review;
	static const char *const operations[] = { "CREATE", "UPDATE", "DELETE", "CONNECT", NULL };
	*ret = (struct kube_request){
		.value = r,
		.object = kube_get(r, "object"),
		.old_object = kube_get(r, "oldObject"),
		.operation = kube_text(r, "operation"),
		.name = kube_text(r, "name"),
		.namespace = kube_text(r, "namespace"),
		.subresource = kube_text(r, "subResource"),
		.group = kube_text(r, "kind.group"),
		.version = kube_text(r, "kind.version"),
		.kind = kube_text(r, "kind.kind"),
		.resource = { .group = kube_text(r, "resource.group"), .version = kube_text(r, "resource.version"), .plural = kube_text(r, "resource.resource") },
	};
	if (!bh_slice_is_one_of(ret->operation, operations))
		return bh_fail(err, BH_EMALFORMED, 0, "no AdmissionReview: request.operation is none of CREATE, UPDATE, DELETE, CONNECT");
	if (ret->resource.plural.len == 0 || ret->kind.len == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "no AdmissionReview: request.resource or request.kind is missing");
	ret->resource.is_namespaced = ret->namespace.len > 0 && !bh_slice_eq_str(ret->resource.plural, "namespaces");
	ret->namespace_object = ret->resource.is_namespaced ? cel_unknown() : cel_null();
	return 0;
}
