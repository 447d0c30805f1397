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

/* Empty when the table has no such pair. */
static int from_table(const struct vuln_numbering *n, struct bh_slice source_version, struct bh_slice *ret, struct bh_err *err)
{
	char key[2048]; /* longer names than this are in no table */
	int len = snprintf(key, sizeof(key), VULN_BINARY_VERSION_KEY, BH_SLICE_FMT(n->ecosystem), BH_SLICE_FMT(bh_package_source_name(n->package)),
			   BH_SLICE_FMT(n->package->name));
	*ret = (struct bh_slice){ 0 };
	if (len < 0 || (size_t)len >= sizeof(key))
		return BH_OK;
	const struct vuln_db *db;
	struct vuln_span span;
	int rc = vuln_set_table(n->set, "binary-version", (struct bh_slice){ (const uint8_t *)key, (size_t)len }, &db, &span, err);
	for (uint32_t i = 0; rc == BH_OK && i < span.n; i++) {
		struct vuln_entry entry;
		struct bh_slice source, binary;
		rc = vuln_db_entry(db, span.first + i, &entry, err);
		if (rc == BH_OK && bh_slice_cut(entry.value, '\t', &source, &binary) && bh_slice_eq(source, source_version)) {
			*ret = binary;
			break;
		}
	}
	return rc;
}

/* The installed binary is a prefix before the source's version: "1:" or "2:2.6.2+samba". */
static bool by_prefix(const struct vuln_numbering *n, struct bh_slice source_version, struct bh_slice *ret)
{
	struct bh_slice installed = without_rebuild(n->package->version), from = bh_package_source_version(n->package);
	if (!bh_slice_ends(installed, from))
		return false;
	char *made = bh_arena_printf(n->arena, "%.*s%.*s", BH_SLICE_FMT(bh_slice_sub(installed, 0, installed.len - from.len)), BH_SLICE_FMT(source_version));
	if (made)
		*ret = bh_slice_str(made);
	return made;
}

/* Signed kernels: the first "+" of the source is a "-" in the binary. */
static bool is_signed(const struct vuln_numbering *n)
{
	struct bh_slice binary = n->package->version, source = bh_package_source_version(n->package);
	size_t at = bh_slice_find(source, '+');
	return at < source.len && binary.len == source.len && binary.ptr[at] == '-' && bh_slice_eq(bh_slice_sub(binary, 0, at), bh_slice_sub(source, 0, at)) &&
	       bh_slice_eq(bh_slice_sub(binary, at + 1, binary.len), bh_slice_sub(source, at + 1, source.len));
}

static bool by_signing(const struct vuln_numbering *n, struct bh_slice source_version, struct bh_slice *ret)
{
	size_t at = bh_slice_find(source_version, '+');
	uint8_t *copy = at < source_version.len ? bh_arena_alloc(n->arena, source_version.len) : NULL;
	if (!copy)
		return false;
	memcpy(copy, source_version.ptr, source_version.len);
	copy[at] = '-';
	*ret = (struct bh_slice){ copy, source_version.len };
	return true;
}

int vuln_number(const struct vuln_numbering *n, struct bh_slice source_version, bool newest, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_slice found;
	int rc = from_table(n, source_version, &found, err);
	if (rc < 0)
		return rc;
	bool same = bh_slice_eq(without_rebuild(n->package->version), bh_package_source_version(n->package));
	if (found.len == 0) {
		if (is_signed(n)) { /* kernels of older ABIs are in no table: each ABI is a package of its own */
			if (!by_signing(n, source_version, &found))
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
