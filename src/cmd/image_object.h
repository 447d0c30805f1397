/* image_object.h: "oci:DIR", "archive:FILE" and other images among the paths of check and comply: their configuration as a document that policies judge. */
#ifndef BH_CMD_IMAGE_OBJECT_H
#define BH_CMD_IMAGE_OBJECT_H

#include "cmd/cmd.h"

/*
 * What a daemon tells, or what an image says of itself: *ret_fd is a text of documents, for kube_daemon_provide. An image becomes a ContainerImage: spec is its
 * configuration (OCI image specification, config.md), docs/formats/docker-facts.md.
 */
int cmd_objects_open(const char *path, int *ret_fd, struct bh_err *err) BH_MUST_CHECK;

/* How registries are reached from then on; args outlive it. */
void cmd_objects_use(const struct cmd_args *args);

#endif
