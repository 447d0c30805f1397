/*
 * door.h: the program's half of a live cluster: starts a helper process (sys/helper.h) that holds the credentials and does nothing but GET. Descriptors of
 * what it fetched are handed on unread; only sandboxed children read them.
 */
#ifndef BH_CLUSTER_DOOR_H
#define BH_CLUSTER_DOOR_H

#include "kube/live.h"

extern const struct kube_live_door cluster_door;

#endif
