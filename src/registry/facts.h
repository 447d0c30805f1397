/*
 * facts.h: what a container daemon on this machine says of itself, its containers and its images, as documents that policies can judge (docs/formats/docker-facts.md).
 * A helper process asks and writes them: environments, command lines, labels, proxies and join tokens, where passwords are, never leave it.
 */
#ifndef BH_REGISTRY_FACTS_H
#define BH_REGISTRY_FACTS_H

#include "base/err.h"

/* path: "docker:" or "podman:". *ret_fd reads the documents from their start; asked once per run of the program, then it is the same text. */
int registry_facts_open(const char *path, int *ret_fd, struct bh_err *err) BH_MUST_CHECK;

#endif
