/*
 * alerts.h: from a rule that fired to what outputs are given, in every format that one of them wants. The reader's side.
 *
 * Alerts are alike when rule, container, executable and file or connection are the same. So many of them are told in a time, the others are counted, and an alert tells how many when that time
 * is over. And there are no more than so many alerts in a second, whatever they are; the others are counted, too. Actions are taken for all.
 */
#ifndef BH_AGENT_ALERTS_H
#define BH_AGENT_ALERTS_H

#include "agent/facts.h"
#include "guard/alert.h"

struct agent_alert_options {
	uint32_t formats;      /* bits by their numbers (guard_alert_format_at) */
	uint32_t fold_after;   /* alerts that are alike; 0: they are not folded */
	uint32_t fold_seconds;
	uint32_t per_second;   /* 0: as many as there are */
};

/* What stands in front of an alert's text. */
struct agent_alert_head {
	uint32_t format, severity;
	uint64_t time_ns; /* since 1970 */
};

struct agent_alerts;

/* send: a head and a text behind it. NULL: no memory. */
struct agent_alerts *agent_alerts_new(const struct agent_alert_options *options, const struct agent_host *host, int (*send)(void *ctx, struct bh_slice message), void *ctx);
void agent_alerts_free(struct agent_alerts *a); /* NULL: nothing */

int agent_alerts_tell(struct agent_alerts *a, const struct guard_rule *rule, struct bh_slice more, const struct agent_event *event) BH_MUST_CHECK;

/* Something of the agent's own; never folded or left out. */
int agent_alerts_say(struct agent_alerts *a, const char *rule, enum guard_priority priority, const char *text) BH_MUST_CHECK;

/* Once a second: tells what was folded. */
int agent_alerts_tick(struct agent_alerts *a) BH_MUST_CHECK;

/* In the text format of Prometheus: alerts by rule, folded, left out. */
void agent_alerts_metrics(const struct agent_alerts *a, struct bh_buf *out);

#endif
