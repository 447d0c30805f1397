/*
 * watch.h: the agent at work: kernel programs write records, a sandboxed child reads them out of shared memory, judges them by the rules, and sends alerts to the parent, which gives them to the outputs.
 *
 *   kernel programs ──ring──► child: processes, containers, rules          parent: root, acts
 *                               │   alerts, recorded events, losses ─────────►│──► outputs: a process each (deliver/)
 *                               └── "who is container ID?" ─────────────────►│── Docker's socket, Podman's and containerd's files
 */
#ifndef BH_AGENT_WATCH_H
#define BH_AGENT_WATCH_H

#include "agent/outputs.h"
#include "base/err.h"
#include "guard/rule_files.h"

#include <stdbool.h>
#include <stddef.h>

struct agent_options {
	const struct guard_rule_file *files;
	size_t n_files;
	const struct guard_rule_file *policies; /* files of policies */
	size_t n_policies;
	bool all_rules, containers_only, kills_drift, checks_filter;
	uint32_t learn_seconds; /* 0: it watches; else it learns policies for so long, and writes them to text_fd */
	bool stays; /* policies are in force when it has ended as it should, too */
	struct agent_outputs *outputs; /* of alerts */
	struct agent_alert_options alerts;
	const char *metrics; /* a file for them, written anew every ten seconds; NULL: none */
	int text_fd;
	int record_fd;             /* -1: events are not recorded */
	const char *docker_socket; /* NULL: nobody is asked */
	/* A sentence for people: what is watched, what was lost. */
	void (*notice)(void *ctx, const char *text);
	void *ctx;
};

/* Until interrupted: that is 0. BH_EUNSUPPORTED: this kernel or user can't; BH_EMALFORMED: something is wrong with the rules, and `notice` was told what. */
int agent_watch(const struct agent_options *options, struct bh_err *err) BH_MUST_CHECK;

#endif
