/* package_name.h: one spelling for what an ecosystem takes for one name. */
#ifndef BH_VULN_PACKAGE_NAME_H
#define BH_VULN_PACKAGE_NAME_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * The name that rows of an OSV ecosystem are filed under: feeds write rows by it, the matcher looks packages up by it. *ret is `name` itself
 * or lives in the arena. False: the arena is full.
 */
bool vuln_package_name(struct bh_slice ecosystem, struct bh_slice name, struct bh_arena *arena, struct bh_slice *ret) BH_MUST_CHECK;

#endif
