/*
 * apk.c: installed packages of Alpine, Wolfi, Chainguard and postmarketOS.
 *
 * A text file of "X:value" lines, one paragraph per package; apk-tools 3 still writes it, at usr/lib on merged-usr systems:
 *
 *     C:Q1...          checksum        P: name   V: version   A: architecture
 *     L: licence       o: origin (source package)             m: maintainer
 *     p: provides, separated by blanks                        c: commit, t: time, D: depends, ...
 *     F:usr/bin        a folder; R:name lines below it are its files (M:, a:, Z: describe them)
 *
 * The origin is built in one go with its subpackages, so its version is the package's own. A file that starts with "ADB"
 * is apk 3's binary format, which installed databases do not use today; it is reported as unsupported.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/reader.h"
#include "pkg/notes.h"

#define OWNED_BYTES_MAX (32u << 20) /* paths of one package; the largest real ones (texmf, firmware) have about 2 MiB */

static const struct pkg_want apk_wants[] = {
	{ .kind = PKG_WANT_PATH, .path = "lib/apk/db/installed" },
	{ .kind = PKG_WANT_PATH, .path = "usr/lib/apk/db/installed" },
	{ .kind = PKG_WANT_END },
};

struct apk_package {
	struct bh_package p;
	struct bh_slice folder;
	struct bh_buf owned, provides;
	size_t offset;
	bool any, damaged;
};

static void add_file(struct apk_package *a, struct bh_slice name)
{
	if (name.len == 0 || name.len > BH_PATH_BYTES_MAX || memchr(name.ptr, '\0', name.len) || bh_slice_find(name, '/') != name.len) {
		a->damaged = true;
		return;
	}
	bh_buf_add_byte(&a->owned, '/');
	bh_buf_add(&a->owned, a->folder);
	if (a->folder.len)
		bh_buf_add_byte(&a->owned, '/');
	bh_buf_add(&a->owned, name);
	bh_buf_add_byte(&a->owned, '\0');
}

static void set_folder(struct apk_package *a, struct bh_slice folder)
{
	bool bad = folder.len > BH_PATH_BYTES_MAX || (folder.len && memchr(folder.ptr, '\0', folder.len));
	a->damaged |= bad;
	a->folder = bad ? BH_SLICE_LIT("") : folder;
}

/* "so:libz.so.1=1.2.13 cmd:minigzip" -> "so:libz.so.1=1.2.13, cmd:minigzip" */
static void add_provides(struct apk_package *a, struct bh_slice list)
{
	struct bh_slice word;
	while (list.len) {
		(void)bh_slice_cut(list, ' ', &word, &list);
		if (word.len && a->provides.len)
			bh_buf_add_str(&a->provides, ", ");
		bh_buf_add(&a->provides, word);
	}
}

static void add_line(struct apk_package *a, struct bh_slice line)
{
	if (line.len < 2 || line.ptr[1] != ':') {
		a->damaged = true;
		return;
	}
	struct bh_slice value = bh_slice_trim(bh_slice_sub(line, 2, line.len));
	switch (line.ptr[0]) {
	case 'P': a->p.name = value; break;
	case 'V': a->p.version = value; break;
	case 'A': a->p.arch = value; break;
	case 'L': a->p.license = value; break;
	case 'o': a->p.source_name = value; break;
	case 'm': a->p.vendor = value; break;
	case 'p': add_provides(a, value); break;
	case 'F': set_folder(a, value); break;
	case 'R': add_file(a, value); break;
	default: break; /* checksums, sizes, scripts, dependencies: not needed */
	}
}

static int finish(struct apk_package *a, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_package *p = &a->p;
	if (!pkg_word_ok(p->name, BH_NAME_BYTES_MAX))
		return pkg_note(notes, a->offset, err, "a paragraph has no usable package name");
	if (!pkg_word_ok(p->version, BH_VERSION_BYTES_MAX))
		return pkg_note(notes, a->offset, err, "package %.*s: %s", BH_SLICE_FMT(p->name),
				p->version.len ? "unusable version" : "no version");
	int rc = 0;
	if (p->source_name.len && !pkg_word_ok(p->source_name, BH_NAME_BYTES_MAX)) {
		rc = pkg_note(notes, a->offset, err, "package %.*s: unusable origin", BH_SLICE_FMT(p->name));
		p->source_name = (struct bh_slice){ 0 };
	} else if (a->owned.failed || a->provides.failed) {
		rc = pkg_note(notes, a->offset, err, "package %.*s: file list too long", BH_SLICE_FMT(p->name));
	} else if (a->damaged) {
		rc = pkg_note(notes, a->offset, err, "package %.*s: damaged line", BH_SLICE_FMT(p->name));
	}
	if (rc < 0)
		return rc;
	p->type = BH_SLICE_LIT("apk");
	p->owned = a->owned.failed ? BH_SLICE_LIT("") : bh_buf_slice(&a->owned);
	p->provides = bh_buf_slice(&a->provides);
	return notes->sink->package(notes->sink->ctx, p, err);
}

static void begin(struct apk_package *a, size_t offset)
{
	bh_buf_clear(&a->owned);
	bh_buf_clear(&a->provides);
	a->p = (struct bh_package){ 0 };
	a->folder = (struct bh_slice){ 0 };
	a->offset = offset;
	a->any = a->damaged = false;
}

static int read_all(struct apk_package *a, const struct pkg_file *file, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line;
	begin(a, 0);
	while (bh_take_line(&r, &line)) {
		bool blank = bh_slice_trim(line).len == 0;
		if (!blank) {
			a->any = true;
			add_line(a, line);
			continue;
		}
		int rc = a->any ? finish(a, notes, err) : 0;
		if (rc < 0)
			return rc;
		begin(a, r.pos);
	}
	int rc = a->any ? finish(a, notes, err) : 0;
	return rc < 0 ? rc : pkg_notes_end(notes, file->data.len, err);
}

static int apk_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	if (bh_slice_starts(file->data, BH_SLICE_LIT("ADB")))
		return bh_fail(err, BH_EUNSUPPORTED, 0, "apk database in the binary ADB format, which is not supported");
	struct apk_package a = { .offset = 0 };
	struct pkg_notes notes = { .sink = sink };
	bh_buf_init(&a.owned, OWNED_BYTES_MAX);
	bh_buf_init(&a.provides, OWNED_BYTES_MAX);
	int rc = read_all(&a, file, &notes, err);
	bh_buf_done(&a.owned);
	bh_buf_done(&a.provides);
	return rc;
}

const struct pkg_parser pkg_parser_apk = {
	.name = "apk",
	.type = "apk",
	.wants = apk_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = apk_parse,
};
