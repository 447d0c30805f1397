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

/*
 * Keeps of root's capabilities those that the parent has work for: KILL, BPF, PERFMON and NET_ADMIN (tables of the kernel programs, containers that are cut off), DAC_READ_SEARCH and SYS_PTRACE (groups by their numbers,
 * containers' roots). Once its programs are attached and its reader has begun, which becomes nobody. Failures are fine.
 */
void agent_drop_rights(void);

/* The processes of a control group stop where they are (cgroup.freeze), until somebody writes 0 there. */
int agent_freeze(int groups_fd, uint64_t group, struct bh_err *err) BH_MUST_CHECK;

/* A control group has no network from now on, until it is gone or `bulkhead-guard release`. */
int agent_cut_off(struct sensor *s, int groups_fd, uint64_t group, struct bh_err *err) BH_MUST_CHECK;

#endif
