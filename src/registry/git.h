/*
 * git.h: the blobs of a git repository, as a stream of its own programs, in the helper process: "git log" says which commit brought each blob, "git cat-file" gives it. Every
 * blob that a reference leads to comes once; or, of what is staged for the next commit, what is new in it. No hook, filter or helper of the repository runs, and
 * nothing is fetched: the process has no network.
 *
 *   BLOB-ID " blob " SIZE " " COMMIT " " DATE " " PATH LF  bytes LF   ...
 */
#ifndef BH_REGISTRY_GIT_H
#define BH_REGISTRY_GIT_H

#include "registry/broker.h"

#define REGISTRY_GIT_PATH_BYTES 4096u

struct registry_git {
	char folder[REGISTRY_GIT_PATH_BYTES];
	bool staged;
};

int registry_git_init(struct registry_git *g, const char *folder, bool staged, struct bh_err *err) BH_MUST_CHECK;
struct broker_backend registry_git_backend(struct registry_git *g);

#endif
