/* pkg_render.c: see pkg_render.h. */
#include "pkg_render.h"

#include <inttypes.h>

#define SCRATCH_BYTES_MAX (64u << 20)
#define PLACE_BYTES_MAX (64u << 10)

static void line(struct bh_buf *out, const char *kind, const struct bh_slice *columns, size_t n)
{
	bh_buf_add_str(out, kind);
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_byte(out, '\t');
		bh_buf_add_escaped(out, columns[i]);
	}
	bh_buf_add_byte(out, '\n');
}

static int on_owned(void *ctx, struct bh_slice type, struct bh_slice name, struct bh_slice arch, struct bh_slice paths, struct bh_err *err)
{
	(void)type, (void)err;
	struct bh_slice path;
	while (bh_slice_cut(paths, '\0', &path, &paths))
		line(ctx, "owned", (struct bh_slice[]){ name, arch, path }, 3);
	return 0;
}

/* "lockfile line=12 development inner=lib/a.jar sha1=...": what is not the usual of a database, as one column; often empty. */
static void add_place(struct bh_buf *out, const struct bh_package *p)
{
	if (p->at.evidence != BH_EVIDENCE_DATABASE)
		bh_buf_printf(out, " %s", bh_evidence_name(p->at.evidence));
	if (p->at.line)
		bh_buf_printf(out, " line=%" PRIu32, p->at.line);
	if (p->scope != BH_SCOPE_RUNTIME)
		bh_buf_printf(out, " %s", bh_scope_name(p->scope));
	if (p->at.inner.len)
		bh_buf_printf(out, " inner=%.*s", BH_SLICE_FMT(p->at.inner));
	if (p->sha1.len)
		bh_buf_printf(out, " sha1=%.*s", BH_SLICE_FMT(p->sha1));
}

static int on_package(void *ctx, const struct bh_package *p, struct bh_err *err)
{
	struct bh_buf place;
	bh_buf_init(&place, PLACE_BYTES_MAX);
	add_place(&place, p);
	struct bh_slice columns[] = { p->type,	     p->name,	 p->version,  p->arch,	 p->source_name, p->source_version, p->vendor,
				      p->modularity, p->license, p->provides, bh_slice_trim(bh_buf_slice(&place)) };
	line(ctx, "package", columns, place.len ? 11 : 10);
	bh_buf_done(&place);
	return on_owned(ctx, p->type, p->name, p->arch, p->owned, err);
}

static int on_distro(void *ctx, const struct bh_distro *d, struct bh_err *err)
{
	(void)err;
	char rank[16];
	snprintf(rank, sizeof(rank), "%u", d->rank);
	line(ctx, "distro", (struct bh_slice[]){ bh_slice_str(rank), d->id, d->version_id, d->codename, d->name, d->id_like }, 6);
	return 0;
}

static int on_incomplete(void *ctx, uint64_t offset_bytes, const char *reason, struct bh_err *err)
{
	(void)err;
	char offset[24];
	snprintf(offset, sizeof(offset), "%" PRIu64, offset_bytes);
	line(ctx, "incomplete", (struct bh_slice[]){ bh_slice_str(offset), bh_slice_str(reason) }, 2);
	return 0;
}

const struct pkg_parser *pkg_render_find(const char *name)
{
	for (size_t i = 0; pkg_parsers[i]; i++)
		if (strcmp(pkg_parsers[i]->name, name) == 0)
			return pkg_parsers[i];
	return NULL;
}

int pkg_render(const struct pkg_parser *parser, const struct pkg_file *file, struct bh_buf *out, struct bh_err *err)
{
	struct pkg_sink sink = { on_package, on_owned, on_distro, on_incomplete, out, NULL };
	struct bh_arena scratch;
	bh_arena_init(&scratch, SCRATCH_BYTES_MAX);
	int rc = parser->parse(file, &sink, &scratch, err);
	bh_arena_done(&scratch);
	return rc;
}
