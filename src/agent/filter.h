/*
 * filter.h: which opened paths no rule can be about, whoever opens them: the kernel programs don't tell of these again. Found by each rule's condition with the path, the call and its flags known
 * and everything else not, when such an open was told for the first time. The reader's side; bpf/filter.h is the kernel's.
 */
#ifndef BH_AGENT_FILTER_H
#define BH_AGENT_FILTER_H

#include "agent/facts.h"
#include "agent/sensor.h"
#include "guard/ruleset.h"

struct agent_filter {
	struct sensor_filter shared;
	uint32_t mode; /* that is wanted: enum guard_filter */
	bool asks_for_names;
	uint32_t n;    /* places in use; nothing is learned when they are nearly all */
	uint64_t begun_ns;
	bool is_off;   /* it begins anew at the next tick */
};

void agent_filter_begin(struct agent_filter *f, struct sensor_filter shared, const struct guard_ruleset *rules, uint32_t mode); /* mode: enum guard_filter */

/* An event that was told. */
void agent_filter_learn(struct agent_filter *f, const struct guard_ruleset *rules, const struct agent_event *event);

/* Once a second: when the table is nearly full, it is given up and begun again, once in a minute at most. */
void agent_filter_tick(struct agent_filter *f);

#endif
