/*
 * rows.c: which rows count, and where. Packages stand by ecosystem, then by the hash of their names, so that packages of the
 * same name stand in the same order in all of them. Rows stand by package in the file's order of packages, then by advisory. Of the rows about one
 * (package, advisory) those of the best source are seen; the others are kept aside for the day that source is replaced.
 */
#include "vuln/build.h"

struct hashed {
	uint32_t ecosystem, name, number; /* ranks of the strings; package */
	uint64_t hash;
};

static int cmp_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int by_hash(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;
	if (x->ecosystem != y->ecosystem)
		return x->ecosystem < y->ecosystem ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return cmp_u32(x->name, y->name);
}

/* place[number] = where the package stands in the file; those without rows (theirs were refused) nowhere. */
static int place_packages(const struct vuln_builder *b, const struct vuln_identity *id, struct vuln_rows *rows, uint32_t *place, struct bh_err *err)
{
	struct hashed *all = vuln_array(b->packages.len, sizeof(*all), err);
	rows->packages = vuln_array(b->packages.len, sizeof(uint32_t), err);
	if (!all || !rows->packages) {
		free(all);
		return BH_ENOMEM;
	}
	for (size_t i = 0; i < b->rows.len; i++) {
		uint32_t number = b->rows.ptr[i].package;
		const struct vuln_b_package *p = (const void *)vuln_interned(&b->packages, number).ptr;
		if (place[number]++)
			continue;
		all[rows->n_packages++] = (struct hashed){ id->rank[p->ecosystem], id->rank[p->name], number, bh_slice_hash(vuln_b_string(b, p->name)) };
	}
	qsort(all, rows->n_packages, sizeof(*all), by_hash);
	for (uint32_t i = 0; i < rows->n_packages; i++) {
		rows->packages[i] = all[i].number;
		place[all[i].number] = i;
	}
	free(all);
	return 0;
}

/* ---- order of rows ---- */

struct context {
	const struct vuln_builder *b;
	const struct vuln_identity *id;
};

static int cmp_strings(const struct context *c, uint32_t a, uint32_t b)
{
	return cmp_u32(c->id->rank[a], c->id->rank[b]);
}

/* Numbers in lists of ranges are two strings and a kind, of versions one string. */
static int cmp_lists(const struct context *c, uint32_t a, uint32_t b, bool ranges)
{
	uint32_t n_a, n_b;
	const uint32_t *x = vuln_b_list(c->b, a, &n_a), *y = vuln_b_list(c->b, b, &n_b);
	for (uint32_t i = 0; a != b && i < n_a && i < n_b; i++)
		if (x[i] != y[i])
			return ranges && i % 3 == 2 ? cmp_u32(x[i], y[i]) : cmp_strings(c, x[i], y[i]);
	return cmp_u32(n_a, n_b);
}

/* By all that a row says, but for the name that it gives the flaw. */
static int cmp_content(const struct context *c, const struct vuln_b_row *x, const struct vuln_b_row *y)
{
	const struct vuln_b_qualifier *p = (const void *)vuln_interned(&c->b->qualifiers, x->qualifier).ptr;
	const struct vuln_b_qualifier *q = (const void *)vuln_interned(&c->b->qualifiers, y->qualifier).ptr;
	int r = cmp_u32(c->id->source_rank[p->source], c->id->source_rank[q->source]);
	r = r ? r : cmp_u32(x->state, y->state);
	r = r ? r : cmp_u32(x->severity, y->severity);
	r = r ? r : cmp_u32(x->flags, y->flags);
	r = r ? r : cmp_strings(c, p->erratum, q->erratum);
	r = r ? r : cmp_strings(c, p->arch, q->arch);
	r = r ? r : cmp_strings(c, p->module, q->module);
	r = r ? r : cmp_lists(c, x->ranges, y->ranges, true);
	return r ? r : cmp_lists(c, x->versions, y->versions, false);
}

static int by_order(const void *a, const void *b, void *ctx)
{
	const struct context *c = ctx;
	const struct vuln_b_order *x = a, *y = b;
	if (x->package != y->package)
		return x->package < y->package ? -1 : 1;
	if (x->advisory != y->advisory)
		return x->advisory < y->advisory ? -1 : 1;
	if (x->below != y->below)
		return x->below < y->below ? -1 : 1;
	const struct vuln_b_row *r = &c->b->rows.ptr[x->row], *s = &c->b->rows.ptr[y->row];
	int cmp = cmp_content(c, r, s);
	return cmp ? cmp : cmp_u32(c->id->name_no[r->id], c->id->name_no[s->id]);
}

static int order_rows(const struct context *c, const uint32_t *place, struct vuln_rows *rows, struct bh_err *err)
{
	const struct vuln_builder *b = c->b;
	rows->order = vuln_array(b->rows.len, sizeof(*rows->order), err);
	if (!rows->order)
		return BH_ENOMEM;
	for (uint32_t i = 0; i < b->rows.len; i++) {
		const struct vuln_b_row *r = &b->rows.ptr[i];
		const struct vuln_b_qualifier *q = (const void *)vuln_interned(&b->qualifiers, r->qualifier).ptr;
		rows->order[i] = (struct vuln_b_order){ .package = place[r->package],
							.advisory = c->id->advisory_of[r->id],
							.row = i,
							.below = (uint16_t)(UINT16_MAX - b->sources.ptr[q->source].precedence) };
	}
	struct context copy = *c;
	qsort_r(rows->order, b->rows.len, sizeof(*rows->order), by_order, &copy);
	return 0;
}

/* Drops exact repeats; hides what a better source outweighs, and what says the same under another name of the flaw. */
static void choose_rows(const struct context *c, struct vuln_rows *rows)
{
	const struct vuln_b_row *all = c->b->rows.ptr;
	const struct vuln_b_order *last = NULL; /* the one before, as it was sorted */
	uint32_t best = 0;                      /* precedence that counts for this (package, advisory) */
	for (size_t i = 0; i < c->b->rows.len; i++) {
		struct vuln_b_order o = rows->order[i];
		bool same_flaw = last && last->package == o.package && last->advisory == o.advisory;
		bool same = same_flaw && last->below == o.below && cmp_content(c, &all[last->row], &all[o.row]) == 0;
		if (same && all[last->row].id == all[o.row].id)
			continue;
		best = same_flaw ? best : o.below;
		o.hidden = same || o.below != best;
		rows->n_hidden += o.hidden;
		rows->order[rows->n] = o;
		last = &rows->order[rows->n++];
	}
}

int vuln_rows_make(const struct vuln_builder *b, const struct vuln_identity *id, struct vuln_rows *ret, struct bh_err *err)
{
	const struct context c = { b, id };
	*ret = (struct vuln_rows){ 0 };
	uint32_t *place = vuln_array(b->packages.len, sizeof(*place), err);
	int rc = place ? place_packages(b, id, ret, place, err) : BH_ENOMEM;
	rc = rc < 0 ? rc : order_rows(&c, place, ret, err);
	free(place);
	if (rc < 0)
		vuln_rows_done(ret);
	else
		choose_rows(&c, ret);
	return rc;
}

void vuln_rows_done(struct vuln_rows *r)
{
	free(r->packages);
	free(r->order);
	*r = (struct vuln_rows){ 0 };
}
