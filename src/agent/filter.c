/* filter.c: see filter.h. */
#include "agent/filter.h"

#include "guard/alert.h"
#include "sys/clock.h"

#include <fcntl.h>
#include <string.h>

#define FULL (GUARD_PATHS / 4 * 3)
#define KEPT_NS 60000000000ull
#define NAME_FIELD "fd.nameraw"

static bool is_name(const struct guard_operand *o)
{
	bool found = o->field && strcmp(o->field->name, NAME_FIELD) == 0;
	for (size_t i = 0; !found && i < o->n; i++)
		found = is_name(&o->parts[i]);
	return found;
}

static bool asks_for_names(const struct guard_node *n)
{
	bool found = is_name(&n->left);
	for (size_t i = 0; !found && i < n->n_values; i++)
		found = is_name(&n->values[i]);
	for (size_t i = 0; !found && i < n->n; i++)
		found = asks_for_names(n->parts[i]);
	return found;
}

static void begin(struct agent_filter *f)
{
	f->n = 0;
	f->is_off = false;
	f->begun_ns = bh_clock_ns(CLOCK_MONOTONIC);
	__atomic_store_n(f->shared.mode, f->mode, __ATOMIC_RELEASE);
}

void agent_filter_begin(struct agent_filter *f, struct sensor_filter shared, const struct guard_ruleset *rules, uint32_t mode)
{
	*f = (struct agent_filter){ .shared = shared, .mode = mode };
	for (size_t i = 0; i < rules->rules.len; i++) {
		const struct guard_rule *rule = rules->rules.entries[i].value;
		f->asks_for_names |= rule->is_loaded && rule->is_enabled && asks_for_names(rule->condition.tree);
	}
	*shared.names = f->asks_for_names;
	begin(f);
}

/* Fields that follow from the path, the call and its flags, of an open that went well and made nothing. */
static bool knows_path(const struct guard_operand *field)
{
	static const char *const names[] = { "evt.type", "evt.type.is", "syscall.type", "evt.dir", "evt.source", "evt.failed", "evt.is_open_read", "evt.is_open_write", "evt.is_open_exec", "evt.is_open_create",
					     "fd.name", "fd.path", "fd.directory", "fd.filename", NULL };
	return bh_slice_is_one_of(bh_slice_str(field->field->name), names);
}

/* And where the caller wrote the path as it is. */
static bool knows_name(const struct guard_operand *field)
{
	return strcmp(field->field->name, NAME_FIELD) == 0 || knows_path(field);
}

static bool put(struct agent_filter *f, const uint64_t words[GUARD_PATH_WORDS + 1])
{
	uint64_t hash = 0;
	for (size_t i = 0; i <= GUARD_PATH_WORDS; i++)
		hash = guard_path_mix(hash, words[i]);
	for (uint32_t place = 0; place < GUARD_PATH_PLACES; place++) {
		struct guard_path *p = &f->shared.paths[(hash + place) & (GUARD_PATHS - 1)];
		if (memcmp(p->words, words, sizeof(p->words)) == 0)
			return false;
		if (p->words[0])
			continue;
		memcpy(&p->words[1], &words[1], sizeof(p->words) - sizeof(p->words[0]));
		__atomic_store_n(&p->words[0], words[0], __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

void agent_filter_learn(struct agent_filter *f, const struct guard_ruleset *rules, const struct agent_event *event)
{
	const struct guard_record *r = event->record;
	uint64_t words[GUARD_PATH_WORDS + 1] = { 0 };
	uint8_t argument = event->call ? event->call->facts.flags : 0;
	struct bh_slice path = agent_string(r, GUARD_STRING_PATH);
	if (f->mode == GUARD_FILTER_OFF || f->is_off || f->n > FULL || !argument || r->result < 0 || path.len == 0 || path.ptr[0] != '/' || path.len > GUARD_PATH_WORDS * 8 || r->flags & (GUARD_FLAG_FILTERED | GUARD_FLAG_CREATED))
		return;
	uint32_t flags = (uint32_t)r->arguments[argument - 1];
	const struct guard_event e = { agent_extract, (void *)(uintptr_t)event, event->arena };
	bool is_as_named = f->asks_for_names && bh_slice_eq(agent_string(r, GUARD_STRING_NAME), path);
	if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) || guard_may_match(rules, agent_event_type(event), &e, is_as_named ? knows_name : knows_path))
		return;
	memcpy(words, path.ptr, path.len);
	words[GUARD_PATH_WORDS] = (uint64_t)r->call << 32 | flags | (is_as_named ? GUARD_PATH_AS_NAMED : 0);
	for (size_t i = 0; i <= GUARD_PATH_WORDS; i++)
		words[i] ^= f->shared.secrets[i];
	f->n += put(f, words);
}

/* Programs that read the table when it was switched off are done with it after a second. */
void agent_filter_tick(struct agent_filter *f)
{
	if (f->is_off) {
		memset(f->shared.paths, 0, GUARD_PATHS * sizeof(*f->shared.paths));
		begin(f);
	} else if (f->n > FULL && bh_clock_ns(CLOCK_MONOTONIC) - f->begun_ns > KEPT_NS) {
		f->is_off = true;
		__atomic_store_n(f->shared.mode, GUARD_FILTER_OFF, __ATOMIC_RELEASE);
	}
}
