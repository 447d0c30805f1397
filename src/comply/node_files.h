/* node_files.h: the files of a node that only their owner may read or write: files.def. */
#ifndef BH_COMPLY_NODE_FILES_H
#define BH_COMPLY_NODE_FILES_H

#include "comply/component.h"

/* Mode and owner of each file. Nothing when there is no root. */
int node_check_files(struct node *n, struct bh_err *err) BH_MUST_CHECK;

bool node_file_facts(struct bh_slice check, enum bh_severity *severity, const char **fix);

#endif
