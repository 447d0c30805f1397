/*
 * process.h: the processes of the host as the kernel's records tell of them. A process is known by its number and its start. Its parent is who that was at its last
 * record: whoever adopted it, where the first one is gone. What it runs is shared with those that it forks.
 *
 * One thread. Everything that records name is bounded: AGENT_PROCESSES_MAX processes, of which the oldest that ended is forgotten first.
 */
#ifndef BH_AGENT_PROCESS_H
#define BH_AGENT_PROCESS_H

#include "agent/event.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

#define AGENT_PROCESSES_MAX (1u << 18)
#define AGENT_ENDED_MAX 4096u /* that ended and are remembered nevertheless: their last records may come late, and their children ask for them */
#define AGENT_ANCESTORS_MAX 64u

/* What a process runs. */
struct agent_program {
	unsigned refs;
	struct bh_slice path;      /* of the executable */
	struct bh_slice arguments; /* argv, each with its end */
	struct bh_slice env, cwd;
	uint64_t inode, changed_ns, modified_ns;
	uint32_t flags; /* enum guard_flag */
};

struct agent_process {
	struct agent_process *next, *parent; /* next: in the table; parent: NULL: not known */
	struct agent_program *program;       /* NULL: not known */
	unsigned refs;
	uint64_t start_ns;
	uint32_t pid, vpid;
	char comm[16];
	bool has_ended, is_rough; /* is_rough: of the start only the hundredth of a second is known */
};

struct agent_processes {
	struct agent_process **table;
	size_t n, n_forgotten; /* n_forgotten: there was no room for it */
	struct agent_process *ended[AGENT_ENDED_MAX];
	size_t n_ended;
};

int agent_processes_init(struct agent_processes *p, struct bh_err *err) BH_MUST_CHECK;
void agent_processes_done(struct agent_processes *p);

/* What a record says of its process, which is made when it is not there. NULL: no memory, or there are too many. */
struct agent_process *agent_process_of(struct agent_processes *p, const struct guard_record *r);

/* The process of a number that did not end; NULL: not known. */
struct agent_process *agent_process_find(const struct agent_processes *p, uint32_t pid);

/* Is it a whole record? The kernel wrote it, but whoever reads checks. */
bool agent_record_is_whole(const struct guard_record *r, size_t bytes);

/* A string of a record. */
struct bh_slice agent_string(const struct guard_record *r, enum guard_string which);

/* Ends the process of a number, if it is still the one that began then. False: it is gone, or may not be ended (init, the agent). */
bool agent_process_kill(uint32_t pid, uint64_t start_ns);

/* Those that run already: from /proc. What can't be read is left out. */
int agent_processes_scan(struct agent_processes *p, struct bh_err *err) BH_MUST_CHECK;

#endif
