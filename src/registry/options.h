/* options.h: what the user said about how registries and daemons are reached. Borrowed for the time of a scan. */
#ifndef BH_REGISTRY_OPTIONS_H
#define BH_REGISTRY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct registry_options {
	const char *const *mirrors;  /* "HOST=MIRROR" or "MIRROR" (of docker.io), tried first and in this order; MIRROR may have a path */
	size_t n_mirrors;
	const char *const *ca_files; /* PEM, trusted in addition */
	size_t n_ca_files;
	bool insecure;               /* certificates are not verified; plain http where there is no TLS */
	bool quiet;                  /* no words about waiting */
};

#endif
