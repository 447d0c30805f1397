/*
 * db_update.c: `bulkhead db update`: fetch what changed of the configured sources and import it, one source after the other, so that one
 * that fails leaves the others alone; or, with --from, fetch a database that somebody else put together and signed.
 */
#include "cmd/db.h"
#include "cmd/output.h"

#include "base/log.h"
#include "base/vec.h"
#include "crypto/sign.h"
#include "store/cache.h"
#include "sys/files.h"
#include "sys/progress.h"
#include "sys/signals.h"
#include "update/collect.h"
#include "update/publish.h"
#include "vuln/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#define SOURCES_MAX 1000u
#define LIST_BYTES_MAX (1u << 20)
#define FOLDER_MODE 0700u
#define FILE_MODE 0644u

BH_VEC(source_vec, struct update_source)

struct updating {
	const struct cmd_args *args;
	struct bh_arena arena;
	struct source_vec sources;
	struct update_collector collector;
	struct update_state state;
	struct bh_progress *bar;
	char database[BH_PATH_BYTES_MAX];
	const char *folder;
	int lock;
	size_t done, failed, damaged, unreached;
};

/* ---- which sources ---- */

static int add_source(struct updating *u, const char *word, struct bh_err *err)
{
	struct update_source s;
	int rc = update_source_parse(word, &u->arena, &s, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < u->sources.len; i++)
		if (strcmp(u->sources.ptr[i].name, s.name) == 0)
			return 0;
	return source_vec_push(&u->sources, s) ? 0 : bh_fail(err, BH_EUSAGE, 0, "more than %u sources", SOURCES_MAX);
}

static bool is_configured(const struct cmd_args *args, const char *name, const char **ret)
{
	const char *const *list;
	size_t n = cmd_list(args, "sources", &list), len = strlen(name);
	for (size_t i = 0; i < n; i++)
		if (strncmp(list[i], name, len) == 0 && list[i][len] == '=') {
			*ret = list[i];
			return true;
		}
	return false;
}

/* --source names one, be it a built-in one or one of the configuration; else all of the configuration. */
static int choose(struct updating *u, struct bh_err *err)
{
	const char *const *list, *only = cmd_string(u->args, "source");
	size_t n = cmd_list(u->args, "sources", &list);
	int rc = 0;
	u->sources.max = SOURCES_MAX;
	if (only) {
		(void)is_configured(u->args, only, &only);
		return add_source(u, only, err);
	}
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_source(u, list[i], err);
	return rc == 0 && u->sources.len == 0 ? bh_fail(err, BH_EUSAGE, 0, "no sources are configured") : rc;
}

int db_check_update(const struct cmd_args *args, struct bh_err *err)
{
	struct updating u = { .args = args };
	bh_arena_init(&u.arena, 1u << 20);
	int rc = 0;
	if (cmd_string(args, "from") && !cmd_string(args, "key"))
		rc = bh_fail(err, BH_EUSAGE, 0, "--from wants --key FILE, the key that must have signed the database");
	else if (!cmd_string(args, "from"))
		rc = choose(&u, err);
	source_vec_done(&u.sources);
	bh_arena_done(&u.arena);
	return rc;
}

static int print_list(void)
{
	static const char *const kinds[] = { "files", "changes since", "changes since", "files", "files" };
	struct update_source s;
	struct db_table t;
	struct bh_buf out;
	struct bh_err err = { 0 };
	bh_buf_init(&out, LIST_BYTES_MAX);
	db_table_init(&t, 4);
	db_table_add(&t, BH_SLICE_LIT("SOURCE"));
	db_table_add(&t, BH_SLICE_LIT("FEED"));
	db_table_add(&t, BH_SLICE_LIT("FETCHED"));
	db_table_add(&t, BH_SLICE_LIT("WHAT"));
	for (size_t i = 0; update_source_at(i, &s); i++) {
		db_table_addf(&t, "%s", s.name);
		db_table_addf(&t, "%s", s.feed->name);
		db_table_addf(&t, "%s", kinds[s.kind]);
		db_table_addf(&t, "%s: %s", s.summary, s.url);
	}
	db_table_write(&t, 0, &out);
	db_table_done(&t);
	int rc = cmd_write(STDOUT_FILENO, &out, &err);
	bh_buf_done(&out);
	return rc < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}

/* ---- preparing ---- */

static void notice(void *ctx, const char *text)
{
	(void)ctx;
	bh_info("%s", text);
}

static void draw(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	const struct updating *u = ctx;
	(void)total_bytes;
	bh_progress_set(u->bar, done_bytes);
}

/* One update at a time: two would write into each other's files. */
static int lock_folder(struct updating *u, struct bh_err *err)
{
	char *cache = store_cache_default_folder();
	u->folder = cache ? bh_arena_printf(&u->arena, "%s/feeds", cache) : NULL;
	free(cache);
	if (!u->folder)
		return bh_fail(err, BH_EUSAGE, 0, "no home folder: XDG_CACHE_HOME says where downloads go");
	int rc = bh_mkdirs(u->folder, FOLDER_MODE, err);
	if (rc < 0)
		return rc;
	u->lock = open(u->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (u->lock < 0)
		return bh_fail_errno(err, errno, "%s", u->folder);
	if (flock(u->lock, LOCK_EX | LOCK_NB) < 0)
		return bh_fail(err, BH_EUSAGE, 0, "%s: another bulkhead db update is running", u->folder);
	return 0;
}

static int open_session(const struct cmd_args *args, struct net_session **ret, struct bh_err *err)
{
	const struct net_options options = { .insecure = cmd_flag(args, "insecure"), .notice = notice };
	return net_session_new(&options, ret, err);
}

/* Which sources the database has now; a source it lacks is imported even if its files did not change. */
static int has_source(const struct updating *u, const char *name, bool *ret, struct bh_err *err)
{
	struct vuln_userdb db;
	struct vuln_db_totals totals;
	struct vuln_source s;
	*ret = false;
	if (access(u->database, F_OK) < 0)
		return 0;
	int rc = vuln_userdb_open(u->database, &db, err);
	if (rc < 0)
		return rc;
	vuln_db_totals(db.db, &totals);
	for (uint32_t i = 0; rc == 0 && i < totals.sources && !*ret; i++) {
		rc = vuln_db_source(db.db, i, &s, err);
		*ret = rc == 0 && bh_slice_eq_str(s.name, name) && !(s.flags & VULN_SOURCE_EMBEDDED);
	}
	vuln_userdb_close(&db);
	return rc;
}

/* ---- one source ---- */

static int import(struct updating *u, const struct update_source *s, const struct update_files *files, bool *ret_damaged, struct bh_err *err)
{
	struct vuln_inputs *inputs = NULL;
	int rc = vuln_inputs_new(files->paths, files->n, vuln_import_suffixes(s->feed), &inputs, err);
	if (rc < 0)
		return rc;
	struct vuln_import_request req = {
		.feed = s->feed,
		.source = bh_slice_str(s->source),
		.url = bh_slice_str(s->url),
		.licence = bh_slice_str(s->feed->licence),
		.vendor = s->vendor,
		.newer_files_win = files->incremental,
		.options = { .day = VULN_NO_DAY, .today = db_today() },
		.inputs = inputs,
	};
	rc = db_take(u->args, &req, true, ret_damaged, err);
	vuln_inputs_free(inputs);
	return rc;
}

static int say_unchanged(const struct updating *u, const struct update_source *s, struct bh_err *err)
{
	struct bh_buf line;
	if (cmd_flag(u->args, "quiet"))
		return 0;
	bh_buf_init(&line, LIST_BYTES_MAX);
	bh_buf_printf(&line, "%s: unchanged\n", s->source);
	int rc = cmd_write(STDOUT_FILENO, &line, err);
	bh_buf_done(&line);
	return rc;
}

static int update_source(struct updating *u, const struct update_source *s, struct bh_err *err)
{
	struct update_files files;
	bool here = false, damaged = false;
	int rc = has_source(u, s->source, &here, err);
	if (rc < 0)
		return rc;
	u->bar = bh_progress_new(s->name, 0, BH_PROGRESS_BYTES, cmd_flag(u->args, "quiet"));
	rc = update_collect(&u->collector, s, &files, err);
	bh_progress_free(u->bar);
	u->bar = NULL;
	if (rc == 0 && (files.changed || !here))
		rc = import(u, s, &files, &damaged, err);
	else if (rc == 0)
		rc = say_unchanged(u, s, err);
	rc = rc < 0 ? rc : update_imported(&u->collector, s, err);
	u->damaged += damaged;
	update_files_done(&files);
	return rc;
}

/* Nobody answered anything so far: there is no network here, and asking the others would only take its time. */
static bool is_offline(const struct updating *u)
{
	return u->unreached > 1 && u->unreached == u->done + u->failed;
}

static int update_all(struct updating *u, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; i < u->sources.len && !bh_interrupted(); i++) {
		const struct update_source *s = &u->sources.ptr[i];
		struct bh_err why = { 0 };
		rc = update_source(u, s, &why);
		if (rc == BH_ECANCELLED) {
			*err = why;
			return rc;
		}
		u->done += rc == 0;
		u->failed += rc < 0;
		u->unreached += rc < 0 && !u->collector.answered;
		if (is_offline(u))
			return bh_fail(err, BH_EIO, 0, "no server could be reached (%.300s); in a closed network, bulkhead db import reads files, and update --from a "
					    "signed export", why.text);
		if (rc < 0)
			bh_error("%s: %s", s->name, why.text);
		rc = update_state_save(u->database, &u->state, err);
		if (rc < 0)
			return rc;
	}
	return bh_interrupted() ? bh_fail(err, BH_ECANCELLED, 0, "interrupted") : 0;
}

static void prune(const struct updating *u)
{
	const char *used[SOURCES_MAX];
	for (size_t i = 0; i < u->sources.len; i++)
		used[i] = u->sources.ptr[i].name;
	update_prune(u->folder, cmd_uint(u->args, "max-downloads"), used, u->sources.len);
}

static int run(struct updating *u, struct bh_err *err)
{
	struct vuln_userdb_change change;
	int rc = choose(u, err);
	rc = rc < 0 ? rc : lock_folder(u, err);
	rc = rc < 0 ? rc : vuln_userdb_begin(cmd_string(u->args, "db"), true, &change, err); /* says where it is, and that it can be changed */
	if (rc < 0)
		return rc;
	(void)snprintf(u->database, sizeof(u->database), "%s", change.path);
	vuln_userdb_end(&change);
	u->collector = (struct update_collector){ .state = &u->state, .folder = u->folder, .progress = draw, .ctx = u };
	rc = open_session(u->args, &u->collector.session, err);
	rc = rc < 0 ? rc : update_state_load(u->database, &u->state, err);
	rc = rc < 0 ? rc : update_all(u, err);
	prune(u);
	update_state_done(&u->state);
	net_session_free(u->collector.session);
	return rc;
}

static int update_sources(const struct cmd_args *args)
{
	struct updating u = { .args = args, .lock = -1 };
	struct bh_err err = { 0 };
	bh_arena_init(&u.arena, 16u << 20);
	int rc = run(&u, &err);
	if (u.lock >= 0)
		(void)close(u.lock);
	source_vec_done(&u.sources);
	bh_arena_done(&u.arena);
	if (rc < 0)
		return cmd_failed(&err);
	if (u.failed && u.done)
		bh_warn("%zu of %zu sources could not be updated; the others are", u.failed, u.failed + u.done);
	if (u.failed)
		return u.done ? EXIT_INCOMPLETE : EXIT_INTERNAL;
	return u.damaged ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

/* ---- a signed export ---- */

static void draw_bar(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	(void)total_bytes;
	bh_progress_set(ctx, done_bytes);
}

/* The manifest beside the database says which version it is: the next update refuses an older one. */
static int put_in_place(const struct vuln_userdb_change *change, const struct bh_buf *database, const struct bh_buf *manifest, struct bh_err *err)
{
	char path[BH_PATH_BYTES_MAX];
	if (!update_manifest_path(change->path, path))
		return bh_fail(err, BH_ELIMIT, 0, "%s: the path is too long", change->path);
	int rc = bh_write_file_atomic(change->path, bh_buf_slice(database), FILE_MODE, err);
	return rc < 0 ? rc : bh_write_file_atomic(path, bh_buf_slice(manifest), FILE_MODE, err);
}

static int say_pulled(const struct cmd_args *args, const char *path, const struct update_published *p, bool changed, struct bh_err *err)
{
	struct bh_buf line;
	char day[16], size[32], fetched[32];
	if (cmd_flag(args, "quiet"))
		return 0;
	bh_buf_init(&line, LIST_BYTES_MAX);
	bh_buf_add_escaped(&line, bh_slice_str(path));
	bh_buf_printf(&line, ": version %llu of %s, %s: ", (unsigned long long)p->version, vuln_day_text(p->created_day, day), db_size(p->bytes, size));
	if (changed)
		bh_buf_printf(&line, "%llu of %llu pieces fetched, %s\n", (unsigned long long)p->new_pieces, (unsigned long long)p->pieces,
			      db_size(p->new_bytes, fetched));
	else
		bh_buf_add_str(&line, "unchanged\n");
	int rc = cmd_write(STDOUT_FILENO, &line, err);
	bh_buf_done(&line);
	return rc;
}

static int pull(const struct cmd_args *args, struct vuln_userdb_change *change, const struct bh_sign_key *key, struct bh_err *err)
{
	struct bh_buf database, manifest;
	struct update_published done;
	struct update_pull p = { .from = cmd_string(args, "from"), .key = key, .today = db_today(), .own = change->path, .progress = draw_bar };
	p.have = change->from.path[0] ? change->from.bytes : (struct bh_slice){ 0 };
	bh_buf_init(&database, VULN_DB_BYTES_MAX);
	bh_buf_init(&manifest, VULN_DB_BYTES_MAX);
	int rc = open_session(args, &p.session, err);
	struct bh_progress *bar = bh_progress_new("fetching the database", 0, BH_PROGRESS_BYTES, cmd_flag(args, "quiet"));
	p.ctx = bar;
	rc = rc < 0 ? rc : update_pull(&p, &database, &manifest, &done, err);
	bh_progress_free(bar);
	if (rc == 0 && database.len)
		rc = put_in_place(change, &database, &manifest, err);
	rc = rc < 0 ? rc : say_pulled(args, change->path, &done, database.len > 0, err);
	net_session_free(p.session);
	bh_buf_done(&database);
	bh_buf_done(&manifest);
	return rc;
}

static int update_from(const struct cmd_args *args)
{
	struct vuln_userdb_change change;
	struct bh_sign_key *key = NULL;
	struct bh_err err = { 0 };
	int rc = bh_sign_key_load(cmd_string(args, "key"), false, &key, &err);
	rc = rc < 0 ? rc : vuln_userdb_begin(cmd_string(args, "db"), true, &change, &err);
	if (rc == 0) {
		rc = pull(args, &change, key, &err);
		vuln_userdb_end(&change);
	}
	bh_sign_key_free(key);
	return rc < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}

int db_update(const struct cmd_args *args, const char *const *words, size_t n)
{
	(void)words, (void)n;
	if (cmd_flag(args, "list"))
		return print_list();
	return cmd_string(args, "from") ? update_from(args) : update_sources(args);
}
