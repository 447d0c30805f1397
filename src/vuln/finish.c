/*
 * finish.c: from facts to bytes. Packages come first, and take everything that they refer to with them, so that what is read
 * together lies together. Lists of ranges and versions are shared inside a package only, for the same reason; strings are
 * shared by all. See layout.h for the format.
 */
#include "crypto/digest.h"
#include "model/wire.h"
#include "vuln/build.h"

#define SECTION_BYTES_MAX 0xfffffff0u /* references have 32 bits */

struct writer {
	struct vuln_builder *b;
	const struct vuln_identity *id;
	const struct vuln_rows *rows;
	struct bh_buf sections[VULN_N_SECTIONS];
	uint32_t *string_at, *text_at;                /* string -> its place; VULN_NO_INDEX: not written yet */
	uint32_t *ranges_at, *versions_at, *cvss_at;  /* list -> its first item */
	uint32_t *qualifier_at, *ecosystem_of;        /* qualifier, string -> item */
	uint32_t *advisory_no;                        /* advisory of id -> item */
	uint32_t first_range, first_version;          /* of the package that is being written */
};

/* ---- strings and lists ---- */

static void put_u32(struct writer *w, enum vuln_section_index s, uint32_t v)
{
	(void)bh_wire_put_u32(&w->sections[s], v); /* failures stick to the buffer */
}

static void put_2u16(struct writer *w, enum vuln_section_index s, uint32_t low, uint32_t high)
{
	put_u32(w, s, (low & 0xffff) | high << 16);
}

static uint32_t put_string_in(struct writer *w, enum vuln_section_index s, uint32_t *at, uint32_t number)
{
	if (at[number] != VULN_NO_INDEX)
		return at[number];
	struct bh_slice text = vuln_b_string(w->b, number);
	struct bh_buf *out = &w->sections[s];
	at[number] = (uint32_t)out->len;
	(void)bh_buf_add_byte(out, (uint8_t)(text.len < VULN_LONG_STRING ? text.len : VULN_LONG_STRING));
	if (text.len >= VULN_LONG_STRING) {
		(void)bh_buf_add_byte(out, (uint8_t)text.len);
		(void)bh_buf_add_byte(out, (uint8_t)(text.len >> 8));
	}
	(void)bh_buf_add(out, text);
	return at[number];
}

static uint32_t string(struct writer *w, uint32_t number)
{
	return put_string_in(w, VULN_STRINGS, w->string_at, number);
}

static uint32_t items(const struct writer *w, enum vuln_section_index s)
{
	return (uint32_t)(w->sections[s].len / vuln_section_item_bytes[s]);
}

/* A list of strings, unless it stands at `first` or behind already. *ret_n: how many. */
static uint32_t string_list(struct writer *w, enum vuln_section_index s, uint32_t *at, uint32_t first, uint32_t list, uint32_t *ret_n)
{
	const uint32_t *number = vuln_b_list(w->b, list, ret_n);
	if (*ret_n == 0)
		return 0;
	if (at[list] == VULN_NO_INDEX || at[list] < first) {
		at[list] = items(w, s);
		for (uint32_t i = 0; i < *ret_n; i++)
			put_u32(w, s, string(w, number[i]));
	}
	return at[list];
}

static uint32_t range_list(struct writer *w, uint32_t list, uint32_t *ret_n)
{
	const uint32_t *number = vuln_b_list(w->b, list, ret_n);
	*ret_n /= 3;
	if (*ret_n == 0)
		return 0;
	if (w->ranges_at[list] == VULN_NO_INDEX || w->ranges_at[list] < w->first_range) {
		w->ranges_at[list] = items(w, VULN_RANGES);
		for (uint32_t i = 0; i < *ret_n; i++) {
			put_u32(w, VULN_RANGES, string(w, number[3 * i]));
			put_u32(w, VULN_RANGES, string(w, number[3 * i + 1]));
			put_u32(w, VULN_RANGES, number[3 * i + 2]);
		}
	}
	return w->ranges_at[list];
}

/* ---- sources ---- */

static void put_sources(struct writer *w)
{
	for (uint32_t rank = 0; rank < w->b->sources.len; rank++) {
		uint32_t i = 0;
		while (w->id->source_rank[i] != rank)
			i++;
		const struct vuln_b_source *s = &w->b->sources.ptr[i];
		const uint32_t texts[] = { s->name, s->feed, s->url, s->licence, s->note };
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
			put_u32(w, VULN_SOURCES, string(w, texts[k]));
		put_u32(w, VULN_SOURCES, (uint32_t)s->day);
		(void)bh_wire_put_u64(&w->sections[VULN_SOURCES], s->records);
		put_2u16(w, VULN_SOURCES, s->precedence, s->flags);
		put_u32(w, VULN_SOURCES, 0);
		(void)bh_buf_add(&w->sections[VULN_SOURCES], (struct bh_slice){ s->sha256, sizeof(s->sha256) });
	}
}

/* ---- packages and rows ---- */

struct ecosystem {
	uint32_t name, packages, rows, open_rows; /* open: of sources that know more than fixes */
};

static const struct vuln_b_package *package_of(const struct writer *w, uint32_t place)
{
	return (const void *)vuln_interned(&w->b->packages, w->rows->packages[place]).ptr;
}

static const struct vuln_b_qualifier *qualifier_of(const struct writer *w, uint32_t number)
{
	return (const void *)vuln_interned(&w->b->qualifiers, number).ptr;
}

/* The buckets of an ecosystem: bucket i begins at the first package whose hash has i or more on top; one more ends the last. */
static void put_buckets(struct writer *w, uint32_t first, uint32_t n)
{
	unsigned bits = vuln_bucket_bits(n);
	uint32_t next = 0;
	for (uint32_t place = first; place < first + n; place++) {
		uint32_t bucket = vuln_bucket_of(bh_slice_hash(vuln_b_string(w->b, package_of(w, place)->name)), bits);
		for (; next <= bucket; next++)
			put_u32(w, VULN_BUCKETS, place);
	}
	for (; next <= 1u << bits; next++)
		put_u32(w, VULN_BUCKETS, first + n);
}

/* Packages are sorted by ecosystem, and ecosystems by name; buckets come in the same order. */
static int put_ecosystems(struct writer *w, struct bh_err *err)
{
	struct ecosystem *all = vuln_array(w->rows->n_packages, sizeof(*all), err);
	uint32_t *slot = w->ecosystem_of, n = 0, package = 0, bucket = 0;
	if (!all)
		return BH_ENOMEM;
	for (uint32_t i = 0; i < w->rows->n_packages; i++) {
		uint32_t name = package_of(w, i)->ecosystem;
		if (slot[name] == VULN_NO_INDEX) {
			slot[name] = n;
			all[n++].name = name;
		}
		all[slot[name]].packages++;
	}
	for (uint32_t i = 0; i < w->rows->n; i++) {
		const struct vuln_b_order *o = &w->rows->order[i];
		struct ecosystem *e = &all[slot[package_of(w, o->package)->ecosystem]];
		uint32_t source = qualifier_of(w, w->b->rows.ptr[o->row].qualifier)->source;
		e->rows += !o->hidden;
		e->open_rows += !o->hidden && !(w->b->sources.ptr[source].flags & VULN_SOURCE_FIXED_ONLY);
	}
	for (uint32_t i = 0; i < n; i++) {
		put_u32(w, VULN_ECOSYSTEMS, string(w, all[i].name));
		put_u32(w, VULN_ECOSYSTEMS, all[i].packages);
		put_u32(w, VULN_ECOSYSTEMS, all[i].rows);
		put_u32(w, VULN_ECOSYSTEMS, all[i].open_rows ? 0 : VULN_ECOSYSTEM_FIXED_ONLY);
		put_u32(w, VULN_ECOSYSTEMS, package);
		put_u32(w, VULN_ECOSYSTEMS, bucket);
		put_buckets(w, package, all[i].packages);
		package += all[i].packages;
		bucket = items(w, VULN_BUCKETS);
	}
	free(all);
	return 0;
}

static uint32_t qualifier(struct writer *w, uint32_t number)
{
	const struct vuln_b_qualifier *q = qualifier_of(w, number);
	if (w->qualifier_at[number] == VULN_NO_INDEX) {
		w->qualifier_at[number] = items(w, VULN_QUALIFIERS);
		put_u32(w, VULN_QUALIFIERS, w->id->source_rank[q->source]);
		put_u32(w, VULN_QUALIFIERS, string(w, q->erratum));
		put_u32(w, VULN_QUALIFIERS, string(w, q->arch));
		put_u32(w, VULN_QUALIFIERS, string(w, q->module));
	}
	return w->qualifier_at[number];
}

static void put_row(struct writer *w, enum vuln_section_index s, const struct vuln_b_order *o)
{
	const struct vuln_b_row *r = &w->b->rows.ptr[o->row];
	uint32_t n_ranges, n_versions;
	put_u32(w, s, w->advisory_no[o->advisory]);
	put_u32(w, s, qualifier(w, r->qualifier));
	put_u32(w, s, range_list(w, r->ranges, &n_ranges));
	put_u32(w, s, string_list(w, VULN_VERSIONS, w->versions_at, w->first_version, r->versions, &n_versions));
	put_2u16(w, s, n_ranges, n_versions);
	put_2u16(w, s, (uint32_t)(r->state | r->severity << 4 | r->flags << 8), w->id->name_no[r->id]);
}

static void put_packages(struct writer *w)
{
	for (uint32_t place = 0, i = 0; place < w->rows->n_packages; place++) {
		const struct vuln_b_package *p = package_of(w, place);
		uint32_t first = items(w, VULN_ROWS);
		w->first_range = items(w, VULN_RANGES);
		w->first_version = items(w, VULN_VERSIONS);
		(void)bh_wire_put_u64(&w->sections[VULN_PACKAGES], bh_slice_hash(vuln_b_string(w->b, p->name)));
		put_u32(w, VULN_PACKAGES, w->ecosystem_of[p->ecosystem]);
		put_u32(w, VULN_PACKAGES, string(w, p->name));
		for (; i < w->rows->n && w->rows->order[i].package == place; i++)
			if (!w->rows->order[i].hidden)
				put_row(w, VULN_ROWS, &w->rows->order[i]);
		put_u32(w, VULN_PACKAGES, first);
		put_u32(w, VULN_PACKAGES, items(w, VULN_ROWS) - first);
	}
	for (uint32_t i = 0; i < w->rows->n; i++)
		if (w->rows->order[i].hidden) {
			put_u32(w, VULN_HIDDEN, w->rows->order[i].package);
			put_row(w, VULN_HIDDEN, &w->rows->order[i]);
		}
}

/* ---- advisories ---- */

static void put_advisory(struct writer *w, enum vuln_section_index s, uint32_t id, const uint32_t *aliases, uint32_t n_aliases,
			 const struct vuln_b_record *r, uint32_t source)
{
	uint32_t n_cvss, at = n_aliases ? items(w, VULN_ALIASES) : 0;
	for (uint32_t i = 0; i < n_aliases; i++)
		put_u32(w, VULN_ALIASES, string(w, aliases[i]));
	put_u32(w, s, string(w, id));
	put_u32(w, s, at);
	put_u32(w, s, n_aliases);
	put_u32(w, s, string_list(w, VULN_CVSS, w->cvss_at, 0, r->cvss, &n_cvss));
	put_u32(w, s, put_string_in(w, VULN_TEXT, w->text_at, r->title));
	put_u32(w, s, (uint32_t)r->published_day);
	put_u32(w, s, (uint32_t)r->modified_day);
	put_u32(w, s, (uint32_t)r->withdrawn_day);
	put_2u16(w, s, n_cvss, r->flags);
	put_2u16(w, s, r->score_tenths, r->severity);
	put_2u16(w, s, source == VULN_NO_SOURCE ? VULN_NO_SOURCE : w->id->source_rank[source], 0);
}

/* Advisories in the order in which rows name them; then, by id, those that no row names. order: item -> advisory of id. */
static void number_advisories(struct writer *w, uint32_t *order)
{
	uint32_t n = 0;
	for (int hidden = 0; hidden < 2; hidden++)
		for (uint32_t i = 0; i < w->rows->n; i++) {
			uint32_t a = w->rows->order[i].advisory;
			if (w->rows->order[i].hidden != hidden || w->advisory_no[a] != VULN_NO_INDEX)
				continue;
			order[n] = a;
			w->advisory_no[a] = n++;
		}
	for (uint32_t a = 0; a < w->id->n_advisories; a++)
		if (w->advisory_no[a] == VULN_NO_INDEX) {
			order[n] = a;
			w->advisory_no[a] = n++;
		}
}

static void put_advisories(struct writer *w, const uint32_t *order)
{
	for (uint32_t i = 0; i < w->id->n_advisories; i++) {
		const struct vuln_b_advisory *a = &w->id->advisories[order[i]];
		put_advisory(w, VULN_ADVISORIES, a->id, w->id->aliases + a->first_alias, a->n_aliases, &a->view, a->source);
	}
	for (uint32_t i = 0; i < w->id->n_facts; i++) {
		const struct vuln_b_record *r = (const void *)vuln_interned(&w->b->records, w->id->facts[i].record).ptr;
		uint32_t n;
		const uint32_t *names = vuln_b_list(w->b, r->names, &n);
		put_advisory(w, VULN_FACTS, names[0], names + 1, n - 1, r, r->source);
	}
}

static int put_packages_and_advisories(struct writer *w, struct bh_err *err)
{
	uint32_t *order = vuln_array(w->id->n_advisories, sizeof(*order), err);
	if (!order)
		return BH_ENOMEM;
	number_advisories(w, order);
	put_packages(w);
	put_advisories(w, order);
	free(order);
	return 0;
}

/* All names in byte order. */
static int put_names(struct writer *w, struct bh_err *err)
{
	uint32_t n = (uint32_t)w->b->strings.len;
	uint32_t *by_rank = vuln_array(n, sizeof(*by_rank), err);
	if (!by_rank)
		return BH_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		by_rank[w->id->rank[i]] = i;
	for (uint32_t i = 0; i < n; i++)
		if (w->id->advisory_of[by_rank[i]] != VULN_NO_INDEX) {
			put_u32(w, VULN_NAMES, string(w, by_rank[i]));
			put_u32(w, VULN_NAMES, w->advisory_no[w->id->advisory_of[by_rank[i]]]);
		}
	free(by_rank);
	return 0;
}

/* ---- exploitation and tables ---- */

static int cmp_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int by_kev(const void *a, const void *b)
{
	const struct vuln_b_kev *x = a, *y = b;
	int c = cmp_u32(x->cve, y->cve);
	c = c ? c : cmp_u32(x->source, y->source);
	c = c ? c : (x->day > y->day) - (x->day < y->day);
	return c ? c : cmp_u32(x->flags, y->flags);
}

static int by_epss(const void *a, const void *b)
{
	const struct vuln_b_epss *x = a, *y = b;
	int c = cmp_u32(x->cve, y->cve);
	c = c ? c : cmp_u32(x->source, y->source);
	c = c ? c : (x->day > y->day) - (x->day < y->day);
	c = c ? c : cmp_u32(x->score, y->score);
	return c ? c : cmp_u32(x->percentile, y->percentile);
}

/* Sources become ranks in place: the builder ends here anyway. */
static void put_kev(struct writer *w)
{
	struct vuln_kev_vec *v = &w->b->kev;
	for (size_t i = 0; i < v->len; i++)
		v->ptr[i].source = w->id->source_rank[v->ptr[i].source];
	if (v->len)
		qsort(v->ptr, v->len, sizeof(v->ptr[0]), by_kev);
	for (size_t i = 0; i < v->len; i++) {
		const struct vuln_b_kev *k = &v->ptr[i];
		if (i && by_kev(k - 1, k) == 0)
			continue;
		put_u32(w, VULN_KEV, k->cve);
		put_u32(w, VULN_KEV, (uint32_t)k->day);
		put_2u16(w, VULN_KEV, k->source, k->flags);
	}
}

static void put_epss(struct writer *w)
{
	struct vuln_epss_vec *v = &w->b->epss;
	for (size_t i = 0; i < v->len; i++)
		v->ptr[i].source = w->id->source_rank[v->ptr[i].source];
	if (v->len)
		qsort(v->ptr, v->len, sizeof(v->ptr[0]), by_epss);
	for (size_t i = 0; i < v->len; i++) {
		const struct vuln_b_epss *e = &v->ptr[i];
		if (i && by_epss(e - 1, e) == 0)
			continue;
		put_u32(w, VULN_EPSS, e->cve);
		put_u32(w, VULN_EPSS, (uint32_t)e->day);
		put_2u16(w, VULN_EPSS, e->score, e->percentile);
		put_2u16(w, VULN_EPSS, e->source, 0);
	}
}

static int by_entry(const void *a, const void *b, void *ctx)
{
	const struct vuln_b_entry *x = a, *y = b;
	const struct vuln_identity *id = ctx;
	int c = cmp_u32(id->rank[x->table], id->rank[y->table]);
	c = c ? c : cmp_u32(id->rank[x->key], id->rank[y->key]);
	c = c ? c : cmp_u32(id->rank[x->value], id->rank[y->value]);
	return c ? c : cmp_u32(id->source_rank[x->source], id->source_rank[y->source]);
}

static void put_entries(struct writer *w)
{
	struct vuln_entry_vec *v = &w->b->entries;
	struct vuln_identity id = *w->id;
	if (v->len)
		qsort_r(v->ptr, v->len, sizeof(v->ptr[0]), by_entry, &id);
	for (size_t i = 0; i < v->len; i++) {
		const struct vuln_b_entry *e = &v->ptr[i];
		if (i && by_entry(e - 1, e, &id) == 0)
			continue;
		put_u32(w, VULN_ENTRIES, string(w, e->table));
		put_u32(w, VULN_ENTRIES, string(w, e->key));
		put_u32(w, VULN_ENTRIES, string(w, e->value));
		put_u32(w, VULN_ENTRIES, w->id->source_rank[e->source]);
	}
}

/* ---- the file ---- */

static int hash_into(struct bh_slice bytes, uint8_t *out, struct bh_err *err)
{
	struct bh_digest d;
	int rc = bh_digest_of(BH_DIGEST_SHA256, bytes, &d, err);
	if (rc == 0)
		memcpy(out, d.bytes, 32);
	return rc;
}

static void pad(struct bh_buf *out)
{
	while (out->len % VULN_ALIGN_BYTES && !out->failed)
		(void)bh_buf_add_byte(out, 0);
}

/* Header and table, checksums still zero; then the sections. */
static int put_file(struct writer *w, struct bh_buf *out, struct bh_err *err)
{
	const uint64_t head = VULN_HEADER_BYTES + VULN_N_SECTIONS * VULN_TABLE_ITEM_BYTES;
	const uint8_t zeros[32] = { 0 };
	uint64_t offset = head, end = head;
	for (int s = 0; s < VULN_N_SECTIONS; s++)
		end = (end + VULN_ALIGN_BYTES - 1) / VULN_ALIGN_BYTES * VULN_ALIGN_BYTES + w->sections[s].len;
	(void)bh_buf_add_str(out, VULN_MAGIC);
	(void)bh_wire_put_u32(out, VULN_FORMAT_MAJOR | VULN_FORMAT_MINOR << 16);
	(void)bh_wire_put_u64(out, end);
	(void)bh_wire_put_u32(out, VULN_N_SECTIONS);
	(void)bh_buf_add(out, (struct bh_slice){ zeros, 12 });
	(void)bh_buf_add(out, (struct bh_slice){ zeros, 32 });
	for (int s = 0; s < VULN_N_SECTIONS; s++) {
		uint8_t sha256[32] = { 0 };
		int rc = hash_into(bh_buf_slice(&w->sections[s]), sha256, err);
		if (rc < 0)
			return rc;
		offset = (offset + VULN_ALIGN_BYTES - 1) / VULN_ALIGN_BYTES * VULN_ALIGN_BYTES;
		(void)bh_buf_add_str(out, vuln_section_letters[s]);
		(void)bh_wire_put_u32(out, vuln_section_item_bytes[s]);
		(void)bh_wire_put_u64(out, offset);
		(void)bh_wire_put_u64(out, w->sections[s].len);
		(void)bh_wire_put_u64(out, 0);
		(void)bh_buf_add(out, (struct bh_slice){ sha256, sizeof(sha256) });
		offset += w->sections[s].len;
	}
	for (int s = 0; s < VULN_N_SECTIONS; s++) {
		pad(out);
		(void)bh_buf_add(out, bh_buf_slice(&w->sections[s]));
		bh_buf_done(&w->sections[s]);
	}
	if (out->failed)
		return bh_fail(err, BH_ELIMIT, out->len, "the advisory database is larger than %zu bytes", out->max_bytes);
	return hash_into(bh_slice_sub(bh_buf_slice(out), 0, head), out->ptr + VULN_HEADER_SHA_AT, err);
}

static int put_sections(struct writer *w, struct bh_err *err)
{
	(void)string(w, 0);
	(void)put_string_in(w, VULN_TEXT, w->text_at, 0);
	put_sources(w);
	int rc = put_ecosystems(w, err);
	if (rc < 0)
		return rc;
	rc = put_packages_and_advisories(w, err);
	rc = rc < 0 ? rc : put_names(w, err);
	if (rc < 0)
		return rc;
	put_kev(w);
	put_epss(w);
	put_entries(w);
	for (int s = 0; s < VULN_N_SECTIONS; s++)
		if (w->sections[s].failed)
			return bh_fail(err, BH_ELIMIT, 0, "section %s of the advisory database would exceed %u bytes, or memory", vuln_section_letters[s],
				       SECTION_BYTES_MAX);
	return 0;
}

static int places(uint32_t **ret, size_t n, struct bh_err *err)
{
	*ret = vuln_array(n, sizeof(uint32_t), err);
	if (!*ret)
		return BH_ENOMEM;
	memset(*ret, 0xff, n * sizeof(uint32_t)); /* all of them VULN_NO_INDEX */
	return 0;
}

static int writer_init(struct writer *w, struct bh_err *err)
{
	size_t strings = w->b->strings.len, lists = w->b->lists.len;
	for (int s = 0; s < VULN_N_SECTIONS; s++)
		bh_buf_init(&w->sections[s], SECTION_BYTES_MAX);
	int rc = places(&w->string_at, strings, err);
	rc = rc < 0 ? rc : places(&w->text_at, strings, err);
	rc = rc < 0 ? rc : places(&w->ecosystem_of, strings, err);
	rc = rc < 0 ? rc : places(&w->ranges_at, lists, err);
	rc = rc < 0 ? rc : places(&w->versions_at, lists, err);
	rc = rc < 0 ? rc : places(&w->cvss_at, lists, err);
	rc = rc < 0 ? rc : places(&w->advisory_no, w->id->n_advisories, err);
	return rc < 0 ? rc : places(&w->qualifier_at, w->b->qualifiers.len, err);
}

static void writer_done(struct writer *w)
{
	uint32_t *const all[] = { w->string_at, w->text_at, w->ecosystem_of, w->ranges_at, w->versions_at, w->cvss_at, w->qualifier_at, w->advisory_no };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
	for (int s = 0; s < VULN_N_SECTIONS; s++)
		bh_buf_done(&w->sections[s]);
}

int vuln_builder_finish(struct vuln_builder *b, struct bh_buf *out, struct bh_err *err)
{
	struct vuln_identity id = { 0 };
	struct vuln_rows rows = { 0 };
	struct writer w = { .b = b, .id = &id, .rows = &rows };
	if (b->broken)
		return bh_fail(err, BH_EUSAGE, 0, "this database builder has failed or finished already");
	b->broken = true;
	int rc = vuln_identity_make(b, &id, err);
	rc = rc < 0 ? rc : vuln_rows_make(b, &id, &rows, err);
	rc = rc < 0 ? rc : writer_init(&w, err);
	rc = rc < 0 ? rc : put_sections(&w, err);
	rc = rc < 0 ? rc : put_file(&w, out, err);
	writer_done(&w);
	vuln_rows_done(&rows);
	vuln_identity_done(&id);
	return rc;
}
