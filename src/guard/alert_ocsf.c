/* alert_ocsf.c: Open Cybersecurity Schema Framework 1.3.0: an event of the class Detection Finding (2004), with the profiles Container, Host and Security Control. */
#include "guard/alert_parts.h"

#include <inttypes.h>

enum ocsf { CATEGORY_FINDINGS = 2, CLASS_DETECTION = 2004, ACTIVITY_CREATE = 1, STATUS_NEW = 1, FILE_REGULAR = 1, OS_LINUX = 200, ACTION_ALLOWED = 1, ACTION_DENIED = 2, DISPOSITION_ALLOWED = 1, DISPOSITION_BLOCKED = 2 };

/* A member of an object, if the event has it. */
static bool put(const struct guard_alert *a, bool any, const char *key, const char *field, bool is_number, struct bh_buf *out)
{
	struct bh_slice value;
	if (!guard_alert_value(a, field, &value) || value.len == 0 || (is_number && !guard_is_json_number(value)))
		return any;
	bh_buf_printf(out, "%s\"%s\": ", any ? ", " : "", key);
	if (is_number)
		bh_buf_add(out, value);
	else
		bh_buf_add_json(out, value);
	return true;
}

static void put_finding(const struct guard_alert *a, uint64_t ns, struct bh_buf *out)
{
	struct bh_slice cpu = BH_SLICE_LIT("0"), number = BH_SLICE_LIT("0");
	(void)guard_alert_value(a, "evt.cpu", &cpu);
	(void)guard_alert_value(a, "evt.num", &number);
	bh_buf_add_str(out, "\"finding_info\": {\"title\": ");
	bh_buf_add_json(out, a->rule->item.name);
	bh_buf_printf(out, ", \"uid\": \"%" PRIu64 "-%.*s-%.*s\"", ns, BH_SLICE_FMT(cpu), BH_SLICE_FMT(number));
	if (a->rule->desc.len) {
		bh_buf_add_str(out, ", \"desc\": ");
		bh_buf_add_json(out, bh_slice_trim(a->rule->desc));
	}
	bool any = false;
	for (size_t i = 0; i < a->rule->tags.len; i++) {
		struct bh_slice tag = guard_scalar_text(a->rule->tags.ptr[i]);
		if (!guard_alert_is_technique(tag))
			continue;
		bh_buf_add_str(out, any ? ", " : ", \"attacks\": [");
		bh_buf_printf(out, "{\"version\": \"18\", \"technique\": {\"uid\": \"%.*s\"}}", BH_SLICE_FMT(tag));
		any = true;
	}
	bh_buf_add_str(out, any ? "]}" : "}");
}

static void put_file(struct bh_slice path, struct bh_buf *out)
{
	bh_buf_printf(out, "\"file\": {\"type_id\": %d, \"name\": ", FILE_REGULAR);
	bh_buf_add_json(out, bh_slice_base(path));
	bh_buf_add_str(out, ", \"path\": ");
	bh_buf_add_json(out, path);
	bh_buf_add_byte(out, '}');
}

static void put_process(const struct guard_alert *a, struct bh_buf *out)
{
	struct bh_slice path;
	bool any = put(a, false, "name", "proc.name", false, out);
	any = put(a, any, "pid", "proc.pid", true, out);
	any = put(a, any, "cmd_line", "proc.cmdline", false, out);
	if (guard_alert_value(a, "proc.exepath", &path) && path.len) {
		bh_buf_add_str(out, any ? ", " : "");
		put_file(path, out);
		any = true;
	}
	bh_buf_add_str(out, any ? ", \"user\": {" : "\"user\": {");
	(void)put(a, put(a, false, "name", "user.name", false, out), "uid", "user.uid", false, out);
	bh_buf_add_str(out, "}, \"parent_process\": {");
	(void)put(a, put(a, false, "name", "proc.pname", false, out), "pid", "proc.ppid", true, out);
	bh_buf_add_byte(out, '}');
}

static void put_endpoint(const struct guard_alert *a, const char *key, const char *ip, const char *port, struct bh_buf *out)
{
	struct bh_slice value;
	if (!guard_alert_value(a, ip, &value) || value.len == 0)
		return;
	bh_buf_printf(out, ", \"%s\": {", key);
	(void)put(a, put(a, false, "ip", ip, false, out), "port", port, true, out);
	bh_buf_add_byte(out, '}');
}

static void put_evidence(const struct guard_alert *a, struct bh_buf *out)
{
	struct bh_slice path, pid;
	if (!guard_alert_value(a, "proc.pid", &pid))
		return; /* the agent's own words */
	bh_buf_add_str(out, ", \"evidences\": [{\"process\": {");
	put_process(a, out);
	bh_buf_add_byte(out, '}');
	put_endpoint(a, "src_endpoint", "fd.cip", "fd.cport", out);
	put_endpoint(a, "dst_endpoint", "fd.sip", "fd.sport", out);
	if (guard_alert_value(a, "fd.name", &path) && path.len && path.ptr[0] == '/') {
		bh_buf_add_str(out, ", ");
		put_file(path, out);
	}
	bh_buf_add_str(out, "}]");
}

static void put_container(const struct guard_alert *a, struct bh_buf *out)
{
	struct bh_slice id;
	if (!guard_alert_value(a, "container.id", &id) || bh_slice_eq_str(id, "host"))
		return;
	bh_buf_add_str(out, ", \"resources\": [{\"type\": \"Container\"");
	(void)put(a, put(a, true, "uid", "container.full_id", false, out), "name", "container.name", false, out);
	(void)put(a, true, "namespace", "k8s.ns.name", false, out);
	bh_buf_add_str(out, ", \"labels\": [");
	static const char *const labels[] = { "container.image", "container.image.digest", "k8s.pod.name" };
	bool any = false;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		struct bh_slice value;
		if (!guard_alert_value(a, labels[i], &value) || value.len == 0)
			continue;
		const char *text = bh_arena_printf(a->event->arena, "%s=%.*s", labels[i], BH_SLICE_FMT(value));
		bh_buf_add_str(out, any ? ", " : "");
		bh_buf_add_json(out, bh_slice_str(text ? text : labels[i]));
		any = true;
	}
	bh_buf_add_str(out, "]}]");
}

static void write_ocsf(const struct guard_alert *a, struct bh_buf *out)
{
	static const unsigned severities[] = { 6, 5, 5, 4, 3, 2, 1, 1 }; /* index = enum guard_priority: Fatal, Critical, High, Medium, Low, Informational */
	static const char *const names[] = { "Unknown", "Informational", "Low", "Medium", "High", "Critical", "Fatal" };
	bool stopped = a->rule->action == GUARD_KILL || a->rule->action == GUARD_DENY;
	unsigned severity = severities[a->rule->priority];
	uint64_t ns = 0;
	(void)guard_alert_time_ns(a, &ns);
	bh_buf_printf(out, "{\"category_uid\": %d, \"class_uid\": %d, \"activity_id\": %d, \"type_uid\": %d, \"time\": %" PRIu64 ", \"severity_id\": %u, \"severity\": \"%s\", \"status_id\": %d, \"count\": %" PRIu64 ", ", CATEGORY_FINDINGS,
		      CLASS_DETECTION, ACTIVITY_CREATE, CLASS_DETECTION * 100 + ACTIVITY_CREATE, ns / 1000000, severity, names[severity], STATUS_NEW, a->n_folded + 1);
	bh_buf_add_str(out, "\"metadata\": {\"version\": \"1.3.0\", \"product\": {\"name\": \"bulkhead-guard\", \"vendor_name\": \"Bulkhead\", \"version\": \"" BH_VERSION "\"}, \"profiles\": [\"host\", \"security_control\"]}, ");
	bh_buf_add_str(out, "\"device\": {\"type_id\": 1, ");
	(void)put(a, put(a, false, "hostname", "evt.hostname", false, out), "name", "evt.hostname", false, out);
	bh_buf_printf(out, ", \"os\": {\"name\": \"Linux\", \"type_id\": %d}}, ", OS_LINUX);
	bh_buf_printf(out, "\"action_id\": %d, \"disposition_id\": %d, \"message\": ", stopped ? ACTION_DENIED : ACTION_ALLOWED, stopped ? DISPOSITION_BLOCKED : DISPOSITION_ALLOWED);
	bh_buf_add_json(out, guard_alert_message(a));
	bh_buf_add_str(out, ", ");
	put_finding(a, ns, out);
	put_evidence(a, out);
	put_container(a, out);
	bh_buf_add_byte(out, '}');
}

const struct guard_alert_format guard_alert_ocsf = { .name = "ocsf", .content_type = "application/json", .head = "", .tail = "", .write = write_ocsf };
