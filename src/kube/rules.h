/* rules.h: the policies that come with the program: the files of the folders of rules/ (src/kube/meson.build), embedded by the build in the order of their names. */
#ifndef BH_KUBE_RULES_H
#define BH_KUBE_RULES_H

#include "kube/objects.h"

struct kube_rule {
	const char *file; /* "rules/kubernetes/pss-privileged.yaml" */
	const char *text;
};

extern const struct kube_rule kube_rules[];
extern const size_t kube_rules_count;

/* The rule NAME.yaml, whichever its folder is; NULL. Those that mend the findings of a check are called fix-CHECK and fix-CHECK-all. */
const struct kube_rule *kube_rule_find(struct bh_slice name);
bool kube_rule_mends(const struct kube_rule *rule);

/* What an annotation ("annotations") or label ("labels") of a policy says; empty. */
struct bh_slice kube_rule_says(const struct kube_object *o, const char *map, const char *key);

/* Is the policy for Kubernetes 1.MINOR? Its annotation bulkhead.io/kubernetes says: "1.19-1.24", "1.25-". */
bool kube_rule_is_for(const struct kube_object *o, unsigned minor);

#endif
