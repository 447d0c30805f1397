/*
 * output.h: how results leave a command.
 *
 * A command with a report includes CMD_REPORT_OPTIONS in its option table, names cmd_check_report as its check, and ends with
 * cmd_write_report. Everything else that goes to stdout goes through cmd_write, so that a closed pipe or a full disk is noticed.
 */
#ifndef BH_CMD_OUTPUT_H
#define BH_CMD_OUTPUT_H

#include "base/buf.h"
#include "cmd/cmd.h"

struct bh_report;

/* Names of all output formats, NULL-terminated, for option tables. */
extern const char *const cmd_format_names[];

/* Of those that list what there is, whatever is wrong with it. */
extern const char *const cmd_sbom_format_names[];

/* The options that every command with a report has. */
#define CMD_REPORT_OPTIONS                                                                                                        \
	{ .name = "format", .letter = 'f', .kind = CMD_LIST, .argument = "FORMAT[=FILE]", .choices = cmd_format_names,            \
	  .default_text = "table",                                                                                                \
	  .help = "format of the report, to FILE or to standard output; may be repeated" },                      \
	CMD_REPORT_LOOKS

/* All but the format, for commands that have formats of their own, too. */
#define CMD_REPORT_LOOKS                                                                                                          \
	{ .name = "output", .letter = 'o', .kind = CMD_STRING, .argument = "FILE",                                                \
	  .help = "write the report to FILE, - is standard output" },                                                             \
	{ .name = "width", .kind = CMD_UINT, .argument = "COLUMNS", .min = 40, .max = 200,                                        \
	  .help = "width of the table; default: the terminal's, else 100" },                                                      \
	{ .name = "list-all-packages", .kind = CMD_FLAG, .help = "table: list the packages without findings too" },               \
	{ .name = "licenses", .kind = CMD_FLAG, .help = "table: list the licences and how many packages have each" },             \
	{ .name = "by-layer", .kind = CMD_FLAG, .help = "table: group the findings by the layer that brought the package" }

#define EXIT_SIGNAL_BASE 128 /* as shells report a program that a signal ended */

/* Where the report of one of several targets goes. */
struct cmd_place {
	const char *name; /* what %s in the name of a file becomes; NULL = it stays */
	int fd;           /* instead of standard output, whose width and colours it has */
};

/* Do -f and -o fit together? To be asked before the work starts. */
int cmd_check_report(const struct cmd_args *args, struct bh_err *err) BH_MUST_CHECK;

/*
 * Writes the report in every format asked for. Files are replaced as a whole or not at all; a table in a file has no colour.
 * An output that fails does not keep the others from being written; the first failure is returned.
 */
int cmd_write_report(const struct bh_report *report, const struct cmd_args *args, struct bh_err *err) BH_MUST_CHECK;

/* The same for one of several targets. */
int cmd_write_report_at(const struct bh_report *report, const struct cmd_args *args, const struct cmd_place *place, struct bh_err *err) BH_MUST_CHECK;

/* Which of two versions of a package type is higher: *ret like strcmp. False when that can't be told. For rooms that know no versions. */
bool cmd_compare_versions(struct bh_slice type, struct bh_slice a, struct bh_slice b, int *ret);

/* One document, made for a command with the option "output", to where that says; standard output by default. */
int cmd_write_document(const struct cmd_args *args, const struct bh_buf *text, struct bh_err *err) BH_MUST_CHECK;

/* Writes all of b to a descriptor; also fails when b itself overflowed. */
int cmd_write(int fd, const struct bh_buf *b, struct bh_err *err) BH_MUST_CHECK;

/* Replaces a file as a whole or not at all. A symbolic link stays one, a file keeps its mode. */
int cmd_replace_file(const char *path, const struct bh_buf *text, struct bh_err *err) BH_MUST_CHECK;

/* Says what failed on stderr and returns the exit code that fits: usage and input errors 2, everything else 4. */
int cmd_failed(const struct bh_err *err);

/* Fills err for a word that is no command, with the nearest one. */
int cmd_unknown_command(const char *word, struct bh_err *err);

#endif
