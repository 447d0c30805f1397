/*
 * spdx_facts.h: what an SPDX 2.3 document says of a report, whatever its syntax (docs/formats/spdx.md). Private to report/.
 *
 * Nothing is concluded: licences are those that packages declare, NOASSERTION where they can't be told.
 */
#ifndef BH_REPORT_SPDX_FACTS_H
#define BH_REPORT_SPDX_FACTS_H

#include "model/report.h"

#define SPDX_NO_TIME "1970-01-01T00:00:00Z" /* the format demands one */
#define SPDX_LICENSES_MAX 100000u
#define SPDX_ID_BYTES 48u

/* Valid during the call; empty or NULL: not said. */
struct spdx_package {
	char id[SPDX_ID_BYTES];
	struct bh_slice name, version, supplier, license, license_comments, checksum, source_info, purl, summary, comment;
	const char *checksum_kind, *purpose;
};

/* The image, its operating system, and all packages, in this order. */
void spdx_packages(const struct bh_report *r, void (*each)(void *ctx, const struct spdx_package *p), void *ctx);

/* The document DESCRIBES the image, which CONTAINS all others; ids as spdx_packages gives them. */
void spdx_relationships(const struct bh_report *r, void (*each)(void *ctx, const char *from, const char *kind, const char *to), void *ctx);

/* Licences that are not in SPDX's list, each once. False: more than SPDX_LICENSES_MAX. */
bool spdx_licenses(const struct bh_report *r, void (*each)(void *ctx, struct bh_slice id, struct bh_slice text), void *ctx);

#endif
