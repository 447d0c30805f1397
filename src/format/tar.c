/*
 * tar.c: the tar formats of POSIX.1-1988 (ustar), POSIX.1-2001 (pax), GNU and V7, as a stream of 512-byte blocks.
 *
 *   [pax records 'x'] [GNU long name 'L', long link 'K'] header  [GNU sparse blocks] body, padded to 512   next entry ...
 *   two blocks of zeros end the archive; one, or none at all, is accepted as Docker does.
 *
 * Header block (all numbers octal text, or base-256 when the first bit is set):
 *      0 name 100    100 mode 8   108 uid 8   116 gid 8   124 size 12   136 mtime 12   148 checksum 8   156 type 1
 *    157 link 100    257 magic "ustar\0" (POSIX), "ustar  \0" (GNU)   265 uname 32   297 gname 32   329 devices 16
 *    345 prefix 155 (POSIX); GNU: 345 atime 12   357 ctime 12   386 sparse 4 x (offset 12, length 12)   482 more 1   483 size 12
 *
 * Why not libarchive: an image is what Docker, containerd and Podman unpack, all by Go's archive/tar, and the scanner must
 * see the same names. libarchive 3.6 converts the UTF-8 names of pax headers to the locale's charset: "status" + U+E0041
 * arrives as "status" in the C locale (glibc drops tag characters), NFD names arrive as NFC in UTF-8 ones, and it opens
 * iconv's files, which a sandboxed child can't. So the rules here are those of archive/tar, where they differ from others:
 * global pax headers change nothing, records of bad syntax are an error, links and devices have no body whatever their size.
 */
#include "format/tar.h"

#include "base/buf.h"
#include "base/vec.h"
#include "format/feed.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>

#define BLOCK_BYTES 512u
#define SPECIAL_BYTES_MAX (1u << 20)   /* one pax header, long name or long link; archive/tar's limit too */
#define SPARSE_RUNS_MAX (1u << 20)     /* 16 MiB of map: a 4 GiB file with a hole in every other page */
#define SPARSE_DIGITS_MAX 20u          /* in one number of a sparse map */
#define ZEROS_BYTES (64u << 10)        /* run of zeros handed out for holes */

struct run {
	uint64_t offset, len; /* where its bytes are in the file; holes are between runs */
};
BH_VEC(runs, struct run)

struct bh_tar {
	struct bh_feed feed;
	uint64_t entry_start, entry_offset;

	/* Texts that outlive the blocks they stood in. */
	struct bh_buf name, link, pax, long_name, long_link;

	/* The body of the current entry: what the stream still holds of it. */
	uint64_t body_left;
	uint32_t pad_left;

	/* Sparse files: the body is the runs one after the other. */
	bool sparse;
	struct runs runs;
	size_t run;        /* the one pos is in or before */
	uint64_t pos, size;

	bool ended;
	struct bh_err broken; /* once something failed, everything fails the same way */
};

/* What the headers before and at an entry say about it. */
struct facts {
	struct bh_slice name, link;
	uint8_t type;
	uint64_t body_bytes, size_bytes;
	int64_t mode, uid, gid, mtime_s;
	struct bh_slice capability;
	struct bh_slice sparse_major, sparse_minor, sparse_name, sparse_map, sparse_size;
	bool sparse_pairs;  /* GNU.sparse 0.0: the map came as single records, straight into t->runs */
	bool pair_open;
};

int bh_tar_new(struct bh_source plain, struct bh_tar **ret, struct bh_err *err)
{
	struct bh_tar *t = calloc(1, sizeof(*t));
	if (!t)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a tar archive");
	t->feed.src = plain;
	bh_buf_init(&t->name, SPECIAL_BYTES_MAX);
	bh_buf_init(&t->link, SPECIAL_BYTES_MAX);
	bh_buf_init(&t->pax, SPECIAL_BYTES_MAX);
	bh_buf_init(&t->long_name, SPECIAL_BYTES_MAX);
	bh_buf_init(&t->long_link, SPECIAL_BYTES_MAX);
	t->runs.max = SPARSE_RUNS_MAX;
	*ret = t;
	return 0;
}

void bh_tar_free(struct bh_tar *t)
{
	if (!t)
		return;
	bh_buf_done(&t->name);
	bh_buf_done(&t->link);
	bh_buf_done(&t->pax);
	bh_buf_done(&t->long_name);
	bh_buf_done(&t->long_link);
	runs_done(&t->runs);
	free(t);
}

/* ---- errors: all say where ---- */

static int damaged(const struct bh_tar *t, struct bh_err *err, const char *what)
{
	return bh_fail(err, BH_EMALFORMED, t->entry_offset, "damaged tar archive: %s at byte %" PRIu64, what, t->entry_offset);
}

static int truncated(const struct bh_tar *t, struct bh_err *err)
{
	uint64_t at = bh_feed_offset(&t->feed);
	return bh_fail(err, BH_ETRUNCATED, at, "tar archive ends too early, at byte %" PRIu64 ", inside the entry at byte %" PRIu64, at,
		       t->entry_offset);
}

static int too_large(const struct bh_tar *t, struct bh_err *err, const char *what, uint64_t limit)
{
	return bh_fail(err, BH_ELIMIT, t->entry_offset, "tar archive: %s of more than %" PRIu64 " at byte %" PRIu64, what, limit,
		       t->entry_offset);
}

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for a tar archive");
}

/* ---- fields ---- */

static struct bh_slice field(struct bh_slice block, size_t at, size_t len)
{
	return bh_slice_sub(block, at, len);
}

static struct bh_slice text_field(struct bh_slice block, size_t at, size_t len)
{
	struct bh_slice f = field(block, at, len);
	return bh_slice_sub(f, 0, bh_slice_find(f, '\0'));
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\0';
}

static bool parse_base256(struct bh_slice f, int64_t *out)
{
	bool negative = f.ptr[0] & 0x40;
	uint8_t flip = negative ? 0xff : 0;
	uint64_t v = 0;
	for (size_t i = 0; i < f.len; i++) {
		uint8_t c = f.ptr[i] ^ flip;
		if (i == 0)
			c &= 0x7f;
		if (v >> 55)
			return false;
		v = v << 8 | c;
	}
	*out = negative ? (int64_t)~v : (int64_t)v;
	return true;
}

/* An empty field is 0. False when there is something else than a number, or one of more than 63 bits. */
static bool parse_number(struct bh_slice f, int64_t *out)
{
	if (f.len && f.ptr[0] & 0x80)
		return parse_base256(f, out);
	size_t i = 0;
	int64_t v = 0;
	while (i < f.len && is_blank(f.ptr[i]))
		i++;
	for (; i < f.len && !is_blank(f.ptr[i]); i++) {
		uint8_t c = f.ptr[i];
		if (c < '0' || c > '7' || v >> 60)
			return false;
		v = v << 3 | (c - '0');
	}
	*out = v;
	return true;
}

/* For numbers that only describe: what can't be read is 0. */
static int64_t number_or_zero(struct bh_slice f)
{
	int64_t v = 0;
	return parse_number(f, &v) ? v : 0;
}

static uint32_t clamp_u32(int64_t v)
{
	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

enum block_kind { BLOCK_HEADER, BLOCK_ZERO, BLOCK_BAD };

/* The checksum is the sum of all bytes with its own field as blanks; some old writers summed signed bytes. */
static enum block_kind kind_of(struct bh_slice block)
{
	uint32_t sum = 0, high = 0;
	for (size_t i = 0; i < BLOCK_BYTES; i++) {
		sum += block.ptr[i];
		high += block.ptr[i] >> 7;
	}
	if (sum == 0)
		return BLOCK_ZERO;
	struct bh_slice stored = field(block, 148, 8);
	for (size_t i = 0; i < 8; i++) {
		sum = sum - stored.ptr[i] + ' ';
		high -= stored.ptr[i] >> 7;
	}
	int64_t want;
	bool matches = parse_number(stored, &want) && (want == (int64_t)sum || want == (int64_t)sum - 256 * (int64_t)high);
	return matches ? BLOCK_HEADER : BLOCK_BAD;
}

/* ---- blocks ---- */

/* The next block, borrowed until the feed moves on. Empty at a clean end; a part of a block is a truncation. */
static int take_block(struct bh_tar *t, struct bh_slice *ret, struct bh_err *err)
{
	int rc = bh_feed_look(&t->feed, BLOCK_BYTES, err);
	if (rc < 0)
		return rc;
	if (t->feed.now.len && t->feed.now.len < BLOCK_BYTES) {
		(void)bh_feed_take(&t->feed, t->feed.now.len);
		return truncated(t, err);
	}
	*ret = bh_feed_take(&t->feed, t->feed.now.len ? BLOCK_BYTES : 0);
	return 0;
}

static int skip(struct bh_tar *t, uint64_t bytes, uint64_t *ret_missing, struct bh_err *err)
{
	while (bytes) {
		uint64_t left_out = 0;
		int rc = t->feed.now.len ? 0 : bh_feed_skip(&t->feed, bytes, &left_out, err);
		bytes -= left_out;
		rc = rc < 0 ? rc : bh_feed_fill(&t->feed, err);
		if (rc < 0)
			return rc;
		if (t->feed.now.len == 0)
			break;
		bytes -= bh_feed_take(&t->feed, bytes < t->feed.now.len ? (size_t)bytes : t->feed.now.len).len;
	}
	*ret_missing = bytes;
	return 0;
}

static int skip_body(struct bh_tar *t, struct bh_err *err)
{
	uint64_t missing;
	int rc = skip(t, t->body_left, &missing, err);
	if (rc < 0)
		return rc;
	if (missing)
		return truncated(t, err);
	rc = skip(t, t->pad_left, &missing, err); /* padding that is missing at the end hides nothing */
	t->body_left = t->pad_left = 0;
	return rc;
}

static void set_body(struct bh_tar *t, uint64_t bytes)
{
	t->body_left = bytes;
	t->pad_left = (uint32_t)(-bytes & (BLOCK_BYTES - 1));
}

/* The body of a special header, whole. */
static int read_special(struct bh_tar *t, uint64_t size, struct bh_buf *out, struct bh_err *err)
{
	if (size > SPECIAL_BYTES_MAX)
		return too_large(t, err, "extended header", SPECIAL_BYTES_MAX);
	bh_buf_clear(out);
	set_body(t, size);
	while (t->body_left) {
		int rc = bh_feed_fill(&t->feed, err);
		if (rc < 0)
			return rc;
		if (t->feed.now.len == 0)
			return truncated(t, err);
		struct bh_slice got = bh_feed_take(&t->feed, t->body_left < t->feed.now.len ? (size_t)t->body_left : t->feed.now.len);
		if (!bh_buf_add(out, got))
			return no_memory(err);
		t->body_left -= got.len;
	}
	return skip_body(t, err);
}

/* ---- pax records: "LENGTH KEY=VALUE\n", LENGTH counts the whole record ---- */

static bool take_record(struct bh_slice *rest, struct bh_slice *key, struct bh_slice *value)
{
	uint64_t len;
	size_t digits = bh_slice_find(bh_slice_sub(*rest, 0, SPARSE_DIGITS_MAX), ' ');
	if (!bh_slice_u64(bh_slice_sub(*rest, 0, digits), rest->len, &len) || len < digits + 3 || rest->ptr[len - 1] != '\n')
		return false;
	struct bh_slice record = bh_slice_sub(*rest, digits + 1, (size_t)len - digits - 2);
	*rest = bh_slice_sub(*rest, (size_t)len, rest->len);
	return bh_slice_cut(record, '=', key, value) && key->len;
}

/* "-12.345" -> -13: the whole second before it. */
static bool parse_time(struct bh_slice s, int64_t *out)
{
	struct bh_slice whole, fraction;
	bool negative = s.len && s.ptr[0] == '-';
	uint64_t v, f = 0;
	(void)bh_slice_cut(bh_slice_sub(s, negative ? 1 : 0, s.len), '.', &whole, &fraction);
	if (!bh_slice_u64(whole, INT64_MAX - 1, &v))
		return false;
	for (size_t i = 0; i < fraction.len; i++)
		f |= fraction.ptr[i] != '0';
	*out = negative ? -(int64_t)v - (int64_t)f : (int64_t)v;
	return true;
}

static int add_run(struct bh_tar *t, uint64_t offset, uint64_t len, struct bh_err *err)
{
	if (runs_push(&t->runs, (struct run){ offset, len }))
		return 0;
	return t->runs.len >= SPARSE_RUNS_MAX ? too_large(t, err, "sparse map", SPARSE_RUNS_MAX) : no_memory(err);
}

/* GNU.sparse.offset and GNU.sparse.numbytes, in turns. */
static int pax_sparse_pair(struct bh_tar *t, struct facts *f, bool is_offset, struct bh_slice value, struct bh_err *err)
{
	uint64_t v;
	if (is_offset == f->pair_open || !bh_slice_u64(value, INT64_MAX, &v))
		return damaged(t, err, "bad sparse map");
	f->sparse_pairs = true;
	f->pair_open = is_offset;
	if (is_offset)
		return add_run(t, v, 0, err);
	t->runs.ptr[t->runs.len - 1].len = v;
	return 0;
}

enum pax_kind { PAX_TEXT, PAX_BYTES, PAX_NUMBER, PAX_TIME };

/* The records that matter here, and where their values go. All others are skipped: attributes, access times, owners' names. */
static const struct pax_key {
	const char *key;
	enum pax_kind kind;
	size_t at; /* in struct facts */
} pax_keys[] = {
	{ "path", PAX_TEXT, offsetof(struct facts, name) },
	{ "linkpath", PAX_TEXT, offsetof(struct facts, link) },
	{ "size", PAX_NUMBER, offsetof(struct facts, body_bytes) },
	{ "uid", PAX_NUMBER, offsetof(struct facts, uid) },
	{ "gid", PAX_NUMBER, offsetof(struct facts, gid) },
	{ "mtime", PAX_TIME, offsetof(struct facts, mtime_s) },
	{ "SCHILY.xattr.security.capability", PAX_BYTES, offsetof(struct facts, capability) },
	{ "GNU.sparse.major", PAX_TEXT, offsetof(struct facts, sparse_major) },
	{ "GNU.sparse.minor", PAX_TEXT, offsetof(struct facts, sparse_minor) },
	{ "GNU.sparse.name", PAX_TEXT, offsetof(struct facts, sparse_name) },
	{ "GNU.sparse.map", PAX_TEXT, offsetof(struct facts, sparse_map) },
	{ "GNU.sparse.size", PAX_TEXT, offsetof(struct facts, sparse_size) },
	{ "GNU.sparse.realsize", PAX_TEXT, offsetof(struct facts, sparse_size) },
};

static int pax_value(struct bh_tar *t, const struct pax_key *k, struct bh_slice value, const struct facts *own, struct facts *f,
		     struct bh_err *err)
{
	void *to = (uint8_t *)f + k->at;
	if (value.len == 0) { /* takes back what an earlier record said */
		memcpy(to, (const uint8_t *)own + k->at, k->kind == PAX_TEXT || k->kind == PAX_BYTES ? sizeof(struct bh_slice) : sizeof(int64_t));
		return 0;
	}
	switch (k->kind) {
	case PAX_TEXT:
		if (bh_slice_find(value, '\0') < value.len)
			return damaged(t, err, "a text with a zero byte in a pax header");
		*(struct bh_slice *)to = value;
		return 0;
	case PAX_BYTES: *(struct bh_slice *)to = value; return 0;
	case PAX_NUMBER: return bh_slice_u64(value, INT64_MAX, to) ? 0 : damaged(t, err, "bad number in a pax header");
	case PAX_TIME: return parse_time(value, to) ? 0 : damaged(t, err, "bad time in a pax header");
	}
	return 0;
}

static int pax_record(struct bh_tar *t, struct bh_slice key, struct bh_slice value, const struct facts *own, struct facts *f,
		      struct bh_err *err)
{
	for (size_t i = 0; i < sizeof(pax_keys) / sizeof(pax_keys[0]); i++)
		if (bh_slice_eq_str(key, pax_keys[i].key))
			return pax_value(t, &pax_keys[i], value, own, f, err);
	if (bh_slice_eq_str(key, "GNU.sparse.offset"))
		return pax_sparse_pair(t, f, true, value, err);
	if (bh_slice_eq_str(key, "GNU.sparse.numbytes"))
		return pax_sparse_pair(t, f, false, value, err);
	return 0;
}

static int apply_pax(struct bh_tar *t, struct facts *f, struct bh_err *err)
{
	const struct facts own = *f;
	struct bh_slice key, value, rest = bh_buf_slice(&t->pax);
	while (rest.len) {
		if (!take_record(&rest, &key, &value))
			return damaged(t, err, "bad record in a pax header");
		int rc = pax_record(t, key, value, &own, f, err);
		if (rc < 0)
			return rc;
	}
	return f->pair_open ? damaged(t, err, "bad sparse map") : 0;
}

/* ---- sparse files ---- */

/* Runs in order, without overlap, inside the file, and no longer than the body. */
static int check_runs(struct bh_tar *t, struct bh_err *err)
{
	uint64_t end = 0, total = 0;
	for (size_t i = 0; i < t->runs.len; i++) {
		struct run r = t->runs.ptr[i];
		if (r.offset < end || r.offset > t->size || r.len > t->size - r.offset)
			return damaged(t, err, "sparse map out of order");
		end = r.offset + r.len;
		total += r.len; /* <= end: no overflow */
	}
	if (total > t->body_left)
		return damaged(t, err, "sparse map longer than the data");
	t->sparse = true;
	return 0;
}

/* Offset and length in one of the `count` slots of an old GNU sparse block; an empty slot ends the map. */
static int old_sparse_slots(struct bh_tar *t, struct bh_slice slots, bool *ret_ended, struct bh_err *err)
{
	for (; slots.len >= 24; slots = bh_slice_sub(slots, 24, slots.len)) {
		int64_t offset, len;
		if (slots.ptr[0] == 0) {
			*ret_ended = true;
			return 0;
		}
		if (!parse_number(field(slots, 0, 12), &offset) || !parse_number(field(slots, 12, 12), &len) || offset < 0 || len < 0)
			return damaged(t, err, "bad sparse map");
		int rc = add_run(t, (uint64_t)offset, (uint64_t)len, err);
		if (rc < 0)
			return rc;
	}
	*ret_ended = false;
	return 0;
}

static int old_sparse(struct bh_tar *t, struct bh_slice header, struct bh_err *err)
{
	int64_t size;
	bool ended = false;
	if (!parse_number(field(header, 483, 12), &size) || size < 0)
		return damaged(t, err, "bad size of a sparse file");
	t->size = (uint64_t)size;
	bool more = field(header, 482, 1).ptr[0] != 0;
	int rc = old_sparse_slots(t, field(header, 386, 96), &ended, err);
	while (rc == 0 && more && !ended) {
		struct bh_slice block = { 0 };
		rc = take_block(t, &block, err);
		if (rc == 0 && block.len == 0)
			rc = truncated(t, err);
		if (rc == 0) {
			more = field(block, 504, 1).ptr[0] != 0;
			rc = old_sparse_slots(t, field(block, 0, 504), &ended, err);
		}
	}
	return rc;
}

/* GNU.sparse 0.1: "offset,length,offset,length" in a record. */
static int sparse_from_list(struct bh_tar *t, struct bh_slice list, struct bh_err *err)
{
	bool more = true;
	while (more) {
		struct bh_slice a, b;
		uint64_t offset, len;
		if (!bh_slice_cut(list, ',', &a, &list))
			return damaged(t, err, "bad sparse map");
		more = bh_slice_cut(list, ',', &b, &list);
		if (!bh_slice_u64(a, INT64_MAX, &offset) || !bh_slice_u64(b, INT64_MAX, &len))
			return damaged(t, err, "bad sparse map");
		int rc = add_run(t, offset, len, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Reads numbers, each with its newline, from whole blocks of the body. */
struct map_text {
	struct bh_slice block;
};

static int next_map_number(struct bh_tar *t, struct map_text *m, uint64_t *ret, struct bh_err *err)
{
	uint8_t digits[SPARSE_DIGITS_MAX];
	size_t len = 0;
	for (;;) {
		if (m->block.len == 0) {
			if (t->body_left < BLOCK_BYTES)
				return damaged(t, err, "sparse map without end");
			int rc = take_block(t, &m->block, err);
			if (rc < 0)
				return rc;
			if (m->block.len == 0)
				return truncated(t, err);
			t->body_left -= BLOCK_BYTES;
		}
		uint8_t c = m->block.ptr[0];
		m->block = bh_slice_sub(m->block, 1, m->block.len);
		if (c == '\n')
			break;
		if (len == sizeof(digits))
			return damaged(t, err, "bad sparse map");
		digits[len++] = c;
	}
	return bh_slice_u64((struct bh_slice){ digits, len }, INT64_MAX, ret) ? 0 : damaged(t, err, "bad sparse map");
}

/* GNU.sparse 1.0: count, then offset and length of each run, in front of the body, padded to whole blocks. */
static int sparse_from_body(struct bh_tar *t, struct bh_err *err)
{
	struct map_text m = { 0 };
	uint64_t count, offset, len;
	int rc = next_map_number(t, &m, &count, err);
	for (uint64_t i = 0; rc == 0 && i < count; i++) {
		rc = next_map_number(t, &m, &offset, err);
		if (rc == 0)
			rc = next_map_number(t, &m, &len, err);
		if (rc == 0)
			rc = add_run(t, offset, len, err);
	}
	return rc;
}

/* A regular file with GNU.sparse records in its pax header. Versions that nobody wrote yet are read as plain files, as by Go. */
static int pax_sparse(struct bh_tar *t, struct facts *f, struct bh_err *err)
{
	bool v1 = bh_slice_eq_str(f->sparse_major, "1") && bh_slice_eq_str(f->sparse_minor, "0");
	bool v0 = bh_slice_eq_str(f->sparse_major, "0") && (bh_slice_eq_str(f->sparse_minor, "0") || bh_slice_eq_str(f->sparse_minor, "1"));
	bool unversioned = f->sparse_major.len == 0 && f->sparse_minor.len == 0 && (f->sparse_map.len || f->sparse_pairs);
	if (!v1 && !v0 && !unversioned)
		return 0;
	if (f->sparse_name.len)
		f->name = f->sparse_name;
	t->size = f->body_bytes;
	if (f->sparse_size.len && !bh_slice_u64(f->sparse_size, INT64_MAX, &t->size))
		return damaged(t, err, "bad size of a sparse file");
	int rc = 0;
	if (v1)
		rc = sparse_from_body(t, err);
	else if (f->sparse_map.len)
		rc = sparse_from_list(t, f->sparse_map, err);
	return rc < 0 ? rc : check_runs(t, err);
}

/* ---- headers ---- */

/*
 * GNU headers have times where POSIX ones have the prefix. Docker before 1.13 (Go before 1.8) wrote GNU magic with a prefix:
 * when the times are no numbers, it is one.
 */
static struct bh_slice prefix_of(struct bh_slice block)
{
	int64_t ignored;
	bool posix = bh_slice_eq(field(block, 257, 6), BH_SLICE_LIT("ustar\0"));
	bool gnu = bh_slice_eq(field(block, 257, 8), BH_SLICE_LIT("ustar  \0"));
	if (posix && bh_slice_eq(field(block, 508, 4), BH_SLICE_LIT("tar\0")))
		return text_field(block, 345, 131); /* star: two times behind a shorter prefix */
	bool times = parse_number(field(block, 345, 12), &ignored) && parse_number(field(block, 357, 12), &ignored);
	if (posix || (gnu && !times))
		return text_field(block, 345, 155);
	return (struct bh_slice){ 0 };
}

static bool without_body(uint8_t type)
{
	return type >= '1' && type <= '6'; /* links, devices, folders, FIFOs */
}

/*
 * POSIX lets hard links carry data, older writers give them the size of what they link to and no data. Nothing in the
 * header tells which; but behind a link without data comes a header, or the end.
 */
static int link_has_body(struct bh_tar *t, bool *ret, struct bh_err *err)
{
	int rc = bh_feed_look(&t->feed, BLOCK_BYTES, err);
	if (rc == 0)
		*ret = t->feed.now.len >= BLOCK_BYTES && kind_of(t->feed.now) == BLOCK_BAD;
	return rc;
}

static enum bh_tar_type type_of(uint8_t type, struct bh_slice name)
{
	switch (type) {
	case '\0': return bh_slice_ends(name, BH_SLICE_LIT("/")) ? BH_TAR_DIR : BH_TAR_FILE; /* V7 knew no folders */
	case '1': return BH_TAR_HARDLINK;
	case '2': return BH_TAR_SYMLINK;
	case '5': return BH_TAR_DIR;
	case '3': /* character device */
	case '4': /* block device */
	case '6': /* FIFO */
	case 'D': /* GNU: list of a folder */
	case 'M': /* GNU: rest of a file of another volume */
	case 'N': /* GNU: list of renamings */
	case 'V': /* GNU: label of the volume */
		return BH_TAR_OTHER;
	default: return BH_TAR_FILE; /* POSIX: what is not known is a regular file */
	}
}

static int facts_of_header(const struct bh_tar *t, struct bh_slice block, struct facts *f, struct bh_err *err)
{
	int64_t size;
	if (!parse_number(field(block, 124, 12), &size) || size < 0)
		return damaged(t, err, "bad size");
	*f = (struct facts){
		.name = text_field(block, 0, 100),
		.link = text_field(block, 157, 100),
		.type = field(block, 156, 1).ptr[0],
		.body_bytes = (uint64_t)size,
		.mode = number_or_zero(field(block, 100, 8)),
		.uid = number_or_zero(field(block, 108, 8)),
		.gid = number_or_zero(field(block, 116, 8)),
		.mtime_s = number_or_zero(field(block, 136, 12)),
	};
	return 0;
}

/* Name and link move to buffers of their own: the block is gone with the next read. */
static int keep_names(struct bh_tar *t, struct facts *f, struct bh_slice prefix, struct bh_err *err)
{
	bh_buf_clear(&t->name);
	bh_buf_clear(&t->link);
	if (prefix.len) {
		bh_buf_add(&t->name, prefix);
		bh_buf_add_byte(&t->name, '/');
	}
	if (!bh_buf_add(&t->name, f->name) || !bh_buf_add(&t->link, f->link) || t->name.failed)
		return no_memory(err);
	f->name = bh_buf_slice(&t->name);
	f->link = bh_buf_slice(&t->link);
	return 0;
}

/* A real entry: the header block and what the special headers before it said. */
static int read_entry(struct bh_tar *t, struct bh_slice block, struct facts *f, struct bh_err *err)
{
	t->sparse = false;
	t->runs.len = 0;
	t->run = 0;
	t->pos = 0;
	int rc = keep_names(t, f, prefix_of(block), err);
	if (rc == 0 && f->type == 'S')
		rc = old_sparse(t, block, err); /* the last look at block: now it may be gone */
	if (rc == 0)
		rc = apply_pax(t, f, err);
	if (rc < 0)
		return rc;
	if (t->long_name.len)
		f->name = text_field(bh_buf_slice(&t->long_name), 0, t->long_name.len);
	if (t->long_link.len)
		f->link = text_field(bh_buf_slice(&t->long_link), 0, t->long_link.len);
	bool body = !without_body(f->type);
	if (f->type == '1' && f->body_bytes)
		rc = link_has_body(t, &body, err);
	set_body(t, body ? f->body_bytes : 0);
	if (rc == 0 && f->type == 'S')
		rc = check_runs(t, err);
	else if (rc == 0 && type_of(f->type, f->name) == BH_TAR_FILE)
		rc = pax_sparse(t, f, err);
	f->size_bytes = t->sparse ? t->size : t->body_left;
	return rc;
}

static int read_special_header(struct bh_tar *t, const struct facts *f, struct bh_err *err)
{
	switch (f->type) {
	case 'x':
	case 'X': /* Solaris */
		return read_special(t, f->body_bytes, &t->pax, err);
	case 'L': return read_special(t, f->body_bytes, &t->long_name, err);
	case 'K': return read_special(t, f->body_bytes, &t->long_link, err);
	default: /* 'g' */
		set_body(t, f->body_bytes);
		return skip_body(t, err);
	}
}

static bool is_special(uint8_t type)
{
	return type == 'x' || type == 'X' || type == 'g' || type == 'L' || type == 'K';
}

/* After one block of zeros: another one, or the end of the stream, ends the archive. */
static int read_end(struct bh_tar *t, struct bh_err *err)
{
	struct bh_slice block = { 0 };
	int rc = take_block(t, &block, err);
	if (rc < 0)
		return rc;
	if (block.len && kind_of(block) != BLOCK_ZERO)
		return damaged(t, err, "a single block of zeros");
	t->ended = true;
	return 0;
}

static int next_entry(struct bh_tar *t, struct facts *f, struct bh_err *err)
{
	int rc = skip_body(t, err);
	bool promised = false; /* a special header says that an entry follows */
	t->entry_start = bh_feed_offset(&t->feed);
	bh_buf_clear(&t->pax);
	bh_buf_clear(&t->long_name);
	bh_buf_clear(&t->long_link);
	while (rc == 0) {
		struct bh_slice block = { 0 };
		t->entry_offset = bh_feed_offset(&t->feed);
		rc = take_block(t, &block, err);
		if (rc < 0)
			return rc;
		if (block.len == 0 && promised) {
			t->entry_offset = t->entry_start;
			return truncated(t, err);
		}
		if (block.len == 0) {
			t->ended = true;
			return 0;
		}
		switch (kind_of(block)) {
		case BLOCK_ZERO: return read_end(t, err);
		case BLOCK_BAD:
			return t->entry_offset ? damaged(t, err, "no header") : bh_fail(err, BH_EMALFORMED, 0, "not a tar archive");
		case BLOCK_HEADER: break;
		}
		rc = facts_of_header(t, block, f, err);
		if (rc < 0)
			return rc;
		if (!is_special(f->type))
			return read_entry(t, block, f, err);
		promised |= f->type != 'g';
		rc = read_special_header(t, f, err);
	}
	return rc;
}

int bh_tar_next(struct bh_tar *t, struct bh_tar_entry *ret, struct bh_err *err)
{
	struct facts f = { 0 };
	if (t->broken.code == BH_OK && !t->ended && next_entry(t, &f, &t->broken) < 0)
		assert(t->broken.code != BH_OK);
	if (t->broken.code != BH_OK) {
		if (err)
			*err = t->broken;
		return t->broken.code;
	}
	if (t->ended)
		return 0;
	*ret = (struct bh_tar_entry){
		.name = f.name,
		.link = f.link,
		.type = type_of(f.type, f.name),
		.size_bytes = f.size_bytes,
		.mode = clamp_u32(f.mode & 07777),
		.uid = clamp_u32(f.uid),
		.gid = clamp_u32(f.gid),
		.mtime_s = f.mtime_s,
		.capability = f.capability,
		.start = t->entry_start,
		.offset = t->entry_offset,
		.end = bh_feed_offset(&t->feed) + t->body_left + t->pad_left,
		.content_offset = t->sparse ? UINT64_MAX : bh_feed_offset(&t->feed),
	};
	return 1;
}

/* ---- contents ---- */

static int read_body(struct bh_tar *t, uint64_t at_most, struct bh_slice *ret, struct bh_err *err)
{
	int rc = bh_feed_fill(&t->feed, err);
	if (rc < 0)
		return rc;
	if (t->feed.now.len == 0)
		return truncated(t, err);
	*ret = bh_feed_take(&t->feed, at_most < t->feed.now.len ? (size_t)at_most : t->feed.now.len);
	t->body_left -= ret->len;
	return 0;
}

static int read_sparse(struct bh_tar *t, struct bh_slice *ret, struct bh_err *err)
{
	static const uint8_t zeros[ZEROS_BYTES];
	const struct run *r = NULL;
	while (t->run < t->runs.len) {
		r = &t->runs.ptr[t->run];
		if (t->pos < r->offset + r->len)
			break;
		r = NULL;
		t->run++;
	}
	struct bh_slice got = { 0 };
	if (r && t->pos >= r->offset) {
		int rc = read_body(t, r->offset + r->len - t->pos, &got, err);
		if (rc < 0)
			return rc;
	} else {
		uint64_t hole = (r ? r->offset : t->size) - t->pos;
		got = (struct bh_slice){ zeros, hole < sizeof(zeros) ? (size_t)hole : sizeof(zeros) };
	}
	t->pos += got.len;
	*ret = got;
	return 0;
}

int bh_tar_read(struct bh_tar *t, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_slice got = { 0 };
	if (t->broken.code == BH_OK && t->sparse)
		(void)read_sparse(t, &got, &t->broken);
	else if (t->broken.code == BH_OK && t->body_left)
		(void)read_body(t, t->body_left, &got, &t->broken);
	if (t->broken.code != BH_OK) {
		if (err)
			*err = t->broken;
		return t->broken.code;
	}
	*ret = got;
	return 0;
}
