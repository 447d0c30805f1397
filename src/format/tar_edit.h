/*
 * tar_edit.h: tar headers (POSIX.1-2001 ustar and pax) made anew and changed in place. What is not asked to change stays byte for byte, so that owners'
 * names, times, devices, attributes and sparse maps of an entry survive an edit of its mode.
 */
#ifndef BH_FORMAT_TAR_EDIT_H
#define BH_FORMAT_TAR_EDIT_H

#include "base/buf.h"

#define BH_TAR_BLOCK_BYTES 512u

/* What becomes of an entry's headers. */
struct bh_tar_edit {
	bool set_mode, set_owner, drop_capability;
	uint32_t mode, uid, gid; /* mode: permission bits, setuid, setgid, sticky (07777) */
};

/*
 * headers: every block from bh_tar_entry.start to the entry's own header at own_at, and whatever follows that. Appends them to out as the edit wants them.
 * BH_EMALFORMED: they are none.
 */
int bh_tar_edit_headers(struct bh_slice headers, size_t own_at, const struct bh_tar_edit *edit, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* A regular file or a folder (name ends with "/") as a whole: header, with a pax header when the name is long, content, padding. */
struct bh_tar_member {
	struct bh_slice name, content;
	uint64_t size_bytes;  /* of a file whose content follows elsewhere, with content empty: then neither content nor padding are appended */
	uint32_t mode, uid, gid;
	int64_t mtime_s;
};
int bh_tar_put(const struct bh_tar_member *m, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* How many bytes of zeros pad a content of this size. */
static inline size_t bh_tar_padding(uint64_t size_bytes)
{
	return (size_t)(-size_bytes & (BH_TAR_BLOCK_BYTES - 1));
}

/* The two blocks of zeros that end an archive. */
bool bh_tar_put_end(struct bh_buf *out);

#endif
