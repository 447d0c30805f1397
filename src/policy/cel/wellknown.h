/*
 * wellknown.h: the messages of google.protobuf that JSON maps to (cel-spec langdef.md, "Protocol Buffer Data Conversion"). Literals of them become
 * values of the language at once; there are no other messages here.
 */
#ifndef CEL_WELLKNOWN_H
#define CEL_WELLKNOWN_H

#include "policy/cel/library.h"
#include "policy/cel/type.h"

struct cel_wellknown {
	const char *name;
	const char *type;   /* of the literal, in text form */
	struct {
		const char *name, *type;
	} fields[7];        /* ended by a NULL name */
	/* The value: of the fields that are set (NULL for others), in the order above. */
	struct cel_value (*make)(struct cel_run *run, const struct cel_value *const *fields);
};

/* NULL when the name is none of them. */
const struct cel_wellknown *cel_wellknown_find(struct bh_slice name);

#endif
