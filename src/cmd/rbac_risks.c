/* rbac_risks.c: `bulkhead rbac risks PATH...`: what of the rights is dangerous, as a report like that of `bulkhead check`. */
#include "cmd/rbac.h"

#include "cmd/judging.h"
#include "kube/rbac_risks.h"

#define FINDINGS_MAX 1000000u

static bool copy(struct bh_report *report, const struct kube_row *row, enum rbac_risk_cell cell, struct bh_slice *ret)
{
	return bh_arena_copy(&report->arena, kube_cell(row, cell), ret);
}

static int add_finding(struct bh_report *report, const struct kube_row *row, struct bh_err *err)
{
	struct bh_finding f = { .class = BH_CLASS_MISCONFIGURATION, .layer = BH_NO_LAYER, .state = BH_STATE_AFFECTED, .source = BH_SLICE_LIT("rbac") };
	uint64_t severity = 0, line = 0;
	if (!bh_slice_u64(kube_cell(row, RBAC_RISK_SEVERITY), BH_SEV_CRITICAL, &severity) || !bh_slice_u64(kube_cell(row, RBAC_RISK_LINE), UINT32_MAX, &line))
		return bh_fail(err, BH_ECHILD, 0, "a risk that is none");
	f.severity = (enum bh_severity)severity;
	f.line = (uint32_t)line;
	if (!copy(report, row, RBAC_RISK_FILE, &f.path) || !copy(report, row, RBAC_RISK_EVIDENCE, &f.evidence) || cmd_place_finding(report, &f, err) < 0)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for the report");
	if (!copy(report, row, RBAC_RISK_ID, &f.id) || !copy(report, row, RBAC_RISK_MESSAGE, &f.title) || !copy(report, row, RBAC_RISK_FIX, &f.fix) || report->findings.len >= FINDINGS_MAX
	    || !bh_finding_vec_push(&report->findings, f))
		return bh_fail(err, BH_ELIMIT, 0, "more than %u findings", FINDINGS_MAX);
	return 0;
}

static int add_answer(struct bh_report *report, const struct kube_answer *a, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < a->rows.len; i++)
		rc = add_finding(report, &a->rows.ptr[i], err);
	cmd_report_gaps(report, a);
	return rc;
}

struct paths {
	const char *const *list;
	size_t n;
};

static int fill(const struct cmd_args *args, struct bh_report *report, const void *ctx, struct bh_err *err)
{
	const struct paths *paths = ctx;
	struct rbac_asking a;
	struct kube_answer answer;
	int rc = cmd_rbac_asking(args, &a, err);
	const struct kube_question question = { .name = "risks", .paths = { { paths->list, paths->n } }, .answer = rbac_risks, .ctx = &a };
	rc = rc < 0 ? rc : cmd_ask(args, &question, &answer, err);
	if (rc < 0)
		return rc;
	rc = cmd_want_objects(&answer, paths->list[0], err);
	rc = rc < 0 ? rc : cmd_name_manifests(report, paths->list, paths->n, err);
	rc = rc < 0 ? rc : cmd_report_objects(report, answer.objects, err);
	rc = rc < 0 ? rc : add_answer(report, &answer, err);
	kube_answer_done(&answer);
	return rc < 0 ? rc : cmd_judge(args, report, err);
}

int cmd_rbac_risks(const struct cmd_args *args, const char *const *targets, size_t n)
{
	const struct paths paths = { targets, n };
	return cmd_run_report(args, fill, &paths);
}
