/* ecosystem.h: where advisories about a package are filed, in OSV's spelling, and by which of its names. */
#ifndef BH_VULN_ECOSYSTEM_H
#define BH_VULN_ECOSYSTEM_H

#include "base/arena.h"
#include "model/package.h"
#include "version/version.h"

struct vuln_place {
	struct bh_slice name;   /* "Debian:12"; for what has no ecosystem a name for people: "deb packages of raspbian 12" */
	/*
	 * Some vendors file one product under several ecosystems: "Red Hat:enterprise_linux:9::appstream". All that start with
	 * `prefix` and end with `suffix` belong here too; an empty prefix means only `name` does.
	 */
	struct bh_slice prefix, suffix;
	struct bh_slice package; /* what its rows are filed under: the source's name, a language package's in its ecosystem's spelling */
	const struct version_scheme *scheme; /* NULL: nobody here can order its versions */
	bool by_source;         /* matched by source name and source version, else by the package's own */
	const char *source_word; /* what is compared, for people: "source", "origin", "package" */
	const char *why_not;    /* set: no advisories can apply to it, and this is why; nothing else is looked up */
	bool unpublished;       /* why_not is that there are none for anybody: told, but no reason to call the check incomplete */
};

/*
 * Derivatives are never taken for their parents, whatever ID_LIKE says: they rebuild with versions of their own, so a parent's
 * "fixed in" proves nothing about them. Strings live in the arena or are literals. False: the arena is full.
 */
bool vuln_place_of(const struct bh_distro *distro, const struct bh_package *package, struct bh_arena *arena, struct vuln_place *ret) BH_MUST_CHECK;

#endif
