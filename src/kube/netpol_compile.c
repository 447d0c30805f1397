/*
 * netpol_compile.c: policies to bits: a bit per peer for every rule and every subject. Peers that no policy tells apart are one class, so that what is
 * allowed is worked out once per pair of classes, not per pair of peers.
 */
#include "kube/netpol_model.h"

#include <stdlib.h>

#include "kube/selector.h"

#define SIGNATURE_BYTES_MAX (64u << 20)

/* ---- peers ---- */

static int add_peer(struct netpol *n, struct netpol_peer peer)
{
	peer.index = (uint32_t)n->peers.len;
	return peer.text.ptr && netpol_peer_vec_push(&n->peers, peer) ? 0 : netpol_no_memory(n);
}

static int add_workloads(struct netpol *n)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n->workloads.len; i++) {
		const struct kube_workload *w = &n->workloads.ptr[i];
		const char *text = bh_arena_printf(&n->arena, "%.*s/%.*s[%.*s]", BH_SLICE_FMT(w->namespace), BH_SLICE_FMT(w->name), BH_SLICE_FMT(w->kind));
		rc = add_peer(n, (struct netpol_peer){ .kind = NETPOL_WORKLOAD, .workload = w, .text = bh_slice_str(text) });
	}
	return rc;
}

static int compare_addresses(const void *a, const void *b)
{
	const kube_address *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static int add_block(struct netpol *n, enum netpol_direction d, struct kube_address_range range)
{
	struct netpol_peer block = { .kind = NETPOL_BLOCK, .direction = d, .range = range };
	struct bh_buf text;
	bh_buf_init(&text, 256);
	kube_addresses_print(&range, &text);
	bh_buf_add_str(&text, "[External]");
	bool ok = bh_arena_copy(&n->arena, bh_buf_slice(&text), &block.text);
	bh_buf_done(&text);
	return ok ? add_peer(n, block) : netpol_no_memory(n);
}

/* The outside in version 6 is there when anybody names a part of it, in either direction. */
static bool speaks_v6(const struct netpol *n)
{
	return n->cuts[NETPOL_INGRESS][1].len + n->cuts[NETPOL_EGRESS][1].len > 0;
}

static int add_blocks(struct netpol *n, enum netpol_direction d, bool is_v6)
{
	struct netpol_cut_vec *cuts = &n->cuts[d][is_v6];
	kube_address last = kube_addresses_all(is_v6).to;
	int rc = 0;
	if (is_v6 && !speaks_v6(n))
		return 0;
	if (!netpol_cut_vec_push(cuts, 0))
		return netpol_no_memory(n);
	qsort(cuts->ptr, cuts->len, sizeof(*cuts->ptr), compare_addresses);
	for (size_t i = 0; rc == 0 && i < cuts->len; i++) {
		bool is_last = i + 1 == cuts->len;
		if (is_last || cuts->ptr[i + 1] != cuts->ptr[i])
			rc = add_block(n, d, (struct kube_address_range){ is_v6, cuts->ptr[i], is_last ? last : cuts->ptr[i + 1] - 1 });
	}
	return rc;
}

static int add_peers(struct netpol *n)
{
	int rc = add_workloads(n);
	for (size_t d = 0; d < NETPOL_DIRECTIONS; d++)
		for (size_t v = 0; rc == 0 && v < 2; v++) {
			n->blocks[d][v][0] = (uint32_t)n->peers.len;
			rc = add_blocks(n, (enum netpol_direction)d, v == 1);
			n->blocks[d][v][1] = (uint32_t)n->peers.len;
		}
	n->controller = (uint32_t)n->peers.len;
	return rc < 0 ? rc : add_peer(n, (struct netpol_peer){ .kind = NETPOL_CONTROLLER, .text = BH_SLICE_LIT("{ingress-controller}") });
}

const struct netpol_peer *netpol_find_block(const struct netpol *n, enum netpol_direction d, const struct kube_address_range *range)
{
	uint32_t low = n->blocks[d][range->is_v6][0], high = n->blocks[d][range->is_v6][1];
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (n->peers.ptr[middle].range.to < range->from)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n->blocks[d][range->is_v6][1] && kube_addresses_hold(&n->peers.ptr[low].range, range) ? &n->peers.ptr[low] : NULL;
}

/* ---- bits ---- */

static uint64_t *new_bits(struct netpol *n, size_t count)
{
	return bh_arena_array(&n->arena, count / 64 + 1, sizeof(uint64_t));
}

static void set_bit(uint64_t *bits, size_t i)
{
	bits[i / 64] |= 1ull << (i % 64);
}

static void clear_bit(uint64_t *bits, size_t i)
{
	bits[i / 64] &= ~(1ull << (i % 64));
}

/* ---- whom selectors take ---- */

/* What a selector is asked about, and where the answer goes. */
struct taking {
	const struct netpol *n;
	uint64_t *bits;
	bool not_on_host; /* "Note that host-networked pods are not included": pods on the node's network are the node */
};

static void take_pods(const struct taking *t, const struct netpol_namespace *ns, struct cel_value pods)
{
	bool all = kube_selector_is_empty(pods);
	for (uint32_t i = ns->first; i < ns->first + ns->workloads; i++) {
		const struct kube_workload *w = &t->n->workloads.ptr[i];
		if ((all || kube_selects(pods, w->labels)) && !(t->not_on_host && cel_is_true(kube_get(w->spec, "hostNetwork"))))
			set_bit(t->bits, i);
	}
}

/* Pods by the labels of their namespace and their own. Of a controller nobody knows either: only selectors of all take it. */
static void take_namespaces(const struct taking *t, struct cel_value namespaces, struct cel_value pods, bool peers)
{
	for (size_t i = 0; i < t->n->namespaces.len; i++)
		if (t->n->namespaces.ptr[i].workloads && kube_selects(namespaces, t->n->namespaces.ptr[i].labels))
			take_pods(t, &t->n->namespaces.ptr[i], pods);
	if (peers && kube_selector_is_empty(namespaces) && kube_selector_is_empty(pods))
		set_bit(t->bits, t->n->controller);
}

static void take_own(const struct taking *t, struct bh_slice namespace, struct cel_value pods)
{
	const struct netpol_namespace *ns = netpol_find_namespace(t->n, namespace);
	if (ns)
		take_pods(t, ns, pods);
}

/* The blocks inside a prefix: they are in order, and no prefix of a policy cuts one. */
static void blocks_inside(const struct netpol *n, enum netpol_direction d, struct cel_value cidr, uint32_t *ret_from, uint32_t *ret_to)
{
	struct kube_address_range range;
	*ret_from = *ret_to = 0;
	if (cidr.kind != CEL_STRING || !kube_prefix_read(cidr.text, &range))
		return;
	const struct kube_address_range first = { range.is_v6, range.from, range.from }, last = { range.is_v6, range.to, range.to };
	const struct netpol_peer *a = netpol_find_block(n, d, &first), *b = netpol_find_block(n, d, &last);
	if (a && b) {
		*ret_from = a->index;
		*ret_to = b->index + 1;
	}
}

static void take_prefix(const struct taking *t, enum netpol_direction d, struct cel_value cidr, struct cel_value except)
{
	uint32_t from, to, skip_from, skip_to;
	blocks_inside(t->n, d, cidr, &from, &to);
	for (size_t i = 0; i < kube_length(except); i++) {
		blocks_inside(t->n, d, except.list->items[i], &skip_from, &skip_to);
		for (uint32_t k = skip_from; k < skip_to; k++)
			set_bit(t->n->skipped, k);
	}
	for (uint32_t i = from; i < to; i++)
		if (!netpol_bit(t->n->skipped, i))
			set_bit(t->bits, i);
	for (uint32_t i = from; i < to; i++)
		clear_bit(t->n->skipped, i);
}

static void take_admin(const struct taking *t, enum netpol_direction d, struct cel_value peer, bool peers)
{
	struct cel_value pods = kube_get(peer, "pods");
	if (netpol_has(peer, "namespaces"))
		take_namespaces(t, kube_get(peer, "namespaces"), cel_null(), peers);
	else if (netpol_has(peer, "pods"))
		take_namespaces(t, kube_get(pods, "namespaceSelector"), kube_get(pods, "podSelector"), peers);
	else if (netpol_has(peer, "networks"))
		for (size_t i = 0; i < kube_length(kube_get(peer, "networks")); i++)
			take_prefix(t, d, kube_get(peer, "networks").list->items[i], cel_null());
}

static void take_peer(const struct taking *t, const struct netpol_policy *p, enum netpol_direction d, struct cel_value peer)
{
	struct cel_value block = kube_get(peer, "ipBlock");
	if (p->api != NETPOL_API_V1)
		take_admin(t, d, peer, true);
	else if (netpol_has(peer, "ipBlock"))
		take_prefix(t, d, kube_get(block, "cidr"), kube_get(block, "except"));
	else if (netpol_has(peer, "namespaceSelector"))
		take_namespaces(t, kube_get(peer, "namespaceSelector"), kube_get(peer, "podSelector"), true);
	else
		take_own(t, p->namespace, kube_get(peer, "podSelector"));
}

static void take_subjects(const struct taking *t, const struct netpol_policy *p)
{
	struct cel_value spec = kube_get(p->object->value, "spec");
	if (p->api == NETPOL_API_V1)
		take_own(t, p->namespace, kube_get(spec, "podSelector"));
	else
		take_admin(t, NETPOL_INGRESS, kube_get(spec, "subject"), false);
}

/* Everybody, the outside too. */
static void take_all(const struct taking *t, enum netpol_direction d)
{
	for (size_t i = 0; i < t->n->peers.len; i++)
		if (t->n->peers.ptr[i].kind != NETPOL_BLOCK || t->n->peers.ptr[i].direction == d)
			set_bit(t->bits, i);
}

/* ---- rules ---- */

static bool has_unknown_peer(const struct netpol_rule *rule)
{
	static const char *const known[] = { "namespaces", "pods", "nodes", "networks", "domainNames", NULL };
	for (size_t i = 0; i < kube_length(rule->peers); i++)
		if (!bh_slice_is_one_of(rule->peers.list->items[i].map->entries[0].key.text, known))
			return true;
	return false;
}

static bool port_has_name(const struct netpol_policy *p, struct cel_value port)
{
	if (p->api == NETPOL_API_V1)
		return kube_get(port, "port").kind == CEL_STRING;
	return netpol_has(port, p->api == NETPOL_API_CLUSTER ? "destinationNamedPort" : "namedPort");
}

static int compile_rule(struct netpol *n, const struct netpol_policy *p, enum netpol_direction d, struct netpol_rule *rule)
{
	uint64_t *bits = new_bits(n, n->peers.len);
	if (!bits)
		return netpol_no_memory(n);
	/* An implementation that does not know a field of a peer must fail closed: a rule that allows takes nobody by it, any other denies all. */
	bool deny_all = p->api != NETPOL_API_V1 && rule->action != NETPOL_ALLOW && has_unknown_peer(rule);
	if (deny_all) {
		rule->action = NETPOL_DENY;
		rule->ports = cel_null();
	}
	const struct taking t = { n, bits, p->api != NETPOL_API_V1 };
	/* No peers at all are only possible in a NetworkPolicy. */
	if (deny_all || kube_length(rule->peers) == 0)
		take_all(&t, d);
	for (size_t i = 0; !deny_all && i < kube_length(rule->peers); i++)
		take_peer(&t, p, d, rule->peers.list->items[i]);
	rule->takes = bits;
	for (size_t i = 0; i < kube_length(rule->ports); i++)
		rule->by_name |= port_has_name(p, rule->ports.list->items[i]);
	if (rule->by_name)
		return 0;
	struct kube_ports ports;
	int rc = netpol_rule_ports(n, p, rule, &n->peers.ptr[n->controller], &ports);
	for (size_t i = 0; rc == 0 && i < KUBE_PROTOCOLS; i++) {
		struct bh_slice copy, runs = { (const uint8_t *)ports.of[i].list, ports.of[i].n * sizeof(*ports.of[i].list) };
		struct kube_run *kept = bh_arena_array(&n->arena, ports.of[i].n + 1, sizeof(*kept));
		if (!kept)
			return netpol_no_memory(n);
		copy = runs;
		if (copy.len)
			memcpy(kept, copy.ptr, copy.len);
		rule->fixed.of[i] = (struct kube_runs){ kept, ports.of[i].n };
	}
	bh_arena_done(&n->scratch);
	return rc;
}

static int compile_policy(struct netpol *n, struct netpol_policy *p)
{
	uint64_t *subjects = new_bits(n, n->workloads.len);
	int rc = 0;
	if (!subjects)
		return netpol_no_memory(n);
	const struct taking t = { n, subjects, p->api != NETPOL_API_V1 };
	take_subjects(&t, p);
	p->subjects = subjects;
	for (size_t d = 0; d < NETPOL_DIRECTIONS; d++)
		for (size_t i = 0; rc == 0 && i < p->rules[d].n; i++)
			rc = compile_rule(n, p, (enum netpol_direction)d, &p->rules[d].list[i]);
	return rc;
}

/* ---- classes ---- */

static void add_number(struct bh_buf *out, uint64_t number)
{
	bh_buf_add(out, (struct bh_slice){ (const uint8_t *)&number, sizeof(number) });
}

/* What names of ports mean at a workload. */
static void add_port_names(struct bh_buf *out, const struct kube_workload *w)
{
	struct cel_value containers = kube_get(w->spec, "containers");
	for (size_t i = 0; i < kube_length(containers); i++) {
		struct cel_value ports = kube_get(containers.list->items[i], "ports");
		for (size_t k = 0; k < kube_length(ports); k++) {
			struct cel_value p = ports.list->items[k];
			if (kube_text(p, "name").len == 0)
				continue;
			bh_buf_add(out, kube_text(p, "name"));
			bh_buf_add_byte(out, 0);
			add_number(out, (uint64_t)netpol_protocol(p) << 32 | netpol_port_number(kube_get(p, "containerPort")));
		}
	}
}

/* All that the policies know of a peer. */
static void sign(const struct netpol *n, const struct netpol_peer *who, bool names, struct bh_buf *out)
{
	uint64_t number = 0;
	bh_buf_clear(out);
	bh_buf_add_byte(out, (uint8_t)who->kind);
	bh_buf_add_byte(out, (uint8_t)who->direction);
	for (size_t i = 0; i < n->policies.len; i++) {
		const struct netpol_policy *p = &n->policies.ptr[i];
		if (who->kind == NETPOL_WORKLOAD && netpol_bit(p->subjects, who->index))
			add_number(out, number);
		number++;
		for (size_t d = 0; d < NETPOL_DIRECTIONS; d++)
			for (size_t k = 0; k < p->rules[d].n; k++, number++)
				if (netpol_bit(p->rules[d].list[k].takes, who->index))
					add_number(out, number);
	}
	if (names && who->kind == NETPOL_WORKLOAD)
		add_port_names(out, who->workload);
}

static bool any_by_name(const struct netpol *n)
{
	for (size_t i = 0; i < n->policies.len; i++)
		for (size_t d = 0; d < NETPOL_DIRECTIONS; d++)
			for (size_t k = 0; k < n->policies.ptr[i].rules[d].n; k++)
				if (n->policies.ptr[i].rules[d].list[k].by_name)
					return true;
	return false;
}

static int policies_of(struct netpol *n, struct netpol_class *c)
{
	const struct netpol_policy **list;
	size_t count = 0, k = 0;
	if (n->peers.ptr[c->first].kind != NETPOL_WORKLOAD)
		return 0;
	for (size_t i = 0; i < n->policies.len; i++)
		count += netpol_bit(n->policies.ptr[i].subjects, c->first);
	list = bh_arena_array(&n->arena, count + 1, sizeof(*list));
	if (!list)
		return netpol_no_memory(n);
	for (size_t i = 0; i < n->policies.len; i++)
		if (netpol_bit(n->policies.ptr[i].subjects, c->first))
			list[k++] = &n->policies.ptr[i];
	c->policies = list;
	c->n_policies = k;
	return 0;
}

/* What isolates the class lets it reach only whom a rule that allows takes. */
static int find_reach(struct netpol *n, struct netpol_class *c, enum netpol_direction d)
{
	bool isolated = false;
	for (size_t i = 0; c->policies && i < c->n_policies; i++)
		isolated |= c->policies[i]->tier == NETPOL_POLICY && c->policies[i]->decides[d];
	uint64_t *bits = isolated ? new_bits(n, n->peers.len) : NULL;
	if (!bits)
		return isolated ? netpol_no_memory(n) : 0;
	for (size_t i = 0; i < c->n_policies; i++) {
		const struct netpol_policy *p = c->policies[i];
		for (size_t k = 0; p->tier != NETPOL_BASELINE && p->decides[d] && k < p->rules[d].n; k++)
			for (size_t w = 0; p->rules[d].list[k].action == NETPOL_ALLOW && w <= n->peers.len / 64; w++)
				bits[w] |= p->rules[d].list[k].takes[w];
	}
	c->reach[d] = bits;
	return 0;
}

/* The class of the signature, 1-based in the map. */
static int classify(struct netpol *n, struct bh_map *known, struct netpol_peer *who, struct bh_slice signature)
{
	struct bh_slice copy;
	void *found = bh_map_get(known, signature);
	if (found) {
		who->class = (uint32_t)((uintptr_t)found - 1);
		n->classes.ptr[who->class].members++;
		return 0;
	}
	struct netpol_class c = { .first = who->index, .members = 1 };
	void **at = bh_arena_copy(&n->arena, signature, &copy) ? bh_map_put(known, copy) : NULL;
	if (!at)
		return netpol_no_memory(n);
	int rc = policies_of(n, &c);
	rc = rc < 0 ? rc : find_reach(n, &c, NETPOL_INGRESS);
	rc = rc < 0 ? rc : find_reach(n, &c, NETPOL_EGRESS);
	if (rc == 0 && !netpol_class_vec_push(&n->classes, c))
		rc = netpol_no_memory(n);
	if (rc == 0) {
		who->class = (uint32_t)(n->classes.len - 1);
		*at = (void *)(uintptr_t)n->classes.len;
	}
	return rc;
}

static int find_classes(struct netpol *n)
{
	struct bh_map known;
	struct bh_buf signature;
	bool names = any_by_name(n);
	int rc = 0;
	bh_map_init(&known, n->peers.len);
	bh_buf_init(&signature, SIGNATURE_BYTES_MAX);
	for (size_t i = 0; rc == 0 && i < n->peers.len; i++) {
		sign(n, &n->peers.ptr[i], names, &signature);
		rc = signature.failed ? netpol_no_memory(n) : classify(n, &known, &n->peers.ptr[i], bh_buf_slice(&signature));
	}
	bh_buf_done(&signature);
	bh_map_done(&known);
	return rc;
}

int netpol_compile(struct netpol *n)
{
	int rc = add_peers(n);
	n->skipped = rc == 0 ? new_bits(n, n->peers.len) : NULL;
	if (rc == 0 && !n->skipped)
		return netpol_no_memory(n);
	for (size_t i = 0; rc == 0 && i < n->policies.len; i++) {
		rc = compile_policy(n, &n->policies.ptr[i]);
		kube_say_progress(n->asked, i);
	}
	if (rc == 0 && !netpol_text_vec_push(&n->by_number, (struct bh_slice){ 0 }))
		rc = netpol_no_memory(n);
	return rc < 0 ? rc : find_classes(n);
}
