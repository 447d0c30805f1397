/* alert.c: see alert.h. */
#include "guard/alert.h"

#define MESSAGE_BYTES_MAX (16u << 20)

static bool looks_at(const struct guard_types *t, size_t number, bool is_named)
{
	return is_named ? t->bits[number / 64] >> number % 64 & 1 : t->rest;
}

static bool is_used(const struct guard_rule *rule)
{
	return rule->is_loaded && rule->is_enabled;
}

const struct guard_rule *guard_next_match(const struct guard_ruleset *rules, struct bh_slice type, const struct guard_event *e, size_t *at)
{
	const struct bh_slice *own = bh_map_get(&rules->type_numbers, type);
	size_t number = own ? (size_t)(own - rules->types) : 0;
	while (*at < rules->rules.len) {
		const struct guard_rule *rule = rules->rules.entries[(*at)++].value;
		if (is_used(rule) && looks_at(&rule->condition.types[0], number, own != NULL) && guard_eval(rule->condition.tree, e))
			return rule;
	}
	return NULL;
}

bool guard_is_looked_at(const struct guard_ruleset *rules, struct bh_slice type)
{
	const struct bh_slice *own = bh_map_get(&rules->type_numbers, type);
	for (size_t i = 0; i < rules->rules.len; i++) {
		const struct guard_rule *rule = rules->rules.entries[i].value;
		if (is_used(rule) && looks_at(&rule->condition.types[0], own ? (size_t)(own - rules->types) : 0, own != NULL))
			return true;
	}
	return false;
}

/* ---- texts ---- */

static bool value(const struct guard_event *e, const char *name, struct bh_slice *ret)
{
	struct guard_operand o = { .name = bh_slice_str(name) };
	struct guard_values v = { 0 };
	o.field = guard_field_find(o.name, &o.dotted);
	if (!o.field || !e->extract(e->ctx, &o, &v) || v.n == 0)
		return false;
	*ret = v.list[0];
	return true;
}

static struct bh_slice time_of(const struct guard_event *e, bool json)
{
	struct bh_slice s = json ? BH_SLICE_LIT("") : BH_SLICE_LIT("00:00:00.000000000");
	if (!json || !value(e, "evt.time.iso8601", &s))
		(void)value(e, "evt.time", &s);
	return s;
}

static bool is_number(struct bh_slice s)
{
	s = bh_slice_sub(s, s.len && s.ptr[0] == '-', s.len);
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len != 0 && (s.len == 1 || s.ptr[0] != '0');
}

/* Numbers and truth values are no strings. */
static void json_value(const struct guard_field *f, struct bh_slice s, struct bh_buf *out)
{
	bool is_raw = ((f->type == GUARD_NUMBER || f->type == GUARD_PORT) && is_number(s)) || (f->type == GUARD_BOOL && (bh_slice_eq_str(s, "true") || bh_slice_eq_str(s, "false")));
	if (is_raw)
		bh_buf_add(out, s);
	else
		bh_buf_add_json(out, s);
}

static bool json_fields(struct bh_slice output, bool any, const struct guard_event *e, struct bh_buf *out)
{
	struct guard_operand o;
	struct guard_values v;
	for (struct bh_slice rest = output; rest.len;) {
		rest = bh_slice_sub(rest, bh_slice_find(rest, '%'), rest.len);
		size_t used = rest.len ? guard_output_field(rest, e->arena, &o) : 0;
		if (used) {
			v = (struct guard_values){ 0 };
			bh_buf_add_str(out, any ? ", " : "");
			bh_buf_add_json(out, bh_slice_sub(rest, 1, used - 1));
			bh_buf_add_str(out, ": ");
			if (o.kind == GUARD_FIELD && e->extract(e->ctx, &o, &v) && v.n)
				json_value(o.field, v.list[0], out);
			else
				bh_buf_add_str(out, "null");
			any = true;
		}
		rest = bh_slice_sub(rest, used ? used : 1, rest.len);
	}
	return any;
}

static void write_json(const struct guard_rule *rule, struct bh_slice more, const struct guard_event *e, struct bh_slice message, struct bh_buf *out)
{
	bh_buf_add_str(out, "{\"time\": ");
	bh_buf_add_json(out, time_of(e, true));
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
	bh_buf_add_json(out, message);
	bh_buf_add_str(out, ", \"output_fields\": {");
	bool any = json_fields(rule->output, false, e, out);
	(void)json_fields(more, any, e, out);
	bh_buf_add_str(out, "}}\n");
}

static void write_text(const struct guard_rule *rule, const struct guard_event *e, struct bh_slice message, struct bh_buf *out)
{
	bh_buf_add_escaped(out, time_of(e, false));
	bh_buf_printf(out, ": %s ", guard_priority_name(rule->priority));
	bh_buf_add_escaped(out, message);
	bh_buf_add_str(out, " [");
	bh_buf_add_escaped(out, rule->item.name);
	bh_buf_add_str(out, "]\n");
}

void guard_alert_write(const struct guard_rule *rule, struct bh_slice more, const struct guard_event *e, bool json, struct bh_buf *out)
{
	struct bh_buf message;
	bh_buf_init(&message, MESSAGE_BYTES_MAX);
	guard_format(bh_slice_trim(rule->output), e, &message);
	if (more.len) {
		bh_buf_add_byte(&message, ' ');
		guard_format(more, e, &message);
	}
	if (json)
		write_json(rule, more, e, bh_buf_slice(&message), out);
	else
		write_text(rule, e, bh_buf_slice(&message), out);
	bh_buf_done(&message);
}
