/*
 * luarocks.c: Lua rocks.
 *
 *     lib/luarocks/rocks-5.4/NAME/VERSION/NAME-VERSION.rockspec   an installed rock: name and version stand in the path (that is what
 *                                                                 `luarocks list` goes by), the licence in the file: license = "MIT"
 *     luarocks.lock                                               return { dependencies = { ["lpeg"] = "1.0.2-1" } }
 *
 * A rockspec is a Lua program; it is not run. The number behind the "-" is the revision of the rockspec.
 */
#include "base/reader.h"
#include "pkg/entry.h"

#define ROCK_BYTES_MAX (16u << 20)

static const struct pkg_want luarocks_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "rocks*/*/*/*.rockspec" },
	{ .kind = PKG_WANT_GLOB, .path = "luarocks.lock" },
	{ .kind = PKG_WANT_END },
};

/* 'license = "MIT",' -> MIT */
static struct bh_slice string_value(struct bh_slice value)
{
	if (value.len && value.ptr[value.len - 1] == ',')
		value = bh_slice_trim(bh_slice_sub(value, 0, value.len - 1));
	struct bh_slice text = pkg_unquoted(value);
	return text.len != value.len ? text : (struct bh_slice){ 0 };
}

static int read_rockspec(const struct pkg_file *file, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice dir = bh_slice_folder(file->path), line, key, value;
	struct bh_package p = { .type = BH_SLICE_LIT("luarocks"), .name = bh_slice_base(bh_slice_folder(dir)), .version = bh_slice_base(dir) };
	while (p.license.len == 0 && bh_take_line(&r, &line))
		if (pkg_cut_trimmed(line, '=', &key, &value) && bh_slice_eq_str(key, "license"))
			p.license = string_value(value);
	return pkg_give(notes, &p, 0, err);
}

/* '["lpeg"] = "1.0.2-1",' and 'lpeg = "1.0.2-1",' */
static bool read_pin(struct bh_slice line, struct bh_package *p)
{
	struct bh_slice key, value;
	if (!pkg_cut_trimmed(line, '=', &key, &value))
		return false;
	if (key.len > 2 && key.ptr[0] == '[' && key.ptr[key.len - 1] == ']')
		key = pkg_unquoted(bh_slice_sub(key, 1, key.len - 2));
	p->name = key;
	p->version = string_value(value);
	return p->version.len != 0;
}

static int read_lock(const struct pkg_file *file, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line, key, value;
	enum bh_scope scope = BH_SCOPE_RUNTIME;
	int rc = 0;
	for (uint32_t number = 1; rc >= 0; number++) {
		size_t offset = r.pos;
		if (!bh_take_line(&r, &line))
			break;
		if (pkg_cut_trimmed(line, '=', &key, &value) && bh_slice_starts(value, BH_SLICE_LIT("{")))
			scope = bh_slice_eq_str(key, "dependencies") ? BH_SCOPE_RUNTIME : BH_SCOPE_DEVELOPMENT; /* build_, test_dependencies */
		struct bh_package p = {
			.type = BH_SLICE_LIT("luarocks"), .scope = scope, .at = { .line = number, .evidence = BH_EVIDENCE_LOCKFILE }
		};
		if (read_pin(line, &p) && !bh_slice_eq_str(p.name, "lua")) /* the language, not a rock */
			rc = pkg_give(notes, &p, offset, err);
	}
	return rc;
}

static int luarocks_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	bool lock = bh_slice_ends(file->path, BH_SLICE_LIT(".lock"));
	int rc = lock ? read_lock(file, &notes, err) : read_rockspec(file, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_luarocks = {
	.name = "luarocks",
	.type = "luarocks",
	.wants = luarocks_wants,
	.max_bytes = ROCK_BYTES_MAX,
	.parse = luarocks_parse,
};
