/* rpm_header.c: see rpm_header.h. */
#include "format/rpm_header.h"

#define INDEX_ENTRIES_MAX 0xffffu       /* rpm's own limit (hdrchkTags) */
#define DATA_BYTES_MAX 0x0fffffffu      /* rpm's own limit (hdrchkData) */
#define ENTRY_BYTES 16u

enum { TYPE_NULL, TYPE_CHAR, TYPE_INT8, TYPE_INT16, TYPE_INT32, TYPE_INT64, TYPE_STRING, TYPE_BIN, TYPE_STRING_ARRAY, TYPE_I18NSTRING };

struct entry {
	uint32_t tag, type, offset, count;
};

/* Smallest size of one item of a type: strings have at least their NUL. */
static const uint8_t item_bytes[] = { 0, 1, 1, 2, 4, 8, 1, 1, 1, 1 };

static bool take_entry(struct bh_reader *r, struct entry *e)
{
	return bh_take_u32be(r, &e->tag) && bh_take_u32be(r, &e->type) && bh_take_u32be(r, &e->offset) && bh_take_u32be(r, &e->count);
}

static int check_entries(const struct bh_rpm_header *h, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(h->index);
	struct entry e;
	for (size_t at = r.pos; take_entry(&r, &e); at = r.pos) {
		/* A region's offset points at its trailer, and may be negative in what rpm 4.0 wrote: nothing reads it here. */
		if (e.tag < 64)
			continue;
		if (e.type >= sizeof(item_bytes) || e.offset > h->data.len || (uint64_t)e.count * item_bytes[e.type] > h->data.len - e.offset)
			return bh_fail(err, BH_EMALFORMED, 8 + at, "rpm header: tag %u points outside the header", e.tag);
	}
	return 0;
}

int bh_rpm_header_open(struct bh_slice blob, struct bh_rpm_header *ret, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(blob);
	struct bh_rpm_header h;
	uint32_t n, data_len;
	if (!bh_take_u32be(&r, &n) || !bh_take_u32be(&r, &data_len))
		return bh_fail(err, BH_ETRUNCATED, 0, "rpm header: %zu bytes are too few", blob.len);
	if (n == 0 || n > INDEX_ENTRIES_MAX || data_len > DATA_BYTES_MAX)
		return bh_fail(err, BH_EMALFORMED, 0, "rpm header: %u tags, %u bytes of data", n, data_len);
	if (!bh_take(&r, (size_t)n * ENTRY_BYTES, &h.index) || !bh_take(&r, data_len, &h.data))
		return bh_fail(err, BH_ETRUNCATED, blob.len, "rpm header: %u tags and %u bytes of data do not fit into %zu bytes", n, data_len,
			       blob.len);
	int rc = check_entries(&h, err);
	if (rc == 0)
		*ret = h;
	return rc;
}

static bool find(const struct bh_rpm_header *h, enum bh_rpm_tag tag, struct entry *ret)
{
	struct bh_reader r = bh_reader_of(h->index);
	struct entry e;
	bool found = false;
	while (take_entry(&r, &e))
		if (e.tag == (uint32_t)tag) {
			*ret = e;
			found = true;
		}
	return found;
}

bool bh_rpm_header_strings(const struct bh_rpm_header *h, enum bh_rpm_tag tag, struct bh_rpm_strings *ret)
{
	struct entry e;
	if (!find(h, tag, &e) || e.count == 0 || (e.type != TYPE_STRING && e.type != TYPE_STRING_ARRAY && e.type != TYPE_I18NSTRING))
		return false;
	ret->r = bh_reader_of(bh_slice_sub(h->data, e.offset, h->data.len));
	ret->left = e.type == TYPE_STRING ? 1 : e.count;
	return true;
}

bool bh_rpm_strings_next(struct bh_rpm_strings *s, struct bh_slice *ret)
{
	struct bh_slice rest;
	if (s->left == 0 || !bh_peek(&s->r, bh_reader_left(&s->r), &rest))
		return false;
	size_t len = bh_slice_find(rest, '\0');
	if (len == rest.len)
		return false; /* the last string of the header is not ended */
	s->left--;
	*ret = bh_slice_sub(rest, 0, len);
	return bh_skip(&s->r, len + 1);
}

bool bh_rpm_header_string(const struct bh_rpm_header *h, enum bh_rpm_tag tag, struct bh_slice *ret)
{
	struct bh_rpm_strings s;
	return bh_rpm_header_strings(h, tag, &s) && bh_rpm_strings_next(&s, ret);
}

bool bh_rpm_header_numbers(const struct bh_rpm_header *h, enum bh_rpm_tag tag, struct bh_rpm_numbers *ret)
{
	struct entry e;
	if (!find(h, tag, &e) || e.type != TYPE_INT32)
		return false;
	ret->r = bh_reader_of(bh_slice_sub(h->data, e.offset, (size_t)e.count * 4));
	ret->left = e.count;
	return true;
}

bool bh_rpm_numbers_next(struct bh_rpm_numbers *n, uint32_t *ret)
{
	if (n->left == 0 || !bh_take_u32be(&n->r, ret))
		return false;
	n->left--;
	return true;
}
