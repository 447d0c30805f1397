/*
 * report_read.h: a report that an earlier run wrote (bulkhead.report/1, docs/formats/report.md), read back: for baselines, comparisons
 * and conversion. Keys and words that are not known are passed over, as the format asks of its readers.
 */
#ifndef BH_POLICY_REPORT_READ_H
#define BH_POLICY_REPORT_READ_H

#include "model/report.h"

/*
 * Reads fd from where it stands to its end, in a sandboxed child. path: for messages. *ret is one that bh_report_init made; its
 * target.text is the report's own. BH_EUNSUPPORTED: it is JSON or something else, but no report; then nothing was filled in.
 */
int policy_report_read(int fd, const char *path, struct bh_report *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
