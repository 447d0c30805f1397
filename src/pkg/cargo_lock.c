/*
 * cargo_lock.c: Cargo.lock, versions 1 to 4. All of them have what matters here:
 *
 *     [[package]]
 *     name = "serde"
 *     version = "1.0.0"
 *     source = "registry+https://..."     missing for members of the workspace and folders beside it
 *
 * Version 1 may call the project itself [root]. Which crates are development's only the manifests know, not the lock.
 */
#include "base/limits.h"
#include "format/toml.h"
#include "pkg/notes.h"

#define LOCK_BYTES_MAX (64u << 20) /* the largest real ones have 500 KiB */

static const struct pkg_want cargo_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "Cargo.lock" },
	{ .kind = PKG_WANT_END },
};

static int on_crate(const struct bh_toml_node *crate, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_package p = {
		.type = BH_SLICE_LIT("cargo"),
		.name = bh_toml_str(bh_toml_get(crate, "name")),
		.version = bh_toml_str(bh_toml_get(crate, "version")),
		.at = { .line = bh_toml_line(crate), .evidence = BH_EVIDENCE_LOCKFILE },
	};
	if (!pkg_word_ok(p.name, BH_NAME_BYTES_MAX) || !pkg_word_ok(p.version, BH_VERSION_BYTES_MAX))
		return pkg_note(notes, 0, err, "line %u: a crate has no usable name or version", bh_toml_line(crate));
	return notes->sink->package(notes->sink->ctx, &p, err);
}

static int cargo_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	if (bh_slice_search(file->path, "/registry/src/"))
		return 0; /* cargo's downloads: a lock inside a crate says nothing about who uses the crate */
	struct pkg_notes notes = { .sink = sink };
	struct bh_toml *doc = NULL;
	int rc = bh_toml_parse(file->data, LOCK_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_toml_node *root = bh_toml_root(doc), *crates = bh_toml_get(root, "package"), *project = bh_toml_get(root, "root");
	if (project)
		rc = on_crate(project, &notes, err);
	for (size_t i = 0; rc == 0 && i < bh_toml_len(crates); i++)
		rc = on_crate(bh_toml_at(crates, i), &notes, err);
	bh_toml_free(doc);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_cargo_lock = {
	.name = "cargo_lock",
	.type = "cargo",
	.wants = cargo_lock_wants,
	.max_bytes = LOCK_BYTES_MAX,
	.parse = cargo_lock_parse,
};
