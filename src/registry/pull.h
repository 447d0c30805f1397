/*
 * pull.h: an image of a registry as the layout that image/remote.h describes, in the helper process. The tag is resolved once: what
 * "index.json" names is the digest of the bytes that the registry gave, and those bytes are what "manifests/..." then gives.
 */
#ifndef BH_REGISTRY_PULL_H
#define BH_REGISTRY_PULL_H

#include "registry/broker.h"
#include "registry/client.h"

struct registry_pull {
	struct registry_ref ref;
	const struct registry_options *options;
	struct registry_endpoints endpoints;
	struct registry_client *clients[REGISTRY_ENDPOINTS_MAX]; /* NULL: not used so far */
	size_t best;                                             /* the endpoint that had the manifest */
	struct bh_buf top;                                       /* the manifest or index that the reference names */
	struct bh_digest digest;
	char media_type[128];
};

void registry_pull_init(struct registry_pull *p, const struct registry_ref *ref, const struct registry_options *options);
struct broker_backend registry_pull_backend(struct registry_pull *p);

#endif
