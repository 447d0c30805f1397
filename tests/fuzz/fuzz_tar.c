/* fuzz_tar.c: any input, read as a tar archive in one piece and in small ones, must give the same entries and contents. */
#include "format/tar.h"
#include "pieces.h"

#define CONTENT_BYTES_MAX (256u << 10) /* of one entry: a sparse file can have 8 EiB of zeros */
#define MIXED_BYTES_MAX (16u << 10)
#define ENTRIES_READ_MAX 64u
#define PIECES_MAX 500u /* a run of one allocation per byte finds no more and takes seconds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	int rc;
	uint64_t entries, sum;
	struct bh_err err;
};

static volatile unsigned checksum;

/* All of a small content, the start of a large one. What is mixed must not depend on where pieces end. */
static int read_content(struct bh_tar *t, const struct bh_tar_entry *e, struct outcome *o)
{
	uint64_t got_bytes = 0;
	struct bh_slice got = { 0 };
	int rc;
	while ((rc = bh_tar_read(t, &got, &o->err)) == 0 && got.len) {
		if (got_bytes < MIXED_BYTES_MAX)
			mix(&o->sum, bh_slice_sub(got, 0, MIXED_BYTES_MAX - got_bytes));
		checksum += got.ptr[0] + got.ptr[got.len - 1];
		got_bytes += got.len;
		if (got_bytes > e->size_bytes)
			abort();
		if (got_bytes > CONTENT_BYTES_MAX)
			return 0;
	}
	if (rc == 0 && got_bytes != e->size_bytes)
		abort(); /* short content must be an error */
	return rc;
}

static struct outcome run(struct bh_slice input, size_t piece)
{
	struct pieces p = { input, piece, NULL };
	struct bh_tar *t = NULL;
	struct bh_tar_entry e;
	struct outcome o = { 0 };
	uint64_t last_offset = 0;
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
		o.rc = o.entries % 3 && o.entries < ENTRIES_READ_MAX ? read_content(t, &e, &o) : 0;
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
	struct outcome whole = run(input, SIZE_MAX), cut = run(input, size ? size / PIECES_MAX + 1 + data[size - 1] * 7u : 1);
	if (whole.rc != cut.rc || whole.entries != cut.entries || whole.sum != cut.sum || whole.err.offset_bytes != cut.err.offset_bytes)
		abort();
	if (whole.rc == BH_ETRUNCATED && whole.err.offset_bytes != size)
		abort();
	return 0;
}
