#include "comply/comply.h"

#include "base/cleanup.h"
#include "base/map.h"
#include "comply/evidence.h"
#include "comply/node.h"
#include "comply/reports.h"
#include "kube/objects.h"
#include "kube/review.h"
#include "policy/judge.h"
#include "sys/files.h"

#include <errno.h>
#include <sys/mman.h>

#define POLICIES_MAX 2000u
#define CONTROLS_MAX 10000u
#define CHECKS_MAX 20000u

struct running {
	const struct comply_options *options;
	struct comply_report *report;
	struct comply_reason_vec pool;
	struct kube_check_count_vec counts;
	struct bh_map aliases; /* check -> struct alias_list */
	struct bh_err *err;
};

static int no_memory(struct running *r)
{
	return bh_fail(r->err, BH_ELIMIT, 0, "more findings or reasons than there is memory for");
}

/* ---- standard input, which two children read ---- */

static int keep_input(const struct comply_options *o, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bool wanted = false;
	for (size_t i = 0; i < o->n_paths; i++)
		wanted |= strcmp(o->paths[i], "-") == 0;
	if (!wanted)
		return 0;
	BH_CLOSE int fd = memfd_create("manifests", MFD_CLOEXEC);
	if (fd < 0)
		return bh_fail_errno(err, errno, "standard input");
	bh_buf_init(&text, KUBE_TEXT_BYTES_MAX);
	int rc = bh_read_all(STDIN_FILENO, KUBE_TEXT_BYTES_MAX, &text, err);
	rc = rc < 0 ? rc : bh_write_all(fd, bh_buf_slice(&text), err);
	if (rc == 0 && dup2(fd, STDIN_FILENO) < 0)
		rc = bh_fail_errno(err, errno, "standard input");
	return rc;
}

/* ---- findings know the controls that they are about, so that an exception may name the control ---- */

struct alias_list {
	struct bh_slice *list;
	size_t n, cap;
};

static int add_alias(struct running *r, const char *check, const struct comply_control *control)
{
	struct bh_arena *a = &r->report->findings.arena;
	void **at = bh_map_put(&r->aliases, bh_slice_str(check));
	if (at && !*at)
		*at = BH_ARENA_NEW(a, struct alias_list);
	struct alias_list *l = at ? *at : NULL;
	const char *text = bh_arena_printf(a, "%s:%s", r->options->framework->name, control->id);
	if (!l || !text)
		return no_memory(r);
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 4;
		struct bh_slice *list = bh_arena_array(a, cap, sizeof(*list));
		if (!list)
			return no_memory(r);
		if (l->n)
			memcpy(list, l->list, l->n * sizeof(*list));
		l->list = list;
		l->cap = cap;
	}
	l->list[l->n++] = bh_slice_str(text);
	return 0;
}

static int make_aliases(struct running *r)
{
	const struct comply_framework *f = r->options->framework;
	int rc = 0;
	for (size_t i = 0; i < f->n_controls; i++)
		for (size_t k = 0; rc == 0 && k < f->controls[i].n_checks; k++)
			rc = add_alias(r, f->controls[i].checks[k].id, &f->controls[i]);
	return rc;
}

static struct bh_slice check_of(const struct bh_finding *f)
{
	return bh_slice_starts(f->source, BH_SLICE_LIT("class:")) ? f->source : f->id;
}

/* What nobody asked for leaves; the rest gets its controls. */
static void name_controls(struct running *r)
{
	struct bh_finding_vec *all = &r->report->findings.findings;
	size_t kept = 0;
	for (size_t i = 0; i < all->len; i++) {
		struct bh_finding f = all->ptr[i];
		const struct alias_list *l = bh_map_get(&r->aliases, check_of(&f));
		if (!l)
			continue;
		f.aliases = l->list;
		f.n_aliases = l->n;
		all->ptr[kept++] = f;
	}
	all->len = kept;
}

/* One for each control at which somebody has to look: an exception for it says that somebody did. */
static int add_manual(struct running *r)
{
	const struct comply_framework *f = r->options->framework;
	for (size_t i = 0; i < f->n_controls; i++) {
		const struct comply_control *c = &f->controls[i];
		if (c->how == COMPLY_DECIDED)
			continue;
		const char *id = bh_arena_printf(&r->report->findings.arena, "%s:%s", f->name, c->id);
		struct bh_finding finding = { .class = BH_CLASS_MISCONFIGURATION, .id = bh_slice_str(id), .severity = BH_SEV_NEGLIGIBLE, .state = BH_STATE_AFFECTED,
					      .title = bh_slice_str(c->note), .layer = BH_NO_LAYER, .source = BH_SLICE_LIT("manual") };
		if (!id || !bh_finding_vec_push(&r->report->findings.findings, finding))
			return no_memory(r);
	}
	return 0;
}

/* ---- reasons ---- */

static int push(struct running *r, struct comply_reason reason)
{
	return comply_reason_vec_push(&r->pool, reason) ? 0 : no_memory(r);
}

static int add_findings(struct running *r, const struct bh_finding_vec *all, enum comply_verdict verdict)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < all->len; i++) {
		const struct bh_finding *f = &all->ptr[i];
		if (bh_slice_eq_str(f->source, "manual") || f->class == BH_CLASS_EXCEPTION)
			continue;
		rc = push(r, (struct comply_reason){ verdict, check_of(f), f->title, f->path, f->line, f->evidence, f->fix,
						     f->ruling.kind == BH_RULING_NONE ? NULL : &f->ruling });
	}
	return rc;
}

/* How many files, documents or policies could not be read: then nothing is known to be met that policies decide. */
static uint64_t unread(const struct bh_report *report)
{
	uint64_t n = 0;
	for (size_t i = 0; i < report->incomplete.len; i++)
		n += !bh_slice_eq_str(report->incomplete.ptr[i].what, "object");
	return n;
}

static bool has_finding(const struct running *r, struct bh_slice check)
{
	const struct bh_finding_vec *lists[] = { &r->report->findings.findings, &r->report->findings.suppressed };
	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; i < lists[l]->len; i++)
			if (bh_slice_eq(lists[l]->ptr[i].id, check))
				return true;
	return false;
}

/* Every cluster has roles: when there are none, they were not given. */
static bool lacks_roles(const struct running *r)
{
	uint64_t asked = r->report->bootstrap;
	for (size_t i = 0; i < r->counts.len; i++)
		if (bh_slice_starts(r->counts.ptr[i].check, BH_SLICE_LIT("rbac-")))
			asked += r->counts.ptr[i].asked;
	return asked == 0;
}

static int add_count(struct running *r, struct bh_slice check, uint64_t asked, uint64_t unknown, uint64_t n_unread)
{
	struct bh_arena *a = &r->report->findings.arena;
	struct comply_reason reason = { .verdict = COMPLY_UNCHECKED, .check = check };
	const char *text;
	bool lacks = asked == 0 && bh_slice_starts(check, BH_SLICE_LIT("rbac-")) && lacks_roles(r);
	if (lacks && n_unread == 0)
		text = "no roles and bindings were given";
	else if (n_unread)
		text = bh_arena_printf(a, "%llu file%s or document%s could not be read", (unsigned long long)n_unread, n_unread == 1 ? "" : "s", n_unread == 1 ? "" : "s");
	else if (unknown)
		text = bh_arena_printf(a, "the answer about %llu object%s depends on what is not known here", (unsigned long long)unknown, unknown == 1 ? "" : "s");
	else if (asked == 0 || has_finding(r, check))
		return 0;
	else
		text = bh_arena_printf(a, "%llu object%s", (unsigned long long)asked, asked == 1 ? " complies" : "s comply");
	reason.verdict = n_unread || unknown || lacks ? COMPLY_UNCHECKED : COMPLY_PASS;
	reason.text = bh_slice_str(text);
	return text ? push(r, reason) : no_memory(r);
}

static int by_check(const void *a, const void *b)
{
	return bh_slice_cmp(((const struct kube_check_count *)a)->check, ((const struct kube_check_count *)b)->check);
}

/* A check may have several policies, for several versions of Kubernetes. */
static int add_counts(struct running *r)
{
	uint64_t n_unread = unread(&r->report->findings);
	struct kube_check_count_vec *c = &r->counts;
	int rc = 0;
	if (c->len)
		qsort(c->ptr, c->len, sizeof(*c->ptr), by_check);
	for (size_t i = 0; rc == 0 && i < c->len;) {
		struct bh_slice check = c->ptr[i].check;
		uint64_t asked = 0, unknown = 0;
		for (; i < c->len && bh_slice_eq(c->ptr[i].check, check); i++) {
			asked += c->ptr[i].asked;
			unknown += c->ptr[i].unknown;
		}
		if (bh_map_get(&r->aliases, check))
			rc = add_count(r, check, asked, unknown, n_unread);
	}
	return rc;
}

/* ---- the run ---- */

static int review(struct running *r)
{
	const struct comply_options *o = r->options;
	struct kube_review_counts counts = { 0 };
	const struct kube_review_options review = { .paths = o->paths, .n_paths = o->n_paths, .policies = o->policies, .n_policies = o->n_policies, .every_policy = true, .minor = o->minor, .checks = &r->counts, .rendering = o->rendering,
						    .without = o->without, .n_without = o->n_without, .no_bootstrap = true };
	if (o->n_paths == 0)
		return 0;
	int rc = keep_input(o, r->err);
	if (rc == 0)
		(void)lseek(STDIN_FILENO, 0, SEEK_SET);
	rc = rc < 0 ? rc : kube_review(&review, &r->report->findings, &counts, r->err);
	if (rc == 0)
		(void)lseek(STDIN_FILENO, 0, SEEK_SET);
	r->report->without = counts.without;
	r->report->bootstrap = counts.bootstrap;
	return rc;
}

static bool was_asked(const struct running *r, struct bh_slice check)
{
	for (size_t i = 0; i < r->counts.len; i++)
		if (bh_slice_eq(r->counts.ptr[i].check, check))
			return true;
	return false;
}

/* Policies that only other versions of Kubernetes have, and those that a framework of the user's own names and nobody gave. */
static int add_absent(struct running *r, const struct comply_check *check)
{
	struct comply_reason reason = { .verdict = COMPLY_NOT_APPLICABLE, .check = bh_slice_str(check->id), .text = BH_SLICE_LIT("this version of Kubernetes has no such check") };
	if (check->source == COMPLY_OWN) {
		reason.verdict = COMPLY_UNCHECKED;
		reason.text = BH_SLICE_LIT("no policy of that name was given with --policy");
	}
	if ((check->source != COMPLY_OWN && check->source != COMPLY_POLICY) || was_asked(r, reason.check))
		return 0;
	return push(r, reason);
}

static int add_absent_policies(struct running *r)
{
	const struct comply_framework *f = r->options->framework;
	int rc = 0;
	for (size_t i = 0; rc == 0 && r->options->n_paths && i < f->n_controls; i++)
		for (size_t k = 0; rc == 0 && k < f->controls[i].n_checks; k++)
			rc = add_absent(r, &f->controls[i].checks[k]);
	return rc;
}

static int judge(struct running *r)
{
	const struct policy_options o = { .exceptions = r->options->exceptions, .fail_never = true, .now_s = r->options->now_s };
	return policy_judge(&o, &r->report->findings, r->err);
}

static int run(struct running *r)
{
	int rc = make_aliases(r);
	rc = rc < 0 ? rc : review(r);
	rc = rc < 0 ? rc : comply_node(r->options, r->report, &r->pool, r->err);
	rc = rc < 0 ? rc : comply_reports(r->options, r->report, &r->pool, r->err);
	if (rc < 0)
		return rc;
	name_controls(r);
	rc = add_manual(r);
	rc = rc < 0 ? rc : judge(r);
	rc = rc < 0 ? rc : add_findings(r, &r->report->findings.findings, COMPLY_FAIL);
	rc = rc < 0 ? rc : add_findings(r, &r->report->findings.suppressed, COMPLY_EXEMPT);
	rc = rc < 0 ? rc : add_counts(r);
	rc = rc < 0 ? rc : add_absent_policies(r);
	if (rc < 0)
		return rc;
	comply_sort(&r->pool);
	return comply_conclude(r->options, &r->pool, r->report, r->err);
}

int comply_run(const struct comply_options *options, struct comply_report *ret, struct bh_err *err)
{
	struct running r = { .options = options, .report = ret, .pool = { .max = COMPLY_REASONS_MAX }, .counts = { .max = POLICIES_MAX }, .err = err };
	*ret = (struct comply_report){ .framework = options->framework, .reasons = { .max = COMPLY_REASONS_MAX }, .results = { .max = CONTROLS_MAX } };
	bh_report_init(&ret->findings);
	bh_map_init(&r.aliases, CHECKS_MAX);
	int rc = run(&r);
	bh_map_done(&r.aliases);
	comply_reason_vec_done(&r.pool);
	kube_check_count_vec_done(&r.counts);
	if (rc < 0)
		comply_report_done(ret);
	return rc;
}

void comply_report_done(struct comply_report *report)
{
	comply_reason_vec_done(&report->reasons);
	comply_result_vec_done(&report->results);
	bh_report_done(&report->findings);
}
