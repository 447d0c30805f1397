/*
 * deno_lock.c: npm packages of Deno's deno.lock:
 *
 *     "npm": { "chalk@5.3.0": { "integrity": ... }, "a@1.2.3_peer@4.0.0": ... }      versions 4 and 5
 *     "packages": { "npm": { ... } }                                                   version 3
 *     "npm": { "packages": { ... } }                                                   version 2
 *
 * Nobody publishes advisories for packages of JSR and of addresses; they are left out.
 */
#include "pkg/json_items.h"
#include "pkg/npm.h"

static const struct pkg_want deno_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "deno.lock" },
	{ .kind = PKG_WANT_END },
};

static int on_package(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct bh_slice peers;
	struct bh_package p = { .type = BH_SLICE_LIT("npm"), .at = { .line = item->line, .evidence = BH_EVIDENCE_LOCKFILE } };
	if (!pkg_npm_cut(item->key, &p.name, &p.version))
		return 0; /* "packages" and "specifiers" of version 2 */
	(void)bh_slice_cut(p.version, '_', &p.version, &peers);
	return pkg_give(ctx, &p, item->offset_bytes, err);
}

static int deno_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	static const struct pkg_json_section sections[] = { { "packages npm *", on_package }, { "npm *", on_package }, { 0 } };
	static const struct pkg_json_section version_2[] = { { "npm packages *", on_package }, { 0 } };
	struct pkg_notes notes = { .sink = sink };
	if (pkg_npm_inside_package(file->path))
		return 0;
	int rc = pkg_json_each(file->data, sections, &notes, err);
	if (rc >= 0)
		rc = pkg_json_each(file->data, version_2, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_deno_lock = {
	.name = "deno_lock",
	.type = "npm",
	.wants = deno_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = deno_lock_parse,
};
