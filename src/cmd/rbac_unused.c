/* rbac_unused.c: `bulkhead rbac unused PATH...`: what nobody needs of roles and bindings, by the objects and with --log by what was done. */
#include "cmd/rbac.h"

#include "cmd/output.h"
#include "cmd/scanning.h"
#include "kube/rbac_unused.h"

#include <stdio.h>

static const char *const names[] = { "what", "object", "at", "value", "instead", "why", "where" };
static const struct cmd_columns columns = { RBAC_ROW_UNUSED, names, RBAC_UNUSED_CELLS };
static const char *const gap_names[] = { "text", "where" };
static const struct cmd_columns gap_columns = { RBAC_ROW_UNJUDGED, gap_names, RBAC_UNJUDGED_CELLS };

static const struct kube_row *log_of(const struct kube_answer *a)
{
	for (size_t i = 0; i < a->rows.len; i++)
		if (a->rows.ptr[i].kind == RBAC_ROW_LOG)
			return &a->rows.ptr[i];
	return NULL;
}

/* ---- JSON: one object, with the log and what could not be judged beside the rows ---- */

static void add_json_log(struct bh_buf *out, const struct kube_row *log)
{
	static const char *const keys[] = { "events", "first", "last", "notes" };
	bh_buf_add_str(out, "\"log\": ");
	for (size_t i = 0; log && i < RBAC_LOG_CELLS; i++) {
		bh_buf_printf(out, "%s\"%s\": ", i ? ", " : "{", keys[i]);
		if (i == RBAC_LOG_EVENTS)
			bh_buf_printf(out, "%llu", (unsigned long long)cmd_rbac_number(log, i));
		else
			bh_buf_add_json(out, kube_cell(log, i));
	}
	bh_buf_add_str(out, log ? "},\n" : "null,\n");
}

static void add_json(struct bh_buf *out, const struct kube_answer *a)
{
	bh_buf_add_str(out, "{");
	add_json_log(out, log_of(a));
	bh_buf_add_str(out, "\"unused\": ");
	cmd_add_rows(out, a, &columns, CMD_ROWS_JSON);
	bh_buf_add_str(out, ",\n\"not_judged\": ");
	cmd_add_rows(out, a, &gap_columns, CMD_ROWS_JSON);
	bh_buf_add_str(out, "}\n");
}

/* ---- other formats: the rows, and the rest on standard error ---- */

static void tell_unjudged(const struct kube_answer *a)
{
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct kube_row *row = &a->rows.ptr[i];
		struct bh_buf line;
		if (row->kind != RBAC_ROW_UNJUDGED)
			continue;
		bh_buf_init(&line, 1u << 20);
		bh_buf_add_str(&line, "not judged: ");
		bh_buf_add_escaped(&line, kube_cell(row, RBAC_UNJUDGED_PLACE));
		bh_buf_add_str(&line, kube_cell(row, RBAC_UNJUDGED_PLACE).len ? ": " : "");
		bh_buf_add_escaped(&line, kube_cell(row, RBAC_UNJUDGED_TEXT));
		bh_buf_add_byte(&line, '\n');
		fwrite(line.ptr, 1, line.len, stderr);
		bh_buf_done(&line);
	}
}

static int write_rows(const struct cmd_args *args, const struct kube_answer *a, struct bh_err *err)
{
	struct bh_buf out;
	if (cmd_rbac_format(args) != CMD_ROWS_JSON) {
		tell_unjudged(a);
		if (log_of(a))
			cmd_rbac_tell_log(log_of(a));
		return cmd_rbac_write(args, a, &columns, err);
	}
	bh_buf_init(&out, RBAC_DOCUMENT_BYTES_MAX);
	add_json(&out, a);
	int rc = cmd_write_document(args, &out, err);
	bh_buf_done(&out);
	return rc;
}

int cmd_rbac_unused(const struct cmd_args *args, const char *const *targets, size_t n)
{
	struct rbac_leaving l = { 0 };
	struct rbac_asking a;
	struct kube_answer answer;
	struct bh_err err = { 0 };
	struct kube_question question = { .name = "unused rights", .paths = { { targets, n } }, .answer = rbac_unused, .ctx = &l };
	if (cmd_rbac_asking(args, &a, &err) < 0)
		return cmd_failed(&err);
	l.defaults = a.defaults;
	question.paths[RBAC_LOG_ROLE].n = cmd_list(args, "log", &question.paths[RBAC_LOG_ROLE].list);
	l.has_log = question.paths[RBAC_LOG_ROLE].n > 0;
	if (l.has_log)
		question.stream = rbac_unused_read;
	rbac_audit_init(&l.audit, bh_slice_str(cmd_string(args, "since")), bh_slice_str(cmd_string(args, "until")));
	int rc = cmd_ask(args, &question, &answer, &err);
	rbac_audit_done(&l.audit);
	if (rc < 0)
		return cmd_no_report(&err);
	cmd_tell_gaps(&answer);
	rc = cmd_want_objects(&answer, targets[0], &err);
	if (rc == 0 && l.has_log && cmd_rbac_number(log_of(&answer), RBAC_LOG_EVENTS) == 0)
		rc = cmd_rbac_no_events(&err);
	rc = rc < 0 ? rc : write_rows(args, &answer, &err);
	int code = rc < 0 ? cmd_failed(&err) : answer.gaps.len ? EXIT_INCOMPLETE : EXIT_CLEAN;
	kube_answer_done(&answer);
	return code;
}
