/*
 * swift_resolved.c: the Swift package manager's Package.resolved:
 *
 *     version 1      { "object": { "pins": [ { "repositoryURL": "https://github.com/apple/swift-nio.git", "state": { "version": "2.1.0" } } ] } }
 *     versions 2, 3  { "pins": [ { "identity": "swift-nio", "kind": "remoteSourceControl", "location": "https://...", "state": {...} } ] }
 *
 * A package's name is its address without scheme and ".git", as in advisories; of packages from a registry ("mona.LinkedList")
 * scope and name, "mona/LinkedList". A pin to a branch or commit has no version.
 */
#include "pkg/json_items.h"

static const struct pkg_want swift_resolved_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "Package.resolved" },
	{ .kind = PKG_WANT_GLOB, .path = ".package.resolved" },
	{ .kind = PKG_WANT_END },
};

/* "https://user@host/a/b.git", "git@host:a/b.git", "ssh://git@host/a/b" -> "host/a/b", in place. */
static struct bh_slice name_of_address(char *address)
{
	struct bh_slice s = bh_slice_str(address);
	char *scheme = strstr(address, "://");
	if (scheme)
		s = bh_slice_str(scheme + 3);
	size_t host_ends = bh_slice_find(s, '/'), at = bh_slice_find(bh_slice_sub(s, 0, host_ends), '@');
	if (at < host_ends)
		s = bh_slice_sub(s, at + 1, s.len);
	size_t colon = bh_slice_find(s, ':');
	if (!scheme && colon < bh_slice_find(s, '/'))
		address[(size_t)(s.ptr - (const uint8_t *)address) + colon] = '/';
	if (s.len && s.ptr[s.len - 1] == '/')
		s.len--;
	return bh_slice_ends(s, BH_SLICE_LIT(".git")) ? bh_slice_sub(s, 0, s.len - 4) : s;
}

/* "mona.LinkedList" -> "mona/LinkedList", in place: a scope has no dot. */
static struct bh_slice name_of_identity(char *identity)
{
	char *dot = strchr(identity, '.');
	if (dot)
		*dot = '/';
	return bh_slice_str(identity);
}

struct resolved {
	struct pkg_notes notes;
	struct bh_arena *scratch;
};

static int on_pin(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct resolved *r = ctx;
	bool from_registry = bh_slice_eq_str(bh_json_str(bh_json_get(item->value, "kind")), "registry");
	struct bh_slice origin = bh_json_str(bh_json_get(item->value, from_registry ? "identity" : "location"));
	if (origin.len == 0)
		origin = bh_json_str(bh_json_get(item->value, "repositoryURL"));
	char *copy = bh_arena_strdup(r->scratch, origin);
	if (!copy)
		return bh_fail(err, BH_ENOMEM, item->offset_bytes, "out of memory for a name");
	struct bh_package p = {
		.type = BH_SLICE_LIT("swift"),
		.name = from_registry ? name_of_identity(copy) : name_of_address(copy),
		.version = bh_json_str(bh_json_get(bh_json_get(item->value, "state"), "version")),
		.at = { .line = item->line, .evidence = BH_EVIDENCE_LOCKFILE },
	};
	return pkg_give(&r->notes, &p, item->offset_bytes, err);
}

static int swift_resolved_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	static const struct pkg_json_section sections[] = { { "object pins *", on_pin }, { "pins *", on_pin }, { 0 } };
	struct resolved r = { .notes = { .sink = sink }, .scratch = scratch };
	int rc = pkg_json_each(file->data, sections, &r, err);
	return rc < 0 ? rc : pkg_notes_end(&r.notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_swift_resolved = {
	.name = "swift_resolved",
	.type = "swift",
	.wants = swift_resolved_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = swift_resolved_parse,
};
