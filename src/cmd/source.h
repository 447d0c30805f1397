/*
 * source.h: options of every command that opens images: how registries and daemons are reached. A command includes
 * CMD_SOURCE_OPTIONS in its table.
 */
#ifndef BH_CMD_SOURCE_H
#define BH_CMD_SOURCE_H

#include "cmd/cmd.h"
#include "registry/options.h"

#define CMD_SOURCE_OPTIONS                                                                                                        \
	{ .name = "registry-mirror", .kind = CMD_LIST, .argument = "[HOST=]MIRROR",                                               \
	  .help = "where images of a registry are looked for first; HOST: docker.io unless given; may be repeated" },             \
	{ .name = "ca-file", .kind = CMD_LIST, .argument = "FILE",                                                                \
	  .help = "certificates (PEM) trusted in addition to the system's; may be repeated" },                                    \
	{ .name = "insecure", .kind = CMD_FLAG, .help = "registries: don't verify certificates, and use plain http where there is no TLS" }

/* Valid as long as args. */
struct registry_options cmd_registry_options(const struct cmd_args *args);

/* Which of several places an image was found in: a line on stderr. */
void cmd_tell_source(const char *text);

#endif
