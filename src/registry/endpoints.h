/*
 * endpoints.h: where the images of a registry can be had: its mirrors in order, then itself. Sources: --registry-mirror, and
 * containers-registries.conf(5): [[registry]] with prefix, location, insecure, blocked and [[registry.mirror]].
 */
#ifndef BH_REGISTRY_ENDPOINTS_H
#define BH_REGISTRY_ENDPOINTS_H

#include "registry/options.h"
#include "registry/reference.h"

#define REGISTRY_ENDPOINTS_MAX 16u

struct registry_endpoint {
	char host[REGISTRY_HOST_BYTES]; /* to connect to; docker.io is registry-1.docker.io here */
	char path[2 * REGISTRY_PATH_BYTES]; /* of the repository there */
	bool insecure;
};

struct registry_endpoints {
	struct registry_endpoint list[REGISTRY_ENDPOINTS_MAX];
	size_t n;
};

/* Reads the configuration. Fails when the registry is blocked or a file is damaged. */
int registry_endpoints_find(const struct registry_ref *ref, const struct registry_options *options, struct registry_endpoints *ret,
			    struct bh_err *err)
	BH_MUST_CHECK;

/* The same from one configuration text, for tests: adds what it says to ret (mirrors, then the registry's own location). */
int registry_endpoints_read(struct bh_slice toml, const struct registry_ref *ref, struct registry_endpoints *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
