/*
 * args.h: how the values behind struct cmd_args come to be; for the dispatcher, the configuration and tests only.
 *
 * Sources are asked from the nearest to the farthest: command line, environment, files, defaults. A value belongs to the
 * first source that named it; later sources are still checked, then ignored.
 */
#ifndef BH_CMD_ARGS_H
#define BH_CMD_ARGS_H

#include "base/arena.h"
#include "cmd/cmd.h"
#include "model/report.h"

struct cmd_value {
	const struct cmd_option *option;
	unsigned source;    /* 0 = not set; else the number of the source that set it */
	const char *where;  /* see cmd_origin; NULL = not set */
	const char **words; /* CMD_LIST: all; CMD_STRING, CMD_UINT, CMD_CHOICE: the last one, as typed */
	size_t n_words, cap_words;
	uint64_t number;    /* CMD_UINT: the value; CMD_CHOICE: the index; CMD_FLAG: 0, or how often it was given */
};

struct cmd_args {
	struct bh_arena arena;
	const struct cmd_command *command; /* NULL until the command line named one */
	struct cmd_value *values;          /* the global options, then the command's */
	size_t n_values;
	const char **targets;
	size_t n_targets, cap_targets;
	struct bh_exception_vec exceptions; /* of all configuration files */
	unsigned source;                   /* the one being read */
	bool wants_help, wants_version;
};

int cmd_args_init(struct cmd_args *a, struct bh_err *err) BH_MUST_CHECK;
void cmd_args_done(struct cmd_args *a);

/* Adds the options of a command to the values. Once. */
int cmd_args_set_command(struct cmd_args *a, const struct cmd_command *command, struct bh_err *err) BH_MUST_CHECK;

/* argv without the program's name. The first word that is no option names the command when none is set. Stops at --help. */
int cmd_args_parse(struct cmd_args *a, const char *const *argv, size_t n, struct bh_err *err) BH_MUST_CHECK;

/* Warns of a variable that looks like an option's and is none: BULKHEAD_PLATFROM. */
void cmd_args_warn_environment(const char *const *environment);

/* BULKHEAD_NAME=value for every option that may stand in a configuration. */
int cmd_args_environment(struct cmd_args *a, const char *const *environment, struct bh_err *err) BH_MUST_CHECK;

/* Environment, files and defaults, in this order, behind what the command line said. */
int cmd_args_load(struct cmd_args *a, struct bh_err *err) BH_MUST_CHECK;

int cmd_args_defaults(struct cmd_args *a, struct bh_err *err) BH_MUST_CHECK;

/* Are there as many targets as the command wants, and is the verb one of its verbs? */
int cmd_args_check_targets(const struct cmd_args *a, struct bh_err *err) BH_MUST_CHECK;

/*
 * One value from one source. name: how the source calls it, for messages: "--width", "BULKHEAD_WIDTH", "f.yaml:3:8: width".
 * where: see cmd_origin. Texts live as long as the caller's; put them in a->arena.
 */
int cmd_args_set(struct cmd_args *a, struct cmd_value *v, const char *name, const char *text, const char *where, struct bh_err *err) BH_MUST_CHECK;

/* Checks a text as cmd_args_set does, without a place to keep it: for options of other commands in a file. */
int cmd_args_check(struct cmd_args *a, const struct cmd_option *option, const char *name, const char *text, struct bh_err *err) BH_MUST_CHECK;

/* The value of an option by its long name or alias, NULL when the command has none such. */
struct cmd_value *cmd_args_find(const struct cmd_args *a, const char *name);

#endif
