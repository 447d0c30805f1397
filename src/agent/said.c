/* said.c: see said.h. */
#include "agent/said.h"

static bool is_of_time(struct bh_slice name)
{
	static const char *const names[] = { "evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime", "evt.rawtime", "evt.hostname", "evt.num", "evt.cpu", NULL };
	return bh_slice_is_one_of(name, names);
}

bool agent_said_extract(void *ctx, const struct guard_operand *field, struct guard_values *ret)
{
	const struct agent_said *s = ctx;
	const struct guard_record record = { .time_ns = s->time_ns };
	const struct agent_event event = { .record = &record, .host = s->host, .arena = s->arena };
	for (size_t i = 0; i < s->n; i++)
		if (bh_slice_eq_str(field->name, s->fields[i].name) && s->fields[i].value.len) {
			ret->list[ret->n++] = s->fields[i].value;
			return true;
		}
	return is_of_time(field->name) && agent_extract((void *)(uintptr_t)&event, field, ret);
}
