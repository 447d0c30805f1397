/* literals.h: what an API server of Kubernetes asks of literals beyond their types (cel-go, cel/validator.go and ext/strings.go). */
#ifndef CEL_LITERALS_H
#define CEL_LITERALS_H

#include "policy/cel/env.h"
#include "policy/cel/issues.h"

/*
 * Of a tree that is checked, and as the environment wants it: all elements of a list or map literal have one type, those inside of format() excepted;
 * durations, timestamps, patterns and formats that are literals can be read. What is wrong becomes an issue.
 */
void cel_check_literals(const struct cel_env *env, const struct cel_expr *tree, struct cel_issues *issues);

#endif
