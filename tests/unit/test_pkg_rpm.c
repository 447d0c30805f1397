/*
 * test_pkg_rpm.c: damaged rpm databases. The samples of tests/corpus/pkg-rpm_* hold seven packages each; however they are
 * cut or flipped, a parser that gives fewer must say so: by an error or by an incomplete entry. And what each kind of damage
 * that a hostile file may bring leads to: loops and crossings in page chains, overlapping blobs, headers with huge counts.
 */
#include "base/cleanup.h"
#include "format/rpm_header.h"
#include "pkg/pkg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PACKAGES 7
#define SCRATCH_BYTES_MAX (8u << 20)

extern const struct pkg_parser pkg_parser_rpm_bdb, pkg_parser_rpm_ndb, pkg_parser_rpm_sqlite;

struct result {
	size_t packages, notes;
	char note[256]; /* the last one */
	uint64_t note_at;
	int rc;
	struct bh_err err;
};

static int on_package(void *ctx, const struct bh_package *p, struct bh_err *err)
{
	struct result *r = ctx;
	(void)err;
	assert_true(p->name.len > 0 && p->version.len > 0);
	r->packages++;
	return 0;
}

static int on_incomplete(void *ctx, uint64_t offset_bytes, const char *reason, struct bh_err *err)
{
	struct result *r = ctx;
	(void)err;
	r->notes++;
	r->note_at = offset_bytes;
	snprintf(r->note, sizeof(r->note), "%s", reason);
	return 0;
}

static struct result run(const struct pkg_parser *parser, struct bh_slice data, struct bh_slice sibling)
{
	struct result r = { 0 };
	struct pkg_file file = { .path = bh_slice_str(parser->wants[0].path), .data = data, .sibling = sibling };
	struct pkg_sink sink = { .package = on_package, .incomplete = on_incomplete, .ctx = &r };
	struct bh_arena scratch;
	bh_arena_init(&scratch, SCRATCH_BYTES_MAX);
	r.rc = parser->parse(&file, &sink, &scratch, &r.err);
	bh_arena_done(&scratch);
	assert_true(r.rc == 0 || (r.rc == (int)r.err.code && r.err.text[0]));
	return r;
}

static uint8_t *load(const char *path, size_t *ret_size)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s can't be opened", path);
	fseek(f, 0, SEEK_END);
	*ret_size = (size_t)ftell(f);
	rewind(f);
	uint8_t *bytes = malloc(*ret_size);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, *ret_size, f), *ret_size);
	fclose(f);
	return bytes;
}

static const struct {
	const struct pkg_parser *parser;
	const char *path;
} samples[] = {
	{ &pkg_parser_rpm_bdb, "tests/corpus/pkg-rpm_bdb/order-1234-pages-512" },
	{ &pkg_parser_rpm_bdb, "tests/corpus/pkg-rpm_bdb/order-4321-pages-1024" },
	{ &pkg_parser_rpm_ndb, "tests/corpus/pkg-rpm_ndb/small" },
	{ &pkg_parser_rpm_sqlite, "tests/corpus/pkg-rpm_sqlite/small" },
};
#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))

static void fewer_is_never_silent(const char *path, const char *how, size_t at, const struct result *r)
{
	if (r->packages < PACKAGES && r->rc == 0 && r->notes == 0)
		fail_msg("%s, %s %zu: only %zu packages, and no word about it", path, how, at, r->packages);
}

static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SAMPLES; i++) {
		size_t size;
		BH_FREE uint8_t *whole = load(samples[i].path, &size);
		struct result all = run(samples[i].parser, (struct bh_slice){ whole, size }, (struct bh_slice){ 0 });
		assert_int_equal(all.packages, PACKAGES);
		assert_int_equal(all.rc, 0);
		assert_int_equal(all.notes, 0);
		for (size_t len = 0; len < size; len += len < 200 ? 1 : 37) {
			BH_FREE uint8_t *cut = malloc(len ? len : 1); /* its own block, so that ASan sees a read behind its end */
			assert_non_null(cut);
			memcpy(cut, whole, len);
			struct result r = run(samples[i].parser, (struct bh_slice){ cut, len }, (struct bh_slice){ 0 });
			fewer_is_never_silent(samples[i].path, "cut at", len, &r);
		}
	}
}

static void one_bit_flipped(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SAMPLES; i++) {
		size_t size;
		BH_FREE uint8_t *bytes = load(samples[i].path, &size);
		for (size_t bit = 0; bit < size * 8; bit += 13) {
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			struct result r = run(samples[i].parser, (struct bh_slice){ bytes, size }, (struct bh_slice){ 0 });
			fewer_is_never_silent(samples[i].path, "bit", bit, &r);
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/* ---- Berkeley DB: the sample with 512-byte, little-endian pages ---- */

#define PAGE 512u

static void put_u32le(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t get_u32le(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Numbers of the overflow pages that have a next one. */
static size_t chained_pages(const uint8_t *bytes, size_t size, uint32_t *ret, size_t max)
{
	size_t n = 0;
	for (uint32_t page = 1; page < size / PAGE && n < max; page++)
		if (bytes[page * PAGE + 25] == 7 && get_u32le(bytes + page * PAGE + 16))
			ret[n++] = page;
	return n;
}

static void berkeley_chain(uint32_t from_index, bool to_itself, const char *want)
{
	size_t size;
	BH_FREE uint8_t *bytes = load(samples[0].path, &size);
	uint32_t pages[16];
	size_t n = chained_pages(bytes, size, pages, 16);
	assert_true(n >= 8);
	uint32_t page = pages[from_index], other = pages[n - 1];
	put_u32le(bytes + page * PAGE + 16, to_itself ? page : get_u32le(bytes + other * PAGE + 16));
	struct result r = run(&pkg_parser_rpm_bdb, (struct bh_slice){ bytes, size }, (struct bh_slice){ 0 });
	assert_int_equal(r.rc, 0);
	assert_true(r.packages == PACKAGES - 1 || r.packages == PACKAGES - 2);
	assert_true(r.notes >= 1);
	if (want && !strstr(r.note, want) && r.notes == 1)
		fail_msg("note \"%s\", want \"%s\"", r.note, want);
}

static void berkeley_page_chain_loops(void **state)
{
	(void)state;
	berkeley_chain(0, true, "loops");
	berkeley_chain(3, true, "loops");
}

static void berkeley_page_chains_cross(void **state)
{
	(void)state;
	berkeley_chain(0, false, NULL);
}

static void berkeley_refuses_what_it_cannot_read(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		uint32_t value;
		int code;
	} cases[] = {
		{ 12, 0x053162, BH_EUNSUPPORTED }, { 12, 0x12345678, BH_EMALFORMED }, { 16, 3, BH_EUNSUPPORTED },
		{ 16, 99, BH_EUNSUPPORTED },	   { 20, 0, BH_EMALFORMED },	      { 20, 511, BH_EMALFORMED },
		{ 20, 1u << 31, BH_EMALFORMED },   { 32, 0xffffffff, BH_EMALFORMED }, { 32, 0x7fffffff, BH_ETRUNCATED },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size;
		BH_FREE uint8_t *bytes = load(samples[0].path, &size);
		put_u32le(bytes + cases[i].at, cases[i].value);
		struct result r = run(&pkg_parser_rpm_bdb, (struct bh_slice){ bytes, size }, (struct bh_slice){ 0 });
		assert_int_equal(r.rc, cases[i].code);
	}
}

/* ---- ndb ---- */

static void ndb_blobs_overlap(void **state)
{
	(void)state;
	size_t size;
	BH_FREE uint8_t *bytes = load(samples[2].path, &size);
	/* Every slot points at the blob of the first one; all but that have another package index. */
	for (size_t slot = 3; slot < 9; slot++)
		memcpy(bytes + slot * 16 + 8, bytes + 2 * 16 + 8, 8);
	struct result r = run(&pkg_parser_rpm_ndb, (struct bh_slice){ bytes, size }, (struct bh_slice){ 0 });
	assert_int_equal(r.rc, 0);
	assert_true(r.packages <= 1);
	assert_true(r.notes >= 5);
}

static void ndb_same_slot_many_times(void **state)
{
	(void)state;
	size_t size;
	BH_FREE uint8_t *bytes = load(samples[2].path, &size);
	for (size_t slot = 3; slot < 256; slot++)
		memcpy(bytes + slot * 16, bytes + 2 * 16, 16);
	struct result r = run(&pkg_parser_rpm_ndb, (struct bh_slice){ bytes, size }, (struct bh_slice){ 0 });
	assert_int_equal(r.rc, 0);
	assert_true(r.packages < 20); /* as many as fit into the file side by side */
	assert_true(r.notes > 0);
}

static void ndb_refuses_what_it_cannot_read(void **state)
{
	(void)state;
	size_t size;
	BH_FREE uint8_t *bytes = load(samples[2].path, &size);
	struct bh_slice data = { bytes, size }, none = { 0 };
	put_u32le(bytes + 12, 1u << 30);
	assert_int_equal(run(&pkg_parser_rpm_ndb, data, none).rc, BH_ETRUNCATED);
	put_u32le(bytes + 4, 1);
	assert_int_equal(run(&pkg_parser_rpm_ndb, data, none).rc, BH_EUNSUPPORTED);
	bytes[0] = 'x';
	assert_int_equal(run(&pkg_parser_rpm_ndb, data, none).rc, BH_EMALFORMED);
}

/* ---- SQLite ---- */

/* The sample with a log: "+", then database and log of equal length. */
static uint8_t *load_with_wal(struct bh_slice *db, struct bh_slice *wal)
{
	size_t size;
	uint8_t *bytes = load("tests/corpus/pkg-rpm_sqlite/with-wal", &size);
	*db = (struct bh_slice){ bytes + 1, (size - 1) / 2 };
	*wal = (struct bh_slice){ bytes + 1 + (size - 1) / 2, (size - 1) / 2 };
	return bytes;
}

static void sqlite_reads_the_log(void **state)
{
	(void)state;
	struct bh_slice db, wal, none = { 0 };
	BH_FREE uint8_t *bytes = load_with_wal(&db, &wal);
	assert_non_null(bytes);
	assert_int_equal(run(&pkg_parser_rpm_sqlite, db, wal).packages, PACKAGES);
	assert_int_equal(run(&pkg_parser_rpm_sqlite, db, none).packages, 3);
	/* The last transaction changes nothing that counts here; the one before it brings four packages. */
	size_t frame = 24 + 1024, n = 0;
	while ((n + 1) * frame + 32 <= wal.len && get_u32le(wal.ptr + 32 + n * frame + 8) == get_u32le(wal.ptr + 16))
		n++;
	for (size_t frames = 0; frames <= n; frames++) {
		struct result r = run(&pkg_parser_rpm_sqlite, db, bh_slice_sub(wal, 0, 32 + frames * frame));
		assert_int_equal(r.rc, 0);
		assert_int_equal(r.notes, 0);
		assert_true(r.packages == 3 || r.packages == PACKAGES);
	}
}

static void sqlite_reports_a_damaged_log(void **state)
{
	(void)state;
	struct bh_slice db, wal;
	BH_FREE uint8_t *bytes = load_with_wal(&db, &wal);
	uint8_t *log = bytes + 1 + db.len;
	static const struct {
		size_t at;
		const char *want;
	} cases[] = { { 0, "damaged head" }, { 9, "damaged head" }, { 20, "damaged head" }, { 32 + 24 + 100, "damaged frame" }, { 32 + 17, "damaged frame" } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		log[cases[i].at] ^= 0x10;
		struct result r = run(&pkg_parser_rpm_sqlite, db, wal);
		assert_int_equal(r.packages, 3);
		assert_non_null(strstr(r.note, cases[i].want));
		log[cases[i].at] ^= 0x10;
	}
}

static void sqlite_of_another_kind(void **state)
{
	(void)state;
	struct bh_slice none = { 0 };
	assert_int_equal(run(&pkg_parser_rpm_sqlite, BH_SLICE_LIT("SQLite format 2, and more of it"), none).rc, BH_EMALFORMED);
	assert_int_equal(run(&pkg_parser_rpm_sqlite, none, none).rc, BH_ETRUNCATED);
	size_t size;
	BH_FREE uint8_t *bytes = load(samples[3].path, &size);
	uint8_t *name = memmem(bytes, size, "Packages", 8);
	assert_non_null(name);
	while ((name = memmem(bytes, size, "Packages", 8)))
		name[0] = 'p', name[3] = 'q'; /* no such table any more */
	assert_int_equal(run(&pkg_parser_rpm_sqlite, (struct bh_slice){ bytes, size }, none).rc, BH_EMALFORMED);
}

/* ---- headers ---- */

static void put_u32be(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> 8 * (3 - i));
}

struct tag {
	uint32_t tag, type, offset, count;
};

static struct bh_slice make_header(uint8_t *out, const struct tag *tags, uint32_t n, struct bh_slice data)
{
	put_u32be(out, n);
	put_u32be(out + 4, (uint32_t)data.len);
	for (uint32_t i = 0; i < n; i++) {
		put_u32be(out + 8 + 16 * i, tags[i].tag);
		put_u32be(out + 12 + 16 * i, tags[i].type);
		put_u32be(out + 16 + 16 * i, tags[i].offset);
		put_u32be(out + 20 + 16 * i, tags[i].count);
	}
	memcpy(out + 8 + 16 * n, data.ptr, data.len);
	return (struct bh_slice){ out, 8 + 16 * n + data.len };
}

static void headers_that_reach_too_far(void **state)
{
	(void)state;
	static const struct tag bad[] = {
		{ 1000, 6, 9, 1 },	       { 1000, 6, 0xffffffff, 1 },     { 1000, 8, 0, 9 },	 { 1116, 4, 0, 3 },
		{ 1116, 4, 0, 0x40000001 },    { 1116, 5, 0, 0x20000001 },     { 1000, 99, 0, 1 },	 { 1000, 7, 4, 0xffffffff },
	};
	uint8_t out[256];
	struct bh_rpm_header h;
	struct bh_err err = { 0 };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(bh_rpm_header_open(make_header(out, &bad[i], 1, BH_SLICE_LIT("a\0b\0c\0\0\0")), &h, &err), BH_EMALFORMED);
	struct bh_slice fine = make_header(out, &(struct tag){ 1000, 6, 0, 1 }, 1, BH_SLICE_LIT("a\0b\0c\0\0\0"));
	assert_int_equal(bh_rpm_header_open(fine, &h, &err), 0);
	for (size_t len = 0; len < fine.len; len++)
		assert_true(bh_rpm_header_open(bh_slice_sub(fine, 0, len), &h, &err) < 0);
	put_u32be(out, 0x00ffffff);
	assert_int_equal(bh_rpm_header_open(fine, &h, &err), BH_EMALFORMED);
}

static void headers_last_entry_of_a_tag_counts(void **state)
{
	(void)state;
	static const struct tag tags[] = { { 1000, 6, 0, 1 }, { 1000, 6, 4, 1 }, { 1001, 6, 6, 1 } };
	uint8_t out[256];
	struct bh_rpm_header h;
	struct bh_err err = { 0 };
	struct bh_slice s;
	assert_int_equal(bh_rpm_header_open(make_header(out, tags, 3, BH_SLICE_LIT("old\0new\0xyz")), &h, &err), 0);
	assert_true(bh_rpm_header_string(&h, BH_RPM_NAME, &s));
	assert_true(bh_slice_eq_str(s, "new"));
	assert_true(bh_rpm_header_string(&h, BH_RPM_VERSION, &s));
	assert_true(bh_slice_eq_str(s, "w"));
	static const struct tag open_end[] = { { 1000, 6, 8, 1 } };
	assert_int_equal(bh_rpm_header_open(make_header(out, open_end, 1, BH_SLICE_LIT("old\0new\0xyz")), &h, &err), 0);
	assert_false(bh_rpm_header_string(&h, BH_RPM_NAME, &s)); /* "xyz" has no NUL */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(one_bit_flipped),
		cmocka_unit_test(berkeley_page_chain_loops),
		cmocka_unit_test(berkeley_page_chains_cross),
		cmocka_unit_test(berkeley_refuses_what_it_cannot_read),
		cmocka_unit_test(ndb_blobs_overlap),
		cmocka_unit_test(ndb_same_slot_many_times),
		cmocka_unit_test(ndb_refuses_what_it_cannot_read),
		cmocka_unit_test(sqlite_reads_the_log),
		cmocka_unit_test(sqlite_reports_a_damaged_log),
		cmocka_unit_test(sqlite_of_another_kind),
		cmocka_unit_test(headers_that_reach_too_far),
		cmocka_unit_test(headers_last_entry_of_a_tag_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
