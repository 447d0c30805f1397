/* fields.h: what a rule may ask of an event: the table of fields.def. */
#ifndef BH_GUARD_FIELDS_H
#define BH_GUARD_FIELDS_H

#include "base/slice.h"

#include <string.h>

enum guard_type { GUARD_STRING, GUARD_NUMBER, GUARD_BOOL, GUARD_ADDRESS, GUARD_NETWORK, GUARD_PORT, GUARD_BYTES, GUARD_ANY };
enum guard_argument { GUARD_ARG_NONE, GUARD_ARG_OPTIONAL, GUARD_ARG_REQUIRED, GUARD_ARG_DOTTED };
enum guard_use { GUARD_USE_ANYWHERE, GUARD_USE_FILTER, GUARD_USE_OUTPUT };

struct guard_field {
	const char *name;
	enum guard_type type;
	enum guard_argument argument;
	enum guard_use use;
	const char *text; /* what it is */
};

/* Is it one of these characters? */
static inline bool guard_is_among(uint8_t c, const char *set)
{
	return c && strchr(set, c);
}

const struct guard_field *guard_field(size_t number); /* NULL: there are not so many */

/*
 * The field of a name as it stands in a rule; of a DOTTED one *ret_argument is what stands behind it ("flags" of evt.arg.flags), else it is empty. NULL: there is none.
 * An argument in brackets is the caller's.
 */
const struct guard_field *guard_field_find(struct bh_slice name, struct bh_slice *ret_argument);

/* The field whose name is nearest, for messages; NULL: none is near. */
const struct guard_field *guard_field_near(struct bh_slice name);

/* proc.aname and the like: without an argument it is about any ancestor. */
bool guard_field_is_of_ancestors(const struct guard_field *f);

const char *guard_type_name(enum guard_type type);

#endif
