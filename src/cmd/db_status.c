/* db_status.c: `bulkhead db status` and `verify`: which sources, how old, what they cover, and whether the bytes are sound. */
#include "cmd/db.h"

#include "vuln/layout.h"

#include <stdio.h>

/* ---- text ---- */

static void add_day(struct db_table *t, int32_t day, int32_t today)
{
	char text[16];
	db_table_addf(t, "%s", day == VULN_NO_DAY ? "unknown" : vuln_day_text(day, text));
	if (day == VULN_NO_DAY)
		db_table_addf(t, "%s", "");
	else if (day > today)
		db_table_addf(t, "%s", "in the future");
	else
		db_table_addf(t, "%d days", today - day);
}

static void add_titles(struct db_table *t, const char *const *titles)
{
	for (; *titles; titles++)
		db_table_add(t, bh_slice_str(*titles));
}

static int add_sources(const struct vuln_db *db, const struct vuln_db_totals *totals, struct bh_buf *out, struct bh_err *err)
{
	static const char *const titles[] = { "SOURCE", "FEED", "DATE", "AGE", "RECORDS", "LICENCE", "NOTE", NULL };
	struct db_table t;
	struct vuln_source s;
	char n[32];
	int rc = 0;
	db_table_init(&t, 7);
	add_titles(&t, titles);
	for (uint32_t i = 0; rc == 0 && i < totals->sources; i++) {
		rc = vuln_db_source(db, i, &s, err);
		if (rc < 0)
			break;
		db_table_add(&t, s.name);
		db_table_add(&t, s.feed);
		add_day(&t, s.day, db_today());
		db_table_add(&t, bh_slice_str(db_number(s.records, n)));
		db_table_add(&t, s.licence.len ? s.licence : BH_SLICE_LIT("not said"));
		db_table_add(&t, s.note.len == 0 && s.flags & VULN_SOURCE_FIXED_ONLY ? BH_SLICE_LIT("fixed issues only") : s.note);
	}
	bh_buf_add_byte(out, '\n');
	db_table_write(&t, 1u << 3 | 1u << 4, out);
	db_table_done(&t);
	return rc;
}

static int add_ecosystems(const struct vuln_db *db, const struct vuln_db_totals *totals, struct bh_buf *out, struct bh_err *err)
{
	static const char *const titles[] = { "ECOSYSTEM", "PACKAGES", "ENTRIES", "COVERS", NULL };
	struct db_table t;
	char n[32];
	int rc = 0;
	db_table_init(&t, 4);
	add_titles(&t, titles);
	for (uint32_t i = 0; rc == 0 && i < totals->ecosystems; i++) {
		struct vuln_ecosystem e;
		rc = vuln_db_ecosystem(db, i, &e, err);
		if (rc < 0)
			break;
		db_table_add(&t, e.name);
		db_table_add(&t, bh_slice_str(db_number(e.packages, n)));
		db_table_add(&t, bh_slice_str(db_number(e.rows, n)));
		db_table_addf(&t, "%s", e.fixed_only ? "fixed issues only; no open ones" : "");
	}
	bh_buf_add_byte(out, '\n');
	if (totals->ecosystems)
		db_table_write(&t, 1u << 1 | 1u << 2, out);
	else
		bh_buf_add_str(out, "no ecosystem is covered\n");
	db_table_done(&t);
	return rc;
}

static void add_head(const struct vuln_userdb *u, const struct vuln_db_totals *t, struct bh_buf *out)
{
	char n1[32], n2[32], n3[32];
	bh_buf_add_escaped(out, bh_slice_str(u->path[0] ? u->path : "facts built into this program"));
	bh_buf_printf(out, ": %s, format %u.%u\n", db_size(t->bytes, n1), VULN_FORMAT_MAJOR, VULN_FORMAT_MINOR);
	bh_buf_printf(out, "%s entries about %s packages, %s advisories", db_number(t->rows, n1), db_number(t->packages, n2), db_number(t->advisories, n3));
	bh_buf_printf(out, "; %s known to be exploited, %s with a likelihood\n", db_number(t->kev, n1), db_number(t->epss, n2));
}

static int write_text(const struct vuln_userdb *u, struct bh_buf *out, struct bh_err *err)
{
	struct vuln_db_totals totals;
	vuln_db_totals(u->db, &totals);
	add_head(u, &totals, out);
	int rc = add_sources(u->db, &totals, out, err);
	return rc < 0 ? rc : add_ecosystems(u->db, &totals, out, err);
}

/* ---- JSON ---- */

static void add_key(struct bh_buf *out, const char *key, struct bh_slice value)
{
	bh_buf_printf(out, "\"%s\": ", key);
	bh_buf_add_json(out, value);
}

static void add_json_day(struct bh_buf *out, const char *key, int32_t day)
{
	char text[16];
	if (day == VULN_NO_DAY)
		bh_buf_printf(out, "\"%s\": null", key);
	else
		bh_buf_printf(out, "\"%s\": \"%s\"", key, vuln_day_text(day, text));
}

static void add_json_source(struct bh_buf *out, const struct vuln_source *s)
{
	bh_buf_add_str(out, "{ ");
	add_key(out, "name", s->name);
	bh_buf_add_str(out, ", ");
	add_key(out, "feed", s->feed);
	bh_buf_add_str(out, ", ");
	add_json_day(out, "date", s->day);
	bh_buf_printf(out, ", \"records\": %llu, ", (unsigned long long)s->records);
	add_key(out, "licence", s->licence);
	bh_buf_add_str(out, ", ");
	add_key(out, "url", s->url);
	bh_buf_add_str(out, ", ");
	add_key(out, "note", s->note);
	bh_buf_add_str(out, ", \"sha256\": ");
	static const uint8_t unknown[sizeof(s->sha256)];
	bool known = memcmp(s->sha256, unknown, sizeof(unknown)) != 0;
	bh_buf_add_str(out, known ? "\"" : "null");
	for (size_t i = 0; known && i < sizeof(s->sha256); i++)
		bh_buf_printf(out, "%02x", s->sha256[i]);
	bh_buf_printf(out, "%s, \"precedence\": %u, \"fixed_only\": %s, \"embedded\": %s }", known ? "\"" : "", s->precedence,
		      s->flags & VULN_SOURCE_FIXED_ONLY ? "true" : "false", s->flags & VULN_SOURCE_EMBEDDED ? "true" : "false");
}

static int write_json(const struct vuln_userdb *u, struct bh_buf *out, struct bh_err *err)
{
	struct vuln_db_totals t;
	int rc = 0;
	vuln_db_totals(u->db, &t);
	bh_buf_add_str(out, "{\n  \"schema\": \"bulkhead.db-status/1\",\n  \"path\": ");
	if (u->path[0])
		bh_buf_add_json(out, bh_slice_str(u->path));
	else
		bh_buf_add_str(out, "null");
	bh_buf_printf(out, ",\n  \"format\": \"%u.%u\",\n  \"bytes\": %llu,\n  \"entries\": %u,\n  \"packages\": %u,\n  \"advisories\": %u,\n",
		      VULN_FORMAT_MAJOR, VULN_FORMAT_MINOR, (unsigned long long)t.bytes, t.rows, t.packages, t.advisories);
	bh_buf_printf(out, "  \"kev\": %u,\n  \"epss\": %u,\n  ", t.kev, t.epss);
	add_json_day(out, "newest", t.newest_day);
	bh_buf_add_str(out, ",\n  \"sources\": [");
	for (uint32_t i = 0; rc == 0 && i < t.sources; i++) {
		struct vuln_source s;
		rc = vuln_db_source(u->db, i, &s, err);
		bh_buf_add_str(out, i ? ",\n    " : "\n    ");
		if (rc == 0)
			add_json_source(out, &s);
	}
	bh_buf_add_str(out, "\n  ],\n  \"ecosystems\": [");
	for (uint32_t i = 0; rc == 0 && i < t.ecosystems; i++) {
		struct vuln_ecosystem e;
		rc = vuln_db_ecosystem(u->db, i, &e, err);
		if (rc < 0)
			break;
		bh_buf_add_str(out, i ? ",\n    { " : "\n    { ");
		add_key(out, "name", e.name);
		bh_buf_printf(out, ", \"packages\": %u, \"entries\": %u, \"fixed_only\": %s }", e.packages, e.rows, e.fixed_only ? "true" : "false");
	}
	bh_buf_add_str(out, "\n  ]\n}\n");
	return rc;
}

static int render_status(const struct cmd_args *args, const struct vuln_userdb *u, const char *const *words, size_t n, struct bh_buf *out,
			 struct bh_err *err)
{
	(void)words, (void)n;
	return cmd_choice(args, "format") == DB_JSON ? write_json(u, out, err) : write_text(u, out, err);
}

int db_status(const struct cmd_args *args, const char *const *words, size_t n)
{
	return db_show(args, words, n, render_status);
}

static int render_verify(const struct cmd_args *args, const struct vuln_userdb *u, const char *const *words, size_t n, struct bh_buf *out,
			 struct bh_err *err)
{
	(void)words, (void)n;
	const char *what = u->path[0] ? u->path : "facts built into this program";
	int rc = vuln_db_verify(u->db, err);
	if (rc < 0)
		return bh_wrap(err, "%s", what);
	bh_buf_add_escaped(out, bh_slice_str(what));
	bh_buf_add_str(out, ": sound\n");
	if (!cmd_string(args, "key"))
		return 0;
	return u->path[0] ? db_check_signature(args, u->path, out, err) :
	       bh_fail(err, BH_EUSAGE, 0, "--key: the built-in facts have no signature of their own");
}

int db_verify(const struct cmd_args *args, const char *const *words, size_t n)
{
	return db_show(args, words, n, render_verify);
}
