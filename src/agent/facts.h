/* facts.h: what rules may ask of an event of the kernel: the fields of guard/fields.def from a record, its process and its container. */
#ifndef BH_AGENT_FACTS_H
#define BH_AGENT_FACTS_H

#include "agent/calls.h"
#include "agent/container.h"
#include "agent/process.h"
#include "guard/eval.h"

/* A host that rules name, and its addresses, one a line. */
struct agent_name {
	struct bh_slice name, addresses;
};

/* The same for all events. */
struct agent_host {
	uint64_t boot_ns; /* since 1970: what is to be added to a record's time */
	char name[256];
	struct bh_slice passwd, group;
	const struct agent_processes *processes;
	const struct agent_name *names;
	size_t n_names;
};

#define AGENT_FIELDS_MAX 512u

/* What fields of one event were found to be, as many rules ask for the same. */
struct agent_memo {
	uint64_t event; /* that it is of: number + 1 */
	bool is_there, is_list;
	uint32_t n;
	const struct bh_slice *list; /* in the event's arena */
};

struct agent_event {
	const struct guard_record *record;
	const struct agent_process *process;     /* NULL: not known */
	const struct agent_container *container; /* NULL: the host, if group_is_known */
	bool group_is_known;
	const struct agent_call *call; /* NULL: no system call, or an exec */
	const struct agent_host *host;
	uint64_t number;
	struct agent_memo *memos; /* AGENT_FIELDS_MAX, kept from event to event; NULL: none */
	struct bh_arena *arena;
};

/* "openat": the event's name in rules. Empty: rules don't see it. */
struct bh_slice agent_event_type(const struct agent_event *e);

/* Can the guard tell this at all? Else no check of it is ever true. */
bool agent_knows(const struct guard_field *field);

/* guard_event.extract, whose ctx is a struct agent_event. */
bool agent_extract(void *ctx, const struct guard_operand *field, struct guard_values *ret);

/* All of an event, as a line of recorded events (guard/replay.h). */
void agent_event_json(const struct agent_event *e, struct bh_buf *out);

#endif
