/*
 * pkg_probe.c: runs one package parser on one file and prints what it gives as tab-separated lines, for the live tests that
 * compare with the distributions' own tools, and for people who wonder.
 *
 *     pkg-probe PARSER PATH-IN-IMAGE FILE [SIBLING]
 *
 *     package  TYPE NAME VERSION ARCH SOURCE-NAME SOURCE-VERSION VENDOR MODULARITY LICENSE PROVIDES
 *     owned    NAME ARCH PATH
 *     distro   RANK ID VERSION-ID CODENAME NAME ID-LIKE
 *     incomplete  OFFSET REASON
 */
#include "base/buf.h"
#include "base/limits.h"
#include "pkg/pkg.h"

#include <errno.h>
#include <inttypes.h>

#define SCRATCH_BYTES_MAX (64u << 20)

static void column(struct bh_slice s)
{
	struct bh_buf b;
	bh_buf_init(&b, 64u << 20);
	bh_buf_add_escaped(&b, s);
	putchar('\t');
	fwrite(b.ptr, 1, b.len, stdout);
	bh_buf_done(&b);
}

static int on_owned(void *ctx, struct bh_slice type, struct bh_slice name, struct bh_slice arch, struct bh_slice paths, struct bh_err *err)
{
	(void)ctx, (void)type, (void)err;
	struct bh_slice path;
	while (bh_slice_cut(paths, '\0', &path, &paths)) {
		printf("owned");
		column(name), column(arch), column(path);
		putchar('\n');
	}
	return 0;
}

static int on_package(void *ctx, const struct bh_package *p, struct bh_err *err)
{
	printf("package");
	column(p->type), column(p->name), column(p->version), column(p->arch), column(p->source_name), column(p->source_version);
	column(p->vendor), column(p->modularity), column(p->license), column(p->provides);
	putchar('\n');
	return on_owned(ctx, p->type, p->name, p->arch, p->owned, err);
}

static int on_distro(void *ctx, const struct bh_distro *d, struct bh_err *err)
{
	(void)ctx, (void)err;
	printf("distro\t%u", d->rank);
	column(d->id), column(d->version_id), column(d->codename), column(d->name), column(d->id_like);
	putchar('\n');
	return 0;
}

static int on_incomplete(void *ctx, uint64_t offset_bytes, const char *reason, struct bh_err *err)
{
	(void)ctx, (void)err;
	printf("incomplete\t%" PRIu64 "\t%s\n", offset_bytes, reason);
	return 0;
}

/* The whole file in memory of exactly its size, so that ASan sees a one-byte overread. */
static struct bh_slice load(const char *path)
{
	FILE *f = fopen(path, "rb");
	long size = -1;
	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	uint8_t *bytes = malloc(size ? (size_t)size : 1);
	if (!bytes || fread(bytes, 1, (size_t)size, f) != (size_t)size) {
		fprintf(stderr, "%s: can't be read\n", path);
		exit(2);
	}
	fclose(f);
	return (struct bh_slice){ bytes, (size_t)size };
}

static const struct pkg_parser *find(const char *name)
{
	for (size_t i = 0; pkg_parsers[i]; i++)
		if (strcmp(pkg_parsers[i]->name, name) == 0)
			return pkg_parsers[i];
	fprintf(stderr, "no parser %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	if (argc < 4 || argc > 5)
		return fprintf(stderr, "usage: %s PARSER PATH-IN-IMAGE FILE [SIBLING]\n", argv[0]), 2;
	const struct pkg_parser *parser = find(argv[1]);
	struct pkg_file file = { .path = bh_slice_str(argv[2]), .data = load(argv[3]) };
	if (argc == 5)
		file.sibling = load(argv[4]);
	struct pkg_sink sink = { on_package, on_owned, on_distro, on_incomplete, NULL };
	struct bh_arena scratch;
	struct bh_err err = { 0 };
	bh_arena_init(&scratch, SCRATCH_BYTES_MAX);
	int rc = parser->parse(&file, &sink, &scratch, &err);
	if (rc < 0)
		fprintf(stderr, "%s: %s at %" PRIu64 ": %s\n", argv[3], bh_code_name(err.code), err.offset_bytes, err.text);
	bh_arena_done(&scratch);
	free((void *)(uintptr_t)file.data.ptr);
	free((void *)(uintptr_t)file.sibling.ptr);
	return rc < 0;
}
