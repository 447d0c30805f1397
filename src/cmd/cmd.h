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
	CMD_UINT,   /* --width N: uint64 with a maximum; with the argument BYTES it may end in K, M, G or T (powers of 1024) */
	CMD_CHOICE, /* one of the words in `choices`; must have a default */
};

struct cmd_option {
	const char *name;           /* long name without "--"; also the key in bulkhead.yaml */
	char letter;                /* short form, 0 = none */
	enum cmd_option_kind kind;
	const char *argument;       /* "FILE", for help; NULL for flags */
	const char *help;           /* one line */
	const char *default_text;   /* as a user would type it; NULL = none */
	const char *implied;        /* CMD_CHOICE: what --name alone says; another word then stands behind "=" only. NULL: a word has to follow */
	const char *const *choices; /* NULL-terminated; for CMD_LIST the part of a word before "=" must be one of them */
	uint64_t max;               /* CMD_UINT; 0 = no limit */
	uint64_t min;               /* CMD_UINT */
	bool not_in_config;         /* --help, --config and the like: the command line only */
	bool commas;                /* CMD_LIST: one word may hold several, "high,critical" */
	bool hidden;                /* not in --help and completion */
	const char *alias;          /* a second long name, NULL = none */
};

/* What the user said, from the command line, else the environment (BULKHEAD_PLATFORM), else bulkhead.yaml, else the default. */
struct cmd_args;
struct bh_exception_vec;
bool cmd_flag(const struct cmd_args *a, const char *name);
const char *cmd_string(const struct cmd_args *a, const char *name);              /* NULL when nothing said and no default */
size_t cmd_list(const struct cmd_args *a, const char *name, const char *const **ret);
uint64_t cmd_uint(const struct cmd_args *a, const char *name);
size_t cmd_choice(const struct cmd_args *a, const char *name);                   /* index into choices */
/* "command line", "BULKHEAD_DB", "bulkhead.yaml:3:7", "default"; NULL = not set */
const char *cmd_origin(const struct cmd_args *a, const char *name);
const struct bh_exception_vec *cmd_exceptions(const struct cmd_args *a);         /* "exceptions:" of all configuration files, nearest first */
size_t cmd_targets(const struct cmd_args *a, const char *const **ret);           /* the words that are not options */

/* What the first target of some commands must be. */
struct cmd_verb {
	const char *name;  /* NULL ends a table */
	const char *usage; /* what stands behind it: "OLD NEW"; NULL: nothing */
	size_t min, max;   /* so many words */
	/* Returns an exit code; words: those behind the verb. NULL: the command's run. */
	int (*run)(const struct cmd_args *args, const char *const *words, size_t n);
	/* NULL, or what is wrong with the options for this verb; asked after the command's check. */
	int (*check)(const struct cmd_args *args, struct bh_err *err);
};

struct cmd_command {
	const char *name;
	const char *usage;                  /* "[options] TARGET" */
	const char *summary;                /* one line, from commands.def too */
	const struct cmd_option *options;   /* ended by a NULL name; global ones are added by the parser */
	size_t min_targets, max_targets;
	const struct cmd_verb *verbs;       /* NULL, or what the first target must be */
	const char *targets_command;        /* NULL, or what prints the words that targets may be, each first on a line: completion runs it */
	const char *details;                /* NULL, or paragraphs for --help below the summary, lines ended by \n */
	bool no_config;                     /* works without reading bulkhead.yaml and the environment: help, completion */
	/* NULL, or what is wrong with the options taken together; asked before run. A failure is a usage error. */
	int (*check)(const struct cmd_args *args, struct bh_err *err);
	/* Results to stdout, everything else to stderr. Returns an exit code. NULL: every verb has its own. */
	int (*run)(const struct cmd_args *args);
};

/* The verb that the user named, and the words behind it; NULL when the command has none or none was named. */
const struct cmd_verb *cmd_verb(const struct cmd_args *args, const char *const **ret_words, size_t *ret_n);

extern const struct cmd_command *const cmd_commands[]; /* NULL-terminated, in order of commands.def */

/* The options that every command has; ended by a NULL name. */
extern const struct cmd_option cmd_global_options[];

/* The command of that name, or NULL. */
const struct cmd_command *cmd_find(const char *name);

/* --help of a command, or the overview of all commands for NULL. */
int cmd_print_help(const struct cmd_command *command, int fd, struct bh_err *err) BH_MUST_CHECK;

/* Is colour wanted on this descriptor? --colour, then NO_COLOR and TERM=dumb, then whether it is a terminal. */
bool cmd_colour(const struct cmd_args *args, int fd);

/* Columns of the terminal behind fd; 0 when it is none. */
size_t cmd_columns(int fd);

/* The whole of main(): options, configuration, dispatch. Returns the exit code. */
int cmd_main(int argc, char **argv);

#endif
