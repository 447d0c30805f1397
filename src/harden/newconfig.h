/* newconfig.h: an image configuration (OCI image-spec 1.1, config.md) changed for the hardened image: by a sandboxed child, as it is hostile JSON. */
#ifndef BH_HARDEN_NEWCONFIG_H
#define BH_HARDEN_NEWCONFIG_H

#include "base/buf.h"
#include "model/digest.h"

struct newconfig {
	struct bh_slice old;              /* JSON */
	uint32_t uid, gid;
	const struct bh_digest *diff_ids; /* of all layers */
	size_t n_diff_ids;
	const char *created;              /* of the history's new entry, which made the last layer: */
	bool adds_layer;                  /* or only the configuration */
};

/* Appends the new JSON. */
int newconfig_make(const struct newconfig *n, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

#endif
