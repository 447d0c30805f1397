/* feeds.c: the table of feeds, and what all importers share: counting, notes, dates, words. */
#include "vuln/feed.h"

#include "base/buf.h"
#include "base/limits.h"
#include "vuln/package_name.h"

#include <ctype.h>

#define ID_BYTES_MAX 128u
#define DAY_1990 7305 /* nothing about vulnerabilities is older; the year 1 is Go's way to say "none" */

#define FEED(name) extern const struct vuln_feed vuln_feed_##name;
#include "vuln/feeds.def"
#undef FEED

const struct vuln_feed *const vuln_feeds[] = {
#define FEED(name) &vuln_feed_##name,
#include "vuln/feeds.def"
#undef FEED
	NULL,
};

const struct vuln_feed *vuln_feed_find(struct bh_slice name)
{
	for (size_t i = 0; vuln_feeds[i]; i++)
		if (bh_slice_eq_str(name, vuln_feeds[i]->name))
			return vuln_feeds[i];
	return NULL;
}

const struct vuln_feed *vuln_feed_sniff(struct bh_slice head)
{
	for (size_t i = 0; vuln_feeds[i]; i++)
		if (vuln_feeds[i]->sniff(head))
			return vuln_feeds[i];
	return NULL;
}

/* ---- notes and dates ---- */

void vuln_feed_note(struct vuln_feed_run *run, enum vuln_feed_note_kind kind, const char *what, struct bh_slice example)
{
	struct vuln_feed_note *n = run->notes;
	for (size_t i = 0; i < run->n_notes; i++, n++)
		if (n->kind == kind && strcmp(n->what, what) == 0) {
			n->count++;
			return;
		}
	if (run->n_notes == VULN_FEED_NOTES_MAX) { /* no importer has so many texts: keep counting under the last one */
		run->notes[VULN_FEED_NOTES_MAX - 1].count++;
		return;
	}
	run->n_notes++;
	*n = (struct vuln_feed_note){ .kind = kind, .what = what, .count = 1 };
	struct bh_slice shown = bh_slice_sub(example, 0, VULN_FEED_EXAMPLE_BYTES - 1);
	if (shown.len)
		memcpy(n->example, shown.ptr, shown.len);
}

int32_t vuln_feed_parse_day(struct bh_slice text)
{
	int32_t day;
	return vuln_day_parse(text, &day) && day >= DAY_1990 ? day : VULN_NO_DAY;
}

void vuln_feed_day(struct vuln_feed_run *run, int32_t day)
{
	if (day != VULN_NO_DAY && day <= run->options->today && day > run->newest_day)
		run->newest_day = day;
}

void vuln_feed_count(struct vuln_feed_run *run)
{
	run->counts.records++;
	if (run->tick)
		run->tick(run->tick_ctx);
}

void vuln_feed_record(struct vuln_feed_run *run)
{
	bh_arena_done(&run->scratch);
	vuln_feed_count(run);
}

/* ---- words ---- */

bool vuln_feed_is_id(struct bh_slice id)
{
	if (id.len == 0 || id.len > ID_BYTES_MAX || !isalnum(id.ptr[0]))
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!isalnum(id.ptr[i]) && (id.ptr[i] == 0 || !strchr("._:-", id.ptr[i])))
			return false;
	return true;
}

bool vuln_feed_is_cve(struct bh_slice id)
{
	uint32_t packed;
	return vuln_cve_pack(id, &packed);
}

enum bh_severity vuln_feed_severity(struct bh_slice word)
{
	static const struct {
		const char *word;
		enum bh_severity severity;
	} words[] = {
		{ "critical", BH_SEV_CRITICAL }, { "high", BH_SEV_HIGH },           { "important", BH_SEV_HIGH },
		{ "medium", BH_SEV_MEDIUM },     { "moderate", BH_SEV_MEDIUM },     { "low", BH_SEV_LOW },
		{ "minor", BH_SEV_LOW },         { "negligible", BH_SEV_NEGLIGIBLE }, { "unimportant", BH_SEV_NEGLIGIBLE },
	};
	while (word.len && word.ptr[word.len - 1] == '*') /* Debian: guessed by a script */
		word.len--;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (word.len == strlen(words[i].word) && strncasecmp((const char *)word.ptr, words[i].word, word.len) == 0)
			return words[i].severity;
	return BH_SEV_UNKNOWN;
}

struct bh_slice vuln_feed_title(struct bh_slice text)
{
	text = bh_slice_trim(text);
	struct bh_slice line = bh_slice_trim(bh_slice_sub(text, 0, bh_slice_find(text, '\n')));
	if (line.len <= VULN_FEED_TITLE_BYTES_MAX)
		return line;
	size_t len = VULN_FEED_TITLE_BYTES_MAX;
	while (len && (line.ptr[len] & 0xc0) == 0x80) /* inside of a UTF-8 sequence */
		len--;
	return bh_slice_sub(line, 0, len);
}

struct bh_slice vuln_feed_first_key(struct bh_slice head)
{
	head = bh_slice_trim(head);
	if (head.len == 0 || head.ptr[0] != '{')
		return (struct bh_slice){ 0 };
	head = bh_slice_trim(bh_slice_sub(head, 1, head.len));
	if (head.len == 0 || head.ptr[0] != '"')
		return (struct bh_slice){ 0 };
	head = bh_slice_sub(head, 1, head.len);
	size_t end = bh_slice_find(head, '"');
	return end < head.len ? bh_slice_sub(head, 0, end) : (struct bh_slice){ 0 };
}

bool vuln_feed_head_has(struct bh_slice head, const char *word)
{
	return bh_slice_search(head, word) != NULL;
}

/* ---- facts ---- */

/* At most max bytes, none of which is a control character. */
static bool is_clean(struct bh_slice s, size_t max)
{
	for (size_t i = 0; s.len <= max && i < s.len; i++)
		if (s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return false;
	return s.len <= max;
}

static bool fits(struct bh_slice s, size_t max)
{
	return s.len && is_clean(s, max);
}

static bool all_fit(const struct bh_slice *all, size_t n, size_t max)
{
	for (size_t i = 0; i < n; i++)
		if (!fits(all[i], max))
			return false;
	return true;
}

static bool ranges_fit(const struct vuln_new_row *row)
{
	for (size_t i = 0; i < row->n_ranges; i++) {
		const struct vuln_range *r = &row->ranges[i];
		if (!is_clean(r->start, BH_VERSION_BYTES_MAX) || !is_clean(r->end, BH_VERSION_BYTES_MAX) || (r->kind != VULN_END_NONE && r->end.len == 0))
			return false;
	}
	return true;
}

struct bh_slice vuln_feed_release(const struct vuln_feed_options *options, struct bh_slice name)
{
	struct bh_slice key, ecosystem;
	for (size_t i = options->n_releases; i-- > 0;) /* the last word counts */
		if (bh_slice_cut(options->releases[i], '=', &key, &ecosystem) && bh_slice_eq(key, name))
			return ecosystem;
	return (struct bh_slice){ 0 };
}

static bool is_wanted(const struct vuln_feed_options *options, struct bh_slice ecosystem)
{
	for (size_t i = 0; i < options->n_ecosystems; i++) {
		struct bh_slice want = options->ecosystems[i];
		if (bh_slice_starts(ecosystem, want) && (ecosystem.len == want.len || ecosystem.ptr[want.len] == ':'))
			return true;
	}
	return options->n_ecosystems == 0;
}

int vuln_feed_row(struct vuln_feed_run *run, struct vuln_new_row *row, struct bh_err *err)
{
	bool good = vuln_feed_is_id(row->id) && fits(row->package, BH_NAME_BYTES_MAX) && fits(row->ecosystem, BH_NAME_BYTES_MAX) &&
		    is_clean(row->erratum, BH_NAME_BYTES_MAX) && is_clean(row->module, BH_NAME_BYTES_MAX) && is_clean(row->arch, BH_NAME_BYTES_MAX) &&
		    ranges_fit(row) && all_fit(row->versions, row->n_versions, BH_VERSION_BYTES_MAX);
	if (!good) {
		vuln_feed_note(run, VULN_FEED_DAMAGED, "entries with an id, name or version that is empty, too long or has odd characters",
			  row->id.len ? row->id : run->document);
		return 0;
	}
	if (!is_wanted(run->options, row->ecosystem)) {
		vuln_feed_note(run, VULN_FEED_SKIPPED, "entries of ecosystems that were not asked for", row->ecosystem);
		return 0;
	}
	if (!vuln_package_name(row->ecosystem, row->package, &run->scratch, &row->package))
		return bh_fail(err, BH_ELIMIT, 0, "larger than memory limits allow");
	row->source = run->source;
	run->counts.rows++;
	run->counts.undetermined += row->state == BH_STATE_UNDETERMINED;
	run->counts.not_affected += row->state == BH_STATE_NOT_AFFECTED;
	return vuln_builder_row(run->builder, row, err);
}

int vuln_feed_advisory(struct vuln_feed_run *run, struct vuln_new_advisory *a, struct bh_err *err)
{
	bool good = vuln_feed_is_id(a->id);
	for (size_t i = 0; good && i < a->n_aliases; i++)
		good = vuln_feed_is_id(a->aliases[i]);
	if (!good) {
		vuln_feed_note(run, VULN_FEED_DAMAGED, "entries with an id, name or version that is empty, too long or has odd characters",
			  a->id.len ? a->id : run->document);
		return 0;
	}
	a->source = run->source;
	return vuln_builder_advisory(run->builder, a, err);
}

int vuln_feed_enrich(struct vuln_feed_run *run, struct vuln_new_advisory *a, struct bh_err *err)
{
	run->counts.enriched++;
	return vuln_feed_advisory(run, a, err);
}

int vuln_feed_cwe(struct vuln_feed_run *run, struct bh_slice cve, struct bh_slice cwe, struct bh_err *err)
{
	const struct bh_slice prefix = BH_SLICE_LIT("CWE-");
	uint64_t number;
	if (!vuln_feed_is_cve(cve) || !bh_slice_starts(cwe, prefix) || !bh_slice_u64(bh_slice_sub(cwe, prefix.len, cwe.len), 99999, &number))
		return 0; /* "NVD-CWE-noinfo" */
	return vuln_builder_entry(run->builder, run->source, BH_SLICE_LIT("cwe"), cve, cwe, err);
}

int vuln_feed_read_all(struct vuln_feed_run *run, struct bh_source plain, size_t max_bytes, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_buf all;
	bh_buf_init(&all, max_bytes);
	int rc;
	for (;;) {
		struct bh_slice got = { 0 };
		rc = plain.read(plain.ctx, &got, err);
		if (rc < 0 || got.len == 0)
			break;
		if (!bh_buf_add(&all, got)) {
			rc = bh_fail(err, BH_ELIMIT, all.len, "larger than %zu bytes", max_bytes);
			break;
		}
	}
	if (rc == 0 && !bh_arena_copy(&run->scratch, bh_buf_slice(&all), ret))
		rc = bh_fail(err, BH_ELIMIT, 0, "larger than memory limits allow");
	bh_buf_done(&all);
	return rc;
}
