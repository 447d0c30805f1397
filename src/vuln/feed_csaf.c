/*
 * feed_csaf.c: CSAF 2.0 documents of distributions: Red Hat's VEX (one a CVE) and advisories, SUSE's, as they come in archives.
 *
 *   { "document": { "category", "publisher", "aggregate_severity": { "text" }, "tracking": { "id", "current_release_date" } },
 *     "product_tree": csaf.h,
 *     "vulnerabilities": [ { "cve", "title",
 *         "product_status": { "fixed", "recommended", "known_affected", "known_not_affected", "under_investigation": [ product_id ] },
 *         "remediations": [ { "category": "vendor_fix|no_fix_planned|none_available", "details", "url", "product_ids" } ],
 *         "threats": [ { "category": "impact", "details": "Moderate", "product_ids" } ],
 *         "scores": [ { "cvss_v3": { "vectorString" }, "products" } ] } ] }
 *
 * Rows are about rpm packages of releases; containers and archives are left out and told. A fix is given for each architecture and
 * once more for the source: one row stands for all of them. What is not fixed is given for the source package only.
 */
#include "vuln/csaf.h"

#define DOCUMENT_BYTES_MAX (256u << 20) /* Red Hat's largest: about 50 MB */
#define ROWS_MAX 4000000u
#define CVSS_MAX 8u

struct fate { /* of a product: from remediations and threats */
	struct bh_slice category, details, erratum;
	enum bh_severity severity;
};

struct reader {
	struct vuln_feed_run *run;
	struct csaf_products products;
	struct bh_slice tracking; /* id of the document */
	bool is_advisory;
	enum bh_severity severity;
	struct bh_slice id;       /* of the vulnerability */
	struct bh_map fates;      /* product_id -> struct fate */
	struct bh_map said;       /* product_id -> its state + 1; row as text -> itself */
};

static bool sniff(struct bh_slice head)
{
	return bh_slice_eq_str(vuln_feed_first_key(head), "document") || vuln_feed_head_has(head, "\"csaf_version\"");
}

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "a document with more products than any real one");
}

/* ---- what is said of products beside their status ---- */

static struct fate *fate_of(struct reader *r, struct bh_slice id)
{
	void **slot = bh_map_put(&r->fates, id);
	if (slot && !*slot)
		*slot = BH_ARENA_NEW(&r->run->scratch, struct fate);
	return slot ? *slot : NULL;
}

/* "https://access.redhat.com/errata/RHSA-2024:0310" -> the id at its end */
static struct bh_slice erratum_of(struct bh_slice url)
{
	struct bh_slice id = url, rest = url;
	while (bh_slice_cut(rest, '/', &id, &rest))
		;
	return vuln_feed_is_id(id) && bh_slice_find(id, '-') < id.len ? id : (struct bh_slice){ 0 };
}

static int take_remediation(struct reader *r, const struct bh_json_node *node, struct bh_err *err)
{
	struct bh_slice category = bh_json_str(bh_json_get(node, "category")), details = bh_json_str(bh_json_get(node, "details"));
	struct bh_slice erratum = erratum_of(bh_json_str(bh_json_get(node, "url")));
	const struct bh_json_node *ids = bh_json_get(node, "product_ids");
	bool is_fix = bh_slice_eq_str(category, "vendor_fix");
	if (!is_fix && !bh_slice_eq_str(category, "no_fix_planned") && !bh_slice_eq_str(category, "none_available"))
		return 0; /* workarounds, mitigations */
	for (size_t i = 0; i < bh_json_len(ids); i++) {
		struct fate *f = fate_of(r, bh_json_str(bh_json_at(ids, i)));
		if (!f)
			return full(err);
		if (is_fix && f->erratum.len == 0)
			f->erratum = erratum;
		if (!is_fix) {
			f->category = category;
			f->details = details;
		}
	}
	return 0;
}

static int take_threat(struct reader *r, const struct bh_json_node *node, struct bh_err *err)
{
	const struct bh_json_node *ids = bh_json_get(node, "product_ids");
	enum bh_severity severity = vuln_feed_severity(bh_json_str(bh_json_get(node, "details")));
	if (!bh_slice_eq_str(bh_json_str(bh_json_get(node, "category")), "impact"))
		return 0;
	if (bh_json_len(ids) == 0 && severity > r->severity)
		r->severity = severity;
	for (size_t i = 0; i < bh_json_len(ids); i++) {
		struct fate *f = fate_of(r, bh_json_str(bh_json_at(ids, i)));
		if (!f)
			return full(err);
		f->severity = severity;
	}
	return 0;
}

static int read_fates(struct reader *r, const struct bh_json_node *v, struct bh_err *err)
{
	const struct bh_json_node *remediations = bh_json_get(v, "remediations"), *threats = bh_json_get(v, "threats");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_json_len(remediations); i++)
		rc = take_remediation(r, bh_json_at(remediations, i), err);
	for (size_t i = 0; rc == 0 && i < bh_json_len(threats); i++)
		rc = take_threat(r, bh_json_at(threats, i), err);
	return rc;
}

/* What the vendor means to do about a product that is affected. */
static enum bh_state state_of(const struct fate *f)
{
	if (!f || f->category.len == 0)
		return BH_STATE_AFFECTED;
	if (bh_slice_eq_str(f->category, "no_fix_planned"))
		return vuln_feed_head_has(f->details, "support scope") ? BH_STATE_END_OF_LIFE : BH_STATE_IGNORED;
	return vuln_feed_head_has(f->details, "deferred") ? BH_STATE_POSTPONED : BH_STATE_AFFECTED;
}

/* ---- rows ---- */

/* True the first time: architectures make the same row many times over. */
static bool is_new(struct reader *r, const struct csaf_place *at, enum bh_state state, struct bh_slice erratum, bool *ret_full)
{
	char *key = bh_arena_printf(&r->run->scratch, "%.*s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s\n%d", BH_SLICE_FMT(at->ecosystem), BH_SLICE_FMT(at->package),
				    BH_SLICE_FMT(at->evr), BH_SLICE_FMT(at->arch), BH_SLICE_FMT(at->module), BH_SLICE_FMT(erratum), (int)state);
	void **slot = key ? bh_map_put(&r->said, bh_slice_str(key)) : NULL;
	*ret_full = !slot;
	if (!slot || *slot)
		return false;
	*slot = key;
	return true;
}

static bool is_debug(struct bh_slice package)
{
	return bh_slice_ends(package, BH_SLICE_LIT("-debuginfo")) || bh_slice_ends(package, BH_SLICE_LIT("-debugsource")) ||
	       vuln_feed_head_has(package, "-debuginfo-common");
}

static int add_row(struct reader *r, struct csaf_place *at, enum bh_state state, const struct fate *f, struct bh_err *err)
{
	bool fixed = state == BH_STATE_FIXED, is_full;
	if (is_debug(at->package)) {
		vuln_feed_note(r->run, VULN_FEED_SKIPPED, "packages of debug symbols", at->package);
		return 0;
	}
	struct bh_slice erratum = r->is_advisory ? r->tracking : fixed && f ? f->erratum : (struct bh_slice){ 0 };
	if (fixed && at->evr.len == 0) {
		vuln_feed_note(r->run, VULN_FEED_REMARK, "fixed packages without a version (undetermined)", r->id);
		state = BH_STATE_UNDETERMINED;
	} else if (fixed && bh_slice_eq_str(at->arch, VULN_ARCH_SOURCE)) {
		return 0; /* its packages are in the list, too */
	}
	if (at->evr.len || !bh_slice_eq_str(at->arch, VULN_ARCH_SOURCE))
		at->arch = (struct bh_slice){ 0 };
	if (!is_new(r, at, state, erratum, &is_full))
		return is_full ? full(err) : 0;
	/* A version beside "affected" or "not affected" is the one that was looked at, no bound. */
	struct vuln_range range = { .end = state == BH_STATE_FIXED ? at->evr : (struct bh_slice){ 0 },
				    .kind = state == BH_STATE_FIXED ? VULN_END_FIXED : VULN_END_NONE };
	struct vuln_new_row row = {
		.ecosystem = at->ecosystem,
		.package = at->package,
		.id = r->id,
		.erratum = !bh_slice_eq(erratum, r->id) ? erratum : (struct bh_slice){ 0 },
		.arch = at->arch,
		.module = at->module.len ? at->module : vuln_evr_is_modular(at->evr) ? BH_SLICE_LIT("?") : (struct bh_slice){ 0 },
		.state = state,
		.severity = f && f->severity != BH_SEV_UNKNOWN ? f->severity : r->severity,
		.ranges = &range,
		.n_ranges = state != BH_STATE_NOT_AFFECTED && state != BH_STATE_UNDETERMINED,
	};
	return vuln_feed_row(r->run, &row, err);
}

static int take_product(struct reader *r, struct bh_slice id, enum bh_state state, struct bh_err *err)
{
	struct csaf_place at;
	const struct fate *f = bh_map_get(&r->fates, id);
	void **slot = bh_map_put(&r->said, id);
	if (!slot)
		return full(err);
	if (*slot && *slot != (void *)(uintptr_t)(state + 1)) {
		vuln_feed_note(r->run, VULN_FEED_REMARK, "products in several states: the first of fixed, affected, not affected, undetermined counts", id);
		return 0;
	}
	*slot = (void *)(uintptr_t)(state + 1);
	switch (csaf_products_find(&r->products, id, &at)) {
	case CSAF_RPM: return add_row(r, &at, state == BH_STATE_AFFECTED ? state_of(f) : state, f, err);
	case CSAF_NO_RPM: vuln_feed_note(r->run, VULN_FEED_SKIPPED, "products that are no rpm packages", id); return 0;
	case CSAF_NO_RELEASE:
		vuln_feed_note(r->run, VULN_FEED_SKIPPED, "packages of products that are no known release (--release PRODUCT=ECOSYSTEM takes them)", id);
		return 0;
	case CSAF_UNKNOWN: vuln_feed_note(r->run, VULN_FEED_SKIPPED, "products that are not part of a release in the product tree", id); return 0;
	}
	return 0;
}

static int read_status(struct reader *r, const struct bh_json_node *status, struct bh_err *err)
{
	static const struct {
		const char *list;
		enum bh_state state;
	} lists[] = {
		{ "fixed", BH_STATE_FIXED },
		{ "recommended", BH_STATE_FIXED },
		{ "first_fixed", BH_STATE_FIXED },
		{ "known_affected", BH_STATE_AFFECTED },
		{ "known_not_affected", BH_STATE_NOT_AFFECTED },
		{ "under_investigation", BH_STATE_UNDETERMINED },
	};
	int rc = 0;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct bh_json_node *ids = bh_json_get(status, lists[i].list);
		for (size_t k = 0; rc == 0 && k < bh_json_len(ids); k++)
			rc = take_product(r, bh_json_str(bh_json_at(ids, k)), lists[i].state, err);
	}
	return rc;
}

/* ---- vulnerabilities ---- */

static void add_vector(struct bh_slice vectors[CVSS_MAX], size_t *n, struct bh_slice v)
{
	for (size_t i = 0; i < *n; i++)
		if (bh_slice_eq(vectors[i], v))
			return;
	if (v.len && *n < CVSS_MAX)
		vectors[(*n)++] = v;
}

static int add_advisory(struct reader *r, const struct bh_json_node *v, struct bh_slice title, struct bh_err *err)
{
	static const char *const kinds[] = { "cvss_v4", "cvss_v3", "cvss_v2" };
	struct bh_slice vectors[CVSS_MAX];
	const struct bh_json_node *scores = bh_json_get(v, "scores");
	size_t n = 0;
	for (size_t i = 0; i < bh_json_len(scores); i++)
		for (size_t k = 0; k < 3; k++)
			add_vector(vectors, &n, bh_json_str(bh_json_get(bh_json_get(bh_json_at(scores, i), kinds[k]), "vectorString")));
	struct vuln_new_advisory a = {
		.id = r->id,
		.cvss = vectors,
		.n_cvss = n,
		.severity = r->severity,
		.published_day = vuln_feed_parse_day(bh_slice_sub(bh_json_str(bh_json_get(v, "release_date")), 0, 10)),
		.modified_day = VULN_NO_DAY,
		.withdrawn_day = VULN_NO_DAY,
		.title = vuln_feed_title(title),
	};
	return vuln_feed_advisory(r->run, &a, err);
}

static int take_vulnerability(struct reader *r, const struct bh_json_node *v, const struct bh_json_node *document, struct bh_err *err)
{
	struct bh_slice title = bh_json_str(bh_json_get(v, "title"));
	enum bh_severity of_document = vuln_feed_severity(bh_json_str(bh_json_get(bh_json_get(document, "aggregate_severity"), "text")));
	r->id = bh_json_str(bh_json_get(v, "cve"));
	if (r->id.len == 0)
		r->id = r->tracking;
	if (title.len == 0 && !r->is_advisory)
		title = bh_json_str(bh_json_get(document, "title"));
	r->severity = r->is_advisory ? BH_SEV_UNKNOWN : of_document;
	bh_map_init(&r->fates, ROWS_MAX);
	bh_map_init(&r->said, ROWS_MAX);
	uint64_t before = r->run->counts.rows;
	int rc = read_fates(r, v, err);
	rc = rc < 0 ? rc : read_status(r, bh_json_get(v, "product_status"), err);
	bool any = r->run->counts.rows > before;
	rc = rc < 0 || !any ? rc : add_advisory(r, v, title, err);
	bh_map_done(&r->fates);
	bh_map_done(&r->said);
	return rc;
}

static int read_document(struct vuln_feed_run *run, const struct bh_json_node *root, struct bh_err *err)
{
	const struct bh_json_node *document = bh_json_get(root, "document"), *tracking = bh_json_get(document, "tracking");
	const struct bh_json_node *all = bh_json_get(root, "vulnerabilities");
	struct reader r = { .run = run, .tracking = bh_json_str(bh_json_get(tracking, "id")) };
	r.is_advisory = bh_slice_eq_str(bh_json_str(bh_json_get(document, "category")), "csaf_security_advisory");
	if (!bh_json_is_object(document) || !vuln_feed_is_id(r.tracking))
		return bh_fail(err, BH_EMALFORMED, 0, "not a CSAF document: it has no usable document.tracking.id");
	vuln_feed_day(run, vuln_feed_parse_day(bh_slice_sub(bh_json_str(bh_json_get(tracking, "current_release_date")), 0, 10)));
	if (bh_json_len(all) == 0)
		vuln_feed_note(run, VULN_FEED_SKIPPED, "documents about no vulnerability", r.tracking);
	int rc = csaf_products_read(&r.products, run, bh_json_get(root, "product_tree"), err);
	for (size_t i = 0; rc == 0 && i < bh_json_len(all); i++)
		rc = take_vulnerability(&r, bh_json_at(all, i), document, err);
	csaf_products_done(&r.products);
	return rc;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct bh_slice text;
	struct bh_json *doc = NULL;
	vuln_feed_record(run);
	int rc = vuln_feed_read_all(run, plain, DOCUMENT_BYTES_MAX, &text, err);
	rc = rc < 0 ? rc : bh_json_parse(text, DOCUMENT_BYTES_MAX, &doc, err);
	rc = rc < 0 ? rc : read_document(run, bh_json_root(doc), err);
	bh_json_free(doc);
	return rc;
}

static const char *const suffixes[] = { ".json", NULL };

const struct vuln_feed vuln_feed_csaf = {
	.name = "csaf",
	.source = "csaf",
	.summary = "CSAF 2.0 VEX and advisories of Red Hat and SUSE (JSON)",
	.licence = "",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_VENDOR,
	.sniff = sniff,
	.parse = parse,
};
