/* review_child.h: what the child of a review and its parent say to each other. */
#ifndef BH_KUBE_REVIEW_CHILD_H
#define BH_KUBE_REVIEW_CHILD_H

#include "format/allow.h"
#include "kube/intake.h"
#include "kube/review.h"

#define REVIEW_TEXT_BYTES_MAX 8192u

enum review_message {
	REVIEW_SAY_FINDING = INTAKE_MESSAGES, /* struct review_finding */
	REVIEW_SAY_UNCHECKED, /* what, file, line, reason */
	REVIEW_SAY_COUNTS,   /* objects, policies, objects left out: of namespaces, of the API server's own; custom resources without a type; undecided checks of pods that operators complete;
			      * functions; kinds of resources without a type, as a text */
	REVIEW_SAY_CHECK,    /* of a policy: check, asked, unknown */
	REVIEW_ASK_SHELLCHECK, /* shellcheck.h */
};

enum review_role { REVIEW_MANIFEST, REVIEW_POLICY };

/* Texts are cut to REVIEW_TEXT_BYTES_MAX. */
struct review_finding {
	uint8_t severity; /* enum bh_severity */
	uint32_t line;
	struct bh_slice id, message, file, evidence, fix, policy;
	uint8_t patch_level; /* enum bh_patch_level */
	struct bh_slice patch, patch_may_break; /* a patch that is too long is none */
	uint8_t allow;    /* enum bh_allow: what a comment in the file says */
	struct bh_slice allow_reason;
};

bool review_put_finding(struct bh_buf *b, const struct review_finding *f);
bool review_get_finding(struct bh_slice frame, struct review_finding *ret);

/* What both sides get: the parent's own state begins with it. */
struct review_context {
	const struct kube_review_options *options;
};

int review_child_run(struct bh_channel *ch, void *ctx, struct bh_err *err); /* ctx: struct review_context * */

#endif
