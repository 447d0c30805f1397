/*
 * sbom_kind.c: which format a file has, by what is in it:
 *
 *     { "bomFormat": "CycloneDX", "specVersion": "1.6" ...      CycloneDX JSON
 *     { "spdxVersion": "SPDX-2.3" ...                           SPDX JSON; version 3 has "@context": ".../3.0.1/..."
 *     { "artifacts": [...], "descriptor": {"name": "syft" ...   Syft's own JSON
 *     <bom xmlns="http://cyclonedx.org/schema/bom/1.6" ...      CycloneDX XML
 *     SPDXVersion: SPDX-2.3                                     SPDX tag-value
 */
#include "pkg/sbom.h"

#include "pkg/json_items.h"

#include <stdio.h>

#define HEAD_BYTES 65536u /* in which a text has to say what it is */

extern const struct pkg_parser pkg_parser_cyclonedx_json, pkg_parser_cyclonedx_xml, pkg_parser_spdx_json, pkg_parser_spdx_tag, pkg_parser_syft_json;

bool sbom_is_json(struct bh_slice text)
{
	struct bh_slice s = bh_slice_trim(bh_slice_sub(pkg_without_bom(text), 0, HEAD_BYTES));
	return s.len && s.ptr[0] == '{';
}

bool sbom_is_xml(struct bh_slice text)
{
	static const struct bh_slice utf16[] = { { (const uint8_t *)"\xff\xfe<", 3 }, { (const uint8_t *)"\xfe\xff\0<", 4 } };
	struct bh_slice s = bh_slice_trim(bh_slice_sub(pkg_without_bom(text), 0, HEAD_BYTES));
	return (s.len && s.ptr[0] == '<') || bh_slice_starts(text, utf16[0]) || bh_slice_starts(text, utf16[1]);
}

struct kind {
	enum sbom_json kind;
	bool artifacts, descriptor;
	char *version;
};

static void keep_version(struct kind *k, struct bh_slice text)
{
	(void)snprintf(k->version, SBOM_VERSION_BYTES, "%.*s", BH_SLICE_FMT(bh_slice_sub(text, 0, SBOM_VERSION_BYTES - 1)));
}

static int on_format(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct kind *k = ctx;
	(void)err;
	if (bh_slice_eq_str(bh_json_str(item->value), "CycloneDX"))
		k->kind = SBOM_JSON_CYCLONEDX;
	return 0;
}

static int on_cyclonedx_version(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct kind *k = ctx;
	(void)err;
	if (k->version[0] == '\0')
		keep_version(k, bh_json_str(item->value));
	return 0;
}

static int on_spdx_version(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct kind *k = ctx;
	(void)err;
	k->kind = SBOM_JSON_SPDX;
	keep_version(k, bh_json_str(item->value));
	return 0;
}

static int on_context(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct kind *k = ctx;
	(void)err;
	if (bh_slice_starts(bh_json_str(item->value), BH_SLICE_LIT("https://spdx.org/rdf/3")))
		k->kind = SBOM_JSON_SPDX3;
	return 0;
}

static int on_schema(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct kind *k = ctx;
	(void)err;
	keep_version(k, bh_json_str(bh_json_get(item->value, "version")));
	return 0;
}

static int on_descriptor(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct kind *k = ctx;
	(void)err;
	if (bh_slice_eq_str(bh_json_str(bh_json_get(item->value, "name")), "syft"))
		k->kind = SBOM_JSON_SYFT;
	return 0;
}

int sbom_json_kind(struct bh_slice text, enum sbom_json *ret_kind, char ret_version[SBOM_VERSION_BYTES], struct bh_err *err)
{
	static const struct pkg_json_section sections[] = {
		{ "bomFormat", on_format }, { "specVersion", on_cyclonedx_version }, { "spdxVersion", on_spdx_version }, { "@context", on_context },
		{ "schema", on_schema }, { "descriptor", on_descriptor }, { 0 },
	};
	struct kind k = { .version = ret_version };
	ret_version[0] = '\0';
	int rc = pkg_json_each(text, sections, &k, err);
	*ret_kind = k.kind;
	return rc;
}

static int unknown(struct bh_slice text, struct bh_err *err)
{
	if (text.len > 1 && ((text.ptr[0] == 0xff && text.ptr[1] == 0xfe) || (text.ptr[0] == 0xfe && text.ptr[1] == 0xff)))
		return bh_fail(err, BH_EUNSUPPORTED, 0, "UTF-16 is read in XML only; convert it to UTF-8");
	return bh_fail(err, BH_EUNSUPPORTED, 0, "not an SBOM of a known format: CycloneDX (JSON, XML), SPDX 2 (JSON, tag-value) and Syft's JSON are read");
}

static int recognise_json(struct bh_slice text, const struct pkg_parser **ret, struct bh_err *err)
{
	enum sbom_json kind;
	char version[SBOM_VERSION_BYTES];
	int rc = sbom_json_kind(text, &kind, version, err);
	if (rc < 0)
		return rc;
	switch (kind) {
	case SBOM_JSON_CYCLONEDX: *ret = &pkg_parser_cyclonedx_json; return 0;
	case SBOM_JSON_SPDX: *ret = &pkg_parser_spdx_json; return 0;
	case SBOM_JSON_SYFT: *ret = &pkg_parser_syft_json; return 0;
	case SBOM_JSON_SPDX3: return bh_fail(err, BH_EUNSUPPORTED, 0, "SPDX 3 is not read; SPDX 2.2 and 2.3 are");
	case SBOM_JSON_UNKNOWN: break;
	}
	return unknown(text, err);
}

/* Its version stands among the first lines, behind comments. */
static bool is_tag_value(struct bh_slice text)
{
	struct bh_slice rest = bh_slice_sub(pkg_without_bom(text), 0, HEAD_BYTES), line;
	while (rest.len) {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		if (bh_slice_starts(line, BH_SLICE_LIT("SPDXVersion:")))
			return true;
	}
	return false;
}

int sbom_recognise(struct bh_slice text, const struct pkg_parser **ret, struct bh_err *err)
{
	if (text.len == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "the file is empty");
	if (sbom_is_json(text))
		return recognise_json(text, ret, err);
	bool xml = sbom_is_xml(text);
	if (!xml && !is_tag_value(text))
		return unknown(text, err);
	*ret = xml ? &pkg_parser_cyclonedx_xml : &pkg_parser_spdx_tag;
	return 0;
}
