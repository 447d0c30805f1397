/*
 * fuzz_match.c: matching against a database that somebody wrote to do harm. A small sound one is made at the start; the input
 * changes bytes of it: u8 which image is matched, then any number of u24 offset (little endian, modulo the size), u8 to XOR.
 * Opening looks at the header only, so most changes get as far as the matcher.
 */
#include "base/reader.h"
#include "vuln/builder.h"
#include "vuln/set.h"

#include <stdlib.h>

#define S(text) BH_SLICE_LIT(text)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PATCHES_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	struct bh_distro distro;
	struct bh_package packages[4];
} images[] = {
	{ { .id = S("debian"), .version_id = S("10") },
	  { { .type = S("deb"), .name = S("bsdutils"), .version = S("1:2.38.1-5"), .source_name = S("util-linux"), .source_version = S("2.38.1-5") },
	    { .type = S("deb"), .name = S("linux-image-amd64"), .version = S("6.1.76-1"), .source_name = S("linux-signed-amd64"), .source_version = S("6.1.76+1") },
	    { .type = S("deb"), .name = S("odd"), .version = S("1:") },
	    { .type = S("npm"), .name = S("lodash"), .version = S("4.17.20") } } },
	{ { .id = S("rhel"), .version_id = S("9.3") },
	  { { .type = S("rpm"), .name = S("bash"), .version = S("5.1.8-6.el9"), .arch = S("x86_64") },
	    { .type = S("rpm"), .name = S("nodejs"), .version = S("1:18.18.2-1.module_el9"), .modularity = S("nodejs:18:9:a") } } },
	{ { .id = S("alpine"), .version_id = S("3.19.1") }, { { .type = S("apk"), .name = S("busybox"), .version = S("1.36.1-r15") } } },
};

static const struct {
	const char *ecosystem, *package, *id, *start, *end, *version, *module;
	enum vuln_end kind;
	enum bh_state state;
	uint16_t flags;
} rows[] = {
	{ "Debian:10", "util-linux", "CVE-2024-28085", "", "2.38.1-5+deb12u1", "", "", VULN_END_FIXED, BH_STATE_FIXED, 0 },
	{ "Debian:10", "util-linux", "GHSA-aaaa-bbbb-cccc", "2.1", "2.38.1-6", "", "", VULN_END_LAST, BH_STATE_IGNORED, VULN_ROW_UNREVIEWED },
	{ "Debian:10", "util-linux", "debian-update-util-linux", "", "2.38.1-5+deb12u3", "", "", VULN_END_FIXED, BH_STATE_FIXED, VULN_ROW_PENDING_UPDATE },
	{ "Debian:10", "linux", "CVE-2024-1", "", "6.1.82-1", "", "", VULN_END_FIXED, BH_STATE_FIXED, 0 },
	{ "Debian:10", "linux-signed-amd64", "debian-update-linux", "", "6.1.190+1", "", "", VULN_END_FIXED, BH_STATE_FIXED, VULN_ROW_PENDING_UPDATE },
	{ "Debian:10", "odd", "CVE-2024-2", "", "", "1.0", "", VULN_END_NONE, BH_STATE_POSTPONED, 0 },
	{ "npm", "lodash", "CVE-2021-23337", "", "4.17.21", "", "", VULN_END_FIXED, BH_STATE_FIXED, 0 },
	{ "Red Hat:enterprise_linux:9::baseos", "bash", "CVE-2023-1", "", "5.1.8-9.el9", "5.1.8-6.el9", "", VULN_END_FIXED, BH_STATE_FIXED, 0 },
	{ "Red Hat:enterprise_linux:9::appstream", "nodejs", "CVE-2023-2", "", "1:20", "", "?", VULN_END_FIXED, BH_STATE_FIXED, 0 },
	{ "Red Hat:enterprise_linux:9::appstream", "nodejs", "CVE-2023-3", "", "1:20", "", "nodejs:18", VULN_END_LIMIT, BH_STATE_AFFECTED, 0 },
	{ "Alpine:v3.19", "busybox", "CVE-2024-3", "", "1.36.1-r16", "", "", VULN_END_FIXED, BH_STATE_NOT_AFFECTED, 0 },
};

static void must(int rc)
{
	if (rc < 0)
		abort();
}

static void add_rows(struct vuln_builder *b, uint32_t source)
{
	struct bh_err err;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct vuln_range range = { .start = bh_slice_str(rows[i].start), .end = bh_slice_str(rows[i].end), .kind = rows[i].kind };
		struct bh_slice version = bh_slice_str(rows[i].version);
		struct vuln_new_row row = { .source = source,
					    .ecosystem = bh_slice_str(rows[i].ecosystem),
					    .package = bh_slice_str(rows[i].package),
					    .id = bh_slice_str(rows[i].id),
					    .module = bh_slice_str(rows[i].module),
					    .state = rows[i].state,
					    .flags = rows[i].flags,
					    .ranges = &range,
					    .n_ranges = 1,
					    .versions = &version,
					    .n_versions = version.len > 0 };
		must(vuln_builder_row(b, &row, &err));
	}
}

static void add_other_facts(struct vuln_builder *b, uint32_t source)
{
	struct bh_err err;
	struct bh_slice alias = S("GHSA-aaaa-bbbb-cccc"), cvss = S("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
	struct vuln_new_advisory a = { .source = source,
				       .id = S("CVE-2024-28085"),
				       .aliases = &alias,
				       .n_aliases = 1,
				       .cvss = &cvss,
				       .n_cvss = 1,
				       .published_day = VULN_NO_DAY,
				       .modified_day = VULN_NO_DAY,
				       .withdrawn_day = VULN_NO_DAY,
				       .title = S("wall") };
	must(vuln_builder_advisory(b, &a, &err));
	must(vuln_builder_kev(b, source, S("CVE-2024-28085"), 19000, true, &err));
	must(vuln_builder_epss(b, source, S("CVE-2024-28085"), 60000, 65000, 20000, &err));
	must(vuln_builder_entry(b, source, S("eol"), S("debian:10"), S("buster\t2019-07-06\t2022-09-10\t2024-06-30\t2029-06-30"), &err));
	must(vuln_builder_entry(b, source, S("eol"), S("debian:13"), S("trixie\t2025-08-09\t2028-08-09\t2030-06-30\t-"), &err));
	must(vuln_builder_entry(b, source, S("support-ended"), S("debian:10"), S("util.*\tended\t1.0\t2020-01-01\tnote"), &err));
	must(vuln_builder_entry(b, source, S("binary-version"), S("Debian:10\tutil-linux\tbsdutils"), S("2.38.1-5+deb12u3\t1:2.38.1-5+deb12u3"), &err));
}

static struct bh_slice sound_database(void)
{
	static struct bh_buf db;
	struct vuln_builder *b;
	struct vuln_source s = { .name = S("test"), .feed = S("test"), .day = 20000, .precedence = VULN_PREC_GENERIC };
	uint32_t source;
	if (db.len)
		return bh_buf_slice(&db);
	bh_buf_init(&db, 1u << 20);
	must(vuln_builder_new(&b, NULL));
	must(vuln_builder_source(b, &s, &source, NULL));
	add_rows(b, source);
	add_other_facts(b, source);
	must(vuln_builder_finish(b, &db, NULL));
	vuln_builder_free(b);
	return bh_buf_slice(&db);
}

/* The changed copy, in memory of exactly its size. */
static uint8_t *changed(struct bh_slice sound, struct bh_reader *r)
{
	uint8_t *copy = malloc(sound.len), low, middle, high, flip;
	if (!copy)
		abort();
	memcpy(copy, sound.ptr, sound.len);
	for (size_t i = 0; i < PATCHES_MAX && bh_take_u8(r, &low) && bh_take_u8(r, &middle) && bh_take_u8(r, &high) && bh_take_u8(r, &flip); i++)
		copy[(low | (size_t)middle << 8 | (size_t)high << 16) % sound.len] ^= flip;
	return copy;
}

static int match(struct vuln_set *set, const struct vuln_db *db, const struct vuln_match_options *options, struct bh_report *report, struct bh_err *err)
{
	set->db = db;
	return vuln_match(set, options, report, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_reader r = bh_reader_of((struct bh_slice){ data, size });
	struct bh_slice sound = sound_database();
	struct bh_report report;
	struct vuln_set set = { 0 };
	struct vuln_db *db = NULL;
	struct bh_err err = { 0 };
	uint8_t which = 0;
	if (!bh_take_u8(&r, &which))
		return 0;
	uint8_t *bytes = changed(sound, &r);
	bh_report_init(&report);
	report.target.distro = images[which % COUNT(images)].distro;
	for (size_t i = 0; i < COUNT(images[0].packages); i++)
		if (images[which % COUNT(images)].packages[i].name.len && !bh_package_vec_push(&report.packages, images[which % COUNT(images)].packages[i]))
			abort();
	struct vuln_match_options options = { .today_days = 20700, .max_db_age_days = 30, .include_withdrawn = which & 64 };
	if (vuln_db_open((struct bh_slice){ bytes, sound.len }, &db, &err) == BH_OK && match(&set, db, &options, &report, &err) < 0 && err.text[0] == '\0')
		abort(); /* an error without a word */
	vuln_db_close(db);
	free(bytes);
	bh_report_sort_findings(&report);
	bh_report_done(&report);
	return 0;
}
