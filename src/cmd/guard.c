/* guard.c: `bulkhead guard rules VERB`: what files of rules for containers that run say, and whether they can be used. */
#include "base/limits.h"
#include "cmd/output.h"
#include "guard/rules_ask.h"

#include <string.h>
#include <unistd.h>

#define OUTPUT_BYTES_MAX (512u << 20)

static int rules(const struct cmd_args *args, const char *const *words, size_t n);

static const struct cmd_verb verbs[] = { { .name = "rules", .usage = "check|list|explain|test|fields ...", .min = 1, .max = GUARD_FILES_MAX, .run = rules }, { 0 } };

/* Of alerts, by name; the first two are those of everything else, too. */
static const char *const formats[] = {
#define FORMAT(name) #name,
#include "guard/alert_formats.def"
#undef FORMAT
	NULL,
};

static const struct cmd_option options[] = {
	{ .name = "format", .letter = 'f', .kind = CMD_CHOICE, .argument = "FORMAT", .choices = formats, .default_text = "text", .help = "text or json; of alerts also cef, ocsf, otlp" },
	{ .name = "events", .kind = CMD_LIST, .argument = "FILE", .help = "test: recorded events, a JSON object a line; may be repeated" },
	{ .name = "all-rules", .kind = CMD_FLAG, .help = "test: every rule that matches an event, not only the first" },
	{ .name = "output", .letter = 'o', .kind = CMD_STRING, .argument = "FILE", .help = "write there instead of to standard output" },
	{ 0 },
};

static const char details[] =
	"rules check [PATH...]        load files of rules in Falco's language and tell what is wrong with them\n"
	"rules list [PATH...]         the rules, their priorities, and the events they look at\n"
	"rules explain RULE [PATH...] one rule, its condition with lists and macros in place\n"
	"rules test --events FILE [PATH...]  the alerts for recorded events\n"
	"rules fields                 what conditions and outputs may ask of an event\n"
	"\n"
	"PATH is a file, a folder whose *.yaml and *.yml are taken in order, or - for standard\n"
	"input; without one, the rules are those that bulkhead-guard has of its own. Files count in the order in which they are named: later ones change what\n"
	"earlier ones define.\n"
	"\n"
	"Exit status: 0 done, 1 something is wrong with the rules, or test: an event did not\n"
	"what its \"expect\" says, 2 wrong usage or input, 4 internal error.\n";

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

static int read_events(struct guard_rule_files *events, const struct cmd_args *args, struct bh_err *err)
{
	const char *const *list;
	size_t n = cmd_list(args, "events", &list);
	return n ? guard_rule_files_read(events, list, n, err) : bh_fail(err, BH_EUSAGE, 0, "'guard rules test' wants --events FILE");
}

static int ask(const struct cmd_args *args, struct guard_question *question, const char *const *paths, size_t n)
{
	struct guard_rule_files rule_files, events;
	struct bh_err err = { 0 };
	guard_rule_files_init(&rule_files);
	guard_rule_files_init(&events);
	int rc = n || question->kind == GUARD_ASK_FIELDS ? guard_rule_files_read(&rule_files, paths, n, &err) : guard_rule_files_add_own(&rule_files, &err);
	if (rc == 0 && question->kind == GUARD_ASK_TEST)
		rc = read_events(&events, args, &err);
	question->events = events.files.ptr;
	question->n_events = events.files.len;
	question->all_rules = cmd_flag(args, "all-rules");
	question->files = rule_files.files.ptr;
	question->n_files = rule_files.files.len;
	int code = rc < 0 ? cmd_failed(&err) : answer(args, question);
	guard_rule_files_done(&rule_files);
	guard_rule_files_done(&events);
	return code;
}

static int rules(const struct cmd_args *args, const char *const *words, size_t n)
{
	static const struct {
		const char *name;
		size_t min, max; /* words behind it */
		const char *usage;
	} kinds[] = { { "check", 0, GUARD_FILES_MAX, "[PATH...]" }, { "list", 0, GUARD_FILES_MAX, "[PATH...]" }, { "explain", 1, GUARD_FILES_MAX, "RULE [PATH...]" }, { "fields", 0, 0, "" }, { "test", 0, GUARD_FILES_MAX, "--events FILE [PATH...]" } }; /* index = enum guard_question_kind */
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
	size_t format = cmd_choice(args, "format");
	if (format > 1 && kind != GUARD_ASK_TEST) {
		(void)bh_fail(&err, BH_EUSAGE, 0, "'guard rules %s' writes text or json; %s is a format of alerts, which 'guard rules test' writes", kinds[kind].name, formats[format]);
		return cmd_failed(&err);
	}
	struct guard_question question = { .kind = (enum guard_question_kind)kind, .json = format == 1, .format = guard_alert_format_find(bh_slice_str(formats[format])) };
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
	.max_targets = GUARD_FILES_MAX,
	.verbs = verbs,
	.details = details,
};
