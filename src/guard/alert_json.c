/* alert_json.c: an alert as an object with the keys that Falco's have (json_output), so that what takes Falco's alerts takes these. Beside them: action, and folded where there were more like it. */
#include "guard/alert_parts.h"

#include <inttypes.h>

struct fields {
	struct bh_buf *out;
	bool any;
};

/* Numbers and truth values are no strings. */
static void put_value(const struct guard_field *f, struct bh_slice s, struct bh_buf *out)
{
	bool is_raw = f && (((f->type == GUARD_NUMBER || f->type == GUARD_PORT) && guard_is_json_number(s)) || (f->type == GUARD_BOOL && (bh_slice_eq_str(s, "true") || bh_slice_eq_str(s, "false"))));
	if (is_raw)
		bh_buf_add(out, s);
	else
		bh_buf_add_json(out, s);
}

static void put_field(void *ctx, struct bh_slice name, const struct guard_field *field, const struct bh_slice *value)
{
	struct fields *f = ctx;
	bh_buf_add_str(f->out, f->any ? ", " : "");
	bh_buf_add_json(f->out, name);
	bh_buf_add_str(f->out, ": ");
	if (value)
		put_value(field, *value, f->out);
	else
		bh_buf_add_str(f->out, "null");
	f->any = true;
}

static void write_json(const struct guard_alert *a, struct bh_buf *out)
{
	const struct guard_rule *rule = a->rule;
	struct fields f = { .out = out };
	struct bh_slice time = BH_SLICE_LIT("");
	if (!guard_alert_value(a, "evt.time.iso8601", &time))
		(void)guard_alert_value(a, "evt.time", &time);
	bh_buf_add_str(out, "{\"time\": ");
	bh_buf_add_json(out, time);
	bh_buf_add_str(out, ", \"rule\": ");
	bh_buf_add_json(out, rule->item.name);
	bh_buf_printf(out, ", \"priority\": \"%s\", \"source\": ", guard_priority_name(rule->priority));
	bh_buf_add_json(out, rule->source);
	bh_buf_printf(out, ", \"action\": \"%s\", \"tags\": [", guard_action_name(rule->action));
	for (size_t i = 0; i < rule->tags.len; i++) {
		bh_buf_add_str(out, i ? ", " : "");
		bh_buf_add_json(out, guard_scalar_text(rule->tags.ptr[i]));
	}
	bh_buf_add_str(out, "], \"output\": ");
	bh_buf_add_json(out, guard_alert_message(a));
	if (a->n_folded)
		bh_buf_printf(out, ", \"folded\": %" PRIu64, a->n_folded);
	bh_buf_add_str(out, ", \"output_fields\": {");
	guard_alert_each_field(a, put_field, &f);
	bh_buf_add_str(out, "}}");
}

const struct guard_alert_format guard_alert_json = { .name = "json", .content_type = "application/json", .head = "", .tail = "", .write = write_json };
