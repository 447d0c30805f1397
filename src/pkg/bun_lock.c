/*
 * bun_lock.c: Bun's bun.lock, JSON with comments and commas behind the last item:
 *
 *     "workspaces": { "": { "dependencies": { "a": "^1" }, "devDependencies": ... }, "packages/x": ... }
 *     "packages": { "a":   ["a@1.2.3", "registry", { "dependencies": { "b": "^2" } }, "sha512-..."],
 *                   "a/b": ["b@2.0.0", ...] }       the b that a sees; another name than the key's: an alias
 *
 * "a@workspace:packages/x" and "a@link:..." are the project's own. Which version git and tarballs have isn't told. A package is
 * development's when no chain of others leads to it from a workspace's dependencies. bun.lockb, the binary form before Bun 1.2, is
 * not read, and a scan says so.
 */
#include "base/cleanup.h"
#include "pkg/json_items.h"
#include "pkg/npm.h"
#include "pkg/reach.h"

static const struct pkg_want bun_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "bun.lock" },
	{ .kind = PKG_WANT_GLOB, .path = "bun.lockb" },
	{ .kind = PKG_WANT_END },
};

struct lock {
	struct pkg_notes notes;
	struct pkg_reach reach;
	struct pkg_reach_node *project;
};

/* ---- to JSON: comments and last commas become blanks, so that offsets and lines stay ---- */

static size_t behind_string(struct bh_slice text, size_t at)
{
	for (at++; at < text.len && text.ptr[at] != '"'; at++)
		if (text.ptr[at] == '\\')
			at++;
	return at < text.len ? at + 1 : text.len;
}

/* Behind a comment that starts at `at`; at itself when none does. */
static size_t behind_comment(struct bh_slice text, size_t at)
{
	struct bh_slice rest = bh_slice_sub(text, at, text.len), end = BH_SLICE_LIT("*/");
	if (bh_slice_starts(rest, BH_SLICE_LIT("//")))
		return at + bh_slice_find(rest, '\n');
	if (!bh_slice_starts(rest, BH_SLICE_LIT("/*")))
		return at;
	const uint8_t *close = memmem(rest.ptr + 2, rest.len - 2, end.ptr, end.len);
	return close ? (size_t)(close - text.ptr) + end.len : text.len;
}

static void blank(uint8_t *bytes, size_t from, size_t to)
{
	for (; from < to; from++)
		if (bytes[from] != '\n')
			bytes[from] = ' ';
}

static void to_json(uint8_t *bytes, size_t len)
{
	struct bh_slice text = { bytes, len };
	size_t comma = SIZE_MAX; /* one that nothing but blanks followed yet */
	for (size_t at = 0, next; at < len; at = next) {
		next = bytes[at] == '"' ? behind_string(text, at) : behind_comment(text, at);
		if (next > at && bytes[at] == '/') {
			blank(bytes, at, next);
			continue;
		}
		if (next == at)
			next = at + 1;
		if (bytes[at] == ' ' || bytes[at] == '\n' || bytes[at] == '\r' || bytes[at] == '\t')
			continue;
		if ((bytes[at] == '}' || bytes[at] == ']') && comma != SIZE_MAX)
			bytes[comma] = ' ';
		comma = bytes[at] == ',' ? at : SIZE_MAX;
	}
}

/* ---- who needs whom ---- */

/* The package in which this one lies: "a/@s/b" -> "a", "@s/b" -> "". */
static struct bh_slice outer_of(struct bh_slice key)
{
	struct bh_slice outer = bh_slice_folder(key), last = bh_slice_base(outer);
	return last.len && last.ptr[0] == '@' ? bh_slice_folder(outer) : outer;
}

/* The package that `name` means inside of `key`, as Node.js looks for it: "key/name", then further out. NULL: there is none. */
static struct pkg_reach_node *seen_from(const struct lock *l, struct bh_slice key, struct bh_slice name)
{
	char id[2 * BH_NAME_BYTES_MAX];
	for (;; key = outer_of(key)) {
		if (key.len + name.len + 1 < sizeof(id)) {
			int len = snprintf(id, sizeof(id), "%.*s%s%.*s", BH_SLICE_FMT(key), key.len ? "/" : "", BH_SLICE_FMT(name));
			struct pkg_reach_node *node = bh_map_get(&l->reach.nodes, (struct bh_slice){ (const uint8_t *)id, (size_t)len });
			if (node)
				return node;
		}
		if (key.len == 0)
			return NULL;
	}
}

static int add_lists(struct lock *l, struct pkg_reach_node *from, struct bh_slice key, const struct bh_json_node *lists, struct bh_err *err)
{
	static const struct {
		const char *name;
		enum bh_scope scope;
	} kinds[] = { { "dependencies", BH_SCOPE_RUNTIME }, { "optionalDependencies", BH_SCOPE_OPTIONAL }, { "peerDependencies", BH_SCOPE_RUNTIME },
		      { "devDependencies", BH_SCOPE_DEVELOPMENT } };
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const struct bh_json_node *list = bh_json_get(lists, kinds[k].name), *range;
		struct bh_slice name;
		void *iter = NULL;
		while (bh_json_next(list, &iter, &name, &range)) {
			struct pkg_reach_node *to = seen_from(l, key, name);
			if (to && !pkg_reach_edge(&l->reach, from, to, kinds[k].scope))
				return bh_fail(err, BH_ENOMEM, 0, "out of memory for the dependencies of bun.lock");
		}
	}
	return 0;
}

static int on_key(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct lock *l = ctx;
	return pkg_reach_node(&l->reach, item->key) ? 0 : bh_fail(err, BH_ENOMEM, item->offset_bytes, "out of memory for the packages of bun.lock");
}

static int on_workspace(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct lock *l = ctx;
	return add_lists(l, l->project, item->key.len ? bh_json_str(bh_json_get(item->value, "name")) : item->key, item->value, err);
}

/* Where the lists stand depends on the source: behind the address of a registry, at once behind git and tarballs. */
static int on_needs(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct lock *l = ctx;
	struct pkg_reach_node *node = bh_map_get(&l->reach.nodes, item->key);
	int rc = 0;
	for (size_t i = 1; node && rc >= 0 && i < bh_json_len(item->value); i++)
		rc = add_lists(l, node, item->key, bh_json_at(item->value, i), err);
	return rc;
}

static int on_package(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct lock *l = ctx;
	struct bh_package p = {
		.type = BH_SLICE_LIT("npm"),
		.scope = pkg_reach_scope(&l->reach, item->key),
		.at = { .line = item->line, .evidence = BH_EVIDENCE_LOCKFILE },
	};
	(void)pkg_npm_cut(bh_json_str(bh_json_at(item->value, 0)), &p.name, &p.version);
	if (bh_slice_starts(p.version, BH_SLICE_LIT("workspace:")) || bh_slice_starts(p.version, BH_SLICE_LIT("link:")) ||
	    bh_slice_starts(p.version, BH_SLICE_LIT("root:")))
		return 0;
	if (!pkg_npm_is_version(p.version))
		p.version = (struct bh_slice){ 0 };
	return pkg_give(&l->notes, &p, item->offset_bytes, err);
}

static int read_lock(struct lock *l, struct bh_slice json, struct bh_err *err)
{
	static const struct pkg_json_section keys[] = { { "packages *", on_key }, { 0 } };
	static const struct pkg_json_section needs[] = { { "packages *", on_needs }, { "workspaces *", on_workspace }, { 0 } };
	static const struct pkg_json_section packages[] = { { "packages *", on_package }, { 0 } };
	int rc = pkg_json_each(json, keys, l, err);
	if (rc >= 0 && !(l->project = pkg_reach_node(&l->reach, BH_SLICE_LIT(""))))
		rc = bh_fail(err, BH_ENOMEM, 0, "out of memory for the packages of bun.lock");
	if (rc >= 0)
		rc = pkg_json_each(json, needs, l, err);
	if (rc < 0)
		return rc;
	pkg_reach_from(&l->reach, l->project);
	return pkg_json_each(json, packages, l, err);
}

static int bun_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf json = { 0 };
	struct lock l = { .notes = { .sink = sink } };
	if (pkg_npm_inside_package(file->path))
		return 0;
	if (bh_slice_ends(file->path, BH_SLICE_LIT(".lockb")))
		return pkg_note(&l.notes, 0, err, "Bun's binary lockfile isn't read: let `bun install --save-text-lockfile --lockfile-only` write bun.lock");
	bh_buf_init(&json, BH_WANTED_FILE_BYTES_MAX);
	if (!bh_buf_add(&json, pkg_without_bom(file->data)))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a copy of bun.lock");
	to_json(json.ptr, json.len);
	pkg_reach_init(&l.reach, scratch);
	int rc = read_lock(&l, bh_buf_slice(&json), err);
	pkg_reach_done(&l.reach);
	return rc < 0 ? rc : pkg_notes_end(&l.notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_bun_lock = {
	.name = "bun_lock",
	.type = "npm",
	.wants = bun_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = bun_lock_parse,
};
