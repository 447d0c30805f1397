/*
 * gradle_lock.c: Gradle's dependency locks, one artifact in a line with the configurations that it was resolved for:
 *
 *     com.google.guava:guava:31.1-jre=compileClasspath,runtimeClasspath        gradle.lockfile, buildscript-gradle.lockfile
 *     empty=annotationProcessor                                                configurations without dependencies
 *     com.google.guava:guava:31.1-jre                                          gradle/dependency-locks/CONFIGURATION.lockfile, before Gradle 6
 */
#include "base/limits.h"
#include "base/reader.h"
#include "pkg/entry.h"

#define LOCK_BYTES_MAX (64u << 20)

static const struct pkg_want gradle_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "gradle.lockfile" },
	{ .kind = PKG_WANT_GLOB, .path = "buildscript-gradle.lockfile" },
	{ .kind = PKG_WANT_GLOB, .path = "dependency-locks/*.lockfile" },
	{ .kind = PKG_WANT_END },
};

/* Configurations of tests, and of what runs while building. */
static bool is_development(struct bh_slice configuration)
{
	static const char *const words[] = { "test", "Test", "nnotationProcessor", "kapt", "checkstyle", "spotbugs", "pmd", "jacoco",
					     "buildscript", "compileOnly" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bh_slice_search(configuration, words[i]))
			return true;
	return false;
}

static bool all_development(struct bh_slice configurations)
{
	struct bh_slice one;
	bool any = false;
	while (configurations.len) {
		(void)bh_slice_cut(configurations, ',', &one, &configurations);
		any = true;
		if (!is_development(one))
			return false;
	}
	return any;
}

/* "GROUP:ARTIFACT:VERSION=CONFIGURATIONS" */
static int on_line(struct bh_slice line, struct bh_package *p, uint64_t offset, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_slice coordinates, configurations, group, rest;
	(void)bh_slice_cut(line, '=', &coordinates, &configurations);
	if (bh_slice_eq_str(coordinates, "empty"))
		return 0;
	bool whole = bh_slice_cut(coordinates, ':', &group, &rest) && bh_slice_cut(rest, ':', &rest, &p->version);
	if (!whole || group.len == 0 || rest.len == 0)
		return pkg_note(notes, offset, err, "line %u: no group, artifact and version", p->at.line);
	p->name = bh_slice_sub(coordinates, 0, group.len + 1 + rest.len);
	if (all_development(configurations))
		p->scope = BH_SCOPE_DEVELOPMENT;
	return pkg_give(notes, p, offset, err);
}

static int gradle_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line, base = bh_slice_base(file->path);
	bool script = bh_slice_starts(base, BH_SLICE_LIT("buildscript-")), of_tests = is_development(base);
	int rc = 0;
	for (uint32_t n = 1; rc == 0 && bh_take_line(&r, &line); n++) {
		line = bh_slice_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		struct bh_package p = { .type = BH_SLICE_LIT("maven"), .at = { .line = n, .evidence = BH_EVIDENCE_LOCKFILE } };
		p.scope = script || of_tests ? BH_SCOPE_DEVELOPMENT : BH_SCOPE_RUNTIME;
		rc = on_line(line, &p, r.pos, &notes, err);
	}
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_gradle_lock = {
	.name = "gradle_lock",
	.type = "maven",
	.wants = gradle_lock_wants,
	.max_bytes = LOCK_BYTES_MAX,
	.parse = gradle_lock_parse,
};
