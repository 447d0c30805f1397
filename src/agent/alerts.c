/* alerts.c: see alerts.h. */
#include "agent/alerts.h"

#include "agent/metrics.h"
#include "agent/said.h"
#include "base/limits.h"
#include "base/map.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS 1000000000ull
#define ROWS 1024u /* a power of two */
#define PLACES 4u
#define VALUE_BYTES 256u
#define RULES_MAX 100000u
#define TEXT_BYTES_MAX BH_FRAME_BYTES_MAX
#define ARENA_BYTES (4u << 20)

/* Alerts that are alike. */
struct alike {
	uint64_t hash, until_ns, n_folded; /* until_ns 0: the place is free */
	uint32_t n;
	struct bh_slice rule, source; /* the set's */
	enum guard_priority priority;
	char values[5][VALUE_BYTES]; /* of names[] */
};

static const char *const names[] = { "container.id", "container.name", "proc.exepath", "proc.name", "fd.name" };

struct count {
	uint64_t n;
	enum guard_priority priority;
};

struct agent_alerts {
	struct agent_alert_options options;
	const struct agent_host *host;
	int (*send)(void *ctx, struct bh_slice message);
	void *ctx;
	struct bh_buf text;
	struct bh_arena arena, kept;
	struct bh_map counts; /* rule -> struct count * */
	uint64_t n_folded, n_limited, told_limited;
	uint64_t second_ns, n_in_second;
	struct alike *alike; /* ROWS * PLACES */
};

struct agent_alerts *agent_alerts_new(const struct agent_alert_options *options, const struct agent_host *host, int (*send)(void *ctx, struct bh_slice message), void *ctx)
{
	struct agent_alerts *a = calloc(1, sizeof(*a));
	struct alike *alike = calloc(ROWS * PLACES, sizeof(*alike));
	if (!a || !alike) {
		free(a);
		free(alike);
		return NULL;
	}
	*a = (struct agent_alerts){ .options = *options, .host = host, .send = send, .ctx = ctx, .alike = alike };
	bh_buf_init(&a->text, TEXT_BYTES_MAX);
	bh_arena_init(&a->arena, ARENA_BYTES);
	bh_arena_init(&a->kept, ARENA_BYTES);
	bh_map_init(&a->counts, RULES_MAX);
	return a;
}

void agent_alerts_free(struct agent_alerts *a)
{
	if (!a)
		return;
	bh_map_done(&a->counts);
	bh_arena_done(&a->kept);
	bh_arena_done(&a->arena);
	bh_buf_done(&a->text);
	free(a->alike);
	free(a);
}

/* ---- sending ---- */

static void count(struct agent_alerts *a, const struct guard_rule *rule)
{
	struct count *c = bh_map_get(&a->counts, rule->item.name);
	struct bh_slice name;
	void **place;
	if (!c) {
		c = BH_ARENA_NEW(&a->kept, struct count);
		if (!c || !bh_arena_copy(&a->kept, rule->item.name, &name) || !(place = bh_map_put(&a->counts, name)))
			return; /* names are the rules', so there is an end to them */
		*place = c;
		c->priority = rule->priority;
	}
	c->n++;
}

/* A text that is longer than a message is left out, which is said instead. */
static int send_as(struct agent_alerts *a, const struct guard_alert *alert, uint32_t number, uint64_t time_ns)
{
	const struct guard_alert_format *format = guard_alert_format_at(number);
	const struct agent_alert_head head = { number, alert->rule->priority, time_ns };
	bh_buf_clear(&a->text);
	bh_buf_add(&a->text, (struct bh_slice){ (const uint8_t *)&head, sizeof(head) });
	format->write(alert, &a->text);
	if (a->text.failed) {
		struct guard_rule rule = *alert->rule;
		const struct guard_alert shorter = { .rule = &rule, .event = alert->event };
		rule.output = BH_SLICE_LIT("what this alert has to say is longer than 1 MiB and left out");
		bh_buf_clear(&a->text);
		bh_buf_add(&a->text, (struct bh_slice){ (const uint8_t *)&head, sizeof(head) });
		format->write(&shorter, &a->text);
	}
	return a->send(a->ctx, bh_buf_slice(&a->text));
}

static int send_all(struct agent_alerts *a, const struct guard_alert *alert, uint64_t time_ns)
{
	int rc = 0;
	count(a, alert->rule);
	for (uint32_t i = 0; rc == 0 && guard_alert_format_at(i); i++)
		if (a->options.formats >> i & 1)
			rc = send_as(a, alert, i, a->host->boot_ns + time_ns);
	return rc;
}

/* ---- the agent's own ---- */

static int say(struct agent_alerts *a, const struct guard_rule *rule, struct agent_said *said, uint64_t n_folded)
{
	said->host = a->host;
	said->arena = &a->arena;
	said->time_ns = bh_clock_ns(CLOCK_BOOTTIME);
	const struct guard_event event = { agent_said_extract, said, &a->arena };
	const struct guard_alert alert = { .rule = rule, .event = &event, .n_folded = n_folded };
	int rc = send_all(a, &alert, said->time_ns);
	bh_arena_clear(&a->arena);
	return rc;
}

int agent_alerts_say(struct agent_alerts *a, const char *rule, enum guard_priority priority, const char *text)
{
	struct agent_said said = { .n = 0 };
	const struct guard_rule own = { .item = { .name = bh_slice_str(rule) }, .output = bh_slice_str(text), .source = BH_SLICE_LIT("internal"), .priority = priority };
	return say(a, &own, &said, 0);
}

/* ---- folding ---- */

static struct alike *place_for(struct agent_alerts *a, uint64_t hash)
{
	struct alike *row = &a->alike[(hash & (ROWS - 1)) * PLACES], *unused = NULL;
	for (size_t i = 0; i < PLACES; i++) {
		if (row[i].until_ns && row[i].hash == hash)
			return &row[i];
		unused = row[i].until_ns ? unused : &row[i];
	}
	return unused;
}

static void begin(const struct agent_alerts *a, struct alike *k, uint64_t hash, const struct guard_rule *rule, const struct bh_slice *values, uint64_t now)
{
	*k = (struct alike){ .hash = hash, .until_ns = now + a->options.fold_seconds * SECOND_NS, .rule = rule->item.name, .source = rule->source, .priority = rule->priority };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)snprintf(k->values[i], VALUE_BYTES, "%.*s", BH_SLICE_FMT(values[i]));
}

/* Where there is no place for one more kind, it is told. */
static bool is_folded(struct agent_alerts *a, const struct guard_rule *rule, const struct guard_event *e)
{
	struct bh_slice values[sizeof(names) / sizeof(names[0])];
	uint64_t now = bh_clock_ns(CLOCK_MONOTONIC), hash = bh_slice_hash(rule->item.name);
	if (a->options.fold_after == 0)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		values[i] = (struct bh_slice){ 0 };
		(void)guard_event_value(e, names[i], &values[i]);
		hash = hash * 1099511628211u ^ bh_slice_hash(values[i]);
	}
	struct alike *k = place_for(a, hash);
	if (!k)
		return false;
	if (!k->until_ns)
		begin(a, k, hash, rule, values, now);
	if (k->n++ < a->options.fold_after)
		return false;
	k->n_folded++;
	a->n_folded++;
	return true;
}

static int tell_folded(struct agent_alerts *a, const struct alike *k)
{
	char text[256];
	struct agent_said said = { .n = sizeof(names) / sizeof(names[0]) };
	for (size_t i = 0; i < said.n; i++)
		said.fields[i] = (struct agent_said_field){ names[i], bh_slice_str(k->values[i]) };
	(void)snprintf(text, sizeof(text), "%" PRIu64 " more alerts like it in %u s | container_id=%%container.id container_name=%%container.name proc_exepath=%%proc.exepath process=%%proc.name fd_name=%%fd.name", k->n_folded,
		       a->options.fold_seconds);
	const struct guard_rule rule = { .item = { .name = k->rule }, .output = bh_slice_str(text), .source = k->source, .priority = k->priority };
	return say(a, &rule, &said, k->n_folded);
}

int agent_alerts_tick(struct agent_alerts *a)
{
	uint64_t now = bh_clock_ns(CLOCK_MONOTONIC);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < ROWS * PLACES; i++) {
		if (!a->alike[i].until_ns || now < a->alike[i].until_ns)
			continue;
		if (a->alike[i].n_folded)
			rc = tell_folded(a, &a->alike[i]);
		a->alike[i].until_ns = 0;
	}
	uint64_t n = a->n_limited - a->told_limited;
	char text[128];
	(void)snprintf(text, sizeof(text), "%" PRIu64 " alerts were left out: there were more than %u in a second", n, a->options.per_second);
	a->told_limited = a->n_limited;
	return rc < 0 || n == 0 ? rc : agent_alerts_say(a, "alerts-left-out", GUARD_CRITICAL, text);
}

static bool is_too_many(struct agent_alerts *a)
{
	uint64_t now = bh_clock_ns(CLOCK_MONOTONIC);
	if (now - a->second_ns >= SECOND_NS) {
		a->second_ns = now;
		a->n_in_second = 0;
	}
	bool is = a->options.per_second && a->n_in_second++ >= a->options.per_second;
	a->n_limited += is;
	return is;
}

int agent_alerts_tell(struct agent_alerts *a, const struct guard_rule *rule, struct bh_slice more, const struct agent_event *event)
{
	const struct guard_event e = { agent_extract, (void *)(uintptr_t)event, event->arena };
	const struct guard_alert alert = { .rule = rule, .event = &e, .more = more };
	return is_folded(a, rule, &e) || is_too_many(a) ? 0 : send_all(a, &alert, event->record->time_ns);
}

void agent_alerts_metrics(const struct agent_alerts *a, struct bh_buf *out)
{
	agent_metric_about(out, "alerts_total", "counter", "Alerts that were told, by rule.");
	for (size_t i = 0; i < a->counts.len; i++) {
		const struct count *c = a->counts.entries[i].value;
		bh_buf_add_str(out, AGENT_METRIC "alerts_total{rule=\"");
		agent_metric_label(out, a->counts.entries[i].key);
		bh_buf_printf(out, "\",priority=\"%s\"} %" PRIu64 "\n", guard_priority_name(c->priority), c->n);
	}
	agent_metric(out, "alerts_folded_total", "counter", "Alerts that were counted, but not told, as others were alike.", a->n_folded);
	agent_metric(out, "alerts_left_out_total", "counter", "Alerts that were counted, but not told, as there were too many in a second.", a->n_limited);
}
