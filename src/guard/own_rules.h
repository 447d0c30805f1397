/* own_rules.h: the files of rules/runtime/, which are in the program. tools/embed-rules makes the table. */
#ifndef BH_GUARD_OWN_RULES_H
#define BH_GUARD_OWN_RULES_H

#include <stddef.h>

struct guard_own_rule {
	const char *file; /* "rules/runtime/escape.yaml" */
	const char *text;
};

extern const struct guard_own_rule guard_own_rules[];
extern const size_t guard_own_rules_count;

#endif
