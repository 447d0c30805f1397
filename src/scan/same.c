/* same.c: see same.h. */
#include "scan/same.h"

static bool is_same(const struct bh_package *a, const struct bh_package *b)
{
	return bh_slice_eq(a->type, b->type) && bh_slice_eq(a->name, b->name) && bh_slice_eq(a->version, b->version) && bh_slice_eq(a->arch, b->arch);
}

static void take_missing(struct bh_slice *to, struct bh_slice from)
{
	if (to->len == 0)
		*to = from;
}

static size_t surest(const struct bh_package *p, size_t n)
{
	size_t best = 0;
	for (size_t i = 1; i < n; i++)
		if (p[i].at.evidence < p[best].at.evidence)
			best = i;
	return best;
}

static bool is_same_place(const struct bh_location *a, const struct bh_location *b)
{
	return a->line == b->line && a->layer == b->layer && bh_slice_eq(a->path, b->path) && bh_slice_eq(a->inner, b->inner);
}

static bool merge(struct bh_report *report, const struct bh_package *p, size_t n, struct bh_package *ret)
{
	size_t best = surest(p, n), k = 0;
	struct bh_location *also = bh_arena_array(&report->arena, n - 1, sizeof(*also));
	if (!also)
		return false;
	struct bh_package one = p[best];
	for (size_t i = 0; i < n; i++) {
		if (i == best)
			continue;
		/* Sorted by place: what many files of one folder say (Nix) is one place. */
		if (!is_same_place(&p[i].at, &p[best].at) && (k == 0 || !is_same_place(&p[i].at, &also[k - 1])))
			also[k++] = p[i].at;
		one.scope = p[i].scope < one.scope ? p[i].scope : one.scope;
		if (p[i].owner.len == 0)
			one.owner = (struct bh_slice){ 0 };
		take_missing(&one.license, p[i].license);
		take_missing(&one.vendor, p[i].vendor);
		take_missing(&one.sha1, p[i].sha1);
		take_missing(&one.owned, p[i].owned);
	}
	one.also = k ? also : NULL;
	one.n_also = k;
	*ret = one;
	return true;
}

bool same_packages_merge(struct bh_report *report)
{
	struct bh_package_vec *v = &report->packages;
	size_t kept = 0;
	for (size_t i = 0, n; i < v->len; i += n) {
		for (n = 1; i + n < v->len && is_same(&v->ptr[i], &v->ptr[i + n]); n++)
			;
		if (n > 1 && !merge(report, &v->ptr[i], n, &v->ptr[i]))
			return false;
		v->ptr[kept++] = v->ptr[i];
	}
	v->len = kept;
	return true;
}
