/* berkeley.h: reads the pairs of a Berkeley DB hash file, as rpm's "Packages" is one (RHEL 8 and older, CentOS, Amazon Linux 2). */
#ifndef BH_FORMAT_BERKELEY_H
#define BH_FORMAT_BERKELEY_H

#include "format/records.h"

/* Every pair, in page order (not in bucket order: a broken bucket chain can't hide a page). */
int bh_berkeley_each(struct bh_slice file, const struct bh_record_sink *sink, struct bh_err *err) BH_MUST_CHECK;

#endif
