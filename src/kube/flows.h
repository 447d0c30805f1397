/*
 * flows.h: recorded connections: who connected to whom on what, as text with a line each:
 *
 *   {"flow":{"source":{"namespace":"shop","pod_name":"web-1",...},"destination":...,"l4":{"TCP":{"destination_port":80}},...}}    hubble observe -o json
 *   {"src":"shop/web","dst":"10.0.0.1","port":443,"proto":"TCP"}
 *   shop/web,shop/db,5432,TCP                                                                                                     CSV; proto may be missing
 */
#ifndef BH_KUBE_FLOWS_H
#define BH_KUBE_FLOWS_H

#include "base/arena.h"
#include "base/vec.h"
#include "kube/ports.h"

#define KUBE_FLOWS_MAX 2000000u
#define KUBE_FLOW_LABELS_MAX 64u

struct kube_flow_end {
	struct bh_slice name;             /* as netpol_find.h reads it; of Hubble empty */
	struct bh_slice namespace, workload, kind, pod, address;
	const struct bh_slice *labels;    /* "app=web" */
	size_t n_labels;
	bool is_node;                     /* the node itself: policies never stop it */
};

struct kube_flow {
	struct kube_flow_end from, to;
	enum kube_protocol protocol;
	uint16_t port;
	uint32_t line;
};
BH_VEC(kube_flow_vec, struct kube_flow)

/* What was not taken: lines that are none, and flows that are none for policies: replies, dropped ones, other protocols. */
struct kube_flows_left_out {
	uint64_t skipped;
	uint64_t wrong;
	uint32_t wrong_line; /* the first */
};

/* Everything lives in the arena. BH_ELIMIT: too many. */
int kube_flows_read(struct bh_slice text, struct bh_arena *arena, struct kube_flow_vec *out, struct kube_flows_left_out *left_out, struct bh_err *err) BH_MUST_CHECK;

#endif
