/*
 * crd_values.h: a custom resource against the schema of its version, as an API server does it (apiextensions-apiserver, pkg/apiserver): fields that are not known,
 * nulls and defaults, then types, bounds, formats, junctors, lists of type set and map. Rules in CEL come after that: crd_rules.h.
 */
#ifndef BH_KUBE_CRD_VALUES_H
#define BH_KUBE_CRD_VALUES_H

#include "kube/crd_formats.h"
#include "kube/crd_schema.h"
#include "kube/schema.h"

struct crd_check {
	const struct kube_fault_taker *taker;
	struct crd_formats *formats;
	struct bh_arena *arena;      /* of one resource: what defaults make */
	unsigned minor;
	uint64_t steps;              /* of the work that is left */
	unsigned n_faults;
	bool blocks_rules;           /* a fault of those after which an API server asks no rules */
	struct bh_err *err;
	/* in junctors nobody is told: what is wrong first is kept */
	unsigned quiet, n_quiet;
	char first[256];
};

#define CRD_STEPS_MAX 5000000u /* of one resource; the largest real ones take 100,000 */
#define CRD_FAULTS_MAX 1000u    /* of one resource */

/*
 * `name` is what messages call the value. *ret is the value with its defaults, and without nulls and unknown fields. BH_ELIMIT: more work than one resource may
 * make, or no memory.
 */
int crd_value_check(struct crd_check *c, const struct crd_schema *s, struct cel_value value, struct bh_slice name, bool drops_status, struct cel_value *ret)
	BH_MUST_CHECK;

/* The same of a part of a resource, whose name means nothing to it. */
int crd_part_check(struct crd_check *c, const struct crd_schema *s, struct cel_value value, struct bh_slice name, struct cel_value *ret) BH_MUST_CHECK;

#endif
