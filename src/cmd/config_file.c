/*
 * config_file.c: bulkhead.yaml to option values.
 *
 *     quiet: true            an option of any command, for every command that has it
 *     scan:                  options of one command, under its name
 *       fail-on: critical
 *       format: [table, json=report.json]
 *     exceptions:            findings that are accepted for a time, see policy/exceptions.h; of all files together
 *       - id: CVE-2023-4911
 *
 * Everything is checked, also what belongs to other commands: a slip must not wait for the day when it matters.
 */
#include "cmd/config_file.h"

#include "base/buf.h"
#include "base/suggest.h"
#include "format/yaml.h"
#include "policy/exceptions.h"
#include "sys/files.h"

#include <stdlib.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1u << 20)

struct file {
	const char *path;
	struct cmd_args *args;
};

static int fail_at(const struct file *f, const struct bh_yaml_node *at, struct bh_err *err, const char *what, struct bh_slice key, const char *best)
{
	return bh_fail(err, BH_EUSAGE, 0, "%s:%u:%u: %s '%.*s'%s%s%s", f->path, bh_yaml_line(at), bh_yaml_column(at), what, BH_SLICE_FMT(key),
		       best ? "; did you mean " : "", best ? best : "", best ? "?" : "");
}

static bool has_name(const struct cmd_option *o, struct bh_slice key)
{
	return bh_slice_eq_str(key, o->name) || (o->alias && bh_slice_eq_str(key, o->alias));
}

static const struct cmd_option *find_in(const struct cmd_option *options, struct bh_slice key)
{
	for (; options && options->name; options++)
		if (has_name(options, key) && !options->hidden)
			return options;
	return NULL;
}

static const struct cmd_option *find_anywhere(struct bh_slice key)
{
	const struct cmd_option *o = find_in(cmd_global_options, key);
	for (size_t i = 0; !o && cmd_commands[i]; i++)
		o = find_in(cmd_commands[i]->options, key);
	return o;
}

static const struct cmd_command *find_command(struct bh_slice key)
{
	for (size_t i = 0; cmd_commands[i]; i++)
		if (bh_slice_eq_str(key, cmd_commands[i]->name))
			return cmd_commands[i];
	return NULL;
}

static struct cmd_value *find_value(const struct cmd_args *a, const struct cmd_option *o)
{
	for (size_t i = 0; i < a->n_values; i++)
		if (a->values[i].option == o)
			return &a->values[i];
	return NULL;
}

static void offer(struct bh_suggest *s, const struct cmd_option *options)
{
	for (; options && options->name; options++)
		if (!options->not_in_config && !options->hidden)
			bh_suggest_offer(s, options->name);
}

/* command: whose section it is; NULL for the top level, where options of all commands and the commands' names may stand. */
static int unknown_key(const struct file *f, const struct cmd_command *command, const struct bh_yaml_node *key, struct bh_err *err)
{
	const char *word = bh_arena_strdup(&f->args->arena, bh_yaml_str(key));
	struct bh_suggest near = bh_suggest_for(word ? word : "");
	offer(&near, cmd_global_options);
	if (!command)
		bh_suggest_offer(&near, CMD_EXCEPTIONS_KEY);
	for (size_t i = 0; cmd_commands[i]; i++) {
		if (!command)
			bh_suggest_offer(&near, cmd_commands[i]->name);
		if (!command || command == cmd_commands[i])
			offer(&near, cmd_commands[i]->options);
	}
	return fail_at(f, key, err, "unknown key", bh_yaml_str(key), near.best);
}

/* One scalar for an option; v is NULL when the option belongs to another command and is only checked. */
static int set_scalar(const struct file *f, const struct cmd_option *o, struct cmd_value *v, const struct bh_yaml_node *value, struct bh_err *err)
{
	struct bh_arena *arena = &f->args->arena;
	if (!bh_yaml_is(value, BH_YAML_SCALAR) || bh_yaml_is_null(value))
		return fail_at(f, value, err, "one value is needed for", bh_slice_str(o->name), NULL);
	bool unused;
	if (o->kind == CMD_FLAG && !bh_yaml_bool(value, &unused))
		return fail_at(f, value, err, "true or false is needed for", bh_slice_str(o->name), NULL);
	const char *where = bh_arena_printf(arena, "%s:%u:%u", f->path, bh_yaml_line(value), bh_yaml_column(value));
	const char *label = where ? bh_arena_printf(arena, "%s: %s", where, o->name) : NULL;
	const char *text = bh_arena_strdup(arena, bh_yaml_str(value));
	if (!label || !text)
		return bh_fail(err, BH_ELIMIT, 0, "%s: too large", f->path);
	if (o->kind == CMD_FLAG)
		text = text[0] == 't' || text[0] == 'T' ? "true" : "false";
	return v ? cmd_args_set(f->args, v, label, text, where, err) : cmd_args_check(f->args, o, label, text, err);
}

/* "format: []": nothing, and nothing from farther files either. */
static int set_empty(const struct file *f, struct cmd_value *v, const struct bh_yaml_node *value, struct bh_err *err)
{
	if (!v || v->source)
		return 0;
	v->where = bh_arena_printf(&f->args->arena, "%s:%u:%u", f->path, bh_yaml_line(value), bh_yaml_column(value));
	v->source = f->args->source;
	return v->where ? 0 : bh_fail(err, BH_ELIMIT, 0, "%s: too large", f->path);
}

static int set_option(const struct file *f, const struct cmd_option *o, struct cmd_value *v, const struct bh_yaml_node *key,
		      const struct bh_yaml_node *value,
		      struct bh_err *err)
{
	if (o->not_in_config)
		return fail_at(f, key, err, "only the command line may have", bh_yaml_str(key), NULL);
	if (o->kind != CMD_LIST || !bh_yaml_is(value, BH_YAML_SEQUENCE))
		return set_scalar(f, o, v, value, err);
	if (bh_yaml_len(value) == 0)
		return set_empty(f, v, value, err);
	for (size_t i = 0; i < bh_yaml_len(value); i++) {
		int rc = set_scalar(f, o, v, bh_yaml_at(value, i), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_section(const struct file *f, const struct cmd_command *command, const struct bh_yaml_node *section, struct bh_err *err)
{
	const struct bh_yaml_node *key, *value;
	for (size_t i = 0; bh_yaml_pair(section, i, &key, &value); i++) {
		const struct cmd_option *o = find_in(command->options, bh_yaml_str(key));
		if (!o)
			o = find_in(cmd_global_options, bh_yaml_str(key));
		if (!o)
			return unknown_key(f, command, key, err);
		/* Even a global option in the section of another command does not concern this run. */
		struct cmd_value *v = command == f->args->command ? find_value(f->args, o) : NULL;
		int rc = set_option(f, o, v, key, value, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_sections(const struct file *f, const struct bh_yaml_node *root, struct bh_err *err)
{
	const struct bh_yaml_node *key, *value;
	for (size_t i = 0; bh_yaml_pair(root, i, &key, &value); i++) {
		if (!bh_yaml_is(value, BH_YAML_MAPPING))
			continue;
		const struct cmd_command *command = find_command(bh_yaml_str(key));
		if (!command && find_anywhere(bh_yaml_str(key)))
			return fail_at(f, value, err, "a value, not a mapping, is needed for", bh_yaml_str(key), NULL);
		int rc = command ? read_section(f, command, value, err) : unknown_key(f, NULL, key, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Not an option of a command, but a list of its own: policy/exceptions.h. */
static bool is_exceptions(const struct bh_yaml_node *key)
{
	return bh_slice_eq_str(bh_yaml_str(key), CMD_EXCEPTIONS_KEY);
}

static int read_top_level(const struct file *f, const struct bh_yaml_node *root, struct bh_err *err)
{
	const struct bh_yaml_node *key, *value;
	for (size_t i = 0; bh_yaml_pair(root, i, &key, &value); i++) {
		if (bh_yaml_is(value, BH_YAML_MAPPING))
			continue;
		if (is_exceptions(key)) {
			int rc = policy_exceptions_read(value, f->path, &f->args->arena, &f->args->exceptions, err);
			if (rc < 0)
				return rc;
			continue;
		}
		if (find_command(bh_yaml_str(key)) && bh_yaml_is_null(value))
			continue; /* "scan:" with nothing, or only comments, below it; "db:" is an option's name, too */
		const struct cmd_option *o = f->args->command ? find_in(f->args->command->options, bh_yaml_str(key)) : NULL;
		if (!o)
			o = find_anywhere(bh_yaml_str(key));
		if (!o && find_command(bh_yaml_str(key)))
			return fail_at(f, value, err, "options, not a value, are needed below", bh_yaml_str(key), NULL);
		int rc = o ? set_option(f, o, find_value(f->args, o), key, value, err) : unknown_key(f, NULL, key, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_document(const struct file *f, const struct bh_yaml *y, struct bh_err *err)
{
	const struct bh_yaml_node *root = bh_yaml_root(y, 0);
	if (bh_yaml_documents(y) > 1)
		return fail_at(f, bh_yaml_root(y, 1), err, "one document is enough for", bh_slice_str(f->path), NULL);
	if (!root || bh_yaml_is_null(root))
		return 0;
	if (!bh_yaml_is(root, BH_YAML_MAPPING))
		return fail_at(f, root, err, "keys and values are needed in", bh_slice_str(f->path), NULL);
	f->args->source++;
	int rc = read_sections(f, root, err);
	f->args->source++;
	return rc < 0 ? rc : read_top_level(f, root, err);
}

/* "line 3, column 7: why" becomes "FILE:3:7: why", as all other complaints about the file read. */
static int syntax_error(const char *path, struct bh_err *err)
{
	unsigned line, column;
	int at = 0;
	if (sscanf(err->text, "line %u, column %u: %n", &line, &column, &at) != 2 || at == 0)
		return bh_wrap(err, "%s", path);
	char why[BH_ERR_TEXT_BYTES];
	(void)snprintf(why, sizeof(why), "%s", err->text + at);
	return bh_fail(err, BH_EUSAGE, 0, "%s:%u:%u: %s", path, line, column, why);
}

static int load_file(struct cmd_args *a, const char *path, struct bh_err *err)
{
	struct file f = { path, a };
	struct bh_buf text;
	struct bh_yaml *y = NULL;
	bh_buf_init(&text, FILE_BYTES_MAX);
	int rc = bh_read_file(path, FILE_BYTES_MAX, &text, err);
	if (rc == 0) {
		rc = bh_yaml_parse(bh_buf_slice(&text), FILE_BYTES_MAX, &y, err);
		if (rc < 0)
			rc = syntax_error(path, err);
	}
	rc = rc < 0 ? rc : read_document(&f, y, err);
	bh_yaml_free(y);
	bh_buf_done(&text);
	if (rc < 0)
		err->code = BH_EUSAGE; /* whatever is wrong with it: the user's file, the user's turn */
	return rc < 0 ? BH_EUSAGE : 0;
}

int cmd_config_places(struct cmd_args *a, const char *ret[CMD_CONFIG_PLACES], struct bh_err *err)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	ret[0] = CMD_CONFIG_FILE_NAME;
	ret[1] = NULL;
	ret[2] = "/etc/bulkhead/" CMD_CONFIG_FILE_NAME;
	if (xdg && xdg[0] == '/') /* the specification: relative paths are to be ignored */
		ret[1] = bh_arena_printf(&a->arena, "%s/bulkhead/" CMD_CONFIG_FILE_NAME, xdg);
	else if (home && home[0] == '/')
		ret[1] = bh_arena_printf(&a->arena, "%s/.config/bulkhead/" CMD_CONFIG_FILE_NAME, home);
	else
		return 0;
	return ret[1] ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for paths");
}

int cmd_config_load(struct cmd_args *a, struct bh_err *err)
{
	const char *only = cmd_string(a, "config");
	if (only)
		return load_file(a, only, err);
	const char *places[CMD_CONFIG_PLACES];
	int rc = cmd_config_places(a, places, err);
	for (size_t i = 0; rc == 0 && i < CMD_CONFIG_PLACES; i++)
		if (places[i] && access(places[i], F_OK) == 0)
			rc = load_file(a, places[i], err);
	return rc;
}
