/*
 * berkeley.c: Berkeley DB hash files, versions 7 to 10, of either byte order.
 *
 *     page 0, metadata             12  magic 0x061561 (its byte order is the file's)
 *                                  16  version    20  page size    24  encryption    25  page type 8    26  flags (1: checksums)
 *                                  32  last page
 *     every page, 26 bytes         8   its number     12  previous page    16  next page
 *                                  20  entries (u16)  22  free offset (u16)    25  page type
 *     hash page, type 2 or 13      26  u16 offsets of its entries: key, value, key, value ...
 *                                  An entry reaches to the one before it (the first one to the end of the page):
 *                                  1 BYTES            plain
 *                                  3 xxx PAGE LENGTH  (u32, at 4 and 8) the bytes stand in a chain of overflow pages
 *     overflow page, type 7        26  as many bytes as "free offset" says; next page continues
 *     type 0                       free
 *
 * Pages are read in file order, each once. A page of an overflow chain may be used once, too: that ends loops and crossing
 * chains, and makes the work linear in the file's size. An overflow page that no entry leads to, a page whose entries don't
 * end where its head says, and a page of an unknown kind tell of lost records, and are reported.
 */
#include "format/berkeley.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/reader.h"

#include <stdlib.h>

#define HASH_MAGIC 0x061561u
#define HASH_MAGIC_SWAPPED 0x61150600u
#define BTREE_MAGIC 0x053162u
#define PAGE_HEADER_BYTES 26u
#define PAGE_BYTES_MIN 512u
#define PAGE_BYTES_MAX 65536u

enum { PAGE_FREE = 0, PAGE_HASH_UNSORTED = 2, PAGE_OVERFLOW = 7, PAGE_META = 8, PAGE_HASH = 13 };
enum { ITEM_KEYDATA = 1, ITEM_OFFPAGE = 3 };

struct file {
	struct bh_slice bytes;
	uint32_t page_bytes, n_pages;
	bool big_endian;
	uint8_t *used; /* one bit per page: an overflow chain has it already */
	struct bh_buf value;
	const struct bh_record_sink *sink;
};

struct page {
	struct bh_slice bytes;
	uint32_t next;
	uint16_t entries, free_offset;
	uint8_t type;
};

static bool take_u32(const struct file *f, struct bh_reader *r, uint32_t *ret)
{
	return f->big_endian ? bh_take_u32be(r, ret) : bh_take_u32le(r, ret);
}

static bool take_u16(const struct file *f, struct bh_reader *r, uint16_t *ret)
{
	return f->big_endian ? bh_take_u16be(r, ret) : bh_take_u16le(r, ret);
}

static size_t offset_of(const struct file *f, uint32_t number)
{
	return (size_t)number * f->page_bytes;
}

static bool read_page(const struct file *f, uint32_t number, struct page *ret)
{
	struct bh_reader r = bh_reader_of(f->bytes);
	if (number >= f->n_pages || !bh_seek(&r, offset_of(f, number)) || !bh_take(&r, f->page_bytes, &ret->bytes))
		return false;
	r = bh_reader_of(ret->bytes);
	return bh_seek(&r, 16) && take_u32(f, &r, &ret->next) && take_u16(f, &r, &ret->entries) && take_u16(f, &r, &ret->free_offset) &&
	       bh_skip(&r, 1) && bh_take_u8(&r, &ret->type);
}

/* Entry i of a hash page, its type byte included. */
static bool entry_of(const struct file *f, const struct page *p, unsigned i, struct bh_slice *ret)
{
	uint16_t from, before = 0;
	size_t end = f->page_bytes;
	struct bh_reader r = bh_reader_of(p->bytes);
	if (!bh_seek(&r, PAGE_HEADER_BYTES + 2 * (size_t)(i ? i - 1 : 0)) || (i && !take_u16(f, &r, &before)) || !take_u16(f, &r, &from))
		return false;
	if (i)
		end = before;
	if (from < PAGE_HEADER_BYTES + 2u * p->entries || from >= end || end > f->page_bytes)
		return false;
	*ret = bh_slice_sub(p->bytes, from, end - from);
	return true;
}

/* Collects an overflow chain in f->value. NULL, or what is wrong. */
static const char *read_chain(struct file *f, uint32_t number, uint32_t len)
{
	if (len > f->bytes.len)
		return "a record is longer than the file";
	bh_buf_clear(&f->value);
	while (number) {
		struct page p;
		if (!read_page(f, number, &p) || p.type != PAGE_OVERFLOW)
			return "a record's page chain leads to a page of another kind";
		if (f->used[number / 8] & 1u << number % 8)
			return "a record's page chain loops, or crosses another one";
		f->used[number / 8] |= (uint8_t)(1u << number % 8);
		struct bh_slice part = bh_slice_sub(p.bytes, PAGE_HEADER_BYTES, p.free_offset);
		if (part.len != p.free_offset || part.len > len - f->value.len)
			return "a record's page chain is longer than the record";
		if (!bh_buf_add(&f->value, part))
			return "no memory for a record";
		number = p.next;
	}
	return f->value.len == len ? NULL : "a record's page chain ends too early";
}

/* NULL and the value, or what is wrong. */
static const char *value_of(struct file *f, struct bh_slice entry, struct bh_slice *ret)
{
	struct bh_reader r = bh_reader_of(entry);
	uint8_t type;
	uint32_t number, len;
	if (!bh_take_u8(&r, &type))
		return "an empty entry";
	if (type == ITEM_KEYDATA) {
		*ret = bh_slice_sub(entry, 1, entry.len);
		return NULL;
	}
	if (type != ITEM_OFFPAGE)
		return "an entry of another kind";
	if (!bh_skip(&r, 3) || !take_u32(f, &r, &number) || !take_u32(f, &r, &len))
		return "a truncated entry";
	const char *damage = read_chain(f, number, len);
	if (!damage)
		*ret = bh_buf_slice(&f->value);
	return damage;
}

static int read_pair(struct file *f, const struct page *p, unsigned i, size_t offset, struct bh_err *err)
{
	struct bh_slice key, entry, value;
	if (!entry_of(f, p, i, &key) || !entry_of(f, p, i + 1, &entry))
		return f->sink->damaged(f->sink->ctx, offset, "an entry reaches out of its page", err);
	if (key.ptr[0] != ITEM_KEYDATA)
		return f->sink->damaged(f->sink->ctx, offset, "a key of another kind", err);
	const char *damage = value_of(f, entry, &value);
	if (damage)
		return f->sink->damaged(f->sink->ctx, offset, damage, err);
	return f->sink->record(f->sink->ctx, offset, bh_slice_sub(key, 1, key.len), value, err);
}

static bool entries_fit(const struct file *f, const struct page *p)
{
	struct bh_slice last;
	if (p->entries == 0)
		return p->free_offset == (uint16_t)f->page_bytes; /* 65,536 is stored as 0 */
	if (p->entries % 2 || PAGE_HEADER_BYTES + 2u * p->entries > f->page_bytes || !entry_of(f, p, p->entries - 1u, &last))
		return false;
	return (size_t)(last.ptr - p->bytes.ptr) == p->free_offset;
}

static int read_hash_page(struct file *f, const struct page *p, size_t offset, struct bh_err *err)
{
	int rc = 0;
	if (!entries_fit(f, p))
		rc = f->sink->damaged(f->sink->ctx, offset, "a page's entries don't end where its head says", err);
	for (unsigned i = 0; rc >= 0 && i + 1 < p->entries && PAGE_HEADER_BYTES + 2u * p->entries <= f->page_bytes; i += 2)
		rc = read_pair(f, p, i, offset, err);
	return rc;
}

static int read_pages(struct file *f, struct bh_err *err)
{
	for (uint32_t number = 1; number < f->n_pages; number++) {
		struct page p;
		size_t offset = offset_of(f, number);
		int rc = 0;
		if (!read_page(f, number, &p))
			return bh_fail(err, BH_ETRUNCATED, offset, "berkeley db: page %u is cut off", number);
		if (p.type == PAGE_HASH || p.type == PAGE_HASH_UNSORTED)
			rc = read_hash_page(f, &p, offset, err);
		else if (p.type != PAGE_FREE && p.type != PAGE_OVERFLOW)
			rc = f->sink->damaged(f->sink->ctx, offset, "a page of an unknown kind", err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* After all pairs: overflow pages that belong to none of them. One report for all. */
static int find_orphans(struct file *f, struct bh_err *err)
{
	for (uint32_t number = 1; number < f->n_pages; number++) {
		struct page p;
		if (read_page(f, number, &p) && p.type == PAGE_OVERFLOW && !(f->used[number / 8] & 1u << number % 8))
			return f->sink->damaged(f->sink->ctx, offset_of(f, number), "a page with a piece of a record that no entry leads to", err);
	}
	return 0;
}

static int open_meta(struct file *f, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(f->bytes);
	uint32_t magic, version, last;
	uint8_t encryption, type, flags;
	if (!bh_seek(&r, 12) || !bh_take_u32le(&r, &magic))
		return bh_fail(err, BH_ETRUNCATED, f->bytes.len, "berkeley db: %zu bytes are too few", f->bytes.len);
	if (magic == BTREE_MAGIC)
		return bh_fail(err, BH_EUNSUPPORTED, 12, "berkeley db: a btree, not a hash");
	if (magic != HASH_MAGIC && magic != HASH_MAGIC_SWAPPED)
		return bh_fail(err, BH_EMALFORMED, 12, "berkeley db: no hash file (magic 0x%08x)", magic);
	f->big_endian = magic == HASH_MAGIC_SWAPPED;
	if (!take_u32(f, &r, &version) || !take_u32(f, &r, &f->page_bytes) || !bh_take_u8(&r, &encryption) || !bh_take_u8(&r, &type) ||
	    !bh_take_u8(&r, &flags) || !bh_seek(&r, 32) || !take_u32(f, &r, &last))
		return bh_fail(err, BH_ETRUNCATED, f->bytes.len, "berkeley db: the metadata page is cut off");
	if (version < 7 || version > 10 || encryption || flags & 1)
		return bh_fail(err, BH_EUNSUPPORTED, 16, "berkeley db: version %u, encryption %u, flags %u", version, encryption, flags);
	if (type != PAGE_META || f->page_bytes < PAGE_BYTES_MIN || f->page_bytes > PAGE_BYTES_MAX || f->page_bytes & (f->page_bytes - 1))
		return bh_fail(err, BH_EMALFORMED, 20, "berkeley db: page size %u, page type %u", f->page_bytes, type);
	/* A head that says too few pages must hide none; one that says too many ends at the first that is missing. */
	uint64_t in_file = f->bytes.len / f->page_bytes, said = (uint64_t)last + 1;
	if (in_file > UINT32_MAX || said > UINT32_MAX)
		return bh_fail(err, BH_EMALFORMED, 32, "berkeley db: more pages than there can be");
	f->n_pages = (uint32_t)(said > in_file ? said : in_file);
	return 0;
}

int bh_berkeley_each(struct bh_slice file, const struct bh_record_sink *sink, struct bh_err *err)
{
	struct file f = { .bytes = file, .sink = sink };
	int rc = open_meta(&f, err);
	if (rc < 0)
		return rc;
	BH_FREE uint8_t *used = calloc(1, file.len / f.page_bytes / 8 + 1);
	if (!used)
		return bh_fail(err, BH_ENOMEM, 0, "berkeley db: no memory for %u pages", f.n_pages);
	f.used = used;
	bh_buf_init(&f.value, file.len);
	rc = read_pages(&f, err);
	if (rc >= 0)
		rc = find_orphans(&f, err);
	bh_buf_done(&f.value);
	return rc;
}
