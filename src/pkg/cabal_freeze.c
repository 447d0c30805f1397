/*
 * cabal_freeze.c: Haskell's cabal.project.freeze and the older cabal.config:
 *
 *     active-repositories: hackage.haskell.org:merge
 *     constraints: any.aeson ==2.1.1.0,
 *                  aeson -cffi +ordered-keymap,      flags
 *                  any.base ==4.15.1.0
 */
#include "base/reader.h"
#include "pkg/entry.h"

static const struct pkg_want cabal_freeze_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "cabal.project.freeze" },
	{ .kind = PKG_WANT_GLOB, .path = "cabal.config" },
	{ .kind = PKG_WANT_END },
};

/* "any.base ==4.15.1.0" */
static bool read_constraint(struct bh_slice text, struct bh_package *p)
{
	struct bh_slice any = BH_SLICE_LIT("any."), rest;
	if (!pkg_cut_trimmed(text, '=', &p->name, &rest) || !bh_slice_starts(rest, BH_SLICE_LIT("=")))
		return false;
	p->version = bh_slice_trim(bh_slice_sub(rest, 1, rest.len));
	if (bh_slice_starts(p->name, any))
		p->name = bh_slice_sub(p->name, any.len, p->name.len);
	return true;
}

static int read_line(struct bh_slice list, uint32_t number, size_t offset, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_slice one;
	int rc = 0;
	while (rc >= 0 && list.len) {
		(void)bh_slice_cut(list, ',', &one, &list);
		struct bh_package p = { .type = BH_SLICE_LIT("hackage"), .at = { .line = number, .evidence = BH_EVIDENCE_LOCKFILE } };
		if (read_constraint(one, &p))
			rc = pkg_give(notes, &p, offset, err);
	}
	return rc;
}

static int cabal_freeze_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line, key, list;
	bool in_constraints = false;
	int rc = 0;
	for (uint32_t number = 1; rc >= 0; number++) {
		size_t offset = r.pos;
		if (!bh_take_line(&r, &line))
			break;
		bool field = line.len && line.ptr[0] != ' ' && line.ptr[0] != '\t' && pkg_cut_trimmed(line, ':', &key, &list);
		if (field)
			in_constraints = bh_slice_eq_str(key, "constraints");
		else
			list = line;
		if (in_constraints)
			rc = read_line(list, number, offset, &notes, err);
	}
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_cabal_freeze = {
	.name = "cabal_freeze",
	.type = "hackage",
	.wants = cabal_freeze_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = cabal_freeze_parse,
};
