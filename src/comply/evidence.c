#include "comply/evidence.h"

#include "policy/glob.h"

/* Index = enum comply_verdict. */
static const char *const names[] = { "fail", "unchecked", "manual", "exempt", "attested", "pass", "not-applicable" };

const char *comply_verdict_name(enum comply_verdict v)
{
	return names[v];
}

static int by_check(const void *a, const void *b)
{
	const struct comply_reason *x = a, *y = b;
	int c = bh_slice_cmp(x->check, y->check);
	if (c == 0)
		c = (x->verdict > y->verdict) - (x->verdict < y->verdict);
	if (c == 0)
		c = bh_slice_cmp(x->file, y->file);
	if (c == 0)
		c = (x->line > y->line) - (x->line < y->line);
	if (c == 0)
		c = bh_slice_cmp(x->text, y->text);
	return c ? c : bh_slice_cmp(x->evidence, y->evidence);
}

void comply_sort(struct comply_reason_vec *pool)
{
	if (pool->len)
		qsort(pool->ptr, pool->len, sizeof(*pool->ptr), by_check);
}

/* The first reason of the check, or of what comes behind it. */
static size_t lower_bound(const struct comply_reason_vec *pool, struct bh_slice check)
{
	size_t low = 0, high = pool->len;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (bh_slice_cmp(pool->ptr[middle].check, check) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct concluding {
	const struct comply_options *options;
	const struct comply_reason_vec *pool;
	struct comply_report *report;
	const struct comply_control *control;
	uint64_t seen[COMPLY_VERDICTS];
	struct bh_err *err;
};

static int add_reason(struct concluding *c, struct comply_reason reason)
{
	c->seen[reason.verdict]++;
	return comply_reason_vec_push(&c->report->reasons, reason) ? 0 : bh_fail(c->err, BH_ELIMIT, 0, "more than %u reasons", COMPLY_REASONS_MAX);
}

/* How many reasons the check had. */
static int collect(struct concluding *c, const char *check, size_t *ret)
{
	struct bh_slice id = bh_slice_str(check);
	size_t i = lower_bound(c->pool, id), n = 0;
	int rc = 0;
	for (; rc == 0 && i < c->pool->len && bh_slice_eq(c->pool->ptr[i].check, id); i++, n++)
		rc = add_reason(c, c->pool->ptr[i]);
	*ret = n;
	return rc;
}

static const char *not_given(const struct comply_check *check)
{
	bool of_daemon = bh_slice_starts(bh_slice_str(check->id), BH_SLICE_LIT("docker-")); /* rules/docker/ */
	return of_daemon ? "no daemon was asked: docker: or podman: is not among the paths" : "no manifests were given";
}

/* What was not looked at is told, as the control may not be met there. A policy that none of the given objects is for does not apply. */
static int tell_missing(struct concluding *c, const struct comply_check *check)
{
	const char *text = NULL;
	enum comply_verdict verdict = COMPLY_UNCHECKED;
	switch (check->source) {
	case COMPLY_POLICY:
	case COMPLY_OWN:
		text = c->options->n_paths ? "nothing that it is about was given" : not_given(check);
		verdict = c->options->n_paths ? COMPLY_NOT_APPLICABLE : COMPLY_UNCHECKED;
		break;
	case COMPLY_NODE: text = "nothing was given that tells it: neither the root of a node nor manifests of the component"; break;
	case COMPLY_CLASS: text = "no report of a scan was given"; break;
	}
	return add_reason(c, (struct comply_reason){ verdict, bh_slice_str(check->id), bh_slice_str(text) });
}

static int collect_all(struct concluding *c)
{
	const struct comply_control *control = c->control;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < control->n_checks; i++) {
		size_t n = 0;
		rc = collect(c, control->checks[i].id, &n);
		if (rc == 0 && n == 0)
			rc = tell_missing(c, &control->checks[i]);
	}
	return rc;
}

/* The pseudo finding of a control that somebody has to look at: attested when an exception took it out. */
static int attest(struct concluding *c)
{
	const struct bh_finding_vec *suppressed = &c->report->findings.suppressed;
	const struct comply_framework *f = c->report->framework;
	for (size_t i = 0; i < suppressed->len; i++) {
		const struct bh_finding *s = &suppressed->ptr[i];
		struct bh_slice name, id;
		if (!bh_slice_eq_str(s->source, "manual") || !bh_slice_cut(s->id, ':', &name, &id) || !bh_slice_eq_str(name, f->name)
		    || !bh_slice_eq_str(id, c->control->id))
			continue;
		return add_reason(c, (struct comply_reason){ .verdict = COMPLY_ATTESTED, .text = s->ruling.reason, .ruling = &s->ruling });
	}
	return 0;
}

static enum comply_verdict verdict_of(const struct concluding *c)
{
	if (c->seen[COMPLY_FAIL])
		return COMPLY_FAIL;
	if (c->control->how != COMPLY_DECIDED && c->seen[COMPLY_ATTESTED])
		return COMPLY_ATTESTED;
	if (c->control->how != COMPLY_DECIDED)
		return COMPLY_LOOK;
	for (enum comply_verdict v = COMPLY_UNCHECKED; v < COMPLY_NOT_APPLICABLE; v++)
		if (c->seen[v])
			return v;
	return COMPLY_NOT_APPLICABLE;
}

static int by_verdict(const void *a, const void *b)
{
	const struct comply_reason *x = a, *y = b;
	int c = (x->verdict > y->verdict) - (x->verdict < y->verdict);
	return c ? c : by_check(a, b);
}

static int conclude(struct concluding *c)
{
	struct comply_report *r = c->report;
	struct comply_result result = { .control = c->control, .first = r->reasons.len };
	int rc = collect_all(c);
	if (rc == 0 && c->control->how != COMPLY_DECIDED)
		rc = attest(c);
	if (rc < 0)
		return rc;
	result.n = r->reasons.len - result.first;
	result.verdict = verdict_of(c);
	if (result.n)
		qsort(r->reasons.ptr + result.first, result.n, sizeof(*r->reasons.ptr), by_verdict);
	r->totals[result.verdict]++;
	return comply_result_vec_push(&r->results, result) ? 0 : bh_fail(c->err, BH_ENOMEM, 0, "out of memory for the results");
}

static bool is_wanted(const struct comply_options *o, const struct comply_control *control)
{
	bool wanted = o->n_controls == 0;
	for (size_t i = 0; !wanted && i < o->n_controls; i++)
		wanted = policy_glob(bh_slice_str(o->controls[i]), bh_slice_str(control->id));
	return wanted;
}

int comply_conclude(const struct comply_options *options, const struct comply_reason_vec *pool, struct comply_report *report, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < report->framework->n_controls; i++) {
		struct concluding c = { .options = options, .pool = pool, .report = report, .control = &report->framework->controls[i], .err = err };
		if (is_wanted(options, c.control))
			rc = conclude(&c);
	}
	if (rc == 0 && report->results.len == 0)
		return bh_fail(err, BH_EUSAGE, 0, "no control of %s %s is called %s", report->framework->name, report->framework->version, options->controls[0]);
	return rc;
}
