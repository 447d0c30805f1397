/*
 * proof.h: proofs of a fact of logic.h: the shortest, all that differ in what they rest on, and the least that has to be taken away so that none is left.
 *
 * What can be taken away (a privilege, a binding, an open connection) is for the caller to say, by fact. The search takes the shortest proof, then for
 * each fact in it that can go the shortest without it, and so on, breadth first (Reiter's hitting set tree): what it finds on the way are the proofs, and
 * where nothing is left is a cut, the small ones first. What a cut does not need is left out of it, each time by trying.
 *
 * In a large space that may find no cut in the tries that there are, or none is that small. Then one larger cut is built: of each proof that is left the fact
 * goes that most proofs so far rest on (greedy), until none is left. It is tried and lessened like the others: minimal, but perhaps not the smallest.
 */
#ifndef BH_KUBE_PROOF_H
#define BH_KUBE_PROOF_H

#include "kube/logic.h"

#define PROOF_WORK_MAX 100000000u /* facts and steps looked at for one target, a second or two */
#define PROOF_TRIES_MIN 50u       /* ... but at least so many tries */
#define PROOF_WIDE_MAX 64u       /* facts of the one cut that is looked for when no small one was found */
#define PROOF_CUT_MAX 5u       /* facts of a cut: whoever needs to change more starts with another target */

BH_VEC(proof_number_vec, uint32_t)

struct proof_work;

/* What can be reached backwards from the target: the part of the facts that matters. */
struct proof_space {
	const struct logic *logic;
	uint32_t target;
	struct proof_number_vec facts, steps; /* of the logic, ascending */
	uint32_t *place;                      /* fact of the logic -> index in `facts`; LOGIC_NONE */
	uint32_t *away;                       /* indexes in `facts` of the given ones that are taken away */
	size_t n_away;
	uint32_t *uses, *first_use;           /* steps by index in `steps` that need a fact: those of fact i are uses[first_use[i]] to uses[first_use[i + 1]] */
	uint32_t *ready;                      /* steps that need nothing but given facts, in the order in which a search meets them */
	size_t n_ready;
	struct proof_work *work;
	struct bh_arena arena;
};

/* steps: in an order in which each rests only on facts given or concluded before. */
struct proof {
	const uint32_t *steps;
	size_t n_steps;
	const uint32_t *rests_on; /* the given facts, ascending */
	size_t n_rests_on;
};

int proof_space_init(struct proof_space *s, const struct logic *l, uint32_t target, struct bh_err *err) BH_MUST_CHECK;
void proof_space_done(struct proof_space *s);

/* Takes a given fact away, or puts it back. Facts that do not matter are passed over. */
void proof_take_away(struct proof_space *s, uint32_t fact, bool away);

/* 1: *ret is in the arena; 0: the target does not follow; negative: an error. */
int proof_shortest(struct proof_space *s, struct bh_arena *arena, struct proof *ret, struct bh_err *err) BH_MUST_CHECK;

struct proof_search {
	bool (*can_go)(void *ctx, uint32_t fact);
	int (*path)(void *ctx, const struct proof *p, struct bh_err *err);                    /* each once */
	int (*cut)(void *ctx, const uint32_t *facts, size_t n, struct bh_err *err);           /* none holds another */
	void *ctx;
	size_t paths_max, cuts_max, tries_max; /* large spaces get fewer tries: PROOF_WORK_MAX */
};

/* *ret_whole: nothing was left out because of a maximum. */
int proof_enumerate(struct proof_space *s, const struct proof_search *search, bool *ret_whole, struct bh_err *err) BH_MUST_CHECK;

#endif
