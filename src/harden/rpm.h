/*
 * rpm.h: rpm's database in SQLite (rpm 4.16 and later), as far as removing packages changes it: which files packages of the table have, read in the layer's child; and
 * the database without packages, made in a child of its own.
 */
#ifndef BH_HARDEN_RPM_H
#define BH_HARDEN_RPM_H

#include "base/buf.h"
#include "base/map.h"

/* The packages that removable_package knows, in the form of apk's database (packages_walk_apk): P: name, F: folder, R: file in it. Damage is an error. */
int rpm_list(struct bh_slice db, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* The database without packages of these names. BH_ECHILD, or what the child said: it can't be changed. */
int rpm_without(struct bh_slice db, const struct bh_map *packages, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

#endif
