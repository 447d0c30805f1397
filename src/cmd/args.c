/* args.c: values of options: what was said where, checked when it is said. */
#include "cmd/args.h"

#include "base/suggest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERBS_MAX 16u /* of a command */
#define ARGS_BYTES_MAX (64u << 20) /* the kernel's own limit on argv is 6 MiB; a configuration file's is 1 MiB */
#define EXCEPTIONS_MAX 10000u
#define LIST_TEXT_BYTES 256        /* "one of a, b, c" in messages */

int cmd_args_init(struct cmd_args *a, struct bh_err *err)
{
	*a = (struct cmd_args){ .source = 1, .exceptions.max = EXCEPTIONS_MAX };
	bh_arena_init(&a->arena, ARGS_BYTES_MAX);
	size_t n = 0;
	while (cmd_global_options[n].name)
		n++;
	a->values = bh_arena_array(&a->arena, n, sizeof(a->values[0]));
	if (!a->values)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for options");
	for (a->n_values = 0; a->n_values < n; a->n_values++)
		a->values[a->n_values].option = &cmd_global_options[a->n_values];
	return 0;
}

void cmd_args_done(struct cmd_args *a)
{
	bh_exception_vec_done(&a->exceptions);
	bh_arena_done(&a->arena);
	*a = (struct cmd_args){ 0 };
}

int cmd_args_set_command(struct cmd_args *a, const struct cmd_command *command, struct bh_err *err)
{
	assert(!a->command);
	size_t n = 0;
	while (command->options && command->options[n].name)
		n++;
	struct cmd_value *values = bh_arena_array(&a->arena, a->n_values + n, sizeof(values[0]));
	if (!values)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for options");
	memcpy(values, a->values, a->n_values * sizeof(values[0]));
	for (size_t i = 0; i < n; i++)
		values[a->n_values + i].option = &command->options[i];
	a->values = values;
	a->n_values += n;
	a->command = command;
	return 0;
}

struct cmd_value *cmd_args_find(const struct cmd_args *a, const char *name)
{
	for (size_t i = 0; i < a->n_values; i++) {
		const struct cmd_option *o = a->values[i].option;
		if (strcmp(o->name, name) == 0 || (o->alias && strcmp(o->alias, name) == 0))
			return &a->values[i];
	}
	return NULL;
}

/* "critical, high, low": all of them, or as many as fit. */
static void join(const char *const *words, char out[LIST_TEXT_BYTES])
{
	size_t at = 0;
	out[0] = '\0';
	for (size_t i = 0; words[i]; i++) {
		int n = snprintf(out + at, LIST_TEXT_BYTES - at, "%s%s", i ? ", " : "", words[i]);
		if (n < 0 || (size_t)n >= LIST_TEXT_BYTES - at)
			return;
		at += (size_t)n;
	}
}

static int choose(const char *const *choices, const char *name, const char *word, uint64_t *ret, struct bh_err *err)
{
	struct bh_suggest near = bh_suggest_for(word);
	for (size_t i = 0; choices[i]; i++) {
		if (strcmp(choices[i], word) == 0) {
			*ret = i;
			return 0;
		}
		bh_suggest_offer(&near, choices[i]);
	}
	char list[LIST_TEXT_BYTES];
	join(choices, list);
	return bh_fail(err, BH_EUSAGE, 0, "%s: '%s' is not %s%s%s%s%s", name, word, choices[0] && choices[1] ? "one of " : "", list,
		       near.best ? "; did you mean " : "", near.best ? near.best : "", near.best ? "?" : "");
}

/* "64M" -> 67108864 for options that count bytes. */
static bool take_suffix(struct bh_slice *text, unsigned *shift)
{
	static const char suffixes[] = "KMGT";
	*shift = 0;
	if (text->len == 0)
		return false;
	const char *at = memchr(suffixes, text->ptr[text->len - 1], sizeof(suffixes) - 1);
	if (!at)
		return false;
	*shift = 10 * (unsigned)(at - suffixes + 1);
	text->len--;
	return true;
}

static int number(const struct cmd_option *o, const char *name, const char *word, uint64_t *ret, struct bh_err *err)
{
	uint64_t max = o->max ? o->max : UINT64_MAX, v = 0;
	unsigned shift = 0;
	struct bh_slice digits = bh_slice_str(word);
	bool bytes = o->argument && strcmp(o->argument, "BYTES") == 0;
	if (bytes)
		(void)take_suffix(&digits, &shift);
	bool is_number = digits.len > 0;
	for (size_t i = 0; i < digits.len; i++)
		is_number = is_number && digits.ptr[i] >= '0' && digits.ptr[i] <= '9';
	if (!is_number)
		return bh_fail(err, BH_EUSAGE, 0, "%s: '%s' is not a whole number%s", name, word, bytes ? " (K, M, G or T may follow)" : "");
	if (!bh_slice_u64(digits, max >> shift, &v) || v << shift < o->min)
		return bh_fail(err, BH_EUSAGE, 0, "%s: %s is out of range, %llu to %llu", name, word, (unsigned long long)o->min,
			       (unsigned long long)max);
	*ret = v << shift;
	return 0;
}

static int boolean(const char *name, const char *word, uint64_t *ret, struct bh_err *err)
{
	static const char *const yes[] = { "true", "yes", "on", "1" }, *const no[] = { "false", "no", "off", "0" };
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(word, yes[i]) != 0 && strcmp(word, no[i]) != 0)
			continue;
		*ret = strcmp(word, yes[i]) == 0;
		return 0;
	}
	return bh_fail(err, BH_EUSAGE, 0, "%s: '%s' is neither true nor false", name, word);
}

/* A list word may carry "=FILE" behind the choice: "json=report.json". */
static int check_list_word(struct cmd_args *a, const struct cmd_option *o, const char *name, const char *word, struct bh_err *err)
{
	if (!o->choices)
		return 0;
	uint64_t unused;
	struct bh_slice head, tail;
	(void)bh_slice_cut(bh_slice_str(word), '=', &head, &tail);
	char *choice = bh_arena_strdup(&a->arena, head);
	if (!choice)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for options");
	return choose(o->choices, name, choice, &unused, err);
}

static int check_word(struct cmd_args *a, const struct cmd_option *o, const char *name, const char *word, uint64_t *ret, struct bh_err *err)
{
	*ret = 0;
	if (word[0] == '\0')
		return bh_fail(err, BH_EUSAGE, 0, "%s: the value is empty", name);
	switch (o->kind) {
	case CMD_FLAG: return boolean(name, word, ret, err);
	case CMD_STRING: return 0;
	case CMD_LIST: return check_list_word(a, o, name, word, err);
	case CMD_UINT: return number(o, name, word, ret, err);
	case CMD_CHOICE: return choose(o->choices, name, word, ret, err);
	}
	return bh_fail(err, BH_EUSAGE, 0, "%s: option of an unknown kind", name);
}

static int append(struct cmd_args *a, struct cmd_value *v, const char *word, struct bh_err *err)
{
	if (v->n_words == v->cap_words) {
		size_t cap = v->cap_words ? v->cap_words * 2 : 4;
		const char **words = bh_arena_array(&a->arena, cap, sizeof(words[0]));
		if (!words)
			return bh_fail(err, BH_ELIMIT, 0, "too many values of --%s", v->option->name);
		if (v->n_words)
			memcpy(words, v->words, v->n_words * sizeof(words[0]));
		v->words = words;
		v->cap_words = cap;
	}
	v->words[v->n_words++] = word;
	return 0;
}

static int keep(struct cmd_args *a, struct cmd_value *v, const char *word, uint64_t value, const char *where, struct bh_err *err)
{
	if (v->source != 0 && v->source != a->source)
		return 0; /* a nearer source has spoken */
	v->source = a->source;
	v->where = where;
	if (v->option->kind == CMD_FLAG) {
		v->number = value ? v->number + 1 : 0;
		return 0;
	}
	v->number = value;
	if (v->option->kind != CMD_LIST)
		v->n_words = 0;
	return append(a, v, word, err);
}

int cmd_args_set(struct cmd_args *a, struct cmd_value *v, const char *name, const char *text, const char *where, struct bh_err *err)
{
	struct bh_slice rest = bh_slice_str(text), head;
	bool more = true;
	while (more) {
		const char *word = text;
		more = v->option->commas && bh_slice_cut(rest, ',', &head, &rest);
		if (v->option->commas)
			word = bh_arena_strdup(&a->arena, bh_slice_trim(head));
		uint64_t value;
		if (!word)
			return bh_fail(err, BH_ENOMEM, 0, "out of memory for options");
		int rc = check_word(a, v->option, name, word, &value, err);
		if (rc < 0)
			return rc;
		rc = keep(a, v, word, value, where, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int cmd_args_check(struct cmd_args *a, const struct cmd_option *option, const char *name, const char *text, struct bh_err *err)
{
	struct cmd_value nowhere = { .option = option };
	return cmd_args_set(a, &nowhere, name, text, "", err);
}

int cmd_args_defaults(struct cmd_args *a, struct bh_err *err)
{
	a->source++;
	for (size_t i = 0; i < a->n_values; i++) {
		struct cmd_value *v = &a->values[i];
		if (!v->option->default_text)
			continue;
		if (v->option->kind == CMD_LIST && v->n_words == 0)
			v->source = 0; /* "format: []": what farther files say does not count, so this does */
		int rc = cmd_args_set(a, v, v->option->name, v->option->default_text, "default", err);
		if (rc < 0)
			return bh_wrap(err, "default");
	}
	return 0;
}

const struct cmd_verb *cmd_verb(const struct cmd_args *a, const char *const **ret_words, size_t *ret_n)
{
	const struct cmd_verb *verb = a->n_targets ? a->command->verbs : NULL;
	while (verb && verb->name && strcmp(verb->name, a->targets[0]) != 0)
		verb++;
	if (!verb || !verb->name)
		return NULL;
	*ret_words = a->targets + 1;
	*ret_n = a->n_targets - 1;
	return verb;
}

static int check_verb(const struct cmd_args *a, struct bh_err *err)
{
	const char *const *words;
	const char *names[VERBS_MAX + 1];
	size_t n, n_names = 0;
	uint64_t unused;
	const struct cmd_verb *verb = cmd_verb(a, &words, &n);
	for (const struct cmd_verb *v = a->command->verbs; v->name && n_names < VERBS_MAX; v++)
		names[n_names++] = v->name;
	names[n_names] = NULL;
	if (!verb)
		return choose(names, a->command->name, a->targets[0], &unused, err);
	const char *command = a->command->name, *usage = verb->usage ? verb->usage : "";
	if (n > verb->max)
		return bh_fail(err, BH_EUSAGE, 0, "%s: unexpected argument '%s'; usage: bulkhead %s %s %s", command, words[verb->max], command, verb->name, usage);
	return n >= verb->min ? 0 : bh_fail(err, BH_EUSAGE, 0, "%s: missing argument; usage: bulkhead %s %s %s", command, command, verb->name, usage);
}

int cmd_args_check_targets(const struct cmd_args *a, struct bh_err *err)
{
	const struct cmd_command *c = a->command;
	int rc = c->verbs && a->n_targets ? check_verb(a, err) : 0;
	if (rc < 0)
		return rc;
	if (a->n_targets < c->min_targets)
		return bh_fail(err, BH_EUSAGE, 0, "%s: missing argument; usage: bulkhead %s %s", c->name, c->name, c->usage);
	if (a->n_targets > c->max_targets)
		return bh_fail(err, BH_EUSAGE, 0, "%s: unexpected argument '%s'; usage: bulkhead %s %s", c->name, a->targets[c->max_targets], c->name,
			       c->usage);
	return 0;
}

/* Asking for an option that the command's table lacks is a programming mistake. */
static const struct cmd_value *value_of(const struct cmd_args *a, const char *name)
{
	const struct cmd_value *v = cmd_args_find(a, name);
	assert(v);
	return v;
}

bool cmd_flag(const struct cmd_args *a, const char *name)
{
	return value_of(a, name)->number != 0;
}

const char *cmd_string(const struct cmd_args *a, const char *name)
{
	const struct cmd_value *v = value_of(a, name);
	return v->n_words ? v->words[v->n_words - 1] : NULL;
}

size_t cmd_list(const struct cmd_args *a, const char *name, const char *const **ret)
{
	const struct cmd_value *v = value_of(a, name);
	*ret = v->words;
	return v->n_words;
}

uint64_t cmd_uint(const struct cmd_args *a, const char *name)
{
	return value_of(a, name)->number;
}

size_t cmd_choice(const struct cmd_args *a, const char *name)
{
	return (size_t)value_of(a, name)->number;
}

const char *cmd_origin(const struct cmd_args *a, const char *name)
{
	return value_of(a, name)->where;
}

size_t cmd_targets(const struct cmd_args *a, const char *const **ret)
{
	*ret = a->targets;
	return a->n_targets;
}

const struct bh_exception_vec *cmd_exceptions(const struct cmd_args *a)
{
	return &a->exceptions;
}
