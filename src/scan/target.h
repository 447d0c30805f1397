/* target.h: opening what the user named on the command line. */
#ifndef BH_SCAN_TARGET_H
#define BH_SCAN_TARGET_H

#include "image/image.h"
#include "registry/remote.h"

struct scan_target_options {
	const struct registry_options *registry;
	bool staged;                    /* of a git repository: only what is new in the next commit */
	void (*tell)(const char *text); /* which of several places a bare name was found in; NULL = nobody asks */
};

/*
 * "oci:DIR[:TAG]", "archive:FILE", "dir:PATH", "rootfs:PATH", "sbom:FILE", "zip:FILE", "-", a path, "registry:REF", "docker:NAME", "podman:NAME",
 * "containerd:NAME", "container:ID", or a bare image name. Fills kind, path, reference and remote of *ret; strings live in arena.
 * *ret_remote: NULL, or what the caller closes when the image is read.
 */
int scan_target_open(const char *text, const struct scan_target_options *options, struct bh_arena *arena, struct image_request *ret,
		     struct registry_remote **ret_remote, struct bh_err *err) BH_MUST_CHECK;

#endif
