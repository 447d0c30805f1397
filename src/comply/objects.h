/* objects.h: questions about all objects together: objects.def. */
#ifndef BH_COMPLY_OBJECTS_H
#define BH_COMPLY_OBJECTS_H

#include "comply/component.h"

int node_check_objects(struct node *n, struct bh_err *err) BH_MUST_CHECK;

bool node_objects_facts(struct bh_slice check, enum bh_severity *severity, const char **fix);

#endif
