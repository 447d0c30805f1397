/* reports.h: saved reports of scans (bulkhead.report/1) as answers to checks of classes: "class:vulnerability". */
#ifndef BH_COMPLY_REPORTS_H
#define BH_COMPLY_REPORTS_H

#include "comply/comply.h"

/* Findings go to out->findings, their check in `source`; what the reports say without a finding goes to the pool. */
int comply_reports(const struct comply_options *options, struct comply_report *out, struct comply_reason_vec *pool, struct bh_err *err) BH_MUST_CHECK;

#endif
