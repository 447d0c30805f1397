/*
 * help.c: --help, `bulkhead help`, and the machine-readable dump of all tables that the tests of the man pages read.
 * Everything comes from the tables that the parser uses; there is no second list.
 */
#include "cmd/output.h"
#include "base/suggest.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HELP_BYTES_MAX (1u << 20)
#define TEXT_COLUMN 30u  /* where explanations start */
#define WIDTH_DEFAULT 80u
#define WIDTH_MAX 100u   /* longer lines are hard to read */
#define WIDTH_MIN 50u

static void pad(struct bh_buf *b, size_t columns)
{
	while (columns--)
		bh_buf_add_byte(b, ' ');
}

/* Words of text from column `at` on, wrapped before `width`, continued at `indent`. */
static void add_wrapped(struct bh_buf *b, struct bh_slice text, size_t at, size_t indent, size_t width)
{
	struct bh_slice rest = text, word;
	bool more = true, first = true;
	while (more) {
		more = bh_slice_cut(rest, ' ', &word, &rest);
		if (!first && at + 1 + word.len > width) {
			bh_buf_add_byte(b, '\n');
			pad(b, indent);
			at = indent;
			first = true;
		}
		if (!first) {
			bh_buf_add_byte(b, ' ');
			at++;
		}
		bh_buf_add(b, word);
		at += word.len;
		first = false;
	}
	bh_buf_add_byte(b, '\n');
}

static void add_choices(struct bh_buf *b, const struct cmd_option *o)
{
	for (size_t i = 0; o->choices && o->choices[i]; i++)
		bh_buf_printf(b, "%s%s", i ? ", " : " (", o->choices[i]);
	if (o->choices)
		bh_buf_add_byte(b, ')');
	if (o->default_text)
		bh_buf_printf(b, " [%s]", o->default_text);
}

static void add_option(struct bh_buf *b, const struct cmd_option *o, size_t width)
{
	size_t start = b->len;
	if (o->letter)
		bh_buf_printf(b, "  -%c, --%s", o->letter, o->name);
	else
		bh_buf_printf(b, "      --%s", o->name);
	if (o->argument)
		bh_buf_printf(b, o->implied ? "[=%s]" : " %s", o->argument);
	size_t used = b->len - start;
	if (used + 2 > TEXT_COLUMN) {
		bh_buf_add_byte(b, '\n');
		used = 0;
	}
	pad(b, TEXT_COLUMN - used);
	struct bh_buf text;
	bh_buf_init(&text, HELP_BYTES_MAX);
	bh_buf_add_str(&text, o->help);
	add_choices(&text, o);
	if (text.failed)
		b->failed = true;
	else
		add_wrapped(b, bh_buf_slice(&text), TEXT_COLUMN, TEXT_COLUMN, width);
	bh_buf_done(&text);
}

static void add_options(struct bh_buf *b, const char *title, const struct cmd_option *options, size_t width)
{
	size_t shown = 0;
	for (size_t i = 0; options && options[i].name; i++) {
		if (options[i].hidden)
			continue;
		if (shown++ == 0)
			bh_buf_printf(b, "\n%s:\n", title);
		add_option(b, &options[i], width);
	}
}

/* Lines that begin with a blank are examples and stay as they are. */
static void add_details(struct bh_buf *b, const char *details, size_t width)
{
	bh_buf_add_byte(b, '\n');
	for (const char *line = details; *line;) {
		size_t len = strcspn(line, "\n");
		if (*line == ' ' || len <= width)
			bh_buf_printf(b, "%.*s\n", (int)len, line);
		else
			add_wrapped(b, (struct bh_slice){ (const uint8_t *)line, len }, 0, 0, width);
		line += len + (line[len] == '\n');
	}
}

static void add_command_help(struct bh_buf *b, const struct cmd_command *c, size_t width)
{
	bh_buf_printf(b, "Usage: bulkhead %s %s\n\n", c->name, c->usage);
	add_wrapped(b, bh_slice_str(c->summary), 0, 0, width);
	if (c->details)
		add_details(b, c->details, width);
	add_options(b, "Options", c->options, width);
	add_options(b, "Options of every command", cmd_global_options, width);
	bh_buf_printf(b, "\nThe manual: man bulkhead-%s\n", c->name);
}

static void add_overview(struct bh_buf *b, size_t width)
{
	bh_buf_add_str(b, "Usage: bulkhead COMMAND [options] TARGET...\n\n"
			  "Finds what is wrong with container images, and says how to fix it.\n\nCommands:\n");
	for (size_t i = 0; cmd_commands[i]; i++) {
		size_t len = strlen(cmd_commands[i]->name);
		bh_buf_printf(b, "  %s", cmd_commands[i]->name);
		pad(b, len < 14 ? 14 - len : 1);
		add_wrapped(b, bh_slice_str(cmd_commands[i]->summary), 16, 16, width);
	}
	bh_buf_add_str(b, "\n'bulkhead help COMMAND' explains one; 'bulkhead --version' prints the version.\n");
}

static size_t help_width(int fd)
{
	size_t columns = cmd_columns(fd);
	if (columns == 0)
		return WIDTH_DEFAULT;
	return columns > WIDTH_MAX ? WIDTH_MAX : columns < WIDTH_MIN ? WIDTH_MIN : columns;
}

int cmd_print_help(const struct cmd_command *command, int fd, struct bh_err *err)
{
	struct bh_buf b;
	bh_buf_init(&b, HELP_BYTES_MAX);
	if (command)
		add_command_help(&b, command, help_width(fd));
	else
		add_overview(&b, help_width(fd));
	int rc = cmd_write(fd, &b, err);
	bh_buf_done(&b);
	return rc;
}

static const char *kind_name(enum cmd_option_kind kind)
{
	switch (kind) {
	case CMD_FLAG: return "flag";
	case CMD_STRING: return "string";
	case CMD_LIST: return "list";
	case CMD_UINT: return "uint";
	case CMD_CHOICE: return "choice";
	}
	return "";
}

static void dump_options(struct bh_buf *b, const char *command, const struct cmd_option *o)
{
	for (; o && o->name; o++) {
		if (o->hidden)
			continue;
		bh_buf_printf(b, "option\t%s\t%s\t%c\t%s\t%s\t%s\n", command, o->name, o->letter ? o->letter : '-', kind_name(o->kind),
			      o->argument ? o->argument : "-", o->default_text ? o->default_text : "-");
	}
}

/* One line per command and option, fields between tabs. */
static void add_dump(struct bh_buf *b)
{
	dump_options(b, "-", cmd_global_options);
	for (size_t i = 0; cmd_commands[i]; i++) {
		const struct cmd_command *c = cmd_commands[i];
		bh_buf_printf(b, "command\t%s\t%s\t%s\n", c->name, c->usage, c->summary);
		dump_options(b, c->name, c->options);
	}
}

static int run(const struct cmd_args *args)
{
	const char *const *targets;
	size_t n = cmd_targets(args, &targets);
	struct bh_err err = { 0 };
	struct bh_buf b;
	bh_buf_init(&b, HELP_BYTES_MAX);
	int rc = 0;
	const struct cmd_command *command = n ? cmd_find(targets[0]) : NULL;
	if (n && !command) {
		rc = cmd_unknown_command(targets[0], &err);
	} else if (cmd_flag(args, "dump")) {
		add_dump(&b);
		rc = cmd_write(STDOUT_FILENO, &b, &err);
	} else {
		rc = cmd_print_help(command, STDOUT_FILENO, &err);
	}
	bh_buf_done(&b);
	return rc < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}

static const struct cmd_option options[] = {
	{ .name = "dump", .kind = CMD_FLAG, .help = "print all tables, one line per entry", .not_in_config = true, .hidden = true },
	{ 0 },
};

const struct cmd_command cmd_command_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "Explain the commands",
	.options = options,
	.max_targets = 1,
	.no_config = true,
	.run = run,
};
