/* format.h: what a format of serverless documents brings: one file and one line of formats.def. */
#ifndef BH_SERVERLESS_FORMAT_H
#define BH_SERVERLESS_FORMAT_H

#include "serverless/build.h"

struct fn_format {
	bool (*knows)(const struct bh_yaml_node *root);         /* a document; NULL: this format's documents are objects of Kubernetes */
	bool (*knows_object)(struct bh_slice group, struct bh_slice kind);
	void (*read)(struct fn_doc *doc);
};

#endif
