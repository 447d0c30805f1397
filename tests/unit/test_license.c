/* test_license.c: expressions; tests/live/licenses.py compares with npm's spdx packages. */
#include "license/license.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void check(const char *text, const char *wanted, bool normalise)
{
	struct bh_arena a;
	struct bh_buf out;
	bh_arena_init(&a, 1u << 20);
	bh_buf_init(&out, 1u << 16);
	const struct license_node *n = normalise ? license_normalise(bh_slice_str(text), &a) : license_parse(bh_slice_str(text), &a);
	if (n)
		assert_true(license_write(n, &out));
	bh_buf_add_byte(&out, 0);
	if (strcmp((const char *)out.ptr, wanted) != 0)
		fail_msg("%s gave \"%s\" instead of \"%s\"", text, (const char *)out.ptr, wanted);
	bh_buf_done(&out);
	bh_arena_done(&a);
}

static void expressions(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "MIT", "MIT" }, { "mit", "MIT" }, { " ( MIT ) ", "MIT" }, { "mit or apache-2.0", "MIT OR Apache-2.0" },
		{ "MIT AND (ISC OR Zlib)", "MIT AND (ISC OR Zlib)" }, { "(MIT AND ISC) OR Zlib", "MIT AND ISC OR Zlib" }, { "MIT OR ISC AND Zlib", "MIT OR ISC AND Zlib" },
		{ "GPL-2.0+", "GPL-2.0-or-later" }, { "GPL-2.0", "GPL-2.0-only" }, { "Apache-1.0+", "Apache-1.0+" },
		{ "GPL-2.0-or-later WITH classpath-exception-2.0", "GPL-2.0-or-later WITH Classpath-exception-2.0" },
		{ "LicenseRef-x AND DocumentRef-a:LicenseRef-b", "LicenseRef-x AND DocumentRef-a:LicenseRef-b" },
		{ "", "" }, { "MIT AND", "" }, { "MIT ISC", "" }, { "(MIT", "" }, { "MIT)", "" }, { "MIT WITH x", "" }, { "GPL 2", "" }, { "MIT +", "" }, { "LicenseRef-", "" },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		check(cases[i][0], cases[i][1], false);
}

static void declarations(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "Apache License, Version 2.0", "Apache-2.0" }, { "The Apache Software License, Version 2.0", "Apache-2.0" }, { "Apache 2.0", "Apache-2.0" }, { "Apache2", "Apache-2.0" },
		{ "ASL 2.0 and MIT", "Apache-2.0 AND MIT" }, { "GPLv2+", "GPL-2.0-or-later" }, { "GPLv2", "GPL-2.0-only" }, { "GPLv3+ and LGPLv2+", "GPL-3.0-or-later AND LGPL-2.0-or-later" },
		{ "(GPLv2 or MPLv1.1) and BSD", "(GPL-2.0-only OR MPL-1.1) AND LicenseRef-BSD" }, { "GPL+ or Artistic 2.0", "GPL-1.0-or-later OR Artistic-2.0" },
		{ "License :: OSI Approved :: MIT License", "MIT" }, { "License :: OSI Approved :: GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later" },
		{ "License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only" }, { "License :: OSI Approved :: Apache Software License", "Apache-2.0" },
		{ "License :: OSI Approved :: BSD License", "LicenseRef-BSD" }, { "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0" },
		{ "MIT/Apache-2.0", "MIT OR Apache-2.0" }, { "MIT License", "MIT" }, { "The MIT License (MIT)", "MIT" }, { "BSD", "LicenseRef-BSD" }, { "BSD 3-Clause", "BSD-3-Clause" },
		{ "New BSD License", "BSD-3-Clause" }, { "BSD-3-Clause", "BSD-3-Clause" }, { "3-Clause BSD License", "BSD-3-Clause" }, { "Public Domain", "LicenseRef-Public-Domain" },
		{ "GNU General Public License v3.0 only", "GPL-3.0-only" }, { "GNU Lesser General Public License, version 2.1 or (at your option) any later version", "LGPL-2.1-or-later" },
		{ "LGPL2.1", "LGPL-2.1-only" }, { "GPL2", "GPL-2.0-only" }, { "custom:foo", "LicenseRef-custom-foo" }, { "SEE LICENSE IN LICENSE.md", "LicenseRef-SEE-LICENSE-IN-LICENSE.md" },
		{ "UNLICENSED", "LicenseRef-UNLICENSED" }, { "MIT BSD-3-Clause", "MIT AND BSD-3-Clause" }, { "GPL2+ LGPL2+", "GPL-2.0-or-later AND LGPL-2.0-or-later" },
		{ "Eclipse Public License - v 2.0", "EPL-2.0" }, { "EPL 2.0; GPL2 w/ CPE", "EPL-2.0 AND GPL-2.0-only WITH Classpath-exception-2.0" }, { "MPL-2.0 OR GPLv3+", "MPL-2.0 OR GPL-3.0-or-later" },
		{ "Perl_5", "Artistic-1.0-Perl OR GPL-1.0-or-later" }, { "GPL-2.0-or-later AND MIT", "GPL-2.0-or-later AND MIT" }, { "Zlib, Boost", "Zlib AND BSL-1.0" },
		{ "Mozilla Public License 1.1 (MPL 1.1)", "MPL-1.1" }, { "PSF", "PSF-2.0" }, { "Python Software Foundation License", "PSF-2.0" }, { "CC0 1.0 Universal", "CC0-1.0" },
		{ "http://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0" }, { "https://opensource.org/licenses/BSD-3-Clause", "BSD-3-Clause" },
		{ "BSD-3-Clause;link=https://asm.ow2.io/LICENSE.txt", "BSD-3-Clause" }, { "https://opensource.org/licenses/BSD-2-Clause;description=BSD 2-Clause License", "BSD-2-Clause" },
		{ "http://www.eclipse.org/legal/epl-v10.html, http://www.gnu.org/licenses/old-licenses/lgpl-2.1.html", "EPL-1.0 AND LGPL-2.1-only" },
		{ "https://example.com/our/licence", "LicenseRef-https-example.com-our-licence" }, { "https://h2database.com/html/license.html, MIT", "(MPL-2.0 OR EPL-1.0) AND MIT" },
		{ "Apache-2.0, see https://x.org", "Apache-2.0 AND LicenseRef-see-https-x.org" }, 
		{ "", "" }, { " and ", "" }, { "AND AND", "" }, { "((((", "" }, { "MIT and", "MIT" },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		check(cases[i][0], cases[i][1], true);
}

/* Every identifier is found as it is, in small letters, and is its own expression. */
static void the_lists(void **state)
{
	(void)state;
	static const char *const ids[] = {
#define LICENSE_ID(id) id,
#define DEPRECATED_ID(id) id,
#include "license/ids.def"
#undef LICENSE_ID
#undef DEPRECATED_ID
	};
	for (size_t i = 0; i < COUNT(ids); i++) {
		assert_true(bh_slice_eq_str(license_id(bh_slice_str(ids[i]), NULL), ids[i]));
		struct bh_arena a;
		bh_arena_init(&a, 1u << 20);
		assert_non_null(license_parse(bh_slice_str(ids[i]), &a));
		bh_arena_done(&a);
	}
	assert_int_equal(license_id(bh_slice_str("MI"), NULL).len, 0);
	assert_int_equal(license_id(bh_slice_str(""), NULL).len, 0);
}

static void lists_allow_and_deny(void **state)
{
	(void)state;
	static const struct {
		const char *expression, *allow, *deny, *bad; /* bad: NULL = it fits */
	} cases[] = {
		{ "MIT", NULL, NULL, NULL },
		{ "MIT", "MIT", NULL, NULL },
		{ "MIT", "mit", NULL, NULL },
		{ "MIT", "ISC", NULL, "MIT" },
		{ "MIT AND ISC", "MIT", NULL, "ISC" },
		{ "MIT OR ISC", "MIT", NULL, NULL },
		{ "GPL-3.0-only", NULL, "GPL-*", "GPL-3.0-only" },
		{ "LGPL-3.0-only", NULL, "GPL-*", NULL },
		{ "GPL-3.0-only OR MIT", NULL, "GPL-*", NULL },
		{ "GPL-3.0-only AND MIT", NULL, "GPL-*", "GPL-3.0-only" },
		{ "GPL-2.0-or-later", "GPL-3.0-only", NULL, NULL },
		{ "GPL-3.0-only", "GPL-2.0-or-later", NULL, NULL },
		{ "GPL-2.0-only", "GPL-3.0-or-later", NULL, "GPL-2.0-only" },
		{ "GPL-2.0-or-later", NULL, "GPL-3.0-only", NULL },
		{ "GPL-3.0-or-later", NULL, "GPL-3.0-only", NULL },
		{ "GPL-3.0-only", NULL, "GPL-2.0-or-later", "GPL-3.0-only" },
		{ "GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", NULL, "GPL-2.0-only" },
		{ "GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0", NULL, NULL },
		{ "LicenseRef-x", "MIT", NULL, "LicenseRef-x" },
		{ "LicenseRef-x", "LicenseRef-*", NULL, NULL },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_arena a;
		struct bh_slice bad = { 0 };
		const struct license_list allow = { &cases[i].allow, cases[i].allow != NULL }, deny = { &cases[i].deny, cases[i].deny != NULL };
		bh_arena_init(&a, 1u << 20);
		const struct license_node *n = license_parse(bh_slice_str(cases[i].expression), &a);
		assert_non_null(n);
		bool fits = license_fits(n, &allow, &deny, &bad);
		if (fits != (cases[i].bad == NULL) || (cases[i].bad && !bh_slice_eq_str(bad, cases[i].bad)))
			fail_msg("case %zu: %s", i, cases[i].expression);
		bh_arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions),
		cmocka_unit_test(declarations),
		cmocka_unit_test(the_lists),
		cmocka_unit_test(lists_allow_and_deny),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
