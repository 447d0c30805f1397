/* test_exceptions_edit.c: adding an exception to files as people write them: the whole new text is compared. */
#include "policy/exceptions_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S(text) BH_SLICE_LIT(text)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NEW(i) i "- id: CVE-1\n" i "  reason: not used\n" i "  owner: me\n" i "  expires: 2027-01-31\n"
#define OLD(i, id) i "- {id: " id ", reason: r, owner: o, expires: 2026-01-01}\n"

static const struct bh_exception plain = { .id = S("CVE-1"), .reason = S("not used"), .owner = S("me"), .expires = S("2027-01-31") };

static void added(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "", "exceptions:\n" NEW("  ") },
		{ "quiet: true\n", "quiet: true\n\nexceptions:\n" NEW("  ") },
		{ "quiet: true", "quiet: true\n\nexceptions:\n" NEW("  ") },
		{ "# mine\n", "# mine\n\nexceptions:\n" NEW("  ") },
		{ "exceptions:\nquiet: true\n", "exceptions:\n" NEW("  ") "quiet: true\n" },
		{ "exceptions:   # none yet\n\nquiet: true\n", "exceptions:   # none yet\n" NEW("  ") "\nquiet: true\n" },
		{ "exceptions: []\nquiet: true\n", "exceptions:\n" NEW("  ") "quiet: true\n" },
		{ "exceptions: [] # none\n", "exceptions: # none\n" NEW("  ") },
		{ "exceptions:\n" OLD("  ", "X") "# about scan\nscan:\n  width: 80\n", "exceptions:\n" OLD("  ", "X") NEW("  ") "# about scan\nscan:\n  width: 80\n" },
		{ "exceptions:\n" OLD("", "X") "scan:\n  width: 80\n", "exceptions:\n" OLD("", "X") NEW("") "scan:\n  width: 80\n" },
		{ "exceptions:\n    - id: X   # why\n      reason: >\n        two\n\n        lines\n      owner: o\n      expires: 2026-01-01 # soon\n\n\nquiet: true\n",
		  "exceptions:\n    - id: X   # why\n      reason: >\n        two\n\n        lines\n      owner: o\n      expires: 2026-01-01 # soon\n" NEW("    ") "\n\nquiet: true\n" },
		{ "exceptions:\n" OLD("  ", "X") "  # the end", "exceptions:\n" OLD("  ", "X") NEW("  ") "  # the end" },
		{ "exceptions:\n  - {id: X, reason: r, owner: o, expires: 2026-01-01}", "exceptions:\n  - {id: X, reason: r, owner: o, expires: 2026-01-01}\n" NEW("  ") },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_buf out;
		struct bh_err err = { 0 };
		bh_buf_init(&out, 1u << 20);
		if (policy_exceptions_add(bh_slice_str(cases[i][0]), "f", &plain, &out, &err) < 0)
			fail_msg("case %zu: %s", i, err.text);
		bh_buf_add_byte(&out, 0);
		assert_string_equal((const char *)out.ptr, cases[i][1]);
		bh_buf_done(&out);
	}
}

static void quoted(void **state)
{
	(void)state;
	static const struct bh_exception odd = { .id = S("*"), .package = S("pkg:npm/%40a/b@1"), .path = S("**/x: y"), .reason = S("it's # \"so\"\n\xe8\x88\xb9"), .owner = S("yes"),
						 .expires = S("2027-01-31") };
	struct bh_buf out;
	struct bh_err err = { 0 };
	bh_buf_init(&out, 1u << 20);
	assert_int_equal(policy_exceptions_add(S(""), "f", &odd, &out, &err), 0); /* it is read back there */
	bh_buf_add_byte(&out, 0);
	assert_string_equal((const char *)out.ptr, "exceptions:\n  - id: \"*\"\n    package: \"pkg:npm/%40a/b@1\"\n    path: \"**/x: y\"\n"
						   "    reason: \"it's # \\\"so\\\"\\n\xe8\x88\xb9\"\n    owner: \"yes\"\n    expires: 2027-01-31\n");
	bh_buf_done(&out);
}

static void refused(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "exceptions:\n" OLD("  ", "cve-1"), "f:2: cve-1 is excepted there already, until 2026-01-01; change that entry if it shall hold longer" },
		{ "exceptions: [{id: X, reason: r, owner: o, expires: 2026-01-01}]\n", "f:1:13: the list of exceptions is written in a way that can't be added to" },
		{ "exceptions: ~\n", "f:1:13: the list of exceptions is written in a way that can't be added to" },
		{ "{quiet: true}\n", "f: nothing can be written behind its end" },
		{ "exceptions:\n  - id: X\n", "f:2:5: the exception has no reason 'X'" },
		{ "- a\n", "f: it must be one mapping of keys" },
		{ "a: b\n---\nc: d\n", "f: it must be one mapping of keys" },
		{ "a: [\n", "f: line " },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_buf out;
		struct bh_err err = { 0 };
		bh_buf_init(&out, 1u << 20);
		assert_true(policy_exceptions_add(bh_slice_str(cases[i][0]), "f", &plain, &out, &err) < 0);
		if (strncmp(err.text, cases[i][1], strlen(cases[i][1])) != 0)
			fail_msg("case %zu: %s", i, err.text);
		bh_buf_done(&out);
	}
}

/* The same id elsewhere is another exception. */
static void not_the_same(void **state)
{
	(void)state;
	struct bh_exception e = plain;
	struct bh_buf out;
	struct bh_err err = { 0 };
	e.package = S("bash");
	bh_buf_init(&out, 1u << 20);
	assert_int_equal(policy_exceptions_add(S("exceptions:\n" OLD("  ", "CVE-1")), "f", &e, &out, &err), 0);
	bh_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(added),
		cmocka_unit_test(quoted),
		cmocka_unit_test(refused),
		cmocka_unit_test(not_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
