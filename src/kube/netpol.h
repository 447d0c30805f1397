/*
 * netpol.h: who may connect to whom on what, by the network policies of a set of objects: NetworkPolicy (networking.k8s.io/v1), AdminNetworkPolicy and
 * BaselineAdminNetworkPolicy (policy.networking.k8s.io/v1alpha1). Connections, not packets: replies are allowed. What the API leaves undefined is
 * left out: nodes, pods on the node's network, a pod's connections to itself.
 */
#ifndef BH_KUBE_NETPOL_H
#define BH_KUBE_NETPOL_H

#include "kube/objects.h"

#define NETPOL_ROWS_MAX 4000000u

/* Texts live during the call: "shop/web[Deployment]", "0.0.0.0-9.255.255.255[External]", "{ingress-controller}"; "TCP 80,443". */
typedef int (*netpol_sink)(void *ctx, struct bh_slice from, struct bh_slice to, struct bh_slice ports, struct bh_err *err);

/* What was not looked at: a sentence, about a file and line. */
typedef int (*netpol_note)(void *ctx, struct bh_slice file, uint32_t line, const char *text, struct bh_err *err);

/*
 * Every pair that may connect, in the order of their names. BH_EMALFORMED: a policy breaks its API (the message names file and line), so nothing that
 * could be said would be true.
 */
int netpol_list(const struct kube_object_vec *all, netpol_sink sink, netpol_note note, void *ctx, struct bh_err *err) BH_MUST_CHECK;

#endif
