/* python_lock.c: see python_lock.h. */
#include "pkg/python_lock.h"

bool pkg_python_has(const struct bh_toml_node *array, const char *item)
{
	for (size_t i = 0; i < bh_toml_len(array); i++)
		if (bh_slice_eq_str(bh_toml_str(bh_toml_at(array, i)), item))
			return true;
	return false;
}

static int give(const struct pkg_python_lock *lock, const struct bh_toml_node *package, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_package p = {
		.type = BH_SLICE_LIT("pypi"),
		.name = bh_toml_str(bh_toml_get(package, "name")),
		.version = bh_toml_str(bh_toml_get(package, "version")),
		.at = { .line = bh_toml_line(package), .evidence = BH_EVIDENCE_LOCKFILE },
	};
	if (lock->own(package))
		return 0;
	p.scope = lock->scope(lock->ctx, package);
	return pkg_give(notes, &p, 0, err);
}

int pkg_python_lock(const struct pkg_file *file, const struct pkg_python_lock *lock, const struct pkg_sink *sink, struct bh_err *err)
{
	struct pkg_notes notes = { .sink = sink };
	struct bh_toml *doc = NULL;
	int rc = bh_toml_parse(file->data, PKG_PYTHON_LOCK_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_toml_node *packages = bh_toml_get(bh_toml_root(doc), lock->packages);
	if (lock->begin)
		rc = lock->begin(lock->ctx, packages, err);
	for (size_t i = 0; rc >= 0 && i < bh_toml_len(packages); i++)
		rc = give(lock, bh_toml_at(packages, i), &notes, err);
	bh_toml_free(doc);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}
