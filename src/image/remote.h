/*
 * remote.h: an image that is not a file here: in a registry, in a daemon, a running container. This room knows no network; whoever
 * does (registry/) hands over descriptors to read from, under the names that an image layout would have:
 *
 *   "index.json"          the index of one image, made up or from afar
 *   "manifests/ALG/HEX"   a manifest or index that it names
 *   "configs/ALG/HEX"     a configuration
 *   "blobs/ALG/HEX"       a layer
 *   "referrers", "referrers/ALG/HEX"  of a registry: the index of what is attached to the image that was named, or to a manifest
 *   "archive"             instead of the above: what docker save would write
 *   "blobs"               of a git repository, instead of all of the above: see registry/git.h
 *   "changes"             of a container: [{"Path": "/etc/motd", "Kind": 0}, ...] as Docker's API gives them
 *   "inspect"             of a container: its configuration, as Docker's API gives it
 *   "container"           of a container: its whole file system as tar
 */
#ifndef BH_IMAGE_REMOTE_H
#define BH_IMAGE_REMOTE_H

#include "base/err.h"
#include "base/slice.h"
#include "base/vec.h"

struct image_remote {
	/* *ret_fd: streams it, at most max_bytes. What breaks later shows as an early end, and in outcome(). */
	int (*open)(void *ctx, struct bh_slice name, uint64_t max_bytes, int *ret_fd, struct bh_err *err);
	/* How the last stream of that name ended; waits for it. 0 also when it was not opened. Negative: why it broke off. */
	int (*outcome)(void *ctx, struct bh_slice name, struct bh_err *err);
	void *ctx;
	const char *kind;      /* for the report: "registry", "docker" ... */
	const char *label;     /* what the target is, for messages: "docker.io/library/debian:12" */
	bool archive;          /* "archive" instead of "index.json" and blobs */
	bool container;        /* on top of the image lies a container */
};

/* What a container changed, as its runtime says, and what its file system holds there. */
enum image_change_kind { IMAGE_CHANGED, IMAGE_ADDED, IMAGE_DELETED };

struct image_change {
	struct bh_slice path; /* clean, without leading slash */
	enum image_change_kind kind;
	bool seen;            /* the path is in the container's file system; mode and type tell what it is */
	bool regular, folder;
	uint32_t mode;
};

BH_VEC(image_change_vec, struct image_change)

#define IMAGE_CHANGES_MAX 200000u /* a container that wrote more is reported as such */

#endif
