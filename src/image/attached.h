/*
 * attached.h: documents that registries keep beside an image and that name it as their subject (distribution-spec 1.1, referrers): SBOMs,
 * VEX statements, attestations. Lists and manifests are read in a child; digests are verified; nobody's signature is.
 */
#ifndef BH_IMAGE_ATTACHED_H
#define BH_IMAGE_ATTACHED_H

#include "image/remote.h"
#include "model/digest.h"

#define IMAGE_ATTACHED_BYTES_MAX (64u << 20) /* one document; SBOMs of large images have 20 MB */

struct image_attached {
	/* Is a document of this media type wanted? Asked for the type of the artifact and of each of its blobs. Called in the child. */
	bool (*wants)(struct bh_slice media_type);
	/* Once for each blob of a wanted type, in the registry's order. Borrowed for the call. */
	int (*give)(void *ctx, struct bh_slice media_type, const struct bh_digest *digest, struct bh_slice bytes, struct bh_err *err);
	void *ctx;
};

/*
 * subject: what is asked about; NULL: the manifest or index that the reference names. Some registries tell an artifact's type wrongly in
 * their lists, so manifests are opened before they are passed over. BH_ENOTFOUND: remote is no registry.
 */
int image_attached_read(const struct image_remote *remote, const struct bh_digest *subject, const struct image_attached *what, struct bh_err *err)
	BH_MUST_CHECK;

#endif
