/* coverage.h: what the data that was used covers, how old it is, and what it says nothing about. */
#ifndef BH_VULN_COVERAGE_H
#define BH_VULN_COVERAGE_H

#include "base/map.h"
#include "model/report.h"
#include "vuln/ecosystem.h"
#include "vuln/set.h"

#define VULN_SOURCES_MAX 10000u

struct vuln_coverage {
	const struct vuln_set *set;
	struct bh_map seen;     /* ecosystem name -> index in report->not_covered, plus one; what is covered in full is taken out at the end */
	bool *used;             /* by source: rows of it were looked at */
	uint32_t n_sources;
};

int vuln_coverage_init(struct vuln_coverage *c, const struct vuln_set *set, struct bh_err *err) BH_MUST_CHECK;
void vuln_coverage_done(struct vuln_coverage *c);

/* One package of the report; `ecosystem` is where its rows were looked for, NULL when the database has no such one. */
int vuln_coverage_package(struct vuln_coverage *c, const struct vuln_place *place, const struct vuln_ecosystem *ecosystem, struct bh_report *report,
			  struct bh_err *err) BH_MUST_CHECK;

/* A row of this source was looked at. */
void vuln_coverage_used(struct vuln_coverage *c, uint32_t source);

/* Fills report->data, finishes report->not_covered, notes data that is too old. */
int vuln_coverage_finish(struct vuln_coverage *c, const struct vuln_match_options *options, struct bh_report *report,
			 struct bh_err *err) BH_MUST_CHECK;

#endif
