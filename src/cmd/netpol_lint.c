/* netpol_lint.c: `bulkhead netpol lint PATH...`: what is odd about network policies, as a report like that of `bulkhead check`. */
#include "cmd/netpol.h"

#include "cmd/judging.h"
#include "kube/netpol_lint.h"

#define FINDINGS_MAX 1000000u
#define EVIDENCE_BYTES_MAX (1u << 20)

static bool copy(struct bh_report *report, const struct kube_row *row, enum netpol_lint_cell cell, struct bh_slice *ret)
{
	return bh_arena_copy(&report->arena, kube_cell(row, cell), ret);
}

/* "NetworkPolicy shop/web: spec.ingress[0]" */
static bool describe(struct bh_report *report, const struct kube_row *row, struct bh_slice *ret)
{
	struct bh_slice path = kube_cell(row, NETPOL_LINT_PATH);
	struct bh_buf text;
	bh_buf_init(&text, EVIDENCE_BYTES_MAX);
	bh_buf_add(&text, kube_cell(row, NETPOL_LINT_OBJECT));
	bh_buf_add_str(&text, path.len ? ": " : "");
	bh_buf_add(&text, path);
	bool ok = !text.failed && bh_arena_copy(&report->arena, bh_buf_slice(&text), ret);
	bh_buf_done(&text);
	return ok;
}

static int add_finding(struct bh_report *report, const struct kube_row *row, struct bh_err *err)
{
	struct bh_finding f = { .class = BH_CLASS_MISCONFIGURATION, .layer = BH_NO_LAYER, .state = BH_STATE_AFFECTED, .source = BH_SLICE_LIT("netpol") };
	uint64_t line = 0;
	if (!bh_severity_parse(kube_cell(row, NETPOL_LINT_SEVERITY), &f.severity)
	    || (kube_cell(row, NETPOL_LINT_LINE).len && !bh_slice_u64(kube_cell(row, NETPOL_LINT_LINE), UINT32_MAX, &line)))
		return bh_fail(err, BH_ECHILD, 0, "a finding that is none");
	f.line = (uint32_t)line;
	if (!copy(report, row, NETPOL_LINT_ID, &f.id) || !copy(report, row, NETPOL_LINT_MESSAGE, &f.title) || !copy(report, row, NETPOL_LINT_FILE, &f.path)
	    || !describe(report, row, &f.evidence) || !copy(report, row, NETPOL_LINT_FIX, &f.fix) || report->findings.len >= FINDINGS_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u findings", FINDINGS_MAX);
	int rc = cmd_place_finding(report, &f, err);
	return rc < 0 || bh_finding_vec_push(&report->findings, f) ? rc : bh_fail(err, BH_ENOMEM, 0, "out of memory for the report");
}

struct paths {
	const char *const *list;
	size_t n;
};

static int fill(const struct cmd_args *args, struct bh_report *report, const void *ctx, struct bh_err *err)
{
	const struct paths *paths = ctx;
	const struct kube_question question = { .name = "network policies", .paths = { { paths->list, paths->n } }, .answer = netpol_lint };
	struct kube_answer answer;
	int rc = cmd_ask(args, &question, &answer, err);
	if (rc < 0)
		return rc;
	rc = cmd_want_objects(&answer, paths->list[0], err);
	rc = rc < 0 ? rc : cmd_name_manifests(report, paths->list, paths->n, err);
	rc = rc < 0 ? rc : cmd_report_objects(report, answer.objects, err);
	for (size_t i = 0; rc == 0 && i < answer.rows.len; i++)
		rc = add_finding(report, &answer.rows.ptr[i], err);
	if (rc == 0)
		cmd_report_gaps(report, &answer);
	kube_answer_done(&answer);
	return rc < 0 ? rc : cmd_judge(args, report, err);
}

int cmd_netpol_lint(const struct cmd_args *args, const char *const *targets, size_t n)
{
	const struct paths paths = { targets, n };
	return cmd_run_report(args, fill, &paths);
}
