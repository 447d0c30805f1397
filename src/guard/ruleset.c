/* ruleset.c: reading files of rules (see ruleset.h): what an item of them is, and what it changes of items before it. */
#include "guard/ruleset.h"

#include "format/regex.h"
#include "format/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARENA_BYTES_MAX (512u << 20)
#define FILE_BYTES_MAX (64u << 20)
#define ITEMS_MAX 200000u
#define PROBLEMS_MAX 1000u
#define EXCERPT_BYTES_MAX 200u

static const char *const priorities[] = { "Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug" };
static const char *const actions[] = { "audit", "kill", "deny", "freeze", "quarantine", "capture" };

const char *guard_priority_name(enum guard_priority p)
{
	return priorities[p];
}

const char *guard_action_name(enum guard_action a)
{
	return actions[a];
}

void guard_ruleset_init(struct guard_ruleset *r)
{
	*r = (struct guard_ruleset){ .sources = { .max = ITEMS_MAX }, .problems = { .max = PROBLEMS_MAX }, .regexes = { .max = ITEMS_MAX } };
	bh_arena_init(&r->arena, ARENA_BYTES_MAX);
	bh_map_init(&r->lists, ITEMS_MAX);
	bh_map_init(&r->macros, ITEMS_MAX);
	bh_map_init(&r->rules, ITEMS_MAX);
	bh_map_init(&r->type_numbers, GUARD_TYPES_MAX);
}

static void condition_done(struct guard_condition *c)
{
	guard_scalar_vec_done(&c->parts);
}

void guard_ruleset_done(struct guard_ruleset *r)
{
	for (size_t i = 0; i < r->lists.len; i++)
		guard_scalar_vec_done(&((struct guard_list *)r->lists.entries[i].value)->items);
	for (size_t i = 0; i < r->macros.len; i++)
		condition_done(&((struct guard_macro *)r->macros.entries[i].value)->condition);
	for (size_t i = 0; i < r->rules.len; i++) {
		struct guard_rule *rule = r->rules.entries[i].value;
		condition_done(&rule->condition);
		for (size_t k = 0; k < rule->exceptions.len; k++)
			guard_scalar_vec_done(&rule->exceptions.ptr[k].values);
		guard_exception_vec_done(&rule->exceptions);
		guard_scalar_vec_done(&rule->tags);
	}
	for (size_t i = 0; i < r->sources.len; i++)
		bh_yaml_free(r->sources.ptr[i].yaml);
	for (size_t i = 0; i < r->regexes.len; i++)
		bh_regex_free(r->regexes.ptr[i]);
	guard_regex_vec_done(&r->regexes);
	guard_source_vec_done(&r->sources);
	guard_problem_vec_done(&r->problems);
	bh_map_done(&r->lists);
	bh_map_done(&r->macros);
	bh_map_done(&r->rules);
	bh_map_done(&r->type_numbers);
	bh_arena_done(&r->arena);
}

/* ---- problems ---- */

struct bh_slice guard_scalar_text(struct guard_scalar s)
{
	return bh_yaml_str(s.node);
}

struct guard_place guard_scalar_place(const struct guard_ruleset *r, struct guard_scalar s)
{
	return (struct guard_place){ r->sources.ptr[s.source].name, bh_yaml_line(s.node), bh_yaml_column(s.node) };
}

static struct bh_slice line_of(struct bh_slice text, uint32_t line)
{
	struct bh_slice head = { 0 };
	for (uint32_t i = 0; i < line && text.len; i++)
		(void)bh_slice_cut(text, '\n', &head, &text);
	return bh_slice_sub(head, 0, EXCERPT_BYTES_MAX);
}

bool guard_problem_add(struct guard_ruleset *r, const struct guard_problem *p)
{
	if (r->problems.len < PROBLEMS_MAX)
		return guard_problem_vec_push(&r->problems, *p);
	r->n_dropped++;
	r->n_dropped_errors += !p->is_warning;
	return true;
}

bool guard_tell(struct guard_ruleset *r, struct guard_scalar at, bool is_warning, const char *fmt, ...)
{
	struct bh_err text = { 0 };
	va_list list;
	va_start(list, fmt);
	(void)vsnprintf(text.text, sizeof(text.text), fmt, list);
	va_end(list);
	struct guard_problem p = { .place = guard_scalar_place(r, at), .is_warning = is_warning };
	p.excerpt = line_of(r->sources.ptr[at.source].bytes, p.place.line);
	return bh_arena_copy(&r->arena, bh_slice_str(text.text), &p.text) && guard_problem_add(r, &p);
}

struct guard_problem guard_problem_at(struct guard_ruleset *r, const struct guard_text *source, size_t at, bool is_warning, const char *text)
{
	struct guard_problem p = { .is_warning = is_warning, .place = { .file = "" } };
	uint64_t origin = source->text.len ? source->origin[at < source->text.len ? at : source->text.len - 1] : 0;
	const struct guard_source *s = &r->sources.ptr[origin >> 32];
	size_t offset = (size_t)(uint32_t)origin;
	size_t begin = offset;
	while (begin && s->bytes.ptr[begin - 1] != '\n')
		begin--;
	p.place = (struct guard_place){ s->name, (uint32_t)bh_slice_count(bh_slice_sub(s->bytes, 0, offset), '\n') + 1, (uint32_t)(offset - begin) + 1 };
	p.excerpt = line_of(s->bytes, p.place.line);
	if (!bh_arena_copy(&r->arena, bh_slice_str(text), &p.text))
		p.text = BH_SLICE_LIT("out of memory");
	return p;
}

bool guard_tell_at(struct guard_ruleset *r, const struct guard_text *source, size_t at, bool is_warning, const char *text)
{
	const struct guard_problem p = guard_problem_at(r, source, at, is_warning, text);
	return guard_problem_add(r, &p);
}

/* ---- an item that is read ---- */

struct reading {
	struct guard_ruleset *r;
	uint32_t source;
	const struct bh_yaml_node *item;
	struct guard_scalar at; /* the value of its first key */
	struct bh_err *err;
	bool failed; /* a problem was told: the item is passed over */
};

static struct guard_scalar scalar(const struct reading *in, const struct bh_yaml_node *node)
{
	return (struct guard_scalar){ in->source, node };
}

static const struct bh_yaml_node *get(const struct reading *in, const char *key)
{
	return bh_yaml_get(in->item, key);
}

/* Where a key's value stands, or the item where it has none. */
static struct guard_scalar place_of(const struct reading *in, const struct bh_yaml_node *node)
{
	return bh_yaml_line(node) ? scalar(in, node) : in->at;
}

/* The item is wrong. */
#define WRONG(in, node, ...) ((in)->failed = true, (void)guard_tell((in)->r, place_of(in, node), false, __VA_ARGS__))
#define WARN(in, node, ...) ((void)guard_tell((in)->r, place_of(in, node), true, __VA_ARGS__))

static bool has_text(struct reading *in, const char *key)
{
	const struct bh_yaml_node *node = get(in, key);
	if (!node)
		WRONG(in, NULL, "it has no '%s'", key);
	else if (!bh_yaml_is(node, BH_YAML_SCALAR) || bh_yaml_is_null(node) || bh_yaml_str(node).len == 0)
		WRONG(in, node, "'%s' is not a text", key);
	else
		return true;
	return false;
}

static bool read_bool(struct reading *in, const char *key, bool otherwise)
{
	const struct bh_yaml_node *node = get(in, key);
	bool value = otherwise;
	if (node && !bh_yaml_bool(node, &value))
		WRONG(in, node, "'%s' is neither true nor false", key);
	return value;
}

static bool is_sequence_of_texts(struct reading *in, const char *key)
{
	const struct bh_yaml_node *node = get(in, key);
	if (node && !bh_yaml_is(node, BH_YAML_SEQUENCE))
		WRONG(in, node, "'%s' is not a list", key);
	for (size_t i = 0; i < bh_yaml_len(node) && !in->failed; i++)
		if (!bh_yaml_is(bh_yaml_at(node, i), BH_YAML_SCALAR))
			WRONG(in, bh_yaml_at(node, i), "'%s' has an entry that is not a text", key);
	return node && !in->failed;
}

static int keep(struct reading *in, struct guard_scalar_vec *to, const struct bh_yaml_node *node)
{
	return guard_scalar_vec_push(to, scalar(in, node)) ? 0 : bh_fail(in->err, BH_ELIMIT, 0, "more than %u texts in a rule", ITEMS_MAX);
}

static int keep_all(struct reading *in, struct guard_scalar_vec *to, const struct bh_yaml_node *sequence)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_yaml_len(sequence); i++)
		rc = keep(in, to, bh_yaml_at(sequence, i));
	return rc;
}

/* Keys that nobody knows are told; Falco only warns, too. */
static void warn_of_keys(struct reading *in, const char *const *known)
{
	const struct bh_yaml_node *key, *value;
	for (size_t i = 0; bh_yaml_pair(in->item, i, &key, &value); i++)
		if (!bh_slice_is_one_of(bh_yaml_str(key), known))
			WARN(in, key, "the key '%.*s' is not known", BH_SLICE_FMT(bh_yaml_str(key)));
}

/* ---- append and override ---- */

enum change { CHANGE_NONE, CHANGE_APPEND, CHANGE_REPLACE };

struct change_key {
	const char *key;
	bool may_append;
};

/* What `override` says of a key. */
static enum change change_of(const struct reading *in, const char *key)
{
	struct bh_slice word = bh_yaml_str(bh_yaml_get(get(in, "override"), key));
	return bh_slice_eq_str(word, "append") ? CHANGE_APPEND : bh_slice_eq_str(word, "replace") ? CHANGE_REPLACE : CHANGE_NONE;
}

static const struct change_key *find_key(const struct change_key *keys, struct bh_slice name)
{
	while (keys->key && !bh_slice_eq_str(name, keys->key))
		keys++;
	return keys->key ? keys : NULL;
}

static void check_change(struct reading *in, const struct change_key *keys, const struct bh_yaml_node *key, const struct bh_yaml_node *how)
{
	struct bh_slice name = bh_yaml_str(key), word = bh_yaml_str(how);
	const struct change_key *k = find_key(keys, name);
	bool appends = bh_slice_eq_str(word, "append"), replaces = bh_slice_eq_str(word, "replace");
	if (!k)
		WRONG(in, key, "'%.*s' can't be overridden", BH_SLICE_FMT(name));
	else if (!appends && !replaces)
		WRONG(in, how, "an override is 'append' or 'replace', not '%.*s'", BH_SLICE_FMT(word));
	else if (appends && !k->may_append)
		WRONG(in, how, "'%s' can be replaced, not appended to", k->key);
	else if (!get(in, k->key))
		WRONG(in, key, "an override of '%s' is here, but no '%s'", k->key, k->key);
}

/* Each key of the override has a value, and each value an override. True: the item changes one that was there before. */
static bool read_override(struct reading *in, const struct change_key *keys)
{
	const struct bh_yaml_node *override = get(in, "override"), *key, *value;
	if (!override)
		return false;
	if (!bh_yaml_is(override, BH_YAML_MAPPING) || bh_yaml_len(override) == 0) {
		WRONG(in, override, "'override' is not a mapping of keys to append or replace");
		return true;
	}
	if (get(in, "append"))
		WRONG(in, get(in, "append"), "'append' and 'override' can't stand in one item");
	for (size_t i = 0; !in->failed && bh_yaml_pair(override, i, &key, &value); i++)
		check_change(in, keys, key, value);
	static const char *const free_keys[] = { "rule", "macro", "list", "override", NULL };
	for (size_t i = 0; !in->failed && bh_yaml_pair(in->item, i, &key, &value); i++)
		if (!bh_slice_is_one_of(bh_yaml_str(key), free_keys) && !bh_yaml_get(override, bh_arena_strdup(&in->r->arena, bh_yaml_str(key)) ?: ""))
			WRONG(in, key, "'%.*s' has no entry in 'override'", BH_SLICE_FMT(bh_yaml_str(key)));
	return true;
}

static bool read_append(struct reading *in)
{
	bool append = read_bool(in, "append", false);
	if (append)
		WARN(in, get(in, "append"), "'append' is deprecated: use 'override'");
	return append;
}

/* ---- names ---- */

static bool is_list_name(struct bh_slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (guard_is_among(name.ptr[i], "()\"'=, \t\r\n\f\v"))
			return false;
	return name.len != 0;
}

static bool is_macro_name(struct bh_slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.ptr[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '_')))
			return false;
	}
	return name.len != 0;
}

static int full(struct reading *in)
{
	return bh_fail(in->err, BH_ELIMIT, 0, "more lists, macros and rules than can be kept");
}

static void name_item(struct reading *in, struct guard_item *item, bool is_new)
{
	item->name = guard_scalar_text(in->at);
	item->at = in->at;
	item->index = is_new ? in->r->n_defined : item->index;
	item->visible = in->r->n_defined++;
}

/* Zeroed memory for a list, macro or rule, under its name. NULL: there is no room. */
static void *new_entry(struct reading *in, struct bh_map *map, size_t bytes)
{
	void *entry = bh_arena_alloc(&in->r->arena, bytes), **slot = entry ? bh_map_put(map, guard_scalar_text(in->at)) : NULL;
	if (slot)
		*slot = entry;
	return slot ? entry : NULL;
}

/* ---- lists ---- */

static int read_list(struct reading *in)
{
	static const char *const known[] = { "list", "items", "append", "override", NULL };
	static const struct change_key keys[] = { { "items", true }, { NULL, false } };
	warn_of_keys(in, known);
	if (!has_text(in, "list"))
		return 0;
	if (!is_list_name(guard_scalar_text(in->at)))
		WRONG(in, in->at.node, "the name of a list has none of ( ) \" ' = , and no blanks");
	if (!is_sequence_of_texts(in, "items") && !in->failed)
		WRONG(in, NULL, "it has no 'items'");
	bool changes = read_override(in, keys), append = read_append(in) || (changes && change_of(in, "items") == CHANGE_APPEND);
	struct guard_list *list = bh_map_get(&in->r->lists, guard_scalar_text(in->at));
	if (!in->failed && !list && (changes || append))
		WRONG(in, NULL, "it changes a list that was not defined before");
	if (in->failed)
		return 0;
	bool is_new = !list;
	list = list ? list : new_entry(in, &in->r->lists, sizeof(*list));
	if (!list)
		return full(in);
	list->items.max = ITEMS_MAX;
	name_item(in, &list->item, is_new);
	if (!append)
		list->items.len = 0;
	return keep_all(in, &list->items, get(in, "items"));
}

/* ---- macros ---- */

static int read_macro(struct reading *in)
{
	static const char *const known[] = { "macro", "condition", "append", "override", NULL };
	static const struct change_key keys[] = { { "condition", true }, { NULL, false } };
	warn_of_keys(in, known);
	if (!has_text(in, "macro") || !has_text(in, "condition"))
		return 0;
	if (!is_macro_name(guard_scalar_text(in->at)))
		WRONG(in, in->at.node, "the name of a macro is letters, digits and _, a letter first");
	bool changes = read_override(in, keys), append = read_append(in) || (changes && change_of(in, "condition") == CHANGE_APPEND);
	struct guard_macro *macro = bh_map_get(&in->r->macros, guard_scalar_text(in->at));
	if (!in->failed && !macro && (changes || append))
		WRONG(in, NULL, "it changes a macro that was not defined before");
	if (in->failed)
		return 0;
	bool is_new = !macro;
	macro = macro ? macro : new_entry(in, &in->r->macros, sizeof(*macro));
	if (!macro)
		return full(in);
	macro->condition.parts.max = ITEMS_MAX;
	name_item(in, &macro->item, is_new);
	if (!append)
		macro->condition.parts.len = 0;
	return keep(in, &macro->condition.parts, get(in, "condition"));
}

/* ---- exceptions ---- */

static bool is_list_op(struct bh_slice word)
{
	enum guard_op op;
	return guard_op_parse(word, &op) && guard_op_takes_list(op);
}

static void check_comps(struct reading *in, const struct bh_yaml_node *fields, const struct bh_yaml_node *comps)
{
	enum guard_op op;
	bool one = bh_yaml_is(fields, BH_YAML_SCALAR);
	if (!comps)
		return;
	if (one != bh_yaml_is(comps, BH_YAML_SCALAR) || (!one && bh_yaml_len(fields) != bh_yaml_len(comps)))
		WRONG(in, comps, "'fields' and 'comps' of an exception are one text each, or lists of the same length");
	else if (one && !is_list_op(bh_yaml_str(comps)))
		WRONG(in, comps, "the operator of an exception with one field is in, pmatch or intersects, not '%.*s'", BH_SLICE_FMT(bh_yaml_str(comps)));
	for (size_t i = 0; !in->failed && !one && i < bh_yaml_len(comps); i++)
		if (!guard_op_parse(bh_yaml_str(bh_yaml_at(comps, i)), &op) || op == GUARD_OP_EXISTS)
			WRONG(in, bh_yaml_at(comps, i), "'%.*s' is no operator", BH_SLICE_FMT(bh_yaml_str(bh_yaml_at(comps, i))));
}

static void check_values(struct reading *in, const struct bh_yaml_node *fields, const struct bh_yaml_node *values)
{
	bool one = bh_yaml_is(fields, BH_YAML_SCALAR);
	if (values && !bh_yaml_is(values, BH_YAML_SEQUENCE))
		WRONG(in, values, "'values' of an exception is not a list");
	for (size_t i = 0; !in->failed && i < bh_yaml_len(values); i++) {
		const struct bh_yaml_node *v = bh_yaml_at(values, i);
		if (one && !bh_yaml_is(v, BH_YAML_SCALAR))
			WRONG(in, v, "a value of an exception with one field is a text");
		else if (!one && (!bh_yaml_is(v, BH_YAML_SEQUENCE) || bh_yaml_len(v) != bh_yaml_len(fields)))
			WRONG(in, v, "a value of this exception is a list of %zu, one for each field", bh_yaml_len(fields));
	}
}

static struct guard_exception *find_exception(struct guard_rule *rule, struct bh_slice name)
{
	for (size_t i = 0; i < rule->exceptions.len; i++)
		if (bh_slice_eq(guard_scalar_text(rule->exceptions.ptr[i].name), name))
			return &rule->exceptions.ptr[i];
	return NULL;
}

static bool is_fields(const struct bh_yaml_node *fields)
{
	bool ok = bh_yaml_is(fields, BH_YAML_SCALAR) || (bh_yaml_is(fields, BH_YAML_SEQUENCE) && bh_yaml_len(fields));
	for (size_t i = 0; ok && bh_yaml_is(fields, BH_YAML_SEQUENCE) && i < bh_yaml_len(fields); i++)
		ok = bh_yaml_is(bh_yaml_at(fields, i), BH_YAML_SCALAR);
	return ok;
}

static int read_exception(struct reading *in, struct guard_rule *rule, const struct bh_yaml_node *ex)
{
	static const char *const known[] = { "name", "fields", "comps", "values", NULL };
	const struct bh_yaml_node *name = bh_yaml_get(ex, "name"), *fields = bh_yaml_get(ex, "fields"), *comps = bh_yaml_get(ex, "comps"), *values = bh_yaml_get(ex, "values"), *key, *value;
	for (size_t i = 0; bh_yaml_pair(ex, i, &key, &value); i++)
		if (!bh_slice_is_one_of(bh_yaml_str(key), known))
			WARN(in, key, "the key '%.*s' of an exception is not known", BH_SLICE_FMT(bh_yaml_str(key)));
	if (!bh_yaml_is(ex, BH_YAML_MAPPING) || bh_yaml_str(name).len == 0) {
		WRONG(in, ex, "an exception is a mapping with a 'name'");
		return 0;
	}
	struct guard_exception *old = find_exception(rule, bh_yaml_str(name));
	if (old && (fields || comps))
		WRONG(in, fields ? fields : comps, "the exception '%.*s' is there: only 'values' can be added", BH_SLICE_FMT(bh_yaml_str(name)));
	if (!old && !is_fields(fields))
		WRONG(in, fields ? fields : name, "an exception has 'fields', a name or a list of names");
	fields = old ? old->fields.node : fields;
	if (!in->failed)
		check_comps(in, fields, comps);
	if (!in->failed)
		check_values(in, fields, values);
	if (in->failed)
		return 0;
	if (!old) {
		const struct guard_exception e = { .name = scalar(in, name), .fields = scalar(in, fields), .comps = scalar(in, comps), .values = { .max = ITEMS_MAX } };
		if (!guard_exception_vec_push(&rule->exceptions, e))
			return full(in);
		old = &rule->exceptions.ptr[rule->exceptions.len - 1];
	}
	return keep_all(in, &old->values, values);
}

static int read_exceptions(struct reading *in, struct guard_rule *rule)
{
	const struct bh_yaml_node *list = get(in, "exceptions");
	int rc = 0;
	if (list && !bh_yaml_is_null(list) && !bh_yaml_is(list, BH_YAML_SEQUENCE))
		WRONG(in, list, "'exceptions' is not a list");
	for (size_t i = 0; rc == 0 && !in->failed && i < bh_yaml_len(list); i++)
		rc = read_exception(in, rule, bh_yaml_at(list, i));
	return rc;
}

static void drop_exceptions(struct guard_rule *rule)
{
	for (size_t i = 0; i < rule->exceptions.len; i++)
		guard_scalar_vec_done(&rule->exceptions.ptr[i].values);
	rule->exceptions.len = 0;
}

/* ---- rules ---- */

static size_t word_of(struct bh_slice text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text.len == strlen(words[i]) && bh_slice_has_nocase(text, bh_slice_str(words[i])))
			return i;
	return n;
}

static void read_priority(struct reading *in, struct guard_rule *rule)
{
	const struct bh_yaml_node *node = get(in, "priority");
	struct bh_slice text = bh_yaml_str(node);
	const size_t n = sizeof(priorities) / sizeof(priorities[0]);
	size_t p = text.len == 4 && bh_slice_has_nocase(text, BH_SLICE_LIT("info")) ? GUARD_INFORMATIONAL : word_of(text, priorities, n);
	if (p == n)
		WRONG(in, node, "'%.*s' is no priority: Emergency, Alert, Critical, Error, Warning, Notice, Informational, Debug", BH_SLICE_FMT(text));
	else
		rule->priority = (enum guard_priority)p;
}

static void read_action(struct reading *in, struct guard_rule *rule)
{
	const struct bh_yaml_node *node = get(in, "action");
	const size_t n = sizeof(actions) / sizeof(actions[0]);
	size_t a = node ? word_of(bh_yaml_str(node), actions, n) : GUARD_AUDIT;
	if (a == n)
		WRONG(in, node, "'%.*s' is no action: audit, kill, deny, freeze, quarantine, capture", BH_SLICE_FMT(bh_yaml_str(node)));
	else
		rule->action = (enum guard_action)a;
}

static void read_source(struct reading *in, struct guard_rule *rule)
{
	const struct bh_yaml_node *node = get(in, "source");
	rule->source = node ? bh_yaml_str(node) : BH_SLICE_LIT("syscall");
	rule->is_foreign = !bh_slice_eq_str(rule->source, "syscall");
	if (rule->is_foreign)
		WARN(in, node, "the source '%.*s' is not here: the rule is not loaded", BH_SLICE_FMT(rule->source));
}

/* Of a text that may be appended to. */
static bool join(struct reading *in, const char *key, enum change how, struct bh_slice *to)
{
	struct bh_slice text = bh_yaml_str(get(in, key));
	if (how == CHANGE_NONE)
		return true;
	if (how == CHANGE_REPLACE) {
		*to = text;
		return true;
	}
	const char *joined = bh_arena_printf(&in->r->arena, "%.*s %.*s", BH_SLICE_FMT(*to), BH_SLICE_FMT(text));
	*to = bh_slice_str(joined);
	return joined;
}

static int set_condition(struct reading *in, struct guard_rule *rule, enum change how)
{
	if (how == CHANGE_NONE)
		return 0;
	if (!has_text(in, "condition"))
		return 0;
	if (how == CHANGE_REPLACE)
		rule->condition.parts.len = 0;
	return keep(in, &rule->condition.parts, get(in, "condition"));
}

static int set_tags(struct reading *in, struct guard_rule *rule, enum change how)
{
	if (how == CHANGE_NONE || !is_sequence_of_texts(in, "tags"))
		return 0;
	if (how == CHANGE_REPLACE)
		rule->tags.len = 0;
	return keep_all(in, &rule->tags, get(in, "tags"));
}

static int set_exceptions(struct reading *in, struct guard_rule *rule, enum change how)
{
	if (how == CHANGE_NONE)
		return 0;
	if (how == CHANGE_REPLACE)
		drop_exceptions(rule);
	return read_exceptions(in, rule);
}

/* `how` says of each key whether and how it is taken over. */
static int set_rule(struct reading *in, struct guard_rule *rule, enum change (*how)(const struct reading *in, const char *key))
{
	if (how(in, "priority"))
		read_priority(in, rule);
	if (how(in, "action"))
		read_action(in, rule);
	if (how(in, "enabled"))
		rule->is_enabled = read_bool(in, "enabled", true);
	if (how(in, "capture"))
		rule->capture = read_bool(in, "capture", false);
	if (how(in, "skip-if-unknown-filter"))
		rule->skip_if_unknown = read_bool(in, "skip-if-unknown-filter", false);
	if (how(in, "warn_evttypes"))
		rule->warn_evttypes = read_bool(in, "warn_evttypes", true);
	if (how(in, "output"))
		rule->output_at = scalar(in, get(in, "output"));
	if (!join(in, "output", how(in, "output"), &rule->output) || !join(in, "desc", how(in, "desc"), &rule->desc))
		return full(in);
	int rc = set_condition(in, rule, how(in, "condition"));
	rc = rc < 0 ? rc : set_tags(in, rule, how(in, "tags"));
	return rc < 0 ? rc : set_exceptions(in, rule, how(in, "exceptions"));
}

static enum change replace_all(const struct reading *in, const char *key)
{
	return get(in, key) ? CHANGE_REPLACE : CHANGE_NONE;
}

static enum change append_what_is_there(const struct reading *in, const char *key)
{
	return get(in, key) && (strcmp(key, "condition") == 0 || strcmp(key, "exceptions") == 0 || strcmp(key, "tags") == 0) ? CHANGE_APPEND : CHANGE_NONE;
}

static void forget_rule(struct guard_rule *rule)
{
	rule->condition.parts.len = rule->tags.len = 0;
	rule->action = GUARD_AUDIT;
	rule->capture = rule->skip_if_unknown = false;
	drop_exceptions(rule);
}

static int define_rule(struct reading *in, struct guard_rule *rule)
{
	static const char *const needed[] = { "condition", "output", "desc", "priority" };
	bool is_new = !rule;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		(void)has_text(in, needed[i]);
	if (in->failed)
		return 0;
	rule = rule ? rule : new_entry(in, &in->r->rules, sizeof(*rule));
	if (!rule)
		return full(in);
	rule->condition.parts.max = rule->tags.max = rule->exceptions.max = ITEMS_MAX;
	if (!is_new)
		forget_rule(rule);
	name_item(in, &rule->item, is_new);
	rule->is_enabled = rule->warn_evttypes = true;
	read_source(in, rule);
	return set_rule(in, rule, replace_all);
}

/* Only `rule` and `enabled`. */
static bool is_switch(const struct reading *in)
{
	return bh_yaml_len(in->item) == 2 && get(in, "enabled");
}

static int read_rule(struct reading *in)
{
	static const char *const known[] = { "rule",     "condition", "output",        "desc",  "priority",         "source", "enabled", "tags", "exceptions", "append", "override",
					     "skip-if-unknown-filter", "warn_evttypes", "capture", "capture_duration", "action", NULL };
	static const struct change_key keys[] = { { "condition", true }, { "output", true }, { "desc", true }, { "tags", true }, { "exceptions", true }, { "priority", false }, { "enabled", false },
						  { "warn_evttypes", false }, { "skip-if-unknown-filter", false }, { "capture", false }, { "capture_duration", false }, { "action", false }, { NULL, false } };
	warn_of_keys(in, known);
	if (!has_text(in, "rule"))
		return 0;
	struct guard_rule *rule = bh_map_get(&in->r->rules, guard_scalar_text(in->at));
	bool changes = read_override(in, keys), append = read_append(in), is_on = is_switch(in);
	if (in->failed)
		return 0;
	if (!changes && !append && !is_on)
		return define_rule(in, rule);
	if (!rule) {
		WRONG(in, NULL, "it changes a rule that was not defined before");
		return 0;
	}
	if (append && !get(in, "condition") && !get(in, "exceptions"))
		WRONG(in, NULL, "what is appended to a rule is a 'condition' or 'exceptions'");
	name_item(in, &rule->item, false);
	return in->failed ? 0 : set_rule(in, rule, changes ? change_of : append ? append_what_is_there : replace_all);
}

/* ---- versions ---- */

/* "0.57.0", or a number N, which is 0.N.0. */
static bool read_version(struct bh_slice text, uint64_t ret[3])
{
	struct bh_slice part;
	size_t n = 0;
	if (bh_slice_u64(text, UINT32_MAX, &ret[1])) {
		ret[0] = ret[2] = 0;
		return true;
	}
	while (n < 3 && text.len) {
		(void)bh_slice_cut(text, '.', &part, &text);
		if (!bh_slice_u64(part, UINT32_MAX, &ret[n++]))
			return false;
	}
	return n == 3 && text.len == 0;
}

/* What is asked for is of the same major version and not newer. */
static bool is_served(const uint64_t asked[3], const uint64_t here[3])
{
	if (asked[0] != here[0])
		return false;
	return asked[1] != here[1] ? asked[1] < here[1] : asked[2] <= here[2];
}

static int read_engine(struct reading *in)
{
	const struct bh_yaml_node *node = get(in, "required_engine_version");
	uint64_t asked[3], here[3];
	bool ok = read_version(bh_yaml_str(node), asked);
	(void)read_version(BH_SLICE_LIT(GUARD_ENGINE_VERSION), here);
	if (!ok)
		WRONG(in, node, "'%.*s' is no version: x.y.z, or a number", BH_SLICE_FMT(bh_yaml_str(node)));
	else if (!is_served(asked, here))
		WRONG(in, node, "the rules want the language of engine %.*s; here it is that of %s", BH_SLICE_FMT(bh_yaml_str(node)), GUARD_ENGINE_VERSION);
	return 0;
}

/* The container plug-in's fields are the guard's own. */
static bool is_plugin_here(const struct bh_yaml_node *plugin)
{
	uint64_t asked[3];
	return bh_slice_eq_str(bh_yaml_str(bh_yaml_get(plugin, "name")), "container") && read_version(bh_yaml_str(bh_yaml_get(plugin, "version")), asked) && asked[0] == 0;
}

static void read_plugin(struct reading *in, const struct bh_yaml_node *plugin)
{
	const struct bh_yaml_node *others = bh_yaml_get(plugin, "alternatives");
	bool here = is_plugin_here(plugin);
	for (size_t i = 0; !here && i < bh_yaml_len(others); i++)
		here = is_plugin_here(bh_yaml_at(others, i));
	if (!bh_yaml_is(plugin, BH_YAML_MAPPING) || bh_yaml_str(bh_yaml_get(plugin, "name")).len == 0 || bh_yaml_str(bh_yaml_get(plugin, "version")).len == 0)
		WRONG(in, plugin, "a plug-in has a 'name' and a 'version'");
	else if (!here)
		WRONG(in, plugin, "the plug-in %.*s %.*s is not here; what the plug-in container 0 offers is", BH_SLICE_FMT(bh_yaml_str(bh_yaml_get(plugin, "name"))),
		      BH_SLICE_FMT(bh_yaml_str(bh_yaml_get(plugin, "version"))));
}

static int read_plugins(struct reading *in)
{
	const struct bh_yaml_node *list = get(in, "required_plugin_versions");
	if (!bh_yaml_is(list, BH_YAML_SEQUENCE))
		WRONG(in, list, "'required_plugin_versions' is not a list");
	for (size_t i = 0; i < bh_yaml_len(list); i++)
		read_plugin(in, bh_yaml_at(list, i));
	return 0;
}

/* ---- files ---- */

static int read_item(struct guard_ruleset *r, uint32_t source, const struct bh_yaml_node *node, struct bh_err *err)
{
	static const struct {
		const char *key;
		int (*read)(struct reading *in);
	} kinds[] = { { "required_engine_version", read_engine }, { "required_plugin_versions", read_plugins }, { "list", read_list }, { "macro", read_macro }, { "rule", read_rule } };
	struct reading in = { .r = r, .source = source, .item = node, .at = { source, node }, .err = err };
	if (!bh_yaml_is(node, BH_YAML_MAPPING)) {
		WRONG(&in, node, "an entry of a file of rules is a mapping: rule, macro, list, required_engine_version or required_plugin_versions");
		return 0;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (bh_yaml_get(node, kinds[i].key)) {
			const struct bh_yaml_node *value = bh_yaml_get(node, kinds[i].key);
			in.at = bh_yaml_line(value) ? scalar(&in, value) : in.at;
			return kinds[i].read(&in);
		}
	WARN(&in, node, "an entry that is no rule, macro, list or version is passed over");
	return 0;
}

/* The document's root has no place of its own when it is empty. */
static int tell_file(struct guard_ruleset *r, const char *name, const char *text)
{
	struct guard_problem p = { .place = { .file = name } };
	return bh_arena_copy(&r->arena, bh_slice_str(text), &p.text) && guard_problem_add(r, &p) ? 0 : BH_ENOMEM;
}

int guard_ruleset_add(struct guard_ruleset *r, const char *name, struct bh_slice bytes, struct bh_err *err)
{
	struct guard_source s = { .name = name, .bytes = bytes };
	struct bh_err why = { 0 };
	int rc = bytes.len > FILE_BYTES_MAX ? bh_fail(&why, BH_ELIMIT, 0, "a file of rules of more than %u MiB", FILE_BYTES_MAX >> 20) : bh_yaml_parse(bytes, FILE_BYTES_MAX, &s.yaml, &why);
	if (rc == BH_EMALFORMED || rc == BH_ELIMIT)
		return tell_file(r, name, why.text) < 0 ? bh_fail(err, BH_ENOMEM, 0, "out of memory") : 0;
	if (rc < 0) {
		*err = why;
		return rc;
	}
	if (!guard_source_vec_push(&r->sources, s)) {
		bh_yaml_free(s.yaml);
		return bh_fail(err, BH_ELIMIT, 0, "too many files of rules");
	}
	for (size_t d = 0; rc == 0 && d < bh_yaml_documents(s.yaml); d++) {
		const struct bh_yaml_node *root = bh_yaml_root(s.yaml, d);
		if (!bh_yaml_is(root, BH_YAML_SEQUENCE) && !bh_yaml_is_null(root))
			rc = tell_file(r, name, "a file of rules is a list of rules, macros and lists");
		for (size_t i = 0; rc == 0 && i < bh_yaml_len(root) && bh_yaml_is(root, BH_YAML_SEQUENCE); i++)
			rc = read_item(r, (uint32_t)(r->sources.len - 1), bh_yaml_at(root, i), err);
	}
	return rc;
}
