/*
 * netpol_needs.h: which connections workloads need, with the evidence: services that their environment, arguments and ConfigMaps name; what ingresses,
 * gateways and services let in; recorded flows. For netpol_generate.c.
 */
#ifndef BH_KUBE_NETPOL_NEEDS_H
#define BH_KUBE_NETPOL_NEEDS_H

#include "kube/netpol_observed.h"

struct netpol_need {
	const struct netpol_peer *from, *to;
	struct kube_ports ports;              /* in the arena */
	struct bh_slice evidence;             /* "env DB_HOST at web.yaml:12", "2 flows, the first at flows.csv:2" */
};
BH_VEC(netpol_need_vec, struct netpol_need)

#define NETPOL_NEEDS_MAX 1000000u

/* Behind netpol_compile and netpol_flows_resolve. In no order, the same more than once. */
int netpol_needs_find(struct netpol *n, const struct netpol_flows *flows, struct netpol_need_vec *out) BH_MUST_CHECK;

#endif
