/* test_toml.c: lines, kinds, complaints and limits. That values are right is the business of tests/live/toml.py. */
#include "format/toml.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT_BYTES_MAX (4u << 20)

static struct bh_toml *must_parse(const char *text)
{
	struct bh_toml *doc = NULL;
	struct bh_err err = { 0 };
	if (bh_toml_parse(bh_slice_str(text), TEXT_BYTES_MAX, &doc, &err) < 0)
		fail_msg("%s", err.text);
	return doc;
}

static void values_have_lines(void **state)
{
	(void)state;
	struct bh_toml *doc = must_parse("version = 3\r\n\r\n[[package]]\r\nname = \"a\"\r\nsay = '''\r\n1\r\n2'''\r\ndeps = [\r\n  'x',\r\n  'y',\r\n]\r\n"
					 "[package.meta.more]\r\nz = 1\r\n[[package]]\r\nname = \"b\\u00e9\"\r\n");
	const struct bh_toml_node *root = bh_toml_root(doc), *packages = bh_toml_get(root, "package"), *a = bh_toml_at(packages, 0), *value;
	struct bh_slice key;
	int64_t number = 0;
	assert_true(bh_toml_i64(bh_toml_get(root, "version"), &number) && number == 3);
	assert_int_equal(bh_toml_len(packages), 2);
	assert_int_equal(bh_toml_line(a), 3);
	assert_true(bh_slice_eq_str(bh_toml_str(bh_toml_get(a, "say")), "1\n2"));
	assert_int_equal(bh_toml_line(bh_toml_get(a, "say")), 5);
	assert_int_equal(bh_toml_line(bh_toml_at(bh_toml_get(a, "deps"), 1)), 10);
	assert_int_equal(bh_toml_line(bh_toml_get(bh_toml_get(a, "meta"), "more")), 12);
	assert_int_equal(bh_toml_line(bh_toml_at(packages, 1)), 14);
	assert_true(bh_slice_eq_str(bh_toml_str(bh_toml_get(bh_toml_at(packages, 1), "name")), "b\xc3\xa9"));
	assert_true(bh_toml_pair(a, 1, &key, &value) && bh_slice_eq_str(key, "say"));
	assert_false(bh_toml_pair(a, 4, &key, &value));
	assert_null(bh_toml_at(packages, 2));
	bh_toml_free(doc);
}

static void getters_answer_nothing_for_wrong_kinds(void **state)
{
	(void)state;
	struct bh_toml *doc = must_parse("a = '1'\nb = [1]\nc = true\nd = 99999999999999999999\ne = 1979-05-27 07:32:00\nf = false\n");
	const struct bh_toml_node *root = bh_toml_root(doc);
	int64_t number = 7;
	assert_false(bh_toml_i64(bh_toml_get(root, "a"), &number));
	assert_false(bh_toml_i64(bh_toml_get(root, "d"), &number)); /* does not fit */
	assert_int_equal(number, 7);
	assert_false(bh_toml_bool(bh_toml_get(root, "f")));
	assert_true(bh_toml_bool(bh_toml_get(root, "c")));
	assert_false(bh_toml_bool(bh_toml_get(root, "a")));
	assert_null(bh_toml_get(bh_toml_get(root, "b"), "x"));
	assert_null(bh_toml_get(NULL, "x"));
	assert_int_equal(bh_toml_str(bh_toml_get(root, "c")).len, 0);
	assert_true(bh_slice_eq_str(bh_toml_text(bh_toml_get(root, "e")), "1979-05-27 07:32:00"));
	assert_int_equal(bh_toml_text(bh_toml_get(root, "a")).len, 0);
	assert_int_equal(bh_toml_line(NULL), 0);
	bh_toml_free(doc);
}

static void complaints_say_where(void **state)
{
	(void)state;
	static const struct {
		const char *text, *complaint;
	} cases[] = {
		{ "a = 1\na = 2\n", "line 2, column 3: this key stands here for the second time" },
		{ "[a]\n[b]\n[a]\n", "line 3, column 3: this table or key is there already" },
		{ "a = [1\n 2]", "line 2, column 2: a comma or the end of an array is expected here" },
		{ "a = 1 b = 2", "line 1, column 7: the end of the line is expected here" },
		{ "a = \"x\ny\"", "line 1, column 5: a string that does not end in its line" },
		{ "a = '''\n\n", "line 1, column 5: a string that does not end" },
		{ "a = yes", "line 1, column 5: not a value: strings need quotes, and numbers are wrong in this form" },
		{ "a = 1979-02-29", "line 1, column 5: not a date or time of the calendar" },
		{ "a = \"\\q\"", "line 1, column 5: an escape that TOML does not have" },
		{ "a = 1\n\x01", "line 2, column 1: a control character" },
		{ "a = '\xff'", "line 1, column 6: not UTF-8" },
		{ "= 1", "line 1, column 1: a key is expected here" },
		{ "a\n= 1", "line 1, column 2: '=' is expected here" },
		{ "a =\n1", "line 1, column 4: a value is expected here" },
		{ "a = {b = 1}\n[a.c]", "line 2, column 5: a part of this header is a value that is finished" },
		{ "[[a]]\n[a.b]\n[[a]]\n[a.b]\nc.d = 1\n[a.b.c]", "line 6, column 7: this table or key is there already" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_toml *doc = NULL;
		struct bh_err err = { 0 };
		assert_int_equal(bh_toml_parse(bh_slice_str(cases[i].text), TEXT_BYTES_MAX, &doc, &err), BH_EMALFORMED);
		assert_string_equal(err.text, cases[i].complaint);
		assert_null(doc);
	}
}

/* "[[[...", "a.a.a... = 1" and both together: refused at the same depth, whatever is behind. */
static void depth_is_bounded(void **state)
{
	(void)state;
	static const char *const repeated[] = { "[", "{a=", "a." };
	for (size_t i = 0; i < COUNT(repeated); i++) {
		struct bh_buf text;
		struct bh_toml *doc = NULL;
		struct bh_err err = { 0 };
		bh_buf_init(&text, TEXT_BYTES_MAX);
		bh_buf_add_str(&text, i == 2 ? "" : "a = ");
		for (unsigned n = 0; n < 100000; n++)
			bh_buf_add_str(&text, repeated[i]);
		assert_int_equal(bh_toml_parse(bh_buf_slice(&text), TEXT_BYTES_MAX, &doc, &err), BH_ELIMIT);
		assert_int_equal(bh_toml_parse(bh_buf_slice(&text), 10, &doc, &err), BH_ELIMIT);
		assert_null(doc);
		bh_buf_done(&text);
	}
}

/* 200,000 keys in one table, and one of them twice: found, and without comparing each with each. */
static void large_tables_are_indexed(void **state)
{
	(void)state;
	struct bh_buf text;
	struct bh_toml *doc = NULL;
	struct bh_err err = { 0 };
	bh_buf_init(&text, TEXT_BYTES_MAX);
	for (unsigned n = 0; n < 200000; n++)
		bh_buf_printf(&text, "k%u = %u\n", n, n);
	assert_int_equal(bh_toml_parse(bh_buf_slice(&text), TEXT_BYTES_MAX, &doc, &err), 0);
	assert_int_equal(bh_toml_len(bh_toml_root(doc)), 200000);
	bh_toml_free(doc);
	bh_buf_add_str(&text, "k7 = 1\n");
	assert_int_equal(bh_toml_parse(bh_buf_slice(&text), TEXT_BYTES_MAX, &doc, &err), BH_EMALFORMED);
	assert_string_equal(err.text, "line 200001, column 4: this key stands here for the second time");
	bh_buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_have_lines),    cmocka_unit_test(getters_answer_nothing_for_wrong_kinds),
		cmocka_unit_test(complaints_say_where), cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(large_tables_are_indexed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
