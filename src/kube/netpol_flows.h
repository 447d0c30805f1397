/* netpol_flows.h: recorded flows as pairs of peers; which of them policies would have stopped. */
#ifndef BH_KUBE_NETPOL_FLOWS_H
#define BH_KUBE_NETPOL_FLOWS_H

#include "kube/ask.h"

/* Questions with flows: role 0 the manifests, role 1 the files of flows, which are asked for raw. */
#define NETPOL_FLOWS_ROLE 1u

#define NETPOL_ROW_FLOW 7u
enum netpol_flow_cell {
	NETPOL_FLOW_VERDICT, /* "allowed", "blocked" */
	NETPOL_FLOW_FROM,
	NETPOL_FLOW_TO,
	NETPOL_FLOW_PORT,    /* "TCP 80" */
	NETPOL_FLOW_COUNT,   /* how many flows were like this */
	NETPOL_FLOW_PLACE,   /* file:line of the first */
	NETPOL_FLOW_WHY,     /* of a blocked one */
	NETPOL_FLOW_CELLS,
};

/* Rows: distinct flows, the blocked ones first, each in the order of names. */
int netpol_test(struct kube_asked *asked, void *ctx, struct bh_err *err) BH_MUST_CHECK;

#endif
