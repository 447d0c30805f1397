/*
 * holds.h: what stays in force when the agent is gone, as files of the BPF file system:
 *
 *   /sys/fs/bpf/bulkhead-guard/run-PID/            what an agent refuses by; its own is removed when it ends as it should, others' when a new one is in force
 *   /sys/fs/bpf/bulkhead-guard/quarantine-GROUP/   a container that was cut off; until it is gone, or `bulkhead-guard release`
 */
#ifndef BH_AGENT_HOLDS_H
#define BH_AGENT_HOLDS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define AGENT_HOLD_PATH_BYTES 128u

/* Makes a folder, or its name alone. BH_EUNSUPPORTED: there is no BPF file system. */
int agent_hold_run(pid_t pid, char path[AGENT_HOLD_PATH_BYTES], struct bh_err *err) BH_MUST_CHECK;
int agent_hold_quarantine(uint64_t group, char path[AGENT_HOLD_PATH_BYTES], struct bh_err *err) BH_MUST_CHECK;

/* Is anything kept there? */
bool agent_hold_is_full(const char *path);
void agent_hold_remove(const char *path);

/* Removes what agents have left that are gone, or that of all (own: 0); how many there were. own: the agent itself. */
size_t agent_holds_take_over(pid_t own);

/* Removes quarantines: those of groups that are gone, or all (groups_fd -1). How many. */
size_t agent_holds_end_quarantines(int groups_fd);

/* How many containers are cut off. */
size_t agent_holds_quarantines(void);

#endif
