/* scan.c: `bulkhead scan TARGET`: options to scan_run, report to the writers, verdict to an exit code. */
#include "scan/scan.h"

#include "cmd/fleet.h"
#include "cmd/judging.h"
#include "cmd/scanning.h"
#include "sys/files.h"

#define KEY_BYTES_MIN 16u
#define KEY_BYTES_MAX 4096u

/* Index = enum bh_state. */
static const char *const states[] = { "affected", "fixed", "not_affected", "ignored", "postponed", "end_of_life", "undetermined", NULL };

/* The bits of enum scan_scanner. */
static const char *const scanners[] = { "vulnerability", "secret", "malware", NULL };

static const struct cmd_option options[] = {
	CMD_REPORT_OPTIONS,
	{ .name = "scanners", .kind = CMD_LIST, .argument = "SCANNER", .choices = scanners, .commas = true,
	  .help = "what is looked for: vulnerability, secret, malware; default: the first two; commas may separate them" },
	{ .name = "fail-on", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = cmd_thresholds, .default_text = "high",
	  .help = "exit 1 for findings at or above this severity" },
	{ .name = "severity", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = cmd_severities, .default_text = "negligible",
	  .help = "show findings at or above this severity; the others are counted only" },
	{ .name = "state", .kind = CMD_LIST, .argument = "STATE", .choices = states, .commas = true,
	  .help = "show vulnerabilities in these states only; the others are counted" },
	{ .name = "ignore-unfixed", .kind = CMD_FLAG, .help = "hide findings for which there is no fix; they are counted" },
	{ .name = "license-allow", .kind = CMD_LIST, .argument = "LICENSE", .commas = true,
	  .help = "licences that are allowed; others are findings; may be repeated" },
	{ .name = "license-deny", .kind = CMD_LIST, .argument = "LICENSE", .commas = true,
	  .help = "licences that are not: findings; may be repeated" },
	{ .name = "baseline", .kind = CMD_STRING, .argument = "TARGET|REPORT",
	  .help = "an image or an earlier report to compare with: only what is new or worse counts" },
	{ .name = "base", .kind = CMD_STRING, .argument = "TARGET",
	  .help = "the image that this one was built on: its layers are told apart" },
	{ .name = "dockerfile", .kind = CMD_STRING, .argument = "FILE",
	  .help = "the Dockerfile that the image was built from: findings name its lines" },
	{ .name = "vex", .kind = CMD_LIST, .argument = "FILE|DIR|attached",
	  .help = "VEX statements (OpenVEX, CSAF, CycloneDX) to honour; may be repeated; attached: those beside the image in its registry" },
	{ .name = "staged", .kind = CMD_FLAG, .not_in_config = true, .help = "of git:DIR, search only what is new in the next commit; for pre-commit hooks" },
	{ .name = "secret-rules", .kind = CMD_STRING, .argument = "FILE",
	  .help = "rules of gitleaks (gitleaks.toml) instead of the built-in detectors; useDefault in it: beside them" },
	{ .name = "secret-ignore", .kind = CMD_STRING, .argument = "FILE", .help = "secrets that don't count, one a line (.gitleaksignore)" },
	{ .name = "yara", .kind = CMD_LIST, .argument = "FILE|DIR",
	  .help = "rules of YARA beside the built-in ones, *.yar and *.yara of a folder; adds malware to the scanners; may be repeated" },
	{ .name = "hashes", .kind = CMD_LIST, .argument = "FILE",
	  .help = "SHA-256 of malicious files, one a line; adds malware to the scanners; may be repeated" },
	{ .name = "fingerprint-key", .kind = CMD_STRING, .argument = "FILE",
	  .help = "key of the fingerprints of secrets, to compare reports of several machines; default: one of this machine's cache" },
	{ .name = "owned-files", .kind = CMD_FLAG, .help = "list each package's files in the JSON report" },
	{ .name = "targets-file", .kind = CMD_STRING, .argument = "FILE", .not_in_config = true,
	  .help = "more targets, one a line; - is standard input" },
	{ .name = "jobs", .kind = CMD_UINT, .argument = "N", .default_text = "1", .min = 1, .max = 64,
	  .help = "how many of several targets are scanned at a time" },
	CMD_SCANNING_OPTIONS,
	{ 0 },
};

static const char details[] =
	"TARGET is one of\n"
	"  oci:DIR[:TAG]      an OCI image layout\n"
	"  archive:FILE       what docker save, podman save or skopeo write\n"
	"  dir:PATH           a directory that holds a root file system; also rootfs:\n"
	"  zip:FILE           files in an archive: a function's code; also FILE.zip\n"
	"  sbom:FILE          an SBOM: CycloneDX, SPDX or Syft; its content tells which\n"
	"  -                  an archive on standard input; sbom:- an SBOM\n"
	"  registry:REF       an image in a registry\n"
	"  docker:NAME        an image of Docker; also podman:, containerd:\n"
	"  container:ID       a container of Docker or Podman, and what changed in it\n"
	"  git:DIR            all blobs of a git repository, once each, for secrets\n"
	"  images:DIR         every archive and layout in a folder and below it\n"
	"  PATH               any archive or folder of these; its content tells which\n"
	"  NAME               an image of a daemon here, else of its registry\n"
	"Several targets are scanned in turn; the exit status is the worst of them.\n"
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

static void policy_options(const struct cmd_args *args, struct policy_options *ret)
{
	cmd_judging_options(args, ret);
	ret->dockerfile = cmd_string(args, "dockerfile");
	ret->compare_versions = cmd_compare_versions;
	ret->ignore_unfixed = cmd_flag(args, "ignore-unfixed");
	ret->states = wanted_states(args);
	ret->n_vex = cmd_list(args, "vex", &ret->vex);
}

/* A file that holds it, read into the report's memory. */
static int read_key(const struct cmd_args *args, struct bh_arena *arena, struct bh_slice *ret, struct bh_err *err)
{
	const char *path = cmd_string(args, "fingerprint-key");
	struct bh_buf bytes;
	if (!path)
		return 0;
	bh_buf_init(&bytes, KEY_BYTES_MAX);
	int rc = bh_read_file(path, KEY_BYTES_MAX, &bytes, err);
	if (rc == 0 && bytes.len < KEY_BYTES_MIN)
		rc = bh_fail(err, BH_EUSAGE, 0, "%s: a key for fingerprints has at least %u bytes, as of: openssl rand -hex 32", path, KEY_BYTES_MIN);
	if (rc == 0 && !bh_arena_copy(arena, bh_buf_slice(&bytes), ret))
		rc = bh_fail(err, BH_ENOMEM, 0, "out of memory");
	bh_buf_wipe(&bytes);
	return rc;
}

static unsigned wanted_scanners(const struct cmd_args *args)
{
	const char *const *words;
	unsigned wanted = 0;
	bool has_rules = cmd_list(args, "yara", &words) || cmd_list(args, "hashes", &words); /* nobody gives them for nothing */
	for (size_t i = 0, n = cmd_list(args, "scanners", &words); i < n; i++)
		for (unsigned k = 0; scanners[k]; k++)
			wanted |= strcmp(words[i], scanners[k]) == 0 ? 1u << k : 0;
	return (wanted ? wanted : SCAN_DEFAULT) | (has_rules ? SCAN_MALWARE : 0);
}

static int read_options(const struct cmd_args *args, const char *target, struct bh_arena *arena, struct scan_options *o, struct bh_err *err)
{
	cmd_scanning_options(args, o);
	o->target = target;
	o->scanners = wanted_scanners(args);
	o->staged = cmd_flag(args, "staged");
	o->secret_rules = cmd_string(args, "secret-rules");
	o->secret_ignores = cmd_string(args, "secret-ignore");
	o->n_malware_rules = cmd_list(args, "yara", &o->malware_rules);
	o->n_malware_hashes = cmd_list(args, "hashes", &o->malware_hashes);
	o->owned_files = cmd_flag(args, "owned-files");
	o->license_allow.n = cmd_list(args, "license-allow", &o->license_allow.words);
	o->license_deny.n = cmd_list(args, "license-deny", &o->license_deny.words);
	policy_options(args, &o->policy);
	int rc = read_key(args, arena, &o->fingerprint_key, err);
	return rc < 0 ? rc : cmd_report_time(&o->policy.now_s, err);
}

/* The images beside the target: --base is only read, --baseline is judged as the target is, but without filters. */
static int scan_others(const struct cmd_args *args, struct scan_options *o, struct bh_report *base, struct bh_report *baseline, struct bh_err *err)
{
	struct scan_options other = *o;
	int rc = 0;
	other.policy = (struct policy_options){ .exceptions = o->policy.exceptions, .vex = o->policy.vex, .n_vex = o->policy.n_vex,
						.now_s = o->policy.now_s };
	other.target = cmd_string(args, "base");
	if (other.target) {
		rc = scan_read(&other, base, err);
		o->policy.base = base;
	}
	other.target = cmd_string(args, "baseline");
	if (rc == 0 && other.target) {
		rc = cmd_scan_or_read(&other, baseline, err);
		o->policy.baseline = baseline;
	}
	return rc;
}

static void count(const struct bh_report *report, struct fleet_result *ret)
{
	ret->has_report = true;
	ret->verdict = report->verdict;
	ret->packages = report->packages.len;
	for (size_t i = 0; i < report->findings.len; i++)
		ret->by_severity[report->findings.ptr[i].severity]++;
}

/* One target, from its name to its report. place: NULL when it is the only one. */
static void scan_one(const struct cmd_args *args, const char *target, const struct cmd_place *place, struct fleet_result *ret)
{
	struct scan_options o;
	struct bh_report report, base, baseline;
	struct bh_err err = { 0 };
	bh_report_init(&report);
	bh_report_init(&base);
	bh_report_init(&baseline);
	if (read_options(args, target, &report.arena, &o, &err) < 0) {
		ret->code = cmd_failed(&err);
	} else if (scan_others(args, &o, &base, &baseline, &err) < 0 || scan_run(&o, &report, &err) < 0) {
		ret->code = cmd_no_report(&err);
	} else {
		count(&report, ret);
		int rc = place ? cmd_write_report_at(&report, args, place, &err) : cmd_write_report(&report, args, &err);
		ret->code = rc < 0 ? cmd_failed(&err) : cmd_verdict_exit(report.verdict);
	}
	snprintf(ret->reason, sizeof(ret->reason), "%s", err.text);
	bh_report_done(&report);
	bh_report_done(&base);
	bh_report_done(&baseline);
}

static int run(const struct cmd_args *args)
{
	struct cmd_target_list targets;
	struct bh_err err = { 0 };
	struct fleet_result result = { 0 };
	const char *const *words;
	if (cmd_flag(args, "staged") && cmd_targets(args, &words) == 0 && !cmd_string(args, "targets-file")) {
		scan_one(args, "git:.", NULL, &result); /* a hook starts where the repository is */
		return result.code;
	}
	if (cmd_target_list(args, &targets, &err) < 0)
		return cmd_failed(&err);
	if (cmd_is_fleet(args))
		result.code = cmd_fleet_run(args, &targets, scan_one);
	else
		scan_one(args, targets.all.ptr[0], NULL, &result);
	cmd_target_list_done(&targets);
	return result.code;
}

static int check(const struct cmd_args *args, struct bh_err *err)
{
	const char *const *targets;
	size_t n = cmd_targets(args, &targets);
	for (size_t i = 0; cmd_flag(args, "staged") && i < n; i++)
		if (strncmp(targets[i], "git:", 4) != 0)
			return bh_fail(err, BH_EUSAGE, 0, "scan: --staged is about git:DIR, not about %s", targets[i]);
	if (n == 0 && !cmd_string(args, "targets-file") && !cmd_flag(args, "staged"))
		return bh_fail(err, BH_EUSAGE, 0, "scan: a target is missing; usage: bulkhead scan [options] TARGET...");
	return cmd_check_fleet(args, err);
}

const struct cmd_command cmd_command_scan = {
	.name = "scan",
	.usage = "[options] TARGET...",
	.summary = "Find the packages of an image, their vulnerabilities, and secrets",
	.options = options,
	.max_targets = SIZE_MAX,
	.details = details,
	.check = check,
	.run = run,
};
