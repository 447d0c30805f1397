/* rbac_unused_model.h: what the files of rbac_unused.h share. Nobody else includes it. */
#ifndef BH_KUBE_RBAC_UNUSED_MODEL_H
#define BH_KUBE_RBAC_UNUSED_MODEL_H

#include "kube/cells.h"
#include "kube/rbac_unlogged.h"
#include "kube/rbac_unused.h"
#include "kube/rbac_usage.h"

/* A binding that gives rules written in a role. */
struct rbac_holder {
	const struct rbac_binding *binding;
	struct rbac_holder *next;
};

struct rbac_leftovers {
	struct kube_asked *asked;
	const struct kube_object_vec *all;
	const struct rbac *r;
	struct bh_arena arena, scratch;
	struct bh_map holders;      /* role that rules are written in -> struct rbac_holder */
	struct bh_map selected;     /* role -> an aggregated role that has its rules */
	struct bh_map accounts;     /* "namespace/name" of service accounts -> object */
	struct bh_map seen;         /* as in the log: "u" and a user, "g" and a group -> uint64_t, events */
	const struct rbac_usage *usage; /* NULL: without a log */
	struct rbac_unlogged unlogged;
	struct bh_map gone;         /* rules, words and subjects, by pointer, that the objects alone show to be needless: the log need not be asked */
	struct kube_cells cells;    /* the row in the making */
	struct bh_err *err;
};

/* The bindings that hold rules of the role; NULL: nobody has them. */
const struct rbac_holder *rbac_holders_of(const struct rbac_leftovers *l, const struct rbac_role *role);

/* Events of the subject in the log. */
uint64_t rbac_seen_events(struct rbac_leftovers *l, const struct rbac_subject *s);

/* Is it ours to judge? What the API server made, or keeps, is not. */
bool rbac_is_own_role(const struct rbac_role *role);
bool rbac_is_own_binding(const struct rbac_binding *b);

/* Begin a row, about an object or a part of it; what the caller adds to the cells is said by rbac_say_unused. */
void rbac_about_object(struct rbac_leftovers *l, const char *what, const struct kube_object *o, struct bh_slice namespace, uint32_t line);
void rbac_about_role(struct rbac_leftovers *l, const char *what, const struct rbac_role *role);
void rbac_about_binding(struct rbac_leftovers *l, const char *what, const struct rbac_binding *b);
void rbac_about_rule(struct rbac_leftovers *l, const char *what, const struct rbac_rule *rule);
void rbac_about_word(struct rbac_leftovers *l, const char *what, const struct rbac_rule *rule, enum rbac_part part, size_t index);
void rbac_about_subject(struct rbac_leftovers *l, const char *what, const struct rbac_binding *b, size_t index);
bool rbac_set_gone(struct rbac_leftovers *l, const void *part) BH_MUST_CHECK;
bool rbac_is_gone(const struct rbac_leftovers *l, const void *part);
int rbac_say_unused(struct rbac_leftovers *l);
int rbac_say_unjudged(struct rbac_leftovers *l, const struct kube_object *at, uint32_t line, const char *fmt, ...) BH_PRINTF(4, 5);

/* By the objects alone, and by the log. */
int rbac_unused_by_objects(struct rbac_leftovers *l);
int rbac_unused_by_log(struct rbac_leftovers *l);

#endif
