/*
 * verify.c: whether a database is sound, for when it is installed: checksums, then every reference and every order that
 * lookups rely on. What passes here gives no BH_EMALFORMED later. Sections that this program does not know are hashed only.
 */
#include "crypto/digest.h"
#include "vuln/file.h"

struct check {
	const struct vuln_db *db;
	uint32_t aliases;   /* checked so far: each run begins where the one before ended */
	uint8_t *starts[2]; /* one bit per byte of VULN_STRINGS and VULN_TEXT: a string begins here */
	struct bh_err *err;
};

/* ---- checksums ---- */

static int compare_digest(struct bh_hasher *h, struct bh_slice expected, uint64_t at, const char *what, struct bh_err *err)
{
	struct bh_digest d;
	bh_hasher_finish(h, &d);
	bh_hasher_reset(h);
	if (d.kind == BH_DIGEST_SHA256 && bh_slice_eq(expected, (struct bh_slice){ d.bytes, 32 }))
		return 0;
	return bh_fail(err, BH_EMISMATCH, at, "the advisory database is damaged: %s does not match its checksum", what);
}

static int check_head(struct bh_slice bytes, size_t head_bytes, struct bh_hasher *h, struct bh_err *err)
{
	const uint8_t zeros[32] = { 0 };
	bh_hasher_update(h, bh_slice_sub(bytes, 0, VULN_HEADER_SHA_AT));
	bh_hasher_update(h, (struct bh_slice){ zeros, sizeof(zeros) });
	bh_hasher_update(h, bh_slice_sub(bytes, VULN_HEADER_BYTES, head_bytes - VULN_HEADER_BYTES));
	return compare_digest(h, bh_slice_sub(bytes, VULN_HEADER_SHA_AT, 32), 0, "its head", err);
}

static int check_gap(struct bh_slice bytes, uint64_t from, uint64_t to, struct bh_err *err)
{
	for (uint64_t i = from; i < to; i++)
		if (bytes.ptr[i])
			return bh_fail(err, BH_EMALFORMED, i, "the advisory database has something between two sections");
	return 0;
}

/* vuln_db_open has seen that the table and all its sections lie inside the file, one behind the other. */
static int check_digests(struct bh_slice bytes, struct bh_hasher *h, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(bytes);
	uint32_t sections = 0;
	if (!bh_seek(&r, 16) || !bh_take_u32le(&r, &sections))
		return bh_fail(err, BH_ETRUNCATED, bytes.len, "the advisory database has no head");
	uint64_t end = VULN_HEADER_BYTES + (uint64_t)sections * VULN_TABLE_ITEM_BYTES;
	int rc = check_head(bytes, (size_t)end, h, err);
	for (uint32_t i = 0; rc == 0 && i < sections; i++) {
		struct bh_slice letters = { 0 }, sha256 = { 0 };
		uint64_t offset = 0, length = 0, at = VULN_HEADER_BYTES + (uint64_t)i * VULN_TABLE_ITEM_BYTES;
		char what[32];
		if (!bh_seek(&r, (size_t)at) || !bh_take(&r, 4, &letters) || !bh_skip(&r, 4) || !bh_take_u64le(&r, &offset) ||
		    !bh_take_u64le(&r, &length) || !bh_skip(&r, 8) || !bh_take(&r, 32, &sha256))
			return bh_fail(err, BH_ETRUNCATED, bytes.len, "the advisory database ends inside its section table");
		(void)snprintf(what, sizeof(what), "section %.*s", BH_SLICE_FMT(letters));
		rc = check_gap(bytes, end, offset, err);
		bh_hasher_update(h, bh_slice_sub(bytes, (size_t)offset, (size_t)length));
		rc = rc < 0 ? rc : compare_digest(h, sha256, offset, what, err);
		end = offset + length;
	}
	return rc;
}

static int check_checksums(struct check *c)
{
	struct bh_hasher *h = NULL;
	int rc = bh_hasher_new(BH_DIGEST_SHA256, &h, c->err);
	rc = rc < 0 ? rc : check_digests(c->db->bytes, h, c->err);
	bh_hasher_free(h);
	return rc;
}

/* ---- strings ---- */

static uint32_t count(const struct check *c, enum vuln_section_index s)
{
	return c->db->sections[s].n;
}

static int bad(struct check *c, enum vuln_section_index s, uint32_t index, const char *what)
{
	return bh_fail(c->err, BH_EMALFORMED, vuln_item_offset(c->db, s, index), "item %u of %s %s", index, vuln_section_letters[s], what);
}

/* One behind the other to the end, each as short as can be, the first one empty. */
static int check_strings(struct check *c, enum vuln_section_index s, uint8_t **ret_starts)
{
	const struct vuln_section *section = &c->db->sections[s];
	struct bh_reader r = bh_reader_of(section->bytes);
	struct bh_slice text = { 0 };
	uint8_t *starts = calloc(section->n / 8 + 1, 1);
	*ret_starts = starts;
	if (!starts)
		return bh_fail(c->err, BH_ENOMEM, 0, "out of memory for checking an advisory database");
	if (section->n == 0 || section->bytes.ptr[0] != 0)
		return bh_fail(c->err, BH_EMALFORMED, section->offset, "%s does not begin with the empty string", vuln_section_letters[s]);
	while (bh_reader_left(&r)) {
		size_t at = r.pos;
		uint8_t short_len = 0;
		(void)bh_take_u8(&r, &short_len);
		uint16_t len = short_len;
		if ((short_len == VULN_LONG_STRING && (!bh_take_u16le(&r, &len) || len < VULN_LONG_STRING)) || !bh_take(&r, len, &text))
			return bh_fail(c->err, BH_EMALFORMED, section->offset + at, "a string of %s has a wrong length", vuln_section_letters[s]);
		starts[at / 8] |= (uint8_t)(1u << (at % 8));
	}
	return 0;
}

/* A reference must be to the beginning of a string; string_in has seen that it is inside the section. */
static int check_ref_in(struct check *c, enum vuln_section_index s, uint32_t ref, uint64_t from, struct bh_slice *ret)
{
	const uint8_t *starts = c->starts[s == VULN_TEXT];
	int rc = vuln_string_in(c->db, s, ref, from, ret, c->err);
	if (rc == 0 && !(starts[ref / 8] >> (ref % 8) & 1))
		rc = bh_fail(c->err, BH_EMALFORMED, from, "a reference into the middle of a string of %s", vuln_section_letters[s]);
	return rc;
}

/* The next field of an item is a string. */
static int check_ref(struct check *c, struct bh_reader *item, enum vuln_section_index s, uint32_t index, struct bh_slice *ret)
{
	return check_ref_in(c, VULN_STRINGS, vuln_u32(item), vuln_item_offset(c->db, s, index), ret);
}

/* Sections that are nothing but references. */
static int check_refs(struct check *c, enum vuln_section_index s)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < count(c, s); i++) {
		struct bh_reader r;
		struct bh_slice text = { 0 };
		rc = vuln_item(c->db, s, i, &r, c->err);
		rc = rc < 0 ? rc : check_ref(c, &r, s, i, &text);
	}
	return rc;
}

/* ---- sources, ecosystems, packages ---- */

static int check_sources(struct check *c)
{
	struct vuln_source s = { 0 }, last = { 0 };
	for (uint32_t i = 0; i < count(c, VULN_SOURCES); i++) {
		struct bh_reader r;
		struct bh_slice text = { 0 };
		int rc = vuln_item(c->db, VULN_SOURCES, i, &r, c->err);
		for (int k = 0; rc == 0 && k < 5; k++)
			rc = check_ref(c, &r, VULN_SOURCES, i, &text);
		rc = rc < 0 ? rc : vuln_db_source(c->db, i, &s, c->err);
		if (rc < 0)
			return rc;
		if (bh_slice_cmp(last.name, s.name) >= 0)
			return bad(c, VULN_SOURCES, i, "has no name, or not the next one");
		last = s;
	}
	return 0;
}

/* Sorted by name; packages and buckets of one behind those of the one before. */
static int check_ecosystems(struct check *c)
{
	struct vuln_ecosystem_item e = { 0 };
	struct bh_slice name = { 0 }, last = { 0 };
	uint64_t packages = 0, buckets = 0;
	for (uint32_t i = 0; i < count(c, VULN_ECOSYSTEMS); i++) {
		struct bh_reader r;
		int rc = vuln_item(c->db, VULN_ECOSYSTEMS, i, &r, c->err);
		rc = rc < 0 ? rc : check_ref(c, &r, VULN_ECOSYSTEMS, i, &name);
		rc = rc < 0 ? rc : vuln_ecosystem_item(c->db, i, &e, c->err);
		if (rc < 0)
			return rc;
		if (bh_slice_cmp(last, name) >= 0)
			return bad(c, VULN_ECOSYSTEMS, i, "has no name, or not the next one");
		if (e.first_package != packages || e.first_bucket != buckets || e.about.packages == 0)
			return bad(c, VULN_ECOSYSTEMS, i, "has not the next packages");
		packages += e.about.packages;
		buckets += (1ull << vuln_bucket_bits(e.about.packages)) + 1;
		last = name;
	}
	if (packages != count(c, VULN_PACKAGES) || buckets != count(c, VULN_BUCKETS))
		return bh_fail(c->err, BH_EMALFORMED, c->db->sections[VULN_PACKAGES].offset, "there are packages or buckets of no ecosystem");
	return 0;
}

static int check_row(struct check *c, enum vuln_section_index s, uint32_t index, struct vuln_row *ret, struct vuln_advisory *ret_advisory)
{
	struct vuln_row_more more = { 0 };
	int rc = vuln_row_item(c->db, s, index, ret, &more, c->err);
	rc = rc < 0 ? rc : vuln_db_advisory(c->db, ret->advisory, ret_advisory, c->err);
	if (rc == 0 && more.name > ret_advisory->n_aliases)
		rc = bad(c, s, index, "has no id");
	return rc;
}

/* Rows stand by the ids of their advisories. */
static int check_rows(struct check *c, const struct vuln_package *p, uint32_t *ret_open)
{
	struct vuln_advisory a = { 0 }, last = { 0 };
	*ret_open = 0;
	for (uint32_t i = 0; i < p->rows.n; i++) {
		struct vuln_row row = { 0 };
		struct vuln_source source = { 0 };
		int rc = check_row(c, VULN_ROWS, p->rows.first + i, &row, &a);
		rc = rc < 0 ? rc : vuln_db_source(c->db, row.source, &source, c->err);
		if (rc < 0)
			return rc;
		if (bh_slice_cmp(last.id, a.id) > 0)
			return bad(c, VULN_ROWS, p->rows.first + i, "is out of order");
		last = a;
		*ret_open += !(source.flags & VULN_SOURCE_FIXED_ONLY);
	}
	return 0;
}

/* The packages of one ecosystem, its counts and its buckets. *rows: how many there were so far. */
static int check_packages_of(struct check *c, uint32_t ecosystem, const struct vuln_ecosystem_item *e, uint32_t *rows)
{
	struct vuln_package_item item = { 0 }, last_item = { 0 };
	struct vuln_package p = { 0 }, last = { 0 };
	uint32_t first_row = *rows, open_rows = 0, open_here;
	for (uint32_t i = e->first_package; i < e->first_package + e->about.packages; i++) {
		struct bh_slice name = { 0 };
		int rc = vuln_package_item(c->db, i, &item, c->err);
		rc = rc < 0 ? rc : check_ref_in(c, VULN_STRINGS, item.name, vuln_item_offset(c->db, VULN_PACKAGES, i), &name);
		rc = rc < 0 ? rc : vuln_db_package(c->db, i, &p, c->err);
		if (rc < 0)
			return rc;
		bool behind = item.hash > last_item.hash || (item.hash == last_item.hash && bh_slice_cmp(last.name, p.name) < 0);
		if (item.ecosystem != ecosystem || item.hash != bh_slice_hash(p.name) || (i > e->first_package && !behind))
			return bad(c, VULN_PACKAGES, i, "is out of order");
		if (p.rows.first != *rows || p.rows.n == 0 || p.name.len == 0)
			return bad(c, VULN_PACKAGES, i, "has no name, or not the next rows");
		rc = check_rows(c, &p, &open_here);
		if (rc < 0)
			return rc;
		*rows += p.rows.n;
		open_rows += open_here;
		last_item = item;
		last = p;
	}
	if (e->about.rows != *rows - first_row || e->about.fixed_only != (open_rows == 0))
		return bad(c, VULN_ECOSYSTEMS, ecosystem, "counts wrongly");
	return 0;
}

static int check_buckets_of(struct check *c, const struct vuln_ecosystem_item *e)
{
	unsigned bits = vuln_bucket_bits(e->about.packages);
	uint32_t place = e->first_package, end = e->first_package + e->about.packages;
	for (uint32_t i = 0; i <= 1u << bits; i++) {
		struct bh_reader r;
		struct vuln_package_item item = { 0 };
		int rc = vuln_item(c->db, VULN_BUCKETS, e->first_bucket + i, &r, c->err);
		for (; rc == 0 && place < end; place++) {
			rc = vuln_package_item(c->db, place, &item, c->err);
			if (rc == 0 && i < 1u << bits && vuln_bucket_of(item.hash, bits) >= i)
				break;
		}
		if (rc < 0)
			return rc;
		if (vuln_u32(&r) != place)
			return bad(c, VULN_BUCKETS, e->first_bucket + i, "begins elsewhere");
	}
	return 0;
}

static int check_packages(struct check *c)
{
	uint32_t rows = 0;
	for (uint32_t i = 0; i < count(c, VULN_ECOSYSTEMS); i++) {
		struct vuln_ecosystem_item e = { 0 };
		int rc = vuln_ecosystem_item(c->db, i, &e, c->err);
		rc = rc < 0 ? rc : check_packages_of(c, i, &e, &rows);
		rc = rc < 0 ? rc : check_buckets_of(c, &e);
		if (rc < 0)
			return rc;
	}
	if (rows != count(c, VULN_ROWS))
		return bad(c, VULN_ROWS, rows, "belongs to no package");
	return 0;
}

static int check_hidden(struct check *c)
{
	struct vuln_advisory a = { 0 }, last = { 0 };
	uint32_t last_package = 0;
	for (uint32_t i = 0; i < count(c, VULN_HIDDEN); i++) {
		struct bh_reader r;
		struct vuln_row row = { 0 };
		int rc = vuln_item(c->db, VULN_HIDDEN, i, &r, c->err);
		uint32_t package = rc < 0 ? 0 : vuln_u32(&r);
		rc = rc < 0 ? rc : vuln_check_span(c->db, VULN_PACKAGES, package, 1, vuln_item_offset(c->db, VULN_HIDDEN, i), c->err);
		rc = rc < 0 ? rc : check_row(c, VULN_HIDDEN, i, &row, &a);
		if (rc < 0)
			return rc;
		if (package < last_package || (package == last_package && bh_slice_cmp(last.id, a.id) > 0))
			return bad(c, VULN_HIDDEN, i, "is out of order");
		last_package = package;
		last = a;
	}
	return 0;
}

static int check_qualifiers(struct check *c)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < count(c, VULN_QUALIFIERS); i++) {
		struct bh_reader r;
		struct bh_slice text = { 0 };
		rc = vuln_item(c->db, VULN_QUALIFIERS, i, &r, c->err);
		rc = rc < 0 ? rc : vuln_check_span(c->db, VULN_SOURCES, vuln_u32(&r), 1, vuln_item_offset(c->db, VULN_QUALIFIERS, i), c->err);
		for (int k = 0; rc == 0 && k < 3; k++)
			rc = check_ref(c, &r, VULN_QUALIFIERS, i, &text);
	}
	return rc;
}

static int check_ranges(struct check *c)
{
	const struct vuln_row all = { .n_ranges = count(c, VULN_RANGES) };
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < all.n_ranges; i++) {
		struct bh_reader r;
		struct bh_slice text = { 0 };
		struct vuln_range range = { 0 };
		rc = vuln_item(c->db, VULN_RANGES, i, &r, c->err);
		rc = rc < 0 ? rc : check_ref(c, &r, VULN_RANGES, i, &text);
		rc = rc < 0 ? rc : check_ref(c, &r, VULN_RANGES, i, &text);
		rc = rc < 0 ? rc : vuln_db_range(c->db, &all, i, &range, c->err);
	}
	return rc;
}

/* ---- advisories and their names ---- */

/* Aliases in byte order, without repeats, none of them the id. */
static int check_aliases(struct check *c, enum vuln_section_index s, uint32_t index, const struct vuln_advisory *a)
{
	struct bh_slice alias = { 0 }, last = { 0 };
	if (a->n_aliases && a->aliases_at != c->aliases)
		return bad(c, s, index, "has not the next aliases");
	c->aliases += a->n_aliases;
	for (uint32_t i = 0; i < a->n_aliases; i++) {
		int rc = vuln_db_alias(c->db, a, i, &alias, c->err);
		if (rc < 0)
			return rc;
		/* Facts list their names by preference, so only repeats beside each other are seen there. */
		if (s == VULN_FACTS ? bh_slice_eq(last, alias) : bh_slice_cmp(last, alias) >= 0 || bh_slice_eq(alias, a->id))
			return bad(c, s, index, "has aliases out of order");
		last = alias;
	}
	return 0;
}

static int check_advisories(struct check *c, enum vuln_section_index s, uint64_t *ret_names)
{
	struct vuln_advisory a = { 0 };
	*ret_names = 0;
	for (uint32_t i = 0; i < count(c, s); i++) {
		uint16_t source;
		struct bh_reader r;
		struct bh_slice text = { 0 };
		int rc = vuln_advisory_item(c->db, s, i, &a, &source, c->err);
		rc = rc < 0 ? rc : vuln_item(c->db, s, i, &r, c->err);
		rc = rc < 0 ? rc : check_ref(c, &r, s, i, &text);
		rc = rc < 0 ? rc : check_ref_in(c, VULN_TEXT, a.title_at, vuln_item_offset(c->db, s, i), &text);
		rc = rc < 0 ? rc : check_aliases(c, s, i, &a);
		if (rc < 0)
			return rc;
		if (a.id.len == 0)
			return bad(c, s, i, "has no id");
		if (source >= count(c, VULN_SOURCES) && (s == VULN_FACTS || source != VULN_NO_SOURCE))
			return bad(c, s, i, "has no source");
		*ret_names += 1 + (uint64_t)a.n_aliases;
	}
	return 0;
}

static int has_name(struct check *c, const struct vuln_advisory *a, struct bh_slice name, bool *ret)
{
	uint32_t lo = 0, hi = a->n_aliases;
	*ret = bh_slice_eq(a->id, name);
	while (!*ret && lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct bh_slice alias = { 0 };
		int rc = vuln_db_alias(c->db, a, mid, &alias, c->err);
		if (rc < 0)
			return rc;
		int cmp = bh_slice_cmp(alias, name);
		*ret = cmp == 0;
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

/* Names are distinct, each is one of its advisory's, and there are as many as advisories have: so all of them are here. */
static int check_names(struct check *c, uint64_t expected)
{
	struct bh_slice name = { 0 }, last = { 0 };
	for (uint32_t i = 0; i < count(c, VULN_NAMES); i++) {
		struct bh_reader r;
		struct vuln_advisory a = { 0 };
		bool found = false;
		int rc = vuln_item(c->db, VULN_NAMES, i, &r, c->err);
		rc = rc < 0 ? rc : check_ref(c, &r, VULN_NAMES, i, &name);
		rc = rc < 0 ? rc : vuln_db_advisory(c->db, vuln_u32(&r), &a, c->err);
		rc = rc < 0 ? rc : has_name(c, &a, name, &found);
		if (rc < 0)
			return rc;
		if (!found || bh_slice_cmp(last, name) >= 0)
			return bad(c, VULN_NAMES, i, "is out of order, or another advisory's");
		last = name;
	}
	if (expected != count(c, VULN_NAMES))
		return bh_fail(c->err, BH_EMALFORMED, c->db->sections[VULN_NAMES].offset, "NAME has %u names of %llu", count(c, VULN_NAMES),
			       (unsigned long long)expected);
	return 0;
}

/* ---- exploitation and tables ---- */

static int check_exploitation(struct check *c)
{
	uint32_t last = 0;
	for (uint32_t i = 0; i < count(c, VULN_KEV); i++) {
		struct vuln_kev_item k = { 0 };
		int rc = vuln_kev_item(c->db, i, &k, c->err);
		if (rc < 0)
			return rc;
		if (k.cve < last || k.source >= count(c, VULN_SOURCES))
			return bad(c, VULN_KEV, i, "is out of order, or has no source");
		last = k.cve;
	}
	last = 0;
	for (uint32_t i = 0; i < count(c, VULN_EPSS); i++) {
		struct vuln_epss_item e = { 0 };
		int rc = vuln_epss_item(c->db, i, &e, c->err);
		if (rc < 0)
			return rc;
		if (e.cve < last || e.source >= count(c, VULN_SOURCES))
			return bad(c, VULN_EPSS, i, "is out of order, or has no source");
		last = e.cve;
	}
	return 0;
}

static int check_entries(struct check *c)
{
	struct vuln_entry e = { 0 }, last = { 0 };
	for (uint32_t i = 0; i < count(c, VULN_ENTRIES); i++) {
		struct bh_reader r;
		struct bh_slice text = { 0 };
		int rc = vuln_item(c->db, VULN_ENTRIES, i, &r, c->err);
		for (int k = 0; rc == 0 && k < 3; k++)
			rc = check_ref(c, &r, VULN_ENTRIES, i, &text);
		rc = rc < 0 ? rc : vuln_db_entry(c->db, i, &e, c->err);
		if (rc < 0)
			return rc;
		int cmp = bh_slice_cmp(last.table, e.table);
		cmp = cmp ? cmp : bh_slice_cmp(last.key, e.key);
		cmp = cmp ? cmp : bh_slice_cmp(last.value, e.value);
		cmp = cmp ? cmp : (last.source > e.source) - (last.source < e.source);
		if (e.table.len == 0 || cmp >= 0)
			return bad(c, VULN_ENTRIES, i, "is out of order");
		last = e;
	}
	return 0;
}

static int check_all(struct check *c)
{
	uint64_t names, fact_names;
	int rc = check_checksums(c);
	rc = rc < 0 ? rc : check_strings(c, VULN_STRINGS, &c->starts[0]);
	rc = rc < 0 ? rc : check_strings(c, VULN_TEXT, &c->starts[1]);
	rc = rc < 0 ? rc : check_refs(c, VULN_VERSIONS);
	rc = rc < 0 ? rc : check_refs(c, VULN_ALIASES);
	rc = rc < 0 ? rc : check_refs(c, VULN_CVSS);
	rc = rc < 0 ? rc : check_sources(c);
	rc = rc < 0 ? rc : check_ecosystems(c);
	rc = rc < 0 ? rc : check_qualifiers(c);
	rc = rc < 0 ? rc : check_ranges(c);
	rc = rc < 0 ? rc : check_packages(c);
	rc = rc < 0 ? rc : check_hidden(c);
	rc = rc < 0 ? rc : check_advisories(c, VULN_ADVISORIES, &names);
	rc = rc < 0 ? rc : check_advisories(c, VULN_FACTS, &fact_names);
	rc = rc < 0 ? rc : check_names(c, names);
	rc = rc < 0 ? rc : check_exploitation(c);
	return rc < 0 ? rc : check_entries(c);
}

int vuln_db_verify(const struct vuln_db *db, struct bh_err *err)
{
	struct check c = { .db = db, .err = err };
	int rc = check_all(&c);
	free(c.starts[0]);
	free(c.starts[1]);
	return rc;
}
