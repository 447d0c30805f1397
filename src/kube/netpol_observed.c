#include "kube/netpol_observed.h"

#include <stdlib.h>

#include "kube/netpol_find.h"
#include "kube/netpol_flows.h"

#define FILES_MAX 1000u
#define KEYS_MAX 4000000u
#define NAME_PARTS_MAX 3u /* that a controller appends to the name of its pods */

static int too_many(struct netpol *n)
{
	return bh_fail(n->err, BH_ELIMIT, 0, "more flows than there is memory for");
}

/* ---- reading ---- */

static int tell_left_out(struct netpol *n, struct bh_slice name, const struct kube_flows_left_out *left)
{
	struct bh_buf text;
	if (left->wrong == 0)
		return 0;
	bh_buf_init(&text, 256);
	bh_buf_printf(&text, "%llu line%s no flow: a JSON object or src,dst,port,proto was expected", (unsigned long long)left->wrong, left->wrong == 1 ? " is" : "s are");
	int rc = kube_say_gap(n->asked, name, left->wrong_line, bh_buf_slice(&text), n->err);
	bh_buf_done(&text);
	return rc;
}

/* The address of an end that is no pod; empty when it is one. */
static struct bh_slice outer_address(const struct kube_flow_end *end)
{
	const struct bh_slice none = { 0 };
	return end->namespace.len ? none : end->address;
}

static int cut_end(struct netpol *n, const struct kube_flow_end *end)
{
	return netpol_cut_name(n, end->name.len ? end->name : outer_address(end));
}

int netpol_flows_read(struct netpol *n, struct netpol_flows *f)
{
	struct bh_slice name, text;
	int rc = 0;
	*f = (struct netpol_flows){
		.flows = { .max = KUBE_FLOWS_MAX }, .files = { .max = FILES_MAX }, .ends = { .max = FILES_MAX }, .seen = { .max = KUBE_FLOWS_MAX },
	};
	for (size_t i = 0; rc == 0 && kube_asked_raw(n->asked, NETPOL_FLOWS_ROLE, i, &name, &text); i++) {
		struct kube_flows_left_out left = { 0 };
		rc = kube_flows_read(text, &n->arena, &f->flows, &left, n->err);
		rc = rc < 0 ? rc : tell_left_out(n, name, &left);
		if (rc == 0 && (!netpol_text_vec_push(&f->files, name) || !netpol_cut_vec_push(&f->ends, f->flows.len)))
			rc = too_many(n);
	}
	for (size_t i = 0; rc == 0 && i < f->flows.len; i++) {
		rc = cut_end(n, &f->flows.ptr[i].from);
		rc = rc < 0 ? rc : cut_end(n, &f->flows.ptr[i].to);
	}
	return rc;
}

void netpol_flows_done(struct netpol_flows *f)
{
	kube_flow_vec_done(&f->flows);
	netpol_text_vec_done(&f->files);
	netpol_cut_vec_done(&f->ends);
	netpol_observed_vec_done(&f->seen);
}

/* ---- who ---- */

struct resolving {
	struct netpol *n;
	struct netpol_flows *f;
	struct bh_map workloads;  /* "shop/web" -> 1 + index */
	struct bh_map addresses;  /* of pods -> 1 + index of the workload */
	struct bh_map known;      /* what an end was found to be: 1 + index of the peer, 1: nobody */
	struct bh_map distinct;   /* -> 1 + index in f->seen */
	struct bh_slice file;
};

static const uintptr_t nobody = 1;

static bool put(struct bh_map *map, struct bh_slice key, uintptr_t value)
{
	void **at = bh_map_put(map, key);
	if (at && !*at)
		*at = (void *)value;
	return at != NULL;
}

static uintptr_t number_of(const struct bh_map *map, struct bh_slice key)
{
	return (uintptr_t)bh_map_get(map, key);
}

static struct bh_slice key_of(struct netpol *n, struct bh_slice a, struct bh_slice b)
{
	const char *text = bh_arena_printf(&n->arena, "%.*s/%.*s", BH_SLICE_FMT(a), BH_SLICE_FMT(b));
	return bh_slice_str(text);
}

static bool index_workloads(struct resolving *r)
{
	for (size_t i = 0; i < r->n->workloads.len; i++) {
		const struct kube_workload *w = &r->n->workloads.ptr[i];
		struct bh_slice key = key_of(r->n, w->namespace, w->name);
		if (!key.ptr || !put(&r->workloads, key, i + 1))
			return false;
	}
	return true;
}

/* The addresses of pods of a dump: a flow may name nothing else. */
static bool index_addresses(struct resolving *r)
{
	for (size_t i = 0; i < r->n->all->len; i++) {
		const struct kube_object *o = &r->n->all->ptr[i];
		struct bh_slice address = kube_text(o->value, "status.podIP"), owner = { 0 };
		struct cel_value owners = kube_path(o->value, "metadata.ownerReferences");
		if (address.len == 0 || !bh_slice_eq_str(o->kind, "Pod") || cel_is_true(kube_path(o->value, "spec.hostNetwork")))
			continue;
		if (kube_length(owners))
			owner = kube_text(owners.list->items[0], "name");
		uintptr_t workload = number_of(&r->workloads, key_of(r->n, kube_namespace(o), owner.len ? owner : o->name));
		if (workload && !put(&r->addresses, address, workload))
			return false;
	}
	return true;
}

/* "web-5d4f8-abcde" is a pod of web; the longest name wins. */
static uintptr_t by_pod(struct resolving *r, struct bh_slice namespace, struct bh_slice pod)
{
	uintptr_t found = number_of(&r->workloads, key_of(r->n, namespace, pod));
	for (size_t parts = 0; !found && parts < NAME_PARTS_MAX; parts++) {
		size_t dash = pod.len;
		while (dash > 0 && pod.ptr[dash - 1] != '-')
			dash--;
		if (dash < 2)
			break;
		pod = bh_slice_sub(pod, 0, dash - 1);
		found = number_of(&r->workloads, key_of(r->n, namespace, pod));
	}
	return found;
}

static bool has_label(const struct kube_flow_end *end, struct bh_slice key, struct bh_slice value)
{
	for (size_t i = 0; i < end->n_labels; i++) {
		struct bh_slice head, tail;
		if (bh_slice_cut(end->labels[i], '=', &head, &tail) && bh_slice_eq(head, key) && bh_slice_eq(tail, value))
			return true;
	}
	return false;
}

static uintptr_t by_labels(const struct resolving *r, const struct kube_flow_end *end)
{
	for (size_t i = 0; i < r->n->workloads.len; i++) {
		const struct kube_workload *w = &r->n->workloads.ptr[i];
		bool all = w->labels.kind == CEL_MAP && w->labels.map->len > 0 && bh_slice_eq(w->namespace, end->namespace);
		for (size_t k = 0; all && k < w->labels.map->len; k++) {
			const struct cel_entry *e = &w->labels.map->entries[k];
			all = e->value.kind == CEL_STRING && has_label(end, e->key.text, e->value.text);
		}
		if (all)
			return i + 1;
	}
	return 0;
}

/* The block, or the pod of that address. */
static uintptr_t by_address(struct resolving *r, struct bh_slice address, enum netpol_direction d)
{
	struct kube_address_range range;
	uintptr_t workload = number_of(&r->addresses, address);
	if (workload || !kube_addresses_read(address, &range))
		return workload;
	const struct netpol_peer *block = netpol_find_block(r->n, d, &range);
	return block ? block->index + 1u : 0;
}

/* "shop/web" when there is one of the name: the many names of large files are not looked for among all. */
static uintptr_t by_name_only(const struct resolving *r, struct bh_slice name)
{
	uintptr_t found = number_of(&r->workloads, name);
	const struct kube_workload *w = r->n->workloads.ptr;
	if (found && found < r->n->workloads.len && bh_slice_eq(w[found].name, w[found - 1].name) && bh_slice_eq(w[found].namespace, w[found - 1].namespace))
		return 0;
	return found;
}

static uintptr_t find(struct resolving *r, const struct kube_flow_end *end, enum netpol_direction d)
{
	const struct netpol_peer *peer;
	struct bh_err ignored = { 0 }, *err = r->n->err;
	uintptr_t found = 0;
	if (end->name.len) {
		found = by_name_only(r, end->name);
		found = found ? found : by_address(r, end->name, d);
		if (found)
			return found;
		r->n->err = &ignored;
		found = netpol_find_peer(r->n, end->name, d, &peer) == 0 ? peer->index + 1u : 0;
		r->n->err = err;
		return found;
	}
	if (end->namespace.len) {
		found = end->workload.len ? number_of(&r->workloads, key_of(r->n, end->namespace, end->workload)) : 0;
		found = found || !end->pod.len ? found : by_pod(r, end->namespace, end->pod);
		found = found ? found : by_labels(r, end);
		return found ? found : number_of(&r->addresses, end->address);
	}
	return by_address(r, end->address, d);
}

static int tell_nobody(struct resolving *r, const struct kube_flow_end *end, uint32_t line)
{
	struct bh_buf text;
	bh_buf_init(&text, 1024);
	bh_buf_add(&text, end->name.len ? end->name : end->namespace.len ? end->namespace : end->address);
	if (!end->name.len && end->namespace.len) {
		bh_buf_add_byte(&text, '/');
		bh_buf_add(&text, end->workload.len ? end->workload : end->pod);
	}
	bh_buf_add_str(&text, ": no workload of these manifests, and no address: its flows are left out");
	int rc = kube_say_gap(r->n->asked, r->file, line, bh_buf_slice(&text), r->n->err);
	bh_buf_done(&text);
	return rc;
}

/* NULL: nobody, which is told once. */
static int resolve(struct resolving *r, const struct kube_flow_end *end, enum netpol_direction d, uint32_t line, const struct netpol_peer **ret)
{
	struct bh_slice who = end->name.len ? end->name : end->workload.len ? end->workload : end->pod, outside = outer_address(end);
	const char *text = bh_arena_printf(&r->n->arena, "%d %.*s/%.*s/%.*s", (int)d, BH_SLICE_FMT(end->namespace), BH_SLICE_FMT(who), BH_SLICE_FMT(outside));
	uintptr_t known = text ? number_of(&r->known, bh_slice_str(text)) : 0;
	int rc = 0;
	*ret = NULL;
	if (!known) {
		uintptr_t found = find(r, end, d);
		known = found ? found + 1 : nobody;
		if (!text || !put(&r->known, bh_slice_str(text), known))
			return too_many(r->n);
		rc = found ? 0 : tell_nobody(r, end, line);
	}
	if (known != nobody)
		*ret = &r->n->peers.ptr[known - 2];
	return rc;
}

/* ---- flows ---- */

static int add(struct resolving *r, const struct kube_flow *f)
{
	struct netpol_observed o = { .protocol = f->protocol, .port = f->port, .count = 1, .file = r->file, .line = f->line };
	int rc = resolve(r, &f->from, NETPOL_INGRESS, f->line, &o.from);
	rc = rc < 0 ? rc : resolve(r, &f->to, NETPOL_EGRESS, f->line, &o.to);
	if (rc < 0 || !o.from || !o.to || o.from == o.to || (o.from->kind == NETPOL_BLOCK && o.to->kind == NETPOL_BLOCK))
		return rc;
	const char *key = bh_arena_printf(&r->n->arena, "%u %u %d %u", o.from->index, o.to->index, (int)o.protocol, o.port);
	uintptr_t known = key ? number_of(&r->distinct, bh_slice_str(key)) : 0;
	if (known) {
		r->f->seen.ptr[known - 1].count++;
		return 0;
	}
	return key && netpol_observed_vec_push(&r->f->seen, o) && put(&r->distinct, bh_slice_str(key), r->f->seen.len) ? 0 : too_many(r->n);
}

static int by_names(const void *a, const void *b)
{
	const struct netpol_observed *x = a, *y = b;
	int c = bh_slice_cmp(x->from->text, y->from->text);
	c = c ? c : bh_slice_cmp(x->to->text, y->to->text);
	c = c ? c : (x->protocol > y->protocol) - (x->protocol < y->protocol);
	return c ? c : (x->port > y->port) - (x->port < y->port);
}

int netpol_flows_resolve(struct netpol *n, struct netpol_flows *f)
{
	struct resolving r = { .n = n, .f = f };
	struct bh_map *const maps[] = { &r.workloads, &r.addresses, &r.known, &r.distinct };
	size_t at = 0;
	for (size_t i = 0; i < 4; i++)
		bh_map_init(maps[i], KEYS_MAX);
	int rc = index_workloads(&r) && index_addresses(&r) ? 0 : too_many(n);
	for (size_t file = 0; rc == 0 && file < f->files.len; file++) {
		r.file = f->files.ptr[file];
		for (; rc == 0 && at < f->ends.ptr[file]; at++)
			rc = add(&r, &f->flows.ptr[at]);
	}
	for (size_t i = 0; i < 4; i++)
		bh_map_done(maps[i]);
	if (f->seen.len)
		qsort(f->seen.ptr, f->seen.len, sizeof(*f->seen.ptr), by_names);
	return rc;
}
