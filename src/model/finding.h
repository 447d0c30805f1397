/* finding.h: one thing that is wrong (DESIGN section 4, the native report's "findings"). */
#ifndef BH_MODEL_FINDING_H
#define BH_MODEL_FINDING_H

#include "model/package.h"

enum bh_severity { BH_SEV_UNKNOWN, BH_SEV_NEGLIGIBLE, BH_SEV_LOW, BH_SEV_MEDIUM, BH_SEV_HIGH, BH_SEV_CRITICAL };

enum bh_finding_class {
	BH_CLASS_VULNERABILITY,
	BH_CLASS_SECRET,
	BH_CLASS_MISCONFIGURATION,
	BH_CLASS_MALWARE,
	BH_CLASS_END_OF_LIFE,
	BH_CLASS_DRIFT,
	BH_CLASS_LICENSE,   /* a package's licence is not allowed */
	BH_CLASS_EXCEPTION, /* an exception that ran out, though what it excepted is still there */
};

/* What the data says about (package, advisory); vendor states are kept, never dropped silently (DESIGN section 6). */
enum bh_state {
	BH_STATE_AFFECTED,     /* no fix known */
	BH_STATE_FIXED,        /* affected, and a fixed version exists */
	BH_STATE_NOT_AFFECTED, /* the vendor says so: never a finding, counted */
	BH_STATE_IGNORED,      /* the vendor won't fix it */
	BH_STATE_POSTPONED,    /* the vendor fixes it later (Debian no-dsa, postponed) */
	BH_STATE_END_OF_LIFE,  /* the vendor no longer looks */
	BH_STATE_UNDETERMINED, /* it could not be decided: unparsable version, missing range */
};

struct bh_cvss {
	struct bh_slice vector;  /* "CVSS:3.1/AV:N/..."; empty = none */
	uint16_t score_tenths;   /* 98 = 9.8 */
};

/* Who said that a finding does not count, or what it is worth. */
enum bh_ruling_kind { BH_RULING_NONE, BH_RULING_EXCEPTION, BH_RULING_VEX };

struct bh_ruling {
	enum bh_ruling_kind kind;
	struct bh_slice status;        /* VEX: "not_affected", "fixed", "affected", "under_investigation"; empty for exceptions */
	struct bh_slice justification; /* VEX: "vulnerable_code_not_present" ...; may be empty */
	struct bh_slice reason;        /* prose: the exception's reason, the statement's impact or action; may be empty */
	struct bh_slice who;           /* owner of the exception, author of the document; may be empty */
	struct bh_slice until;         /* exceptions: the last day it holds, "2026-12-31" */
	struct bh_slice from;          /* "bulkhead.yaml:12", "vex/shop.openvex.json" */
};

/* Compared with --baseline. */
enum bh_baseline { BH_BASELINE_NONE /* there was none */, BH_BASELINE_UNCHANGED, BH_BASELINE_NEW, BH_BASELINE_WORSE };

/* Is there a change of the object that mends it, and how sure is it that nothing else notices? */
enum bh_patch_level { BH_PATCH_NONE, BH_PATCH_SAFE, BH_PATCH_ALL };

struct bh_finding {
	enum bh_finding_class class;
	struct bh_slice id;                /* CVE first when one exists */
	struct bh_slice *aliases;          /* the other ids */
	size_t n_aliases;
	enum bh_severity severity;
	enum bh_state state;
	struct bh_slice title;
	const struct bh_package *package;  /* NULL for findings about the image as a whole */
	struct bh_slice *fixed;            /* versions that fix it, lowest first, in the installed package's own numbering */
	size_t n_fixed;
	struct bh_slice path;              /* file, when the finding is about one */
	uint32_t layer;                    /* BH_NO_LAYER when unknown */
	uint32_t line;                     /* 0 = none */
	struct bh_slice evidence;          /* what was seen: "source openssl 3.0.9-1 < 3.0.11-1~deb12u1" */
	struct bh_slice fix;               /* what to do, one sentence */
	struct bh_slice fingerprint;       /* of a secret: the same for the same one, made with a key; may be empty */
	enum bh_patch_level patch_level;   /* of manifests: what bulkhead check --fix can do */
	struct bh_slice patch;             /* JSON Patch (RFC 6902) of the object; empty when there is none, or it is long */
	struct bh_slice patch_may_break;   /* what might not work with it: "ping and tcpdump"; may be empty */
	struct bh_slice source;            /* the data source that told, by its name in report.data */
	struct bh_cvss cvss;
	uint16_t epss_score, epss_percentile; /* 0..65535 = 0..1; 0 and 0 when unknown */
	bool has_epss;
	bool kev;                          /* in CISA's known-exploited list */
	bool kev_ransomware;
	struct bh_slice kev_date;          /* "2024-03-01" */
	struct bh_ruling ruling;           /* in report.suppressed: why it is there; in report.findings: what VEX adds ("under_investigation") */
	enum bh_baseline baseline;
	struct bh_slice baseline_note;     /* what is worse: "severity was medium"; empty otherwise */
};

const char *bh_severity_name(enum bh_severity s);   /* "critical" ... "unknown" */
bool bh_severity_parse(struct bh_slice s, enum bh_severity *out);
const char *bh_class_name(enum bh_finding_class c); /* "vulnerability", "end-of-life" ... */
const char *bh_ruling_name(enum bh_ruling_kind k);  /* "exception", "vex" */
const char *bh_patch_level_name(enum bh_patch_level l); /* "safe", "all"; "none" */
const char *bh_baseline_name(enum bh_baseline b);   /* "unchanged", "new", "worse"; "none" */
const char *bh_state_name(enum bh_state s);         /* "fixed", "not_affected" ... as DESIGN section 6 spells them */
bool bh_state_parse(struct bh_slice s, enum bh_state *out);

#endif
