/* rbac.h: what the files of `bulkhead rbac` share. */
#ifndef BH_CMD_RBAC_H
#define BH_CMD_RBAC_H

#include "cmd/asking.h"
#include "kube/rbac_ask.h"

#define RBAC_DOCUMENT_BYTES_MAX (1024u << 20)

/* Of the options that all verbs share. */
int cmd_rbac_asking(const struct cmd_args *args, struct rbac_asking *ret, struct bh_err *err) BH_MUST_CHECK;

enum cmd_rows_format cmd_rbac_format(const struct cmd_args *args);

/* The rows in the format asked for, to where -o says. */
int cmd_rbac_write(const struct cmd_args *args, const struct kube_answer *answer, const struct cmd_columns *columns, struct bh_err *err) BH_MUST_CHECK;

/* A cell of digits. */
uint64_t cmd_rbac_number(const struct kube_row *row, size_t cell);

/* The row of a log (kube/rbac_log.h) as a line on standard error; and what is said of a log that has none. */
void cmd_rbac_tell_log(const struct kube_row *row);
int cmd_rbac_no_events(struct bh_err *err);

/* The verbs with a file of their own; targets: the words behind the verb. */
int cmd_rbac_risks(const struct cmd_args *args, const char *const *targets, size_t n);
int cmd_rbac_graph(const struct cmd_args *args, const char *const *targets, size_t n);
int cmd_rbac_least(const struct cmd_args *args, const char *const *targets, size_t n);
int cmd_rbac_unused(const struct cmd_args *args, const char *const *targets, size_t n);

#endif
