/* patterns.h: the regular expressions of a run, compiled once and kept from one evaluation to the next. Few of them: policies have a handful. */
#ifndef CEL_PATTERNS_H
#define CEL_PATTERNS_H

#include "format/regex.h"

struct cel_patterns;

void cel_patterns_free(struct cel_patterns *kept);

/* *kept is made when it is NULL. The expression lives until other patterns take its place; BH_EMALFORMED, BH_ELIMIT, BH_ENOMEM. */
int cel_patterns_get(struct cel_patterns **kept, struct bh_slice pattern, const struct bh_regex **ret, struct bh_err *err);

#endif
