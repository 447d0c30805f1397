/*
 * report.h: everything a scan found out, before it is written in any format (DESIGN section 4, "bulkhead.report/1").
 * One arena owns all of it.
 */
#ifndef BH_MODEL_REPORT_H
#define BH_MODEL_REPORT_H

#include "base/arena.h"
#include "base/vec.h"
#include "model/digest.h"
#include "model/finding.h"

enum bh_verdict { BH_VERDICT_PASS, BH_VERDICT_FAIL, BH_VERDICT_INCOMPLETE };

/* Something that was not checked, or only in part. Never silence. */
struct bh_incomplete {
	struct bh_slice what;   /* "layer", "package-database", "manifest", "data" ... */
	struct bh_slice path;   /* file or blob it is about; may be empty */
	struct bh_slice reason; /* a sentence */
	uint32_t layer;         /* BH_NO_LAYER when not about one */
};

struct bh_layer {
	struct bh_digest digest;      /* of the blob as stored (compressed) */
	struct bh_digest diff_id;     /* of the uncompressed tar */
	struct bh_slice media_type;
	struct bh_slice created_by;   /* history entry; may be empty */
	uint64_t size_bytes;          /* as stored */
	uint64_t unpacked_bytes;      /* tar stream */
	uint64_t entries;             /* tar entries */
	bool skipped;                 /* foreign layer that is not at hand, see incomplete */
};

struct bh_target {
	struct bh_slice text;         /* as the user typed it */
	struct bh_slice kind;         /* "oci", "archive", "dir", "rootfs" ... */
	struct bh_slice reference;    /* tag or name inside the source; may be empty */
	struct bh_digest digest;      /* manifest digest; none for directories */
	struct bh_digest config_digest; /* image id */
	struct bh_slice os, architecture, variant; /* platform */
	struct bh_slice created;      /* RFC 3339, from the configuration */
	struct bh_distro distro;
};

/* One source of advisory facts that was used. */
struct bh_data_source {
	struct bh_slice name;         /* "debian-changelogs" */
	struct bh_slice date;         /* date of the data, "2026-11-24"; empty = unknown */
	struct bh_slice sha256;       /* hex of the input file; may be empty */
	struct bh_slice licence;
	struct bh_slice origin;       /* "embedded" or "user" */
	uint64_t records;
};

/* An ecosystem seen in the target for which no data is at hand ("npm"), or only partial data. */
struct bh_not_covered {
	struct bh_slice ecosystem;    /* "npm", "Debian:10" */
	struct bh_slice note;         /* "no data", "fixed versions only; no open issues" */
	uint64_t packages;            /* packages of the target that it concerns */
	bool partial;
};

BH_VEC(bh_package_vec, struct bh_package)
BH_VEC(bh_finding_vec, struct bh_finding)
BH_VEC(bh_incomplete_vec, struct bh_incomplete)
BH_VEC(bh_layer_vec, struct bh_layer)
BH_VEC(bh_data_vec, struct bh_data_source)
BH_VEC(bh_not_covered_vec, struct bh_not_covered)

struct bh_report {
	struct bh_arena arena;
	struct bh_target target;
	struct bh_layer_vec layers;
	struct bh_package_vec packages;      /* sorted by (type, name, version, arch) */
	struct bh_finding_vec findings;      /* sorted worst first; see bh_report_sort_findings */
	struct bh_incomplete_vec incomplete;
	struct bh_data_vec data;
	struct bh_not_covered_vec not_covered;
	uint64_t hidden;                     /* findings that filters (--ignore-unfixed, --severity ...) took out */
	uint64_t not_affected;               /* (package, advisory) pairs the vendor says are not affected */
	enum bh_verdict verdict;
	struct bh_slice verdict_reason;      /* "3 findings at or above high" */
	struct bh_slice generated;           /* RFC 3339 UTC; SOURCE_DATE_EPOCH honoured; empty = leave out */
};

void bh_report_init(struct bh_report *r);
void bh_report_done(struct bh_report *r);

/* Notes something unchecked; text is copied. Out of memory is swallowed only after `incomplete` holds at least one entry. */
void bh_report_incomplete(struct bh_report *r, const char *what, struct bh_slice path, uint32_t layer, const char *fmt, ...) BH_PRINTF(5, 6);

/*
 * Same input, same order. Packages by (type, name, version, arch, file): before any finding points at one, as sorting
 * moves them. Findings: known exploited first, then severity, EPSS, package, id.
 */
void bh_report_sort_packages(struct bh_report *r);
void bh_report_sort_findings(struct bh_report *r);

/*
 * Fails on findings at or above `threshold`. Unknown severity counts as high: not known to be harmless. Passes only when
 * nothing is incomplete and there was data about every package. Sets verdict and reason.
 */
void bh_report_decide(struct bh_report *r, bool fail_never, enum bh_severity threshold);

const char *bh_verdict_name(enum bh_verdict v); /* "pass", "fail", "incomplete" */

#endif
