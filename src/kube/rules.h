/* rules.h: the policies that come with the program: the files of rules/kubernetes/ and rules/serverless/, embedded by the build in the order of their names. */
#ifndef BH_KUBE_RULES_H
#define BH_KUBE_RULES_H

#include <stddef.h>

struct kube_rule {
	const char *file; /* "rules/kubernetes/pss-privileged.yaml" */
	const char *text;
};

extern const struct kube_rule kube_rules[];
extern const size_t kube_rules_count;

#endif
