/* files.h: opening files without being led astray, reading them whole, writing them atomically. */
#ifndef BH_SYS_FILES_H
#define BH_SYS_FILES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/vec.h"

/* Opens path below dir_fd for reading; never leaves dir_fd (openat2 RESOLVE_BENEATH), never blocks on a FIFO. Regular files only. */
int bh_open_beneath(int dir_fd, const char *path, int *ret_fd, struct bh_err *err) BH_MUST_CHECK;

/* As above, but symbolic links, absolute ones too, resolve as if dir_fd were "/" (openat2 RESOLVE_IN_ROOT). */
int bh_open_in_root(int root_fd, const char *path, int *ret_fd, struct bh_err *err) BH_MUST_CHECK;

/* What a path below root_fd is, links resolved in the same way, without opening it; and a folder there, to list it. BH_ENOTFOUND: it is not there. */
struct stat;
int bh_stat_in_root(int root_fd, const char *path, struct stat *ret, struct bh_err *err) BH_MUST_CHECK;
int bh_open_folder_in_root(int root_fd, const char *path, int *ret_fd, struct bh_err *err) BH_MUST_CHECK;

/* Opens a regular file given by the user (links followed). Directories, devices and FIFOs are an error that says so. */
int bh_open_regular(const char *path, int *ret_fd, uint64_t *ret_size, struct bh_err *err) BH_MUST_CHECK;

/* Appends all that is left of fd to out. BH_ELIMIT beyond max_bytes or the buffer's own maximum. */
int bh_read_all(int fd, size_t max_bytes, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;
int bh_read_file(const char *path, size_t max_bytes, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

int bh_write_all(int fd, struct bh_slice bytes, struct bh_err *err) BH_MUST_CHECK;

/*
 * All or nothing: temporary file in the same folder, fsync, rename, fsync of the folder. Mode as given. The target of a link is
 * replaced, not the link; a device or pipe is just written to.
 */
int bh_write_file_atomic(const char *path, struct bh_slice bytes, unsigned mode, struct bh_err *err) BH_MUST_CHECK;

/*
 * The same for a file that was read before: it must still be the one that was seen, neither replaced nor written to. Mode and owner are kept. Refused:
 * a link that leads out of its folder, a file with several names, one that is read-only.
 */
struct bh_file_seen {
	uint64_t device, inode, size_bytes;
	int64_t modified_s, modified_ns, changed_s, changed_ns;
};
int bh_file_see(int fd, struct bh_file_seen *ret, struct bh_err *err) BH_MUST_CHECK;
int bh_replace_seen(const char *path, const struct bh_file_seen *seen, struct bh_slice bytes, struct bh_err *err) BH_MUST_CHECK;

/* A file in memory, to be written and then sealed: from the start on, nobody can change it any more, so it can be handed to another process. */
int bh_memory_file(int *ret_fd, struct bh_err *err) BH_MUST_CHECK;
int bh_memory_file_seal(int fd, struct bh_err *err) BH_MUST_CHECK;
int bh_memory_text(struct bh_slice bytes, int *ret_fd, struct bh_err *err) BH_MUST_CHECK; /* the bytes as such a file, sealed */

/* Adds "path/name" of what `wants` takes in a folder, in the order of names. BH_ELIMIT: more than fit; BH_ENOTFOUND: none; the text says what is wrong, but not what was wanted. */
BH_VEC(bh_path_vec, const char *)
int bh_list_folder(const char *path, bool (*wants)(const char *name), struct bh_arena *arena, struct bh_path_vec *out, struct bh_err *err) BH_MUST_CHECK;

int bh_mkdirs(const char *path, unsigned mode, struct bh_err *err) BH_MUST_CHECK; /* like mkdir -p */

/* Maps a regular file read-only. Empty files give an empty slice. */
int bh_map_file(const char *path, uint64_t max_bytes, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;
void bh_unmap(struct bh_slice mapped);

#endif
