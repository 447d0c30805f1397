/*
 * inventory.h: the visitor that runs the package parsers in the layer children and collects what they found in the parent.
 */
#ifndef BH_SCAN_INVENTORY_H
#define BH_SCAN_INVENTORY_H

#include "base/map.h"
#include "image/image.h"
#include "model/report.h"

struct inventory; /* one scan */

int inventory_new(struct bh_report *report, bool owned_files, struct inventory **ret, struct bh_err *err) BH_MUST_CHECK;
void inventory_free(struct inventory *inv);
struct image_visitor inventory_visitor(struct inventory *inv);

/* After image_read: puts owned files to their packages, chooses the distribution, sorts the packages and names their purls. */
int inventory_finish(struct inventory *inv, struct bh_err *err) BH_MUST_CHECK;

#endif
