/*
 * sqlite_db.c: libsqlite3 over bytes in memory.
 *
 * A file system (sqlite3_vfs) of one read-only file answers sqlite's reads from the slice. Two things are laid over it:
 *
 *   - bytes 18 and 19 of the file read as 1 ("rollback journal"): a database in WAL mode (2) asks for shared memory and
 *     lock files, which must not exist here;
 *   - pages that a write-ahead log beside the file has newer, as sqlite.org/fileformat2.html section 4 tells:
 *
 *     log header, 32 bytes   magic 0x377f0682 (checksums little-endian) or ...83 (big-endian), version, page size, sequence,
 *                            salt (8), checksum (8) of the 24 bytes before it
 *     frame, 24 bytes + page page number, size of the database in pages if this commits (else 0), salt (8),
 *                            checksum (8) of the first 8 bytes and the page, going on from the frame before
 *
 *     Frames count up to the last commit before the first one with a wrong salt (left from an older log) or checksum. A
 *     wrong checksum under the right salt, or a head that is none, is reported: there may be rows that sqlite would not see.
 *
 * Against hostile files: schema objects other than tables don't run (authorizer, defensive mode, untrusted schema), work is
 * bounded by virtual machine steps and by bytes read and handed out, all relative to the file's size, so that the same file
 * always ends at the same place.
 */
#include "format/sqlite_db.h"

#include "base/cleanup.h"
#include "base/reader.h"
#include "format/sqlite_guard.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE_BYTES_MIN 512u
#define PAGE_BYTES_MAX 65536u
#define WAL_HEADER_BYTES 32u
#define WAL_FRAME_HEADER_BYTES 24u
#define WAL_MAGIC 0x377f0682u /* bit 0: big-endian checksums */
#define WAL_VERSION 3007000u
#define VM_STEPS_BASE 100000u /* opening and preparing */
#define VM_STEPS_PER_BYTE 2u  /* the smallest row has 4 bytes and takes 5 steps */
#define VM_STEPS_AT_ONCE 100u
#define READ_FACTOR 16u /* bytes read per byte of file: pages may be read again when sqlite's cache is small */

struct image {
	struct bh_slice db, wal;
	uint32_t page_bytes, n_pages;
	uint32_t *frame_of; /* page number - 1 -> frame number + 1 of the log, 0: the database has it; NULL without log */
	uint64_t read_left; /* bytes sqlite may still read */
	uint64_t last_read; /* offset of its last read, for error messages */
	const char *wal_damage;
	uint64_t wal_damage_at;
};

/* ---- the write-ahead log ---- */

struct wal_sum {
	uint32_t a, b;
	bool big_endian;
};

static bool add_to_sum(struct wal_sum *s, struct bh_slice bytes)
{
	struct bh_reader r = bh_reader_of(bytes);
	uint32_t x, y;
	while (bh_reader_left(&r)) {
		if (s->big_endian ? !bh_take_u32be(&r, &x) || !bh_take_u32be(&r, &y) : !bh_take_u32le(&r, &x) || !bh_take_u32le(&r, &y))
			return false;
		s->a += x + s->b;
		s->b += y + s->a;
	}
	return true;
}

static bool sum_is(const struct wal_sum *s, struct bh_reader *r)
{
	uint32_t a, b;
	return bh_take_u32be(r, &a) && bh_take_u32be(r, &b) && a == s->a && b == s->b;
}

/* The head of the log. False when there is no usable one: sqlite then ignores the log, too. */
static bool open_wal(struct bh_reader *r, struct wal_sum *sum, uint32_t *page_bytes, struct bh_slice *salt)
{
	uint32_t magic, version;
	struct bh_slice start;
	if (!bh_peek(r, WAL_HEADER_BYTES - 8, &start) || !bh_take_u32be(r, &magic) || (magic & ~1u) != WAL_MAGIC ||
	    !bh_take_u32be(r, &version) || version != WAL_VERSION || !bh_take_u32be(r, page_bytes) || !bh_skip(r, 4) || !bh_take(r, 8, salt))
		return false;
	*sum = (struct wal_sum){ .big_endian = magic & 1 };
	return add_to_sum(sum, start) && sum_is(sum, r);
}

/* One frame; false at the first one that does not belong to this log. */
static bool take_frame(struct bh_reader *r, struct wal_sum *sum, uint32_t page_bytes, struct bh_slice salt, uint32_t *page, uint32_t *commit)
{
	struct bh_slice start, its_salt, content;
	struct bh_reader head = *r;
	return bh_peek(&head, 8, &start) && bh_take_u32be(&head, page) && bh_take_u32be(&head, commit) && bh_take(&head, 8, &its_salt) &&
	       bh_slice_eq(its_salt, salt) && bh_skip(r, WAL_FRAME_HEADER_BYTES) && bh_take(r, page_bytes, &content) &&
	       add_to_sum(sum, start) && add_to_sum(sum, content) && sum_is(sum, &head) && *page != 0;
}

/* How many frames count, and how large the database is behind the last of them. */
static size_t committed_frames(struct image *im, struct bh_reader r, struct wal_sum sum, struct bh_slice salt)
{
	uint32_t page, commit;
	struct bh_slice its_salt;
	size_t committed = 0, at = r.pos;
	for (size_t n = 1; take_frame(&r, &sum, im->page_bytes, salt, &page, &commit); n++, at = r.pos)
		if (commit) {
			committed = n;
			im->n_pages = commit;
		}
	/* A last frame cut off in the middle is what a crash leaves; a whole one with this log's salt should be right. */
	if (bh_seek(&r, at + 8) && bh_take(&r, 8, &its_salt) && bh_slice_eq(its_salt, salt) && bh_reader_left(&r) >= im->page_bytes + 8) {
		im->wal_damage = "the write-ahead log has a damaged frame";
		im->wal_damage_at = at;
	}
	return committed;
}

static int apply_wal(struct image *im, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(im->wal);
	struct wal_sum sum;
	struct bh_slice salt;
	uint32_t page_bytes, page, commit;
	if (!open_wal(&r, &sum, &page_bytes, &salt)) {
		if (im->wal.len)
			im->wal_damage = "the write-ahead log has a damaged head";
		return 0;
	}
	if (im->db.len == 0)
		im->page_bytes = page_bytes;
	if (page_bytes != im->page_bytes || page_bytes < PAGE_BYTES_MIN || page_bytes > PAGE_BYTES_MAX)
		return bh_fail(err, BH_EMALFORMED, 8, "sqlite: the log has pages of %u bytes, the database of %u", page_bytes, im->page_bytes);
	size_t frames = committed_frames(im, r, sum, salt);
	if (frames == 0)
		return 0;
	if (im->n_pages > (im->db.len + im->wal.len) / page_bytes + 1)
		return bh_fail(err, BH_EMALFORMED, 0, "sqlite: the log says %u pages, more than there can be", im->n_pages);
	im->frame_of = calloc(im->n_pages, sizeof(*im->frame_of));
	if (!im->frame_of)
		return bh_fail(err, BH_ENOMEM, 0, "sqlite: no memory for %u pages", im->n_pages);
	for (size_t n = 1; n <= frames && take_frame(&r, &sum, page_bytes, salt, &page, &commit); n++)
		if (page <= im->n_pages)
			im->frame_of[page - 1] = (uint32_t)n;
	return 0;
}

/* ---- the file system ---- */

struct open_file {
	sqlite3_file base;
	struct image *im;
};

/* What stands at this offset, up to the end of its page. Empty at the end of the file. */
static struct bh_slice bytes_at(const struct image *im, uint64_t offset)
{
	uint64_t page = offset / im->page_bytes, within = offset % im->page_bytes;
	if (page >= im->n_pages)
		return (struct bh_slice){ 0 };
	uint64_t from = page * im->page_bytes;
	struct bh_slice source = im->db;
	if (im->frame_of && im->frame_of[page]) {
		uint64_t frame = im->frame_of[page] - 1;
		from = WAL_HEADER_BYTES + frame * (WAL_FRAME_HEADER_BYTES + im->page_bytes) + WAL_FRAME_HEADER_BYTES;
		source = im->wal;
	}
	return bh_slice_sub(bh_slice_sub(source, (size_t)from, im->page_bytes), (size_t)within, im->page_bytes);
}

static int vfs_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset)
{
	struct image *im = ((struct open_file *)(void *)file)->im;
	uint8_t *to = out;
	size_t left = amount > 0 ? (size_t)amount : 0;
	uint64_t at = (uint64_t)offset;
	if (left > im->read_left)
		return SQLITE_IOERR_READ;
	im->read_left -= left;
	im->last_read = at;
	while (left) {
		struct bh_slice part = bytes_at(im, at);
		if (part.len == 0)
			break;
		size_t n = part.len < left ? part.len : left;
		memcpy(to, part.ptr, n);
		for (uint64_t version = 18; version <= 19; version++)
			if (at <= version && version - at < n)
				to[version - at] = 1;
		to += n;
		at += n;
		left -= n;
	}
	memset(to, 0, left);
	return left ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int vfs_size(sqlite3_file *file, sqlite3_int64 *ret)
{
	const struct image *im = ((struct open_file *)(void *)file)->im;
	*ret = (sqlite3_int64)im->n_pages * im->page_bytes;
	return SQLITE_OK;
}

static int vfs_close(sqlite3_file *file)
{
	(void)file;
	return SQLITE_OK;
}

static int vfs_no_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset)
{
	(void)file, (void)bytes, (void)amount, (void)offset;
	return SQLITE_READONLY;
}

static int vfs_no_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	(void)file, (void)size;
	return SQLITE_READONLY;
}

static int vfs_ok(sqlite3_file *file, int flags)
{
	(void)file, (void)flags;
	return SQLITE_OK;
}

static int vfs_not_reserved(sqlite3_file *file, int *ret)
{
	(void)file;
	*ret = 0;
	return SQLITE_OK;
}

static int vfs_control(sqlite3_file *file, int op, void *arg)
{
	(void)file, (void)op, (void)arg;
	return SQLITE_NOTFOUND;
}

static int vfs_sector(sqlite3_file *file)
{
	(void)file;
	return 0;
}

/* Immutable: sqlite asks for no locks and looks for no journal. */
static int vfs_characteristics(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_IMMUTABLE;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = vfs_close,
	.xRead = vfs_read,
	.xWrite = vfs_no_write,
	.xTruncate = vfs_no_truncate,
	.xSync = vfs_ok,
	.xFileSize = vfs_size,
	.xLock = vfs_ok,
	.xUnlock = vfs_ok,
	.xCheckReservedLock = vfs_not_reserved,
	.xFileControl = vfs_control,
	.xSectorSize = vfs_sector,
	.xDeviceCharacteristics = vfs_characteristics,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	struct open_file *f = (struct open_file *)(void *)file;
	*f = (struct open_file){ .im = vfs->pAppData };
	if (!name || !(flags & SQLITE_OPEN_MAIN_DB))
		return SQLITE_CANTOPEN; /* no journals, no temporary files */
	f->base.pMethods = &methods;
	if (ret_flags)
		*ret_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs, (void)name, (void)sync;
	return SQLITE_IOERR_DELETE;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
	(void)vfs, (void)name, (void)flags;
	*ret = 0;
	return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	sqlite3_snprintf(size, out, "%s", name);
	return SQLITE_OK;
}

/* sqlite wants these for temporary names, busy waits and SQL functions, none of which happen here. */
static int vfs_randomness(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	memset(out, 0, size > 0 ? (size_t)size : 0);
	return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs, (void)microseconds;
	return 0;
}

static int vfs_time(sqlite3_vfs *vfs, double *ret)
{
	(void)vfs;
	*ret = 0;
	return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs, (void)size, (void)out;
	return 0;
}

/* ---- the query ---- */

static int authorize(void *ctx, int action, const char *a, const char *b, const char *c, const char *d)
{
	(void)ctx, (void)b, (void)c, (void)d;
	if (action == SQLITE_PRAGMA)
		return strcmp(a, "quick_check") == 0 ? SQLITE_OK : SQLITE_DENY;
	return action == SQLITE_SELECT || action == SQLITE_READ ? SQLITE_OK : SQLITE_DENY;
}

static int too_long(void *ctx)
{
	uint64_t *steps_left = ctx;
	return (*steps_left)-- == 0;
}

void bh_sqlite_restrict(sqlite3 *c, int (*authorizer)(void *, int, const char *, const char *, const char *, const char *), uint64_t *steps_left)
{
	sqlite3_db_config(c, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(c, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(c, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(c, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(c, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_limit(c, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(c, SQLITE_LIMIT_SQL_LENGTH, 65536);
	sqlite3_limit(c, SQLITE_LIMIT_COLUMN, 64);
	sqlite3_limit(c, SQLITE_LIMIT_EXPR_DEPTH, 20);
	sqlite3_limit(c, SQLITE_LIMIT_VDBE_OP, 10000);
	sqlite3_limit(c, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
	(void)sqlite3_exec(c, "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON", NULL, NULL, NULL);
	sqlite3_set_authorizer(c, authorizer, NULL);
	sqlite3_progress_handler(c, VM_STEPS_AT_ONCE, too_long, steps_left);
}

uint64_t bh_sqlite_steps(uint64_t bytes)
{
	return (VM_STEPS_BASE + bytes * VM_STEPS_PER_BYTE) / VM_STEPS_AT_ONCE;
}

static int report(sqlite3 *c, const struct image *im, int code, struct bh_err *err)
{
	switch (code & 0xff) {
	case SQLITE_NOMEM: return bh_fail(err, BH_ENOMEM, im->last_read, "sqlite: %s", sqlite3_errmsg(c));
	case SQLITE_INTERRUPT:
	case SQLITE_TOOBIG: return bh_fail(err, BH_ELIMIT, im->last_read, "sqlite: the database takes more steps than its size allows");
	case SQLITE_IOERR:
		return bh_fail(err, BH_EMALFORMED, im->last_read, "sqlite: the database makes its reader go round in circles");
	default: return bh_fail(err, BH_EMALFORMED, im->last_read, "sqlite: %s", sqlite3_errmsg(c));
	}
}

static int each_row(sqlite3 *c, sqlite3_stmt *st, const struct image *im, const struct bh_record_sink *sink, struct bh_err *err)
{
	uint64_t bytes_left = im->db.len + im->wal.len;
	int code;
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		struct bh_slice blob = { sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0) };
		if (blob.len > bytes_left)
			return bh_fail(err, BH_EMALFORMED, im->last_read, "sqlite: the rows are larger than the file: they overlap");
		bytes_left -= blob.len;
		int rc = sink->record(sink->ctx, im->last_read, (struct bh_slice){ 0 }, blob, err);
		if (rc < 0)
			return rc;
	}
	return code == SQLITE_DONE ? 0 : report(c, im, code, err);
}

/*
 * What sqlite finds wrong with the database's pages; one without faults gives one row, "ok". The whole database is looked at,
 * as a table whose root is wrong is told by the pages that nothing leads to. It takes a few milliseconds per 10 MiB.
 */
static int check_pages(sqlite3 *c, sqlite3_stmt *st, const struct image *im, const struct bh_record_sink *sink, struct bh_err *err)
{
	int code;
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(st, 0);
		int rc = text && strcmp(text, "ok") != 0 ? sink->damaged(sink->ctx, im->last_read, text, err) : 0;
		if (rc < 0)
			return rc;
	}
	return code == SQLITE_DONE ? 0 : report(c, im, code, err);
}

/* A function type: the two readers of result rows. */
typedef int on_statement(sqlite3 *c, sqlite3_stmt *st, const struct image *im, const struct bh_record_sink *sink, struct bh_err *err);

static int run(sqlite3 *c, const char *sql, on_statement *with, const struct image *im, const struct bh_record_sink *sink, struct bh_err *err)
{
	sqlite3_stmt *st = NULL;
	int code = sql ? sqlite3_prepare_v2(c, sql, -1, &st, NULL) : SQLITE_NOMEM;
	int rc = code == SQLITE_OK ? with(c, st, im, sink, err) : report(c, im, code, err);
	sqlite3_finalize(st);
	return rc;
}

static int query(struct image *im, const char *vfs_name, const char *table, const char *column, const struct bh_record_sink *sink,
		 struct bh_err *err)
{
	uint64_t steps_left = bh_sqlite_steps((uint64_t)im->db.len + im->wal.len);
	char *select = sqlite3_mprintf("SELECT \"%w\" FROM \"%w\"", column, table);
	sqlite3 *c = NULL;
	int rc = sqlite3_open_v2("database", &c, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, vfs_name);
	if (rc == SQLITE_OK) {
		bh_sqlite_restrict(c, authorize, &steps_left);
		rc = run(c, "PRAGMA quick_check", check_pages, im, sink, err);
		if (rc >= 0)
			rc = run(c, select, each_row, im, sink, err);
	} else {
		rc = report(c, im, rc, err);
	}
	sqlite3_close(c);
	sqlite3_free(select);
	return rc;
}

static int open_image(struct image *im, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(im->db);
	uint16_t page_bytes;
	if (im->db.len) {
		if (!bh_slice_starts(im->db, (struct bh_slice){ (const uint8_t *)"SQLite format 3", 16 }))
			return bh_fail(err, BH_EMALFORMED, 0, "sqlite: no \"SQLite format 3\" at the start");
		if (!bh_seek(&r, 16) || !bh_take_u16be(&r, &page_bytes))
			return bh_fail(err, BH_ETRUNCATED, im->db.len, "sqlite: %zu bytes are too few", im->db.len);
		im->page_bytes = page_bytes == 1 ? PAGE_BYTES_MAX : page_bytes;
		if (im->page_bytes < PAGE_BYTES_MIN || im->page_bytes & (im->page_bytes - 1))
			return bh_fail(err, BH_EMALFORMED, 16, "sqlite: pages of %u bytes", im->page_bytes);
		im->n_pages = (uint32_t)(im->db.len / im->page_bytes);
	}
	int rc = apply_wal(im, err);
	if (rc == 0 && im->n_pages == 0)
		rc = bh_fail(err, BH_ETRUNCATED, im->db.len, "sqlite: the database is shorter than a page");
	return rc;
}

int bh_sqlite_each(struct bh_slice db, struct bh_slice wal, const char *table, const char *column, const struct bh_record_sink *sink,
		   struct bh_err *err)
{
	struct image im = { .db = db, .wal = wal };
	char name[32];
	int rc = open_image(&im, err);
	im.read_left = ((uint64_t)db.len + wal.len) * READ_FACTOR + (1u << 20);
	snprintf(name, sizeof(name), "bh-%p", (void *)&im);
	sqlite3_vfs vfs = {
		.iVersion = 1,
		.szOsFile = sizeof(struct open_file),
		.mxPathname = 64,
		.zName = name,
		.pAppData = &im,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_path,
		.xRandomness = vfs_randomness,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time,
		.xGetLastError = vfs_last_error,
	};
	if (rc == 0 && im.wal_damage)
		rc = sink->damaged(sink->ctx, im.wal_damage_at, im.wal_damage, err);
	if (rc == 0 && sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
		rc = bh_fail(err, BH_ENOMEM, 0, "sqlite: can't be initialised");
	if (rc == 0) {
		rc = query(&im, name, table, column, sink, err);
		sqlite3_vfs_unregister(&vfs);
	}
	free(im.frame_of);
	return rc;
}
