/* changes.c: every fixable finding gets the key of the step that removes it; sorting brings those of one step together. */
#include "policy/changes.h"

#include "model/purl.h"

#include <stdlib.h>

/* The step that removes a finding. */
struct step {
	enum bh_change_kind kind;
	uint32_t finding;
	struct bh_slice type, name, version, path; /* name: of the source package */
};

static bool in_base(const struct bh_report *r, uint32_t layer)
{
	const struct bh_layer *l = bh_report_layer(r, layer);
	return l && l->base;
}

/* A file in which somebody wrote the version down, or had it written. */
static bool is_written_down(const struct bh_package *p)
{
	return p->at.evidence == BH_EVIDENCE_LOCKFILE || p->at.evidence == BH_EVIDENCE_MANIFEST;
}

/* False when there is nothing to be done yet. */
static bool step_of(const struct bh_report *r, uint32_t index, struct step *ret)
{
	const struct bh_finding *f = &r->findings.ptr[index];
	const struct bh_package *p = f->package;
	*ret = (struct step){ .kind = BH_CHANGE_BASE_IMAGE, .finding = index };
	if (f->class == BH_CLASS_END_OF_LIFE && !p) /* the distribution itself */
		return true;
	if (f->class != BH_CLASS_VULNERABILITY || !p || f->n_fixed == 0)
		return false;
	if (in_base(r, f->layer) && !is_written_down(p))
		return true;
	ret->kind = is_written_down(p) ? BH_CHANGE_LOCKFILE : BH_CHANGE_PACKAGE;
	ret->type = p->type;
	ret->name = bh_package_source_name(p);
	ret->version = bh_package_source_version(p);
	ret->path = !bh_purl_type_is_distro(p->type) ? p->at.path : (struct bh_slice){ 0 };
	return true;
}

static int compare_keys(const struct step *x, const struct step *y)
{
	int c = (x->kind > y->kind) - (x->kind < y->kind);
	c = c ? c : bh_slice_cmp(x->type, y->type);
	c = c ? c : bh_slice_cmp(x->name, y->name);
	c = c ? c : bh_slice_cmp(x->version, y->version);
	return c ? c : bh_slice_cmp(x->path, y->path);
}

static int compare_steps(const void *a, const void *b)
{
	const struct step *x = a, *y = b;
	int c = compare_keys(x, y);
	return c ? c : (x->finding > y->finding) - (x->finding < y->finding);
}

/* Known exploited, then critical, then high with unknown, as the verdict counts them, and so on; then the order of the report. */
static int compare_changes(const void *a, const void *b)
{
	const struct bh_change *x = a, *y = b;
	if (x->kev != y->kev)
		return x->kev > y->kev ? -1 : 1;
	for (int s = BH_SEV_CRITICAL; s > BH_SEV_UNKNOWN; s--) {
		uint64_t n = x->by_severity[s] + (s == BH_SEV_HIGH ? x->by_severity[BH_SEV_UNKNOWN] : 0);
		uint64_t m = y->by_severity[s] + (s == BH_SEV_HIGH ? y->by_severity[BH_SEV_UNKNOWN] : 0);
		if (n != m)
			return n > m ? -1 : 1;
	}
	return (x->findings[0] > y->findings[0]) - (x->findings[0] < y->findings[0]);
}

/* The one version that fixes all of them: the highest of the lowest. Empty when two of them can't be compared. */
static struct bh_slice highest_fix(const struct bh_report *r, const struct bh_change *c, policy_compare_versions *compare)
{
	struct bh_slice best = { 0 };
	for (size_t i = 0; i < c->n_findings; i++) {
		const struct bh_finding *f = &r->findings.ptr[c->findings[i]];
		struct bh_slice v = f->n_fixed ? f->fixed[0] : (struct bh_slice){ 0 };
		int order = 1;
		if (best.len && v.len && !bh_slice_eq(v, best) && !(compare && compare(c->type, v, best, &order)))
			return (struct bh_slice){ 0 };
		if (v.len && (best.len == 0 || order > 0))
			best = v;
	}
	return best;
}

static const char *base_action(struct bh_report *r, const struct bh_change *c)
{
	const struct bh_finding *f = &r->findings.ptr[c->findings[0]];
	bool end_of_life = f->class == BH_CLASS_END_OF_LIFE && f->fix.len;
	if (end_of_life && c->n_findings == 1)
		return bh_arena_printf(&r->arena, "%.*s", BH_SLICE_FMT(f->fix));
	if (r->base.name.len)
		return bh_arena_printf(&r->arena, "rebuild on a newer %.*s", BH_SLICE_FMT(r->base.name));
	return "rebuild on a newer base image";
}

/* "openssl", or "openssl (libssl3)" where only one binary package of another name is meant. */
static const char *package_name(struct bh_report *r, const struct bh_change *c)
{
	const struct bh_package *first = r->findings.ptr[c->findings[0]].package;
	bool same = true;
	for (size_t i = 1; same && i < c->n_findings; i++)
		same = bh_slice_eq(r->findings.ptr[c->findings[i]].package->name, first->name);
	if (same && !bh_slice_eq(first->name, c->what))
		return bh_arena_printf(&r->arena, "%.*s (%.*s)", BH_SLICE_FMT(c->what), BH_SLICE_FMT(first->name));
	return bh_arena_printf(&r->arena, "%.*s", BH_SLICE_FMT(c->what));
}

static const char *package_action(struct bh_report *r, const struct bh_change *c)
{
	const char *name = package_name(r, c), *verb = c->kind == BH_CHANGE_LOCKFILE ? "change" : "upgrade";
	if (!name)
		return NULL;
	if (c->to.len)
		return bh_arena_printf(&r->arena, "%s %s %.*s to %.*s", verb, name, BH_SLICE_FMT(c->from), BH_SLICE_FMT(c->to));
	return bh_arena_printf(&r->arena, "%s %s %.*s to a fixed version", verb, name, BH_SLICE_FMT(c->from));
}

/* Of a base image: its FROM line; of packages: the layer that brought all of them, and the place of what is written down. */
static void find_place(const struct bh_report *r, struct bh_change *c)
{
	const struct bh_finding *first = &r->findings.ptr[c->findings[0]];
	c->layer = first->layer;
	for (size_t i = 1; i < c->n_findings; i++)
		if (r->findings.ptr[c->findings[i]].layer != c->layer)
			c->layer = BH_NO_LAYER;
	if (c->kind == BH_CHANGE_BASE_IMAGE) {
		c->layer = BH_NO_LAYER;
		c->path = r->base.dockerfile_line ? r->dockerfile : (struct bh_slice){ 0 };
		c->line = r->base.dockerfile_line;
	} else if (first->package && c->path.len) {
		c->line = first->package->at.line;
	}
}

static int add_change(struct bh_report *r, const struct step *steps, uint32_t *findings, size_t n, policy_compare_versions *compare,
		      struct bh_err *err)
{
	struct bh_change c = { .kind = steps[0].kind, .what = steps[0].name, .type = steps[0].type, .from = steps[0].version, .path = steps[0].path,
			       .findings = findings, .n_findings = n };
	for (size_t i = 0; i < n; i++) {
		const struct bh_finding *f = &r->findings.ptr[steps[i].finding];
		findings[i] = steps[i].finding;
		c.by_severity[f->severity]++;
		c.kev += f->kev;
	}
	find_place(r, &c);
	bool base = c.kind == BH_CHANGE_BASE_IMAGE;
	if (base)
		c.what = r->base.name.len ? r->base.name : BH_SLICE_LIT("base image");
	else
		c.to = highest_fix(r, &c, compare);
	c.action = bh_slice_str(base ? base_action(r, &c) : package_action(r, &c));
	return c.action.len && bh_change_vec_push(&r->changes, c) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for what to change");
}

int policy_changes(struct bh_report *r, policy_compare_versions *compare, struct bh_err *err)
{
	size_t n = 0;
	struct step *steps = calloc(r->findings.len + 1, sizeof(steps[0]));
	uint32_t *findings = bh_arena_array(&r->arena, r->findings.len + 1, sizeof(findings[0]));
	if (!steps || !findings) {
		free(steps);
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for what to change");
	}
	for (size_t i = 0; i < r->findings.len; i++)
		n += step_of(r, (uint32_t)i, &steps[n]);
	if (n > 1)
		qsort(steps, n, sizeof(steps[0]), compare_steps);
	int rc = 0;
	for (size_t i = 0, end; rc == 0 && i < n; i = end) {
		for (end = i + 1; end < n && compare_keys(&steps[i], &steps[end]) == 0;)
			end++;
		rc = add_change(r, &steps[i], findings + i, end - i, compare, err);
	}
	free(steps);
	if (r->changes.len > 1)
		qsort(r->changes.ptr, r->changes.len, sizeof(r->changes.ptr[0]), compare_changes);
	return rc;
}
