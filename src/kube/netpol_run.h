/* netpol_run.h: the list of netpol.h for files: they are read, and the policies evaluated, in a sandboxed child. */
#ifndef BH_KUBE_NETPOL_RUN_H
#define BH_KUBE_NETPOL_RUN_H

#include "base/arena.h"
#include "base/vec.h"

struct netpol_pair {
	struct bh_slice from, to, ports;
};

/* Something that was not read or not evaluated. */
struct netpol_gap {
	struct bh_slice file, text;
	uint32_t line; /* 0: none */
};

BH_VEC(netpol_pair_vec, struct netpol_pair)
BH_VEC(netpol_gap_vec, struct netpol_gap)

struct netpol_result {
	struct bh_arena arena;
	struct netpol_pair_vec pairs; /* in the order of their names */
	struct netpol_gap_vec gaps;
	uint64_t objects;
};

void netpol_result_done(struct netpol_result *result);

/* BH_EMALFORMED: a policy breaks its API. */
int netpol_run(const char *const *paths, size_t n, struct netpol_result *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
