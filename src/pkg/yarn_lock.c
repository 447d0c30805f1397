/*
 * yarn_lock.c: yarn.lock of Yarn 1, and of Yarn 2 and later ("berry"), whose YAML is of a fixed shape:
 *
 *     "@s/a@^1.0.0", "@s/a@^1.2.0":              "@s/a@npm:^1.0.0, @s/a@npm:^1.2.0":
 *       version "1.2.3"                            version: 1.2.3
 *       resolved "https://..."                     resolution: "@s/a@npm:1.2.3"      alias, patch and git too: the true name
 *       dependencies:                              linkType: hard                    soft: the project, workspaces, links
 *         b "^2.0.0"
 *
 * A key of more than 1,024 bytes is written as YAML writes it then: "? KEY", ":" on a line of its own. Which dependencies are
 * development's only package.json knows.
 */
#include "base/reader.h"
#include "pkg/npm.h"

static const struct pkg_want yarn_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "yarn.lock" },
	{ .kind = PKG_WANT_END },
};

struct entry {
	struct bh_slice key, version, resolution;
	bool own; /* of the project itself */
	uint32_t line;
	size_t offset_bytes;
};

/* `"a@^1", "a@^2"` and `"a@npm:^1, a@npm:^2"`: the first of them. */
static struct bh_slice first_descriptor(struct bh_slice key)
{
	struct bh_slice first, rest;
	(void)bh_slice_cut(key, ',', &first, &rest);
	first = bh_slice_trim(first);
	if (first.len && first.ptr[0] == '"')
		first = bh_slice_sub(first, 1, first.len);
	if (first.len && first.ptr[first.len - 1] == '"')
		first.len--;
	return first;
}

/* "lodash4@npm:lodash@4.17.21": installed under another name, in Yarn 1. */
static struct bh_slice name_of(const struct entry *e)
{
	struct bh_slice name, range, target, alias = BH_SLICE_LIT("npm:");
	(void)pkg_npm_cut(e->resolution.len ? e->resolution : first_descriptor(e->key), &name, &range);
	if (e->resolution.len == 0 && bh_slice_starts(range, alias) &&
	    pkg_npm_cut(bh_slice_sub(range, alias.len, range.len), &target, &range))
		return target;
	return name;
}

static int give(struct pkg_notes *notes, const struct entry *e, struct bh_err *err)
{
	struct bh_slice name, range;
	if (e->key.len == 0 || e->own || bh_slice_eq_str(e->key, "__metadata"))
		return 0;
	(void)pkg_npm_cut(first_descriptor(e->key), &name, &range);
	if (bh_slice_starts(range, BH_SLICE_LIT("link:")) || bh_slice_starts(range, BH_SLICE_LIT("workspace:")))
		return 0;
	struct bh_package p = {
		.type = BH_SLICE_LIT("npm"),
		.name = name_of(e),
		.version = e->version,
		.at = { .line = e->line, .evidence = BH_EVIDENCE_LOCKFILE },
	};
	return pkg_give(notes, &p, e->offset_bytes, err);
}

/* `  version "1.2.3"`, `  version: 1.2.3` */
static bool field(struct bh_slice line, const char *name, struct bh_slice *ret)
{
	struct bh_slice prefix = bh_slice_str(name), text = bh_slice_sub(line, 2, line.len);
	if (!bh_slice_starts(text, prefix) || text.len == prefix.len || (text.ptr[prefix.len] != ' ' && text.ptr[prefix.len] != ':'))
		return false;
	*ret = pkg_unquoted(bh_slice_trim(bh_slice_sub(text, prefix.len + 1, text.len)));
	return true;
}

static void read_field(struct bh_slice line, struct entry *e)
{
	struct bh_slice value;
	if (line.len < 3 || line.ptr[0] != ' ' || line.ptr[1] != ' ' || line.ptr[2] == ' ')
		return; /* two blanks: the entry's own; four: what it depends on */
	if (field(line, "version", &value))
		e->version = value;
	else if (field(line, "resolution", &value))
		e->resolution = value;
	else if (field(line, "linkType", &value))
		e->own = bh_slice_eq_str(value, "soft");
}

static int yarn_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(pkg_without_bom(file->data));
	struct entry e = { 0 };
	struct bh_slice line, long_key = BH_SLICE_LIT("? ");
	int rc = 0;
	if (pkg_npm_inside_package(file->path))
		return 0;
	for (uint32_t number = 1; rc >= 0; number++) {
		size_t offset = r.pos;
		if (!bh_take_line(&r, &line))
			break;
		struct bh_slice text = bh_slice_trim(line);
		if (text.len == 0 || text.ptr[0] == '#')
			continue;
		if (line.ptr[0] == ' ') {
			read_field(line, &e);
			continue;
		}
		if (bh_slice_eq_str(text, ":"))
			continue; /* behind a long key */
		rc = give(&notes, &e, err);
		e = (struct entry){ .line = number, .offset_bytes = offset };
		if (text.ptr[text.len - 1] == ':')
			e.key = bh_slice_sub(text, 0, text.len - 1);
		else if (bh_slice_starts(text, long_key))
			e.key = bh_slice_sub(text, long_key.len, text.len);
		else if (rc >= 0)
			rc = pkg_note(&notes, offset, err, "line %u begins no entry: it doesn't end with \":\"", number);
	}
	if (rc >= 0)
		rc = give(&notes, &e, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_yarn_lock = {
	.name = "yarn_lock",
	.type = "npm",
	.wants = yarn_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = yarn_lock_parse,
};
