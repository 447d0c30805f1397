/*
 * npm_lock.c: npm's package-lock.json and npm-shrinkwrap.json, and node_modules/.package-lock.json, in which npm 7 and later note what
 * they installed. https://docs.npmjs.com/cli/configuring-npm/package-lock-json
 *
 *     version 1      { "dependencies": { NAME: { "version", "dev", "optional", "dependencies": { NAME: ... } } } }
 *     version 2, 3   { "packages": { "": ROOT, "node_modules/a/node_modules/b": { "version", "dev", ... } } }
 *
 * Version 2 holds both; the second is the better one. Workspaces (keys without node_modules/) and links to them are the application
 * itself.
 */
#include "base/cleanup.h"
#include "pkg/npm.h"

#define LICENSE_BYTES_MAX (64u << 10)
#define NESTED_MAX BH_JSON_DEPTH_MAX /* dependencies in dependencies: the reader allows no more */

static const struct pkg_want npm_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "package-lock.json" },
	{ .kind = PKG_WANT_GLOB, .path = "npm-shrinkwrap.json" },
	{ .kind = PKG_WANT_GLOB, .path = "node_modules/.package-lock.json" },
	{ .kind = PKG_WANT_END },
};

struct lock {
	struct pkg_notes notes;
	uint64_t version;
	enum bh_evidence evidence;
};

static enum bh_scope scope_of(const struct bh_json_node *entry)
{
	if (bh_json_bool(bh_json_get(entry, "dev")))
		return BH_SCOPE_DEVELOPMENT;
	bool optional = bh_json_bool(bh_json_get(entry, "optional")) || bh_json_bool(bh_json_get(entry, "devOptional"));
	return optional ? BH_SCOPE_OPTIONAL : BH_SCOPE_RUNTIME;
}

static int give(struct lock *lock, struct bh_slice name, struct bh_slice version, const struct bh_json_node *entry, const struct pkg_json_item *item,
		struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf license;
	bh_buf_init(&license, LICENSE_BYTES_MAX);
	pkg_npm_license(entry, &license);
	struct bh_package p = {
		.type = BH_SLICE_LIT("npm"),
		.name = name,
		.version = pkg_npm_is_version(version) ? version : (struct bh_slice){ 0 }, /* else a URL or a path: git, tarballs */
		.license = bh_buf_slice(&license),
		.scope = scope_of(entry),
		.at = { .line = item->line, .evidence = lock->evidence },
	};
	return pkg_give(&lock->notes, &p, item->offset_bytes, err);
}

static int on_version(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct lock *lock = ctx;
	(void)err;
	(void)bh_json_u64(item->value, UINT32_MAX, &lock->version);
	return 0;
}

/* Behind the last "node_modules/"; empty for the root and for workspaces. */
static struct bh_slice name_in_path(struct bh_slice key)
{
	struct bh_slice folder = BH_SLICE_LIT("node_modules/");
	for (size_t at = key.len; at-- > 0;) {
		bool begins = at == 0 || key.ptr[at - 1] == '/';
		if (begins && bh_slice_starts(bh_slice_sub(key, at, key.len), folder))
			return bh_slice_sub(key, at + folder.len, key.len);
	}
	return (struct bh_slice){ 0 };
}

static int on_package(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct lock *lock = ctx;
	struct bh_slice name = name_in_path(item->key), alias_of = bh_json_str(bh_json_get(item->value, "name"));
	if (name.len == 0 || bh_json_bool(bh_json_get(item->value, "link")))
		return 0;
	return give(lock, alias_of.len ? alias_of : name, bh_json_str(bh_json_get(item->value, "version")), item->value, item, err);
}

/* One entry of version 1 and what is nested in it. */
static int give_nested(struct lock *lock, struct bh_slice name, const struct bh_json_node *entry, unsigned depth, const struct pkg_json_item *item,
		       struct bh_err *err)
{
	struct bh_slice version = bh_json_str(bh_json_get(entry, "version"));
	(void)pkg_npm_alias(version, &name, &version);
	int rc = bh_slice_starts(version, BH_SLICE_LIT("file:")) ? 0 : give(lock, name, version, entry, item, err);
	const struct bh_json_node *nested = bh_json_get(entry, "dependencies"), *child;
	void *iter = NULL;
	while (rc >= 0 && depth < NESTED_MAX && bh_json_next(nested, &iter, &name, &child))
		rc = give_nested(lock, name, child, depth + 1, item, err);
	return rc;
}

static int on_dependency(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct lock *lock = ctx;
	return lock->version >= 2 ? 0 : give_nested(lock, item->key, item->value, 0, item, err);
}

static int npm_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	static const struct pkg_json_section head[] = { { "lockfileVersion", on_version }, { 0 } };
	static const struct pkg_json_section sections[] = { { "packages *", on_package }, { "dependencies *", on_dependency }, { 0 } };
	bool installed = bh_slice_eq_str(pkg_basename(file->path), ".package-lock.json");
	struct lock lock = { .notes = { .sink = sink }, .version = 1, .evidence = installed ? BH_EVIDENCE_DATABASE : BH_EVIDENCE_LOCKFILE };
	struct bh_slice text = pkg_without_bom(file->data);
	int rc = pkg_json_each(text, head, &lock, err);
	rc = rc < 0 ? rc : pkg_json_each(text, sections, &lock, err);
	return rc < 0 ? rc : pkg_notes_end(&lock.notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_npm_lock = {
	.name = "npm_lock",
	.type = "npm",
	.wants = npm_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = npm_lock_parse,
};
