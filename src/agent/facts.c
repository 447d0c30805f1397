/* facts.c: see facts.h. Fields of the event itself, the tables of all, and events as text; facts_files.c, facts_process.c and facts_container.c have the rest. */
#include "agent/deed.h"
#include "agent/facts_parts.h"

#include <stdio.h>
#include <time.h>

#define SECOND_NS 1000000000ull

/* ---- the event ---- */

struct bh_slice agent_event_type(const struct agent_event *e)
{
	switch (e->record->kind) {
	case GUARD_KIND_EXEC:
		return BH_SLICE_LIT("execve");
	case GUARD_KIND_FORK:
		return BH_SLICE_LIT("clone");
	case GUARD_KIND_EXIT:
		return BH_SLICE_LIT("procexit");
	default:
		return e->call ? bh_slice_str(e->call->name) : (struct bh_slice){ 0 };
	}
}

static bool event_type(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	struct bh_slice type = agent_event_type(e);
	return is(o, "evt.type.is") ? yes(ret, bh_slice_eq(type, o->dotted)) : has(ret, type);
}

static bool event_number(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	(void)o;
	return number(e, ret, (int64_t)e->number);
}

static bool event_time(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	uint64_t ns = e->host->boot_ns + e->record->time_ns;
	time_t seconds = (time_t)(ns / SECOND_NS);
	char date[32], clock[32];
	struct tm tm;
	if (is(o, "evt.rawtime"))
		return number(e, ret, (int64_t)ns);
	if (!gmtime_r(&seconds, &tm) || !strftime(date, sizeof(date), "%Y-%m-%d", &tm) || !strftime(clock, sizeof(clock), "%H:%M:%S", &tm))
		return false;
	unsigned rest = (unsigned)(ns % SECOND_NS);
	if (is(o, "evt.time.s"))
		return word(ret, bh_arena_printf(e->arena, "%s", clock));
	if (is(o, "evt.time.iso8601"))
		return word(ret, bh_arena_printf(e->arena, "%sT%s.%09uZ", date, clock, rest));
	if (is(o, "evt.datetime"))
		return word(ret, bh_arena_printf(e->arena, "%s %s.%09u", date, clock, rest));
	return word(ret, bh_arena_printf(e->arena, "%s.%09u", clock, rest));
}

/* What saw or stopped it. */
static const char *tier_of(const struct guard_record *r)
{
	if (r->flags & GUARD_FLAG_REFUSED)
		return r->call == GUARD_DEED_CONNECT || r->call == GUARD_DEED_LISTEN ? "cgroup" : "lsm";
	return r->flags & GUARD_FLAG_KILLED ? "kill" : "audit";
}

static bool event_constant(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	if (is(o, "evt.source"))
		return word(ret, "syscall");
	if (is(o, "evt.hostname"))
		return word(ret, e->host->name);
	if (is(o, "evt.action"))
		return word(ret, e->record->flags & GUARD_FLAG_REFUSED ? "denied" : e->record->flags & GUARD_FLAG_KILLED ? "killed" : "audit");
	if (is(o, "evt.tier"))
		return word(ret, tier_of(e->record));
	if (is(o, "evt.cpu"))
		return number(e, ret, e->record->cpu);
	return word(ret, "<"); /* evt.dir: where the call ends */
}

static bool event_result(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	char name[32];
	int64_t result = e->record->result;
	bool failed = e->call && result < 0;
	if (!e->call && !is_exec(e))
		return false;
	if (is(o, "evt.failed"))
		return yes(ret, failed);
	if (is(o, "evt.rawres"))
		return number(e, ret, result);
	return word(ret, failed ? bh_arena_printf(e->arena, "%s", agent_errno_name(result, name)) : "SUCCESS");
}

/* ---- the table ---- */

static const struct agent_fact_row event_facts[] = {
	{ "evt.type evt.type.is syscall.type", event_type },
	{ "evt.num", event_number },
	{ "evt.time evt.time.s evt.time.iso8601 evt.datetime evt.rawtime evt.outputtime", event_time },
	{ "evt.source evt.hostname evt.action evt.tier evt.cpu evt.dir", event_constant },
	{ "evt.res evt.rawres evt.failed", event_result },
	{ NULL, NULL },
};

static fact look_up(const struct agent_fact_row *rows, const char *name)
{
	for (; rows->names; rows++) {
		struct bh_slice rest = bh_slice_str(rows->names), one;
		while (rest.len) {
			(void)bh_slice_cut(rest, ' ', &one, &rest);
			if (bh_slice_eq_str(one, name))
				return rows->fact;
		}
	}
	return NULL;
}

/* By the number of the field. */
static const fact *table(void)
{
	static const struct agent_fact_row *const tables[] = { event_facts, agent_file_facts, agent_process_facts, agent_container_facts };
	static fact by_number[AGENT_FIELDS_MAX];
	static bool is_filled;
	for (size_t i = 0; !is_filled && guard_field(i) && i < AGENT_FIELDS_MAX; i++)
		for (size_t k = 0; k < sizeof(tables) / sizeof(tables[0]) && !by_number[i]; k++)
			by_number[i] = look_up(tables[k], guard_field(i)->name);
	is_filled = true;
	return by_number;
}

bool agent_knows(const struct guard_field *field)
{
	return table()[field - guard_field(0)] != NULL;
}

static bool extract(const struct agent_event *e, const struct guard_operand *field, size_t number, struct guard_values *ret)
{
	fact f = table()[number];
	return f && f(e, field, ret);
}

static bool recall(const struct agent_memo *m, struct guard_values *ret)
{
	ret->n = m->n;
	ret->is_list = m->is_list;
	if (m->n)
		memcpy(ret->list, m->list, m->n * sizeof(*m->list));
	return m->is_there;
}

static void remember(const struct agent_event *e, struct agent_memo *m, bool is_there, const struct guard_values *v)
{
	struct bh_slice *list = v->n ? bh_arena_array(e->arena, v->n, sizeof(*list)) : NULL;
	if (v->n && !list)
		return;
	if (v->n)
		memcpy(list, v->list, v->n * sizeof(*list));
	*m = (struct agent_memo){ .event = e->number + 1, .is_there = is_there, .is_list = v->is_list, .n = (uint32_t)v->n, .list = list };
}

bool agent_extract(void *ctx, const struct guard_operand *field, struct guard_values *ret)
{
	const struct agent_event *e = ctx;
	size_t number = (size_t)(field->field - guard_field(0));
	struct agent_memo *m = e->memos && !field->has_argument && field->dotted.len == 0 ? &e->memos[number] : NULL;
	if (m && m->event == e->number + 1)
		return recall(m, ret);
	bool is_there = extract(e, field, number, ret);
	if (m)
		remember(e, m, is_there, ret);
	return is_there;
}

/* ---- events as text ---- */

static void put_values(const struct guard_values *v, bool as_list, struct bh_buf *out)
{
	bh_buf_add_str(out, as_list ? "[" : "");
	for (size_t i = 0; i < v->n; i++) {
		bh_buf_add_str(out, i ? ", " : "");
		bh_buf_add_json(out, v->list[i]);
	}
	bh_buf_add_str(out, as_list ? "]" : "");
}

static void put_field(const struct agent_event *e, const char *key, const struct guard_operand *o, struct bh_buf *out)
{
	struct guard_values v = { 0 };
	if (!agent_extract((void *)(uintptr_t)e, o, &v) || v.n == 0)
		return;
	bh_buf_add_str(out, out->len > 1 ? ", " : "");
	bh_buf_add_json(out, bh_slice_str(key));
	bh_buf_add_str(out, ": ");
	put_values(&v, v.n > 1, out);
}

/* The process itself and its ancestors, as a list that begins with it. */
static void put_ancestors(const struct agent_event *e, const struct guard_field *f, struct bh_buf *out)
{
	struct guard_values all = { 0 };
	for (size_t i = 0; i < GUARD_VALUES_MAX; i++) {
		struct guard_values one = { 0 };
		char index[16];
		(void)snprintf(index, sizeof(index), "%zu", i);
		struct guard_operand o = { .name = bh_slice_str(f->name), .field = f, .argument = bh_slice_str(index), .has_argument = true };
		if (!agent_extract((void *)(uintptr_t)e, &o, &one))
			break;
		all.list[all.n++] = one.list[0];
	}
	if (all.n == 0)
		return;
	bh_buf_add_str(out, ", ");
	bh_buf_add_json(out, bh_slice_str(f->name));
	bh_buf_add_str(out, ": ");
	put_values(&all, true, out);
}

static void put_arguments(const struct agent_event *e, const struct guard_field *f, struct bh_buf *out)
{
	static const char *const of_exec[] = { "filename", "exe", "args", "comm", "cwd", "env", "flags", "uid", "tty", "pid", "res" };
	size_t n = is_exec(e) ? sizeof(of_exec) / sizeof(of_exec[0]) : e->call ? AGENT_PARAMETERS_MAX : 0;
	for (size_t i = 0; i < n; i++) {
		const char *name = is_exec(e) ? of_exec[i] : e->call->parameters[i].name;
		const char *key = name ? bh_arena_printf(e->arena, "%s.%s", f->name, name) : NULL;
		struct guard_operand o = { .name = bh_slice_str(f->name), .field = f, .dotted = bh_slice_str(name ? name : "") };
		if (key)
			put_field(e, key, &o, out);
	}
}

void agent_event_json(const struct agent_event *e, struct bh_buf *out)
{
	size_t n;
	struct bh_buf b;
	bh_buf_init(&b, 1u << 20);
	bh_buf_add_byte(&b, '{');
	for (n = 0; guard_field(n); n++) {
		const struct guard_field *f = guard_field(n);
		struct guard_operand o = { .name = bh_slice_str(f->name), .field = f };
		if (strcmp(f->name, "evt.arg") == 0)
			put_arguments(e, f, &b);
		else if (guard_field_is_of_ancestors(f))
			put_ancestors(e, f, &b);
		else if (f->argument != GUARD_ARG_DOTTED && f->argument != GUARD_ARG_REQUIRED && f->use != GUARD_USE_FILTER) /* both sides follow from each */
			put_field(e, f->name, &o, &b);
	}
	bh_buf_add_str(&b, "}\n");
	if (!b.failed)
		bh_buf_add(out, bh_buf_slice(&b));
	bh_buf_done(&b);
}
