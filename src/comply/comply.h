/*
 * comply.h: a framework against what was given: manifests and dumps of a cluster, the root of a node, saved reports of scans. Every control gets a verdict
 * and the reasons for it; what was not looked at never counts as met.
 */
#ifndef BH_COMPLY_COMPLY_H
#define BH_COMPLY_COMPLY_H

#include "comply/framework.h"
#include "model/report.h"

enum comply_verdict {
	COMPLY_FAIL,
	COMPLY_UNCHECKED,      /* something that it needs could not be read, or was not given */
	COMPLY_LOOK,           /* somebody has to look: see the control's note */
	COMPLY_EXEMPT,         /* not met, and an exception says why that is accepted */
	COMPLY_ATTESTED,       /* somebody looked: an exception for the control itself says so */
	COMPLY_PASS,
	COMPLY_NOT_APPLICABLE, /* there is nothing of the kind that it is about */
	COMPLY_VERDICTS,
};

const char *comply_verdict_name(enum comply_verdict v); /* "fail", "unchecked", "manual", "exempt", "attested", "pass", "not-applicable" */

struct comply_reason {
	enum comply_verdict verdict;
	struct bh_slice check;            /* "apiserver-profiling"; empty when it is about the control as a whole */
	struct bh_slice text;             /* a sentence */
	struct bh_slice file;             /* may be empty */
	uint32_t line;                    /* 0: none */
	struct bh_slice evidence, fix;    /* may be empty */
	const struct bh_ruling *ruling;   /* of an exception; NULL: none */
};
BH_VEC(comply_reason_vec, struct comply_reason)

struct comply_result {
	const struct comply_control *control;
	enum comply_verdict verdict;
	size_t first, n;                  /* reasons, worst first */
};
BH_VEC(comply_result_vec, struct comply_result)

struct comply_options {
	const struct comply_framework *framework;
	const char *const *paths;         /* manifests and dumps; "-" is standard input */
	size_t n_paths;
	const char *const *policies;      /* files and folders with ValidatingAdmissionPolicies of the user's own */
	size_t n_policies;
	const struct kube_rendering *rendering; /* of charts; NULL: as they are */
	const char *root;                 /* of a node; NULL: none was given */
	const char *const *reports;       /* that bulkhead scan saved */
	size_t n_reports;
	const char *const *without;       /* namespaces whose objects don't count */
	size_t n_without;
	const char *const *controls;      /* patterns of ids; none: all */
	size_t n_controls;
	enum bh_severity vulnerability;   /* vulnerabilities below don't count */
	unsigned minor;                   /* Kubernetes 1.MINOR */
	const struct bh_exception_vec *exceptions;
	int64_t now_s;
};

struct comply_report {
	const struct comply_framework *framework;
	struct bh_report findings;        /* everything that was found, judged; owns the texts */
	struct comply_reason_vec reasons; /* of the results, one after the other */
	struct comply_result_vec results; /* in the order of the controls */
	uint64_t totals[COMPLY_VERDICTS];
	uint64_t objects;                 /* of Kubernetes that were read */
	uint64_t without, bootstrap;      /* of them: not counted, as they lie in namespaces to leave out; roles and bindings that every API server makes */
};

int comply_run(const struct comply_options *options, struct comply_report *ret, struct bh_err *err) BH_MUST_CHECK;
void comply_report_done(struct comply_report *report);

#endif
