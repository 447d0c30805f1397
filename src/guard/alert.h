/* alert.h: which rules an event makes fire, and what is said then. */
#ifndef BH_GUARD_ALERT_H
#define BH_GUARD_ALERT_H

#include "guard/eval.h"

/* The next rule, in the order in which they were loaded, that is loaded, enabled, and true for an event of a type; *at: 0 at first. NULL: there is none. */
const struct guard_rule *guard_next_match(const struct guard_ruleset *rules, struct bh_slice type, const struct guard_event *e, size_t *at);

/* May any rule fire for events of this type? */
bool guard_is_looked_at(const struct guard_ruleset *rules, struct bh_slice type);

/* An alert as a line: "12:34:56.123456789: Warning ... [rule]", or an object as Falco writes it. more: what every output ends with, in the language of outputs; may be empty. */
void guard_alert_write(const struct guard_rule *rule, struct bh_slice more, const struct guard_event *e, bool json, struct bh_buf *out);

#endif
