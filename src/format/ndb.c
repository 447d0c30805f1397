/*
 * ndb.c: rpm's "ndb" package store (all numbers are u32, little-endian):
 *
 *     0   "RpmP", version 0, generation, pages of slots, next package index, 3 x 0
 *     32  slots of 16 bytes up to the end of the slot pages (4,096 bytes each):
 *         "Slot", package index (0: free), first block, blocks (blocks have 16 bytes, counted from the file's start)
 *     the blob of a package:
 *         "BlbS", package index, generation, length n; n bytes; 0 to 15 bytes of padding;
 *         Adler-32 of everything so far, n, "BlbE"
 *
 * A slot points at its blob directly, so there are no chains to loop; blobs that overlap are bounded by the sum of their
 * blocks.
 */
#include "format/ndb.h"

#include "base/reader.h"

#define PAGE_BYTES 4096u
#define BLOCK_BYTES 16u
#define SLOT_BYTES 16u
#define HEADER_BYTES 32u
#define BLOB_HEAD_BYTES 16u
#define BLOB_TAIL_BYTES 12u
#define MAGIC(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

#define ADLER_MODULUS 65521u
#define ADLER_RUN 5552u /* most bytes whose sums fit into 32 bits */

struct slot {
	uint32_t magic, pkgidx, first_block, blocks;
};

static uint32_t adler32(struct bh_slice s)
{
	uint32_t a = 1, b = 0;
	for (size_t i = 0; i < s.len;) {
		size_t end = s.len - i > ADLER_RUN ? i + ADLER_RUN : s.len;
		for (; i < end; i++) {
			a += s.ptr[i];
			b += a;
		}
		a %= ADLER_MODULUS;
		b %= ADLER_MODULUS;
	}
	return b << 16 | a;
}

/* NULL and the blob, or what is wrong with it. */
static const char *read_blob(struct bh_slice file, const struct slot *slot, uint64_t *blocks_left, struct bh_slice *ret_key,
			     struct bh_slice *ret_blob)
{
	struct bh_slice all, body;
	uint32_t magic, pkgidx, generation, len, sum, len2, magic2;
	uint64_t at = (uint64_t)slot->first_block * BLOCK_BYTES, size = (uint64_t)slot->blocks * BLOCK_BYTES;
	if (size < BLOB_HEAD_BYTES + BLOB_TAIL_BYTES || at > file.len || size > file.len - at)
		return "its blob reaches behind the end of the file";
	all = bh_slice_sub(file, (size_t)at, (size_t)size);
	struct bh_reader r = bh_reader_of(all);
	if (!bh_take_u32le(&r, &magic) || !bh_take_u32le(&r, &pkgidx) || !bh_take_u32le(&r, &generation) || !bh_take_u32le(&r, &len) ||
	    magic != MAGIC('B', 'l', 'b', 'S') || pkgidx != slot->pkgidx)
		return "its blob has no head";
	if (!bh_take(&r, len, &body) || bh_reader_left(&r) < BLOB_TAIL_BYTES || bh_reader_left(&r) >= BLOB_TAIL_BYTES + BLOCK_BYTES)
		return "its blob has a wrong length";
	if (!bh_seek(&r, all.len - BLOB_TAIL_BYTES) || !bh_take_u32le(&r, &sum) || !bh_take_u32le(&r, &len2) || !bh_take_u32le(&r, &magic2) ||
	    len2 != len || magic2 != MAGIC('B', 'l', 'b', 'E'))
		return "its blob has no tail";
	if (slot->blocks > *blocks_left)
		return "its blob overlaps others";
	*blocks_left -= slot->blocks;
	if (adler32(bh_slice_sub(all, 0, all.len - BLOB_TAIL_BYTES)) != sum)
		return "its blob does not match its checksum";
	*ret_key = bh_slice_sub(all, 4, 4);
	*ret_blob = body;
	return NULL;
}

static int read_slots(struct bh_slice file, struct bh_reader *r, const struct bh_record_sink *sink, struct bh_err *err)
{
	uint64_t blocks_left = file.len / BLOCK_BYTES;
	struct slot s;
	for (size_t at = r->pos; bh_take_u32le(r, &s.magic) && bh_take_u32le(r, &s.pkgidx) && bh_take_u32le(r, &s.first_block) &&
				 bh_take_u32le(r, &s.blocks);
	     at = r->pos) {
		struct bh_slice key, blob;
		int rc;
		if (s.magic != MAGIC('S', 'l', 'o', 't'))
			return bh_fail(err, BH_EMALFORMED, at, "ndb: no slot where one must be");
		if (s.pkgidx == 0 && s.first_block == 0 && s.blocks == 0)
			continue;
		const char *damage = read_blob(file, &s, &blocks_left, &key, &blob);
		if (damage)
			rc = sink->damaged(sink->ctx, at, damage, err);
		else
			rc = sink->record(sink->ctx, (uint64_t)s.first_block * BLOCK_BYTES, key, blob, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int bh_ndb_each(struct bh_slice file, const struct bh_record_sink *sink, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(file);
	uint32_t magic, version, generation, slot_pages;
	if (!bh_take_u32le(&r, &magic) || !bh_take_u32le(&r, &version) || !bh_take_u32le(&r, &generation) || !bh_take_u32le(&r, &slot_pages))
		return bh_fail(err, BH_ETRUNCATED, file.len, "ndb: %zu bytes are too few", file.len);
	if (magic != MAGIC('R', 'p', 'm', 'P'))
		return bh_fail(err, BH_EMALFORMED, 0, "ndb: no RpmP magic");
	if (version != 0)
		return bh_fail(err, BH_EUNSUPPORTED, 4, "ndb: version %u", version);
	uint64_t slots_end = (uint64_t)slot_pages * PAGE_BYTES;
	if (slots_end < HEADER_BYTES || slots_end > file.len)
		return bh_fail(err, BH_ETRUNCATED, file.len, "ndb: %u pages of slots do not fit into the file", slot_pages);
	r = bh_reader_of(bh_slice_sub(file, 0, (size_t)slots_end));
	if (!bh_seek(&r, HEADER_BYTES))
		return bh_fail(err, BH_ETRUNCATED, file.len, "ndb: no slots");
	int rc = read_slots(file, &r, sink, err);
	struct bh_slice behind = bh_slice_sub(file, (size_t)slots_end, 4);
	if (rc >= 0 && bh_slice_eq(behind, BH_SLICE_LIT("Slot")))
		rc = sink->damaged(sink->ctx, slots_end, "there are more slots than the head says", err);
	return rc;
}
