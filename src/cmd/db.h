/* db.h: the verbs of `bulkhead db`, one file each. */
#ifndef BH_CMD_DB_H
#define BH_CMD_DB_H

#include "base/buf.h"
#include "cmd/cmd.h"
#include "vuln/userdb.h"

#define DB_OUTPUT_BYTES_MAX (256u << 20)

enum db_format { DB_TEXT, DB_JSON };

/* Each returns an exit code. words: what stands behind the verb. */
int db_import(const struct cmd_args *args, const char *const *words, size_t n);
int db_remove(const struct cmd_args *args, const char *const *words, size_t n);
int db_status(const struct cmd_args *args, const char *const *words, size_t n);
int db_verify(const struct cmd_args *args, const char *const *words, size_t n);
int db_lookup(const struct cmd_args *args, const char *const *words, size_t n);

/* What the data say about an advisory, as `lookup ID` does. */
int db_say_advisory(const struct vuln_db *db, struct bh_slice id, bool json, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

struct vuln_import_request;
/* Imports and says what came in; inputs and progress are the request's. replace: whatever the source had before. */
int db_take(const struct cmd_args *args, struct vuln_import_request *req, bool replace, bool *ret_damaged, struct bh_err *err) BH_MUST_CHECK;

int db_update(const struct cmd_args *args, const char *const *words, size_t n);
int db_check_update(const struct cmd_args *args, struct bh_err *err) BH_MUST_CHECK;
int db_export(const struct cmd_args *args, const char *const *words, size_t n);
int db_sign(const struct cmd_args *args, const char *const *words, size_t n);
int db_check_sign(const struct cmd_args *args, struct bh_err *err) BH_MUST_CHECK;

/* `verify --key`: says in out that FILE is what its manifest, signed with that key, says. */
int db_check_signature(const struct cmd_args *args, const char *file, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* Words of the options that `import` understands; checked before it runs. */
int db_check_import(const struct cmd_args *args, struct bh_err *err) BH_MUST_CHECK;

/* ---- printing ---- */

/*
 * Opens the database that is read, lets `render` say something about it, and writes that to standard output; nothing of it when
 * render fails. Returns an exit code.
 */
typedef int db_render(const struct cmd_args *args, const struct vuln_userdb *u, const char *const *words, size_t n, struct bh_buf *out,
		      struct bh_err *err);
int db_show(const struct cmd_args *args, const char *const *words, size_t n, db_render *render);

/* Rows of cells, each as wide as its widest; the last column is never padded. Cells are escaped. */
struct db_table {
	struct bh_buf cells; /* each ended by NUL */
	size_t columns, n;
};
void db_table_init(struct db_table *t, size_t columns);
void db_table_done(struct db_table *t);
void db_table_add(struct db_table *t, struct bh_slice cell);
void db_table_addf(struct db_table *t, const char *fmt, ...) BH_PRINTF(2, 3);
/* right: bit i set: column i is aligned to the right. */
void db_table_write(const struct db_table *t, unsigned right, struct bh_buf *out);

/* "1,653" */
const char *db_number(uint64_t n, char out[32]);
/* "4.5 MiB" */
const char *db_size(uint64_t bytes, char out[32]);

int32_t db_today(void); /* days since 1970; SOURCE_DATE_EPOCH counts when set */

#endif
