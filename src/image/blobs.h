/* blobs.h: writing the folder blobs/sha256 of an image layout (OCI image-spec 1.1, image-layout.md): files under the digest of what they hold. */
#ifndef BH_IMAGE_BLOBS_H
#define BH_IMAGE_BLOBS_H

#include "base/err.h"
#include "crypto/digest.h"

struct image_blob {
	int folder_fd, fd;
	struct bh_hasher *hasher;
	uint64_t size_bytes;
	char name[48]; /* while it is written */
};

/* A new blob in the folder, which stays the caller's. label: apart from those that are written at the same time. */
int image_blob_begin(struct image_blob *b, int folder_fd, unsigned label, struct bh_err *err) BH_MUST_CHECK;
int image_blob_add(struct image_blob *b, struct bh_slice bytes, struct bh_err *err) BH_MUST_CHECK;

/* It gets its name, and is on the disk. Done with then. */
int image_blob_end(struct image_blob *b, struct bh_digest *ret, struct bh_err *err) BH_MUST_CHECK;
void image_blob_drop(struct image_blob *b); /* instead of the end; or after it, to no effect */

/* A small one in one go. */
int image_blob_put(int folder_fd, struct bh_slice bytes, struct bh_digest *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
