/* test_cmd.c: the option parser: what is accepted, what is refused with which words, and which source wins. */
#include "cmd/args.h"
#include "base/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS_MAX 16

static int never_run(const struct cmd_args *args)
{
	(void)args;
	return EXIT_INTERNAL;
}

static const char *const levels[] = { "critical", "high", "medium", "never", NULL };
static const char *const formats[] = { "table", "json", NULL };
static const struct cmd_verb verbs[] = { { .name = "import" }, { .name = "status" }, { 0 } };
static const struct cmd_option options[] = {
	{ .name = "platform", .kind = CMD_STRING, .argument = "OS/ARCH", .help = "platform" },
	{ .name = "format", .letter = 'f', .kind = CMD_LIST, .argument = "FORMAT[=FILE]", .help = "format", .choices = formats },
	{ .name = "severity", .kind = CMD_LIST, .argument = "LIST", .help = "severities", .choices = levels, .commas = true },
	{ .name = "width", .letter = 'w', .kind = CMD_UINT, .argument = "N", .help = "width", .max = 1000, .min = 40, .default_text = "100" },
	{ .name = "max-size", .kind = CMD_UINT, .argument = "BYTES", .help = "size", .max = 1ull << 40 },
	{ .name = "fail-on", .kind = CMD_CHOICE, .argument = "LEVEL", .help = "level", .choices = levels, .default_text = "high" },
	{ .name = "all", .letter = 'a', .kind = CMD_FLAG, .help = "all" },
	{ .name = "no-cache", .kind = CMD_FLAG, .help = "no cache" },
	{ 0 },
};
static const struct cmd_command try = { .name = "try", .usage = "TARGET...", .summary = "x", .options = options, .min_targets = 1, .max_targets = 3, .run = never_run };
static const struct cmd_command verb = { .name = "verb", .usage = "VERB", .summary = "x", .options = options, .min_targets = 1, .max_targets = 1, .verbs = verbs, .run = never_run };

/* Splits a line at blanks into argv; "" stands for an empty word. */
static size_t split(char *line, const char *argv[WORDS_MAX])
{
	size_t n = 0;
	char *save = NULL;
	for (char *w = strtok_r(line, " ", &save); w && n < WORDS_MAX; w = strtok_r(NULL, " ", &save))
		argv[n++] = strcmp(w, "\"\"") == 0 ? "" : w;
	return n;
}

static char line_copy[256];

static int parse(struct cmd_args *a, const struct cmd_command *command, const char *line, struct bh_err *err)
{
	const char *argv[WORDS_MAX];
	assert_int_equal(cmd_args_init(a, err), 0);
	assert_int_equal(cmd_args_set_command(a, command, err), 0);
	snprintf(line_copy, sizeof(line_copy), "%s", line);
	int rc = cmd_args_parse(a, argv, split(line_copy, argv), err);
	rc = rc < 0 ? rc : cmd_args_defaults(a, err);
	return rc < 0 ? rc : cmd_args_check_targets(a, err);
}

static void every_spelling_of_an_option_works(void **state)
{
	(void)state;
	struct cmd_args a;
	struct bh_err err = { 0 };
	const char *const *list;
	assert_int_equal(parse(&a, &try, "--platform=linux/arm64 one -f json -ftable -f=json=out.json -qav --width 80 - -- --all", &err), 0);
	assert_string_equal(cmd_string(&a, "platform"), "linux/arm64");
	assert_int_equal(cmd_list(&a, "format", &list), 3);
	assert_string_equal(list[0], "json");
	assert_string_equal(list[1], "table");
	assert_string_equal(list[2], "json=out.json");
	assert_true(cmd_flag(&a, "quiet") && cmd_flag(&a, "all") && cmd_flag(&a, "verbose"));
	assert_int_equal(cmd_uint(&a, "width"), 80);
	assert_int_equal(cmd_targets(&a, &list), 3);
	assert_string_equal(list[0], "one");
	assert_string_equal(list[1], "-");
	assert_string_equal(list[2], "--all");
	cmd_args_done(&a);
}

static void the_last_word_counts(void **state)
{
	(void)state;
	struct cmd_args a;
	struct bh_err err = { 0 };
	const char *const *list;
	assert_int_equal(parse(&a, &try, "t --platform a --platform b --all --no-all --no-cache --cache --fail-on medium --fail-on never", &err), 0);
	assert_string_equal(cmd_string(&a, "platform"), "b");
	assert_false(cmd_flag(&a, "all"));
	assert_false(cmd_flag(&a, "no-cache"));
	assert_int_equal(cmd_choice(&a, "fail-on"), 3);
	assert_int_equal(cmd_list(&a, "format", &list), 0);
	cmd_args_done(&a);
}

static void unsaid_options_have_their_defaults(void **state)
{
	(void)state;
	struct cmd_args a;
	struct bh_err err = { 0 };
	assert_int_equal(parse(&a, &try, "t", &err), 0);
	assert_int_equal(cmd_uint(&a, "width"), 100);
	assert_int_equal(cmd_choice(&a, "fail-on"), 1);
	assert_null(cmd_string(&a, "platform"));
	assert_null(cmd_origin(&a, "platform"));
	assert_string_equal(cmd_origin(&a, "width"), "default");
	assert_false(cmd_flag(&a, "all"));
	cmd_args_done(&a);
}

static void lists_may_be_joined_by_commas_where_the_table_says_so(void **state)
{
	(void)state;
	struct cmd_args a;
	struct bh_err err = { 0 };
	const char *const *list;
	assert_int_equal(parse(&a, &try, "t --severity critical,high --severity medium --max-size 64M", &err), 0);
	assert_int_equal(cmd_list(&a, "severity", &list), 3);
	assert_string_equal(list[1], "high");
	assert_string_equal(list[2], "medium");
	assert_int_equal(cmd_uint(&a, "max-size"), 64u << 20);
	cmd_args_done(&a);
}

static void wrong_words_are_refused_with_a_hint(void **state)
{
	(void)state;
	static const struct {
		const struct cmd_command *command;
		const char *line, *text;
	} cases[] = {
		{ &try, "--platfrom x", "unknown option --platfrom; did you mean --platform?" },
		{ &try, "--zzzzzzzz x", "unknown option --zzzzzzzz" },
		{ &try, "-z x", "unknown option -z in '-z'" },
		{ &try, "-az x", "unknown option -z in '-az'" },
		{ &try, "x --platform", "--platform needs an argument: OS/ARCH" },
		{ &try, "x -f", "-f needs an argument: FORMAT[=FILE]" },
		{ &try, "x --all=yes", "--all takes no value" },
		{ &try, "x --no-all=yes", "--no-all takes no value" },
		{ &try, "x --no-width", "unknown option --no-width; did you mean --width?" },
		{ &try, "x --platform=", "--platform: the value is empty" },
		{ &try, "x --platform \"\"", "--platform: the value is empty" },
		{ &try, "x --width 39", "--width: 39 is out of range, 40 to 1000" },
		{ &try, "x --width 1001", "--width: 1001 is out of range, 40 to 1000" },
		{ &try, "x --width 99999999999999999999999", "--width: 99999999999999999999999 is out of range, 40 to 1000" },
		{ &try, "x --width -1", "--width: '-1' is not a whole number" },
		{ &try, "x --width 10k", "--width: '10k' is not a whole number" },
		{ &try, "x --max-size 2T", "--max-size: 2T is out of range, 0 to 1099511627776" },
		{ &try, "x --max-size M", "--max-size: 'M' is not a whole number (K, M, G or T may follow)" },
		{ &try, "x --fail-on hgih", "--fail-on: 'hgih' is not one of critical, high, medium, never; did you mean high?" },
		{ &try, "x --fail-on xxxxxx", "--fail-on: 'xxxxxx' is not one of critical, high, medium, never" },
		{ &try, "x -f jsno", "-f: 'jsno' is not one of table, json; did you mean json?" },
		{ &try, "x -f jsno=file", "-f: 'jsno' is not one of table, json; did you mean json?" },
		{ &try, "x --severity high,,medium", "--severity: the value is empty" },
		{ &try, "--all", "try: missing argument; usage: bulkhead try TARGET..." },
		{ &try, "a b c d", "try: unexpected argument 'd'; usage: bulkhead try TARGET..." },
		{ &verb, "imprt", "verb: 'imprt' is not one of import, status; did you mean import?" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cmd_args a;
		struct bh_err err = { 0 };
		assert_int_equal(parse(&a, cases[i].command, cases[i].line, &err), BH_EUSAGE);
		assert_string_equal(err.text, cases[i].text);
		cmd_args_done(&a);
	}
}

static void help_ends_the_command_line(void **state)
{
	(void)state;
	struct cmd_args a;
	struct bh_err err = { 0 };
	const char *argv[] = { "-v", "help", "--help", "--no-such" };
	assert_int_equal(cmd_args_init(&a, &err), 0);
	assert_int_equal(cmd_args_parse(&a, argv, COUNT(argv), &err), 0);
	assert_true(a.wants_help);
	assert_string_equal(a.command->name, "help");
	assert_true(cmd_flag(&a, "verbose")); /* global options may come before the command */
	cmd_args_done(&a);
}

static void the_environment_comes_after_the_command_line(void **state)
{
	(void)state;
	static const char *const environment[] = { "BULKHEAD_PLATFORM=from/env", "BULKHEAD_FAIL_ON=medium", "BULKHEAD_ALL=yes", "BULKHEAD_WIDTH=",
						   "BULKHEAD_HELP=1", "BULKHEAD_NO_SANDBOX=1", NULL };
	static const char *const wrong[] = { "BULKHEAD_FAIL_ON=meduim", NULL };
	struct cmd_args a;
	struct bh_err err = { 0 };
	const char *argv[] = { "--fail-on", "critical" };
	assert_int_equal(cmd_args_init(&a, &err), 0);
	assert_int_equal(cmd_args_set_command(&a, &try, &err), 0);
	assert_int_equal(cmd_args_parse(&a, argv, COUNT(argv), &err), 0);
	assert_int_equal(cmd_args_environment(&a, environment, &err), 0);
	assert_int_equal(cmd_args_defaults(&a, &err), 0);
	assert_string_equal(cmd_string(&a, "platform"), "from/env");
	assert_string_equal(cmd_origin(&a, "platform"), "BULKHEAD_PLATFORM");
	assert_int_equal(cmd_choice(&a, "fail-on"), 0);
	assert_string_equal(cmd_origin(&a, "fail-on"), "command line");
	assert_true(cmd_flag(&a, "all"));
	assert_int_equal(cmd_uint(&a, "width"), 100);
	assert_false(cmd_flag(&a, "help"));
	assert_false(cmd_flag(&a, "no-sandbox")); /* on the command line only */
	/* Checked even where a nearer source has spoken. */
	assert_int_equal(cmd_args_environment(&a, wrong, &err), BH_EUSAGE);
	assert_string_equal(err.text, "BULKHEAD_FAIL_ON: 'meduim' is not one of critical, high, medium, never; did you mean medium?");
	cmd_args_done(&a);
}

static void edit_distances(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		size_t distance;
	} cases[] = { { "", "", 0 }, { "scan", "scan", 0 }, { "scna", "scan", 1 }, { "sca", "scan", 1 }, { "sccan", "scan", 1 }, { "xcan", "scan", 1 },
		      { "kitten", "sitting", 3 }, { "", "abc", 3 }, { "ca", "abc", 3 } };
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(bh_edit_distance(cases[i].a, cases[i].b), cases[i].distance);
		assert_int_equal(bh_edit_distance(cases[i].b, cases[i].a), cases[i].distance);
	}
}

/* Tables that the parser relies on: a choice has a default that is a choice, flags take nothing, names don't clash. */
static void check_options(const struct cmd_option *o, const struct cmd_option *others)
{
	for (; o && o->name; o++) {
		assert_non_null(o->help);
		assert_true(o->kind == CMD_FLAG ? o->argument == NULL && o->default_text == NULL : o->argument != NULL);
		if (o->kind == CMD_CHOICE)
			assert_true(o->choices != NULL && o->default_text != NULL);
		for (const struct cmd_option *p = others; p && p->name; p++) {
			if (p == o)
				continue;
			assert_string_not_equal(o->name, p->name);
			assert_true(o->letter == 0 || o->letter != p->letter);
		}
		struct cmd_args a;
		struct bh_err err = { 0 };
		assert_int_equal(cmd_args_init(&a, &err), 0);
		if (o->default_text)
			assert_int_equal(cmd_args_check(&a, o, o->name, o->default_text, &err), 0);
		cmd_args_done(&a);
	}
}

static void all_commands_are_sound(void **state)
{
	(void)state;
	static const struct {
		const char *name, *summary;
	} defined[] = {
#define COMMAND(name, summary) { #name, summary },
#include "cmd/commands.def"
#undef COMMAND
	};
	check_options(cmd_global_options, cmd_global_options);
	for (size_t i = 0; cmd_commands[i]; i++) {
		const struct cmd_command *c = cmd_commands[i];
		assert_true(i < COUNT(defined));
		assert_string_equal(c->name, defined[i].name);
		assert_string_equal(c->summary, defined[i].summary);
		assert_non_null(c->usage);
		assert_true(c->run || c->verbs);
		for (const struct cmd_verb *v = c->verbs; v && v->name; v++)
			assert_true((v->run || c->run) && v->min <= v->max && !v->usage == (v->max == 0));
		check_options(c->options, c->options);
		check_options(c->options, cmd_global_options);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_of_an_option_works),
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(unsaid_options_have_their_defaults),
		cmocka_unit_test(lists_may_be_joined_by_commas_where_the_table_says_so),
		cmocka_unit_test(wrong_words_are_refused_with_a_hint),
		cmocka_unit_test(help_ends_the_command_line),
		cmocka_unit_test(the_environment_comes_after_the_command_line),
		cmocka_unit_test(edit_distances),
		cmocka_unit_test(all_commands_are_sound),
	};
	return cmocka_run_group_tests_name("cmd", tests, NULL, NULL);
}
