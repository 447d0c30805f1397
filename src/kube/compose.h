/* compose.h: files of docker-compose (compose-spec) as objects: of the kind Compose, named after their project. For questions that know what to do with them. */
#ifndef BH_KUBE_COMPOSE_H
#define BH_KUBE_COMPOSE_H

#include "kube/objects.h"

/* apiVersion "compose", kind "Compose", metadata.name; all else is as in the file, with its places. */
extern const struct kube_foreign kube_compose;

bool kube_is_compose(const struct kube_object *o);

/*
 * For policies: a bulkhead.io/v1 ComposeService for each service. Its spec is the service as the file has it, with variables replaced, what it extends in the same file put in, and beside
 * that the fields that have several forms in one: portList, mounts, env, args, caps, options (docs/guides/compose.md).
 */
extern const struct kube_foreign kube_compose_services;

/*
 * Variables of the compose-spec's interpolation: $$, ${X:-default}, ${X-default}, ${X:+other}, ${X+other}; values: name -> struct bh_slice *, or NULL. False: a variable has neither a value nor a
 * default; it is left out then. out grows to its maximum at most.
 */
struct bh_map;
bool kube_compose_expand(struct bh_slice text, const struct bh_map *values, struct bh_buf *out);

#endif
