/*
 * alert_otlp.c: OpenTelemetry's log records in the JSON encoding of OTLP (opentelemetry-proto 1.3, opentelemetry/proto/logs/v1/logs.proto); head and tail make an ExportLogsServiceRequest of some.
 * Attributes have the names of OpenTelemetry's semantic conventions where there are some, else those of the rules' fields.
 */
#include "guard/alert_parts.h"

#include <inttypes.h>

struct attributes {
	struct bh_buf *out;
	bool any;
};

static void put(struct attributes *to, struct bh_slice name, struct bh_slice value, bool is_number)
{
	bh_buf_add_str(to->out, to->any ? ", {\"key\": " : "{\"key\": ");
	bh_buf_add_json(to->out, name);
	bh_buf_add_str(to->out, is_number ? ", \"value\": {\"intValue\": " : ", \"value\": {\"stringValue\": ");
	bh_buf_add_json(to->out, value); /* 64-bit numbers are strings there */
	bh_buf_add_str(to->out, "}}");
	to->any = true;
}

static const struct {
	const char *field, *name;
	bool is_number;
} conventions[] = {
	{ "evt.hostname", "host.name", false },
	{ "container.full_id", "container.id", false },
	{ "container.name", "container.name", false },
	{ "container.image.repository", "container.image.name", false },
	{ "k8s.ns.name", "k8s.namespace.name", false },
	{ "k8s.pod.name", "k8s.pod.name", false },
	{ "proc.pid", "process.pid", true },
	{ "proc.ppid", "process.parent_pid", true },
	{ "proc.exepath", "process.executable.path", false },
	{ "proc.cmdline", "process.command_line", false },
	{ "user.name", "process.user.name", false },
};

static bool is_conventional(struct bh_slice field)
{
	for (size_t i = 0; i < sizeof(conventions) / sizeof(conventions[0]); i++)
		if (bh_slice_eq_str(field, conventions[i].field) || bh_slice_eq_str(field, conventions[i].name))
			return true;
	return false;
}

static void put_field(void *ctx, struct bh_slice name, const struct guard_field *field, const struct bh_slice *value)
{
	(void)field;
	if (value && !is_conventional(name))
		put(ctx, name, *value, false);
}

static void put_attributes(const struct guard_alert *a, struct bh_buf *out)
{
	struct attributes to = { .out = out };
	struct bh_slice value;
	char number[24];
	put(&to, BH_SLICE_LIT("bulkhead.rule"), a->rule->item.name, false);
	put(&to, BH_SLICE_LIT("bulkhead.action"), bh_slice_str(guard_action_name(a->rule->action)), false);
	(void)snprintf(number, sizeof(number), "%" PRIu64, a->n_folded);
	if (a->n_folded)
		put(&to, BH_SLICE_LIT("bulkhead.folded"), bh_slice_str(number), true);
	for (size_t i = 0; i < sizeof(conventions) / sizeof(conventions[0]); i++)
		if (guard_alert_value(a, conventions[i].field, &value) && value.len && (!conventions[i].is_number || guard_is_json_number(value)))
			put(&to, bh_slice_str(conventions[i].name), value, conventions[i].is_number);
	guard_alert_each_field(a, put_field, &to);
}

static void write_otlp(const struct guard_alert *a, struct bh_buf *out)
{
	static const unsigned severities[] = { 21, 19, 18, 17, 13, 10, 9, 5 }; /* index = enum guard_priority; as the log data model maps syslog's */
	uint64_t ns = 0;
	(void)guard_alert_time_ns(a, &ns);
	bh_buf_printf(out, "{\"timeUnixNano\": \"%" PRIu64 "\", \"observedTimeUnixNano\": \"%" PRIu64 "\", \"severityNumber\": %u, \"severityText\": \"%s\", \"body\": {\"stringValue\": ", ns, ns, severities[a->rule->priority],
		      guard_priority_name(a->rule->priority));
	bh_buf_add_json(out, guard_alert_message(a));
	bh_buf_add_str(out, "}, \"attributes\": [");
	put_attributes(a, out);
	bh_buf_add_str(out, "]}");
}

const struct guard_alert_format guard_alert_otlp = {
	.name = "otlp",
	.content_type = "application/json",
	.head = "{\"resourceLogs\": [{\"resource\": {\"attributes\": [{\"key\": \"service.name\", \"value\": {\"stringValue\": \"bulkhead-guard\"}}]}, "
		"\"scopeLogs\": [{\"scope\": {\"name\": \"bulkhead-guard\", \"version\": \"" BH_VERSION "\"}, \"logRecords\": [",
	.tail = "]}]}]}",
	.write = write_otlp,
};
