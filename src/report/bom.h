/* bom.h: what the formats for lists of packages (CycloneDX, SPDX) share: identifiers, names, times. Private to report/. */
#ifndef BH_REPORT_BOM_H
#define BH_REPORT_BOM_H

#include "report/writer.h"

#define BOM_TIME_TEXT_BYTES sizeof("2026-01-01T00:00:00Z")

/* What the report is about, for titles: "example.com/shop:1.4", or what the user typed. */
struct bh_slice bom_subject(const struct bh_report *r);

/* Is it an image (with layers or a digest), or a folder or list of packages? */
bool bom_is_image(const struct bh_report *r);

/* The layer's digest as it is stored, else its diffID; "" when unknown. Returns out. */
const char *bom_layer_name(const struct bh_layer *l, char out[BH_DIGEST_TEXT_BYTES]);

/* When: as generated, else `otherwise`; whole seconds, UTC. */
void bom_time(const struct bh_report *r, const char *otherwise, char out[BOM_TIME_TEXT_BYTES]);

/*
 * Identifiers of documents follow from their content: equal documents have equal ones. A writer appends 36 zeros where the identifier
 * belongs and keeps the place; when the document is complete they become a UUID (version 8) of all its bytes.
 */
size_t bom_add_uuid(struct bh_buf *b);
void bom_set_uuid(struct bh_buf *b, size_t from, size_t at);

/* One name for each package that no other has: its URL, with "#2" behind it for the second of that URL. In the arena. */
int bom_refs(const struct bh_report *r, struct bh_arena *arena, struct bh_slice **ret, struct bh_err *err) BH_MUST_CHECK;

/* Place of a finding's package in report->packages; report->packages.len when it is none of them. */
size_t bom_package_index(const struct bh_report *r, const struct bh_finding *f);

/* Fails when out is full. what: "the SPDX document". */
int bom_done(const struct bh_buf *out, const char *what, struct bh_err *err) BH_MUST_CHECK;

#endif
