/*
 * remote.h: the program's half: starts the helper process for one target and gives image/ what it asks for. Nothing here holds
 * credentials, and no byte of an image passes through.
 */
#ifndef BH_REGISTRY_REMOTE_H
#define BH_REGISTRY_REMOTE_H

#include "image/remote.h"
#include "registry/options.h"

enum registry_kind { REGISTRY_IMAGE, REGISTRY_DOCKER, REGISTRY_PODMAN, REGISTRY_CONTAINERD, REGISTRY_CONTAINER, REGISTRY_GIT, REGISTRY_GIT_STAGED };

struct registry_remote;

/* Is there a daemon of that kind that could be asked? */
bool registry_runs_here(enum registry_kind kind);

/* name: as behind "registry:", "docker:" ... BH_ENOTFOUND when it is not there. options must live until the close. */
int registry_open(enum registry_kind kind, const char *name, const struct registry_options *options, struct registry_remote **ret, struct bh_err *err)
	BH_MUST_CHECK;
void registry_close(struct registry_remote *r); /* NULL is fine */

const struct image_remote *registry_image(const struct registry_remote *r);

#endif
