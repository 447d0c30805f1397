/*
 * zip.c: see zip.h. Entries are taken as they stand in the stream:
 *
 *   { "PK\3\4" header, name, extra, content [, descriptor] } ...   "PK\1\2" list entry ...   [Zip64 end]  "PK\5\6" end
 *
 *   header      0 signature 4   4 version 2   6 flags 2   8 method 2   10 time 4   14 crc 4   18 compressed 4   22 plain 4
 *               26 name length 2   28 extra length 2
 *   descriptor  when flag 3 is set, as the lengths were not known before: [signature 4] crc 4, compressed, plain: 4 or 8 each
 *   list entry  28 name length 2   30 extra length 2   32 comment length 2   46 the three of them
 *
 * Why not libarchive: linking it costs every start of the program 10 ms (it brings libxml2, ICU and libstdc++), and in a sandboxed
 * child it opens files for time zones and charsets.
 */
#include "format/zip.h"

#include "base/buf.h"
#include "base/reader.h"
#include "format/codec.h"
#include "format/feed.h"

#include <inttypes.h>

#define HEADER_BYTES 30u
#define LIST_BYTES 46u
#define EXTRA_BYTES_MAX 65535u
#define WINDOW_BYTES (256u << 10)
#define NO_LENGTH UINT64_MAX

enum flags { FLAG_ENCRYPTED = 1, FLAG_DESCRIPTOR = 8 };
enum method { STORED = 0, DEFLATED = 8 };

struct entry {
	uint32_t crc;
	uint64_t compressed, plain; /* as the header says; NO_LENGTH when a descriptor follows */
	uint16_t method;
	bool descriptor, zip64;
	uint64_t seen_compressed, seen_plain;
	uint32_t seen_crc;
	bool at_end, done;          /* its content was read; and checked */
};

struct bh_zip {
	struct bh_feed feed;
	struct bh_buf name, extra;
	struct entry e;
	bool inside;                /* an entry was begun */
	bool ended;
	uint64_t entries;
	void *inflate;
	uint8_t *window;
	struct bh_err broken;       /* once something failed, everything fails the same way */
};

bool bh_zip_sniff(struct bh_slice head)
{
	return bh_slice_starts(head, BH_SLICE_LIT("PK\3\4")) || bh_slice_starts(head, BH_SLICE_LIT("PK\5\6")) /* no entry at all */;
}

int bh_zip_new(struct bh_source plain, struct bh_zip **ret, struct bh_err *err)
{
	struct bh_zip *z = calloc(1, sizeof(*z));
	if (!z)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a zip archive");
	z->feed.src = plain;
	bh_buf_init(&z->name, EXTRA_BYTES_MAX);
	bh_buf_init(&z->extra, EXTRA_BYTES_MAX);
	z->window = malloc(WINDOW_BYTES);
	if (!z->window || bh_codec_deflate.open(&z->inflate, err) < 0) {
		bh_zip_free(z);
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a zip archive");
	}
	*ret = z;
	return 0;
}

void bh_zip_free(struct bh_zip *z)
{
	if (!z)
		return;
	bh_codec_deflate.close(z->inflate);
	free(z->window);
	bh_buf_done(&z->name);
	bh_buf_done(&z->extra);
	free(z);
}

static int damaged(const struct bh_zip *z, struct bh_err *err, const char *what)
{
	uint64_t at = bh_feed_offset(&z->feed);
	return bh_fail(err, BH_EMALFORMED, at, "damaged zip archive: %s at byte %" PRIu64, what, at);
}

static int unsupported(const struct bh_zip *z, struct bh_err *err, const char *what)
{
	uint64_t at = bh_feed_offset(&z->feed);
	return bh_fail(err, BH_EUNSUPPORTED, at, "zip archive: %s before byte %" PRIu64, what, at);
}

static int truncated(const struct bh_zip *z, struct bh_err *err)
{
	uint64_t at = bh_feed_offset(&z->feed);
	return bh_fail(err, BH_ETRUNCATED, at, "zip archive ends too early, at byte %" PRIu64, at);
}

/* ---- bytes ---- */

/* Exactly len <= BH_FEED_LOOK_MAX bytes, borrowed until the next one. */
static int take(struct bh_zip *z, size_t len, struct bh_reader *ret, struct bh_err *err)
{
	int rc = bh_feed_look(&z->feed, len, err);
	if (rc < 0)
		return rc;
	if (z->feed.now.len < len)
		return truncated(z, err);
	*ret = bh_reader_of(bh_feed_take(&z->feed, len));
	return 0;
}

/* len bytes into out, or nowhere. */
static int take_long(struct bh_zip *z, uint64_t len, struct bh_buf *out, struct bh_err *err)
{
	if (out)
		bh_buf_clear(out);
	while (len) {
		int rc = bh_feed_fill(&z->feed, err);
		if (rc < 0)
			return rc;
		if (z->feed.now.len == 0)
			return truncated(z, err);
		struct bh_slice part = bh_feed_take(&z->feed, len < z->feed.now.len ? (size_t)len : z->feed.now.len);
		if (out && !bh_buf_add(out, part))
			return bh_fail(err, BH_ENOMEM, 0, "out of memory for a zip archive");
		len -= part.len;
	}
	return 0;
}

static uint16_t u16_at(struct bh_reader *r, size_t at)
{
	uint16_t v = 0;
	return bh_seek(r, at) && bh_take_u16le(r, &v) ? v : 0;
}

static uint32_t u32_at(struct bh_reader *r, size_t at)
{
	uint32_t v = 0;
	return bh_seek(r, at) && bh_take_u32le(r, &v) ? v : 0;
}

/* ---- headers ---- */

/* Extra field 1: the lengths that did not fit, plain first. */
static int read_zip64(struct bh_zip *z, struct entry *e, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(bh_buf_slice(&z->extra));
	uint16_t id, len;
	struct bh_slice body;
	while (bh_take_u16le(&r, &id) && bh_take_u16le(&r, &len)) {
		if (!bh_take(&r, len, &body))
			return damaged(z, err, "an extra field that is too long");
		if (id != 1)
			continue;
		struct bh_reader b = bh_reader_of(body);
		e->zip64 = true;
		if ((e->plain == UINT32_MAX && !bh_take_u64le(&b, &e->plain)) || (e->compressed == UINT32_MAX && !bh_take_u64le(&b, &e->compressed)))
			return damaged(z, err, "a Zip64 field that is too short");
	}
	return 0;
}

static int read_header(struct bh_zip *z, struct bh_err *err)
{
	struct bh_reader r;
	int rc = take(z, HEADER_BYTES, &r, err);
	if (rc < 0)
		return rc;
	uint16_t flags = u16_at(&r, 6), name = u16_at(&r, 26), extra = u16_at(&r, 28);
	struct entry e = { .method = u16_at(&r, 8), .crc = u32_at(&r, 14), .compressed = u32_at(&r, 18), .plain = u32_at(&r, 22) };
	e.descriptor = flags & FLAG_DESCRIPTOR;
	rc = take_long(z, name, &z->name, err);
	rc = rc < 0 ? rc : take_long(z, extra, &z->extra, err);
	rc = rc < 0 ? rc : read_zip64(z, &e, err);
	if (rc < 0)
		return rc;
	if (flags & FLAG_ENCRYPTED)
		return unsupported(z, err, "an encrypted entry");
	if (e.method != STORED && e.method != DEFLATED)
		return unsupported(z, err, "an entry with a compression method other than deflate");
	if (e.descriptor && e.method == DEFLATED)
		e.compressed = e.plain = NO_LENGTH;
	z->e = e;
	z->inside = true;
	z->entries++;
	return bh_codec_deflate.begin(z->inflate, err);
}

/* ---- contents ---- */

/* The descriptor's lengths have 4 or 8 bytes, and nothing says which: they must be what was seen. */
static int read_descriptor(struct bh_zip *z, struct bh_err *err)
{
	struct bh_reader r;
	struct entry *e = &z->e;
	int rc = bh_feed_look(&z->feed, 24, err);
	if (rc < 0)
		return rc;
	size_t signature = bh_slice_starts(z->feed.now, BH_SLICE_LIT("PK\7\10")) ? 4 : 0;
	r = bh_reader_of(z->feed.now);
	uint64_t compressed = 0, plain = 0;
	bool wide = e->zip64 && bh_seek(&r, signature + 4) && bh_take_u64le(&r, &compressed) && bh_take_u64le(&r, &plain) &&
		    compressed == e->seen_compressed && plain == e->seen_plain;
	if (!wide)
		wide = u32_at(&r, signature + 8) != (uint32_t)e->seen_plain; /* writers that forget the extra field */
	rc = take(z, signature + (wide ? 20 : 12), &r, err);
	if (rc < 0)
		return rc;
	e->crc = u32_at(&r, signature);
	e->compressed = u32_at(&r, signature + 4);
	e->plain = u32_at(&r, signature + (wide ? 12 : 8));
	e->seen_compressed = (uint32_t)e->seen_compressed; /* the lower halves tell enough */
	e->seen_plain = (uint32_t)e->seen_plain;
	return 0;
}

static int end_entry(struct bh_zip *z, struct bh_err *err)
{
	struct entry *e = &z->e;
	e->done = true;
	int rc = e->descriptor ? read_descriptor(z, err) : 0;
	if (rc < 0)
		return rc;
	if (e->compressed != e->seen_compressed || e->plain != e->seen_plain)
		return damaged(z, err, "an entry of another length than said");
	return e->crc == e->seen_crc ? 0 : damaged(z, err, "an entry with a wrong checksum");
}

/* Bytes that belong to what follows. */
static void give_back(struct bh_zip *z)
{
	uint8_t bytes[BH_DEFLATE_LEFTOVER_MAX];
	struct bh_slice leftover = { bytes, bh_deflate_leftover(z->inflate, bytes) };
	bh_feed_unread(&z->feed, leftover);
	z->e.seen_compressed -= leftover.len;
}

static int inflate(struct bh_zip *z, struct bh_slice *ret, bool *ret_end, struct bh_err *err)
{
	size_t len = 0;
	*ret_end = false;
	while (len == 0 && !*ret_end) {
		int rc = bh_feed_fill(&z->feed, err);
		if (rc < 0)
			return rc;
		size_t before = z->feed.now.len;
		rc = bh_codec_deflate.step(z->inflate, &z->feed.now, z->window, WINDOW_BYTES, &len, ret_end, err);
		if (rc < 0)
			return bh_wrap(err, "zip archive, before byte %" PRIu64, bh_feed_offset(&z->feed));
		z->e.seen_compressed += before - z->feed.now.len;
		if (*ret_end)
			give_back(z);
		if (before == 0 && len == 0 && !*ret_end)
			return truncated(z, err);
	}
	*ret = (struct bh_slice){ z->window, len };
	return 0;
}

static int read_stored(struct bh_zip *z, struct bh_slice *ret, bool *ret_end, struct bh_err *err)
{
	uint64_t left = z->e.compressed - z->e.seen_compressed;
	*ret = (struct bh_slice){ 0 };
	if (left) {
		int rc = bh_feed_fill(&z->feed, err);
		if (rc < 0)
			return rc;
		if (z->feed.now.len == 0)
			return truncated(z, err);
		*ret = bh_feed_take(&z->feed, left < z->feed.now.len ? (size_t)left : z->feed.now.len);
	}
	z->e.seen_compressed += ret->len;
	*ret_end = ret->len == left;
	return 0;
}

static int read_content(struct bh_zip *z, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_slice got = { 0 };
	struct entry *e = &z->e;
	int rc = 0;
	if (z->inside && !e->at_end) {
		rc = e->method == STORED ? read_stored(z, &got, &e->at_end, err) : inflate(z, &got, &e->at_end, err);
		e->seen_plain += got.len;
		e->seen_crc = bh_crc32(e->seen_crc, got);
	}
	if (rc == 0 && got.len == 0 && z->inside && !e->done) /* what stands behind it is read only now: got may lie in the same bytes */
		rc = end_entry(z, err);
	if (rc == 0)
		*ret = got;
	return rc;
}

/* ---- the end ---- */

/* The archive's own list must have as many entries as came. */
static int read_list(struct bh_zip *z, struct bh_err *err)
{
	uint64_t listed = 0;
	struct bh_reader r;
	for (;;) {
		int rc = bh_feed_look(&z->feed, LIST_BYTES, err);
		if (rc < 0)
			return rc;
		if (!bh_slice_starts(z->feed.now, BH_SLICE_LIT("PK\1\2")))
			break;
		rc = take(z, LIST_BYTES, &r, err);
		if (rc < 0)
			return rc;
		listed++;
		rc = take_long(z, (uint64_t)u16_at(&r, 28) + u16_at(&r, 30) + u16_at(&r, 32), NULL, err);
		if (rc < 0)
			return rc;
	}
	if (z->feed.now.len < 4)
		return truncated(z, err);
	bool ends = bh_slice_starts(z->feed.now, BH_SLICE_LIT("PK\5\6")) || bh_slice_starts(z->feed.now, BH_SLICE_LIT("PK\6\6"));
	if (!ends)
		return damaged(z, err, "no end of the list");
	if (listed != z->entries)
		return damaged(z, err, "a list with another number of entries than there are");
	z->ended = true;
	return bh_feed_drain(&z->feed, err);
}

static int next(struct bh_zip *z, struct bh_err *err)
{
	struct bh_slice ignored;
	int rc = 0;
	while (rc == 0 && z->inside && !z->e.done)
		rc = read_content(z, &ignored, err);
	z->inside = false;
	rc = rc < 0 ? rc : bh_feed_look(&z->feed, 4, err);
	if (rc < 0)
		return rc;
	if (bh_slice_starts(z->feed.now, BH_SLICE_LIT("PK\3\4")))
		return read_header(z, err);
	if (z->feed.now.len < 4)
		return truncated(z, err);
	return read_list(z, err);
}

static int failed(const struct bh_zip *z, struct bh_err *err)
{
	if (err)
		*err = z->broken;
	return z->broken.code;
}

int bh_zip_next(struct bh_zip *z, struct bh_slice *ret_name, struct bh_err *err)
{
	if (z->broken.code || (!z->ended && next(z, &z->broken) < 0))
		return failed(z, err);
	if (z->ended)
		return 0;
	*ret_name = bh_buf_slice(&z->name);
	return 1;
}

int bh_zip_read(struct bh_zip *z, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_slice got = { 0 };
	if (z->broken.code || read_content(z, &got, &z->broken) < 0)
		return failed(z, err);
	*ret = got;
	return 0;
}
