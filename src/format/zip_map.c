/*
 * zip_map.c: see zip_map.h. From the end of the file to its beginning:
 *
 *   end         0 "PK\5\6"   10 entries 2   12 bytes of the list 4   16 where it starts 4   20 length of the comment behind this 2
 *   Zip64       20 bytes before the end: "PK\6\7"; 56 before those: "PK\6\6"   32 entries 8   40 bytes 8   48 where it starts 8
 *   list entry  0 "PK\1\2"   8 flags 2   10 method 2   16 crc 4   20 compressed 4   24 plain 4   28 lengths of name, extra, comment 2 each
 *               42 entry's header at 4   46 name, extra, comment
 *   header      0 "PK\3\4"   26 lengths of name and extra 2 each   30 name, extra, content
 */
#include "format/zip_map.h"

#include "format/codec.h"
#include "format/inflate.h"

#define END_BYTES 22u
#define END_SEARCH_BYTES (END_BYTES + 65535u)
#define ZIP64_BYTES 76u /* both of its records */
#define LIST_BYTES 46u
#define HEADER_BYTES 30u

enum { FLAG_ENCRYPTED = 1, STORED = 0, DEFLATED = 8 };

static uint16_t u16_at(struct bh_slice s, size_t at)
{
	struct bh_reader r = bh_reader_of(s);
	uint16_t v = 0;
	return bh_seek(&r, at) && bh_take_u16le(&r, &v) ? v : 0;
}

static uint32_t u32_at(struct bh_slice s, size_t at)
{
	struct bh_reader r = bh_reader_of(s);
	uint32_t v = 0;
	return bh_seek(&r, at) && bh_take_u32le(&r, &v) ? v : 0;
}

static uint64_t u64_at(struct bh_slice s, size_t at)
{
	struct bh_reader r = bh_reader_of(s);
	uint64_t v = 0;
	return bh_seek(&r, at) && bh_take_u64le(&r, &v) ? v : 0;
}

/* The last end record whose comment fits into the file. */
static bool find_end(struct bh_slice file, size_t *ret_at)
{
	size_t first = file.len > END_SEARCH_BYTES ? file.len - END_SEARCH_BYTES : 0;
	for (size_t at = file.len < END_BYTES ? 0 : file.len - END_BYTES + 1; at-- > first;)
		if (bh_slice_starts(bh_slice_sub(file, at, 4), BH_SLICE_LIT("PK\5\6")) && u16_at(file, at + 20) <= file.len - at - END_BYTES) {
			*ret_at = at;
			return true;
		}
	return false;
}

int bh_zip_map_open(struct bh_slice file, struct bh_zip_map *ret, struct bh_err *err)
{
	size_t end = 0;
	if (!find_end(file, &end))
		return bh_fail(err, BH_EMALFORMED, file.len, "not a zip archive, or one that was cut off: it has no list of entries at its end");
	uint64_t entries = u16_at(file, end + 10), bytes = u32_at(file, end + 12), at = u32_at(file, end + 16), behind = end;
	struct bh_slice wide = end >= ZIP64_BYTES ? bh_slice_sub(file, end - ZIP64_BYTES, ZIP64_BYTES) : (struct bh_slice){ 0 };
	if (bh_slice_starts(wide, BH_SLICE_LIT("PK\6\6")) && bh_slice_starts(bh_slice_sub(wide, 56, 4), BH_SLICE_LIT("PK\6\7"))) {
		entries = u64_at(wide, 32);
		bytes = u64_at(wide, 40);
		at = u64_at(wide, 48);
		behind = end - ZIP64_BYTES;
	}
	if (bytes > behind || at > behind - bytes)
		return bh_fail(err, BH_EMALFORMED, end, "damaged zip archive: its list of entries lies outside of it");
	struct bh_slice list = bh_slice_sub(file, (size_t)(behind - bytes), (size_t)bytes);
	*ret = (struct bh_zip_map){ .file = file, .list = bh_reader_of(list), .base = behind - bytes - at, .entries = entries };
	return 0;
}

/* Extra field 1 holds the numbers that did not fit, in this order. */
static void read_zip64(struct bh_slice extra, struct bh_zip_entry *e)
{
	struct bh_reader r = bh_reader_of(extra);
	uint64_t *const numbers[] = { &e->plain, &e->compressed, &e->at };
	struct bh_slice body;
	uint16_t id, len;
	while (bh_take_u16le(&r, &id) && bh_take_u16le(&r, &len) && bh_take(&r, len, &body)) {
		struct bh_reader b = bh_reader_of(body);
		for (size_t i = 0; id == 1 && i < 3; i++)
			if (*numbers[i] == UINT32_MAX && !bh_take_u64le(&b, numbers[i]))
				return;
	}
}

int bh_zip_map_next(struct bh_zip_map *map, struct bh_zip_entry *ret, struct bh_err *err)
{
	struct bh_slice h, name, extra;
	uint64_t at = (uint64_t)(map->list.src.ptr - map->file.ptr) + map->list.pos;
	if (map->entries == 0)
		return 0;
	if (!bh_take(&map->list, LIST_BYTES, &h) || !bh_slice_starts(h, BH_SLICE_LIT("PK\1\2")) || !bh_take(&map->list, u16_at(h, 28), &name) ||
	    !bh_take(&map->list, u16_at(h, 30), &extra) || !bh_skip(&map->list, u16_at(h, 32)))
		return bh_fail(err, BH_EMALFORMED, at, "damaged zip archive: its list of entries breaks off");
	struct bh_zip_entry e = { .name = name, .at = u32_at(h, 42), .compressed = u32_at(h, 20), .plain = u32_at(h, 24) };
	e.crc = u32_at(h, 16);
	e.method = u16_at(h, 10);
	e.flags = u16_at(h, 8);
	read_zip64(extra, &e);
	map->entries--;
	*ret = e;
	return 1;
}

static int find_content(const struct bh_zip_map *map, const struct bh_zip_entry *e, struct bh_slice *ret, struct bh_err *err)
{
	uint64_t left = map->file.len - map->base;
	if (e->at > left || left - e->at < HEADER_BYTES)
		return bh_fail(err, BH_EMALFORMED, map->base, "an entry that lies outside of the archive");
	size_t at = (size_t)(map->base + e->at);
	struct bh_slice here = bh_slice_sub(map->file, at, map->file.len);
	size_t head = HEADER_BYTES + u16_at(here, 26) + u16_at(here, 28);
	if (!bh_slice_starts(here, BH_SLICE_LIT("PK\3\4")) || head > here.len || e->compressed > here.len - head)
		return bh_fail(err, BH_EMALFORMED, at, "an entry that is not where the list says");
	*ret = bh_slice_sub(here, head, (size_t)e->compressed);
	return 0;
}

int bh_zip_map_read(const struct bh_zip_map *map, const struct bh_zip_entry *e, struct bh_buf *buf, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_slice content = { 0 };
	int rc = find_content(map, e, &content, err);
	uint64_t at = map->base + e->at;
	if (rc < 0)
		return rc;
	if (e->flags & FLAG_ENCRYPTED)
		return bh_fail(err, BH_EUNSUPPORTED, at, "an encrypted entry");
	if (e->method != STORED && e->method != DEFLATED)
		return bh_fail(err, BH_EUNSUPPORTED, at, "an entry with a compression method other than deflate");
	if (e->plain > buf->max_bytes)
		return bh_fail(err, BH_ELIMIT, at, "an entry of more than %zu bytes", buf->max_bytes);
	bh_buf_clear(buf);
	if (e->method == DEFLATED) {
		rc = bh_inflate(content, (size_t)e->plain, buf, err);
		content = bh_buf_slice(buf);
	}
	if (rc < 0)
		return rc;
	if (content.len != e->plain || bh_crc32(0, content) != e->crc)
		return bh_fail(err, BH_EMALFORMED, at, "an entry of another length or checksum than the list says");
	*ret = content;
	return 0;
}
