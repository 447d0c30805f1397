/* asking.h: what commands share that ask a question about Kubernetes objects (kube/ask.h). */
#ifndef BH_CMD_ASKING_H
#define BH_CMD_ASKING_H

#include "cmd/args.h"
#include "cmd/rendering.h"
#include "kube/ask.h"

/* kube_ask with the command's rendering options (CMD_RENDERING_OPTIONS). */
int cmd_ask(const struct cmd_args *args, const struct kube_question *question, struct kube_answer *ret, struct bh_err *err) BH_MUST_CHECK;

/* A finding of an answer in a rendered text: its file is the template, and the line, which is none of that file, goes into the evidence. */
int cmd_place_finding(struct bh_report *report, struct bh_finding *f, struct bh_err *err) BH_MUST_CHECK;

/* The gaps as what a report could not check; and how many objects it is about. */
void cmd_report_gaps(struct bh_report *report, const struct kube_answer *answer);
int cmd_report_objects(struct bh_report *report, uint64_t objects, struct bh_err *err) BH_MUST_CHECK;

/* Each gap as a line on standard error: whoever reads the answer must know what it leaves out. */
void cmd_tell_gaps(const struct kube_answer *answer);

/* Were there objects at all? Nothing to read and no reason why is an error of usage. */
int cmd_want_objects(const struct kube_answer *answer, const char *where, struct bh_err *err) BH_MUST_CHECK;

/* A row of a Markdown table, and one of CSV. */
void cmd_add_markdown_row(struct bh_buf *out, const struct bh_slice *cells, size_t n);
void cmd_add_csv_row(struct bh_buf *out, const struct bh_slice *cells, size_t n);

#define CMD_ROWS_ANY UINT16_MAX /* as a kind: rows of all kinds, whose cells are the same */

/* What the rows of one kind are written as: a column per cell. */
struct cmd_columns {
	uint16_t kind;
	const char *const *names; /* "subject": the heading in small, the key in JSON */
	size_t n;
};

enum cmd_rows_format { CMD_ROWS_TABLE, CMD_ROWS_JSON, CMD_ROWS_CSV, CMD_ROWS_MARKDOWN };

/* Is the report format (cmd_format_names) one that rows can be written in? */
bool cmd_rows_format(const char *name, enum cmd_rows_format *ret);

/* All rows of the kind, in their order, behind a heading; JSON: an array of objects. */
void cmd_add_rows(struct bh_buf *out, const struct kube_answer *answer, const struct cmd_columns *columns, enum cmd_rows_format format);

#endif
