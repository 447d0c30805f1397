/*
 * spdx.h: what SPDX 2's two spellings, JSON and tag-value, have in common: packages, and relationships between them, of which some tell
 * who needs a package. Relationships may stand behind the packages, so a reader goes over its text twice: first for spdx_relate.
 */
#ifndef BH_PKG_SPDX_H
#define BH_PKG_SPDX_H

#include "base/map.h"
#include "pkg/sbom.h"

struct spdx {
	struct sbom sbom;
	struct bh_map roles;       /* SPDXID -> enum spdx_role bits */
	struct bh_arena *scratch;  /* for its keys */
};

/* As written; what is absent is empty. */
struct spdx_package {
	struct bh_slice id, name, version, supplier, purl, declared, concluded, license_comments, purpose, source_info, summary, sha1;
	uint32_t line;
	uint64_t offset_bytes;
};

void spdx_init(struct spdx *s, const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch);
int spdx_done(struct spdx *s, int rc, struct bh_err *err) BH_MUST_CHECK; /* as sbom_done */

/* "FROM DEV_DEPENDENCY_OF TO" */
int spdx_relate(struct spdx *s, struct bh_slice from, struct bh_slice kind, struct bh_slice to, struct bh_err *err) BH_MUST_CHECK;

int spdx_give(struct spdx *s, const struct spdx_package *p, struct bh_err *err) BH_MUST_CHECK;

#endif
