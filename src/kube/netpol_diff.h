/* netpol_diff.h: what a change of manifests does to who may connect to whom. */
#ifndef BH_KUBE_NETPOL_DIFF_H
#define BH_KUBE_NETPOL_DIFF_H

#include "kube/ask.h"

enum netpol_change { NETPOL_CHANGED, NETPOL_ADDED, NETPOL_REMOVED };

#define NETPOL_ROW_CHANGE 5u
enum netpol_change_cell {
	NETPOL_CHANGE_TYPE,  /* "changed", "added", "removed" */
	NETPOL_CHANGE_FROM,
	NETPOL_CHANGE_TO,
	NETPOL_CHANGE_OLD,   /* ports; "No Connections" */
	NETPOL_CHANGE_NEW,
	NETPOL_CHANGE_INFO,  /* "workload shop/web[Pod] added"; mostly empty */
	NETPOL_CHANGE_GROWS, /* "yes": something is allowed that was not */
	NETPOL_CHANGE_CELLS,
};

/* What to compare; the question's ctx, NULL: the defaults. */
struct netpol_comparing {
	bool services; /* as struct netpol_listing's */
};

/* Role 0: the old manifests, role 1: the new ones. Rows: changed, added, removed, each in the order of the names. */
int netpol_diff(struct kube_asked *asked, void *ctx, struct bh_err *err) BH_MUST_CHECK;

#endif
