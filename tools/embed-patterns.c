/*
 * embed-patterns.c: compiles the patterns of a table, once for every processor and once for those with AVX2.
 *
 *     embed-patterns OUT.any OUT.avx2 OUT.h
 *
 * TABLE, of the build, is the table: lines of DETECTOR(id, title, severity, pattern, ...) or of PATTERN(id, pattern); PREFIX is that of the header's macros. Runs during the build,
 * which takes some seconds here instead of one at every start. A pattern that is wrong stops the build. The header names the files, and changes with the table, so that what takes
 * them in is built anew.
 */
#include "crypto/digest.h"
#include "format/multi.h"
#include "sys/files.h"

#include <stdio.h>

#define DATABASE_BYTES_MAX (64u << 20)

static const char *const patterns[] = {
#define DETECTOR(id, title, severity, pattern, ...) pattern,
#define PATTERN(id, pattern) pattern,
#define RULE(...)
#include TABLE
#undef DETECTOR
#undef PATTERN
};

static const char *const ids[] = {
#define DETECTOR(id, ...) id,
#define PATTERN(id, pattern) id,
#include TABLE
#undef DETECTOR
#undef PATTERN
};

#define N (sizeof(patterns) / sizeof(patterns[0]))

static int write_file(const char *path, struct bh_slice bytes, struct bh_err *err)
{
	FILE *f = fopen(path, "wb");
	bool ok = f && fwrite(bytes.ptr, 1, bytes.len, f) == bytes.len;
	ok = f && fclose(f) == 0 && ok;
	return ok ? 0 : bh_fail(err, BH_EIO, 0, "%s can't be written", path);
}

static int compile(enum bh_multi_machine machine, const char *path, struct bh_buf *out, struct bh_err *err)
{
	struct bh_multi *m = NULL;
	bh_buf_clear(out);
	int rc = bh_multi_compile(patterns, N, machine, &m, err);
	if (rc == BH_EMALFORMED && err->offset_bytes < N)
		fprintf(stderr, TABLE ": %s\n", ids[err->offset_bytes]);
	rc = rc < 0 ? rc : bh_multi_save(m, out, err);
	bh_multi_free(m);
	return rc < 0 ? rc : write_file(path, bh_buf_slice(out), err);
}

int main(int argc, char **argv)
{
	struct bh_err err = { 0 };
	struct bh_buf out;
	struct bh_digest digest;
	char text[BH_DIGEST_TEXT_BYTES];
	if (argc != 4)
		return fprintf(stderr, "usage: embed-patterns OUT.any OUT.avx2 OUT.h\n"), 2;
	bh_buf_init(&out, DATABASE_BYTES_MAX);
	int rc = compile(BH_MULTI_ANY, argv[1], &out, &err);
	rc = rc < 0 ? rc : compile(BH_MULTI_AVX2, argv[2], &out, &err);
	rc = rc < 0 ? rc : bh_digest_of(BH_DIGEST_SHA256, bh_buf_slice(&out), &digest, &err);
	bh_buf_clear(&out);
	if (rc == 0)
		bh_buf_printf(&out, "#define " PREFIX "_ANY_PATH \"%s\"\n#define " PREFIX "_AVX2_PATH \"%s\"\n/* %s */\n", argv[1], argv[2], bh_digest_text(&digest, text));
	rc = rc < 0 ? rc : write_file(argv[3], bh_buf_slice(&out), &err);
	bh_buf_done(&out);
	if (rc < 0)
		fprintf(stderr, "embed-patterns: %s\n", err.text);
	return rc < 0;
}
