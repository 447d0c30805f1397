/* fuzz_tar.c: any input, read as a tar archive in one piece and in small ones, must give the same entries and contents. */
#include "format/tar.h"
#include "pieces.h"

#include <stdio.h>

#define CONTENT_BYTES_MAX (1u << 20) /* per entry: a sparse file can have 8 EiB of zeros */
#define TOTAL_BYTES_MAX (8u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	int rc;
	uint64_t entries, sum;
	struct bh_err err;
};

/* 0 at the end of the content or when enough was read. */
static int read_content(struct bh_tar *t, const struct bh_tar_entry *e, struct outcome *o, uint64_t *total)
{
	uint64_t got_bytes = 0;
	struct bh_slice got = { 0 };
	int rc;
	while ((rc = bh_tar_read(t, &got, &o->err)) == 0 && got.len) {
		got_bytes += got.len;
		*total += got.len;
		if (got_bytes > e->size_bytes)
			abort();
		if (got_bytes > CONTENT_BYTES_MAX || *total > TOTAL_BYTES_MAX)
			return 0; /* nothing mixed from here: pieces end at other places */
	}
	if (rc == 0 && got_bytes != e->size_bytes)
		abort(); /* short content must be an error */
	if (rc == 0)
		mix(&o->sum, (struct bh_slice){ (const uint8_t *)&got_bytes, sizeof(got_bytes) });
	return rc;
}

static struct outcome run(struct bh_slice input, size_t piece)
{
	struct pieces p = { input, piece, NULL };
	struct bh_tar *t = NULL;
	struct bh_tar_entry e;
	struct outcome o = { 0 };
	uint64_t total = 0, last_offset = 0;
	o.rc = bh_tar_new(pieces_source(&p), &t, &o.err);
	while (o.rc == 0 && (o.rc = bh_tar_next(t, &e, &o.err)) == 1) {
		if (e.offset % 512 || e.offset > input.len || (o.entries && e.offset <= last_offset))
			abort();
		last_offset = e.offset;
		o.entries++;
		mix(&o.sum, e.name);
		mix(&o.sum, e.link);
		const uint64_t numbers[] = { e.type, e.size_bytes, e.mode, e.uid, e.gid, (uint64_t)e.mtime_s, e.offset };
		mix(&o.sum, (struct bh_slice){ (const uint8_t *)numbers, sizeof(numbers) });
		o.rc = o.entries % 3 ? read_content(t, &e, &o, &total) : 0; /* every third is skipped */
	}
	if (o.rc < 0 && (o.err.code != (enum bh_code)o.rc || o.err.text[0] == '\0'))
		abort(); /* a failure must say why */
	bh_tar_free(t);
	pieces_done(&p);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_slice input = { data, size };
	struct outcome whole = run(input, SIZE_MAX), cut = run(input, size ? 1 + data[size - 1] * 7u : 1);
	if (whole.rc != cut.rc || whole.entries != cut.entries || whole.sum != cut.sum || whole.err.offset_bytes != cut.err.offset_bytes)
		abort();
	if (whole.rc == BH_ETRUNCATED && whole.err.offset_bytes != size)
		abort();
	return 0;
}
