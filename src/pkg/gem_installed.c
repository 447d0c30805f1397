/*
 * gem_installed.c: installed gems, from the specifications that RubyGems writes as Ruby source (Gem::Specification#to_ruby), in
 * GEM_HOME/specifications/ and for the gems that come with Ruby in its default/ folder. Bundler writes the same beside gems from git.
 *
 *     # stub: rack 2.2.4 ruby lib                  name, version, platform, folders; since RubyGems 2.1
 *     Gem::Specification.new do |s|
 *       s.name = "rack".freeze                     older ones: %q{rack}
 *       s.version = "2.2.4"
 *       s.licenses = ["MIT".freeze]
 *
 * Nothing is evaluated: a gemspec that people wrote (s.version = Rack::VERSION) has no version here and is listed without one.
 */
#include "base/cleanup.h"
#include "base/reader.h"
#include "pkg/entry.h"

#define GEMSPEC_BYTES_MAX (16u << 20) /* lists of files make the largest ones some 100 KiB */
#define LICENSE_BYTES_MAX (64u << 10)

static const struct pkg_want gem_installed_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "specifications/*.gemspec" },
	{ .kind = PKG_WANT_GLOB, .path = "specifications/default/*.gemspec" },
	{ .kind = PKG_WANT_GLOB, .path = "bundler/gems/*/*.gemspec" },
	{ .kind = PKG_WANT_END },
};

/* The first literal of text: "x", 'x', %q{x} or %q(x), without escapes; *rest is behind it. */
static bool take_literal(struct bh_slice text, struct bh_slice *ret, struct bh_slice *rest)
{
	static const char *const opens[] = { "\"", "'", "%q{", "%q(" };
	static const char closes[] = { '"', '\'', '}', ')' };
	for (size_t at = 0; at < text.len; at++) {
		struct bh_slice here = bh_slice_sub(text, at, text.len);
		for (size_t i = 0; i < sizeof(closes); i++) {
			if (!bh_slice_starts(here, bh_slice_str(opens[i])))
				continue;
			here = bh_slice_sub(here, strlen(opens[i]), here.len);
			return bh_slice_cut(here, closes[i], ret, rest) && bh_slice_find(*ret, '\\') == ret->len;
		}
	}
	return false;
}

/* A value that is one literal from its start on: not a call or a constant with a literal in it. */
static bool whole_literal(struct bh_slice value, struct bh_slice *ret)
{
	struct bh_slice rest;
	if (value.len == 0 || (value.ptr[0] != '"' && value.ptr[0] != '\'' && value.ptr[0] != '%') || !take_literal(value, ret, &rest))
		return false;
	rest = bh_slice_trim(rest);
	return rest.len == 0 || bh_slice_eq_str(rest, ".freeze");
}

/* Several licences of a gem are alternatives: "Ruby", "BSD-2-Clause". */
static void add_licenses(struct bh_buf *list, struct bh_slice value)
{
	struct bh_slice one;
	while (take_literal(value, &one, &value))
		pkg_add_item(list, " OR ", one);
}

/* "# stub: rack 2.2.4 ruby lib" */
static void read_stub(struct bh_slice line, struct bh_package *p)
{
	struct bh_slice prefix = BH_SLICE_LIT("# stub: "), rest = bh_slice_sub(line, prefix.len, line.len), platform;
	if (!bh_slice_starts(line, prefix))
		return;
	(void)bh_slice_cut(rest, ' ', &p->name, &rest);
	(void)bh_slice_cut(rest, ' ', &p->version, &platform);
}

/* "  s.version = VALUE" -> "version", VALUE; the block's variable may have any name. */
static bool cut_assignment(struct bh_slice line, struct bh_slice *key, struct bh_slice *value)
{
	struct bh_slice target, variable;
	return pkg_cut_trimmed(line, '=', &target, value) && bh_slice_cut(target, '.', &variable, key);
}

static void read_line(struct bh_slice line, struct bh_package *p, struct bh_buf *licenses)
{
	struct bh_slice key, value, literal;
	read_stub(line, p);
	if (!cut_assignment(line, &key, &value))
		return;
	if (bh_slice_eq_str(key, "name") && whole_literal(value, &literal))
		p->name = literal;
	else if (bh_slice_eq_str(key, "version") && whole_literal(value, &literal))
		p->version = literal;
	else if ((bh_slice_eq_str(key, "licenses") || bh_slice_eq_str(key, "license")) && licenses->len == 0)
		add_licenses(licenses, value);
}

static int gem_installed_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	BH_WITH(bh_buf_done) struct bh_buf licenses = { 0 };
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_package p = { .type = BH_SLICE_LIT("gem") };
	struct bh_slice line;
	bh_buf_init(&licenses, LICENSE_BYTES_MAX);
	while (bh_take_line(&r, &line))
		read_line(bh_slice_trim(line), &p, &licenses);
	if (p.name.len == 0)
		return pkg_note(&notes, 0, err, "no gem name in %.*s", BH_SLICE_FMT(file->path));
	p.license = bh_buf_slice(&licenses);
	return pkg_give(&notes, &p, 0, err);
}

const struct pkg_parser pkg_parser_gem_installed = {
	.name = "gem_installed",
	.type = "gem",
	.wants = gem_installed_wants,
	.max_bytes = GEMSPEC_BYTES_MAX,
	.parse = gem_installed_parse,
};
