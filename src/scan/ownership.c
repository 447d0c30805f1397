/* ownership.c: see ownership.h. */
#include "scan/ownership.h"

#include "base/limits.h"
#include "model/purl.h"
#include "model/wire.h"
#include "scan/reach.h"

#include <stdlib.h>

#define HASHES_PER_FRAME 32768u
#define OWNERS_MAX 4000000u  /* lists of files of all layers' packages */
#define HASHES_MAX 20000000u /* files of all packages; a full desktop has 500,000 */

void ownership_init(struct ownership *o)
{
	*o = (struct ownership){ .owners.max = OWNERS_MAX, .hashes.max = HASHES_MAX };
}

void ownership_done(struct ownership *o)
{
	owner_vec_done(&o->owners);
	owned_hash_vec_done(&o->hashes);
}

static struct bh_slice without_slash(struct bh_slice path)
{
	return path.len && path.ptr[0] == '/' ? bh_slice_sub(path, 1, path.len) : path;
}

bool ownership_put(struct bh_buf *frame, const struct image_key *key, const struct owner *owner, struct bh_slice paths, struct bh_slice *rest)
{
	bh_buf_clear(frame);
	bh_wire_put_slice(frame, owner->type);
	bh_wire_put_slice(frame, owner->name);
	bh_wire_put_slice(frame, owner->arch);
	bh_wire_put_u8(frame, (uint8_t)reach_of_paths(paths));
	for (size_t n = 0; n < HASHES_PER_FRAME && paths.len; n++) {
		struct bh_slice path;
		(void)bh_slice_cut(paths, '\0', &path, &paths);
		bh_wire_put_u64(frame, image_path_hash(key, without_slash(path)));
	}
	*rest = paths;
	return !frame->failed;
}

bool ownership_take(struct ownership *o, struct bh_slice payload, struct bh_arena *arena)
{
	struct bh_reader r = bh_reader_of(payload);
	struct owner w;
	uint64_t hash;
	uint8_t reach;
	if (!bh_wire_get_slice(&r, BH_NAME_BYTES_MAX, &w.type) || !bh_wire_get_slice(&r, BH_NAME_BYTES_MAX, &w.name) ||
	    !bh_wire_get_slice(&r, BH_NAME_BYTES_MAX, &w.arch) || !bh_take_u8(&r, &reach) || reach > BH_REACH_METADATA)
		return false;
	w.reach = (enum bh_reach)reach;
	if (!bh_arena_copy(arena, w.type, &w.type) || !bh_arena_copy(arena, w.name, &w.name) || !bh_arena_copy(arena, w.arch, &w.arch) ||
	    !owner_vec_push(&o->owners, w))
		return false;
	while (bh_take_u64le(&r, &hash))
		if (!owned_hash_vec_push(&o->hashes, (struct owned_hash){ hash, (uint32_t)(o->owners.len - 1) }))
			return false;
	return true;
}

static int compare_hashes(const void *a, const void *b)
{
	const struct owned_hash *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->owner > y->owner) - (x->owner < y->owner);
}

static const struct owner *find_owner(const struct ownership *o, uint64_t hash)
{
	const struct owned_hash key = { .hash = hash };
	size_t lo = 0, hi = o->hashes.len;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (compare_hashes(&o->hashes.ptr[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < o->hashes.len && o->hashes.ptr[lo].hash == hash ? &o->owners.ptr[o->hashes.ptr[lo].owner] : NULL;
}

/* Lists of files name /lib/x where the merged /usr has usr/lib/x. */
static const struct owner *owner_of(const struct ownership *o, const struct image_key *key, struct bh_slice path)
{
	const struct owner *w = find_owner(o, image_path_hash(key, path));
	struct bh_slice usr = BH_SLICE_LIT("usr/");
	if (!w && bh_slice_starts(path, usr))
		w = find_owner(o, image_path_hash(key, bh_slice_sub(path, usr.len, path.len)));
	return w;
}

static int compare_names(const struct bh_package *p, const struct owner *w)
{
	int c = bh_slice_cmp(p->type, w->type);
	return c ? c : bh_slice_cmp(p->name, w->name);
}

/* The package itself; of several architectures the one named. NULL: a list of files without a package. */
static const struct bh_package *package_of(const struct bh_report *report, const struct owner *w)
{
	size_t lo = 0, hi = report->packages.len;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (compare_names(&report->packages.ptr[mid], w) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < report->packages.len && compare_names(&report->packages.ptr[lo], w) == 0; lo++)
		if (w->arch.len == 0 || bh_slice_eq(w->arch, report->packages.ptr[lo].arch))
			return &report->packages.ptr[lo];
	return NULL;
}

/* A program told by its own bytes: a note of the distribution's package it is from, or the maker's version text ("generic"). */
static bool is_told_by_file(const struct bh_package *p)
{
	return (bh_slice_eq_str(p->type, "generic") && p->at.evidence != BH_EVIDENCE_SBOM) ||
	       (p->at.evidence == BH_EVIDENCE_BINARY && bh_purl_type_is_distro(p->type));
}

void ownership_name(struct ownership *o, const struct image_key *key, struct bh_report *report)
{
	if (o->hashes.len > 1)
		qsort(o->hashes.ptr, o->hashes.len, sizeof(o->hashes.ptr[0]), compare_hashes);
	for (size_t i = 0; o->hashes.len && i < report->packages.len; i++) {
		struct bh_package *p = &report->packages.ptr[i];
		const struct owner *w = owner_of(o, key, p->at.path);
		const struct bh_package *by = w && (!bh_slice_eq(w->type, p->type) || is_told_by_file(p)) ? package_of(report, w) : NULL;
		if (by)
			p->owner = by->purl;
	}
}

void ownership_drop_told(struct bh_report *report)
{
	size_t kept = 0;
	for (size_t i = 0; i < report->packages.len; i++) {
		const struct bh_package *p = &report->packages.ptr[i];
		if (!p->owner.len || !is_told_by_file(p))
			report->packages.ptr[kept++] = *p;
	}
	report->packages.len = kept;
}

const struct bh_package *ownership_find(const struct ownership *o, const struct image_key *key, const struct bh_report *report, struct bh_slice path)
{
	const struct owner *w = o->hashes.len ? owner_of(o, key, path) : NULL;
	return w ? package_of(report, w) : NULL;
}

void ownership_reach(const struct ownership *o, struct bh_report *r)
{
	for (size_t i = 0; i < o->owners.len; i++) {
		const struct owner *w = &o->owners.ptr[i];
		size_t lo = 0, hi = r->packages.len;
		while (lo < hi) {
			size_t mid = lo + (hi - lo) / 2;
			if (compare_names(&r->packages.ptr[mid], w) < 0)
				lo = mid + 1;
			else
				hi = mid;
		}
		for (; lo < r->packages.len && compare_names(&r->packages.ptr[lo], w) == 0; lo++)
			if (w->arch.len == 0 || bh_slice_eq(w->arch, r->packages.ptr[lo].arch))
				r->packages.ptr[lo].reach = reach_join(r->packages.ptr[lo].reach, w->reach);
	}
}
