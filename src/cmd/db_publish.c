/* db_publish.c: `bulkhead db export` and `sign`: one file for a fleet, and the signature that `update --from` wants. */
#include "cmd/db.h"
#include "cmd/output.h"

#include "sys/files.h"
#include "update/publish.h"
#include "vuln/builder.h"
#include "vuln/embedded.h"
#include "vuln/import.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define FILE_MODE 0644u
#define LINE_BYTES_MAX 4096u

/* ---- export ---- */

/* Everything that a scan here would use: the database, and of the built-in facts what it does not have. */
static int merge(const struct vuln_userdb *u, struct bh_buf *out, struct bh_err *err)
{
	struct vuln_builder *b = NULL;
	struct vuln_db *facts = NULL;
	struct bh_slice bytes, all = { 0 };
	int rc = vuln_builder_new(&b, err);
	rc = rc < 0 ? rc : vuln_builder_merge(b, u->db, all, err);
	if (rc == 0 && u->path[0] && vuln_embedded(&bytes)) {
		rc = vuln_db_open(bytes, &facts, err);
		rc = rc < 0 ? rc : vuln_builder_merge(b, facts, all, err);
	}
	rc = rc < 0 ? rc : vuln_builder_finish(b, out, err);
	vuln_db_close(facts);
	vuln_builder_free(b);
	return rc;
}

static int export_to(const char *file, const struct vuln_userdb *u, struct bh_buf *line, struct bh_err *err)
{
	struct bh_buf out;
	struct vuln_db *db = NULL;
	struct vuln_db_totals totals;
	char size[32], rows[32];
	bh_buf_init(&out, VULN_DB_BYTES_MAX);
	int rc = vuln_db_verify(u->db, err);
	rc = rc < 0 ? rc : merge(u, &out, err);
	rc = rc < 0 ? rc : vuln_db_open(bh_buf_slice(&out), &db, err);
	rc = rc < 0 ? rc : bh_write_file_atomic(file, bh_buf_slice(&out), FILE_MODE, err);
	if (rc == 0) {
		vuln_db_totals(db, &totals);
		bh_buf_add_escaped(line, bh_slice_str(file));
		bh_buf_printf(line, ": %s, %s entries from %u sources\n", db_size(out.len, size), db_number(totals.rows, rows), totals.sources);
	}
	vuln_db_close(db);
	bh_buf_done(&out);
	return rc;
}

static int finish(const struct cmd_args *args, int rc, struct bh_buf *line, struct bh_err *err)
{
	if (rc == 0 && !cmd_flag(args, "quiet"))
		rc = cmd_write(STDOUT_FILENO, line, err);
	bh_buf_done(line);
	return rc < 0 ? cmd_failed(err) : EXIT_CLEAN;
}

int db_export(const struct cmd_args *args, const char *const *words, size_t n)
{
	(void)n;
	struct vuln_userdb u;
	struct bh_err err = { 0 };
	struct bh_buf line;
	bh_buf_init(&line, LINE_BYTES_MAX);
	int rc = vuln_userdb_open(cmd_string(args, "db"), &u, &err);
	if (rc == 0) {
		rc = export_to(words[0], &u, &line, &err);
		vuln_userdb_close(&u);
	}
	return finish(args, rc, &line, &err);
}

/* ---- sign ---- */

static int64_t now_s(void)
{
	const char *said = getenv("SOURCE_DATE_EPOCH");
	uint64_t seconds;
	return said && bh_slice_u64(bh_slice_str(said), INT64_MAX, &seconds) ? (int64_t)seconds : (int64_t)time(NULL);
}

static void add_published(struct bh_buf *line, const char *file, const struct update_published *p)
{
	char day[16], size[32];
	bh_buf_add_escaped(line, bh_slice_str(file));
	bh_buf_printf(line, ": version %llu, %llu pieces, %s", (unsigned long long)p->version, (unsigned long long)p->pieces, db_size(p->bytes, size));
	if (p->expires_day == VULN_NO_DAY)
		bh_buf_add_str(line, ", never expires");
	else
		bh_buf_printf(line, ", expires %s", vuln_day_text(p->expires_day, day));
}

int db_sign(const struct cmd_args *args, const char *const *words, size_t n)
{
	(void)n;
	struct bh_sign_key *key = NULL;
	struct update_published done;
	struct bh_err err = { 0 };
	struct bh_buf line;
	char size[32];
	uint64_t days = cmd_uint(args, "valid-days");
	bh_buf_init(&line, LINE_BYTES_MAX);
	int rc = bh_sign_key_load(cmd_string(args, "key"), true, &key, &err);
	rc = rc < 0 ? rc : update_sign(words[0], key, now_s(), days ? db_today() + (int32_t)days : VULN_NO_DAY, &done, &err);
	if (rc == 0) {
		add_published(&line, words[0], &done);
		bh_buf_printf(&line, "; %llu new pieces, %s packed\n", (unsigned long long)done.new_pieces, db_size(done.new_bytes, size));
	}
	bh_sign_key_free(key);
	return finish(args, rc, &line, &err);
}

int db_check_signature(const struct cmd_args *args, const char *file, struct bh_buf *out, struct bh_err *err)
{
	struct bh_sign_key *key = NULL;
	struct update_published p;
	int rc = bh_sign_key_load(cmd_string(args, "key"), false, &key, err);
	rc = rc < 0 ? rc : update_check(file, key, db_today(), &p, err);
	if (rc == 0) {
		add_published(out, file, &p);
		bh_buf_add_str(out, ": signed with this key\n");
	}
	bh_sign_key_free(key);
	return rc;
}

int db_check_sign(const struct cmd_args *args, struct bh_err *err)
{
	return cmd_string(args, "key") ? 0 : bh_fail(err, BH_EUSAGE, 0, "bulkhead db sign wants --key FILE, a private key as openssl genpkey -algorithm ed25519 makes");
}
