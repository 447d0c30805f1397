/* test_yaml.c: trees, positions, and what is refused. */
#include "format/yaml.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT_BYTES_MAX (4u << 20)

static struct bh_yaml *must_parse(const char *text)
{
	struct bh_yaml *y = NULL;
	struct bh_err err = { 0 };
	int rc = bh_yaml_parse(bh_slice_str(text), TEXT_BYTES_MAX, &y, &err);
	if (rc < 0)
		fail_msg("%s", err.text);
	return y;
}

static void values_have_positions(void **state)
{
	(void)state;
	struct bh_yaml *y = must_parse("# comment\nscan:\n  fail-on: high\n  format: [table, \"json=x\"]\n  list:\n  - a\n  -   b: 1\nquiet: true\nempty:\n");
	const struct bh_yaml_node *root = bh_yaml_root(y, 0), *scan = bh_yaml_get(root, "scan"), *key, *value;
	assert_int_equal(bh_yaml_documents(y), 1);
	assert_true(bh_yaml_is(root, BH_YAML_MAPPING));
	assert_int_equal(bh_yaml_len(root), 3);
	value = bh_yaml_get(scan, "fail-on");
	assert_true(bh_slice_eq_str(bh_yaml_str(value), "high"));
	assert_int_equal(bh_yaml_line(value), 3);
	assert_int_equal(bh_yaml_column(value), 12);
	assert_true(bh_yaml_pair(scan, 1, &key, &value));
	assert_true(bh_slice_eq_str(bh_yaml_str(key), "format"));
	assert_int_equal(bh_yaml_line(key), 4);
	assert_int_equal(bh_yaml_column(key), 3);
	assert_int_equal(bh_yaml_len(value), 2);
	assert_false(bh_yaml_is_quoted(bh_yaml_at(value, 0)));
	assert_true(bh_yaml_is_quoted(bh_yaml_at(value, 1)));
	assert_int_equal(bh_yaml_column(bh_yaml_at(value, 1)), 19);
	assert_null(bh_yaml_at(value, 2));
	value = bh_yaml_get(bh_yaml_at(bh_yaml_get(scan, "list"), 1), "b");
	uint64_t number = 0;
	bool yes = false;
	assert_true(bh_yaml_u64(value, 10, &number) && number == 1);
	assert_int_equal(bh_yaml_line(value), 7);
	assert_true(bh_yaml_bool(bh_yaml_get(root, "quiet"), &yes) && yes);
	assert_true(bh_yaml_is_null(bh_yaml_get(root, "empty")));
	assert_int_equal(bh_yaml_line(bh_yaml_get(root, "empty")), 9);
	assert_false(bh_yaml_pair(root, 3, &key, &value));
	bh_yaml_free(y);
}

static void getters_answer_nothing_for_wrong_kinds(void **state)
{
	(void)state;
	struct bh_yaml *y = must_parse("a: \"1\"\nb: [1]\nc: 'true'\nd: ''\n");
	const struct bh_yaml_node *root = bh_yaml_root(y, 0);
	uint64_t number = 7;
	bool yes = true;
	assert_false(bh_yaml_u64(bh_yaml_get(root, "a"), 10, &number)); /* quoted: a text */
	assert_false(bh_yaml_u64(bh_yaml_get(root, "b"), 10, &number));
	assert_false(bh_yaml_bool(bh_yaml_get(root, "c"), &yes));
	assert_false(bh_yaml_is_null(bh_yaml_get(root, "d")));
	assert_null(bh_yaml_get(root, "nothing"));
	assert_null(bh_yaml_get(NULL, "x"));
	assert_null(bh_yaml_get(bh_yaml_get(root, "b"), "x"));
	assert_int_equal(bh_yaml_str(NULL).len, 0);
	assert_int_equal(bh_yaml_line(NULL), 0);
	assert_null(bh_yaml_root(y, 1));
	assert_int_equal(number, 7);
	bh_yaml_free(y);
}

static void several_documents_and_none(void **state)
{
	(void)state;
	struct bh_yaml *y = must_parse("---\nkind: A\n---\nkind: B\n...\n---\n- 1\n");
	assert_int_equal(bh_yaml_documents(y), 3);
	assert_true(bh_slice_eq_str(bh_yaml_str(bh_yaml_get(bh_yaml_root(y, 1), "kind")), "B"));
	assert_int_equal(bh_yaml_line(bh_yaml_get(bh_yaml_root(y, 1), "kind")), 4);
	assert_int_equal(bh_yaml_len(bh_yaml_root(y, 2)), 1);
	bh_yaml_free(y);
	const char *const empty[] = { "", "# only a comment\n", "\n\n" };
	for (size_t i = 0; i < COUNT(empty); i++) {
		y = must_parse(empty[i]);
		assert_int_equal(bh_yaml_documents(y), 0);
		bh_yaml_free(y);
	}
}

static void scalars_of_every_style(void **state)
{
	(void)state;
	struct bh_yaml *y = must_parse("lit: |\n  two\n  lines\nfold: >-\n  one\n  line\ndq: \"a\\tb\\u00e9\"\nsq: 'it''s'\ntagged: !reference [a, b]\n");
	const struct bh_yaml_node *root = bh_yaml_root(y, 0);
	assert_true(bh_slice_eq_str(bh_yaml_str(bh_yaml_get(root, "lit")), "two\nlines\n"));
	assert_true(bh_slice_eq_str(bh_yaml_str(bh_yaml_get(root, "fold")), "one line"));
	assert_true(bh_slice_eq_str(bh_yaml_str(bh_yaml_get(root, "dq")), "a\tb\xc3\xa9"));
	assert_true(bh_slice_eq_str(bh_yaml_str(bh_yaml_get(root, "sq")), "it's"));
	assert_true(bh_slice_eq_str(bh_yaml_tag(bh_yaml_get(root, "tagged")), "!reference"));
	bh_yaml_free(y);
}

static void aliases_share_their_anchors_node(void **state)
{
	(void)state;
	struct bh_yaml *y = must_parse("base: &b {x: 1}\nuse: *b\n<<: *b\n---\nb: 1\n");
	const struct bh_yaml_node *root = bh_yaml_root(y, 0);
	assert_ptr_equal(bh_yaml_get(root, "use"), bh_yaml_get(root, "base"));
	assert_ptr_equal(bh_yaml_get(root, "<<"), bh_yaml_get(root, "base")); /* a key like any other */
	bh_yaml_free(y);
}

static void bad_texts_are_refused_with_their_place(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum bh_code code;
		const char *begins;
	} cases[] = {
		{ "a: 1\nb: 2\na: 3\n", BH_EMALFORMED, "line 3, column 1: the key 'a' stands here and in line 1" },
		{ "a: {x: 1, x: 2}\n", BH_EMALFORMED, "line 1, column 11: the key 'x' stands here and in line 1" },
		{ "? [a, b]\n: 1\n", BH_EUNSUPPORTED, "line 1, column 3: a key is not a plain word" },
		{ "a: *nowhere\n", BH_EMALFORMED, "line 1, column 4: an alias without an anchor" },
		{ "a: &x [1, *x]\n", BH_EMALFORMED, "line 1, column 11: an alias without an anchor" },
		{ "a: &x 1\n---\nb: *x\n", BH_EMALFORMED, "line 3, column 4: an alias without an anchor" }, /* anchors end with their document */
		{ "a: [1, 2\n", BH_EMALFORMED, "line " },
		{ "a: b: c\n", BH_EMALFORMED, "line 1, column " },
		{ "\ta: 1\n", BH_EMALFORMED, "line 1, column " },
		{ "a: \"\xff\"\n", BH_EMALFORMED, "line 1, column 5: the byte 0xff is not text in UTF-8" },
		{ "%Y\xff\xff\xff\n---\na\n", BH_EMALFORMED, "line 1, column 3: the byte 0xff" }, /* libfyaml would spin */
		{ "a: 'open\n", BH_EMALFORMED, "line " },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_yaml *y = NULL;
		struct bh_err err = { 0 };
		int rc = bh_yaml_parse(bh_slice_str(cases[i].text), TEXT_BYTES_MAX, &y, &err);
		if (rc != (int)cases[i].code || strncmp(err.text, cases[i].begins, strlen(cases[i].begins)) != 0)
			fail_msg("%s -> %d %s", cases[i].text, rc, err.text);
		assert_null(y);
	}
}

static void expect_limit(struct bh_buf *text)
{
	struct bh_yaml *y = NULL;
	struct bh_err err = { 0 };
	assert_false(text->failed);
	int rc = bh_yaml_parse(bh_buf_slice(text), TEXT_BYTES_MAX, &y, &err);
	if (rc >= 0)
		fail_msg("accepted");
	assert_true(rc == BH_ELIMIT || rc == BH_EMALFORMED); /* the library has a depth limit of its own, too */
	bh_buf_clear(text);
}

static void bombs_are_refused(void **state)
{
	(void)state;
	struct bh_buf text;
	bh_buf_init(&text, TEXT_BYTES_MAX);
	for (int i = 0; i < 100000; i++)
		bh_buf_add_byte(&text, '[');
	expect_limit(&text);
	for (int i = 0; i < 100000; i++)
		bh_buf_add_str(&text, "- ");
	expect_limit(&text);
	/* A billion laughs. */
	bh_buf_add_str(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 10; i++) {
		bh_buf_printf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			bh_buf_printf(&text, "*a%d,", i - 1);
		bh_buf_add_str(&text, "]\n");
	}
	expect_limit(&text);
	/* Deep by aliases of deep things. */
	bh_buf_add_str(&text, "a0: &a0 [[[[[[[[x]]]]]]]]\n");
	for (int i = 1; i < 20; i++)
		bh_buf_printf(&text, "a%d: &a%d [[[[[[[[*a%d]]]]]]]]\n", i, i, i - 1);
	expect_limit(&text);
	struct bh_yaml *y = NULL;
	struct bh_err err = { 0 };
	assert_int_equal(bh_yaml_parse(BH_SLICE_LIT("abcdef"), 5, &y, &err), BH_ELIMIT);
	bh_buf_done(&text);
}

static void many_keys_take_no_quadratic_time(void **state)
{
	(void)state;
	struct bh_buf text;
	bh_buf_init(&text, TEXT_BYTES_MAX);
	for (int i = 0; i < 200000; i++)
		bh_buf_printf(&text, "k%d: %d\n", i, i);
	struct bh_yaml *y = NULL;
	struct bh_err err = { 0 };
	assert_int_equal(bh_yaml_parse(bh_buf_slice(&text), TEXT_BYTES_MAX, &y, &err), 0);
	assert_int_equal(bh_yaml_len(bh_yaml_root(y, 0)), 200000);
	bh_yaml_free(y);
	bh_buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_have_positions),
		cmocka_unit_test(getters_answer_nothing_for_wrong_kinds),
		cmocka_unit_test(several_documents_and_none),
		cmocka_unit_test(scalars_of_every_style),
		cmocka_unit_test(aliases_share_their_anchors_node),
		cmocka_unit_test(bad_texts_are_refused_with_their_place),
		cmocka_unit_test(bombs_are_refused),
		cmocka_unit_test(many_keys_take_no_quadratic_time),
	};
	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
