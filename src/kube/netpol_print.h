/* netpol_print.h: parts of policies as texts: selectors, peers and ports as one line of YAML, policies with their names and places. */
#ifndef BH_KUBE_NETPOL_PRINT_H
#define BH_KUBE_NETPOL_PRINT_H

#include "kube/netpol_model.h"

/* A YAML scalar, in quotes where it needs them. */
void netpol_print_scalar(struct bh_slice text, struct bh_buf *out);

/* "{app: web, tier: front}" of a workload, without the labels that a controller changes with every version of a template. */
void netpol_print_labels(struct cel_value labels, struct bh_buf *out);

/* "{podSelector: {matchLabels: {app: web}}}"; in another namespace with its selector; addresses as ipBlocks, one by one, with ", ". */
void netpol_print_peer(struct bh_slice namespace, const struct netpol_peer *who, struct bh_buf *out);

/* "{protocol: TCP, port: 80}, {protocol: UDP, port: 53}"; nothing for all ports. */
void netpol_print_ports(const struct kube_ports *ports, struct bh_buf *out);

/* "NetworkPolicy shop/web" */
void netpol_print_policy(const struct netpol_policy *p, struct bh_buf *out);

/* "manifests/web.yaml:12"; line 0: that of the object. */
void netpol_print_where(const struct kube_object *o, uint32_t line, struct bh_buf *out);

#endif
