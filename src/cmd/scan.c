/* scan.c: `bulkhead scan TARGET`: options to scan_run, report to the writers, verdict to an exit code. */
#include "scan/scan.h"

#include "cmd/output.h"
#include "cmd/scanning.h"


/* Index = enum bh_severity for the first six. */
static const char *const severities[] = { "unknown", "negligible", "low", "medium", "high", "critical", NULL };
static const char *const thresholds[] = { "unknown", "negligible", "low", "medium", "high", "critical", "never", NULL };
#define THRESHOLD_NEVER 6u

/* Index = enum bh_state. */
static const char *const states[] = { "affected", "fixed", "not_affected", "ignored", "postponed", "end_of_life", "undetermined", NULL };

static const struct cmd_option options[] = {
	CMD_REPORT_OPTIONS,
	{ .name = "fail-on", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = thresholds, .default_text = "high",
	  .help = "exit 1 for findings at or above this severity" },
	{ .name = "severity", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = severities, .default_text = "negligible",
	  .help = "show findings at or above this severity; the others are counted only" },
	{ .name = "state", .kind = CMD_LIST, .argument = "STATE", .choices = states, .commas = true,
	  .help = "show vulnerabilities in these states only; the others are counted" },
	{ .name = "ignore-unfixed", .kind = CMD_FLAG, .help = "hide findings for which there is no fix; they are counted" },
	{ .name = "baseline", .kind = CMD_STRING, .argument = "TARGET",
	  .help = "an image to compare with: only what is new or worse counts" },
	{ .name = "base", .kind = CMD_STRING, .argument = "TARGET",
	  .help = "the image that this one was built on: its layers are told apart" },
	{ .name = "dockerfile", .kind = CMD_STRING, .argument = "FILE",
	  .help = "the Dockerfile that the image was built from: findings name its lines" },
	{ .name = "vex", .kind = CMD_LIST, .argument = "FILE|DIR",
	  .help = "VEX statements (OpenVEX, CSAF, CycloneDX) to honour; may be repeated" },
	{ .name = "owned-files", .kind = CMD_FLAG, .help = "list each package's files in the JSON report" },
	CMD_SCANNING_OPTIONS,
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
	cmd_scanning_options(args, o);
	o->target = targets[0];
	o->owned_files = cmd_flag(args, "owned-files");
	o->policy = policy_options(args);
	return cmd_report_time(&o->policy.now_s, err);
}

/* The images beside the target: --base is only read, --baseline is judged as the target is, but without filters. */
static int scan_others(const struct cmd_args *args, struct scan_options *o, struct bh_report *base, struct bh_report *baseline, struct bh_err *err)
{
	struct scan_options other = *o;
	int rc = 0;
	other.policy = (struct policy_options){ .exceptions = o->policy.exceptions, .vex = o->policy.vex, .n_vex = o->policy.n_vex, .now_s = o->policy.now_s };
	other.target = cmd_string(args, "base");
	if (other.target) {
		rc = scan_read(&other, base, err);
		o->policy.base = base;
	}
	other.target = cmd_string(args, "baseline");
	if (rc == 0 && other.target) {
		rc = scan_run(&other, baseline, err);
		o->policy.baseline = baseline;
	}
	return rc;
}

static int run(const struct cmd_args *args)
{
	struct scan_options o;
	struct bh_report report, base, baseline;
	struct bh_err err = { 0 };
	int rc = read_options(args, &o, &err);
	if (rc < 0)
		return cmd_failed(&err);
	bh_report_init(&report);
	bh_report_init(&base);
	bh_report_init(&baseline);
	int code;
	if (scan_others(args, &o, &base, &baseline, &err) < 0 || scan_run(&o, &report, &err) < 0)
		code = cmd_no_report(&err);
	else if (cmd_write_report(&report, args, &err) < 0)
		code = cmd_failed(&err);
	else
		code = cmd_verdict_exit(report.verdict);
	bh_report_done(&report);
	bh_report_done(&base);
	bh_report_done(&baseline);
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
