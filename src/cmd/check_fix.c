#include "cmd/check_fix.h"

#include <string.h>
#include <unistd.h>

#include "cmd/output.h"
#include "kube/live.h"
#include "kube/objects.h"
#include "kube/origin.h"
#include "model/report.h"

#define NOTES_BYTES_MAX (64u << 20)
#define KEY_BYTES_MAX (64u << 10)
#define GROUPS_MAX 100000u

/* Findings that stay for one reason are told in one line. */
struct group {
	const struct kube_fix_wish *first;
	uint64_t n;
};

struct fixing {
	const struct check_fix *fix;
	struct kube_fixes fixes;
	struct bh_map stays;  /* file -> char *: why nothing of it is changed */
	struct bh_map mended; /* file -> number of findings that went */
	struct bh_map groups; /* -> struct group */
	struct bh_buf notes;
	struct bh_err *err;
};

static int no_memory(struct fixing *f)
{
	return bh_fail(f->err, BH_ENOMEM, 0, "out of memory for what is to be mended");
}

/* ---- what can be mended ---- */

/* The file of a finding, as wishes have it; of a rendered text: none that a path names. NULL: no memory. */
static const char *file_of(struct fixing *f, const struct bh_finding *x)
{
	return bh_arena_printf(&f->fixes.arena, "%.*s%s", BH_SLICE_FMT(x->path), kube_is_rendered_evidence(x->evidence) ? KUBE_RENDERED : "");
}

/* NULL: it is a file like any other. */
static const char *why_no_file(struct bh_slice file)
{
	if (kube_is_live(file))
		return "a live cluster is only read; reports in JSON have the patches for kubectl patch --type=json";
	if (kube_is_image(file))
		return "an image stays as it is: mend its Dockerfile and build it anew, or let bulkhead harden make another one of it";
	if (bh_slice_eq_str(file, "standard input"))
		return "standard input can't be written to; give the file's name";
	return kube_is_rendered(file, &file) ? "mend the template or its values, the base or the overlay" : NULL;
}

static int set_stays(struct fixing *f, struct bh_slice file, const char *why)
{
	struct bh_slice key;
	char *text = bh_arena_strdup(&f->fixes.arena, bh_slice_str(why));
	void **slot = text && bh_arena_copy(&f->fixes.arena, file, &key) ? bh_map_put(&f->stays, key) : NULL;
	if (!slot)
		return no_memory(f);
	*slot = text;
	return 0;
}

static int look_at_files(struct fixing *f)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < f->fixes.files.len; i++) {
		struct bh_slice file = f->fixes.files.entries[i].key;
		const char *why = why_no_file(file);
		rc = why ? set_stays(f, file, why) : 0;
	}
	return rc;
}

static int wish(struct fixing *f, const struct bh_report *report)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < report->findings.len; i++) {
		struct bh_finding x = report->findings.ptr[i];
		if (x.class != BH_CLASS_MISCONFIGURATION || !x.path.len)
			continue;
		x.path = bh_slice_str(file_of(f, &x));
		rc = x.path.len ? kube_fixes_wish(&f->fixes, &x, f->err) : no_memory(f);
	}
	return rc < 0 ? rc : look_at_files(f);
}

/* ---- doing it ---- */

static int write_files(struct fixing *f)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < f->fixes.fixed.len; i++) {
		const struct kube_fixed_file *file = &f->fixes.fixed.ptr[i];
		struct bh_err why = { 0 };
		if (bh_replace_seen(file->path, &file->seen, file->text, &why) < 0)
			rc = set_stays(f, bh_slice_str(file->path), why.text);
	}
	return rc;
}

/* A terminal gets nothing of the files that it would obey. */
static void add_diff(struct bh_buf *out, struct bh_slice diff, bool is_terminal)
{
	struct bh_slice line;
	if (!is_terminal) {
		bh_buf_add(out, diff);
		return;
	}
	while (diff.len) {
		(void)bh_slice_cut(diff, '\n', &line, &diff);
		bh_buf_add_escaped(out, line);
		bh_buf_add_byte(out, '\n');
	}
}

static int print_diffs(struct fixing *f)
{
	struct bh_buf out;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < f->fixes.fixed.len; i++) {
		bh_buf_init(&out, 2 * f->fixes.fixed.ptr[i].diff.len * 4 + 1);
		add_diff(&out, f->fixes.fixed.ptr[i].diff, isatty(STDOUT_FILENO));
		rc = cmd_write(STDOUT_FILENO, &out, f->err);
		bh_buf_done(&out);
	}
	return rc;
}

/* What is left is told by a second review: of the files as they are now, or as they would be. */
static int review_again(struct fixing *f, struct bh_report *ret)
{
	struct bh_map instead;
	struct kube_review_options o = *f->fix->options;
	int rc = 0;
	bh_map_init(&instead, KUBE_FILES_MAX);
	for (size_t i = 0; rc == 0 && f->fix->is_diff && i < f->fixes.fixed.len; i++) {
		void **slot = bh_map_put(&instead, bh_slice_str(f->fixes.fixed.ptr[i].path));
		if (slot)
			*slot = &f->fixes.fixed.ptr[i].text;
		rc = slot ? 0 : no_memory(f);
	}
	o.instead = &instead;
	rc = rc < 0 ? rc : f->fix->review(f->fix->args, &o, ret, f->err);
	bh_map_done(&instead);
	return rc;
}

static void mark_left(struct fixing *f, const struct bh_report *after)
{
	for (size_t i = 0; i < after->findings.len; i++) {
		const struct bh_finding *x = &after->findings.ptr[i];
		struct kube_fix_wish *w = kube_fixes_find(&f->fixes, bh_slice_str(file_of(f, x)), kube_fix_object(x->evidence), x->id);
		if (!w || w->n_left == w->lines.len)
			continue;
		if (!f->fix->is_diff)
			w->lines.ptr[w->n_left] = x->line; /* lines moved */
		w->n_left++;
	}
}

static int find_left(struct fixing *f, struct bh_report *report)
{
	struct bh_report after;
	if (f->fixes.fixed.len == 0) {
		mark_left(f, report);
		return 0;
	}
	bh_report_init(&after);
	int rc = review_again(f, &after);
	if (rc == 0)
		mark_left(f, &after);
	if (rc == 0 && !f->fix->is_diff) {
		struct bh_report before = *report;
		*report = after;
		after = before;
	}
	bh_report_done(&after);
	return rc;
}

/* ---- telling it ---- */

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static int count_mended(struct fixing *f, const struct kube_fix_wish *w)
{
	void **slot = bh_map_put(&f->mended, w->file);
	if (!slot)
		return no_memory(f);
	*slot = (void *)((uintptr_t)*slot + w->lines.len - w->n_left);
	return 0;
}

/* One for all of a file that can't be written; else one for each check and reason. */
static int add_to_group(struct fixing *f, const struct kube_fix_wish *w)
{
	struct bh_buf text;
	struct bh_slice key = { 0 };
	bh_buf_init(&text, KEY_BYTES_MAX);
	if (bh_map_get(&f->stays, w->file)) {
		bh_buf_add(&text, w->file);
	} else {
		bh_buf_add(&text, w->check);
		bh_buf_add_byte(&text, '\n');
		bh_buf_add(&text, w->why);
	}
	bool ok = bh_arena_copy(&f->fixes.arena, bh_buf_slice(&text), &key) && !text.failed;
	bh_buf_done(&text);
	void **slot = ok ? bh_map_put(&f->groups, key) : NULL;
	struct group *g = slot && !*slot ? BH_ARENA_NEW(&f->fixes.arena, struct group) : slot ? *slot : NULL;
	if (!g)
		return no_memory(f);
	*slot = g;
	g->first = g->first ? g->first : w;
	g->n += w->n_left;
	return 0;
}

static void tell_group(struct fixing *f, const struct group *g)
{
	struct bh_buf *b = &f->notes;
	const struct kube_fix_wish *w = g->first;
	const char *why = bh_map_get(&f->stays, w->file);
	bh_buf_add_str(b, "not fixed: ");
	bh_buf_add_escaped(b, w->file);
	if (why) {
		bh_buf_add_str(b, ": ");
		bh_buf_add_escaped(b, bh_slice_str(why));
		bh_buf_printf(b, " (%llu finding%s)\n", (unsigned long long)g->n, plural(g->n));
		return;
	}
	bh_buf_printf(b, ":%u: ", w->lines.ptr[0]);
	bh_buf_add_escaped(b, w->check);
	bh_buf_add_str(b, ": ");
	bh_buf_add_escaped(b, w->why.len ? w->why : BH_SLICE_LIT("it was not found any more, or stands in a file that only another one names: name it, too"));
	if (g->n > 1)
		bh_buf_printf(b, " (and %llu more place%s)", (unsigned long long)g->n - 1, plural(g->n - 1));
	bh_buf_add_byte(b, '\n');
}

static int sort_wishes(struct fixing *f)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < f->fixes.wishes.len; i++) {
		const struct kube_fix_wish *w = f->fixes.wishes.ptr[i];
		rc = w->n_left ? add_to_group(f, w) : 0;
		rc = rc < 0 ? rc : count_mended(f, w);
	}
	return rc;
}

static int tell(struct fixing *f)
{
	int rc = sort_wishes(f);
	for (size_t i = 0; i < f->fixes.fixed.len; i++) {
		struct bh_slice file = bh_slice_str(f->fixes.fixed.ptr[i].path);
		uint64_t n = (uintptr_t)bh_map_get(&f->mended, file);
		if (bh_map_get(&f->stays, file))
			continue;
		bh_buf_add_str(&f->notes, f->fix->is_diff ? "would be fixed: " : "fixed: ");
		bh_buf_add_escaped(&f->notes, file);
		bh_buf_printf(&f->notes, ": %llu finding%s\n", (unsigned long long)n, plural(n));
	}
	for (size_t i = 0; i < f->groups.len; i++)
		tell_group(f, f->groups.entries[i].value);
	if (rc < 0 || cmd_flag(f->fix->args, "quiet") || f->notes.len == 0)
		return rc;
	return cmd_write(STDERR_FILENO, &f->notes, f->err);
}

static int run(struct fixing *f, struct bh_report *report)
{
	int rc = wish(f, report);
	rc = rc < 0 ? rc : kube_fix(f->fix->options, &f->fixes, f->err);
	if (rc == 0)
		rc = f->fix->is_diff ? print_diffs(f) : write_files(f);
	rc = rc < 0 ? rc : find_left(f, report);
	return rc < 0 ? rc : tell(f);
}

int check_fix(const struct check_fix *fix, struct bh_report *report, struct bh_err *err)
{
	struct fixing f = { .fix = fix, .err = err };
	if (fix->level == KUBE_MEND_NONE && !fix->is_diff)
		return 0;
	kube_fixes_init(&f.fixes, fix->level == KUBE_MEND_NONE ? KUBE_MEND_SAFE : fix->level);
	f.fixes.resolver = fix->resolver;
	bh_map_init(&f.stays, KUBE_FILES_MAX);
	bh_map_init(&f.mended, KUBE_FILES_MAX);
	bh_map_init(&f.groups, GROUPS_MAX);
	bh_buf_init(&f.notes, NOTES_BYTES_MAX);
	int rc = run(&f, report);
	bh_buf_done(&f.notes);
	bh_map_done(&f.groups);
	bh_map_done(&f.mended);
	bh_map_done(&f.stays);
	kube_fixes_done(&f.fixes);
	return rc;
}
