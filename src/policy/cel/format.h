/* format.h: "%s and %d".format([a, b]) (cel-go ext/formatting.go): %s %d %f %e %b %o %x %X with a precision, and %%. */
#ifndef CEL_FORMAT_H
#define CEL_FORMAT_H

#include "policy/cel/library.h"

struct cel_clause {
	uint8_t letter;     /* of sdfeboxX, or % for the sign itself */
	unsigned precision; /* digits behind the point */
};

/* Cuts a clause and the plain text before it off the format: 1; 0: plain text only; BH_EMALFORMED. */
int cel_clause_next(struct bh_slice *rest, struct bh_slice *ret_plain, struct cel_clause *ret, struct bh_err *err) BH_MUST_CHECK;

struct cel_value cel_format(struct cel_run *run, struct bh_slice format, const struct cel_list *args);

#endif
