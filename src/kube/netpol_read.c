/* netpol_read.c: objects to policies: which kinds there are, in which order they are asked, and the namespaces with their labels. */
#include "kube/netpol_model.h"

#include <stdio.h>
#include <stdlib.h>

#define SCRATCH_BYTES_MAX (64u << 20)
#define ARENA_BYTES_MAX (1024u << 20)
#define PEERS_MAX (KUBE_WORKLOADS_MAX + 2 * NETPOL_CUTS_MAX + 1)

int netpol_no_memory(struct netpol *n)
{
	return bh_fail(n->err, BH_ELIMIT, 0, "the network policies need more memory than there is for them");
}

/* ---- namespaces ---- */

/* Their own labels, and the one that every namespace has. */
static struct cel_value labels_of(struct netpol *n, struct bh_slice name, struct cel_value own)
{
	size_t len = own.kind == CEL_MAP ? own.map->len : 0, k = 0;
	struct cel_entry *list = bh_arena_array(&n->arena, len + 1, sizeof(*list));
	if (!list)
		return cel_null();
	for (size_t i = 0; i < len; i++)
		if (!bh_slice_eq_str(own.map->entries[i].key.text, "kubernetes.io/metadata.name"))
			list[k++] = own.map->entries[i];
	list[k++] = (struct cel_entry){ cel_string(BH_SLICE_LIT("kubernetes.io/metadata.name")), cel_string(name) };
	return cel_map_of(&n->arena, list, k);
}

/* By name; objects before mentions, in their order. */
static int compare_namespaces(const void *a, const void *b)
{
	const struct netpol_namespace *x = a, *y = b;
	int c = bh_slice_cmp(x->name, y->name);
	if (c == 0)
		c = (x->object == NULL) - (y->object == NULL);
	return c ? c : (x->object > y->object) - (x->object < y->object);
}

static int by_name_only(const void *a, const void *b)
{
	return bh_slice_cmp(((const struct netpol_namespace *)a)->name, ((const struct netpol_namespace *)b)->name);
}

const struct netpol_namespace *netpol_find_namespace(const struct netpol *n, struct bh_slice name)
{
	const struct netpol_namespace key = { .name = name };
	return n->namespaces.len ? bsearch(&key, n->namespaces.ptr, n->namespaces.len, sizeof(key), by_name_only) : NULL;
}

static int find_namespaces(struct netpol *n)
{
	struct netpol_namespace_vec *v = &n->namespaces;
	size_t kept = 0;
	for (size_t i = 0; i < n->all->len; i++) {
		const struct kube_object *o = &n->all->ptr[i];
		if (bh_slice_eq_str(o->kind, "Namespace") && o->group.len == 0 && !netpol_namespace_vec_push(v, (struct netpol_namespace){ .name = o->name, .object = o }))
			return netpol_no_memory(n);
	}
	for (size_t i = 0; i < n->workloads.len; i++)
		if (!netpol_namespace_vec_push(v, (struct netpol_namespace){ .name = n->workloads.ptr[i].namespace }))
			return netpol_no_memory(n);
	if (v->len)
		qsort(v->ptr, v->len, sizeof(*v->ptr), compare_namespaces);
	for (size_t i = 0; i < v->len; i++)
		if (kept == 0 || !bh_slice_eq(v->ptr[kept - 1].name, v->ptr[i].name))
			v->ptr[kept++] = v->ptr[i];
	v->len = kept;
	for (size_t i = 0, at = 0; i < v->len; i++) {
		struct netpol_namespace *ns = &v->ptr[i];
		/* Workloads are in the order of their namespaces' names, as these are. */
		ns->first = (uint32_t)at;
		while (at < n->workloads.len && bh_slice_eq(n->workloads.ptr[at].namespace, ns->name))
			at++;
		ns->workloads = (uint32_t)at - ns->first;
		ns->labels = labels_of(n, ns->name, ns->object ? kube_path(ns->object->value, "metadata.labels") : cel_null());
		if (ns->labels.kind != CEL_MAP)
			return netpol_no_memory(n);
	}
	return 0;
}

/* ---- policies ---- */

static bool has_type(const struct kube_object *o, enum netpol_direction d)
{
	struct cel_value types = kube_path(o->value, "spec.policyTypes");
	if (kube_length(types) == 0)
		return d == NETPOL_INGRESS || kube_length(kube_path(o->value, "spec.egress")) > 0;
	for (size_t i = 0; i < kube_length(types); i++)
		if (types.list->items[i].kind == CEL_STRING && bh_slice_eq_str(types.list->items[i].text, d == NETPOL_INGRESS ? "Ingress" : "Egress"))
			return true;
	return false;
}

static enum netpol_action action_of(struct cel_value rule)
{
	struct bh_slice text = kube_text(rule, "action");
	return bh_slice_eq_str(text, "Deny") ? NETPOL_DENY : bh_slice_eq_str(text, "Pass") ? NETPOL_PASS : NETPOL_ALLOW;
}

static int read_rules(struct netpol *n, struct netpol_policy *p, enum netpol_direction d)
{
	struct cel_value rules = kube_path(p->object->value, d == NETPOL_INGRESS ? "spec.ingress" : "spec.egress");
	struct netpol_rules *out = &p->rules[d];
	out->list = bh_arena_array(&n->arena, kube_length(rules) + 1, sizeof(*out->list));
	if (!out->list)
		return netpol_no_memory(n);
	out->n = kube_length(rules);
	for (size_t i = 0; i < out->n; i++) {
		struct cel_value rule = rules.list->items[i];
		out->list[i] = (struct netpol_rule){
			.action = p->api == NETPOL_API_V1 ? NETPOL_ALLOW : action_of(rule),
			.value = rule,
			.peers = kube_get(rule, d == NETPOL_INGRESS ? "from" : "to"),
			.ports = kube_get(rule, p->api == NETPOL_API_CLUSTER ? "protocols" : "ports"),
		};
	}
	return 0;
}

/* False: it is none. */
static bool policy_of(const struct kube_object *o, struct netpol_policy *ret)
{
	bool is_v1_group = bh_slice_eq_str(o->group, "networking.k8s.io") || bh_slice_eq_str(o->group, "extensions");
	struct cel_value priority = kube_path(o->value, "spec.priority");
	*ret = (struct netpol_policy){ .object = o, .decides = { true, true }, .priority = priority.kind == CEL_INT ? priority.integer : -1 };
	if (bh_slice_eq_str(o->kind, "NetworkPolicy") && is_v1_group && kube_get(o->value, "spec").kind == CEL_MAP) {
		ret->tier = NETPOL_POLICY;
		ret->priority = 0;
		ret->namespace = kube_namespace(o);
		ret->decides[NETPOL_INGRESS] = has_type(o, NETPOL_INGRESS);
		ret->decides[NETPOL_EGRESS] = has_type(o, NETPOL_EGRESS);
		return true;
	}
	if (!bh_slice_eq_str(o->group, "policy.networking.k8s.io"))
		return false;
	if (bh_slice_eq_str(o->kind, "ClusterNetworkPolicy")) {
		ret->api = NETPOL_API_CLUSTER;
		ret->tier = bh_slice_eq_str(kube_text(o->value, "spec.tier"), "Baseline") ? NETPOL_BASELINE : NETPOL_ADMIN;
		return true;
	}
	ret->api = NETPOL_API_ADMIN;
	ret->tier = bh_slice_eq_str(o->kind, "BaselineAdminNetworkPolicy") ? NETPOL_BASELINE : NETPOL_ADMIN;
	/* Of the two APIs the older one's baseline, which has no priority, comes last. */
	if (ret->tier == NETPOL_BASELINE)
		ret->priority = INT64_MAX;
	return bh_slice_eq_str(o->kind, "AdminNetworkPolicy") || ret->tier == NETPOL_BASELINE;
}

static int compare_policies(const void *a, const void *b)
{
	const struct netpol_policy *x = a, *y = b;
	if (x->tier != y->tier)
		return x->tier < y->tier ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->object > y->object) - (x->object < y->object);
}

static int check_order(struct netpol *n)
{
	int rc = 0;
	for (size_t i = 1; rc == 0 && i < n->policies.len; i++) {
		const struct netpol_policy *a = &n->policies.ptr[i - 1], *b = &n->policies.ptr[i];
		if (a->tier != b->tier || a->priority != b->priority || a->tier == NETPOL_POLICY)
			continue;
		if (b->api == NETPOL_API_ADMIN && b->tier == NETPOL_BASELINE)
			return bh_fail(n->err, BH_EMALFORMED, 0, "%.*s:%u: BaselineAdminNetworkPolicy %.*s: only one BaselineAdminNetworkPolicy may be there",
				       BH_SLICE_FMT(b->object->file), b->object->line, BH_SLICE_FMT(b->object->name));
		rc = kube_say_gap(n->asked, b->object->file, b->object->line,
				  BH_SLICE_LIT("two policies of a tier have the same priority: which comes first is undefined"), n->err);
	}
	return rc;
}

static int read_policies(struct netpol *n)
{
	for (size_t i = 0; i < n->all->len; i++) {
		struct netpol_policy p;
		if (!policy_of(&n->all->ptr[i], &p))
			continue;
		int rc = read_rules(n, &p, NETPOL_INGRESS);
		rc = rc < 0 ? rc : read_rules(n, &p, NETPOL_EGRESS);
		rc = rc < 0 ? rc : netpol_check(n, &p);
		if (rc < 0)
			return rc;
		if (!netpol_policy_vec_push(&n->policies, p))
			return bh_fail(n->err, BH_ELIMIT, 0, "more than %u network policies", NETPOL_POLICIES_MAX);
	}
	if (n->policies.len)
		qsort(n->policies.ptr, n->policies.len, sizeof(*n->policies.ptr), compare_policies);
	return check_order(n);
}

int netpol_read(struct netpol *n, struct kube_asked *asked, uint8_t role, struct bh_err *err)
{
	*n = (struct netpol){
		.asked = asked, .err = err, .all = kube_set_objects(kube_asked_set(asked, role)),
		.workloads = { .max = KUBE_WORKLOADS_MAX }, .namespaces = { .max = KUBE_WORKLOADS_MAX + KUBE_OBJECTS_MAX },
		.policies = { .max = NETPOL_POLICIES_MAX }, .peers = { .max = PEERS_MAX }, .classes = { .max = PEERS_MAX }, .by_number = { .max = KUBE_ASK_ROWS_MAX },
	};
	for (size_t d = 0; d < NETPOL_DIRECTIONS; d++)
		for (size_t v = 0; v < 2; v++)
			n->cuts[d][v].max = NETPOL_CUTS_MAX;
	bh_arena_init(&n->arena, ARENA_BYTES_MAX);
	bh_arena_init(&n->scratch, SCRATCH_BYTES_MAX);
	bh_map_init(&n->texts, KUBE_ASK_ROWS_MAX);
	int rc = kube_workloads(n->all, &n->workloads, err);
	rc = rc < 0 ? rc : find_namespaces(n);
	return rc < 0 ? rc : read_policies(n);
}

void netpol_done(struct netpol *n)
{
	kube_workload_vec_done(&n->workloads);
	netpol_namespace_vec_done(&n->namespaces);
	netpol_policy_vec_done(&n->policies);
	for (size_t d = 0; d < NETPOL_DIRECTIONS; d++)
		for (size_t v = 0; v < 2; v++)
			netpol_cut_vec_done(&n->cuts[d][v]);
	netpol_peer_vec_done(&n->peers);
	netpol_class_vec_done(&n->classes);
	netpol_text_vec_done(&n->by_number);
	bh_map_done(&n->texts);
	bh_arena_done(&n->arena);
	bh_arena_done(&n->scratch);
}
