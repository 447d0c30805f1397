/*
 * db.c: what the items of a database mean: sources, ecosystems, packages and rows. advisory.c has advisories and exploitation
 * data, table.c the small tables.
 */
#include "vuln/file.h"

void vuln_db_totals(const struct vuln_db *db, struct vuln_db_totals *ret)
{
	const struct vuln_section *s = db->sections;
	*ret = (struct vuln_db_totals){ .bytes = db->bytes.len,
					.rows = s[VULN_ROWS].n,
					.packages = s[VULN_PACKAGES].n,
					.advisories = s[VULN_ADVISORIES].n,
					.ids = s[VULN_NAMES].n,
					.ecosystems = s[VULN_ECOSYSTEMS].n,
					.sources = s[VULN_SOURCES].n,
					.entries = s[VULN_ENTRIES].n,
					.epss = s[VULN_EPSS].n,
					.kev = s[VULN_KEV].n,
					.newest_day = VULN_NO_DAY };
	for (uint32_t i = 0; i < ret->sources; i++) {
		struct vuln_source source = { 0 };
		if (vuln_db_source(db, i, &source, NULL) == 0 && source.day > ret->newest_day)
			ret->newest_day = source.day;
	}
}

int vuln_db_source(const struct vuln_db *db, uint32_t index, struct vuln_source *ret, struct bh_err *err)
{
	struct bh_reader r;
	struct vuln_source s = { 0 };
	struct bh_slice *const texts[] = { &s.name, &s.feed, &s.url, &s.licence, &s.note };
	struct bh_slice sha256;
	int rc = vuln_item(db, VULN_SOURCES, index, &r, err);
	uint64_t at = vuln_item_offset(db, VULN_SOURCES, index);
	for (size_t i = 0; rc == 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
		rc = vuln_string(db, vuln_u32(&r), at, texts[i], err);
	if (rc < 0)
		return rc;
	s.day = (int32_t)vuln_u32(&r);
	s.records = vuln_u64(&r);
	s.precedence = vuln_u16(&r);
	s.flags = vuln_u16(&r);
	(void)vuln_u32(&r);
	if (bh_take(&r, sizeof(s.sha256), &sha256))
		memcpy(s.sha256, sha256.ptr, sizeof(s.sha256));
	*ret = s;
	return 0;
}

int vuln_ecosystem_item(const struct vuln_db *db, uint32_t index, struct vuln_ecosystem_item *ret, struct bh_err *err)
{
	struct bh_reader r;
	struct vuln_ecosystem_item e = { 0 };
	int rc = vuln_item(db, VULN_ECOSYSTEMS, index, &r, err);
	uint64_t at = vuln_item_offset(db, VULN_ECOSYSTEMS, index);
	rc = rc < 0 ? rc : vuln_string(db, vuln_u32(&r), at, &e.about.name, err);
	if (rc < 0)
		return rc;
	e.about.packages = vuln_u32(&r);
	e.about.rows = vuln_u32(&r);
	e.about.fixed_only = vuln_u32(&r) & VULN_ECOSYSTEM_FIXED_ONLY;
	e.first_package = vuln_u32(&r);
	e.first_bucket = vuln_u32(&r);
	rc = vuln_check_span(db, VULN_PACKAGES, e.first_package, e.about.packages, at, err);
	if (rc == 0)
		*ret = e;
	return rc;
}

int vuln_db_ecosystem(const struct vuln_db *db, uint32_t index, struct vuln_ecosystem *ret, struct bh_err *err)
{
	struct vuln_ecosystem_item e = { 0 };
	int rc = vuln_ecosystem_item(db, index, &e, err);
	if (rc == 0)
		*ret = e.about;
	return rc;
}

/* False in *ret_found, and 0, when there is none of this name. */
static int find_ecosystem(const struct vuln_db *db, struct bh_slice name, bool *ret_found, struct vuln_ecosystem_item *ret, struct bh_err *err)
{
	uint32_t lo = 0, hi = db->sections[VULN_ECOSYSTEMS].n;
	*ret_found = false;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int rc = vuln_ecosystem_item(db, mid, ret, err);
		if (rc < 0)
			return rc;
		int c = bh_slice_cmp(ret->about.name, name);
		if (c == 0) {
			*ret_found = true;
			return 0;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

int vuln_db_find_ecosystem(const struct vuln_db *db, struct bh_slice name, struct vuln_ecosystem *ret, struct bh_err *err)
{
	struct vuln_ecosystem_item e = { 0 };
	bool found;
	int rc = find_ecosystem(db, name, &found, &e, err);
	if (rc < 0)
		return rc;
	if (!found)
		return bh_fail(err, BH_ENOTFOUND, 0, "no data for %.*s", BH_SLICE_FMT(name));
	*ret = e.about;
	return 0;
}

/* ---- packages ---- */

int vuln_package_item(const struct vuln_db *db, uint32_t index, struct vuln_package_item *ret, struct bh_err *err)
{
	struct bh_reader r;
	int rc = vuln_item(db, VULN_PACKAGES, index, &r, err);
	if (rc < 0)
		return rc;
	ret->hash = vuln_u64(&r);
	ret->ecosystem = vuln_u32(&r);
	ret->name = vuln_u32(&r);
	ret->rows.first = vuln_u32(&r);
	ret->rows.n = vuln_u32(&r);
	return 0;
}

/* The names of a package, and that its rows are rows. */
static int package_of(const struct vuln_db *db, uint32_t index, const struct vuln_package_item *item, struct vuln_package *ret, struct bh_err *err)
{
	struct vuln_ecosystem e = { 0 };
	uint64_t at = vuln_item_offset(db, VULN_PACKAGES, index);
	int rc = vuln_db_ecosystem(db, item->ecosystem, &e, err);
	rc = rc < 0 ? rc : vuln_string(db, item->name, at, &ret->name, err);
	rc = rc < 0 ? rc : vuln_check_span(db, VULN_ROWS, item->rows.first, item->rows.n, at, err);
	if (rc < 0)
		return rc;
	ret->ecosystem = e.name;
	ret->rows = item->rows;
	return 0;
}

int vuln_db_package(const struct vuln_db *db, uint32_t index, struct vuln_package *ret, struct bh_err *err)
{
	struct vuln_package_item item = { 0 };
	struct vuln_package p = { 0 };
	int rc = vuln_package_item(db, index, &item, err);
	rc = rc < 0 ? rc : package_of(db, index, &item, &p, err);
	if (rc < 0)
		return rc;
	*ret = p;
	return 0;
}

/* The packages of an ecosystem whose hashes begin with the same bits. */
static int bucket(const struct vuln_db *db, const struct vuln_ecosystem_item *e, uint64_t hash, uint32_t *ret_first, uint32_t *ret_end,
		  struct bh_err *err)
{
	uint32_t index, place = vuln_bucket_of(hash, vuln_bucket_bits(e->about.packages));
	struct bh_reader first, end;
	if (__builtin_add_overflow(e->first_bucket, place, &index) || index == UINT32_MAX)
		return bh_fail(err, BH_EMALFORMED, db->sections[VULN_ECOSYSTEMS].offset, "no bucket %u behind %u", place, e->first_bucket);
	int rc = vuln_item(db, VULN_BUCKETS, index, &first, err);
	rc = rc < 0 ? rc : vuln_item(db, VULN_BUCKETS, index + 1, &end, err);
	if (rc < 0)
		return rc;
	*ret_first = vuln_u32(&first);
	*ret_end = vuln_u32(&end);
	if (*ret_first > *ret_end || *ret_first < e->first_package || *ret_end > e->first_package + e->about.packages)
		return bh_fail(err, BH_EMALFORMED, vuln_item_offset(db, VULN_BUCKETS, index), "bucket %u goes from %u to %u", index, *ret_first, *ret_end);
	return 0;
}

/* < 0 when package `index` stands before the one of this hash and name; 0: it is the one, and *ret its rows. */
static int compare_package(const struct vuln_db *db, uint32_t index, uint64_t hash, struct bh_slice name, int *ret_cmp, struct vuln_span *ret,
			   struct bh_err *err)
{
	struct vuln_package_item item = { 0 };
	struct bh_slice found = { 0 };
	int rc = vuln_package_item(db, index, &item, err);
	if (rc < 0)
		return rc;
	*ret_cmp = (item.hash > hash) - (item.hash < hash);
	if (*ret_cmp)
		return 0;
	uint64_t at = vuln_item_offset(db, VULN_PACKAGES, index);
	rc = vuln_string(db, item.name, at, &found, err);
	rc = rc < 0 ? rc : vuln_check_span(db, VULN_ROWS, item.rows.first, item.rows.n, at, err);
	if (rc < 0)
		return rc;
	*ret_cmp = bh_slice_cmp(found, name);
	if (*ret_cmp == 0)
		*ret = item.rows;
	return 0;
}

int vuln_db_find(const struct vuln_db *db, struct bh_slice ecosystem, struct bh_slice package, struct vuln_span *ret, struct bh_err *err)
{
	struct vuln_ecosystem_item e = { 0 };
	struct vuln_span none = { 0 };
	bool known;
	uint64_t hash = bh_slice_hash(package);
	uint32_t lo = 0, hi = 0;
	int cmp = 0, rc = find_ecosystem(db, ecosystem, &known, &e, err);
	if (rc == 0 && known)
		rc = bucket(db, &e, hash, &lo, &hi, err);
	while (rc == 0 && lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		rc = compare_package(db, mid, hash, package, &cmp, ret, err);
		if (rc == 0 && cmp == 0)
			return 0;
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (rc == 0)
		*ret = none;
	return rc;
}

/* ---- rows ---- */

/* Where a row comes from and whom it concerns; many rows share one. */
static int read_qualifier(const struct vuln_db *db, uint32_t index, struct vuln_row *row, struct bh_err *err)
{
	struct bh_reader r;
	int rc = vuln_item(db, VULN_QUALIFIERS, index, &r, err);
	if (rc < 0)
		return rc;
	uint64_t at = vuln_item_offset(db, VULN_QUALIFIERS, index);
	row->source = vuln_u32(&r);
	rc = vuln_check_span(db, VULN_SOURCES, row->source, 1, at, err);
	rc = rc < 0 ? rc : vuln_string(db, vuln_u32(&r), at, &row->erratum, err);
	rc = rc < 0 ? rc : vuln_string(db, vuln_u32(&r), at, &row->arch, err);
	return rc < 0 ? rc : vuln_string(db, vuln_u32(&r), at, &row->module, err);
}

int vuln_row_item(const struct vuln_db *db, enum vuln_section_index s, uint32_t index, struct vuln_row *ret, struct vuln_row_more *ret_more,
		  struct bh_err *err)
{
	struct bh_reader r;
	struct vuln_row row = { 0 };
	int rc = vuln_item(db, s, index, &r, err);
	if (rc < 0)
		return rc;
	uint64_t at = vuln_item_offset(db, s, index);
	if (s == VULN_HIDDEN)
		(void)vuln_u32(&r); /* the package */
	row.advisory = vuln_u32(&r);
	ret_more->qualifier = vuln_u32(&r);
	row.ranges_at = vuln_u32(&r);
	row.versions_at = vuln_u32(&r);
	row.n_ranges = vuln_u16(&r);
	row.n_versions = vuln_u16(&r);
	unsigned state = vuln_u8(&r);
	row.flags = vuln_u8(&r);
	ret_more->name = vuln_u16(&r);
	row.state = state & 15;
	row.severity = state >> 4;
	if (row.state > BH_STATE_UNDETERMINED || row.severity > BH_SEV_CRITICAL)
		return bh_fail(err, BH_EMALFORMED, at, "a row has state %u and severity %u", state & 15, state >> 4);
	rc = vuln_check_span(db, VULN_ADVISORIES, row.advisory, 1, at, err);
	rc = rc < 0 ? rc : vuln_check_span(db, VULN_RANGES, row.ranges_at, row.n_ranges, at, err);
	rc = rc < 0 ? rc : vuln_check_span(db, VULN_VERSIONS, row.versions_at, row.n_versions, at, err);
	rc = rc < 0 ? rc : read_qualifier(db, ret_more->qualifier, &row, err);
	if (rc == 0)
		*ret = row;
	return rc;
}

int vuln_db_row(const struct vuln_db *db, uint32_t index, struct vuln_row *ret, struct bh_err *err)
{
	struct vuln_row_more more = { 0 };
	return vuln_row_item(db, VULN_ROWS, index, ret, &more, err);
}

int vuln_db_range(const struct vuln_db *db, const struct vuln_row *row, uint32_t i, struct vuln_range *ret, struct bh_err *err)
{
	struct bh_reader r;
	struct vuln_range range = { 0 };
	if (i >= row->n_ranges)
		return bh_fail(err, BH_EMALFORMED, 0, "the row has no range %u of %u", i, row->n_ranges);
	int rc = vuln_item(db, VULN_RANGES, row->ranges_at + i, &r, err);
	if (rc < 0)
		return rc;
	uint64_t at = vuln_item_offset(db, VULN_RANGES, row->ranges_at + i);
	uint32_t start = vuln_u32(&r), end = vuln_u32(&r), kind = vuln_u32(&r);
	rc = vuln_string(db, start, at, &range.start, err);
	rc = rc < 0 ? rc : vuln_string(db, end, at + 4, &range.end, err);
	if (rc < 0)
		return rc;
	if (kind > VULN_END_LIMIT || (kind == VULN_END_NONE) != (range.end.len == 0))
		return bh_fail(err, BH_EMALFORMED, at + 8, "a range has an end of kind %u and %zu bytes", kind, range.end.len);
	range.kind = kind;
	*ret = range;
	return 0;
}

int vuln_db_version(const struct vuln_db *db, const struct vuln_row *row, uint32_t i, struct bh_slice *ret, struct bh_err *err)
{
	if (i >= row->n_versions)
		return bh_fail(err, BH_EMALFORMED, 0, "the row has no version %u of %u", i, row->n_versions);
	return vuln_string_item(db, VULN_VERSIONS, row->versions_at + i, ret, err);
}
