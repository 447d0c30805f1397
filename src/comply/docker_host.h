/* docker_host.h: what the files of a Docker host tell: hosts.def. */
#ifndef BH_COMPLY_DOCKER_HOST_H
#define BH_COMPLY_DOCKER_HOST_H

#include "comply/component.h"

/* Nothing when there is no root. */
int node_check_docker(struct node *n, struct bh_err *err) BH_MUST_CHECK;

bool node_docker_facts(struct bh_slice check, enum bh_severity *severity, const char **fix);

/* A setting of the daemon: an option of its command line, of a DockerDaemon that was given, else of its file. Empty: it is not set. */
int docker_setting(struct node *n, const char *name, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
