/* alert.c: see alert.h. */
#include "guard/alert_parts.h"

#include <inttypes.h>

#define MESSAGE_BYTES_MAX (16u << 20)

/* The number of a type of events that rules name. */
struct named_type {
	size_t number;
	bool is_named;
};

static struct named_type find_type(const struct guard_ruleset *rules, struct bh_slice type)
{
	const struct bh_slice *own = bh_map_get(&rules->type_numbers, type);
	return (struct named_type){ own ? (size_t)(own - rules->types) : 0, own != NULL };
}

static bool looks_at(const struct guard_types *types, struct named_type t)
{
	return t.is_named ? types->bits[t.number / 64] >> t.number % 64 & 1 : types->rest;
}

/* The next rule that is in use and may be true for events of the type; NULL: there is none. */
static const struct guard_rule *next_rule(const struct guard_ruleset *rules, struct named_type t, size_t *at)
{
	while (*at < rules->rules.len) {
		const struct guard_rule *rule = rules->rules.entries[(*at)++].value;
		if (rule->is_loaded && rule->is_enabled && looks_at(&rule->condition.types[0], t))
			return rule;
	}
	return NULL;
}

const struct guard_rule *guard_next_match(const struct guard_ruleset *rules, struct bh_slice type, const struct guard_event *e, size_t *at)
{
	const struct named_type t = find_type(rules, type);
	const struct guard_rule *rule;
	while ((rule = next_rule(rules, t, at)) && !guard_eval(rule->condition.tree, e))
		;
	return rule;
}

bool guard_may_match(const struct guard_ruleset *rules, struct bh_slice type, const struct guard_event *e, bool (*knows)(const struct guard_operand *field))
{
	const struct named_type t = find_type(rules, type);
	const struct guard_rule *rule;
	size_t at = 0;
	while ((rule = next_rule(rules, t, &at)) && guard_eval_known(rule->condition.tree, e, knows) == GUARD_IS_FALSE)
		;
	return rule != NULL;
}

bool guard_is_looked_at(const struct guard_ruleset *rules, struct bh_slice type)
{
	size_t at = 0;
	return next_rule(rules, find_type(rules, type), &at) != NULL;
}

/* ---- formats ---- */

#define FORMAT(name) extern const struct guard_alert_format guard_alert_##name;
#include "guard/alert_formats.def"
#undef FORMAT

static const struct guard_alert_format *const formats[] = {
#define FORMAT(name) &guard_alert_##name,
#include "guard/alert_formats.def"
#undef FORMAT
};

const struct guard_alert_format *guard_alert_format_at(size_t number)
{
	return number < sizeof(formats) / sizeof(formats[0]) ? formats[number] : NULL;
}

const struct guard_alert_format *guard_alert_format_find(struct bh_slice name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (bh_slice_eq_str(name, formats[i]->name))
			return formats[i];
	return NULL;
}

/* ---- what formats are made of ---- */

bool guard_alert_value(const struct guard_alert *a, const char *name, struct bh_slice *ret)
{
	return guard_event_value(a->event, name, ret);
}

struct bh_slice guard_alert_message(const struct guard_alert *a)
{
	struct bh_buf b;
	struct bh_slice whole = BH_SLICE_LIT("");
	bh_buf_init(&b, MESSAGE_BYTES_MAX);
	guard_format(bh_slice_trim(a->rule->output), a->event, &b);
	if (a->more.len) {
		bh_buf_add_byte(&b, ' ');
		guard_format(a->more, a->event, &b);
	}
	if (a->n_folded)
		bh_buf_printf(&b, " (and %" PRIu64 " more like it)", a->n_folded);
	if (b.failed || !bh_arena_copy(a->event->arena, bh_buf_slice(&b), &whole))
		whole = a->rule->output;
	bh_buf_done(&b);
	return whole;
}

static void each_field(const struct guard_alert *a, struct bh_slice output, void (*take)(void *ctx, struct bh_slice name, const struct guard_field *field, const struct bh_slice *value), void *ctx)
{
	struct guard_operand o;
	struct guard_values v;
	for (struct bh_slice rest = output; rest.len;) {
		rest = bh_slice_sub(rest, bh_slice_find(rest, '%'), rest.len);
		size_t used = rest.len ? guard_output_field(rest, a->event->arena, &o) : 0;
		v = (struct guard_values){ 0 };
		if (used)
			take(ctx, bh_slice_sub(rest, 1, used - 1), o.kind == GUARD_FIELD ? o.field : NULL, o.kind == GUARD_FIELD && a->event->extract(a->event->ctx, &o, &v) && v.n ? &v.list[0] : NULL);
		rest = bh_slice_sub(rest, used ? used : 1, rest.len);
	}
}

void guard_alert_each_field(const struct guard_alert *a, void (*take)(void *ctx, struct bh_slice name, const struct guard_field *field, const struct bh_slice *value), void *ctx)
{
	each_field(a, a->rule->output, take, ctx);
	each_field(a, a->more, take, ctx);
}

static bool is_digits(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len != 0;
}

/* T1059, T1059.004 */
bool guard_alert_is_technique(struct bh_slice tag)
{
	struct bh_slice number, part;
	bool has_part = bh_slice_cut(bh_slice_sub(tag, 1, tag.len), '.', &number, &part);
	return tag.len && tag.ptr[0] == 'T' && number.len == 4 && is_digits(number) && (!has_part || (part.len == 3 && is_digits(part)));
}

bool guard_alert_time_ns(const struct guard_alert *a, uint64_t *ret)
{
	struct bh_slice text;
	return guard_alert_value(a, "evt.rawtime", &text) && bh_slice_u64(text, INT64_MAX, ret);
}

bool guard_is_json_number(struct bh_slice s)
{
	s = bh_slice_sub(s, s.len && s.ptr[0] == '-', s.len);
	return is_digits(s) && (s.len == 1 || s.ptr[0] != '0');
}
