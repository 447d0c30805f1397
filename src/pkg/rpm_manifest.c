/*
 * rpm_manifest.c: what Mariner's and Azure Linux's distroless images have instead of an rpm database:
 * var/lib/rpmmanifest/container-manifest-2, one line per package, columns separated by tabs:
 *
 *     NAME  VERSION-RELEASE  install time  build time  VENDOR  EPOCH or (none)  size  ARCH  epoch as a number  SOURCERPM
 */
#include "base/limits.h"
#include "base/reader.h"
#include "pkg/rpm.h"

enum { C_NAME, C_VERSION, C_INSTALLED, C_BUILT, C_VENDOR, C_EPOCH, C_SIZE, C_ARCH, C_EPOCH_NUMBER, C_SOURCE, N_COLUMNS };

static const struct pkg_want rpm_manifest_wants[] = {
	{ .kind = PKG_WANT_PATH, .path = "var/lib/rpmmanifest/container-manifest-2" },
	{ .kind = PKG_WANT_END },
};

static bool split(struct bh_slice line, struct bh_slice *columns)
{
	bool more = true;
	for (size_t i = 0; i < N_COLUMNS; i++) {
		if (!more)
			return false;
		more = bh_slice_cut(line, '\t', &columns[i], &line);
		columns[i] = bh_slice_trim(columns[i]);
		if (bh_slice_eq_str(columns[i], "(none)"))
			columns[i].len = 0;
	}
	return true;
}

static bool with_epoch(struct bh_slice epoch, struct bh_slice version, struct bh_arena *a, struct bh_slice *ret)
{
	uint64_t number;
	*ret = version;
	if (version.len == 0 || version.len > BH_VERSION_BYTES_MAX || !bh_slice_u64(epoch, UINT32_MAX, &number) || number == 0)
		return true;
	char *text = bh_arena_printf(a, "%u:%.*s", (unsigned)number, BH_SLICE_FMT(version));
	*ret = bh_slice_str(text);
	return text;
}

static int on_line(struct bh_slice line, size_t at, struct pkg_notes *notes, struct bh_arena *a, struct bh_err *err)
{
	struct bh_slice c[N_COLUMNS], source_version = { 0 };
	if (!split(line, c) || !pkg_word_ok(c[C_NAME], BH_NAME_BYTES_MAX) || !pkg_word_ok(c[C_VERSION], BH_VERSION_BYTES_MAX))
		return pkg_note(notes, at, err, "a line is no package");
	struct bh_package p = { .type = BH_SLICE_LIT("rpm"), .name = c[C_NAME], .arch = c[C_ARCH], .vendor = c[C_VENDOR] };
	if (c[C_SOURCE].len)
		(void)pkg_rpm_split_source(c[C_SOURCE], &p.source_name, &source_version);
	if (!with_epoch(c[C_EPOCH], c[C_VERSION], a, &p.version) || !with_epoch(c[C_EPOCH], source_version, a, &p.source_version))
		return bh_fail(err, BH_ELIMIT, at, "too many packages for the memory of one scan");
	return notes->sink->package(notes->sink->ctx, &p, err);
}

static int rpm_manifest_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line;
	for (size_t at = 0; bh_take_line(&r, &line); at = r.pos) {
		int rc = bh_slice_trim(line).len ? on_line(line, at, &notes, scratch, err) : 0;
		if (rc < 0)
			return rc;
	}
	return pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_rpm_manifest = {
	.name = "rpm_manifest",
	.type = "rpm",
	.wants = rpm_manifest_wants,
	.max_bytes = 16u << 20, /* real ones have 10 KiB */
	.parse = rpm_manifest_parse,
};
