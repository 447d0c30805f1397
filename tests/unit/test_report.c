/* test_report.c: wrapping, columns, groups. Whole documents are compared with tests/golden/. */
#include "report/group.h"
#include "report/layout.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define S(text) BH_SLICE_LIT(text)
#define OUT_BYTES_MAX (1u << 20)

static void lines_break_where_a_reader_would(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t width;
		const char *lines; /* joined by "|" */
	} cases[] = {
		{ "", 10, "" },
		{ "short", 10, "short" },
		{ "exactly-10", 10, "exactly-10" },
		{ "two words", 10, "two words" },
		{ "three small words", 10, "three|small|words" },
		{ "a  b", 10, "a  b" },
		{ "trailing   ", 10, "trailing" },
		{ "CVE-2024-0001, CVE-2024-0002", 14, "CVE-2024-0001,|CVE-2024-0002" },
		{ "1.2.4-0.2+deb12u1", 10, "1.2.4-0.2+|deb12u1" },
		{ "abcdefghijklmnop", 5, "abcde|fghij|klmno|p" },
		{ "\xe4\xb8\xad\xe6\x96\x87\xe5\x8c\x85", 4, "\xe4\xb8\xad\xe6\x96\x87|\xe5\x8c\x85" },   /* wide: two columns each */
		{ "\xe4\xb8\xad\xe6\x96\x87\xe5\x8c\x85", 5, "\xe4\xb8\xad\xe6\x96\x87|\xe5\x8c\x85" },   /* half a character does not fit */
		{ "\xe2\x86\x92 1.2.4-0.2+deb12u1", 12, "\xe2\x86\x92 1.2.4-0.2+|deb12u1" }, /* the arrow is not left alone */
		{ "evil\\xff\\xfe!", 10, "evil\\xff|\\xfe!" }, /* escapes stay whole */
		{ "narrower than the least", 1, "narr|ower|than|the|leas|t" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_buf out;
		bh_buf_init(&out, OUT_BYTES_MAX);
		for (struct bh_slice rest = bh_slice_str(cases[i].text); rest.len;) {
			if (out.len)
				bh_buf_add_byte(&out, '|');
			bh_buf_add(&out, layout_take_line(&rest, cases[i].width));
		}
		bh_buf_add_byte(&out, '\0');
		assert_string_equal((const char *)out.ptr, cases[i].lines);
		bh_buf_done(&out);
	}
}

static void a_tall_cell_runs_on_beside_its_neighbours(void **state)
{
	(void)state;
	struct bh_buf out;
	bh_buf_init(&out, OUT_BYTES_MAX);
	struct layout_cell cells[] = { { .rest = S("one two three"), .width = 6, .indent = 1 }, { .rest = S("x"), .width = 3, .colour = "31" }, { .rest = S("end"), .width = 5 } };
	layout_flush(&out, 2, cells, 3);
	bh_buf_add_byte(&out, '\0');
	assert_string_equal((const char *)out.ptr, "  one     \x1b[31mx\x1b[0m    end\n   two\n   three\n");
	bh_buf_done(&out);
}

static void numbers_have_separators(void **state)
{
	(void)state;
	struct bh_buf out;
	bh_buf_init(&out, OUT_BYTES_MAX);
	const uint64_t numbers[] = { 0, 999, 1000, 1000000, UINT64_MAX };
	for (size_t i = 0; i < COUNT(numbers); i++) {
		layout_number(&out, numbers[i]);
		bh_buf_add_byte(&out, ' ');
	}
	bh_buf_add_byte(&out, '\0');
	assert_string_equal((const char *)out.ptr, "0 999 1,000 1,000,000 18,446,744,073,709,551,615 ");
	bh_buf_done(&out);
}

static bool by_length(struct bh_slice type, struct bh_slice a, struct bh_slice b, int *ret)
{
	(void)type;
	*ret = a.len > b.len ? 1 : a.len < b.len ? -1 : bh_slice_cmp(a, b);
	return true;
}

static struct bh_slice v9[] = { S("9") }, v10[] = { S("10") };

static void push(struct bh_report *r, const char *id, size_t package, struct bh_slice *fixed, bool kev)
{
	struct bh_finding f = { .class = BH_CLASS_VULNERABILITY, .id = bh_slice_str(id), .severity = BH_SEV_LOW, .package = &r->packages.ptr[package],
				.fixed = fixed, .n_fixed = fixed != NULL, .state = fixed ? BH_STATE_FIXED : BH_STATE_AFFECTED, .kev = kev, .layer = BH_NO_LAYER };
	assert_true(bh_finding_vec_push(&r->findings, f));
}

static void fill(struct bh_report *r)
{
	static const struct bh_package all[] = {
		{ .type = S("deb"), .name = S("a-bin"), .version = S("1"), .source_name = S("a"), .at.layer = 0 },
		{ .type = S("deb"), .name = S("a-lib"), .version = S("1"), .source_name = S("a"), .at.layer = 1 },
		{ .type = S("deb"), .name = S("a-old"), .version = S("0"), .source_name = S("a"), .at.layer = 0 },  /* another version */
		{ .type = S("deb"), .name = S("a-some"), .version = S("1"), .source_name = S("a"), .at.layer = 0 }, /* other findings */
		{ .type = S("deb"), .name = S("b"), .version = S("1"), .at.layer = 1 },
	};
	bh_report_init(r);
	for (size_t i = 0; i < COUNT(all); i++)
		assert_true(bh_package_vec_push(&r->packages, all[i]));
	for (size_t i = 0; i < 3; i++) {
		push(r, "CVE-1", i, v9, false);
		push(r, "CVE-2", i, v10, false);
		push(r, "CVE-3", i, NULL, false);
	}
	push(r, "CVE-1", 3, v9, false);
	push(r, "CVE-4", 4, v9, true);
	bh_report_sort_findings(r);
}

static void binaries_of_one_source_are_one_group(void **state)
{
	(void)state;
	struct bh_report r;
	struct groups g;
	struct bh_err err = { 0 };
	const struct report_style style = { .compare_versions = by_length };
	fill(&r);
	assert_int_equal(groups_make(&r, &style, &g, &err), 0);
	assert_int_equal(g.len, 4);
	assert_int_equal(g.n_packages, 5);
	assert_true(bh_slice_eq_str(g.ptr[0].packages[0]->name, "b")); /* known exploited: first */
	const struct group *a = &g.ptr[1];
	if (a->n_packages != 2)
		a = &g.ptr[2];
	assert_int_equal(a->n_packages, 2);
	assert_int_equal(a->n_findings, 3);
	assert_true(bh_slice_eq_str(a->upgrade, "10")); /* the one that fixes both */
	assert_int_equal(group_remedy_of(a->findings[2]), REMEDY_NONE_YET);
	groups_done(&g);
	bh_report_done(&r);
}

static void layers_separate_groups_when_asked(void **state)
{
	(void)state;
	struct bh_report r;
	struct groups g;
	struct bh_err err = { 0 };
	const struct report_style style = { .by_layer = true };
	fill(&r);
	assert_int_equal(groups_make(&r, &style, &g, &err), 0);
	assert_int_equal(g.len, 5);
	for (size_t i = 1; i < g.len; i++)
		assert_true(g.ptr[i - 1].layer <= g.ptr[i].layer);
	for (size_t i = 0; i < g.len; i++)
		if (g.ptr[i].n_findings > 1)
			assert_int_equal(g.ptr[i].upgrade.len, 0); /* 9 or 10? no one lent an order */
	groups_done(&g);
	bh_report_done(&r);
}

static void every_writer_respects_the_buffers_maximum(void **state)
{
	(void)state;
	struct bh_report r;
	fill(&r);
	const struct report_style style = { .tool_version = "0" };
	for (size_t i = 0; report_writers[i]; i++) {
		struct bh_buf out;
		struct bh_err err = { 0 };
		bh_buf_init(&out, 64);
		assert_int_equal(report_writers[i]->write(&r, &style, &out, &err), BH_ELIMIT);
		assert_true(err.text[0] != '\0');
		bh_buf_done(&out);
	}
	bh_report_done(&r);
}

/* No line is wider than asked for, whatever the width. */
static void tables_keep_their_width(void **state)
{
	(void)state;
	struct bh_report r;
	fill(&r);
	r.target.text = S("a/very/long/path/without/any/blank/in/it/that/must/be/broken/somewhere/even/so.tar");
	bh_report_incomplete(&r, "layer", S("x"), BH_NO_LAYER, "a long sentence that tells what could not be checked, and why it could not be, in many words");
	bh_report_decide(&r, false, BH_SEV_LOW);
	for (size_t width = 40; width <= 200; width++) {
		const struct report_style style = { .width = width, .tool_version = "0", .all_packages = true };
		struct bh_buf out;
		struct bh_err err = { 0 };
		bh_buf_init(&out, OUT_BYTES_MAX);
		assert_int_equal(report_writer_find(S("table"))->write(&r, &style, &out, &err), 0);
		for (struct bh_slice rest = bh_buf_slice(&out), line; rest.len;) {
			(void)bh_slice_cut(rest, '\n', &line, &rest);
			assert_true(bh_utf8_width(line) <= width);
		}
		bh_buf_done(&out);
	}
	bh_report_done(&r);
}

/* "Could not check" is never a pass, whichever way it is written down. */
static void packages_without_data_are_no_pass(void **state)
{
	(void)state;
	struct bh_report r;
	bh_report_init(&r);
	bh_report_decide(&r, false, BH_SEV_HIGH);
	assert_int_equal(r.verdict, BH_VERDICT_PASS);
	assert_true(bh_not_covered_vec_push(&r.not_covered, (struct bh_not_covered){ .ecosystem = S("Debian:12"), .packages = 7, .partial = true }));
	bh_report_decide(&r, false, BH_SEV_HIGH);
	assert_int_equal(r.verdict, BH_VERDICT_PASS);
	assert_true(bh_not_covered_vec_push(&r.not_covered, (struct bh_not_covered){ .ecosystem = S("npm"), .packages = 2 }));
	bh_report_decide(&r, false, BH_SEV_HIGH);
	assert_int_equal(r.verdict, BH_VERDICT_INCOMPLETE);
	assert_true(bh_slice_eq_str(r.verdict_reason, "no advisory data for 2 packages"));
	bh_report_incomplete(&r, "layer", S("x"), BH_NO_LAYER, "damaged");
	bh_report_decide(&r, true, BH_SEV_HIGH); /* --fail-on never hides findings, not gaps */
	assert_int_equal(r.verdict, BH_VERDICT_INCOMPLETE);
	assert_true(bh_slice_eq_str(r.verdict_reason, "1 thing could not be checked, no advisory data for 2 packages"));
	bh_report_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packages_without_data_are_no_pass),
		cmocka_unit_test(lines_break_where_a_reader_would),
		cmocka_unit_test(a_tall_cell_runs_on_beside_its_neighbours),
		cmocka_unit_test(numbers_have_separators),
		cmocka_unit_test(binaries_of_one_source_are_one_group),
		cmocka_unit_test(layers_separate_groups_when_asked),
		cmocka_unit_test(every_writer_respects_the_buffers_maximum),
		cmocka_unit_test(tables_keep_their_width),
	};
	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
