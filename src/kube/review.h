/*
 * review.h: manifests against policies: files are read and policies evaluated in a sandboxed child, what they say becomes findings of a report. An object that
 * can't be read, a policy that does not compile and an answer that depends on what is not known here are entries in report.incomplete.
 */
#ifndef BH_KUBE_REVIEW_H
#define BH_KUBE_REVIEW_H

#include "kube/objects.h"
#include "model/report.h"

struct bh_map;

/* What a check was asked about. */
struct kube_check_count {
	struct bh_slice check;    /* in the arena of the report */
	uint64_t asked, unknown;  /* objects that its policies match; answers that depend on what is not known here */
};
BH_VEC(kube_check_count_vec, struct kube_check_count)

enum kube_level { KUBE_LEVEL_NONE, KUBE_LEVEL_BASELINE, KUBE_LEVEL_RESTRICTED };

struct kube_review_options {
	const char *const *paths;    /* files and folders with manifests; "-" is standard input */
	size_t n_paths;
	const char *const *policies; /* files and folders with policies, bindings and parameters beside the built-in ones */
	size_t n_policies;
	enum kube_level level;       /* of the built-in Pod Security Standards */
	bool no_hardening;           /* leave the other built-in policies out */
	bool every_policy;           /* all built-in ones, those too that only frameworks ask for or that a stricter one covers; level and no_hardening don't count */
	const char *const *without;  /* namespaces whose objects, and themselves, are not reviewed */
	size_t n_without;
	bool no_bootstrap;           /* nor are the roles and bindings that every API server makes at its start */
	unsigned minor;              /* Kubernetes 1.MINOR */
	bool schema;                 /* compare the objects with the types of the API, too; from Kubernetes 1.25 on */
	bool shellcheck;             /* scripts in Dockerfiles are looked at by ShellCheck, too */
	bool patches;                /* findings get what mends them */
	struct kube_check_count_vec *checks; /* gets one item for each policy; may be NULL */
	const struct bh_map *instead;        /* path -> struct bh_slice: what is read instead of these files; NULL: nothing */
	const struct kube_rendering *rendering; /* of charts; NULL: as they are */
	bool dockerfiles;            /* folders are searched for Dockerfiles, too */
	kube_foreigners foreigners;          /* who know manifests that are not Kubernetes' */
};

struct kube_review_counts {
	uint64_t files, objects, policies; /* files of manifests; policies that were evaluated */
	uint64_t untyped;                  /* custom resources, of which the schema knows nothing */
	struct bh_slice untyped_kinds;     /* "Foo of acme.io/v1, ...", in the arena of the report */
	uint64_t open;                     /* checks that depend on what operators add to the pods of their custom resources */
	uint64_t functions;                /* whose code is not looked at here */
	uint64_t without, bootstrap;       /* objects that were not reviewed, as the options said */
};

int kube_review(const struct kube_review_options *options, struct bh_report *report, struct kube_review_counts *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
