/*
 * rbac_shadow.h: does one right hold another? By the words of rules alone, as the authorizer reads them: "*" holds every word, "*" + "/log" holds "pods/log",
 * a URL with a star at its end holds what begins like it.
 */
#ifndef BH_KUBE_RBAC_SHADOW_H
#define BH_KUBE_RBAC_SHADOW_H

#include "kube/rbac.h"

enum rbac_part { RBAC_VERBS, RBAC_GROUPS, RBAC_RESOURCES, RBAC_NAMES, RBAC_URLS, RBAC_PARTS };
extern const char *const rbac_part_fields[RBAC_PARTS]; /* "apiGroups" */
extern const char *const rbac_part_words[RBAC_PARTS];  /* one word of it: "group" */

const struct rbac_words *rbac_part_of(const struct rbac_rule *rule, enum rbac_part part);

/* Does the word hold the other one? */
bool rbac_word_covers(enum rbac_part part, struct bh_slice word, struct bh_slice other);

/* Does the rule allow every request that the other one allows? */
bool rbac_rule_covers(const struct rbac_rule *rule, const struct rbac_rule *other);

/* Is there a request that both allow? */
bool rbac_rules_meet(const struct rbac_rule *a, const struct rbac_rule *b);

/* Does the rule allow nothing at all? cluster: as of a binding for all namespaces, where URLs count too. */
bool rbac_rule_is_void(const struct rbac_rule *rule, bool cluster);

/* Does every rule of the other role have one here that holds it? *steps counts the comparisons. */
bool rbac_role_covers(const struct rbac_role *role, const struct rbac_role *other, uint64_t *steps);

#endif
