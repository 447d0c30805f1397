/*
 * conan_installed.c: packages in the cache of Conan 1, .conan/data/NAME/VERSION/USER/CHANNEL/package/ID/conaninfo.txt:
 *
 *     [full_requires]
 *         zlib/1.2.11:5ab84d6acfe1f23c4fae0ab88f26e3a396351ac9     what it was built with, exactly
 */
#include "base/reader.h"
#include "pkg/conan.h"

#define INFO_BYTES_MAX (16u << 20)

static const struct pkg_want conan_installed_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "data/*/*/*/*/package/*/conaninfo.txt" },
	{ .kind = PKG_WANT_END },
};

/* The package itself, which only the path names. */
static int give_self(const struct pkg_file *file, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_slice dir = file->path, parts[7];
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		parts[i] = bh_slice_base(dir);
		dir = bh_slice_folder(dir);
	}
	struct bh_package p = { .type = BH_SLICE_LIT("conan"), .name = parts[6], .version = parts[5] };
	return pkg_give(notes, &p, 0, err); /* conaninfo.txt ID package CHANNEL USER VERSION NAME */
}

static int conan_installed_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line;
	bool in_requires = false;
	int rc = give_self(file, &notes, err);
	for (uint32_t number = 1; rc >= 0; number++) {
		size_t offset = r.pos;
		if (!bh_take_line(&r, &line))
			break;
		line = bh_slice_trim(line);
		if (line.len == 0)
			continue;
		if (line.ptr[0] == '[') {
			in_requires = bh_slice_eq_str(line, "[full_requires]");
		} else if (in_requires) {
			struct bh_package like = { .at = { .line = number } };
			rc = pkg_conan_give(&notes, line, &like, offset, err);
		}
	}
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_conan_installed = {
	.name = "conan_installed",
	.type = "conan",
	.wants = conan_installed_wants,
	.max_bytes = INFO_BYTES_MAX,
	.parse = conan_installed_parse,
};
