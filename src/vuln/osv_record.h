/* osv_record.h: one OSV record to facts. Private to vuln/. */
#ifndef BH_VULN_OSV_RECORD_H
#define BH_VULN_OSV_RECORD_H

#include "vuln/feed.h"
#include "vuln/tree.h"

/* vuln_feed_record was called for it. Damage inside the record is noted; a negative return means that the import can't go on. */
int vuln_osv_add(struct vuln_feed_run *run, struct vuln_tree record, struct bh_err *err) BH_MUST_CHECK;

#endif
