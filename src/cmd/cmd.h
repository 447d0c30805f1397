/*
 * cmd.h: what a command is. One command is one file here, one line in commands.def and one man page docs/man/bulkhead-NAME.1.md.
 * Options are data: parsing, --help, configuration keys and shell completion all come from the same table.
 */
#ifndef BH_CMD_CMD_H
#define BH_CMD_CMD_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cmd_exit { EXIT_CLEAN = 0, EXIT_FINDINGS = 1, EXIT_USAGE = 2, EXIT_INCOMPLETE = 3, EXIT_INTERNAL = 4 };

enum cmd_option_kind {
	CMD_FLAG,   /* --quiet: bool */
	CMD_STRING, /* --platform P: const char *, the last one counts */
	CMD_LIST,   /* -f F -f G: all of them, in order */
	CMD_UINT,   /* --width N: uint64 with a maximum */
	CMD_CHOICE, /* one of the words in `choices` */
};

struct cmd_option {
	const char *name;           /* long name without "--"; also the key in bulkhead.yaml */
	char letter;                /* short form, 0 = none */
	enum cmd_option_kind kind;
	const char *argument;       /* "FILE", for help; NULL for flags */
	const char *help;           /* one line */
	const char *default_text;   /* as a user would type it; NULL = none */
	const char *const *choices; /* CMD_CHOICE; NULL-terminated */
	uint64_t max;               /* CMD_UINT */
	bool not_in_config;         /* --help, --config and the like */
};

/* What the user said, from the command line, else the environment (BULKHEAD_PLATFORM), else bulkhead.yaml, else the default. */
struct cmd_args;
bool cmd_flag(const struct cmd_args *a, const char *name);
const char *cmd_string(const struct cmd_args *a, const char *name);              /* NULL when nothing said and no default */
size_t cmd_list(const struct cmd_args *a, const char *name, const char *const **ret);
uint64_t cmd_uint(const struct cmd_args *a, const char *name);
size_t cmd_choice(const struct cmd_args *a, const char *name);                   /* index into choices */
size_t cmd_targets(const struct cmd_args *a, const char *const **ret);           /* the words that are not options */

struct cmd_command {
	const char *name;
	const char *usage;                  /* "[options] TARGET" */
	const char *summary;                /* one line, from commands.def too */
	const struct cmd_option *options;   /* ended by a NULL name; global ones are added by the parser */
	size_t min_targets, max_targets;
	/* Results to stdout, everything else to stderr. Returns an exit code. */
	int (*run)(const struct cmd_args *args);
};

extern const struct cmd_command *const cmd_commands[]; /* NULL-terminated, in order of commands.def */

/* The whole of main(): options, configuration, dispatch. Returns the exit code. */
int cmd_main(int argc, char **argv);

#endif
