/* resolve.h: openat2's RESOLVE_BENEATH and RESOLVE_IN_ROOT for kernels before 5.6 (RHEL 8, Ubuntu 20.04). Private to sys/. */
#ifndef BH_SYS_RESOLVE_H
#define BH_SYS_RESOLVE_H

#include <stdbool.h>

/*
 * Opens path below root_fd with `flags`, like openat2: links are followed, but never out of root_fd. in_root: an absolute link
 * starts at root_fd again, and ".." stays there; otherwise both fail with EXDEV. -1 and errno on failure.
 */
int resolve_walk(int root_fd, const char *path, bool in_root, int flags);

#endif
