/* file.c: opening a database: header and section table are looked at, nothing else. See layout.h for the picture. */
#include "vuln/file.h"

const char vuln_section_letters[VULN_N_SECTIONS][5] = {
#define X(name, letters, bytes) letters,
	VULN_SECTIONS(X)
#undef X
};

const uint32_t vuln_section_item_bytes[VULN_N_SECTIONS] = {
#define X(name, letters, bytes) bytes,
	VULN_SECTIONS(X)
#undef X
};

struct header {
	uint64_t file_bytes;
	uint32_t sections;
};

struct table_item {
	struct bh_slice letters;
	uint32_t item_bytes;
	uint64_t offset, length;
};

static int read_header(struct bh_slice bytes, struct header *ret, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(bytes);
	struct bh_slice magic;
	uint16_t major, minor;
	if (!bh_take(&r, 4, &magic) || !bh_slice_eq_str(magic, VULN_MAGIC))
		return bh_fail(err, BH_EMALFORMED, 0, "this is not an advisory database: it does not begin with " VULN_MAGIC);
	if (!bh_take_u16le(&r, &major) || !bh_take_u16le(&r, &minor) || !bh_take_u64le(&r, &ret->file_bytes) || !bh_take_u32le(&r, &ret->sections) ||
	    bytes.len < VULN_HEADER_BYTES)
		return bh_fail(err, BH_ETRUNCATED, bytes.len, "the advisory database ends inside its header");
	if (major != VULN_FORMAT_MAJOR)
		return bh_fail(err, BH_EUNSUPPORTED, 4, "the advisory database has format %u.%u; this program reads %u.x", major, minor, VULN_FORMAT_MAJOR);
	if (ret->file_bytes > bytes.len)
		return bh_fail(err, BH_ETRUNCATED, bytes.len, "the advisory database ends after %zu of %llu bytes", bytes.len,
			       (unsigned long long)ret->file_bytes);
	if (ret->file_bytes < bytes.len)
		return bh_fail(err, BH_EMALFORMED, ret->file_bytes, "there are bytes behind the end of the advisory database");
	if (ret->sections > VULN_SECTIONS_MAX)
		return bh_fail(err, BH_ELIMIT, 16, "the advisory database has %u sections; the limit is %u", ret->sections, VULN_SECTIONS_MAX);
	if (ret->sections > (bytes.len - VULN_HEADER_BYTES) / VULN_TABLE_ITEM_BYTES)
		return bh_fail(err, BH_ETRUNCATED, bytes.len, "the advisory database ends inside its section table");
	return 0;
}

/* Unknown sections too: each lies behind the one before it, on its boundary, inside the file. */
static int read_table_item(struct bh_slice bytes, uint32_t index, uint64_t *end, struct table_item *ret, struct bh_err *err)
{
	size_t at = VULN_HEADER_BYTES + (size_t)index * VULN_TABLE_ITEM_BYTES;
	struct bh_reader r = bh_reader_of(bytes);
	if (!bh_seek(&r, at) || !bh_take(&r, 4, &ret->letters) || !bh_take_u32le(&r, &ret->item_bytes) || !bh_take_u64le(&r, &ret->offset) ||
	    !bh_take_u64le(&r, &ret->length))
		return bh_fail(err, BH_ETRUNCATED, bytes.len, "the advisory database ends inside its section table");
	if (ret->offset % VULN_ALIGN_BYTES || ret->offset < *end || ret->offset > bytes.len || ret->length > bytes.len - ret->offset)
		return bh_fail(err, BH_EMALFORMED, at, "section %u of the advisory database has no right place", index);
	if (ret->item_bytes == 0 || ret->item_bytes > VULN_ITEM_BYTES_MAX || ret->length % ret->item_bytes ||
	    ret->length / ret->item_bytes >= VULN_NO_INDEX)
		return bh_fail(err, BH_EMALFORMED, at + 4, "section %u of the advisory database has no whole number of items", index);
	*end = ret->offset + ret->length;
	return 0;
}

static int known_section(struct bh_slice letters)
{
	for (int s = 0; s < VULN_N_SECTIONS; s++)
		if (bh_slice_eq_str(letters, vuln_section_letters[s]))
			return s;
	return -1;
}

static int read_table(struct vuln_db *db, uint32_t sections, struct bh_err *err)
{
	uint64_t end = VULN_HEADER_BYTES + (uint64_t)sections * VULN_TABLE_ITEM_BYTES;
	for (uint32_t i = 0; i < sections; i++) {
		struct table_item t = { 0 };
		uint64_t at = VULN_HEADER_BYTES + (uint64_t)i * VULN_TABLE_ITEM_BYTES;
		int rc = read_table_item(db->bytes, i, &end, &t, err);
		if (rc < 0)
			return rc;
		int s = known_section(t.letters);
		if (s < 0)
			continue;
		if (db->sections[s].item_bytes)
			return bh_fail(err, BH_EMALFORMED, at, "section %s of the advisory database is there twice", vuln_section_letters[s]);
		bool text = vuln_section_item_bytes[s] == 1;
		if (t.item_bytes < vuln_section_item_bytes[s] || (text && t.item_bytes != 1))
			return bh_fail(err, BH_EMALFORMED, at + 4, "section %s of the advisory database has items of %u bytes", vuln_section_letters[s],
				       t.item_bytes);
		db->sections[s] = (struct vuln_section){ .bytes = bh_slice_sub(db->bytes, (size_t)t.offset, (size_t)t.length),
							 .offset = t.offset,
							 .item_bytes = t.item_bytes,
							 .n = (uint32_t)(t.length / t.item_bytes) };
	}
	if (end != db->bytes.len)
		return bh_fail(err, BH_EMALFORMED, end, "the advisory database goes on behind its last section");
	return 0;
}

static int check_sections(const struct vuln_db *db, struct bh_err *err)
{
	for (int s = 0; s < VULN_N_SECTIONS; s++)
		if (db->sections[s].item_bytes == 0)
			return bh_fail(err, BH_EMALFORMED, VULN_HEADER_BYTES, "the advisory database has no section %s", vuln_section_letters[s]);
	return 0;
}

int vuln_db_open(struct bh_slice bytes, struct vuln_db **ret, struct bh_err *err)
{
	struct header header = { 0 };
	int rc = read_header(bytes, &header, err);
	if (rc < 0)
		return rc;
	struct vuln_db *db = calloc(1, sizeof(*db));
	if (!db)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for an advisory database");
	db->bytes = bytes;
	rc = read_table(db, header.sections, err);
	rc = rc < 0 ? rc : check_sections(db, err);
	if (rc < 0) {
		free(db);
		return rc;
	}
	*ret = db;
	return 0;
}

void vuln_db_close(struct vuln_db *db)
{
	free(db);
}

int vuln_no_item(const struct vuln_db *db, enum vuln_section_index s, uint32_t index, struct bh_err *err)
{
	const struct vuln_section *section = &db->sections[s];
	return bh_fail(err, BH_EMALFORMED, section->offset, "%s has no item %u of %u", vuln_section_letters[s], index, section->n);
}

int vuln_no_span(const struct vuln_db *db, enum vuln_section_index s, uint32_t at, uint32_t n, uint64_t from, struct bh_err *err)
{
	return bh_fail(err, BH_EMALFORMED, from, "%u items of %s from %u on, which has %u", n, vuln_section_letters[s], at, db->sections[s].n);
}

int vuln_string_in(const struct vuln_db *db, enum vuln_section_index s, uint32_t ref, uint64_t from, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(db->sections[s].bytes);
	uint8_t short_len;
	uint16_t len;
	bool ok = bh_seek(&r, ref) && bh_take_u8(&r, &short_len);
	if (ok) {
		len = short_len;
		ok = (short_len != VULN_LONG_STRING || bh_take_u16le(&r, &len)) && bh_take(&r, len, ret);
	}
	return ok ? 0 : bh_fail(err, BH_EMALFORMED, from, "no string of %s at %u", vuln_section_letters[s], ref);
}

int vuln_string_item(const struct vuln_db *db, enum vuln_section_index s, uint32_t index, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_reader r;
	int rc = vuln_item(db, s, index, &r, err);
	return rc < 0 ? rc : vuln_string(db, vuln_u32(&r), vuln_item_offset(db, s, index), ret, err);
}
