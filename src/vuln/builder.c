/* builder.c: taking facts in: checked, put into one normal form, interned. Nothing is decided before vuln_builder_finish. */
#include "vuln/build.h"

#include <assert.h>

/* ---- interning ---- */

static int out_of_memory(struct vuln_builder *b, struct bh_err *err)
{
	b->broken = true;
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for the advisory database");
}

static int check_usable(const struct vuln_builder *b, struct bh_err *err)
{
	return b->broken ? bh_fail(err, BH_EUSAGE, 0, "this database builder has failed or finished already") : 0;
}

int vuln_intern(struct vuln_builder *b, struct bh_map *m, struct bh_slice bytes, uint32_t *ret, struct bh_err *err)
{
	void **value = bh_map_put(m, bytes);
	if (!value)
		return out_of_memory(b, err);
	struct bh_map_entry *e = (struct bh_map_entry *)((char *)value - offsetof(struct bh_map_entry, value));
	if (!e->value) { /* new: the key must outlive the caller's bytes */
		if (!bh_arena_copy(&b->arena, bytes, &e->key))
			return out_of_memory(b, err);
		e->value = m;
	}
	*ret = (uint32_t)(e - m->entries);
	return 0;
}

static int intern_string(struct vuln_builder *b, struct bh_slice s, uint32_t *ret, struct bh_err *err)
{
	if (s.len > VULN_STRING_BYTES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "a string of %zu bytes is too long for an advisory database: %.40s", s.len, (const char *)s.ptr);
	return vuln_intern(b, &b->strings, s, ret, err);
}

int vuln_intern_list(struct vuln_builder *b, uint32_t *ret, struct bh_err *err)
{
	struct bh_slice s = { (const uint8_t *)b->numbers.ptr, b->numbers.len * sizeof(uint32_t) };
	return vuln_intern(b, &b->lists, s, ret, err);
}

static bool add_number(struct vuln_builder *b, uint32_t n)
{
	return vuln_u32_vec_push(&b->numbers, n);
}

/* ---- order of names and vectors ---- */

static int name_class(struct bh_slice id)
{
	if (vuln_is_cve(id))
		return 0;
	return bh_slice_starts(id, BH_SLICE_LIT("GHSA-")) ? 1 : 2;
}

int vuln_name_cmp(struct bh_slice a, struct bh_slice b)
{
	int c = name_class(a) - name_class(b);
	return c ? c : bh_slice_cmp(a, b);
}

/* "CVSS:3.1/" without its vector; v2 has no such head and is the oldest. */
static struct bh_slice cvss_version(struct bh_slice v)
{
	return bh_slice_starts(v, BH_SLICE_LIT("CVSS:")) ? bh_slice_sub(v, 0, bh_slice_find(v, '/')) : (struct bh_slice){ 0 };
}

int vuln_cvss_cmp(struct bh_slice a, struct bh_slice b)
{
	int c = bh_slice_cmp(cvss_version(b), cvss_version(a));
	return c ? c : bh_slice_cmp(a, b);
}

static int by_bytes(const void *a, const void *b)
{
	return bh_slice_cmp(*(const struct bh_slice *)a, *(const struct bh_slice *)b);
}

static int by_name(const void *a, const void *b)
{
	return vuln_name_cmp(*(const struct bh_slice *)a, *(const struct bh_slice *)b);
}

static int by_cvss(const void *a, const void *b)
{
	return vuln_cvss_cmp(*(const struct bh_slice *)a, *(const struct bh_slice *)b);
}

/* Sorts the scratch slices, drops repeats and empty ones. */
static void sort_slices(struct vuln_slice_vec *v, int (*cmp)(const void *, const void *))
{
	if (v->len > 1)
		qsort(v->ptr, v->len, sizeof(v->ptr[0]), cmp);
	size_t n = 0;
	for (size_t i = 0; i < v->len; i++)
		if (v->ptr[i].len && (n == 0 || !bh_slice_eq(v->ptr[n - 1], v->ptr[i])))
			v->ptr[n++] = v->ptr[i];
	v->len = n;
}

static int gather(struct vuln_builder *b, const struct bh_slice *s, size_t n, struct bh_err *err)
{
	for (size_t i = 0; i < n; i++)
		if (!vuln_slice_vec_push(&b->slices, s[i]))
			return out_of_memory(b, err);
	return 0;
}

/* The scratch slices as a list of strings. */
static int intern_slices(struct vuln_builder *b, uint32_t *ret, struct bh_err *err)
{
	b->numbers.len = 0;
	for (size_t i = 0; i < b->slices.len; i++) {
		uint32_t number = 0;
		int rc = intern_string(b, b->slices.ptr[i], &number, err);
		if (rc < 0)
			return rc;
		if (!add_number(b, number))
			return out_of_memory(b, err);
	}
	return vuln_intern_list(b, ret, err);
}

/* ---- the builder ---- */

int vuln_builder_new(struct vuln_builder **ret, struct bh_err *err)
{
	struct vuln_builder *b = calloc(1, sizeof(*b));
	if (!b)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for the advisory database");
	bh_arena_init(&b->arena, VULN_BUILDER_BYTES_MAX);
	struct bh_map *const maps[] = { &b->strings, &b->lists, &b->records, &b->qualifiers, &b->packages };
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		bh_map_init(maps[i], VULN_ITEMS_MAX);
	b->sources.max = VULN_SOURCES_MAX;
	b->rows.max = b->kev.max = b->epss.max = b->entries.max = b->slices.max = b->numbers.max = VULN_ITEMS_MAX;
	uint32_t empty_string, empty_list;
	int rc = intern_string(b, (struct bh_slice){ 0 }, &empty_string, err);
	rc = rc < 0 ? rc : vuln_intern_list(b, &empty_list, err);
	if (rc < 0) {
		vuln_builder_free(b);
		return rc;
	}
	*ret = b;
	return 0;
}

void vuln_builder_free(struct vuln_builder *b)
{
	if (!b)
		return;
	bh_map_done(&b->strings);
	bh_map_done(&b->lists);
	bh_map_done(&b->records);
	bh_map_done(&b->qualifiers);
	bh_map_done(&b->packages);
	vuln_source_vec_done(&b->sources);
	vuln_row_vec_done(&b->rows);
	vuln_kev_vec_done(&b->kev);
	vuln_epss_vec_done(&b->epss);
	vuln_entry_vec_done(&b->entries);
	vuln_slice_vec_done(&b->slices);
	vuln_u32_vec_done(&b->numbers);
	bh_arena_done(&b->arena);
	free(b);
}

int vuln_builder_source(struct vuln_builder *b, const struct vuln_source *s, uint32_t *ret, struct bh_err *err)
{
	struct vuln_b_source fresh = { .records = s->records, .day = s->day, .precedence = s->precedence, .flags = s->flags };
	memcpy(fresh.sha256, s->sha256, sizeof(fresh.sha256));
	int rc = check_usable(b, err);
	if (rc == 0 && s->name.len == 0)
		rc = bh_fail(err, BH_EUSAGE, 0, "a source of advisories needs a name");
	rc = rc < 0 ? rc : intern_string(b, s->name, &fresh.name, err);
	rc = rc < 0 ? rc : intern_string(b, s->feed, &fresh.feed, err);
	rc = rc < 0 ? rc : intern_string(b, s->url, &fresh.url, err);
	rc = rc < 0 ? rc : intern_string(b, s->licence, &fresh.licence, err);
	rc = rc < 0 ? rc : intern_string(b, s->note, &fresh.note, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < b->sources.len; i++)
		if (b->sources.ptr[i].name == fresh.name)
			return bh_fail(err, BH_EUSAGE, 0, "there is a source named %.*s already", BH_SLICE_FMT(s->name));
	if (!vuln_source_vec_push(&b->sources, fresh))
		return bh_fail(err, BH_ELIMIT, 0, "more than %u sources of advisories", VULN_SOURCES_MAX);
	*ret = (uint32_t)b->sources.len - 1;
	return 0;
}

void vuln_builder_source_set(struct vuln_builder *b, uint32_t source, uint64_t records, int32_t day, const uint8_t sha256[32])
{
	assert(source < b->sources.len);
	struct vuln_b_source *s = &b->sources.ptr[source];
	s->records = records;
	s->day = day;
	memcpy(s->sha256, sha256, sizeof(s->sha256));
}

/* ---- advisories ---- */

/*
 * The names of a record, sorted. One that names several CVEs is none of them, unless it is named after one; then the others
 * are merely mentioned.
 */
static int gather_names(struct vuln_builder *b, struct bh_slice id, const struct bh_slice *aliases, size_t n, struct bh_err *err)
{
	b->slices.len = 0;
	int rc = gather(b, &id, 1, err);
	rc = rc < 0 ? rc : gather(b, aliases, n, err);
	if (rc < 0)
		return rc;
	sort_slices(&b->slices, by_name);
	size_t cves = 0, kept = 0;
	while (cves < b->slices.len && vuln_is_cve(b->slices.ptr[cves]))
		cves++;
	if (cves < 2)
		return 0;
	for (size_t i = 0; i < b->slices.len; i++)
		if (i >= cves || bh_slice_eq(b->slices.ptr[i], id))
			b->slices.ptr[kept++] = b->slices.ptr[i];
	b->slices.len = kept;
	return 0;
}

/* The best vector that has a score: vectors come newest version first. */
static uint16_t score_of(const struct vuln_slice_vec *vectors)
{
	uint16_t best = 0, tenths;
	struct bh_slice version = { 0 };
	for (size_t i = 0; i < vectors->len; i++) {
		if (!vuln_cvss_score(vectors->ptr[i], &tenths))
			continue;
		if (best && !bh_slice_eq(version, cvss_version(vectors->ptr[i])))
			break;
		version = cvss_version(vectors->ptr[i]);
		best = tenths > best ? tenths : best;
	}
	return best;
}

int vuln_builder_advisory(struct vuln_builder *b, const struct vuln_new_advisory *a, struct bh_err *err)
{
	struct vuln_b_record r = { .source = a->source,
				   .published_day = a->published_day,
				   .modified_day = a->modified_day,
				   .withdrawn_day = a->withdrawn_day,
				   .flags = a->flags,
				   .score_tenths = a->score_tenths,
				   .severity = a->severity };
	uint32_t ignored;
	int rc = check_usable(b, err);
	if (rc < 0)
		return rc;
	assert(a->source < b->sources.len && a->severity <= BH_SEV_CRITICAL);
	if (a->id.len == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "an advisory without an id");
	rc = gather_names(b, a->id, a->aliases, a->n_aliases, err);
	rc = rc < 0 ? rc : intern_slices(b, &r.names, err);
	rc = rc < 0 ? rc : intern_string(b, a->title, &r.title, err);
	b->slices.len = 0;
	rc = rc < 0 ? rc : gather(b, a->cvss, a->n_cvss, err);
	if (rc < 0)
		return rc;
	sort_slices(&b->slices, by_cvss);
	rc = intern_slices(b, &r.cvss, err);
	if (rc < 0)
		return rc;
	if (r.score_tenths == 0)
		r.score_tenths = score_of(&b->slices);
	if (r.severity == BH_SEV_UNKNOWN)
		r.severity = vuln_cvss_severity(r.score_tenths);
	if (r.withdrawn_day != VULN_NO_DAY)
		r.flags |= VULN_ADV_WITHDRAWN;
	return vuln_intern(b, &b->records, (struct bh_slice){ (const uint8_t *)&r, sizeof(r) }, &ignored, err);
}

/* ---- rows ---- */

static int range_cmp(const void *a, const void *b)
{
	const struct vuln_range *x = a, *y = b;
	int c = bh_slice_cmp(x->start, y->start);
	c = c ? c : bh_slice_cmp(x->end, y->end);
	return c ? c : (int)x->kind - (int)y->kind;
}

static int intern_range(struct vuln_builder *b, const struct vuln_range *r, struct bh_err *err)
{
	uint32_t start = 0, end = 0;
	if (r->kind > VULN_END_LIMIT || (r->kind == VULN_END_NONE) != (r->end.len == 0))
		return bh_fail(err, BH_EMALFORMED, 0, "a range whose end does not fit its kind: from \"%.*s\" to \"%.*s\"", BH_SLICE_FMT(r->start),
			       BH_SLICE_FMT(r->end));
	int rc = intern_string(b, r->start, &start, err);
	rc = rc < 0 ? rc : intern_string(b, r->end, &end, err);
	if (rc == 0 && (!add_number(b, start) || !add_number(b, end) || !add_number(b, r->kind)))
		return out_of_memory(b, err);
	return rc;
}

/* Sorted by bytes and without repeats: the order in which a source lists its ranges has no meaning. */
static int intern_ranges(struct vuln_builder *b, const struct vuln_range *ranges, size_t n, uint32_t *ret, struct bh_err *err)
{
	struct vuln_range *sorted = n > 1 ? vuln_array(n, sizeof(*sorted), err) : NULL;
	int rc = n > 1 && !sorted ? BH_ENOMEM : 0;
	b->numbers.len = 0;
	if (sorted) {
		memcpy(sorted, ranges, n * sizeof(*sorted));
		qsort(sorted, n, sizeof(*sorted), range_cmp);
		ranges = sorted;
	}
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (i == 0 || range_cmp(&ranges[i - 1], &ranges[i]) != 0)
			rc = intern_range(b, &ranges[i], err);
	free(sorted);
	return rc < 0 ? rc : vuln_intern_list(b, ret, err);
}

static int intern_versions(struct vuln_builder *b, const struct bh_slice *versions, size_t n, uint32_t *ret, struct bh_err *err)
{
	b->slices.len = 0;
	int rc = gather(b, versions, n, err);
	if (rc < 0)
		return rc;
	sort_slices(&b->slices, by_bytes);
	return intern_slices(b, ret, err);
}

static int intern_qualifier(struct vuln_builder *b, const struct vuln_new_row *r, uint32_t *ret, struct bh_err *err)
{
	struct vuln_b_qualifier q = { .source = r->source };
	int rc = intern_string(b, r->erratum, &q.erratum, err);
	rc = rc < 0 ? rc : intern_string(b, r->arch, &q.arch, err);
	rc = rc < 0 ? rc : intern_string(b, r->module, &q.module, err);
	return rc < 0 ? rc : vuln_intern(b, &b->qualifiers, (struct bh_slice){ (const uint8_t *)&q, sizeof(q) }, ret, err);
}

static int intern_package(struct vuln_builder *b, struct bh_slice ecosystem, struct bh_slice name, uint32_t *ret, struct bh_err *err)
{
	struct vuln_b_package p;
	int rc = intern_string(b, ecosystem, &p.ecosystem, err);
	rc = rc < 0 ? rc : intern_string(b, name, &p.name, err);
	return rc < 0 ? rc : vuln_intern(b, &b->packages, (struct bh_slice){ (const uint8_t *)&p, sizeof(p) }, ret, err);
}

int vuln_builder_row(struct vuln_builder *b, const struct vuln_new_row *r, struct bh_err *err)
{
	struct vuln_b_row row = { .state = (uint8_t)r->state, .severity = (uint8_t)r->severity, .flags = (uint8_t)r->flags };
	int rc = check_usable(b, err);
	if (rc < 0)
		return rc;
	assert(r->source < b->sources.len && r->state <= BH_STATE_UNDETERMINED && r->severity <= BH_SEV_CRITICAL && r->flags <= UINT8_MAX);
	if (r->ecosystem.len == 0 || r->package.len == 0 || r->id.len == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "a row without ecosystem, package or id");
	if (r->n_ranges > VULN_ROW_ITEMS_MAX || r->n_versions > VULN_ROW_ITEMS_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "%.*s has %zu ranges and %zu versions for one package; the limit is %u", BH_SLICE_FMT(r->id), r->n_ranges,
			       r->n_versions, VULN_ROW_ITEMS_MAX);
	rc = intern_package(b, r->ecosystem, r->package, &row.package, err);
	rc = rc < 0 ? rc : intern_string(b, r->id, &row.id, err);
	rc = rc < 0 ? rc : intern_qualifier(b, r, &row.qualifier, err);
	rc = rc < 0 ? rc : intern_ranges(b, r->ranges, r->n_ranges, &row.ranges, err);
	rc = rc < 0 ? rc : intern_versions(b, r->versions, r->n_versions, &row.versions, err);
	if (rc == 0 && !vuln_row_vec_push(&b->rows, row))
		return out_of_memory(b, err);
	return rc;
}

/* ---- exploitation and tables ---- */

static int pack(const struct vuln_builder *b, struct bh_slice cve, uint32_t *ret, struct bh_err *err)
{
	int rc = check_usable(b, err);
	if (rc == 0 && !vuln_cve_pack(cve, ret))
		rc = bh_fail(err, BH_EMALFORMED, 0, "%.*s is no CVE id", BH_SLICE_FMT(cve));
	return rc;
}

int vuln_builder_kev(struct vuln_builder *b, uint32_t source, struct bh_slice cve, int32_t day, bool ransomware, struct bh_err *err)
{
	struct vuln_b_kev k = { .source = source, .day = day, .flags = ransomware ? VULN_KEV_RANSOMWARE : 0 };
	int rc = pack(b, cve, &k.cve, err);
	if (rc < 0)
		return rc;
	assert(source < b->sources.len);
	return vuln_kev_vec_push(&b->kev, k) ? 0 : out_of_memory(b, err);
}

int vuln_builder_epss(struct vuln_builder *b, uint32_t source, struct bh_slice cve, uint16_t score, uint16_t percentile, int32_t day,
		      struct bh_err *err)
{
	struct vuln_b_epss e = { .source = source, .day = day, .score = score, .percentile = percentile };
	int rc = pack(b, cve, &e.cve, err);
	if (rc < 0)
		return rc;
	assert(source < b->sources.len);
	return vuln_epss_vec_push(&b->epss, e) ? 0 : out_of_memory(b, err);
}

int vuln_builder_entry(struct vuln_builder *b, uint32_t source, struct bh_slice table, struct bh_slice key, struct bh_slice value,
		       struct bh_err *err)
{
	struct vuln_b_entry e = { .source = source };
	int rc = check_usable(b, err);
	if (rc == 0 && table.len == 0)
		rc = bh_fail(err, BH_EMALFORMED, 0, "an entry of a table without a name");
	rc = rc < 0 ? rc : intern_string(b, table, &e.table, err);
	rc = rc < 0 ? rc : intern_string(b, key, &e.key, err);
	rc = rc < 0 ? rc : intern_string(b, value, &e.value, err);
	if (rc < 0)
		return rc;
	assert(source < b->sources.len);
	return vuln_entry_vec_push(&b->entries, e) ? 0 : out_of_memory(b, err);
}
