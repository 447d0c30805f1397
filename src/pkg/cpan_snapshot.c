/*
 * cpan_snapshot.c: Carton's lockfile of Perl distributions, cpanfile.snapshot:
 *
 *     # carton snapshot format: version 1.0
 *     DISTRIBUTIONS
 *       Mojolicious-9.28                            two blanks: a distribution and its version
 *         pathname: S/SR/SRI/Mojolicious-9.28.tar.gz
 *         provides:
 *           Mojo undef
 *
 * A name may hold "-"; the version is behind the last one that a digit or "v" and a digit follow.
 */
#include "base/reader.h"
#include "pkg/entry.h"

static const struct pkg_want cpan_snapshot_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "cpanfile.snapshot" },
	{ .kind = PKG_WANT_END },
};

static bool is_digit(struct bh_slice s, size_t at)
{
	return at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';
}

static void split(struct bh_slice distribution, struct bh_package *p)
{
	p->name = distribution;
	for (size_t at = distribution.len; at-- > 1;) {
		bool begins = is_digit(distribution, at + 1) ||
			      (at + 1 < distribution.len && distribution.ptr[at + 1] == 'v' && is_digit(distribution, at + 2));
		if (distribution.ptr[at] != '-' || !begins)
			continue;
		p->name = bh_slice_sub(distribution, 0, at);
		p->version = bh_slice_sub(distribution, at + 1, distribution.len);
		return;
	}
}

static int cpan_snapshot_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line, blanks = BH_SLICE_LIT("  ");
	int rc = 0;
	for (uint32_t number = 1; rc >= 0; number++) {
		size_t offset = r.pos;
		if (!bh_take_line(&r, &line))
			break;
		struct bh_slice text = bh_slice_trim(line);
		if (text.len == 0 || !bh_slice_starts(line, blanks) || text.ptr != line.ptr + blanks.len)
			continue;
		struct bh_package p = { .type = BH_SLICE_LIT("cpan"), .at = { .line = number, .evidence = BH_EVIDENCE_LOCKFILE } };
		split(text, &p);
		rc = pkg_give(&notes, &p, offset, err);
	}
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_cpan_snapshot = {
	.name = "cpan_snapshot",
	.type = "cpan",
	.wants = cpan_snapshot_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = cpan_snapshot_parse,
};
