/*
 * admission.h: what ValidatingAdmissionPolicy and MutatingAdmissionPolicy have in common: constraints, bindings, parameters, conditions, lazy variables, the
 * environment of their expressions, and what those may cost. For vap.c and map.c, which know what a policy then says.
 */
#ifndef BH_KUBE_ADMISSION_H
#define BH_KUBE_ADMISSION_H

#include "kube/vap.h"

#define ADMISSION_COST_MAX 10000000u /* of all expressions of a policy with one binding and one parameter (apiserver, apis/cel/config.go) */
#define ADMISSION_LITERALS_SINCE 29u
#define ADMISSION_GLOBAL "." /* before the name of a variable that is no field of `variables`; only of policies that were made, no document says so */
#define ADMISSION_GROUP "admissionregistration.k8s.io"

struct admission_expression {
	struct bh_slice name;           /* of a variable or condition */
	struct bh_slice text;
	struct cel_program *program;
	unsigned slot;                  /* of a variable */
	struct bh_slice message, reason;
	struct bh_slice message_text;
	struct cel_program *message_program;
};

struct admission_list {
	struct admission_expression *items;
	size_t n;
};

struct admission {
	const struct kube_object *object;
	struct bh_arena arena;
	struct cel_value spec;
	struct cel_env *env;
	struct cel_run *run;
	struct admission_list variables, conditions;
	unsigned slot_object, slot_old, slot_request, slot_params, slot_namespace, slot_authorizer, slot_access;
	bool mutates, fails_open, wants_params;
	uint64_t spent; /* cost in the review that runs */
	uint64_t asked; /* requests that matched */
};

/* The libraries of expressions that Kubernetes 1.MINOR knows, ended by NULL; NULL: no memory. */
const struct cel_library *const *admission_libraries(struct bh_arena *arena, unsigned minor);

/* ---- compiling ---- */

struct admission_compiler {
	struct admission *policy;
	struct bh_buf *why;
	struct bh_err *err;
	bool failed; /* an expression is wrong; the others are looked at all the same */
};

/* The environment for Kubernetes 1.MINOR, variables and conditions; what a kind of policies has of its own is compiled next, then admission_finish. */
int admission_init(struct admission_compiler *c, const struct kube_object *o, unsigned minor, bool mutates) BH_MUST_CHECK;
int admission_finish(struct admission_compiler *c) BH_MUST_CHECK; /* BH_EMALFORMED when an expression is wrong: *why says it */
void admission_done(struct admission *a);
void admission_list_done(struct admission_list *list);

/* spec.FIELD: *out gets room for an expression per item. */
int admission_take_list(struct admission_compiler *c, const char *field, struct admission_list *out, struct cel_value *ret_values) BH_MUST_CHECK;

/* Compiled, and of the type; NULL: of any. What is wrong is told: spec.WHERE[i].FIELD. */
int admission_compile(struct admission_compiler *c, const char *where, size_t i, const char *field, struct bh_slice text, const struct cel_type *wanted,
		      struct cel_program **ret) BH_MUST_CHECK;
void admission_tell(struct admission_compiler *c, const char *where, size_t i, const char *field, struct bh_slice text);

/* ---- reviewing ---- */

struct admission_review {
	struct admission *policy;
	const struct kube_request *request;
	const struct kube_world *world;
	const struct kube_object *binding;
	unsigned actions;
	/* The policy applies: with these parameters, its conditions are met. */
	int (*apply)(struct admission_review *r, struct cel_value params);
	/* The policy can't be asked, or not be answered. */
	int (*say)(struct admission_review *r, enum vap_outcome outcome, const struct admission_expression *e, struct bh_slice message);
	struct bh_err *err;
};

/* All of the policy's bindings in the world with their parameters, or the policy alone when it has no binding and wants no parameters. */
int admission_review(struct admission_review *r) BH_MUST_CHECK;

/* Binds the values anew, so that variables are worked out for this object and these parameters. */
void admission_bind(struct admission_review *r, struct cel_value object, struct cel_value params);
struct cel_value admission_evaluate(struct admission_review *r, const struct cel_program *program, uint64_t limit);

/* An error is told, unless the policy fails open. */
int admission_fail(struct admission_review *r, const struct admission_expression *e, const char *why);

/* A text made of three; it lives until values are bound anew. */
struct bh_slice admission_print(struct admission_review *r, const char *before, struct bh_slice text, const char *after);

#endif
