/* report.c: owning, ordering and judging a report. */
#include "model/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define REPORT_BYTES_MAX (1024ull << 20)
#define PACKAGES_MAX 1000000u
#define FINDINGS_MAX 2000000u
#define INCOMPLETE_MAX 10000u
#define SOURCES_MAX 10000u
#define HISTORY_MAX 4096u /* instructions of a Dockerfile and of its base images */
#define LABELS_MAX 4096u
#define SETTINGS_MAX 4096u
#define EXCEPTIONS_MAX 10000u

void bh_report_init(struct bh_report *r)
{
	*r = (struct bh_report){
		.packages.max = PACKAGES_MAX,
		.findings.max = FINDINGS_MAX,
		.incomplete.max = INCOMPLETE_MAX,
		.layers.max = 512,
		.data.max = SOURCES_MAX,
		.not_covered.max = SOURCES_MAX,
		.suppressed.max = FINDINGS_MAX,
		.changes.max = FINDINGS_MAX,
		.history.max = HISTORY_MAX,
		.labels.max = LABELS_MAX,
		.settings.max = SETTINGS_MAX,
		.exceptions.max = EXCEPTIONS_MAX,
		.vex.max = SOURCES_MAX,
		.attached.max = SOURCES_MAX,
	};
	bh_arena_init(&r->arena, REPORT_BYTES_MAX);
}

void bh_report_done(struct bh_report *r)
{
	bh_package_vec_done(&r->packages);
	bh_finding_vec_done(&r->findings);
	bh_incomplete_vec_done(&r->incomplete);
	bh_layer_vec_done(&r->layers);
	bh_data_vec_done(&r->data);
	bh_not_covered_vec_done(&r->not_covered);
	bh_finding_vec_done(&r->suppressed);
	bh_change_vec_done(&r->changes);
	bh_history_vec_done(&r->history);
	bh_label_vec_done(&r->labels);
	bh_setting_vec_done(&r->settings);
	bh_exception_vec_done(&r->exceptions);
	bh_vex_vec_done(&r->vex);
	bh_attached_vec_done(&r->attached);
	bh_arena_done(&r->arena);
}

void bh_report_incomplete(struct bh_report *r, const char *what, struct bh_slice path, uint32_t layer, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	struct bh_incomplete item = { .what = bh_slice_str(what), .layer = layer, .reason = BH_SLICE_LIT("something could not be checked") };
	(void)(bh_arena_copy(&r->arena, path, &item.path) && bh_arena_copy(&r->arena, bh_slice_str(text), &item.reason));
	(void)bh_incomplete_vec_push(&r->incomplete, item);
}

static int compare_packages(const void *a, const void *b)
{
	const struct bh_package *x = a, *y = b;
	int c = bh_slice_cmp(x->type, y->type);
	c = c ? c : bh_slice_cmp(x->name, y->name);
	c = c ? c : bh_slice_cmp(x->version, y->version);
	c = c ? c : bh_slice_cmp(x->arch, y->arch);
	c = c ? c : bh_slice_cmp(x->at.path, y->at.path);
	return c ? c : bh_slice_cmp(x->at.inner, y->at.inner);
}

/* "CVE-2024-9" before "CVE-2024-10": runs of digits compare as numbers. */
static int compare_ids(struct bh_slice a, struct bh_slice b)
{
	size_t i = 0, j = 0;
	while (i < a.len && j < b.len) {
		size_t di = i, dj = j;
		while (di < a.len && a.ptr[di] >= '0' && a.ptr[di] <= '9')
			di++;
		while (dj < b.len && b.ptr[dj] >= '0' && b.ptr[dj] <= '9')
			dj++;
		if (di > i && dj > j) {
			if (di - i != dj - j)
				return di - i < dj - j ? -1 : 1;
			int c = memcmp(a.ptr + i, b.ptr + j, di - i);
			if (c)
				return c;
			i = di;
			j = dj;
			continue;
		}
		if (a.ptr[i] != b.ptr[j])
			return a.ptr[i] < b.ptr[j] ? -1 : 1;
		i++;
		j++;
	}
	return (a.len - i > b.len - j) - (a.len - i < b.len - j);
}

/* First the sure things, then the likely ones: docs/guides/priority.md says why in this order. */
static int compare_urgency(const struct bh_finding *x, const struct bh_finding *y)
{
	if (x->kev != y->kev)
		return x->kev ? -1 : 1;
	if (x->kev && x->kev_ransomware != y->kev_ransomware)
		return x->kev_ransomware ? -1 : 1;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	bool x_hint = x->package && bh_package_hint(x->package), y_hint = y->package && bh_package_hint(y->package);
	if (x_hint != y_hint)
		return x_hint ? 1 : -1;
	if (x->epss_score != y->epss_score)
		return x->epss_score > y->epss_score ? -1 : 1;
	return (x->cvss.score_tenths < y->cvss.score_tenths) - (x->cvss.score_tenths > y->cvss.score_tenths);
}

static int compare_findings(const void *a, const void *b)
{
	const struct bh_finding *x = a, *y = b;
	int c = compare_urgency(x, y);
	if (c)
		return c;
	if (x->package && y->package)
		c = compare_packages(x->package, y->package);
	else if (x->package || y->package)
		return x->package ? 1 : -1;
	c = c ? c : bh_slice_cmp(x->path, y->path);
	return c ? c : compare_ids(x->id, y->id);
}

void bh_report_sort_packages(struct bh_report *r)
{
	if (r->packages.len > 1)
		qsort(r->packages.ptr, r->packages.len, sizeof(r->packages.ptr[0]), compare_packages);
}

void bh_report_sort_findings(struct bh_report *r)
{
	if (r->findings.len > 1)
		qsort(r->findings.ptr, r->findings.len, sizeof(r->findings.ptr[0]), compare_findings);
	if (r->suppressed.len > 1)
		qsort(r->suppressed.ptr, r->suppressed.len, sizeof(r->suppressed.ptr[0]), compare_findings);
}

static bool over_threshold(const struct bh_finding *f, enum bh_severity threshold)
{
	enum bh_severity s = f->severity == BH_SEV_UNKNOWN ? BH_SEV_HIGH : f->severity;
	return s >= threshold;
}

/* What the baseline has as well is known already. */
static bool counts(const struct bh_finding *f)
{
	return f->baseline != BH_BASELINE_UNCHANGED;
}

/* Packages about which no data source says anything: they were listed, not checked. */
static uint64_t packages_without_data(const struct bh_report *r)
{
	uint64_t n = 0;
	for (size_t i = 0; i < r->not_covered.len; i++)
		n += r->not_covered.ptr[i].partial ? 0 : r->not_covered.ptr[i].packages;
	return n;
}

static char *incomplete_reason(struct bh_report *r, uint64_t unmatched)
{
	size_t n = r->incomplete.len;
	const char *s = n == 1 ? "" : "s";
	if (!unmatched)
		return bh_arena_printf(&r->arena, "%zu thing%s could not be checked", n, s);
	const char *them = unmatched == 1 ? "package" : "packages";
	if (n == 0)
		return bh_arena_printf(&r->arena, "no advisory data for %llu %s", (unsigned long long)unmatched, them);
	return bh_arena_printf(&r->arena, "%zu thing%s could not be checked, no advisory data for %llu %s", n, s, (unsigned long long)unmatched, them);
}

void bh_report_decide(struct bh_report *r, bool fail_never, enum bh_severity threshold)
{
	size_t over = 0;
	for (size_t i = 0; !fail_never && i < r->findings.len; i++)
		over += counts(&r->findings.ptr[i]) && over_threshold(&r->findings.ptr[i], threshold);
	uint64_t unmatched = packages_without_data(r);
	char *reason;
	if (over) {
		r->verdict = BH_VERDICT_FAIL;
		reason = bh_arena_printf(&r->arena, "%zu %sfinding%s at or above %s (unknown counts as high)", over,
					 r->baseline.text.len ? "new or worse " : "", over == 1 ? "" : "s", bh_severity_name(threshold));
	} else if (r->incomplete.len || unmatched) {
		r->verdict = BH_VERDICT_INCOMPLETE;
		reason = incomplete_reason(r, unmatched);
	} else {
		r->verdict = BH_VERDICT_PASS;
		reason = bh_arena_printf(&r->arena, "nothing %sat or above %s", r->baseline.text.len ? "new or worse " : "",
					 fail_never ? "any threshold" : bh_severity_name(threshold));
	}
	r->verdict_reason = bh_slice_str(reason ? reason : "");
}

const char *bh_verdict_name(enum bh_verdict v)
{
	switch (v) {
	case BH_VERDICT_PASS: return "pass";
	case BH_VERDICT_FAIL: return "fail";
	case BH_VERDICT_INCOMPLETE: return "incomplete";
	}
	return "incomplete";
}

const struct bh_layer *bh_report_layer(const struct bh_report *r, uint32_t index)
{
	return index < r->layers.len ? &r->layers.ptr[index] : NULL;
}

uint64_t bh_report_filtered(const struct bh_report *r)
{
	return r->hidden[BH_HIDDEN_SEVERITY] + r->hidden[BH_HIDDEN_UNFIXED] + r->hidden[BH_HIDDEN_STATE];
}

size_t bh_report_base_findings(const struct bh_report *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->findings.len; i++) {
		const struct bh_layer *l = bh_report_layer(r, r->findings.ptr[i].layer);
		n += l && l->base;
	}
	return n;
}

const char *bh_change_name(enum bh_change_kind k)
{
	switch (k) {
	case BH_CHANGE_BASE_IMAGE: return "base-image";
	case BH_CHANGE_PACKAGE: return "package";
	case BH_CHANGE_LOCKFILE: return "lockfile";
	}
	return "package";
}

const char *bh_hidden_name(enum bh_hidden_reason why)
{
	switch (why) {
	case BH_HIDDEN_SEVERITY: return "severity";
	case BH_HIDDEN_UNFIXED: return "unfixed";
	case BH_HIDDEN_STATE: return "state";
	case BH_HIDDEN_VEX: return "vex";
	case BH_HIDDEN_EXCEPTION: return "exception";
	case BH_HIDDEN_COUNT: break;
	}
	return "filter";
}

bool bh_time_text(int64_t seconds, char ret[BH_TIME_TEXT_BYTES])
{
	time_t t = (time_t)seconds;
	struct tm tm;
	return gmtime_r(&t, &tm) && strftime(ret, BH_TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;
}
