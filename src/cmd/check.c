/* check.c: `bulkhead check PATH...`: Kubernetes manifests, functions, Dockerfiles, files of Compose and images against admission policies, before anything is applied. */
#include "cmd/check_fix.h"
#include "cmd/image_object.h"
#include "cmd/judging.h"
#include "cmd/pinning.h"
#include "cmd/rendering.h"
#include "cmd/scanning.h"
#include "cmd/source.h"

#include "kube/compose.h"
#include "kube/dockerfile.h"
#include "kube/review.h"
#include "kube/vap.h"
#include "serverless/serverless.h"

/* Index = enum kube_level. */
static const char *const levels[] = { "none", "baseline", "restricted", NULL };

/* Index = enum kube_mend_level. */
static const char *const fix_levels[] = { "no", "safe", "all", NULL };

static const struct cmd_option options[] = {
	CMD_REPORT_OPTIONS,
	{ .name = "fix", .kind = CMD_CHOICE, .argument = "LEVEL", .choices = fix_levels, .default_text = "no", .implied = "safe", .not_in_config = true,
	  .help = "mend in the files what can be mended: safe changes, or all, which may break programs" },
	{ .name = "diff", .kind = CMD_FLAG, .not_in_config = true, .help = "print what --fix would change, for patch -p0, and write nothing" },
	{ .name = "pin", .kind = CMD_FLAG, .not_in_config = true, .help = "with --fix or --diff: ask registries for digests, and pin images to them" },
	{ .name = "policy", .letter = 'p', .kind = CMD_LIST, .argument = "PATH",
	  .help = "ValidatingAdmissionPolicies, their bindings and parameters: files or folders; may be repeated" },
	{ .name = "pod-security", .kind = CMD_CHOICE, .argument = "LEVEL", .choices = levels, .default_text = "restricted",
	  .help = "the level of the Pod Security Standards that has to be met" },
	{ .name = "no-hardening", .kind = CMD_FLAG, .help = "leave the built-in policies beyond the Pod Security Standards out" },
	{ .name = "no-schema", .kind = CMD_FLAG, .help = "don't compare the manifests with the types of Kubernetes' API" },
	{ .name = "shellcheck", .kind = CMD_FLAG, .help = "ask ShellCheck, which has to be installed, about the shell in Dockerfiles, too" },
	{ .name = "kubernetes", .kind = CMD_STRING, .argument = "VERSION", .default_text = "1.37",
	  .help = "the version of Kubernetes whose types, rules and functions count" },
	CMD_RENDERING_OPTIONS("namespace"),
	CMD_SOURCE_OPTIONS,
	{ .name = "fail-on", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = cmd_thresholds, .default_text = "medium",
	  .help = "exit 1 for findings at or above this severity" },
	{ .name = "severity", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = cmd_severities, .default_text = "negligible",
	  .help = "show findings at or above this severity; the others are counted only" },
	{ 0 },
};

static const char details[] =
	"PATH is a file of YAML or JSON manifests, a folder that holds some, - for standard\n"
	"input, or cluster:[CONTEXT] for a live cluster of the kubeconfig.\n"
	"Recorded AdmissionReviews are reviewed as they were asked.\n"
	"Functions are read too: SAM, CloudFormation, serverless.yml, Terraform plans,\n"
	"Knative and OpenFaaS; and Dockerfiles, by their names or how they begin.\n"
	"--fix mends the files in place; what it can't mend is told with the reason.\n"
	"\n"
	"Exit status: 0 nothing at or above --fail-on, 1 findings at or above it, 2 wrong\n"
	"usage or input, 3 something could not be checked and nothing worse was found,\n"
	"4 internal error.\n";

/* Standard input can be read once, and what is mended is read again. The difference takes the place of the report. */
static int check_fix_options(const struct cmd_args *args, struct bh_err *err)
{
	const char *const *paths;
	size_t n = cmd_targets(args, &paths);
	bool fixes = cmd_choice(args, "fix") != KUBE_MEND_NONE || cmd_flag(args, "diff");
	if (cmd_flag(args, "pin") && !fixes)
		return bh_fail(err, BH_EUSAGE, 0, "check: --pin is about what --fix writes or --diff shows: give one of them, too");
	for (size_t i = 0; fixes && n > 1 && i < n; i++)
		if (strcmp(paths[i], "-") == 0)
			return bh_fail(err, BH_EUSAGE, 0, "check: standard input can't be mended: check it apart from the files that --fix and --diff are for");
	static const char *const outputs[] = { "format", "output" };
	for (size_t i = 0; cmd_flag(args, "diff") && i < 2; i++)
		if (cmd_origin(args, outputs[i]) && strcmp(cmd_origin(args, outputs[i]), "command line") == 0)
			return bh_fail(err, BH_EUSAGE, 0, "check: --diff prints a difference instead of the report: --%s says nothing about it", outputs[i]);
	return cmd_check_report(args, err);
}

static int check_options(const struct cmd_args *args, struct bh_err *err)
{
	unsigned minor;
	int rc = cmd_kubernetes_minor(args, "check", &minor, err);
	return rc < 0 ? rc : check_fix_options(args, err);
}

/* How much was looked at, which the findings alone don't say. */
static int tell_counts(struct bh_report *report, const struct kube_review_counts *n, struct bh_err *err)
{
	const char *text = bh_arena_printf(&report->arena, "%llu object%s in %llu file%s, %llu polic%s", (unsigned long long)n->objects, n->objects == 1 ? "" : "s",
					   (unsigned long long)n->files, n->files == 1 ? "" : "s", (unsigned long long)n->policies,
					   n->policies == 1 ? "y" : "ies");
	if (text && n->bootstrap)
		text = bh_arena_printf(&report->arena, "%s; %llu of Kubernetes' own roles and bindings passed over", text, (unsigned long long)n->bootstrap);
	if (text && n->untyped)
		text = bh_arena_printf(&report->arena, "%s; %llu custom resource%s not compared with a schema: no CustomResourceDefinition of %.*s", text,
				       (unsigned long long)n->untyped, n->untyped == 1 ? "" : "s", BH_SLICE_FMT(n->untyped_kinds));
	if (text && n->open)
		text = bh_arena_printf(&report->arena, "%s; %llu check%s of pods left to what operators add", text, (unsigned long long)n->open, n->open == 1 ? "" : "s");
	if (text && n->functions)
		text = bh_arena_printf(&report->arena, "%s; code of %llu function%s not read: no check of secrets and calls in it", text, (unsigned long long)n->functions,
				       n->functions == 1 ? "" : "s");
	report->target.contents = bh_slice_str(text);
	return text ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for the report");
}

static int review(const struct cmd_args *args, const struct kube_review_options *o, struct bh_report *report, struct bh_err *err)
{
	struct kube_review_counts counts = { 0 };
	int rc = cmd_name_manifests(report, o->paths, o->n_paths, err);
	rc = rc < 0 ? rc : kube_review(o, report, &counts, err);
	rc = rc < 0 ? rc : tell_counts(report, &counts, err);
	if (rc < 0)
		return rc;
	if (counts.objects == 0 && report->incomplete.len == 0)
		return bh_fail(err, BH_EUSAGE, 0, "no Kubernetes object, no function, no Dockerfile and no service of Compose in %.*s", BH_SLICE_FMT(report->target.text));
	return cmd_judge(args, report, err);
}

static int check(const struct cmd_args *args, struct bh_report *report, const void *ctx, struct bh_err *err)
{
	(void)ctx;
	struct kube_review_options o = { .level = (enum kube_level)cmd_choice(args, "pod-security"), .no_hardening = cmd_flag(args, "no-hardening"), .no_bootstrap = true,
					  .patches = true };
	struct kube_rendering rendering;
	struct serverless functions;
	struct pinning pinning;
	const struct kube_foreign *const foreigners[] = { &functions.foreign, &kube_dockerfile, &kube_compose_services, NULL };
	struct check_fix fix = { .args = args, .options = &o, .review = review, .level = (enum kube_mend_level)cmd_choice(args, "fix"), .is_diff = cmd_flag(args, "diff") };
	int64_t now_s;
	int rc = cmd_report_time(&now_s, err);
	rc = rc < 0 ? rc : cmd_rendering(args, "kubernetes", &rendering, err);
	rc = rc < 0 ? rc : cmd_kubernetes_minor(args, "check", &o.minor, err);
	if (rc < 0)
		return rc;
	serverless_init(&functions, now_s);
	o.rendering = &rendering;
	o.foreigners = foreigners;
	o.dockerfiles = true;
	o.n_paths = cmd_targets(args, &o.paths);
	o.n_policies = cmd_list(args, "policy", &o.policies);
	o.schema = !cmd_flag(args, "no-schema");
	o.shellcheck = cmd_flag(args, "shellcheck");
	cmd_objects_use(args);
	pinning_init(&pinning, args);
	const struct kube_resolver resolver = pinning_resolver(&pinning);
	fix.resolver = cmd_flag(args, "pin") ? &resolver : NULL;
	rc = review(args, &o, report, err);
	rc = rc < 0 ? rc : check_fix(&fix, report, err);
	pinning_done(&pinning);
	return rc;
}

/* The difference is printed already. */
static int run_diff(const struct cmd_args *args)
{
	struct bh_report report;
	struct bh_err err = { 0 };
	bh_report_init(&report);
	int code = check(args, &report, NULL, &err) < 0 ? cmd_no_report(&err) : cmd_verdict_exit(report.verdict);
	bh_report_done(&report);
	return code;
}

static int run(const struct cmd_args *args)
{
	return cmd_flag(args, "diff") ? run_diff(args) : cmd_run_report(args, check, NULL);
}

const struct cmd_command cmd_command_check = {
	.name = "check",
	.usage = "[options] PATH...",
	.summary = "Check Kubernetes manifests, functions, Dockerfiles and images against policies in CEL",
	.options = options,
	.min_targets = 1,
	.max_targets = SIZE_MAX,
	.details = details,
	.check = check_options,
	.run = run,
};
