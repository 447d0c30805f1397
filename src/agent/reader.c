/* reader.c: the child without rights: reads records out of shared memory, keeps processes and containers, judges events by rules, and sends what is to be said and done to its parent (watch_parts.h). */
#include "agent/alerts.h"
#include "agent/describe.h"
#include "agent/metrics.h"
#include "agent/sensor.h"
#include "agent/watch_parts.h"
#include "base/cleanup.h"
#include "guard/alert.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#define EVENT_ARENA_BYTES (64u << 20)
#define POLL_MS 1
#define TELL_NS 1000000000ull
#define ASKED_MAX 4u
#define ASK_AGAIN_NS (2 * TELL_NS)
#define NAMES_MAX 1000u
#define MEASURE_NS (10 * TELL_NS)

/* ---- the child: messages ---- */

static int send_text(struct watch *w, enum message type, struct bh_slice text)
{
	int rc = 0;
	for (size_t at = 0; rc == 0 && at < text.len; at += BH_FRAME_BYTES_MAX)
		rc = bh_channel_send(w->ch, (uint16_t)type, bh_slice_sub(text, at, BH_FRAME_BYTES_MAX), w->err);
	return rc;
}

static int tell(struct watch *w, const char *fmt, ...) BH_PRINTF(2, 3);

/* A sentence for people. */
static int tell(struct watch *w, const char *fmt, ...)
{
	char text[NOTICE_BYTES_MAX];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return send_text(w, SAY_NOTICE, bh_slice_str(text));
}

/* What is less than it should be goes where alerts go, too. */
static int warn(struct watch *w, const char *rule, const char *fmt, ...) BH_PRINTF(3, 4);

static int warn(struct watch *w, const char *rule, const char *fmt, ...)
{
	char text[NOTICE_BYTES_MAX];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	int rc = send_text(w, SAY_NOTICE, bh_slice_str(text));
	return rc < 0 ? rc : agent_alerts_say(w->alerts, rule, GUARD_CRITICAL, text);
}

/* A loss is told within a second, with what is known of it. */
static int tell_losses(struct watch *w)
{
	w->host.boot_ns = bh_clock_ns(CLOCK_REALTIME) - bh_clock_ns(CLOCK_BOOTTIME); /* somebody may set the clock */
	struct sensor_counts now = sensor_counts(w->sensor);
	uint64_t lost = now.lost - w->told.lost, compat = now.compat_calls - w->told.compat_calls;
	w->told = now;
	int rc = lost ? warn(w, "events-lost", "%" PRIu64 " events were lost: they came faster than they could be judged; %" PRIu64 " of %" PRIu64 " since the start", lost, now.lost, now.written) : 0;
	if (rc == 0 && compat)
		rc = warn(w, "calls-not-seen", "%" PRIu64 " system calls of 32-bit programs were not looked at", compat);
	size_t forgotten = w->processes.n_forgotten + w->containers.n_forgotten;
	if (rc == 0 && forgotten > w->told_forgotten)
		rc = warn(w, "processes-not-kept", "%zu processes and %zu control groups could not be kept: there are too many, or there is no memory; rules can't ask for them", w->processes.n_forgotten, w->containers.n_forgotten);
	w->told_forgotten = forgotten;
	return rc;
}

/* ---- the child: containers ---- */

static int send_alert(void *ctx, struct bh_slice message)
{
	return bh_channel_send(((struct watch *)ctx)->ch, SAY_ALERT, message, ((struct watch *)ctx)->err);
}

static int order(struct watch *w, enum message type, uint64_t group, uint32_t value)
{
	const struct agent_order o = { group, value, 0 };
	int rc = send_text(w, type, (struct bh_slice){ (const uint8_t *)&o, sizeof(o) });
	return rc < 0 ? rc : bh_channel_flush(w->ch, w->err); /* every moment counts */
}

static int order_policy(void *ctx, const struct agent_group *group)
{
	return order(ctx, DO_SET_POLICY, group->number, group->container->policy);
}

/* Until its image is known, a container has the policy of all others. */
static int choose_policy(struct watch *w, struct agent_container *c)
{
	uint32_t policy = agent_policy_of(&w->policies, c);
	if (policy == c->policy)
		return 0;
	c->policy = policy;
	return agent_groups_each(&w->containers, c, order_policy, w);
}

/* While a container starts, its manager may be too busy to answer, and does not know yet when it was started. */
static bool is_to_be_asked(const struct agent_container *c, uint64_t now)
{
	return c->n_asked == 0 || (c->n_asked < ASKED_MAX && (!c->is_described || c->started_ns == 0) && now - c->asked_ns > ASK_AGAIN_NS);
}

/* Whoever made the container is asked when its first event comes, and the event waits for the answer. */
static int describe(struct watch *w, struct agent_container *c, uint32_t pid, uint64_t now)
{
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	struct bh_buf question;
	int fd = -1;
	c->asked_ns = now;
	c->n_asked++;
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	bh_buf_init(&question, AGENT_ID_BYTES + sizeof(pid));
	bh_buf_add(&question, (struct bh_slice){ (const uint8_t *)&pid, sizeof(pid) });
	bh_buf_add(&question, (struct bh_slice){ (const uint8_t *)c->id, AGENT_ID_BYTES });
	int rc = bh_channel_call(w->ch, ASK_CONTAINER, bh_buf_slice(&question), &reply, &fd, w->err);
	bh_buf_done(&question);
	if (rc == 0 && !agent_description_take(c, bh_buf_slice(&reply)) && c->n_asked == 1)
		rc = tell(w, "container %.12s: no manager of containers says what it is; its name and image are not known", c->id);
	if (w->learned && c->is_described)
		agent_learn_container(w->learned, c);
	return rc < 0 ? rc : choose_policy(w, c);
}

/* Those that run already, whoever of them does something first. */
static int describe_group(void *ctx, const struct agent_group *group)
{
	return group->container->n_asked ? 0 : describe(ctx, group->container, 0, 0);
}

/* ---- the child: events ---- */

static bool is_wanted(const struct watch *w, const struct guard_record *r)
{
	switch (r->kind) {
	case GUARD_KIND_CALL:
		return r->call < GUARD_CALL_NUMBERS && w->wanted[r->call];
	case GUARD_KIND_EXEC:
		return w->wants_exec;
	case GUARD_KIND_FORK:
		return w->wants_clone;
	case GUARD_KIND_EXIT:
		return w->wants_exit;
	default:
		return false;
	}
}

/* What Falco's plug-in for containers puts behind every output; nothing of it means anything on the host itself. */
static struct bh_slice about_container(const struct agent_event *event)
{
	return event->container ? BH_SLICE_LIT("container_id=%container.id container_name=%container.name container_image_repository=%container.image.repository container_image_tag=%container.image.tag "
					       "k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name") :
				  (struct bh_slice){ 0 };
}

/* What a rule does beside telling. It comes after the deed, which only the next one is kept from. */
static int act(struct watch *w, const struct guard_rule *rule, const struct agent_event *event, struct agent_container *container)
{
	switch (rule->action) {
	case GUARD_KILL:
		return order(w, DO_KILL, event->record->start_ns, event->record->pid);
	case GUARD_FREEZE:
		return container ? order(w, DO_FREEZE, container->top, 0) : 0;
	case GUARD_QUARANTINE:
		if (!container || container->is_cut_off)
			return 0;
		container->is_cut_off = true;
		return order(w, DO_CUT_OFF, container->top, 0);
	default:
		return 0;
	}
}

static int alert(struct watch *w, const struct guard_rule *rule, const struct agent_event *event)
{
	return agent_alerts_tell(w->alerts, rule, about_container(event), event);
}

static int fire(struct watch *w, const struct agent_event *event, struct agent_container *container)
{
	const struct guard_event e = { agent_extract, (void *)(uintptr_t)event, &w->arena };
	const struct guard_rule *rule;
	int rc = 0;
	for (size_t at = 0; rc == 0 && (rule = guard_next_match(&w->rules, agent_event_type(event), &e, &at));) {
		rc = act(w, rule, event, container);
		rc = rc < 0 ? rc : alert(w, rule, event);
		if (rc == 0 && event->record->flags & GUARD_FLAG_FILTERED)
			rc = warn(w, "filter-was-wrong", "rule '%.*s' fires for an event that would have been left out in the kernel: this is an error of the agent's", BH_SLICE_FMT(rule->item.name));
		if (!w->options->all_rules)
			break;
	}
	return rc;
}

/* ---- the child: deeds ---- */

/* What became of it, in front of what it is. */
static const char *verdict_of(const struct guard_record *r)
{
	if (r->flags & GUARD_FLAG_REFUSED)
		return r->flags & GUARD_FLAG_KILLED ? "Refused, and killed for it:" : "Refused";
	return r->flags & GUARD_FLAG_KILLED ? "Killed for" : "Not refused:";
}

/* What policies are about is told whatever the rules say. */
static int tell_deed(struct watch *w, const struct agent_event *event)
{
	char text[1024];
	const struct guard_record *r = event->record;
	const struct agent_deed *deed = agent_deed_at(r->call);
	if (w->learned)
		agent_learn_deed(w->learned, event->container, r);
	if (w->learned || !deed || r->arguments[0] >= w->policies.policies.len)
		return 0;
	const char *capability = r->call == GUARD_DEED_CAPABILITY ? agent_capability_name((unsigned)r->arguments[1]) : NULL;
	(void)snprintf(text, sizeof(text), "%s %s | policy=%s %s%s%s command=%%proc.cmdline tree=%%proc.aname[3]>%%proc.aname[2]>%%proc.pname>%%proc.name user=%%user.name technique=%s", verdict_of(r), deed->what,
		       w->policies.policies.ptr[r->arguments[0]].name, capability ? "capability=CAP_" : "", capability ? capability : "", capability ? "" : deed->fields, deed->tag);
	bool stopped = r->flags & (GUARD_FLAG_REFUSED | GUARD_FLAG_KILLED);
	const struct guard_rule rule = { .item = { .name = bh_slice_str(deed->name) }, .output = bh_slice_str(text), .source = BH_SLICE_LIT("syscall"),
					 .priority = stopped ? GUARD_CRITICAL : GUARD_WARNING,
					 .action = r->flags & GUARD_FLAG_KILLED ? GUARD_KILL : r->flags & GUARD_FLAG_REFUSED ? GUARD_DENY : GUARD_AUDIT };
	return alert(w, &rule, event);
}

static int record_event(struct watch *w, const struct agent_event *event)
{
	bh_buf_clear(&w->text);
	agent_event_json(event, &w->text);
	return send_text(w, SAY_EVENT, bh_buf_slice(&w->text));
}

/* What makes an event less than it could be; the first time, as there may be many. */
static int tell_oddities(struct watch *w, const struct guard_record *r, bool has_container)
{
	if (!has_container && r->flags & GUARD_FLAG_CONTAINED && !w->told_stray) {
		w->told_stray = true;
		return tell(w, "process %" PRIu32 " has the root of a container, but is in no control group of one: it is taken for the host's; others like it are not told", r->pid);
	}
	if (r->flags & GUARD_FLAG_TRUNCATED && !w->told_truncated) {
		w->told_truncated = true;
		return tell(w, "process %" PRIu32 " has arguments, an environment or a path of more than %u bytes, the rest of which is not looked at; others like it are not told", r->pid, GUARD_STRING_BYTES_MAX);
	}
	return 0;
}

/* Whatever rules want to know. */
static int tell_root(struct watch *w, const struct guard_record *r, bool has_container)
{
	if (w->told_root || !has_container || !(r->flags & GUARD_FLAG_OTHER_ROOT) || !(agent_policies_deeds(&w->policies) & GUARD_BIT(DRIFT)))
		return 0;
	w->told_root = true;
	return tell(w, "process %" PRIu32 " is in a container, but its root is no overlay: what its image did not bring can't be told there, and runs; others like it are not told", r->pid);
}

static int judge(struct watch *w, const struct guard_record *r, const struct agent_process *process)
{
	const struct agent_group *group = agent_group_find(&w->containers, r->cgroup);
	struct agent_container *container = group ? group->container : NULL;
	bool is_deed = r->kind == GUARD_KIND_DEED;
	int rc = 0;
	if (container && is_to_be_asked(container, r->time_ns) && (is_deed || is_wanted(w, r) || has_policies(w)))
		rc = describe(w, container, r->pid, r->time_ns);
	rc = rc < 0 ? rc : tell_root(w, r, container != NULL);
	if (rc < 0 || (!is_deed && !is_wanted(w, r)) || (w->options->containers_only && group && !container))
		return rc;
	rc = tell_oddities(w, r, container != NULL);
	const struct agent_event event = { .record = r, .process = process, .container = container, .group_is_known = group != NULL, .call = r->kind == GUARD_KIND_CALL ? agent_call_of(r->call) : NULL,
					   .host = &w->host, .number = ++w->n_events, .memos = w->memos, .arena = &w->arena };
	if (rc == 0 && !is_deed && w->options->record_fd >= 0)
		rc = record_event(w, &event);
	if (rc == 0)
		rc = is_deed ? tell_deed(w, &event) : fire(w, &event, container);
	agent_filter_learn(&w->filter, &w->rules, &event);
	bh_arena_clear(&w->arena);
	return rc;
}

/* A new group of a container is given the policy at once. */
static int add_group(struct watch *w, const struct guard_record *r)
{
	agent_group_add(&w->containers, r->cgroup, agent_string(r, GUARD_STRING_PATH));
	const struct agent_group *group = agent_group_find(&w->containers, r->cgroup);
	return group && group->container && has_policies(w) ? order_policy(w, group) : 0;
}

static int take_record(void *ctx, const struct guard_record *r)
{
	struct watch *w = ctx;
	if (r->kind == GUARD_KIND_GROUP)
		return add_group(w, r);
	if (r->kind != GUARD_KIND_GROUP_END)
		return judge(w, r, agent_process_of(&w->processes, r));
	agent_group_remove(&w->containers, r->cgroup);
	return 0;
}

/* ---- the child: names of hosts ---- */

static bool is_about_names(const struct guard_field *f)
{
	struct bh_slice name = bh_slice_str(f ? f->name : "");
	return bh_slice_starts(name, BH_SLICE_LIT("fd.")) && bh_slice_ends(name, BH_SLICE_LIT("ip.name"));
}

static bool is_listed(const struct watch *w, struct bh_slice name)
{
	for (size_t i = 0; i < w->names.len; i++)
		if (bh_slice_eq(w->names.ptr[i].name, name))
			return true;
	return false;
}

static int resolve(struct watch *w, struct bh_slice name)
{
	struct agent_name own = { .name = name };
	struct bh_buf reply;
	int fd = -1;
	if (name.len == 0 || is_listed(w, name))
		return 0;
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	int rc = bh_channel_call(w->ch, ASK_ADDRESSES, name, &reply, &fd, w->err);
	if (rc == 0 && (!bh_arena_copy(&w->rules.arena, bh_buf_slice(&reply), &own.addresses) || !agent_name_vec_push(&w->names, own)))
		rc = bh_fail(w->err, BH_ELIMIT, 0, "rules name too many hosts");
	bh_buf_done(&reply);
	return rc < 0 || own.addresses.len ? rc : tell(w, "rules name the host %.*s, which has no address here: checks of it are never true", BH_SLICE_FMT(name));
}

/* Names in conditions get their addresses once, at the start. */
static int resolve_names(struct watch *w, const struct guard_node *n)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && n->kind == GUARD_CHECK && is_about_names(n->left.field) && i < n->n_values; i++)
		rc = resolve(w, n->values[i].name);
	for (size_t i = 0; rc == 0 && i < n->n; i++)
		rc = resolve_names(w, n->parts[i]);
	return rc;
}

/* ---- the child: rules ---- */

static int tell_errors(struct watch *w)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < w->rules.problems.len; i++) {
		const struct guard_problem *p = &w->rules.problems.ptr[i];
		if (!p->is_warning)
			rc = tell(w, "%s:%" PRIu32 ":%" PRIu32 ": %.*s", p->place.file, p->place.line, p->place.column, BH_SLICE_FMT(p->text));
	}
	return rc;
}

static int load_rules(struct watch *w)
{
	int rc = 0;
	guard_ruleset_init(&w->rules);
	for (size_t i = 0; rc == 0 && i < w->options->n_files; i++)
		rc = guard_ruleset_add(&w->rules, w->options->files[i].name, w->options->files[i].text, w->err);
	rc = rc < 0 ? rc : guard_ruleset_compile(&w->rules, w->err);
	if (rc < 0 || w->rules.n_errors == 0)
		return rc;
	rc = tell_errors(w);
	return rc < 0 ? rc : bh_fail(w->err, BH_EMALFORMED, 0, "%zu errors in the rules: see 'bulkhead guard rules check'", w->rules.n_errors);
}

/* Only calls that a rule may fire for leave the kernel; shared memory carries the table there. */
static void choose_events(struct watch *w)
{
	bool all = w->options->record_fd >= 0;
	for (unsigned i = 0; i < GUARD_CALL_NUMBERS; i++) {
		const struct agent_call *call = agent_call_of(i);
		w->wanted[i] = call && (all || guard_is_looked_at(&w->rules, bh_slice_str(call->name)));
		if (w->wanted[i])
			sensor_look_at(w->sensor, i, &call->facts);
	}
	agent_filter_begin(&w->filter, sensor_filter(w->sensor), &w->rules, all ? GUARD_FILTER_OFF : w->options->checks_filter ? GUARD_FILTER_MARKS : GUARD_FILTER_DROPS);
	w->wants_exec = all || guard_is_looked_at(&w->rules, BH_SLICE_LIT("execve")) || guard_is_looked_at(&w->rules, BH_SLICE_LIT("execveat"));
	w->wants_clone = guard_is_looked_at(&w->rules, BH_SLICE_LIT("clone"));
	w->wants_exit = guard_is_looked_at(&w->rules, BH_SLICE_LIT("procexit"));
}

/* The first field of a condition that the guard can't tell; NULL: there is none. */
static const struct guard_field *untold(const struct guard_node *n)
{
	const struct guard_field *found = n->kind == GUARD_CHECK && n->left.field && !agent_knows(n->left.field) ? n->left.field : NULL;
	for (size_t i = 0; !found && i < n->left.n; i++)
		found = n->left.parts[i].field && !agent_knows(n->left.parts[i].field) ? n->left.parts[i].field : NULL;
	for (size_t i = 0; !found && i < n->n; i++)
		found = untold(n->parts[i]);
	return found;
}

/* A check that is never true is no protection: say so. */
static int tell_untold(struct watch *w)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < w->rules.rules.len; i++) {
		const struct guard_rule *rule = w->rules.rules.entries[i].value;
		const struct guard_field *f = rule->is_loaded && rule->is_enabled ? untold(rule->condition.tree) : NULL;
		if (rule->is_loaded && rule->is_enabled)
			rc = resolve_names(w, rule->condition.tree);
		if (rc == 0 && f)
			rc = tell(w, "rule '%.*s' asks for %s, which is not known here: that check is never true", BH_SLICE_FMT(rule->item.name), f->name);
	}
	return rc;
}

/* So is an action that is not taken. */
static int tell_actions(struct watch *w)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < w->rules.rules.len; i++) {
		const struct guard_rule *rule = w->rules.rules.entries[i].value;
		if (rule->is_loaded && rule->is_enabled && (rule->action == GUARD_DENY || rule->action == GUARD_CAPTURE))
			rc = tell(w, "rule '%.*s' asks for the action %s, which rules can't have here: it only tells%s", BH_SLICE_FMT(rule->item.name), guard_action_name(rule->action),
				  rule->action == GUARD_DENY ? " (policies can refuse)" : "");
	}
	return rc;
}

static size_t count_rules(const struct guard_ruleset *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->rules.len; i++) {
		const struct guard_rule *rule = r->rules.entries[i].value;
		n += rule->is_loaded && rule->is_enabled;
	}
	return n;
}

/* ---- the child ---- */

static bool has_learned(const struct watch *w)
{
	return w->learned && bh_clock_ns(CLOCK_MONOTONIC) - w->began_ns > w->options->learn_seconds * TELL_NS;
}

static int write_learned(struct watch *w)
{
	bh_buf_clear(&w->text);
	agent_learn_write(w->learned, sensor_refuses(w->sensor), w->options->learn_seconds, &w->text);
	return w->text.failed ? bh_fail(w->err, BH_ELIMIT, 0, "the policies are too long") : send_text(w, SAY_TEXT, bh_buf_slice(&w->text));
}

static int measure(struct watch *w)
{
	struct sensor_counts now = sensor_counts(w->sensor);
	bh_buf_clear(&w->text);
	agent_metric_about(&w->text, "info", "gauge", "Which version runs.");
	bh_buf_add_str(&w->text, AGENT_METRIC "info{version=\"" BH_VERSION "\"} 1\n");
	agent_metric(&w->text, "events_total", "counter", "Events that the kernel programs wrote.", now.written);
	agent_metric(&w->text, "events_lost_total", "counter", "Events that came faster than they could be judged.", now.lost);
	agent_metric(&w->text, "events_filtered_total", "counter", "Opens that no rule can be about, left out in the kernel.", now.filtered);
	agent_metric(&w->text, "calls_not_seen_total", "counter", "System calls of 32-bit programs.", now.compat_calls);
	agent_metric(&w->text, "rules", "gauge", "Rules that are loaded and enabled.", count_rules(&w->rules));
	agent_metric(&w->text, "policies", "gauge", "Policies that are in force.", has_policies(w) ? w->policies.policies.len : 0);
	agent_metric(&w->text, "control_groups", "gauge", "Control groups that are known.", w->containers.n_groups);
	agent_alerts_metrics(w->alerts, &w->text);
	return w->text.failed ? 0 : send_text(w, SAY_METRICS, bh_slice_sub(bh_buf_slice(&w->text), 0, BH_FRAME_BYTES_MAX));
}

/* Once a second. */
static int tick(struct watch *w)
{
	uint64_t clock = bh_clock_ns(CLOCK_MONOTONIC);
	if (clock - w->told_ns < TELL_NS)
		return 0;
	w->told_ns = clock;
	int rc = tell_losses(w);
	agent_filter_tick(&w->filter);
	rc = rc < 0 ? rc : agent_alerts_tick(w->alerts);
	if (rc < 0 || !w->options->metrics || clock - w->measured_ns < MEASURE_NS)
		return rc;
	w->measured_ns = clock;
	return measure(w);
}

static int loop(struct watch *w)
{
	int rc = 0;
	for (uint64_t rounds = 0; rc >= 0 && !has_learned(w); rounds++) {
		int n = sensor_read(w->sensor, take_record, w);
		rc = n < 0 ? n : bh_channel_flush(w->ch, w->err);
		if (n == 0)
			(void)poll(NULL, 0, POLL_MS); /* the kernel wakes nobody: that would cost more than the event */
		rc = rc < 0 ? rc : tick(w);
		bh_channel_progress(w->ch, rounds);
	}
	return rc;
}

int agent_reader_run(struct bh_channel *ch, void *watch, struct bh_err *err)
{
	struct watch *w = watch;
	w->ch = ch;
	w->err = err;
	w->names.max = NAMES_MAX;
	bh_arena_init(&w->arena, EVENT_ARENA_BYTES);
	bh_buf_init(&w->text, TEXT_BYTES_MAX);
	w->began_ns = bh_clock_ns(CLOCK_MONOTONIC);
	w->learned = w->options->learn_seconds ? agent_learn_new() : NULL;
	w->alerts = agent_alerts_new(&w->options->alerts, &w->host, send_alert, w);
	int rc = load_rules(w);
	if (rc == 0 && (!w->alerts || (w->options->learn_seconds && !w->learned)))
		rc = bh_fail(err, BH_ENOMEM, 0, "out of memory");
	if (rc == 0) {
		choose_events(w);
		rc = tell_untold(w);
		rc = rc < 0 ? rc : tell_actions(w);
	}
	if (rc == 0 && has_policies(w))
		rc = agent_groups_each(&w->containers, NULL, describe_group, w);
	if (rc == 0)
		rc = w->learned ? tell(w, "learning for %" PRIu32 " s", w->options->learn_seconds) : tell(w, "watching with %zu rules", count_rules(&w->rules));
	if (rc == 0 && w->was_left)
		rc = agent_alerts_say(w->alerts, "nobody-was-told", GUARD_CRITICAL, "an agent before this one has left its policies in force: what they refuse was refused until now, and nobody was told");
	w->host.names = w->names.ptr;
	w->host.n_names = w->names.len;
	rc = rc < 0 ? rc : loop(w);
	rc = rc < 0 || !w->learned ? rc : write_learned(w);
	agent_alerts_free(w->alerts);
	agent_learn_free(w->learned);
	agent_name_vec_done(&w->names);
	guard_ruleset_done(&w->rules);
	bh_arena_done(&w->arena);
	bh_buf_done(&w->text);
	return rc;
}
