/* replay.c: see replay.h. */
#include "guard/replay.h"

#include "base/cleanup.h"
#include "format/json.h"

#include <string.h>

#define LINE_BYTES_MAX (16u << 20)
#define EVENT_ARENA_BYTES (64u << 20)
#define NAME_BYTES_MAX 512u

struct record {
	const struct bh_json_node *fields;
	struct bh_arena *arena;
};

/* ---- values ---- */

/* As JSON writes it; an empty string stays empty. */
static bool write_text(const struct record *rec, const struct bh_json_node *v, struct bh_slice *ret)
{
	struct bh_buf b;
	bh_buf_init(&b, LINE_BYTES_MAX);
	bool ok = bh_json_write(v, NULL, &b) && ((b.len && b.ptr[0] == '"') || bh_arena_copy(rec->arena, bh_buf_slice(&b), ret));
	bh_buf_done(&b);
	return ok;
}

/* Strings as they are, numbers and truth values as JSON writes them. */
static bool add_text(const struct record *rec, const struct bh_json_node *v, struct guard_values *ret)
{
	struct bh_slice text = bh_json_str(v);
	if (bh_json_is_null(v) || ret->n == GUARD_VALUES_MAX || (text.len == 0 && !write_text(rec, v, &text)))
		return false;
	ret->list[ret->n++] = text;
	return true;
}

static const struct bh_json_node *get(const struct record *rec, struct bh_slice name)
{
	char key[NAME_BYTES_MAX];
	if (name.len >= sizeof(key))
		return NULL;
	if (name.len)
		memcpy(key, name.ptr, name.len);
	key[name.len] = '\0';
	return bh_json_get(rec->fields, key);
}

static const struct bh_json_node *member(const struct bh_json_node *object, struct bh_slice name)
{
	const struct bh_json_node *value;
	struct bh_slice key;
	void *iter = NULL;
	while (bh_json_next(object, &iter, &key, &value))
		if (bh_slice_eq(key, name))
			return value;
	return NULL;
}

/* name[argument]: written so, or a part of what stands under the name. */
static const struct bh_json_node *with_argument(const struct record *rec, const struct guard_operand *o)
{
	const char *whole = bh_arena_printf(rec->arena, "%.*s[%.*s]", BH_SLICE_FMT(o->name), BH_SLICE_FMT(o->argument));
	const struct bh_json_node *v = whole ? get(rec, bh_slice_str(whole)) : NULL, *under = get(rec, o->name);
	uint64_t number;
	if (v)
		return v;
	if (bh_json_is_array(under) && bh_slice_u64(o->argument, GUARD_VALUES_MAX, &number))
		return bh_json_at(under, (size_t)number);
	return bh_json_is_object(under) ? member(under, o->argument) : NULL;
}

static bool take(const struct record *rec, const struct guard_field *f, const struct bh_json_node *v, struct guard_values *ret)
{
	if (!bh_json_is_array(v))
		return v && add_text(rec, v, ret);
	bool ancestors = guard_field_is_of_ancestors(f);
	ret->is_list = !ancestors;
	for (size_t i = ancestors; i < bh_json_len(v); i++)
		(void)add_text(rec, bh_json_at(v, i), ret);
	return true;
}

/* ---- fields that follow from others ---- */

static bool add_fields(const struct record *rec, const char *const *names, struct guard_values *ret)
{
	for (; *names; names++) {
		const struct bh_json_node *v = bh_json_get(rec->fields, *names);
		if (v)
			(void)add_text(rec, v, ret);
	}
	return ret->n != 0;
}

static bool from_sides(const struct record *rec, const char *name, struct guard_values *ret)
{
	static const struct {
		const char *name, *from[5];
	} sides[] = {
		{ "fd.ip", { "fd.cip", "fd.sip", "fd.lip", "fd.rip", NULL } }, { "fd.net", { "fd.cip", "fd.sip", "fd.lip", "fd.rip", NULL } }, { "fd.cnet", { "fd.cip", NULL } }, { "fd.snet", { "fd.sip", NULL } },
		{ "fd.lnet", { "fd.lip", NULL } }, { "fd.rnet", { "fd.rip", NULL } }, { "fd.port", { "fd.cport", "fd.sport", "fd.lport", "fd.rport", NULL } },
		{ "fd.proto", { "fd.cproto", "fd.sproto", "fd.lproto", "fd.rproto", NULL } },
	};
	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++)
		if (strcmp(name, sides[i].name) == 0)
			return add_fields(rec, sides[i].from, ret);
	return false;
}

/* proc.pname is proc.aname[1]. */
static bool from_ancestors(const struct record *rec, const char *name, struct guard_values *ret)
{
	static const char *const pairs[][2] = {
		{ "proc.pname", "proc.aname" }, { "proc.pexe", "proc.aexe" }, { "proc.pexepath", "proc.aexepath" }, { "proc.pcmdline", "proc.acmdline" }, { "proc.ppid", "proc.apid" },
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const struct bh_json_node *list = strcmp(name, pairs[i][0]) == 0 ? bh_json_get(rec->fields, pairs[i][1]) : NULL;
		if (list)
			return bh_json_len(list) > 1 && add_text(rec, bh_json_at(list, 1), ret);
	}
	return false;
}

static bool from_path(const struct record *rec, const char *name, struct guard_values *ret)
{
	bool folder = strcmp(name, "fd.directory") == 0;
	struct bh_slice path = bh_json_str(bh_json_get(rec->fields, "fd.name"));
	if ((!folder && strcmp(name, "fd.filename") != 0) || path.len == 0 || path.ptr[0] != '/')
		return false;
	struct bh_slice part = folder ? bh_slice_folder(path) : bh_slice_base(path);
	ret->list[ret->n++] = folder && part.len == 0 ? BH_SLICE_LIT("/") : part;
	return true;
}

static bool from_type(const struct record *rec, const struct guard_operand *o, struct guard_values *ret)
{
	struct bh_slice type = bh_json_str(bh_json_get(rec->fields, "evt.type"));
	if (strcmp(o->field->name, "evt.type.is") == 0)
		ret->list[ret->n++] = bh_slice_eq(type, o->dotted) ? BH_SLICE_LIT("true") : BH_SLICE_LIT("false");
	else if (strcmp(o->field->name, "evt.num") == 0)
		ret->list[ret->n++] = BH_SLICE_LIT("1");
	return ret->n != 0;
}

static bool extract(void *ctx, const struct guard_operand *o, struct guard_values *ret)
{
	const struct record *rec = ctx;
	const struct bh_json_node *v = o->has_argument ? with_argument(rec, o) : get(rec, o->name);
	if (!v && o->dotted.len)
		v = member(bh_json_get(rec->fields, o->field->name), o->dotted);
	if (v)
		return take(rec, o->field, v, ret);
	if (o->has_argument)
		return false;
	return from_sides(rec, o->field->name, ret) || from_ancestors(rec, o->field->name, ret) || from_path(rec, o->field->name, ret) || from_type(rec, o, ret);
}

/* ---- events ---- */

static bool is_in(const struct bh_json_node *names, struct bh_slice name)
{
	for (size_t i = 0; i < bh_json_len(names); i++)
		if (bh_slice_eq(bh_json_str(bh_json_at(names, i)), name))
			return true;
	return false;
}

static void tell_wrong(struct guard_replay *r, const char *file, size_t line, const char *what, struct bh_slice rule)
{
	bh_buf_printf(r->told, "%s:%zu: %s '", file, line, what);
	bh_buf_add_escaped(r->told, rule);
	bh_buf_add_str(r->told, "'\n");
}

static void write_alert(struct guard_replay *r, const struct guard_rule *rule, const struct guard_event *e)
{
	const struct guard_alert alert = { .rule = rule, .event = e };
	bh_buf_add_str(r->out, r->format->head);
	r->format->write(&alert, r->out);
	bh_buf_add_str(r->out, r->format->tail);
	bh_buf_add_byte(r->out, '\n');
}

static void run_event(struct guard_replay *r, const char *file, size_t line, const struct guard_event *e)
{
	const struct record *rec = e->ctx;
	const struct bh_json_node *expect = bh_json_get(rec->fields, "expect");
	struct bh_slice type = bh_json_str(bh_json_get(rec->fields, "evt.type"));
	size_t met = 0;
	bool wrong = false;
	const struct guard_rule *rule;
	for (size_t at = 0; (rule = guard_next_match(r->rules, type, e, &at));) {
		write_alert(r, rule, e);
		r->n_alerts++;
		met += is_in(expect, rule->item.name);
		if (expect && !is_in(expect, rule->item.name)) {
			tell_wrong(r, file, line, "not expected, but fired:", rule->item.name);
			wrong = true;
		}
		if (!r->all)
			break;
	}
	for (size_t i = 0; met < bh_json_len(expect) && i < bh_json_len(expect); i++)
		tell_wrong(r, file, line, "expected with others, of which not all fired:", bh_json_str(bh_json_at(expect, i)));
	r->n_expected += expect != NULL;
	r->n_wrong += wrong || met < bh_json_len(expect);
}

/* A misspelt name would be a field that the event has not. */
static void warn_of_names(struct guard_replay *r, const char *file, size_t line, const struct bh_json_node *fields)
{
	const struct bh_json_node *value;
	struct bh_slice key, dotted;
	void *iter = NULL;
	while (bh_json_next(fields, &iter, &key, &value)) {
		struct bh_slice name = bh_slice_sub(key, 0, bh_slice_find(key, '['));
		if (!bh_slice_eq_str(key, "expect") && !guard_field_find(name, &dotted))
			tell_wrong(r, file, line, "warning: there is no field", key);
	}
}

static int run_line(struct guard_replay *r, const char *file, size_t number, struct bh_slice line, struct bh_arena *arena, struct bh_err *err)
{
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	int rc = bh_json_parse(line, LINE_BYTES_MAX, &doc, err);
	if (rc < 0)
		return bh_wrap(err, "%s:%zu", file, number);
	struct record rec = { bh_json_root(doc), arena };
	const struct guard_event e = { extract, &rec, arena };
	if (!bh_json_is_object(rec.fields))
		return bh_fail(err, BH_EMALFORMED, 0, "%s:%zu: an event is a JSON object: {\"evt.type\": \"execve\", ...}", file, number);
	r->n_events++;
	warn_of_names(r, file, number, rec.fields);
	run_event(r, file, number, &e);
	bh_arena_clear(arena);
	return 0;
}

int guard_replay_events(struct guard_replay *r, const char *name, struct bh_slice text, struct bh_err *err)
{
	struct bh_arena arena;
	struct bh_slice line;
	int rc = 0;
	bh_arena_init(&arena, EVENT_ARENA_BYTES);
	for (size_t number = 1; rc == 0 && text.len; number++) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		line = bh_slice_trim(line);
		if (line.len && line.ptr[0] != '#')
			rc = run_line(r, name, number, line, &arena, err);
	}
	bh_arena_done(&arena);
	return rc;
}
