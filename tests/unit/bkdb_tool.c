/*
 * bkdb_tool.c: advisory databases for other tests, made from the text of bkdb_text.h and printed again.
 *
 *   bkdb-tool make < FACTS > DATABASE
 *   bkdb-tool dump DATABASE          also verifies it
 */
#include "bkdb_text.h"

#include <stdio.h>

#define FILE_BYTES_MAX (64u << 20)

static int read_all(FILE *f, struct bh_buf *out)
{
	uint8_t chunk[4096];
	size_t n;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		if (!bh_buf_add(out, (struct bh_slice){ chunk, n }))
			return -1;
	return ferror(f) ? -1 : 0;
}

static int make(const struct bh_buf *in, struct bh_buf *out, struct bh_err *err)
{
	struct vuln_builder *b = NULL;
	int rc = vuln_builder_new(&b, err);
	rc = rc < 0 ? rc : bkdb_add_text(b, bh_buf_slice(in), err);
	rc = rc < 0 ? rc : vuln_builder_finish(b, out, err);
	vuln_builder_free(b);
	return rc;
}

static int dump(const struct bh_buf *in, struct bh_buf *out, struct bh_err *err)
{
	struct vuln_db *db = NULL;
	int rc = vuln_db_open(bh_buf_slice(in), &db, err);
	rc = rc < 0 ? rc : vuln_db_verify(db, err);
	rc = rc < 0 ? rc : bkdb_dump(db, out, err);
	vuln_db_close(db);
	return rc;
}

int main(int argc, char **argv)
{
	bool makes = argc == 2 && strcmp(argv[1], "make") == 0;
	if (!makes && (argc != 3 || strcmp(argv[1], "dump") != 0))
		return fprintf(stderr, "usage: bkdb-tool make < FACTS > DATABASE; bkdb-tool dump DATABASE\n"), 2;
	struct bh_err err = { 0 };
	struct bh_buf in, out;
	bh_buf_init(&in, FILE_BYTES_MAX);
	bh_buf_init(&out, FILE_BYTES_MAX);
	FILE *f = makes ? stdin : fopen(argv[2], "rb");
	int rc = f && read_all(f, &in) == 0 ? 0 : bh_fail(&err, BH_EIO, 0, "can't read it");
	if (f && !makes)
		fclose(f);
	rc = rc < 0 ? rc : makes ? make(&in, &out, &err) : dump(&in, &out, &err);
	if (rc < 0)
		fprintf(stderr, "bkdb-tool: %s (offset %llu)\n", err.text, (unsigned long long)err.offset_bytes);
	else if (fwrite(out.ptr, 1, out.len, stdout) != out.len)
		rc = -1;
	bh_buf_done(&in);
	bh_buf_done(&out);
	return rc < 0;
}
