/* evidence.h: reasons by check, and from them the verdicts of controls. */
#ifndef BH_COMPLY_EVIDENCE_H
#define BH_COMPLY_EVIDENCE_H

#include "base/arena.h"
#include "comply/comply.h"

#define COMPLY_REASONS_MAX 4000000u

/* Puts the pool in order: by check, worst first, and as it was within those. */
void comply_sort(struct comply_reason_vec *pool);

/* The results of all controls from a pool in order. Texts that are made lie in the report's arena. */
int comply_conclude(const struct comply_options *options, const struct comply_reason_vec *pool, struct comply_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif
