/* test_vuln_db.c: the advisory database: what goes into the builder comes out of the reader. */
#include "vuln/builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S(text) BH_SLICE_LIT(text)

static void one_row_comes_back(void **state)
{
	(void)state;
	struct bh_err err = { 0 };
	struct vuln_builder *b = NULL;
	struct vuln_db *db = NULL;
	struct bh_buf out;
	uint32_t source, index;
	const struct vuln_source s = { .name = S("demo"), .feed = S("osv"), .precedence = VULN_PREC_GENERIC, .day = 20000 };
	const struct bh_slice aliases[] = { S("CVE-2024-0001") };
	const struct vuln_range range = { S(""), S("1.2"), VULN_END_FIXED };
	bh_buf_init(&out, 1u << 20);
	assert_int_equal(vuln_builder_new(&b, &err), 0);
	assert_int_equal(vuln_builder_source(b, &s, &source, &err), 0);
	const struct vuln_new_advisory a = { .source = source, .id = S("GHSA-aaaa"), .aliases = aliases, .n_aliases = 1, .title = S("Broken"),
					     .published_day = VULN_NO_DAY, .modified_day = VULN_NO_DAY, .withdrawn_day = VULN_NO_DAY };
	const struct vuln_new_row r = { .source = source, .ecosystem = S("PyPI"), .package = S("demo"), .id = S("GHSA-aaaa"),
					.state = BH_STATE_FIXED, .ranges = &range, .n_ranges = 1 };
	assert_int_equal(vuln_builder_advisory(b, &a, &err), 0);
	assert_int_equal(vuln_builder_row(b, &r, &err), 0);
	assert_int_equal(vuln_builder_finish(b, &out, &err), 0);
	vuln_builder_free(b);

	struct vuln_span span;
	struct vuln_row row;
	struct vuln_range got;
	struct vuln_advisory advisory;
	struct bh_slice text;
	assert_int_equal(vuln_db_open(bh_buf_slice(&out), &db, &err), 0);
	if (vuln_db_verify(db, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(vuln_db_find(db, S("PyPI"), S("demo"), &span, &err), 0);
	assert_int_equal(span.n, 1);
	assert_int_equal(vuln_db_row(db, span.first, &row, &err), 0);
	assert_int_equal(vuln_db_range(db, &row, 0, &got, &err), 0);
	assert_true(bh_slice_eq_str(got.end, "1.2"));
	assert_int_equal(vuln_db_advisory(db, row.advisory, &advisory, &err), 0);
	assert_true(bh_slice_eq_str(advisory.id, "CVE-2024-0001"));
	assert_int_equal(vuln_db_title(db, &advisory, &text, &err), 0);
	assert_true(bh_slice_eq_str(text, "Broken"));
	assert_int_equal(vuln_db_find_id(db, S("GHSA-aaaa"), &index, &err), 0);
	assert_int_equal(index, row.advisory);
	assert_int_equal(vuln_db_find(db, S("PyPI"), S("other"), &span, &err), 0);
	assert_int_equal(span.n, 0);
	vuln_db_close(db);
	bh_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_row_comes_back),
	};
	return cmocka_run_group_tests_name("vuln_db", tests, NULL, NULL);
}
