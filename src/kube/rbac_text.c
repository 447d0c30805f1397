#include "kube/rbac_text.h"

static void print_name(struct bh_buf *out, const char *kind, struct bh_slice namespace, struct bh_slice name)
{
	bh_buf_printf(out, "%s ", kind);
	if (namespace.len) {
		bh_buf_add(out, namespace);
		bh_buf_add_byte(out, '/');
	}
	bh_buf_add(out, name);
}

void rbac_print_role(struct bh_buf *out, const struct rbac_binding *b)
{
	bool is_cluster = bh_slice_eq_str(b->role_kind, "ClusterRole");
	struct bh_slice namespace = b->namespace;
	if (is_cluster)
		namespace = (struct bh_slice){ 0 };
	print_name(out, is_cluster ? "ClusterRole" : "Role", namespace, b->role_name);
}

void rbac_print_binding(struct bh_buf *out, const struct rbac_binding *b)
{
	print_name(out, b->namespace.len ? "RoleBinding" : "ClusterRoleBinding", b->namespace, b->name);
}

static void print_place(struct bh_buf *out, const struct kube_object *o, uint32_t line)
{
	if (!o) {
		bh_buf_add_str(out, "default");
		return;
	}
	bh_buf_add(out, o->file);
	bh_buf_printf(out, ":%u", line ? line : o->line);
}

void rbac_print_place(struct bh_buf *out, const struct rbac_rule *rule)
{
	print_place(out, rule ? rule->role->object : NULL, rule ? rule->line : 0);
}

void rbac_print_binding_place(struct bh_buf *out, const struct rbac_binding *b)
{
	print_place(out, b->object, 0);
}

void rbac_print_words(struct bh_buf *out, struct rbac_words words)
{
	for (size_t i = 0; i < words.n; i++) {
		bh_buf_add_str(out, i ? ", " : "");
		bh_buf_add(out, words.ptr[i]);
	}
}

void rbac_print_resource(struct bh_buf *out, struct bh_slice group, struct bh_slice resource)
{
	size_t slash = bh_slice_find(resource, '/');
	bh_buf_add(out, bh_slice_sub(resource, 0, slash));
	if (group.len) {
		bh_buf_add_byte(out, '.');
		bh_buf_add(out, group);
	}
	bh_buf_add(out, bh_slice_sub(resource, slash, resource.len));
}

void rbac_print_resources(struct bh_buf *out, const struct rbac_rule *rule)
{
	bool more = false;
	for (size_t g = 0; g < rule->groups.n && !out->failed; g++)
		for (size_t i = 0; i < rule->resources.n && !out->failed; i++) {
			bh_buf_add_str(out, more ? ", " : "");
			rbac_print_resource(out, rule->groups.ptr[g], rule->resources.ptr[i]);
			more = true;
		}
	bh_buf_add_str(out, more && rule->urls.n ? ", " : "");
	rbac_print_words(out, rule->urls);
}

void rbac_print_request(struct bh_buf *out, const struct rbac_request *q)
{
	bh_buf_add(out, q->verb);
	bh_buf_add_byte(out, ' ');
	if (q->is_url) {
		bh_buf_add(out, q->path);
		return;
	}
	rbac_print_resource(out, q->group, q->resource);
	if (q->subresource.len) {
		bh_buf_add_byte(out, '/');
		bh_buf_add(out, q->subresource);
	}
	if (q->namespace.len) {
		bh_buf_add_str(out, " in ");
		bh_buf_add(out, q->namespace);
	}
	if (q->name.len) {
		bh_buf_add_str(out, " named ");
		bh_buf_add(out, q->name);
	}
}
