/*
 * crd_rules.h: x-kubernetes-validations, the rules in CEL of a schema (kubernetes.io, "Validation rules"): compiled with the types that the schema gives `self`, and
 * asked about a resource with its defaults. Rules about oldSelf compare with what was before, which files don't tell; where oldSelf is optional it is none.
 */
#ifndef BH_KUBE_CRD_RULES_H
#define BH_KUBE_CRD_RULES_H

#include "kube/crd_faults.h"
#include "kube/crd_values.h"
#include "policy/cel/cel.h"

struct crd_ruleset;

/* Tells what is wrong with rules, at their places in the definition; *ret_n is how much. *ret: NULL where there are none. */
int crd_rules_new(struct crd_schema *root, unsigned minor, const struct kube_fault_taker *taker, unsigned *ret_n, struct crd_ruleset **ret, struct bh_err *err)
	BH_MUST_CHECK;
void crd_rules_free(struct crd_ruleset *r);

/* The value as crd_value_check made it, and as it is written. */
int crd_rules_check(struct crd_ruleset *r, struct crd_check *c, const struct crd_schema *root, const struct crd_spot *at) BH_MUST_CHECK;

#endif
