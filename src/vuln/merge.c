/*
 * merge.c: adding a finished database to a builder: its records, rows (hidden ones too), exploitation data and entries, as
 * their sources gave them. Thus replacing a source gives what building from all inputs again would give.
 */
#include "vuln/build.h"

struct merge {
	struct vuln_builder *b;
	const struct vuln_db *db;
	uint32_t *source_of;     /* source of db -> of the builder; VULN_NO_INDEX = left out */
	struct bh_slice *slices; /* scratch */
	struct vuln_range *ranges;
	size_t slices_cap, ranges_cap;
};

static bool known(const struct vuln_builder *b, struct bh_slice name)
{
	for (size_t i = 0; i < b->sources.len; i++)
		if (bh_slice_eq(vuln_b_string(b, b->sources.ptr[i].name), name))
			return true;
	return false;
}

static int merge_sources(struct merge *m, struct bh_slice except, struct bh_err *err)
{
	uint32_t n = m->db->sections[VULN_SOURCES].n;
	m->source_of = vuln_array(n, sizeof(uint32_t), err);
	if (!m->source_of)
		return BH_ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct vuln_source s = { 0 };
		int rc = vuln_db_source(m->db, i, &s, err);
		m->source_of[i] = VULN_NO_INDEX;
		if (rc == 0 && !bh_slice_eq(s.name, except) && !known(m->b, s.name))
			rc = vuln_builder_source(m->b, &s, &m->source_of[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The builder's number of a source; false: its facts are left out. */
static int source(const struct merge *m, uint32_t index, uint64_t from, uint32_t *ret, struct bh_err *err)
{
	int rc = vuln_check_span(m->db, VULN_SOURCES, index, 1, from, err);
	if (rc == 0)
		*ret = m->source_of[index];
	return rc;
}

static int room_for_slices(struct merge *m, size_t n, struct bh_err *err)
{
	if (n <= m->slices_cap)
		return 0;
	free(m->slices);
	m->slices = vuln_array(n, sizeof(*m->slices), err);
	m->slices_cap = m->slices ? n : 0;
	return m->slices ? 0 : BH_ENOMEM;
}

static int room_for_ranges(struct merge *m, size_t n, struct bh_err *err)
{
	if (n <= m->ranges_cap)
		return 0;
	free(m->ranges);
	m->ranges = vuln_array(n, sizeof(*m->ranges), err);
	m->ranges_cap = m->ranges ? n : 0;
	return m->ranges ? 0 : BH_ENOMEM;
}

static int merge_advisory(struct merge *m, enum vuln_section_index s, uint32_t index, struct bh_err *err)
{
	struct vuln_advisory a = { 0 };
	uint16_t from = VULN_NO_SOURCE;
	uint32_t number = VULN_NO_INDEX;
	int rc = vuln_advisory_item(m->db, s, index, &a, &from, err);
	if (rc < 0 || from == VULN_NO_SOURCE)
		return rc;
	struct vuln_new_advisory fresh = { .id = a.id,
					   .n_aliases = a.n_aliases,
					   .n_cvss = a.n_cvss,
					   .severity = a.severity,
					   .score_tenths = a.score_tenths,
					   .flags = a.flags,
					   .published_day = a.published_day,
					   .modified_day = a.modified_day,
					   .withdrawn_day = a.withdrawn_day };
	rc = source(m, from, vuln_item_offset(m->db, s, index), &number, err);
	if (rc < 0 || number == VULN_NO_INDEX)
		return rc;
	rc = room_for_slices(m, (size_t)a.n_aliases + a.n_cvss, err);
	for (uint32_t i = 0; rc == 0 && i < a.n_aliases; i++)
		rc = vuln_db_alias(m->db, &a, i, &m->slices[i], err);
	for (uint32_t i = 0; rc == 0 && i < a.n_cvss; i++)
		rc = vuln_db_cvss(m->db, &a, i, &m->slices[a.n_aliases + i], err);
	rc = rc < 0 ? rc : vuln_db_title(m->db, &a, &fresh.title, err);
	fresh.source = number;
	fresh.aliases = m->slices;
	fresh.cvss = a.n_cvss ? m->slices + a.n_aliases : NULL; /* no scratch may be there at all */
	return rc < 0 ? rc : vuln_builder_advisory(m->b, &fresh, err);
}

/* The source's own name for the flaw of a row. */
static int row_id(const struct merge *m, const struct vuln_row *row, const struct vuln_row_more *more, struct bh_slice *ret, struct bh_err *err)
{
	struct vuln_advisory a = { 0 };
	int rc = vuln_db_advisory(m->db, row->advisory, &a, err);
	if (rc < 0)
		return rc;
	*ret = a.id;
	return more->name ? vuln_db_alias(m->db, &a, more->name - 1u, ret, err) : 0;
}

static int merge_row(struct merge *m, enum vuln_section_index s, uint32_t index, const struct vuln_package *package, struct bh_err *err)
{
	struct vuln_row row = { 0 };
	struct vuln_row_more more = { 0 };
	struct vuln_new_row fresh = { .ecosystem = package->ecosystem, .package = package->name };
	int rc = vuln_row_item(m->db, s, index, &row, &more, err);
	rc = rc < 0 ? rc : source(m, row.source, vuln_item_offset(m->db, s, index), &fresh.source, err);
	if (rc < 0 || fresh.source == VULN_NO_INDEX)
		return rc;
	rc = row_id(m, &row, &more, &fresh.id, err);
	rc = rc < 0 ? rc : room_for_slices(m, row.n_versions, err);
	rc = rc < 0 ? rc : room_for_ranges(m, row.n_ranges, err);
	for (uint32_t i = 0; rc == 0 && i < row.n_ranges; i++)
		rc = vuln_db_range(m->db, &row, i, &m->ranges[i], err);
	for (uint32_t i = 0; rc == 0 && i < row.n_versions; i++)
		rc = vuln_db_version(m->db, &row, i, &m->slices[i], err);
	fresh.erratum = row.erratum;
	fresh.arch = row.arch;
	fresh.module = row.module;
	fresh.state = row.state;
	fresh.severity = row.severity;
	fresh.flags = row.flags;
	fresh.ranges = m->ranges;
	fresh.n_ranges = row.n_ranges;
	fresh.versions = m->slices;
	fresh.n_versions = row.n_versions;
	return rc < 0 ? rc : vuln_builder_row(m->b, &fresh, err);
}

static int merge_rows(struct merge *m, struct bh_err *err)
{
	struct vuln_package p = { 0 };
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < m->db->sections[VULN_PACKAGES].n; i++) {
		rc = vuln_db_package(m->db, i, &p, err);
		for (uint32_t k = 0; rc == 0 && k < p.rows.n; k++)
			rc = merge_row(m, VULN_ROWS, p.rows.first + k, &p, err);
	}
	for (uint32_t i = 0; rc == 0 && i < m->db->sections[VULN_HIDDEN].n; i++) {
		struct bh_reader r;
		rc = vuln_item(m->db, VULN_HIDDEN, i, &r, err);
		rc = rc < 0 ? rc : vuln_db_package(m->db, vuln_u32(&r), &p, err);
		rc = rc < 0 ? rc : merge_row(m, VULN_HIDDEN, i, &p, err);
	}
	return rc;
}

static int merge_kev(const struct merge *m, uint32_t index, struct bh_err *err)
{
	struct vuln_kev_item k = { 0 };
	uint32_t number = VULN_NO_INDEX;
	char cve[24];
	int rc = vuln_kev_item(m->db, index, &k, err);
	rc = rc < 0 ? rc : source(m, k.source, vuln_item_offset(m->db, VULN_KEV, index), &number, err);
	if (rc < 0 || number == VULN_NO_INDEX)
		return rc;
	return vuln_builder_kev(m->b, number, bh_slice_str(vuln_cve_text(k.cve, cve)), k.day, k.flags & VULN_KEV_RANSOMWARE, err);
}

static int merge_epss(const struct merge *m, uint32_t index, struct bh_err *err)
{
	struct vuln_epss_item e = { 0 };
	uint32_t number = VULN_NO_INDEX;
	char cve[24];
	int rc = vuln_epss_item(m->db, index, &e, err);
	rc = rc < 0 ? rc : source(m, e.source, vuln_item_offset(m->db, VULN_EPSS, index), &number, err);
	if (rc < 0 || number == VULN_NO_INDEX)
		return rc;
	return vuln_builder_epss(m->b, number, bh_slice_str(vuln_cve_text(e.cve, cve)), e.score, e.percentile, e.day, err);
}

static int merge_entry(const struct merge *m, uint32_t index, struct bh_err *err)
{
	struct vuln_entry e = { 0 };
	uint32_t number = VULN_NO_INDEX;
	int rc = vuln_db_entry(m->db, index, &e, err);
	rc = rc < 0 ? rc : source(m, e.source, vuln_item_offset(m->db, VULN_ENTRIES, index), &number, err);
	if (rc < 0 || number == VULN_NO_INDEX)
		return rc;
	return vuln_builder_entry(m->b, number, e.table, e.key, e.value, err);
}

static int merge_all(struct merge *m, struct bh_err *err)
{
	const struct vuln_section *s = m->db->sections;
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < s[VULN_ADVISORIES].n; i++)
		rc = merge_advisory(m, VULN_ADVISORIES, i, err);
	for (uint32_t i = 0; rc == 0 && i < s[VULN_FACTS].n; i++)
		rc = merge_advisory(m, VULN_FACTS, i, err);
	rc = rc < 0 ? rc : merge_rows(m, err);
	for (uint32_t i = 0; rc == 0 && i < s[VULN_KEV].n; i++)
		rc = merge_kev(m, i, err);
	for (uint32_t i = 0; rc == 0 && i < s[VULN_EPSS].n; i++)
		rc = merge_epss(m, i, err);
	for (uint32_t i = 0; rc == 0 && i < s[VULN_ENTRIES].n; i++)
		rc = merge_entry(m, i, err);
	return rc;
}

int vuln_builder_merge(struct vuln_builder *b, const struct vuln_db *db, struct bh_slice except, struct bh_err *err)
{
	struct merge m = { .b = b, .db = db };
	int rc = merge_sources(&m, except, err);
	rc = rc < 0 ? rc : merge_all(&m, err);
	free(m.source_of);
	free(m.slices);
	free(m.ranges);
	return rc;
}
