/*
 * feed_epss.c: how likely exploitation is, by the EPSS model, as CSV:
 *
 *   #model_version:v2025.03.14,score_date:2026-11-24T12:55:00Z      may be missing in copies
 *   cve,epss,percentile                                             may be missing in copies
 *   CVE-1999-0001,0.01297,0.79104                                   copies separate with ";" too
 */
#include "vuln/feed.h"

#include "format/lines.h"

#include <inttypes.h>

#define LINE_BYTES_MAX 4096u
#define DIGITS_MAX 12u /* of a number that count */

static bool sniff(struct bh_slice head)
{
	struct bh_slice first, rest, cve;
	(void)bh_slice_cut(head, '\n', &first, &rest);
	bool row = bh_slice_cut(first, ',', &cve, &rest) || bh_slice_cut(first, ';', &cve, &rest);
	return bh_slice_starts(head, BH_SLICE_LIT("#model_version:")) || bh_slice_starts(head, BH_SLICE_LIT("cve,epss")) || (row && vuln_feed_is_cve(cve));
}

/* "0.01297", "1.0", "3e-05": digits as a whole number and how many of them stand behind the point. */
static bool parse_decimal(struct bh_slice text, uint64_t *ret_number, uint64_t *ret_places)
{
	uint64_t number = 0, places = 0, exponent = 0, digits = 0;
	bool point = false;
	size_t i = 0;
	for (; i < text.len && text.ptr[i] != 'e' && text.ptr[i] != 'E'; i++) {
		uint8_t c = text.ptr[i];
		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9')
			return false;
		digits++;
		if (point && places >= DIGITS_MAX) /* too small to count */
			continue;
		if (number > UINT64_MAX / 20)
			return false;
		number = number * 10 + (uint64_t)(c - '0');
		places += point;
	}
	if (digits == 0)
		return false;
	if (i < text.len) {
		struct bh_slice e = bh_slice_sub(text, i + 1, text.len);
		if (e.len == 0 || e.ptr[0] != '-' || !bh_slice_u64(bh_slice_sub(e, 1, e.len), 99, &exponent))
			return false;
	}
	*ret_number = number;
	*ret_places = places + exponent;
	return true;
}

/* A number from 0 to 1 -> 0 to 65535, rounded. */
static bool parse_share(struct bh_slice text, uint16_t *ret)
{
	uint64_t number, places, one = 1;
	if (!parse_decimal(bh_slice_trim(text), &number, &places))
		return false;
	for (; places && one <= 1000000000000ull; places--)
		one *= 10;
	for (; places; places--) /* the rest of a tiny number */
		number /= 10;
	if (number > one)
		return false;
	*ret = (uint16_t)((number * 65535 + one / 2) / one); /* number <= 10^13: no overflow */
	return true;
}

static int add_line(struct vuln_feed_run *run, struct bh_slice line, uint64_t number, int32_t day, struct bh_err *err)
{
	struct bh_slice cve, rest, score_text, percentile_text;
	uint16_t score, percentile;
	char separator = bh_slice_find(line, ',') < line.len ? ',' : ';';
	bool three = bh_slice_cut(line, separator, &cve, &rest) && bh_slice_cut(rest, separator, &score_text, &percentile_text);
	vuln_feed_record(run);
	if (!three || !parse_share(score_text, &score) || !parse_share(percentile_text, &percentile))
		return bh_fail(err, BH_EMALFORMED, 0, "line %" PRIu64 ": not \"cve,epss,percentile\" with numbers from 0 to 1", number);
	if (!vuln_feed_is_cve(cve)) {
		vuln_feed_note(run, VULN_FEED_DAMAGED, "lines without a CVE id", bh_slice_sub(line, 0, 40));
		return 0;
	}
	run->counts.exploits++;
	return vuln_builder_epss(run->builder, run->source, cve, score, percentile, day, err);
}

/* The day in "#model_version:v2025.03.14,score_date:2026-11-24T12:55:00Z". */
static int32_t day_of_comment(struct bh_slice line)
{
	static const char word[] = "score_date:";
	const uint8_t *at = bh_slice_search(line, word);
	size_t from = at ? (size_t)(at - line.ptr) + strlen(word) : line.len;
	struct bh_slice date = bh_slice_sub(line, from, line.len);
	return vuln_feed_parse_day(bh_slice_sub(date, 0, strlen("2026-11-24"))); /* times come as +0000 and as Z */
}

/* The day in a file name such as epss_scores-2026-11-24.csv.gz. */
static int32_t day_of_name(struct bh_slice name)
{
	for (size_t i = 0; i + 10 <= name.len; i++) {
		int32_t day = vuln_feed_parse_day(bh_slice_sub(name, i, 10));
		if (day != VULN_NO_DAY)
			return day;
	}
	return VULN_NO_DAY;
}

static int read_lines(struct vuln_feed_run *run, struct bh_lines *l, struct bh_err *err)
{
	struct bh_slice line;
	int32_t day = run->options->day != VULN_NO_DAY ? run->options->day : day_of_name(run->document);
	uint64_t before = run->counts.records;
	int rc = 0;
	while (rc == 0 && (rc = bh_lines_next(l, &line, err)) == 1) {
		rc = 0;
		if (line.len && line.ptr[0] == '#') {
			int32_t said = day_of_comment(line);
			day = said != VULN_NO_DAY ? said : day;
		} else if (line.len && !(l->number <= 2 && bh_slice_starts(line, BH_SLICE_LIT("cve,epss")))) {
			rc = add_line(run, line, l->number, day, err);
		}
	}
	if (rc == 0 && run->counts.records == before)
		return bh_fail(err, BH_EMALFORMED, 0, "no scores in it");
	vuln_feed_day(run, day);
	return rc;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct bh_lines l;
	bh_lines_init(&l, plain, LINE_BYTES_MAX);
	int rc = read_lines(run, &l, err);
	bh_lines_done(&l);
	return rc;
}

static const char *const suffixes[] = { ".csv", NULL };

const struct vuln_feed vuln_feed_epss = {
	.name = "epss",
	.source = "epss",
	.summary = "likelihood of exploitation by the EPSS model (CSV)",
	.licence = "no licence stated; the publisher, FIRST.org, asks to be cited",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_VENDOR,
	.sniff = sniff,
	.parse = parse,
};
