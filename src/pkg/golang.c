/* golang.c: see golang.h. */
#include "pkg/golang.h"

#include "base/limits.h"

static bool is_folder(struct bh_slice path)
{
	return bh_slice_starts(path, BH_SLICE_LIT("./")) || bh_slice_starts(path, BH_SLICE_LIT("../")) || bh_slice_starts(path, BH_SLICE_LIT("/"));
}

int pkg_go_module(const struct pkg_go_module *m, const struct bh_location *at, uint64_t offset_bytes, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_package p = { .type = BH_SLICE_LIT("golang"), .name = m->path, .version = m->version, .at = *at };
	if (m->new_path.len && is_folder(m->new_path)) {
		p.version.len = 0;
	} else if (m->new_path.len) {
		p.name = m->new_path;
		p.version = m->new_version;
	}
	if (bh_slice_eq_str(p.version, "(devel)"))
		p.version.len = 0;
	if (!pkg_word_ok(p.name, BH_NAME_BYTES_MAX))
		return pkg_note(notes, offset_bytes, err, "a module has no usable path");
	if (p.version.len && !pkg_word_ok(p.version, BH_VERSION_BYTES_MAX))
		return pkg_note(notes, offset_bytes, err, "module %.*s: unusable version", BH_SLICE_FMT(p.name));
	return notes->sink->package(notes->sink->ctx, &p, err);
}

int pkg_go_stdlib(struct bh_slice go_version, const struct bh_location *at, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_slice go = BH_SLICE_LIT("go"), first, rest;
	struct bh_package p = { .type = BH_SLICE_LIT("golang"), .name = BH_SLICE_LIT("stdlib"), .at = *at };
	(void)bh_slice_cut(go_version, ' ', &first, &rest);
	if (bh_slice_starts(first, go) && pkg_word_ok(first, BH_VERSION_BYTES_MAX))
		p.version = bh_slice_sub(first, go.len, first.len);
	return notes->sink->package(notes->sink->ctx, &p, err);
}
