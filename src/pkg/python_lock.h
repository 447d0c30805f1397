/*
 * python_lock.h: lockfiles of Python's package managers in TOML: an array of tables, one per package, with a name, a version, and what the
 * manager says about who needs it.
 */
#ifndef BH_PKG_PYTHON_LOCK_H
#define BH_PKG_PYTHON_LOCK_H

#include "format/toml.h"
#include "pkg/entry.h"

#define PKG_PYTHON_LOCK_BYTES_MAX (64u << 20) /* the largest real ones have some 2 MiB */

struct pkg_python_lock {
	const char *packages; /* the array's name */
	bool (*own)(const struct bh_toml_node *package); /* is it the project itself, or a folder of it? */
	enum bh_scope (*scope)(void *ctx, const struct bh_toml_node *package);
	/* Called once, before the others; may be NULL. */
	int (*begin)(void *ctx, const struct bh_toml_node *packages, struct bh_err *err);
	void *ctx;
};

int pkg_python_lock(const struct pkg_file *file, const struct pkg_python_lock *lock, const struct pkg_sink *sink, struct bh_err *err) BH_MUST_CHECK;

/* Is this string an item of the array? */
bool pkg_python_has(const struct bh_toml_node *array, const char *item);

#endif
