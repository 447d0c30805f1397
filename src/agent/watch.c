/* watch.c: the parent: loads the kernel programs, starts the reader of events, does and writes what that asks for (watch.h). */
#include "agent/describe.h"
#include "agent/metrics.h"
#include "agent/sensor.h"
#include "agent/watch_parts.h"
#include "base/cleanup.h"
#include "net/resolve.h"
#include "sys/clock.h"
#include "sys/files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HOST_FILE_BYTES_MAX (1u << 20)
#define NO_LIMIT UINT32_MAX
#define SECOND_NS 1000000000ull

static int answer(struct watch *w, struct bh_slice question, struct bh_child_reply *reply, struct bh_err *err)
{
	uint32_t pid;
	char id[AGENT_ID_BYTES + 1] = { 0 };
	if (question.len != sizeof(pid) + AGENT_ID_BYTES)
		return bh_fail(err, BH_ECHILD, 0, "the reader of events asked for something that is no container");
	memcpy(&pid, question.ptr, sizeof(pid));
	memcpy(id, question.ptr + sizeof(pid), AGENT_ID_BYTES);
	for (size_t i = 0; i < AGENT_ID_BYTES; i++)
		if (bh_hex_digit((uint8_t)id[i]) < 0)
			return bh_fail(err, BH_ECHILD, 0, "the reader of events asked for something that is no container");
	agent_describe(id, pid, w->options->docker_socket, reply->payload);
	return 0;
}

static int addresses(struct bh_slice question, struct bh_child_reply *reply, struct bh_err *err)
{
	char name[NAME_BYTES_MAX + 1] = { 0 };
	if (question.len > NAME_BYTES_MAX || memchr(question.ptr, 0, question.len))
		return bh_fail(err, BH_EMALFORMED, 0, "rules name a host whose name is longer than %u bytes or has a NUL", NAME_BYTES_MAX);
	memcpy(name, question.ptr, question.len);
	(void)net_resolve(name, reply->payload);
	return 0;
}

/* What can't be done is told; the agent goes on. */
static void obey(struct watch *w, enum message type, const struct agent_order *o)
{
	struct bh_err why = { 0 };
	int rc = 0;
	if (type == DO_KILL && !agent_process_kill(o->value, o->group))
		rc = bh_fail(&why, BH_ENOTFOUND, 0, "process %" PRIu32 " was to be killed, but it is gone, or may not be", o->value);
	else if (type == DO_FREEZE)
		rc = agent_freeze(w->setup.groups_fd, o->group, &why);
	else if (type == DO_CUT_OFF)
		rc = agent_cut_off(w->sensor, w->setup.groups_fd, o->group, &why);
	else if (type == DO_SET_POLICY && !sensor_set_policy(w->sensor, o->group, o->value, false))
		rc = bh_fail(&why, BH_ELIMIT, 0, "there are too many control groups: a container has only the policy that is for all others");
	if (rc < 0)
		w->options->notice(w->options->ctx, why.text);
}

static int take_order(struct watch *w, enum message type, struct bh_slice payload, struct bh_err *err)
{
	struct agent_order o;
	if (payload.len != sizeof(o))
		return bh_fail(err, BH_ECHILD, 0, "the reader of events gave an order that is none");
	memcpy(&o, payload.ptr, sizeof(o));
	if (type == DO_SET_POLICY && o.value >= w->policies.policies.len)
		return bh_fail(err, BH_ECHILD, 0, "the reader of events named a policy that is none");
	obey(w, type, &o);
	return 0;
}

static void notice(const struct watch *w, struct bh_slice text)
{
	char own[4096];
	struct bh_buf b;
	bh_buf_init(&b, sizeof(own) - 1);
	bh_buf_add_escaped(&b, bh_slice_sub(text, 0, sizeof(own) / 4 - 1));
	(void)snprintf(own, sizeof(own), "%.*s", BH_SLICE_FMT(bh_buf_slice(&b)));
	bh_buf_done(&b);
	w->options->notice(w->options->ctx, own);
}

/* The reader's part comes first. A file that can't be written is told, and tried again. */
static void write_metrics(struct watch *w, struct bh_slice text)
{
	struct bh_buf b;
	struct bh_err why = { 0 };
	if (!w->options->metrics)
		return;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	bh_buf_add(&b, text);
	agent_metrics_of_outputs(&b, w->options->outputs->all);
	agent_metric(&b, "start_time_seconds", "gauge", "When the agent began, since 1970.", w->began_at_s);
	agent_metric(&b, "written_time_seconds", "gauge", "When this file was written, since 1970.", bh_clock_ns(CLOCK_REALTIME) / SECOND_NS);
	if (bh_write_file_atomic(w->options->metrics, bh_buf_slice(&b), 0644, &why) < 0)
		w->options->notice(w->options->ctx, why.text);
	bh_buf_done(&b);
}

static void on_progress(void *ctx, uint64_t done)
{
	struct watch *w = ctx;
	(void)done;
	if (w->options->outputs)
		agent_outputs_tick(w->options->outputs, w->options->notice, w->options->ctx);
}

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct watch *w = ctx;
	if (!w->has_dropped)
		agent_drop_rights();
	w->has_dropped = true;
	if (is_request != (type >= ASK_CONTAINER))
		return bh_fail(err, BH_ECHILD, 0, "the reader of events sent a message of unknown kind %u", type);
	switch (type) {
	case SAY_ALERT:
		return agent_outputs_give(w->options->outputs, payload, err);
	case SAY_TEXT:
		return bh_write_all(w->options->text_fd, payload, err);
	case SAY_METRICS:
		write_metrics(w, payload);
		return 0;
	case SAY_EVENT:
		return w->options->record_fd < 0 ? bh_fail(err, BH_ECHILD, 0, "an event that nobody asked for") : bh_write_all(w->options->record_fd, payload, err);
	case SAY_NOTICE:
		notice(w, payload);
		return 0;
	case DO_KILL:
	case DO_FREEZE:
	case DO_CUT_OFF:
	case DO_SET_POLICY:
		return take_order(w, (enum message)type, payload, err);
	case ASK_CONTAINER:
		return answer(w, payload, reply, err);
	case ASK_ADDRESSES:
		return addresses(payload, reply, err);
	default:
		return bh_fail(err, BH_ECHILD, 0, "the reader of events sent a message of unknown kind %u", type);
	}
}

/* What the child needs of the host: it can open nothing. */
static int know_host(struct watch *w, struct bh_err *err)
{
	struct bh_err ignored = { 0 };
	w->host.boot_ns = bh_clock_ns(CLOCK_REALTIME) - bh_clock_ns(CLOCK_BOOTTIME);
	w->host.processes = &w->processes;
	(void)gethostname(w->host.name, sizeof(w->host.name) - 1);
	bh_buf_init(&w->passwd, HOST_FILE_BYTES_MAX);
	bh_buf_init(&w->group, HOST_FILE_BYTES_MAX);
	if (bh_read_file("/etc/passwd", HOST_FILE_BYTES_MAX, &w->passwd, &ignored) == 0)
		w->host.passwd = bh_buf_slice(&w->passwd);
	if (bh_read_file("/etc/group", HOST_FILE_BYTES_MAX, &w->group, &ignored) == 0)
		w->host.group = bh_buf_slice(&w->group);
	(void)agent_call_of(0); /* fills its table */
	tzset();                /* gmtime_r does it otherwise, even though it needs no zone */
	int rc = agent_processes_init(&w->processes, err);
	return rc < 0 ? rc : agent_containers_init(&w->containers, err);
}

/* --drift kill is a wish of every policy. */
static int read_policies(struct watch *w, struct bh_err *err)
{
	const struct agent_options *o = w->options;
	if (o->learn_seconds)
		return agent_learn_policy(&w->policies, err);
	int rc = agent_policies_init(&w->policies, err);
	if (rc == 0 && o->n_policies)
		rc = agent_policies_read(&w->policies, o->policies, o->n_policies, err);
	struct agent_policy *first = w->policies.policies.ptr;
	if (rc == 0 && !first->name[0])
		(void)snprintf(first->name, sizeof(first->name), "others");
	for (size_t i = 0; rc == 0 && o->kills_drift && i < w->policies.policies.len; i++) {
		struct guard_policy *rules = &w->policies.policies.ptr[i].rules;
		rules->refused |= GUARD_BIT(DRIFT);
		rules->kills |= GUARD_BIT(DRIFT);
		rules->kills_instead |= GUARD_BIT(DRIFT);
	}
	return rc;
}

static int know_root(struct watch *w, struct bh_err *err)
{
	struct stat root;
	/* In a container of its own, the agent's root is not the host's. Some machines let nobody look at their first process. */
	if (stat("/proc/1/root/.", &root) < 0 && stat("/", &root) < 0)
		return bh_fail_errno(err, errno, "the host's own root, from which containers are told");
	w->setup = (struct sensor_setup){ .policies = &w->policies, .root_device = root.st_dev, .root_inode = root.st_ino, .groups_fd = agent_groups_open() };
	return 0;
}

static void tell_policies(struct watch *w)
{
	struct bh_buf b;
	struct bh_slice rest, line;
	char text[NOTICE_BYTES_MAX];
	bh_buf_init(&b, TEXT_BYTES_MAX);
	agent_policies_tell(&w->policies, sensor_refuses(w->sensor), &b);
	for (rest = bh_buf_slice(&b); rest.len;) {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		(void)snprintf(text, sizeof(text), "%.*s", BH_SLICE_FMT(line));
		w->options->notice(w->options->ctx, text);
	}
	bh_buf_done(&b);
	const char *hook;
	for (size_t i = 0; (hook = sensor_gap(w->sensor, i)); i++) {
		(void)snprintf(text, sizeof(text), "this kernel has no hook '%s' for programs: what policies ask for is not refused there", hook);
		w->options->notice(w->options->ctx, text);
	}
}

/* Containers that run already have the policy of all others from here on, and their own when their managers have answered. */
static int police(void *ctx, const struct agent_group *group)
{
	struct watch *w = ctx;
	return sensor_set_policy(w->sensor, group->number, 0, true) ? 0 : BH_ELIMIT;
}

/* The new policies are in force before those of an agent that is gone end. */
static void hold(struct watch *w)
{
	char text[NOTICE_BYTES_MAX];
	struct bh_err why = { 0 };
	int rc = has_policies(w) && !w->options->learn_seconds ? agent_hold_run(getpid(), w->hold, &why) : 0;
	rc = rc == 0 && w->hold[0] ? sensor_hold(w->sensor, w->hold, &why) : rc;
	if (rc < 0) {
		agent_hold_remove(w->hold);
		w->hold[0] = '\0';
		(void)snprintf(text, sizeof(text), "policies end with the agent, however it ends: %s", why.text);
		w->options->notice(w->options->ctx, text);
	}
	w->was_left = agent_holds_take_over(getpid());
	if (w->was_left)
		w->options->notice(w->options->ctx, "an agent before this one has left its policies in force: what they refuse was refused until now, and nobody was told");
	(void)agent_holds_end_quarantines(w->setup.groups_fd);
	size_t n = agent_holds_quarantines();
	(void)snprintf(text, sizeof(text), "%zu containers are cut off the network; 'bulkhead-guard release' lets them go", n);
	if (n)
		w->options->notice(w->options->ctx, text);
}

/* The programs write from here on; what ran before is read from /proc then, so that nothing falls in between. */
static int begin(struct watch *w, struct bh_err *err)
{
	sensor_ignore(w->sensor, getpid());
	int rc = sensor_attach(w->sensor, err);
	if (rc < 0)
		return rc;
	if (w->setup.groups_fd < 0)
		w->options->notice(w->options->ctx, "control groups of version 2 are not mounted: containers can't be told from the host");
	else
		agent_groups_scan(&w->containers, w->setup.groups_fd);
	tell_policies(w);
	if (has_policies(w) && agent_groups_each(&w->containers, NULL, police, w) < 0)
		return bh_fail(err, BH_ELIMIT, 0, "there are more than %u control groups of containers", GUARD_GROUPS_MAX);
	hold(w);
	return agent_processes_scan(&w->processes, err);
}

int agent_watch(const struct agent_options *options, struct bh_err *err)
{
	struct watch *w = calloc(1, sizeof(*w));
	if (!w)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	w->options = options;
	w->setup.groups_fd = -1;
	w->began_at_s = bh_clock_ns(CLOCK_REALTIME) / SECOND_NS;
	struct bh_child_spec spec = { .name = "the reader of events", .run = agent_reader_run, .handle = handle, .progress = on_progress, .ctx = w,
				      .limits = { .cpu_seconds = NO_LIMIT, .stall_seconds = 60, .output_bytes = UINT64_MAX } };
	struct bh_err why = { 0 };
	int result = 0;
	int rc = read_policies(w, err);
	rc = rc < 0 ? rc : know_root(w, err);
	rc = rc < 0 ? rc : sensor_open(&w->sensor, &w->setup, err);
	rc = rc < 0 ? rc : know_host(w, err);
	rc = rc < 0 ? rc : begin(w, err);
	rc = rc < 0 ? rc : bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc == 0 && result < 0)
		*err = why;
	/* Whatever goes wrong, policies stay in force. */
	if (rc == BH_ECANCELLED && w->hold[0] && !options->stays)
		agent_hold_remove(w->hold);
	agent_containers_done(&w->containers);
	agent_processes_done(&w->processes);
	agent_policies_done(&w->policies);
	bh_buf_done(&w->passwd);
	bh_buf_done(&w->group);
	sensor_close(w->sensor);
	if (w->setup.groups_fd >= 0)
		(void)close(w->setup.groups_fd);
	free(w);
	return rc == BH_ECANCELLED ? 0 : rc < 0 ? rc : result;
}
