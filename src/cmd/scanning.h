/* scanning.h: what all commands share that scan images: where they are, which data, what is kept, exit codes. */
#ifndef BH_CMD_SCANNING_H
#define BH_CMD_SCANNING_H

#include "base/limits.h"
#include "cmd/source.h"
#include "scan/scan.h"

#define CMD_PARALLEL_MAX 64u
#define CMD_CACHE_BYTES_MAX (1ull << 44)
#define CMD_DAYS_MAX 36500u

/* What it takes to list what a target holds. */
#define CMD_READING_OPTIONS \
	{ .name = "platform", .kind = CMD_STRING, .argument = "OS/ARCH[/VARIANT]", \
	  .help = "which image of a multi-platform one; default: this machine's" }, \
	CMD_SOURCE_OPTIONS, \
	{ .name = "parallel", .kind = CMD_UINT, .argument = "N", .default_text = "2", .min = 1, .max = CMD_PARALLEL_MAX, \
	  .help = "how many layers are read at a time" }, \
	{ .name = "max-layer-size", .kind = CMD_UINT, .argument = "BYTES", .min = 1, .max = BH_LAYER_BYTES_MAX, \
	  .help = "the largest uncompressed layer that is read; K, M, G or T may follow" }, \
	{ .name = "cache-dir", .kind = CMD_STRING, .argument = "DIR", .help = "where results of layers are kept; default: ~/.cache/bulkhead" }, \
	{ .name = "cache-size", .kind = CMD_UINT, .argument = "BYTES", .default_text = "1G", .max = CMD_CACHE_BYTES_MAX, \
	  .help = "how much is kept there; K, M, G or T may follow; 0: nothing" }, \
	{ .name = "no-cache", .kind = CMD_FLAG, .help = "read every layer, and keep no results" }

/* And to match that with advisories. */
#define CMD_SCANNING_OPTIONS \
	CMD_READING_OPTIONS, \
	{ .name = "db", .kind = CMD_STRING, .argument = "FILE", .help = "advisory database; default: the user's, else the built-in facts" }, \
	{ .name = "max-db-age", .kind = CMD_UINT, .argument = "DAYS", .default_text = "0", .max = CMD_DAYS_MAX, \
	  .help = "advisory data older than this makes the check incomplete; 0: any age" }, \
	{ .name = "include-withdrawn", .kind = CMD_FLAG, .help = "match advisories that were withdrawn, too" }, \
	{ .name = "match-owned", .kind = CMD_FLAG, .help = "match language packages of distribution packages with language advisories, too" }

/* Of CMD_READING_OPTIONS; the target and the rest are empty. */
void cmd_reading_options(const struct cmd_args *args, struct scan_options *ret);

/* All but the target, the time, and what the report is worth (policy). */
void cmd_scanning_options(const struct cmd_args *args, struct scan_options *ret);

/* As scan_run; a file that holds a report of an earlier run is read instead: what was found then. */
int cmd_scan_or_read(const struct scan_options *options, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

/* Seconds since 1970: SOURCE_DATE_EPOCH when that is set, so that the same input gives the same bytes. */
int cmd_report_time(int64_t *ret, struct bh_err *err) BH_MUST_CHECK;

/* Says why there is no report, and returns the exit code. */
int cmd_no_report(const struct bh_err *err);

/*
 * For lists of packages: what could not be read, on standard error, and the exit code. The documents say it too, but whoever writes them into
 * a pipe does not look into them.
 */
int cmd_tell_incomplete(const struct bh_report *report);

/* A file that starts as a JSON object may be a report of an earlier run: its descriptor; -1 when it can't be one. */
int cmd_open_json(const char *path);

int cmd_verdict_exit(enum bh_verdict verdict);

#endif
