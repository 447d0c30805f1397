/* command.h: the agent's command line: bulkhead-guard run|status. Returns the exit status: 0 done, 2 wrong usage or input, 3 this kernel or user can't, 4 internal error. */
#ifndef BH_AGENT_COMMAND_H
#define BH_AGENT_COMMAND_H

int agent_main(int argc, char **argv);

#endif
