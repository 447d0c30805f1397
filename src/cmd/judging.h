/* judging.h: what all commands share whose report is judged: how bad is bad enough, and for manifests how the command ends. */
#ifndef BH_CMD_JUDGING_H
#define BH_CMD_JUDGING_H

#include "cmd/output.h"
#include "policy/judge.h"

/* The choices of --severity and --fail-on, NULL-terminated. Index = enum bh_severity; the last threshold is "never". */
extern const char *const cmd_severities[];
extern const char *const cmd_thresholds[];
#define CMD_THRESHOLD_NEVER 6u

/* Of --fail-on, --severity and the exceptions that are in force; the rest of *ret is empty. */
void cmd_judging_options(const struct cmd_args *args, struct policy_options *ret);

/* N of --kubernetes 1.N, v1.N or 1.N.P; command: for the message. What has no rule of its own yet is judged as the newest that has. */
int cmd_kubernetes_minor(const struct cmd_args *args, const char *command, unsigned *ret, struct bh_err *err) BH_MUST_CHECK;

/* A report on manifests: gives it the n paths as its target, and judges it by the options above as of cmd_report_time. */
int cmd_name_manifests(struct bh_report *report, const char *const *paths, size_t n, struct bh_err *err) BH_MUST_CHECK;
int cmd_judge(const struct cmd_args *args, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

/* Fills the report of a command; ctx is the caller's. */
typedef int cmd_fill_report(const struct cmd_args *args, struct bh_report *report, const void *ctx, struct bh_err *err);

/* Fills a report, writes it where the options say, and returns the exit code that its verdict asks for. */
int cmd_run_report(const struct cmd_args *args, cmd_fill_report *fill, const void *ctx);

#endif
