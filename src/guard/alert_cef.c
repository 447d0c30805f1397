/* alert_cef.c: ArcSight Common Event Format, version 0 of its header, with keys of its dictionary (Micro Focus, "Implementing ArcSight CEF", chapters 1 and 2). */
#include "base/utf8.h"
#include "guard/alert_parts.h"

#include <inttypes.h>

#define MESSAGE_BYTES_MAX 1023u /* of msg and of names of files */

/* In the header "|" and "\" are escaped, in extensions "=", "\" and the ends of lines. Longer values are cut between characters; bytes that are no UTF-8 become U+FFFD. */
static void put(struct bh_buf *out, struct bh_slice s, size_t max, bool in_header)
{
	uint32_t character;
	for (size_t used = 0, n; s.len && used < max; s = bh_slice_sub(s, n ? n : 1, s.len), used += n ? n : 1) {
		n = bh_utf8_next(s, &character);
		if (n > max - used)
			return;
		if (n == 0)
			bh_buf_add_str(out, "\xef\xbf\xbd");
		else if (character == '\n' && !in_header)
			bh_buf_add_str(out, "\\n");
		else if (character < 0x20 || character == 0x7f)
			bh_buf_add_byte(out, ' ');
		else if (character == '\\' || character == (in_header ? '|' : '='))
			bh_buf_printf(out, "\\%c", (int)character);
		else
			bh_buf_add(out, bh_slice_sub(s, 0, n));
	}
}

static void put_key(const struct guard_alert *a, const char *key, const char *field, size_t max, struct bh_buf *out)
{
	struct bh_slice value;
	if (!guard_alert_value(a, field, &value) || value.len == 0)
		return;
	bh_buf_printf(out, " %s=", key);
	put(out, value, max, false);
}

/* Strings of one's own have a label. */
static void put_own(const struct guard_alert *a, unsigned number, const char *label, const char *field, struct bh_buf *out)
{
	struct bh_slice value;
	char key[8];
	if (!guard_alert_value(a, field, &value) || value.len == 0)
		return;
	(void)snprintf(key, sizeof(key), "cs%u", number);
	bh_buf_printf(out, " %sLabel=%s", key, label);
	put_key(a, key, field, 4000, out);
}

static void write_cef(const struct guard_alert *a, struct bh_buf *out)
{
	static const unsigned severities[] = { 10, 10, 9, 7, 6, 4, 2, 1 }; /* index = enum guard_priority */
	struct bh_slice name;
	uint64_t ns;
	bh_buf_add_str(out, "CEF:0|Bulkhead|bulkhead-guard|" BH_VERSION "|");
	put(out, a->rule->item.name, MESSAGE_BYTES_MAX, true);
	bh_buf_add_byte(out, '|');
	put(out, a->rule->item.name, 512, true);
	bh_buf_printf(out, "|%u|", severities[a->rule->priority]);
	if (guard_alert_time_ns(a, &ns))
		bh_buf_printf(out, "rt=%" PRIu64 " ", ns / 1000000);
	bh_buf_printf(out, "act=%s cnt=%" PRIu64, guard_action_name(a->rule->action), a->n_folded + 1);
	put_key(a, "dvchost", "evt.hostname", 100, out);
	put_key(a, "dproc", "proc.name", MESSAGE_BYTES_MAX, out);
	put_key(a, "dpid", "proc.pid", 20, out);
	put_key(a, "sproc", "proc.pname", MESSAGE_BYTES_MAX, out);
	put_key(a, "duser", "user.name", MESSAGE_BYTES_MAX, out);
	put_key(a, "duid", "user.uid", MESSAGE_BYTES_MAX, out);
	if (guard_alert_value(a, "fd.name", &name) && name.len && name.ptr[0] == '/') /* else it is both ends of a connection */
		put_key(a, "filePath", "fd.name", MESSAGE_BYTES_MAX, out);
	put_key(a, "src", "fd.cip", 64, out);
	put_key(a, "spt", "fd.cport", 8, out);
	put_key(a, "dst", "fd.sip", 64, out);
	put_key(a, "dpt", "fd.sport", 8, out);
	put_key(a, "proto", "fd.l4proto", 16, out);
	put_own(a, 1, "containerId", "container.id", out);
	put_own(a, 2, "containerName", "container.name", out);
	put_own(a, 3, "containerImage", "container.image", out);
	put_own(a, 4, "podNamespace", "k8s.ns.name", out);
	put_own(a, 5, "podName", "k8s.pod.name", out);
	put_own(a, 6, "commandLine", "proc.cmdline", out);
	bh_buf_add_str(out, " msg=");
	put(out, guard_alert_message(a), MESSAGE_BYTES_MAX, false);
}

const struct guard_alert_format guard_alert_cef = { .name = "cef", .content_type = "text/plain; charset=utf-8", .head = "", .tail = "", .write = write_cef };
