/*
 * inputs.c: see inputs.h. Folders are read whole, in byte order, so that the same tree gives the same messages; hidden names
 * (.git) are left out, links are not followed, so nothing outside of the folder is read.
 */
#include "vuln/inputs.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "sys/files.h"
#include "sys/signals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define FILES_MAX 8000000u /* every record that osv.dev has in a file of its own: below 1 million */
#define NAMES_BYTES_MAX (2ull << 30)
#define FOLDERS_MAX 4096u
#define FOLDER_DEPTH_MAX 64u
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

static const char *const compressions[] = { ".gz", ".xz", ".zst", ".bz2", NULL };
static const char *const archives[] = { ".zip", ".tar", ".tgz", ".txz", NULL };

static bool ends_with_any(struct bh_slice name, const char *const *suffixes)
{
	for (; *suffixes; suffixes++)
		if (bh_slice_ends(name, bh_slice_str(*suffixes)))
			return true;
	return false;
}

static struct bh_slice without_compression(struct bh_slice name)
{
	for (size_t i = 0; compressions[i]; i++)
		if (bh_slice_ends(name, bh_slice_str(compressions[i])))
			return bh_slice_sub(name, 0, name.len - strlen(compressions[i]));
	return name;
}

bool vuln_input_wanted(struct bh_slice name, const char *const *suffixes)
{
	return ends_with_any(without_compression(name), suffixes);
}

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "too many files to import at once");
}

static int add_file(struct vuln_inputs *in, const char *name, const char *below, struct bh_err *err)
{
	struct vuln_input f = { .name = name, .below = below, .folder = (int)in->folders.len - 1 };
	return name && vuln_input_vec_push(&in->files, f) ? 0 : no_memory(err);
}

/* ---- folders ---- */

struct walk {
	struct vuln_inputs *in;
	const char *root; /* as the user wrote it */
	const char *const *suffixes;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

BH_VEC(name_vec, const char *)

static int list(struct walk *w, int fd, struct name_vec *names, struct bh_err *err)
{
	DIR *dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return bh_fail_errno(err, errno, "%s", w->root);
	}
	int rc = 0;
	struct dirent *e;
	while (rc == 0 && (errno = 0, e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		const char *copy = bh_arena_strdup(&w->in->arena, bh_slice_str(e->d_name));
		rc = copy && name_vec_push(names, copy) ? 0 : no_memory(err);
	}
	if (rc == 0 && errno)
		rc = bh_fail_errno(err, errno, "%s", w->root);
	(void)closedir(dir);
	if (names->len > 1)
		qsort(names->ptr, names->len, sizeof(names->ptr[0]), compare_names);
	return rc;
}

static int walk_folder(struct walk *w, int root, const char *below, size_t depth, struct bh_err *err);

static int take_entry(struct walk *w, int root, const char *path, size_t depth, struct bh_err *err)
{
	struct vuln_inputs *in = w->in;
	struct stat st;
	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : bh_fail_errno(err, errno, "%s/%s", w->root, path); /* gone since it was listed */
	if (S_ISDIR(st.st_mode))
		return walk_folder(w, root, path, depth + 1, err);
	if (!S_ISREG(st.st_mode)) {
		in->links++;
		return 0;
	}
	struct bh_slice plain = without_compression(bh_slice_str(path));
	const char *name = bh_arena_printf(&in->arena, "%s/%s", w->root, path);
	if (!ends_with_any(plain, w->suffixes) && !ends_with_any(plain, archives)) {
		in->skipped++;
		in->skipped_example = in->skipped_example ? in->skipped_example : name;
		return 0;
	}
	in->total_bytes += (uint64_t)st.st_size;
	return add_file(in, name, path, err);
}

static int walk_folder(struct walk *w, int root, const char *below, size_t depth, struct bh_err *err)
{
	if (depth > FOLDER_DEPTH_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "%s/%s: folders nested deeper than %u levels", w->root, below, FOLDER_DEPTH_MAX);
	int fd = openat(root, below[0] ? below : ".", DIR_FLAGS);
	if (fd < 0)
		return bh_fail_errno(err, errno, "%s/%s", w->root, below);
	struct name_vec names = { .max = FILES_MAX };
	int rc = list(w, fd, &names, err);
	for (size_t i = 0; rc == 0 && i < names.len; i++) {
		const char *path = below[0] ? bh_arena_printf(&w->in->arena, "%s/%s", below, names.ptr[i]) : names.ptr[i];
		rc = path ? take_entry(w, root, path, depth, err) : no_memory(err);
		if (rc == 0 && bh_interrupted())
			rc = bh_fail(err, BH_ECANCELLED, 0, "interrupted");
	}
	name_vec_done(&names);
	return rc;
}

static int add_folder(struct vuln_inputs *in, const char *path, const char *const *suffixes, struct bh_err *err)
{
	BH_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return bh_fail_errno(err, errno, "%s", path);
	if (!vuln_folder_vec_push(&in->folders, fd))
		return bh_fail(err, BH_ELIMIT, 0, "more than %u folders", FOLDERS_MAX);
	int root = BH_TAKE_FD(fd);
	size_t len = strlen(path), before = in->files.len;
	while (len > 1 && path[len - 1] == '/')
		len--;
	struct walk w = { in, bh_arena_strdup(&in->arena, (struct bh_slice){ (const uint8_t *)path, len }), suffixes };
	int rc = w.root ? walk_folder(&w, root, "", 0, err) : no_memory(err);
	if (rc == 0 && in->files.len == before)
		rc = bh_fail(err, BH_ENOTFOUND, 0, "%s: no advisories in this folder: no file that ends with %s or so", path, suffixes[0]);
	return rc;
}

/* ---- all of them ---- */

static int add_path(struct vuln_inputs *in, const char *path, const char *const *suffixes, struct bh_err *err)
{
	struct stat st;
	if (strcmp(path, "-") == 0) {
		in->total_bytes = UINT64_MAX; /* nobody knows */
		return add_file(in, "standard input", NULL, err);
	}
	if (stat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? bh_fail(err, BH_ENOTFOUND, 0, "%s: no such file or folder", path)
							   : bh_fail_errno(err, errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return add_folder(in, path, suffixes, err);
	if (in->total_bytes != UINT64_MAX)
		in->total_bytes += (uint64_t)st.st_size;
	return add_file(in, path, NULL, err);
}

int vuln_inputs_new(const char *const *paths, size_t n, const char *const *suffixes, struct vuln_inputs **ret, struct bh_err *err)
{
	struct vuln_inputs *in = calloc(1, sizeof(*in));
	if (!in)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	bh_arena_init(&in->arena, NAMES_BYTES_MAX);
	in->files.max = FILES_MAX;
	in->folders.max = FOLDERS_MAX;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_path(in, paths[i], suffixes, err);
	if (rc < 0) {
		vuln_inputs_free(in);
		return rc;
	}
	in->alone = in->files.len == 1 && !in->files.ptr[0].below;
	if (in->total_bytes == UINT64_MAX)
		in->total_bytes = 0;
	*ret = in;
	return 0;
}

void vuln_inputs_free(struct vuln_inputs *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < in->folders.len; i++)
		(void)close(in->folders.ptr[i]);
	vuln_folder_vec_done(&in->folders);
	vuln_input_vec_done(&in->files);
	bh_arena_done(&in->arena);
	free(in);
}

static int open_stdin(struct vuln_opened *ret, struct bh_err *err)
{
	struct stat st;
	if (fstat(STDIN_FILENO, &st) < 0)
		return bh_fail_errno(err, errno, "standard input");
	if (isatty(STDIN_FILENO))
		return bh_fail(err, BH_EUSAGE, 0, "standard input is a terminal: pipe the advisories into it, as in curl URL | bulkhead db import -");
	if (S_ISDIR(st.st_mode))
		return bh_fail(err, BH_EUSAGE, 0, "standard input is a folder");
	*ret = (struct vuln_opened){ .fd = STDIN_FILENO, .mtime_s = S_ISREG(st.st_mode) ? (int64_t)st.st_mtime : INT64_MIN };
	return 0;
}

int vuln_inputs_open(const struct vuln_inputs *in, size_t index, struct vuln_opened *ret, struct bh_err *err)
{
	const struct vuln_input *f = &in->files.ptr[index];
	BH_CLOSE int fd = -1;
	struct stat st;
	int rc;
	if (!f->below && strcmp(f->name, "standard input") == 0)
		return open_stdin(ret, err);
	if (f->below)
		rc = bh_open_beneath(in->folders.ptr[f->folder], f->below, &fd, err);
	else
		rc = bh_open_regular(f->name, &fd, NULL, err);
	if (rc == 0 && fstat(fd, &st) < 0)
		rc = bh_fail_errno(err, errno, "%s", f->name);
	if (rc < 0)
		return rc;
	*ret = (struct vuln_opened){ .fd = BH_TAKE_FD(fd), .owned = true, .size_bytes = (uint64_t)st.st_size, .mtime_s = (int64_t)st.st_mtime };
	return 0;
}
