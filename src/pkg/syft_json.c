/*
 * syft_json.c: Syft's own JSON, *.syft.json:
 *
 *     { "artifacts": [ { "name": "libc6", "version": "2.36-9", "type": "deb", "purl": "pkg:deb/debian/libc6@2.36-9?arch=amd64&upstream=glibc",
 *                        "licenses": [ "GPL-2.0" or { "value": "GPL-2", "spdxExpression": "GPL-2.0-only" } ],
 *                        "locations": [ { "path": "/var/lib/dpkg/status" } ],
 *                        "metadata": { "source": "glibc", "sourceVersion": "", "originPackage": "", "sourceRpm": "", "modularityLabel": "" } } ],
 *       "distro": { "prettyName": "Debian GNU/Linux 12 (bookworm)", "id": "debian", "versionID": "12" },
 *       "descriptor": { "name": "syft" }, "schema": { "version": "16.0.0" } }
 */
#include "pkg/json_items.h"
#include "pkg/rpm.h"
#include "pkg/sbom.h"

#define SCRATCH_BYTES_MAX (16u << 20)

static const struct pkg_want syft_json_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "*.syft.json" },
	{ .kind = PKG_WANT_END },
};

static struct bh_slice text_of(const struct bh_json_node *object, const char *key, const char *otherwise)
{
	struct bh_slice s = bh_json_str(bh_json_get(object, key));
	return s.len ? s : bh_json_str(bh_json_get(object, otherwise));
}

static bool read_licenses(const struct bh_json_node *list, struct bh_arena *arena, struct bh_slice *ret)
{
	for (size_t i = 0; i < bh_json_len(list); i++) {
		const struct bh_json_node *entry = bh_json_at(list, i);
		struct bh_slice text = bh_json_str(entry);
		if (!sbom_add_license(ret, text.len ? text : text_of(entry, "spdxExpression", "value"), arena))
			return false;
	}
	return true;
}

/* The source package: "source" of dpkg, "originPackage" of apk, "sourceRpm". */
static void read_metadata(const struct bh_json_node *metadata, struct sbom_component *c)
{
	struct bh_slice rpm_version;
	c->source_name = text_of(metadata, "source", "originPackage");
	c->source_version = bh_json_str(bh_json_get(metadata, "sourceVersion"));
	(void)pkg_rpm_split_source(bh_json_str(bh_json_get(metadata, "sourceRpm")), &c->source_name, &rpm_version);
	c->modularity = bh_json_str(bh_json_get(metadata, "modularityLabel"));
	c->vendor = text_of(metadata, "maintainer", "vendor");
	c->sha1 = pkg_json_pick(bh_json_get(metadata, "digest"), "algorithm", "sha1", "value");
}

static int on_artifact(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct sbom *s = ctx;
	const struct bh_json_node *n = item->value;
	struct bh_arena arena;
	if (!bh_json_is_object(n))
		return pkg_note(&s->notes, item->offset_bytes, err, "line %u: an artifact is no object", item->line);
	struct sbom_component c = {
		.purl = bh_json_str(bh_json_get(n, "purl")),
		.name = bh_json_str(bh_json_get(n, "name")),
		.version = bh_json_str(bh_json_get(n, "version")),
		.location = bh_json_str(bh_json_get(bh_json_at(bh_json_get(n, "locations"), 0), "path")),
		.line = item->line,
		.offset_bytes = item->offset_bytes,
	};
	read_metadata(bh_json_get(n, "metadata"), &c);
	bh_arena_init(&arena, SCRATCH_BYTES_MAX);
	bool ok = read_licenses(bh_json_get(n, "licenses"), &arena, &c.license);
	int rc = ok ? sbom_give(s, &c, err) : bh_fail(err, BH_ENOMEM, item->offset_bytes, "out of memory for licences");
	bh_arena_done(&arena);
	return rc;
}

/* Before schema 2 the name was os-release's ID, and there was no "id". */
static int on_distro(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	const struct sbom_component c = {
		.kind = SBOM_SYSTEM,
		.name = text_of(item->value, "id", "name"),
		.version = text_of(item->value, "versionID", "version"),
		.description = bh_json_str(bh_json_get(item->value, "prettyName")),
		.line = item->line,
		.offset_bytes = item->offset_bytes,
	};
	return c.name.len ? sbom_give(ctx, &c, err) : 0;
}

static int syft_json_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	static const struct pkg_json_section sections[] = { { "artifacts *", on_artifact }, { "distro", on_distro }, { 0 } };
	(void)scratch;
	enum sbom_json kind;
	char version[SBOM_VERSION_BYTES];
	int rc = sbom_json_kind(file->data, &kind, version, err);
	if (rc < 0)
		return rc;
	if (kind != SBOM_JSON_SYFT)
		return bh_fail(err, BH_EMALFORMED, 0, "not Syft's JSON: its \"descriptor\" does not name syft");
	struct sbom s;
	sbom_init(&s, file, sink);
	rc = sbom_document(&s, err, "Syft JSON%s%s", version[0] ? ", schema " : "", version);
	rc = rc < 0 ? rc : pkg_json_each(file->data, sections, &s, err);
	return sbom_done(&s, rc, err);
}

const struct pkg_parser pkg_parser_syft_json = {
	.name = "syft_json",
	.type = "",
	.wants = syft_json_wants,
	.max_bytes = SBOM_BYTES_MAX,
	.parse = syft_json_parse,
};
