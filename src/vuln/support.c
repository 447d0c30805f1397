/*
 * support.c: debian-security-support against what is installed.
 *
 *     ended      no fixes any more: medium, like a release past its end but for one package
 *     limited    fixes for some uses only ("only for trusted content"): negligible, as whether that use is yours can't be seen
 *                from an image; binutils alone would otherwise fail every scan of an image with a compiler
 *     supported  an exception to a pattern: nothing
 *
 * An entry that names the package beats a pattern, as in upstream's own script.
 */
#include "vuln/support.h"

#include "base/map.h"
#include "vuln/pattern.h"

#define ENTRIES_MAX 1000u /* about one release; 61 today */

struct entry {
	struct bh_slice source, kind, last, date, note;
	uint32_t source_index;
};

struct bh_slice vuln_table_column(struct bh_slice *row)
{
	struct bh_slice head = { 0 };
	(void)bh_slice_cut(*row, '\t', &head, row);
	if (bh_slice_eq_str(head, "-"))
		head.len = 0;
	return head;
}

static int load(const struct vuln_db *db, struct vuln_span span, struct bh_arena *a, struct entry **ret, struct bh_err *err)
{
	if (span.n > ENTRIES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "the table of ended support has more than %u entries for a release", ENTRIES_MAX);
	struct entry *list = bh_arena_array(a, span.n, sizeof(*list));
	if (!list)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	for (uint32_t i = 0; i < span.n; i++) {
		struct vuln_entry e;
		int rc = vuln_db_entry(db, span.first + i, &e, err);
		if (rc < 0)
			return rc;
		struct bh_slice row = e.value;
		list[i].source = vuln_table_column(&row);
		list[i].kind = vuln_table_column(&row);
		list[i].last = vuln_table_column(&row);
		list[i].date = vuln_table_column(&row);
		list[i].note = vuln_table_column(&row);
		list[i].source_index = e.source;
	}
	*ret = list;
	return BH_OK;
}

static const struct entry *find(const struct entry *list, uint32_t n, struct bh_slice source)
{
	for (uint32_t i = 0; i < n; i++)
		if (bh_slice_eq(list[i].source, source))
			return &list[i];
	for (uint32_t i = 0; i < n; i++)
		if (vuln_pattern_valid(list[i].source) && vuln_pattern_matches(list[i].source, source))
			return &list[i];
	return NULL;
}

/* Ended and begun to be so: a date in the future is an announcement. */
static bool has_ended(const struct entry *e, int32_t today)
{
	int32_t day = VULN_NO_DAY;
	(void)vuln_day_parse(e->date, &day);
	return bh_slice_eq_str(e->kind, "ended") && day <= today;
}

/* "only for trusted content; https://...": the words before the references. Empty when there are only references. */
static struct bh_slice reason_of(struct bh_slice note)
{
	struct bh_slice reason = { 0 }, references = { 0 };
	(void)bh_slice_cut(note, ';', &reason, &references);
	if (bh_slice_starts(reason, BH_SLICE_LIT("http")) || bh_slice_starts(reason, BH_SLICE_LIT("#")))
		reason.len = 0;
	return reason;
}

static int add(const struct vuln_db *db, const struct entry *e, const struct bh_package *p, struct bh_slice release, bool ended,
	       struct bh_report *report, struct bh_err *err)
{
	struct bh_arena *a = &report->arena;
	struct bh_slice source = bh_package_source_name(p), version = bh_package_source_version(p);
	struct vuln_source told;
	int rc = vuln_db_source(db, e->source_index, &told, err);
	if (rc < 0)
		return rc;
	char *id = bh_arena_printf(a, "%s-%.*s-%.*s", ended ? "eol" : "limited-support", BH_SLICE_FMT(release), BH_SLICE_FMT(source));
	char *title = bh_arena_printf(a, ended ? "%.*s gets no more security updates in this release" : "%.*s has limited security support",
				      BH_SLICE_FMT(source));
	struct bh_slice reason = reason_of(e->note);
	if (title && reason.len)
		title = bh_arena_printf(a, "%s: %.*s", title, BH_SLICE_FMT(reason));
	char *evidence = bh_arena_printf(a, "source %.*s %.*s", BH_SLICE_FMT(source), BH_SLICE_FMT(version));
	if (evidence && ended)
		evidence = bh_arena_printf(a, "%s: support ended%s%.*s%s%.*s", evidence, e->date.len ? " on " : "", BH_SLICE_FMT(e->date),
					   e->last.len ? ", the last supported version was " : ", no version was supported", BH_SLICE_FMT(e->last));
	else if (evidence)
		evidence = bh_arena_printf(a, "%s: support is limited", evidence);
	if (evidence && e->note.len)
		evidence = bh_arena_printf(a, "%s; %.*s", evidence, BH_SLICE_FMT(e->note));
	struct bh_finding f = { .class = BH_CLASS_END_OF_LIFE,
				.severity = ended ? BH_SEV_MEDIUM : BH_SEV_NEGLIGIBLE,
				.state = ended ? BH_STATE_END_OF_LIFE : BH_STATE_IGNORED,
				.package = p,
				.layer = p->at.layer,
				.fix = ended ? BH_SLICE_LIT("remove the package, move to a release that supports it, or take over its maintenance")
					     : BH_SLICE_LIT("make sure that it is used within these limits only, or remove it") };
	if (!id || !title || !evidence || !bh_arena_copy(a, told.name, &f.source))
		return bh_fail(err, BH_ELIMIT, 0, "the report is larger than its limit");
	for (char *c = id; *c; c++)
		if (*c == ':')
			*c = '-';
	f.id = bh_slice_str(id);
	f.title = bh_slice_str(title);
	f.evidence = bh_slice_str(evidence);
	return bh_finding_vec_push(&report->findings, f) ? BH_OK : bh_fail(err, BH_ELIMIT, 0, "more than %zu findings", report->findings.max);
}

static int check_all(const struct vuln_db *db, const struct entry *list, uint32_t n, struct bh_slice release, int32_t today, struct bh_map *done,
		     struct bh_report *report, struct bh_err *err)
{
	for (size_t i = 0; i < report->packages.len; i++) {
		const struct bh_package *p = &report->packages.ptr[i];
		if (!bh_slice_eq_str(p->type, "deb"))
			continue;
		void **seen = bh_map_put(done, bh_package_source_name(p));
		if (!seen)
			return bh_fail(err, BH_ENOMEM, 0, "out of memory");
		if (*seen)
			continue;
		*seen = report;
		const struct entry *e = find(list, n, bh_package_source_name(p));
		bool ended = e && has_ended(e, today);
		if (!ended && !(e && bh_slice_eq_str(e->kind, "limited")))
			continue;
		int rc = add(db, e, p, release, ended, report, err);
		if (rc < 0)
			return rc;
	}
	return BH_OK;
}

int vuln_ended_support(const struct vuln_set *set, struct bh_slice release, int32_t today, struct bh_report *report, struct bh_err *err)
{
	const struct vuln_db *db;
	struct vuln_span span;
	int rc = vuln_set_table(set, "support-ended", release, &db, &span, err);
	if (rc < 0 || span.n == 0)
		return rc;
	struct bh_arena scratch;
	struct bh_map done;
	struct entry *list = NULL;
	bh_arena_init(&scratch, 4u << 20);
	bh_map_init(&done, report->packages.max);
	rc = load(db, span, &scratch, &list, err);
	rc = rc == BH_OK ? check_all(db, list, span.n, release, today, &done, report, err) : rc;
	bh_map_done(&done);
	bh_arena_done(&scratch);
	return rc;
}
