/* test_json.c: documents, limits and errors. */
#include "base/limits.h"
#include "bytes.h"
#include "format/json.h"

static struct bh_json *parse(const char *text)
{
	struct bh_json *doc = NULL;
	struct bh_err err = { 0 };
	int rc = bh_json_parse(bh_slice_str(text), BH_MANIFEST_BYTES_MAX, &doc, &err);
	if (rc < 0)
		fail_msg("%s: %s", text, err.text);
	return doc;
}

static void values_are_found(void **state)
{
	(void)state;
	struct bh_json *doc = parse("{\"s\":\"caf\\u00e9\\u0000x\",\"n\":-7,\"big\":9223372036854775807,\"f\":1.5e3,\"t\":true,"
				    "\"z\":null,\"a\":[1,[],{}],\"o\":{\"k\":\"v\"}}");
	const struct bh_json_node *root = bh_json_root(doc);
	assert_true(bh_json_is_object(root));
	assert_int_equal(bh_json_len(root), 8);
	assert_true(bh_slice_eq(bh_json_str(bh_json_get(root, "s")), BH_SLICE_LIT("caf\xc3\xa9\0x")));
	int64_t i;
	uint64_t u;
	double d;
	assert_true(bh_json_i64(bh_json_get(root, "n"), &i));
	assert_int_equal(i, -7);
	assert_false(bh_json_u64(bh_json_get(root, "n"), UINT64_MAX, &u));
	assert_true(bh_json_u64(bh_json_get(root, "big"), UINT64_MAX, &u));
	assert_true(u == INT64_MAX);
	assert_false(bh_json_u64(bh_json_get(root, "big"), 1000, &u));
	assert_true(bh_json_number(bh_json_get(root, "f"), &d));
	assert_true(d > 1499.9 && d < 1500.1);
	assert_false(bh_json_i64(bh_json_get(root, "f"), &i));
	assert_true(bh_json_bool(bh_json_get(root, "t")));
	assert_true(bh_json_is_null(bh_json_get(root, "z")));
	assert_int_equal(bh_json_len(bh_json_get(root, "a")), 3);
	assert_true(bh_json_is_array(bh_json_at(bh_json_get(root, "a"), 1)));
	assert_true(bh_slice_eq_str(bh_json_str(bh_json_get(bh_json_get(root, "o"), "k")), "v"));
	bh_json_free(doc);
	bh_json_free(NULL);
}

static void wrong_questions_have_empty_answers(void **state)
{
	(void)state;
	struct bh_json *doc = parse("[\"x\"]");
	const struct bh_json_node *root = bh_json_root(doc), *nothing = bh_json_get(root, "k");
	void *iter = NULL;
	struct bh_slice key;
	const struct bh_json_node *value;
	int64_t i;
	assert_null(nothing);
	assert_null(bh_json_get(nothing, "k"));
	assert_null(bh_json_at(nothing, 0));
	assert_null(bh_json_at(root, 1));
	assert_int_equal(bh_json_len(nothing), 0);
	assert_int_equal(bh_json_len(bh_json_at(root, 0)), 0);
	assert_int_equal(bh_json_str(root).len, 0);
	assert_false(bh_json_i64(bh_json_at(root, 0), &i));
	assert_false(bh_json_bool(nothing));
	assert_false(bh_json_next(root, &iter, &key, &value));
	assert_false(bh_json_is_null(nothing));
	bh_json_free(doc);
	assert_null(bh_json_root(NULL));
}

static void members_come_in_document_order_and_the_last_duplicate_counts(void **state)
{
	(void)state;
	struct bh_json *doc = parse("{\"zeta\":1,\"alpha\":2,\"\":3,\"mid\":4,\"zeta\":5}");
	static const char *const names[] = { "zeta", "alpha", "", "mid" };
	static const int64_t values[] = { 5, 2, 3, 4 };
	void *iter = NULL;
	struct bh_slice key;
	const struct bh_json_node *value;
	size_t n = 0;
	while (bh_json_next(bh_json_root(doc), &iter, &key, &value)) {
		int64_t v;
		assert_true(n < 4 && bh_slice_eq_str(key, names[n]));
		assert_true(bh_json_i64(value, &v));
		assert_int_equal(v, values[n]);
		n++;
	}
	assert_int_equal(n, 4);
	bh_json_free(doc);
}

static void bad_documents_are_errors_with_a_place(void **state)
{
	(void)state;
	static const struct {
		struct bh_slice text;
		enum bh_code code;
		const char *said;
	} bad[] = {
		{ BH_SLICE_LIT(""), BH_ETRUNCATED, "line 1" },
		{ BH_SLICE_LIT("{\"a\":"), BH_ETRUNCATED, "line 1" },
		{ BH_SLICE_LIT("{}\n\n x"), BH_EMALFORMED, "line 3 column 2" },
		{ BH_SLICE_LIT("{}{}"), BH_EMALFORMED, "line 1" },
		{ BH_SLICE_LIT("{\"a\":1,}"), BH_EMALFORMED, "line 1" },
		{ BH_SLICE_LIT("[1\n,tru]"), BH_EMALFORMED, "line 2" },
		{ BH_SLICE_LIT("\n[\"\xff\"]"), BH_EMALFORMED, "line 2" },
		{ BH_SLICE_LIT("[\"\xed\xa0\x80\"]"), BH_EMALFORMED, "line 1" },
		{ BH_SLICE_LIT("[\"a\nb\"]"), BH_EMALFORMED, "line 1" },
		{ BH_SLICE_LIT("{\"a\\u0000b\":1}"), BH_EMALFORMED, "line 1" },
		{ BH_SLICE_LIT("[]\0"), BH_EMALFORMED, "line 1" },
		{ BH_SLICE_LIT("[9223372036854775808]"), BH_EMALFORMED, "line 1" },
		{ BH_SLICE_LIT("]"), BH_EMALFORMED, "line 1" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bh_json *doc = NULL;
		struct bh_err err = { 0 };
		int rc = bh_json_parse(bad[i].text, 1000, &doc, &err);
		if (rc != bad[i].code || !strstr(err.text, bad[i].said))
			fail_msg("case %zu: %d %s", i, rc, err.text);
		assert_null(doc);
	}
}

static void depth_and_size_are_limited(void **state)
{
	(void)state;
	enum { N = 100000 };
	struct bh_err err = { 0 };
	struct bh_json *doc = NULL;
	char *text = malloc(N);
	assert_non_null(text);
	memset(text, '[', N);
	assert_int_equal(bh_json_parse((struct bh_slice){ (uint8_t *)text, N }, N, &doc, &err), BH_ELIMIT);
	assert_non_null(strstr(err.text, "nested deeper than 64"));
	assert_int_equal(err.offset_bytes, BH_JSON_DEPTH_MAX);
	assert_int_equal(bh_json_parse((struct bh_slice){ (uint8_t *)text, N }, N - 1, &doc, &err), BH_ELIMIT);
	/* Brackets in strings don't count, escaped quotes don't end one. */
	text[0] = '"', text[1] = '\\', text[2] = '"', text[N - 1] = '"';
	assert_int_equal(bh_json_parse((struct bh_slice){ (uint8_t *)text, N }, N, &doc, &err), 0);
	assert_int_equal(bh_json_str(bh_json_root(doc)).len, N - 3);
	bh_json_free(doc);
	/* Exactly the limit is fine. */
	memset(text, '[', BH_JSON_DEPTH_MAX);
	memset(text + BH_JSON_DEPTH_MAX, ']', BH_JSON_DEPTH_MAX);
	assert_int_equal(bh_json_parse((struct bh_slice){ (uint8_t *)text, 2 * BH_JSON_DEPTH_MAX }, N, &doc, &err), 0);
	bh_json_free(doc);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found),
		cmocka_unit_test(wrong_questions_have_empty_answers),
		cmocka_unit_test(members_come_in_document_order_and_the_last_duplicate_counts),
		cmocka_unit_test(bad_documents_are_errors_with_a_place),
		cmocka_unit_test(depth_and_size_are_limited),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
