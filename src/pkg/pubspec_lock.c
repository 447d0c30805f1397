/*
 * pubspec_lock.c: Dart's and Flutter's pubspec.lock:
 *
 *     packages:
 *       http:
 *         dependency: "direct main"       or "direct dev", "direct overridden", transitive
 *         source: hosted                  or git, path; sdk: comes with Flutter or Dart itself, version 0.0.0
 *         version: "1.1.0"
 */
#include "format/yaml.h"
#include "pkg/entry.h"

#define PUBSPEC_BYTES_MAX (64u << 20)

static const struct pkg_want pubspec_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "pubspec.lock" },
	{ .kind = PKG_WANT_END },
};

static int give(struct pkg_notes *notes, const struct bh_yaml_node *key, const struct bh_yaml_node *value, struct bh_err *err)
{
	if (bh_slice_eq_str(bh_yaml_str(bh_yaml_get(value, "source")), "sdk"))
		return 0;
	bool development = bh_slice_eq_str(bh_yaml_str(bh_yaml_get(value, "dependency")), "direct dev");
	struct bh_package p = {
		.type = BH_SLICE_LIT("pub"),
		.name = bh_yaml_str(key),
		.version = bh_yaml_str(bh_yaml_get(value, "version")),
		.scope = development ? BH_SCOPE_DEVELOPMENT : BH_SCOPE_RUNTIME,
		.at = { .line = bh_yaml_line(key), .evidence = BH_EVIDENCE_LOCKFILE },
	};
	return pkg_give(notes, &p, 0, err);
}

static int pubspec_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_yaml *doc;
	int rc = bh_yaml_parse(file->data, PUBSPEC_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_yaml_node *packages = bh_yaml_get(bh_yaml_root(doc, 0), "packages"), *key, *value;
	for (size_t i = 0; rc >= 0 && bh_yaml_pair(packages, i, &key, &value); i++)
		rc = give(&notes, key, value, err);
	bh_yaml_free(doc);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_pubspec_lock = {
	.name = "pubspec_lock",
	.type = "pub",
	.wants = pubspec_lock_wants,
	.max_bytes = PUBSPEC_BYTES_MAX,
	.parse = pubspec_lock_parse,
};
