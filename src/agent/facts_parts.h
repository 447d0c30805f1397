/* facts_parts.h: what the files of facts share: a function for a group of fields, and ways to answer. Private to them. */
#ifndef BH_AGENT_FACTS_PARTS_H
#define BH_AGENT_FACTS_PARTS_H

#include "agent/facts.h"
#include "base/buf.h"

#include <inttypes.h>
#include <string.h>

#define TEXT_BYTES_MAX (64u << 10)

typedef bool (*fact)(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret);

/* Fields, with blanks between their names, and the function that knows them. The last row has no names. */
struct agent_fact_row {
	const char *names;
	fact fact;
};

extern const struct agent_fact_row agent_file_facts[], agent_process_facts[], agent_container_facts[];

static inline bool text(struct guard_values *ret, struct bh_slice s)
{
	if (ret->n == GUARD_VALUES_MAX)
		return false;
	ret->list[ret->n++] = s;
	return true;
}

static inline bool word(struct guard_values *ret, const char *s)
{
	return s && text(ret, bh_slice_str(s));
}

static inline bool yes(struct guard_values *ret, bool is_so)
{
	return word(ret, is_so ? "true" : "false");
}

static inline bool number(const struct agent_event *e, struct guard_values *ret, int64_t n)
{
	const char *s = bh_arena_printf(e->arena, "%" PRId64, n);
	return word(ret, s);
}

static inline bool has(struct guard_values *ret, struct bh_slice s)
{
	return s.len && text(ret, s);
}

/* What was written into b, which is released. */
static inline bool written(const struct agent_event *e, struct bh_buf *b, struct guard_values *ret)
{
	struct bh_slice s;
	bool ok = !b->failed && bh_arena_copy(e->arena, bh_buf_slice(b), &s) && text(ret, s);
	bh_buf_done(b);
	return ok;
}

/* Is it the field of that name? */
static inline bool is(const struct guard_operand *o, const char *name)
{
	return strcmp(o->field->name, name) == 0;
}

static inline bool is_exec(const struct agent_event *e)
{
	return e->record->kind == GUARD_KIND_EXEC;
}

/* A list with ends as words with blanks between them. */
static inline bool words(const struct agent_event *e, struct bh_slice list, bool without_first, struct guard_values *ret)
{
	struct bh_buf b;
	struct bh_slice one;
	bool any = false;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	if (without_first)
		(void)bh_slice_cut(list, '\0', &one, &list);
	while (list.len) {
		(void)bh_slice_cut(list, '\0', &one, &list);
		bh_buf_add_str(&b, any ? " " : "");
		bh_buf_add(&b, one);
		any = true;
	}
	return written(e, &b, ret);
}

#endif
