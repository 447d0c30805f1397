/* checks.h: what can be said offline of the structure of a secret: secret_check_NAME, as detectors.def names them. */
#ifndef BH_SECRET_CHECKS_H
#define BH_SECRET_CHECKS_H

#include "secret/detector.h"

#define secret_check_none NULL

/* Words that stand in the place of a secret: "${TOKEN}", "<your-key>", "changeme", "xxxxxxxx". */
bool secret_is_placeholder(struct bh_slice secret);

#endif
