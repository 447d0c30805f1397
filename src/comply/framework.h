/*
 * framework.h: what benchmarks, guides and standards ask for, as tables: data/comply/NAME-VERSION.tsv, embedded by the build. A control has an id of that
 * version and the checks that decide it; what no program can decide says what somebody has to look at.
 */
#ifndef BH_COMPLY_FRAMEWORK_H
#define BH_COMPLY_FRAMEWORK_H

#include "base/slice.h"

enum comply_how {
	COMPLY_DECIDED, /* its checks decide it */
	COMPLY_FINDS,   /* its checks can show that it is not met; that they find nothing is not enough */
	COMPLY_MANUAL,  /* it has no checks */
};

/* Where the answer to a check comes from. */
enum comply_source {
	COMPLY_POLICY, /* a built-in policy (rules/kubernetes/), by its label bulkhead.io/check */
	COMPLY_NODE,   /* a setting, file or set of objects: settings.def, files.def, objects.def */
	COMPLY_OWN,    /* a policy of --policy; only of frameworks of the user's own */
	COMPLY_CLASS,  /* findings of saved reports: "class:vulnerability" */
};

struct comply_check {
	const char *id;
	enum comply_source source;
};

struct comply_control {
	const char *id, *title;
	enum comply_how how;
	const struct comply_check *checks;
	size_t n_checks;
	const char *note; /* what somebody has to look at; empty when it is decided */
};

struct comply_framework {
	const char *name, *version, *title, *applies_to;
	const struct comply_control *controls;
	size_t n_controls;
};

extern const struct comply_framework comply_frameworks[];
extern const size_t comply_frameworks_count;

/* "cis-kubernetes", the newest version of it, or "cis-kubernetes-1.12". NULL when there is none. */
const struct comply_framework *comply_framework_find(struct bh_slice name);

#endif
