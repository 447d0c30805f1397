/*
 * paket_lock.c: Paket's lockfile of NuGet packages, paket.lock:
 *
 *     NUGET                                   or GITHUB, GIT, HTTP: files, not packages
 *       remote: https://api.nuget.org/v3/index.json
 *         Argu (6.1.1)                        four blanks: a package
 *           FSharp.Core (>= 4.3.2)            six: what it needs
 *     GROUP Build                             further groups repeat all of that
 */
#include "base/reader.h"
#include "pkg/entry.h"

static const struct pkg_want paket_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "paket.lock" },
	{ .kind = PKG_WANT_END },
};

/* "Argu (6.1.1) - restriction: >= net461" */
static bool read_package(struct bh_slice text, struct bh_package *p)
{
	struct bh_slice behind, rest;
	return pkg_cut_trimmed(text, '(', &p->name, &behind) && bh_slice_cut(behind, ')', &p->version, &rest) && p->version.len;
}

static int paket_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line;
	bool in_nuget = false;
	int rc = 0;
	for (uint32_t number = 1; rc >= 0; number++) {
		size_t offset = r.pos;
		if (!bh_take_line(&r, &line))
			break;
		struct bh_slice text = bh_slice_trim(line);
		size_t indent = text.len ? (size_t)(text.ptr - line.ptr) : 0;
		if (text.len && indent == 0)
			in_nuget = bh_slice_eq_str(text, "NUGET");
		if (!in_nuget || indent != 4)
			continue;
		struct bh_package p = { .type = BH_SLICE_LIT("nuget"), .at = { .line = number, .evidence = BH_EVIDENCE_LOCKFILE } };
		rc = read_package(text, &p) ? pkg_give(&notes, &p, offset, err) : pkg_note(&notes, offset, err, "line %u is no \"name (version)\"", number);
	}
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_paket_lock = {
	.name = "paket_lock",
	.type = "nuget",
	.wants = paket_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = paket_lock_parse,
};
