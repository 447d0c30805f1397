/*
 * test_coverage.c: does docs/guides/coverage.md say what the program reads? Each parser has one row there, whose first cells are made from
 * the parser itself: name, files, package type, whose advisories. On failure the cells are printed as they must be.
 */
#include "pkg/pkg.h"
#include "vuln/ecosystem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"

#define PAGE "docs/guides/coverage.md"
#define PAGE_BYTES_MAX (1u << 20)

static void load(const char *path, struct bh_buf *ret)
{
	uint8_t chunk[4096];
	size_t got;
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s can't be opened", path);
	bh_buf_init(ret, PAGE_BYTES_MAX);
	while ((got = fread(chunk, 1, sizeof(chunk), f)))
		assert_true(bh_buf_add(ret, (struct bh_slice){ chunk, got }));
	fclose(f);
}

/* "/etc/os-release" and "/var/lib/dpkg/info/[star].list" stand at that place, "Gemfile.lock" anywhere. */
static void add_file(struct bh_buf *row, const struct pkg_want *w)
{
	switch (w->kind) {
	case PKG_WANT_PATH: bh_buf_printf(row, "`/%s`", w->path); break;
	case PKG_WANT_DIR: bh_buf_printf(row, "`/%s*%s`", w->path, w->suffix); break;
	case PKG_WANT_BELOW: bh_buf_printf(row, "`/%s**%s`", w->path, w->suffix); break;
	case PKG_WANT_GLOB: bh_buf_printf(row, "`%s`", w->path); break;
	case PKG_WANT_ELF: bh_buf_add_str(row, "executables and libraries"); break;
	case PKG_WANT_END: break;
	}
}

static bool is_distro_type(const char *type)
{
	static const char *const types[] = { "alpm", "apk", "deb", "ebuild", "opkg", "rpm" };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

static void add_advisories(struct bh_buf *row, const char *type)
{
	struct bh_arena arena;
	struct bh_distro unknown = { .rank = 0 };
	struct bh_package p = { .type = bh_slice_str(type), .name = BH_SLICE_LIT("a/b"), .version = BH_SLICE_LIT("1") };
	struct vuln_place place;
	if (is_distro_type(type)) {
		bh_buf_add_str(row, "the distribution's");
		return;
	}
	if (strcmp(type, "") == 0 || strcmp(type, "generic") == 0) {
		bh_buf_add_str(row, *type ? "Bitnami's, for programs it has" : "-");
		return;
	}
	bh_arena_init(&arena, 1u << 20);
	assert_true(vuln_place_of(&unknown, &p, &arena, &place));
	if (place.unpublished)
		bh_buf_add_str(row, "there are none");
	else if (place.why_not)
		bh_buf_add_str(row, "not collected");
	else
		bh_buf_add(row, place.name);
	bh_arena_done(&arena);
}

/* "| `gem_lock` | `Gemfile.lock`, `gems.locked` | gem | RubyGems |" */
static void make_row(const struct pkg_parser *parser, struct bh_buf *row)
{
	bh_buf_clear(row);
	bh_buf_printf(row, "| `%s` | ", parser->name);
	for (const struct pkg_want *w = parser->wants; w->kind != PKG_WANT_END; w++) {
		bh_buf_add_str(row, w == parser->wants ? "" : ", ");
		add_file(row, w);
	}
	bh_buf_printf(row, " | %s | ", *parser->type ? parser->type : "-");
	add_advisories(row, parser->type);
	bh_buf_add_str(row, " | ");
}

static size_t rows_that_start(struct bh_slice page, struct bh_slice start)
{
	struct bh_slice line;
	size_t n = 0;
	while (page.len) {
		(void)bh_slice_cut(page, '\n', &line, &page);
		n += bh_slice_starts(line, start) && line.len > start.len;
	}
	return n;
}

static void every_parser_has_its_row(void **state)
{
	(void)state;
	struct bh_buf page, row;
	size_t wrong = 0, parsers = 0;
	load(PAGE, &page);
	bh_buf_init(&row, 64u << 10);
	for (; pkg_parsers[parsers]; parsers++) {
		make_row(pkg_parsers[parsers], &row);
		if (rows_that_start(bh_buf_slice(&page), bh_buf_slice(&row)) == 1)
			continue;
		fprintf(stderr, "%s needs one row that starts so:\n%.*s\n", PAGE, BH_SLICE_FMT(bh_buf_slice(&row)));
		wrong++;
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(rows_that_start(bh_buf_slice(&page), BH_SLICE_LIT("| `")), parsers); /* and there are no others */
	bh_buf_done(&row);
	bh_buf_done(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_parser_has_its_row) };
	return cmocka_run_group_tests_name("coverage", tests, NULL, NULL);
}
