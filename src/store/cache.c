/*
 * cache.c:
 *
 *     FOLDER/secret          16 random bytes
 *     FOLDER/HEX.entry       "BHCACHE1", SHA-256 of what follows, what follows
 *     FOLDER/HEX.XXXXXX      an entry being written; left behind only by a crash, and then removed like an old entry
 *
 * Entries are written aside and renamed, so a reader sees all of one or nothing. They are not synced: after a power cut the
 * checksum finds what is torn, and the entry is made again. Times of last use are the files' modification times.
 */
#include "store/cache.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/vec.h"
#include "crypto/digest.h"
#include "sys/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC_BYTES 8u
#define HEAD_BYTES (MAGIC_BYTES + 32u)
#define ENTRY_BYTES_MAX (1ull << 30)
#define ENTRIES_MAX 4000000u
#define SUFFIX ".entry"
#define HEX_DIGITS 64u
#define TOUCH_AFTER_SECONDS 600 /* a time of last use need not be exact */
#define KEEP_TENTHS 9u          /* of the maximum, when the folder has outgrown it: not every run shall prune */

static const uint8_t magic[MAGIC_BYTES] = { 'B', 'H', 'C', 'A', 'C', 'H', 'E', '1' };

struct store_cache {
	char folder[BH_PATH_BYTES_MAX];
	uint8_t secret[STORE_CACHE_SECRET_BYTES];
	uint64_t max_bytes;
	bool grown;
};

struct item {
	struct timespec used;
	uint64_t bytes;
	char name[HEX_DIGITS + sizeof(SUFFIX) + 8];
};

BH_VEC(item_vec, struct item)

/* ---- the folder ---- */

char *store_cache_default_folder(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n = xdg && xdg[0] == '/'  ? asprintf(&path, "%s/bulkhead", xdg)
		: home && home[0] == '/' ? asprintf(&path, "%s/.cache/bulkhead", home)
		: geteuid() == 0         ? asprintf(&path, "/var/cache/bulkhead")
					 : -1;
	return n < 0 ? NULL : path;
}

static int check_folder(const char *folder, struct bh_err *err)
{
	struct stat st;
	if (stat(folder, &st) < 0)
		return bh_fail_errno(err, errno, "%s", folder);
	if (!S_ISDIR(st.st_mode))
		return bh_fail(err, BH_EIO, 0, "%s: not a folder", folder);
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return bh_fail(err, BH_EIO, 0, "%s: not used as a cache, as others may write to it: chown it to this user and chmod go-w it", folder);
	return BH_OK;
}

static bool path_of(const struct store_cache *c, const char *name, char out[BH_PATH_BYTES_MAX])
{
	int n = snprintf(out, BH_PATH_BYTES_MAX, "%s/%s", c->folder, name);
	return n > 0 && n < (int)BH_PATH_BYTES_MAX;
}

/* Writes aside; *out is the name of the temporary file. */
static int write_aside(const struct store_cache *c, const char *stem, struct bh_slice a, struct bh_slice b, char out[BH_PATH_BYTES_MAX],
		       struct bh_err *err)
{
	char name[HEX_DIGITS + 16];
	(void)snprintf(name, sizeof(name), "%s.XXXXXX", stem);
	if (!path_of(c, name, out))
		return bh_fail(err, BH_ELIMIT, 0, "%s: path too long", c->folder);
	BH_CLOSE int fd = mkostemp(out, O_CLOEXEC);
	if (fd < 0)
		return bh_fail_errno(err, errno, "%s", out);
	int rc = bh_write_all(fd, a, err);
	rc = rc == BH_OK ? bh_write_all(fd, b, err) : rc;
	if (rc < 0)
		(void)unlink(out);
	return rc;
}

static bool read_secret(struct store_cache *c)
{
	char path[BH_PATH_BYTES_MAX];
	BH_CLOSE int fd = path_of(c, "secret", path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	return fd >= 0 && read(fd, c->secret, sizeof(c->secret)) == (ssize_t)sizeof(c->secret);
}

/* link() does not replace: of several processes that draw a secret at once, one wins, and all read that one. */
static int draw_secret(struct store_cache *c, struct bh_err *err)
{
	char temporary[BH_PATH_BYTES_MAX], path[BH_PATH_BYTES_MAX];
	uint8_t drawn[STORE_CACHE_SECRET_BYTES];
	if (!path_of(c, "secret", path))
		return bh_fail(err, BH_ELIMIT, 0, "%s: path too long", c->folder);
	if (getrandom(drawn, sizeof(drawn), 0) != (ssize_t)sizeof(drawn))
		return bh_fail_errno(err, errno, "random bytes");
	int rc = write_aside(c, "secret", (struct bh_slice){ drawn, sizeof(drawn) }, (struct bh_slice){ 0 }, temporary, err);
	if (rc < 0)
		return rc;
	bool linked = link(temporary, path) == 0 || errno == EEXIST;
	int why = errno;
	(void)unlink(temporary);
	if (!linked)
		return bh_fail_errno(err, why, "%s", path);
	return read_secret(c) ? BH_OK : bh_fail(err, BH_EIO, 0, "%s: damaged; remove it", path);
}

int store_cache_open(const char *folder, uint64_t max_bytes, struct store_cache **ret, struct bh_err *err)
{
	int rc = bh_mkdirs(folder, 0700, err);
	rc = rc == BH_OK ? check_folder(folder, err) : rc;
	if (rc < 0)
		return rc;
	struct store_cache *c = calloc(1, sizeof(*c));
	if (!c)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	c->max_bytes = max_bytes;
	int n = snprintf(c->folder, sizeof(c->folder), "%s", folder);
	if (n <= 0 || (size_t)n >= sizeof(c->folder))
		rc = bh_fail(err, BH_ELIMIT, 0, "%s: path too long", folder);
	else if (!read_secret(c))
		rc = draw_secret(c, err);
	if (rc < 0) {
		free(c);
		return rc;
	}
	*ret = c;
	return BH_OK;
}

const uint8_t *store_cache_secret(const struct store_cache *c)
{
	return c->secret;
}

/* ---- one entry ---- */

static void entry_stem(const struct bh_digest *name, char out[HEX_DIGITS + 1])
{
	for (size_t i = 0; i < HEX_DIGITS / 2; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", name->bytes[i]);
}

static bool entry_path(const struct store_cache *c, const struct bh_digest *name, char out[BH_PATH_BYTES_MAX])
{
	char stem[HEX_DIGITS + 1], file[HEX_DIGITS + sizeof(SUFFIX)];
	entry_stem(name, stem);
	(void)snprintf(file, sizeof(file), "%s" SUFFIX, stem);
	return path_of(c, file, out);
}

static bool is_whole(struct bh_slice file)
{
	struct bh_digest d;
	struct bh_err ignored = { 0 };
	if (file.len < HEAD_BYTES || memcmp(file.ptr, magic, MAGIC_BYTES) != 0)
		return false;
	if (bh_digest_of(BH_DIGEST_SHA256, bh_slice_sub(file, HEAD_BYTES, file.len), &d, &ignored) < 0)
		return false;
	return memcmp(d.bytes, file.ptr + MAGIC_BYTES, HEAD_BYTES - MAGIC_BYTES) == 0;
}

static void touch(const char *path)
{
	struct stat st;
	struct timespec now;
	if (stat(path, &st) == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec - st.st_mtim.tv_sec > TOUCH_AFTER_SECONDS)
		(void)utimensat(AT_FDCWD, path, NULL, 0);
}

int store_cache_get(struct store_cache *c, const struct bh_digest *name, struct bh_slice *ret)
{
	char path[BH_PATH_BYTES_MAX];
	struct bh_err ignored = { 0 };
	struct bh_slice file;
	if (!entry_path(c, name, path) || bh_map_file(path, ENTRY_BYTES_MAX, &file, &ignored) < 0)
		return 0;
	if (!is_whole(file)) {
		bh_debug("%s: damaged, removed", path);
		bh_unmap(file);
		(void)unlink(path);
		return 0;
	}
	touch(path);
	*ret = bh_slice_sub(file, HEAD_BYTES, file.len);
	return 1;
}

void store_cache_release(struct bh_slice entry)
{
	bh_unmap((struct bh_slice){ entry.ptr - HEAD_BYTES, entry.len + HEAD_BYTES });
}

int store_cache_put(struct store_cache *c, const struct bh_digest *name, struct bh_slice entry, struct bh_err *err)
{
	char temporary[BH_PATH_BYTES_MAX], path[BH_PATH_BYTES_MAX], stem[HEX_DIGITS + 1];
	uint8_t head[HEAD_BYTES];
	struct bh_digest d;
	if (entry.len > ENTRY_BYTES_MAX - HEAD_BYTES || !entry_path(c, name, path))
		return bh_fail(err, BH_ELIMIT, 0, "%s: too large for the cache", c->folder);
	int rc = bh_digest_of(BH_DIGEST_SHA256, entry, &d, err);
	if (rc < 0)
		return rc;
	memcpy(head, magic, MAGIC_BYTES);
	memcpy(head + MAGIC_BYTES, d.bytes, HEAD_BYTES - MAGIC_BYTES);
	entry_stem(name, stem);
	rc = write_aside(c, stem, (struct bh_slice){ head, sizeof(head) }, entry, temporary, err);
	if (rc < 0)
		return rc;
	if (rename(temporary, path) < 0) {
		rc = bh_fail_errno(err, errno, "%s", path);
		(void)unlink(temporary);
		return rc;
	}
	c->grown = true;
	return BH_OK;
}

/* ---- all of them ---- */

/* Entries, and what a crash left of them. Other files are not ours to remove. */
static bool is_ours(const char *name)
{
	return strlen(name) > HEX_DIGITS && strspn(name, "0123456789abcdef") == HEX_DIGITS && name[HEX_DIGITS] == '.';
}

static int list(const struct store_cache *c, struct item_vec *items, struct bh_err *err)
{
	DIR *dir = opendir(c->folder);
	if (!dir)
		return bh_fail_errno(err, errno, "%s", c->folder);
	int rc = BH_OK;
	for (struct dirent *d; rc == BH_OK && (d = readdir(dir));) {
		struct stat st;
		struct item item = { 0 };
		if (!is_ours(d->d_name) || strlen(d->d_name) >= sizeof(item.name) || fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		item.used = st.st_mtim;
		item.bytes = (uint64_t)st.st_size;
		(void)snprintf(item.name, sizeof(item.name), "%s", d->d_name);
		if (!item_vec_push(items, item))
			rc = bh_fail(err, BH_ELIMIT, 0, "%s: more than %u entries", c->folder, ENTRIES_MAX);
	}
	closedir(dir);
	return rc;
}

static uint64_t total(const struct item_vec *items)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < items->len; i++)
		sum += items->ptr[i].bytes;
	return sum;
}

static int compare_used(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

static void remove_item(const struct store_cache *c, const struct item *item)
{
	char path[BH_PATH_BYTES_MAX];
	if (path_of(c, item->name, path))
		(void)unlink(path);
}

static void prune(const struct store_cache *c)
{
	struct item_vec items = { .max = ENTRIES_MAX };
	struct bh_err ignored = { 0 };
	int rc = list(c, &items, &ignored);
	uint64_t bytes = total(&items), keep = c->max_bytes / 10 * KEEP_TENTHS;
	if (rc == BH_OK && bytes > c->max_bytes) {
		qsort(items.ptr, items.len, sizeof(items.ptr[0]), compare_used);
		for (size_t i = 0; i < items.len && bytes > keep; i++) {
			remove_item(c, &items.ptr[i]);
			bytes -= items.ptr[i].bytes;
		}
	}
	item_vec_done(&items);
}

void store_cache_close(struct store_cache *c)
{
	if (c && c->grown)
		prune(c);
	free(c);
}

int store_cache_count(struct store_cache *c, struct store_cache_totals *ret, struct bh_err *err)
{
	struct item_vec items = { .max = ENTRIES_MAX };
	int rc = list(c, &items, err);
	*ret = (struct store_cache_totals){ items.len, total(&items) };
	item_vec_done(&items);
	return rc;
}

int store_cache_clear(struct store_cache *c, struct store_cache_totals *removed, struct bh_err *err)
{
	struct item_vec items = { .max = ENTRIES_MAX };
	int rc = list(c, &items, err);
	*removed = (struct store_cache_totals){ items.len, total(&items) };
	for (size_t i = 0; rc == BH_OK && i < items.len; i++)
		remove_item(c, &items.ptr[i]);
	item_vec_done(&items);
	return rc;
}
