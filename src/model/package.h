/*
 * package.h: an installed package and the distribution it belongs to, as parsers hand them on.
 * Slices are borrowed: from the parsed file while a parser's sink runs, from the report's arena afterwards.
 */
#ifndef BH_MODEL_PACKAGE_H
#define BH_MODEL_PACKAGE_H

#include "base/slice.h"

#define BH_NO_LAYER UINT32_MAX

/* What tells that the package is there. Surest first: of two packages that are the same, the surer one speaks. */
enum bh_evidence {
	BH_EVIDENCE_DATABASE, /* the package manager's own record of what is installed: dpkg's status, METADATA of a dist-info, pom.properties */
	BH_EVIDENCE_BINARY,   /* what the compiler wrote into an executable: Go build information, cargo-auditable, a package note */
	BH_EVIDENCE_LOCKFILE, /* exact versions that a package manager resolved; need not be installed */
	BH_EVIDENCE_SBOM,     /* an SBOM that was found says so */
	BH_EVIDENCE_MANIFEST, /* a declaration with an exact version that nobody resolved: requirements.txt, pom.xml */
	BH_EVIDENCE_CONTENT,  /* a version string in a file, the name of a jar: good guesses */
};

/* Could anything of the package be run or loaded? Guessed from the paths of its files: a hint for the order of work, no more. */
enum bh_reach {
	BH_REACH_UNKNOWN,  /* its files are not known */
	BH_REACH_CODE,     /* programs in bin folders, shared objects in library folders, or code that an interpreter loads */
	BH_REACH_NO_CODE,  /* files, but none of that kind: documentation, headers, data */
	BH_REACH_METADATA, /* only the package manager's own record */
};

enum bh_scope { BH_SCOPE_RUNTIME, BH_SCOPE_OPTIONAL, BH_SCOPE_DEVELOPMENT };

/* Where a package was seen. */
struct bh_location {
	struct bh_slice path;      /* file of the image, without leading "/" */
	struct bh_slice inner;     /* inside that file: "WEB-INF/lib/a.jar", archives in archives joined by "!/"; empty = the file itself */
	uint32_t line;             /* of path, counted from 1; 0 = none */
	uint32_t layer;            /* index of the layer that brought it; BH_NO_LAYER for directories */
	enum bh_evidence evidence;
};

struct bh_package {
	struct bh_slice type;           /* purl type: "deb", "apk", "rpm", "npm" ... */
	struct bh_slice name;
	struct bh_slice version;        /* as the ecosystem prints it, with epoch: "1:2.3-4" */
	struct bh_slice arch;           /* "amd64", "x86_64"; empty when it has none */
	struct bh_slice source_name;    /* source (deb), origin (apk), source rpm's name; empty = same as name */
	struct bh_slice source_version; /* empty = same as version */
	struct bh_slice vendor;         /* rpm Vendor, deb Maintainer */
	struct bh_slice modularity;     /* rpm modularity label "name:stream:version:context" */
	/* the licence expression or text as the source has it; several alternatives are joined with " OR ", lists with " AND " */
	struct bh_slice license;
	struct bh_slice spdx;           /* `license` as an SPDX expression; empty when it can't be told, LicenseRef-... where only the name is known */
	struct bh_slice provides;       /* the ecosystem's own list, as text, separated by ", " */
	struct bh_slice owned;          /* absolute paths of owned files, each ended by NUL; empty when unknown */
	struct bh_slice sha1;           /* of the package's archive, hex; empty = not computed */
	struct bh_slice owner;          /* package URL of the distribution's package that brought this one's files; empty = none */
	struct bh_slice purl;           /* package URL; filled when the distribution is known, unless the parser (an SBOM) gave one */
	enum bh_scope scope;
	enum bh_reach reach;
	struct bh_location at;          /* parsers leave path and layer empty: the caller fills them */
	const struct bh_location *also; /* further places of the very same package, sorted; NULL when there are none */
	size_t n_also;
};

const char *bh_evidence_name(enum bh_evidence e); /* "database", "lockfile" ... */
const char *bh_scope_name(enum bh_scope s);       /* "runtime", "optional", "development" */
const char *bh_reach_name(enum bh_reach r);       /* "unknown", "code", "no-code", "metadata" */

/* Why a flaw in it is less urgent: "development dependency", "no programs or libraries", "package record only"; NULL when nothing says so. */
const char *bh_package_hint(const struct bh_package *p);

struct bh_distro {
	struct bh_slice id;         /* os-release ID: "debian", "rhel"; empty = unknown */
	struct bh_slice version_id; /* os-release VERSION_ID: "12", "3.19.1"; empty = rolling or unknown */
	struct bh_slice codename;   /* "bookworm" */
	struct bh_slice name;       /* PRETTY_NAME */
	struct bh_slice id_like;    /* space-separated parents */
	struct bh_slice path;       /* the file that told */
	uint32_t rank;              /* parsers' confidence: the highest visible one wins (os-release 100, fallbacks below) */
};

/* Source name and version with the "same as the binary" rule applied. */
static inline struct bh_slice bh_package_source_name(const struct bh_package *p)
{
	return p->source_name.len ? p->source_name : p->name;
}

static inline struct bh_slice bh_package_source_version(const struct bh_package *p)
{
	return p->source_version.len ? p->source_version : p->version;
}

#endif
