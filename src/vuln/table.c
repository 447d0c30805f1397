/* table.c: the small tables: all of them stand in one section, sorted by table, key and value, and are searched there. */
#include "vuln/file.h"

int vuln_db_entry(const struct vuln_db *db, uint32_t index, struct vuln_entry *ret, struct bh_err *err)
{
	struct bh_reader r;
	struct vuln_entry e = { 0 };
	int rc = vuln_item(db, VULN_ENTRIES, index, &r, err);
	uint64_t at = vuln_item_offset(db, VULN_ENTRIES, index);
	rc = rc < 0 ? rc : vuln_string(db, vuln_u32(&r), at, &e.table, err);
	rc = rc < 0 ? rc : vuln_string(db, vuln_u32(&r), at + 4, &e.key, err);
	rc = rc < 0 ? rc : vuln_string(db, vuln_u32(&r), at + 8, &e.value, err);
	if (rc < 0)
		return rc;
	e.source = vuln_u32(&r);
	rc = vuln_check_span(db, VULN_SOURCES, e.source, 1, at + 12, err);
	if (rc == 0)
		*ret = e;
	return rc;
}

/* The first entry that is not before (behind = false), or that is behind (table, key); without a key: (table, any key). */
static int bound(const struct vuln_db *db, struct bh_slice table, const struct bh_slice *key, bool behind, uint32_t *ret, struct bh_err *err)
{
	uint32_t lo = 0, hi = db->sections[VULN_ENTRIES].n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct vuln_entry e = { 0 };
		int rc = vuln_db_entry(db, mid, &e, err);
		if (rc < 0)
			return rc;
		int c = bh_slice_cmp(e.table, table);
		if (c == 0 && key)
			c = bh_slice_cmp(e.key, *key);
		if (c < 0 || (c == 0 && behind))
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret = lo;
	return 0;
}

static int span(const struct vuln_db *db, struct bh_slice table, const struct bh_slice *key, struct vuln_span *ret, struct bh_err *err)
{
	uint32_t first, end;
	int rc = bound(db, table, key, false, &first, err);
	rc = rc < 0 ? rc : bound(db, table, key, true, &end, err);
	if (rc == 0)
		*ret = (struct vuln_span){ first, end > first ? end - first : 0 };
	return rc;
}

int vuln_db_table(const struct vuln_db *db, struct bh_slice table, struct vuln_span *ret, struct bh_err *err)
{
	return span(db, table, NULL, ret, err);
}

int vuln_db_table_find(const struct vuln_db *db, struct bh_slice table, struct bh_slice key, struct vuln_span *ret, struct bh_err *err)
{
	return span(db, table, &key, ret, err);
}
