/* names.h: which images does an OCI layout hold? */
#ifndef BH_IMAGE_NAMES_H
#define BH_IMAGE_NAMES_H

#include "base/err.h"
#include "base/slice.h"

/*
 * Reads index.json in a child and gives each name once, in its order; what has no name is given by its digest. Attestations and other
 * things that are no images are left out.
 */
int image_layout_names(const char *folder, int (*give)(void *ctx, struct bh_slice name, struct bh_err *err), void *ctx,
		       struct bh_err *err) BH_MUST_CHECK;

#endif
