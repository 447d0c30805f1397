/* cmd.c: from argv to a command and its exit code. */
#include "cmd/cmd.h"

#define COMMAND(name, summary) extern const struct cmd_command cmd_command_##name;
#include "cmd/commands.def"
#undef COMMAND

const struct cmd_command *const cmd_commands[] = {
#define COMMAND(name, summary) &cmd_command_##name,
#include "cmd/commands.def"
#undef COMMAND
	NULL,
};

int cmd_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return EXIT_USAGE;
}
