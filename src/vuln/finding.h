/* finding.h: from decisions to findings: versions that fix, severity, exploitation, and the sentences. */
#ifndef BH_VULN_FINDING_H
#define BH_VULN_FINDING_H

#include "model/report.h"
#include "vuln/ecosystem.h"
#include "vuln/judge.h"
#include "vuln/numbering.h"
#include "vuln/set.h"

/* What one row says about the package at hand. */
struct vuln_said {
	uint32_t index; /* of the row */
	struct vuln_row row;
	struct vuln_decision decision;
};

/* The newest version of the package's source, when the installed one is older (or can't be compared). */
struct vuln_pending {
	bool known;            /* there is a row about it */
	bool present;          /* and it is newer than what is installed */
	bool security;         /* from the security suite: news by itself */
	bool told;             /* a finding leads to it already */
	struct vuln_said said; /* said.decision.bound: the newest source version */
};

/* The package that the findings are about. */
struct vuln_subject {
	const struct vuln_set *set;
	struct bh_report *report;
	const struct vuln_place *place;
	const struct vuln_installed *installed;
	struct vuln_numbering *numbering;
};

/* said[0] decides, the other n - 1 tell of further fixes. Undetermined ones give a finding as well. */
int vuln_add_finding(const struct vuln_subject *subject, const struct vuln_advisory *advisory, const struct vuln_said *said, size_t n,
		     struct vuln_pending *pending, struct bh_err *err) BH_MUST_CHECK;

/* A security update that no finding leads to: one of its own, "debian-update-SOURCE". */
int vuln_add_pending(const struct vuln_subject *subject, const struct vuln_pending *pending, struct bh_err *err) BH_MUST_CHECK;

#endif
