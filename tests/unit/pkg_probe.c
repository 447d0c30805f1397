/*
 * pkg_probe.c: runs one package parser on one file and prints what it gives as tab-separated lines, for the live tests that
 * compare with the distributions' own tools, and for people who wonder.
 *
 *     pkg-probe PARSER PATH-IN-IMAGE FILE [SIBLING]
 *
 *     package  TYPE NAME VERSION ARCH SOURCE-NAME SOURCE-VERSION VENDOR MODULARITY LICENSE PROVIDES [PLACE]
 *     owned    NAME ARCH PATH
 *     distro   RANK ID VERSION-ID CODENAME NAME ID-LIKE
 *     incomplete  OFFSET REASON
 *
 * PLACE: words for what is not a database's usual: "lockfile line=12 development inner=lib/a.jar sha1=..."
 */
#include "pkg_render.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#define OUTPUT_BYTES_MAX (1u << 30)

/* The whole file in memory of exactly its size, so that ASan sees a one-byte overread. */
static struct bh_slice load(const char *path)
{
	FILE *f = fopen(path, "rb");
	long size = -1;
	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || size == LONG_MAX || fseek(f, 0, SEEK_SET)) {
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

int main(int argc, char **argv)
{
	if (argc < 4 || argc > 5)
		return fprintf(stderr, "usage: %s PARSER PATH-IN-IMAGE FILE [SIBLING]\n", argv[0]), 2;
	const struct pkg_parser *parser = pkg_render_find(argv[1]);
	if (!parser)
		return fprintf(stderr, "no parser %s\n", argv[1]), 2;
	struct pkg_file file = { .path = bh_slice_str(argv[2]), .data = load(argv[3]) };
	if (argc == 5)
		file.sibling = load(argv[4]);
	struct bh_err err = { 0 };
	struct bh_buf out;
	bh_buf_init(&out, OUTPUT_BYTES_MAX);
	int rc = pkg_render(parser, &file, &out, &err);
	fwrite(out.ptr, 1, out.len, stdout);
	if (rc < 0)
		fprintf(stderr, "%s: %s at %" PRIu64 ": %s\n", argv[3], bh_code_name(err.code), err.offset_bytes, err.text);
	bh_buf_done(&out);
	free((void *)(uintptr_t)file.data.ptr);
	free((void *)(uintptr_t)file.sibling.ptr);
	return rc < 0;
}
