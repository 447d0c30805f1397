/*
 * pip_requirements.c: requirements.txt and its relatives (https://pip.pypa.io/en/stable/reference/requirements-file-format/):
 *
 *     requests[socks]==2.31.0 ; python_version > "3"  # comment      pinned: a package
 *         --hash=sha256:...                                          options behind it, on lines joined by a "\" at their end
 *     flask>=2.0                                                     not pinned: which version it is nobody knows
 *     -r other.txt                                                   options: other files are read where they lie
 *     -e ./folder, name @ https://..., ./a.whl                       sources without a version
 *
 * What is not pinned is no package: one note tells how many there are and where the first one is.
 */
#include "base/reader.h"
#include "pkg/entry.h"

#include <ctype.h>

static const struct pkg_want pip_requirements_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "*requirements*.txt" },
	{ .kind = PKG_WANT_GLOB, .path = "requirements/*.txt" },
	{ .kind = PKG_WANT_END },
};

struct requirements {
	struct pkg_notes notes;
	uint64_t loose;       /* requirements without an exact version */
	uint32_t first_loose; /* line */
};

static bool is_name_byte(uint8_t c)
{
	return isalnum(c) || c == '-' || c == '_' || c == '.';
}

/* Without the comment: "#" at the start or behind a blank. */
static struct bh_slice without_comment(struct bh_slice line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.ptr[i] == '#' && (i == 0 || line.ptr[i - 1] == ' ' || line.ptr[i - 1] == '\t'))
			return bh_slice_sub(line, 0, i);
	return line;
}

/* "name[extras]REST" -> name, REST */
static struct bh_slice cut_name(struct bh_slice text, struct bh_slice *rest)
{
	size_t len = 0;
	while (len < text.len && is_name_byte(text.ptr[len]))
		len++;
	*rest = bh_slice_trim(bh_slice_sub(text, len, text.len));
	if (rest->len && rest->ptr[0] == '[') {
		size_t end = bh_slice_find(*rest, ']');
		*rest = bh_slice_trim(bh_slice_sub(*rest, end + 1, rest->len));
	}
	return bh_slice_sub(text, 0, len);
}

/* "==2.31.0 ; marker --hash=...": the exact version; empty when it is none: a range, a list of conditions, "==2.*". */
static struct bh_slice exact_version(struct bh_slice rest)
{
	struct bh_slice arbitrary = BH_SLICE_LIT("==="), exact = BH_SLICE_LIT("=="), none = { 0 };
	if (!bh_slice_starts(rest, exact))
		return none;
	rest = bh_slice_trim(bh_slice_sub(rest, bh_slice_starts(rest, arbitrary) ? arbitrary.len : exact.len, rest.len));
	size_t len = 0;
	while (len < rest.len && (is_name_byte(rest.ptr[len]) || rest.ptr[len] == '+' || rest.ptr[len] == '!'))
		len++;
	struct bh_slice behind = bh_slice_trim(bh_slice_sub(rest, len, rest.len));
	bool ends = behind.len == 0 || behind.ptr[0] == ';' || behind.ptr[0] == '\\' || bh_slice_starts(behind, BH_SLICE_LIT("--"));
	return ends ? bh_slice_sub(rest, 0, len) : none;
}

static int read_requirement(struct requirements *q, struct bh_slice text, uint32_t line, size_t offset, struct bh_err *err)
{
	struct bh_slice rest;
	struct bh_package p = { .type = BH_SLICE_LIT("pypi"), .at = { .line = line, .evidence = BH_EVIDENCE_MANIFEST } };
	p.name = cut_name(text, &rest);
	p.version = exact_version(rest);
	if (p.name.len && p.version.len)
		return pkg_give(&q->notes, &p, offset, err);
	if (q->loose++ == 0)
		q->first_loose = line;
	return 0;
}

static bool is_continued(struct bh_slice line)
{
	return line.len && line.ptr[line.len - 1] == '\\';
}

static bool is_option(struct bh_slice text)
{
	return text.len && text.ptr[0] == '-' && !bh_slice_starts(text, BH_SLICE_LIT("-e")) && !bh_slice_starts(text, BH_SLICE_LIT("--editable"));
}

/* Files that came with an installed package are about its makers' work: what it needs is in its metadata. */
static bool inside_package(struct bh_slice path)
{
	static const char *const folders[] = { "node_modules/", "site-packages/", "dist-packages/" };
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (bh_slice_search(path, folders[i]))
			return true;
	return false;
}

static int pip_requirements_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct requirements q = { .notes = { .sink = sink } };
	struct bh_reader r = bh_reader_of(pkg_without_bom(file->data));
	struct bh_slice line;
	bool continues = false;
	int rc = 0;
	if (inside_package(file->path))
		return 0;
	for (uint32_t number = 1; rc >= 0; number++) {
		size_t offset = r.pos;
		if (!bh_take_line(&r, &line))
			break;
		struct bh_slice text = bh_slice_trim(without_comment(line));
		if (!continues && text.len && !is_option(text))
			rc = read_requirement(&q, text, number, offset, err);
		continues = is_continued(bh_slice_trim(line));
	}
	if (rc >= 0 && q.loose)
		rc = pkg_note(&q.notes, 0, err, "%llu requirements have no exact version (the first one in line %u): which ones are used can't be told",
			      (unsigned long long)q.loose, q.first_loose);
	return rc < 0 ? rc : pkg_notes_end(&q.notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_pip_requirements = {
	.name = "pip_requirements",
	.type = "pypi",
	.wants = pip_requirements_wants,
	.max_bytes = 64u << 20,
	.parse = pip_requirements_parse,
};
