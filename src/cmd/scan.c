/* scan.c: `bulkhead scan TARGET`: options to scan_run, report to the writers, verdict to an exit code. */
#include "scan/scan.h"

#include "base/limits.h"
#include "cmd/output.h"
#include "cmd/source.h"
#include "sys/signals.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define PARALLEL_MAX 64u
#define CACHE_BYTES_MAX (1ull << 44)
#define DAYS_MAX 36500u
#define SIGNAL_EXIT_BASE 128 /* as shells report a program that a signal ended */

/* Index = enum bh_severity for the first six. */
static const char *const severities[] = { "unknown", "negligible", "low", "medium", "high", "critical", NULL };
static const char *const thresholds[] = { "unknown", "negligible", "low", "medium", "high", "critical", "never", NULL };
#define THRESHOLD_NEVER 6u

/* Index = enum bh_state. */
static const char *const states[] = { "affected", "fixed", "not_affected", "ignored", "postponed", "end_of_life", "undetermined", NULL };

static const struct cmd_option options[] = {
	{ .name = "platform", .kind = CMD_STRING, .argument = "OS/ARCH[/VARIANT]",
	  .help = "which image of a multi-platform one; default: this machine's" },
	CMD_SOURCE_OPTIONS,
	CMD_REPORT_OPTIONS,
	{ .name = "fail-on", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = thresholds, .default_text = "high",
	  .help = "exit 1 for findings at or above this severity" },
	{ .name = "severity", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = severities, .default_text = "negligible",
	  .help = "show findings at or above this severity; the others are counted only" },
	{ .name = "state", .kind = CMD_LIST, .argument = "STATE", .choices = states, .commas = true,
	  .help = "show vulnerabilities in these states only; the others are counted" },
	{ .name = "ignore-unfixed", .kind = CMD_FLAG, .help = "hide findings for which there is no fix; they are counted" },
	{ .name = "dockerfile", .kind = CMD_STRING, .argument = "FILE",
	  .help = "the Dockerfile that the image was built from: findings name its lines" },
	{ .name = "vex", .kind = CMD_LIST, .argument = "FILE|DIR",
	  .help = "VEX statements (OpenVEX, CSAF, CycloneDX) to honour; may be repeated" },
	{ .name = "db", .kind = CMD_STRING, .argument = "FILE", .help = "advisory database; default: the user's, else the built-in facts" },
	{ .name = "max-db-age", .kind = CMD_UINT, .argument = "DAYS", .default_text = "0", .max = DAYS_MAX,
	  .help = "advisory data older than this makes the check incomplete; 0: any age" },
	{ .name = "include-withdrawn", .kind = CMD_FLAG, .help = "match advisories that were withdrawn, too" },
	{ .name = "match-owned", .kind = CMD_FLAG, .help = "match language packages of distribution packages with language advisories, too" },
	{ .name = "owned-files", .kind = CMD_FLAG, .help = "list each package's files in the JSON report" },
	{ .name = "parallel", .kind = CMD_UINT, .argument = "N", .default_text = "2", .min = 1, .max = PARALLEL_MAX,
	  .help = "how many layers are read at a time" },
	{ .name = "max-layer-size", .kind = CMD_UINT, .argument = "BYTES", .min = 1, .max = BH_LAYER_BYTES_MAX,
	  .help = "the largest uncompressed layer that is read; K, M, G or T may follow" },
	{ .name = "cache-dir", .kind = CMD_STRING, .argument = "DIR", .help = "where results of layers are kept; default: ~/.cache/bulkhead" },
	{ .name = "cache-size", .kind = CMD_UINT, .argument = "BYTES", .default_text = "1G", .max = CACHE_BYTES_MAX,
	  .help = "how much is kept there; K, M, G or T may follow; 0: nothing" },
	{ .name = "no-cache", .kind = CMD_FLAG, .help = "read every layer, and keep no results" },
	{ 0 },
};

static const char details[] =
	"TARGET is one of\n"
	"  oci:DIR[:TAG]      an OCI image layout\n"
	"  archive:FILE       what docker save, podman save or skopeo write\n"
	"  dir:PATH           a directory that holds a root file system; also rootfs:\n"
	"  -                  an archive on standard input\n"
	"  registry:REF       an image in a registry\n"
	"  docker:NAME        an image of Docker; also podman:, containerd:\n"
	"  container:ID       a container of Docker or Podman, and what changed in it\n"
	"  PATH               any file or folder of these; its content tells which\n"
	"  NAME               an image of a daemon here, else of its registry\n"
	"\n"
	"Exit status: 0 nothing at or above --fail-on, 1 findings at or above it, 2 wrong\n"
	"usage or input, 3 something could not be checked and nothing worse was found,\n"
	"4 internal error.\n";

/* Seconds since 1970: SOURCE_DATE_EPOCH when that is set, so that the same input gives the same bytes. */
static int report_time(int64_t *ret, struct bh_err *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	if (!epoch || !epoch[0]) {
		*ret = (int64_t)time(NULL);
		return BH_OK;
	}
	uint64_t seconds;
	if (!bh_slice_u64(bh_slice_str(epoch), (uint64_t)INT32_MAX * 64, &seconds))
		return bh_fail(err, BH_EUSAGE, 0, "SOURCE_DATE_EPOCH is '%s', not a number of seconds since 1970", epoch);
	*ret = (int64_t)seconds;
	return BH_OK;
}

static unsigned wanted_states(const struct cmd_args *args)
{
	const char *const *words;
	unsigned wanted = 0;
	enum bh_state s;
	for (size_t i = 0, n = cmd_list(args, "state", &words); i < n; i++)
		if (bh_state_parse(bh_slice_str(words[i]), &s))
			wanted |= POLICY_STATE(s);
	return wanted;
}

static struct policy_options policy_options(const struct cmd_args *args)
{
	size_t threshold = cmd_choice(args, "fail-on");
	struct policy_options p = {
		.exceptions = cmd_exceptions(args),
		.dockerfile = cmd_string(args, "dockerfile"),
		.compare_versions = cmd_compare_versions,
		.ignore_unfixed = cmd_flag(args, "ignore-unfixed"),
		.min_severity = (enum bh_severity)cmd_choice(args, "severity"),
		.states = wanted_states(args),
		.fail_never = threshold == THRESHOLD_NEVER,
		.fail_on = threshold == THRESHOLD_NEVER ? BH_SEV_CRITICAL : (enum bh_severity)threshold,
	};
	p.n_vex = cmd_list(args, "vex", &p.vex);
	return p;
}

static int read_options(const struct cmd_args *args, struct scan_options *o, struct bh_err *err)
{
	const char *const *targets;
	(void)cmd_targets(args, &targets);
	*o = (struct scan_options){
		.target = targets[0],
		.platform = cmd_string(args, "platform"),
		.parallel = (size_t)cmd_uint(args, "parallel"),
		.max_layer_bytes = cmd_uint(args, "max-layer-size"),
		.db_path = cmd_string(args, "db"),
		.max_db_age_days = (uint32_t)cmd_uint(args, "max-db-age"),
		.include_withdrawn = cmd_flag(args, "include-withdrawn"),
		.match_owned = cmd_flag(args, "match-owned"),
		.owned_files = cmd_flag(args, "owned-files"),
		.cache_folder = cmd_string(args, "cache-dir"),
		.max_cache_bytes = cmd_flag(args, "no-cache") ? 0 : cmd_uint(args, "cache-size"),
		.registry = cmd_registry_options(args),
		.tell = cmd_flag(args, "quiet") ? NULL : cmd_tell_source,
		.quiet = cmd_flag(args, "quiet"),
		.policy = policy_options(args),
	};
	return report_time(&o->policy.now_s, err);
}

/*
 * No report at all. The target is the user's: whatever the operating system or a limit said about it is an input error (2). A
 * child that died over it means that nothing was checked (3). What is left is our own trouble (4).
 */
static int no_report(const struct bh_err *err)
{
	int code = cmd_failed(err);
	switch (err->code) {
	case BH_ECANCELLED: return bh_interrupted() ? SIGNAL_EXIT_BASE + bh_interrupt_signal() : EXIT_INTERNAL;
	case BH_EIO:
	case BH_ELIMIT: return EXIT_USAGE;
	case BH_ECHILD: return EXIT_INCOMPLETE;
	default: return code;
	}
}

static int exit_code(enum bh_verdict verdict)
{
	switch (verdict) {
	case BH_VERDICT_PASS: return EXIT_CLEAN;
	case BH_VERDICT_FAIL: return EXIT_FINDINGS;
	case BH_VERDICT_INCOMPLETE: return EXIT_INCOMPLETE;
	}
	return EXIT_INTERNAL;
}

static int run(const struct cmd_args *args)
{
	struct scan_options o;
	struct bh_report report;
	struct bh_err err = { 0 };
	int rc = read_options(args, &o, &err);
	if (rc < 0)
		return cmd_failed(&err);
	bh_report_init(&report);
	int code;
	if (scan_run(&o, &report, &err) < 0)
		code = no_report(&err);
	else if (cmd_write_report(&report, args, &err) < 0)
		code = cmd_failed(&err);
	else
		code = exit_code(report.verdict);
	bh_report_done(&report);
	return code;
}

const struct cmd_command cmd_command_scan = {
	.name = "scan",
	.usage = "[options] TARGET",
	.summary = "Find the packages of an image and their known vulnerabilities",
	.options = options,
	.min_targets = 1,
	.max_targets = 1,
	.details = details,
	.check = cmd_check_report,
	.run = run,
};
