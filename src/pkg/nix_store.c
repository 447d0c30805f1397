/*
 * nix_store.c: packages of Nix: each is a folder nix/store/HASH-NAME-VERSION[-OUTPUT].
 *
 *     nix/var/nix/db/db.sqlite, table ValidPaths, column path   lists them, where the image has Nix itself
 *     nix/store/HASH-NAME-VERSION/bin/...                        else some file of the folder tells: many of one folder say the same, so
 *                                                                the folder is given as their place
 *
 * The version starts at the first "-" that no letter follows, as builtins.parseDrvName has it; outputs other than "out" add their name.
 * Folders without a version (wrappers, configurations, sources) are no packages.
 */
#include "format/sqlite_db.h"
#include "pkg/entry.h"

#define HASH_BYTES 32u /* base 32 of 160 bits */

static const struct pkg_want nix_store_wants[] = {
	{ .kind = PKG_WANT_PATH, .path = "nix/var/nix/db/db.sqlite" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/bin/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/sbin/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/lib/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/libexec/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/etc/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/etc/ssl/certs/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/share/*/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/nix-support/*" },
	{ .kind = PKG_WANT_END },
};

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct bh_slice without_output(struct bh_slice version)
{
	static const char *const outputs[] = { "-bin", "-dev", "-lib", "-out", "-man", "-doc", "-info", "-devdoc", "-debug", "-static", "-data" };
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
		if (bh_slice_ends(version, bh_slice_str(outputs[i])))
			return bh_slice_sub(version, 0, version.len - strlen(outputs[i]));
	return version;
}

/* "HASH-openssl-3.0.8-bin" -> "openssl", "3.0.8". False when it is no package. */
static bool split(struct bh_slice folder, struct bh_package *p)
{
	if (folder.len < HASH_BYTES + 2 || folder.ptr[HASH_BYTES] != '-' || bh_slice_ends(folder, BH_SLICE_LIT(".drv")))
		return false;
	struct bh_slice rest = bh_slice_sub(folder, HASH_BYTES + 1, folder.len);
	for (size_t i = 1; i + 1 < rest.len; i++) {
		if (rest.ptr[i] != '-' || is_letter(rest.ptr[i + 1]))
			continue;
		p->name = bh_slice_sub(rest, 0, i);
		p->version = without_output(bh_slice_sub(rest, i + 1, rest.len));
		return true;
	}
	return false;
}

/* The folder of the store that the path leads into; its path up to there is the package's place. */
static int give_folder(struct pkg_notes *notes, struct bh_slice path, uint64_t offset, struct bh_err *err)
{
	static const char store[] = "nix/store/";
	const uint8_t *found = memmem(path.ptr, path.len, store, strlen(store));
	if (!found)
		return pkg_note(notes, offset, err, "%.*s is no path in a Nix store", BH_SLICE_FMT(path));
	size_t start = (size_t)(found - path.ptr), name_at = start + strlen(store);
	struct bh_slice folder = bh_slice_sub(path, name_at, path.len);
	folder.len = bh_slice_find(folder, '/');
	size_t root = path.ptr[0] == '/' ? 1 : 0; /* the database has absolute paths */
	struct bh_package p = { .type = BH_SLICE_LIT("nix"), .at = { .path = bh_slice_sub(path, root, name_at + folder.len - root) } };
	return split(folder, &p) ? pkg_give(notes, &p, offset, err) : 0;
}

static int on_row(void *ctx, uint64_t offset, struct bh_slice key, struct bh_slice value, struct bh_err *err)
{
	(void)key;
	return give_folder(ctx, value, offset, err);
}

static int on_damage(void *ctx, uint64_t offset, const char *reason, struct bh_err *err)
{
	return pkg_note(ctx, offset, err, "%s", reason);
}

static int nix_store_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_record_sink rows = { on_row, on_damage, &notes };
	int rc;
	if (bh_slice_eq_str(file->path, nix_store_wants[0].path))
		rc = bh_sqlite_each(file->data, file->sibling, "ValidPaths", "path", &rows, err);
	else
		rc = give_folder(&notes, file->path, 0, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_nix_store = {
	.name = "nix_store",
	.type = "nix",
	.wants = nix_store_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.sibling_suffix = "-wal",
	.parse = nix_store_parse,
};
