/* fix_child.h: what the child that mends files and its parent say to each other. */
#ifndef BH_KUBE_FIX_CHILD_H
#define BH_KUBE_FIX_CHILD_H

#include "kube/fix.h"
#include "kube/intake.h"

#define FIX_WHY_BYTES_MAX 4096u
#define FIX_PIECE_BYTES (256u << 10)

enum fix_message {
	FIX_SAY_WHY = INTAKE_MESSAGES, /* file, object, check, reason */
	FIX_SAY_TEXT, /* a piece of the new text */
	FIX_SAY_DIFF, /* a piece of the difference */
	FIX_ASK_DIGEST, /* name of an image; reply: 1 and its digest, or 0 and the reason */
	FIX_SAY_FILE, /* number of the manifest, in the order in which they were given: the pieces are its */
};

enum fix_role { FIX_MANIFEST, FIX_POLICY };

/* What both sides get: the parent's own state begins with it. */
struct fix_context {
	const struct kube_review_options *options;
	const struct kube_fixes *fixes;
};

int fix_child_run(struct bh_channel *ch, void *ctx, struct bh_err *err); /* ctx: struct fix_context * */

#endif
