/*
 * feed_debian_list.c: Debian's announcements as the security tracker's git keeps them: data/DSA/list, data/DLA/list. Text:
 *
 *   [07 Nov 2023] DSA-5550-1 cacti - security update
 *   <tab>{CVE-2023-39357 CVE-2023-39359}
 *   <tab>[bookworm] - cacti 1.2.24+ds1-1+deb12u1
 *   <tab>[bullseye] - cacti <not-affected>
 *   <tab>NOTE: ...
 *
 * An entry for each CVE and release; an announcement without CVEs stands for itself.
 */
#include "vuln/feed.h"

#include "base/reader.h"
#include "base/vec.h"

#define TEXT_BYTES_MAX (64u << 20)
#define CVES_MAX 20000u

BH_VEC(cve_vec, struct bh_slice)

struct list {
	struct vuln_feed_run *run;
	struct bh_slice id;  /* of the announcement; empty before the first */
	struct cve_vec cves;
	uint64_t line;
};

static const struct {
	const char *codename, *ecosystem;
} releases[] = {
	{ "squeeze", "Debian:6" }, { "wheezy", "Debian:7" },    { "jessie", "Debian:8" },    { "stretch", "Debian:9" }, { "buster", "Debian:10" },
	{ "bullseye", "Debian:11" }, { "bookworm", "Debian:12" }, { "trixie", "Debian:13" }, { "forky", "Debian:14" },
};

static struct bh_slice word_of(struct bh_slice *rest)
{
	struct bh_slice word;
	(void)bh_slice_cut(bh_slice_trim(*rest), ' ', &word, rest);
	return bh_slice_trim(word);
}

static bool is_announcement(struct bh_slice id)
{
	return vuln_feed_is_id(id) && (bh_slice_starts(id, BH_SLICE_LIT("DSA-")) || bh_slice_starts(id, BH_SLICE_LIT("DLA-")) ||
				       bh_slice_starts(id, BH_SLICE_LIT("DTSA-")) || bh_slice_starts(id, BH_SLICE_LIT("ELA-")));
}

static bool sniff(struct bh_slice head)
{
	struct bh_slice date, rest;
	return head.len && head.ptr[0] == '[' && bh_slice_cut(head, ']', &date, &rest) && is_announcement(word_of(&rest));
}

/* "07 Nov 2023" */
static int32_t day_of(struct bh_slice date)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct bh_slice day = word_of(&date), month = word_of(&date), year = bh_slice_trim(date);
	uint64_t d, y;
	char text[16];
	for (unsigned m = 0; m < 12; m++) {
		if (!bh_slice_eq(month, (struct bh_slice){ (const uint8_t *)months + 3 * m, 3 }) || !bh_slice_u64(day, 31, &d) || !bh_slice_u64(year, 9999, &y))
			continue;
		(void)snprintf(text, sizeof(text), "%04u-%02u-%02u", (unsigned)y, m + 1, (unsigned)d);
		return vuln_feed_parse_day(bh_slice_str(text));
	}
	return VULN_NO_DAY;
}

static void damaged(struct list *l, struct bh_slice line)
{
	char example[160];
	(void)snprintf(example, sizeof(example), "line %llu: %.*s", (unsigned long long)l->line, BH_SLICE_FMT(bh_slice_sub(line, 0, 100)));
	vuln_feed_note(l->run, VULN_FEED_DAMAGED, "lines that are no part of an announcement", bh_slice_str(example));
}

static void begin(struct list *l, struct bh_slice line)
{
	struct bh_slice date, rest;
	bool whole = bh_slice_cut(bh_slice_sub(line, 1, line.len), ']', &date, &rest);
	struct bh_slice id = word_of(&rest);
	l->cves.len = 0;
	l->id = (struct bh_slice){ 0 };
	if (!whole || !is_announcement(id)) {
		damaged(l, line);
		return;
	}
	vuln_feed_count(l->run);
	vuln_feed_day(l->run, day_of(date));
	l->id = id;
}

static int add_cves(struct list *l, struct bh_slice line, struct bh_err *err)
{
	struct bh_slice rest = bh_slice_sub(line, 1, bh_slice_find(line, '}') - 1);
	while (bh_slice_trim(rest).len) {
		struct bh_slice id = word_of(&rest);
		if (!vuln_feed_is_cve(id))
			continue; /* other announcements: "DSA-1234-1" */
		if (!cve_vec_push(&l->cves, id))
			return bh_fail(err, BH_ELIMIT, 0, "line %llu: more CVEs than any real announcement", (unsigned long long)l->line);
	}
	return 0;
}

static struct bh_slice ecosystem_of(const struct list *l, struct bh_slice codename)
{
	struct bh_slice said = vuln_feed_release(l->run->options, codename);
	for (size_t i = 0; said.len == 0 && i < sizeof(releases) / sizeof(releases[0]); i++)
		if (bh_slice_eq_str(codename, releases[i].codename))
			said = bh_slice_str(releases[i].ecosystem);
	return said;
}

/* "[bookworm] - cacti 1.2.24+ds1-1+deb12u1" */
static int add_release(struct list *l, struct bh_slice line, struct bh_err *err)
{
	struct bh_slice codename, rest;
	if (!bh_slice_cut(bh_slice_sub(line, 1, line.len), ']', &codename, &rest) || !bh_slice_eq_str(word_of(&rest), "-")) {
		damaged(l, line);
		return 0;
	}
	struct bh_slice package = word_of(&rest), version = word_of(&rest);
	struct vuln_range range = { .end = version, .kind = VULN_END_FIXED };
	struct vuln_new_row row = {
		.ecosystem = ecosystem_of(l, codename),
		.package = package,
		.state = BH_STATE_FIXED,
		.ranges = &range,
		.n_ranges = 1,
	};
	if (row.ecosystem.len == 0) {
		vuln_feed_note(l->run, VULN_FEED_SKIPPED, "entries for releases without a number (--release NAME=ECOSYSTEM takes them)", codename);
		return 0;
	}
	if (bh_slice_starts(version, BH_SLICE_LIT("<"))) {
		range = (struct vuln_range){ .kind = VULN_END_NONE };
		row.state = bh_slice_eq_str(version, "<not-affected>") ? BH_STATE_NOT_AFFECTED
			    : bh_slice_eq_str(version, "<end-of-life>") ? BH_STATE_END_OF_LIFE
									: BH_STATE_AFFECTED;
		row.n_ranges = row.state != BH_STATE_NOT_AFFECTED;
	}
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < (l->cves.len ? l->cves.len : 1); i++) {
		row.id = l->cves.len ? l->cves.ptr[i] : l->id;
		row.erratum = l->cves.len ? l->id : (struct bh_slice){ 0 };
		rc = vuln_feed_row(l->run, &row, err);
	}
	return rc;
}

static int take_line(struct list *l, struct bh_slice line, struct bh_err *err)
{
	struct bh_slice text = bh_slice_trim(line);
	l->line++;
	if (text.len == 0 || bh_slice_starts(text, BH_SLICE_LIT("NOTE:")) || bh_slice_starts(text, BH_SLICE_LIT("TODO:")))
		return 0;
	if (line.ptr[0] == '[') {
		begin(l, line);
		return 0;
	}
	if (l->id.len == 0)
		return 0; /* of an announcement that could not be read, which is noted */
	if (text.ptr[0] == '{')
		return add_cves(l, text, err);
	if (text.ptr[0] == '[')
		return add_release(l, text, err);
	damaged(l, text);
	return 0;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct list l = { .run = run, .cves.max = CVES_MAX };
	struct bh_slice text, line;
	uint64_t before = run->counts.records;
	bh_arena_done(&run->scratch);
	int rc = vuln_feed_read_all(run, plain, TEXT_BYTES_MAX, &text, err);
	struct bh_reader r = bh_reader_of(text);
	while (rc == 0 && bh_take_line(&r, &line))
		rc = take_line(&l, line, err);
	if (rc == 0 && run->counts.records == before)
		rc = bh_fail(err, BH_EMALFORMED, 0, "no announcement in it");
	cve_vec_done(&l.cves);
	return rc;
}

static const char *const suffixes[] = { "/list", NULL };

const struct vuln_feed vuln_feed_debian_list = {
	.name = "debian_list",
	.source = "debian-announcements",
	.summary = "lists of Debian's announcements: data/DSA/list, data/DLA/list of the security tracker's git",
	.licence = "",
	.note = "fixed versions only; no open issues",
	.suffixes = suffixes,
	.precedence = VULN_PREC_CHANGELOG,
	.flags = VULN_SOURCE_FIXED_ONLY,
	.sniff = sniff,
	.parse = parse,
};
