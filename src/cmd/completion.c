/*
 * completion.c: `bulkhead completion SHELL`: a script made from the tables of commands and options, so that it always fits
 * the program that wrote it. A word is completed by what it is: a command, an option, a choice, a file.
 */
#include "cmd/output.h"

#include <unistd.h>

#define SCRIPT_BYTES_MAX (1u << 20)

enum shell { BASH, ZSH, FISH };
static const struct cmd_verb shells[] = { { .name = "bash" }, { .name = "zsh" }, { .name = "fish" }, { 0 } };

static bool takes_file(const struct cmd_option *o)
{
	return o->argument && (strstr(o->argument, "FILE") || strstr(o->argument, "DIR") || strstr(o->argument, "PATH"));
}

/* Text inside single quotes. */
static void add_quoted(struct bh_buf *b, const char *s)
{
	bh_buf_add_byte(b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			bh_buf_add_str(b, "'\\''");
		else
			bh_buf_add_byte(b, (uint8_t)*s);
	}
	bh_buf_add_byte(b, '\'');
}

static void add_words(struct bh_buf *b, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		bh_buf_printf(b, "%s%s", i ? " " : "", words[i]);
}

static void add_verbs(struct bh_buf *b, const struct cmd_verb *verbs)
{
	for (size_t i = 0; verbs[i].name; i++)
		bh_buf_printf(b, "%s%s", i ? " " : "", verbs[i].name);
}

static void add_command_names(struct bh_buf *b)
{
	for (size_t i = 0; cmd_commands[i]; i++)
		bh_buf_printf(b, "%s%s", i ? " " : "", cmd_commands[i]->name);
}

/* What may stand as the first target: verbs, the names of commands, or NULL for files. */
static bool targets_are_commands(const struct cmd_command *c)
{
	return c->usage && strstr(c->usage, "[COMMAND]");
}

/* ---- bash ---- */

static void bash_option_names(struct bh_buf *b, const struct cmd_option *o)
{
	for (; o && o->name; o++) {
		if (o->hidden)
			continue;
		bh_buf_printf(b, " --%s", o->name);
		if (o->letter)
			bh_buf_printf(b, " -%c", o->letter);
	}
}

/* "scan:--format|scan:-f) words='table json' ;;": `command:` is "*:" for the options that all commands have. */
static void bash_option_values(struct bh_buf *b, const char *command, const struct cmd_option *o)
{
	for (; o && o->name; o++) {
		if (o->hidden || o->kind == CMD_FLAG)
			continue;
		bh_buf_printf(b, "\t%s:--%s", command, o->name);
		if (o->letter)
			bh_buf_printf(b, " | %s:-%c", command, o->letter);
		if (o->alias)
			bh_buf_printf(b, " | %s:--%s", command, o->alias);
		bh_buf_add_str(b, ") kind=");
		if (o->implied) { /* words only behind "=" */
			bh_buf_add_str(b, "target; if [[ $equals ]]; then kind=words words=\"");
			add_words(b, o->choices);
			bh_buf_add_str(b, "\"; fi ;;\n");
		} else if (o->choices) {
			bh_buf_add_str(b, "words words=\"");
			add_words(b, o->choices);
			bh_buf_add_str(b, "\" ;;\n");
		} else {
			bh_buf_add_str(b, takes_file(o) ? "path ;;\n" : "none ;;\n");
		}
	}
}

static void bash_targets(struct bh_buf *b)
{
	for (size_t i = 0; cmd_commands[i]; i++) {
		const struct cmd_command *c = cmd_commands[i];
		bh_buf_printf(b, "\t%s) kind=", c->name);
		if (c->verbs || targets_are_commands(c)) {
			bh_buf_add_str(b, "words words=\"");
			if (c->verbs)
				add_verbs(b, c->verbs);
			else
				add_command_names(b);
			bh_buf_add_str(b, "\" ;;\n");
		} else if (c->targets_command) {
			bh_buf_printf(b, "words words=\"$(%s 2>/dev/null | cut -f 1)\" ;;\n", c->targets_command);
		} else {
			bh_buf_add_str(b, c->max_targets ? "path ;;\n" : "none ;;\n");
		}
	}
}

static void bash_script(struct bh_buf *b)
{
	bh_buf_add_str(b, "# bash completion for bulkhead, written by: bulkhead completion bash\n"
			  "_bulkhead() {\n"
			  "\tlocal cur prev command='' kind=none words='' equals='' commands options i\n"
			  "\tCOMPREPLY=()\n"
			  "\tcur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
			  "\t# --name=value comes as three words\n"
			  "\tif [[ $cur == = ]]; then cur='' equals=1; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]} equals=1; fi\n"
			  "\tcommands=\"");
	add_command_names(b);
	bh_buf_add_str(b, "\"\n"
			  "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
			  "\t\tcase \" $commands \" in *\" ${COMP_WORDS[i]} \"*) command=${COMP_WORDS[i]}; break ;; esac\n"
			  "\tdone\n"
			  "\tcase $command:$prev in\n");
	bash_option_values(b, "*", cmd_global_options);
	for (size_t i = 0; cmd_commands[i]; i++)
		bash_option_values(b, cmd_commands[i]->name, cmd_commands[i]->options);
	bh_buf_add_str(b, "\t*) kind=target ;;\n\tesac\n"
			  "\tif [[ $kind == target && $cur == -* ]]; then\n"
			  "\t\tcase $command in\n");
	for (size_t i = 0; cmd_commands[i]; i++) {
		bh_buf_printf(b, "\t\t%s) options=\"", cmd_commands[i]->name);
		bash_option_names(b, cmd_commands[i]->options);
		bh_buf_add_str(b, "\" ;;\n");
	}
	bh_buf_add_str(b, "\t\t*) options=\" --version\" ;;\n\t\tesac\n\t\toptions+=\"");
	bash_option_names(b, cmd_global_options);
	bh_buf_add_str(b, "\"\n\t\tkind=words words=$options\n"
			  "\telif [[ $kind == target ]]; then\n"
			  "\t\tcase $command in\n\t\t'') kind=words words=$commands ;;\n");
	bash_targets(b);
	bh_buf_add_str(b, "\t\tesac\n\tfi\n"
			  "\tcase $kind in\n"
			  "\twords) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
			  "\tpath) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
			  "\tesac\n"
			  "}\n"
			  "complete -F _bulkhead bulkhead\n");
}

/* ---- zsh ---- */

/* In an _arguments specification ':' and brackets of texts are special. */
static void zsh_text(struct bh_buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			bh_buf_add_str(b, "'\\''");
		else if (*s == ':' || *s == '[' || *s == ']')
			bh_buf_printf(b, "\\%c", *s);
		else
			bh_buf_add_byte(b, (uint8_t)*s);
	}
}

/* '*--format=[help]:argument:(table json)' */
static void zsh_spec(struct bh_buf *b, const struct cmd_option *o, bool short_form)
{
	bh_buf_printf(b, "\t\t\t'%s", o->kind == CMD_LIST ? "*" : "");
	if (short_form)
		bh_buf_printf(b, "-%c%s[", o->letter, o->kind == CMD_FLAG ? "" : "+");
	else
		bh_buf_printf(b, "--%s%s[", o->name, o->kind == CMD_FLAG ? "" : o->implied ? "=-" : "=");
	zsh_text(b, o->help);
	bh_buf_add_byte(b, ']');
	if (o->kind != CMD_FLAG) {
		bh_buf_add_str(b, o->implied ? "::" : ":");
		zsh_text(b, o->argument);
		bh_buf_add_byte(b, ':');
		if (o->choices) {
			bh_buf_add_byte(b, '(');
			add_words(b, o->choices);
			bh_buf_add_byte(b, ')');
		} else {
			bh_buf_add_str(b, takes_file(o) ? "_files" : " ");
		}
	}
	bh_buf_add_str(b, "' \\\n");
}

static void zsh_options(struct bh_buf *b, const struct cmd_option *o)
{
	for (; o && o->name; o++) {
		if (o->hidden)
			continue;
		zsh_spec(b, o, false);
		if (o->letter)
			zsh_spec(b, o, true);
	}
}

static void zsh_targets(struct bh_buf *b, const struct cmd_command *c)
{
	if (c->verbs || targets_are_commands(c)) {
		bh_buf_add_str(b, "\t\t\t'1: :(");
		if (c->verbs)
			add_verbs(b, c->verbs);
		else
			add_command_names(b);
		bh_buf_add_str(b, ")' \\\n");
		if (c->max_targets > 1)
			bh_buf_add_str(b, "\t\t\t'*: :_files' \\\n");
	} else if (c->targets_command) {
		bh_buf_printf(b, "\t\t\t\"*: :($(%s 2>/dev/null | cut -f 1))\" \\\n", c->targets_command);
	} else if (c->max_targets) {
		bh_buf_add_str(b, "\t\t\t'*: :_files' \\\n");
	}
}

static void zsh_script(struct bh_buf *b)
{
	bh_buf_add_str(b, "#compdef bulkhead\n"
			  "# zsh completion for bulkhead, written by: bulkhead completion zsh\n"
			  "_bulkhead() {\n"
			  "\tlocal context state line\n"
			  "\ttypeset -A opt_args\n"
			  "\tlocal -a commands=(\n");
	for (size_t i = 0; cmd_commands[i]; i++) {
		bh_buf_printf(b, "\t\t'%s:", cmd_commands[i]->name);
		zsh_text(b, cmd_commands[i]->summary);
		bh_buf_add_str(b, "'\n");
	}
	bh_buf_add_str(b, "\t)\n\t_arguments -C \\\n\t\t\t'--version[print the version]' \\\n");
	zsh_options(b, cmd_global_options);
	bh_buf_add_str(b, "\t\t\t'1: :->command' '*:: :->arguments'\n"
			  "\tcase $state in\n"
			  "\tcommand) _describe -t commands command commands ;;\n"
			  "\targuments)\n"
			  "\t\tcase $line[1] in\n");
	for (size_t i = 0; cmd_commands[i]; i++) {
		bh_buf_printf(b, "\t\t%s)\n\t\t\t_arguments \\\n", cmd_commands[i]->name);
		zsh_options(b, cmd_commands[i]->options);
		zsh_options(b, cmd_global_options);
		zsh_targets(b, cmd_commands[i]);
		bh_buf_add_str(b, "\t\t\t&& return ;;\n");
	}
	bh_buf_add_str(b, "\t\tesac ;;\n\tesac\n}\n"
			  "if [[ $funcstack[1] == _bulkhead ]]; then _bulkhead \"$@\"; else compdef _bulkhead bulkhead; fi\n");
}

/* ---- fish ---- */

static void fish_options(struct bh_buf *b, const char *condition, const struct cmd_option *o)
{
	for (; o && o->name; o++) {
		if (o->hidden)
			continue;
		bh_buf_printf(b, "complete -c bulkhead%s -l %s", condition, o->name);
		if (o->letter)
			bh_buf_printf(b, " -s %c", o->letter);
		if (o->choices) {
			bh_buf_add_str(b, o->implied ? " -a '" : " -x -a '");
			add_words(b, o->choices);
			bh_buf_add_byte(b, '\'');
		} else if (o->kind != CMD_FLAG) {
			bh_buf_add_str(b, takes_file(o) ? " -r -F" : " -x");
		}
		bh_buf_add_str(b, " -d ");
		add_quoted(b, o->help);
		bh_buf_add_byte(b, '\n');
	}
}

static void fish_script(struct bh_buf *b)
{
	bh_buf_add_str(b, "# fish completion for bulkhead, written by: bulkhead completion fish\n"
			  "complete -c bulkhead -n __fish_use_subcommand -f\n"
			  "complete -c bulkhead -n __fish_use_subcommand -l version -d 'print the version'\n");
	fish_options(b, "", cmd_global_options);
	for (size_t i = 0; cmd_commands[i]; i++) {
		const struct cmd_command *c = cmd_commands[i];
		char condition[128];
		bh_buf_printf(b, "complete -c bulkhead -n __fish_use_subcommand -a %s -d ", c->name);
		add_quoted(b, c->summary);
		bh_buf_add_byte(b, '\n');
		(void)snprintf(condition, sizeof(condition), " -n '__fish_seen_subcommand_from %s'", c->name);
		fish_options(b, condition, c->options);
		if (!c->verbs && !targets_are_commands(c) && !c->targets_command && c->max_targets)
			continue; /* files, as fish does anyway */
		bh_buf_printf(b, "complete -c bulkhead%s -f", condition);
		if (c->verbs || targets_are_commands(c)) {
			bh_buf_add_str(b, " -a '");
			if (c->verbs)
				add_verbs(b, c->verbs);
			else
				add_command_names(b);
			bh_buf_add_byte(b, '\'');
		} else if (c->targets_command) {
			bh_buf_printf(b, " -a '(%s 2>/dev/null | cut -f 1)'", c->targets_command);
		}
		bh_buf_add_byte(b, '\n');
	}
}

static int run(const struct cmd_args *args)
{
	static void (*const scripts[])(struct bh_buf *) = { [BASH] = bash_script, [ZSH] = zsh_script, [FISH] = fish_script };
	const char *const *targets;
	struct bh_buf b;
	struct bh_err err = { 0 };
	(void)cmd_targets(args, &targets);
	bh_buf_init(&b, SCRIPT_BYTES_MAX);
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++)
		if (strcmp(targets[0], shells[i].name) == 0)
			scripts[i](&b);
	int rc = cmd_write(STDOUT_FILENO, &b, &err);
	bh_buf_done(&b);
	return rc < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}

const struct cmd_command cmd_command_completion = {
	.name = "completion",
	.usage = "bash|zsh|fish",
	.summary = "Print a completion script for a shell",
	.verbs = shells,
	.min_targets = 1,
	.max_targets = 1,
	.details = "For this session:  source <(bulkhead completion bash)      (bash, zsh)\n"
		   "                   bulkhead completion fish | source        (fish)\n",
	.no_config = true,
	.run = run,
};
