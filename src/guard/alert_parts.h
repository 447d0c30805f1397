/* alert_parts.h: what formats of alerts are made of; private to them. */
#ifndef BH_GUARD_ALERT_PARTS_H
#define BH_GUARD_ALERT_PARTS_H

#include "guard/alert.h"

/* The first value of a field; false: this event has none. */
bool guard_alert_value(const struct guard_alert *a, const char *name, struct bh_slice *ret);

/* The rule's output with its fields in place; lives as long as the event. */
struct bh_slice guard_alert_message(const struct guard_alert *a);

/* Each field of the output: as it is written there, what it is, and its value, NULL where the event has none. field: NULL for what a transformer makes. */
void guard_alert_each_field(const struct guard_alert *a, void (*take)(void *ctx, struct bh_slice name, const struct guard_field *field, const struct bh_slice *value), void *ctx);

/* Is a tag one of ATT&CK's techniques? */
bool guard_alert_is_technique(struct bh_slice tag);

/* Since 1970; false: it is not known. */
bool guard_alert_time_ns(const struct guard_alert *a, uint64_t *ret);

/* Digits that JSON takes for a number. */
bool guard_is_json_number(struct bh_slice s);

#endif
