/*
 * image.h: read an image (or a directory) once and hand the wanted files of each layer to a visitor.
 *
 * The parent opens what the user named, holds the descriptors and answers "give me blob X". Children (sys/child.h) do all
 * reading of hostile bytes: manifests in one, layers in others, two at a time. A layer is streamed once: raw bytes ->
 * digest -> inflate -> diffID -> tar -> wanted files -> visitor. Nothing is written to disk.
 *
 * Merging (OCI image-spec, layer.md): a file of layer k is visible unless a layer above it
 *   - has a non-directory at its path or at one of its parent directories, or a whiteout (.wh.NAME) there, or
 *   - has an opaque marker (.wh..wh..opq) in one of its parent directories.
 * Whiteouts only hide lower layers, wherever they stand in their own. Within a layer the last entry of a name counts.
 */
#ifndef BH_IMAGE_IMAGE_H
#define BH_IMAGE_IMAGE_H

#include "base/err.h"
#include "image/pathhash.h"
#include "image/remote.h"
#include "store/cache.h"
#include "model/report.h"

/* A wanted file of one layer, complete in memory. Borrowed for the call. */
struct image_file {
	struct bh_slice path;  /* clean, relative to the image's root */
	struct bh_slice data;
	uint64_t size_bytes;
	uint32_t mode, uid, gid;
};

/* How the visitor's child side gives results to its parent side. record payloads are opaque to image/. */
struct image_emit {
	int (*record)(void *ctx, struct bh_slice path, uint16_t kind, struct bh_slice payload, struct bh_err *err);
	/* Something in this layer could not be checked; becomes an entry of report->incomplete with the layer filled in. */
	int (*incomplete)(void *ctx, const char *what, struct bh_slice path, const char *reason, struct bh_err *err);
	void *ctx;
};

enum image_entry_type { IMAGE_ENTRY_FILE, IMAGE_ENTRY_DIR, IMAGE_ENTRY_SYMLINK, IMAGE_ENTRY_HARDLINK, IMAGE_ENTRY_OTHER /* devices, FIFOs, sockets */ };

/* Anything that stands in a layer. Borrowed for the call. */
struct image_entry {
	enum image_entry_type type;
	struct bh_slice path;       /* clean, never empty */
	struct bh_slice link;       /* target of links, as stored */
	uint64_t size_bytes;        /* of a file, as the entry says */
	bool has_owner;             /* false: an archive without modes and owners; the rest is zero */
	uint32_t mode, uid, gid;
	int64_t mtime_s;
	struct bh_slice origin;     /* of a repository's blobs: "commit HEX of 2024-05-01", "staged"; else empty */
	struct bh_slice capability; /* the extended attribute security.capability; empty: none. Of layers only */
};

/*
 * Who looks at everything, wanted or not: in the sandboxed child, beside the visitor, every entry in the order of the stream and the bytes of those
 * files that entry() asks for, once each, as they come by. Of directory trees these are files, folders and links, of zip archives the files only. A negative return ends the
 * layer: what can't be looked at is told by emit->incomplete. Records and finish() are as the visitor's.
 */
struct image_watcher {
	int (*entry)(void *ctx, const struct image_entry *e, const struct image_emit *emit, struct bh_err *err); /* 1: its bytes are wanted; 0: not */
	int (*bytes)(void *ctx, struct bh_slice run, const struct image_emit *emit, struct bh_err *err);        /* in order, never empty */
	int (*end)(void *ctx, bool whole, const struct image_emit *emit, struct bh_err *err);                   /* of the bytes; false: the file is damaged, or its layer */
	int (*finish)(void *ctx, const struct image_emit *emit, struct bh_err *err);
	void *ctx;
	bool no_files; /* only folders and links of directory trees matter to it: files are not opened for its sake */
};

struct image_visitor {
	/*
	 * ---- in the sandboxed child ----
	 * State kept behind ctx is that child's own. A child reads one layer, or, when an archive streams by, several one after
	 * the other: finish() is called once at the end of each, whatever happened in it, and must leave ctx ready for the next.
	 * wants, wants_below and home are pure: the parent calls them too.
	 */

	/* Largest size in bytes up to which this file's content is wanted; 0: not wanted. Called for every regular file and link. */
	uint64_t (*wants)(void *ctx, struct bh_slice path);
	/*
	 * The same for files that wants() does not want: by their first bytes (at least 64, or all of the file). May be NULL.
	 * In directory trees asked for executables and shared objects only, as others would have to be opened for it.
	 */
	uint64_t (*wants_content)(void *ctx, struct bh_slice path, struct bh_slice head);
	/* May a wanted file of a fixed path lie below this directory path? Then a symbolic link standing there is followed. */
	bool (*wants_below)(void *ctx, struct bh_slice path);
	/*
	 * The fixed places wants() knows, index 0, 1, ...; empty behind the last one: files ("etc/os-release") and folders with a
	 * "/" at their end ("var/lib/dpkg/info/"). They tell whether the target of a symbolic link must be read under the link's
	 * name. May be NULL: then a link to a folder is followed only when wants_below() knows nothing below its target.
	 */
	struct bh_slice (*home)(void *ctx, size_t index);
	/*
	 * file: a negative return becomes an incomplete entry about that file; the layer is read on.
	 * finish: after the last entry of the layer, for work that needs several files of it. Records may carry any path given.
	 */
	int (*file)(void *ctx, const struct image_file *file, const struct image_emit *emit, struct bh_err *err);
	int (*finish)(void *ctx, const struct image_emit *emit, struct bh_err *err);

	/* ---- in the parent, after all layers are merged: every record of every wanted file, lowest layer first ---- */

	/* visible: the file is part of the final file system. Hidden ones tell since when a package has been there. */
	int (*record)(void *ctx, uint32_t layer, struct bh_slice path, bool visible, uint16_t kind, struct bh_slice payload, struct bh_err *err);

	const struct image_watcher *watcher; /* NULL: nobody */
	uint64_t variant; /* of what the child side emits: differs with every option that it heeds. Results are cached by it */
	void *ctx;
};

/* IMAGE_ZIP: an archive of files, read as a directory. IMAGE_GIT: the blobs of a repository, of a remote; only a watcher sees them. IMAGE_SBOM: a list instead of an image: one file, given whole to visitor->file, whose failure is the error of image_read. */
enum image_kind { IMAGE_AUTO, IMAGE_OCI, IMAGE_ARCHIVE, IMAGE_DIR, IMAGE_ROOTFS, IMAGE_SBOM, IMAGE_ZIP, IMAGE_GIT };

struct image_request {
	enum image_kind kind;    /* IMAGE_AUTO: by looking at path */
	const char *path;        /* file or folder; "-" = archive on standard input; of a remote image its label */
	const struct image_remote *remote; /* NULL: path says where it is */
	/* What a container changed, in the order of its list; valid for the call, after all records. NULL: not wanted. */
	int (*changes)(void *ctx, const struct image_change *list, size_t n, bool cut, uint32_t layer, struct bh_err *err);
	void *changes_ctx;
	/* After all records, for every layer: hashes by key of what it hides in those below, with their kinds (unit.h). NULL: not wanted. */
	int (*hides)(void *ctx, uint32_t layer, const uint64_t *hashes, size_t n, struct bh_err *err);
	void *hides_ctx;
	const char *reference;   /* tag or name inside it, NULL: the only one, else an error that lists them */
	const char *platform;    /* "linux/arm64/v8"; NULL: this machine's, with a clear error when it is not there */
	const struct image_key *key; /* for hashes of paths, secret to the image; NULL: drawn for this call */
	size_t parallel;         /* layers at a time; 0 = 2 */
	uint64_t max_layer_bytes;/* 0 = BH_LAYER_BYTES_MAX */
	struct store_cache *cache; /* of layers' results, NULL: none. key must be the cache's then (image_cache_key) */
	bool quiet;              /* no progress bar */
};

/*
 * Fills report->target, ->layers and ->incomplete, and calls visitor->record. What can't be read inside an image is an
 * `incomplete` entry; an error is returned when the image as such can't be read (no such file, not an image, digest of the
 * manifest wrong, cancelled).
 */
int image_read(const struct image_request *req, const struct image_visitor *visitor, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif
