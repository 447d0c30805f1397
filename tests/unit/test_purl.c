/* test_purl.c: package URLs: the specification's own build cases (tests/table/purl.tsv), and installed packages. */
#include "model/purl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LINE_BYTES 4096
#define S(text) BH_SLICE_LIT(text)

static struct bh_slice field(struct bh_slice *line)
{
	struct bh_slice head;
	(void)bh_slice_cut(*line, '\t', &head, line);
	return head;
}

static void take_qualifiers(struct bh_slice text, struct bh_purl *p)
{
	while (text.len) {
		struct bh_slice item, key, value;
		(void)bh_slice_cut(text, '|', &item, &text);
		assert_true(bh_slice_cut(item, '=', &key, &value));
		assert_true(p->n_qualifiers < BH_PURL_QUALIFIERS_MAX);
		p->qualifiers[p->n_qualifiers++] = (struct bh_purl_qualifier){ key, value };
	}
}

static void run_case(struct bh_slice line, unsigned number)
{
	struct bh_purl p = { 0 };
	p.type = field(&line);
	p.namespace = field(&line);
	p.name = field(&line);
	p.version = field(&line);
	take_qualifiers(field(&line), &p);
	p.subpath = field(&line);
	struct bh_buf out;
	bh_buf_init(&out, LINE_BYTES);
	bool ok = bh_purl_write(&p, &out);
	bool want = !bh_slice_eq_str(line, "!");
	if (ok != want || (want && !bh_slice_eq(bh_buf_slice(&out), line)))
		fail_msg("purl.tsv:%u: got %.*s, want %.*s", number, BH_SLICE_FMT(bh_buf_slice(&out)), BH_SLICE_FMT(line));
	bh_buf_done(&out);
}

static void run_table(const char *path, void (*run)(struct bh_slice line, unsigned number))
{
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	char line[LINE_BYTES];
	unsigned number = 0, ran = 0;
	while (fgets(line, sizeof(line), f)) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#')
			continue;
		run(bh_slice_str(line), number);
		ran++;
	}
	(void)fclose(f);
	assert_true(ran > 100);
}

static void the_specifications_cases(void **state)
{
	(void)state;
	run_table("tests/table/purl.tsv", run_case);
}

/* Type rules are applied by writing, so both sides are written. */
static void parse_case(struct bh_slice line, unsigned number)
{
	struct bh_slice url = field(&line);
	struct bh_arena a;
	struct bh_buf got, want;
	struct bh_purl p, q = { 0 };
	bh_arena_init(&a, 1u << 20);
	bh_buf_init(&got, LINE_BYTES);
	bh_buf_init(&want, LINE_BYTES);
	bool ok = bh_purl_parse(url, &a, &p) && bh_purl_write(&p, &got), good = !bh_slice_eq_str(line, "!");
	if (good) {
		q.type = field(&line);
		q.namespace = field(&line);
		q.name = field(&line);
		q.version = field(&line);
		take_qualifiers(field(&line), &q);
		q.subpath = field(&line);
		assert_true(bh_purl_write(&q, &want));
	}
	if (ok != good || !bh_slice_eq(bh_buf_slice(&got), bh_buf_slice(&want)))
		fail_msg("purl-parse.tsv:%u: got %.*s, want %.*s", number, BH_SLICE_FMT(bh_buf_slice(&got)), BH_SLICE_FMT(bh_buf_slice(&want)));
	bh_buf_done(&got);
	bh_buf_done(&want);
	bh_arena_done(&a);
}

static void the_specifications_urls(void **state)
{
	(void)state;
	run_table("tests/table/purl-parse.tsv", parse_case);
}

static void parts_of_a_url(void **state)
{
	(void)state;
	struct bh_arena a;
	struct bh_purl p;
	bh_arena_init(&a, 1u << 20);
	assert_true(bh_purl_parse(S("pkg:npm/%40angular/core@1.2%2B3?arch=x&repository_url=https:%2F%2Fa#lib/x"), &a, &p));
	assert_true(bh_slice_eq_str(p.namespace, "@angular") && bh_slice_eq_str(p.name, "core") && bh_slice_eq_str(p.version, "1.2+3"));
	assert_true(bh_slice_eq_str(bh_purl_value(&p, "repository_url"), "https://a") && bh_slice_eq_str(p.subpath, "lib/x"));
	assert_int_equal(bh_purl_value(&p, "nothing").len, 0);
	assert_true(bh_purl_parse(S("pkg:npm/@angular/core"), &a, &p)); /* not encoded, but common */
	assert_true(bh_slice_eq_str(p.namespace, "@angular") && bh_slice_eq_str(p.name, "core") && p.version.len == 0);
	static const char *const bad[] = { "", "pkg:", "pkg:npm", "pkg:npm/", "npm/foo", "pkg:npm/a%2", "pkg:npm/a?b%=c%zz", "pkg:/a" };
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(bh_purl_parse(bh_slice_str(bad[i]), &a, &p));
	bh_arena_done(&a);
}

/* The way back. Names of types whose rules lower the case have none to lose here. */
static void assert_same_name(const char *purl, struct bh_slice want)
{
	struct bh_arena a;
	struct bh_purl p;
	struct bh_slice name = { 0 };
	bh_arena_init(&a, 1u << 16);
	assert_true(bh_purl_parse(bh_slice_str(purl), &a, &p) && bh_purl_package_name(&p, &a, &name));
	if (!bh_slice_eq(name, want))
		fail_msg("%s: the package is called %.*s", purl, BH_SLICE_FMT(name));
	bh_arena_done(&a);
}

static void installed_packages(void **state)
{
	(void)state;
	static const struct bh_distro debian = { .id = S("debian"), .version_id = S("12") }, tumbleweed = { .id = S("opensuse-tumbleweed"), .version_id = S("20240101") },
				      rhel = { .id = S("rhel"), .version_id = S("9.4") }, arch = { .id = S("arch") }, unknown = { 0 };
	static const struct {
		struct bh_package p;
		const struct bh_distro *d;
		const char *purl;
	} cases[] = {
		{ { .type = S("deb"), .name = S("libssl3"), .version = S("3.0.9-1"), .arch = S("amd64"), .source_name = S("openssl") }, &debian,
		  "pkg:deb/debian/libssl3@3.0.9-1?arch=amd64&distro=debian-12&upstream=openssl" },
		{ { .type = S("deb"), .name = S("attr"), .version = S("1:2.4.47-2+b1"), .arch = S("amd64"), .source_version = S("1:2.4.47-2") }, &debian,
		  "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64&distro=debian-12&upstream=attr%401:2.4.47-2" },
		{ { .type = S("deb"), .name = S("x"), .version = S("1"), .arch = S("all"), .source_name = S("x"), .source_version = S("1") }, &unknown,
		  "pkg:deb/x@1?arch=all" },
		{ { .type = S("rpm"), .name = S("Bash"), .version = S("1:5.1.8-9.el9"), .arch = S("x86_64") }, &rhel,
		  "pkg:rpm/rhel/Bash@5.1.8-9.el9?arch=x86_64&distro=rhel-9.4&epoch=1" },
		{ { .type = S("rpm"), .name = S("curl"), .version = S("7.56.1-1.1"), .arch = S("i386") }, &tumbleweed,
		  "pkg:rpm/opensuse/curl@7.56.1-1.1?arch=i386&distro=opensuse-tumbleweed-20240101" },
		{ { .type = S("alpm"), .name = S("pacman"), .version = S("6.0.1-1"), .arch = S("x86_64") }, &arch,
		  "pkg:alpm/arch/pacman@6.0.1-1?arch=x86_64&distro=arch" },
		{ { .type = S("npm"), .name = S("@angular/animation"), .version = S("12.3.1") }, &debian, "pkg:npm/%40angular/animation@12.3.1" },
		{ { .type = S("npm"), .name = S("left-pad"), .version = S("1.0.0") }, &debian, "pkg:npm/left-pad@1.0.0" },
		{ { .type = S("golang"), .name = S("github.com/gorilla/context"), .version = S("v1.1") }, &debian, "pkg:golang/github.com/gorilla/context@v1.1" },
		{ { .type = S("swift"), .name = S("github.com/apple/swift-nio"), .version = S("2.54.0") }, &debian, "pkg:swift/github.com/apple/swift-nio@2.54.0" },
		{ { .type = S("ebuild"), .name = S("app-shells/bash"), .version = S("5.1_p16-r1") }, &debian, "pkg:ebuild/app-shells/bash@5.1_p16-r1" },
		{ { .type = S("maven"), .name = S("org.apache.commons:io"), .version = S("1.3.4") }, &debian, "pkg:maven/org.apache.commons/io@1.3.4" },
		{ { .type = S("deb"), .name = S("a\x01\xff/?"), .version = S("") }, &unknown, "pkg:deb/a%01%FF%2F%3F" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_buf out;
		bh_buf_init(&out, LINE_BYTES);
		assert_true(bh_purl_of_package(&cases[i].p, cases[i].d, &out));
		bh_buf_add_byte(&out, '\0');
		assert_string_equal((const char *)out.ptr, cases[i].purl);
		assert_same_name(cases[i].purl, cases[i].p.name);
		bh_buf_done(&out);
	}
}

static void a_full_buffer_stays_as_it_was(void **state)
{
	(void)state;
	const struct bh_purl p = { .type = S("deb"), .namespace = S("debian"), .name = S("curl"), .version = S("1") };
	struct bh_buf out;
	bh_buf_init(&out, 15);
	bh_buf_add_str(&out, "abc");
	assert_false(bh_purl_write(&p, &out));
	assert_int_equal(out.len, 3);
	bh_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_specifications_cases), cmocka_unit_test(the_specifications_urls), cmocka_unit_test(parts_of_a_url),
		cmocka_unit_test(installed_packages),
		cmocka_unit_test(a_full_buffer_stays_as_it_was),
	};
	return cmocka_run_group_tests_name("purl", tests, NULL, NULL);
}
