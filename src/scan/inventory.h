/*
 * inventory.h: the visitor that runs the package parsers in the layer children and collects what they found in the parent.
 */
#ifndef BH_SCAN_INVENTORY_H
#define BH_SCAN_INVENTORY_H

#include "base/map.h"
#include "image/image.h"
#include "image/pathhash.h"
#include "model/report.h"

struct inventory; /* one scan */

/* key: for hashes of paths, secret to the image. */
int inventory_new(struct bh_report *report, const struct image_key *key, bool owned_files, struct inventory **ret, struct bh_err *err) BH_MUST_CHECK;
void inventory_free(struct inventory *inv);
struct image_visitor inventory_visitor(struct inventory *inv);
struct image_visitor inventory_sbom_visitor(struct inventory *inv); /* the same for a file that is an SBOM: IMAGE_SBOM */

/*
 * After image_read: puts owned files to their packages, chooses the distribution, sorts the packages, names their purls and
 * owners, and makes one of those that are the same.
 */
int inventory_finish(struct inventory *inv, struct bh_err *err) BH_MUST_CHECK;

/* After inventory_finish: the distribution's package that owns this file; NULL when none does. */
const struct bh_package *inventory_owner(const struct inventory *inv, struct bh_slice path);

#endif
