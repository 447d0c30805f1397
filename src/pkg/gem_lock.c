/*
 * gem_lock.c: Bundler's lockfiles, Gemfile.lock and gems.locked:
 *
 *     GIT                                  a source: GEM, GIT, PATH or PLUGIN SOURCE
 *       remote: https://example.org/a.git
 *       specs:
 *         rack (2.2.4)                     four blanks: a gem of that source
 *           webrick (>= 1.5)               six: what it needs
 *         nokogiri (1.15.0-x86_64-linux)   a platform behind the version, which has no "-" itself
 *     DEPENDENCIES ...                     what the Gemfile says; nothing resolved
 *
 * Groups (development, test) stand in the Gemfile only. A gem locked for several platforms is one package.
 */
#include "base/reader.h"
#include "pkg/entry.h"

static const struct pkg_want gem_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "Gemfile.lock" },
	{ .kind = PKG_WANT_GLOB, .path = "gems.locked" },
	{ .kind = PKG_WANT_GLOB, .path = "*.gemfile.lock" }, /* Appraisal's, one per set of versions */
	{ .kind = PKG_WANT_GLOB, .path = "Gemfile.next.lock" },
	{ .kind = PKG_WANT_END },
};

static size_t indent_of(struct bh_slice line)
{
	size_t n = 0;
	while (n < line.len && line.ptr[n] == ' ')
		n++;
	return n;
}

static bool is_source(struct bh_slice heading)
{
	static const char *const sources[] = { "GEM", "GIT", "PATH", "PLUGIN SOURCE" };
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (bh_slice_eq_str(heading, sources[i]))
			return true;
	return false;
}

/* "nokogiri (1.15.0-x86_64-linux)" */
static bool read_spec(struct bh_slice text, struct bh_package *p)
{
	struct bh_slice version, platform;
	if (!pkg_cut_trimmed(text, '(', &p->name, &version) || version.len < 2 || version.ptr[version.len - 1] != ')')
		return false;
	(void)bh_slice_cut(bh_slice_sub(version, 0, version.len - 1), '-', &p->version, &platform);
	return p->version.len != 0;
}

static int gem_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_package last = { 0 };
	struct bh_slice line;
	bool in_source = false, in_specs = false;
	int rc = 0;
	for (uint32_t number = 1; rc >= 0; number++) {
		size_t offset = r.pos;
		if (!bh_take_line(&r, &line))
			break;
		struct bh_slice text = bh_slice_trim(line);
		size_t indent = indent_of(line);
		if (text.len && indent == 0) {
			in_source = is_source(text);
			in_specs = false;
		} else if (indent == 2) {
			in_specs = in_source && bh_slice_eq_str(text, "specs:");
		}
		if (!in_specs || indent != 4)
			continue;
		struct bh_package p = { .type = BH_SLICE_LIT("gem"), .at = { .line = number, .evidence = BH_EVIDENCE_LOCKFILE } };
		if (!read_spec(text, &p))
			rc = pkg_note(&notes, offset, err, "line %u is no \"name (version)\"", number);
		else if (!bh_slice_eq(p.name, last.name) || !bh_slice_eq(p.version, last.version))
			rc = pkg_give(&notes, &p, offset, err);
		last = p;
	}
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_gem_lock = {
	.name = "gem_lock",
	.type = "gem",
	.wants = gem_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = gem_lock_parse,
};
