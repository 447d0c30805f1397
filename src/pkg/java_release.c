/*
 * java_release.c: Java runtimes, by the file "release" at their root:
 *
 *     IMPLEMENTOR="Eclipse Adoptium"
 *     JAVA_VERSION="17.0.15"
 *     JAVA_RUNTIME_VERSION="17.0.15+6"
 *
 * Others call files so, too: without JAVA_VERSION it is none of ours. GraalVM says its own version as well.
 */
#include "base/limits.h"
#include "base/reader.h"
#include "pkg/entry.h"

#define TEXT_BYTES_MAX (64u << 10)

static const struct pkg_want java_release_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "release" },
	{ .kind = PKG_WANT_END },
};

static int give(struct pkg_notes *notes, const char *name, struct bh_slice version, struct bh_slice vendor, uint32_t line, struct bh_err *err)
{
	struct bh_package p = { .type = BH_SLICE_LIT("generic"), .name = bh_slice_str(name), .version = version, .vendor = vendor };
	p.at.line = line;
	return version.len ? pkg_give(notes, &p, 0, err) : 0;
}

static int java_release_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line, key, value, java = { 0 }, graal = { 0 }, vendor = { 0 };
	uint32_t line_number = 0, java_line = 0, graal_line = 0;
	while (bh_take_line(&r, &line)) {
		line_number++;
		if (!pkg_cut_trimmed(line, '=', &key, &value))
			continue;
		value = pkg_unquoted(value);
		if (bh_slice_eq_str(key, "JAVA_VERSION")) {
			java = value;
			java_line = line_number;
		} else if (bh_slice_eq_str(key, "GRAALVM_VERSION")) {
			graal = value;
			graal_line = line_number;
		} else if (bh_slice_eq_str(key, "IMPLEMENTOR")) {
			vendor = value;
		}
	}
	int rc = give(&notes, "openjdk", java, vendor, java_line, err);
	return rc < 0 || java.len == 0 ? rc : give(&notes, "graalvm", graal, vendor, graal_line, err);
}

const struct pkg_parser pkg_parser_java_release = {
	.name = "java_release",
	.type = "generic",
	.wants = java_release_wants,
	.max_bytes = TEXT_BYTES_MAX,
	.parse = java_release_parse,
};
