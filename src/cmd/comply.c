/* comply.c: `bulkhead comply FRAMEWORK PATH...`: a cluster and its nodes against a benchmark, guide or standard. */
#include "cmd/comply_write.h"
#include "cmd/judging.h"
#include "cmd/rendering.h"
#include "cmd/scanning.h"

#include "base/cleanup.h"
#include "comply/framework_file.h"
#include "kube/live.h"
#include "sys/files.h"

#include <stdio.h>

/* Index = enum comply_format. */
static const char *const formats[] = { "text", "json", "csv", "markdown", "html", "oscal", NULL };
static const char *const verdicts[] = { "fail", "unchecked", "manual", "exempt", "attested", "pass", "not-applicable", NULL };

static const struct cmd_option options[] = {
	{ .name = "format", .letter = 'f', .kind = CMD_CHOICE, .argument = "FORMAT", .choices = formats, .default_text = "text", .help = "format of the report" },
	{ .name = "output", .letter = 'o', .kind = CMD_STRING, .argument = "FILE", .help = "write the report to FILE, - is standard output" },
	{ .name = "root", .kind = CMD_STRING, .argument = "FOLDER",
	  .help = "the root of a node, / of this one: its files, units, static pods and processes" },
	{ .name = "record", .kind = CMD_STRING, .argument = "FILE", .not_in_config = true,
	  .help = "keep what docker: or podman: tell in FILE, which can be given as a PATH elsewhere" },
	{ .name = "report", .kind = CMD_LIST, .argument = "FILE", .help = "a report of bulkhead scan -f json; may be repeated" },
	{ .name = "policy", .letter = 'p', .kind = CMD_LIST, .argument = "PATH",
	  .help = "ValidatingAdmissionPolicies that a framework of your own names: files or folders; may be repeated" },
	CMD_RENDERING_OPTIONS("namespace"),
	{ .name = "kubernetes", .kind = CMD_STRING, .argument = "VERSION", .default_text = "1.34", .help = "the version of Kubernetes whose rules and defaults count" },
	{ .name = "vulnerabilities", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = cmd_severities, .default_text = "high",
	  .help = "vulnerabilities in reports count at or above this severity" },
	{ .name = "exclude-namespace", .kind = CMD_LIST, .argument = "NAME", .commas = true, .help = "objects of this namespace don't count; may be repeated" },
	{ .name = "control", .kind = CMD_LIST, .argument = "ID", .commas = true, .help = "only these controls; * and ? stand for others: \"5.*\"; may be repeated" },
	{ .name = "show", .kind = CMD_LIST, .argument = "VERDICT", .choices = verdicts, .commas = true, .help = "text, Markdown and HTML: only controls with this verdict; may be repeated" },
	{ .name = "list", .kind = CMD_FLAG, .not_in_config = true, .help = "list the frameworks and their versions" },
	{ 0 },
};

static const char details[] =
	"FRAMEWORK is a name from --list, with or without its version, or a file with a\n"
	"framework of your own. PATH is a file of YAML or\n"
	"JSON manifests, a folder that holds some, - for standard input, or cluster:[CONTEXT] for\n"
	"a live cluster of the kubeconfig: what a cluster runs, or its static pods; or docker: or\n"
	"podman: for the daemon of this host, its running containers and its images.\n"
	"\n"
	"Exit status: 0 no control fails, 1 one fails, 2 wrong usage or input, 3 something could\n"
	"not be checked and nothing fails, 4 internal error.\n";

#define FRAMEWORK_BYTES_MAX (64u << 20)

/* What the options point to. */
struct own_framework {
	struct bh_arena arena;
	struct comply_framework framework;
	struct kube_rendering rendering;
};

static int list(const struct cmd_args *args)
{
	struct bh_buf out;
	struct bh_err err = { 0 };
	bh_buf_init(&out, 1u << 20);
	for (size_t i = 0; i < comply_frameworks_count; i++) {
		const struct comply_framework *f = &comply_frameworks[i];
		size_t decided = 0;
		for (size_t k = 0; k < f->n_controls; k++)
			decided += f->controls[k].how == COMPLY_DECIDED;
		bh_buf_printf(&out, "%-20s %-5s %3zu controls, %3zu decided  %s (%s)\n", f->name, f->version, f->n_controls, decided, f->title, f->applies_to);
	}
	int rc = cmd_write_document(args, &out, &err);
	bh_buf_done(&out);
	return rc < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}

/* A name with a slash or a suffix is a file. */
static int find_framework(const char *name, struct own_framework *own, const struct comply_framework **ret, struct bh_err *err)
{
	struct bh_slice s = bh_slice_str(name);
	if (bh_slice_find(s, '/') < s.len || bh_slice_ends(s, BH_SLICE_LIT(".tsv"))) {
		*ret = &own->framework;
		return comply_framework_load(name, &own->arena, &own->framework, err);
	}
	*ret = comply_framework_find(s);
	return *ret ? 0 : bh_fail(err, BH_EUSAGE, 0, "comply: no framework is called %s; --list tells which there are", name);
}

static int make_options(const struct cmd_args *args, struct own_framework *own, struct comply_options *o, struct bh_err *err)
{
	const char *const *targets;
	size_t n = cmd_targets(args, &targets);
	if (n == 0)
		return bh_fail(err, BH_EUSAGE, 0, "comply: which framework? --list tells which there are");
	*o = (struct comply_options){
		.paths = targets + 1,
		.n_paths = n - 1,
		.root = cmd_string(args, "root"),
		.vulnerability = (enum bh_severity)cmd_choice(args, "vulnerabilities"),
		.exceptions = cmd_exceptions(args),
	};
	o->n_reports = cmd_list(args, "report", &o->reports);
	o->n_without = cmd_list(args, "exclude-namespace", &o->without);
	o->n_controls = cmd_list(args, "control", &o->controls);
	o->n_policies = cmd_list(args, "policy", &o->policies);
	int rc = find_framework(targets[0], own, &o->framework, err);
	if (rc < 0)
		return rc;
	if (o->n_paths == 0 && !o->root && o->n_reports == 0)
		return bh_fail(err, BH_EUSAGE, 0, "comply: nothing to look at: name manifests, --root or --report");
	rc = cmd_kubernetes_minor(args, "comply", &o->minor, err);
	rc = rc < 0 ? rc : cmd_rendering(args, "kubernetes", &own->rendering, err);
	o->rendering = &own->rendering;
	return rc < 0 ? rc : cmd_report_time(&o->now_s, err);
}

static int check_options(const struct cmd_args *args, struct bh_err *err)
{
	struct comply_options o;
	struct own_framework own = { 0 };
	bh_arena_init(&own.arena, FRAMEWORK_BYTES_MAX);
	int rc = cmd_flag(args, "list") ? 0 : make_options(args, &own, &o, err);
	bh_arena_done(&own.arena);
	return rc;
}

#define RECORD_BYTES_MAX (512u << 20)

/* What the daemons said, as the children get it. */
static int record(const char *file, const struct comply_options *o, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bool found = false;
	int rc = 0;
	bh_buf_init(&text, RECORD_BYTES_MAX);
	for (size_t i = 0; rc == 0 && i < o->n_paths; i++) {
		BH_CLOSE int fd = -1;
		if (!kube_is_daemon(o->paths[i]))
			continue;
		found = true;
		rc = kube_daemon_open(o->paths[i], &fd, err);
		rc = rc < 0 ? rc : bh_read_all(fd, RECORD_BYTES_MAX, &text, err);
	}
	if (rc == 0 && !found)
		return bh_fail(err, BH_EUSAGE, 0, "comply: --record keeps what a daemon tells: name docker: or podman: among the paths");
	return rc < 0 ? rc : bh_write_file_atomic(file, bh_buf_slice(&text), 0600, err);
}

static int write_report(const struct cmd_args *args, const struct comply_options *o, const struct comply_report *report, struct bh_err *err)
{
	struct bh_buf out;
	struct comply_view view = { .report = report, .options = o };
	const char *const *words;
	size_t n = cmd_list(args, "show", &words);
	for (size_t i = 0; i < n; i++)
		for (enum comply_verdict v = 0; v < COMPLY_VERDICTS; v++)
			if (strcmp(words[i], comply_verdict_name(v)) == 0)
				view.shown |= 1u << v;
	view.shown = view.shown ? view.shown : (1u << COMPLY_VERDICTS) - 1;
	bh_buf_init(&out, COMPLY_DOCUMENT_BYTES_MAX);
	comply_write(&view, (enum comply_format)cmd_choice(args, "format"), &out);
	int rc = cmd_write_document(args, &out, err);
	bh_buf_done(&out);
	return rc;
}

static void tell_gaps(const struct bh_report *report)
{
	for (size_t i = 0; i < report->incomplete.len; i++) {
		const struct bh_incomplete *gap = &report->incomplete.ptr[i];
		struct bh_buf line;
		bh_buf_init(&line, 1u << 20);
		bh_buf_add_str(&line, "bulkhead: not checked: ");
		bh_buf_add_escaped(&line, gap->path);
		bh_buf_add_str(&line, gap->path.len ? ": " : "");
		bh_buf_add_escaped(&line, gap->reason);
		bh_buf_add_byte(&line, '\n');
		fwrite(line.ptr, 1, line.len, stderr);
		bh_buf_done(&line);
	}
}

static int comply(const struct cmd_args *args, const struct comply_options *o)
{
	struct comply_report report;
	struct bh_err err = { 0 };
	const char *file = cmd_string(args, "record");
	int rc = file ? record(file, o, &err) : 0;
	rc = rc < 0 ? rc : comply_run(o, &report, &err);
	if (rc < 0)
		return cmd_no_report(&err);
	tell_gaps(&report.findings);
	int code = report.totals[COMPLY_FAIL] ? EXIT_FINDINGS : report.totals[COMPLY_UNCHECKED] || report.findings.incomplete.len ? EXIT_INCOMPLETE : EXIT_CLEAN;
	if (o->n_paths && report.objects == 0 && report.findings.incomplete.len == 0)
		rc = bh_fail(&err, BH_EUSAGE, 0, "no Kubernetes object in %s", o->paths[0]);
	rc = rc < 0 ? rc : write_report(args, o, &report, &err);
	comply_report_done(&report);
	return rc < 0 ? cmd_failed(&err) : code;
}

static int run(const struct cmd_args *args)
{
	struct comply_options o;
	struct own_framework own = { 0 };
	struct bh_err err = { 0 };
	if (cmd_flag(args, "list"))
		return list(args);
	bh_arena_init(&own.arena, FRAMEWORK_BYTES_MAX);
	int code = make_options(args, &own, &o, &err) < 0 ? cmd_failed(&err) : comply(args, &o);
	bh_arena_done(&own.arena);
	return code;
}

const struct cmd_command cmd_command_comply = {
	.name = "comply",
	.usage = "FRAMEWORK [options] [PATH...]",
	.summary = "Check a cluster and its nodes against benchmarks and standards",
	.options = options,
	.min_targets = 0,
	.max_targets = SIZE_MAX,
	.details = details,
	.check = check_options,
	.run = run,
};
