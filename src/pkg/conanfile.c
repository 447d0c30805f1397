/*
 * conanfile.c: what a project asks Conan for, conanfile.txt:
 *
 *     [requires]                       references as in conan.h
 *     zlib/1.2.11
 *     openssl/[>=3.0 <4]               a range: no version
 *     [tool_requires]                  and [build_requires], [test_requires]: needed to build
 *     cmake/3.25.1
 */
#include "base/reader.h"
#include "pkg/conan.h"

#define CONANFILE_BYTES_MAX (16u << 20)

static const struct pkg_want conanfile_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "conanfile.txt" },
	{ .kind = PKG_WANT_END },
};

enum section { OTHER, REQUIRES, BUILD };

static enum section section_of(struct bh_slice heading)
{
	if (bh_slice_eq_str(heading, "[requires]"))
		return REQUIRES;
	return bh_slice_ends(heading, BH_SLICE_LIT("_requires]")) ? BUILD : OTHER;
}

static int conanfile_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line, comment, range;
	enum section section = OTHER;
	int rc = 0;
	for (uint32_t number = 1; rc >= 0; number++) {
		size_t offset = r.pos;
		if (!bh_take_line(&r, &line))
			break;
		if (bh_slice_starts(line, BH_SLICE_LIT("[")))
			section = section_of(bh_slice_trim(line));
		(void)pkg_cut_trimmed(line, '#', &line, &comment);
		if (section == OTHER || line.len == 0 || line.ptr[0] == '[')
			continue;
		(void)bh_slice_cut(line, '[', &line, &range);
		struct bh_package like = {
			.scope = section == BUILD ? BH_SCOPE_DEVELOPMENT : BH_SCOPE_RUNTIME,
			.at = { .line = number, .evidence = BH_EVIDENCE_MANIFEST },
		};
		rc = pkg_conan_give(&notes, line, &like, offset, err);
	}
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_conanfile = {
	.name = "conanfile",
	.type = "conan",
	.wants = conanfile_wants,
	.max_bytes = CONANFILE_BYTES_MAX,
	.parse = conanfile_parse,
};
