/*
 * options.c: the command line to values.
 *
 *     --name VALUE  --name=VALUE  --flag  --no-flag  -fVALUE  -f VALUE  -f=VALUE  -qv  --  -
 *
 * Options and targets may mix. "--no-x" takes back the flag x, "--x" takes back the flag "no-x". The same table serves the
 * environment, where --fail-on is BULKHEAD_FAIL_ON.
 */
#include "cmd/args.h"
#include "cmd/output.h"

#include "base/log.h"
#include "base/suggest.h"

#include <stdio.h>
#include <string.h>

#define ENV_PREFIX "BULKHEAD_"
#define NAME_BYTES 80 /* an option's name with its dashes, or its environment variable */

struct words {
	const char *const *argv;
	size_t n, at;
};

static int add_target(struct cmd_args *a, const char *word, struct bh_err *err)
{
	if (a->n_targets == a->cap_targets) {
		size_t cap = a->cap_targets ? a->cap_targets * 2 : 8;
		const char **targets = bh_arena_array(&a->arena, cap, sizeof(targets[0]));
		if (!targets)
			return bh_fail(err, BH_ELIMIT, 0, "too many targets");
		if (a->n_targets)
			memcpy(targets, a->targets, a->n_targets * sizeof(targets[0]));
		a->targets = targets;
		a->cap_targets = cap;
	}
	a->targets[a->n_targets++] = word;
	return 0;
}

static int take_word(struct cmd_args *a, const char *word, struct bh_err *err)
{
	if (a->command)
		return add_target(a, word, err);
	const struct cmd_command *command = cmd_find(word);
	return command ? cmd_args_set_command(a, command, err) : cmd_unknown_command(word, err);
}

static int unknown_option(const struct cmd_args *a, const char *name, struct bh_err *err)
{
	struct bh_suggest near = bh_suggest_for(name);
	for (size_t i = 0; i < a->n_values; i++)
		if (!a->values[i].option->hidden)
			bh_suggest_offer(&near, a->values[i].option->name);
	if (near.best)
		return bh_fail(err, BH_EUSAGE, 0, "unknown option --%s; did you mean --%s?", name, near.best);
	return bh_fail(err, BH_EUSAGE, 0, "unknown option --%s", name);
}

/* The flag that "--no-x" or, for a flag called "no-x", "--x" takes back. */
static struct cmd_value *find_negated(const struct cmd_args *a, const char *name)
{
	for (size_t i = 0; i < a->n_values; i++) {
		const struct cmd_option *o = a->values[i].option;
		if (o->kind != CMD_FLAG)
			continue;
		if (strncmp(name, "no-", 3) == 0 && strcmp(name + 3, o->name) == 0)
			return &a->values[i];
		if (strncmp(o->name, "no-", 3) == 0 && strcmp(o->name + 3, name) == 0)
			return &a->values[i];
	}
	return NULL;
}

static int set(struct cmd_args *a, struct cmd_value *v, const char *name, const char *text, struct bh_err *err)
{
	if (strcmp(v->option->name, "help") == 0)
		a->wants_help = true;
	return cmd_args_set(a, v, name, text, "command line", err);
}

static int take_argument(struct words *w, const struct cmd_option *o, const char *name, const char **ret, struct bh_err *err)
{
	if (o->implied) {
		*ret = o->implied;
		return 0;
	}
	if (w->at == w->n)
		return bh_fail(err, BH_EUSAGE, 0, "%s needs an argument: %s", name, o->argument);
	*ret = w->argv[w->at++];
	return 0;
}

static int take_long(struct cmd_args *a, struct words *w, const char *word, struct bh_err *err)
{
	struct bh_slice head, tail;
	bool has_value = bh_slice_cut(bh_slice_str(word), '=', &head, &tail);
	char *name = bh_arena_strdup(&a->arena, head);
	if (!name)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for options");
	const char *bare = name + 2, *value = has_value ? (const char *)tail.ptr : NULL;
	if (!a->command && strcmp(bare, "version") == 0 && !has_value) {
		a->wants_version = true;
		return 0;
	}
	struct cmd_value *v = cmd_args_find(a, bare), *negated = v ? NULL : find_negated(a, bare);
	if (!v && !negated)
		return unknown_option(a, bare, err);
	bool flag = !v || v->option->kind == CMD_FLAG;
	if (flag && has_value)
		return bh_fail(err, BH_EUSAGE, 0, "%s takes no value", name);
	if (flag)
		return set(a, v ? v : negated, name, v ? "true" : "false", err);
	if (!has_value) {
		int rc = take_argument(w, v->option, name, &value, err);
		if (rc < 0)
			return rc;
	}
	return set(a, v, name, value, err);
}

static struct cmd_value *find_letter(const struct cmd_args *a, char letter)
{
	for (size_t i = 0; i < a->n_values; i++)
		if (a->values[i].option->letter == letter)
			return &a->values[i];
	return NULL;
}

static int take_short(struct cmd_args *a, struct words *w, const char *word, struct bh_err *err)
{
	for (const char *p = word + 1; *p; p++) {
		char name[3] = { '-', *p, '\0' };
		struct cmd_value *v = find_letter(a, *p);
		if (!v)
			return bh_fail(err, BH_EUSAGE, 0, "unknown option -%c in '%s'", *p, word);
		if (v->option->kind == CMD_FLAG) {
			int rc = set(a, v, name, "true", err);
			if (rc < 0)
				return rc;
			continue;
		}
		const char *value = p[1] == '=' ? p + 2 : p + 1;
		if (p[1] == '\0') {
			int rc = take_argument(w, v->option, name, &value, err);
			if (rc < 0)
				return rc;
		}
		return set(a, v, name, value, err);
	}
	return 0;
}

int cmd_args_parse(struct cmd_args *a, const char *const *argv, size_t n, struct bh_err *err)
{
	struct words w = { argv, n, 0 };
	bool only_targets = false;
	while (w.at < w.n && !a->wants_help && !a->wants_version) {
		const char *word = w.argv[w.at++];
		int rc = 0;
		if (only_targets || word[0] != '-' || word[1] == '\0')
			rc = take_word(a, word, err);
		else if (strcmp(word, "--") == 0)
			only_targets = true;
		else if (word[1] == '-')
			rc = take_long(a, &w, word, err);
		else
			rc = take_short(a, &w, word, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void env_name(const char *option, char out[NAME_BYTES])
{
	(void)snprintf(out, NAME_BYTES, ENV_PREFIX "%s", option);
	for (char *p = out + sizeof(ENV_PREFIX) - 1; *p; p++)
		*p = *p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
}

static const char *env_get(const char *const *environment, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; environment[i]; i++)
		if (strncmp(environment[i], name, len) == 0 && environment[i][len] == '=')
			return environment[i] + len + 1;
	return NULL;
}

int cmd_args_environment(struct cmd_args *a, const char *const *environment, struct bh_err *err)
{
	a->source++;
	for (size_t i = 0; i < a->n_values; i++) {
		struct cmd_value *v = &a->values[i];
		char name[NAME_BYTES];
		env_name(v->option->name, name);
		const char *text = v->option->not_in_config ? NULL : env_get(environment, name);
		if (!text || !text[0])
			continue; /* an empty variable is an unset one, as shells have it */
		const char *where = bh_arena_printf(&a->arena, "%s", name);
		if (!where)
			return bh_fail(err, BH_ENOMEM, 0, "out of memory for options");
		int rc = cmd_args_set(a, v, where, text, where, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The environment variable nearest to this one among those of all commands; NULL when it is one of them, or like none. */
static bool nearest_variable(const char *variable, char ret[NAME_BYTES])
{
	struct bh_suggest near = bh_suggest_for(variable);
	near.distance = near.distance < 3 ? near.distance : 3; /* two slips: the prefix alone makes names alike */
	size_t best = SIZE_MAX;
	for (size_t i = 0; i == 0 || cmd_commands[i - 1]; i++) {
		for (const struct cmd_option *o = i ? cmd_commands[i - 1]->options : cmd_global_options; o && o->name; o++) {
			char name[NAME_BYTES];
			env_name(o->name, name);
			if (strcmp(name, variable) == 0)
				return false;
			near.best = NULL;
			bh_suggest_offer(&near, name);
			if (near.best && near.distance < best && !o->not_in_config) {
				best = near.distance;
				memcpy(ret, name, NAME_BYTES);
			}
		}
	}
	return best != SIZE_MAX;
}

void cmd_args_warn_environment(const char *const *environment)
{
	for (size_t i = 0; environment[i]; i++) {
		char variable[NAME_BYTES], near[NAME_BYTES];
		size_t len = strcspn(environment[i], "=");
		if (strncmp(environment[i], ENV_PREFIX, sizeof(ENV_PREFIX) - 1) != 0 || len >= NAME_BYTES)
			continue;
		(void)snprintf(variable, sizeof(variable), "%.*s", (int)len, environment[i]);
		if (nearest_variable(variable, near))
			bh_warn("%s in the environment means nothing; did you mean %s?", variable, near);
	}
}
