/* alert_text.c: an alert as a line for people, as Falco writes it: "12:34:56.123456789: Warning ... [rule]". */
#include "guard/alert_parts.h"

static void write_text(const struct guard_alert *a, struct bh_buf *out)
{
	struct bh_slice time = BH_SLICE_LIT("00:00:00.000000000");
	(void)guard_alert_value(a, "evt.time", &time);
	bh_buf_add_escaped(out, time);
	bh_buf_printf(out, ": %s ", guard_priority_name(a->rule->priority));
	bh_buf_add_escaped(out, guard_alert_message(a));
	bh_buf_add_str(out, " [");
	bh_buf_add_escaped(out, a->rule->item.name);
	bh_buf_add_str(out, "]");
}

const struct guard_alert_format guard_alert_text = { .name = "text", .content_type = "text/plain; charset=utf-8", .head = "", .tail = "", .write = write_text };
