/* source.c: a bh_source over a region of a file or over a pipe, by large reads into one buffer; and one over memory. */
#include "format/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BUFFER_BYTES (256u << 10) /* large enough that calls don't count, small enough to stay in the second-level cache until inflated */

int bh_file_source_init(struct bh_file_source *f, int fd, uint64_t offset, uint64_t length, bool sequential, struct bh_err *err)
{
	uint8_t *buf = malloc(BUFFER_BYTES);
	if (!buf)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a read buffer");
	if (!sequential)
		(void)posix_fadvise(fd, (off_t)offset, 0, POSIX_FADV_SEQUENTIAL); /* a hint: doubles the kernel's read-ahead */
	*f = (struct bh_file_source){
		.fd = fd, .offset = offset, .left = length, .buf = buf, .buf_bytes = BUFFER_BYTES, .sequential = sequential,
	};
	return 0;
}

void bh_file_source_done(struct bh_file_source *f)
{
	free(f->buf);
	f->buf = NULL;
}

static int file_read(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_file_source *f = ctx;
	size_t want = f->left < f->buf_bytes ? (size_t)f->left : f->buf_bytes;
	ssize_t got;
	if (f->offset > (uint64_t)INT64_MAX - f->buf_bytes)
		return bh_fail(err, BH_EMALFORMED, f->offset, "offset %llu is beyond any file", (unsigned long long)f->offset);
	do
		got = f->sequential ? read(f->fd, f->buf, want) : pread(f->fd, f->buf, want, (off_t)f->offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return bh_fail_errno(err, errno, "reading at byte %llu", (unsigned long long)f->offset);
	if (got == 0 && f->left != UINT64_MAX && want)
		return bh_fail(err, BH_ETRUNCATED, f->offset, "the file ends at byte %llu, %llu bytes early", (unsigned long long)f->offset,
			       (unsigned long long)f->left);
	f->offset += (uint64_t)got;
	if (f->left != UINT64_MAX) /* UINT64_MAX: whatever there is */
		f->left -= (uint64_t)got;
	*ret = (struct bh_slice){ f->buf, (size_t)got };
	return 0;
}

static int file_skip(void *ctx, uint64_t bytes, uint64_t *ret, struct bh_err *err)
{
	struct bh_file_source *f = ctx;
	if (bytes > f->left)
		bytes = f->left;
	if (f->offset > (uint64_t)INT64_MAX - bytes)
		return bh_fail(err, BH_EMALFORMED, f->offset, "offset %llu is beyond any file", (unsigned long long)f->offset);
	f->offset += bytes;
	if (f->left != UINT64_MAX)
		f->left -= bytes;
	*ret = bytes;
	return 0;
}

struct bh_source bh_file_source(struct bh_file_source *f)
{
	return (struct bh_source){ file_read, f, f->sequential ? NULL : file_skip };
}

static int memory_read(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_slice *left = ctx;
	(void)err;
	*ret = *left;
	*left = (struct bh_slice){ 0 };
	return 0;
}

struct bh_source bh_memory_source(struct bh_slice *left)
{
	return (struct bh_source){ .read = memory_read, .ctx = left };
}
