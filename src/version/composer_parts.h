/* composer_parts.h: what Composer makes of versions; for their order and for constraints. Private to version/. */
#ifndef BH_VERSION_COMPOSER_PARTS_H
#define BH_VERSION_COMPOSER_PARTS_H

#include "base/slice.h"

#define COMPOSER_VERSION_BYTES_MAX 512u /* longer ones are refused */
#define COMPOSER_NORMAL_BYTES_MAX (COMPOSER_VERSION_BYTES_MAX + 128u)

struct composer_text {
	char bytes[COMPOSER_NORMAL_BYTES_MAX];
	size_t len;
};

/* The words of a stability as they stand at the end of versions. */
struct composer_modifier {
	bool stability, dev;
};

/* VersionParser::normalize. False: Composer refuses it, or it is a branch without a number. */
bool composer_normalize(struct bh_slice v, struct composer_text *ret);

/* Is s, behind the numbers of a version, what may stand there? */
bool composer_is_modifier(struct bh_slice s, struct composer_modifier *ret);

/* PHP's version_compare: negative, 0 or positive. */
int composer_compare(struct bh_slice a, struct bh_slice b);

#endif
