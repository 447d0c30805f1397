/*
 * binaries.c: language runtimes, servers and libraries that nobody installed as packages: copied from another image, or built in place.
 * What they are tells a version string at a place that only they have; binaries.def lists them. Only files with a name that fits are searched.
 */
#include "base/limits.h"
#include "pkg/entry.h"

#define NEEDLE_BYTES_MAX 64u
#define VERSION_BYTES_MAX 40u /* longer is no version of any of these */

static const struct pkg_want binaries_wants[] = {
	{ .kind = PKG_WANT_ELF, .path = "" },
	{ .kind = PKG_WANT_END },
};

static const struct known {
	const char *name, *file;
	struct bh_slice anchor; /* may hold NUL bytes */
} known[] = {
#define BINARY(name, file, anchor) { name, file, BH_SLICE_LIT(anchor) },
#include "pkg/binaries.def"
#undef BINARY
};

struct anchor {
	uint8_t needle[NEEDLE_BYTES_MAX]; /* what stands before the version, and the part of the version that is given */
	size_t needle_len, before_len;    /* the version begins before_len bytes into the needle */
	bool suffix;                      /* letters and digits may follow */
	struct bh_slice behind;
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* "3.11" of "libpython3.11.so.1.0" */
static struct bh_slice name_version(struct bh_slice base)
{
	size_t from = 0, to;
	while (from < base.len && !is_digit(base.ptr[from]))
		from++;
	for (to = from; to < base.len && (is_digit(base.ptr[to]) || base.ptr[to] == '.');)
		to++;
	while (to > from && base.ptr[to - 1] == '.')
		to--;
	return bh_slice_sub(base, from, to - from);
}

static bool put(struct anchor *a, struct bh_slice s)
{
	if (s.len > sizeof(a->needle) - a->needle_len)
		return false;
	if (s.len)
		memcpy(a->needle + a->needle_len, s.ptr, s.len);
	a->needle_len += s.len;
	return true;
}

/* False when it can't fit this file: no version in its name, or a long one. */
static bool read_anchor(struct bh_slice text, struct bh_slice base, struct anchor *ret)
{
	struct bh_slice before, version, digits = name_version(base);
	*ret = (struct anchor){ .needle_len = 0 };
	(void)bh_slice_cut(text, '<', &before, &version);
	(void)bh_slice_cut(version, '>', &version, &ret->behind);
	ret->before_len = before.len;
	bool ok = put(ret, before);
	for (size_t i = 0; ok && i < version.len; i++) {
		if (version.ptr[i] == '@')
			ok = digits.len && put(ret, digits);
		else if (version.ptr[i] == '&')
			ret->suffix = true;
		else if (version.ptr[i] != '#')
			ok = put(ret, bh_slice_sub(version, i, 1));
	}
	return ok;
}

/* The version at the front of text, of which `given` bytes are known already; empty when there is none. */
static struct bh_slice version_at(const struct anchor *a, struct bh_slice text, size_t given)
{
	size_t end = given, dots = 0;
	if (end == text.len || !is_digit(text.ptr[end]))
		return (struct bh_slice){ 0 };
	while (end < text.len && (is_digit(text.ptr[end]) || (text.ptr[end] == '.' && text.ptr[end - 1] != '.')))
		end++;
	if (end && text.ptr[end - 1] == '.')
		end--;
	for (size_t i = 0; i < end; i++)
		dots += text.ptr[i] == '.';
	while (a->suffix && end < text.len && (is_digit(text.ptr[end]) || is_letter(text.ptr[end])))
		end++;
	bool fits = bh_slice_starts(bh_slice_sub(text, end, text.len), a->behind);
	return dots && fits && end <= VERSION_BYTES_MAX ? bh_slice_sub(text, 0, end) : (struct bh_slice){ 0 };
}

/* The digits and dots that end where text ends. */
static struct bh_slice version_before(struct bh_slice text)
{
	size_t from = text.len, dots = 0;
	while (from && text.len - from < VERSION_BYTES_MAX && (is_digit(text.ptr[from - 1]) || text.ptr[from - 1] == '.'))
		dots += text.ptr[--from] == '.';
	struct bh_slice version = bh_slice_sub(text, from, text.len);
	return dots && is_digit(version.ptr[0]) && is_digit(version.ptr[version.len - 1]) ? version : (struct bh_slice){ 0 };
}

/* The version at the first place where the anchor and a version stand together. */
static struct bh_slice find_version(struct bh_slice data, const struct anchor *a)
{
	struct bh_slice needle = !a->needle_len ? a->behind : (struct bh_slice){ a->needle, a->needle_len }, version = { 0 };
	for (size_t at = 0; version.len == 0 && at < data.len;) {
		const uint8_t *hit = memmem(data.ptr + at, data.len - at, needle.ptr, needle.len);
		if (!hit)
			break;
		at = (size_t)(hit - data.ptr) + 1;
		if (a->needle_len)
			version = version_at(a, bh_slice_sub(data, at - 1 + a->before_len, data.len), a->needle_len - a->before_len);
		else
			version = version_before(bh_slice_sub(data, 0, at - 1));
	}
	return version;
}

static int binaries_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_slice base = bh_slice_base(file->path);
	struct anchor anchor;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!pkg_part_matches(bh_slice_str(known[i].file), base) || !read_anchor(known[i].anchor, base, &anchor))
			continue;
		struct bh_package p = { .type = BH_SLICE_LIT("generic"), .name = bh_slice_str(known[i].name) };
		p.version = find_version(file->data, &anchor);
		p.at.evidence = BH_EVIDENCE_CONTENT;
		if (p.version.len)
			return pkg_give(&notes, &p, (uint64_t)(p.version.ptr - file->data.ptr), err);
	}
	return 0;
}

const struct pkg_parser pkg_parser_binaries = {
	.name = "binaries",
	.type = "generic",
	.wants = binaries_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = binaries_parse,
};
