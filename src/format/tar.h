/*
 * tar.h: walk a tar stream (POSIX ustar, PAX, V7, GNU long names and sparse files) entry by entry.
 * Entries come in stream order, duplicates included. Names are raw bytes as stored, never converted.
 */
#ifndef BH_FORMAT_TAR_H
#define BH_FORMAT_TAR_H

#include "base/err.h"
#include "base/slice.h"
#include "format/stream.h"

enum bh_tar_type { BH_TAR_FILE, BH_TAR_DIR, BH_TAR_SYMLINK, BH_TAR_HARDLINK, BH_TAR_OTHER /* devices, FIFOs, sockets */ };

struct bh_tar_entry {
	struct bh_slice name;      /* as stored, not cleaned; valid until the next bh_tar_next */
	struct bh_slice link;      /* target of symbolic and hard links; as long valid as name */
	enum bh_tar_type type;
	uint64_t size_bytes;       /* of the content; hard links rarely have one, POSIX lets them */
	uint32_t mode, uid, gid;
	int64_t mtime_s;
	struct bh_slice capability; /* the extended attribute security.capability, as pax headers have it; as long valid as name */
	uint64_t start;            /* of the first block about it in the plain stream: extended headers come before its own */
	uint64_t offset;           /* of the entry's header in the plain stream; for messages */
	uint64_t end;              /* behind its content and padding: the next entry's start */
	uint64_t content_offset;   /* of its content, which stands there in one piece; UINT64_MAX for sparse files */
};

struct bh_tar;

/* Reads from `plain` (usually a bh_stream wrapped as a source). */
int bh_tar_new(struct bh_source plain, struct bh_tar **ret, struct bh_err *err) BH_MUST_CHECK;
void bh_tar_free(struct bh_tar *t);

/* 1: *ret filled; 0: end of archive; negative: error with offset (BH_ETRUNCATED, BH_EMALFORMED, ...). */
int bh_tar_next(struct bh_tar *t, struct bh_tar_entry *ret, struct bh_err *err) BH_MUST_CHECK;

/*
 * The next run of the current entry's content, borrowed until the next call; empty at its end. Holes of sparse files
 * come as zeros. Entries whose content is not asked for are skipped without cost.
 */
int bh_tar_read(struct bh_tar *t, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;

/*
 * A path of an image in its one clean form: no leading "/" or "./", no "//", "." or trailing "/"; ".." removes the
 * component before it and never climbs above the root. False when it is longer than BH_PATH_BYTES_MAX, empty inside
 * (NUL byte), or nothing is left and the name was not the root itself. out has room for BH_PATH_BYTES_MAX bytes.
 * *climbed is set when ".." tried to leave the root (worth a note).
 */
bool bh_path_clean(struct bh_slice raw, uint8_t *out, struct bh_slice *ret, bool *climbed);

#endif
