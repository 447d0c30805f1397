/*
 * opam.c: packages of an OCaml switch, SWITCH/.opam-switch/switch-state:
 *
 *     installed: [
 *       "astring.0.8.5"
 *       "ocaml.4.13.1"         name and version; names have no "."
 *     ]
 */
#include "base/reader.h"
#include "pkg/entry.h"

#define STATE_BYTES_MAX (64u << 20)

static const struct pkg_want opam_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = ".opam-switch/switch-state" },
	{ .kind = PKG_WANT_END },
};

/* Every string of the line, as a package. */
static int give_strings(struct bh_slice line, uint32_t number, size_t offset, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_slice before, text, rest = line;
	int rc = 0;
	while (rc >= 0 && bh_slice_cut(rest, '"', &before, &rest) && bh_slice_cut(rest, '"', &text, &rest)) {
		struct bh_package p = { .type = BH_SLICE_LIT("opam"), .at = { .line = number } };
		(void)bh_slice_cut(text, '.', &p.name, &p.version);
		rc = pkg_give(notes, &p, offset, err);
	}
	return rc;
}

static int opam_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line;
	bool in_installed = false;
	int rc = 0;
	for (uint32_t number = 1; rc >= 0; number++) {
		size_t offset = r.pos;
		if (!bh_take_line(&r, &line))
			break;
		in_installed |= bh_slice_starts(line, BH_SLICE_LIT("installed:"));
		if (!in_installed)
			continue;
		rc = give_strings(line, number, offset, &notes, err);
		in_installed = bh_slice_find(line, ']') == line.len;
	}
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_opam = {
	.name = "opam",
	.type = "opam",
	.wants = opam_wants,
	.max_bytes = STATE_BYTES_MAX,
	.parse = opam_parse,
};
