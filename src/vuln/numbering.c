/*
 * numbering.c: advisories of Debian and its kind speak of source versions; people upgrade binary packages. Mostly both have the
 * same version. Where they don't:
 *
 *     rebuild           source 1.2-3            binary 1.2-3+b1
 *     own epoch         source 2.38.1-5         bsdutils 1:2.38.1-5
 *     own version line  source 4.17.12+dfsg-0   libldb2 2:2.6.2+samba4.17.12+dfsg-0
 *     signed kernel     source 6.1.190+1        linux-image-amd64 6.1.190-1
 *
 * The table "binary-version" has the differences for the newest versions. For others the installed pair shows how source
 * and binary number relate, and the same step is taken with the other version. Where the pair shows nothing, we don't guess.
 */
#include "vuln/numbering.h"

#define VERSIONS_MAX 1000u /* in the table, of one binary package of a release; 1 today */

/* "1.2-3+b1" -> "1.2-3" */
static struct bh_slice without_rebuild(struct bh_slice v)
{
	size_t digits = 0;
	while (digits < v.len && v.ptr[v.len - 1 - digits] >= '0' && v.ptr[v.len - 1 - digits] <= '9')
		digits++;
	struct bh_slice rest = bh_slice_sub(v, 0, v.len - digits);
	return digits && bh_slice_ends(rest, BH_SLICE_LIT("+b")) ? bh_slice_sub(rest, 0, rest.len - 2) : v;
}

static int out_of_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the report is larger than its limit");
}

static int look_up(struct vuln_numbering *n, struct bh_err *err)
{
	char key[2048]; /* longer names than this are in no table */
	int len = snprintf(key, sizeof(key), VULN_BINARY_VERSION_KEY, BH_SLICE_FMT(n->ecosystem), BH_SLICE_FMT(n->source), BH_SLICE_FMT(n->package->name));
	n->looked_up = true;
	if (len < 0 || (size_t)len >= sizeof(key))
		return BH_OK;
	int rc = vuln_set_table(n->set, "binary-version", (struct bh_slice){ (const uint8_t *)key, (size_t)len }, &n->table_db, &n->entries, err);
	if (rc == BH_OK && n->entries.n > VERSIONS_MAX)
		rc = bh_fail(err, BH_ELIMIT, 0, "the database has more than %u versions of %.*s", VERSIONS_MAX, BH_SLICE_FMT(n->package->name));
	return rc;
}

/* Empty when the table has no such pair. */
static int from_table(struct vuln_numbering *n, struct bh_slice source_version, struct bh_slice *ret, struct bh_err *err)
{
	int rc = n->looked_up ? BH_OK : look_up(n, err);
	*ret = (struct bh_slice){ 0 };
	for (uint32_t i = 0; rc == BH_OK && ret->len == 0 && i < n->entries.n; i++) {
		struct vuln_entry entry;
		struct bh_slice source, binary;
		rc = vuln_db_entry(n->table_db, n->entries.first + i, &entry, err);
		if (rc == BH_OK && bh_slice_cut(entry.value, '\t', &source, &binary) && bh_slice_eq(source, source_version))
			*ret = binary;
	}
	return rc;
}

/* The installed binary is a prefix before the source's version: "1:" or "2:2.6.2+samba". */
static bool by_prefix(const struct vuln_numbering *n, struct bh_slice source_version, struct bh_slice *ret)
{
	struct bh_slice installed = without_rebuild(n->package->version), from = n->source_version;
	if (!bh_slice_ends(installed, from))
		return false;
	char *made = bh_arena_printf(n->arena, "%.*s%.*s", BH_SLICE_FMT(bh_slice_sub(installed, 0, installed.len - from.len)), BH_SLICE_FMT(source_version));
	if (made)
		*ret = bh_slice_str(made);
	return made;
}

/* ---- signed kernels ---- */

struct bh_slice vuln_unsigned_version(struct bh_slice version, struct bh_arena *arena)
{
	size_t at = bh_slice_find(version, '+');
	if (at == version.len)
		return version;
	uint8_t *copy = bh_arena_alloc(arena, version.len);
	if (!copy)
		return (struct bh_slice){ 0 };
	memcpy(copy, version.ptr, version.len);
	copy[at] = '-';
	return (struct bh_slice){ copy, version.len };
}

/* "linux-signed-6.1-amd64" -> "linux-6.1", "linux-signed-amd64" -> "linux" */
bool vuln_unsigned(const struct bh_package *package, struct bh_arena *arena, struct bh_slice *ret_name, struct bh_slice *ret_version)
{
	struct bh_slice source = bh_package_source_name(package), prefix = BH_SLICE_LIT("linux-signed-");
	if (!bh_slice_eq_str(package->type, "deb") || !bh_slice_starts(source, prefix))
		return false;
	size_t end = source.len;
	while (end > prefix.len && source.ptr[end - 1] != '-')
		end--;
	struct bh_slice branch = bh_slice_sub(source, prefix.len, end > prefix.len ? end - 1 - prefix.len : 0);
	char *name = branch.len ? bh_arena_printf(arena, "linux-%.*s", BH_SLICE_FMT(branch)) : bh_arena_strdup(arena, BH_SLICE_LIT("linux"));
	struct bh_slice version = vuln_unsigned_version(bh_package_source_version(package), arena);
	if (!name || version.len == 0)
		return false;
	*ret_name = bh_slice_str(name);
	*ret_version = version;
	return true;
}

/* The binary is numbered like the kernel that was signed. */
static bool is_signed(const struct vuln_numbering *n)
{
	struct bh_slice binary = n->package->version;
	size_t at = bh_slice_find(n->source_version, '+');
	return at < n->source_version.len && binary.len == n->source_version.len && binary.ptr[at] == '-' &&
	       memcmp(binary.ptr, n->source_version.ptr, at) == 0 &&
	       bh_slice_eq(bh_slice_sub(binary, at + 1, binary.len), bh_slice_sub(n->source_version, at + 1, binary.len));
}

int vuln_number(struct vuln_numbering *n, struct bh_slice source_version, bool newest, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_slice found;
	int rc = from_table(n, source_version, &found, err);
	if (rc < 0)
		return rc;
	bool same = bh_slice_eq(without_rebuild(n->package->version), n->source_version);
	if (found.len == 0) {
		if (is_signed(n)) { /* kernels of older ABIs are in no table: each ABI is a package of its own */
			found = vuln_unsigned_version(source_version, n->arena);
			if (found.len == 0)
				return out_of_memory(err);
		} else if (same || newest) { /* a binary that the table of newest versions does not name has its source's version */
			found = source_version;
		} else {
			(void)by_prefix(n, source_version, &found); /* else unknown */
		}
	}
	*ret = found;
	return BH_OK;
}
