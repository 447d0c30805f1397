/* rbac_least.c: `bulkhead rbac least LOG...`: roles as YAML on standard output, what was proven of them on standard error. */
#include "cmd/rbac.h"

#include "cmd/output.h"
#include "cmd/scanning.h"
#include "kube/rbac_least.h"

#include <stdio.h>

/* One subject's line. False: the roles are not what was promised. */
static bool tell_proof(const struct kube_row *row)
{
	uint64_t wanted = cmd_rbac_number(row, RBAC_PROOF_REQUESTS) - cmd_rbac_number(row, RBAC_PROOF_DEFAULT), allowed = cmd_rbac_number(row, RBAC_PROOF_ALLOWED);
	uint64_t extra = cmd_rbac_number(row, RBAC_PROOF_EXTRA);
	struct bh_buf line;
	bh_buf_init(&line, 1u << 20);
	bh_buf_add_escaped(&line, kube_cell(row, RBAC_PROOF_SUBJECT));
	bh_buf_printf(&line, ": %llu of %llu requests allowed, %llu rights beyond them; %llu requests every user may make, %llu were denied in the log\n",
		      (unsigned long long)allowed, (unsigned long long)wanted, (unsigned long long)extra, (unsigned long long)cmd_rbac_number(row, RBAC_PROOF_DEFAULT),
		      (unsigned long long)cmd_rbac_number(row, RBAC_PROOF_DENIED));
	fwrite(line.ptr, 1, line.len, stderr);
	bh_buf_done(&line);
	return allowed == wanted && extra == 0;
}

static int write_roles(const struct cmd_args *args, const struct kube_answer *a, struct bh_err *err)
{
	struct bh_buf out;
	bool proven = true;
	uint64_t events = 0;
	bh_buf_init(&out, RBAC_DOCUMENT_BYTES_MAX);
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct kube_row *row = &a->rows.ptr[i];
		if (row->kind == RBAC_ROW_YAML)
			bh_buf_add(&out, kube_cell(row, 0));
		if (row->kind == RBAC_ROW_PROOF)
			proven &= tell_proof(row);
		if (row->kind == RBAC_ROW_LOG && (events = cmd_rbac_number(row, RBAC_LOG_EVENTS)) > 0)
			cmd_rbac_tell_log(row);
	}
	int rc = events ? 0 : cmd_rbac_no_events(err);
	rc = rc < 0 ? rc : cmd_write_document(args, &out, err);
	bh_buf_done(&out);
	return rc < 0 || proven ? rc : bh_fail(err, BH_ECHILD, 0, "the roles do not allow what the log shows: this is an error of this program");
}

int cmd_rbac_least(const struct cmd_args *args, const char *const *targets, size_t n)
{
	struct rbac_leasting l = { 0 };
	struct rbac_asking a;
	struct kube_answer answer;
	struct bh_err err = { 0 };
	const struct kube_question question = { .name = "audit log", .paths = { [RBAC_LOG_ROLE] = { targets, n } }, .answer = rbac_least, .stream = rbac_least_read, .ctx = &l };
	int rc = cmd_rbac_asking(args, &a, &err);
	l.n_subjects = cmd_list(args, "subject", &l.subjects);
	l.without_defaults = a.defaults == RBAC_DEFAULTS_NO;
	for (size_t i = 0; rc == 0 && i < l.n_subjects; i++)
		if (!rbac_subject_parse(bh_slice_str(l.subjects[i]), &a.subject) || a.subject.kind == RBAC_GROUP)
			rc = bh_fail(&err, BH_EUSAGE, 0, "rbac: %s: user:NAME or sa:NAMESPACE/NAME was expected", l.subjects[i]);
	rbac_audit_init(&l.audit, bh_slice_str(cmd_string(args, "since")), bh_slice_str(cmd_string(args, "until")));
	rc = rc < 0 ? rc : cmd_ask(args, &question, &answer, &err);
	rbac_audit_done(&l.audit);
	if (rc < 0)
		return cmd_no_report(&err);
	cmd_tell_gaps(&answer);
	rc = write_roles(args, &answer, &err);
	int code = rc < 0 ? cmd_failed(&err) : answer.gaps.len ? EXIT_INCOMPLETE : EXIT_CLEAN;
	kube_answer_done(&answer);
	return code;
}
