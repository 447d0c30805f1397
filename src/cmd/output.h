/*
 * output.h: how results leave a command.
 *
 * A command with a report includes CMD_OUTPUT_OPTIONS in its option table and ends with cmd_write_report. Everything else
 * that goes to stdout goes through cmd_write, so that a closed pipe or a full disk is noticed.
 */
#ifndef BH_CMD_OUTPUT_H
#define BH_CMD_OUTPUT_H

#include "base/buf.h"
#include "cmd/cmd.h"

/* Writes all of b to a descriptor; also fails when b itself overflowed. */
int cmd_write(int fd, const struct bh_buf *b, struct bh_err *err) BH_MUST_CHECK;

/* Says what failed on stderr and returns the exit code that fits: usage and input errors 2, everything else 4. */
int cmd_failed(const struct bh_err *err);

/* Fills err for a word that is no command, with the nearest one. */
int cmd_unknown_command(const char *word, struct bh_err *err);

#endif
