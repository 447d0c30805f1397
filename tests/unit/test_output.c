/* test_output.c: reports to files: whole or not at all, and combinations of -f and -o that make no sense. */
#include "cmd/args.h"
#include "cmd/output.h"
#include "model/report.h"
#include "sys/files.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FILE_BYTES_MAX (1u << 20)
#define WORDS_MAX 8

static int never_run(const struct cmd_args *args)
{
	(void)args;
	return EXIT_INTERNAL;
}

static const struct cmd_option options[] = { CMD_REPORT_OPTIONS, { 0 } };
static const struct cmd_command command = { .name = "try", .usage = "", .summary = "x", .options = options, .run = never_run };
static char folder[] = "/tmp/bulkhead-test-output-XXXXXX";

/* Parses words, an array ended by NULL. */
static void parse(struct cmd_args *a, const char *const *words)
{
	struct bh_err err = { 0 };
	size_t n = 0;
	while (words[n])
		n++;
	assert_int_equal(cmd_args_init(a, &err), 0);
	assert_int_equal(cmd_args_set_command(a, &command, &err), 0);
	assert_int_equal(cmd_args_parse(a, words, n, &err), 0);
	assert_int_equal(cmd_args_defaults(a, &err), 0);
}

static int write_with(const char *const *words, struct bh_err *err)
{
	struct cmd_args a;
	struct bh_report report;
	parse(&a, words);
	bh_report_init(&report);
	report.target.text = BH_SLICE_LIT("x.tar");
	report.target.kind = BH_SLICE_LIT("archive");
	bh_report_decide(&report, false, BH_SEV_HIGH);
	int rc = cmd_write_report(&report, &a, err);
	bh_report_done(&report);
	cmd_args_done(&a);
	return rc;
}

static void expect_begin(const char *path, const char *begin)
{
	struct bh_buf text;
	struct bh_err err = { 0 };
	bh_buf_init(&text, FILE_BYTES_MAX);
	assert_int_equal(bh_read_file(path, FILE_BYTES_MAX, &text, &err), 0);
	assert_true(bh_slice_starts(bh_buf_slice(&text), bh_slice_str(begin)));
	bh_buf_done(&text);
}

static void several_formats_go_to_their_files(void **state)
{
	(void)state;
	struct bh_err err = { 0 };
	assert_int_equal(write_with((const char *[]){ "-f", "json=r.json", "--format=table=r.txt", NULL }, &err), 0);
	expect_begin("r.json", "{\n  \"schema\": \"bulkhead.report/1\"");
	expect_begin("r.txt", "  Target    x.tar (archive)\n");
	assert_int_equal(write_with((const char *[]){ "-o", "only.json", "-f", "json", NULL }, &err), 0);
	expect_begin("only.json", "{\n");
	assert_int_equal(write_with((const char *[]){ "-o", "table.txt", NULL }, &err), 0);
	expect_begin("table.txt", "  Target ");
}

static void colour_never_goes_into_a_file(void **state)
{
	(void)state;
	struct bh_err err = { 0 };
	struct bh_buf text;
	assert_int_equal(write_with((const char *[]){ "--colour=always", "-o", "plain.txt", NULL }, &err), 0);
	bh_buf_init(&text, FILE_BYTES_MAX);
	assert_int_equal(bh_read_file("plain.txt", FILE_BYTES_MAX, &text, &err), 0);
	assert_true(text.len > 0);
	assert_null(memchr(text.ptr, 0x1b, text.len));
	bh_buf_done(&text);
}

static void an_existing_file_keeps_mode_and_links(void **state)
{
	(void)state;
	struct bh_err err = { 0 };
	struct stat st;
	assert_int_equal(bh_write_file_atomic("kept.json", BH_SLICE_LIT("old"), 0600, &err), 0);
	assert_int_equal(symlink("kept.json", "link.json"), 0);
	assert_int_equal(write_with((const char *[]){ "-f", "json=link.json", NULL }, &err), 0);
	assert_int_equal(lstat("link.json", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat("kept.json", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	expect_begin("kept.json", "{\n");
}

static void devices_are_written_to_not_replaced(void **state)
{
	(void)state;
	struct bh_err err = { 0 };
	struct stat st;
	assert_int_equal(write_with((const char *[]){ "-o", "/dev/null", NULL }, &err), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(write_with((const char *[]){ "-o", "/dev/full", NULL }, &err), BH_EIO);
	assert_non_null(strstr(err.text, "/dev/full: "));
	assert_non_null(strstr(err.text, "No space left on device"));
}

static void a_failing_output_leaves_the_others_and_nothing_behind(void **state)
{
	(void)state;
	struct bh_err err = { 0 };
	assert_int_equal(write_with((const char *[]){ "-f", "json=no/such/folder/r.json", "-f", "table=still.txt", NULL }, &err), BH_EIO);
	assert_non_null(strstr(err.text, "no/such/folder/r.json"));
	expect_begin("still.txt", "  Target ");
	assert_int_equal(access("no", F_OK), -1);
}

static void combinations_without_sense_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *words[WORDS_MAX];
		const char *text;
	} cases[] = {
		{ { "-o", "x", "-f", "json", "-f", "table", NULL }, "-o goes with one -f FORMAT; write -f FORMAT=FILE for several" },
		{ { "-o", "x", "-f", "json=y", NULL }, "-o goes with one -f FORMAT; write -f FORMAT=FILE for several" },
		{ { "-f", "json", "-f", "table", NULL }, "-f json and -f table both go to standard output; give one of them a file: -f table=FILE" },
		{ { "-f", "json=-", "-f", "table", NULL }, "-f json and -f table both go to standard output; give one of them a file: -f table=FILE" },
		{ { "-f", "json=same", "-f", "table=same", NULL }, "-f json and -f table both go to same" },
		{ { "-f", "json=", NULL }, "-f json=: the name of the file is empty" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_err err = { 0 };
		struct cmd_args a;
		parse(&a, cases[i].words);
		assert_int_equal(cmd_check_report(&a, &err), BH_EUSAGE);
		assert_string_equal(err.text, cases[i].text);
		cmd_args_done(&a);
		assert_int_equal(write_with(cases[i].words, &err), BH_EUSAGE);
	}
	assert_int_equal(access("same", F_OK), -1);
}

static int enter_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	(void)state;
	static const char *const files[] = { "r.json", "r.txt", "only.json", "table.txt", "plain.txt", "kept.json", "link.json", "still.txt" };
	for (size_t i = 0; i < COUNT(files); i++)
		(void)unlink(files[i]);
	return chdir("/") == 0 ? rmdir(folder) : -1; /* fails, and the test with it, when anything else was left behind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_formats_go_to_their_files),
		cmocka_unit_test(colour_never_goes_into_a_file),
		cmocka_unit_test(an_existing_file_keeps_mode_and_links),
		cmocka_unit_test(devices_are_written_to_not_replaced),
		cmocka_unit_test(a_failing_output_leaves_the_others_and_nothing_behind),
		cmocka_unit_test(combinations_without_sense_are_refused),
	};
	return cmocka_run_group_tests_name("output", tests, enter_folder, leave_folder);
}
