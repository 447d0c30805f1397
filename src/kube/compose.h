/* compose.h: files of docker-compose (compose-spec) as objects: of the kind Compose, named after their project. For questions that know what to do with them. */
#ifndef BH_KUBE_COMPOSE_H
#define BH_KUBE_COMPOSE_H

#include "kube/objects.h"

/* apiVersion "compose", kind "Compose", metadata.name; all else is as in the file, with its places. */
extern const struct kube_foreign kube_compose;

bool kube_is_compose(const struct kube_object *o);

#endif
