/* prune.c: keeps the download folder within its bound: whole folders of sources go, the longest unused first. */
#include "update/collect.h"

#include "base/vec.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDERS_MAX 10000u
#define DEPTH_MAX 4u

struct folder {
	char name[256];
	uint64_t bytes;
	int64_t used_s; /* newest change below it */
};
BH_VEC(folder_vec, struct folder)

/* Sums up what lies below, or removes it. */
static void walk(int at, const char *name, bool remove, unsigned depth, struct folder *sum)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	struct stat st;
	while (dir && (e = readdir(dir))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		sum->bytes += (uint64_t)st.st_size;
		sum->used_s = st.st_mtim.tv_sec > sum->used_s ? st.st_mtim.tv_sec : sum->used_s;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			walk(dirfd(dir), e->d_name, remove, depth + 1, sum);
		else if (remove)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
	if (dir)
		(void)closedir(dir);
	else if (fd >= 0)
		(void)close(fd);
	if (remove)
		(void)unlinkat(at, name, AT_REMOVEDIR);
}

static bool is_used(const char *name, const char *const *used, size_t n_used)
{
	for (size_t i = 0; i < n_used; i++)
		if (strcmp(name, used[i]) == 0)
			return true;
	return false;
}

static int by_age(const void *a, const void *b)
{
	const struct folder *x = a, *y = b;
	return (x->used_s > y->used_s) - (x->used_s < y->used_s);
}

void update_prune(const char *folder, uint64_t max_bytes, const char *const *used, size_t n_used)
{
	struct folder_vec all = { .max = FOLDERS_MAX };
	DIR *dir = opendir(folder);
	struct dirent *e;
	uint64_t bytes = 0;
	while (dir && (e = readdir(dir))) {
		struct folder f = { 0 };
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(f.name, sizeof(f.name), "%s", e->d_name);
		walk(dirfd(dir), e->d_name, false, 1, &f);
		bytes += f.bytes;
		if (!is_used(f.name, used, n_used) && !folder_vec_push(&all, f))
			break;
	}
	if (all.len > 1)
		qsort(all.ptr, all.len, sizeof(all.ptr[0]), by_age);
	for (size_t i = 0; dir && i < all.len && bytes > max_bytes; i++) {
		struct folder gone = { 0 };
		walk(dirfd(dir), all.ptr[i].name, true, 1, &gone);
		bytes -= all.ptr[i].bytes < bytes ? all.ptr[i].bytes : bytes;
	}
	if (dir)
		(void)closedir(dir);
	folder_vec_done(&all);
}
