/* sum_batch.c: see sum_batch.h. */
#include "scan/sum_batch.h"

#include "base/vec.h"
#include "crypto/md5.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BATCH_BYTES (16u << 20)
#define FILE_BYTES_MAX (BATCH_BYTES / 2) /* a larger one is hashed as it streams by */
#define FILES_MAX 4096u

struct queued {
	struct file_sums file;
	bool has_text;
	struct bh_slice text;
};

BH_VEC(queued_vec, struct queued)
BH_VEC(md5_vec, struct bh_md5_text)

struct sum_batch {
	struct bh_sum *sums[BH_SUM_KINDS];
	uint8_t *bytes; /* BATCH_BYTES, in large pages where there are some: each child touches them anew */
	size_t n_bytes;
	struct queued_vec files;
	struct md5_vec texts;
	/* the file that streams by */
	unsigned kinds;
	bool is_queued; /* its bytes are kept for MD5 */
	bool is_cut;
	size_t at;
};

int sum_batch_new(struct sum_batch **ret, struct bh_err *err)
{
	struct sum_batch *b = calloc(1, sizeof(*b));
	if (!b)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for sums of files");
	b->files.max = b->texts.max = FILES_MAX;
	void *bytes = mmap(NULL, BATCH_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	b->bytes = bytes == MAP_FAILED ? NULL : bytes;
	int rc = b->bytes ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for sums of files");
	if (b->bytes)
		(void)madvise(b->bytes, BATCH_BYTES, MADV_HUGEPAGE);
	for (size_t i = 0; rc == 0 && i < BH_SUM_KINDS; i++)
		rc = bh_sum_new((enum bh_sum_kind)i, &b->sums[i], err);
	if (rc < 0) {
		sum_batch_free(b);
		return rc;
	}
	*ret = b;
	return 0;
}

void sum_batch_free(struct sum_batch *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < BH_SUM_KINDS; i++)
		bh_sum_free(b->sums[i]);
	if (b->bytes)
		(void)munmap(b->bytes, BATCH_BYTES);
	queued_vec_done(&b->files);
	md5_vec_done(&b->texts);
	free(b);
}

static bool wants(const struct sum_batch *b, enum bh_sum_kind kind)
{
	return b->kinds & 1u << kind;
}

static bool streams(const struct sum_batch *b, enum bh_sum_kind kind)
{
	return wants(b, kind) && !(kind == BH_SUM_MD5 && b->is_queued);
}

void sum_batch_begin(struct sum_batch *b, unsigned kinds, uint64_t size_bytes)
{
	b->kinds = kinds;
	b->at = b->n_bytes;
	b->is_cut = false;
	b->is_queued = wants(b, BH_SUM_MD5) && size_bytes <= FILE_BYTES_MAX;
	for (size_t i = 0; i < BH_SUM_KINDS; i++)
		if (streams(b, (enum bh_sum_kind)i))
			bh_sum_reset(b->sums[i]);
}

void sum_batch_bytes(struct sum_batch *b, struct bh_slice run)
{
	b->is_cut |= b->is_queued && run.len > BATCH_BYTES - b->n_bytes;
	if (b->is_queued && !b->is_cut) {
		memcpy(b->bytes + b->n_bytes, run.ptr, run.len);
		b->n_bytes += run.len;
	}
	for (size_t i = 0; i < BH_SUM_KINDS; i++)
		if (streams(b, (enum bh_sum_kind)i))
			bh_sum_update(b->sums[i], run);
}

void sum_batch_drop(struct sum_batch *b)
{
	b->n_bytes = b->at;
}

bool sum_batch_end(struct sum_batch *b, uint64_t path_hash, uint32_t number)
{
	struct queued q = { .file = { .path_hash = path_hash, .number = number, .kinds = (uint8_t)b->kinds }, .has_text = b->is_queued };
	q.text = (struct bh_slice){ b->bytes + b->at, b->n_bytes - b->at };
	bool ok = !b->is_cut;
	for (size_t i = 0; i < BH_SUM_KINDS; i++)
		if (streams(b, (enum bh_sum_kind)i))
			ok = bh_sum_finish(b->sums[i], q.file.sums[i]) && ok;
	ok = ok && queued_vec_push(&b->files, q);
	if (!ok)
		sum_batch_drop(b);
	return ok;
}

bool sum_batch_is_full(const struct sum_batch *b)
{
	return b->n_bytes > BATCH_BYTES - FILE_BYTES_MAX || b->files.len == FILES_MAX;
}

static int compute_md5(struct sum_batch *b, struct bh_err *err)
{
	b->texts.len = 0;
	for (size_t i = 0; i < b->files.len; i++) {
		struct queued *q = &b->files.ptr[i];
		const struct bh_md5_text text = { q->text, q->file.sums[BH_SUM_MD5] };
		if (q->has_text && !md5_vec_push(&b->texts, text))
			return bh_fail(err, BH_ENOMEM, 0, "out of memory for sums of files");
	}
	bh_md5_many(b->texts.ptr, b->texts.len);
	return 0;
}

int sum_batch_take_out(struct sum_batch *b, sum_batch_fn *each, void *ctx, struct bh_err *err)
{
	int rc = compute_md5(b, err);
	for (size_t i = 0; rc == 0 && i < b->files.len; i++)
		rc = each(ctx, &b->files.ptr[i].file, err);
	b->files.len = 0;
	b->n_bytes = 0;
	return rc;
}
