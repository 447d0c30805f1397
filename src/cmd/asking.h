/* asking.h: what commands share that ask a question about Kubernetes objects (kube/ask.h). */
#ifndef BH_CMD_ASKING_H
#define BH_CMD_ASKING_H

#include "cmd/args.h"
#include "kube/ask.h"

/* Each gap as a line on standard error: whoever reads the answer must know what it leaves out. */
void cmd_tell_gaps(const struct kube_answer *answer);

/* Were there objects at all? Nothing to read and no reason why is an error of usage. */
int cmd_want_objects(const struct kube_answer *answer, const char *where, struct bh_err *err) BH_MUST_CHECK;

/* A row of a Markdown table, and one of CSV. */
void cmd_add_markdown_row(struct bh_buf *out, const struct bh_slice *cells, size_t n);
void cmd_add_csv_row(struct bh_buf *out, const struct bh_slice *cells, size_t n);

#endif
