/* sboms.c: see sboms.h. */
#include "scan/sboms.h"

#include "base/map.h"
#include "model/purl.h"

#define KEY_BYTES_MAX (16u << 10)
#define KEYS_BYTES_MAX (1024ull << 20)

static bool is_listed(const struct bh_package *p)
{
	return p->at.evidence == BH_EVIDENCE_SBOM;
}

/* The package URL without qualifiers and vendor, and the architecture behind it, unless that may be any. False: no URL names it. */
static bool key_of(const struct bh_package *p, bool any_arch, struct bh_buf *key)
{
	struct bh_package bare = { .type = p->type, .name = p->name, .version = p->version };
	const struct bh_distro none = { .rank = 0 };
	bh_buf_clear(key);
	if (!bh_purl_of_package(&bare, &none, key))
		return false;
	key->len = bh_slice_find(bh_buf_slice(key), '?');
	return any_arch || (bh_buf_add_byte(key, '?') && bh_buf_add(key, p->arch));
}

/* The first of several packages of one key speaks for them. */
static bool remember(struct bh_map *known, struct bh_arena *arena, const struct bh_package *p, struct bh_buf *key)
{
	for (int any_arch = 0; any_arch < 2; any_arch++) {
		struct bh_slice own;
		if (!key_of(p, any_arch, key) || bh_map_get(known, bh_buf_slice(key)))
			continue;
		void **slot = bh_arena_copy(arena, bh_buf_slice(key), &own) ? bh_map_put(known, own) : NULL;
		if (!slot)
			return false;
		*slot = (void *)(uintptr_t)p;
	}
	return true;
}

static const struct bh_package *twin_of(const struct bh_map *known, const struct bh_package *p, struct bh_buf *key)
{
	const struct bh_package *twin = key_of(p, false, key) ? bh_map_get(known, bh_buf_slice(key)) : NULL;
	if (twin || !key_of(p, true, key))
		return twin;
	twin = bh_map_get(known, bh_buf_slice(key));
	return twin && (p->arch.len == 0 || twin->arch.len == 0) ? twin : NULL;
}

static bool credit(struct bh_report *report, struct bh_map *known, struct bh_arena *arena, struct bh_buf *key)
{
	for (size_t i = 0; i < report->packages.len; i++)
		if (!is_listed(&report->packages.ptr[i]) && !remember(known, arena, &report->packages.ptr[i], key))
			return false;
	for (size_t i = 0; i < report->packages.len; i++) {
		struct bh_package *p = &report->packages.ptr[i];
		const struct bh_package *twin = is_listed(p) ? twin_of(known, p, key) : NULL;
		if (!twin)
			continue;
		p->name = twin->name;
		p->version = twin->version;
		p->arch = twin->arch;
		p->scope = twin->scope;
		p->owner = twin->owner;
	}
	return true;
}

bool scan_credit_sboms(struct bh_report *report)
{
	struct bh_arena arena;
	struct bh_map known;
	struct bh_buf key;
	size_t listed = 0;
	for (size_t i = 0; i < report->packages.len; i++)
		listed += is_listed(&report->packages.ptr[i]);
	if (listed == 0 || listed == report->packages.len)
		return true;
	bh_arena_init(&arena, KEYS_BYTES_MAX);
	bh_map_init(&known, 2 * report->packages.len);
	bh_buf_init(&key, KEY_BYTES_MAX);
	bool ok = credit(report, &known, &arena, &key);
	bh_buf_done(&key);
	bh_map_done(&known);
	bh_arena_done(&arena);
	if (ok)
		bh_report_sort_packages(report);
	return ok;
}
