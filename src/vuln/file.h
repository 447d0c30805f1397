/* file.h: inside of vuln/: the container of a database: sections, their items, strings. What items mean is db.c's. */
#ifndef BH_VULN_FILE_H
#define BH_VULN_FILE_H

#include "base/reader.h"
#include "vuln/db.h"
#include "vuln/layout.h"

struct vuln_section {
	struct bh_slice bytes;
	uint64_t offset;      /* in the file */
	uint32_t item_bytes;  /* at least what layout.h says */
	uint32_t n;           /* items */
};

struct vuln_db {
	struct bh_slice bytes;
	struct vuln_section sections[VULN_N_SECTIONS];
};

extern const char vuln_section_letters[VULN_N_SECTIONS][5];
extern const uint32_t vuln_section_item_bytes[VULN_N_SECTIONS];

/* The failures of the three below, which are inline because a scan calls them by the ten thousand. */
int vuln_no_item(const struct vuln_db *db, enum vuln_section_index s, uint32_t index, struct bh_err *err);
int vuln_no_span(const struct vuln_db *db, enum vuln_section_index s, uint32_t at, uint32_t n, uint64_t from, struct bh_err *err);

/* A reader over item `index`; its known fields are all there. */
static inline int vuln_item(const struct vuln_db *db, enum vuln_section_index s, uint32_t index, struct bh_reader *ret, struct bh_err *err)
{
	const struct vuln_section *section = &db->sections[s];
	*ret = (struct bh_reader){ 0 }; /* reads nothing but zeros */
	if (index >= section->n)
		return vuln_no_item(db, s, index, err);
	*ret = bh_reader_of(bh_slice_sub(section->bytes, (size_t)index * section->item_bytes, section->item_bytes));
	return 0;
}

/* Where it is in the file, for errors. */
static inline uint64_t vuln_item_offset(const struct vuln_db *db, enum vuln_section_index s, uint32_t index)
{
	return db->sections[s].offset + (uint64_t)index * db->sections[s].item_bytes;
}

/* Fails unless [at, at + n) are items of the section. `from` is the offset of the reference. */
static inline int vuln_check_span(const struct vuln_db *db, enum vuln_section_index s, uint32_t at, uint32_t n, uint64_t from, struct bh_err *err)
{
	uint32_t have = db->sections[s].n;
	return at > have || n > have - at ? vuln_no_span(db, s, at, n, from, err) : 0;
}

/* The string at `ref` of VULN_STRINGS or VULN_TEXT. */
int vuln_string_in(const struct vuln_db *db, enum vuln_section_index s, uint32_t ref, uint64_t from, struct bh_slice *ret, struct bh_err *err)
	BH_MUST_CHECK;

static inline int vuln_string(const struct vuln_db *db, uint32_t ref, uint64_t from, struct bh_slice *ret, struct bh_err *err)
{
	if (ref == 0) { /* "" by definition, and the most frequent one */
		*ret = (struct bh_slice){ 0 };
		return 0;
	}
	return vuln_string_in(db, VULN_STRINGS, ref, from, ret, err);
}

/* The string that item `index` of a section of references (versions, aliases, CVSS) names. */
int vuln_string_item(const struct vuln_db *db, enum vuln_section_index s, uint32_t index, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;

/* Fields of an item. vuln_item has made sure that they are there; a read beyond would give 0. */
static inline uint8_t vuln_u8(struct bh_reader *r)
{
	uint8_t v = 0;
	(void)bh_take_u8(r, &v);
	return v;
}

static inline uint16_t vuln_u16(struct bh_reader *r)
{
	uint16_t v = 0;
	(void)bh_take_u16le(r, &v);
	return v;
}

static inline uint32_t vuln_u32(struct bh_reader *r)
{
	uint32_t v = 0;
	(void)bh_take_u32le(r, &v);
	return v;
}

static inline uint64_t vuln_u64(struct bh_reader *r)
{
	uint64_t v = 0;
	(void)bh_take_u64le(r, &v);
	return v;
}

/* ---- items that more than one file reads ---- */

struct vuln_ecosystem_item {
	struct vuln_ecosystem about;
	uint32_t first_package, first_bucket;
};
int vuln_ecosystem_item(const struct vuln_db *db, uint32_t index, struct vuln_ecosystem_item *ret, struct bh_err *err) BH_MUST_CHECK;

struct vuln_package_item {
	uint64_t hash;
	uint32_t ecosystem, name; /* item of ECOS; string */
	struct vuln_span rows;
};
int vuln_package_item(const struct vuln_db *db, uint32_t index, struct vuln_package_item *ret, struct bh_err *err) BH_MUST_CHECK;

/* What only the maker of the next database needs of a row and an advisory. */
struct vuln_row_more {
	uint32_t qualifier;
	uint16_t name; /* the source's id for it: 0 = the advisory's id, i = its alias i - 1 */
};
/* A row in ROWS, or the one of an item of HIDDEN. */
int vuln_row_item(const struct vuln_db *db, enum vuln_section_index s, uint32_t index, struct vuln_row *ret, struct vuln_row_more *ret_more,
		  struct bh_err *err) BH_MUST_CHECK;

/* An item of ADVISORIES or FACTS, which look alike. */
int vuln_advisory_item(const struct vuln_db *db, enum vuln_section_index s, uint32_t index, struct vuln_advisory *ret, uint16_t *ret_source,
		       struct bh_err *err) BH_MUST_CHECK;

struct vuln_kev_item {
	uint32_t cve;
	int32_t day;
	uint16_t source, flags;
};
struct vuln_epss_item {
	uint32_t cve;
	int32_t day;
	uint16_t score, percentile, source;
};
int vuln_kev_item(const struct vuln_db *db, uint32_t index, struct vuln_kev_item *ret, struct bh_err *err) BH_MUST_CHECK;
int vuln_epss_item(const struct vuln_db *db, uint32_t index, struct vuln_epss_item *ret, struct bh_err *err) BH_MUST_CHECK;

/* ---- ids ---- */

/* "CVE-2024-1234" by its looks; not all of them can be packed. */
bool vuln_is_cve(struct bh_slice id);

/* "CVE-2024-1234" and its NUL. Returns out. */
const char *vuln_cve_text(uint32_t packed, char out[24]);

#endif
