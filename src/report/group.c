/* group.c: findings -> per package -> per source. Sorting brings equal things together; everything lives in one arena. */
#include "report/group.h"

#include <stdlib.h>

#define GROUP_BYTES_MAX (512u << 20) /* 2 M findings take 16 bytes each, groups 100 */

/* One package with its findings: a span of the sorted array of findings. */
struct member {
	const struct bh_package *package;
	const struct bh_finding *const *findings;
	size_t n;
	uint32_t layer; /* BH_NO_LAYER unless grouped by layer */
};

enum group_remedy group_remedy_of(const struct bh_finding *f)
{
	if (f->n_fixed > 0)
		return REMEDY_UPGRADE;
	switch (f->state) {
	case BH_STATE_POSTPONED: return REMEDY_LATER;
	case BH_STATE_IGNORED: return REMEDY_IGNORED;
	case BH_STATE_END_OF_LIFE: return REMEDY_END_OF_LIFE;
	case BH_STATE_UNDETERMINED: return REMEDY_UNDETERMINED;
	case BH_STATE_AFFECTED:
	case BH_STATE_FIXED:
	case BH_STATE_NOT_AFFECTED: return REMEDY_NONE_YET;
	}
	return REMEDY_UNDETERMINED;
}

/* By package, then by remedy; within these in the report's order, which is worst first (findings lie in one array). */
static int compare_findings(const void *a, const void *b)
{
	const struct bh_finding *x = *(const struct bh_finding *const *)a, *y = *(const struct bh_finding *const *)b;
	if (x->package != y->package)
		return x->package < y->package ? -1 : 1;
	enum group_remedy rx = group_remedy_of(x), ry = group_remedy_of(y);
	if (rx != ry)
		return rx < ry ? -1 : 1;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	return (x > y) - (x < y);
}

static int compare_fixed(const struct bh_finding *x, const struct bh_finding *y)
{
	if (x->n_fixed != y->n_fixed)
		return x->n_fixed < y->n_fixed ? -1 : 1;
	for (size_t i = 0; i < x->n_fixed; i++) {
		int c = bh_slice_cmp(x->fixed[i], y->fixed[i]);
		if (c)
			return c;
	}
	return 0;
}

static int compare_lists(const struct member *x, const struct member *y)
{
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	for (size_t i = 0; i < x->n; i++) {
		const struct bh_finding *f = x->findings[i], *g = y->findings[i];
		int c = bh_slice_cmp(f->id, g->id);
		c = c ? c : (f->severity > g->severity) - (f->severity < g->severity);
		c = c ? c : (f->state > g->state) - (f->state < g->state);
		c = c ? c : compare_fixed(f, g);
		if (c)
			return c;
	}
	return 0;
}

/* 0 when both belong into one group. */
static int compare_keys(const struct member *x, const struct member *y)
{
	int c = (x->layer > y->layer) - (x->layer < y->layer);
	c = c ? c : bh_slice_cmp(x->package->type, y->package->type);
	c = c ? c : bh_slice_cmp(bh_package_source_name(x->package), bh_package_source_name(y->package));
	c = c ? c : bh_slice_cmp(x->package->version, y->package->version);
	return c ? c : compare_lists(x, y);
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int c = compare_keys(x, y);
	return c ? c : (x->package > y->package) - (x->package < y->package);
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	if (x->kev != y->kev)
		return x->kev ? -1 : 1;
	for (int s = BH_SEV_CRITICAL; s >= BH_SEV_UNKNOWN; s--) {
		if (x->by_severity[s] != y->by_severity[s])
			return x->by_severity[s] > y->by_severity[s] ? -1 : 1;
	}
	int c = bh_slice_cmp(bh_package_source_name(x->packages[0]), bh_package_source_name(y->packages[0]));
	return c ? c : (x->packages[0] > y->packages[0]) - (x->packages[0] < y->packages[0]);
}

/* The highest of the lowest fixed versions. Empty when two of them can't be compared. */
static struct bh_slice highest_fix(const struct group *g, const struct report_style *style)
{
	struct bh_slice best = { 0 };
	for (size_t i = 0; i < g->n_findings && g->findings[i]->n_fixed; i++) {
		struct bh_slice v = g->findings[i]->fixed[0];
		int order = 1;
		if (best.len && !bh_slice_eq(v, best) &&
		    !(style->compare_versions && style->compare_versions(g->packages[0]->type, v, best, &order)))
			return (struct bh_slice){ 0 };
		if (best.len == 0 || order > 0)
			best = v;
	}
	return best;
}

static void fill_group(struct group *g, const struct member *members, size_t n, const struct bh_package **packages, const struct report_style *style)
{
	*g = (struct group){ .packages = packages, .findings = members[0].findings, .n_findings = members[0].n, .layer = members[0].layer };
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !bh_slice_eq(members[i].package->name, packages[g->n_packages - 1]->name))
			packages[g->n_packages++] = members[i].package;
	for (size_t i = 0; i < g->n_findings; i++) {
		g->kev = g->kev || g->findings[i]->kev;
		g->by_severity[g->findings[i]->severity]++;
	}
	g->upgrade = highest_fix(g, style);
}

/* The findings that belong here, sorted. Returns how many. */
static size_t collect(const struct bh_report *r, const struct bh_finding **out)
{
	size_t n = 0;
	for (size_t i = 0; i < r->findings.len; i++) {
		const struct bh_finding *f = &r->findings.ptr[i];
		if (f->class == BH_CLASS_VULNERABILITY && f->package)
			out[n++] = f;
	}
	if (n > 1)
		qsort(out, n, sizeof(out[0]), compare_findings);
	return n;
}

static size_t split_members(const struct bh_finding *const *findings, size_t n, bool by_layer, struct member *members)
{
	size_t n_members = 0;
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || findings[i]->package != findings[i - 1]->package)
			members[n_members++] = (struct member){ .package = findings[i]->package,
								.findings = &findings[i],
								.layer = by_layer ? findings[i]->package->at.layer : BH_NO_LAYER };
		members[n_members - 1].n++;
	}
	if (n_members > 1)
		qsort(members, n_members, sizeof(members[0]), compare_members);
	return n_members;
}

int groups_make(const struct bh_report *report, const struct report_style *style, struct groups *ret, struct bh_err *err)
{
	struct groups g = { 0 };
	bh_arena_init(&g.arena, GROUP_BYTES_MAX);
	size_t max = report->findings.len;
	const struct bh_finding **findings = bh_arena_array(&g.arena, max + 1, sizeof(findings[0]));
	struct member *members = bh_arena_array(&g.arena, max + 1, sizeof(members[0]));
	const struct bh_package **packages = bh_arena_array(&g.arena, max + 1, sizeof(packages[0]));
	g.ptr = bh_arena_array(&g.arena, max + 1, sizeof(g.ptr[0]));
	if (!findings || !members || !packages || !g.ptr) {
		bh_arena_done(&g.arena);
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for %zu findings", max);
	}
	size_t n_members = split_members(findings, collect(report, findings), style->by_layer, members);
	g.n_packages = n_members;
	for (size_t i = 0, end; i < n_members; i = end) {
		for (end = i + 1; end < n_members && compare_keys(&members[i], &members[end]) == 0;)
			end++;
		fill_group(&g.ptr[g.len++], &members[i], end - i, packages + i, style);
	}
	if (g.len > 1)
		qsort(g.ptr, g.len, sizeof(g.ptr[0]), compare_groups);
	*ret = g;
	return 0;
}

void groups_done(struct groups *g)
{
	bh_arena_done(&g->arena);
	*g = (struct groups){ 0 };
}
