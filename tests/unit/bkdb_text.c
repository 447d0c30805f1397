/* bkdb_text.c: see bkdb_text.h. */
#include "bkdb_text.h"

#include "crypto/digest.h"
#include "vuln/file.h"

#include <assert.h>

#define LIST_MAX 400

/* ---- in ---- */

struct line {
	struct bh_slice rest;
};

static struct bh_slice next(struct line *l)
{
	struct bh_slice head;
	(void)bh_slice_cut(l->rest, '|', &head, &l->rest);
	return head;
}

static uint32_t next_number(struct line *l)
{
	uint64_t v = 0;
	struct bh_slice s = next(l);
	assert(s.len == 0 || bh_slice_u64(s, UINT32_MAX, &v));
	return (uint32_t)v;
}

static int32_t next_day(struct line *l)
{
	int32_t day = VULN_NO_DAY;
	struct bh_slice s = next(l);
	assert(s.len == 0 || vuln_day_parse(s, &day));
	return day;
}

static size_t next_list(struct line *l, struct bh_slice out[LIST_MAX])
{
	struct bh_slice s = next(l);
	size_t n = 0;
	while (s.len) {
		assert(n < LIST_MAX);
		(void)bh_slice_cut(s, ',', &out[n++], &s);
	}
	return n;
}

static enum bh_severity next_severity(struct line *l)
{
	enum bh_severity severity = BH_SEV_UNKNOWN;
	struct bh_slice s = next(l);
	assert(s.len == 0 || bh_severity_parse(s, &severity));
	return severity;
}

static struct vuln_range range_of(struct bh_slice s)
{
	struct vuln_range r = { .kind = VULN_END_LIMIT };
	if (bh_slice_cut(s, '^', &r.start, &r.end))
		return r;
	bool is_range = bh_slice_cut(s, '<', &r.start, &r.end);
	assert(is_range);
	r.kind = r.end.len == 0 ? VULN_END_NONE : r.end.ptr[0] == '=' ? VULN_END_LAST : VULN_END_FIXED;
	if (r.kind == VULN_END_LAST)
		r.end = bh_slice_sub(r.end, 1, r.end.len);
	return r;
}

/* Tests name sources; builders number them in the order in which they came, which is the only thing that tests rely on. */
static struct {
	const struct vuln_builder *b;
	struct bh_slice names[256];
	uint32_t n;
} sources;

static uint32_t next_source(const struct vuln_builder *b, struct line *l)
{
	struct bh_slice name = next(l);
	assert(sources.b == b);
	uint32_t i = 0;
	while (i < sources.n && !bh_slice_eq(sources.names[i], name))
		i++;
	assert(i < sources.n); /* else the test names a source that it has not added */
	return i;
}

static int add_source(struct vuln_builder *b, struct line *l, struct bh_err *err)
{
	uint32_t number;
	struct vuln_source s = { .name = next(l) };
	s.precedence = (uint16_t)next_number(l);
	s.flags = (uint16_t)next_number(l);
	s.day = next_day(l);
	s.feed = next(l);
	s.url = next(l);
	s.licence = next(l);
	s.note = next(l);
	s.records = next_number(l);
	if (s.records)
		memset(s.sha256, 0xa5, sizeof(s.sha256));
	int rc = vuln_builder_source(b, &s, &number, err);
	if (rc < 0)
		return rc;
	if (sources.b != b || number == 0)
		sources.n = 0;
	sources.b = b;
	assert(number < 256);
	while (sources.n <= number)
		sources.names[sources.n++] = s.name; /* merged ones in between have no name here */
	return 0;
}

static int add_advisory(struct vuln_builder *b, struct line *l, struct bh_err *err)
{
	struct bh_slice aliases[LIST_MAX], cvss[LIST_MAX];
	struct vuln_new_advisory a = { .source = next_source(b, l), .aliases = aliases, .cvss = cvss };
	a.id = next(l);
	a.n_aliases = next_list(l, aliases);
	a.n_cvss = next_list(l, cvss);
	a.severity = next_severity(l);
	a.score_tenths = (uint16_t)next_number(l);
	a.flags = (uint16_t)next_number(l);
	a.published_day = next_day(l);
	a.modified_day = next_day(l);
	a.withdrawn_day = next_day(l);
	a.title = next(l);
	return vuln_builder_advisory(b, &a, err);
}

static int add_row(struct vuln_builder *b, struct line *l, struct bh_err *err)
{
	struct bh_slice texts[LIST_MAX], versions[LIST_MAX];
	struct vuln_range ranges[LIST_MAX];
	struct vuln_new_row r = { .source = next_source(b, l), .ranges = ranges, .versions = versions };
	r.ecosystem = next(l);
	r.package = next(l);
	r.id = next(l);
	bool is_state = bh_state_parse(next(l), &r.state);
	assert(is_state);
	r.severity = next_severity(l);
	r.flags = (uint16_t)next_number(l);
	r.n_ranges = next_list(l, texts);
	for (size_t i = 0; i < r.n_ranges; i++)
		ranges[i] = range_of(texts[i]);
	r.n_versions = next_list(l, versions);
	r.erratum = next(l);
	r.arch = next(l);
	r.module = next(l);
	return vuln_builder_row(b, &r, err);
}

int bkdb_add_line(struct vuln_builder *b, struct bh_slice line, struct bh_err *err)
{
	struct line l = { line };
	struct bh_slice kind = next(&l);
	if (bh_slice_eq_str(kind, "source"))
		return add_source(b, &l, err);
	if (bh_slice_eq_str(kind, "advisory"))
		return add_advisory(b, &l, err);
	if (bh_slice_eq_str(kind, "row"))
		return add_row(b, &l, err);
	uint32_t source = next_source(b, &l);
	struct bh_slice first = next(&l);
	if (bh_slice_eq_str(kind, "kev")) {
		int32_t day = next_day(&l);
		return vuln_builder_kev(b, source, first, day, next_number(&l), err);
	}
	if (bh_slice_eq_str(kind, "epss")) {
		uint16_t score = (uint16_t)next_number(&l), percentile = (uint16_t)next_number(&l);
		return vuln_builder_epss(b, source, first, score, percentile, next_day(&l), err);
	}
	assert(bh_slice_eq_str(kind, "entry"));
	struct bh_slice key = next(&l);
	return vuln_builder_entry(b, source, first, key, next(&l), err);
}

int bkdb_add_text(struct vuln_builder *b, struct bh_slice text, struct bh_err *err)
{
	struct bh_slice line;
	int rc = 0;
	while (rc == 0 && text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		if (line.len && line.ptr[0] != '#')
			rc = bkdb_add_line(b, line, err);
	}
	return rc;
}

/* ---- out ---- */

static void put(struct bh_buf *out, struct bh_slice s)
{
	(void)bh_buf_add_byte(out, '|');
	(void)bh_buf_add_escaped(out, s);
}

static void put_text(struct bh_buf *out, const char *s)
{
	put(out, bh_slice_str(s));
}

static void put_day(struct bh_buf *out, int32_t day)
{
	char text[16];
	put_text(out, vuln_day_text(day, text));
}

static int dump_sources(const struct vuln_db *db, struct bh_buf *out, struct bh_err *err)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < db->sections[VULN_SOURCES].n; i++) {
		struct vuln_source s;
		rc = vuln_db_source(db, i, &s, err);
		if (rc < 0)
			break;
		(void)bh_buf_add_str(out, "source");
		put(out, s.name);
		(void)bh_buf_printf(out, "|%u|%u", s.precedence, s.flags);
		put_day(out, s.day);
		put(out, s.feed), put(out, s.url), put(out, s.licence), put(out, s.note);
		(void)bh_buf_printf(out, "|%llu|", (unsigned long long)s.records);
		for (size_t k = 0; k < sizeof(s.sha256); k++)
			(void)bh_buf_printf(out, "%02x", s.sha256[k]);
		(void)bh_buf_add_byte(out, '\n');
	}
	return rc;
}

static int dump_ecosystems(const struct vuln_db *db, struct bh_buf *out, struct bh_err *err)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < db->sections[VULN_ECOSYSTEMS].n; i++) {
		struct vuln_ecosystem e;
		rc = vuln_db_ecosystem(db, i, &e, err);
		if (rc < 0)
			break;
		(void)bh_buf_add_str(out, "ecosystem");
		put(out, e.name);
		(void)bh_buf_printf(out, "|%u|%u|%d\n", e.packages, e.rows, e.fixed_only);
	}
	return rc;
}

static int dump_ranges(const struct vuln_db *db, const struct vuln_row *row, struct bh_buf *out, struct bh_err *err)
{
	static const char *const signs[] = { "<", "<", "<=", "^" };
	int rc = 0;
	(void)bh_buf_add_byte(out, '|');
	for (uint32_t i = 0; rc == 0 && i < row->n_ranges; i++) {
		struct vuln_range r;
		rc = vuln_db_range(db, row, i, &r, err);
		if (rc < 0)
			break;
		(void)bh_buf_add_str(out, i ? "," : "");
		(void)bh_buf_add_escaped(out, r.start);
		(void)bh_buf_add_str(out, signs[r.kind]);
		(void)bh_buf_add_escaped(out, r.end);
	}
	(void)bh_buf_add_byte(out, '|');
	for (uint32_t i = 0; rc == 0 && i < row->n_versions; i++) {
		struct bh_slice v;
		rc = vuln_db_version(db, row, i, &v, err);
		if (rc < 0)
			break;
		(void)bh_buf_add_str(out, i ? "," : "");
		(void)bh_buf_add_escaped(out, v);
	}
	return rc;
}

static int dump_row(const struct vuln_db *db, enum vuln_section_index s, uint32_t index, const struct vuln_package *p, struct bh_buf *out,
		    struct bh_err *err)
{
	struct vuln_row row;
	struct vuln_row_more more;
	struct vuln_source source;
	struct vuln_advisory a;
	int rc = vuln_row_item(db, s, index, &row, &more, err);
	rc = rc < 0 ? rc : vuln_db_source(db, row.source, &source, err);
	rc = rc < 0 ? rc : vuln_db_advisory(db, row.advisory, &a, err);
	if (rc < 0)
		return rc;
	struct bh_slice id = a.id;
	rc = more.name ? vuln_db_alias(db, &a, more.name - 1u, &id, err) : 0;
	(void)bh_buf_add_str(out, s == VULN_HIDDEN ? "hidden" : "row");
	put(out, source.name), put(out, p->ecosystem), put(out, p->name), put(out, a.id), put(out, id);
	put_text(out, bh_state_name(row.state));
	put_text(out, bh_severity_name(row.severity));
	(void)bh_buf_printf(out, "|%u", row.flags);
	rc = rc < 0 ? rc : dump_ranges(db, &row, out, err);
	put(out, row.erratum), put(out, row.arch), put(out, row.module);
	(void)bh_buf_add_byte(out, '\n');
	return rc;
}

static int dump_packages(const struct vuln_db *db, struct bh_buf *out, struct bh_err *err)
{
	struct vuln_package p;
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < db->sections[VULN_PACKAGES].n; i++) {
		rc = vuln_db_package(db, i, &p, err);
		for (uint32_t k = 0; rc == 0 && k < p.rows.n; k++)
			rc = dump_row(db, VULN_ROWS, p.rows.first + k, &p, out, err);
	}
	for (uint32_t i = 0; rc == 0 && i < db->sections[VULN_HIDDEN].n; i++) {
		struct bh_reader r;
		rc = vuln_item(db, VULN_HIDDEN, i, &r, err);
		rc = rc < 0 ? rc : vuln_db_package(db, vuln_u32(&r), &p, err);
		rc = rc < 0 ? rc : dump_row(db, VULN_HIDDEN, i, &p, out, err);
	}
	return rc;
}

static int dump_advisory(const struct vuln_db *db, enum vuln_section_index s, uint32_t index, struct bh_buf *out, struct bh_err *err)
{
	struct vuln_advisory a;
	struct vuln_source source = { 0 };
	struct bh_slice text;
	uint16_t from;
	int rc = vuln_advisory_item(db, s, index, &a, &from, err);
	rc = rc < 0 || from == VULN_NO_SOURCE ? rc : vuln_db_source(db, from, &source, err);
	if (rc < 0)
		return rc;
	(void)bh_buf_add_str(out, s == VULN_FACTS ? "fact" : "advisory");
	put(out, source.name), put(out, a.id);
	(void)bh_buf_add_byte(out, '|');
	for (uint32_t i = 0; rc == 0 && i < a.n_aliases; i++) {
		rc = vuln_db_alias(db, &a, i, &text, err);
		if (rc < 0)
			break;
		(void)bh_buf_add_str(out, i ? "," : "");
		(void)bh_buf_add_escaped(out, text);
	}
	(void)bh_buf_add_byte(out, '|');
	for (uint32_t i = 0; rc == 0 && i < a.n_cvss; i++) {
		rc = vuln_db_cvss(db, &a, i, &text, err);
		if (rc < 0)
			break;
		(void)bh_buf_add_str(out, i ? "," : "");
		(void)bh_buf_add_escaped(out, text);
	}
	put_text(out, bh_severity_name(a.severity));
	(void)bh_buf_printf(out, "|%u|%u", a.score_tenths, a.flags);
	put_day(out, a.published_day), put_day(out, a.modified_day), put_day(out, a.withdrawn_day);
	rc = rc < 0 ? rc : vuln_db_title(db, &a, &text, err);
	if (rc == 0)
		put(out, text);
	(void)bh_buf_add_byte(out, '\n');
	return rc;
}

static int dump_advisories(const struct vuln_db *db, struct bh_buf *out, struct bh_err *err)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < db->sections[VULN_ADVISORIES].n; i++)
		rc = dump_advisory(db, VULN_ADVISORIES, i, out, err);
	for (uint32_t i = 0; rc == 0 && i < db->sections[VULN_FACTS].n; i++)
		rc = dump_advisory(db, VULN_FACTS, i, out, err);
	for (uint32_t i = 0; rc == 0 && i < db->sections[VULN_NAMES].n; i++) {
		struct bh_slice name;
		struct vuln_advisory a;
		uint32_t index;
		rc = vuln_string_item(db, VULN_NAMES, i, &name, err);
		rc = rc < 0 ? rc : vuln_db_find_id(db, name, &index, err);
		rc = rc < 0 ? rc : vuln_db_advisory(db, index, &a, err);
		if (rc < 0)
			break;
		(void)bh_buf_add_str(out, "name");
		put(out, name), put(out, a.id);
		(void)bh_buf_add_byte(out, '\n');
	}
	return rc;
}

static int dump_exploitation(const struct vuln_db *db, struct bh_buf *out, struct bh_err *err)
{
	char cve[24];
	struct vuln_source s;
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < db->sections[VULN_KEV].n; i++) {
		struct vuln_kev_item k;
		rc = vuln_kev_item(db, i, &k, err);
		rc = rc < 0 ? rc : vuln_db_source(db, k.source, &s, err);
		if (rc < 0)
			break;
		(void)bh_buf_add_str(out, "kev");
		put(out, s.name);
		put_text(out, vuln_cve_text(k.cve, cve));
		put_day(out, k.day);
		(void)bh_buf_printf(out, "|%d\n", k.flags & VULN_KEV_RANSOMWARE);
	}
	for (uint32_t i = 0; rc == 0 && i < db->sections[VULN_EPSS].n; i++) {
		struct vuln_epss_item e;
		rc = vuln_epss_item(db, i, &e, err);
		rc = rc < 0 ? rc : vuln_db_source(db, e.source, &s, err);
		if (rc < 0)
			break;
		(void)bh_buf_add_str(out, "epss");
		put(out, s.name);
		put_text(out, vuln_cve_text(e.cve, cve));
		(void)bh_buf_printf(out, "|%u|%u", e.score, e.percentile);
		put_day(out, e.day);
		(void)bh_buf_add_byte(out, '\n');
	}
	return rc;
}

static int dump_entries(const struct vuln_db *db, struct bh_buf *out, struct bh_err *err)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < db->sections[VULN_ENTRIES].n; i++) {
		struct vuln_entry e;
		struct vuln_source s;
		rc = vuln_db_entry(db, i, &e, err);
		rc = rc < 0 ? rc : vuln_db_source(db, e.source, &s, err);
		if (rc < 0)
			break;
		(void)bh_buf_add_str(out, "entry");
		put(out, s.name), put(out, e.table), put(out, e.key), put(out, e.value);
		(void)bh_buf_add_byte(out, '\n');
	}
	return rc;
}

int bkdb_dump(const struct vuln_db *db, struct bh_buf *out, struct bh_err *err)
{
	int rc = dump_sources(db, out, err);
	rc = rc < 0 ? rc : dump_ecosystems(db, out, err);
	rc = rc < 0 ? rc : dump_packages(db, out, err);
	rc = rc < 0 ? rc : dump_advisories(db, out, err);
	rc = rc < 0 ? rc : dump_exploitation(db, out, err);
	return rc < 0 ? rc : dump_entries(db, out, err);
}

/* ---- checksums ---- */

static bool digest_into(struct bh_slice bytes, uint8_t *out)
{
	struct bh_digest d;
	if (bh_digest_of(BH_DIGEST_SHA256, bytes, &d, NULL) < 0)
		return false;
	memcpy(out, d.bytes, 32);
	return true;
}

bool bkdb_seal(uint8_t *bytes, size_t len)
{
	struct bh_slice all = { bytes, len };
	struct bh_reader r = bh_reader_of(all);
	uint32_t n = 0;
	if (!bh_seek(&r, 16) || !bh_take_u32le(&r, &n) || len < VULN_HEADER_BYTES || n > (len - VULN_HEADER_BYTES) / VULN_TABLE_ITEM_BYTES)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		size_t at = VULN_HEADER_BYTES + (size_t)i * VULN_TABLE_ITEM_BYTES;
		uint64_t offset = 0, length = 0;
		if (!bh_seek(&r, at + 8) || !bh_take_u64le(&r, &offset) || !bh_take_u64le(&r, &length) || offset > len || length > len - offset ||
		    !digest_into(bh_slice_sub(all, (size_t)offset, (size_t)length), bytes + at + 32))
			return false;
	}
	memset(bytes + VULN_HEADER_SHA_AT, 0, 32);
	return digest_into(bh_slice_sub(all, 0, VULN_HEADER_BYTES + (size_t)n * VULN_TABLE_ITEM_BYTES), bytes + VULN_HEADER_SHA_AT);
}
