/*
 * Both sets of pairs are in the order of their names: they are merged like two sorted files. Addresses are cut where either set of policies cuts them, and
 * put together again where the same happens to neighbours.
 */
#include "kube/netpol_diff.h"

#include <assert.h>
#include <stdlib.h>

#include "kube/cells.h"
#include "kube/netpol_model.h"

/* A pair before and after. */
struct change {
	enum netpol_change type;
	struct bh_slice from, to, old, new;
	const struct netpol_peer *old_from, *old_to, *new_from, *new_to; /* NULL: not there, or no peer */
	struct kube_address_range range;                                 /* of the end that is outside */
	enum { NO_BLOCK, FROM_BLOCK, TO_BLOCK } block;
	bool grows;
};

BH_VEC(change_vec, struct change)
BH_VEC(pair_vec, struct netpol_pair)

struct side {
	struct netpol n;
	struct pair_vec pairs;
};

struct diff {
	struct side sides[2]; /* old, new */
	struct change_vec changes;
	struct kube_asked *asked;
	struct bh_err *err;
};

static const struct bh_slice nothing = { (const uint8_t *)"No Connections", 14 };

static int full(struct diff *d)
{
	return bh_fail(d->err, BH_ELIMIT, 0, "more than %u pairs", KUBE_ASK_ROWS_MAX);
}

static int keep_pair(void *ctx, const struct netpol_pair *pair)
{
	struct side *side = ctx;
	return pair_vec_push(&side->pairs, *pair) ? 0 : bh_fail(side->n.err, BH_ELIMIT, 0, "more than %u pairs", KUBE_ASK_ROWS_MAX);
}

static int compare_pairs(const struct netpol_pair *a, const struct netpol_pair *b)
{
	int c = bh_slice_cmp(a->from_text, b->from_text);
	return c ? c : bh_slice_cmp(a->to_text, b->to_text);
}

/* ---- what grows ---- */

static int allowed_at(struct side *side, const struct netpol_peer *from, const struct netpol_peer *to, struct kube_ports *ret)
{
	*ret = kube_ports_none();
	return from && to ? netpol_allowed(&side->n, from, to, ret) : 0;
}

/* Is there a port that was not there before? */
static int grow(struct diff *d, struct change *c)
{
	struct kube_ports old, new, more;
	c->grows = c->type != NETPOL_REMOVED;
	if (c->type != NETPOL_CHANGED || !c->old_from || !c->new_from)
		return 0;
	bh_arena_done(&d->sides[0].n.scratch);
	bh_arena_done(&d->sides[1].n.scratch);
	int rc = allowed_at(&d->sides[0], c->old_from, c->old_to, &old);
	rc = rc < 0 ? rc : allowed_at(&d->sides[1], c->new_from, c->new_to, &new);
	if (rc == 0 && !kube_ports_without(&d->sides[1].n.scratch, &new, &old, &more))
		rc = netpol_no_memory(&d->sides[1].n);
	c->grows = rc == 0 && !kube_ports_are_none(&more);
	return rc;
}

/* ---- merging ---- */

static void set_block(struct change *c, const struct netpol_pair *pair)
{
	if (pair->from && pair->from->kind == NETPOL_BLOCK) {
		c->block = FROM_BLOCK;
		c->range = pair->from->range;
	} else if (pair->to->kind == NETPOL_BLOCK) {
		c->block = TO_BLOCK;
		c->range = pair->to->range;
	}
}

/* any: one of the two that is there. */
static int add_change(struct diff *d, const struct netpol_pair *any, const struct netpol_pair *old, const struct netpol_pair *new)
{
	assert(any);
	struct change c = {
		.type = !old ? NETPOL_ADDED : !new ? NETPOL_REMOVED : NETPOL_CHANGED,
		.from = any->from_text, .to = any->to_text, .old = old ? old->ports : nothing, .new = new ? new->ports : nothing,
		.old_from = old ? old->from : NULL, .old_to = old ? old->to : NULL, .new_from = new ? new->from : NULL, .new_to = new ? new->to : NULL,
	};
	if (bh_slice_eq(c.old, c.new))
		return 0;
	set_block(&c, any);
	int rc = grow(d, &c);
	return rc < 0 || change_vec_push(&d->changes, c) ? rc : full(d);
}

static int merge(struct diff *d)
{
	const struct pair_vec *old = &d->sides[0].pairs, *new = &d->sides[1].pairs;
	size_t i = 0, k = 0;
	int rc = 0;
	while (rc == 0 && (i < old->len || k < new->len)) {
		int c = i == old->len ? 1 : k == new->len ? -1 : compare_pairs(&old->ptr[i], &new->ptr[k]);
		rc = add_change(d, c <= 0 ? &old->ptr[i] : &new->ptr[k], c <= 0 ? &old->ptr[i] : NULL, c >= 0 ? &new->ptr[k] : NULL);
		i += c <= 0;
		k += c >= 0;
	}
	return rc;
}

/* ---- neighbours in the outside ---- */

static struct bh_slice inner_end(const struct change *c)
{
	return c->block == FROM_BLOCK ? c->to : c->from;
}

static int by_address(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	int c = x->block == NO_BLOCK ? 0 : bh_slice_cmp(inner_end(x), inner_end(y));
	if (c == 0 && x->range.is_v6 != y->range.is_v6)
		c = x->range.is_v6 ? 1 : -1;
	return c ? c : (x->range.from > y->range.from) - (x->range.from < y->range.from);
}

static bool are_neighbours(const struct change *a, const struct change *b)
{
	return a->block != NO_BLOCK && a->block == b->block && a->range.is_v6 == b->range.is_v6 && a->range.to + 1 == b->range.from
	       && bh_slice_eq(inner_end(a), inner_end(b)) && bh_slice_eq(a->old, b->old) && bh_slice_eq(a->new, b->new);
}

static int name_block(struct diff *d, struct change *c)
{
	struct bh_buf text;
	struct bh_slice *at = c->block == FROM_BLOCK ? &c->from : &c->to;
	bh_buf_init(&text, 256);
	kube_addresses_print(&c->range, &text);
	bh_buf_add_str(&text, "[External]");
	bool ok = bh_arena_copy(&d->sides[0].n.arena, bh_buf_slice(&text), at);
	bh_buf_done(&text);
	return ok ? 0 : netpol_no_memory(&d->sides[0].n);
}

static int join_neighbours(struct diff *d)
{
	struct change_vec *v = &d->changes;
	size_t kept = 0;
	int rc = 0;
	if (v->len)
		qsort(v->ptr, v->len, sizeof(*v->ptr), by_address);
	for (size_t i = 0; rc == 0 && i < v->len; i++) {
		if (kept && are_neighbours(&v->ptr[kept - 1], &v->ptr[i])) {
			v->ptr[kept - 1].range.to = v->ptr[i].range.to;
			rc = name_block(d, &v->ptr[kept - 1]);
		} else {
			v->ptr[kept++] = v->ptr[i];
		}
	}
	v->len = kept;
	return rc;
}

/* ---- rows ---- */

static int by_type(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	int c = bh_slice_cmp(x->from, y->from);
	return c ? c : bh_slice_cmp(x->to, y->to);
}

static bool has_workload(const struct netpol *n, const struct kube_workload *w)
{
	for (size_t i = 0; i < n->workloads.len; i++) {
		const struct kube_workload *o = &n->workloads.ptr[i];
		if (bh_slice_eq(o->name, w->name) && bh_slice_eq(o->namespace, w->namespace) && bh_slice_eq(o->kind, w->kind))
			return true;
	}
	return false;
}

/* "workload X added" when only one side has it. */
static void add_info(const struct diff *d, const struct netpol_peer *peer, bool is_new, struct bh_buf *out)
{
	if (!peer || peer->kind != NETPOL_WORKLOAD || has_workload(&d->sides[!is_new].n, peer->workload))
		return;
	bh_buf_add_str(out, out->len ? ", workload " : "workload ");
	bh_buf_add(out, peer->text);
	bh_buf_add_str(out, is_new ? " added" : " removed");
}

static int say_change(struct diff *d, struct kube_cells *cells, const struct change *c)
{
	static const char *const names[] = { [NETPOL_CHANGED] = "changed", [NETPOL_ADDED] = "added", [NETPOL_REMOVED] = "removed" };
	struct bh_buf *t = cells->text;
	bh_buf_add_str(&t[NETPOL_CHANGE_TYPE], names[c->type]);
	bh_buf_add(&t[NETPOL_CHANGE_FROM], c->from);
	bh_buf_add(&t[NETPOL_CHANGE_TO], c->to);
	bh_buf_add(&t[NETPOL_CHANGE_OLD], c->old);
	bh_buf_add(&t[NETPOL_CHANGE_NEW], c->new);
	if (c->type == NETPOL_ADDED) {
		add_info(d, c->new_from, true, &t[NETPOL_CHANGE_INFO]);
		add_info(d, c->new_to, true, &t[NETPOL_CHANGE_INFO]);
	} else if (c->type == NETPOL_REMOVED) {
		add_info(d, c->old_from, false, &t[NETPOL_CHANGE_INFO]);
		add_info(d, c->old_to, false, &t[NETPOL_CHANGE_INFO]);
	}
	bh_buf_add_str(&t[NETPOL_CHANGE_GROWS], c->grows ? "yes" : "no");
	return kube_cells_say(d->asked, cells, NETPOL_ROW_CHANGE, NETPOL_CHANGE_CELLS, d->err);
}

static int say_all(struct diff *d)
{
	struct kube_cells cells;
	int rc = 0;
	kube_cells_init(&cells);
	if (d->changes.len)
		qsort(d->changes.ptr, d->changes.len, sizeof(*d->changes.ptr), by_type);
	for (size_t i = 0; rc == 0 && i < d->changes.len; i++)
		rc = say_change(d, &cells, &d->changes.ptr[i]);
	kube_cells_done(&cells);
	return rc;
}

static int compare(struct diff *d, bool services)
{
	int rc = netpol_cut_like(&d->sides[0].n, &d->sides[1].n);
	rc = rc < 0 ? rc : netpol_cut_like(&d->sides[1].n, &d->sides[0].n);
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		const struct netpol_pairing pairing = { .services = services, .each = keep_pair, .ctx = &d->sides[i] };
		rc = netpol_compile(&d->sides[i].n);
		rc = rc < 0 ? rc : netpol_pairs(&d->sides[i].n, &pairing);
	}
	rc = rc < 0 ? rc : merge(d);
	rc = rc < 0 ? rc : join_neighbours(d);
	return rc < 0 ? rc : say_all(d);
}

int netpol_diff(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	const struct netpol_comparing *what = ctx;
	struct diff d = {
		.asked = asked, .err = err, .changes = { .max = KUBE_ASK_ROWS_MAX },
		.sides = { { .pairs = { .max = KUBE_ASK_ROWS_MAX } }, { .pairs = { .max = KUBE_ASK_ROWS_MAX } } },
	};
	int rc = netpol_read(&d.sides[0].n, asked, 0, err);
	int other = netpol_read(&d.sides[1].n, asked, 1, err);
	rc = rc < 0 ? rc : other;
	rc = rc < 0 ? rc : compare(&d, what && what->services);
	for (size_t i = 0; i < 2; i++) {
		pair_vec_done(&d.sides[i].pairs);
		netpol_done(&d.sides[i].n);
	}
	change_vec_done(&d.changes);
	return rc;
}
