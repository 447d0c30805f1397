/* netpol.h: what the files of `bulkhead netpol` share. */
#ifndef BH_CMD_NETPOL_H
#define BH_CMD_NETPOL_H

#include "cmd/asking.h"
#include "kube/netpol.h"

#define NETPOL_DOCUMENT_BYTES_MAX (2048u << 20)

enum netpol_format { NETPOL_TEXT, NETPOL_JSON, NETPOL_CSV, NETPOL_MARKDOWN, NETPOL_DOT, NETPOL_SVG };

/* Rows of one kind in a format; text: `write_text`. Tells gaps, and wants objects. The exit code. */
struct netpol_output {
	struct cmd_columns columns;
	void (*write_text)(const struct kube_answer *a, struct bh_buf *out);
	void (*write_json)(const struct kube_answer *a, struct bh_buf *out); /* NULL: by the columns */
	bool (*fails)(const struct cmd_args *args, const struct kube_answer *a); /* exit 1; NULL: never */
};
int cmd_netpol_answer(const struct cmd_args *args, const struct kube_question *question, const struct netpol_output *output);

/* The pairs of a list as a drawing; collapse: a namespace is one node. */
int cmd_netpol_draw(const struct kube_answer *a, bool svg, bool collapse, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* The verbs with a file of their own; targets: the words behind the verb. */
int cmd_netpol_explain(const struct cmd_args *args, const char *const *targets, size_t n);
int cmd_netpol_diff(const struct cmd_args *args, const char *const *targets, size_t n);
int cmd_netpol_test(const struct cmd_args *args, const char *const *targets, size_t n);
int cmd_netpol_generate(const struct cmd_args *args, const char *const *targets, size_t n);
int cmd_netpol_lint(const struct cmd_args *args, const char *const *targets, size_t n);

#endif
