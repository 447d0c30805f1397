/* replace.c: files that are replaced as a whole or not at all; see files.h. */
#include "sys/files.h"

#include "base/cleanup.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int sync_folder_of(const char *path, struct bh_err *err)
{
	char folder[BH_PATH_BYTES_MAX];
	const char *slash = strrchr(path, '/');
	int len = slash ? (int)(slash - path) : 1;
	(void)snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : len, slash ? path : ".");
	BH_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return bh_fail_errno(err, errno, "%s", folder);
	if (fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		return bh_fail_errno(err, errno, "%s", folder);
	return BH_OK;
}

static int write_and_sync(int fd, struct bh_slice bytes, unsigned mode, struct bh_err *err)
{
	int rc = bh_write_all(fd, bytes, err);
	if (rc < 0)
		return rc;
	if (fchmod(fd, (mode_t)mode) < 0 || fsync(fd) < 0)
		return bh_fail_errno(err, errno, "write");
	return BH_OK;
}

struct replacing {
	const char *path, *target;       /* as it was named; what is replaced: no link */
	unsigned mode;
	const struct bh_file_seen *seen; /* NULL: whatever is there is replaced */
};

static bool is_as_seen(const struct bh_file_seen *seen, const struct stat *st)
{
	return st->st_dev == seen->device && st->st_ino == seen->inode && (uint64_t)st->st_size == seen->size_bytes && st->st_mtim.tv_sec == seen->modified_s
	       && st->st_mtim.tv_nsec == seen->modified_ns && st->st_ctim.tv_sec == seen->changed_s && st->st_ctim.tv_nsec == seen->changed_ns;
}

/* What was seen is there still; the new file belongs to whom it belongs. */
static int take_place(int fd, const struct replacing *r, struct bh_err *err)
{
	struct stat st;
	if (!r->seen)
		return 0;
	if (lstat(r->target, &st) < 0)
		return bh_fail_errno(err, errno, "it is gone");
	if (!is_as_seen(r->seen, &st))
		return bh_fail(err, BH_EIO, 0, "it was changed meanwhile by somebody else");
	if ((st.st_uid != geteuid() || st.st_gid != getegid()) && fchown(fd, st.st_uid, st.st_gid) < 0)
		return bh_fail_errno(err, errno, "its owner can't be kept");
	return fchmod(fd, st.st_mode & 07777) < 0 ? bh_fail_errno(err, errno, "its mode can't be kept") : 0; /* chown clears bits */
}

static int replace(const struct replacing *r, struct bh_slice bytes, struct bh_err *err)
{
	char temporary[BH_PATH_BYTES_MAX];
	int n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", r->target);
	if (n < 0 || (size_t)n >= sizeof(temporary))
		return bh_fail(err, BH_ELIMIT, 0, "%s: path too long", r->path);
	BH_CLOSE int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return bh_fail_errno(err, errno, "%s", r->path);
	int rc = write_and_sync(fd, bytes, r->mode, err);
	rc = rc < 0 ? rc : take_place(fd, r, err);
	if (rc == BH_OK && rename(temporary, r->target) < 0)
		rc = bh_fail_errno(err, errno, "rename");
	if (rc < 0) {
		(void)unlink(temporary);
		return bh_wrap(err, "%s", r->path);
	}
	return sync_folder_of(r->target, err);
}

int bh_write_file_atomic(const char *path, struct bh_slice bytes, unsigned mode, struct bh_err *err)
{
	struct stat st;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* /dev/null, a pipe: nothing to replace */
		BH_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return bh_fail_errno(err, errno, "%s", path);
		int rc = bh_write_all(fd, bytes, err);
		return rc < 0 ? bh_wrap(err, "%s", path) : BH_OK;
	}
	BH_FREE char *real = realpath(path, NULL); /* a link stays a link: its target is replaced */
	struct replacing r = { .path = path, .target = real ? real : path, .mode = mode };
	return replace(&r, bytes, err);
}

/* ---- what was read before ---- */

int bh_file_see(int fd, struct bh_file_seen *ret, struct bh_err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return bh_fail_errno(err, errno, "fstat");
	*ret = (struct bh_file_seen){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size_bytes = (uint64_t)st.st_size,
		.modified_s = st.st_mtim.tv_sec,
		.modified_ns = st.st_mtim.tv_nsec,
		.changed_s = st.st_ctim.tv_sec,
		.changed_ns = st.st_ctim.tv_nsec,
	};
	return 0;
}

/* The folder that the path's last name stands in, without links. */
static char *folder_of(const char *path)
{
	char folder[BH_PATH_BYTES_MAX];
	const char *slash = strrchr(path, '/');
	int n = snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	return n < 0 || (size_t)n >= sizeof(folder) ? NULL : realpath(folder, NULL);
}

static bool is_below(const char *folder, const char *path)
{
	size_t len = strlen(folder);
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || (len == 1 && path[0] == '/'));
}

int bh_replace_seen(const char *path, const struct bh_file_seen *seen, struct bh_slice bytes, struct bh_err *err)
{
	struct stat st;
	BH_FREE char *target = realpath(path, NULL);
	BH_FREE char *folder = folder_of(path);
	if (!target || !folder || stat(target, &st) < 0)
		return bh_fail_errno(err, errno, "%s", path);
	if (!is_below(folder, target))
		return bh_fail(err, BH_EUNSUPPORTED, 0, "%s: a link to %s, out of its folder", path, target);
	if (st.st_nlink > 1)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "%s: the file has other names, too (hard links)", path);
	if ((st.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0 || access(target, W_OK) < 0)
		return bh_fail(err, BH_EIO, 0, "%s: it is read-only", path);
	struct replacing r = { .path = path, .target = target, .mode = st.st_mode & 07777, .seen = seen };
	return replace(&r, bytes, err);
}
