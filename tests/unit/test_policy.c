/* test_policy.c: patterns, exceptions, products, VEX in all its formats, filters: what happens to the findings of a small report. */
#include "policy/exceptions.h"
#include "policy/glob.h"
#include "policy/judge.h"
#include "policy/product.h"
#include "policy/vex.h"
#include "policy/vex_store.h"

#include "sys/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define S(text) BH_SLICE_LIT(text)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TODAY_S 1795651200 /* 2026-11-26 */

/* ---- patterns ---- */

static void patterns(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "*", "", true },           { "CVE-2023-*", "CVE-2023-4911", true }, { "cve-2023-*", "CVE-2023-4911", true }, { "CVE-2023-*", "CVE-2024-1", false },
		{ "a*b*c", "aXbYbZc", true }, { "a*b*c", "aXbYbZ", false },            { "?", "", false },                      { "lib?", "liba", true },
		{ "", "", true },            { "", "a", false },                       { "**", "anything", true },              { "@x/*", "@x/y/z", true },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		if (policy_glob(bh_slice_str(cases[i].pattern), bh_slice_str(cases[i].text)) != cases[i].matches)
			fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

/* Expected: what git's wildmatch says of the same pairs with WM_PATHNAME. */
static void path_patterns(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "srv/*", "srv/a", true },        { "srv/*", "srv/a/b", false },         { "srv/**", "srv/a/b", true },   { "/srv/**", "srv/a/b", true },
		{ "**/b", "b", true },             { "**/b", "a/b", true },               { "**/b", "a/c/b", true },       { "**/b", "ab", false },
		{ "a/**/b", "a/b", true },         { "a/**/b", "a/x/y/b", true },         { "a/**/b", "a/xb", false },     { "*.jar", "a/b.jar", false },
		{ "**/*.jar", "a/b.jar", true },   { "SRV/*", "srv/a", false },           { "a?b", "a/b", false },         { "a/*/c/**/*.x", "a/b/c/d/e.x", true },
		{ "**/a*/**/z", "q/ab/z", true },  { "**/a*/**/z", "q/ab/r/s/z", true },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		if (policy_glob_path(bh_slice_str(cases[i].pattern), bh_slice_str(cases[i].text)) != cases[i].matches)
			fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

/* ---- a report to judge ---- */

static const struct bh_package some_packages[] = {
	{ .type = S("deb"), .name = S("libssl3"), .version = S("3.0.9-1"), .arch = S("amd64"), .source_name = S("openssl"), .at.path = S("var/lib/dpkg/status") },
	{ .type = S("npm"), .name = S("@acme/shop"), .version = S("1.2.3"), .at.path = S("srv/shop/package-lock.json") },
	{ .type = S("rpm"), .name = S("bash"), .version = S("5.1.8-6.el9"), .arch = S("x86_64"), .at.path = S("var/lib/rpm/rpmdb.sqlite") },
};
static struct bh_slice ghsa[] = { S("GHSA-aaaa-bbbb-cccc") }, a_fix[] = { S("9") };

static void fill(struct bh_report *r)
{
	bh_report_init(r);
	r->target = (struct bh_target){ .text = S("registry:example.com/team/shop:1.4"), .distro = { .id = S("rhel"), .version_id = S("9.4") } };
	assert_true(bh_digest_parse(S("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"), &r->target.digest));
	for (size_t i = 0; i < COUNT(some_packages); i++)
		assert_true(bh_package_vec_push(&r->packages, some_packages[i]));
	struct bh_package *p = r->packages.ptr;
	const struct bh_finding all[] = {
		{ .id = S("CVE-1"), .severity = BH_SEV_CRITICAL, .state = BH_STATE_FIXED, .package = &p[0], .fixed = a_fix, .n_fixed = 1, .layer = BH_NO_LAYER },
		{ .id = S("CVE-2"), .severity = BH_SEV_LOW, .state = BH_STATE_POSTPONED, .package = &p[0], .layer = BH_NO_LAYER },
		{ .id = S("CVE-3"), .severity = BH_SEV_HIGH, .state = BH_STATE_FIXED, .package = &p[1], .aliases = ghsa, .n_aliases = 1, .fixed = a_fix, .n_fixed = 1,
		  .layer = BH_NO_LAYER },
		{ .id = S("CVE-4"), .severity = BH_SEV_MEDIUM, .state = BH_STATE_AFFECTED, .package = &p[2], .layer = BH_NO_LAYER },
		{ .id = S("CVE-5"), .severity = BH_SEV_UNKNOWN, .state = BH_STATE_UNDETERMINED, .package = &p[2], .layer = BH_NO_LAYER },
	};
	for (size_t i = 0; i < COUNT(all); i++)
		assert_true(bh_finding_vec_push(&r->findings, all[i]));
}

/* "CVE-1 CVE-2 | CVE-3": findings, then suppressed ones, each in the report's order. */
static void expect(const struct bh_report *r, const char *wanted)
{
	char got[600] = "";
	size_t n = 0;
	for (size_t i = 0; i < r->findings.len; i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%.*s ", BH_SLICE_FMT(r->findings.ptr[i].id));
	n += (size_t)snprintf(got + n, sizeof(got) - n, "|");
	for (size_t i = 0; i < r->suppressed.len; i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, " %.*s", BH_SLICE_FMT(r->suppressed.ptr[i].id));
	assert_string_equal(got, wanted);
}

/* ---- exceptions ---- */

static int read_exceptions(const char *text, struct bh_arena *a, struct bh_exception_vec *out, struct bh_err *err)
{
	struct bh_yaml *y;
	assert_int_equal(bh_yaml_parse(bh_slice_str(text), 1u << 20, &y, err), 0);
	int rc = policy_exceptions_read(bh_yaml_get(bh_yaml_root(y, 0), "exceptions"), "f.yaml", a, out, err);
	bh_yaml_free(y);
	return rc;
}

static void judge_with(const char *yaml, const char *wanted, enum bh_verdict verdict)
{
	struct bh_report r;
	struct bh_arena a;
	struct bh_err err = { 0 };
	struct bh_exception_vec list = { .max = 100 };
	bh_arena_init(&a, 1u << 20);
	fill(&r);
	if (read_exceptions(yaml, &a, &list, &err) < 0)
		fail_msg("%s", err.text);
	struct policy_options o = { .exceptions = &list, .min_severity = BH_SEV_NEGLIGIBLE, .fail_on = BH_SEV_HIGH, .now_s = TODAY_S };
	assert_int_equal(policy_judge(&o, &r, &err), 0);
	expect(&r, wanted);
	assert_int_equal(r.verdict, verdict);
	assert_int_equal(r.hidden[BH_HIDDEN_EXCEPTION], r.suppressed.len);
	bh_exception_vec_done(&list);
	bh_report_done(&r);
	bh_arena_done(&a);
}

#define REST ", reason: r, owner: o, expires: 2026-11-26}\n"
#define OLD ", reason: r, owner: o, expires: 2026-11-25}\n"

static void exceptions_suppress(void **state)
{
	(void)state;
	judge_with("exceptions:\n- {id: CVE-1" REST, "CVE-3 CVE-4 CVE-2 CVE-5 | CVE-1", BH_VERDICT_FAIL);
	judge_with("exceptions:\n- {id: cve-1" REST "- {id: ghsa-*" REST "- {id: CVE-5" REST, "CVE-4 CVE-2 | CVE-1 CVE-3 CVE-5", BH_VERDICT_PASS);
	judge_with("exceptions:\n- {id: '*', package: openssl" REST, "CVE-3 CVE-4 CVE-5 | CVE-1 CVE-2", BH_VERDICT_FAIL);
	judge_with("exceptions:\n- {id: '*', package: 'pkg:npm/%40acme/shop'" REST, "CVE-1 CVE-4 CVE-2 CVE-5 | CVE-3", BH_VERDICT_FAIL);
	judge_with("exceptions:\n- {id: '*', package: 'pkg:npm/%40acme/shop@1.2.4'" REST, "CVE-1 CVE-3 CVE-4 CVE-2 CVE-5 |", BH_VERDICT_FAIL);
	judge_with("exceptions:\n- {id: '*', path: 'srv/**'" REST, "CVE-1 CVE-4 CVE-2 CVE-5 | CVE-3", BH_VERDICT_FAIL);
	judge_with("exceptions:\n- {id: CVE-1, path: 'srv/**'" REST, "CVE-1 CVE-3 CVE-4 CVE-2 CVE-5 |", BH_VERDICT_FAIL);
}

static void exceptions_run_out(void **state)
{
	(void)state;
	judge_with("exceptions:\n- {id: CVE-2" OLD, "CVE-1 CVE-3 CVE-4 exception-expired CVE-2 CVE-5 |", BH_VERDICT_FAIL);
	judge_with("exceptions:\n- {id: CVE-9" OLD, "CVE-1 CVE-3 CVE-4 CVE-2 exception-expired CVE-5 |", BH_VERDICT_FAIL);
	/* One that holds goes before one that ran out. */
	judge_with("exceptions:\n- {id: CVE-1" OLD "- {id: CVE-1" REST, "CVE-3 CVE-4 CVE-2 exception-expired CVE-5 | CVE-1", BH_VERDICT_FAIL);
}

static void exceptions_complain(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "exceptions:\n- id: X\n  reason: r\n  owner: o\n", "f.yaml:2:3: the exception has no expires: it must end some day 'X'" },
		{ "exceptions:\n- id: X\n  owner: o\n  expires: 2027-01-01\n", "f.yaml:2:3: the exception has no reason 'X'" },
		{ "exceptions:\n- id: X\n  reason: '  '\n  owner: o\n  expires: 2027-01-01\n", "f.yaml:2:3: the exception has no reason 'X'" },
		{ "exceptions:\n- id: X\n  reason: r\n  expires: 2027-01-01\n", "f.yaml:2:3: the exception has no owner 'X'" },
		{ "exceptions:\n- reason: r\n  owner: o\n  expires: 2027-01-01\n", "f.yaml:2:3: the exception has no id (\"*\" is any)" },
		{ "exceptions:\n- id: X\n  reason: r\n  owner: o\n  expires: 2027-02-29\n", "f.yaml:5:12: expires must be a day like 2026-12-31, not '2027-02-29'" },
		{ "exceptions:\n- id: X\n  until: 2027-01-01\n", "f.yaml:3:3: an exception may have id, package, path, reason, owner and expires, not 'until'" },
		{ "exceptions:\n- id: [a]\n", "f.yaml:2:7: one value is needed for 'id'" },
		{ "exceptions:\n- X\n", "f.yaml:2:3: an exception needs id, reason, owner and expires" },
		{ "exceptions:\n  id: X\n", "f.yaml:2:3: exceptions must be a list" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_arena a;
		struct bh_err err = { 0 };
		struct bh_exception_vec list = { .max = 100 };
		bh_arena_init(&a, 1u << 20);
		assert_int_equal(read_exceptions(cases[i][0], &a, &list, &err), BH_EUSAGE);
		assert_string_equal(err.text, cases[i][1]);
		bh_exception_vec_done(&list);
		bh_arena_done(&a);
	}
}

/* ---- filters ---- */

static void filters_count_what_they_hide(void **state)
{
	(void)state;
	static const struct {
		struct policy_options o;
		const char *wanted;
		uint64_t hidden[3];
	} cases[] = {
		{ { .min_severity = BH_SEV_NEGLIGIBLE }, "CVE-1 CVE-3 CVE-4 CVE-2 CVE-5 |", { 0 } },
		{ { .min_severity = BH_SEV_HIGH }, "CVE-1 CVE-3 CVE-5 |", { [BH_HIDDEN_SEVERITY] = 2 } },
		{ { .min_severity = BH_SEV_NEGLIGIBLE, .ignore_unfixed = true }, "CVE-1 CVE-3 CVE-5 |", { [BH_HIDDEN_UNFIXED] = 2 } },
		{ { .min_severity = BH_SEV_NEGLIGIBLE, .states = POLICY_STATE(BH_STATE_POSTPONED) }, "CVE-2 CVE-5 |", { [BH_HIDDEN_STATE] = 3 } },
		{ { .min_severity = BH_SEV_MEDIUM, .states = POLICY_STATE(BH_STATE_FIXED) | POLICY_STATE(BH_STATE_AFFECTED), .ignore_unfixed = true },
		  "CVE-1 CVE-3 CVE-5 |",
		  { [BH_HIDDEN_SEVERITY] = 1, [BH_HIDDEN_UNFIXED] = 1 } },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_report r;
		struct bh_err err = { 0 };
		fill(&r);
		assert_int_equal(policy_judge(&cases[i].o, &r, &err), 0);
		expect(&r, cases[i].wanted);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(r.hidden[k], cases[i].hidden[k]);
		bh_report_done(&r);
	}
}

/* ---- products ---- */

static void products_are_packages(void **state)
{
	(void)state;
	static const struct bh_distro rhel = { .id = S("rhel"), .version_id = S("9.4") };
	static const struct bh_package kernel = { .type = S("rpm"), .name = S("kernel-core"), .version = S("5.14.0-427.el9"), .arch = S("x86_64"), .source_name = S("kernel") };
	static const struct bh_package maven = { .type = S("maven"), .name = S("org.apache.logging.log4j:log4j-core"), .version = S("2.14.1") };
	static const struct bh_package django = { .type = S("pypi"), .name = S("Flask_Login"), .version = S("1.0") };
	static const struct bh_package go = { .type = S("golang"), .name = S("golang.org/x/net"), .version = S("v0.1.0") };
	static const struct {
		const char *product;
		const struct bh_package *package;
		bool same;
	} cases[] = {
		{ "pkg:npm/%40acme/shop", &some_packages[1], true },
		{ "pkg:npm/@acme/shop@1.2.3", &some_packages[1], true },
		{ "pkg:npm/%40acme/shop@1.2.4", &some_packages[1], false },
		{ "pkg:npm/shop", &some_packages[1], false },
		{ "pkg:rpm/redhat/bash@5.1.8-6.el9?arch=x86_64", &some_packages[2], true },
		{ "pkg:rpm/redhat/bash?arch=aarch64", &some_packages[2], false },
		{ "pkg:rpm/fedora/bash", &some_packages[2], false },
		{ "pkg:rpm/redhat/kernel?arch=src", &kernel, true },
		{ "pkg:rpm/redhat/kernel@5.14.0-427.el9?arch=src", &kernel, true },
		{ "pkg:rpm/redhat/kernel@5.14.0-427.el9", &kernel, false },
		{ "pkg:maven/org.apache.logging.log4j/log4j-core", &maven, true },
		{ "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?repository_url=https://repo.example.com", &maven, true },
		{ "pkg:maven/org.apache.logging/log4j-core", &maven, false },
		{ "pkg:maven/org.apache.logging.log4j/log4j-core?type=jar", &maven, false },
		{ "pkg:pypi/flask-login", &django, true },
		{ "pkg:PyPI/flask.login@1.0", &django, true },
		{ "pkg:golang/golang.org/x/net@v0.1.0", &go, true },
		{ "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", &go, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_arena a;
		struct policy_product p;
		bh_arena_init(&a, 1u << 20);
		assert_true(policy_product_parse(bh_slice_str(cases[i].product), &a, &p));
		if (policy_product_is_package(&p, cases[i].package, &rhel) != cases[i].same)
			fail_msg("%s and %.*s", cases[i].product, BH_SLICE_FMT(cases[i].package->name));
		bh_arena_done(&a);
	}
}

#define SHA "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void products_are_images(void **state)
{
	(void)state;
	static const struct {
		const char *product, *reference;
		bool same;
	} cases[] = {
		{ SHA, "", true },
		{ OTHER, "", false },
		{ "pkg:oci/shop@sha256%3A0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef?repository_url=x.io/shop", "", true },
		{ "pkg:oci/shop@" OTHER, "shop", false },
		{ "pkg:oci/shop?repository_url=example.com/team/shop", "example.com/team/shop:1.4", true },
		{ "pkg:oci/shop?repository_url=example.com/team", "example.com/team/shop:1.4", true },
		{ "pkg:oci/shop?repository_url=example.com/team/shop&tag=1.4", "example.com/team/shop:1.4", true },
		{ "pkg:oci/shop?repository_url=example.com/team/shop&tag=1.5", "example.com/team/shop:1.4", false },
		{ "pkg:oci/shop?repository_url=example.org/team/shop", "example.com/team/shop:1.4", false },
		{ "pkg:docker/debian@12", "docker.io/library/debian:12", true },
		{ "pkg:docker/library/debian", "debian", true },
		{ "pkg:docker/debian@11", "debian:12", false },
		{ "index.docker.io/library/debian:12", "debian:12", true },
		{ "example.com:5000/shop", "example.com:5000/shop:1", true },
		{ "example.com/shop@" SHA, "anything", true },
		{ "example.com/shop@" OTHER, "example.com/shop:1", false },
		{ "pkg:npm/shop", "shop", false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_arena a;
		struct policy_product p;
		struct bh_target t = { .text = S("oci:layout"), .reference = bh_slice_str(cases[i].reference) };
		assert_true(bh_digest_parse(S(SHA), &t.digest));
		bh_arena_init(&a, 1u << 20);
		assert_true(policy_product_parse(bh_slice_str(cases[i].product), &a, &p));
		if (policy_product_is_image(&p, &t) != cases[i].same)
			fail_msg("%s and %s", cases[i].product, cases[i].reference);
		bh_arena_done(&a);
	}
}

/* ---- VEX ---- */

static void times(void **state)
{
	(void)state;
	assert_int_equal(policy_time_of(S("1970-01-01T00:00:10Z")), 10);
	assert_int_equal(policy_time_of(S("2026-11-26T00:00:00Z")), TODAY_S);
	assert_int_equal(policy_time_of(S("2026-11-26T01:00:00.123456+01:00")), TODAY_S);
	assert_int_equal(policy_time_of(S("2026-11-25T19:00:00-05:00")), TODAY_S);
	static const char *const bad[] = { "", "2026-11-26", "2026-11-26T00:00:00", "2026-11-26T00:00:00+0100", "2026-13-26T00:00:00Z", "xxxx-11-26T00:00:00Z" };
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_true(policy_time_of(bh_slice_str(bad[i])) == INT64_MIN);
}

/* Loads documents one after the other, applies them and compares; wanted as for expect(). */
static void vex_case(const char *const *documents, size_t n, const char *wanted, struct bh_report *r)
{
	struct policy_vex *v;
	struct bh_err err = { 0 };
	fill(r);
	assert_int_equal(policy_vex_new(&v, &err), 0);
	for (size_t i = 0; i < n; i++)
		if (policy_vex_load_bytes(v, "here", bh_slice_str(documents[i]), r, &err) < 0)
			fail_msg("%s", err.text);
	assert_int_equal(policy_vex_apply(v, r, &err), 0);
	policy_vex_free(v);
	expect(r, wanted);
	assert_int_equal(r->hidden[BH_HIDDEN_VEX], r->suppressed.len);
}

#define OPENVEX(statements) "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"@id\":\"i\",\"author\":\"A\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"version\":1,\"statements\":[" statements "]}"
#define STATEMENT(id, product, status, more) "{\"vulnerability\":{\"name\":\"" id "\"},\"products\":[{\"@id\":\"" product "\"}],\"status\":\"" status "\"" more "}"
#define NO_CODE ",\"justification\":\"vulnerable_code_not_present\",\"impact_statement\":\"we cut it out\""
#define LIBSSL "pkg:deb/debian/libssl3@3.0.9-1"

static void openvex(void **state)
{
	(void)state;
	struct bh_report r;
	const char *one[] = { OPENVEX(STATEMENT("CVE-3", "pkg:npm/%40acme/shop", "not_affected", NO_CODE)) };
	vex_case(one, 1, "CVE-1 CVE-2 CVE-4 CVE-5 | CVE-3", &r);
	const struct bh_ruling *why = &r.suppressed.ptr[0].ruling;
	assert_int_equal(why->kind, BH_RULING_VEX);
	assert_true(bh_slice_eq_str(why->justification, "vulnerable_code_not_present") && bh_slice_eq_str(why->reason, "we cut it out"));
	assert_true(bh_slice_eq_str(why->who, "A") && bh_slice_eq_str(why->from, "here") && bh_slice_eq_str(why->status, "not_affected"));
	assert_int_equal(r.vex.len, 1);
	assert_int_equal(r.vex.ptr[0].statements, 1);
	assert_int_equal(r.vex.ptr[0].matched, 1);
	bh_report_done(&r);
	/* by an alias of the finding; by an alias of the statement; a status that only annotates */
	const char *alias[] = { OPENVEX(STATEMENT("GHSA-aaaa-bbbb-cccc", "pkg:npm/%40acme/shop@1.2.3", "fixed", "")) };
	vex_case(alias, 1, "CVE-1 CVE-2 CVE-4 CVE-5 | CVE-3", &r);
	bh_report_done(&r);
	const char *other[] = { OPENVEX("{\"vulnerability\":{\"name\":\"X-1\",\"aliases\":[\"CVE-4\"]},\"products\":[{\"@id\":\"pkg:rpm/redhat/bash\"}],\"status\":\"under_investigation\"}") };
	vex_case(other, 1, "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |", &r);
	assert_true(bh_slice_eq_str(r.findings.ptr[3].ruling.status, "under_investigation"));
	bh_report_done(&r);
	/* wrong version, wrong package: nothing */
	const char *none[] = { OPENVEX(STATEMENT("CVE-3", "pkg:npm/%40acme/shop@9", "not_affected", NO_CODE) "," STATEMENT("CVE-3", "pkg:npm/other", "not_affected", NO_CODE)) };
	vex_case(none, 1, "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |", &r);
	bh_report_done(&r);
}

static void openvex_of_canonical(void **state)
{
	(void)state;
	struct bh_report r;
	const char *document[] = { "{\"metadata\":{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"author\":\"Canonical Ltd.\",\"timestamp\":\"2026-01-01T00:00:00Z\"},\"statements\":["
				   STATEMENT("CVE-3", "pkg:npm/%40acme/shop", "fixed", "") "]}" };
	vex_case(document, 1, "CVE-1 CVE-2 CVE-4 CVE-5 | CVE-3", &r);
	assert_true(bh_slice_eq_str(r.vex.ptr[0].author, "Canonical Ltd."));
	bh_report_done(&r);
}

static void openvex_images(void **state)
{
	(void)state;
	struct bh_report r;
	const char *image[] = { OPENVEX(STATEMENT("CVE-4", SHA, "not_affected", NO_CODE)) };
	vex_case(image, 1, "CVE-1 CVE-2 CVE-3 CVE-5 | CVE-4", &r);
	bh_report_done(&r);
	const char *parts[] = { OPENVEX("{\"vulnerability\":{\"name\":\"CVE-4\"},\"products\":[{\"@id\":\"pkg:oci/shop?repository_url=example.com/team/shop\",\"subcomponents\":"
					"[{\"@id\":\"pkg:rpm/redhat/bash\"}]}],\"status\":\"not_affected\"" NO_CODE "}") };
	vex_case(parts, 1, "CVE-1 CVE-2 CVE-3 CVE-5 | CVE-4", &r);
	bh_report_done(&r);
	/* the component fits, but in another image */
	const char *elsewhere[] = { OPENVEX("{\"vulnerability\":{\"name\":\"CVE-4\"},\"products\":[{\"@id\":\"pkg:oci/till?repository_url=example.com/team/till\",\"subcomponents\":"
					    "[{\"@id\":\"pkg:rpm/redhat/bash\"}]}],\"status\":\"not_affected\"" NO_CODE "}") };
	vex_case(elsewhere, 1, "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |", &r);
	bh_report_done(&r);
	/* a component of a package that is there */
	const char *inside[] = { OPENVEX("{\"vulnerability\":{\"name\":\"CVE-4\"},\"products\":[{\"@id\":\"pkg:npm/%40acme/shop\",\"subcomponents\":"
					 "[{\"@id\":\"pkg:rpm/redhat/bash\"}]}],\"status\":\"not_affected\"" NO_CODE "}") };
	vex_case(inside, 1, "CVE-1 CVE-2 CVE-3 CVE-5 | CVE-4", &r);
	bh_report_done(&r);
}

static void the_latest_statement_counts(void **state)
{
	(void)state;
	struct bh_report r;
#define NOT_NOW(date) STATEMENT("CVE-3", "pkg:npm/%40acme/shop", "not_affected", NO_CODE ",\"timestamp\":\"" date "\"")
#define AFFECTED(date) STATEMENT("CVE-3", "pkg:npm/%40acme/shop", "affected", ",\"action_statement\":\"wait\",\"timestamp\":\"" date "\"")
	const char *later[] = { OPENVEX(AFFECTED("2026-03-01T00:00:00Z") "," NOT_NOW("2026-02-01T00:00:00Z")) };
	vex_case(later, 1, "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |", &r);
	assert_true(bh_slice_eq_str(r.findings.ptr[2].ruling.reason, "wait"));
	bh_report_done(&r);
	const char *zones[] = { OPENVEX(NOT_NOW("2026-03-01T00:30:00Z")), OPENVEX(AFFECTED("2026-03-01T01:00:00+02:00")) };
	vex_case(zones, 2, "CVE-1 CVE-2 CVE-4 CVE-5 | CVE-3", &r);
	bh_report_done(&r);
	const char *draw[] = { OPENVEX(NOT_NOW("2026-03-01T00:00:00Z")), OPENVEX(AFFECTED("2026-03-01T00:00:00Z")) };
	vex_case(draw, 2, "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |", &r);
	bh_report_done(&r);
}

/* As Red Hat writes it: a source rpm of a system that has only a CPE. */
#define CSAF(cpe, status)                                                                                                                               \
	"{\"document\":{\"category\":\"csaf_vex\",\"csaf_version\":\"2.0\",\"publisher\":{\"name\":\"Red Hat\"},\"tracking\":{\"id\":\"CVE-4\","          \
	"\"current_release_date\":\"2026-01-01T00:00:00+00:00\"}},\"product_tree\":{\"branches\":[{\"category\":\"vendor\",\"branches\":[{\"product\":{"   \
	"\"product_id\":\"sys\",\"product_identification_helper\":{\"cpe\":\"" cpe "\"}}},{\"product\":{\"product_id\":\"bash\","                           \
	"\"product_identification_helper\":{\"purl\":\"pkg:rpm/redhat/bash?arch=src\"}}}]}],\"relationships\":[{\"category\":\"default_component_of\","     \
	"\"full_product_name\":{\"product_id\":\"sys:bash\"},\"product_reference\":\"bash\",\"relates_to_product_reference\":\"sys\"}]},"                 \
	"\"vulnerabilities\":[{\"cve\":\"CVE-4\",\"product_status\":{\"" status "\":[\"sys:bash\"]},\"flags\":[{\"label\":\"component_not_present\","      \
	"\"product_ids\":[\"sys:bash\"]}],\"threats\":[{\"category\":\"impact\",\"details\":\"Moderate\",\"product_ids\":[\"sys:bash\"]}]}]}"

static void csaf(void **state)
{
	(void)state;
	struct bh_report r;
	const char *rhel9[] = { CSAF("cpe:/o:redhat:enterprise_linux:9", "known_not_affected") };
	vex_case(rhel9, 1, "CVE-1 CVE-2 CVE-3 CVE-5 | CVE-4", &r);
	assert_true(bh_slice_eq_str(r.suppressed.ptr[0].ruling.justification, "component_not_present"));
	assert_true(bh_slice_eq_str(r.suppressed.ptr[0].ruling.reason, "Moderate"));
	assert_true(bh_slice_eq_str(r.vex.ptr[0].author, "Red Hat") && bh_slice_eq_str(r.vex.ptr[0].format, "csaf"));
	bh_report_done(&r);
	const char *rhel8[] = { CSAF("cpe:2.3:o:redhat:enterprise_linux:8:*:*:*:*:*:*:*", "known_not_affected") };
	vex_case(rhel8, 1, "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |", &r);
	bh_report_done(&r);
	const char *pack[] = { CSAF("cpe:/o:redhat:enterprise_linux:9:sp4", "known_not_affected") }, *other_pack[] = { CSAF("cpe:/o:redhat:enterprise_linux:9:sp5", "known_not_affected") };
	vex_case(pack, 1, "CVE-1 CVE-2 CVE-3 CVE-5 | CVE-4", &r);
	bh_report_done(&r);
	vex_case(other_pack, 1, "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |", &r);
	bh_report_done(&r);
	const char *unknown[] = { CSAF("", "known_not_affected") };
	vex_case(unknown, 1, "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |", &r);
	bh_report_done(&r);
	const char *affected[] = { CSAF("cpe:/o:redhat:enterprise_linux:9.4", "known_affected") };
	vex_case(affected, 1, "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |", &r);
	assert_true(bh_slice_eq_str(r.findings.ptr[3].ruling.status, "affected"));
	bh_report_done(&r);
}

#define CDX(analysis, affects)                                                                                                                       \
	"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"serialNumber\":\"urn:uuid:1\",\"metadata\":{\"timestamp\":\"2026-01-01T00:00:00Z\","    \
	"\"authors\":[{\"name\":\"B\"}],\"component\":{\"bom-ref\":\"top\",\"components\":[{\"bom-ref\":\"deep\",\"purl\":\"pkg:rpm/redhat/bash\"}]}}," \
	"\"components\":[{\"bom-ref\":\"a\",\"purl\":\"pkg:npm/%40acme/shop@1.2.3\"}],\"vulnerabilities\":[{\"id\":\"CVE-3\",\"analysis\":" analysis       \
	",\"affects\":" affects "}]}"

static void cyclonedx(void **state)
{
	(void)state;
	static const struct {
		const char *document, *wanted;
	} cases[] = {
		{ CDX("{\"state\":\"not_affected\",\"justification\":\"code_not_present\",\"detail\":\"d\"}", "[{\"ref\":\"a\"}]"), "CVE-1 CVE-2 CVE-4 CVE-5 | CVE-3" },
		{ CDX("{\"state\":\"false_positive\"}", "[{\"ref\":\"pkg:npm/%40acme/shop\"}]"), "CVE-1 CVE-2 CVE-4 CVE-5 | CVE-3" },
		{ CDX("{\"state\":\"resolved\"}", "[{\"ref\":\"urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#a\"}]"), "CVE-1 CVE-2 CVE-4 CVE-5 | CVE-3" },
		{ CDX("{\"state\":\"exploitable\"}", "[{\"ref\":\"a\"}]"), "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |" },
		{ CDX("{\"state\":\"in_triage\"}", "[{\"ref\":\"a\"}]"), "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |" },
		{ CDX("{\"state\":\"not_affected\"}", "[{\"ref\":\"deep\"}]"), "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |" }, /* CVE-3 is not in bash */
		{ CDX("{\"state\":\"not_affected\"}", "[{\"ref\":\"a\",\"versions\":[{\"version\":\"1.2.3\",\"status\":\"unaffected\"}]}]"), "CVE-1 CVE-2 CVE-4 CVE-5 | CVE-3" },
		{ CDX("{\"state\":\"not_affected\"}", "[{\"ref\":\"a\",\"versions\":[{\"version\":\"1.2.3\",\"status\":\"affected\"}]}]"), "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |" },
		{ CDX("{\"state\":\"not_affected\"}", "[{\"ref\":\"a\",\"versions\":[{\"version\":\"9\"}]}]"), "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |" },
		{ CDX("{}", "[{\"ref\":\"a\"}]"), "CVE-1 CVE-2 CVE-3 CVE-4 CVE-5 |" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_report r;
		vex_case(&cases[i].document, 1, cases[i].wanted, &r);
		bh_report_done(&r);
	}
	struct bh_report r;
	vex_case(&cases[0].document, 1, cases[0].wanted, &r);
	assert_true(bh_slice_eq_str(r.suppressed.ptr[0].ruling.justification, "vulnerable_code_not_present"));
	assert_true(bh_slice_eq_str(r.suppressed.ptr[0].ruling.who, "B"));
	bh_report_done(&r);
}

static void damage_is_told(void **state)
{
	(void)state;
	struct bh_report r;
	const char *odd[] = { OPENVEX(STATEMENT("CVE-3", "pkg:npm/%40acme/shop", "harmless", "") "," STATEMENT("CVE-4", "pkg:rpm/redhat/bash", "fixed", "") ",{\"status\":\"fixed\"}"),
			      CDX("{\"state\":\"not_affected\"}", "[{\"ref\":\"nowhere\"},{\"ref\":\"a\",\"versions\":[{\"range\":\"vers:npm/<2\"}]}]") };
	vex_case(odd, 2, "CVE-1 CVE-2 CVE-3 CVE-5 | CVE-4", &r);
	assert_int_equal(r.incomplete.len, 4);
	assert_true(bh_slice_eq_str(r.incomplete.ptr[0].reason, "entry 0 left out: a statement without a known status"));
	assert_true(bh_slice_eq_str(r.incomplete.ptr[1].reason, "entry 2 left out: a statement without vulnerability"));
	assert_true(bh_slice_eq_str(r.incomplete.ptr[2].reason, "entry 0 left out: an affected component that can't be found"));
	assert_true(bh_slice_eq_str(r.incomplete.ptr[3].reason, "entry 0 left out: a range of versions, which is not understood"));
	bh_report_done(&r);
	static const char *const bad[][2] = {
		{ "{}", "here: neither OpenVEX nor CSAF nor CycloneDX" },
		{ "{", "here: " },
		{ "{\"@context\":\"https://openvex.dev/ns/v0.2.0\"}", "here: an OpenVEX document without \"statements\"" },
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct policy_vex *v;
		struct bh_err err = { 0 };
		fill(&r);
		assert_int_equal(policy_vex_new(&v, &err), 0);
		assert_int_equal(policy_vex_load_bytes(v, "here", bh_slice_str(bad[i][0]), &r, &err), BH_EUSAGE);
		assert_non_null(strstr(err.text, bad[i][1]));
		policy_vex_free(v);
		bh_report_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
		cmocka_unit_test(path_patterns),
		cmocka_unit_test(exceptions_suppress),
		cmocka_unit_test(exceptions_run_out),
		cmocka_unit_test(exceptions_complain),
		cmocka_unit_test(filters_count_what_they_hide),
		cmocka_unit_test(products_are_packages),
		cmocka_unit_test(products_are_images),
		cmocka_unit_test(times),
		cmocka_unit_test(openvex),
		cmocka_unit_test(openvex_of_canonical),
		cmocka_unit_test(openvex_images),
		cmocka_unit_test(the_latest_statement_counts),
		cmocka_unit_test(csaf),
		cmocka_unit_test(cyclonedx),
		cmocka_unit_test(damage_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
