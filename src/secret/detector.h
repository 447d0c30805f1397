/*
 * detector.h: what a detector of secrets is: one line of detectors.def, and samples of the same id in tests/corpus/secret/samples.txt.
 *
 * All expressions are searched in one pass by vectorscan, without the start of a match; where one ends, RE2 finds the start and the group again. So an
 * expression must mean the same to both: no look-around, no back-references, no lazy quantifiers, bounded repetitions ("{20,64}", never "+" or "*" over
 * wide classes), and a literal text of some bytes in it, or all files become slow.
 */
#ifndef BH_SECRET_DETECTOR_H
#define BH_SECRET_DETECTOR_H

#include "base/slice.h"
#include "model/finding.h"

/* What a check of the structure says of bytes that look like a secret. */
enum secret_form {
	SECRET_UNCHECKED, /* nothing can be said offline */
	SECRET_VALID,     /* a checksum or structure holds; `said` may tell more: "expires 2026-01-31" */
	SECRET_WRONG,     /* it does not: no secret, and no finding */
};

#define SECRET_SAID_BYTES 160u

/* The captured bytes and what stands around them (at most SECRET_WINDOW_BYTES each way). said: a few words for the finding; may stay empty. */
typedef enum secret_form (*secret_check)(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES]);

struct secret_detector {
	const char *id;       /* slug, stable for ever: "aws-access-key-id" */
	const char *title;    /* "AWS access key id": what was found */
	enum bh_severity severity;
	const char *pattern;  /* group 1 is the secret, or all of it when there is no group */
	const char *near;     /* "datadog|dd_api": one of these words must stand, in any case, in the match or the SECRET_NEAR_BYTES in front of it, or in the path; "" = nothing */
	unsigned entropy;     /* tenths of bits per byte that the secret must have at least (Shannon); 0 = any */
	const char *allow;    /* an expression that is found in secrets that are none ("EXAMPLE$"); "" = nothing */
	secret_check check;   /* NULL = nothing to check */
	const char *revoke;   /* what to do: where it is revoked and how it is replaced; one sentence or two */
};

#define SECRET_WINDOW_BYTES 16384u /* around the end of a match: longer matches are not found again */
#define SECRET_NEAR_BYTES 128u

extern const struct secret_detector secret_detectors[];
extern const unsigned secret_detectors_n;

#endif
