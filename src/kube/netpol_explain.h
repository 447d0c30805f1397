/* netpol_explain.h: why one may connect to the other, or not: every rule that was asked, in the order in which they are, and what would allow it. */
#ifndef BH_KUBE_NETPOL_EXPLAIN_H
#define BH_KUBE_NETPOL_EXPLAIN_H

#include "kube/ask.h"

/* What to explain: names as netpol_find.h reads them; port may be empty. The question's ctx. */
struct netpol_explaining {
	struct bh_slice from, to, port;
};

/*
 * Rows: the verdict, then for egress and ingress the rules, the sentence why, and what is needed if something is denied. All have the same cells, so
 * that a row can be read on its own.
 */
enum netpol_why_row { NETPOL_WHY_VERDICT = 1, NETPOL_WHY_RULE, NETPOL_WHY_SENTENCE, NETPOL_WHY_NEED };
enum netpol_why_cell {
	NETPOL_WHY_WHAT,      /* "verdict", "rule", "why", "needed" */
	NETPOL_WHY_DIRECTION, /* "egress", "ingress"; of the verdict: "allowed", "denied", "partly" */
	NETPOL_WHY_TIER,      /* of a rule: "admin 10", "policy", "baseline 5" */
	NETPOL_WHY_POLICY,
	NETPOL_WHY_PLACE,     /* file:line */
	NETPOL_WHY_PATH,      /* spec.ingress[0] */
	NETPOL_WHY_ACTION,    /* allow, deny, pass */
	NETPOL_WHY_DECIDES,   /* ports; empty: none */
	NETPOL_WHY_TEXT,      /* a sentence */
	NETPOL_WHY_CELLS,
};

/* BH_EUSAGE: a name that is nobody's. */
int netpol_explain(struct kube_asked *asked, void *ctx, struct bh_err *err) BH_MUST_CHECK;

#endif
