/*
 * fuzz_bkdb.c: any input as an advisory database: opened, verified, every item read, every lookup tried. Then once more with
 * fresh checksums, since those prove nothing about who made them. What passes verification must be readable to the end, and
 * be good material for the next database, which is then in a form that does not change any more.
 */
#include "../unit/bkdb_text.c" /* dumps and seals; fuzz targets are one source file */

#include <stdlib.h>

#define OUT_BYTES_MAX (64u << 20)
#define INPUT_BYTES_MAX (64u << 10) /* hostile spans may overlap: a dump can be larger than its database */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned checksum;

static void touch(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		checksum += s.ptr[i];
}

static void expect_reason(int rc, const struct bh_err *err)
{
	if (rc < 0 && (err->code != (enum bh_code)rc || err->text[0] == '\0'))
		abort();
}

/* Everything must be found again by its own name; `sound`: nothing may fail. */
static void look_up(const struct vuln_db *db, bool sound)
{
	struct bh_err err = { 0 };
	struct vuln_db_totals t;
	int rc = 0;
	vuln_db_totals(db, &t);
	for (uint32_t i = 0; i < t.packages && rc == 0; i++) {
		struct vuln_package p;
		struct vuln_span rows;
		rc = vuln_db_package(db, i, &p, &err);
		rc = rc < 0 ? rc : vuln_db_find(db, p.ecosystem, p.name, &rows, &err);
		if (sound && (rc < 0 || rows.first != p.rows.first || rows.n != p.rows.n))
			abort();
	}
	for (uint32_t i = 0; i < t.advisories && rc == 0; i++) {
		struct vuln_advisory a;
		struct vuln_exploit e;
		uint32_t index = 0;
		rc = vuln_db_advisory(db, i, &a, &err);
		rc = rc < 0 ? rc : vuln_db_exploit(db, &a, &e, &err);
		rc = rc < 0 ? rc : vuln_db_find_id(db, a.id, &index, &err);
		if (sound && (rc < 0 || index != i))
			abort();
	}
	for (uint32_t i = 0; i < t.entries && rc == 0; i++) {
		struct vuln_entry e;
		struct vuln_span span = { 0 }, all = { 0 };
		rc = vuln_db_entry(db, i, &e, &err);
		rc = rc < 0 ? rc : vuln_db_table_find(db, e.table, e.key, &span, &err);
		rc = rc < 0 ? rc : vuln_db_table(db, e.table, &all, &err);
		if (sound && (rc < 0 || i - span.first >= span.n || span.first < all.first || span.n > all.n))
			abort();
	}
	for (uint32_t i = 0; i < t.ecosystems && rc == 0; i++) {
		struct vuln_ecosystem e, found;
		rc = vuln_db_ecosystem(db, i, &e, &err);
		rc = rc < 0 ? rc : vuln_db_find_ecosystem(db, e.name, &found, &err);
		if (sound && (rc < 0 || found.rows != e.rows))
			abort();
	}
	expect_reason(rc, &err);
}

static void remake(const struct vuln_db *db, struct bh_buf *out)
{
	struct bh_err err = { 0 };
	struct vuln_builder *b = NULL;
	bh_buf_init(out, OUT_BYTES_MAX);
	if (vuln_builder_new(&b, &err) < 0 || vuln_builder_merge(b, db, (struct bh_slice){ 0 }, &err) < 0 || vuln_builder_finish(b, out, &err) < 0)
		abort();
	vuln_builder_free(b);
}

/* The next database is sound, and the one after it the same. */
static void check_next(const struct vuln_db *db)
{
	struct bh_buf next, after;
	struct vuln_db *next_db = NULL;
	struct bh_err err = { 0 };
	remake(db, &next);
	if (vuln_db_open(bh_buf_slice(&next), &next_db, &err) < 0 || vuln_db_verify(next_db, &err) < 0)
		abort();
	remake(next_db, &after);
	if (!bh_slice_eq(bh_buf_slice(&next), bh_buf_slice(&after)))
		abort();
	vuln_db_close(next_db);
	bh_buf_done(&next);
	bh_buf_done(&after);
}

static void run(struct bh_slice bytes)
{
	struct vuln_db *db = NULL;
	struct bh_err err = { 0 };
	struct bh_buf text;
	int rc = vuln_db_open(bytes, &db, &err);
	expect_reason(rc, &err);
	if (rc < 0)
		return;
	int verified = vuln_db_verify(db, &err);
	expect_reason(verified, &err);
	bh_buf_init(&text, OUT_BYTES_MAX);
	rc = bkdb_dump(db, &text, &err);
	expect_reason(rc, &err);
	touch(bh_buf_slice(&text));
	if (verified == 0 && rc < 0)
		abort();
	look_up(db, verified == 0);
	if (verified == 0)
		check_next(db);
	bh_buf_done(&text);
	vuln_db_close(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > INPUT_BYTES_MAX)
		return 0;
	run((struct bh_slice){ data, size });
	uint8_t *sealed = malloc(size ? size : 1);
	if (!sealed)
		return 0;
	if (size)
		memcpy(sealed, data, size);
	if (bkdb_seal(sealed, size))
		run((struct bh_slice){ sealed, size });
	free(sealed);
	return 0;
}
