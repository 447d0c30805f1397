/* fix_dockerfile.h: wishes about a Dockerfile as edits of its text: dockerfile/mend.h does it, no policies. */
#ifndef BH_KUBE_FIX_DOCKERFILE_H
#define BH_KUBE_FIX_DOCKERFILE_H

#include "kube/edit.h"
#include "kube/fix.h"

bool fix_is_dockerfile(const struct kube_set *set); /* of one text */

/* whys, by wish: why something of it stays, or NULL. Texts live in the arena. */
int fix_dockerfile(struct bh_slice text, const struct kube_fix_wish_vec *wishes, enum kube_mend_level level, const struct kube_resolver *resolver,
		   struct bh_arena *arena, struct kube_edit_vec *edits, const char **whys, struct bh_err *err) BH_MUST_CHECK;

#endif
