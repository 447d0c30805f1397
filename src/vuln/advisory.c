/* advisory.c: advisories, all their names, and what is known about their exploitation. */
#include "vuln/file.h"

int vuln_advisory_item(const struct vuln_db *db, enum vuln_section_index s, uint32_t index, struct vuln_advisory *ret, uint16_t *ret_source,
		       struct bh_err *err)
{
	struct bh_reader r;
	struct vuln_advisory a = { 0 };
	int rc = vuln_item(db, s, index, &r, err);
	if (rc < 0)
		return rc;
	uint64_t at = vuln_item_offset(db, s, index);
	uint32_t id = vuln_u32(&r);
	a.aliases_at = vuln_u32(&r);
	a.n_aliases = vuln_u32(&r);
	a.cvss_at = vuln_u32(&r);
	a.title_at = vuln_u32(&r);
	a.published_day = (int32_t)vuln_u32(&r);
	a.modified_day = (int32_t)vuln_u32(&r);
	a.withdrawn_day = (int32_t)vuln_u32(&r);
	a.n_cvss = vuln_u16(&r);
	a.flags = vuln_u16(&r);
	a.score_tenths = vuln_u16(&r);
	unsigned severity = vuln_u16(&r);
	*ret_source = vuln_u16(&r);
	if (severity > BH_SEV_CRITICAL)
		return bh_fail(err, BH_EMALFORMED, at, "an advisory has severity %u", severity);
	a.severity = severity;
	rc = vuln_string(db, id, at, &a.id, err);
	rc = rc < 0 ? rc : vuln_check_span(db, VULN_ALIASES, a.aliases_at, a.n_aliases, at, err);
	rc = rc < 0 ? rc : vuln_check_span(db, VULN_CVSS, a.cvss_at, a.n_cvss, at, err);
	if (rc == 0)
		*ret = a;
	return rc;
}

int vuln_db_advisory(const struct vuln_db *db, uint32_t index, struct vuln_advisory *ret, struct bh_err *err)
{
	uint16_t source;
	return vuln_advisory_item(db, VULN_ADVISORIES, index, ret, &source, err);
}

int vuln_db_alias(const struct vuln_db *db, const struct vuln_advisory *a, uint32_t i, struct bh_slice *ret, struct bh_err *err)
{
	if (i >= a->n_aliases)
		return bh_fail(err, BH_EMALFORMED, 0, "the advisory has no alias %u of %u", i, a->n_aliases);
	return vuln_string_item(db, VULN_ALIASES, a->aliases_at + i, ret, err);
}

int vuln_db_cvss(const struct vuln_db *db, const struct vuln_advisory *a, uint32_t i, struct bh_slice *ret, struct bh_err *err)
{
	if (i >= a->n_cvss)
		return bh_fail(err, BH_EMALFORMED, 0, "the advisory has no CVSS vector %u of %u", i, a->n_cvss);
	return vuln_string_item(db, VULN_CVSS, a->cvss_at + i, ret, err);
}

int vuln_db_title(const struct vuln_db *db, const struct vuln_advisory *a, struct bh_slice *ret, struct bh_err *err)
{
	return vuln_string_in(db, VULN_TEXT, a->title_at, 0, ret, err);
}

int vuln_db_find_id(const struct vuln_db *db, struct bh_slice id, uint32_t *ret, struct bh_err *err)
{
	uint32_t lo = 0, hi = db->sections[VULN_NAMES].n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		uint64_t at = vuln_item_offset(db, VULN_NAMES, mid);
		struct bh_reader r;
		struct bh_slice name = { 0 };
		int rc = vuln_item(db, VULN_NAMES, mid, &r, err);
		rc = rc < 0 ? rc : vuln_string(db, vuln_u32(&r), at, &name, err);
		if (rc < 0)
			return rc;
		int c = bh_slice_cmp(name, id);
		if (c == 0) {
			uint32_t advisory = vuln_u32(&r);
			rc = vuln_check_span(db, VULN_ADVISORIES, advisory, 1, at, err);
			if (rc == 0)
				*ret = advisory;
			return rc;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return bh_fail(err, BH_ENOTFOUND, 0, "no advisory is named %.*s", BH_SLICE_FMT(id));
}

/* ---- exploitation ---- */

int vuln_kev_item(const struct vuln_db *db, uint32_t index, struct vuln_kev_item *ret, struct bh_err *err)
{
	struct bh_reader r;
	int rc = vuln_item(db, VULN_KEV, index, &r, err);
	if (rc < 0)
		return rc;
	ret->cve = vuln_u32(&r);
	ret->day = (int32_t)vuln_u32(&r);
	ret->source = vuln_u16(&r);
	ret->flags = vuln_u16(&r);
	return 0;
}

int vuln_epss_item(const struct vuln_db *db, uint32_t index, struct vuln_epss_item *ret, struct bh_err *err)
{
	struct bh_reader r;
	int rc = vuln_item(db, VULN_EPSS, index, &r, err);
	if (rc < 0)
		return rc;
	ret->cve = vuln_u32(&r);
	ret->day = (int32_t)vuln_u32(&r);
	ret->score = vuln_u16(&r);
	ret->percentile = vuln_u16(&r);
	ret->source = vuln_u16(&r);
	return 0;
}

/* Both sections are sorted by CVE, their first field. */
static int first_of_cve(const struct vuln_db *db, enum vuln_section_index s, uint32_t cve, uint32_t *ret, struct bh_err *err)
{
	uint32_t lo = 0, hi = db->sections[s].n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct bh_reader r;
		int rc = vuln_item(db, s, mid, &r, err);
		if (rc < 0)
			return rc;
		if (vuln_u32(&r) < cve)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret = lo;
	return 0;
}

/* Of several lists: on any of them, since the earliest day. */
static int add_kev(const struct vuln_db *db, uint32_t cve, struct vuln_exploit *e, struct bh_err *err)
{
	uint32_t i;
	int rc = first_of_cve(db, VULN_KEV, cve, &i, err);
	for (; rc == 0 && i < db->sections[VULN_KEV].n; i++) {
		struct vuln_kev_item k = { 0 };
		rc = vuln_kev_item(db, i, &k, err);
		if (rc < 0 || k.cve != cve)
			break;
		if (!e->kev || e->kev_day == VULN_NO_DAY || (k.day != VULN_NO_DAY && k.day < e->kev_day))
			e->kev_day = k.day;
		e->kev = true;
		e->kev_ransomware |= (k.flags & VULN_KEV_RANSOMWARE) != 0;
	}
	return rc;
}

/* Of several estimates for a CVE the newest counts, of those of one day the highest; of several CVEs the most likely one. */
static int add_epss(const struct vuln_db *db, uint32_t cve, struct vuln_exploit *e, struct bh_err *err)
{
	uint32_t i;
	struct vuln_epss_item best = { 0 }, item;
	bool found = false;
	int rc = first_of_cve(db, VULN_EPSS, cve, &i, err);
	for (; rc == 0 && i < db->sections[VULN_EPSS].n; i++) {
		rc = vuln_epss_item(db, i, &item, err);
		if (rc < 0 || item.cve != cve)
			break;
		if (!found || item.day > best.day || (item.day == best.day && item.score > best.score))
			best = item;
		found = true;
	}
	if (rc == 0 && found && (!e->has_epss || best.score > e->epss_score)) {
		e->has_epss = true;
		e->epss_score = best.score;
		e->epss_percentile = best.percentile;
		e->epss_day = best.day;
	}
	return rc;
}

static int add_exploit(const struct vuln_db *db, struct bh_slice id, struct vuln_exploit *e, struct bh_err *err)
{
	uint32_t cve;
	if (!vuln_cve_pack(id, &cve))
		return 0;
	int rc = add_kev(db, cve, e, err);
	return rc < 0 ? rc : add_epss(db, cve, e, err);
}

#define NO_EXPLOIT { .kev_day = VULN_NO_DAY, .epss_day = VULN_NO_DAY }

int vuln_db_exploit(const struct vuln_db *db, const struct vuln_advisory *a, struct vuln_exploit *ret, struct bh_err *err)
{
	struct vuln_exploit e = NO_EXPLOIT;
	int rc = add_exploit(db, a->id, &e, err);
	for (uint32_t i = 0; rc == 0 && i < a->n_aliases; i++) {
		struct bh_slice alias = { 0 };
		rc = vuln_db_alias(db, a, i, &alias, err);
		rc = rc < 0 ? rc : add_exploit(db, alias, &e, err);
	}
	if (rc == 0)
		*ret = e;
	return rc;
}

int vuln_db_exploit_id(const struct vuln_db *db, struct bh_slice cve, struct vuln_exploit *ret, struct bh_err *err)
{
	struct vuln_exploit e = NO_EXPLOIT;
	int rc = add_exploit(db, cve, &e, err);
	if (rc == 0)
		*ret = e;
	return rc;
}
