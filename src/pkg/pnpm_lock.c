/*
 * pnpm_lock.c: pnpm-lock.yaml, lockfileVersion 5 to 9, and the node_modules/.pnpm/lock.yaml that tells what was installed.
 *
 *     packages:
 *       /@s/a/1.2.3_peer@4.0.0:          version 5
 *         dev: true                      optional: true
 *       /@s/a@1.2.3(peer@4.0.0):         version 6
 *       '@s/a@1.2.3':                    version 9, without dev:
 *     snapshots:                         version 9: who needs whom, with peers
 *       '@s/a@1.2.3(peer@4.0.0)':
 *         dependencies: { b: 2.0.0, alias: c@3.0.0 }
 *     importers:
 *       .: { devDependencies: { a: { specifier: ^1, version: 1.2.3(peer@4.0.0) } } }
 *
 * What comes from git, a tarball or a folder has name: and version: of its own. In version 9 a package is development's when no chain of
 * others leads to it from an importer's dependencies.
 */
#include "format/yaml.h"
#include "pkg/npm.h"
#include "pkg/reach.h"

#define PNPM_BYTES_MAX (64u << 20) /* the largest real ones have 3 MiB; what has more nodes than BH_YAML_NODES_MAX is refused too */

static const struct pkg_want pnpm_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "pnpm-lock.yaml" },
	{ .kind = PKG_WANT_GLOB, .path = "node_modules/.pnpm/lock.yaml" },
	{ .kind = PKG_WANT_END },
};

struct lock {
	struct pkg_notes notes;
	struct pkg_reach reach;
	bool slashes;   /* up to version 5: "/name/version" */
	bool snapshots; /* version 9 */
};

/* "1.2.3(peer@4)" and "1.2.3_peer@4" -> "1.2.3" */
static struct bh_slice without_peers(struct bh_slice text, bool slashes)
{
	struct bh_slice plain, peers;
	(void)bh_slice_cut(text, slashes ? '_' : '(', &plain, &peers);
	return plain;
}

/* "/@s/a/1.2.3_peer@4", "registry.example.org/a/1.2.3" */
static void cut_slashes(struct bh_slice key, struct bh_slice *name, struct bh_slice *version)
{
	struct bh_slice host, part, rest = key;
	(void)bh_slice_cut(key, '/', &host, &rest);
	(void)bh_slice_cut(rest, '/', name, &rest);
	if (name->len && name->ptr[0] == '@') {
		(void)bh_slice_cut(rest, '/', &part, &rest);
		name->len += 1 + part.len;
	}
	(void)bh_slice_cut(rest, '/', version, &rest);
	*version = without_peers(*version, true);
}

static void cut_key(const struct lock *l, struct bh_slice key, struct bh_slice *name, struct bh_slice *version)
{
	if (l->slashes) {
		cut_slashes(key, name, version);
		return;
	}
	if (key.len && key.ptr[0] == '/')
		key = bh_slice_sub(key, 1, key.len);
	(void)pkg_npm_cut(without_peers(key, false), name, version);
}

static bool is_true(const struct bh_yaml_node *value)
{
	bool yes;
	return bh_yaml_bool(value, &yes) && yes;
}

static enum bh_scope scope_of(const struct lock *l, struct bh_slice key, const struct bh_yaml_node *value)
{
	if (l->snapshots)
		return pkg_reach_scope(&l->reach, key);
	return is_true(bh_yaml_get(value, "dev")) ? BH_SCOPE_DEVELOPMENT : is_true(bh_yaml_get(value, "optional")) ? BH_SCOPE_OPTIONAL : BH_SCOPE_RUNTIME;
}

static int give(struct lock *l, const struct bh_yaml_node *key, const struct bh_yaml_node *value, struct bh_err *err)
{
	struct bh_slice id = bh_yaml_str(key), name = bh_yaml_str(bh_yaml_get(value, "name")), version = bh_yaml_str(bh_yaml_get(value, "version"));
	struct bh_package p = { .type = BH_SLICE_LIT("npm"), .at = { .line = bh_yaml_line(key), .evidence = BH_EVIDENCE_LOCKFILE } };
	if (bh_yaml_get(bh_yaml_get(value, "resolution"), "directory"))
		return 0; /* the project's own */
	cut_key(l, id, &p.name, &p.version);
	p.scope = scope_of(l, id, value);
	if (name.len)
		p.name = name;
	if (version.len)
		p.version = version;
	else if (!pkg_npm_is_version(p.version))
		p.version = (struct bh_slice){ 0 };
	return pkg_give(&l->notes, &p, 0, err);
}

/* ---- version 9: who needs whom ---- */

/* The snapshot that `name: value` of a list of dependencies means: "a@1.2.3(peer@4)"; value alone is the whole for other names. */
static struct pkg_reach_node *target_of(struct lock *l, struct bh_slice name, struct bh_slice value)
{
	struct bh_slice other, version;
	bool alias = !pkg_npm_is_version(value) && pkg_npm_cut(value, &other, &version) && bh_slice_find(other, ':') == other.len;
	if (alias)
		return pkg_reach_node(&l->reach, value);
	const char *id = bh_arena_printf(l->reach.arena, "%.*s@%.*s", BH_SLICE_FMT(name), BH_SLICE_FMT(value));
	return id ? pkg_reach_node(&l->reach, bh_slice_str(id)) : NULL;
}

/* The edges of one list: { a: 1.2.3 } of snapshots, { a: { version: 1.2.3 } } of importers. */
static bool add_edges(struct lock *l, struct pkg_reach_node *from, const struct bh_yaml_node *list, enum bh_scope scope)
{
	const struct bh_yaml_node *key, *value;
	for (size_t i = 0; bh_yaml_pair(list, i, &key, &value); i++) {
		const struct bh_yaml_node *version = bh_yaml_is(value, BH_YAML_MAPPING) ? bh_yaml_get(value, "version") : value;
		struct pkg_reach_node *to = target_of(l, bh_yaml_str(key), bh_yaml_str(version));
		if (!to || !pkg_reach_edge(&l->reach, from, to, scope))
			return false;
	}
	return true;
}

static bool add_lists(struct lock *l, struct pkg_reach_node *from, const struct bh_yaml_node *node)
{
	return add_edges(l, from, bh_yaml_get(node, "dependencies"), BH_SCOPE_RUNTIME) &&
	       add_edges(l, from, bh_yaml_get(node, "optionalDependencies"), BH_SCOPE_OPTIONAL) &&
	       add_edges(l, from, bh_yaml_get(node, "devDependencies"), BH_SCOPE_DEVELOPMENT);
}

/* A package has the scope of its snapshots: edges from "a@1.2.3(peer@4)" to "a@1.2.3". */
static bool add_snapshot(struct lock *l, struct bh_slice id, const struct bh_yaml_node *value)
{
	struct pkg_reach_node *node = pkg_reach_node(&l->reach, id), *package = pkg_reach_node(&l->reach, without_peers(id, false));
	return node && package && (node == package || pkg_reach_edge(&l->reach, node, package, BH_SCOPE_RUNTIME)) && add_lists(l, node, value);
}

static int find_scopes(struct lock *l, const struct bh_yaml_node *root, struct bh_err *err)
{
	const struct bh_yaml_node *snapshots = bh_yaml_get(root, "snapshots"), *importers = bh_yaml_get(root, "importers"), *key, *value;
	struct pkg_reach_node *project = pkg_reach_node(&l->reach, BH_SLICE_LIT(""));
	bool ok = project;
	l->snapshots = snapshots;
	for (size_t i = 0; ok && bh_yaml_pair(snapshots, i, &key, &value); i++)
		ok = add_snapshot(l, bh_yaml_str(key), value);
	for (size_t i = 0; ok && bh_yaml_pair(importers, i, &key, &value); i++)
		ok = add_lists(l, project, value);
	if (!ok)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for the dependencies of pnpm-lock.yaml");
	pkg_reach_from(&l->reach, project);
	return 0;
}

static int parse_document(struct lock *l, const struct bh_yaml_node *root, struct bh_err *err)
{
	struct bh_slice version = bh_yaml_str(bh_yaml_get(root, "lockfileVersion"));
	const struct bh_yaml_node *packages = bh_yaml_get(root, "packages"), *key, *value;
	l->slashes = !version.len || (version.ptr[0] >= '3' && version.ptr[0] <= '5');
	int rc = find_scopes(l, root, err);
	for (size_t i = 0; rc >= 0 && bh_yaml_pair(packages, i, &key, &value); i++)
		rc = give(l, key, value, err);
	return rc;
}

static int pnpm_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	struct lock l = { .notes = { .sink = sink } };
	struct bh_yaml *yaml;
	if (!bh_slice_ends(file->path, BH_SLICE_LIT("/.pnpm/lock.yaml")) && pkg_npm_inside_package(file->path))
		return 0;
	int rc = bh_yaml_parse(file->data, PNPM_BYTES_MAX, &yaml, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; rc >= 0 && i < bh_yaml_documents(yaml); i++) { /* pnpm 11 puts its own tools into a document in front */
		pkg_reach_init(&l.reach, scratch);
		rc = parse_document(&l, bh_yaml_root(yaml, i), err);
		pkg_reach_done(&l.reach);
	}
	bh_yaml_free(yaml);
	return rc < 0 ? rc : pkg_notes_end(&l.notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_pnpm_lock = {
	.name = "pnpm_lock",
	.type = "npm",
	.wants = pnpm_lock_wants,
	.max_bytes = PNPM_BYTES_MAX,
	.parse = pnpm_lock_parse,
};
