/*
 * test_pkg.c: the package parsers against the .tsv files of tests/table/pkg/, whose answers come from the package managers' own tools or
 * were written by hand, and the question which parser wants which path. What a parser gives is compared line by line, sorted:
 * the order of packages is the container's business.
 */
#include "pkg_render.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LINES_MAX 512
#define OUTPUT_BYTES_MAX (1u << 20)

struct lines {
	struct bh_slice at[LINES_MAX];
	size_t n;
};

static struct bh_slice load(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s can't be opened", path);
	fseek(f, 0, SEEK_END);
	size_t size = (size_t)ftell(f);
	rewind(f);
	uint8_t *bytes = malloc(size + 1); /* freed by the caller; exact bounds are the fuzz replay's business */
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, size, f), size);
	fclose(f);
	return (struct bh_slice){ bytes, size };
}

static void unload(struct bh_slice s)
{
	free((void *)(uintptr_t)s.ptr);
}

/* The corpus' own conventions (fuzz_pkg.c): a first line "@PATH", then "+" in front of a database and its sibling. */
static struct pkg_file file_of(const struct pkg_parser *parser, struct bh_slice bytes)
{
	struct pkg_file file = { .path = bh_slice_str(parser->wants[0].path), .data = bytes };
	struct bh_slice line, rest;
	if (bytes.len && bytes.ptr[0] == '@' && bh_slice_cut(bytes, '\n', &line, &rest)) {
		file.path = bh_slice_sub(line, 1, line.len);
		file.data = rest;
	}
	if (parser->sibling_suffix && file.data.len && file.data.ptr[0] == '+') {
		rest = bh_slice_sub(file.data, 1, file.data.len);
		file.data = bh_slice_sub(rest, 0, rest.len / 2);
		file.sibling = bh_slice_sub(rest, rest.len / 2, rest.len);
	}
	return file;
}

static int by_bytes(const void *a, const void *b)
{
	return bh_slice_cmp(*(const struct bh_slice *)a, *(const struct bh_slice *)b);
}

static void sort(struct lines *l)
{
	qsort(l->at, l->n, sizeof(l->at[0]), by_bytes);
}

static void split(struct bh_slice text, struct lines *ret)
{
	struct bh_slice line;
	for (ret->n = 0; text.len; ret->n++) {
		assert_true(ret->n < LINES_MAX);
		(void)bh_slice_cut(text, '\n', &line, &text);
		ret->at[ret->n] = line;
	}
}

static bool matches(struct bh_slice got, struct bh_slice want)
{
	struct bh_slice dots = BH_SLICE_LIT("...");
	if (!bh_slice_ends(want, dots))
		return bh_slice_eq(got, want);
	return bh_slice_starts(got, bh_slice_sub(want, 0, want.len - dots.len));
}

static void compare(struct bh_slice title, struct lines *got, struct lines *want)
{
	sort(got);
	sort(want);
	for (size_t i = 0; i < got->n && i < want->n; i++)
		if (!matches(got->at[i], want->at[i]))
			fail_msg("%.*s: got\n%.*s\nwant\n%.*s", BH_SLICE_FMT(title), BH_SLICE_FMT(got->at[i]), BH_SLICE_FMT(want->at[i]));
	if (got->n != want->n)
		fail_msg("%.*s: got %zu lines, want %zu", BH_SLICE_FMT(title), got->n, want->n);
}

/* title: "PARSER FILE" */
static void run_case(struct bh_slice title, struct lines *want)
{
	char name[64], path[256], failure[64] = "";
	struct bh_slice parser_name, file_name;
	assert_true(bh_slice_cut(title, ' ', &parser_name, &file_name));
	snprintf(name, sizeof(name), "%.*s", BH_SLICE_FMT(parser_name));
	snprintf(path, sizeof(path), "tests/corpus/pkg-%s/%.*s", name, BH_SLICE_FMT(file_name));
	const struct pkg_parser *parser = pkg_render_find(name);
	if (!parser)
		fail_msg("no parser %s", name);
	struct bh_slice bytes = load(path);
	struct pkg_file file = file_of(parser, bytes);
	if (strcmp(name, "dpkg_list") == 0 && file.data.ptr == bytes.ptr)
		file.path = BH_SLICE_LIT("var/lib/dpkg/info/x.list");
	if (bh_slice_starts(file_name, BH_SLICE_LIT("lsb-")))
		file.path = BH_SLICE_LIT("etc/lsb-release");
	struct bh_buf out;
	struct bh_err err = { 0 };
	struct lines got;
	bh_buf_init(&out, OUTPUT_BYTES_MAX);
	if (pkg_render(parser, &file, &out, &err) < 0) {
		snprintf(failure, sizeof(failure), "! %s %llu\n", bh_code_name(err.code), (unsigned long long)err.offset_bytes);
		bh_buf_add_str(&out, failure);
	}
	assert_false(out.failed);
	split(bh_buf_slice(&out), &got);
	compare(title, &got, want);
	bh_buf_done(&out);
	unload(bytes);
}

/* Returns how many cases the file has. */
static size_t run_file(const char *path)
{
	struct bh_slice text = load(path), rest = text, line, title = { 0 };
	struct lines want = { .n = 0 };
	size_t ran = 0;
	while (rest.len) {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		if (line.ptr[0] != '>') {
			assert_true(want.n < LINES_MAX);
			want.at[want.n++] = line;
			continue;
		}
		if (title.len)
			run_case(title, &want);
		title = bh_slice_sub(line, 2, line.len);
		want.n = 0;
		ran++;
	}
	if (title.len)
		run_case(title, &want);
	unload(text);
	return ran;
}

static void the_tables(void **state)
{
	(void)state;
	glob_t files = { 0 };
	size_t ran = 0;
	assert_int_equal(glob("tests/table/pkg/*.tsv", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		ran += run_file(files.gl_pathv[i]);
	globfree(&files);
	assert_true(ran > 60);
}

static const char *first_parser(const char *path, size_t *at)
{
	const struct pkg_parser *p = pkg_parser_for(bh_slice_str(path), false, at);
	return p ? p->name : "";
}

static void who_wants_what(void **state)
{
	(void)state;
	static const struct {
		const char *path, *parser;
	} cases[] = {
		{ "var/lib/dpkg/status", "dpkg" },
		{ "var/lib/dpkg/status.d/libc6", "dpkg" },
		{ "var/lib/dpkg/status.d/a/b", "" },
		{ "var/lib/dpkg/info/bash.list", "dpkg_list" },
		{ "var/lib/dpkg/info/bash.md5sums", "" },
		{ "var/lib/dpkg/status-old", "" },
		{ "opt/var/lib/dpkg/status", "" },
		{ "lib/apk/db/installed", "apk" },
		{ "usr/lib/apk/db/installed", "apk" },
		{ "var/lib/rpm/rpmdb.sqlite", "rpm_sqlite" },
		{ "usr/lib/sysimage/rpm/Packages.db", "rpm_ndb" },
		{ "usr/share/rpm/Packages", "rpm_bdb" },
		{ "etc/os-release", "osrelease" },
		{ "etc/SUSE-brand", "distro_files" },
		{ "var/lib/pacman/local/bash-5.2-1/desc", "pacman" },
		{ "var/lib/pacman/local/desc", "" },
		{ "srv/app/Gemfile.lock", "gem_lock" },
		{ "srv/app/gemfiles/rails_7.gemfile.lock", "gem_lock" },
		{ "usr/share/rubygems-integration/all/specifications/rack-2.2.22.gemspec", "gem_installed" },
		{ "usr/lib/ruby/gems/3.1.0/specifications/default/csv-3.2.2.gemspec", "gem_installed" },
		{ "srv/rack/rack.gemspec", "" },
		{ "srv/app/vendor/composer/installed.json", "composer_installed" },
		{ "srv/app/vendor/installed.json", "" },
		{ "app/Shop.deps.json", "dotnet_deps" },
		{ "opt/app/lib/cowboy-2.9.0/ebin/cowboy.app", "beam_installed" },
		{ "opt/app/cowboy.app", "" },
		{ "usr/lib/R/library/stats/DESCRIPTION", "r_installed" },
		{ "var/www/html/wp-content/plugins/akismet/akismet.php", "wordpress" },
		{ "var/www/html/wp-content/plugins/akismet/views/start.php", "" },
		{ "home/linuxbrew/.linuxbrew/Cellar/jq/1.7/INSTALL_RECEIPT.json", "homebrew" },
		{ "usr/local/share/lua/5.1/rocks-5.1/lpeg/1.0.2-1/lpeg-1.0.2-1.rockspec", "luarocks" },
		{ "nix/store/115j4rz8pz73vn13186fwdhblb1rzrwa-hello-2.12.1/bin/hello", "nix_store" },
		{ "nix/store/115j4rz8pz73vn13186fwdhblb1rzrwa-hello-2.12.1", "" },
		{ "var/db/pkg/app-shells/bash-5.1_p16-r1/CONTENTS", "portage" },
		{ "srv/app/dev-requirements.txt", "pip_requirements" },
		{ "opt/conda/envs/a/conda-meta/numpy-1.26.4-py312_0.json", "conda_meta" },
		{ "app/shop.cdx.json", "cyclonedx_json" },
		{ "app/META-INF/sbom/bom.json", "cyclonedx_json" },
		{ "app/bom.json5", "" },
		{ "app/bom.xml", "cyclonedx_xml" },
		{ "app/shop.spdx.json", "spdx_json" },
		{ "opt/bitnami/nginx/.spdx-nginx.spdx", "spdx_json" },
		{ "app/shop.spdx.tv", "spdx_tag" },
		{ "app/shop.syft.json", "syft_json" },
		{ "app/node_modules/a/package.json", "npm_installed" },
		{ "app/node_modules/@s/a/package.json", "npm_installed" },
		{ "app/node_modules/a/lib/package.json", "" },
		{ "app/package.json", "" },
		{ "app/node_modules/.package-lock.json", "npm_lock" },
		{ "", "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t at = 0;
		const char *got = first_parser(cases[i].path, &at);
		if (strcmp(got, cases[i].parser) != 0)
			fail_msg("%s: wanted by \"%s\", not \"%s\"", cases[i].path, got, cases[i].parser);
	}
}

/* pkg_parser_for without an index. */
static const struct pkg_parser *by_definition(struct bh_slice path, bool elf, size_t *at)
{
	for (; pkg_parsers[*at]; ++*at)
		for (const struct pkg_want *w = pkg_parsers[*at]->wants; w->kind != PKG_WANT_END; w++)
			if (pkg_wants_path(w, path, elf))
				return pkg_parsers[(*at)++];
	return NULL;
}

static void compare_path(const char *path, size_t len)
{
	struct bh_slice s = { (const uint8_t *)path, len };
	for (int elf = 0; elf < 2; elf++) {
		size_t a = 0, b = 0;
		const struct pkg_parser *got, *want;
		do {
			got = pkg_parser_for(s, elf, &a);
			want = by_definition(s, elf, &b);
			if (got != want || a != b)
				fail_msg("%.*s: %s by the index, %s by definition", (int)len, path, got ? got->name : "nobody", want ? want->name : "nobody");
		} while (got);
	}
}

/* Paths made from every pattern: stars filled, folders in front, bytes cut off and changed. */
static void the_index_agrees(void **state)
{
	(void)state;
	static const char *const fill[] = { "", "x", "a.b-1", "*", "/" }, *const front[] = { "", "usr/", "a/b/" }, *const behind[] = { "", "x", "/", "~" };
	char path[512];
	for (size_t i = 0; pkg_parsers[i]; i++)
		for (const struct pkg_want *w = pkg_parsers[i]->wants; w->kind != PKG_WANT_END; w++)
			for (size_t v = 0; v < 5 * 3 * 4; v++) {
				size_t len = (size_t)snprintf(path, sizeof(path), "%s", front[v % 3]);
				for (const char *c = w->path; *c; c++)
					len += (size_t)snprintf(path + len, sizeof(path) - len, "%.*s", *c == '*' ? 9 : 1, *c == '*' ? fill[v / 3 % 5] : c);
				if (w->suffix)
					len += (size_t)snprintf(path + len, sizeof(path) - len, "%s%s", fill[v / 3 % 5], w->suffix);
				len += (size_t)snprintf(path + len, sizeof(path) - len, "%s", behind[v / 15]);
				for (size_t cut = 0; cut <= len && cut < 4; cut++)
					compare_path(path + cut, len - cut);
				for (size_t cut = 0; cut < len && cut < 4; cut++)
					compare_path(path, len - cut);
			}
}

static void what_lies_below(void **state)
{
	(void)state;
	assert_true(pkg_wants_below(BH_SLICE_LIT("var/lib/dpkg")));
	assert_true(pkg_wants_below(BH_SLICE_LIT("var")));
	assert_true(pkg_wants_below(BH_SLICE_LIT("usr/lib/sysimage/rpm")));
	assert_true(pkg_wants_below(BH_SLICE_LIT("var/lib/pacman/local/bash-5.2-1")));
	assert_false(pkg_wants_below(BH_SLICE_LIT("va")));
	assert_false(pkg_wants_below(BH_SLICE_LIT("home")));
	assert_false(pkg_wants_below(BH_SLICE_LIT("var/lib/dpkg/status/x")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tables),
		cmocka_unit_test(who_wants_what),
		cmocka_unit_test(the_index_agrees),
		cmocka_unit_test(what_lies_below),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
