/*
 * finding.c: making findings. Everything is copied into the report's arena, as the database is closed before the report is written.
 *
 * Severity: the row's (the vendor's own), else the advisory's, else that of its CVSS score, else unknown. Unknown stays unknown:
 * Debian's changelogs name CVEs without judging them, and a guess would be read as a judgement.
 */
#include "vuln/finding.h"

#include "vuln/builder.h" /* vuln_cvss_score, vuln_cvss_severity */
#include "vuln/symbols.h"

#define FIXED_MAX 64u   /* versions named by one finding; the rest of a hostile database's are left out */
#define ALIASES_MAX 256u
#define SYMBOLS_BYTES_MAX (64u << 10)

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the report is larger than its limit");
}

static int copy(const struct vuln_subject *s, struct bh_slice text, struct bh_slice *ret, struct bh_err *err)
{
	return bh_arena_copy(&s->report->arena, text, ret) ? BH_OK : full(err);
}

static int take(char *text, struct bh_slice *ret, struct bh_err *err)
{
	if (!text)
		return full(err);
	*ret = bh_slice_str(text);
	return BH_OK;
}

/* ---- versions that fix it ---- */

struct fixes {
	struct bh_slice version[FIXED_MAX]; /* lowest first, as the advisories count */
	size_t n;
	const struct version_scheme *scheme;
};

/* Keeps the order; repeats and what can't be ordered stay out. */
static void add_fix(struct fixes *f, struct bh_slice version)
{
	size_t at = f->n;
	if (f->n == FIXED_MAX || !f->scheme || !f->scheme->valid(version))
		return;
	for (; at; at--) {
		int c = 0;
		if (f->scheme->compare(version, f->version[at - 1], &c, NULL) < 0 || c == 0)
			return;
		if (c > 0)
			break;
	}
	memmove(&f->version[at + 1], &f->version[at], (f->n - at) * sizeof(f->version[0]));
	f->version[at] = version;
	f->n++;
}

/* The newest version has every fix, and is the one that the archive still offers. */
static void collect_fixes(const struct vuln_said *said, size_t n, struct vuln_pending *pending, struct fixes *f)
{
	for (size_t i = 0; i < n; i++)
		if (said[i].decision.outcome == VULN_AFFECTED && said[i].decision.kind == VULN_END_FIXED)
			add_fix(f, said[i].decision.bound);
	if (f->n && pending->present && pending->said.decision.outcome == VULN_AFFECTED) {
		add_fix(f, pending->said.decision.bound);
		pending->told = bh_slice_eq(f->version[f->n - 1], pending->said.decision.bound);
	}
}

/* The row that is worth citing: of several fixes the first one, which is what the installed version lacks. */
static const struct vuln_said *first_fix(const struct vuln_said *said, size_t n, const struct fixes *f)
{
	for (size_t i = 0; i < n && f->n; i++)
		if (said[i].decision.kind == VULN_END_FIXED && bh_slice_eq(said[i].decision.bound, f->version[0]))
			return &said[i];
	return said;
}

/* In the binary package's own numbering; a number that can't be known is left out. */
static int number_fixes(const struct vuln_subject *s, const struct fixes *f, const struct vuln_pending *pending, struct bh_finding *ret,
			struct bh_err *err)
{
	struct bh_slice *versions = f->n ? bh_arena_array(&s->report->arena, f->n, sizeof(*versions)) : NULL;
	if (f->n && !versions)
		return full(err);
	size_t n = 0;
	for (size_t i = 0; i < f->n; i++) {
		struct bh_slice v = f->version[i];
		bool newest = pending->present && bh_slice_eq(v, pending->said.decision.bound);
		int rc = s->place->by_source ? vuln_number(s->numbering, v, newest, &v, err) : BH_OK;
		rc = rc == BH_OK ? copy(s, v, &v, err) : rc;
		if (rc < 0)
			return rc;
		if (v.len && !(n && bh_slice_eq(v, versions[n - 1])))
			versions[n++] = v;
	}
	ret->fixed = versions;
	ret->n_fixed = n;
	return BH_OK;
}

/* ---- the sentences ---- */

/* "source openssl 3.0.9-1"; package names and versions are bounded by the parsers. */
static char *what_is_installed(const struct vuln_subject *s)
{
	return bh_arena_printf(&s->report->arena, "%s %.*s %.*s", s->place->source_word, BH_SLICE_FMT(s->installed->name),
			       BH_SLICE_FMT(s->installed->version));
}

static const char *order_word(enum vuln_end kind)
{
	return kind == VULN_END_LAST ? "<=" : "<";
}

static int write_evidence(const struct vuln_subject *s, const struct vuln_advisory *advisory, const struct vuln_said *said, struct bh_finding *f,
			  struct bh_err *err)
{
	struct bh_arena *a = &s->report->arena;
	const struct vuln_decision *d = &said->decision;
	char day[16], *installed = what_is_installed(s), *text = NULL;
	if (!installed)
		return full(err);
	if (d->outcome == VULN_UNDETERMINED)
		text = bh_arena_printf(a, "%s: %s", installed, d->why);
	else if (d->listed)
		text = bh_arena_printf(a, "%s is listed as affected", installed);
	else if (d->bound.len == 0)
		text = bh_arena_printf(a, "%s: no version with a fix is known", installed);
	else
		text = bh_arena_printf(a, "%s %s %.*s", installed, order_word(d->kind), BH_SLICE_FMT(d->bound));
	if (text && said->row.erratum.len)
		text = bh_arena_printf(a, "%s (%.*s)", text, BH_SLICE_FMT(said->row.erratum));
	if (text && said->row.flags & VULN_ROW_UNREVIEWED)
		text = bh_arena_printf(a, "%s (the source has not reviewed this entry)", text);
	if (text && advisory->flags & VULN_ADV_WITHDRAWN)
		text = bh_arena_printf(a, "%s (withdrawn%s%s)", text, advisory->withdrawn_day == VULN_NO_DAY ? "" : " on ",
				       vuln_day_text(advisory->withdrawn_day, day));
	return take(text, &f->evidence, err);
}

/* Kernels come as a new package for each ABI: "upgrade linux-image-6.1.0-40-amd64" would do nothing. */
static bool is_kernel_abi(const struct bh_package *p)
{
	struct bh_slice image = BH_SLICE_LIT("linux-image-"), headers = BH_SLICE_LIT("linux-headers-"), rest;
	if (!bh_slice_eq_str(p->type, "deb"))
		return false;
	if (bh_slice_starts(p->name, image))
		rest = bh_slice_sub(p->name, image.len, p->name.len);
	else if (bh_slice_starts(p->name, headers))
		rest = bh_slice_sub(p->name, headers.len, p->name.len);
	else
		return false;
	size_t dots = 0;
	for (size_t i = 0; i < rest.len; i++)
		dots += rest.ptr[i] == '.';
	return dots >= 2; /* "6.1.0-40-amd64"; the metapackages are "amd64" and "6.1-amd64" */
}

static const char *without_fix(enum bh_state state)
{
	switch (state) {
	case BH_STATE_IGNORED: return "the vendor does not plan a fix: remove the package if it is not needed, or limit what reaches it";
	case BH_STATE_POSTPONED: return "the vendor will fix it with a later update: upgrade when it is there";
	case BH_STATE_END_OF_LIFE: return "the vendor no longer looks after this package: move to a supported release or remove it";
	case BH_STATE_UNDETERMINED: return "compare the installed version with the advisory by hand";
	default: return "no fix is known yet: remove the package if it is not needed, or limit what reaches it";
	}
}

static int write_fix(const struct vuln_subject *s, const struct fixes *fixes, struct bh_finding *f, struct bh_err *err)
{
	struct bh_arena *a = &s->report->arena;
	const struct bh_package *p = s->installed->package;
	char *text;
	if (f->n_fixed && is_kernel_abi(p))
		text = bh_arena_printf(a, "install and boot a kernel of version %.*s or later, then remove %.*s", BH_SLICE_FMT(f->fixed[f->n_fixed - 1]),
				       BH_SLICE_FMT(p->name));
	else if (f->n_fixed)
		text = bh_arena_printf(a, "upgrade %.*s to %.*s or later", BH_SLICE_FMT(p->name), BH_SLICE_FMT(f->fixed[f->n_fixed - 1]));
	else if (fixes->n) /* fixed, but in which version of this binary package is not known */
		text = bh_arena_printf(a, "upgrade %.*s to a build of %.*s %.*s or later", BH_SLICE_FMT(p->name), BH_SLICE_FMT(s->installed->name),
				       BH_SLICE_FMT(fixes->version[fixes->n - 1]));
	else
		text = bh_arena_strdup(a, bh_slice_str(f->class == BH_CLASS_MALWARE ? "remove the package and treat what it ran on as taken over"
										      : without_fix(f->state)));
	return take(text, &f->fix, err);
}

/* ---- what is known about the flaw ---- */

/* The vector that the advisory's score is from, else the first one. */
static int take_cvss(const struct vuln_subject *s, const struct vuln_advisory *a, struct bh_finding *f, struct bh_err *err)
{
	struct bh_slice best = { 0 };
	f->cvss.score_tenths = a->score_tenths;
	for (uint32_t i = 0; i < a->n_cvss && i < ALIASES_MAX; i++) {
		struct bh_slice vector;
		uint16_t score = 0;
		int rc = vuln_db_cvss(s->set->db, a, i, &vector, err);
		if (rc < 0)
			return rc;
		bool scored = vuln_cvss_score(vector, &score);
		if (best.len == 0 || (scored && score == a->score_tenths))
			best = vector;
		if (scored && f->cvss.score_tenths == 0)
			f->cvss.score_tenths = score;
	}
	return copy(s, best, &f->cvss.vector, err);
}

static int take_exploitation(const struct vuln_subject *s, const struct vuln_advisory *a, struct bh_finding *f, struct bh_err *err)
{
	struct vuln_exploit e;
	char day[16];
	int rc = vuln_db_exploit(s->set->db, a, &e, err);
	if (rc < 0)
		return rc;
	f->kev = e.kev;
	f->kev_ransomware = e.kev_ransomware;
	f->has_epss = e.has_epss;
	f->epss_score = e.epss_score;
	f->epss_percentile = e.epss_percentile;
	return e.kev ? copy(s, bh_slice_str(vuln_day_text(e.kev_day, day)), &f->kev_date, err) : BH_OK;
}

/* Go's advisories name the functions that are flawed: whoever calls none of them can rule the finding out. */
static int tell_functions(const struct vuln_subject *s, const struct vuln_advisory *advisory, struct bh_finding *f, struct bh_err *err)
{
	struct bh_buf text;
	if (!bh_slice_eq_str(s->installed->package->type, "golang"))
		return BH_OK;
	bh_buf_init(&text, SYMBOLS_BYTES_MAX);
	int rc = vuln_symbols_write(s->set->db, advisory, s->place->package, &text, err);
	if (rc == BH_OK && text.len)
		rc = take(bh_arena_printf(&s->report->arena, "%.*s; concerns who uses %.*s", BH_SLICE_FMT(f->evidence), BH_SLICE_FMT(bh_buf_slice(&text))),
			  &f->evidence, err);
	bh_buf_done(&text);
	return rc;
}

static int take_names(const struct vuln_subject *s, const struct vuln_advisory *a, struct bh_finding *f, struct bh_err *err)
{
	size_t n = a->n_aliases < ALIASES_MAX ? a->n_aliases : ALIASES_MAX;
	int rc = copy(s, a->id, &f->id, err);
	if (rc < 0 || n == 0)
		return rc;
	f->aliases = bh_arena_array(&s->report->arena, n, sizeof(f->aliases[0]));
	if (!f->aliases)
		return full(err);
	for (uint32_t i = 0; i < n; i++) {
		struct bh_slice alias;
		rc = vuln_db_alias(s->set->db, a, i, &alias, err);
		if (rc == BH_OK && !bh_slice_eq(alias, a->id))
			rc = copy(s, alias, &f->aliases[f->n_aliases++], err);
		if (rc < 0)
			return rc;
	}
	return BH_OK;
}

static int take_facts(const struct vuln_subject *s, const struct vuln_advisory *a, const struct vuln_row *row, struct bh_finding *f,
		      struct bh_err *err)
{
	struct vuln_source source;
	struct bh_slice title;
	int rc = take_names(s, a, f, err);
	rc = rc == BH_OK ? take_cvss(s, a, f, err) : rc;
	rc = rc == BH_OK ? take_exploitation(s, a, f, err) : rc;
	rc = rc == BH_OK ? vuln_db_title(s->set->db, a, &title, err) : rc;
	rc = rc == BH_OK ? copy(s, title, &f->title, err) : rc;
	rc = rc == BH_OK ? vuln_db_source(s->set->db, row->source, &source, err) : rc;
	rc = rc == BH_OK ? copy(s, source.name, &f->source, err) : rc;
	f->severity = row->severity != BH_SEV_UNKNOWN ? row->severity : a->severity;
	if (f->severity == BH_SEV_UNKNOWN)
		f->severity = vuln_cvss_severity(f->cvss.score_tenths);
	return rc;
}

/* The vendor's word, made true for this version: fixed only when there is a fix, undetermined when we could not tell. */
static enum bh_state state_of(const struct vuln_said *said, size_t n_fixes)
{
	if (said->decision.outcome == VULN_UNDETERMINED)
		return BH_STATE_UNDETERMINED;
	bool plain = said->row.state == BH_STATE_AFFECTED || said->row.state == BH_STATE_FIXED;
	return !plain ? said->row.state : n_fixes ? BH_STATE_FIXED : BH_STATE_AFFECTED;
}

static int push(const struct vuln_subject *s, struct bh_finding f, struct bh_err *err)
{
	f.package = s->installed->package;
	f.layer = f.package->at.layer;
	return bh_finding_vec_push(&s->report->findings, f) ? BH_OK : bh_fail(err, BH_ELIMIT, 0, "more than %zu findings", s->report->findings.max);
}

int vuln_add_finding(const struct vuln_subject *s, const struct vuln_advisory *advisory, const struct vuln_said *said, size_t n,
		     struct vuln_pending *pending, struct bh_err *err)
{
	struct bh_finding f = { .class = advisory->flags & VULN_ADV_MALWARE ? BH_CLASS_MALWARE : BH_CLASS_VULNERABILITY };
	struct fixes fixes = { .scheme = s->place->scheme };
	int rc = take_facts(s, advisory, &said->row, &f, err);
	if (rc < 0)
		return rc;
	if (f.class == BH_CLASS_MALWARE && f.severity == BH_SEV_UNKNOWN)
		f.severity = BH_SEV_CRITICAL; /* the package is the attack */
	collect_fixes(said, n, pending, &fixes);
	f.state = state_of(said, fixes.n);
	if (f.state == BH_STATE_UNDETERMINED)
		pending->told = pending->told || pending->said.decision.outcome != VULN_AFFECTED;
	const struct vuln_said *decisive = first_fix(said, n, &fixes);
	rc = number_fixes(s, &fixes, pending, &f, err);
	rc = rc == BH_OK ? write_evidence(s, advisory, decisive, &f, err) : rc;
	rc = rc == BH_OK ? tell_functions(s, advisory, &f, err) : rc;
	rc = rc == BH_OK ? write_fix(s, &fixes, &f, err) : rc;
	return rc == BH_OK ? push(s, f, err) : rc;
}

int vuln_add_pending(const struct vuln_subject *s, const struct vuln_pending *pending, struct bh_err *err)
{
	if (!pending->present || pending->told || !pending->security)
		return BH_OK;
	struct vuln_advisory advisory;
	struct vuln_pending self = *pending;
	int rc = vuln_db_advisory(s->set->db, pending->said.row.advisory, &advisory, err);
	rc = rc == BH_OK ? vuln_add_finding(s, &advisory, &pending->said, 1, &self, err) : rc;
	if (rc == BH_OK) {
		struct bh_finding *f = &s->report->findings.ptr[s->report->findings.len - 1];
		f->title = BH_SLICE_LIT("Security update available; no CVE is named for it");
		f->n_aliases = 0;
	}
	return rc;
}
