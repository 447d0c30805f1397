/* metrics.c: see metrics.h. */
#include "agent/metrics.h"

#include <inttypes.h>

void agent_metric_about(struct bh_buf *out, const char *name, const char *type, const char *help)
{
	bh_buf_printf(out, "# HELP " AGENT_METRIC "%s %s\n# TYPE " AGENT_METRIC "%s %s\n", name, help, name, type);
}

void agent_metric_label(struct bh_buf *out, struct bh_slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.ptr[i];
		if (c == '\\' || c == '"')
			bh_buf_add_byte(out, '\\');
		if (c == '\n')
			bh_buf_add_str(out, "\\n");
		else
			bh_buf_add_byte(out, c);
	}
}

void agent_metric(struct bh_buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	agent_metric_about(out, name, type, help);
	bh_buf_printf(out, AGENT_METRIC "%s %" PRIu64 "\n", name, value);
}

static void of_each(struct bh_buf *out, const struct deliver *d, const char *name, const char *type, const char *help, uint64_t (*value)(const struct deliver_counts *c))
{
	agent_metric_about(out, name, type, help);
	for (size_t i = 0; i < deliver_outputs(d); i++) {
		struct deliver_counts c;
		deliver_counts(d, i, &c);
		bh_buf_printf(out, AGENT_METRIC "%s{output=\"", name);
		agent_metric_label(out, bh_slice_str(deliver_name(d, i)));
		bh_buf_printf(out, "\"} %" PRIu64 "\n", value(&c));
	}
}

static uint64_t delivered(const struct deliver_counts *c)
{
	return c->delivered;
}

static uint64_t refused(const struct deliver_counts *c)
{
	return c->refused;
}

static uint64_t dropped(const struct deliver_counts *c)
{
	return c->dropped;
}

static uint64_t waiting(const struct deliver_counts *c)
{
	return c->waiting;
}

static uint64_t is_up(const struct deliver_counts *c)
{
	return !c->fails;
}

void agent_metrics_of_outputs(struct bh_buf *out, const struct deliver *d)
{
	of_each(out, d, "output_delivered_total", "counter", "Alerts that an output took.", delivered);
	of_each(out, d, "output_refused_total", "counter", "Alerts that an output refused for good.", refused);
	of_each(out, d, "output_dropped_total", "counter", "Alerts for which there was no room to wait.", dropped);
	of_each(out, d, "output_waiting", "gauge", "Alerts that wait to be delivered.", waiting);
	of_each(out, d, "output_up", "gauge", "Whether the last try to deliver went well.", is_up);
}
