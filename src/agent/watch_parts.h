/* watch_parts.h: what the two sides of the agent share: reader.c, the child that judges, and watch.c, the parent that acts. Private to them. */
#ifndef BH_AGENT_WATCH_PARTS_H
#define BH_AGENT_WATCH_PARTS_H

#include "agent/act.h"
#include "agent/facts.h"
#include "agent/filter.h"
#include "agent/holds.h"
#include "agent/learn.h"
#include "agent/watch.h"
#include "base/vec.h"
#include "guard/ruleset.h"
#include "sys/child.h"

#define TEXT_BYTES_MAX (64u << 20)
#define NOTICE_BYTES_MAX 1024u
#define NAME_BYTES_MAX 253u

enum message { SAY_ALERT = 1, SAY_EVENT, SAY_NOTICE, SAY_TEXT, SAY_METRICS, DO_KILL, DO_FREEZE, DO_CUT_OFF, DO_SET_POLICY, ASK_CONTAINER, ASK_ADDRESSES };

BH_VEC(agent_name_vec, struct agent_name)

struct watch {
	const struct agent_options *options;
	struct sensor *sensor;
	struct sensor_setup setup;
	struct agent_policies policies;
	char hold[AGENT_HOLD_PATH_BYTES]; /* empty: nothing outlives the agent */
	bool has_dropped; /* the parent's rights */
	uint64_t began_at_s; /* since 1970 */
	bool was_left; /* an agent before this one left its policies in force, and nobody was told what they refused */
	struct agent_host host;
	struct agent_processes processes;
	struct agent_containers containers;
	struct bh_buf passwd, group;
	/* the child's */
	struct bh_channel *ch;
	struct bh_err *err;
	struct guard_ruleset rules;
	struct agent_name_vec names;
	struct agent_alerts *alerts;
	struct agent_filter filter;
	struct agent_learned *learned; /* NULL: it watches */
	uint64_t began_ns;
	struct bh_arena arena;
	struct bh_buf text;
	struct sensor_counts told;
	uint64_t told_ns, measured_ns;
	size_t told_forgotten;
	bool told_stray, told_truncated, told_root;
	uint64_t n_events;
	struct agent_memo memos[AGENT_FIELDS_MAX];
	bool wanted[GUARD_CALL_NUMBERS], wants_exec, wants_clone, wants_exit;
};

/* The child, which ends with its parent, or when it has learned for long enough. */
int agent_reader_run(struct bh_channel *ch, void *watch, struct bh_err *err) BH_MUST_CHECK;

static inline bool has_policies(const struct watch *w)
{
	return agent_policies_deeds(&w->policies) != 0;
}

#endif
