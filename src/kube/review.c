/* review.c: the parent's side: opens files, takes what the child says. */
#include "kube/review.h"

#include "kube/review_child.h"
#include "kube/shellcheck.h"
#include "model/wire.h"

#define FINDINGS_MAX 1000000u
#define MEMORY_BYTES_MAX (4096ull << 20)

struct parent {
	struct review_context context; /* first: the child gets it */
	struct bh_report *report;
	struct kube_review_counts counts;
	struct intake intake;
	struct beside beside;
};

static void unreadable(void *ctx, uint8_t role, const char *name, const struct bh_err *why)
{
	struct parent *p = ctx;
	bh_report_incomplete(p->report, role == REVIEW_POLICY ? "policy" : "manifest", bh_slice_str(name), BH_NO_LAYER, "%s", why->text);
}

static bool copy(struct parent *p, struct bh_slice s, struct bh_slice *out)
{
	return bh_arena_copy(&p->report->arena, s, out);
}

/* Among the findings, or those that a comment in the file accepts. */
static bool keep(struct parent *p, const struct review_finding *f, struct bh_finding *out)
{
	if (f->allow == BH_ALLOWED) {
		out->ruling = (struct bh_ruling){ .kind = BH_RULING_EXCEPTION, .from = BH_SLICE_LIT("a comment in the file") };
		return copy(p, f->allow_reason, &out->ruling.reason) && bh_finding_vec_push(&p->report->suppressed, *out);
	}
	if (f->allow == BH_ALLOWED_WITHOUT_REASON) {
		const char *text = bh_arena_printf(&p->report->arena, "%.*s; bulkhead:allow without a reason does not count", BH_SLICE_FMT(out->evidence));
		out->evidence = bh_slice_str(text ? text : "");
	}
	return bh_finding_vec_push(&p->report->findings, *out);
}

static int take_finding(struct parent *p, struct bh_slice frame, struct bh_err *err)
{
	struct review_finding f;
	struct bh_finding out = { .class = BH_CLASS_MISCONFIGURATION, .layer = BH_NO_LAYER, .state = BH_STATE_AFFECTED };
	if (!review_get_finding(frame, &f))
		return bh_fail(err, BH_ECHILD, 0, "a finding that is none");
	out.severity = (enum bh_severity)f.severity;
	out.line = f.line;
	out.patch_level = (enum bh_patch_level)f.patch_level;
	if (!copy(p, f.id, &out.id) || !copy(p, f.message, &out.title) || !copy(p, f.file, &out.path) || !copy(p, f.evidence, &out.evidence)
	    || !copy(p, f.fix, &out.fix) || !copy(p, f.policy, &out.source) || !copy(p, f.patch, &out.patch) || !copy(p, f.patch_may_break, &out.patch_may_break)
	    || p->report->findings.len >= FINDINGS_MAX || !keep(p, &f, &out))
		return bh_fail(err, BH_ELIMIT, 0, "more than %u findings", FINDINGS_MAX);
	return 0;
}

/* The report keeps the word, not a copy of it. */
static const char *kind_of(struct bh_slice what)
{
	static const char *const kinds[] = { "manifest", "policy", "object", NULL };
	size_t i = 0;
	while (kinds[i] && !bh_slice_eq_str(what, kinds[i]))
		i++;
	return kinds[i];
}

static int take_unchecked(struct parent *p, struct bh_slice frame, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(frame);
	struct bh_slice what, file, reason;
	uint32_t line;
	if (!bh_wire_get_slice(&r, REVIEW_TEXT_BYTES_MAX, &what) || !kind_of(what) || !bh_wire_get_slice(&r, REVIEW_TEXT_BYTES_MAX, &file)
	    || !bh_take_u32le(&r, &line) || !bh_wire_get_slice(&r, REVIEW_TEXT_BYTES_MAX, &reason))
		return bh_fail(err, BH_ECHILD, 0, "a message that is none");
	if (line)
		bh_report_incomplete(p->report, kind_of(what), file, BH_NO_LAYER, "line %u: %.*s", line, BH_SLICE_FMT(reason));
	else
		bh_report_incomplete(p->report, kind_of(what), file, BH_NO_LAYER, "%.*s", BH_SLICE_FMT(reason));
	return 0;
}

static int take_check(struct parent *p, struct bh_slice frame, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(frame);
	struct kube_check_count count;
	struct bh_slice check;
	if (!p->context.options->checks || !bh_wire_get_slice(&r, REVIEW_TEXT_BYTES_MAX, &check) || !bh_take_u64le(&r, &count.asked)
	    || !bh_take_u64le(&r, &count.unknown))
		return bh_fail(err, BH_ECHILD, 0, "a message that is none");
	if (!copy(p, check, &count.check) || !kube_check_count_vec_push(p->context.options->checks, count))
		return bh_fail(err, BH_ELIMIT, 0, "more than %zu policies", p->context.options->checks->max);
	return 0;
}

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct parent *p = ctx;
	struct bh_reader r = bh_reader_of(payload);
	struct bh_slice kinds;
	int rc = intake_handle(&p->intake, type, is_request, payload, reply, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (type == REVIEW_SAY_FINDING && !is_request)
		return take_finding(p, payload, err);
	if (type == REVIEW_SAY_UNCHECKED && !is_request)
		return take_unchecked(p, payload, err);
	if (type == REVIEW_SAY_CHECK && !is_request)
		return take_check(p, payload, err);
	if (type == REVIEW_ASK_SHELLCHECK && is_request && p->context.options->shellcheck)
		return shellcheck_serve(payload, reply, err);
	if (type == REVIEW_SAY_COUNTS && !is_request && bh_take_u64le(&r, &p->counts.objects) && bh_take_u64le(&r, &p->counts.policies)
	    && bh_take_u64le(&r, &p->counts.without) && bh_take_u64le(&r, &p->counts.bootstrap)
	    && bh_take_u64le(&r, &p->counts.untyped) && bh_take_u64le(&r, &p->counts.open)
	    && bh_take_u64le(&r, &p->counts.functions)
	    && bh_wire_get_slice(&r, REVIEW_TEXT_BYTES_MAX, &kinds) && copy(p, kinds, &p->counts.untyped_kinds))
		return 0;
	return bh_fail(err, BH_ECHILD, 0, "an unknown message");
}

static int run(struct parent *p, struct bh_err *err)
{
	struct bh_err why = { 0 };
	int result = 0;
	struct bh_child_spec spec = {
		.name = "review",
		.run = review_child_run,
		.handle = handle,
		.ctx = p,
		.limits = { .memory_bytes = MEMORY_BYTES_MAX, .stall_seconds = 300 },
	};
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc < 0)
		return rc;
	if (result == BH_ECANCELLED) {
		*err = why;
		return result;
	}
	if (result < 0)
		bh_report_incomplete(p->report, "manifests", (struct bh_slice){ 0 }, BH_NO_LAYER, "%s", why.text);
	return 0;
}

int kube_review(const struct kube_review_options *options, struct bh_report *report, struct kube_review_counts *ret, struct bh_err *err)
{
	struct parent p = { .context = { options }, .report = report };
	intake_init(&p.intake, unreadable, &p);
	beside_init(&p.beside);
	p.intake.instead = options->instead;
	p.intake.beside = &p.beside;
	p.intake.dockerfiles = options->dockerfiles;
	int rc = intake_add(&p.intake, options->paths, options->n_paths, REVIEW_MANIFEST, err);
	for (size_t i = 0; rc == 0 && i < options->n_paths; i++)
		rc = beside_add_root(&p.beside, options->paths[i], err);
	p.intake.dockerfiles = false;
	rc = rc < 0 ? rc : intake_add(&p.intake, options->policies, options->n_policies, REVIEW_POLICY, err);
	p.intake.rendering = options->rendering;
	rc = rc < 0 ? rc : intake_ready(&p.intake, err);
	rc = rc < 0 ? rc : run(&p, err);
	p.counts.files = p.intake.opened[REVIEW_MANIFEST];
	if (rc == 0)
		*ret = p.counts;
	intake_done(&p.intake);
	beside_done(&p.beside);
	return rc;
}
