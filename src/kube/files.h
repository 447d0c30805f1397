/* files.h: the files of a review: those that were named, and in folders all with the names of manifests. */
#ifndef BH_KUBE_FILES_H
#define BH_KUBE_FILES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"

#define KUBE_FILES_MAX 200000u

BH_VEC(kube_file_vec, const char *)

/*
 * Appends the path, or in the order of their names all *.yaml, *.yml and *.json below it; links in folders are not followed. Names lie in the
 * arena; with `dockerfiles` those with names of Dockerfiles, too. A folder that is a Helm chart or has a kustomization is one entry, and none of its files is (render.h). BH_EIO: it is not there or can't be read; BH_ENOTFOUND: a folder without any.
 */
int kube_files_find(const char *path, bool dockerfiles, struct bh_arena *arena, struct kube_file_vec *out, struct bh_err *err) BH_MUST_CHECK;

/*
 * Appends files of variables (.env, db.env, .env.local) that lie beside a file, or anywhere below a folder; named so that their folder reads as that of the file. None,
 * or a folder that can't be read, is no error: whoever misses one says so.
 */
int kube_env_files_find(const char *path, struct bh_arena *arena, struct kube_file_vec *out, struct bh_err *err) BH_MUST_CHECK;

#endif
