/*
 * netpol.h: who may connect to whom on what, by the network policies of a set of objects: NetworkPolicy (networking.k8s.io/v1), ClusterNetworkPolicy
 * (policy.networking.k8s.io/v1alpha2), and AdminNetworkPolicy and BaselineAdminNetworkPolicy, which it replaced (v1alpha1). Connections, not packets:
 * replies are allowed. What the API leaves undefined is left out: nodes, a pod's connections to itself.
 */
#ifndef BH_KUBE_NETPOL_H
#define BH_KUBE_NETPOL_H

#include "kube/ask.h"

/* A row: who, to whom, on what: "shop/web[Deployment]", "0.0.0.0-9.255.255.255[External]", "TCP 80,443". */
enum netpol_row { NETPOL_ROW_PAIR };
enum netpol_cell { NETPOL_FROM, NETPOL_TO, NETPOL_PORTS, NETPOL_CELLS };

/* What to list; the question's ctx, NULL: the defaults. */
struct netpol_listing {
	bool services; /* load balancers, ports of nodes and external addresses as sources too */
};

/*
 * The answer to a question whose role 0 are the manifests: every pair that may connect, in the order of their names. BH_EMALFORMED: a policy breaks
 * its API (the message names file and line), so nothing that could be said would be true.
 */
int netpol_list(struct kube_asked *asked, void *ctx, struct bh_err *err) BH_MUST_CHECK;

#endif
