/* nuget.c: see nuget.h. */
#include "pkg/nuget.h"

struct libraries {
	struct pkg_notes notes;
	const struct pkg_nuget_how *how;
};

/* "runtimepack" libraries are parts of .NET itself, published with the application; their key has that word in front. */
static bool came_as_package(struct bh_slice type, struct bh_slice *name)
{
	struct bh_slice prefix = BH_SLICE_LIT("runtimepack.");
	if (bh_slice_eq_str(type, "runtimepack") && bh_slice_starts(*name, prefix)) {
		*name = bh_slice_sub(*name, prefix.len, name->len);
		return true;
	}
	return bh_slice_eq_str(type, "package");
}

static int on_library(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct libraries *l = ctx;
	struct bh_package p = { .type = BH_SLICE_LIT("nuget"), .at = { .line = item->line, .evidence = l->how->evidence } };
	(void)bh_slice_cut(item->key, '/', &p.name, &p.version);
	if (!came_as_package(bh_json_str(bh_json_get(item->value, "type")), &p.name))
		return 0;
	if (l->how->scope)
		p.scope = l->how->scope(l->how->ctx, item->key);
	return pkg_give(&l->notes, &p, item->offset_bytes, err);
}

int pkg_nuget_libraries(const struct pkg_file *file, const struct pkg_nuget_how *how, const struct pkg_sink *sink, struct bh_err *err)
{
	static const struct pkg_json_section sections[] = { { "libraries *", on_library }, { 0 } };
	struct libraries l = { .notes = { .sink = sink }, .how = how };
	int rc = pkg_json_each(file->data, sections, &l, err);
	return rc < 0 ? rc : pkg_notes_end(&l.notes, file->data.len, err);
}
