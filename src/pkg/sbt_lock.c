/*
 * sbt_lock.c: build.sbt.lock of the plug-in sbt-dependency-lock:
 *
 *     {"lockVersion":1,"dependencies":[{"org":"org.typelevel","name":"cats-core_2.13","version":"2.9.0","configurations":["compile","test"]}]}
 */
#include "base/limits.h"
#include "pkg/json_items.h"

#define LOCK_BYTES_MAX (64u << 20)

static const struct pkg_want sbt_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "build.sbt.lock" },
	{ .kind = PKG_WANT_END },
};

/* Runtime unless it is there for tests only. */
static enum bh_scope scope_of(const struct bh_json_node *configurations)
{
	for (size_t i = 0; i < bh_json_len(configurations); i++)
		if (!bh_slice_starts(bh_json_str(bh_json_at(configurations, i)), BH_SLICE_LIT("test")))
			return BH_SCOPE_RUNTIME;
	return bh_json_len(configurations) ? BH_SCOPE_DEVELOPMENT : BH_SCOPE_RUNTIME;
}

static int on_dependency(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct bh_slice group = bh_json_str(bh_json_get(item->value, "org")), artifact = bh_json_str(bh_json_get(item->value, "name"));
	char name[BH_NAME_BYTES_MAX + 2];
	int len = snprintf(name, sizeof(name), "%.*s:%.*s", BH_SLICE_FMT(group), BH_SLICE_FMT(artifact));
	bool usable = group.len && artifact.len && (size_t)len < sizeof(name);
	struct bh_package p = {
		.type = BH_SLICE_LIT("maven"),
		.name = { (const uint8_t *)name, usable ? (size_t)len : 0 },
		.version = bh_json_str(bh_json_get(item->value, "version")),
		.scope = scope_of(bh_json_get(item->value, "configurations")),
		.at = { .line = item->line, .evidence = BH_EVIDENCE_LOCKFILE },
	};
	return pkg_give(ctx, &p, item->offset_bytes, err);
}

static int sbt_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	static const struct pkg_json_section sections[] = { { "dependencies *", on_dependency }, { NULL, NULL } };
	struct pkg_notes notes = { .sink = sink };
	int rc = pkg_json_each(file->data, sections, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_sbt_lock = {
	.name = "sbt_lock",
	.type = "maven",
	.wants = sbt_lock_wants,
	.max_bytes = LOCK_BYTES_MAX,
	.parse = sbt_lock_parse,
};
