/* sqlite_edit.c: see sqlite_edit.h. A copy of the file is sqlite's database in memory (sqlite3_deserialize); no file is opened. */
#include "format/sqlite_edit.h"

#include "base/vec.h"
#include "format/sqlite_guard.h"

#include <string.h>

#define VERSIONS_AT 18u /* two bytes of the head: 2 is WAL mode, which needs files beside it */
#define HEAD_BYTES 100u
#define VALUES_MAX 1000000u
#define TABLES_MAX 200u

BH_VEC(value_vec, sqlite3_int64)
BH_VEC(table_vec, char *)

struct edit {
	sqlite3 *c;
	const char *column;
	struct value_vec values;
	struct table_vec tables;
	uint64_t steps_left, rows;
	struct bh_err *err;
};

static int fault(struct edit *e, int code)
{
	if ((code & 0xff) == SQLITE_INTERRUPT)
		return bh_fail(e->err, BH_ELIMIT, 0, "sqlite: the database takes more steps than its size allows");
	return bh_fail(e->err, code == SQLITE_NOMEM ? BH_ENOMEM : BH_EMALFORMED, 0, "sqlite: %s", e->c ? sqlite3_errmsg(e->c) : sqlite3_errstr(code));
}

static int authorize(void *ctx, int action, const char *a, const char *b, const char *c, const char *d)
{
	(void)ctx, (void)b, (void)c, (void)d;
	if (action == SQLITE_PRAGMA)
		return strcmp(a, "quick_check") == 0 ? SQLITE_OK : SQLITE_DENY;
	return action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_DELETE || action == SQLITE_TRANSACTION ? SQLITE_OK : SQLITE_DENY;
}

static int prepare(struct edit *e, const char *sql, sqlite3_stmt **ret)
{
	int code = sql ? sqlite3_prepare_v2(e->c, sql, -1, ret, NULL) : SQLITE_NOMEM;
	return code == SQLITE_OK ? 0 : fault(e, code);
}

/* ---- the database ---- */

static int open_copy(struct edit *e, struct bh_slice db)
{
	if (db.len < HEAD_BYTES || !bh_slice_starts(db, (struct bh_slice){ (const uint8_t *)"SQLite format 3", 16 }))
		return bh_fail(e->err, BH_EMALFORMED, 0, "sqlite: no \"SQLite format 3\" at the start");
	int code = sqlite3_open_v2(":memory:", &e->c, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	uint8_t *copy = code == SQLITE_OK ? sqlite3_malloc64(db.len) : NULL;
	if (code != SQLITE_OK || !copy)
		return fault(e, code == SQLITE_OK ? SQLITE_NOMEM : code);
	memcpy(copy, db.ptr, db.len);
	copy[VERSIONS_AT] = copy[VERSIONS_AT + 1] = 1;
	code = sqlite3_deserialize(e->c, "main", copy, (sqlite3_int64)db.len, (sqlite3_int64)db.len, SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
	if (code != SQLITE_OK)
		return fault(e, code);
	(void)sqlite3_exec(e->c, "PRAGMA secure_delete = ON; PRAGMA journal_mode = MEMORY; PRAGMA foreign_keys = OFF", NULL, NULL, NULL);
	bh_sqlite_restrict(e->c, authorize, &e->steps_left);
	return 0;
}

/* What is damaged is not edited. */
static int check(struct edit *e)
{
	sqlite3_stmt *st = NULL;
	int rc = prepare(e, "PRAGMA quick_check", &st), code = SQLITE_DONE;
	while (rc == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(st, 0);
		if (!text || strcmp(text, "ok") != 0)
			rc = bh_fail(e->err, BH_EMALFORMED, 0, "sqlite: the database is damaged: %.200s", text ? text : "");
	}
	rc = rc < 0 || code == SQLITE_DONE ? rc : fault(e, code);
	sqlite3_finalize(st);
	return rc;
}

/* ---- what goes ---- */

static int find_values(struct edit *e, const char *index, const struct bh_slice *keys, size_t n)
{
	sqlite3_stmt *st = NULL;
	char *sql = sqlite3_mprintf("SELECT \"%w\".\"%w\" FROM \"%w\" WHERE key = ?1", index, e->column, index);
	int rc = prepare(e, sql, &st), code = SQLITE_DONE;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		(void)sqlite3_reset(st);
		code = keys[i].len < INT32_MAX ? sqlite3_bind_text(st, 1, (const char *)keys[i].ptr, (int)keys[i].len, SQLITE_STATIC) : SQLITE_TOOBIG;
		while (rc == 0 && (code == SQLITE_OK || code == SQLITE_ROW) && (code = sqlite3_step(st)) == SQLITE_ROW)
			if (!value_vec_push(&e->values, sqlite3_column_int64(st, 0)))
				rc = bh_fail(e->err, BH_ELIMIT, 0, "sqlite: more than %u rows to take out", VALUES_MAX);
		rc = rc < 0 || code == SQLITE_DONE ? rc : fault(e, code);
	}
	sqlite3_finalize(st);
	sqlite3_free(sql);
	return rc;
}

static int find_tables(struct edit *e)
{
	sqlite3_stmt *st = NULL;
	int rc = prepare(e, "SELECT name FROM sqlite_master WHERE type = 'table'", &st), code = SQLITE_DONE;
	while (rc == 0 && (code = sqlite3_step(st)) == SQLITE_ROW) {
		char *name = sqlite3_mprintf("%s", sqlite3_column_text(st, 0));
		if (name && table_vec_push(&e->tables, name))
			continue;
		sqlite3_free(name);
		rc = bh_fail(e->err, BH_ELIMIT, 0, "sqlite: more than %u tables", TABLES_MAX);
	}
	rc = rc < 0 || code == SQLITE_DONE ? rc : fault(e, code);
	sqlite3_finalize(st);
	return rc;
}

/* A table without the column keeps its rows. */
static int delete_from(struct edit *e, const char *table)
{
	sqlite3_stmt *st = NULL;
	char *sql = sqlite3_mprintf("DELETE FROM \"%w\" WHERE \"%w\".\"%w\" = ?1", table, table, e->column);
	int rc = 0, code = sql ? sqlite3_prepare_v2(e->c, sql, -1, &st, NULL) : SQLITE_NOMEM;
	bool has_column = !(code == SQLITE_ERROR && strstr(sqlite3_errmsg(e->c), "no such column"));
	if (code != SQLITE_OK && has_column)
		rc = fault(e, code);
	for (size_t i = 0; rc == 0 && st && i < e->values.len; i++) {
		(void)sqlite3_reset(st);
		code = sqlite3_bind_int64(st, 1, e->values.ptr[i]);
		code = code == SQLITE_OK ? sqlite3_step(st) : code;
		if (code != SQLITE_DONE)
			rc = fault(e, code);
		e->rows += (uint64_t)sqlite3_changes(e->c);
	}
	sqlite3_finalize(st);
	sqlite3_free(sql);
	return rc;
}

static int keep_result(struct edit *e, struct bh_buf *out)
{
	sqlite3_int64 size = 0;
	const uint8_t *bytes = sqlite3_serialize(e->c, "main", &size, SQLITE_SERIALIZE_NOCOPY);
	if (!bytes || size <= 0 || !bh_buf_add(out, (struct bh_slice){ bytes, (size_t)size }))
		return bh_fail(e->err, BH_ELIMIT, 0, "sqlite: the database is larger than there is memory for it");
	return 0;
}

void bh_sqlite_prepare(void)
{
	uint8_t seed[8];
	(void)sqlite3_initialize();
	sqlite3_randomness(sizeof(seed), seed);
}

int bh_sqlite_without(struct bh_slice db, const char *index, const char *column, const struct bh_slice *keys, size_t n, uint64_t *ret_rows, struct bh_buf *out, struct bh_err *err)
{
	struct edit e = { .column = column, .values = { .max = VALUES_MAX }, .tables = { .max = TABLES_MAX }, .steps_left = bh_sqlite_steps(db.len), .err = err };
	int rc = open_copy(&e, db);
	rc = rc < 0 ? rc : check(&e);
	rc = rc < 0 ? rc : find_values(&e, index, keys, n);
	rc = rc < 0 ? rc : find_tables(&e);
	for (size_t i = 0; rc == 0 && i < e.tables.len; i++)
		rc = delete_from(&e, e.tables.ptr[i]);
	rc = rc < 0 ? rc : keep_result(&e, out);
	*ret_rows = e.rows;
	for (size_t i = 0; i < e.tables.len; i++)
		sqlite3_free(e.tables.ptr[i]);
	table_vec_done(&e.tables);
	value_vec_done(&e.values);
	sqlite3_close(e.c);
	return rc;
}
