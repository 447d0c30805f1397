/*
 * cyclonedx_json.c: CycloneDX 1.4 to 1.7 in JSON (ECMA-424), *.cdx.json and bom.json:
 *
 *     { "bomFormat": "CycloneDX", "specVersion": "1.6",
 *       "metadata": { "component": COMPONENT },              what the SBOM is about: a package too when it has a package URL
 *       "components": [ { "type": "library", "group": "org.slf4j", "name": "slf4j-api", "version": "2.0.7",
 *                         "purl": "pkg:maven/org.slf4j/slf4j-api@2.0.7?type=jar", "scope": "optional",
 *                         "licenses": [ { "license": { "id": "MIT" } }, { "expression": "A OR B" } ],
 *                         "hashes": [ { "alg": "SHA-1", "content": "..." } ],
 *                         "properties": [ { "name": ..., "value": ... } ],
 *                         "evidence": { "occurrences": [ { "location": "app/lib/a.jar", "line": 3 } ] },
 *                         "components": [ COMPONENT ... ] } ] }
 *
 * "excluded" are components for tests and development. References between components, and to other documents, are not followed.
 */
#include "pkg/json_items.h"
#include "pkg/sbom.h"

#define DEPTH_MAX 32u /* components in components; the JSON reader's own limit is reached before */
#define SCRATCH_BYTES_MAX (16u << 20)

static const struct pkg_want cyclonedx_json_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "*.cdx.json" },
	{ .kind = PKG_WANT_GLOB, .path = "bom.json" },
	{ .kind = PKG_WANT_END },
};

struct reading {
	struct sbom sbom;
	const struct pkg_json_item *item; /* the entry that is read: its components have its place */
	bool main;                        /* it is what the SBOM is about */
};

static bool read_licenses(const struct bh_json_node *list, struct bh_arena *arena, struct bh_slice *ret)
{
	for (size_t i = 0; i < bh_json_len(list); i++) {
		const struct bh_json_node *entry = bh_json_at(list, i), *license = bh_json_get(entry, "license");
		struct bh_slice text = bh_json_str(bh_json_get(entry, "expression"));
		text = text.len ? text : bh_json_str(bh_json_get(license, "id"));
		text = text.len ? text : bh_json_str(bh_json_get(license, "name"));
		if (!sbom_add_license(ret, text, arena))
			return false;
	}
	return true;
}

static void read_properties(const struct bh_json_node *list, struct sbom_component *c)
{
	for (size_t i = 0; i < bh_json_len(list); i++) {
		const struct bh_json_node *p = bh_json_at(list, i);
		sbom_property(c, bh_json_str(bh_json_get(p, "name")), bh_json_str(bh_json_get(p, "value")));
	}
}

static void read_place(const struct bh_json_node *component, struct sbom_component *c)
{
	const struct bh_json_node *first = bh_json_at(bh_json_get(bh_json_get(component, "evidence"), "occurrences"), 0);
	struct bh_slice location = bh_json_str(bh_json_get(first, "location"));
	uint64_t line = 0;
	if (location.len == 0)
		return;
	c->location = location;
	c->location_line = bh_json_u64(bh_json_get(first, "line"), UINT32_MAX, &line) ? (uint32_t)line : 0;
}

static int give_component(struct reading *r, const struct bh_json_node *node, struct bh_err *err)
{
	struct bh_arena arena;
	struct sbom_component c = {
		.kind = sbom_cyclonedx_kind(bh_json_str(bh_json_get(node, "type"))),
		.purl = bh_json_str(bh_json_get(node, "purl")),
		.group = bh_json_str(bh_json_get(node, "group")),
		.name = bh_json_str(bh_json_get(node, "name")),
		.version = bh_json_str(bh_json_get(node, "version")),
		.sha1 = pkg_json_pick(bh_json_get(node, "hashes"), "alg", "SHA-1", "content"),
		.vendor = bh_json_str(bh_json_get(bh_json_get(node, "supplier"), "name")),
		.description = bh_json_str(bh_json_get(node, "description")),
		.scope = sbom_cyclonedx_scope(bh_json_str(bh_json_get(node, "scope"))),
		.line = r->item->line,
		.offset_bytes = r->item->offset_bytes,
	};
	bh_arena_init(&arena, SCRATCH_BYTES_MAX);
	bool ok = read_licenses(bh_json_get(node, "licenses"), &arena, &c.license);
	read_properties(bh_json_get(node, "properties"), &c);
	read_place(node, &c);
	if (r->main && c.kind == SBOM_PACKAGE)
		c.kind = SBOM_OTHER;
	int rc = ok ? sbom_give(&r->sbom, &c, err) : bh_fail(err, BH_ENOMEM, c.offset_bytes, "out of memory for licences");
	bh_arena_done(&arena);
	return rc;
}

static int give_all(struct reading *r, const struct bh_json_node *node, unsigned depth, struct bh_err *err)
{
	if (!bh_json_is_object(node))
		return pkg_note(&r->sbom.notes, r->item->offset_bytes, err, "line %u: a component is no object", r->item->line);
	if (depth == DEPTH_MAX)
		return pkg_note(&r->sbom.notes, r->item->offset_bytes, err, "line %u: components in components more than %u deep", r->item->line, DEPTH_MAX);
	const struct bh_json_node *inner = bh_json_get(node, "components");
	int rc = give_component(r, node, err);
	r->main = false;
	for (size_t i = 0; rc >= 0 && bh_json_is_array(inner) && i < bh_json_len(inner); i++)
		rc = give_all(r, bh_json_at(inner, i), depth + 1, err);
	return rc;
}

static int on_component(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct reading *r = ctx;
	r->item = item;
	r->main = false;
	return give_all(r, item->value, 0, err);
}

/* What a scan of ours could not check when it made the SBOM can't be checked from it either. */
static int tell_gaps(struct reading *r, const struct bh_json_node *properties, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc >= 0 && i < bh_json_len(properties); i++) {
		const struct bh_json_node *p = bh_json_at(properties, i);
		if (bh_slice_eq_str(bh_json_str(bh_json_get(p, "name")), "bulkhead:incomplete"))
			rc = pkg_note(&r->sbom.notes, r->item->offset_bytes, err, "the SBOM is incomplete: %.*s", BH_SLICE_FMT(bh_json_str(bh_json_get(p, "value"))));
	}
	return rc;
}

static int on_main_component(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct reading *r = ctx;
	r->item = item;
	r->main = true;
	int rc = give_all(r, item->value, 0, err);
	return rc < 0 ? rc : tell_gaps(r, bh_json_get(item->value, "properties"), err);
}

static int read_components(const struct pkg_file *file, const struct pkg_sink *sink, const char *version, struct bh_err *err)
{
	static const struct pkg_json_section sections[] = { { "components *", on_component }, { "metadata component", on_main_component }, { 0 } };
	struct reading r = { .main = false };
	sbom_init(&r.sbom, file, sink);
	int rc = sbom_document(&r.sbom, err, "CycloneDX %s JSON", version);
	rc = rc < 0 ? rc : pkg_json_each(file->data, sections, &r, err);
	return sbom_done(&r.sbom, rc, err);
}

static int cyclonedx_json_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	enum sbom_json kind;
	char version[SBOM_VERSION_BYTES];
	int rc = sbom_json_kind(file->data, &kind, version, err);
	if (rc < 0)
		return rc;
	bool may_be_other = !bh_slice_ends(file->path, BH_SLICE_LIT(".cdx.json")); /* bom.json may be anything */
	if (kind != SBOM_JSON_CYCLONEDX)
		return may_be_other ? 0 : bh_fail(err, BH_EMALFORMED, 0, "not CycloneDX: it has no \"bomFormat\": \"CycloneDX\"");
	rc = sbom_cyclonedx_version(bh_slice_str(version), err);
	return rc < 0 ? rc : read_components(file, sink, version, err);
}

const struct pkg_parser pkg_parser_cyclonedx_json = {
	.name = "cyclonedx_json",
	.type = "",
	.wants = cyclonedx_json_wants,
	.max_bytes = SBOM_BYTES_MAX,
	.parse = cyclonedx_json_parse,
};
