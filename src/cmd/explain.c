/*
 * explain.c: `bulkhead explain ID...`: what a finding means, how it is attacked and what to do, without a network. Ids of advisories are looked up in the
 * database, and the id of a control leads to the checks that decide it.
 */
#include "cmd/db.h"
#include "cmd/explain_print.h"
#include "cmd/output.h"
#include "base/suggest.h"
#include "comply/framework.h"
#include "vuln/userdb.h"

#include <string.h>
#include <unistd.h>

#define OUTPUT_BYTES_MAX (64u << 20)
#define WIDTH_DEFAULT 80u
#define WIDTH_MAX 100u
#define WIDTH_MIN 40u

enum format { AUTO, TEXT, MARKDOWN, JSON }; /* in formats */
static const char *const formats[] = { "auto", "text", "markdown", "json", NULL };

static const struct cmd_option options[] = {
	{ .name = "format", .letter = 'f', .kind = CMD_CHOICE, .argument = "FORMAT", .help = "how; auto: text on a terminal, else markdown", .choices = formats,
	  .default_text = "auto", .not_in_config = true },
	{ .name = "list", .kind = CMD_FLAG, .help = "list all ids with their severities and titles", .not_in_config = true },
	{ .name = "db", .kind = CMD_STRING, .argument = "FILE", .help = "the database; default: the user's, see bulkhead-db(1)" },
	{ .name = "width", .kind = CMD_UINT, .argument = "COLUMNS", .min = WIDTH_MIN, .max = 200, .help = "width of the text; default: the terminal's" },
	{ 0 },
};

/* What is being written. */
struct telling {
	const struct cmd_args *args;
	enum format format;
	struct explain_look look;
	struct bh_buf out;
	size_t n; /* entries so far */
};

static const struct explain_text *find_exactly(struct bh_slice id)
{
	size_t low = 0, high = explain_texts_n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = bh_slice_cmp(bh_slice_str(explain_texts[middle].id), id);
		if (c == 0)
			return &explain_texts[middle];
		low = c < 0 ? middle + 1 : low;
		high = c < 0 ? high : middle;
	}
	return NULL;
}

const struct explain_text *explain_find(struct bh_slice id)
{
	const struct explain_text *found = find_exactly(id);
	char step[128];
	if (!found && id.len < sizeof(step) - sizeof("paths-")) {
		(void)snprintf(step, sizeof(step), "paths-%.*s", BH_SLICE_FMT(id));
		found = find_exactly(bh_slice_str(step));
	}
	for (const struct explain_alias *a = explain_aliases; !found && a->prefix; a++)
		if (bh_slice_starts(id, bh_slice_str(a->prefix)))
			found = find_exactly(bh_slice_str(a->id));
	return found;
}

/* ---- one id ---- */

static bool is_advisory(const struct explain_text *t, struct bh_slice id)
{
	return !bh_slice_eq_str(id, t->id) && (strcmp(t->id, "vulnerability") == 0 || strcmp(t->id, "malware") == 0);
}

/* What the database says; that it knows nothing, or can't be read, is said too. */
static void look_up(struct telling *t, struct bh_slice id, struct bh_buf *ret)
{
	struct bh_err err = { 0 };
	struct vuln_userdb u;
	int rc = vuln_userdb_open(cmd_string(t->args, "db"), &u, &err);
	if (rc == 0) {
		rc = db_say_advisory(u.db, id, t->format == JSON, ret, &err);
		vuln_userdb_close(&u);
	}
	if (rc == 0)
		return;
	bh_buf_clear(ret);
	if (t->format == JSON) {
		bh_buf_add_str(ret, "{ \"error\": ");
		bh_buf_add_json(ret, bh_slice_str(err.text));
		bh_buf_add_str(ret, " }");
	} else {
		bh_buf_printf(ret, "%s (bulkhead db update fetches what there is)\n", err.text);
	}
}

static void tell(struct telling *t, const struct explain_text *text, struct bh_slice id)
{
	struct bh_buf advisory;
	bool look = is_advisory(text, id);
	bh_buf_init(&advisory, DB_OUTPUT_BYTES_MAX);
	if (look)
		look_up(t, id, &advisory);
	if (t->n++)
		bh_buf_add_str(&t->out, t->format == JSON ? ",\n    " : "\n");
	if (t->format == JSON) {
		explain_print_json(&t->out, text, id, bh_slice_trim(bh_buf_slice(&advisory)));
	} else {
		if (look && t->format == MARKDOWN)
			bh_buf_printf(&t->out, "```\n%.*s```\n\n", BH_SLICE_FMT(bh_buf_slice(&advisory)));
		else if (look)
			bh_buf_printf(&t->out, "%.*s\n", BH_SLICE_FMT(bh_buf_slice(&advisory)));
		if (t->format == MARKDOWN)
			explain_print_markdown(&t->out, text);
		else
			explain_print_text(&t->out, text, &t->look);
	}
	bh_buf_done(&advisory);
}

static int unknown(const char *id, struct bh_err *err)
{
	struct bh_suggest near = bh_suggest_for(id);
	for (size_t i = 0; i < explain_texts_n; i++)
		bh_suggest_offer(&near, explain_texts[i].id);
	for (size_t i = 0; !near.best && i < explain_texts_n; i++)
		if (strlen(id) > 2 && bh_slice_search(bh_slice_str(explain_texts[i].id), id))
			near.best = explain_texts[i].id;
	if (near.best)
		return bh_fail(err, BH_EUSAGE, 0, "nothing is called '%s'; did you mean %s? bulkhead explain --list shows all ids", id, near.best);
	return bh_fail(err, BH_EUSAGE, 0, "nothing is called '%s'; bulkhead explain --list shows all ids", id);
}

/* ---- controls of frameworks: NAME ID ---- */

static const struct comply_control *find_control(const struct comply_framework *f, const char *id)
{
	for (size_t i = 0; id && i < f->n_controls; i++)
		if (strcmp(f->controls[i].id, id) == 0)
			return &f->controls[i];
	return NULL;
}

static int tell_control(struct telling *t, const struct comply_framework *f, const char *id, struct bh_err *err)
{
	const struct comply_control *c = find_control(f, id);
	if (!c)
		return bh_fail(err, BH_EUSAGE, 0, "%s %s has no control %s; bulkhead comply %s PATH shows them", f->name, f->version, id ? id : "without an id", f->name);
	if (c->n_checks == 0)
		return bh_fail(err, BH_EUSAGE, 0, "%s %s %s (%s) is decided by no check: %s", f->name, f->version, c->id, c->title, c->note);
	for (size_t i = 0; i < c->n_checks; i++) {
		struct bh_slice check = bh_slice_str(c->checks[i].id);
		if (c->checks[i].source == COMPLY_CLASS)
			check = bh_slice_sub(check, strlen("class:"), check.len);
		const struct explain_text *text = explain_find(check);
		if (!text)
			return unknown(c->checks[i].id, err);
		tell(t, text, check);
	}
	return 0;
}

/* ---- the command ---- */

static int tell_all(struct telling *t, struct bh_err *err)
{
	const char *const *ids;
	size_t n = cmd_targets(t->args, &ids);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct explain_text *text = explain_find(bh_slice_str(ids[i]));
		const struct comply_framework *f = text ? NULL : comply_framework_find(bh_slice_str(ids[i]));
		if (f) {
			rc = tell_control(t, f, i + 1 < n ? ids[i + 1] : NULL, err);
			i++;
		} else if (text) {
			tell(t, text, bh_slice_str(ids[i]));
		} else {
			rc = unknown(ids[i], err);
		}
	}
	return rc;
}

static void list(struct telling *t)
{
	for (size_t i = 0; i < explain_texts_n; i++) {
		const struct explain_text *x = &explain_texts[i];
		if (t->format == JSON) {
			bh_buf_add_str(&t->out, i ? ",\n    { \"id\": " : "{ \"id\": ");
			bh_buf_add_json(&t->out, bh_slice_str(x->id));
			bh_buf_printf(&t->out, ", \"severity\": \"%s\", \"class\": \"%s\", \"title\": ", x->severity, strcmp(x->kind, "class") == 0 ? x->id : x->kind);
			bh_buf_add_json(&t->out, bh_slice_str(x->title));
			bh_buf_add_str(&t->out, " }");
		} else {
			bh_buf_printf(&t->out, "%s\t%s\t%s\n", x->id, *x->severity ? x->severity : "-", x->title);
		}
	}
}

static int check(const struct cmd_args *args, struct bh_err *err)
{
	const char *const *ids;
	size_t n = cmd_targets(args, &ids);
	if (cmd_flag(args, "list") == (n > 0))
		return bh_fail(err, BH_EUSAGE, 0, n ? "--list takes no id" : "which id? bulkhead explain --list shows all");
	return 0;
}

static int run(const struct cmd_args *args)
{
	struct telling t = { .args = args, .format = (enum format)cmd_choice(args, "format") };
	struct bh_err err = { 0 };
	size_t columns = cmd_columns(STDOUT_FILENO), width = (size_t)cmd_uint(args, "width");
	if (t.format == AUTO)
		t.format = columns ? TEXT : MARKDOWN;
	t.look.colour = cmd_colour(args, STDOUT_FILENO);
	t.look.width = width ? width : columns == 0 ? WIDTH_DEFAULT : columns > WIDTH_MAX ? WIDTH_MAX : columns < WIDTH_MIN ? WIDTH_MIN : columns;
	bh_buf_init(&t.out, OUTPUT_BYTES_MAX);
	if (t.format == JSON)
		bh_buf_add_str(&t.out, "{\n  \"schema\": \"bulkhead.explain/1\",\n  \"entries\": [\n    ");
	int rc = 0;
	if (cmd_flag(args, "list"))
		list(&t);
	else
		rc = tell_all(&t, &err);
	if (t.format == JSON)
		bh_buf_add_str(&t.out, "\n  ]\n}\n");
	rc = rc < 0 ? rc : cmd_write(STDOUT_FILENO, &t.out, &err);
	bh_buf_done(&t.out);
	return rc < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}

static const char details[] =
	"ID is that of a finding or of its class, of a detector, of a step of paths, of\n"
	"an advisory (CVE-2024-3094), or a framework and one of its controls\n"
	"(cis-kubernetes 5.2.2).\n"
	"\n"
	"Exit status: 0 done, 2 wrong usage or unknown id, 4 internal error.\n";

const struct cmd_command cmd_command_explain = {
	.name = "explain",
	.usage = "[options] ID...",
	.summary = "Explain a finding: what it is, how it is attacked, what to do",
	.options = options,
	.max_targets = SIZE_MAX,
	.targets_command = "bulkhead explain --list",
	.details = details,
	.check = check,
	.run = run,
};
