#include "kube/netpol_reach.h"

#include "kube/netpol_model.h"

/* The metadata services of all clouds, and those that AWS, Google and Oracle have for IPv6. */
static const char *const metadata_addresses[] = { "169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "fd00:c1::a9fe:a9fe" };

static int tell_workloads(const struct netpol *n, const struct netpol_reach *r)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n->workloads.len; i++)
		rc = r->workload(r->ctx, &n->workloads.ptr[i], n->peers.ptr[i].class);
	for (size_t i = 0; rc == 0 && i < n->workloads.len; i++)
		rc = r->classes(r->ctx, &n->workloads.ptr[i], n->peers.ptr[i].class);
	return rc;
}

/* The class's first workload; NULL: it has none. A class of blocks has none. */
static const struct netpol_peer *workload_of(const struct netpol *n, size_t class)
{
	const struct netpol_peer *first = &n->peers.ptr[n->classes.ptr[class].first];
	return first->kind == NETPOL_WORKLOAD ? first : NULL;
}

static int tell_links_from(struct netpol *n, const struct netpol_reach *r, size_t from)
{
	int rc = 0;
	for (size_t to = 0; rc == 0 && to < n->classes.len; to++) {
		struct kube_ports ports;
		uint32_t text;
		if (!workload_of(n, to) || (from == to && n->classes.ptr[from].members < 2))
			continue;
		bh_arena_done(&n->scratch);
		rc = netpol_allowed(n, workload_of(n, from), workload_of(n, to), &ports);
		rc = rc < 0 ? rc : netpol_text_number(n, &ports, &text);
		if (rc == 0 && text)
			rc = r->link(r->ctx, (uint32_t)from, (uint32_t)to, n->by_number.ptr[text]);
	}
	return rc;
}

static const struct netpol_peer *find_block(const struct netpol *n, enum netpol_direction d, struct bh_slice address)
{
	struct kube_address_range one;
	if (!kube_addresses_read(address, &one))
		return NULL;
	for (size_t i = n->workloads.len; i < n->peers.len; i++)
		if (n->peers.ptr[i].kind == NETPOL_BLOCK && n->peers.ptr[i].direction == d && kube_addresses_hold(&n->peers.ptr[i].range, &one))
			return &n->peers.ptr[i];
	return NULL;
}

/* One address is enough. */
static int tell_metadata(struct netpol *n, const struct netpol_reach *r, size_t from)
{
	for (size_t i = 0; i < sizeof(metadata_addresses) / sizeof(*metadata_addresses); i++) {
		const struct netpol_peer *block = find_block(n, NETPOL_EGRESS, bh_slice_str(metadata_addresses[i]));
		struct kube_ports ports;
		bh_arena_done(&n->scratch);
		int rc = block ? netpol_allowed(n, workload_of(n, from), block, &ports) : 0;
		if (rc < 0)
			return rc;
		if (block && !kube_ports_are_none(&ports))
			return r->metadata(r->ctx, (uint32_t)from, metadata_addresses[i]);
	}
	return 0;
}

static int tell_classes(struct netpol *n, const struct netpol_reach *r)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n->classes.len; i++) {
		if (!workload_of(n, i))
			continue;
		rc = tell_links_from(n, r, i);
		rc = rc < 0 ? rc : tell_metadata(n, r, i);
		kube_say_progress(n->asked, i);
	}
	return rc;
}

/* netpol_pairs tells exposures with all pairs; here only they are wanted. */
struct exposing {
	struct netpol *n;
	const struct netpol_reach *r;
};

static int on_pair(void *ctx, const struct netpol_pair *pair)
{
	const struct exposing *x = ctx;
	return pair->from ? 0 : x->r->exposed(x->r->ctx, pair->to->workload, pair->from_text, pair->ports);
}

static int tell_exposures(struct netpol *n, const struct netpol_reach *r)
{
	struct exposing x = { n, r };
	const struct netpol_pairing pairing = { .services = true, .exposures_only = true, .each = on_pair, .ctx = &x };
	return netpol_pairs(n, &pairing);
}

int netpol_reach(struct kube_asked *asked, uint8_t role, const struct netpol_reach *r, struct bh_err *err)
{
	struct netpol n;
	int rc = netpol_read(&n, asked, role, err);
	rc = rc < 0 ? rc : netpol_compile(&n);
	rc = rc < 0 ? rc : tell_workloads(&n, r);
	rc = rc < 0 ? rc : tell_classes(&n, r);
	rc = rc < 0 ? rc : tell_exposures(&n, r);
	netpol_done(&n);
	return rc;
}
