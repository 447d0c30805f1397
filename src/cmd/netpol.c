/* netpol.c: `bulkhead netpol VERB`: who may connect to whom on what, by the network policies among manifests. */
#include "cmd/netpol.h"

#include "cmd/judging.h"
#include "cmd/scanning.h"

/* Of all verbs: those of answers, of drawings, and of lint's report. */
static const char *const formats[] = {
	"text", "dot", "svg",
#define WRITER(name) #name,
#include "report/writers.def"
#undef WRITER
	NULL,
};

static const struct cmd_option options[] = {
	{ .name = "format", .letter = 'f', .kind = CMD_LIST, .argument = "FORMAT[=FILE]", .choices = formats, .default_text = "text",
	  .help = "text, json, csv, markdown; list: dot, svg, too; lint: those of check, to FILE, may be repeated" },
	CMD_REPORT_LOOKS,
	{ .name = "fail-on", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = cmd_thresholds, .default_text = "low",
	  .help = "lint: exit 1 for findings at or above this severity" },
	{ .name = "severity", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = cmd_severities, .default_text = "low",
	  .help = "lint: show findings at or above this severity; the others are counted only" },
	{ .name = "exposure", .kind = CMD_FLAG, .help = "list, diff: services that let the outside in as sources, too" },
	{ .name = "collapse", .kind = CMD_FLAG, .help = "list -f dot, svg: draw a namespace as one node" },
	{ .name = "port", .kind = CMD_STRING, .argument = "PORT", .help = "explain: about this port: 80, 53/udp, 8000-8080, a name" },
	{ .name = "flows", .kind = CMD_LIST, .argument = "FILE", .help = "test, generate: recorded flows: JSON lines (Hubble's too), or src,dst,port,proto; may be repeated" },
	{ .name = "fail-on-new", .kind = CMD_FLAG, .help = "diff: exit with 1 when something is allowed that was not" },
	CMD_RENDERING_OPTIONS("namespace"),
	{ 0 },
};

static const char details[] =
	"list PATH...               every pair that may connect, with the ports\n"
	"explain A B [PORT] PATH... why A may connect to B or not: every rule that is asked\n"
	"diff OLD NEW               connections added, removed and changed by a change of manifests\n"
	"lint PATH...               what is odd: policies that do nothing, allow too much, break DNS\n"
	"generate PATH...           policies that allow what manifests and --flows show to be needed\n"
	"test --flows FILE PATH...  which recorded flows the policies would have blocked\n"
	"\n"
	"PATH is a file of YAML or JSON manifests, a folder that holds some, - for standard\n"
	"input, or cluster:[CONTEXT] for a live cluster of the kubeconfig.\n"
	"Workloads, namespaces, services, ingresses and policies are taken from all of\n"
	"them together.\n"
	"\n"
	"Exit status: 0 done, 1 explain: not allowed, diff --fail-on-new: more is allowed,\n"
	"lint: findings at or above --fail-on, test: a flow is blocked, 2 wrong usage or input, 3 something could not be read or evaluated, 4 internal error.\n";

/* ---- what the verbs share ---- */

/* Of an answer; false: it is none of its formats. */
static bool answer_format(const struct cmd_args *args, enum netpol_format *ret)
{
	static const char *const names[] = { "text", "json", "csv", "markdown", "dot", "svg" }; /* index = enum netpol_format */
	const char *const *list;
	size_t n = cmd_list(args, "format", &list);
	const char *name = n == 1 && strcmp(list[0], "table") != 0 ? list[0] : "text";
	for (size_t i = 0; n == 1 && i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum netpol_format)i;
			return true;
		}
	return false;
}

static int write_rows(const struct cmd_args *args, const struct kube_answer *a, const struct netpol_output *output, struct bh_err *err)
{
	static const enum cmd_rows_format rows[] = { [NETPOL_JSON] = CMD_ROWS_JSON, [NETPOL_CSV] = CMD_ROWS_CSV, [NETPOL_MARKDOWN] = CMD_ROWS_MARKDOWN };
	enum netpol_format format = NETPOL_TEXT;
	struct bh_buf out;
	int rc = 0;
	(void)answer_format(args, &format);
	bh_buf_init(&out, NETPOL_DOCUMENT_BYTES_MAX);
	if (format == NETPOL_TEXT)
		output->write_text(a, &out);
	else if (format == NETPOL_JSON && output->write_json)
		output->write_json(a, &out);
	else if (format >= NETPOL_DOT)
		rc = cmd_netpol_draw(a, format == NETPOL_SVG, cmd_flag(args, "collapse"), &out, err);
	else
		cmd_add_rows(&out, a, &output->columns, rows[format]);
	rc = rc < 0 ? rc : cmd_write_document(args, &out, err);
	bh_buf_done(&out);
	return rc;
}

int cmd_netpol_answer(const struct cmd_args *args, const struct kube_question *question, const struct netpol_output *output)
{
	struct kube_answer answer;
	struct bh_err err = { 0 };
	if (cmd_ask(args, question, &answer, &err) < 0)
		return cmd_failed(&err);
	cmd_tell_gaps(&answer);
	int rc = cmd_want_objects(&answer, question->paths[0].list[0], &err);
	rc = rc < 0 ? rc : write_rows(args, &answer, output, &err);
	bool failed = rc == 0 && output->fails && output->fails(args, &answer);
	int code = rc < 0 ? cmd_failed(&err) : failed ? EXIT_FINDINGS : answer.gaps.len ? EXIT_INCOMPLETE : EXIT_CLEAN;
	kube_answer_done(&answer);
	return code;
}

/* ---- list ---- */

static void write_list(const struct kube_answer *a, struct bh_buf *out)
{
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct bh_slice *cells = a->rows.ptr[i].cells;
		bh_buf_add_escaped(out, cells[NETPOL_FROM]);
		bh_buf_add_str(out, " => ");
		bh_buf_add_escaped(out, cells[NETPOL_TO]);
		bh_buf_add_str(out, " : ");
		bh_buf_add(out, cells[NETPOL_PORTS]);
		bh_buf_add_byte(out, '\n');
	}
}

/* As the other tool indents it. */
static void write_list_json(const struct kube_answer *a, struct bh_buf *out)
{
	bh_buf_add_str(out, "[");
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct bh_slice *cells = a->rows.ptr[i].cells;
		bh_buf_add_str(out, i ? ",\n  {\n    \"src\": " : "\n  {\n    \"src\": ");
		bh_buf_add_json(out, cells[NETPOL_FROM]);
		bh_buf_add_str(out, ",\n    \"dst\": ");
		bh_buf_add_json(out, cells[NETPOL_TO]);
		bh_buf_add_str(out, ",\n    \"conn\": ");
		bh_buf_add_json(out, cells[NETPOL_PORTS]);
		bh_buf_add_str(out, "\n  }");
	}
	bh_buf_add_str(out, a->rows.len ? "\n]\n" : "]\n");
}

static int list(const struct cmd_args *args, const char *const *targets, size_t n)
{
	static const char *const names[] = { "src", "dst", "conn" };
	static const struct netpol_output output = { .columns = { NETPOL_ROW_PAIR, names, NETPOL_CELLS }, .write_text = write_list, .write_json = write_list_json };
	struct netpol_listing listing = { .services = cmd_flag(args, "exposure") };
	const struct kube_question question = { .name = "network policies", .paths = { { targets, n } }, .answer = netpol_list, .ctx = &listing };
	return cmd_netpol_answer(args, &question, &output);
}

/* ---- verbs ---- */

static int check_list(const struct cmd_args *args, struct bh_err *err)
{
	enum netpol_format format;
	return answer_format(args, &format) ? 0 : bh_fail(err, BH_EUSAGE, 0, "netpol list writes one format: text, json, csv, markdown, dot or svg; -o names the file");
}

static int check_text(const struct cmd_args *args, struct bh_err *err)
{
	enum netpol_format format;
	if (!answer_format(args, &format))
		return bh_fail(err, BH_EUSAGE, 0, "netpol: this verb writes one format: text, json, csv or markdown; -o names the file");
	if (format >= NETPOL_DOT)
		return bh_fail(err, BH_EUSAGE, 0, "netpol: only list makes drawings, this verb draws nothing: -f text, json, csv or markdown");
	return 0;
}

static int check_yaml(const struct cmd_args *args, struct bh_err *err)
{
	enum netpol_format format;
	if (!answer_format(args, &format) || format != NETPOL_TEXT)
		return bh_fail(err, BH_EUSAGE, 0, "netpol generate writes YAML: leave out -f");
	return 0;
}

/* "text" is the table; drawings are none of a report's formats. */
static int check_lint(const struct cmd_args *args, struct bh_err *err)
{
	const char *const *list;
	size_t n = cmd_list(args, "format", &list);
	for (size_t i = 0; i < n; i++) {
		struct bh_slice name, file;
		(void)bh_slice_cut(bh_slice_str(list[i]), '=', &name, &file);
		if (bh_slice_eq_str(name, "dot") || bh_slice_eq_str(name, "svg"))
			return bh_fail(err, BH_EUSAGE, 0, "netpol: only list makes drawings, this verb draws nothing: -f table, json, sarif or another one of check");
	}
	return cmd_check_report(args, err);
}

static int check_flows(const struct cmd_args *args, struct bh_err *err)
{
	const char *const *flows;
	if (cmd_list(args, "flows", &flows) == 0)
		return bh_fail(err, BH_EUSAGE, 0, "netpol test: which flows? --flows FILE");
	return check_text(args, err);
}

static const struct cmd_verb verbs[] = {
	{ "list", "PATH...", 1, SIZE_MAX, list, check_list },
	{ "explain", "A B [PORT] PATH...", 3, SIZE_MAX, cmd_netpol_explain, check_text },
	{ "diff", "OLD NEW", 2, 2, cmd_netpol_diff, check_text },
	{ "lint", "PATH...", 1, SIZE_MAX, cmd_netpol_lint, check_lint },
	{ "generate", "[--flows FILE] PATH...", 1, SIZE_MAX, cmd_netpol_generate, check_yaml },
	{ "test", "--flows FILE PATH...", 1, SIZE_MAX, cmd_netpol_test, check_flows },
	{ 0 },
};

const struct cmd_command cmd_command_netpol = {
	.name = "netpol",
	.usage = "VERB [options] ...",
	.summary = "Tell who may connect to whom by Kubernetes' network policies",
	.options = options,
	.min_targets = 2,
	.max_targets = SIZE_MAX,
	.verbs = verbs,
	.details = details,
};
