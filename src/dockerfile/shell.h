/*
 * shell.h: the commands of a shell script, well enough to ask what it runs: words without quotes, what parts them (&& || ; | &), subshells and substitutions,
 * what sudo and env start, scripts of sh -c. Control words, assignments and redirections are left out.
 */
#ifndef BH_DOCKERFILE_SHELL_H
#define BH_DOCKERFILE_SHELL_H

#include "dockerfile/dockerfile.h"

#define DF_COMMANDS_MAX 4096u

struct df_command {
	struct bh_slice name;      /* without its folder: "apt-get" */
	struct bh_slice *args;
	struct bh_slice written;   /* the name as it stands in the script, with its folder and quotes; empty: of an exec form */
	struct bh_slice *sources;  /* of the arguments, the same; NULL: of an exec form */
	size_t n_args, cap_args;
	uint32_t line;
	const char *after;         /* what stands before it: "", "&&", "||", ";", "|", "&" */
	uint32_t pipeline;         /* commands with the same number are joined by pipes */
	bool is_substituted;       /* inside of $(), `` or <() */
};
BH_VEC(df_command_vec, struct df_command)

/* Appends the commands of a RUN, CMD, ENTRYPOINT or HEALTHCHECK, exec forms too; texts lie in the arena. False: out of memory. */
bool df_commands(const struct df_file *f, const struct df_instruction *i, struct bh_arena *arena, struct df_command_vec *out);

#endif
