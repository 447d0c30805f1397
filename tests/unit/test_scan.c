/* test_scan.c: one package from several files, and packages that belong to a distribution's package. */
#include "scan/reach.h"
#include "scan/ownership.h"
#include "scan/same.h"
#include "scan/uninstalled.h"
#include "scan/sboms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define S BH_SLICE_LIT

static void add(struct bh_report *r, struct bh_package p)
{
	assert_true(bh_package_vec_push(&r->packages, p));
}

static void assert_text(struct bh_slice got, const char *want)
{
	if (!bh_slice_eq_str(got, want))
		fail_msg("got \"%.*s\", not \"%s\"", BH_SLICE_FMT(got), want);
}

static void the_surest_evidence_speaks(void **state)
{
	(void)state;
	struct bh_report r;
	bh_report_init(&r);
	add(&r, (struct bh_package){ .type = S("npm"), .name = S("a"), .version = S("1.0.0"), .at.path = S("app/package-lock.json"), .at.line = 7,
				     .at.evidence = BH_EVIDENCE_LOCKFILE, .license = S("MIT"), .scope = BH_SCOPE_DEVELOPMENT });
	add(&r, (struct bh_package){ .type = S("npm"), .name = S("a"), .version = S("1.0.0"), .at.path = S("app/node_modules/a/package.json") });
	add(&r, (struct bh_package){ .type = S("npm"), .name = S("a"), .version = S("1.0.1"), .at.path = S("app/node_modules/b/node_modules/a/package.json") });
	bh_report_sort_packages(&r);
	assert_true(same_packages_merge(&r));
	assert_int_equal(r.packages.len, 2);
	const struct bh_package *p = &r.packages.ptr[0];
	assert_text(p->at.path, "app/node_modules/a/package.json");
	assert_text(p->license, "MIT");
	assert_int_equal(p->scope, BH_SCOPE_RUNTIME);
	assert_int_equal(p->n_also, 1);
	assert_text(p->also[0].path, "app/package-lock.json");
	assert_int_equal(p->also[0].line, 7);
	assert_int_equal(r.packages.ptr[1].n_also, 0);
	bh_report_done(&r);
}

/* Every file of a folder of Nix' store gives the folder as the place. */
static void equal_places_are_one(void **state)
{
	(void)state;
	struct bh_report r;
	bh_report_init(&r);
	for (int i = 0; i < 3; i++)
		add(&r, (struct bh_package){ .type = S("nix"), .name = S("a"), .version = S("1"), .at.path = S("nix/store/0-a-1") });
	for (int i = 0; i < 2; i++)
		add(&r, (struct bh_package){ .type = S("nix"), .name = S("b"), .version = S("1"), .at.path = S("nix/store/0-b-1") });
	for (int i = 0; i < 2; i++)
		add(&r, (struct bh_package){ .type = S("nix"), .name = S("b"), .version = S("1"), .at.path = S("nix/store/1-b-1-dev") });
	bh_report_sort_packages(&r);
	assert_true(same_packages_merge(&r));
	assert_int_equal(r.packages.len, 2);
	assert_int_equal(r.packages.ptr[0].n_also, 0);
	assert_null(r.packages.ptr[0].also);
	assert_int_equal(r.packages.ptr[1].n_also, 1);
	assert_text(r.packages.ptr[1].also[0].path, "nix/store/1-b-1-dev");
	bh_report_done(&r);
}

static void own(struct ownership *o, const struct image_key *key, struct bh_arena *arena, const char *name, struct bh_slice paths)
{
	struct bh_buf frame;
	bh_buf_init(&frame, 1u << 20);
	assert_true(ownership_put(&frame, key, &(struct owner){ S("deb"), bh_slice_str(name), S("") }, paths, &paths));
	assert_int_equal(paths.len, 0);
	assert_true(ownership_take(o, bh_buf_slice(&frame), arena));
	assert_false(ownership_take(o, S("\1\0\0"), arena));
	bh_buf_done(&frame);
}

static void files_have_owners(void **state)
{
	(void)state;
	const struct image_key key = { 3, 4 };
	struct bh_report r;
	struct ownership o;
	bh_report_init(&r);
	ownership_init(&o);
	add(&r, (struct bh_package){ .type = S("deb"), .name = S("python3-six"), .version = S("1.16.0-4"), .at.path = S("var/lib/dpkg/status"),
				     .purl = S("pkg:deb/debian/python3-six@1.16.0-4") });
	add(&r, (struct bh_package){ .type = S("pypi"), .name = S("merged"), .version = S("1"), .at.path = S("usr/lib/merged.egg-info") });
	add(&r, (struct bh_package){ .type = S("pypi"), .name = S("own"), .version = S("1"), .at.path = S("opt/own-1.dist-info/METADATA") });
	add(&r, (struct bh_package){ .type = S("pypi"), .name = S("six"), .version = S("1.16.0"), .at.path = S("opt/six.egg-info") });
	add(&r, (struct bh_package){ .type = S("pypi"), .name = S("six"), .version = S("1.16.0"), .at.path = S("usr/lib/six.egg-info") });
	bh_report_sort_packages(&r);
	own(&o, &key, &r.arena, "python3-six", S("/usr/lib/six.egg-info\0/lib/merged.egg-info\0"));
	own(&o, &key, &r.arena, "gone", S("/opt/own-1.dist-info/METADATA\0"));
	ownership_name(&o, &key, &r);
	assert_text(r.packages.ptr[0].owner, "");
	assert_text(r.packages.ptr[1].owner, "pkg:deb/debian/python3-six@1.16.0-4");
	assert_text(r.packages.ptr[2].owner, ""); /* a list of files alone, of a package that is not there, owns nothing */
	assert_text(r.packages.ptr[3].owner, "");
	assert_text(r.packages.ptr[4].owner, "pkg:deb/debian/python3-six@1.16.0-4");
	assert_true(same_packages_merge(&r));
	assert_int_equal(r.packages.len, 4);
	assert_text(r.packages.ptr[3].owner, ""); /* one of its places is nobody's: it must be judged */
	ownership_done(&o);
	bh_report_done(&r);
}

static void reach(void **state)
{
	(void)state;
	/* "|" stands for the NUL behind each path. */
	static const struct {
		const char *paths;
		enum bh_reach reach;
	} cases[] = {
		{ "usr/bin/curl|", BH_REACH_CODE },
		{ "/.|/usr|/usr/lib|/usr/lib/x86_64-linux-gnu|/usr/lib/x86_64-linux-gnu/libz.so.1|", BH_REACH_CODE },
		{ "/.|/usr|/usr/share|/usr/share/doc|/usr/share/doc/x|/usr/share/doc/x/copyright|", BH_REACH_NO_CODE },
		{ "/usr/include/linux/if.h|/usr/share/doc/linux-libc-dev/changelog.gz|", BH_REACH_NO_CODE }, /* linux-libc-dev */
		{ "/usr/lib/x86_64-linux-gnu/libz.a|", BH_REACH_NO_CODE },
		{ "/usr/share/perl5/Foo.pm|", BH_REACH_CODE },
		{ "/usr/lib/git-core/git|", BH_REACH_CODE },
		{ "/etc/init.d/x|", BH_REACH_CODE },
		{ "/opt/x/run|", BH_REACH_CODE },
		{ "/.|", BH_REACH_METADATA },
		{ "", BH_REACH_METADATA },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[300];
		size_t len = strlen(cases[i].paths);
		memcpy(text, cases[i].paths, len);
		for (size_t k = 0; k < len; k++)
			text[k] = text[k] == '|' ? 0 : text[k];
		if (reach_of_paths((struct bh_slice){ (const uint8_t *)text, len }) != cases[i].reach)
			fail_msg("%s", cases[i].paths);
	}
	assert_int_equal(reach_join(BH_REACH_UNKNOWN, BH_REACH_METADATA), BH_REACH_METADATA);
	assert_int_equal(reach_join(BH_REACH_NO_CODE, BH_REACH_CODE), BH_REACH_CODE);
	assert_int_equal(reach_join(BH_REACH_METADATA, BH_REACH_NO_CODE), BH_REACH_NO_CODE);
}

static void files_repeat_no_database(void **state)
{
	(void)state;
	const struct image_key key = { 3, 4 };
	struct bh_report r;
	struct ownership o;
	bh_report_init(&r);
	ownership_init(&o);
	add(&r, (struct bh_package){ .type = S("deb"), .name = S("libsystemd0"), .version = S("252"), .at.path = S("var/lib/dpkg/status"),
				     .at.evidence = BH_EVIDENCE_DATABASE, .purl = S("pkg:deb/debian/libsystemd0@252") });
	add(&r, (struct bh_package){ .type = S("deb"), .name = S("systemd"), .version = S("252"), .at.path = S("usr/lib/libsystemd.so.0"),
				     .at.evidence = BH_EVIDENCE_BINARY });
	add(&r, (struct bh_package){ .type = S("generic"), .name = S("libsystemd"), .version = S("252"), .at.path = S("usr/lib/libsystemd.so.0"),
				     .at.evidence = BH_EVIDENCE_CONTENT });
	add(&r, (struct bh_package){ .type = S("deb"), .name = S("zcopied"), .version = S("1"), .at.path = S("opt/tool"),
				     .at.evidence = BH_EVIDENCE_BINARY });
	bh_report_sort_packages(&r);
	own(&o, &key, &r.arena, "libsystemd0", S("/lib/libsystemd.so.0\0"));
	ownership_name(&o, &key, &r);
	ownership_drop_told(&r);
	assert_int_equal(r.packages.len, 2);
	assert_text(r.packages.ptr[0].name, "libsystemd0");
	assert_text(r.packages.ptr[1].name, "zcopied"); /* no package has this file: the note is all that is known */
	ownership_done(&o);
	bh_report_done(&r);
}

/* An SBOM in the image says the same in other words: names without case, no architecture, no owner. */
static void sboms_are_credited(void **state)
{
	(void)state;
	struct bh_report r;
	const struct bh_location sbom = { .path = S("app/x.cdx.json"), .line = 3, .evidence = BH_EVIDENCE_SBOM };
	const struct bh_slice owner = S("pkg:deb/debian/python3-yaml@6.0-3");
	bh_report_init(&r);
	add(&r, (struct bh_package){ .type = S("deb"), .name = S("libc6"), .version = S("1:2.36-9"), .arch = S("amd64"), .at.path = S("var/lib/dpkg/status") });
	add(&r, (struct bh_package){ .type = S("deb"), .name = S("libc6"), .version = S("1:2.36-9"), .arch = S("i386"), .at.path = S("var/lib/dpkg/status") });
	add(&r, (struct bh_package){ .type = S("deb"), .name = S("libc6"), .version = S("1:2.36-9"), .at = sbom });
	add(&r, (struct bh_package){ .type = S("deb"), .name = S("libc6"), .version = S("1:2.36-9"), .arch = S("i386"), .at = sbom });
	add(&r, (struct bh_package){ .type = S("deb"), .name = S("libc6"), .version = S("1:2.36-9"), .arch = S("arm64"), .at = sbom });
	add(&r, (struct bh_package){ .type = S("pypi"), .name = S("PyYAML"), .version = S("6.0"), .owner = owner, .scope = BH_SCOPE_OPTIONAL, .at.path = S("a/METADATA") });
	add(&r, (struct bh_package){ .type = S("pypi"), .name = S("pyyaml"), .version = S("6.0"), .at = sbom });
	add(&r, (struct bh_package){ .type = S("pypi"), .name = S("pyyaml"), .version = S("6.1"), .at = sbom });
	bh_report_sort_packages(&r);
	assert_true(scan_credit_sboms(&r));
	assert_true(same_packages_merge(&r));
	assert_int_equal(r.packages.len, 5);
	static const char *const arches[] = { "amd64", "arm64", "i386" };
	for (size_t i = 0; i < 3; i++) {
		assert_text(r.packages.ptr[i].arch, arches[i]);
		assert_int_equal(r.packages.ptr[i].n_also, i != 1);
	}
	assert_text(r.packages.ptr[3].name, "PyYAML");
	assert_text(r.packages.ptr[3].owner, "pkg:deb/debian/python3-yaml@6.0-3");
	assert_int_equal(r.packages.ptr[3].scope, BH_SCOPE_OPTIONAL);
	assert_text(r.packages.ptr[3].also[0].path, "app/x.cdx.json");
	assert_text(r.packages.ptr[4].version, "6.1");
	bh_report_done(&r);
}

static void what_is_not_installed_goes(void **state)
{
	(void)state;
	static const struct {
		const char *name, *path, *also;
		enum bh_evidence evidence;
		bool stays;
	} cases[] = {
		{ "a-installed", "srv/app/node_modules/a/package.json", "srv/app/package-lock.json", BH_EVIDENCE_DATABASE, true },
		{ "b-locked-only", "srv/app/package-lock.json", NULL, BH_EVIDENCE_LOCKFILE, false },
		{ "c-locked-twice", "srv/app/package-lock.json", "srv/app/yarn.lock", BH_EVIDENCE_LOCKFILE, false },
		{ "d-locked-elsewhere", "srv/app/package-lock.json", "srv/other/package-lock.json", BH_EVIDENCE_LOCKFILE, true },
		{ "e-nothing-installed", "srv/other/yarn.lock", NULL, BH_EVIDENCE_LOCKFILE, true },
		{ "f-deeper", "srv/app/sub/package-lock.json", NULL, BH_EVIDENCE_LOCKFILE, true },
		{ "g-nested", "opt/node_modules/x/node_modules/g/package.json", NULL, BH_EVIDENCE_DATABASE, true },
		{ "h-at-root-of-it", "opt/pnpm-lock.yaml", NULL, BH_EVIDENCE_LOCKFILE, false },
		{ "i-inside-a-package", "opt/node_modules/x/package-lock.json", NULL, BH_EVIDENCE_LOCKFILE, true },
	};
	struct bh_report r;
	bh_report_init(&r);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct bh_package p = { .type = S("npm"), .name = bh_slice_str(cases[i].name), .version = S("1"),
					      .at = { .path = bh_slice_str(cases[i].path), .evidence = cases[i].evidence } };
		struct bh_package again = p;
		add(&r, p);
		again.at = (struct bh_location){ .path = bh_slice_str(cases[i].also), .evidence = BH_EVIDENCE_LOCKFILE };
		if (cases[i].also)
			add(&r, again);
	}
	add(&r, (struct bh_package){ .type = S("pypi"), .name = S("z"), .version = S("1"), .at = { .path = S("srv/app/poetry.lock"), .evidence = BH_EVIDENCE_LOCKFILE } });
	bh_report_sort_packages(&r);
	assert_true(same_packages_merge(&r));
	assert_true(uninstalled_drop(&r));
	size_t at = 0;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (cases[i].stays)
			assert_text(r.packages.ptr[at++].name, cases[i].name);
	assert_text(r.packages.ptr[at++].name, "z");
	assert_int_equal(at, r.packages.len);
	assert_int_equal(r.not_covered.len, 1);
	assert_int_equal(r.not_covered.ptr[0].packages, 3);
	assert_true(r.not_covered.ptr[0].partial);
	bh_report_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_surest_evidence_speaks), cmocka_unit_test(reach), cmocka_unit_test(equal_places_are_one),
					    cmocka_unit_test(files_have_owners), cmocka_unit_test(files_repeat_no_database), cmocka_unit_test(what_is_not_installed_goes),
					    cmocka_unit_test(sboms_are_credited) };
	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
