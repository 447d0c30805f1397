/* config_file.h: bulkhead.yaml: where it lies, what may stand in it. */
#ifndef BH_CMD_CONFIG_FILE_H
#define BH_CMD_CONFIG_FILE_H

#include "cmd/args.h"

#define CMD_CONFIG_PLACES 3u
#define CMD_CONFIG_FILE_NAME "bulkhead.yaml"
#define CMD_EXCEPTIONS_KEY "exceptions"

/* The files that are looked for, nearest first; NULL where the environment names no such place. Strings live in a's arena. */
int cmd_config_places(struct cmd_args *a, const char *ret[CMD_CONFIG_PLACES], struct bh_err *err) BH_MUST_CHECK;

/*
 * Reads the file that --config names and no other, or every file that is there, nearest first. Within one file a key below
 * the command's name is nearer than the same key at top level. Unknown keys and wrong values are errors with file:line:column.
 */
int cmd_config_load(struct cmd_args *a, struct bh_err *err) BH_MUST_CHECK;

#endif
