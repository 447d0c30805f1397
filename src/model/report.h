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
	struct bh_slice instruction;  /* the Dockerfile instruction that made it: "RUN apt-get update"; empty when history doesn't tell */
	uint32_t dockerfile_line;     /* of it in report.dockerfile; 0 = not found there */
	bool base;                    /* it belongs to the base image, see report.base */
	bool container;               /* not of the image: the file system of the container on top of it */
	bool skipped;                 /* foreign layer that is not at hand, see incomplete */
};

struct bh_target {
	struct bh_slice text;         /* as the user typed it */
	struct bh_slice kind;         /* "oci", "archive", "dir", "rootfs", "sbom" ... */
	struct bh_slice format;       /* of an SBOM: "CycloneDX 1.6 JSON"; else empty */
	struct bh_slice contents;     /* of manifests: "2 objects in 1 file, 15 policies"; else empty */
	struct bh_slice reference;    /* tag or name inside the source; may be empty */
	struct bh_digest digest;      /* manifest digest; none for directories */
	struct bh_digest config_digest; /* image id */
	struct bh_slice os, architecture, variant; /* platform */
	struct bh_slice created;      /* RFC 3339, from the configuration */
	struct bh_distro distro;
};

/* An entry of the image's history. Those without a layer set metadata: CMD, ENV, LABEL. */
struct bh_history {
	struct bh_slice created_by, comment; /* as the builder wrote them, cut to a sane length */
	struct bh_slice created;             /* RFC 3339; may be empty */
	uint32_t layer;                      /* index into layers; BH_NO_LAYER when the entry made none */
};

struct bh_label {
	struct bh_slice name, value;
};

/* What an image's configuration says about running it. Lists are several settings of one kind, in their order. */
enum bh_setting_kind { BH_SETTING_ENTRYPOINT, BH_SETTING_CMD, BH_SETTING_ENV, BH_SETTING_USER, BH_SETTING_WORKDIR, BH_SETTING_VOLUME, BH_SETTING_PORT, BH_SETTING_HEALTHCHECK, BH_SETTING_KINDS };

struct bh_setting {
	enum bh_setting_kind kind;
	struct bh_slice value;
};

/* The image that this one was built on: the first n_layers layers. */
struct bh_base_image {
	struct bh_slice name;     /* "docker.io/library/debian:12"; empty when only its layers are known */
	struct bh_slice digest;   /* "sha256:..." of its manifest; may be empty */
	struct bh_slice evidence; /* "label", "shared layers", "history", "dockerfile"; empty = no base image was recognised */
	uint32_t n_layers;        /* 0 = it is not known which layers are its */
	uint32_t dockerfile_line; /* of its FROM; 0 = unknown */
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

/* What one step of work removes. The list is short and best first: "what must I change?" */
enum bh_change_kind { BH_CHANGE_BASE_IMAGE, BH_CHANGE_PACKAGE, BH_CHANGE_LOCKFILE };

struct bh_change {
	enum bh_change_kind kind;
	struct bh_slice what;       /* "debian:12", "openssl", "lodash" */
	struct bh_slice type;       /* purl type of the packages; empty for base images */
	struct bh_slice from, to;   /* versions; to may be empty when any newer one will do */
	struct bh_slice path;       /* file to edit: the lockfile, the Dockerfile; may be empty */
	uint32_t line;              /* of path; 0 = none */
	uint32_t layer;             /* that brought it; BH_NO_LAYER when several or unknown */
	struct bh_slice action;     /* one sentence */
	const uint32_t *findings;   /* indices into report.findings, worst first */
	size_t n_findings;
	uint64_t by_severity[BH_SEV_CRITICAL + 1];
	uint64_t kev;
};

/* An exception of bulkhead.yaml, and what became of it. */
struct bh_exception {
	struct bh_slice id, package, path; /* patterns; empty = any */
	struct bh_slice reason, owner;
	struct bh_slice expires;           /* the last day it holds */
	struct bh_slice from;              /* "bulkhead.yaml:12" */
	uint64_t matched;                  /* findings: suppressed, or still there if it ran out */
	bool expired;
};

/* A VEX document that was read. */
struct bh_vex_document {
	struct bh_slice from;              /* file, or "attached to the image" */
	struct bh_slice format;            /* "openvex", "csaf", "cyclonedx" */
	struct bh_slice author, id, date;  /* as it says; may be empty */
	uint64_t statements;
	uint64_t matched;                  /* findings that it says something about */
};

/* A document that lies beside the image in its registry. */
struct bh_attached {
	struct bh_slice media_type, bytes;
	struct bh_digest digest;
};

/* Why a finding is not in report.findings. The first three are filters, the others lead to report.suppressed. */
enum bh_hidden_reason { BH_HIDDEN_SEVERITY, BH_HIDDEN_UNFIXED, BH_HIDDEN_STATE, BH_HIDDEN_VEX, BH_HIDDEN_EXCEPTION, BH_HIDDEN_COUNT };

/* --baseline: what this report was compared with, and how many findings were there. */
struct bh_baseline_summary {
	struct bh_slice text;              /* as the user typed it; empty = no baseline */
	struct bh_digest digest;           /* of the image, when it is known */
	uint64_t unchanged, added, worse;  /* findings of this report */
	uint64_t gone;                     /* findings of the baseline that are no longer there */
};

BH_VEC(bh_package_vec, struct bh_package)
BH_VEC(bh_finding_vec, struct bh_finding)
BH_VEC(bh_incomplete_vec, struct bh_incomplete)
BH_VEC(bh_layer_vec, struct bh_layer)
BH_VEC(bh_data_vec, struct bh_data_source)
BH_VEC(bh_not_covered_vec, struct bh_not_covered)
BH_VEC(bh_history_vec, struct bh_history)
BH_VEC(bh_label_vec, struct bh_label)
BH_VEC(bh_setting_vec, struct bh_setting)
BH_VEC(bh_change_vec, struct bh_change)
BH_VEC(bh_exception_vec, struct bh_exception)
BH_VEC(bh_vex_vec, struct bh_vex_document)
BH_VEC(bh_attached_vec, struct bh_attached)

struct bh_report {
	struct bh_arena arena;
	struct bh_target target;
	struct bh_layer_vec layers;
	struct bh_package_vec packages;      /* sorted by (type, name, version, arch) */
	struct bh_finding_vec findings;      /* sorted worst first; see bh_report_sort_findings */
	struct bh_finding_vec suppressed;    /* findings that an exception or VEX took out, with their ruling; same order */
	struct bh_change_vec changes;        /* "fix first", best first; points into findings by index */
	struct bh_history_vec history;       /* oldest first */
	struct bh_label_vec labels;          /* of the image's configuration and manifest, sorted by name */
	struct bh_setting_vec settings;      /* of the image's configuration: kinds in their order; written by no format */
	struct bh_base_image base;
	struct bh_slice dockerfile;          /* the file that instruction lines refer to; empty = none was given */
	struct bh_exception_vec exceptions;  /* in the order of the file */
	struct bh_vex_vec vex;
	struct bh_attached_vec attached;     /* VEX documents, before they are read; written by no format */
	struct bh_baseline_summary baseline;
	struct bh_incomplete_vec incomplete;
	struct bh_data_vec data;
	struct bh_not_covered_vec not_covered;
	uint64_t hidden[BH_HIDDEN_COUNT];    /* findings that are not in `findings`, by reason */
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
 * moves them. Findings: known exploited first (ransomware before others), then severity, those without a hint that the code is
 * not reached, EPSS, CVSS, package, id (docs/guides/priority.md).
 */
void bh_report_sort_packages(struct bh_report *r);
void bh_report_sort_findings(struct bh_report *r);

/*
 * Fails on findings at or above `threshold`. Unknown severity counts as high: not known to be harmless. Passes only when
 * nothing is incomplete and there was data about every package. Sets verdict and reason.
 */
void bh_report_decide(struct bh_report *r, bool fail_never, enum bh_severity threshold);

/* The layer a finding or package names, or NULL. */
const struct bh_layer *bh_report_layer(const struct bh_report *r, uint32_t index);

/* Findings that filters took out: neither in findings nor in suppressed. */
uint64_t bh_report_filtered(const struct bh_report *r);

/* How many findings lie in layers of the base image. */
size_t bh_report_base_findings(const struct bh_report *r);

const char *bh_change_name(enum bh_change_kind k);     /* "base-image", "package", "lockfile" */
/* Seconds since 1970 in RFC 3339, UTC. False: the year has no such text. */
#define BH_TIME_TEXT_BYTES 32u
bool bh_time_text(int64_t seconds, char ret[BH_TIME_TEXT_BYTES]);

const char *bh_hidden_name(enum bh_hidden_reason why); /* "severity", "unfixed", "state", "vex", "exception" */

const char *bh_verdict_name(enum bh_verdict v); /* "pass", "fail", "incomplete" */

#endif
