/* bulkhead-guard.c: the agent. All of it lives in agent/. */
#include "agent/command.h"

int main(int argc, char **argv)
{
	return agent_main(argc, argv);
}
