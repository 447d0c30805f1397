/*
 * db_lookup.c: `bulkhead db lookup`: what the data say about a package or an advisory, with the source that says it. With a
 * version it tells whether that one is affected.
 */
#include "cmd/db.h"

#include "base/vec.h"
#include "version/version.h"
#include "vuln/judge.h"
#include "vuln/symbols.h"

#include <stdio.h>

#define RANGES_SHOWN_MAX 200u
#define HITS_MAX 10000000u
#define SYMBOLS_BYTES_MAX (64u << 10)

struct lookup {
	const struct vuln_db *db;
	struct bh_buf *out;
	struct bh_slice version;             /* empty: not asked */
	const struct version_scheme *scheme; /* of the ecosystem; NULL: unknown */
	bool json, first;
};

/* ---- what is shown of one row ---- */

struct seen {
	struct vuln_row row;
	struct vuln_advisory advisory;
	struct vuln_source source;
	enum vuln_outcome outcome; /* of the version asked about */
};

/* As a scan would judge a package of this version; of the row's architecture and module, as none was named. */
static int judge(const struct lookup *l, const struct vuln_row *row, enum vuln_outcome *ret, struct bh_err *err)
{
	const struct bh_package package = { .arch = row->arch, .modularity = row->module };
	const struct vuln_installed installed = { .package = &package, .version = l->version, .scheme = l->scheme,
						  .valid = l->scheme && l->scheme->valid(l->version) };
	struct vuln_decision decision;
	uint64_t work = UINT64_MAX;
	int rc = vuln_judge(l->db, row, &installed, &work, &decision, err);
	if (rc == BH_OK)
		*ret = decision.outcome;
	return rc;
}

static int look_at(const struct lookup *l, uint32_t index, struct seen *ret, struct bh_err *err)
{
	ret->outcome = VULN_UNDETERMINED;
	int rc = vuln_db_row(l->db, index, &ret->row, err);
	rc = rc < 0 ? rc : vuln_db_advisory(l->db, ret->row.advisory, &ret->advisory, err);
	rc = rc < 0 ? rc : vuln_db_source(l->db, ret->row.source, &ret->source, err);
	return rc < 0 || l->version.len == 0 ? rc : judge(l, &ret->row, &ret->outcome, err);
}

static const char *verdict_word(const struct seen *s)
{
	if (s->advisory.flags & VULN_ADV_WITHDRAWN)
		return "withdrawn";
	switch (s->outcome) {
	case VULN_AFFECTED: return "affected";
	case VULN_UNDETERMINED: return "undetermined";
	case VULN_FINE:
	case VULN_NOT_AFFECTED:
	case VULN_ELSEWHERE: break;
	}
	return "not affected";
}

/* ---- texts ---- */

static void add_range(struct bh_buf *b, const struct vuln_range *r)
{
	switch (r->kind) {
	case VULN_END_NONE:
		if (r->start.len == 0)
			bh_buf_add_str(b, "every version");
		else
			bh_buf_printf(b, "from %.*s on", BH_SLICE_FMT(r->start));
		return;
	case VULN_END_FIXED:
	case VULN_END_LIMIT:
	case VULN_END_LAST: break;
	}
	if (r->start.len)
		bh_buf_printf(b, "from %.*s ", BH_SLICE_FMT(r->start));
	bh_buf_printf(b, r->kind == VULN_END_LAST ? "to %.*s" : "before %.*s", BH_SLICE_FMT(r->end));
}

/* "before 1.2, from 2.0 before 2.3" */
static int add_versions(const struct lookup *l, const struct vuln_row *row, struct bh_buf *b, struct bh_err *err)
{
	uint32_t n = row->n_ranges + row->n_versions;
	for (uint32_t i = 0; i < n && i < RANGES_SHOWN_MAX; i++) {
		struct vuln_range r;
		struct bh_slice v;
		bool is_range = i < row->n_ranges;
		int rc = is_range ? vuln_db_range(l->db, row, i, &r, err) : vuln_db_version(l->db, row, i - row->n_ranges, &v, err);
		if (rc < 0)
			return rc;
		bh_buf_add_str(b, i ? ", " : "");
		if (is_range)
			add_range(b, &r);
		else
			bh_buf_add(b, v);
	}
	if (n > RANGES_SHOWN_MAX)
		bh_buf_printf(b, ", and %u more", n - RANGES_SHOWN_MAX);
	if (n == 0)
		bh_buf_add_str(b, row->state == BH_STATE_NOT_AFFECTED ? "never affected" : "versions unknown");
	return 0;
}

static enum bh_severity severity_of(const struct vuln_row *row, const struct vuln_advisory *a)
{
	return row->severity != BH_SEV_UNKNOWN ? row->severity : a->severity;
}

/* One row as cells: id, severity, state, [verdict,] package or erratum, versions, source. */
static int add_row(struct lookup *l, struct db_table *t, struct bh_slice ecosystem, struct bh_slice package, uint32_t index, bool by_package,
		   struct bh_err *err)
{
	struct seen seen;
	struct bh_buf versions;
	int rc = look_at(l, index, &seen, err);
	if (rc < 0)
		return rc;
	const struct vuln_row *row = &seen.row;
	const struct vuln_advisory *a = &seen.advisory;
	bh_buf_init(&versions, 1u << 20);
	rc = add_versions(l, row, &versions, err);
	if (by_package) {
		db_table_add(t, a->id);
		db_table_addf(t, "%s%s", bh_severity_name(severity_of(row, a)), a->flags & VULN_ADV_WITHDRAWN ? " (withdrawn)" : "");
	} else {
		db_table_add(t, ecosystem);
		db_table_add(t, package);
	}
	db_table_addf(t, "%s", bh_state_name(row->state));
	if (l->version.len)
		db_table_addf(t, "%s", verdict_word(&seen));
	db_table_add(t, bh_buf_slice(&versions));
	db_table_addf(t, "%.*s%s%.*s", BH_SLICE_FMT(row->erratum), row->module.len ? " module " : "", BH_SLICE_FMT(row->module));
	db_table_add(t, seen.source.name);
	bh_buf_done(&versions);
	return rc;
}

static void add_titles(const struct lookup *l, struct db_table *t, bool by_package)
{
	db_table_addf(t, "%s", by_package ? "ADVISORY" : "ECOSYSTEM");
	db_table_addf(t, "%s", by_package ? "SEVERITY" : "PACKAGE");
	db_table_addf(t, "%s", "STATE");
	if (l->version.len)
		db_table_addf(t, "%.*s", BH_SLICE_FMT(l->version));
	db_table_addf(t, "%s", "VERSIONS");
	db_table_addf(t, "%s", "ANNOUNCED");
	db_table_addf(t, "%s", "SOURCE");
}

/* ---- JSON ---- */

static void add_key(struct bh_buf *b, const char *key, struct bh_slice value)
{
	bh_buf_printf(b, "\"%s\": ", key);
	bh_buf_add_json(b, value);
}

static int add_json_ranges(const struct lookup *l, const struct vuln_row *row, struct bh_buf *b, struct bh_err *err)
{
	static const char *const ends[] = { [VULN_END_NONE] = "", [VULN_END_FIXED] = "fixed", [VULN_END_LAST] = "last_affected",
					    [VULN_END_LIMIT] = "limit" };
	int rc = 0;
	bh_buf_add_str(b, ", \"ranges\": [");
	for (uint32_t i = 0; rc == 0 && i < row->n_ranges; i++) {
		struct vuln_range r;
		rc = vuln_db_range(l->db, row, i, &r, err);
		if (rc < 0)
			break;
		bh_buf_add_str(b, i ? ", { " : "{ ");
		add_key(b, "introduced", r.start.len ? r.start : BH_SLICE_LIT("0"));
		if (r.kind != VULN_END_NONE) {
			bh_buf_add_str(b, ", ");
			add_key(b, ends[r.kind], r.end);
		}
		bh_buf_add_str(b, " }");
	}
	bh_buf_add_str(b, "], \"versions\": [");
	for (uint32_t i = 0; rc == 0 && i < row->n_versions; i++) {
		struct bh_slice v;
		rc = vuln_db_version(l->db, row, i, &v, err);
		bh_buf_add_str(b, i ? ", " : "");
		if (rc == 0)
			bh_buf_add_json(b, v);
	}
	bh_buf_add_byte(b, ']');
	return rc;
}

static int add_json_row(struct lookup *l, struct bh_slice ecosystem, struct bh_slice package, uint32_t index, struct bh_err *err)
{
	struct seen seen;
	struct bh_buf *b = l->out;
	int rc = look_at(l, index, &seen, err);
	if (rc < 0)
		return rc;
	const struct vuln_row *row = &seen.row;
	const struct vuln_advisory *a = &seen.advisory;
	bh_buf_add_str(b, l->first ? "\n    { " : ",\n    { ");
	l->first = false;
	add_key(b, "ecosystem", ecosystem);
	bh_buf_add_str(b, ", ");
	add_key(b, "package", package);
	bh_buf_add_str(b, ", ");
	add_key(b, "id", a->id);
	bh_buf_printf(b, ", \"severity\": \"%s\", \"state\": \"%s\", \"withdrawn\": %s, ", bh_severity_name(severity_of(row, a)), bh_state_name(row->state),
		      a->flags & VULN_ADV_WITHDRAWN ? "true" : "false");
	if (l->version.len)
		bh_buf_printf(b, "\"verdict\": \"%s\", ", verdict_word(&seen));
	add_key(b, "erratum", row->erratum);
	bh_buf_add_str(b, ", ");
	add_key(b, "arch", row->arch);
	bh_buf_add_str(b, ", ");
	add_key(b, "module", row->module);
	bh_buf_add_str(b, ", ");
	add_key(b, "source", seen.source.name);
	rc = add_json_ranges(l, row, b, err);
	bh_buf_add_str(b, " }");
	return rc;
}

/* ---- a package ---- */

static int write_package(struct lookup *l, struct bh_slice ecosystem, struct bh_slice package, struct bh_err *err)
{
	struct vuln_span rows;
	struct vuln_ecosystem e;
	struct db_table t;
	int rc = vuln_db_find_ecosystem(l->db, ecosystem, &e, err);
	rc = rc < 0 ? rc : vuln_db_find(l->db, ecosystem, package, &rows, err);
	if (rc < 0)
		return rc;
	db_table_init(&t, l->version.len ? 7 : 6);
	if (rows.n)
		add_titles(l, &t, true);
	if (l->json)
		bh_buf_add_str(l->out, "{\n  \"schema\": \"bulkhead.db-lookup/1\",\n  \"entries\": [");
	for (uint32_t i = 0; rc == 0 && i < rows.n; i++)
		rc = l->json ? add_json_row(l, ecosystem, package, rows.first + i, err) : add_row(l, &t, ecosystem, package, rows.first + i, true, err);
	if (l->json) {
		bh_buf_add_str(l->out, "\n  ]\n}\n");
	} else if (rows.n == 0) {
		bh_buf_add_str(l->out, "no entry about ");
		bh_buf_add_escaped(l->out, package);
		bh_buf_printf(l->out, " in the data of %.*s\n", BH_SLICE_FMT(e.name));
	}
	if (!l->json && rows.n)
		db_table_write(&t, 0, l->out);
	if (!l->json && e.fixed_only)
		bh_buf_printf(l->out, "The data of %.*s know fixed issues only: open ones are not listed.\n", BH_SLICE_FMT(e.name));
	db_table_done(&t);
	return rc;
}

/* ---- an advisory ---- */

static int add_names(const struct vuln_db *db, const struct vuln_advisory *a, struct bh_buf *b, const char *separator, bool json, struct bh_err *err)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < a->n_aliases; i++) {
		struct bh_slice alias;
		rc = vuln_db_alias(db, a, i, &alias, err);
		if (rc < 0)
			break;
		bh_buf_add_str(b, i ? separator : "");
		if (json)
			bh_buf_add_json(b, alias);
		else
			bh_buf_add_escaped(b, alias);
	}
	return rc;
}

static void add_exploit(struct bh_buf *b, const struct vuln_exploit *e)
{
	char day[16];
	if (e->kev)
		bh_buf_printf(b, "  known to be exploited since %s%s\n", e->kev_day == VULN_NO_DAY ? "an unknown day" : vuln_day_text(e->kev_day, day),
			      e->kev_ransomware ? ", by ransomware too" : "");
	if (e->has_epss)
		bh_buf_printf(b, "  likelihood of exploitation %.2f%%, higher than of %.1f%% of all (%s)\n", e->epss_score * 100.0 / 65535,
			      e->epss_percentile * 100.0 / 65535, e->epss_day == VULN_NO_DAY ? "of an unknown day" : vuln_day_text(e->epss_day, day));
}

/* "CWE-79" and its like, which NVD and CVE records know; a weakness that two sources name is said once. */
static int add_weaknesses(const struct lookup *l, struct bh_slice id, bool json, struct bh_err *err)
{
	struct vuln_span all;
	struct bh_slice last = { 0 };
	int rc = vuln_db_table_find(l->db, BH_SLICE_LIT("cwe"), id, &all, err);
	for (uint32_t i = 0; rc == 0 && i < all.n; i++) {
		struct vuln_entry e;
		rc = vuln_db_entry(l->db, all.first + i, &e, err);
		if (rc < 0 || bh_slice_eq(e.value, last))
			continue;
		bh_buf_add_str(l->out, last.len ? ", " : json ? "" : "  weaknesses ");
		if (json)
			bh_buf_add_json(l->out, e.value);
		else
			bh_buf_add_escaped(l->out, e.value);
		last = e.value;
	}
	if (rc == 0 && last.len && !json)
		bh_buf_add_byte(l->out, '\n');
	return rc;
}

/* The flawed functions, of all modules. */
static int add_symbols(const struct lookup *l, const struct vuln_advisory *a, bool json, struct bh_err *err)
{
	struct bh_buf text;
	bh_buf_init(&text, SYMBOLS_BYTES_MAX);
	int rc = vuln_symbols_write(l->db, a, (struct bh_slice){ 0 }, &text, err);
	if (json) {
		bh_buf_add_json(l->out, bh_buf_slice(&text));
	} else if (text.len) {
		bh_buf_add_str(l->out, "  concerns who uses ");
		bh_buf_add_escaped(l->out, bh_buf_slice(&text));
		bh_buf_add_byte(l->out, '\n');
	}
	bh_buf_done(&text);
	return rc;
}

static int add_advisory_text(const struct lookup *l, const struct vuln_advisory *a, struct bh_err *err)
{
	struct bh_buf *b = l->out;
	struct bh_slice title = { 0 }, vector;
	char day[16];
	int rc = vuln_db_title(l->db, a, &title, err);
	bh_buf_add_escaped(b, a->id);
	bh_buf_printf(b, "  %s", bh_severity_name(a->severity));
	if (a->score_tenths)
		bh_buf_printf(b, " %u.%u", a->score_tenths / 10, a->score_tenths % 10);
	bh_buf_add_str(b, title.len ? "  " : "");
	bh_buf_add_escaped(b, title);
	bh_buf_add_byte(b, '\n');
	if (a->n_aliases) {
		bh_buf_add_str(b, "  also ");
		rc = rc < 0 ? rc : add_names(l->db, a, b, ", ", false, err);
		bh_buf_add_byte(b, '\n');
	}
	for (uint32_t i = 0; rc == 0 && i < a->n_cvss; i++) {
		rc = vuln_db_cvss(l->db, a, i, &vector, err);
		bh_buf_add_str(b, "  ");
		if (rc == 0)
			bh_buf_add_escaped(b, vector);
		bh_buf_add_byte(b, '\n');
	}
	rc = rc < 0 ? rc : add_weaknesses(l, a->id, false, err);
	rc = rc < 0 ? rc : add_symbols(l, a, false, err);
	if (a->published_day != VULN_NO_DAY)
		bh_buf_printf(b, "  published %s\n", vuln_day_text(a->published_day, day));
	if (a->flags & VULN_ADV_WITHDRAWN)
		bh_buf_printf(b, "  withdrawn %s: never a finding\n", vuln_day_text(a->withdrawn_day, day));
	if (a->flags & VULN_ADV_MALWARE)
		bh_buf_add_str(b, "  the package itself is malicious\n");
	if (a->flags & VULN_ADV_INFORMATIONAL)
		bh_buf_add_str(b, "  informational: not a vulnerability\n");
	return rc;
}

static int add_advisory_json(const struct lookup *l, const struct vuln_advisory *a, const struct vuln_exploit *e, struct bh_err *err)
{
	struct bh_buf *b = l->out;
	struct bh_slice title = { 0 };
	char day[16];
	int rc = vuln_db_title(l->db, a, &title, err);
	bh_buf_add_str(b, "{\n  \"schema\": \"bulkhead.db-lookup/1\",\n  ");
	add_key(b, "id", a->id);
	bh_buf_add_str(b, ",\n  \"aliases\": [");
	rc = rc < 0 ? rc : add_names(l->db, a, b, ", ", true, err);
	bh_buf_add_str(b, "],\n  ");
	add_key(b, "title", title);
	bh_buf_printf(b, ",\n  \"severity\": \"%s\",\n  \"score\": %u.%u,\n", bh_severity_name(a->severity), a->score_tenths / 10, a->score_tenths % 10);
	bh_buf_add_str(b, "  \"cvss\": [");
	for (uint32_t i = 0; rc == 0 && i < a->n_cvss; i++) {
		struct bh_slice vector;
		rc = vuln_db_cvss(l->db, a, i, &vector, err);
		bh_buf_add_str(b, i ? ", " : "");
		if (rc == 0)
			bh_buf_add_json(b, vector);
	}
	bh_buf_add_str(b, "],\n  \"weaknesses\": [");
	rc = rc < 0 ? rc : add_weaknesses(l, a->id, true, err);
	bh_buf_add_str(b, "],\n  \"symbols\": ");
	rc = rc < 0 ? rc : add_symbols(l, a, true, err);
	bh_buf_printf(b, ",\n  \"published\": \"%s\",\n", vuln_day_text(a->published_day, day));
	bh_buf_printf(b, "  \"withdrawn\": %s,\n  \"malware\": %s,\n  \"informational\": %s,\n", a->flags & VULN_ADV_WITHDRAWN ? "true" : "false",
		      a->flags & VULN_ADV_MALWARE ? "true" : "false", a->flags & VULN_ADV_INFORMATIONAL ? "true" : "false");
	bh_buf_printf(b, "  \"kev\": %s,\n  \"kev_date\": \"%s\",\n  \"kev_ransomware\": %s,\n", e->kev ? "true" : "false", vuln_day_text(e->kev_day, day),
		      e->kev_ransomware ? "true" : "false");
	if (e->has_epss)
		bh_buf_printf(b, "  \"epss\": { \"score\": %.5f, \"percentile\": %.5f, \"date\": \"%s\" },\n", e->epss_score / 65535.0,
			      e->epss_percentile / 65535.0, vuln_day_text(e->epss_day, day));
	bh_buf_add_str(b, "  \"entries\": [");
	return rc;
}

/* Does the row belong to the advisory, or was it announced under this name? */
static int row_matches(const struct vuln_db *db, uint32_t index, uint32_t advisory, struct bh_slice id, bool *ret, struct bh_err *err)
{
	struct vuln_row row;
	int rc = vuln_db_row(db, index, &row, err);
	if (rc == 0)
		*ret = row.advisory == advisory || bh_slice_eq(row.erratum, id);
	return rc;
}

struct hit {
	struct bh_slice ecosystem, package;
	uint32_t row;
};
BH_VEC(hit_vec, struct hit)

static int compare_hits(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;
	int c = bh_slice_cmp(x->ecosystem, y->ecosystem);
	c = c ? c : bh_slice_cmp(x->package, y->package);
	return c ? c : (x->row > y->row) - (x->row < y->row);
}

/* There is no index from advisories to packages: scanning needs none. So all rows are looked at, which takes milliseconds. */
static int find_rows(const struct lookup *l, uint32_t advisory, struct bh_slice id, struct hit_vec *hits, struct bh_err *err)
{
	struct vuln_db_totals totals;
	vuln_db_totals(l->db, &totals);
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < totals.packages; i++) {
		struct vuln_package p;
		rc = vuln_db_package(l->db, i, &p, err);
		for (uint32_t k = 0; rc == 0 && k < p.rows.n; k++) {
			bool matches = false;
			rc = row_matches(l->db, p.rows.first + k, advisory, id, &matches, err);
			if (rc == 0 && matches && !hit_vec_push(hits, (struct hit){ p.ecosystem, p.name, p.rows.first + k }))
				rc = bh_fail(err, BH_ELIMIT, 0, "more than %u entries", HITS_MAX);
		}
	}
	if (hits->len > 1)
		qsort(hits->ptr, hits->len, sizeof(hits->ptr[0]), compare_hits);
	return rc;
}

static int add_rows_of(struct lookup *l, uint32_t advisory, struct bh_slice id, struct db_table *t, size_t *count, struct bh_err *err)
{
	struct hit_vec hits = { .max = HITS_MAX };
	int rc = find_rows(l, advisory, id, &hits, err);
	for (size_t i = 0; rc == 0 && i < hits.len; i++) {
		const struct hit *h = &hits.ptr[i];
		rc = l->json ? add_json_row(l, h->ecosystem, h->package, h->row, err) : add_row(l, t, h->ecosystem, h->package, h->row, false, err);
	}
	*count = hits.len;
	hit_vec_done(&hits);
	return rc;
}

static int write_id(struct lookup *l, struct bh_slice id, struct bh_err *err)
{
	struct vuln_advisory a = { .published_day = VULN_NO_DAY, .withdrawn_day = VULN_NO_DAY };
	struct vuln_exploit e = { .kev_day = VULN_NO_DAY, .epss_day = VULN_NO_DAY };
	struct db_table t;
	uint32_t index = VULN_NO_INDEX;
	size_t count = 0;
	int rc = vuln_db_find_id(l->db, id, &index, err);
	bool known = rc == 0;
	if (rc == BH_ENOTFOUND) {
		rc = 0; /* perhaps an announcement, or only known to be exploited */
		a.id = id;
	}
	if (known)
		rc = vuln_db_advisory(l->db, index, &a, err);
	rc = rc < 0 ? rc : known ? vuln_db_exploit(l->db, &a, &e, err) : vuln_db_exploit_id(l->db, id, &e, err);
	rc = rc < 0 ? rc : l->json ? add_advisory_json(l, &a, &e, err) : known ? add_advisory_text(l, &a, err) : 0;
	if (rc < 0)
		return rc;
	if (!l->json && !known && (e.kev || e.has_epss))
		bh_buf_printf(l->out, "%.*s\n", BH_SLICE_FMT(id));
	if (!l->json)
		add_exploit(l->out, &e);
	db_table_init(&t, 6);
	add_titles(l, &t, false);
	rc = add_rows_of(l, index, id, &t, &count, err);
	if (l->json)
		bh_buf_add_str(l->out, "\n  ]\n}\n");
	else if (count)
		db_table_write(&t, 0, l->out);
	else
		bh_buf_add_str(l->out, "  no entry about a package\n");
	db_table_done(&t);
	if (rc == 0 && !known && count == 0 && !e.kev && !e.has_epss)
		rc = bh_fail(err, BH_ENOTFOUND, 0, "the data know nothing of %.*s", BH_SLICE_FMT(id));
	return rc;
}

static int render_lookup(const struct cmd_args *args, const struct vuln_userdb *u, const char *const *words, size_t n, struct bh_buf *out,
			 struct bh_err *err)
{
	struct lookup l = { .db = u->db, .out = out, .json = cmd_choice(args, "format") == DB_JSON, .first = true };
	if (n > 2)
		l.version = bh_slice_str(words[2]);
	if (n > 1)
		l.scheme = version_scheme_for_ecosystem(bh_slice_str(words[0]));
	return n > 1 ? write_package(&l, bh_slice_str(words[0]), bh_slice_str(words[1]), err) : write_id(&l, bh_slice_str(words[0]), err);
}

int db_say_advisory(const struct vuln_db *db, struct bh_slice id, bool json, struct bh_buf *out, struct bh_err *err)
{
	struct lookup l = { .db = db, .out = out, .json = json, .first = true };
	return write_id(&l, id, err);
}

int db_lookup(const struct cmd_args *args, const char *const *words, size_t n)
{
	return db_show(args, words, n, render_lookup);
}
