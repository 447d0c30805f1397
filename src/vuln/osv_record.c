/*
 * osv_record.c: what an OSV record (ossf.github.io/osv-schema) says, as advisory and rows.
 *
 * Which flaw is it about? Three kinds of records look alike:
 *
 *   a flaw          GHSA-, PYSEC-, GO-, CVE- ...: `aliases` are other names of it; `upstream` too, when it names one CVE
 *                   (UBUNTU-CVE-, DEBIAN-CVE-: the distribution's view of it). One advisory, its rows carry the record's id.
 *   announcement    ALSA-, RHSA-, DSA-, USN-, SUSE-SU- ...: fixes several flaws, whose CVEs stand in `upstream` or `related` (or,
 *                   in old ones, in `aliases`). One row for each CVE, with the announcement's id as its erratum; no advisory. So is
 *                   every record that names several CVEs. Bug fix and enhancement announcements without a CVE are no advisories.
 *   withdrawn       kept under its own id only: what it named may live on in other records.
 *
 * `related` of records that are no announcements is never identity.
 *
 * Which versions? `ranges` of type SEMVER and ECOSYSTEM, or the list of `versions`; neither (commits only) is undetermined. The
 * list counts beside ranges, too. Most of it only enumerates what lies in them: that is left out where versions can be ordered.
 */
#include "vuln/osv_record.h"

#include "vuln/range.h"
#include "vuln/symbols.h"

#include <assert.h>

#define NAMES_MAX 4096u   /* ids that one record gives; a kernel announcement names 1,500 CVEs */
#define EVENTS_MAX (VULN_ROW_ITEMS_MAX - 1) /* of one affected package */
#define CVSS_MAX 16u
#define COMPARED_MAX 1000000u /* listed versions x ranges of one package; beyond, the whole list is kept */
#define CVSS_BYTES_MAX 512u

struct rating {
	struct bh_slice cvss[CVSS_MAX];
	size_t n_cvss;
	enum bh_severity word;   /* of the database */
	enum bh_severity vendor; /* of the distribution itself */
};

struct record {
	struct vuln_feed_run *run;
	struct vuln_tree tree;
	struct bh_slice id;
	bool withdrawn;
	struct bh_slice erratum;                 /* the record's own id when it is an announcement */
	struct bh_slice *names, *aliases;        /* what its rows are about; other names of the only one */
	size_t n_names, n_aliases;
	struct rating rating;
	uint16_t advisory_flags, row_flags;
};

/* ---- ids ---- */

static bool has_prefix(struct bh_slice id, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (bh_slice_starts(id, bh_slice_str(*prefixes)))
			return true;
	return false;
}

static bool is_announcement(struct bh_slice id)
{
	static const char *const prefixes[] = { "ALSA-",    "ALBA-",    "ALEA-",   "RHSA-",       "RHBA-",       "RHEA-",  "RLSA-",  "RLBA-",
						"RLEA-",    "RXSA-",    "ELSA-",   "ELBA-",       "ALAS",        "DSA-",   "DLA-",   "DTSA-",
						"ELA-",     "USN-",     "LSN-",    "SUSE-SU-",    "SUSE-RU-",    "SUSE-FU-", "SUSE-OU-", "openSUSE-SU-",
						"openSUSE-RU-", "MGASA-", "FEDORA-", "OESA-",     "GLSA-",       "ASA-",   "BELL-SA-", "AZL-", NULL };
	return has_prefix(id, prefixes);
}

/* Bug fixes and enhancements: no flaw unless they name a CVE. */
static bool is_maintenance(struct bh_slice id)
{
	static const char *const prefixes[] = { "ALBA-", "ALEA-", "RHBA-", "RHEA-", "RLBA-", "RLEA-", "ELBA-", "SUSE-RU-", "SUSE-FU-",
						"SUSE-OU-", "openSUSE-RU-", NULL };
	return has_prefix(id, prefixes);
}

/* Adds id to a list that has room, once. */
static void add_name(struct bh_slice *list, size_t *n, struct bh_slice id)
{
	for (size_t i = 0; i < *n; i++)
		if (bh_slice_eq(list[i], id))
			return;
	list[(*n)++] = id;
}

enum which { CVES, ALL };

/* The ids in one member of the record; broken ones are noted. */
static void add_names(const struct record *r, const char *member, enum which which, struct bh_slice *list, size_t *n)
{
	struct vuln_tree ids = vuln_tree_get(r->tree, member);
	size_t len = vuln_tree_is_array(ids) ? vuln_tree_len(ids) : 0;
	for (size_t i = 0; i < len; i++) {
		struct bh_slice id = bh_slice_trim(vuln_tree_str(vuln_tree_at(ids, i)));
		if (!vuln_feed_is_id(id))
			vuln_feed_note(r->run, VULN_FEED_REMARK, "aliases that are no ids, left out", r->id);
		else if (*n == NAMES_MAX)
			vuln_feed_note(r->run, VULN_FEED_REMARK, "records with too many ids, the rest left out", r->id);
		else if (which == ALL || vuln_feed_is_cve(id))
			add_name(list, n, id);
	}
}

/* "CVE-2024-1" of "UBUNTU-CVE-2024-1". */
static struct bh_slice cve_in_id(struct bh_slice id)
{
	for (size_t i = 1; i + 4 < id.len; i++) {
		struct bh_slice rest = bh_slice_sub(id, i, id.len);
		if (id.ptr[i - 1] == '-' && vuln_feed_is_cve(rest))
			return rest;
	}
	return (struct bh_slice){ 0 };
}

/* The names of an announcement: its CVEs, or itself. */
static bool name_announcement(struct record *r)
{
	r->erratum = r->id;
	add_names(r, "related", CVES, r->names, &r->n_names);
	if (r->n_names == 0 && is_maintenance(r->id)) {
		vuln_feed_note(r->run, VULN_FEED_SKIPPED, "bug fix and enhancement announcements that name no CVE", r->id);
		return false;
	}
	if (r->n_names == 0)
		r->names[r->n_names++] = r->id;
	return true;
}

/* False: the record is about nothing that we know of, which is noted. */
static bool resolve_names(struct record *r)
{
	if (r->withdrawn || vuln_feed_is_cve(r->id)) {
		r->names[r->n_names++] = r->id;
		if (!r->withdrawn)
			add_names(r, "aliases", ALL, r->aliases, &r->n_aliases);
		size_t kept = 0;
		for (size_t i = 0; i < r->n_aliases; i++) /* another CVE is another flaw */
			if (!vuln_feed_is_cve(r->aliases[i]))
				r->aliases[kept++] = r->aliases[i];
		r->n_aliases = kept;
		return true;
	}
	add_names(r, "aliases", CVES, r->names, &r->n_names);
	add_names(r, "upstream", CVES, r->names, &r->n_names);
	if (is_announcement(r->id))
		return name_announcement(r);
	struct bh_slice own = cve_in_id(r->id);
	if (r->n_names == 0 && own.len)
		r->names[r->n_names++] = own;
	if (r->n_names > 1) {
		vuln_feed_note(r->run, VULN_FEED_REMARK, "records that name several CVEs: an entry for each", r->id);
		r->erratum = r->id;
		return true;
	}
	r->n_aliases = r->n_names;
	if (r->n_names)
		r->aliases[0] = r->names[0];
	add_names(r, "aliases", ALL, r->aliases, &r->n_aliases);
	if (r->n_names || vuln_tree_len(vuln_tree_get(r->tree, "upstream")) == 1)
		add_names(r, "upstream", ALL, r->aliases, &r->n_aliases);
	r->names[0] = r->id;
	r->n_names = 1;
	return true;
}

/* ---- ratings ---- */

static bool is_vector(struct bh_slice v)
{
	return v.len && v.len <= CVSS_BYTES_MAX &&
	       (bh_slice_starts(v, BH_SLICE_LIT("CVSS:")) || bh_slice_starts(v, BH_SLICE_LIT("AV:")) || bh_slice_starts(v, BH_SLICE_LIT("(AV:")));
}

static void add_vector(struct rating *r, struct bh_slice v)
{
	v = bh_slice_trim(v);
	if (is_vector(v) && r->n_cvss < CVSS_MAX)
		add_name(r->cvss, &r->n_cvss, v);
}

/* severity: [ { "type": "CVSS_V3", "score": vector } or { "type": "Ubuntu", "score": "medium" } ] */
static void add_severities(struct rating *r, struct vuln_tree list)
{
	size_t n = vuln_tree_is_array(list) ? vuln_tree_len(list) : 0;
	for (size_t i = 0; i < n; i++) {
		struct vuln_tree s = vuln_tree_at(list, i);
		struct bh_slice type = vuln_tree_str(vuln_tree_get(s, "type")), score = vuln_tree_str(vuln_tree_get(s, "score"));
		if (bh_slice_starts(type, BH_SLICE_LIT("CVSS")))
			add_vector(r, score);
		else if (vuln_feed_severity(score) > r->vendor)
			r->vendor = vuln_feed_severity(score);
	}
}

static enum bh_severity first_known(enum bh_severity a, enum bh_severity b)
{
	return a != BH_SEV_UNKNOWN ? a : b;
}

/* Where databases put a word for it: database_specific and ecosystem_specific of the record or of the package. */
static enum bh_severity word_of(struct vuln_tree t)
{
	enum bh_severity s = BH_SEV_UNKNOWN;
	static const char *const places[] = { "database_specific", "ecosystem_specific" };
	for (size_t i = 0; i < 2; i++) {
		struct vuln_tree place = vuln_tree_get(t, places[i]);
		s = first_known(s, vuln_feed_severity(vuln_tree_str(vuln_tree_get(place, "severity"))));
		s = first_known(s, vuln_feed_severity(vuln_tree_str(vuln_tree_get(place, "urgency"))));
		s = first_known(s, vuln_feed_severity(vuln_tree_str(vuln_tree_get(place, "ubuntu_priority"))));
	}
	return s;
}

/* "Moderate: containernetworking-plugins security and bug fix update" */
static enum bh_severity word_of_summary(struct bh_slice summary)
{
	struct bh_slice word, rest;
	return bh_slice_cut(summary, ':', &word, &rest) ? vuln_feed_severity(word) : BH_SEV_UNKNOWN;
}

/* The highest CVSS 3 score, else the highest of CVSS 2; 0 when there is none. */
static uint16_t best_score(const struct rating *r)
{
	static const char *const versions[] = { "CVSS:4", "CVSS:3", "" }; /* newest first */
	uint16_t best = 0, score;
	for (size_t v = 0; best == 0 && v < 3; v++)
		for (size_t i = 0; i < r->n_cvss; i++)
			if (bh_slice_starts(r->cvss[i], bh_slice_str(versions[v])) && vuln_cvss_score(r->cvss[i], &score) && score > best)
				best = score;
	return best;
}

static struct rating rating_of(struct vuln_tree t)
{
	struct rating r = { .word = word_of(t) };
	add_severities(&r, vuln_tree_get(t, "severity"));
	add_vector(&r, vuln_tree_str(vuln_tree_get(vuln_tree_get(t, "database_specific"), "cvss"))); /* RustSec */
	return r;
}

/* ---- versions ---- */

struct versions {
	struct vuln_range *ranges;
	struct bh_slice *list;
	size_t n_ranges, n_list;
	bool fixed, whole; /* some range has a fix; some range is every version */
};

static bool end_of(struct vuln_tree event, enum vuln_end *kind, struct bh_slice *end)
{
	static const struct {
		const char *name;
		enum vuln_end kind;
	} ends[] = { { "fixed", VULN_END_FIXED }, { "last_affected", VULN_END_LAST }, { "limit", VULN_END_LIMIT } };
	for (size_t i = 0; i < 3; i++) {
		*end = vuln_tree_str(vuln_tree_get(event, ends[i].name));
		*kind = ends[i].kind;
		if (end->len)
			return true;
	}
	return false;
}

static bool is_origin(struct bh_slice start)
{
	return bh_slice_eq_str(start, "0");
}

static void add_range(struct versions *v, struct vuln_range r)
{
	v->fixed |= r.kind == VULN_END_FIXED;
	v->whole |= r.kind == VULN_END_NONE && r.start.len == 0;
	v->ranges[v->n_ranges++] = r;
}

/*
 * Events in their order: introduced opens an interval, everything else closes it. Some records close one twice ("last affected
 * 3.0.0", "last affected 3.1.0") or open it twice: then the wider reading counts. False when one closes that nothing opened.
 */
static bool add_events(struct versions *v, struct vuln_tree events)
{
	struct vuln_range open = { .kind = VULN_END_NONE };
	bool is_open = false, opened = false;
	size_t n = vuln_tree_len(events);
	for (size_t i = 0; i < n; i++) {
		struct vuln_tree event = vuln_tree_at(events, i);
		struct bh_slice introduced = vuln_tree_str(vuln_tree_get(event, "introduced")), end;
		enum vuln_end kind;
		if (introduced.len && !is_open) {
			is_open = opened = true;
			open.start = is_origin(introduced) ? BH_SLICE_LIT("") : introduced;
		}
		if (!end_of(event, &kind, &end))
			continue;
		if (kind == VULN_END_LIMIT && bh_slice_eq_str(end, "*")) /* "no limit" */
			continue;
		if (!opened)
			return false;
		is_open = false;
		add_range(v, (struct vuln_range){ .start = open.start, .end = end, .kind = kind });
	}
	if (is_open)
		add_range(v, open);
	return true;
}

/* Room for every interval that the package's events can make. False: too many. */
static bool reserve(struct record *r, struct vuln_tree affected, struct versions *v)
{
	struct vuln_tree ranges = vuln_tree_get(affected, "ranges");
	size_t events = 0, n = vuln_tree_is_array(ranges) ? vuln_tree_len(ranges) : 0, listed = vuln_tree_len(vuln_tree_get(affected, "versions"));
	for (size_t i = 0; i < n && events <= EVENTS_MAX; i++)
		events += vuln_tree_len(vuln_tree_get(vuln_tree_at(ranges, i), "events"));
	if (events > EVENTS_MAX || listed > VULN_ROW_ITEMS_MAX)
		return false;
	v->ranges = bh_arena_array(&r->run->scratch, events + 1, sizeof(v->ranges[0]));
	v->list = bh_arena_array(&r->run->scratch, listed + 1, sizeof(v->list[0]));
	return v->ranges && v->list;
}

static void add_ranges(struct record *r, struct vuln_tree affected, struct versions *v)
{
	struct vuln_tree ranges = vuln_tree_get(affected, "ranges");
	size_t n = vuln_tree_is_array(ranges) ? vuln_tree_len(ranges) : 0;
	for (size_t i = 0; i < n; i++) {
		struct vuln_tree range = vuln_tree_at(ranges, i);
		struct bh_slice type = vuln_tree_str(vuln_tree_get(range, "type"));
		size_t before = v->n_ranges;
		if (!bh_slice_eq_str(type, "SEMVER") && !bh_slice_eq_str(type, "ECOSYSTEM"))
			continue; /* GIT: commits */
		if (add_events(v, vuln_tree_get(range, "events")))
			continue;
		vuln_feed_note(r->run, VULN_FEED_REMARK, "ranges whose events are out of order (undetermined)", r->id);
		v->n_ranges = before;
	}
}

static bool in_a_range(const struct version_scheme *scheme, const struct versions *v, struct bh_slice version)
{
	for (size_t i = 0; i < v->n_ranges && scheme->valid(version); i++)
		if (vuln_range_holds(scheme, &v->ranges[i], version) == VULN_HOLDS_YES)
			return true;
	return false;
}

static void add_list(struct vuln_tree affected, struct versions *v)
{
	struct vuln_tree list = vuln_tree_get(affected, "versions");
	size_t n = vuln_tree_is_array(list) ? vuln_tree_len(list) : 0;
	struct bh_slice ecosystem = vuln_tree_str(vuln_tree_get(vuln_tree_get(affected, "package"), "ecosystem"));
	const struct version_scheme *scheme = n * v->n_ranges <= COMPARED_MAX ? version_scheme_for_ecosystem(ecosystem) : NULL;
	for (size_t i = 0; i < n; i++) {
		struct bh_slice version = vuln_tree_str(vuln_tree_at(list, i));
		if (version.len && !(scheme && in_a_range(scheme, v, version)))
			v->list[v->n_list++] = version;
	}
}

/* ---- packages ---- */

static bool mentions_module(const struct versions *v)
{
	for (size_t i = 0; i < v->n_ranges; i++) {
		struct bh_slice both[] = { v->ranges[i].start, v->ranges[i].end };
		for (size_t k = 0; k < 2; k++)
			if (vuln_feed_head_has(both[k], ".module_el") || vuln_feed_head_has(both[k], ".module+el"))
				return true;
	}
	return false;
}

/* The value of a qualifier of a package URL, decoded into scratch memory; empty when there is none. */
static struct bh_slice qualifier(struct vuln_feed_run *run, struct bh_slice purl, const char *key)
{
	struct bh_slice rest = bh_slice_sub(purl, bh_slice_find(purl, '?') + 1, purl.len), part, name, value;
	rest = bh_slice_sub(rest, 0, bh_slice_find(rest, '#'));
	while (rest.len) {
		(void)bh_slice_cut(rest, '&', &part, &rest);
		if (!bh_slice_cut(part, '=', &name, &value) || !bh_slice_eq_str(name, key) || value.len == 0)
			continue;
		uint8_t *out = bh_arena_alloc(&run->scratch, value.len);
		size_t len = 0;
		for (size_t i = 0; out && i < value.len; i++) {
			bool coded = value.ptr[i] == '%' && i + 2 < value.len && bh_hex_digit(value.ptr[i + 1]) >= 0 && bh_hex_digit(value.ptr[i + 2]) >= 0;
			int byte = coded ? bh_hex_digit(value.ptr[i + 1]) << 4 | bh_hex_digit(value.ptr[i + 2]) : value.ptr[i];
			out[len++] = (uint8_t)byte;
			i += coded ? 2 : 0;
		}
		return (struct bh_slice){ out, len };
	}
	return (struct bh_slice){ 0 };
}

static bool is_all_architectures(struct bh_slice arch)
{
	return bh_slice_eq_str(arch, "source") || bh_slice_eq_str(arch, "src") || bh_slice_eq_str(arch, "noarch") || bh_slice_eq_str(arch, "all");
}

static bool is_end_of_life(struct vuln_tree affected)
{
	static const char *const places[] = { "database_specific", "ecosystem_specific" };
	for (size_t i = 0; i < 2; i++)
		if (bh_slice_eq_str(vuln_tree_str(vuln_tree_get(vuln_tree_get(affected, places[i]), "urgency")), "end-of-life"))
			return true;
	return false;
}

static enum bh_state state_of(const struct record *r, struct vuln_tree affected, struct versions *v)
{
	/* Go: "every version", while the true ranges count in versions that are not the module's. */
	bool elsewhere = v->whole && vuln_tree_len(vuln_tree_get(vuln_tree_get(affected, "ecosystem_specific"), "custom_ranges"));
	if (elsewhere) {
		vuln_feed_note(r->run, VULN_FEED_REMARK, "packages whose ranges count in another numbering (undetermined)", r->id);
		v->n_ranges = v->n_list = 0;
	} else if (v->n_ranges + v->n_list == 0) {
		vuln_feed_note(r->run, VULN_FEED_REMARK, "packages without usable versions (undetermined)", r->id);
	}
	if (v->n_ranges + v->n_list == 0)
		return BH_STATE_UNDETERMINED;
	if (v->fixed)
		return BH_STATE_FIXED;
	return is_end_of_life(affected) ? BH_STATE_END_OF_LIFE : BH_STATE_AFFECTED;
}

/* What the vendor says; for announcements whatever there is, as no advisory carries it. */
static enum bh_severity row_severity(const struct record *r, const struct rating *own)
{
	enum bh_severity s = first_known(own->vendor, own->word);
	s = first_known(s, r->rating.vendor);
	if (r->erratum.len == 0 || s != BH_SEV_UNKNOWN)
		return s;
	s = first_known(r->rating.word, word_of_summary(vuln_tree_str(vuln_tree_get(r->tree, "summary"))));
	uint16_t score = best_score(own);
	return first_known(s, vuln_cvss_severity(score ? score : best_score(&r->rating)));
}

static int add_rows(struct record *r, struct vuln_new_row *row, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < r->n_names; i++) {
		row->id = r->names[i];
		rc = vuln_feed_row(r->run, row, err);
	}
	return rc;
}

static int add_affected(struct record *r, struct vuln_tree affected, struct bh_err *err)
{
	struct vuln_tree package = vuln_tree_get(affected, "package");
	struct versions v = { 0 };
	if (!vuln_tree_is_object(package)) {
		vuln_feed_note(r->run, VULN_FEED_SKIPPED, "entries that name no package, only source repositories", r->id);
		return 0;
	}
	if (!reserve(r, affected, &v)) {
		vuln_feed_note(r->run, VULN_FEED_DAMAGED, "packages with more versions than fit", r->id);
		return 0;
	}
	add_ranges(r, affected, &v);
	add_list(affected, &v);
	enum bh_state state = state_of(r, affected, &v);
	struct rating own = rating_of(affected);
	struct bh_slice purl = vuln_tree_str(vuln_tree_get(package, "purl")), arch = qualifier(r->run, purl, "arch"),
		module = qualifier(r->run, purl, "rpmmod");
	struct vuln_new_row row = {
		.ecosystem = vuln_tree_str(vuln_tree_get(package, "ecosystem")),
		.package = vuln_tree_str(vuln_tree_get(package, "name")),
		.erratum = r->erratum,
		.arch = is_all_architectures(arch) ? BH_SLICE_LIT("") : arch,
		.module = module.len ? module : mentions_module(&v) ? BH_SLICE_LIT("?") : (struct bh_slice){ 0 },
		.state = state,
		.severity = row_severity(r, &own),
		.flags = r->row_flags,
		.ranges = v.ranges,
		.n_ranges = v.n_ranges,
		.versions = v.list,
		.n_versions = v.n_list,
	};
	int rc = add_rows(r, &row, err);
	return rc < 0 ? rc : vuln_symbols_add(r->run->builder, r->run->source, r->id, affected, err);
}

static int add_packages(struct record *r, struct bh_err *err)
{
	struct vuln_tree affected = vuln_tree_get(r->tree, "affected");
	size_t n = vuln_tree_is_array(affected) ? vuln_tree_len(affected) : 0;
	if (n == 0)
		vuln_feed_note(r->run, VULN_FEED_SKIPPED, "records that name no package", r->id);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_affected(r, vuln_tree_at(affected, i), err);
	return rc;
}

/* ---- the record as a whole ---- */

static bool is_malware(const struct record *r)
{
	struct vuln_tree specific = vuln_tree_get(r->tree, "database_specific");
	if (bh_slice_starts(r->id, BH_SLICE_LIT("MAL-")) || vuln_tree_is_there(vuln_tree_get(specific, "malicious-packages-origins")))
		return true;
	struct vuln_tree cwes = vuln_tree_get(specific, "cwe_ids");
	for (size_t i = 0; i < (vuln_tree_is_array(cwes) ? vuln_tree_len(cwes) : 0); i++)
		if (bh_slice_eq_str(vuln_tree_str(vuln_tree_at(cwes, i)), "CWE-506") && /* embedded malicious code */
		    bh_slice_starts(vuln_tree_str(vuln_tree_get(r->tree, "summary")), BH_SLICE_LIT("Malware in ")))
			return true;
	return false;
}

/* RustSec: unmaintained, unsound, notice. */
static bool is_informational(const struct record *r)
{
	struct vuln_tree affected = vuln_tree_get(r->tree, "affected");
	if (vuln_tree_str(vuln_tree_get(vuln_tree_get(r->tree, "database_specific"), "informational")).len)
		return true;
	for (size_t i = 0; i < (vuln_tree_is_array(affected) ? vuln_tree_len(affected) : 0); i++)
		if (vuln_tree_str(vuln_tree_get(vuln_tree_get(vuln_tree_at(affected, i), "database_specific"), "informational")).len)
			return true;
	return false;
}

static bool is_unreviewed(const struct record *r)
{
	struct vuln_tree specific = vuln_tree_get(r->tree, "database_specific"), reviewed = vuln_tree_get(specific, "github_reviewed");
	return bh_slice_eq_str(vuln_tree_str(vuln_tree_get(specific, "review_status")), "UNREVIEWED") ||
	       (vuln_tree_is_there(reviewed) && !vuln_tree_is_true(reviewed));
}

/* The record's own vectors and, as sources differ in where they put them, those of its packages. */
static void rate(struct record *r)
{
	struct vuln_tree affected = vuln_tree_get(r->tree, "affected");
	r->rating = rating_of(r->tree);
	for (size_t i = 0; i < (vuln_tree_is_array(affected) ? vuln_tree_len(affected) : 0); i++) {
		struct rating own = rating_of(vuln_tree_at(affected, i));
		for (size_t k = 0; k < own.n_cvss; k++)
			add_vector(&r->rating, own.cvss[k]);
	}
}

static int add_advisory(struct record *r, struct bh_err *err)
{
	struct bh_slice summary = vuln_tree_str(vuln_tree_get(r->tree, "summary"));
	struct vuln_new_advisory a = {
		.id = r->names[0],
		.aliases = r->aliases,
		.n_aliases = r->n_aliases,
		.cvss = r->rating.cvss,
		.n_cvss = r->rating.n_cvss,
		.severity = r->rating.word,
		.score_tenths = best_score(&r->rating),
		.flags = r->advisory_flags,
		.published_day = vuln_feed_parse_day(vuln_tree_str(vuln_tree_get(r->tree, "published"))),
		.modified_day = vuln_feed_parse_day(vuln_tree_str(vuln_tree_get(r->tree, "modified"))),
		.withdrawn_day = vuln_feed_parse_day(vuln_tree_str(vuln_tree_get(r->tree, "withdrawn"))),
		.title = vuln_feed_title(summary.len ? summary : vuln_tree_str(vuln_tree_get(r->tree, "details"))),
	};
	return vuln_feed_advisory(r->run, &a, err);
}

static void note_days(struct record *r)
{
	int32_t modified = vuln_feed_parse_day(vuln_tree_str(vuln_tree_get(r->tree, "modified"))),
		published = vuln_feed_parse_day(vuln_tree_str(vuln_tree_get(r->tree, "published")));
	if ((modified != VULN_NO_DAY && modified > r->run->options->today) || (published != VULN_NO_DAY && published > r->run->options->today))
		vuln_feed_note(r->run, VULN_FEED_REMARK, "records with a date in the future", r->id);
	vuln_feed_day(r->run, modified);
	vuln_feed_day(r->run, published);
	r->run->undated += modified == VULN_NO_DAY && published == VULN_NO_DAY;
}

/* Room for all ids of the record, and two more. */
static bool reserve_names(struct record *r)
{
	static const char *const members[] = { "aliases", "upstream", "related" };
	size_t n = 2;
	for (size_t i = 0; i < 3; i++) {
		size_t len = vuln_tree_len(vuln_tree_get(r->tree, members[i]));
		n += len < NAMES_MAX ? len : NAMES_MAX;
	}
	r->names = bh_arena_array(&r->run->scratch, n, sizeof(r->names[0]));
	r->aliases = bh_arena_array(&r->run->scratch, n, sizeof(r->aliases[0]));
	return r->names && r->aliases;
}

int vuln_osv_add(struct vuln_feed_run *run, struct vuln_tree tree, struct bh_err *err)
{
	struct record r = { .run = run, .tree = tree, .id = bh_slice_trim(vuln_tree_str(vuln_tree_get(tree, "id"))) };
	if (!vuln_tree_is_object(tree) || !vuln_feed_is_id(r.id)) {
		vuln_feed_note(run, VULN_FEED_DAMAGED, "documents that are no OSV records: no usable \"id\"", run->document);
		return 0;
	}
	if (!reserve_names(&r))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	r.withdrawn = vuln_tree_str(vuln_tree_get(tree, "withdrawn")).len > 0;
	if (r.withdrawn)
		vuln_feed_note(run, VULN_FEED_REMARK, "withdrawn records: kept for lookups, never matched", r.id);
	note_days(&r);
	if (!resolve_names(&r))
		return 0;
	rate(&r);
	r.advisory_flags = (uint16_t)((r.withdrawn ? VULN_ADV_WITHDRAWN : 0) | (is_malware(&r) ? VULN_ADV_MALWARE : 0) |
				      (is_informational(&r) ? VULN_ADV_INFORMATIONAL : 0));
	r.row_flags = is_unreviewed(&r) ? VULN_ROW_UNREVIEWED : 0;
	bool own_advisory = r.erratum.len == 0 || bh_slice_eq(r.names[0], r.id);
	int rc = own_advisory ? add_advisory(&r, err) : 0;
	return rc < 0 ? rc : add_packages(&r, err);
}
