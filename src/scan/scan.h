/*
 * scan.h: the pipeline of `bulkhead scan`: image -> package parsers -> advisories -> report. It joins the rooms image, pkg
 * and vuln, which don't know each other.
 */
#ifndef BH_SCAN_SCAN_H
#define BH_SCAN_SCAN_H

#include "base/err.h"
#include "image/image.h"
#include "license/license.h"
#include "model/report.h"
#include "policy/judge.h"
#include "registry/options.h"

enum scan_scanner {
	SCAN_VULNERABILITIES = 1, /* and what else packages tell: licences, ends of life */
	SCAN_SECRETS = 2,
	SCAN_MALWARE = 4, /* malicious files, and what is suspicious about modes, owners and places */
	SCAN_DEFAULT = SCAN_VULNERABILITIES | SCAN_SECRETS,
};

struct scan_options {
	const char *target;          /* as the user typed it: see scan/target.h */
	bool staged;                 /* of git:DIR only what is staged for the next commit */
	const char *secret_rules;    /* a gitleaks.toml; NULL = the built-in detectors */
	const char *secret_ignores;  /* a .gitleaksignore; NULL = none */
	const char *const *malware_rules, *const *malware_hashes; /* beside the built-in rules of YARA; lists of SHA-256 */
	size_t n_malware_rules, n_malware_hashes;
	struct bh_slice fingerprint_key; /* of secrets' fingerprints; empty: the cache's own, and none without a cache */
	unsigned scanners;           /* enum scan_scanner, or'ed; 0 = only what packages there are */
	const char *platform;        /* NULL = this machine's */
	size_t parallel;             /* layers at a time; 0 = the default */
	uint64_t max_layer_bytes;    /* 0 = the default */
	const char *db_path;         /* NULL = the default database */
	uint32_t max_db_age_days;    /* 0 = any age */
	bool include_withdrawn;
	bool match_owned;            /* match what packages of the distribution brought with language advisories, too */
	bool owned_files;            /* keep each package's list of files in the report */
	const char *cache_folder;    /* for results of layers; NULL = the user's, when there is one that can be used */
	uint64_t max_cache_bytes;    /* 0 = no cache */
	struct license_list license_allow, license_deny;
	struct policy_options policy; /* its now_s is the time of the scan, too: age of data, end-of-life dates, report->generated */
	struct registry_options registry;
	void (*tell)(const char *text); /* see scan/target.h */
	bool quiet;
};

/* Only layers and packages: what the image holds. */
int scan_read(const struct scan_options *options, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

/* Runs everything up to the verdict. An error means that there is no report worth showing. */
int scan_run(const struct scan_options *options, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif
