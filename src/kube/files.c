#include "kube/files.h"

#include <errno.h>
#include <fts.h>
#include <sys/stat.h>

#include "dockerfile/dockerfile.h"
#include "kube/render.h"

#define DEPTH_MAX 64

static bool is_manifest(const char *name, bool dockerfiles)
{
	static const char *const suffixes[] = { ".yaml", ".yml", ".json", NULL };
	for (size_t i = 0; suffixes[i]; i++)
		if (bh_slice_ends(bh_slice_str(name), bh_slice_str(suffixes[i])))
			return true;
	return dockerfiles && df_is_name(bh_slice_str(name));
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int add(const char *path, struct bh_arena *arena, struct kube_file_vec *out, struct bh_err *err)
{
	const char *copy = bh_arena_strdup(arena, bh_slice_str(path));
	if (!copy || !kube_file_vec_push(out, copy))
		return bh_fail(err, BH_ELIMIT, 0, "more than %u files", KUBE_FILES_MAX);
	return 0;
}

static int visit(FTS *tree, FTSENT *e, bool dockerfiles, struct bh_arena *arena, struct kube_file_vec *out, struct bh_err *err)
{
	switch (e->fts_info) {
	case FTS_F:
	case FTS_DEFAULT: return e->fts_level == FTS_ROOTLEVEL || (e->fts_info == FTS_F && is_manifest(e->fts_name, dockerfiles)) ? add(e->fts_path, arena, out, err) : 0;
	case FTS_D:
		/* .git and its like hold nothing that anybody applies. */
		if (e->fts_level > DEPTH_MAX || (e->fts_level > FTS_ROOTLEVEL && e->fts_name[0] == '.'))
			(void)fts_set(tree, e, FTS_SKIP);
		else if (kube_template_of(e->fts_accpath, NULL) != KUBE_NO_TEMPLATE) {
			(void)fts_set(tree, e, FTS_SKIP);
			return add(e->fts_path, arena, out, err);
		}
		return 0;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		if (e->fts_errno == ENOENT && e->fts_level == FTS_ROOTLEVEL)
			return bh_fail(err, BH_ENOTFOUND, 0, "%s: no such file or folder", e->fts_path);
		return bh_fail_errno(err, e->fts_errno, "%s", e->fts_path);
	default: return 0;
	}
}

int kube_files_find(const char *path, bool dockerfiles, struct bh_arena *arena, struct kube_file_vec *out, struct bh_err *err)
{
	char *const roots[] = { (char *)(uintptr_t)path, NULL };
	size_t before = out->len;
	int rc = 0;
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	if (!tree)
		return bh_fail_errno(err, errno, "%s", path);
	errno = 0;
	for (FTSENT *e; rc == 0 && (e = fts_read(tree));)
		rc = visit(tree, e, dockerfiles, arena, out, err);
	(void)fts_close(tree);
	if (rc == 0 && out->len == before)
		return bh_fail(err, BH_ENOTFOUND, 0, "%s: no *.yaml, *.yml or *.json%s in this folder", path, dockerfiles ? " and no Dockerfile" : "");
	return rc;
}

/* ---- files of variables ---- */

static bool is_env(const char *name)
{
	return bh_slice_ends(bh_slice_str(name), BH_SLICE_LIT(".env")) || bh_slice_starts(bh_slice_str(name), BH_SLICE_LIT(".env."));
}

/* "work/shop" of "work/shop/compose.yaml"; "." of a bare name; a folder itself. */
static const char *folder_of(const char *path, bool is_folder, struct bh_arena *arena)
{
	const char *slash = strrchr(path, '/');
	if (is_folder)
		return path;
	return slash ? bh_arena_strdup(arena, (struct bh_slice){ (const uint8_t *)path, slash > path ? (size_t)(slash - path) : 1 }) : ".";
}

int kube_env_files_find(const char *path, struct bh_arena *arena, struct kube_file_vec *out, struct bh_err *err)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return 0;
	const bool is_folder = S_ISDIR(st.st_mode), is_bare = !is_folder && !strchr(path, '/');
	const char *folder = folder_of(path, is_folder, arena);
	char *const roots[] = { (char *)(uintptr_t)folder, NULL };
	FTS *tree = folder ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name) : NULL;
	int rc = 0;
	for (FTSENT *e; tree && rc == 0 && (e = fts_read(tree));) {
		if (e->fts_info == FTS_D && e->fts_level > (is_folder ? DEPTH_MAX : FTS_ROOTLEVEL))
			(void)fts_set(tree, e, FTS_SKIP);
		if (e->fts_info == FTS_F && is_env(e->fts_name))
			rc = add(is_bare ? e->fts_name : e->fts_path, arena, out, err);
	}
	if (tree)
		(void)fts_close(tree);
	return rc;
}
