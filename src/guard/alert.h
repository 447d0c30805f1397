/* alert.h: which rules an event makes fire, and what is said then, in the formats of those who listen. */
#ifndef BH_GUARD_ALERT_H
#define BH_GUARD_ALERT_H

#include "guard/eval.h"

/* The next rule, in the order in which they were loaded, that is loaded, enabled, and true for an event of a type; *at: 0 at first. NULL: there is none. */
const struct guard_rule *guard_next_match(const struct guard_ruleset *rules, struct bh_slice type, const struct guard_event *e, size_t *at);

/* May any rule fire for an event of this type of which only those fields are known? */
bool guard_may_match(const struct guard_ruleset *rules, struct bh_slice type, const struct guard_event *e, bool (*knows)(const struct guard_operand *field));

/* May any rule fire for events of this type? */
bool guard_is_looked_at(const struct guard_ruleset *rules, struct bh_slice type);

struct guard_alert {
	const struct guard_rule *rule;
	const struct guard_event *event;
	struct bh_slice more; /* what every output ends with, in the language of outputs; may be empty */
	uint64_t n_folded;    /* alerts like it that were not told */
};

/* One alert is one record without line breaks. Where several go together they stand between head and tail, with commas between them; both empty: each goes alone. */
struct guard_alert_format {
	const char *name, *content_type; /* of HTTP */
	const char *head, *tail;
	void (*write)(const struct guard_alert *a, struct bh_buf *out);
};

const struct guard_alert_format *guard_alert_format_at(size_t number);             /* NULL: there are not so many */
const struct guard_alert_format *guard_alert_format_find(struct bh_slice name); /* NULL: there is none */

#endif
