/*
 * netpol_reach.h: who may connect to whom, class by class: for questions that go on from there (paths). Workloads of a class are alike to every policy, so
 * thousands of workloads are some hundreds of classes.
 */
#ifndef BH_KUBE_NETPOL_REACH_H
#define BH_KUBE_NETPOL_REACH_H

#include "kube/ask.h"
#include "kube/workload.h"

/* Each returns 0, or an error that ends it. Texts live during the call: "TCP 80", "{LoadBalancer shop/front}". */
struct netpol_reach {
	int (*workload)(void *ctx, const struct kube_workload *w, uint32_t class);                 /* all of them, first */
	int (*classes)(void *ctx, const struct kube_workload *w, uint32_t class);                  /* all of them again, when the classes are complete */
	int (*link)(void *ctx, uint32_t from, uint32_t to, struct bh_slice ports);                 /* between two workloads of these classes */
	int (*metadata)(void *ctx, uint32_t from, const char *address);                            /* may ask a cloud's metadata service at that address */
	int (*exposed)(void *ctx, const struct kube_workload *w, struct bh_slice source, struct bh_slice ports);
	void *ctx;
};

/* By the objects of a role. BH_EMALFORMED: a policy breaks its API. */
int netpol_reach(struct kube_asked *asked, uint8_t role, const struct netpol_reach *r, struct bh_err *err) BH_MUST_CHECK;

#endif
