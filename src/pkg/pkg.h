/* pkg.h: what a package parser is. One parser is one file here, one line in parsers.def, one folder tests/corpus/pkg-NAME/. */
#ifndef BH_PKG_PKG_H
#define BH_PKG_PKG_H

#include "base/arena.h"
#include "base/err.h"
#include "model/package.h"

enum pkg_want_kind {
	PKG_WANT_PATH,     /* exactly this path: "var/lib/dpkg/status" */
	PKG_WANT_DIR,      /* directly in this folder, with this suffix: "var/lib/dpkg/info/" + ".list" */
	PKG_WANT_BELOW,    /* anywhere below this folder, with this suffix: "var/lib/pacman/local/" + "/desc" */
	PKG_WANT_BASENAME, /* a file of this name anywhere: "package-lock.json" */
	PKG_WANT_SUFFIX,   /* a file whose name ends so, anywhere: ".jar" */
	PKG_WANT_END,
};

struct pkg_want {
	enum pkg_want_kind kind;
	const char *path;   /* path, folder with its "/", name or suffix */
	const char *suffix; /* PKG_WANT_DIR and PKG_WANT_BELOW only; "" = any */
};

struct pkg_file {
	struct bh_slice path;
	struct bh_slice data;
	struct bh_slice sibling; /* content of path + sibling_suffix, when the parser asked for one and the layer has it */
};

/* Where results go. A negative return of a sink function ends the parse with that code. Slices need to live for the call only. */
struct pkg_sink {
	int (*package)(void *ctx, const struct bh_package *p, struct bh_err *err); /* db_path may be left empty: the caller fills it */
	/* Owned files of a package that another file of the same database describes: paths, each ended by NUL. May come in several calls. */
	int (*owned)(void *ctx, struct bh_slice type, struct bh_slice name, struct bh_slice arch, struct bh_slice paths, struct bh_err *err);
	int (*distro)(void *ctx, const struct bh_distro *d, struct bh_err *err);
	/* A damaged entry: noted, then the parse carries on. what is "package-database" or "package"; offset in bytes. */
	int (*incomplete)(void *ctx, uint64_t offset_bytes, const char *reason, struct bh_err *err);
	void *ctx;
};

struct pkg_parser {
	const char *name;            /* as in parsers.def */
	const char *type;            /* purl type, or "" for distribution detection */
	const struct pkg_want *wants;/* ended by PKG_WANT_END */
	uint64_t max_bytes;          /* largest file accepted; larger ones are reported as incomplete */
	const char *sibling_suffix;  /* NULL, or "-wal": parse waits for the end of the layer and gets that file too */
	/* scratch: for the call; a damaged file is an error (with offset), a damaged entry a sink->incomplete. */
	int (*parse)(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err);
};

extern const struct pkg_parser *const pkg_parsers[]; /* NULL-terminated, order of parsers.def */

/* The first parser from index *at on that wants this path; NULL when none is left. *at moves behind it. For loops. */
const struct pkg_parser *pkg_parser_for(struct bh_slice path, size_t *at);

/* May a file of PKG_WANT_PATH, PKG_WANT_DIR or PKG_WANT_BELOW lie below this directory? */
bool pkg_wants_below(struct bh_slice dir);

/* Path number `index` of all PKG_WANT_PATH, PKG_WANT_DIR and PKG_WANT_BELOW patterns (folders end with "/"); empty behind the last. */
struct bh_slice pkg_fixed_place(size_t index);

#endif
