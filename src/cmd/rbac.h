/* rbac.h: what the files of `bulkhead rbac` share. */
#ifndef BH_CMD_RBAC_H
#define BH_CMD_RBAC_H

#include "cmd/asking.h"
#include "kube/rbac_ask.h"

#define RBAC_DOCUMENT_BYTES_MAX (1024u << 20)

/* Of the options that all verbs share. */
int cmd_rbac_asking(const struct cmd_args *args, struct rbac_asking *ret, struct bh_err *err) BH_MUST_CHECK;

/* The rows in the format asked for, to where -o says. */
int cmd_rbac_write(const struct cmd_args *args, const struct kube_answer *answer, const struct cmd_columns *columns, struct bh_err *err) BH_MUST_CHECK;

/* The verbs with a file of their own; targets: the words behind the verb. */
int cmd_rbac_risks(const struct cmd_args *args, const char *const *targets, size_t n);
int cmd_rbac_graph(const struct cmd_args *args, const char *const *targets, size_t n);
int cmd_rbac_least(const struct cmd_args *args, const char *const *targets, size_t n);

#endif
