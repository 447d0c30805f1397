/* metrics.h: numbers about the agent in the text format of Prometheus (exposition format 0.0.4). */
#ifndef BH_AGENT_METRICS_H
#define BH_AGENT_METRICS_H

#include "base/buf.h"
#include "deliver/deliver.h"

#define AGENT_METRIC "bulkhead_guard_"

/* The lines in front of a metric's values; type: counter or gauge. */
void agent_metric_about(struct bh_buf *out, const char *name, const char *type, const char *help);
void agent_metric_label(struct bh_buf *out, struct bh_slice value);

/* One without labels. */
void agent_metric(struct bh_buf *out, const char *name, const char *type, const char *help, uint64_t value);

/* What became of what outputs were given. */
void agent_metrics_of_outputs(struct bh_buf *out, const struct deliver *d);

#endif
