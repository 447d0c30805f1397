/*
 * paths_nodes.c: facts about where pods run: on(POD, NODE) and hosts(NODE, POD). A nodeName says it, and a DaemonSet runs on every node that takes it. Others are
 * taken to share one node, but for those that ask for labels (nodeSelector, a required nodeAffinity of one term): they share a node with these labels, where
 * pods come, too, that ask for nothing or for what goes together with it. Nodes among the objects say whether there is one of both, and by their taints
 * who is kept away; one that alone has the labels is called by its name.
 */
#include "kube/paths_collect.h"

#define ROOMS_MAX 64u          /* different wishes; of more all pods share one node */
#define WISHES_MAX 32u         /* of one pod; what is beyond is not looked at, so that more nodes will do */
#define NAME_BYTES_MAX 4096u

/* One label that a node must have. */
struct wish {
	struct bh_slice key;
	struct cel_value values;   /* a list; a text: it alone */
};

struct wishes {
	struct wish all[WISHES_MAX];
	size_t n;
};

/* A node, or one of several that are alike to who asks for it. */
struct room {
	struct bh_slice name;
	const struct kube_workload *first; /* whose wishes it meets */
};

struct housing {
	struct paths_collect *c;
	struct kube_kind nodes;
	struct room rooms[ROOMS_MAX];
	size_t n_rooms;
	bool is_full;
};

/* ---- wishes ---- */

static void add_wish(struct wishes *w, struct bh_slice key, struct cel_value values)
{
	if (w->n < WISHES_MAX)
		w->all[w->n++] = (struct wish){ key, values };
}

/* Of several terms one is enough: they are left out. */
static struct wishes wishes_of(const struct kube_workload *w)
{
	struct wishes ret = { .n = 0 };
	struct cel_value selector = kube_get(w->spec, "nodeSelector");
	struct cel_value terms = kube_path(w->spec, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
	for (size_t i = 0; selector.kind == CEL_MAP && i < selector.map->len; i++)
		if (selector.map->entries[i].key.kind == CEL_STRING)
			add_wish(&ret, selector.map->entries[i].key.text, selector.map->entries[i].value);
	struct cel_value expressions = kube_length(terms) == 1 ? kube_get(terms.list->items[0], "matchExpressions") : cel_null();
	for (size_t i = 0; i < kube_length(expressions); i++)
		if (bh_slice_eq_str(kube_text(expressions.list->items[i], "operator"), "In"))
			add_wish(&ret, kube_text(expressions.list->items[i], "key"), kube_get(expressions.list->items[i], "values"));
	return ret;
}

static bool has_value(const struct wish *w, struct cel_value value)
{
	if (w->values.kind != CEL_LIST)
		return cel_equal(w->values, value);
	for (size_t i = 0; i < w->values.list->len; i++)
		if (cel_equal(w->values.list->items[i], value))
			return true;
	return false;
}

static bool share_value(const struct wish *a, const struct wish *b)
{
	if (b->values.kind != CEL_LIST)
		return has_value(a, b->values);
	for (size_t i = 0; i < b->values.list->len; i++)
		if (has_value(a, b->values.list->items[i]))
			return true;
	return false;
}

/* Could one node meet both? */
static bool go_together(const struct wishes *a, const struct wishes *b)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < b->n; k++)
			if (bh_slice_eq(a->all[i].key, b->all[k].key) && !share_value(&a->all[i], &b->all[k]))
				return false;
	return true;
}

static bool meets(const struct kube_object *node, const struct wishes *w)
{
	struct cel_value labels = kube_path(node->value, "metadata.labels");
	for (size_t i = 0; i < w->n; i++) {
		const struct cel_value *v = labels.kind == CEL_MAP ? cel_map_field(labels.map, w->all[i].key) : NULL;
		if (!v || !has_value(&w->all[i], *v))
			return false;
	}
	return true;
}

/* ---- taints ---- */

static bool tolerates_one(struct cel_value toleration, struct cel_value taint)
{
	struct bh_slice key = kube_text(toleration, "key"), effect = kube_text(toleration, "effect");
	if (effect.len && !bh_slice_eq(effect, kube_text(taint, "effect")))
		return false;
	if (bh_slice_eq_str(kube_text(toleration, "operator"), "Exists"))
		return key.len == 0 || bh_slice_eq(key, kube_text(taint, "key"));
	return bh_slice_eq(key, kube_text(taint, "key")) && bh_slice_eq(kube_text(toleration, "value"), kube_text(taint, "value"));
}

static bool tolerates(const struct kube_workload *w, const struct kube_object *node)
{
	struct cel_value taints = kube_path(node->value, "spec.taints"), tolerations = kube_get(w->spec, "tolerations");
	for (size_t i = 0; i < kube_length(taints); i++) {
		bool is_tolerated = bh_slice_eq_str(kube_text(taints.list->items[i], "effect"), "PreferNoSchedule");
		for (size_t k = 0; !is_tolerated && k < kube_length(tolerations); k++)
			is_tolerated = tolerates_one(tolerations.list->items[k], taints.list->items[i]);
		if (!is_tolerated)
			return false;
	}
	return true;
}

/* ---- rooms ---- */

/* The only node that meets the wishes; NULL: none or several do. */
static const struct kube_object *only_node(const struct housing *h, const struct wishes *w)
{
	const struct kube_object *found = NULL;
	for (size_t i = 0; i < h->nodes.n; i++)
		if (meets(h->nodes.objects[i], w)) {
			if (found)
				return NULL;
			found = h->nodes.objects[i];
		}
	return found;
}

static void print_wish(struct bh_buf *out, const struct wish *w)
{
	bh_buf_add(out, w->key);
	for (size_t i = 0; i < (w->values.kind == CEL_LIST ? w->values.list->len : 1); i++) {
		struct cel_value v = w->values.kind == CEL_LIST ? w->values.list->items[i] : w->values;
		bh_buf_add_byte(out, i ? '|' : '=');
		if (v.kind == CEL_STRING)
			bh_buf_add(out, v.text);
	}
}

/* "a node with pool=db, zone=a|b" */
static struct bh_slice name_of(const struct housing *h, const struct wishes *w)
{
	const struct kube_object *node = only_node(h, w);
	struct bh_slice copy = { 0 };
	struct bh_buf text;
	if (node)
		return node->name;
	bh_buf_init(&text, NAME_BYTES_MAX);
	bh_buf_add_str(&text, PATHS_SOME_NODE " with ");
	for (size_t i = 0; i < w->n; i++) {
		bh_buf_add_str(&text, i ? ", " : "");
		print_wish(&text, &w->all[i]);
	}
	(void)!bh_arena_copy(&h->c->f->arena, bh_buf_slice(&text), &copy);
	bh_buf_done(&text);
	return copy;
}

static bool is_bound(const struct kube_workload *w)
{
	return kube_text(w->spec, "nodeName").len > 0 || bh_slice_eq_str(w->kind, "DaemonSet");
}

static void find_rooms(struct housing *h)
{
	for (size_t i = 0; !h->is_full && i < h->c->workloads.len; i++) {
		const struct kube_workload *w = &h->c->workloads.ptr[i];
		const struct wishes wishes = wishes_of(w);
		if (wishes.n == 0 || is_bound(w))
			continue;
		struct bh_slice name = name_of(h, &wishes);
		size_t k = 0;
		while (k < h->n_rooms && !bh_slice_eq(h->rooms[k].name, name))
			k++;
		h->is_full = k == ROOMS_MAX;
		if (k == h->n_rooms && !h->is_full)
			h->rooms[h->n_rooms++] = (struct room){ name, w };
	}
}

/* Is there a node for both, that the pod tolerates? Without nodes among the objects: there could be. */
static bool may_enter(const struct housing *h, const struct kube_workload *w, const struct wishes *own, const struct room *room)
{
	const struct wishes wanted = wishes_of(room->first);
	bool any = false;
	if (!go_together(own, &wanted))
		return false;
	for (size_t i = 0; i < h->nodes.n; i++)
		if (meets(h->nodes.objects[i], &wanted)) {
			any = true;
			if (meets(h->nodes.objects[i], own) && tolerates(w, h->nodes.objects[i]))
				return true;
		}
	return !any;
}

/* ---- facts ---- */

static int give_node(struct paths_collect *c, const struct kube_workload *w, struct bh_slice node)
{
	const struct bh_slice name = paths_name(c, w->namespace, w->name), on[] = { name, node }, hosts[] = { node, name };
	int rc = paths_give(c, "on", on, 2, (struct bh_slice){ 0 });
	rc = rc < 0 ? rc : paths_give(c, "hosts", hosts, 2, (struct bh_slice){ 0 });
	return rc < 0 ? rc : paths_give(c, "node_name", &node, 1, (struct bh_slice){ 0 });
}

static int house_daemon(const struct housing *h, const struct kube_workload *w, const struct wishes *own)
{
	int rc = own->n && h->nodes.n ? 0 : give_node(h->c, w, BH_SLICE_LIT(PATHS_SOME_NODE));
	for (size_t i = 0; rc == 0 && i < h->nodes.n; i++)
		if (meets(h->nodes.objects[i], own) && tolerates(w, h->nodes.objects[i]))
			rc = give_node(h->c, w, h->nodes.objects[i]->name);
	for (size_t i = 0; rc == 0 && !h->is_full && i < h->n_rooms; i++)
		if (may_enter(h, w, own, &h->rooms[i]))
			rc = give_node(h->c, w, h->rooms[i].name);
	return rc;
}

static int house(const struct housing *h, const struct kube_workload *w)
{
	const struct wishes own = wishes_of(w);
	struct bh_slice bound = kube_text(w->spec, "nodeName");
	if (bound.len)
		return give_node(h->c, w, bound);
	if (bh_slice_eq_str(w->kind, "DaemonSet"))
		return house_daemon(h, w, &own);
	int rc = own.n && !h->is_full ? 0 : give_node(h->c, w, BH_SLICE_LIT(PATHS_SOME_NODE));
	if (rc == 0 && own.n && !h->is_full)
		rc = give_node(h->c, w, name_of(h, &own));
	for (size_t i = 0; rc == 0 && !h->is_full && i < h->n_rooms; i++)
		if (may_enter(h, w, &own, &h->rooms[i]))
			rc = give_node(h->c, w, h->rooms[i].name);
	return rc;
}

int paths_find_nodes(struct paths_collect *c)
{
	struct housing h = { .c = c, .nodes = kube_world_kind(&c->world, (struct bh_slice){ 0 }, BH_SLICE_LIT("Node")) };
	int rc = 0;
	find_rooms(&h);
	for (size_t i = 0; rc == 0 && i < c->workloads.len; i++) {
		rc = house(&h, &c->workloads.ptr[i]);
		kube_say_progress(c->asked, i);
	}
	return rc;
}
