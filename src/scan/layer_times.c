/* layer_times.c: see layer_times.h. */
#include "scan/layer_times.h"

#include "base/buf.h"
#include "policy/vex_store.h"

#define DAY_SECONDS 86400 /* clocks and time zones differ */
#define EVIDENCE_BYTES_MAX 512u
#define CREATED_BYTES 40u /* of the history's text */

static const struct bh_finding in_future = {
	.class = BH_CLASS_MISCONFIGURATION, .state = BH_STATE_AFFECTED, .id = BH_SLICE_LIT("time-in-future"), .severity = BH_SEV_LOW,
	.title = BH_SLICE_LIT("File that was changed after this scan"),
	.fix = BH_SLICE_LIT("Find out who set the time: a wrong clock, or somebody who wanted a file to look untouched."),
};

static const struct bh_finding newer = {
	.class = BH_CLASS_MALWARE, .state = BH_STATE_AFFECTED, .id = BH_SLICE_LIT("layer-newer-than-history"), .severity = BH_SEV_MEDIUM,
	.title = BH_SLICE_LIT("Layer with files that are newer than the layer"),
	.fix = BH_SLICE_LIT("Compare the layer with the one that was built: a file may have been put into it, or its history made up. Build the image anew, and sign it."),
};

static void describe(const struct layer_time *t, struct bh_slice created, struct bh_buf *out)
{
	char text[BH_TIME_TEXT_BYTES];
	bh_buf_add_str(out, "the newest file of the layer was changed ");
	if (bh_time_text(t->seconds, text))
		bh_buf_add_str(out, text);
	else
		bh_buf_printf(out, "in second %lld", (long long)t->seconds);
	if (created.len)
		bh_buf_printf(out, "; by the image's history the layer was made %.*s", BH_SLICE_FMT(bh_slice_sub(created, 0, CREATED_BYTES)));
}

/* created: when the layer was made; empty: that is not what it is about. */
static int say(struct bh_report *r, const struct layer_time *t, const struct bh_finding *kind, struct bh_slice created, struct bh_err *err)
{
	struct bh_finding f = *kind;
	struct bh_buf evidence;
	f.layer = t->layer;
	f.path = t->path;
	bh_buf_init(&evidence, EVIDENCE_BYTES_MAX);
	describe(t, created, &evidence);
	bool kept = !evidence.failed && bh_arena_copy(&r->arena, bh_buf_slice(&evidence), &f.evidence);
	bh_buf_done(&evidence);
	return kept && bh_finding_vec_push(&r->findings, f) ? 0 : bh_fail(err, BH_ELIMIT, 0, "the report is larger than its limit");
}

/*
 * When the layer was made; empty: unknown. A clock tells parts of a second. Times without them are set, for builds that can be repeated (SOURCE_DATE_EPOCH, snapshots of
 * distributions, epoch 0): they say nothing of when the layer was made.
 */
static struct bh_slice created_of(const struct bh_report *r, uint32_t layer)
{
	for (size_t i = 0; i < r->history.len; i++) {
		const struct bh_history *h = &r->history.ptr[i];
		if (h->layer == layer)
			return bh_slice_find(h->created, '.') < h->created.len ? h->created : (struct bh_slice){ 0 };
	}
	return (struct bh_slice){ 0 };
}

static int judge(const struct layer_time *t, int64_t now_s, struct bh_report *r, struct bh_err *err)
{
	struct bh_slice created = created_of(r, t->layer);
	int64_t made_s = created.len ? policy_time_of(created) : INT64_MIN;
	int rc = 0;
	if (now_s && t->seconds > now_s + DAY_SECONDS)
		rc = say(r, t, &in_future, (struct bh_slice){ 0 }, err);
	if (rc == 0 && made_s > 0 && t->seconds > made_s + DAY_SECONDS)
		rc = say(r, t, &newer, created, err);
	return rc;
}

int layer_times_judge(const struct layer_time_vec *times, int64_t now_s, struct bh_report *report, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < times->len; i++)
		rc = judge(&times->ptr[i], now_s, report, err);
	return rc;
}
