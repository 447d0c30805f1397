/*
 * beside.h: what stands beside manifests and is named in them: the code of functions. The child asks by a path that a manifest holds, which may be hostile:
 * the parent opens what is below one of the folders that the command line named, or that a file it named lies in, and nothing else, wherever links lead.
 */
#ifndef BH_KUBE_BESIDE_H
#define BH_KUBE_BESIDE_H

#include "base/vec.h"
#include "kube/objects.h"
#include "sys/child.h"

#define BESIDE_FILES_MAX 50000u /* of one folder */

/* ---- the parent's side ---- */

BH_VEC(beside_names, const char *)

struct beside {
	struct bh_arena names;        /* of the roots */
	struct bh_arena folder_names; /* of the request, and of the folder's files */
	struct beside_names roots;  /* absolute, without "." and ".." */
	struct beside_names files;  /* of the folder that is read, below it */
	size_t next;
	int folder_fd;              /* -1: none */
	uint64_t links, unreadable; /* in that folder: not followed; folders that could not be listed */
	bool is_cut;                /* it holds more */
};

void beside_init(struct beside *b);
void beside_done(struct beside *b);

/* A PATH of the command line; one that has no folder ("-", a live cluster) adds nothing. */
int beside_add_root(struct beside *b, const char *path, struct bh_err *err) BH_MUST_CHECK;

/* Requests: what the child's calls below ask. */
int beside_open(struct beside *b, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err) BH_MUST_CHECK;
int beside_next(struct beside *b, struct bh_child_reply *reply, struct bh_err *err) BH_MUST_CHECK;

/* ---- the child's side ---- */

/* Asks over the channel; *channel must stay where it is. */
struct kube_opener beside_opener(struct bh_channel *channel);

#endif
