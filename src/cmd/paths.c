/* paths.c: `bulkhead paths PATH...`: what an attacker reaches, in which steps, and what stops it. */
#include "kube/paths.h"

#include "cmd/asking.h"
#include "cmd/output.h"
#include "cmd/paths_write.h"
#include "cmd/scanning.h"
#include "kube/compose.h"
#include "kube/files.h"

#define DOCUMENT_BYTES_MAX (1024u << 20)
#define WAYS_MAX 50u
#define NAMES_BYTES_MAX (64u << 20)

/* Index = enum paths_format. */
static const char *const formats[] = { "text", "json", "csv", "markdown", "svg", "html", NULL };
static const char *const failures[] = { "path", "never", NULL };

static const struct cmd_option options[] = {
	{ .name = "from", .kind = CMD_STRING, .argument = "WHERE", .default_text = "internet",
	  .help = "where the attacker begins: internet, NAMESPACE/NAME of a workload, sa:NAMESPACE/NAME, user:NAME, group:NAME" },
	{ .name = "to", .kind = CMD_LIST, .argument = "TARGET",
	  .help = "cluster-admin, node, node:NAME, cloud, secret:NS/NAME, workload:NS/NAME, sa:NS/NAME, volume:NS/NAME; may be repeated; default: the first three" },
	{ .name = "report", .kind = CMD_LIST, .argument = "FILE", .help = "what bulkhead scan -f json says of an image: which workloads can be exploited; may be repeated" },
	{ .name = "without", .kind = CMD_LIST, .argument = "FACT", .help = "as if this fact of a path had been changed already; may be repeated" },
	{ .name = "with", .kind = CMD_LIST, .argument = "PATH", .help = "as if these manifests were there, too: policies, labels; may be repeated" },
	{ .name = "ways", .kind = CMD_UINT, .argument = "N", .default_text = "3", .min = 1, .max = WAYS_MAX, .help = "show at most so many ways to a target" },
	{ .name = "blast", .kind = CMD_FLAG, .help = "instead: what falls with each workload, as a score and a sentence" },
	{ .name = "format", .letter = 'f', .kind = CMD_CHOICE, .argument = "FORMAT", .choices = formats, .default_text = "text", .help = "format of the answer" },
	{ .name = "output", .letter = 'o', .kind = CMD_STRING, .argument = "FILE", .help = "write the answer to FILE, - is standard output" },
	CMD_RENDERING_OPTIONS("namespace"),
	{ .name = "fail-on", .kind = CMD_CHOICE, .argument = "WHAT", .choices = failures, .default_text = "path", .help = "exit 1 when a target is reached: path, or never" },
	{ 0 },
};

static const char details[] =
	"PATH is a file of YAML or JSON manifests or of docker-compose, a folder that holds some,\n"
	"- for standard input, or cluster:[CONTEXT] for a live cluster of the kubeconfig.\n"
	"\n"
	"Exit status: 0 no target is reached, 1 one is, 2 wrong usage or input, 3 something could\n"
	"not be read and no target is reached, 4 internal error.\n";

/* Those of --with behind the others: objects that are added. */
static int join_paths(const char *const *targets, size_t n, const char *const *more, size_t n_more, const char ***ret, struct bh_err *err)
{
	const char **all = calloc(n + n_more + 1, sizeof(*all));
	if (!all)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		all[i] = targets[i];
	for (size_t i = 0; i < n_more; i++)
		all[n + i] = more[i];
	*ret = all;
	return 0;
}

static bool any_reached(const struct kube_answer *a)
{
	for (size_t i = 0; i < a->rows.len; i++)
		if (a->rows.ptr[i].kind == PATHS_ROW_TARGET && bh_slice_eq_str(kube_cell(&a->rows.ptr[i], PATHS_TARGET_REACHED), "yes"))
			return true;
	return false;
}

static int write_answer(const struct cmd_args *args, const struct kube_answer *a, struct bh_err *err)
{
	struct bh_buf out;
	bh_buf_init(&out, DOCUMENT_BYTES_MAX);
	enum paths_format format = (enum paths_format)cmd_choice(args, "format");
	int rc = 0;
	if (format == PATHS_SVG)
		rc = paths_draw(a, &out, err);
	else if (format == PATHS_HTML)
		rc = paths_page(a, &out, err);
	else
		paths_write(format, a, &out);
	rc = rc < 0 ? rc : cmd_write_document(args, &out, err);
	bh_buf_done(&out);
	return rc;
}

static int verdict(const struct cmd_args *args, const struct kube_answer *a)
{
	if (cmd_choice(args, "fail-on") == 0 && any_reached(a))
		return EXIT_FINDINGS;
	return a->gaps.len ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

/* Of services of docker-compose: the child takes those that a service names. */
static int find_variables(const char *const *paths, size_t n, struct bh_arena *arena, struct kube_file_vec *out, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = kube_env_files_find(paths[i], arena, out, err);
	return rc;
}

static int ask(const struct cmd_args *args, struct kube_question *question, struct kube_answer *ret, struct bh_err *err)
{
	struct kube_file_vec variables = { .max = KUBE_FILES_MAX };
	struct bh_arena arena;
	bh_arena_init(&arena, NAMES_BYTES_MAX);
	int rc = find_variables(question->paths[0].list, question->paths[0].n, &arena, &variables, err);
	question->paths[PATHS_ENV_ROLE].list = variables.ptr;
	question->paths[PATHS_ENV_ROLE].n = variables.len;
	rc = rc < 0 ? rc : cmd_ask(args, question, ret, err);
	kube_file_vec_done(&variables);
	bh_arena_done(&arena);
	return rc;
}

static int answer(const struct cmd_args *args, const char *const *paths, size_t n)
{
	static const struct kube_foreign *const foreigners[] = { &kube_compose, NULL };
	struct paths_asking asking = { .from = cmd_string(args, "from"), .ways_max = (uint32_t)cmd_uint(args, "ways"), .blast = cmd_flag(args, "blast") };
	struct kube_question question = { .name = "attack paths", .paths = { { paths, n } }, .raw_roles = 1u << PATHS_ENV_ROLE, .foreigners = foreigners, .answer = paths_answer, .ctx = &asking };
	struct kube_answer a;
	struct bh_err err = { 0 };
	asking.n_to = cmd_list(args, "to", &asking.to);
	asking.n_without = cmd_list(args, "without", &asking.without);
	question.paths[1].n = cmd_list(args, "report", &question.paths[1].list);
	if (ask(args, &question, &a, &err) < 0)
		return cmd_failed(&err);
	cmd_tell_gaps(&a);
	int rc = cmd_want_objects(&a, paths[0], &err);
	rc = rc < 0 ? rc : write_answer(args, &a, &err);
	int code = rc < 0 ? cmd_failed(&err) : verdict(args, &a);
	kube_answer_done(&a);
	return code;
}

static int run(const struct cmd_args *args)
{
	const char *const *targets, *const *more;
	const char **all;
	size_t n = cmd_targets(args, &targets), n_more = cmd_list(args, "with", &more);
	struct bh_err err = { 0 };
	if (join_paths(targets, n, more, n_more, &all, &err) < 0)
		return cmd_failed(&err);
	int code = answer(args, all, n + n_more);
	free(all);
	return code;
}

const struct cmd_command cmd_command_paths = {
	.name = "paths",
	.usage = "[options] PATH...",
	.summary = "Find what an attacker reaches in a cluster, and what stops it",
	.options = options,
	.min_targets = 1,
	.max_targets = SIZE_MAX,
	.details = details,
	.run = run,
};
