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
	/*
	 * Anywhere, when the last parts of the path look like this: "package-lock.json", "*.jar", "*.dist-info/METADATA",
	 * "conda-meta/[star].json"; a star stands for any bytes but "/", and as many parts are compared as the pattern has.
	 */
	PKG_WANT_GLOB,
	PKG_WANT_ELF,      /* executables and shared objects of the ELF kind, by their first bytes; path "" */
	PKG_WANT_END,
};

struct pkg_want {
	enum pkg_want_kind kind;
	const char *path;   /* path, folder with its "/", or pattern */
	const char *suffix; /* PKG_WANT_DIR and PKG_WANT_BELOW only; "" = any */
};

struct pkg_file {
	struct bh_slice path;
	struct bh_slice data;
	struct bh_slice sibling; /* content of path + sibling_suffix, when the parser asked for one and the layer has it */
	bool is_target;          /* the file is what the user asked about, an SBOM, instead of being found in an image */
};

/* Where results go. A negative return of a sink function ends the parse with that code. Slices need to live for the call only. */
struct pkg_sink {
	int (*package)(void *ctx, const struct bh_package *p, struct bh_err *err); /* at.path may be left empty: the caller fills it */
	/* Owned files of a package that another file of the same database describes: paths, each ended by NUL. May come in several calls. */
	int (*owned)(void *ctx, struct bh_slice type, struct bh_slice name, struct bh_slice arch, struct bh_slice paths, struct bh_err *err);
	int (*distro)(void *ctx, const struct bh_distro *d, struct bh_err *err);
	/* A damaged entry: noted, then the parse carries on. what is "package-database" or "package"; offset in bytes. */
	int (*incomplete)(void *ctx, uint64_t offset_bytes, const char *reason, struct bh_err *err);
	void *ctx;
	int (*document)(void *ctx, struct bh_slice format, struct bh_err *err); /* of an SBOM: "CycloneDX 1.6 JSON"; NULL: nobody asks */
};

struct pkg_parser {
	const char *name;            /* as in parsers.def */
	const char *type;            /* purl type, or "" for distribution detection and SBOMs, which know many */
	const struct pkg_want *wants;/* ended by PKG_WANT_END */
	uint64_t max_bytes;          /* largest file accepted; larger ones are reported as incomplete */
	const char *sibling_suffix;  /* NULL, or "-wal": parse waits for the end of the layer and gets that file too */
	/* scratch: for the call; a damaged file is an error (with offset), a damaged entry a sink->incomplete. */
	int (*parse)(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err);
};

extern const struct pkg_parser *const pkg_parsers[]; /* NULL-terminated, order of parsers.def */

/*
 * The first parser from index *at on that wants this file; NULL when none is left. *at moves behind it. For loops.
 * elf: its content begins as ELF files do; of a file that was not opened yet, false.
 */
const struct pkg_parser *pkg_parser_for(struct bh_slice path, bool elf, size_t *at);

/* What a want means: the definition that pkg_parser_for, which has an index, must agree with. */
bool pkg_wants_path(const struct pkg_want *w, struct bh_slice path, bool elf);

/* Does a part of a path, without "/", fit this pattern? A star stands for any bytes. */
bool pkg_part_matches(struct bh_slice pattern, struct bh_slice part);

/* Does a file that begins so interest PKG_WANT_ELF parsers? head: at least 4 bytes, or all of it. */
bool pkg_is_elf(struct bh_slice head);
uint64_t pkg_elf_max_bytes(void); /* largest max_bytes of those parsers; 0: there are none */

/* May a file of PKG_WANT_PATH, PKG_WANT_DIR or PKG_WANT_BELOW lie below this directory? */
bool pkg_wants_below(struct bh_slice dir);

/* Path number `index` of all PKG_WANT_PATH, PKG_WANT_DIR and PKG_WANT_BELOW patterns (folders end with "/"); empty behind the last. */
struct bh_slice pkg_fixed_place(size_t index);

#endif
