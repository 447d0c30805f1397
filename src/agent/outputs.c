/* outputs.c: see outputs.h. */
#include "agent/outputs.h"

#include "sys/clock.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAITING_BYTES_MAX (64ull << 20)
#define TELL_NS 1000000000ull
#define TEST_MS 15000
#define NOTICE_BYTES_MAX 1024u
#define FORMATS_MAX 32u

static uint32_t number_of(const struct guard_alert_format *f)
{
	uint32_t i = 0;
	while (guard_alert_format_at(i) != f)
		i++;
	return i;
}

/* What is delivered knows nothing of alerts. */
static const struct deliver_format *for_delivery(const struct guard_alert_format *f)
{
	static struct deliver_format all[FORMATS_MAX];
	struct deliver_format *own = &all[number_of(f) % FORMATS_MAX];
	*own = (struct deliver_format){ f->name, f->content_type, f->head, f->tail };
	return own;
}

/* For machines JSON; @FILE does not tell what is in it, but it is there for secrets of web hooks. */
static bool is_for_machines(struct bh_slice target)
{
	static const char *const starts[] = { "/", "./", "http://", "https://", "program:", "@" };
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (bh_slice_starts(target, bh_slice_str(starts[i])))
			return true;
	return false;
}

int agent_outputs_add(struct agent_outputs *o, const char *word, const char *usual, struct bh_err *err)
{
	struct bh_slice name, target;
	if (!o->options.waiting_bytes_max)
		o->options.waiting_bytes_max = WAITING_BYTES_MAX;
	o->options.program = "bulkhead-guard";
	const struct guard_alert_format *format = bh_slice_cut(bh_slice_str(word), '=', &name, &target) ? guard_alert_format_find(name) : NULL;
	if (!format) {
		target = bh_slice_str(word);
		format = guard_alert_format_find(bh_slice_str(is_for_machines(target) ? "json" : usual));
	}
	int rc = o->all ? 0 : deliver_new(&o->options, &o->all, err);
	rc = rc < 0 ? rc : deliver_add(o->all, (const char *)target.ptr, for_delivery(format), err);
	if (rc == 0)
		o->formats |= 1u << number_of(format);
	return rc;
}

static void give(struct agent_outputs *o, const struct guard_alert_format *format, const struct deliver_record *r)
{
	for (size_t i = 0; i < deliver_outputs(o->all); i++)
		if (strcmp(deliver_format(o->all, i)->name, format->name) == 0)
			deliver_give(o->all, i, r);
}

int agent_outputs_give(struct agent_outputs *o, struct bh_slice message, struct bh_err *err)
{
	struct agent_alert_head head;
	if (message.len < sizeof(head))
		return bh_fail(err, BH_ECHILD, 0, "the reader of events sent an alert that is none");
	memcpy(&head, message.ptr, sizeof(head));
	const struct guard_alert_format *format = guard_alert_format_at(head.format);
	if (!format || head.severity > GUARD_DEBUG)
		return bh_fail(err, BH_ECHILD, 0, "the reader of events sent an alert in a format that is none");
	const struct deliver_record r = { head.severity, head.time_ns, bh_slice_sub(message, sizeof(head), message.len) };
	give(o, format, &r);
	return 0;
}

/* ---- what is to be known ---- */

static void tell_output(struct agent_outputs *o, size_t i, void (*notice)(void *ctx, const char *text), void *ctx)
{
	struct deliver_counts c;
	char text[NOTICE_BYTES_MAX];
	const char *name = deliver_name(o->all, i);
	deliver_counts(o->all, i, &c);
	if (c.fails != o->told[i].fails) {
		if (c.fails)
			(void)snprintf(text, sizeof(text), "output %s: %s; %" PRIu64 " alerts wait, and it is tried again", name, c.problem, c.waiting);
		else
			(void)snprintf(text, sizeof(text), "output %s: works again", name);
		notice(ctx, text);
		o->told[i].fails = c.fails;
	}
	if (c.dropped > o->told[i].dropped || c.refused > o->told[i].refused) {
		(void)snprintf(text, sizeof(text), "output %s: %" PRIu64 " alerts were lost: there was no room to wait; %" PRIu64 " were refused for good", name, c.dropped, c.refused);
		notice(ctx, text);
	}
	o->told[i].dropped = c.dropped;
	o->told[i].refused = c.refused;
}

void agent_outputs_tick(struct agent_outputs *o, void (*notice)(void *ctx, const char *text), void *ctx)
{
	uint64_t now = bh_clock_ns(CLOCK_MONOTONIC);
	deliver_flush(o->all);
	if (now - o->told_ns < TELL_NS)
		return;
	o->told_ns = now;
	for (size_t i = 0; i < deliver_outputs(o->all); i++)
		tell_output(o, i, notice, ctx);
}

/* ---- a test ---- */

static int take_test(void *ctx, struct bh_slice message)
{
	struct bh_err ignored = { 0 };
	return agent_outputs_give(ctx, message, &ignored);
}

static bool has_ended(const struct agent_outputs *o, size_t i, struct deliver_counts *c)
{
	deliver_counts(o->all, i, c);
	return c->fails || c->delivered || c->refused || c->dropped;
}

int agent_outputs_test(struct agent_outputs *o, struct bh_buf *out, bool *ret_all, struct bh_err *err)
{
	struct agent_host host = { .boot_ns = bh_clock_ns(CLOCK_REALTIME) - bh_clock_ns(CLOCK_BOOTTIME) };
	const struct agent_alert_options options = { .formats = o->formats };
	(void)gethostname(host.name, sizeof(host.name) - 1);
	struct agent_alerts *alerts = agent_alerts_new(&options, &host, take_test, o);
	if (!alerts)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	int rc = agent_alerts_say(alerts, "test-of-outputs", GUARD_INFORMATIONAL, "this is a test: somebody asked whether alerts come through | host=%evt.hostname");
	agent_alerts_free(alerts);
	*ret_all = true;
	for (size_t i = 0; i < deliver_outputs(o->all); i++) {
		struct deliver_counts c;
		for (int ms = 0; ms < TEST_MS && !has_ended(o, i, &c); ms += 5) {
			deliver_flush(o->all);
			(void)poll(NULL, 0, 5);
		}
		bool took = c.delivered && !c.fails;
		*ret_all &= took;
		bh_buf_printf(out, "%-6s %s%s%s\n", took ? "ok" : "fails", deliver_name(o->all, i), took ? "" : ": ", took ? "" : c.fails ? c.problem : "no answer");
	}
	return rc;
}

void agent_outputs_done(struct agent_outputs *o)
{
	deliver_end(o->all);
	o->all = NULL;
}
