/* said.h: what the agent says itself, as an event that alerts are made of: losses, how many alerts were folded, tests of outputs. */
#ifndef BH_AGENT_SAID_H
#define BH_AGENT_SAID_H

#include "agent/facts.h"

#define AGENT_SAID_FIELDS_MAX 8u

struct agent_said {
	const struct agent_host *host;
	struct bh_arena *arena;
	uint64_t time_ns; /* since boot */
	size_t n;
	struct agent_said_field {
		const char *name;
		struct bh_slice value;
	} fields[AGENT_SAID_FIELDS_MAX];
};

/* guard_event.extract, whose ctx is a struct agent_said: its fields, and those of the event's time and host. */
bool agent_said_extract(void *ctx, const struct guard_operand *field, struct guard_values *ret);

#endif
