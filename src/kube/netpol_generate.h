/* netpol_generate.h: NetworkPolicies that allow what is needed and nothing else, each rule with its evidence. */
#ifndef BH_KUBE_NETPOL_GENERATE_H
#define BH_KUBE_NETPOL_GENERATE_H

#include "kube/ask.h"

/* Rows: one document of YAML each, in the order of namespaces and names. Role 0: manifests, role 1, raw: flows; policies among the manifests don't count. */
#define NETPOL_ROW_DOCUMENT 8u
#define NETPOL_DOCUMENT_CELLS 1u

int netpol_generate(struct kube_asked *asked, void *ctx, struct bh_err *err) BH_MUST_CHECK;

#endif
