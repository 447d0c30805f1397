/*
 * mend.h: objects as the mutating policies leave them that mend findings: rules/kubernetes/fix-*.yaml, which are read when the first finding of their check
 * is there, and the user's own. Nulls are taken away first, as an API server does when it reads an object, and are put back.
 */
#ifndef BH_KUBE_MEND_H
#define BH_KUBE_MEND_H

#include "kube/world.h"

/* How much may break: SAFE changes hardly any program notices; ALL that mend, each of which says what it may break. */
enum kube_mend_level { KUBE_MEND_NONE, KUBE_MEND_SAFE, KUBE_MEND_ALL };

struct kube_mender;

/* For Kubernetes 1.MINOR; the world, which outlives it, has bindings, parameters and namespaces. */
int kube_mender_new(unsigned minor, const struct kube_world *world, struct kube_mender **ret, struct bh_err *err) BH_MUST_CHECK;
void kube_mender_free(struct kube_mender *m);

/*
 * A MutatingAdmissionPolicy of the user's; the object outlives the mender. With the label bulkhead.io/check it mends the findings of that check, without it is
 * asked about every object. BH_EMALFORMED: *why says what is wrong with it.
 */
int kube_mender_add(struct kube_mender *m, const struct kube_object *o, struct bh_buf *why, struct bh_err *err) BH_MUST_CHECK;
bool kube_mender_is_for_all(const struct kube_mender *m); /* has it policies that are asked about every object? */

/* What there is against the findings of a check. Texts live as long as the mender. */
struct kube_cure {
	bool is_there[KUBE_MEND_ALL + 1]; /* a policy of that level */
	struct bh_slice may_break;        /* what the one of KUBE_MEND_ALL may break */
	struct bh_slice needs;            /* what only somebody who knows the program can say: "the image's digest"; may be empty */
};
int kube_mender_cure(struct kube_mender *m, struct bh_slice check, struct kube_cure *ret, struct bh_err *err) BH_MUST_CHECK;

struct kube_mend_wish {
	const struct kube_object *object;
	const struct bh_slice *checks;
	size_t n_checks;
	enum kube_mend_level level;
	bool with_all;           /* and the policies that are asked about every object */
	struct bh_arena *arena;  /* where the answer lives */
};

struct kube_mended {
	struct cel_value value;  /* the object's own, if nothing changes */
	struct cel_value steps;  /* a JSON Patch that does the same to the object without its nulls; null, if nothing changes */
	struct bh_slice why;     /* a policy could not be asked or answered; empty */
};
int kube_mend(struct kube_mender *m, const struct kube_mend_wish *wish, struct kube_mended *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
