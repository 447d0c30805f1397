/* judge.c: see judge.h. What somebody ruled on comes first, so that filters count only what nobody spoke about. */
#include "policy/judge.h"

#include "policy/compare.h"
#include "policy/dockerfile.h"
#include "policy/exceptions.h"
#include "policy/instruction.h"
#include "policy/vex.h"

#include <stdio.h>
#include <time.h>

#define DAY_BYTES sizeof("2026-11-26")

/*
 * The filter that takes it out; BH_HIDDEN_COUNT when none does. Unknown severity counts as high, here as in the verdict.
 * Undetermined findings always stay: they are unchecked, not minor.
 */
static enum bh_hidden_reason filter_for(const struct policy_options *o, const struct bh_finding *f)
{
	enum bh_severity s = f->severity == BH_SEV_UNKNOWN ? BH_SEV_HIGH : f->severity;
	bool judged = f->class == BH_CLASS_VULNERABILITY && f->state != BH_STATE_UNDETERMINED;
	if (s < o->min_severity)
		return BH_HIDDEN_SEVERITY;
	if (judged && o->states && !(o->states & POLICY_STATE(f->state)))
		return BH_HIDDEN_STATE;
	return judged && o->ignore_unfixed && f->n_fixed == 0 ? BH_HIDDEN_UNFIXED : BH_HIDDEN_COUNT;
}

static void filter(const struct policy_options *o, struct bh_report *report)
{
	size_t kept = 0;
	for (size_t i = 0; i < report->findings.len; i++) {
		enum bh_hidden_reason why = filter_for(o, &report->findings.ptr[i]);
		if (why == BH_HIDDEN_COUNT)
			report->findings.ptr[kept++] = report->findings.ptr[i];
		else
			report->hidden[why]++;
	}
	report->findings.len = kept;
}

/* What somebody attached and is no VEX document is not the user's mistake. */
static int load_attached(struct policy_vex *vex, struct bh_report *report, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < report->attached.len; i++) {
		char digest[BH_DIGEST_TEXT_BYTES];
		struct bh_err why = { 0 };
		const char *from = bh_arena_printf(&report->arena, "attached to the image (%.19s)", bh_digest_text(&report->attached.ptr[i].digest, digest));
		if (!from)
			return bh_fail(err, BH_ENOMEM, 0, "out of memory");
		rc = policy_vex_load_bytes(vex, from, report->attached.ptr[i].bytes, report, &why);
		if (rc < 0 && rc != BH_ENOMEM && rc != BH_ECANCELLED) {
			bh_report_incomplete(report, "vex", bh_slice_str(from), BH_NO_LAYER, "%s", why.text);
			rc = 0;
		} else if (rc < 0) {
			*err = why;
		}
	}
	return rc;
}

static int apply_vex(const struct policy_options *o, struct bh_report *report, struct bh_err *err)
{
	struct policy_vex *vex;
	if (o->n_vex == 0)
		return 0;
	int rc = policy_vex_new(&vex, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < o->n_vex; i++)
		rc = strcmp(o->vex[i], POLICY_VEX_ATTACHED) == 0 ? load_attached(vex, report, err) : policy_vex_load(vex, o->vex[i], report, err);
	rc = rc < 0 ? rc : policy_vex_apply(vex, report, err);
	policy_vex_free(vex);
	return rc;
}

static int apply_exceptions(const struct policy_options *o, struct bh_report *report, struct bh_err *err)
{
	time_t t = (time_t)o->now_s;
	struct tm tm;
	char today[DAY_BYTES + 16];
	if (!o->exceptions || o->exceptions->len == 0)
		return 0;
	if (!gmtime_r(&t, &tm) || strftime(today, sizeof(today), "%Y-%m-%d", &tm) == 0)
		return bh_fail(err, BH_EUSAGE, 0, "there is no day for the time %lld", (long long)o->now_s);
	return policy_exceptions_apply(report, o->exceptions, today, err);
}

/* Which instruction and which image the layers are from. */
static int find_origin(const struct policy_options *o, struct bh_report *report, struct bh_err *err)
{
	int rc = policy_instructions(report, err);
	if (rc == 0 && o->dockerfile)
		rc = policy_dockerfile_apply(o->dockerfile, report, err);
	return rc < 0 ? rc : policy_base_image(report, o->base, err);
}

/* Marks findings as unchanged, new or worse; counts are made when the filters have run. */
static int compare_baseline(const struct policy_options *o, struct bh_report *r, struct bh_err *err)
{
	struct policy_pairs pairs;
	const struct bh_report *old = o->baseline;
	int rc = old ? policy_compare(old, r, &pairs, err) : 0;
	if (rc < 0 || !old)
		return rc;
	r->baseline = (struct bh_baseline_summary){ .digest = old->target.digest };
	for (size_t i = 0; i < r->findings.len; i++) {
		struct bh_finding *f = &r->findings.ptr[i];
		uint32_t before = pairs.old_of[i];
		const char *worse = before == POLICY_NO_PAIR ? NULL : policy_what_is_worse(&old->findings.ptr[before], f, &r->arena);
		f->baseline = before == POLICY_NO_PAIR ? BH_BASELINE_NEW : worse ? BH_BASELINE_WORSE : BH_BASELINE_UNCHANGED;
		f->baseline_note = bh_slice_str(worse);
	}
	for (size_t i = 0; i < old->findings.len; i++)
		r->baseline.gone += pairs.new_of[i] == POLICY_NO_PAIR && filter_for(o, &old->findings.ptr[i]) == BH_HIDDEN_COUNT;
	policy_pairs_done(&pairs);
	return bh_arena_copy(&r->arena, old->target.text, &r->baseline.text) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

static void count_baseline(struct bh_report *r)
{
	for (size_t i = 0; i < r->findings.len; i++) {
		enum bh_baseline b = r->findings.ptr[i].baseline;
		r->baseline.added += b == BH_BASELINE_NEW;
		r->baseline.worse += b == BH_BASELINE_WORSE;
		r->baseline.unchanged += b == BH_BASELINE_UNCHANGED;
	}
}

int policy_judge(const struct policy_options *o, struct bh_report *report, struct bh_err *err)
{
	int rc = find_origin(o, report, err);
	rc = rc < 0 ? rc : apply_vex(o, report, err);
	rc = rc < 0 ? rc : apply_exceptions(o, report, err);
	rc = rc < 0 ? rc : compare_baseline(o, report, err);
	if (rc < 0)
		return rc;
	filter(o, report);
	count_baseline(report);
	bh_report_sort_findings(report);
	rc = policy_changes(report, o->compare_versions, err);
	bh_report_decide(report, o->fail_never, o->fail_on);
	return rc;
}
