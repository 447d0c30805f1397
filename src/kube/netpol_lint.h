/* netpol_lint.h: what is odd about the network policies of a set of objects: they allow more than meant, do nothing, or break something. */
#ifndef BH_KUBE_NETPOL_LINT_H
#define BH_KUBE_NETPOL_LINT_H

#include "kube/ask.h"

#define NETPOL_ROW_LINT 6u
enum netpol_lint_cell {
	NETPOL_LINT_SEVERITY, /* "high", "medium", "low" */
	NETPOL_LINT_ID,       /* "netpol-world" */
	NETPOL_LINT_FILE,
	NETPOL_LINT_LINE,     /* 0: none */
	NETPOL_LINT_OBJECT,   /* "NetworkPolicy shop/web", "Namespace shop" */
	NETPOL_LINT_PATH,     /* spec.ingress[0]; may be empty */
	NETPOL_LINT_MESSAGE,
	NETPOL_LINT_FIX,
	NETPOL_LINT_CELLS,
};

/* Rows in the order of policies, then namespaces and workloads. */
int netpol_lint(struct kube_asked *asked, void *ctx, struct bh_err *err) BH_MUST_CHECK;

#endif
