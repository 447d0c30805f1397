/*
 * host.h: a node as the code that judges it sees it: the files below a root, and somebody to tell results to. In the sandboxed child every question goes to
 * the parent (node_child.c); fuzz targets answer from memory.
 */
#ifndef BH_COMPLY_HOST_H
#define BH_COMPLY_HOST_H

#include "base/arena.h"
#include "comply/comply.h"

enum host_kind { HOST_ABSENT, HOST_FILE, HOST_FOLDER, HOST_OTHER, HOST_DENIED };

struct host_stat {
	enum host_kind kind; /* HOST_DENIED: it may be there, the caller's rights don't tell */
	uint32_t mode;       /* the permission bits */
	uint32_t uid, gid;
	uint64_t id;         /* the same file by another path has the same */
};

BH_VEC(host_name_vec, struct bh_slice)

/* What was seen: one answer to a check. */
struct comply_row {
	enum comply_verdict verdict;
	struct bh_slice check, text, file, evidence;
	uint32_t line;
};

struct comply_host {
	bool has_root; /* false: there is no node, all files are absent */
	int (*stat)(void *ctx, struct bh_slice path, struct host_stat *ret, struct bh_err *err);
	/* The names in a folder, in their order, in the arena; none when it is absent. BH_EIO: the caller may not list it. */
	int (*list)(void *ctx, struct bh_slice path, struct bh_arena *arena, struct host_name_vec *ret, struct bh_err *err);
	/* The text lives as long as the host. BH_ENOTFOUND: it is absent; BH_EIO: it is there and can't be read, or must not be. */
	int (*read)(void *ctx, struct bh_slice path, struct bh_slice *ret, struct bh_err *err);
	int (*say)(void *ctx, const struct comply_row *row, struct bh_err *err);
	void *ctx;
};

#endif
