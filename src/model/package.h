/*
 * package.h: an installed package and the distribution it belongs to, as parsers hand them on.
 * Slices are borrowed: from the parsed file while a parser's sink runs, from the report's arena afterwards.
 */
#ifndef BH_MODEL_PACKAGE_H
#define BH_MODEL_PACKAGE_H

#include "base/slice.h"

#define BH_NO_LAYER UINT32_MAX

struct bh_package {
	struct bh_slice type;           /* purl type: "deb", "apk", "rpm", "npm" ... */
	struct bh_slice name;
	struct bh_slice version;        /* as the ecosystem prints it, with epoch: "1:2.3-4" */
	struct bh_slice arch;           /* "amd64", "x86_64"; empty when it has none */
	struct bh_slice source_name;    /* source (deb), origin (apk), source rpm's name; empty = same as name */
	struct bh_slice source_version; /* empty = same as version */
	struct bh_slice vendor;         /* rpm Vendor, deb Maintainer */
	struct bh_slice modularity;     /* rpm modularity label "name:stream:version:context" */
	struct bh_slice license;        /* the licence expression or text as the database has it */
	struct bh_slice provides;       /* the ecosystem's own list, as text, separated by ", " */
	struct bh_slice owned;          /* absolute paths of owned files, each ended by NUL; empty when unknown */
	struct bh_slice db_path;        /* file of the image the package was read from, without leading "/" */
	struct bh_slice purl;           /* package URL; filled when the distribution is known */
	uint32_t layer;                 /* index of the layer that brought it; BH_NO_LAYER for directories */
};

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
