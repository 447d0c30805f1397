/*
 * config.c: `bulkhead config [COMMAND]`: every option's value as a run would see it, and where it comes from. What it
 * prints is a bulkhead.yaml that says the same.
 */
#include "cmd/config_file.h"
#include "cmd/output.h"

#include <unistd.h>

#define TEXT_BYTES_MAX (4u << 20)
#define VALUE_COLUMNS 34u /* values end here, remarks begin */

/* A word that YAML reads as itself; others are quoted as JSON strings, which YAML reads too. */
static bool is_plain_word(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/' || c == '.';
		bool inner = (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '=' || c == '~';
		if (!letter && !(i && inner))
			return false;
	}
	static const char *const taken[] = { "true", "false", "null", "yes", "no", "on", "off" };
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (bh_slice_eq_str(s, taken[i]))
			return false;
	return s.len > 0;
}

static void add_word(struct bh_buf *b, const char *word)
{
	if (is_plain_word(bh_slice_str(word)))
		bh_buf_add_str(b, word);
	else
		bh_buf_add_json(b, bh_slice_str(word));
}

static void add_value(struct bh_buf *b, const struct cmd_value *v)
{
	switch (v->option->kind) {
	case CMD_FLAG: bh_buf_add_str(b, v->number ? "true" : "false"); return;
	case CMD_UINT: bh_buf_printf(b, "%llu", (unsigned long long)v->number); return;
	case CMD_STRING:
	case CMD_CHOICE: add_word(b, v->words[v->n_words - 1]); return;
	case CMD_LIST: break;
	}
	bh_buf_add_byte(b, '[');
	for (size_t i = 0; i < v->n_words; i++) {
		bh_buf_add_str(b, i ? ", " : "");
		add_word(b, v->words[i]);
	}
	bh_buf_add_byte(b, ']');
}

static void add_line(struct bh_buf *b, const struct cmd_value *v, const char *indent)
{
	bool is_set = v->where || v->option->kind == CMD_FLAG;
	size_t start = b->len;
	bh_buf_printf(b, "%s%s%s:", indent, is_set ? "" : "# ", v->option->name);
	if (is_set) {
		bh_buf_add_byte(b, ' ');
		add_value(b, v);
	}
	for (size_t used = b->len - start; used < VALUE_COLUMNS; used++)
		bh_buf_add_byte(b, ' ');
	bh_buf_printf(b, "  # %s\n", v->where ? v->where : is_set ? "default" : "not set");
}

static void add_values(struct bh_buf *b, const struct cmd_args *a, size_t from, size_t to, const char *indent)
{
	for (size_t i = from; i < to; i++)
		if (!a->values[i].option->not_in_config && !a->values[i].option->hidden)
			add_line(b, &a->values[i], indent);
}

static size_t count_globals(void)
{
	size_t n = 0;
	while (cmd_global_options[n].name)
		n++;
	return n;
}

/* What another command would see: the global options of this command line, then the same sources. */
static int load_for(struct cmd_args *a, const struct cmd_args *own, const struct cmd_command *command, struct bh_err *err)
{
	int rc = cmd_args_init(a, err);
	for (size_t i = 0; rc == 0 && i < a->n_values; i++)
		if (own->values[i].source == 1) /* the command line; what follows is read anew */
			a->values[i] = own->values[i];
	rc = rc < 0 ? rc : cmd_args_set_command(a, command, err);
	return rc < 0 ? rc : cmd_args_load(a, err);
}

static int add_command(struct bh_buf *b, const struct cmd_args *own, const struct cmd_command *command, struct bh_err *err)
{
	struct cmd_args a;
	int rc = load_for(&a, own, command, err);
	if (rc == 0) {
		bh_buf_printf(b, "%s:\n", command->name);
		add_values(b, &a, count_globals(), a.n_values, "  ");
	}
	cmd_args_done(&a);
	return rc;
}

static bool has_keys(const struct cmd_command *c)
{
	for (const struct cmd_option *o = c->options; o && o->name; o++)
		if (!o->not_in_config && !o->hidden)
			return true;
	return false;
}

static int add_places(struct bh_buf *b, const struct cmd_args *own, struct bh_err *err)
{
	const char *only = cmd_string(own, "config"), *places[CMD_CONFIG_PLACES];
	struct cmd_args scratch;
	if (only) {
		bh_buf_printf(b, "# from %s and no other file\n", only);
		return 0;
	}
	int rc = cmd_args_init(&scratch, err);
	rc = rc < 0 ? rc : cmd_config_places(&scratch, places, err);
	bh_buf_add_str(b, "# from these files, the first that has a key counts:\n");
	for (size_t i = 0; rc == 0 && i < CMD_CONFIG_PLACES; i++)
		if (places[i])
			bh_buf_printf(b, "#   %s%s\n", places[i], access(places[i], F_OK) == 0 ? "" : " (not there)");
	cmd_args_done(&scratch);
	return rc;
}

static int add_all(struct bh_buf *b, const struct cmd_args *args, struct bh_err *err)
{
	const char *const *targets;
	size_t n = cmd_targets(args, &targets);
	const struct cmd_command *only = n ? cmd_find(targets[0]) : NULL;
	if (n && !only)
		return cmd_unknown_command(targets[0], err);
	int rc = add_places(b, args, err);
	add_values(b, args, 0, count_globals(), "");
	for (size_t i = 0; rc == 0 && cmd_commands[i]; i++)
		if (has_keys(cmd_commands[i]) && (!only || only == cmd_commands[i]))
			rc = add_command(b, args, cmd_commands[i], err);
	return rc;
}

static int run(const struct cmd_args *args)
{
	struct bh_buf b;
	struct bh_err err = { 0 };
	bh_buf_init(&b, TEXT_BYTES_MAX);
	int rc = add_all(&b, args, &err);
	rc = rc < 0 ? rc : cmd_write(STDOUT_FILENO, &b, &err);
	bh_buf_done(&b);
	return rc < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}

const struct cmd_command cmd_command_config = {
	.name = "config",
	.usage = "[COMMAND]",
	.summary = "Show the effective configuration and where it comes from",
	.max_targets = 1,
	.run = run,
};
