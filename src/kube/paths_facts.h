/* paths_facts.h: what paths.h starts from: facts about workloads, the network, roles and namespaces, each with the place in the files that says so. */
#ifndef BH_KUBE_PATHS_FACTS_H
#define BH_KUBE_PATHS_FACTS_H

#include "kube/ask.h"
#include "kube/logic.h"

/* A kind of fact that somebody could change. The sentence has $0, $1, $2 for its arguments. */
struct paths_change {
	const char *predicate, *sentence, *remedy;
};

BH_VEC(paths_place_vec, struct bh_slice)

struct paths_facts {
	struct logic logic;
	struct bh_arena arena;
	struct paths_place_vec places; /* by fact: "web.yaml:12: spec.hostNetwork"; empty: none */
	bool has_roles;                /* there is at least one binding */
	bool has_pods;                 /* there is something of Kubernetes, not only of Compose */
	size_t n_reports;              /* of images */
};

/* *f is the caller's to end with paths_facts_done, whatever this returned. What is assumed is said as a gap. start: identities that a question begins with. */
int paths_facts_find(struct paths_facts *f, struct kube_asked *asked, struct bh_slice start, struct bh_err *err) BH_MUST_CHECK;
void paths_facts_done(struct paths_facts *f);

/* NULL: nobody can change such facts. */
const struct paths_change *paths_change_of(const struct paths_facts *f, uint32_t fact);

struct bh_slice paths_place_of(const struct paths_facts *f, uint32_t fact);

const char *paths_rule_id(size_t rule);
const char *paths_rule_technique(size_t rule);
const char *paths_rule_sentence(size_t rule);

#endif
