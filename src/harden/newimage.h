/*
 * newimage.h: the hardened image as a folder or an archive that everybody can load: an image layout (OCI image-spec 1.1, image-layout.md) with the manifest.json of
 * docker save beside it. It appears under its name when it is whole, and not before.
 */
#ifndef BH_HARDEN_NEWIMAGE_H
#define BH_HARDEN_NEWIMAGE_H

#include "base/limits.h"
#include "harden/shrink.h"

struct newimage_options {
	const char *path;   /* the folder; with ".tar" at its end the archive */
	const char *name;   /* "shop:1.4-hardened", in it; NULL: none */
	const char *base;   /* what it was made of, as the user named it: an annotation */
	const char *created; /* RFC 3339: of the history's new entry */
};

struct newimage {
	const struct newimage_options *options;
	char work[BH_PATH_BYTES_MAX - 64]; /* the folder that it is written into */
	int blobs_fd;
	struct bh_digest manifest, config;
	struct image_new_layer_vec layers; /* with the one on top */
	uint64_t old_bytes, new_bytes;     /* of all layers, packed */
};

/* A file, not a folder: its name ends with ".tar". */
bool newimage_is_archive(const struct newimage *n);

/* The folder for blobs is there then. BH_EUSAGE: something is there already. */
int newimage_begin(struct newimage *n, const struct newimage_options *options, struct bh_err *err) BH_MUST_CHECK;

/* Layers have been written to blobs_fd; adds the one on top, configuration, manifest and index, and puts everything in its place. shrink: NULL for an image as it was. */
int newimage_end(struct newimage *n, const struct image_rewriting *layers, const struct shrink *shrink, struct bh_err *err) BH_MUST_CHECK;

/* What newimage_end wrote as an archive of its own, under another name, until newimage_done. */
int newimage_pack(const struct newimage *n, const char *name, const char *archive, struct bh_err *err) BH_MUST_CHECK;

/* It is not wanted any more: the archive is deleted, the folder when newimage_done is called. */
void newimage_drop(struct newimage *n);

/* In either case; what is not whole, or was the work for an archive, is deleted. */
void newimage_done(struct newimage *n);

#endif
