/* java_identity.c: see java_identity.h. */
#include "pkg/java_identity.h"

#include "base/limits.h"
#include "base/reader.h"
#include "pkg/notes.h"

#include <strings.h>

#define VALUE_BYTES_MAX 2048u

static const struct {
	const char *artifact, *group;
} groups[] = {
#define JAVA_GROUP(artifact, group) { artifact, group },
#include "pkg/java_groups.def"
#undef JAVA_GROUP
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Words that stand inside of versions: "31.1-jre-2" has one version, "log4j-1.2-api-2.17.1" a digit in its name. */
static bool is_qualifier(struct bh_slice word)
{
	static const char *const known[] = { "jre", "android", "alpha", "beta", "rc", "cr", "m", "sp", "b", "build", "final", "ga", "release", "snapshot",
					     "incubating", "jdk", "java", "pre", "preview", "redhat", "patch", "p", "r", "v", "hotfix", "fuse", "jbossorg" };
	size_t letters = 0;
	while (letters < word.len && !is_digit(word.ptr[letters]) && word.ptr[letters] != '.')
		letters++;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (letters == strlen(known[i]) && strncasecmp((const char *)word.ptr, known[i], letters) == 0)
			return true;
	return false;
}

void java_file_name(struct bh_slice base, struct bh_slice *ret_artifact, struct bh_slice *ret_version)
{
	size_t dot = base.len;
	while (dot && base.ptr[dot - 1] != '.')
		dot--;
	struct bh_slice stem = dot ? bh_slice_sub(base, 0, dot - 1) : base, rest = stem, word;
	size_t split = 0; /* where the version's "-" is, 0: nowhere yet */
	while (rest.len) {
		(void)bh_slice_cut(rest, '-', &word, &rest);
		size_t at = word.len ? (size_t)(word.ptr - stem.ptr) : 0;
		if (at && split == 0 && is_digit(word.ptr[0]))
			split = at - 1;
		else if (at && split && word.len && !is_digit(word.ptr[0]) && !is_qualifier(word) && rest.len && is_digit(rest.ptr[0]))
			split = 0; /* a word with another number behind it: that was part of the name */
	}
	*ret_artifact = split ? bh_slice_sub(stem, 0, split) : stem;
	*ret_version = split ? bh_slice_sub(stem, split + 1, stem.len) : (struct bh_slice){ 0 };
}

/* A copy of a value with the line ends and the blanks behind them taken out; nothing of one that is too long to be a name or version. */
static bool unfold(struct bh_slice raw, struct bh_arena *arena, struct bh_slice *ret)
{
	struct bh_slice line;
	uint8_t *out = raw.len <= VALUE_BYTES_MAX ? bh_arena_alloc(arena, raw.len) : NULL;
	size_t len = 0;
	if (!out)
		return raw.len > VALUE_BYTES_MAX;
	for (bool first = true, more = true; more; first = false) {
		more = bh_slice_cut(raw, '\n', &line, &raw);
		if (line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
		line = bh_slice_sub(line, first ? 0 : 1, line.len);
		if (line.len)
			memcpy(out + len, line.ptr, line.len);
		len += line.len;
	}
	*ret = bh_slice_trim((struct bh_slice){ out, len });
	return true;
}

/* The next "Key: value" of the main section, which an empty line ends. */
static bool next_header(struct bh_reader *r, struct bh_slice *key, struct bh_slice *raw)
{
	struct bh_slice line, more, peeked;
	if (!bh_take_line(r, &line) || bh_slice_trim(line).len == 0)
		return false;
	while (bh_peek(r, 1, &peeked) && peeked.ptr[0] == ' ' && bh_take_line(r, &more))
		line.len = (size_t)(more.ptr + more.len - line.ptr);
	(void)bh_slice_cut(line, ':', key, raw);
	return true;
}

bool java_manifest_read(struct bh_slice text, struct bh_arena *arena, struct java_manifest *ret)
{
	const struct {
		const char *key;
		struct bh_slice *value;
	} wanted[] = {
		{ "Implementation-Vendor-Id", &ret->vendor_id },
		{ "Bundle-SymbolicName", &ret->symbolic_name },
		{ "Implementation-Version", &ret->implementation_version },
		{ "Bundle-Version", &ret->bundle_version },
		{ "Specification-Version", &ret->specification_version },
		{ "Bundle-License", &ret->license },
		{ "Implementation-Vendor", &ret->vendor },
	};
	struct bh_reader r = bh_reader_of(text);
	struct bh_slice key, raw;
	while (next_header(&r, &key, &raw))
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (bh_slice_eq_str(key, wanted[i].key) && !unfold(raw, arena, wanted[i].value))
				return false;
	return true;
}

/* "org.apache.commons", no sentence and no path. */
static bool is_group(struct bh_slice s)
{
	bool dot = false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		dot |= c == '.';
		if (!is_digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '.' && c != '-' && c != '_')
			return false;
	}
	return dot && s.len <= BH_NAME_BYTES_MAX / 2;
}

static bool artifact_fits(struct bh_slice artifact, const char *pattern)
{
	struct bh_slice p = bh_slice_str(pattern), before, behind;
	if (!bh_slice_cut(p, '*', &before, &behind))
		return bh_slice_eq(artifact, p);
	return artifact.len >= before.len + behind.len && bh_slice_starts(artifact, before) && bh_slice_ends(artifact, behind);
}

static struct bh_slice known_group(struct bh_slice artifact)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (artifact_fits(artifact, groups[i].artifact))
			return bh_slice_str(groups[i].group);
	return (struct bh_slice){ 0 };
}

/* Maven's archiver writes the group as vendor id; bundles are often called "GROUP.ARTIFACT". */
static struct bh_slice group_of(const struct java_manifest *m, struct bh_slice artifact)
{
	struct bh_slice bundle, options, known = known_group(artifact);
	(void)bh_slice_cut(m->symbolic_name, ';', &bundle, &options);
	bundle = bh_slice_trim(bundle);
	if (is_group(m->vendor_id))
		return m->vendor_id;
	if (known.len)
		return known;
	if (!is_group(bundle) || !bh_slice_ends(bundle, artifact))
		return (struct bh_slice){ 0 };
	struct bh_slice group = bh_slice_sub(bundle, 0, bundle.len - artifact.len), dot = BH_SLICE_LIT(".");
	return bh_slice_sub(group, 0, bh_slice_ends(group, dot) ? group.len - 1 : 0);
}

/* The first that is one: a digit in it, no blanks. */
static struct bh_slice first_version(const struct bh_slice *candidates, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct bh_slice c = candidates[i];
		if (c.ptr && pkg_word_ok(c, BH_VERSION_BYTES_MAX) && (is_digit(c.ptr[0]) || (c.len > 1 && is_digit(c.ptr[1]))) && bh_slice_find(c, '$') == c.len)
			return c;
	}
	return (struct bh_slice){ 0 };
}

/*
 * "4.2.3-no_aop" of guice-4.2.3-no_aop.jar, whose manifest says 4.2.3: Maven's classifier of a variant, no part of the version. "31.1-jre" stays
 * whole, whatever the manifest says.
 */
static struct bh_slice without_classifier(struct bh_slice name_version, const struct java_manifest *m)
{
	const struct bh_slice said[] = { m->implementation_version, m->bundle_version };
	for (size_t i = 0; i < 2; i++) {
		struct bh_slice rest = bh_slice_sub(name_version, said[i].len, name_version.len);
		if (said[i].len && bh_slice_starts(name_version, said[i]) && rest.len > 1 && rest.ptr[0] == '-' && !is_digit(rest.ptr[1]) &&
		    !is_qualifier(bh_slice_sub(rest, 1, rest.len)))
			return said[i];
	}
	return name_version;
}

struct java_identity java_identify(struct bh_slice base, const struct java_manifest *m)
{
	struct java_identity id = { .license = m->license, .vendor = m->vendor };
	struct bh_slice name_version;
	java_file_name(base, &id.artifact, &name_version);
	struct bh_slice candidates[] = { without_classifier(name_version, m), m->implementation_version, m->bundle_version, m->specification_version };
	id.version = first_version(candidates, 4);
	id.group = group_of(m, id.artifact);
	return id;
}
