/* rules_ask.c: see rules_ask.h. */
#include "guard/rules_ask.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "format/yaml.h"
#include "guard/replay.h"
#include "sys/child.h"

#include <inttypes.h>
#include <string.h>

#define TEXT_BYTES_MAX (256u << 20)
#define CPU_SECONDS 120u

enum message { SAY_OUT = 1, SAY_TOLD, SAY_ERRORS };

struct asking {
	const struct guard_question *question;
	struct guard_answer *answer;
	/* the child's */
	struct guard_ruleset rules;
	struct bh_buf out, told;
	size_t n_wrong; /* events */
};

/* ---- problems ---- */

static void put_caret(struct bh_buf *b, const struct guard_problem *p)
{
	bh_buf_printf(b, "%6" PRIu32 " | ", p->place.line);
	bh_buf_add_escaped(b, p->excerpt);
	bh_buf_add_str(b, "\n       | ");
	for (uint32_t i = 1; i < p->place.column && i <= p->excerpt.len; i++)
		bh_buf_add_byte(b, p->excerpt.ptr[i - 1] == '\t' ? '\t' : ' ');
	bh_buf_add_str(b, "^\n");
}

static void put_problem(struct bh_buf *b, const struct guard_problem *p)
{
	bh_buf_add_str(b, p->place.file);
	if (p->place.line)
		bh_buf_printf(b, ":%" PRIu32 ":%" PRIu32, p->place.line, p->place.column);
	bh_buf_add_str(b, p->is_warning ? ": warning: " : ": error: ");
	bh_buf_add_escaped(b, p->text);
	bh_buf_add_byte(b, '\n');
	if (p->place.line)
		put_caret(b, p);
}

static void put_problems(struct bh_buf *b, const struct guard_ruleset *r, bool warnings)
{
	for (size_t i = 0; i < r->problems.len; i++)
		if (warnings || !r->problems.ptr[i].is_warning)
			put_problem(b, &r->problems.ptr[i]);
	if (r->n_dropped)
		bh_buf_printf(b, "and %zu more that are not listed, %zu of them errors\n", r->n_dropped, r->n_dropped_errors);
}

static const struct guard_rule *rule_at(const struct guard_ruleset *r, size_t i)
{
	return r->rules.entries[i].value;
}

static size_t count_loaded(const struct guard_ruleset *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->rules.len; i++)
		n += rule_at(r, i)->is_loaded;
	return n;
}

/* ---- check ---- */

static void json_problem(struct bh_buf *b, const struct guard_problem *p)
{
	bh_buf_add_str(b, "    {\"severity\": ");
	bh_buf_add_json(b, bh_slice_str(p->is_warning ? "warning" : "error"));
	bh_buf_add_str(b, ", \"file\": ");
	bh_buf_add_json(b, bh_slice_str(p->place.file));
	if (p->place.line)
		bh_buf_printf(b, ", \"line\": %" PRIu32 ", \"column\": %" PRIu32, p->place.line, p->place.column);
	bh_buf_add_str(b, ", \"text\": ");
	bh_buf_add_json(b, p->text);
	bh_buf_add_byte(b, '}');
}

static int check(struct asking *a, struct bh_err *err)
{
	const struct guard_ruleset *r = &a->rules;
	(void)err;
	if (!a->question->json) {
		put_problems(&a->told, r, true);
		bh_buf_printf(&a->out, "%zu of %zu rules can be used, with %zu macros and %zu lists; %zu errors, %zu warnings\n", count_loaded(r), r->rules.len, r->macros.len, r->lists.len,
			      r->n_errors, r->problems.len + r->n_dropped - r->n_errors);
		return 0;
	}
	bh_buf_printf(&a->out, "{\n  \"rules\": %zu, \"loaded\": %zu, \"macros\": %zu, \"lists\": %zu, \"errors\": %zu, \"problems_left_out\": %zu,\n  \"problems\": [", r->rules.len, count_loaded(r), r->macros.len, r->lists.len,
		      r->n_errors, r->n_dropped);
	for (size_t i = 0; i < r->problems.len; i++) {
		bh_buf_add_str(&a->out, i ? ",\n" : "\n");
		json_problem(&a->out, &r->problems.ptr[i]);
	}
	bh_buf_add_str(&a->out, r->problems.len ? "\n  ]\n}\n" : "]\n}\n");
	return 0;
}

/* ---- what a rule is ---- */

static void put_types(struct bh_buf *b, const struct guard_ruleset *r, const struct guard_types *t, bool json)
{
	size_t n = 0;
	if (t->rest && !json) {
		bh_buf_add_str(b, "all");
		return;
	}
	for (size_t i = 0; i < r->n_types; i++) {
		if (!(t->bits[i / 64] >> i % 64 & 1))
			continue;
		bh_buf_add_str(b, n++ ? (json ? ", " : ",") : "");
		if (json)
			bh_buf_add_json(b, r->types[i]);
		else
			bh_buf_add_escaped(b, r->types[i]);
	}
	if (n == 0 && !json)
		bh_buf_add_str(b, "none");
}

static const char *state_of(const struct guard_rule *rule)
{
	return !rule->is_loaded ? "not loaded" : rule->is_enabled ? "enabled" : "disabled";
}

static void put_tags(struct bh_buf *b, const struct guard_rule *rule, bool json)
{
	for (size_t i = 0; i < rule->tags.len; i++) {
		bh_buf_add_str(b, i ? (json ? ", " : ",") : "");
		if (json)
			bh_buf_add_json(b, guard_scalar_text(rule->tags.ptr[i]));
		else
			bh_buf_add_escaped(b, guard_scalar_text(rule->tags.ptr[i]));
	}
}

static void json_text(struct bh_buf *b, const char *key, struct bh_slice text)
{
	bh_buf_printf(b, ", \"%s\": ", key);
	bh_buf_add_json(b, text);
}

static void json_rule(struct asking *a, const struct guard_rule *rule)
{
	struct bh_buf *b = &a->out;
	struct guard_place place = guard_scalar_place(&a->rules, rule->item.at);
	bh_buf_add_str(b, "  {\"rule\": ");
	bh_buf_add_json(b, rule->item.name);
	json_text(b, "priority", bh_slice_str(guard_priority_name(rule->priority)));
	json_text(b, "state", bh_slice_str(state_of(rule)));
	json_text(b, "action", bh_slice_str(guard_action_name(rule->action)));
	json_text(b, "source", rule->source);
	json_text(b, "file", bh_slice_str(place.file));
	bh_buf_printf(b, ", \"line\": %" PRIu32 ", \"checks\": %zu, \"all_events\": %s, \"events\": [", place.line, rule->condition.n_checks, rule->condition.types[0].rest ? "true" : "false");
	put_types(b, &a->rules, &rule->condition.types[0], true);
	bh_buf_add_str(b, "], \"tags\": [");
	put_tags(b, rule, true);
	bh_buf_add_str(b, "]");
	json_text(b, "description", bh_slice_trim(rule->desc));
	json_text(b, "output", bh_slice_trim(rule->output));
	bh_buf_add_byte(b, '}');
}

static int list(struct asking *a, struct bh_err *err)
{
	const struct guard_ruleset *r = &a->rules;
	(void)err;
	put_problems(&a->told, r, false);
	if (a->question->json)
		bh_buf_add_str(&a->out, "[\n");
	for (size_t i = 0; i < r->rules.len; i++) {
		const struct guard_rule *rule = rule_at(r, i);
		if (a->question->json) {
			bh_buf_add_str(&a->out, i ? ",\n" : "");
			json_rule(a, rule);
			continue;
		}
		bh_buf_printf(&a->out, "%-13s %-10s ", guard_priority_name(rule->priority), state_of(rule));
		bh_buf_add_escaped(&a->out, rule->item.name);
		bh_buf_add_str(&a->out, "  (");
		put_types(&a->out, r, &rule->condition.types[0], false);
		bh_buf_add_str(&a->out, ")\n");
	}
	if (a->question->json)
		bh_buf_add_str(&a->out, r->rules.len ? "\n]\n" : "]\n");
	return 0;
}

/* ---- explain ---- */

/* By its whole name, else by a part of it, whatever the case. */
static const struct guard_rule *find_rule(const struct asking *a, struct bh_err *err)
{
	const struct guard_ruleset *r = &a->rules;
	struct bh_slice name = bh_slice_str(a->question->rule);
	const struct guard_rule *whole = bh_map_get(&r->rules, name), *part = NULL;
	size_t n = 0;
	for (size_t i = 0; !whole && i < r->rules.len; i++)
		if (bh_slice_has_nocase(rule_at(r, i)->item.name, name)) {
			part = rule_at(r, i);
			n++;
		}
	if (whole || n == 1)
		return whole ? whole : part;
	(void)bh_fail(err, BH_ENOTFOUND, 0, n ? "%zu rules have '%s' in their names: say more of it" : "%zu rules are called '%s': see 'bulkhead guard rules list'", n, a->question->rule);
	return NULL;
}

static void explain_rule(struct asking *a, const struct guard_rule *rule)
{
	struct bh_buf *b = &a->out;
	struct guard_place place = guard_scalar_place(&a->rules, rule->item.at);
	bh_buf_add_escaped(b, rule->item.name);
	bh_buf_add_str(b, "\n\n  ");
	bh_buf_add_escaped(b, bh_slice_trim(rule->desc));
	bh_buf_printf(b, "\n\npriority   %s\nstate      %s\naction     %s\ndefined    %s:%" PRIu32 "\nevents     ", guard_priority_name(rule->priority), state_of(rule),
		      guard_action_name(rule->action), place.file, place.line);
	put_types(b, &a->rules, &rule->condition.types[0], false);
	bh_buf_printf(b, "\nchecks     %zu\ntags       ", rule->condition.n_checks);
	put_tags(b, rule, false);
	bh_buf_add_str(b, "\noutput     ");
	bh_buf_add_escaped(b, bh_slice_trim(rule->output));
	bh_buf_add_str(b, "\n\ncondition, lists and macros in place:\n\n");
	if (rule->condition.tree)
		guard_show_condition(rule->condition.tree, 0, b);
	bh_buf_add_byte(b, '\n');
}

static int explain(struct asking *a, struct bh_err *err)
{
	put_problems(&a->told, &a->rules, false);
	const struct guard_rule *rule = find_rule(a, err);
	if (!rule)
		return bh_failure(err->code);
	if (a->question->json) {
		json_rule(a, rule);
		bh_buf_add_byte(&a->out, '\n');
	} else {
		explain_rule(a, rule);
	}
	return 0;
}

/* ---- fields ---- */

static int fields(struct asking *a, struct bh_err *err)
{
	static const char *const arguments[] = { "", "[...]", "[...]", ".NAME" }; /* index = enum guard_argument */
	(void)err;
	for (size_t i = 0; guard_field(i); i++) {
		const struct guard_field *f = guard_field(i);
		const char *name = bh_arena_printf(&a->rules.arena, "%s%s", f->name, arguments[f->argument]);
		if (a->question->json) {
			bh_buf_printf(&a->out, "%s  {\"name\": \"%s\", \"type\": \"%s\"", i ? ",\n" : "[\n", f->name, guard_type_name(f->type));
			json_text(&a->out, "text", bh_slice_str(f->text));
			bh_buf_add_byte(&a->out, '}');
			continue;
		}
		bh_buf_printf(&a->out, "%-42s %-15s %s%s\n", name ? name : f->name, guard_type_name(f->type), f->text,
			      f->use == GUARD_USE_FILTER ? " (conditions only)" : f->use == GUARD_USE_OUTPUT ? " (outputs only)" : "");
	}
	if (a->question->json)
		bh_buf_add_str(&a->out, "\n]\n");
	return 0;
}

/* ---- test ---- */

static int test(struct asking *a, struct bh_err *err)
{
	struct guard_replay replay = { .rules = &a->rules, .all = a->question->all_rules, .format = a->question->format, .out = &a->out, .told = &a->told };
	int rc = 0;
	put_problems(&a->told, &a->rules, false);
	for (size_t i = 0; rc == 0 && i < a->question->n_events; i++)
		rc = guard_replay_events(&replay, a->question->events[i].name, a->question->events[i].text, err);
	bh_buf_printf(&a->told, "%zu events, %zu alerts of %zu rules", replay.n_events, replay.n_alerts, count_loaded(&a->rules));
	if (replay.n_expected)
		bh_buf_printf(&a->told, "; %zu of %zu events did what they were expected to", replay.n_expected - replay.n_wrong, replay.n_expected);
	bh_buf_add_byte(&a->told, '\n');
	a->n_wrong = replay.n_wrong;
	return rc;
}

/* ---- the child ---- */

static int send_all(struct bh_channel *ch, enum message type, const struct bh_buf *text, struct bh_err *err)
{
	int rc = text->failed ? bh_fail(err, BH_ELIMIT, 0, "the answer is larger than %u MiB", TEXT_BYTES_MAX >> 20) : 0;
	for (size_t at = 0; rc == 0 && at < text->len; at += BH_FRAME_BYTES_MAX)
		rc = bh_channel_send(ch, (uint16_t)type, bh_slice_sub(bh_buf_slice(text), at, BH_FRAME_BYTES_MAX), err);
	return rc;
}

static int load(struct asking *a, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < a->question->n_files; i++)
		rc = guard_ruleset_add(&a->rules, a->question->files[i].name, a->question->files[i].text, err);
	return rc < 0 ? rc : guard_ruleset_compile(&a->rules, err);
}

static int run(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	static int (*const answers[])(struct asking *a, struct bh_err *err) = { check, list, explain, fields, test }; /* index = enum guard_question_kind */
	struct asking *a = ctx;
	guard_ruleset_init(&a->rules);
	bh_buf_init(&a->out, TEXT_BYTES_MAX);
	bh_buf_init(&a->told, TEXT_BYTES_MAX);
	int rc = load(a, err);
	rc = rc < 0 ? rc : answers[a->question->kind](a, err);
	rc = rc < 0 ? rc : send_all(ch, SAY_OUT, &a->out, err);
	rc = rc < 0 ? rc : send_all(ch, SAY_TOLD, &a->told, err);
	if (rc == 0 && (a->rules.n_errors || a->n_wrong))
		rc = bh_channel_send(ch, SAY_ERRORS, (struct bh_slice){ 0 }, err);
	bh_buf_done(&a->out);
	bh_buf_done(&a->told);
	guard_ruleset_done(&a->rules);
	return rc;
}

static int take(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct guard_answer *answer = ((struct asking *)ctx)->answer;
	(void)reply;
	if (is_request || type < SAY_OUT || type > SAY_ERRORS)
		return bh_fail(err, BH_ECHILD, 0, "a child sent a message of unknown kind %u", type);
	answer->has_errors |= type == SAY_ERRORS;
	struct bh_buf *to = type == SAY_OUT ? &answer->out : &answer->told;
	return type == SAY_ERRORS || bh_buf_add(to, payload) ? 0 : bh_fail(err, BH_ELIMIT, 0, "the answer is larger than its limit");
}

int guard_rules_ask(const struct guard_question *question, struct guard_answer *answer, struct bh_err *err)
{
	struct asking a = { .question = question, .answer = answer };
	struct bh_child_spec spec = { .name = "files of rules", .run = run, .handle = take, .ctx = &a, .limits = { .cpu_seconds = CPU_SECONDS } };
	struct bh_err why = { 0 };
	int result = 0;
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc == 0 && result < 0)
		*err = why;
	return rc < 0 ? rc : result;
}
