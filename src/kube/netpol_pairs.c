/* netpol_pairs.c: every pair of peers that may connect, in the order of their names; worked out per pair of classes. */
#include "kube/netpol_model.h"

#include <stdlib.h>

#define KEPT_BYTES_MAX (512u << 20) /* of rows of classes that more than one peer has */

struct pairs {
	struct netpol *n;
	const struct netpol_pairing *to_tell;
	const struct netpol_peer **sources, **targets; /* in the order of their names */
	size_t n_sources, n_targets;
	uint32_t **rows;                               /* by class: the ports to every class; NULL: not worked out */
	uint32_t *row;                                 /* of a class with one member */
	size_t kept_bytes;
};

/* What an exposure lets in, worked out before the pairs, since its name may come before theirs. */
struct exposed_row {
	struct bh_slice from, to_text;
	size_t to;
	uint32_t ports;
};
BH_VEC(exposed_vec, struct exposed_row)

struct exposing {
	struct netpol *n;
	struct exposed_vec rows;
};

static int by_text(const void *a, const void *b)
{
	const struct netpol_peer *x = *(const struct netpol_peer *const *)a, *y = *(const struct netpol_peer *const *)b;
	int c = bh_slice_cmp(x->text, y->text);
	return c ? c : (x->index > y->index) - (x->index < y->index);
}

/* Blocks are sources or targets by their direction; a controller is only asked about. */
static bool may_be(const struct netpol_peer *p, enum netpol_direction as)
{
	return p->kind == NETPOL_WORKLOAD || (p->kind == NETPOL_BLOCK && p->direction == as);
}

static const struct netpol_peer **ordered(struct netpol *n, enum netpol_direction as, size_t *ret_n)
{
	const struct netpol_peer **list = bh_arena_array(&n->arena, n->peers.len + 1, sizeof(*list));
	size_t k = 0;
	for (size_t i = 0; list && i < n->peers.len; i++)
		if (may_be(&n->peers.ptr[i], as))
			list[k++] = &n->peers.ptr[i];
	if (k)
		qsort(list, k, sizeof(*list), by_text);
	*ret_n = k;
	return list;
}

/* ---- exposures ---- */

/* From addresses: what any of them may do. */
static int from_outside(struct netpol *n, const struct netpol_peer *to, struct kube_ports *ret)
{
	int rc = 0;
	*ret = kube_ports_none();
	for (size_t i = n->workloads.len; rc == 0 && i < n->peers.len; i++) {
		const struct netpol_peer *block = &n->peers.ptr[i];
		struct kube_ports more;
		if (block->kind != NETPOL_BLOCK || block->direction != NETPOL_INGRESS)
			continue;
		rc = netpol_allowed(n, block, to, &more);
		rc = rc < 0 ? rc : netpol_join(n, ret, &more);
	}
	return rc;
}

static int add_exposure(void *ctx, const struct netpol_exposure *e)
{
	struct exposing *x = ctx;
	struct netpol *n = x->n;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n->workloads.len; i++) {
		struct exposed_row row = { .from = e->source, .to_text = n->peers.ptr[i].text, .to = i };
		struct kube_ports ports;
		if (kube_ports_are_none(&e->ports[i]))
			continue;
		rc = e->from_outside ? from_outside(n, &n->peers.ptr[i], &ports) : netpol_allowed(n, &n->peers.ptr[n->controller], &n->peers.ptr[i], &ports);
		if (rc == 0 && !kube_ports_both(&n->scratch, &ports, &e->ports[i], &ports))
			rc = netpol_no_memory(n);
		rc = rc < 0 ? rc : netpol_text_number(n, &ports, &row.ports);
		if (rc == 0 && row.ports && !exposed_vec_push(&x->rows, row))
			rc = netpol_no_memory(n);
	}
	return rc;
}

static int by_names(const void *a, const void *b)
{
	const struct exposed_row *x = a, *y = b;
	int c = bh_slice_cmp(x->from, y->from);
	return c ? c : bh_slice_cmp(x->to_text, y->to_text);
}

/* ---- pairs ---- */

/* What a class may connect to, by class. */
static int work_out(struct pairs *p, uint32_t from, uint32_t *row)
{
	struct netpol *n = p->n;
	const struct netpol_peer *source = &n->peers.ptr[n->classes.ptr[from].first];
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n->classes.len; i++) {
		const struct netpol_peer *target = &n->peers.ptr[n->classes.ptr[i].first];
		struct kube_ports ports;
		row[i] = 0;
		if (!may_be(target, NETPOL_EGRESS) || (source->kind == NETPOL_BLOCK && target->kind == NETPOL_BLOCK))
			continue;
		bh_arena_done(&n->scratch);
		rc = netpol_allowed(n, source, target, &ports);
		rc = rc < 0 ? rc : netpol_text_number(n, &ports, &row[i]);
	}
	return rc;
}

static int row_of(struct pairs *p, uint32_t class, const uint32_t **ret)
{
	size_t bytes = p->n->classes.len * sizeof(uint32_t);
	int rc = 0;
	if (!p->rows[class] && p->n->classes.ptr[class].members > 1 && p->kept_bytes + bytes <= KEPT_BYTES_MAX) {
		p->kept_bytes += bytes;
		p->rows[class] = bh_arena_array(&p->n->arena, p->n->classes.len, sizeof(uint32_t));
		rc = p->rows[class] ? work_out(p, class, p->rows[class]) : netpol_no_memory(p->n);
	} else if (!p->rows[class]) {
		rc = work_out(p, class, p->row);
	}
	*ret = p->rows[class] ? p->rows[class] : p->row;
	return rc;
}

static int pairs_from(struct pairs *p, const struct netpol_peer *from)
{
	const uint32_t *row;
	int rc = row_of(p, from->class, &row);
	for (size_t i = 0; rc == 0 && i < p->n_targets; i++) {
		const struct netpol_peer *to = p->targets[i];
		uint32_t ports = row[to->class];
		if (ports == 0 || from == to || (from->kind == NETPOL_BLOCK && to->kind == NETPOL_BLOCK))
			continue;
		const struct netpol_pair pair = { from, to, from->text, to->text, p->n->by_number.ptr[ports] };
		rc = p->to_tell->each(p->to_tell->ctx, &pair);
	}
	return rc;
}

static int tell_exposed(struct pairs *p, const struct exposed_row *row)
{
	const struct netpol_peer *to = &p->n->peers.ptr[row->to];
	const struct netpol_pair pair = { NULL, to, row->from, to->text, p->n->by_number.ptr[row->ports] };
	return p->to_tell->each(p->to_tell->ctx, &pair);
}

/* Both lists are in order: merged. */
static int tell_all(struct pairs *p, const struct exposed_vec *exposed)
{
	size_t at = 0;
	int rc = 0;
	for (size_t i = 0; rc == 0 && !p->to_tell->exposures_only && i < p->n_sources; i++) {
		for (; rc == 0 && at < exposed->len && bh_slice_cmp(exposed->ptr[at].from, p->sources[i]->text) < 0; at++)
			rc = tell_exposed(p, &exposed->ptr[at]);
		rc = rc < 0 ? rc : pairs_from(p, p->sources[i]);
		kube_say_progress(p->n->asked, i);
	}
	for (; rc == 0 && at < exposed->len; at++)
		rc = tell_exposed(p, &exposed->ptr[at]);
	return rc;
}

int netpol_pairs(struct netpol *n, const struct netpol_pairing *to_tell)
{
	struct pairs p = { .n = n, .to_tell = to_tell };
	struct exposing x = { .n = n, .rows = { .max = KUBE_ASK_ROWS_MAX } };
	p.sources = ordered(n, NETPOL_INGRESS, &p.n_sources);
	p.targets = ordered(n, NETPOL_EGRESS, &p.n_targets);
	p.rows = bh_arena_array(&n->arena, n->classes.len + 1, sizeof(*p.rows));
	p.row = bh_arena_array(&n->arena, n->classes.len + 1, sizeof(*p.row));
	if (!p.sources || !p.targets || !p.rows || !p.row)
		return netpol_no_memory(n);
	bh_arena_done(&n->scratch);
	int rc = netpol_exposures(n, to_tell->services, add_exposure, &x);
	if (x.rows.len)
		qsort(x.rows.ptr, x.rows.len, sizeof(*x.rows.ptr), by_names);
	rc = rc < 0 ? rc : tell_all(&p, &x.rows);
	exposed_vec_done(&x.rows);
	return rc;
}
