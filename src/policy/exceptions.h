/*
 * exceptions.h: findings that somebody decided to live with, for a reason and for a time:
 *
 *     exceptions:
 *       - id: CVE-2023-4911          # or a pattern: CVE-2023-*; needed
 *         package: glibc             # name, pattern or purl; any when absent
 *         path: srv/app/one.jar       # or a pattern; any when absent
 *         reason: no setuid programs in this image
 *         owner: team-shop
 *         expires: 2026-12-31        # the last day it holds
 */
#ifndef BH_POLICY_EXCEPTIONS_H
#define BH_POLICY_EXCEPTIONS_H

#include "format/yaml.h"
#include "model/report.h"

/* Appends what a list says. file: for places in messages. Texts are copied to the arena. Anything missing or unknown is an error. */
int policy_exceptions_read(const struct bh_yaml_node *list, const char *file, struct bh_arena *arena, struct bh_exception_vec *out,
			   struct bh_err *err)
	BH_MUST_CHECK;

/*
 * Moves what they match from report.findings to report.suppressed and counts it. One that ran out before `today` ("2026-11-26")
 * suppresses nothing and becomes a finding, as bad as the worst it would have suppressed. All are listed in report.exceptions.
 */
int policy_exceptions_apply(struct bh_report *report, const struct bh_exception_vec *list, const char *today, struct bh_err *err) BH_MUST_CHECK;

/* "2026-12-31", and a day that exists. */
bool policy_is_day(struct bh_slice text);

#endif
