/* glob.h: patterns as exceptions use them. */
#ifndef BH_POLICY_GLOB_H
#define BH_POLICY_GLOB_H

#include "base/slice.h"

/* "*" is any run, "?" any byte. Letters compare without case: ids are written both ways. */
bool policy_glob(struct bh_slice pattern, struct bh_slice text);

/* For paths: "*" and "?" stop at "/", "**" does not, a leading "/" means nothing, and case counts. */
bool policy_glob_path(struct bh_slice pattern, struct bh_slice path);

/* Has it "*" or "?" in it? */
bool policy_is_glob(struct bh_slice pattern);

#endif
