/*
 * diff.c: both lists of packages are sorted by type, name and version, so one walk over both finds the runs of one package; what has the
 * same version on both sides is the same, the rest is paired in order.
 */
#include "policy/diff.h"

#include "policy/compare.h"

struct run {
	const struct bh_package *ptr;
	size_t len;
};

static int compare_names(const struct bh_package *a, const struct bh_package *b)
{
	int c = bh_slice_cmp(a->type, b->type);
	return c ? c : bh_slice_cmp(a->name, b->name);
}

/* The packages at `at` that have one name. */
static struct run run_at(const struct bh_package_vec *v, size_t at)
{
	size_t end = at + 1;
	while (end < v->len && compare_names(&v->ptr[at], &v->ptr[end]) == 0)
		end++;
	return (struct run){ &v->ptr[at], end - at };
}

static enum bh_diff_kind direction(const struct bh_package *before, const struct bh_package *after, policy_compare_versions *compare)
{
	int order;
	if (!compare || !compare(after->type, before->version, after->version, &order) || order == 0)
		return BH_DIFF_CHANGED;
	return order < 0 ? BH_DIFF_UPGRADED : BH_DIFF_DOWNGRADED;
}

static bool add_package(struct bh_diff *d, const struct bh_package *before, const struct bh_package *after, policy_compare_versions *compare)
{
	enum bh_diff_kind kind = !before ? BH_DIFF_ADDED : !after ? BH_DIFF_REMOVED : direction(before, after, compare);
	return bh_package_diff_vec_push(&d->packages, (struct bh_package_diff){ kind, before, after });
}

static int compare_versions(const struct bh_package *a, const struct bh_package *b)
{
	int c = bh_slice_cmp(a->version, b->version);
	return c ? c : bh_slice_cmp(a->arch, b->arch);
}

/* What only one side has, in order. */
struct rest {
	const struct bh_package **ptr;
	size_t len;
};

/* Both runs are sorted by version and architecture: one walk over both. A version that is there several times counts once. */
static void take_same(struct bh_diff *d, struct run before, struct run after, struct rest *old, struct rest *new)
{
	size_t i = 0, k = 0;
	while (i < before.len || k < after.len) {
		int c = i == before.len ? 1 : k == after.len ? -1 : compare_versions(&before.ptr[i], &after.ptr[k]);
		const struct bh_package *b = c <= 0 ? &before.ptr[i] : NULL, *a = c >= 0 ? &after.ptr[k] : NULL;
		if (c < 0)
			old->ptr[old->len++] = b;
		else if (c > 0)
			new->ptr[new->len++] = a;
		else
			d->same_packages++;
		while (b && i < before.len && compare_versions(b, &before.ptr[i]) == 0)
			i++;
		while (a && k < after.len && compare_versions(a, &after.ptr[k]) == 0)
			k++;
	}
}

static bool diff_runs(struct bh_diff *d, struct run before, struct run after, struct rest old, struct rest new, policy_compare_versions *compare)
{
	take_same(d, before, after, &old, &new);
	bool ok = true;
	for (size_t i = 0; ok && (i < old.len || i < new.len); i++)
		ok = add_package(d, i < old.len ? old.ptr[i] : NULL, i < new.len ? new.ptr[i] : NULL, compare);
	return ok;
}

static bool diff_packages(struct bh_diff *d, policy_compare_versions *compare)
{
	const struct bh_package_vec *x = &d->before->packages, *y = &d->after->packages;
	struct rest old = { bh_arena_array(&d->arena, x->len + 1, sizeof(old.ptr[0])), 0 },
		new = { bh_arena_array(&d->arena, y->len + 1, sizeof(new.ptr[0])), 0 };
	bool ok = old.ptr && new.ptr;
	for (size_t i = 0, k = 0; ok && (i < x->len || k < y->len);) {
		int c = i == x->len ? 1 : k == y->len ? -1 : compare_names(&x->ptr[i], &y->ptr[k]);
		struct run before = c <= 0 ? run_at(x, i) : (struct run){ NULL, 0 }, after = c >= 0 ? run_at(y, k) : (struct run){ NULL, 0 };
		ok = diff_runs(d, before, after, old, new, compare);
		i += before.len;
		k += after.len;
	}
	return ok;
}

static bool add_finding(struct bh_diff *d, enum bh_diff_kind kind, const struct bh_finding *before, const struct bh_finding *after, const char *note)
{
	return bh_finding_diff_vec_push(&d->findings, (struct bh_finding_diff){ kind, before, after, bh_slice_str(note) });
}

/* What is told about a finding that both have: another severity or state. NULL: nothing. */
static const char *what_changed(struct bh_diff *d, const struct bh_finding *before, const struct bh_finding *after)
{
	const char *worse = policy_what_is_worse(before, after, &d->arena);
	if (worse)
		return worse;
	if (before->severity != after->severity)
		return bh_arena_printf(&d->arena, "severity was %s", bh_severity_name(before->severity));
	if (before->state != after->state)
		return bh_arena_printf(&d->arena, "was %s", bh_state_name(before->state));
	return NULL;
}

static bool diff_findings(struct bh_diff *d, const struct policy_pairs *pairs)
{
	const struct bh_finding_vec *x = &d->before->findings, *y = &d->after->findings;
	bool ok = true;
	for (size_t i = 0; ok && i < y->len; i++)
		if (pairs->old_of[i] == POLICY_NO_PAIR)
			ok = add_finding(d, BH_DIFF_ADDED, NULL, &y->ptr[i], NULL);
	for (size_t i = 0; ok && i < y->len; i++) {
		if (pairs->old_of[i] == POLICY_NO_PAIR)
			continue;
		const struct bh_finding *before = &x->ptr[pairs->old_of[i]];
		const char *note = what_changed(d, before, &y->ptr[i]);
		d->same_findings += note == NULL;
		ok = !note || add_finding(d, BH_DIFF_CHANGED, before, &y->ptr[i], note);
	}
	for (size_t i = 0; ok && i < x->len; i++)
		if (pairs->new_of[i] == POLICY_NO_PAIR)
			ok = add_finding(d, BH_DIFF_REMOVED, &x->ptr[i], NULL, NULL);
	return ok;
}

int policy_diff(const struct bh_report *before, const struct bh_report *after, policy_compare_versions *compare, struct bh_diff *d,
		struct bh_err *err)
{
	struct policy_pairs pairs;
	d->before = before;
	d->after = after;
	int rc = policy_compare(before, after, &pairs, err);
	if (rc < 0)
		return rc;
	bool ok = diff_packages(d, compare) && diff_findings(d, &pairs);
	policy_pairs_done(&pairs);
	return ok ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for the difference");
}
