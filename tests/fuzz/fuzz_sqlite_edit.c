/*
 * fuzz_sqlite_edit.c: any input as a database of which rows are taken out: what comes of it is a database again, whose pages are in order, and a second time nothing is left to
 * take out.
 */
#include "format/sqlite_db.h"
#include "format/sqlite_edit.h"

#include <stdint.h>
#include <stdlib.h>

#define RESULT_BYTES_MAX (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *ctx, uint64_t offset_bytes, struct bh_slice key, struct bh_slice value, struct bh_err *err)
{
	(void)ctx, (void)offset_bytes, (void)key, (void)value, (void)err;
	return 0;
}

static int damaged(void *ctx, uint64_t offset_bytes, const char *reason, struct bh_err *err)
{
	(void)ctx, (void)offset_bytes, (void)reason, (void)err;
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bh_slice keys[] = { BH_SLICE_LIT("bash"), BH_SLICE_LIT("a"), BH_SLICE_LIT("") };
	const struct bh_record_sink sink = { take, damaged, NULL };
	struct bh_buf once, twice;
	struct bh_err err = { 0 };
	uint64_t rows, more;
	bh_buf_init(&once, RESULT_BYTES_MAX);
	bh_buf_init(&twice, RESULT_BYTES_MAX);
	if (bh_sqlite_without((struct bh_slice){ data, size }, "Name", "hnum", keys, 3, &rows, &once, &err) == 0) {
		err = (struct bh_err){ 0 };
		if (bh_sqlite_each(bh_buf_slice(&once), (struct bh_slice){ 0 }, "Name", "hnum", &sink, &err) < 0 && err.code != BH_ELIMIT)
			abort();
		if (bh_sqlite_without(bh_buf_slice(&once), "Name", "hnum", keys, 3, &more, &twice, &err) == 0 && more)
			abort();
	}
	bh_buf_done(&once);
	bh_buf_done(&twice);
	return 0;
}
