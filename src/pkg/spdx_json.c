/*
 * spdx_json.c: SPDX 2.2 and 2.3 in JSON, *.spdx.json, and *.spdx as Bitnami's images have them (.spdx-nginx.spdx):
 *
 *     { "spdxVersion": "SPDX-2.3", "documentDescribes": [ ID ... ],
 *       "packages": [ { "SPDXID": "SPDXRef-1", "name": "libc6", "versionInfo": "2.36-9", "licenseDeclared": "GPL-2.0-only",
 *                       "primaryPackagePurpose": "LIBRARY", "sourceInfo": "built package from: glibc 2.36-9",
 *                       "checksums": [ { "algorithm": "SHA1", "checksumValue": "..." } ],
 *                       "externalRefs": [ { "referenceType": "purl", "referenceLocator": "pkg:deb/debian/libc6@2.36-9" } ] } ],
 *       "relationships": [ { "spdxElementId": "SPDXRef-1", "relationshipType": "DEV_DEPENDENCY_OF", "relatedSpdxElement": ID } ] }
 */
#include "pkg/json_items.h"
#include "pkg/spdx.h"

static const struct pkg_want spdx_json_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "*.spdx.json" },
	{ .kind = PKG_WANT_GLOB, .path = "*.spdx" },
	{ .kind = PKG_WANT_END },
};

/* 2.2 wrote lists of what the document is about, later ones relationships. */
static int on_described(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	return spdx_relate(ctx, (struct bh_slice){ 0 }, BH_SLICE_LIT("DESCRIBES"), bh_json_str(item->value), err);
}

static int on_relationship(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	const struct bh_json_node *r = item->value;
	return spdx_relate(ctx, bh_json_str(bh_json_get(r, "spdxElementId")), bh_json_str(bh_json_get(r, "relationshipType")),
			   bh_json_str(bh_json_get(r, "relatedSpdxElement")), err);
}

static int on_package(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct spdx *s = ctx;
	const struct bh_json_node *n = item->value;
	if (!bh_json_is_object(n))
		return pkg_note(&s->sbom.notes, item->offset_bytes, err, "line %u: a package is no object", item->line);
	const struct spdx_package p = {
		.id = bh_json_str(bh_json_get(n, "SPDXID")),
		.name = bh_json_str(bh_json_get(n, "name")),
		.version = bh_json_str(bh_json_get(n, "versionInfo")),
		.supplier = bh_json_str(bh_json_get(n, "supplier")),
		.purl = pkg_json_pick(bh_json_get(n, "externalRefs"), "referenceType", "purl", "referenceLocator"),
		.declared = bh_json_str(bh_json_get(n, "licenseDeclared")),
		.concluded = bh_json_str(bh_json_get(n, "licenseConcluded")),
		.license_comments = bh_json_str(bh_json_get(n, "licenseComments")),
		.purpose = bh_json_str(bh_json_get(n, "primaryPackagePurpose")),
		.source_info = bh_json_str(bh_json_get(n, "sourceInfo")),
		.summary = bh_json_str(bh_json_get(n, "summary")),
		.sha1 = pkg_json_pick(bh_json_get(n, "checksums"), "algorithm", "SHA1", "checksumValue"),
		.line = item->line,
		.offset_bytes = item->offset_bytes,
	};
	return spdx_give(s, &p, err);
}

static int read_document(const struct pkg_file *file, const struct pkg_sink *sink, const char *version, struct bh_arena *scratch, struct bh_err *err)
{
	static const struct pkg_json_section related[] = { { "documentDescribes *", on_described }, { "relationships *", on_relationship }, { 0 } };
	static const struct pkg_json_section packages[] = { { "packages *", on_package }, { 0 } };
	struct spdx s;
	spdx_init(&s, file, sink, scratch);
	int rc = sbom_document(&s.sbom, err, "SPDX %s JSON", version + strlen("SPDX-"));
	rc = rc < 0 ? rc : pkg_json_each(file->data, related, &s, err);
	rc = rc < 0 ? rc : pkg_json_each(file->data, packages, &s, err);
	return spdx_done(&s, rc, err);
}

static int spdx_json_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	enum sbom_json kind;
	char version[SBOM_VERSION_BYTES];
	if (!sbom_is_json(file->data) && bh_slice_ends(file->path, BH_SLICE_LIT(".spdx")))
		return 0; /* tag-value */
	int rc = sbom_json_kind(file->data, &kind, version, err);
	if (rc < 0)
		return rc;
	if (kind == SBOM_JSON_SPDX3)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "SPDX 3 is not read; SPDX 2.2 and 2.3 are");
	if (kind != SBOM_JSON_SPDX)
		return bh_fail(err, BH_EMALFORMED, 0, "not SPDX: it has no \"spdxVersion\"");
	rc = sbom_spdx_version(bh_slice_str(version), err);
	return rc < 0 ? rc : read_document(file, sink, version, scratch, err);
}

const struct pkg_parser pkg_parser_spdx_json = {
	.name = "spdx_json",
	.type = "",
	.wants = spdx_json_wants,
	.max_bytes = SBOM_BYTES_MAX,
	.parse = spdx_json_parse,
};
