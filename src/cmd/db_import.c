/* db_import.c: `bulkhead db import` and `remove`: change a database, and say what came in and what did not. */
#include "cmd/db.h"
#include "cmd/output.h"

#include "base/log.h"
#include "sys/progress.h"
#include "vuln/import.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUMMARY_BYTES_MAX (1u << 20)

/* Option words as slices, for the options of a feed. Lives as long as its words. */
struct words {
	struct bh_slice *ptr;
	size_t n;
};

static int slices_of(const struct cmd_args *args, const char *option, struct words *ret, struct bh_err *err)
{
	const char *const *list;
	size_t n = cmd_list(args, option, &list);
	*ret = (struct words){ calloc(n ? n : 1, sizeof(struct bh_slice)), n };
	if (!ret->ptr)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		ret->ptr[i] = bh_slice_str(list[i]);
	return 0;
}

static const struct vuln_feed *feed_of(const struct cmd_args *args)
{
	size_t choice = cmd_choice(args, "feed");
	return choice ? vuln_feeds[choice - 1] : NULL; /* the first choice is "auto"; the others come from the same table */
}

static int day_of(const struct cmd_args *args, int32_t *ret, struct bh_err *err)
{
	const char *date = cmd_string(args, "date");
	*ret = VULN_NO_DAY;
	if (!date || (*ret = vuln_feed_parse_day(bh_slice_str(date))) != VULN_NO_DAY)
		return 0;
	return bh_fail(err, BH_EUSAGE, 0, "--date %s: not a date as in 2026-11-24", date);
}

int db_check_import(const struct cmd_args *args, struct bh_err *err)
{
	const char *const *list;
	size_t n = cmd_list(args, "release", &list);
	int32_t day;
	for (size_t i = 0; i < n; i++) {
		const char *is = strchr(list[i], '=');
		if (!is || is == list[i] || !is[1])
			return bh_fail(err, BH_EUSAGE, 0, "--release %s: not NAME=ECOSYSTEM as in forky=Debian:14", list[i]);
	}
	const char *source = cmd_string(args, "source");
	if (source && (!source[0] || strlen(source) > BH_NAME_BYTES_MAX))
		return bh_fail(err, BH_EUSAGE, 0, "--source: a name has 1 to %u bytes", BH_NAME_BYTES_MAX);
	return day_of(args, &day, err);
}

/* ---- the summary ---- */

static void add_notes(struct bh_buf *b, const struct vuln_import_result *r, enum vuln_feed_note_kind kind, const char *title)
{
	char number[32];
	bool first = true;
	for (size_t i = 0; i < r->n_notes; i++) {
		const struct vuln_import_note *n = &r->notes[i];
		if (n->kind != kind)
			continue;
		if (first)
			bh_buf_printf(b, "  %s\n", title);
		first = false;
		bh_buf_printf(b, "    %8s  %.*s", db_number(n->count, number), BH_SLICE_FMT(n->what));
		if (n->example.len) {
			bh_buf_add_str(b, "; first: ");
			bh_buf_add_escaped(b, n->example);
		}
		bh_buf_add_byte(b, '\n');
	}
}

static void add_inputs(struct bh_buf *b, const struct vuln_inputs *in)
{
	char number[32];
	if (in->skipped) {
		bh_buf_printf(b, "  %s files in folders are no advisories by their names; first: ", db_number(in->skipped, number));
		bh_buf_add_escaped(b, bh_slice_str(in->skipped_example));
		bh_buf_add_byte(b, '\n');
	}
	if (in->links)
		bh_buf_printf(b, "  %s links and special files in folders were not followed\n", db_number(in->links, number));
}

static void add_date(struct bh_buf *b, const struct vuln_import_result *r)
{
	char day[16];
	if (r->day == VULN_NO_DAY)
		bh_buf_add_str(b, ", date unknown (--date says it)");
	else
		bh_buf_printf(b, ", data of %s%s", vuln_day_text(r->day, day), r->day_of_file ? " (the file's date; the data give none)" : "");
}

static bool is_damaged(const struct vuln_import_result *r)
{
	for (size_t i = 0; i < r->n_notes; i++)
		if (r->notes[i].kind == VULN_FEED_DAMAGED)
			return true;
	return false;
}

static int print_summary(const struct vuln_import_request *req, const struct vuln_import_result *r, const char *path,
			 const struct vuln_db_totals *totals, struct bh_err *err)
{
	const struct vuln_feed_counts *c = &r->counts;
	char n1[32], n2[32], n3[32];
	struct bh_buf b;
	bh_buf_init(&b, SUMMARY_BYTES_MAX);
	bh_buf_add_escaped(&b, r->source);
	bh_buf_printf(&b, ": %s records in %s document%s", db_number(c->records, n1), db_number(c->documents, n2), c->documents == 1 ? "" : "s");
	add_date(&b, r);
	bh_buf_printf(&b, "\n  %s %s about packages", db_number(c->rows, n1), c->rows == 1 ? "entry" : "entries");
	if (c->not_affected)
		bh_buf_printf(&b, ", %s of them not affected", db_number(c->not_affected, n2));
	if (c->undetermined)
		bh_buf_printf(&b, ", %s undetermined", db_number(c->undetermined, n3));
	if (c->exploits)
		bh_buf_printf(&b, "; %s about exploitation", db_number(c->exploits, n1));
	if (c->enriched)
		bh_buf_printf(&b, "; %s about vulnerabilities and releases themselves", db_number(c->enriched, n1));
	bh_buf_add_byte(&b, '\n');
	add_notes(&b, r, VULN_FEED_REMARK, "remarks:");
	add_notes(&b, r, VULN_FEED_SKIPPED, "left out:");
	add_notes(&b, r, VULN_FEED_DAMAGED, "could not be read:");
	add_inputs(&b, req->inputs);
	bh_buf_add_escaped(&b, bh_slice_str(path));
	bh_buf_printf(&b, ": %s, %s entries from %u sources\n", db_size(totals->bytes, n1), db_number(totals->rows, n2), totals->sources);
	int rc = cmd_write(STDOUT_FILENO, &b, err);
	bh_buf_done(&b);
	return rc;
}

/* ---- importing ---- */

static void draw(void *ctx, uint64_t done_bytes)
{
	bh_progress_set(ctx, done_bytes);
}

static int open_inputs(const struct cmd_args *args, const char *const *words, size_t n, struct vuln_inputs **ret, struct bh_err *err)
{
	int rc = vuln_inputs_new(words, n, vuln_import_suffixes(feed_of(args)), ret, err);
	return rc == BH_EIO ? (int)(err->code = BH_EUSAGE) : rc; /* what the user named can't be read */
}

static int refuse_loss(struct bh_slice source, struct bh_slice ecosystem, uint32_t rows, struct bh_err *err)
{
	return bh_fail(err, BH_EUSAGE, 0,
		       "source %.*s has %u entries for %.*s, which these files don't cover: import all of it together, give this part a name of "
		       "its own with --source, or drop the rest with --replace",
		       BH_SLICE_FMT(source), rows, BH_SLICE_FMT(ecosystem));
}

/* The source of that name, if there is one. */
static int find_source(const struct vuln_db *db, struct bh_slice name, struct vuln_source *ret, bool *ret_found, struct bh_err *err)
{
	struct vuln_db_totals totals;
	int rc = 0;
	*ret_found = false;
	vuln_db_totals(db, &totals);
	for (uint32_t i = 0; rc == 0 && i < totals.sources && !*ret_found; i++) {
		rc = vuln_db_source(db, i, ret, err);
		*ret_found = rc == 0 && bh_slice_eq(ret->name, name);
	}
	return rc;
}

/* Scores in the place of a tracker are a slip of the finger; what is built in may be replaced by anything. */
static int check_feed(const struct vuln_userdb_change *change, const struct vuln_import_result *result, struct bh_err *err)
{
	struct vuln_source old;
	bool found = false;
	int rc = change->from.db ? find_source(change->from.db, result->source, &old, &found, err) : 0;
	if (rc < 0 || !found || (old.flags & VULN_SOURCE_EMBEDDED) || bh_slice_eq(old.feed, result->feed))
		return rc;
	return bh_fail(err, BH_EUSAGE, 0, "source %.*s holds data of feed %.*s, not of %.*s: another --source name keeps both, --replace drops the old one",
		       BH_SLICE_FMT(old.name), BH_SLICE_FMT(old.feed), BH_SLICE_FMT(result->feed));
}

static int put_in(bool replace, struct vuln_userdb_change *change, const struct vuln_import_result *result, struct vuln_db_totals *totals,
		  struct bh_err *err)
{
	struct vuln_db *with;
	struct bh_slice lost = { 0 };
	uint32_t rows = 0;
	int rc = vuln_db_open(bh_buf_slice(&result->bytes), &with, err);
	if (rc < 0)
		return rc;
	if (!replace)
		rc = check_feed(change, result, err);
	if (rc == 0 && !replace)
		rc = vuln_userdb_loses(change, result->source, with, &lost, &rows, err);
	if (rc == 0 && lost.len)
		rc = refuse_loss(result->source, lost, rows, err);
	rc = rc < 0 ? rc : vuln_userdb_replace(change, result->source, with, totals, err);
	vuln_db_close(with);
	return rc;
}

int db_take(const struct cmd_args *args, struct vuln_import_request *req, bool replace, bool *ret_damaged, struct bh_err *err)
{
	struct vuln_userdb_change change;
	struct vuln_import_result result = { 0 };
	struct vuln_db_totals totals;
	int rc = vuln_userdb_begin(cmd_string(args, "db"), cmd_flag(args, "no-embedded"), &change, err);
	if (rc < 0)
		return rc;
	struct bh_progress *bar = bh_progress_new("reading advisories", req->inputs->total_bytes, BH_PROGRESS_BYTES, cmd_flag(args, "quiet"));
	req->progress = draw;
	req->progress_ctx = bar;
	rc = vuln_import(req, &result, err);
	bh_progress_title(bar, "writing the database");
	rc = rc < 0 ? rc : put_in(replace, &change, &result, &totals, err);
	bh_progress_free(bar);
	*ret_damaged = is_damaged(&result);
	if (rc == 0 && !cmd_flag(args, "quiet"))
		rc = print_summary(req, &result, change.path, &totals, err);
	vuln_import_done(&result);
	vuln_userdb_end(&change);
	return rc;
}

int db_import(const struct cmd_args *args, const char *const *words, size_t n)
{
	struct bh_err err = { 0 };
	struct words ecosystems = { 0 }, releases = { 0 };
	struct vuln_inputs *inputs = NULL;
	bool damaged = false;
	int32_t day = VULN_NO_DAY;
	int rc = slices_of(args, "ecosystem", &ecosystems, &err);
	rc = rc < 0 ? rc : slices_of(args, "release", &releases, &err);
	rc = rc < 0 ? rc : day_of(args, &day, &err);
	rc = rc < 0 ? rc : open_inputs(args, words, n, &inputs, &err);
	if (rc == 0) {
		struct vuln_import_request req = {
			.feed = feed_of(args),
			.source = bh_slice_str(cmd_string(args, "source")),
			.url = bh_slice_str(cmd_string(args, "url")),
			.licence = bh_slice_str(cmd_string(args, "licence")),
			.vendor = cmd_flag(args, "vendor"),
			.options = { .ecosystems = ecosystems.ptr, .n_ecosystems = ecosystems.n, .releases = releases.ptr, .n_releases = releases.n,
				     .day = day, .today = db_today() },
			.inputs = inputs,
		};
		rc = db_take(args, &req, cmd_flag(args, "replace"), &damaged, &err);
	}
	vuln_inputs_free(inputs);
	free(ecosystems.ptr);
	free(releases.ptr);
	if (rc < 0)
		return cmd_failed(&err);
	if (damaged)
		bh_warn("some of it could not be read; the rest was imported");
	return damaged ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

/* ---- removing ---- */

int db_remove(const struct cmd_args *args, const char *const *words, size_t n)
{
	(void)n;
	struct bh_err err = { 0 };
	struct vuln_userdb_change change;
	struct vuln_db_totals totals;
	struct bh_slice name = bh_slice_str(words[0]);
	struct vuln_source old;
	bool there = false;
	int rc = vuln_userdb_begin(cmd_string(args, "db"), false, &change, &err);
	if (rc < 0)
		return cmd_failed(&err);
	if (change.from.db)
		rc = find_source(change.from.db, name, &old, &there, &err);
	if (rc == 0 && !there)
		rc = bh_fail(&err, BH_ENOTFOUND, 0, "no source is named %s; bulkhead db status lists them", words[0]);
	rc = rc < 0 ? rc : vuln_userdb_replace(&change, name, NULL, &totals, &err);
	vuln_userdb_end(&change);
	return rc < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}
