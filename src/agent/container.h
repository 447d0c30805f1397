/*
 * container.h: which container a control group belongs to, and what is known of it.
 *
 * Container managers put a container's id into the name of its group: docker/ID, docker-ID.scope, cri-containerd-ID.scope, crio-ID.scope, libpod-ID.scope, nerdctl-ID.scope, kubepods/.../ID and
 * containerd's /NAMESPACE/ID. What else is known comes from the manager: Docker's description of the container, Podman's list of containers, the OCI runtime's configuration that containerd wrote.
 */
#ifndef BH_AGENT_CONTAINER_H
#define BH_AGENT_CONTAINER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define AGENT_ID_BYTES 64u
#define AGENT_SHORT_ID_BYTES 12u
#define AGENT_GROUPS_MAX 65536u

struct agent_mount {
	struct bh_slice source, destination, mode, propagation;
	bool is_writable;
};

struct agent_label {
	struct bh_slice name, value;
};

/* Who describes a container, and so how. */
enum agent_manager { AGENT_NOBODY, AGENT_DOCKER, AGENT_PODMAN, AGENT_OCI };

struct agent_container {
	struct bh_arena arena;
	unsigned refs; /* groups */
	uint64_t top;    /* the first of them, which has the others below it */
	uint32_t policy; /* number of what is for it (policy.h) */
	char id[AGENT_ID_BYTES + 1];
	const char *type; /* "docker" */
	unsigned n_asked;
	uint64_t asked_ns; /* when it was asked for last, since boot */
	bool is_cut_off;
	bool is_described; /* what follows is known */
	struct bh_slice name, image, image_id, image_digest, pod_name, pod_namespace, pod_uid, pod_sandbox;
	bool is_privileged, host_pid, host_network, host_ipc;
	uint64_t started_ns; /* since 1970; 0: not known */
	struct agent_mount *mounts;
	size_t n_mounts;
	struct agent_label *labels;
	size_t n_labels;
	struct bh_slice passwd, group; /* files of its root */
};

/* Everything by the number of the control group. */
struct agent_group {
	struct agent_group *next;
	uint64_t number;
	struct agent_container *container; /* NULL: the host's */
};

struct agent_containers {
	struct agent_group **table;
	size_t n_groups, n_forgotten;
};

int agent_containers_init(struct agent_containers *c, struct bh_err *err) BH_MUST_CHECK;
void agent_containers_done(struct agent_containers *c);

void agent_group_add(struct agent_containers *c, uint64_t number, struct bh_slice path);
void agent_group_remove(struct agent_containers *c, uint64_t number);
const struct agent_group *agent_group_find(const struct agent_containers *c, uint64_t number); /* NULL: not known */

/* Where control groups of version 2 are mounted; -1: they are not. */
int agent_groups_open(void);

/* A group by its number, for whoever may; -1: it is gone. */
int agent_group_open(int groups_fd, uint64_t number);

/* The groups that are there. */
void agent_groups_scan(struct agent_containers *c, int groups_fd);

/* Each group of a container, or of all. A negative return of `take` ends that, and is returned. */
int agent_groups_each(const struct agent_containers *c, const struct agent_container *of, int (*take)(void *ctx, const struct agent_group *group), void *ctx);

/* The id in the path of a group: its 64 digits, or nothing; *ret_type is who made it. */
struct bh_slice agent_container_id(struct bh_slice path, const char **ret_type);

/* A copy that lives as long as the container; empty, if there is no memory for it. */
struct bh_slice agent_container_keep(struct agent_container *c, struct bh_slice s);

/* What a manager says of a container, put in; false: nothing that is known here is in it. */
bool agent_container_describe(struct agent_container *c, enum agent_manager manager, struct bh_slice json);

#endif
