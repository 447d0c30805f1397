/* netpol_find.h: who and what a user names: workloads, addresses, controllers; ports. */
#ifndef BH_KUBE_NETPOL_FIND_H
#define BH_KUBE_NETPOL_FIND_H

#include "kube/netpol_model.h"

/* Tells an address or prefix apart from all others, when the name is one: before netpol_compile. */
int netpol_cut_name(struct netpol *n, struct bh_slice name) BH_MUST_CHECK;

/*
 * "shop/web[Deployment]", "shop/web", "web" when there is one of it; "10.0.0.1", "10.0.0.0/8"; "ingress-controller", "gateway-controller". BH_EUSAGE: nobody or
 * several, with their names. d: as what: a source is INGRESS's, a target EGRESS's.
 */
int netpol_find_peer(struct netpol *n, struct bh_slice name, enum netpol_direction d, const struct netpol_peer **ret) BH_MUST_CHECK;

/* "80", "80/tcp", "TCP 80", "8000-8080", "web" (at `to`); empty: all. Lives in the scratch. */
int netpol_find_ports(struct netpol *n, struct bh_slice text, const struct netpol_peer *to, struct kube_ports *ret) BH_MUST_CHECK;

#endif
