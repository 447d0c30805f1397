/* nix.c: see nix.h. */
#include "pkg/nix.h"

#define HASH_BYTES 32u /* base 32 of 160 bits */

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

int pkg_nix_give(struct pkg_notes *notes, struct bh_slice path, uint64_t offset_bytes, struct bh_err *err)
{
	static const char store[] = "nix/store/";
	const uint8_t *found = bh_slice_search(path, store);
	if (!found)
		return pkg_note(notes, offset_bytes, err, "%.*s is no path in a Nix store", BH_SLICE_FMT(path));
	size_t start = (size_t)(found - path.ptr), name_at = start + strlen(store);
	struct bh_slice folder = bh_slice_sub(path, name_at, path.len);
	folder.len = bh_slice_find(folder, '/');
	size_t root = path.ptr[0] == '/' ? 1 : 0; /* the database has absolute paths */
	struct bh_package p = { .type = BH_SLICE_LIT("nix"), .at = { .path = bh_slice_sub(path, root, name_at + folder.len - root) } };
	return split(folder, &p) ? pkg_give(notes, &p, offset_bytes, err) : 0;
}
