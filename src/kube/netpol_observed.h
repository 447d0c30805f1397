/* netpol_observed.h: recorded flows among the peers of a model, each once. For the questions that have them. */
#ifndef BH_KUBE_NETPOL_OBSERVED_H
#define BH_KUBE_NETPOL_OBSERVED_H

#include "kube/flows.h"
#include "kube/netpol_model.h"

struct netpol_observed {
	const struct netpol_peer *from, *to;
	enum kube_protocol protocol;
	uint16_t port;
	uint64_t count;
	struct bh_slice file; /* of the first */
	uint32_t line;
};
BH_VEC(netpol_observed_vec, struct netpol_observed)

struct netpol_flows {
	struct kube_flow_vec flows;
	struct netpol_text_vec files;    /* names, and where the flows of each end */
	struct netpol_cut_vec ends;
	struct netpol_observed_vec seen; /* in the order of the names */
};

/* Reads the files of role NETPOL_FLOWS_ROLE and tells their addresses apart: between netpol_read and netpol_compile. *f is the caller's to end, always. */
int netpol_flows_read(struct netpol *n, struct netpol_flows *f) BH_MUST_CHECK;

/* Fills f->seen, behind netpol_compile. Ends that are nobody are told as gaps. */
int netpol_flows_resolve(struct netpol *n, struct netpol_flows *f) BH_MUST_CHECK;

void netpol_flows_done(struct netpol_flows *f);

#endif
