/* test_vuln_values.c: dates, packed CVE ids and CVSS scores. */
#include "vuln/builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#define S(text) BH_SLICE_LIT(text)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Against the C library's calendar, day by day from 0001-01-01 to 9999-12-31. */
static void days_are_the_c_librarys(void **state)
{
	(void)state;
	for (int64_t day = -719162; day <= 2932896; day++) {
		time_t seconds = day * 86400;
		struct tm tm;
		char want[32], got[16];
		int32_t back;
		assert_non_null(gmtime_r(&seconds, &tm));
		(void)snprintf(want, sizeof(want), "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
		if (strcmp(vuln_day_text((int32_t)day, got), want) != 0 || !vuln_day_parse(bh_slice_str(want), &back) || back != day)
			fail_msg("%s: day %lld, got %s", want, (long long)day, got);
	}
	char text[16];
	assert_string_equal(vuln_day_text(VULN_NO_DAY, text), "");
	assert_string_equal(vuln_day_text(-719163, text), "");
	assert_string_equal(vuln_day_text(2932897, text), "");
	assert_string_equal(vuln_day_text(INT32_MAX, text), "");
}

static void impossible_dates_are_none(void **state)
{
	(void)state;
	static const char *const good[] = { "2024-02-29", "2024-02-29T23:59:60Z", "2024-02-29t00:00:00.123456z", "2024-02-29 12:00:00+02:00",
					    "2024-02-29T12:00:00.5-11:30" };
	static const char *const bad[] = { "",           "2024-02-30", "2023-02-29", "1900-02-29",           "2024-13-01",           "2024-00-10",
					   "2024-01-00", "0000-01-01", "2024-1-1",   "24-01-01",             "2024/01/01",           "2024-01-01x",
					   "2024-01-0",  "+024-01-01", "2024-01-01T", "2024-01-01T12:00:00",  "2024-01-01T24:00:00Z", "2024-01-01T12:60:00Z",
					   "2024-01-01T12:00:61Z", "2024-01-01T12:00:00.Z", "2024-01-01T12:00Z", "2024-01-01T12:00:00+2:00",
					   "2024-01-01T12:00:00+24:00", "2024-01-01T12:00:00ZZ", "2024-01-01T12:00:00.5" };
	int32_t day = 7;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(vuln_day_parse(bh_slice_str(good[i]), &day) && day == 19782);
	day = 7;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (vuln_day_parse(bh_slice_str(bad[i]), &day) || day != 7)
			fail_msg("%s was taken for a date", bad[i]);
}

static void cve_ids_pack(void **state)
{
	(void)state;
	static const struct {
		const char *id;
		uint32_t packed;
	} good[] = { { "CVE-1990-0000", 0 },          { "CVE-1999-0001", 9u << 24 | 1 },       { "CVE-2024-0001", 34u << 24 | 1 },
		     { "CVE-2024-12345", 34u << 24 | 12345 }, { "CVE-2245-16777215", UINT32_MAX } };
	static const char *const bad[] = { "",           "CVE-",         "cve-2024-0001",  "CVE-2024-1",    "CVE-2024-001",        "CVE-2024-00001",
					   "CVE-1989-0001", "CVE-2246-0001", "CVE-2024-16777216", "CVE-2024-000x", "CVE-2024-0001 ", "CVE-20240001",
					   "CVE-2024-99999999999999999999", "GHSA-2024-0001", "CVE-202-00001", "XCVE-2024-0001" };
	uint32_t packed = 7;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(vuln_cve_pack(bh_slice_str(good[i].id), &packed) && packed == good[i].packed);
	packed = 7;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (vuln_cve_pack(bh_slice_str(bad[i]), &packed) || packed != 7)
			fail_msg("%s was packed", bad[i]);
}

/* One line of the table: a vector up to its impact metrics, and its 27 scores. */
static void check_scores(char *line)
{
	char *save = NULL, *prefix = strtok_r(line, " \n", &save);
	const char *letters = strncmp(prefix, "CVSS", 4) == 0 ? "NLH" : "NPC";
	for (int i = 0; i < 27; i++) {
		char vector[128], *want = strtok_r(NULL, " \n", &save);
		uint16_t got = 0;
		assert_non_null(want);
		(void)snprintf(vector, sizeof(vector), "%sC:%c/I:%c/A:%c", prefix, letters[i / 9], letters[i / 3 % 3], letters[i % 3]);
		if (!vuln_cvss_score(bh_slice_str(vector), &got) || got != strtoul(want, NULL, 10))
			fail_msg("%s: %u, want %s", vector, got, want);
	}
	assert_null(strtok_r(NULL, " \n", &save));
}

static void all_base_vectors_have_their_scores(void **state)
{
	(void)state;
	char line[512];
	unsigned lines = 0;
	FILE *f = fopen("tests/table/cvss.txt", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#')
			continue;
		check_scores(line);
		lines++;
	}
	fclose(f);
	assert_int_equal(lines, 96 + 96 + 27);
}

/* One vector and its score a line. */
static void vectors_of_version_4_have_their_scores(void **state)
{
	(void)state;
	char line[512];
	unsigned lines = 0;
	FILE *f = fopen("tests/table/cvss4.txt", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *save = NULL, *vector = strtok_r(line, " \n", &save), *want = strtok_r(NULL, " \n", &save);
		uint16_t got = 0;
		if (line[0] == '#')
			continue;
		assert_non_null(want);
		if (!vuln_cvss_score(bh_slice_str(vector), &got) || got != strtoul(want, NULL, 10))
			fail_msg("%s: %u, want %s", vector, got, want);
		lines++;
	}
	fclose(f);
	assert_int_equal(lines, 600);
}

/* The worked examples of the specifications: CVSS v2 guide, section 3.3; v3.1 examples document. */
static void published_examples(void **state)
{
	(void)state;
	static const struct {
		const char *vector;
		uint16_t tenths;
	} cases[] = {
		{ "AV:N/AC:L/Au:N/C:N/I:N/A:C", 78 },                    /* CVE-2002-0392, Apache */
		{ "AV:N/AC:L/Au:N/C:C/I:C/A:C", 100 },                   /* CVE-2003-0818, Windows ASN.1 */
		{ "AV:L/AC:H/Au:N/C:C/I:C/A:C", 62 },                    /* CVE-2003-0062, NOD32 */
		{ "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61 },  /* CVE-2013-1937, phpMyAdmin */
		{ "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64 },  /* CVE-2013-0375, MySQL */
		{ "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 31 },  /* CVE-2014-3566, POODLE */
		{ "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 99 },  /* CVE-2012-1516, VMware */
		{ "CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 42 },  /* CVE-2009-0783, Tomcat */
		{ "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 75 },  /* CVE-2014-0160, Heartbleed */
		{ "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98 },  /* CVE-2014-6271, Shellshock */
		{ "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N", 68 },  /* CVE-2008-1447, DNS */
		{ "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H", 93 },  /* CVE-2013-6014, Juniper */
		{ "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H", 96 },  /* CVE-2012-5376, Chrome */
		/* any order, and metrics that don't count */
		{ "CVSS:3.1/A:H/I:H/C:H/S:U/UI:N/PR:N/AC:L/AV:N", 98 },
		{ "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/RC:C/CR:L/MAV:P/MPR:X", 98 },
		{ "AV:N/AC:L/Au:N/C:N/I:N/A:C/E:POC/RL:OF/RC:C/CDP:LM/TD:ND/AR:H", 78 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint16_t got = 0;
		if (!vuln_cvss_score(bh_slice_str(cases[i].vector), &got) || got != cases[i].tenths)
			fail_msg("%s: %u, want %u", cases[i].vector, got, cases[i].tenths);
	}
}

static void other_vectors_have_none(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"CVSS:3.1",
		"CVSS:3.1/",
		"CVSS:3.2/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N",
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:S/SI:N/SA:N",
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/U:Blue",
		"CVSS:4.1/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
		"AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/A:H",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X",
		"CVSS:3.1/AV:N/AC:M/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:3.1/av:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:3.1/AV:NN/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:3.1/AV:/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:Z",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/Au:N",
		"AV:N/AC:L/Au:N/C:N/I:N",
		"AV:N/AC:L/Au:N/C:N/I:N/A:C/E:PO",
		"(AV:N/AC:L/Au:N/C:N/I:N/A:C)",
		"7.5",
	};
	uint16_t tenths = 7;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (vuln_cvss_score(bh_slice_str(bad[i]), &tenths) || tenths != 7)
			fail_msg("%s got the score %u", bad[i], tenths);
	assert_false(vuln_cvss_score((struct bh_slice){ (const uint8_t *)"AV:\0/AC:L/Au:N/C:N/I:N/A:C", 26 }, &tenths));
}

static void ratings(void **state)
{
	(void)state;
	static const struct {
		uint16_t tenths;
		enum bh_severity severity;
	} cases[] = { { 0, BH_SEV_UNKNOWN },  { 1, BH_SEV_LOW },  { 39, BH_SEV_LOW },  { 40, BH_SEV_MEDIUM },  { 69, BH_SEV_MEDIUM },
		      { 70, BH_SEV_HIGH },    { 89, BH_SEV_HIGH }, { 90, BH_SEV_CRITICAL }, { 100, BH_SEV_CRITICAL } };
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(vuln_cvss_severity(cases[i].tenths), cases[i].severity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_the_c_librarys),
		cmocka_unit_test(impossible_dates_are_none),
		cmocka_unit_test(cve_ids_pack),
		cmocka_unit_test(all_base_vectors_have_their_scores), cmocka_unit_test(vectors_of_version_4_have_their_scores),
		cmocka_unit_test(published_examples),
		cmocka_unit_test(other_vectors_have_none),
		cmocka_unit_test(ratings),
	};
	return cmocka_run_group_tests_name("vuln_values", tests, NULL, NULL);
}
