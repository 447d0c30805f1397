/*
 * vex.h: statements of others about what a vulnerability means for a product (OpenVEX 0.2.0, CSAF 2.0, CycloneDX). Documents are
 * read by a sandboxed child; matching is done here.
 *
 *   not_affected, fixed             the finding goes to report.suppressed, with who says so and why
 *   affected, under_investigation   the finding stays and says so
 *
 * Of several statements about the same thing the latest counts, then the one that was read last.
 */
#ifndef BH_POLICY_VEX_H
#define BH_POLICY_VEX_H

#include "base/vec.h"
#include "model/report.h"

enum policy_vex_status { VEX_NOT_AFFECTED, VEX_FIXED, VEX_AFFECTED, VEX_UNDER_INVESTIGATION };

struct policy_vex_head {
	struct bh_slice format, author, id, date;
};

/* The vulnerability `ids` of `component` in `product`; without a component the product itself is meant. */
struct policy_vex_statement {
	const struct bh_slice *ids;  /* at least one */
	size_t n_ids;
	enum policy_vex_status status;
	struct bh_slice justification; /* in OpenVEX's words where they exist */
	struct bh_slice reason;
	struct bh_slice date;        /* RFC 3339; empty: the document's */
	struct bh_slice product;     /* package URL, image digest or image name; empty = what the scan is about */
	struct bh_slice platform;    /* CPE of a system that the component is part of; empty = any */
	struct bh_slice component;   /* package URL; may be empty */
};

struct policy_vex; /* all documents of one scan */

int policy_vex_new(struct policy_vex **ret, struct bh_err *err) BH_MUST_CHECK;
void policy_vex_free(struct policy_vex *vex);

/*
 * Reads a file, or all *.json below a folder. What is no VEX document is an error when the user named it, and passed over in a
 * folder that holds others. Damaged statements are left out and noted in report.incomplete.
 */
int policy_vex_load(struct policy_vex *vex, const char *path, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

/* Reads a document from memory: from = where it is from, for people ("attached to the image"). */
int policy_vex_load_bytes(struct policy_vex *vex, const char *from, struct bh_slice bytes, struct bh_report *report,
			  struct bh_err *err) BH_MUST_CHECK;

/* Applies all statements to report.findings; fills report.vex. */
int policy_vex_apply(struct policy_vex *vex, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

const char *policy_vex_status_name(enum policy_vex_status s); /* "not_affected" ... */

#endif
