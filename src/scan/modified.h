/*
 * modified.h: files of the distribution whose content is not what their package brought: the records of dpkg and apk (malware/filesums.h) against each file that is there.
 * Whoever changes a file and the record, too, is not seen.
 */
#ifndef BH_SCAN_MODIFIED_H
#define BH_SCAN_MODIFIED_H

#include "image/pathhash.h"
#include "model/report.h"
#include "scan/contents.h"

struct inventory;
struct scan_modified;

/* key: for hashes of paths, secret to the image. Borrowed. */
int scan_modified_new(const struct image_key *key, struct bh_report *report, struct scan_modified **ret, struct bh_err *err) BH_MUST_CHECK;
void scan_modified_free(struct scan_modified *m);
struct scan_content scan_modified_content(struct scan_modified *m);
int scan_modified_finish(struct scan_modified *m, const struct inventory *inv, struct bh_err *err) BH_MUST_CHECK; /* after inventory_finish */

#endif
