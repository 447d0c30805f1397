/* eval.h: is a condition true for an event? Where values come from is the caller's: a recorded event, or the kernel's records. */
#ifndef BH_GUARD_EVAL_H
#define BH_GUARD_EVAL_H

#include "guard/ruleset.h"

#define GUARD_VALUES_MAX 64u /* of a field: ancestors, both sides of a connection, entries of a list */

/* What a field has for an event; numbers and truth values are texts, too. */
struct guard_values {
	struct bh_slice list[GUARD_VALUES_MAX];
	size_t n;
	bool is_list; /* the field is one; else several values are sides or ancestors, of which any will do */
};

struct guard_event {
	/* False: the field can't be had for this event, so that no check of it is true. Values live as long as the event. */
	bool (*extract)(void *ctx, const struct guard_operand *field, struct guard_values *ret);
	void *ctx;
	struct bh_arena *arena; /* for what transformers make; cleared by the caller between events */
};

/* The first value of the field of that name; false: the event has none. */
bool guard_event_value(const struct guard_event *e, const char *name, struct bh_slice *ret);

/* The tree is one that guard_ruleset_compile has found good. */
bool guard_eval(const struct guard_node *n, const struct guard_event *e);

enum guard_truth { GUARD_IS_FALSE, GUARD_IS_TRUE, GUARD_IS_UNKNOWN };

/* The same of events of which only some fields are known, which `knows` says of each: what is true, or false, whatever the others are. */
enum guard_truth guard_eval_known(const struct guard_node *n, const struct guard_event *e, bool (*knows)(const struct guard_operand *field));

/* The output of a rule with its fields in place, "<NA>" for those that the event has not. */
void guard_format(struct bh_slice output, const struct guard_event *e, struct bh_buf *out);

#endif
