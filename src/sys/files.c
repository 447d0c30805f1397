/* files.c: see files.h; replace.c writes. openat2 (Linux 5.6) does the confinement; on older kernels resolve.c does. */
#include "sys/files.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "sys/resolve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define READ_CHUNK_BYTES (256u << 10)

static const char *kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a folder";
	if (S_ISFIFO(mode))
		return "a FIFO";
	if (S_ISCHR(mode))
		return "a character device";
	if (S_ISBLK(mode))
		return "a block device";
	if (S_ISSOCK(mode))
		return "a socket";
	return "something else";
}

static int fail_open(int errno_value, const char *path, struct bh_err *err)
{
	if (errno_value == ENOENT || errno_value == ENOTDIR)
		return bh_fail(err, BH_ENOTFOUND, 0, "%s: no such file", path);
	if (errno_value == EXDEV)
		return bh_fail(err, BH_EIO, 0, "%s: leads out of its folder", path);
	return bh_fail_errno(err, errno_value, "%s", path);
}

/* resolve 0: anywhere, following links. */
static int open_once(int dir_fd, const char *path, uint64_t resolve, int flags)
{
	if (resolve == 0)
		return openat(dir_fd, path, flags);
	struct open_how how = { .flags = (uint64_t)flags, .resolve = resolve | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM)) /* EPERM: what older Docker makes of calls that it does not know */
		fd = resolve_walk(dir_fd, path, resolve == RESOLVE_IN_ROOT, flags);
	return fd;
}

/*
 * Looks first and opens then: merely opening a device can rewind a tape or start a watchdog, and a FIFO would wait. O_NONBLOCK
 * covers the moment between, in which someone could put a FIFO there.
 */
static int open_regular_at(int dir_fd, const char *path, uint64_t resolve, int *ret_fd, uint64_t *ret_size, struct bh_err *err)
{
	struct stat seen, st;
	BH_CLOSE int look = open_once(dir_fd, path, resolve, O_PATH | O_CLOEXEC);
	if (look < 0 || fstat(look, &seen) < 0)
		return fail_open(errno, path, err);
	if (!S_ISREG(seen.st_mode))
		return bh_fail(err, BH_EIO, 0, "%s is %s, not a regular file", path, kind_of(seen.st_mode));
	BH_CLOSE int fd = open_once(dir_fd, path, resolve, OPEN_FLAGS);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_open(errno, path, err);
	if (!S_ISREG(st.st_mode))
		return bh_fail(err, BH_EIO, 0, "%s is %s, not a regular file any more", path, kind_of(st.st_mode));
	if (fcntl(fd, F_SETFL, 0) < 0)
		return bh_fail_errno(err, errno, "%s", path);
	if (ret_size)
		*ret_size = (uint64_t)st.st_size;
	*ret_fd = BH_TAKE_FD(fd);
	return BH_OK;
}

int bh_open_beneath(int dir_fd, const char *path, int *ret_fd, struct bh_err *err)
{
	return open_regular_at(dir_fd, path, RESOLVE_BENEATH, ret_fd, NULL, err);
}

int bh_open_in_root(int root_fd, const char *path, int *ret_fd, struct bh_err *err)
{
	return open_regular_at(root_fd, path, RESOLVE_IN_ROOT, ret_fd, NULL, err);
}

int bh_stat_in_root(int root_fd, const char *path, struct stat *ret, struct bh_err *err)
{
	struct stat st;
	BH_CLOSE int fd = open_once(root_fd, path, RESOLVE_IN_ROOT, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_open(errno, path, err);
	*ret = st;
	return 0;
}

int bh_open_folder_in_root(int root_fd, const char *path, int *ret_fd, struct bh_err *err)
{
	int fd = open_once(root_fd, path, RESOLVE_IN_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_open(errno, path, err);
	*ret_fd = fd;
	return 0;
}

int bh_open_regular(const char *path, int *ret_fd, uint64_t *ret_size, struct bh_err *err)
{
	return open_regular_at(AT_FDCWD, path, 0, ret_fd, ret_size, err);
}

int bh_read_all(int fd, size_t max_bytes, struct bh_buf *out, struct bh_err *err)
{
	for (;;) {
		uint8_t beyond; /* a full buffer may be all there is: one byte more tells */
		bool room = bh_buf_reserve(out, READ_CHUNK_BYTES) || bh_buf_reserve(out, 1);
		if (!room && out->len < out->max_bytes)
			return bh_fail(err, BH_ENOMEM, out->len, "out of memory");
		out->failed = false;
		ssize_t n = room ? read(fd, out->ptr + out->len, out->cap - out->len) : read(fd, &beyond, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bh_fail_errno(err, errno, "read");
		if (n == 0)
			return BH_OK;
		out->len += room ? (size_t)n : 0;
		if (!room || out->len > max_bytes)
			return bh_fail(err, BH_ELIMIT, out->len, "larger than %zu bytes", max_bytes < out->max_bytes ? max_bytes : out->max_bytes);
	}
}

int bh_read_file(const char *path, size_t max_bytes, struct bh_buf *out, struct bh_err *err)
{
	BH_CLOSE int fd = -1;
	int rc = bh_open_regular(path, &fd, NULL, err);
	if (rc < 0)
		return rc;
	rc = bh_read_all(fd, max_bytes, out, err);
	return rc < 0 ? bh_wrap(err, "%s", path) : BH_OK;
}

int bh_write_all(int fd, struct bh_slice bytes, struct bh_err *err)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bh_fail_errno(err, errno, "write");
		bytes = bh_slice_sub(bytes, (size_t)n, bytes.len);
	}
	return BH_OK;
}

int bh_mkdirs(const char *path, unsigned mode, struct bh_err *err)
{
	char copy[BH_PATH_BYTES_MAX];
	int n = snprintf(copy, sizeof(copy), "%s", path);
	if (n <= 0 || (size_t)n >= sizeof(copy))
		return bh_fail(err, BH_ELIMIT, 0, "%s: not a usable path", path);
	for (char *p = copy + 1;; p++) {
		char c = *p;
		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, (mode_t)mode) < 0 && errno != EEXIST)
			return bh_fail_errno(err, errno, "%s", copy);
		if (c == '\0')
			break;
		*p = c;
	}
	struct stat st;
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return bh_fail(err, BH_EIO, 0, "%s is not a folder", path);
	return BH_OK;
}

int bh_map_file(const char *path, uint64_t max_bytes, struct bh_slice *ret, struct bh_err *err)
{
	BH_CLOSE int fd = -1;
	uint64_t size;
	int rc = bh_open_regular(path, &fd, &size, err);
	if (rc < 0)
		return rc;
	if (size > max_bytes || size > SIZE_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "%s: larger than %llu bytes", path, (unsigned long long)max_bytes);
	if (size == 0) {
		*ret = (struct bh_slice){ 0 };
		return BH_OK;
	}
	void *p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return bh_fail_errno(err, errno, "%s", path);
	ret->ptr = p;
	ret->len = (size_t)size;
	return BH_OK;
}

void bh_unmap(struct bh_slice mapped)
{
	if (mapped.len)
		(void)munmap((void *)(uintptr_t)mapped.ptr, mapped.len);
}

int bh_memory_file(int *ret_fd, struct bh_err *err)
{
	*ret_fd = memfd_create("document", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return *ret_fd < 0 ? bh_fail_errno(err, errno, "memfd_create") : 0;
}

int bh_memory_file_seal(int fd, struct bh_err *err)
{
	bool ok = lseek(fd, 0, SEEK_SET) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
	return ok ? 0 : bh_fail_errno(err, errno, "a document in memory");
}

int bh_memory_text(struct bh_slice bytes, int *ret_fd, struct bh_err *err)
{
	BH_CLOSE int fd = -1;
	int rc = bh_memory_file(&fd, err);
	rc = rc < 0 ? rc : bh_write_all(fd, bytes, err);
	rc = rc < 0 ? rc : bh_memory_file_seal(fd, err);
	if (rc == 0)
		*ret_fd = BH_TAKE_FD(fd);
	return rc;
}

/* ---- folders ---- */

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int bh_list_folder(const char *path, bool (*wants)(const char *name), struct bh_arena *arena, struct bh_path_vec *out, struct bh_err *err)
{
	DIR *dir = opendir(path);
	if (!dir)
		return bh_fail_errno(err, errno, "%s", path);
	size_t first = out->len;
	bool ok = true;
	for (const struct dirent *d; ok && (d = readdir(dir));) {
		const char *name = wants(d->d_name) ? bh_arena_printf(arena, "%s/%s", path, d->d_name) : NULL;
		ok = !wants(d->d_name) || (name && bh_path_vec_push(out, name));
	}
	(void)closedir(dir);
	if (!ok)
		return bh_fail(err, BH_ELIMIT, 0, "%s: more than %zu files", path, out->max);
	if (out->len == first)
		return bh_fail(err, BH_ENOTFOUND, 0, "%s: no file of this folder is one", path);
	qsort(out->ptr + first, out->len - first, sizeof(out->ptr[0]), compare_paths);
	return 0;
}
