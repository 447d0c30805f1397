/* guard.c: `bulkhead guard rules VERB`: what files of rules for containers that run say, and whether they can be used. */
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/vec.h"
#include "cmd/output.h"
#include "guard/rules_ask.h"
#include "sys/files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 10000u
#define FILE_BYTES_MAX (64u << 20)
#define NAMES_BYTES_MAX (64u << 20)
#define OUTPUT_BYTES_MAX (512u << 20)

static int rules(const struct cmd_args *args, const char *const *words, size_t n);

static const struct cmd_verb verbs[] = { { .name = "rules", .usage = "check|list|explain|test|fields ...", .min = 1, .max = FILES_MAX, .run = rules }, { 0 } };

static const char *const formats[] = { "text", "json", NULL };

static const struct cmd_option options[] = {
	{ .name = "format", .letter = 'f', .kind = CMD_CHOICE, .argument = "FORMAT", .choices = formats, .default_text = "text", .help = "text or json" },
	{ .name = "events", .kind = CMD_LIST, .argument = "FILE", .help = "test: recorded events, a JSON object a line; may be repeated" },
	{ .name = "all-rules", .kind = CMD_FLAG, .help = "test: every rule that matches an event, not only the first" },
	{ .name = "output", .letter = 'o', .kind = CMD_STRING, .argument = "FILE", .help = "write there instead of to standard output" },
	{ 0 },
};

static const char details[] =
	"rules check PATH...          load files of rules in Falco's language and tell what is wrong with them\n"
	"rules list PATH...           the rules, their priorities, and the events they look at\n"
	"rules explain RULE PATH...   one rule, its condition with lists and macros in place\n"
	"rules test --events FILE PATH...  the alerts for recorded events\n"
	"rules fields                 what conditions and outputs may ask of an event\n"
	"\n"
	"PATH is a file, a folder whose *.yaml and *.yml are taken in order, or - for standard\n"
	"input. Files count in the order in which they are named: later ones change what\n"
	"earlier ones define.\n"
	"\n"
	"Exit status: 0 done, 1 something is wrong with the rules, or test: an event did not\n"
	"what its \"expect\" says, 2 wrong usage or input, 4 internal error.\n";

BH_VEC(file_vec, struct guard_rule_file)

/* What is read, and its memory. */
struct input {
	struct bh_arena arena;
	struct bh_path_vec paths;
	struct file_vec files, events;
};

static int too_many(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "more than %u files of rules, or too large ones", FILES_MAX);
}

static bool is_rules(const char *name)
{
	struct bh_slice s = bh_slice_str(name);
	return name[0] != '.' && (bh_slice_ends(s, BH_SLICE_LIT(".yaml")) || bh_slice_ends(s, BH_SLICE_LIT(".yml")));
}

static int list_folder(struct input *in, const char *path, struct bh_err *err)
{
	int rc = bh_list_folder(path, is_rules, &in->arena, &in->paths, err);
	return rc == BH_ENOTFOUND ? bh_fail(err, BH_ENOTFOUND, 0, "%s: no file in this folder is called *.yaml or *.yml", path) : rc;
}

static int list_path(struct input *in, const char *path, struct bh_err *err)
{
	struct stat st;
	bool is_stdin = strcmp(path, "-") == 0;
	if (!is_stdin && stat(path, &st) < 0) {
		(void)bh_fail_errno(err, errno, "%s", path);
		err->code = BH_ENOTFOUND; /* a wrong word of the command line */
		return BH_ENOTFOUND;
	}
	if (!is_stdin && S_ISDIR(st.st_mode))
		return list_folder(in, path, err);
	return bh_path_vec_push(&in->paths, path) ? 0 : too_many(err);
}

static int read_path(struct input *in, struct file_vec *to, const char *path, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	struct guard_rule_file file = { .name = strcmp(path, "-") == 0 ? "standard input" : path };
	bh_buf_init(&text, FILE_BYTES_MAX);
	int rc = strcmp(path, "-") == 0 ? bh_read_all(STDIN_FILENO, FILE_BYTES_MAX, &text, err) : bh_read_file(path, FILE_BYTES_MAX, &text, err);
	if (rc < 0)
		return rc;
	return bh_arena_copy(&in->arena, bh_buf_slice(&text), &file.text) && file_vec_push(to, file) ? 0 : too_many(err);
}

static int read_all(struct input *in, const char *const *paths, size_t n, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = list_path(in, paths[i], err);
	for (size_t i = 0; rc == 0 && i < in->paths.len; i++)
		rc = read_path(in, &in->files, in->paths.ptr[i], err);
	return rc;
}

static int read_events(struct input *in, const struct cmd_args *args, struct bh_err *err)
{
	const char *const *list;
	size_t n = cmd_list(args, "events", &list);
	int rc = n ? 0 : bh_fail(err, BH_EUSAGE, 0, "'guard rules test' wants --events FILE");
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = read_path(in, &in->events, list[i], err);
	return rc;
}

static int answer(const struct cmd_args *args, const struct guard_question *question)
{
	struct guard_answer a = { .has_errors = false };
	struct bh_err err = { 0 };
	bh_buf_init(&a.out, OUTPUT_BYTES_MAX);
	bh_buf_init(&a.told, OUTPUT_BYTES_MAX);
	int rc = guard_rules_ask(question, &a, &err);
	bool sums_up = question->kind == GUARD_ASK_TEST; /* behind the alerts */
	rc = rc < 0 || sums_up ? rc : cmd_write(STDERR_FILENO, &a.told, &err);
	rc = rc < 0 ? rc : cmd_write_document(args, &a.out, &err);
	rc = rc < 0 || !sums_up ? rc : cmd_write(STDERR_FILENO, &a.told, &err);
	bh_buf_done(&a.out);
	bh_buf_done(&a.told);
	return rc < 0 ? cmd_failed(&err) : a.has_errors ? EXIT_FINDINGS : EXIT_CLEAN;
}

static int ask(const struct cmd_args *args, struct guard_question *question, const char *const *paths, size_t n)
{
	struct input in = { .paths = { .max = FILES_MAX }, .files = { .max = FILES_MAX }, .events = { .max = FILES_MAX } };
	struct bh_err err = { 0 };
	bh_arena_init(&in.arena, NAMES_BYTES_MAX + OUTPUT_BYTES_MAX);
	int rc = read_all(&in, paths, n, &err);
	if (rc == 0 && question->kind == GUARD_ASK_TEST)
		rc = read_events(&in, args, &err);
	question->events = in.events.ptr;
	question->n_events = in.events.len;
	question->all_rules = cmd_flag(args, "all-rules");
	question->files = in.files.ptr;
	question->n_files = in.files.len;
	int code = rc < 0 ? cmd_failed(&err) : answer(args, question);
	bh_path_vec_done(&in.paths);
	file_vec_done(&in.files);
	file_vec_done(&in.events);
	bh_arena_done(&in.arena);
	return code;
}

static int rules(const struct cmd_args *args, const char *const *words, size_t n)
{
	static const struct {
		const char *name;
		size_t min, max; /* words behind it */
		const char *usage;
	} kinds[] = { { "check", 1, FILES_MAX, "PATH..." }, { "list", 1, FILES_MAX, "PATH..." }, { "explain", 2, FILES_MAX, "RULE PATH..." }, { "fields", 0, 0, "" }, { "test", 1, FILES_MAX, "--events FILE PATH..." } }; /* index = enum guard_question_kind */
	struct bh_err err = { 0 };
	size_t kind = 0;
	while (kind < sizeof(kinds) / sizeof(kinds[0]) && strcmp(words[0], kinds[kind].name) != 0)
		kind++;
	if (kind == sizeof(kinds) / sizeof(kinds[0])) {
		(void)bh_fail(&err, BH_EUSAGE, 0, "'guard rules %s' is not known: check, list, explain, test or fields", words[0]);
		return cmd_failed(&err);
	}
	if (n - 1 < kinds[kind].min || n - 1 > kinds[kind].max) {
		(void)bh_fail(&err, BH_EUSAGE, 0, "usage: bulkhead guard rules %s %s", kinds[kind].name, kinds[kind].usage);
		return cmd_failed(&err);
	}
	struct guard_question question = { .kind = (enum guard_question_kind)kind, .json = cmd_choice(args, "format") == 1 };
	bool explains = question.kind == GUARD_ASK_EXPLAIN;
	question.rule = explains ? words[1] : NULL;
	return ask(args, &question, words + 1 + explains, n - 1 - explains);
}

const struct cmd_command cmd_command_guard = {
	.name = "guard",
	.usage = "[options] rules check|list|explain|test|fields ...",
	.summary = "Check, list, explain and test Falco's rules for containers that run",
	.options = options,
	.min_targets = 2,
	.max_targets = FILES_MAX,
	.verbs = verbs,
	.details = details,
};
