#include "kube/workload.h"

#include "kube/selector.h"

#include <stdlib.h>

static bool is_group(const struct kube_object *o, const char *group)
{
	return bh_slice_eq_str(o->group, group) || (strcmp(group, "apps") == 0 && bh_slice_eq_str(o->group, "extensions"));
}

struct cel_value kube_pod_of(const struct kube_object *o)
{
	static const char *const apps[] = { "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", NULL };
	if (bh_slice_eq_str(o->kind, "Pod") && o->group.len == 0)
		return o->value;
	if ((bh_slice_is_one_of(o->kind, apps) && is_group(o, "apps")) || (bh_slice_eq_str(o->kind, "ReplicationController") && o->group.len == 0)
	    || (bh_slice_eq_str(o->kind, "Job") && is_group(o, "batch")))
		return kube_path(o->value, "spec.template");
	if (bh_slice_eq_str(o->kind, "CronJob") && is_group(o, "batch"))
		return kube_path(o->value, "spec.jobTemplate.spec.template");
	return cel_null();
}

/* An empty selector leads nowhere: its endpoints are somebody's own. */
bool kube_service_selects(const struct kube_object *service, const struct kube_workload *w)
{
	struct cel_value selector = kube_path(service->value, "spec.selector");
	struct cel_entry entry = { cel_string(BH_SLICE_LIT("matchLabels")), selector };
	const struct cel_map map = { .len = 1, .entries = &entry };
	const struct cel_value match = { .kind = CEL_MAP, .map = &map };
	return selector.kind == CEL_MAP && selector.map->len && bh_slice_eq(w->namespace, kube_namespace(service)) && kube_selects(match, w->labels);
}

static struct cel_value owner_of(const struct kube_object *o)
{
	struct cel_value owners = kube_path(o->value, "metadata.ownerReferences");
	return owners.kind == CEL_LIST && owners.list->len ? owners.list->items[0] : cel_null();
}

static void name_workload(struct kube_workload *w, const struct kube_object *o)
{
	struct cel_value owner = bh_slice_eq_str(o->kind, "Pod") ? owner_of(o) : cel_null();
	w->namespace = kube_namespace(o);
	w->name = o->name;
	w->kind = kube_shown_kind(o);
	if (kube_text(owner, "name").len) {
		w->name = kube_text(owner, "name");
		w->kind = kube_text(owner, "kind").len ? kube_text(owner, "kind") : o->kind;
	}
}

static int compare(const void *x, const void *y)
{
	const struct kube_workload *a = x, *b = y;
	int c = bh_slice_cmp(a->namespace, b->namespace);
	c = c ? c : bh_slice_cmp(a->name, b->name);
	c = c ? c : bh_slice_cmp(a->kind, b->kind);
	return c ? c : (a->object > b->object) - (a->object < b->object);
}

static bool same_name(const struct kube_workload *a, const struct kube_workload *b)
{
	return bh_slice_eq(a->namespace, b->namespace) && bh_slice_eq(a->name, b->name) && bh_slice_eq(a->kind, b->kind);
}

int kube_workloads(const struct kube_object_vec *all, struct kube_workload_vec *out, struct bh_err *err)
{
	for (size_t i = 0; i < all->len; i++) {
		struct cel_value pod = kube_pod_of(&all->ptr[i]);
		struct kube_workload w = { .object = &all->ptr[i], .labels = kube_path(pod, "metadata.labels"), .spec = kube_get(pod, "spec") };
		if (pod.kind != CEL_MAP || all->ptr[i].is_partial)
			continue;
		name_workload(&w, &all->ptr[i]);
		if (!kube_workload_vec_push(out, w))
			return bh_fail(err, BH_ELIMIT, 0, "more than %u workloads", KUBE_WORKLOADS_MAX);
	}
	size_t n = 0;
	if (out->len)
		qsort(out->ptr, out->len, sizeof(*out->ptr), compare);
	for (size_t i = 0; i < out->len; i++)
		if (n == 0 || !same_name(&out->ptr[n - 1], &out->ptr[i]))
			out->ptr[n++] = out->ptr[i];
	out->len = n;
	return 0;
}
