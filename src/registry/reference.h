/*
 * reference.h: names of images in registries, by the rules of distribution/reference:
 *
 *   [HOST[:PORT]/]PATH[:TAG][@DIGEST]        debian = docker.io/library/debian:latest
 *
 * The first part is a host when it has a dot or a colon or is "localhost". With tag and digest, the digest counts.
 */
#ifndef BH_REGISTRY_REFERENCE_H
#define BH_REGISTRY_REFERENCE_H

#include "base/buf.h"
#include "model/digest.h"

#define REGISTRY_HOST_BYTES 256u
#define REGISTRY_PATH_BYTES 256u /* the specification's own limit for the whole name */
#define REGISTRY_TAG_BYTES 129u
#define REGISTRY_REF_BYTES (REGISTRY_HOST_BYTES + REGISTRY_PATH_BYTES + REGISTRY_TAG_BYTES + BH_DIGEST_TEXT_BYTES)

struct registry_ref {
	char host[REGISTRY_HOST_BYTES];   /* "docker.io", "localhost:5000", "[::1]:5000" */
	char path[REGISTRY_PATH_BYTES];   /* "library/debian" */
	char tag[REGISTRY_TAG_BYTES];     /* empty when there is only a digest */
	char digest[BH_DIGEST_TEXT_BYTES]; /* empty when there is only a tag */
};

int registry_ref_parse(const char *text, struct registry_ref *ret, struct bh_err *err) BH_MUST_CHECK;

/* The full name: "docker.io/library/debian:12". */
const char *registry_ref_text(const struct registry_ref *ref, char out[static REGISTRY_REF_BYTES]);

/* "localhost", 127.0.0.0/8 or [::1], with or without a port: plain http is fine there. */
bool registry_is_local(const char *host);

#endif
