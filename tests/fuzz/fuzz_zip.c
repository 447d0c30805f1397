/* fuzz_zip.c: any input, read as a zip archive in one piece and in small ones, must give the same entries and contents. */
#include "format/zip.h"
#include "pieces.h"

#define CONTENT_BYTES_MAX (16u << 20) /* of all entries: deflate makes 1,000 bytes of one */
#define PIECES_MAX 500u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	int rc;
	uint64_t entries, sum, bytes;
	struct bh_err err;
};

/* Every third entry is skipped, which checks it all the same. */
static int read_entry(struct bh_zip *z, struct outcome *o)
{
	struct bh_slice got = { 0 };
	int rc = 0;
	while (o->entries % 3 != 2 && o->bytes < CONTENT_BYTES_MAX && (rc = bh_zip_read(z, &got, &o->err)) == 0 && got.len) {
		mix(&o->sum, got);
		o->bytes += got.len;
	}
	return rc;
}

static struct outcome walk(struct bh_slice input, size_t piece)
{
	struct outcome o = { .sum = 1 };
	struct pieces p = { .rest = input, .piece = piece };
	struct bh_zip *z = NULL;
	struct bh_slice name;
	if (bh_zip_new(pieces_source(&p), &z, &o.err) < 0)
		abort();
	while (o.bytes < CONTENT_BYTES_MAX && (o.rc = bh_zip_next(z, &name, &o.err)) == 1) {
		mix(&o.sum, name);
		o.rc = read_entry(z, &o);
		o.entries++;
		if (o.rc < 0)
			break;
	}
	if (o.rc < 0 && (o.err.code != (enum bh_code)o.rc || !o.err.text[0]))
		abort();
	if (o.rc < 0 && bh_zip_next(z, &name, NULL) != o.rc)
		abort(); /* what is broken stays broken */
	bh_zip_free(z);
	pieces_done(&p);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_slice input = { data, size };
	(void)bh_zip_sniff(input);
	struct outcome whole = walk(input, size ? size : 1), parts = walk(input, size / PIECES_MAX + 1);
	if (whole.bytes >= CONTENT_BYTES_MAX || parts.bytes >= CONTENT_BYTES_MAX)
		return 0; /* where it stopped depends on the pieces */
	/* A broken content may be found a run earlier or later. */
	if (whole.rc != parts.rc || whole.entries != parts.entries || (whole.rc >= 0 && whole.sum != parts.sum))
		abort();
	return 0;
}
