/*
 * go_vendor.c: vendor/modules.txt, where `go mod vendor` writes down which modules it copied into the project:
 *
 *     # golang.org/x/net v0.23.0                      or  # PATH VERSION => NEW-PATH NEW-VERSION,  # PATH VERSION => ./folder
 *     ## explicit; go 1.18
 *     golang.org/x/net/html                           packages
 *     # golang.org/x/net => ./folder                  at the end: replacements; without lines of their own, these are no modules
 */
#include "base/reader.h"
#include "pkg/golang.h"

#define TEXT_BYTES_MAX (16u << 20)

static const struct pkg_want go_vendor_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "vendor/modules.txt" },
	{ .kind = PKG_WANT_END },
};

static struct pkg_go_module module_of(struct bh_slice line)
{
	struct pkg_go_module m = { .new_path = { 0 } };
	struct bh_slice arrow;
	(void)bh_slice_cut(line, ' ', &m.path, &line);
	(void)bh_slice_cut(line, ' ', &m.version, &line);
	if (bh_slice_cut(line, ' ', &arrow, &line))
		(void)bh_slice_cut(line, ' ', &m.new_path, &m.new_version);
	return m;
}

static int go_vendor_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_location at = { .evidence = BH_EVIDENCE_LOCKFILE };
	struct bh_reader r = bh_reader_of(file->data);
	struct pkg_go_module m = { .path = { 0 } };
	struct bh_slice line, mark = BH_SLICE_LIT("# ");
	uint32_t line_number = 0;
	int rc = 0;
	while (rc == 0 && bh_take_line(&r, &line)) {
		line_number++;
		line = bh_slice_trim(line);
		if (bh_slice_starts(line, mark)) {
			m = module_of(bh_slice_sub(line, mark.len, line.len));
			at.line = line_number;
		} else if (m.path.len && line.len) {
			rc = pkg_go_module(&m, &at, r.pos, &notes, err);
			m.path.len = 0;
		}
	}
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_go_vendor = {
	.name = "go_vendor",
	.type = "golang",
	.wants = go_vendor_wants,
	.max_bytes = TEXT_BYTES_MAX,
	.parse = go_vendor_parse,
};
