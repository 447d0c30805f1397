/* blobs.c: see blobs.h. */
#include "image/blobs.h"

#include "sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int image_blob_begin(struct image_blob *b, int folder_fd, unsigned label, struct bh_err *err)
{
	*b = (struct image_blob){ .folder_fd = folder_fd, .fd = -1 };
	snprintf(b->name, sizeof(b->name), ".%u-%u.part", (unsigned)getpid(), label);
	b->fd = openat(folder_fd, b->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (b->fd < 0)
		return bh_fail_errno(err, errno, "a new blob");
	int rc = bh_hasher_new(BH_DIGEST_SHA256, &b->hasher, err);
	if (rc < 0)
		image_blob_drop(b);
	return rc;
}

int image_blob_add(struct image_blob *b, struct bh_slice bytes, struct bh_err *err)
{
	bh_hasher_update(b->hasher, bytes);
	b->size_bytes += bytes.len;
	return bh_write_all(b->fd, bytes, err);
}

int image_blob_end(struct image_blob *b, struct bh_digest *ret, struct bh_err *err)
{
	char text[BH_DIGEST_TEXT_BYTES];
	bh_hasher_finish(b->hasher, ret);
	const char *hex = strchr(bh_digest_text(ret, text), ':');
	int rc = fsync(b->fd) < 0 || renameat(b->folder_fd, b->name, b->folder_fd, hex ? hex + 1 : text) < 0 ? bh_fail_errno(err, errno, "blob %s", text) : 0;
	if (rc == 0)
		b->name[0] = 0;
	image_blob_drop(b);
	return rc;
}

void image_blob_drop(struct image_blob *b)
{
	if (b->fd >= 0)
		close(b->fd);
	if (b->name[0])
		unlinkat(b->folder_fd, b->name, 0);
	bh_hasher_free(b->hasher);
	*b = (struct image_blob){ .fd = -1 };
}

int image_blob_put(int folder_fd, struct bh_slice bytes, struct bh_digest *ret, struct bh_err *err)
{
	struct image_blob b;
	int rc = image_blob_begin(&b, folder_fd, 0, err);
	if (rc < 0)
		return rc;
	rc = image_blob_add(&b, bytes, err);
	if (rc == 0)
		return image_blob_end(&b, ret, err);
	image_blob_drop(&b);
	return rc;
}
