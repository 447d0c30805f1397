/*
 * rbac_usage.h: which bindings, rules and words of rules the requests of an audit log used: all that allow a request count, not only the first, so that
 * whatever counts as unused can be taken away, all of it at once, and every request of the log is still allowed.
 */
#ifndef BH_KUBE_RBAC_USAGE_H
#define BH_KUBE_RBAC_USAGE_H

#include "kube/rbac_audit.h"
#include "kube/rbac_shadow.h"

#define RBAC_SEEN_MAX 64u /* different ones that are kept; more is "many" */

/* What a word that stands for many was used for, or a binding: of the requests only what the word is about. */
struct rbac_seen {
	struct rbac_request all[RBAC_SEEN_MAX];
	size_t n;
	bool many;
};

struct rbac_word_usage {
	bool is_used;
	struct rbac_seen *seen; /* NULL: the word stands for itself */
};

struct rbac_rule_usage {
	uint64_t events;
	struct rbac_word_usage *words[RBAC_PARTS]; /* by the index in the rule */
};

struct rbac_binding_usage {
	uint64_t events;
	bool *subjects;           /* by index: it used the binding */
	struct rbac_seen *rights; /* verbs and what of; only of a role that the API server makes, else NULL */
};

struct rbac_usage {
	struct bh_arena arena;
	struct bh_map rules, bindings; /* of those that were used, by pointer */
	uint64_t by_masters, by_nothing; /* events: allowed to members of system:masters; by no role of the set */
	uint64_t reviews;              /* events: others asked the API server about rights */
};

/* Who is told now and then that work goes on. */
struct rbac_usage_ticker {
	void (*tick)(void *ctx, uint64_t requests);
	void *ctx;
	uint64_t done;
};

/* *r and *audit must outlive it. */
int rbac_usage_new(const struct rbac *r, const struct rbac_audit *audit, struct rbac_usage_ticker ticker, struct rbac_usage *ret, struct bh_err *err) BH_MUST_CHECK;
void rbac_usage_done(struct rbac_usage *u);

/* NULL: never used. */
const struct rbac_rule_usage *rbac_usage_of_rule(const struct rbac_usage *u, const struct rbac_rule *rule);
const struct rbac_binding_usage *rbac_usage_of_binding(const struct rbac_usage *u, const struct rbac_binding *b);

/* Does the API server make the role, or keep it as it wants it to be? */
bool rbac_is_servers(const struct rbac_role *role);

/* Does the subject mean the user, or a group that it was in? */
bool rbac_subject_is(const struct rbac_subject *s, const struct rbac_user *user);

#endif
