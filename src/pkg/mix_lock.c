/*
 * mix_lock.c: lockfiles of Elixir's Mix and of Erlang's rebar3, both of packages of hex.pm and of git repositories:
 *
 *     mix.lock     %{ "plug": {:hex, :plug, "1.14.0", "bf02...", [:mix], [...], "hexpm", "bf02..."},
 *                     "own": {:git, "https://example.org/own.git", "0f2e...", [tag: "v1.0"]} }
 *     rebar.lock   {"1.2.0", [{<<"certifi">>,{pkg,<<"certifi">>,<<"2.9.0">>},1},
 *                             {<<"own">>,{git,"https://example.org/own.git",{ref,"0f2e..."}},0}]}.
 *
 * A git dependency has a commit, no version: it is listed without one.
 */
#include "pkg/entry.h"
#include "pkg/terms.h"

static const struct pkg_want mix_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "mix.lock" },
	{ .kind = PKG_WANT_GLOB, .path = "rebar.lock" },
	{ .kind = PKG_WANT_END },
};

/* Have the last tokens just completed an entry? texts: its parts in the file. */
static bool entry_ends(const struct pkg_terms *t, struct bh_package *p)
{
	struct bh_slice texts[PKG_TERMS_KEPT];
	bool from_hex = pkg_terms_are(t, "$ { hex @ $", texts) || pkg_terms_are(t, "$ { pkg $ $", texts);
	if (!from_hex && !pkg_terms_are(t, "$ { git $", texts))
		return false;
	p->name = texts[from_hex ? 1 : 0];
	p->version = from_hex ? texts[2] : BH_SLICE_LIT("");
	return true;
}

static int mix_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct pkg_terms t = pkg_terms_of(file->data);
	struct pkg_lines lines = { .text = file->data };
	int rc = 0;
	while (rc >= 0 && pkg_terms_next(&t)) {
		struct bh_package p = { .type = BH_SLICE_LIT("hex"), .at = { .evidence = BH_EVIDENCE_LOCKFILE } };
		if (!entry_ends(&t, &p))
			continue;
		size_t offset = t.last[PKG_TERMS_KEPT - 1].offset_bytes;
		p.at.line = pkg_line(&lines, offset);
		rc = pkg_give(&notes, &p, offset, err);
	}
	if (rc >= 0 && t.damage)
		rc = bh_fail(err, BH_ETRUNCATED, t.r.pos, "%s", t.damage);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_mix_lock = {
	.name = "mix_lock",
	.type = "hex",
	.wants = mix_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = mix_lock_parse,
};
