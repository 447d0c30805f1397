/* paths_collect.h: what the files that find facts for paths_facts.h share. Nobody else includes it. */
#ifndef BH_KUBE_PATHS_COLLECT_H
#define BH_KUBE_PATHS_COLLECT_H

#include "kube/compose.h"
#include "kube/paths_facts.h"
#include "kube/workload.h"
#include "kube/world.h"

#define PATHS_SOME_NODE "a node" /* where pods run that no nodeName binds: taken to be one */
#define PATHS_CLUSTER "the cluster"

struct paths_collect {
	struct paths_facts *f;
	struct kube_asked *asked;
	const struct kube_object_vec *all;
	struct kube_world world;
	struct kube_workload_vec workloads;
	struct bh_err *err;
};

/* A given fact. place: empty for none; kept. */
int paths_give(struct paths_collect *c, const char *predicate, const struct bh_slice *arguments, size_t n, struct bh_slice place) BH_MUST_CHECK;

/* "web.yaml:12: spec.hostNetwork" of a field of a map in an object, and of an object as a whole (`at` null). In the arena of the facts. */
struct bh_slice paths_place(struct paths_collect *c, const struct kube_object *o, struct cel_value at, const char *field);

/* "NAMESPACE/NAME" in the arena; empty when it is full, which the next paths_give tells. */
struct bh_slice paths_name(struct paths_collect *c, struct bh_slice namespace, struct bh_slice name);

/* "shop/settings[ConfigMap]" when it holds what looks like a secret (paths_find_configs); empty: it does not, or is not there. */
struct bh_slice paths_config(struct paths_collect *c, struct bh_slice namespace, struct bh_slice name);

/* Is a container's root with it the node's? */
bool paths_capability_is_dangerous(struct bh_slice capability, bool host_pid);

/* How a path of the node in a container is a way out of it: "the writable host path /etc"; empty: it is none. */
int paths_host_path(struct paths_collect *c, struct bh_slice path, bool writable, struct bh_slice *ret) BH_MUST_CHECK;

int paths_find_compose(struct paths_collect *c) BH_MUST_CHECK; /* the same of docker-compose files */
int paths_find_pods(struct paths_collect *c) BH_MUST_CHECK;    /* workloads, what they get and may */
int paths_find_configs(struct paths_collect *c) BH_MUST_CHECK; /* ConfigMaps with secrets: before the pods that get them */
int paths_find_nodes(struct paths_collect *c) BH_MUST_CHECK;   /* which pods may share a node */
int paths_find_rights(struct paths_collect *c, struct bh_slice start) BH_MUST_CHECK; /* of service accounts, and of the subject that begins */
int paths_find_reports(struct paths_collect *c) BH_MUST_CHECK; /* which images can be exploited */

#endif
