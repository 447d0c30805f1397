/* patch.h: what a hardened image is without, as instructions for the end of the Dockerfile that it was built from: a patch in the unified format. */
#ifndef BH_HARDEN_PATCH_H
#define BH_HARDEN_PATCH_H

#include "harden/shrink.h"

/* dockerfile: its text; name: as the patch calls it. False when out is full. After the image was written, as the report is. */
bool patch_write(const struct shrink *s, const char *name, struct bh_slice dockerfile, struct bh_buf *out);

#endif
