/* uninstalled.c: see uninstalled.h. */
#include "scan/uninstalled.h"

#include "base/map.h"
#include "pkg/entry.h"

#define FOLDERS_MAX 1000000u

static bool is_npm(const struct bh_package *p)
{
	return bh_slice_eq_str(p->type, "npm");
}

/* "srv/app" of "srv/app/node_modules/a/node_modules/b/package.json": the outermost; false when it lies in none. */
static bool application_of(struct bh_slice path, struct bh_slice *ret)
{
	const uint8_t *at = bh_slice_search(path, "node_modules/");
	struct bh_slice before = at ? bh_slice_sub(path, 0, (size_t)(at - path.ptr)) : path;
	*ret = bh_slice_folder(before);
	return at && bh_slice_base(before).len == 0;
}

/* Is it a lockfile beside which something is installed? */
static bool is_superseded(const struct bh_map *applications, const struct bh_location *l)
{
	return l->evidence == BH_EVIDENCE_LOCKFILE && bh_map_get(applications, bh_slice_folder(l->path));
}

static bool is_uninstalled(const struct bh_map *applications, const struct bh_package *p)
{
	bool all = is_npm(p) && is_superseded(applications, &p->at);
	for (size_t i = 0; all && i < p->n_also; i++)
		all = is_superseded(applications, &p->also[i]);
	return all;
}

static bool find_applications(const struct bh_report *r, struct bh_map *applications)
{
	for (size_t i = 0; i < r->packages.len; i++) {
		const struct bh_package *p = &r->packages.ptr[i];
		struct bh_slice folder;
		if (!is_npm(p) || p->at.evidence != BH_EVIDENCE_DATABASE || !application_of(p->at.path, &folder))
			continue;
		void **slot = bh_map_put(applications, folder);
		if (!slot)
			return false;
		*slot = applications; /* anything but NULL */
	}
	return true;
}

static bool drop(struct bh_report *r, const struct bh_map *applications)
{
	struct bh_not_covered told = { .ecosystem = BH_SLICE_LIT("npm"), .note = BH_SLICE_LIT("in a lockfile, but not installed beside it: not listed"),
				       .partial = true };
	size_t kept = 0;
	for (size_t i = 0; i < r->packages.len; i++) {
		if (is_uninstalled(applications, &r->packages.ptr[i]))
			told.packages++;
		else
			r->packages.ptr[kept++] = r->packages.ptr[i];
	}
	r->packages.len = kept;
	return told.packages == 0 || bh_not_covered_vec_push(&r->not_covered, told);
}

bool uninstalled_drop(struct bh_report *r)
{
	struct bh_map applications; /* folders with a node_modules in them */
	bh_map_init(&applications, FOLDERS_MAX);
	bool ok = find_applications(r, &applications) && drop(r, &applications);
	bh_map_done(&applications);
	return ok;
}
