/* act.h: what the agent's parent does beside telling: policies of groups, containers that are frozen or cut off, processes that are ended. */
#ifndef BH_AGENT_ACT_H
#define BH_AGENT_ACT_H

#include "agent/container.h"
#include "agent/sensor.h"

/* Messages of the reader of events: about a group (group, and for a policy its number in `value`), or a process (number in `value`, its start in `group`). */
struct agent_order {
	uint64_t group;
	uint32_t value, pad;
};

/* The processes of a control group stop where they are (cgroup.freeze), until somebody writes 0 there. */
int agent_freeze(int groups_fd, uint64_t group, struct bh_err *err) BH_MUST_CHECK;

/* A control group has no network from now on, until it is gone or `bulkhead-guard release`. */
int agent_cut_off(struct sensor *s, int groups_fd, uint64_t group, struct bh_err *err) BH_MUST_CHECK;

#endif
