/*
 * npm_lock.c: npm's package-lock.json, npm-shrinkwrap.json, and the node_modules/.package-lock.json that npm 7 leaves beside what it
 * installed. Two forms:
 *
 *     "packages": { "node_modules/a/node_modules/@s/b": { "version": "1.2.3", "dev": true, "license": "MIT" } }    versions 2 and 3
 *     "dependencies": { "a": { "version": "1.2.3", "dev": true, "dependencies": { "b": { ... } } } }               version 1; in 2 too,
 *                                                                                                                  for old npm
 * Keys without node_modules are the project and its workspaces, "link": true points to those: neither is a dependency. "name" stands
 * where a package is installed under another name (in version 1: "version": "npm:lodash@4.17.21"). Version 1 knows no version of what
 * comes from git or a tarball.
 */
#include "base/cleanup.h"
#include "format/json_walk.h"
#include "pkg/json_items.h"
#include "pkg/npm.h"

#define ENTRY_BYTES_MAX (1u << 20)   /* one value of an entry */
#define LICENSE_BYTES_MAX (64u << 10)
#define NESTED_DEPTH_MAX 64u         /* folders in folders of version 1 */

static const struct pkg_want npm_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "package-lock.json" },
	{ .kind = PKG_WANT_GLOB, .path = "npm-shrinkwrap.json" },
	{ .kind = PKG_WANT_GLOB, .path = "node_modules/.package-lock.json" },
	{ .kind = PKG_WANT_END },
};

struct lock {
	struct pkg_notes notes;
	enum bh_evidence evidence;
	bool has_packages; /* version 2 or 3 */
	struct bh_json_walk *json;
	struct pkg_lines lines;
	struct bh_slice unread;
	struct bh_arena *scratch;
};

static enum bh_scope scope_of(bool development, bool optional)
{
	return development ? BH_SCOPE_DEVELOPMENT : optional ? BH_SCOPE_OPTIONAL : BH_SCOPE_RUNTIME;
}

/* ---- versions 2 and 3 ---- */

static int on_package(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct lock *l = ctx;
	struct bh_slice folder_name, name = bh_json_str(bh_json_get(item->value, "name"));
	struct bh_slice version = bh_json_str(bh_json_get(item->value, "version"));
	l->has_packages = true;
	if (pkg_npm_folder(item->key, &folder_name) == PKG_NPM_NO_PACKAGE || bh_json_bool(bh_json_get(item->value, "link")))
		return 0;
	BH_WITH(bh_buf_done) struct bh_buf license = { 0 };
	bh_buf_init(&license, LICENSE_BYTES_MAX);
	pkg_npm_license(item->value, &license);
	bool either = bh_json_bool(bh_json_get(item->value, "devOptional")); /* development's, and optional for the rest */
	struct bh_package p = {
		.type = BH_SLICE_LIT("npm"),
		.name = name.len ? name : folder_name,
		.version = pkg_npm_is_version(version) ? version : (struct bh_slice){ 0 },
		.license = bh_buf_slice(&license),
		.scope = scope_of(bh_json_bool(bh_json_get(item->value, "dev")), either || bh_json_bool(bh_json_get(item->value, "optional"))),
		.at = { .line = item->line, .evidence = l->evidence },
	};
	return pkg_give(&l->notes, &p, item->offset_bytes, err);
}

/* ---- version 1 ---- */

struct old_entry {
	struct bh_slice name, version; /* in scratch */
	bool development, optional;
	uint64_t offset_bytes;
};

/* "file:../folder" is the project's own, as a link. */
static bool is_folder(struct bh_slice version)
{
	static const char *const archives[] = { ".tgz", ".tar.gz", ".tar" };
	for (size_t i = 0; i < sizeof(archives) / sizeof(archives[0]); i++)
		if (bh_slice_ends(version, bh_slice_str(archives[i])))
			return false;
	return bh_slice_starts(version, BH_SLICE_LIT("file:"));
}

static int give_old(struct lock *l, const struct old_entry *e, struct bh_err *err)
{
	struct bh_slice alias = BH_SLICE_LIT("npm:");
	struct bh_package p = {
		.type = BH_SLICE_LIT("npm"),
		.name = e->name,
		.version = e->version,
		.scope = scope_of(e->development, e->optional),
		.at = { .line = pkg_line(&l->lines, e->offset_bytes), .evidence = l->evidence },
	};
	if (is_folder(e->version))
		return 0;
	if (bh_slice_starts(e->version, alias))
		(void)pkg_npm_cut(bh_slice_sub(e->version, alias.len, e->version.len), &p.name, &p.version);
	else if (!pkg_npm_is_version(e->version))
		p.version = (struct bh_slice){ 0 };
	return pkg_give(&l->notes, &p, e->offset_bytes, err);
}

/* The value that comes next is one of an entry's that count: puts it into *e. */
static int take_field(struct lock *l, const char *key, struct old_entry *e, struct bh_err *err)
{
	struct bh_json *doc;
	struct bh_slice text;
	int rc = bh_json_walk_value(l->json, &text, err);
	if (rc >= 0)
		rc = bh_json_parse(text, ENTRY_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	if (strcmp(key, "version") == 0 && !bh_arena_copy(l->scratch, bh_json_str(bh_json_root(doc)), &e->version))
		rc = bh_fail(err, BH_ENOMEM, e->offset_bytes, "out of memory for versions");
	else if (strcmp(key, "dev") == 0)
		e->development = bh_json_bool(bh_json_root(doc));
	else if (strcmp(key, "optional") == 0)
		e->optional = bh_json_bool(bh_json_root(doc));
	bh_json_free(doc);
	return rc;
}

static int walk_old(struct lock *l, unsigned depth, struct bh_err *err);

static int walk_entry(struct lock *l, struct old_entry *e, unsigned depth, struct bh_err *err)
{
	static const char *const fields[] = { "version", "dev", "optional" };
	struct bh_slice key;
	int rc = bh_json_walk_enter(l->json, err);
	while (rc >= 0 && (rc = bh_json_walk_item(l->json, &key, err)) == 1) {
		if (bh_slice_eq_str(key, "dependencies")) {
			rc = walk_old(l, depth + 1, err);
			continue;
		}
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (bh_slice_eq_str(key, fields[i])) {
				rc = take_field(l, fields[i], e, err);
				break;
			}
	}
	return rc < 0 ? rc : give_old(l, e, err);
}

/* The entries of a "dependencies" that comes next. */
static int walk_old(struct lock *l, unsigned depth, struct bh_err *err)
{
	enum bh_json_kind kind;
	struct bh_slice key;
	int rc = bh_json_walk_peek(l->json, &kind, err);
	if (rc < 0 || kind != BH_JSON_OBJECT)
		return rc;
	if (depth > NESTED_DEPTH_MAX)
		return bh_fail(err, BH_ELIMIT, bh_json_walk_offset(l->json), "more than %u dependencies inside each other", NESTED_DEPTH_MAX);
	rc = bh_json_walk_enter(l->json, err);
	while (rc >= 0 && (rc = bh_json_walk_item(l->json, &key, err)) == 1) {
		struct old_entry e = { .offset_bytes = bh_json_walk_offset(l->json) };
		if (!bh_arena_copy(l->scratch, key, &e.name))
			return bh_fail(err, BH_ENOMEM, e.offset_bytes, "out of memory for package names");
		rc = bh_json_walk_peek(l->json, &kind, err);
		if (rc >= 0 && kind == BH_JSON_OBJECT)
			rc = walk_entry(l, &e, depth, err);
	}
	return rc;
}

static int parse_old(struct lock *l, struct bh_slice text, struct bh_err *err)
{
	struct bh_slice key;
	l->lines.text = l->unread = text;
	int rc = bh_json_walk_new(bh_memory_source(&l->unread), ENTRY_BYTES_MAX, &l->json, err);
	if (rc < 0)
		return rc;
	rc = bh_json_walk_enter(l->json, err);
	while (rc >= 0 && (rc = bh_json_walk_item(l->json, &key, err)) == 1)
		if (bh_slice_eq_str(key, "dependencies"))
			rc = walk_old(l, 1, err);
	bh_json_walk_free(l->json);
	return rc;
}

static int npm_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	static const struct pkg_json_section sections[] = { { "packages *", on_package }, { 0 } };
	bool installed = bh_slice_eq_str(bh_slice_base(file->path), ".package-lock.json");
	struct lock l = { .notes = { .sink = sink }, .evidence = installed ? BH_EVIDENCE_DATABASE : BH_EVIDENCE_LOCKFILE, .scratch = scratch };
	struct bh_slice text = pkg_without_bom(file->data);
	if (!installed && pkg_npm_inside_package(file->path))
		return 0;
	int rc = pkg_json_each(text, sections, &l, err);
	if (rc >= 0 && !l.has_packages)
		rc = parse_old(&l, text, err);
	return rc < 0 ? rc : pkg_notes_end(&l.notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_npm_lock = {
	.name = "npm_lock",
	.type = "npm",
	.wants = npm_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = npm_lock_parse,
};
