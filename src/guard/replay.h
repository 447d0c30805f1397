/*
 * replay.h: rules over recorded events: a JSON object a line, its keys the names of fields: {"evt.type": "openat", "fd.name": "/etc/shadow", "proc.aname": ["cat", "bash", "sshd"]}. What is
 * left out can't be had. An array is a list, of proc.a... the process itself and its ancestors; an object has arguments for keys ("proc.env": {"LD_PRELOAD": "/tmp/x.so"}). Both sides of a
 * connection, the parent's fields and the parts of fd.name follow from the others where they are left out.
 *
 * "expect", a list of rules' names, says which rules have to fire.
 */
#ifndef BH_GUARD_REPLAY_H
#define BH_GUARD_REPLAY_H

#include "guard/alert.h"

struct guard_replay {
	const struct guard_ruleset *rules;
	bool all;  /* every rule that matches, not only the first */
	const struct guard_alert_format *format;
	struct bh_buf *out, *told;
	/* filled in */
	size_t n_events, n_alerts, n_expected, n_wrong; /* n_wrong: events whose "expect" was not met */
};

/* BH_EMALFORMED: a line is no event; the text names file, line and column. */
int guard_replay_events(struct guard_replay *r, const char *name, struct bh_slice text, struct bh_err *err) BH_MUST_CHECK;

#endif
