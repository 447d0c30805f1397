/*
 * conan_lock.c: lockfiles of Conan, the package manager of C and C++:
 *
 *     version 1      { "graph_lock": { "nodes": { "1": { "ref": "zlib/1.2.11#RECIPE", "context": "host" } } } }
 *     version 2      { "requires": ["zlib/1.2.11#RECIPE%1650000000.1"], "build_requires": [...], "python_requires": [...] }
 *
 * References as in conan.h. Tools needed to build are development dependencies. In version 1 the
 * node of the project itself has a ref without revision, or a path only.
 */
#include "pkg/conan.h"
#include "pkg/json_items.h"

static const struct pkg_want conan_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "conan.lock" },
	{ .kind = PKG_WANT_END },
};

static int give(struct pkg_notes *notes, const struct pkg_json_item *item, struct bh_slice reference, enum bh_scope scope, struct bh_err *err)
{
	struct bh_package like = { .scope = scope, .at = { .line = item->line, .evidence = BH_EVIDENCE_LOCKFILE } };
	return pkg_conan_give(notes, reference, &like, item->offset_bytes, err);
}

static int on_requires(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	return give(ctx, item, bh_json_str(item->value), BH_SCOPE_RUNTIME, err);
}

static int on_build(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	return give(ctx, item, bh_json_str(item->value), BH_SCOPE_DEVELOPMENT, err);
}

static int on_node(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct bh_slice reference = bh_json_str(bh_json_get(item->value, "ref"));
	bool is_project = reference.len == 0 || bh_json_get(item->value, "path");
	bool build = bh_slice_eq_str(bh_json_str(bh_json_get(item->value, "context")), "build");
	return is_project ? 0 : give(ctx, item, reference, build ? BH_SCOPE_DEVELOPMENT : BH_SCOPE_RUNTIME, err);
}

static int conan_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	static const struct pkg_json_section sections[] = {
		{ "graph_lock nodes *", on_node }, { "requires *", on_requires },    { "build_requires *", on_build },
		{ "python_requires *", on_build }, { "config_requires *", on_build }, { 0 },
	};
	struct pkg_notes notes = { .sink = sink };
	int rc = pkg_json_each(file->data, sections, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_conan_lock = {
	.name = "conan_lock",
	.type = "conan",
	.wants = conan_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = conan_lock_parse,
};
