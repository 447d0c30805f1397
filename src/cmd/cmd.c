/*
 * cmd.c: from argv to a command and its exit code.
 *
 *   argv ── options ──► environment ──► bulkhead.yaml ──► defaults ──► command->run ──► exit code
 *
 * `bulkhead --version` answers before any of that.
 */
#include "cmd/args.h"
#include "cmd/config_file.h"
#include "cmd/image_object.h"
#include "cmd/output.h"

#include "base/log.h"
#include "base/suggest.h"
#include "cluster/door.h"
#include "sys/child.h"
#include "sys/signals.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COMMAND(name, summary) extern const struct cmd_command cmd_command_##name;
#include "cmd/commands.def"
#undef COMMAND

const struct cmd_command *const cmd_commands[] = {
#define COMMAND(name, summary) &cmd_command_##name,
#include "cmd/commands.def"
#undef COMMAND
	NULL,
};

static const char *const colour_choices[] = { "auto", "always", "never", NULL };

const struct cmd_option cmd_global_options[] = {
	{ .name = "help", .letter = 'h', .kind = CMD_FLAG, .help = "show this help", .not_in_config = true },
	{ .name = "config", .kind = CMD_STRING, .argument = "FILE", .help = "read this configuration file and no other", .not_in_config = true },
	{ .name = "quiet", .letter = 'q', .kind = CMD_FLAG, .help = "no progress bar and no warnings" },
	{ .name = "verbose", .letter = 'v', .kind = CMD_FLAG, .help = "say what is being done; twice: in detail" },
	{ .name = "colour", .kind = CMD_CHOICE, .argument = "WHEN", .help = "colour the output", .choices = colour_choices, .default_text = "auto",
	  .alias = "color" },
	/* Not in a configuration: a file that lies in a working directory must not be able to take the sandbox away. */
	{ .name = "no-sandbox", .kind = CMD_FLAG, .help = "parse hostile input without the sandbox, for debugging only", .not_in_config = true },
	{ 0 },
};

const struct cmd_command *cmd_find(const char *name)
{
	for (size_t i = 0; cmd_commands[i]; i++)
		if (strcmp(cmd_commands[i]->name, name) == 0)
			return cmd_commands[i];
	return NULL;
}

int cmd_unknown_command(const char *word, struct bh_err *err)
{
	struct bh_suggest near = bh_suggest_for(word);
	for (size_t i = 0; cmd_commands[i]; i++)
		bh_suggest_offer(&near, cmd_commands[i]->name);
	if (near.best)
		return bh_fail(err, BH_EUSAGE, 0, "unknown command '%s'; did you mean %s?", word, near.best);
	return bh_fail(err, BH_EUSAGE, 0, "unknown command '%s'", word);
}

/* One line, and where to read on. */
static int usage_error(const struct cmd_args *a, const struct bh_err *err)
{
	int code = cmd_failed(err);
	if (code != EXIT_USAGE)
		return code;
	if (a->command)
		(void)fprintf(stderr, "see 'bulkhead %s --help'\n", a->command->name);
	else
		(void)fprintf(stderr, "see 'bulkhead help'\n");
	return code;
}

static void apply_globals(const struct cmd_args *a)
{
	uint64_t verbose = cmd_args_find(a, "verbose")->number;
	if (verbose)
		bh_log_set_level(verbose > 1 ? BH_LOG_DEBUG : BH_LOG_INFO);
	else if (cmd_flag(a, "quiet"))
		bh_log_set_level(BH_LOG_ERROR);
	if (cmd_flag(a, "no-sandbox")) {
		bh_warn("--no-sandbox: hostile input is parsed with all rights of this user");
		bh_child_disable_sandbox();
	}
}

static int overview(int fd, int code)
{
	struct bh_err err = { 0 };
	return cmd_print_help(NULL, fd, &err) < 0 ? cmd_failed(&err) : code;
}

static int version(void)
{
	struct bh_buf b;
	struct bh_err err = { 0 };
	bh_buf_init(&b, 100);
	bh_buf_add_str(&b, "bulkhead " BH_VERSION "\n");
	int rc = cmd_write(STDOUT_FILENO, &b, &err);
	bh_buf_done(&b);
	return rc < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}

static int help(const struct cmd_args *a)
{
	struct bh_err err = { 0 };
	return cmd_print_help(a->command, STDOUT_FILENO, &err) < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}

int cmd_args_load(struct cmd_args *a, struct bh_err *err)
{
	int rc = 0;
	if (!a->command->no_config)
		rc = cmd_args_environment(a, (const char *const *)environ, err);
	if (rc == 0 && !a->command->no_config)
		rc = cmd_config_load(a, err);
	return rc < 0 ? rc : cmd_args_defaults(a, err);
}

static int check(const struct cmd_args *a, struct bh_err *err)
{
	const char *const *words;
	size_t n;
	const struct cmd_verb *verb = cmd_verb(a, &words, &n);
	int rc = a->command->check ? a->command->check(a, err) : 0;
	return rc == 0 && verb && verb->check ? verb->check(a, err) : rc;
}

static int dispatch(struct cmd_args *a, int argc, char **argv)
{
	const char *const *words;
	size_t n;
	struct bh_err err = { 0 };
	if (cmd_args_parse(a, (const char *const *)argv + 1, argc > 0 ? (size_t)argc - 1 : 0, &err) < 0)
		return usage_error(a, &err);
	if (a->wants_version)
		return version();
	if (a->wants_help)
		return help(a);
	if (!a->command)
		return overview(STDERR_FILENO, EXIT_USAGE);
	if (cmd_args_load(a, &err) < 0 || cmd_args_check_targets(a, &err) < 0 || check(a, &err) < 0)
		return usage_error(a, &err);
	apply_globals(a);
	cmd_args_warn_environment((const char *const *)environ);
	const struct cmd_verb *verb = cmd_verb(a, &words, &n);
	return verb && verb->run ? verb->run(a, words, n) : a->command->run(a);
}

/*
 * A descriptor 0, 1 or 2 that is closed would be the number of the next file opened, and the report would go there. Reading
 * from what stands there instead ends at once, writing fails.
 */
static void occupy_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", O_RDONLY); /* takes the lowest free number: this one */
}

int cmd_main(int argc, char **argv)
{
	struct cmd_args a;
	struct bh_err err = { 0 };
	int code;
	occupy_standard_descriptors();
	kube_live_provide(&cluster_door);
	kube_daemon_provide(cmd_objects_open);
	bh_signals_init(); /* a closed pipe is an error that is told, not a death */
	if (cmd_args_init(&a, &err) < 0)
		code = cmd_failed(&err);
	else
		code = dispatch(&a, argc, argv);
	cmd_args_done(&a);
	return code;
}
