/*
 * logic.h: facts that follow from other facts: Datalog without negation. A rule reads
 *
 *     "node(N) :- code(P), privileged(P), on(P, N)"
 *
 * words in capitals are variables, all others are themselves. Every way in which a fact follows is kept, so that proofs can be compared and what they rest
 * on taken away (proof.h). The order of everything is that of the facts given; nothing depends on addresses or hashes.
 */
#ifndef BH_KUBE_LOGIC_H
#define BH_KUBE_LOGIC_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"

#define LOGIC_ARGUMENTS_MAX 3u
#define LOGIC_BODY_MAX 5u
#define LOGIC_FACTS_MAX 4000000u
#define LOGIC_STEPS_MAX 8000000u
#define LOGIC_NONE UINT32_MAX

struct logic_fact {
	uint32_t predicate;                       /* symbols */
	uint32_t arguments[LOGIC_ARGUMENTS_MAX];
	uint32_t next_of_predicate, next_of_first; /* earlier facts with the same predicate, and with the same first argument, too */
	uint32_t last_step;                       /* the newest way in which it follows; LOGIC_NONE: it was only given */
	uint8_t n;
	bool is_given;
};

/* One way in which a fact follows. */
struct logic_step {
	uint32_t rule, head, next_of_head;
	uint32_t body[LOGIC_BODY_MAX];
	uint8_t n;
};

BH_VEC(logic_fact_vec, struct logic_fact)
BH_VEC(logic_step_vec, struct logic_step)
BH_VEC(logic_symbol_vec, struct bh_slice)

struct logic_rule;

struct logic {
	struct bh_arena arena;
	struct logic_symbol_vec symbols;
	struct bh_map symbol_of, fact_of, last_of; /* last_of: by predicate, and by predicate and first argument */
	struct logic_fact_vec facts;
	struct logic_step_vec steps;
	const struct logic_rule *rules;
	size_t n_rules;
};

/* The texts must outlive it. BH_EMALFORMED: a rule that is none. */
int logic_init(struct logic *l, const char *const *rules, size_t n, struct bh_err *err) BH_MUST_CHECK;
void logic_done(struct logic *l);

/* A fact that is given. *ret may be NULL. */
int logic_add(struct logic *l, const char *predicate, const struct bh_slice *arguments, size_t n, uint32_t *ret, struct bh_err *err) BH_MUST_CHECK;

/* Everything that follows. Once, after all facts are given. BH_ELIMIT: more than LOGIC_FACTS_MAX or LOGIC_STEPS_MAX. */
int logic_run(struct logic *l, struct bh_err *err) BH_MUST_CHECK;

/* LOGIC_NONE: it is not known to be true. */
uint32_t logic_find(const struct logic *l, const char *predicate, const struct bh_slice *arguments, size_t n);

/* The facts of a predicate, newest first: start with LOGIC_NONE; LOGIC_NONE at the end. */
uint32_t logic_next(const struct logic *l, const char *predicate, uint32_t fact);

static inline struct bh_slice logic_text(const struct logic *l, uint32_t symbol)
{
	return l->symbols.ptr[symbol];
}

#endif
