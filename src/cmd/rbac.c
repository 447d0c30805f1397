/* rbac.c: `bulkhead rbac VERB`: who can do what by roles and bindings, what of it is dangerous, unused, and enough. */
#include "cmd/rbac.h"

#include "cmd/judging.h"
#include "cmd/scanning.h"

/* Index = enum rbac_defaults. */
static const char *const defaults[] = { "auto", "yes", "no", NULL };


static const struct cmd_option options[] = {
	CMD_REPORT_OPTIONS,
	{ .name = "fail-on", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = cmd_thresholds, .default_text = "high",
	  .help = "risks: exit 1 for findings at or above this severity" },
	{ .name = "severity", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = cmd_severities, .default_text = "low",
	  .help = "risks: show findings at or above this severity; the others are counted only" },
	{ .name = "namespace", .letter = 'n', .kind = CMD_STRING, .argument = "NAME", .help = "who-can, can: in this namespace; default: in any" },
	{ .name = "name", .kind = CMD_STRING, .argument = "NAME", .help = "who-can, can: on the object of this name; default: on any" },
	{ .name = "verb", .kind = CMD_STRING, .argument = "VERB", .help = "can: answer whether the subject can do this; with --resource" },
	{ .name = "resource", .kind = CMD_STRING, .argument = "RESOURCE", .help = "can: with --verb: pods/log, deployments.apps, /healthz" },
	CMD_RENDERING_OPTIONS(NULL),
	{ .name = "group", .kind = CMD_LIST, .argument = "GROUP", .help = "can: a group that the subject is in; may be repeated" },
	{ .name = "subject", .kind = CMD_LIST, .argument = "SUBJECT", .help = "least: for this one; may be repeated; default: all but the cluster's own" },
	{ .name = "log", .kind = CMD_LIST, .argument = "FILE", .help = "unused: an audit log; what it shows nobody to have used is named too; may be repeated" },
	{ .name = "since", .kind = CMD_STRING, .argument = "TIME", .help = "least, unused: events from this time on: 2026-11-01, 2026-11-01T12:00:00Z" },
	{ .name = "until", .kind = CMD_STRING, .argument = "TIME", .help = "least, unused: events up to this time, or in this day" },
	{ .name = "defaults", .kind = CMD_CHOICE, .argument = "WHEN", .choices = defaults, .default_text = "auto",
	  .help = "take Kubernetes' own roles and bindings to be there; auto: unless the input has them" },
	{ 0 },
};

static const char details[] =
	"who-can VERB RESOURCE PATH...   who may do that: RESOURCE as pods/log, deployments.apps, /healthz\n"
	"can SUBJECT PATH...             what user:NAME, group:NAME or sa:NAMESPACE/NAME may do\n"
	"risks PATH...                   what of all that is dangerous, as a report\n"
	"diff OLD NEW                    rights that subjects gained and lost\n"
	"graph PATH...                   a drawing of subjects and their roles, as SVG\n"
	"least LOG...                    the roles that allow what an audit log shows, proven by replay\n"
	"unused PATH...                  what nobody needs: by the objects, and with --log by what was done\n"
	"\n"
	"PATH is a file of YAML or JSON manifests or a dump of kubectl get -o json, a folder that\n"
	"holds some, or - for standard input.\n"
	"\n"
	"Exit status: 0 done, 1 can: no, risks: findings at or above --fail-on, 2 wrong usage or input, 3 something could not be read,\n"
	"4 internal error.\n";

/* ---- what the options say ---- */

/* "pods/log", "deployments.apps/scale", "/healthz" */
static int read_request(const char *verb, const char *resource, struct rbac_asking *a, struct bh_err *err)
{
	struct rbac_request *q = &a->request;
	struct bh_slice whole = bh_slice_str(resource), text;
	q->verb = bh_slice_str(verb);
	if (bh_slice_starts(whole, BH_SLICE_LIT("/"))) {
		q->is_url = true;
		q->path = whole;
		return 0;
	}
	(void)bh_slice_cut(whole, '/', &text, &q->subresource);
	a->any_group = !bh_slice_cut(text, '.', &q->resource, &q->group);
	if (bh_slice_eq_str(q->resource, "*") && a->any_group) {
		q->group = BH_SLICE_LIT("*");
		a->any_group = false;
	}
	return q->resource.len && q->verb.len ? 0 : bh_fail(err, BH_EUSAGE, 0, "rbac: a verb and a resource were expected, as in: get pods/log");
}

int cmd_rbac_asking(const struct cmd_args *args, struct rbac_asking *ret, struct bh_err *err)
{
	const char *namespace = cmd_string(args, "namespace"), *name = cmd_string(args, "name");
	(void)err;
	*ret = (struct rbac_asking){ .defaults = (enum rbac_defaults)cmd_choice(args, "defaults"), .any_namespace = !namespace };
	ret->n_groups = cmd_list(args, "group", &ret->groups);
	ret->request.namespace = bh_slice_str(namespace);
	ret->request.name = bh_slice_str(name);
	return 0;
}

static int read_subject(const char *text, struct rbac_asking *a, struct bh_err *err)
{
	if (rbac_subject_parse(bh_slice_str(text), &a->subject))
		return 0;
	return bh_fail(err, BH_EUSAGE, 0, "rbac: %s: a subject was expected: user:NAME, group:NAME or sa:NAMESPACE/NAME", text);
}

/* ---- what comes out ---- */

enum cmd_rows_format cmd_rbac_format(const struct cmd_args *args)
{
	const char *const *formats;
	enum cmd_rows_format format = CMD_ROWS_TABLE;
	if (cmd_list(args, "format", &formats))
		(void)cmd_rows_format(formats[0], &format);
	return format;
}

int cmd_rbac_write(const struct cmd_args *args, const struct kube_answer *answer, const struct cmd_columns *columns, struct bh_err *err)
{
	struct bh_buf out;
	bh_buf_init(&out, RBAC_DOCUMENT_BYTES_MAX);
	cmd_add_rows(&out, answer, columns, cmd_rbac_format(args));
	int rc = cmd_write_document(args, &out, err);
	bh_buf_done(&out);
	return rc;
}

/* Asks, tells what is missing, and writes the rows of one kind. */
static int list(const struct cmd_args *args, const struct kube_question *question, const struct cmd_columns *columns)
{
	struct kube_answer answer;
	struct bh_err err = { 0 };
	if (cmd_ask(args, question, &answer, &err) < 0)
		return cmd_no_report(&err);
	cmd_tell_gaps(&answer);
	int rc = cmd_want_objects(&answer, question->paths[0].list[0], &err);
	rc = rc < 0 ? rc : cmd_rbac_write(args, &answer, columns, &err);
	int code = rc < 0 ? cmd_failed(&err) : answer.gaps.len ? EXIT_INCOMPLETE : EXIT_CLEAN;
	kube_answer_done(&answer);
	return code;
}

/* ---- the verbs ---- */

static int who_can(const struct cmd_args *args, const char *const *targets, size_t n)
{
	static const char *const names[] = { "subject", "scope", "names", "role", "binding", "where" };
	static const struct cmd_columns columns = { RBAC_ROW_GRANT, names, RBAC_GRANT_CELLS };
	struct rbac_asking a;
	struct bh_err err = { 0 };
	if (cmd_rbac_asking(args, &a, &err) < 0 || read_request(targets[0], targets[1], &a, &err) < 0)
		return cmd_failed(&err);
	const struct kube_question question = { .name = "roles", .paths = { { targets + 2, n - 2 } }, .answer = rbac_who_can, .ctx = &a };
	return list(args, &question, &columns);
}

/* The answer to --verb and --resource. */
static int may(const struct cmd_args *args, struct kube_question *question)
{
	static const char *const names[] = { "allowed", "role", "binding", "where" };
	static const struct cmd_columns columns = { RBAC_ROW_ANSWER, names, RBAC_ANSWER_CELLS };
	struct kube_answer answer;
	struct bh_err err = { 0 };
	question->answer = rbac_may;
	if (cmd_ask(args, question, &answer, &err) < 0)
		return cmd_no_report(&err);
	cmd_tell_gaps(&answer);
	int rc = cmd_want_objects(&answer, question->paths[0].list[0], &err);
	rc = rc < 0 ? rc : cmd_rbac_write(args, &answer, &columns, &err);
	bool yes = answer.rows.len && bh_slice_eq_str(kube_cell(&answer.rows.ptr[0], RBAC_ANSWER_YES), "yes");
	int code = rc < 0 ? cmd_failed(&err) : yes ? EXIT_CLEAN : answer.gaps.len ? EXIT_INCOMPLETE : EXIT_FINDINGS;
	kube_answer_done(&answer);
	return code;
}

static int can(const struct cmd_args *args, const char *const *targets, size_t n)
{
	static const char *const names[] = { "scope", "verbs", "resources", "names", "via", "role", "binding", "where" };
	static const struct cmd_columns columns = { RBAC_ROW_RULE, names, RBAC_RULE_CELLS };
	const char *verb = cmd_string(args, "verb"), *resource = cmd_string(args, "resource");
	struct rbac_asking a;
	struct bh_err err = { 0 };
	if (cmd_rbac_asking(args, &a, &err) < 0 || read_subject(targets[0], &a, &err) < 0 || (verb && read_request(verb, resource, &a, &err) < 0))
		return cmd_failed(&err);
	struct kube_question question = { .name = "roles", .paths = { { targets + 1, n - 1 } }, .answer = rbac_can, .ctx = &a };
	return verb ? may(args, &question) : list(args, &question, &columns);
}

static int diff(const struct cmd_args *args, const char *const *targets, size_t n)
{
	static const char *const names[] = { "change", "subject", "scope", "verbs", "resource", "name", "role", "binding" };
	static const struct cmd_columns columns = { RBAC_ROW_CHANGE, names, RBAC_CHANGE_CELLS };
	struct rbac_asking a;
	struct bh_err err = { 0 };
	if (cmd_rbac_asking(args, &a, &err) < 0)
		return cmd_failed(&err);
	const struct kube_question question = { .name = "roles", .paths = { { targets, 1 }, { targets + 1, n - 1 } }, .answer = rbac_diff, .ctx = &a };
	return list(args, &question, &columns);
}

/* The verbs that answer with rows. */
static int check_formats(const struct cmd_args *args, struct bh_err *err)
{
	const char *const *formats;
	enum cmd_rows_format format;
	size_t n = cmd_list(args, "format", &formats);
	for (size_t i = 0; i < n; i++)
		if (n > 1 || !cmd_rows_format(formats[i], &format))
			return bh_fail(err, BH_EUSAGE, 0, "rbac: that verb writes one format: table, json, csv or markdown; -o names the file");
	return 0;
}

static int check(const struct cmd_args *args, struct bh_err *err)
{
	if (!cmd_string(args, "verb") != !cmd_string(args, "resource"))
		return bh_fail(err, BH_EUSAGE, 0, "rbac: --verb and --resource go together");
	const char *const *words;
	if (cmd_list(args, "log", &words) && cmd_targets(args, &words) && strcmp(words[0], "unused") != 0)
		return bh_fail(err, BH_EUSAGE, 0, "rbac: --log is for unused only");
	return 0;
}

static const struct cmd_verb verbs[] = {
	{ "who-can", "VERB RESOURCE PATH...", 3, SIZE_MAX, who_can, check_formats },
	{ "can", "SUBJECT PATH...", 2, SIZE_MAX, can, check_formats },
	{ "risks", "PATH...", 1, SIZE_MAX, cmd_rbac_risks, cmd_check_report },
	{ "diff", "OLD NEW", 2, 2, diff, check_formats },
	{ "graph", "PATH...", 1, SIZE_MAX, cmd_rbac_graph, check_formats },
	{ "least", "LOG...", 1, SIZE_MAX, cmd_rbac_least, check_formats },
	{ "unused", "PATH...", 1, SIZE_MAX, cmd_rbac_unused, check_formats },
	{ 0 },
};

const struct cmd_command cmd_command_rbac = {
	.name = "rbac",
	.usage = "VERB [options] ...",
	.summary = "Tell who can do what by Kubernetes' roles, and what is too much",
	.options = options,
	.min_targets = 2,
	.max_targets = SIZE_MAX,
	.verbs = verbs,
	.details = details,
	.check = check,
};
