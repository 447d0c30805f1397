/*
 * edit_print.c: edits as a unified diff (POSIX.1-2017, diff, "Diff -u Output Format"). What changed is known, so nothing has to be compared: edits become
 * runs of whole lines, and runs that are near to each other one hunk.
 */
#include "kube/edit.h"

#include "base/cleanup.h"

#define CONTEXT_LINES 3u

/* Lines [from, to) of the old text, as bytes, and what stands there instead. */
struct run {
	size_t from, to;
	struct bh_slice text; /* in the printer's buffer */
	size_t line;          /* of from, from 0 */
	size_t n_old, n_new;
};
BH_VEC(run_vec, struct run)

struct printer {
	struct bh_slice text;
	const struct kube_edit_vec *edits;
	struct bh_arena arena;
	struct run_vec runs;
	struct bh_buf *out;
	struct bh_err *err;
};

static size_t line_start(struct bh_slice text, size_t at)
{
	while (at > 0 && text.ptr[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(struct bh_slice text, size_t at)
{
	if (at > 0 && text.ptr[at - 1] == '\n')
		return at;
	while (at < text.len && text.ptr[at] != '\n')
		at++;
	return at + (at < text.len);
}

static size_t count_lines(struct bh_slice s)
{
	return bh_slice_count(s, '\n') + (s.len > 0 && s.ptr[s.len - 1] != '\n');
}

/* The whole lines that an edit touches. */
static void lines_of(const struct printer *p, const struct kube_edit *e, size_t *from, size_t *to)
{
	*from = line_start(p->text, e->from);
	bool is_lines = *from == e->from && (e->text.len == 0 || e->text.ptr[e->text.len - 1] == '\n');
	*to = is_lines && e->to == e->from ? e->to : line_end(p->text, e->to);
	if (e->to == e->from && !is_lines && *to == e->to && *to < p->text.len) /* a word at the start of a line */
		*to = line_end(p->text, e->to + 1);
}

/* Lines that are the same at both ends are none that change. */
static void trim(const struct printer *p, struct run *r)
{
	while (r->from < r->to) {
		size_t old = line_end(p->text, r->from + 1) - r->from, now = bh_slice_find(r->text, '\n') + 1;
		if (now > r->text.len || old != now || memcmp(p->text.ptr + r->from, r->text.ptr, old) != 0)
			break;
		r->from += old;
		r->text = bh_slice_sub(r->text, old, r->text.len);
	}
	while (r->to > r->from && r->text.len > 0) {
		size_t old = line_start(p->text, r->to - 1), now = line_start(r->text, r->text.len - 1);
		if (old < r->from || r->to - old != r->text.len - now || memcmp(p->text.ptr + old, r->text.ptr + now, r->to - old) != 0)
			break;
		r->to = old;
		r->text = bh_slice_sub(r->text, 0, now);
	}
}

/* Edits [first, last) are in the lines [from, to). */
static int add_run(struct printer *p, size_t first, size_t last, size_t from, size_t to)
{
	BH_WITH(bh_buf_done) struct bh_buf now = { 0 };
	struct run r = { .from = from, .to = to };
	size_t at = from;
	bh_buf_init(&now, p->out->max_bytes);
	for (size_t i = first; i < last; i++) {
		const struct kube_edit *e = &p->edits->ptr[i];
		if (e->from > at)
			bh_buf_add(&now, bh_slice_sub(p->text, at, e->from - at));
		bh_buf_add(&now, e->text);
		at = e->to > at ? e->to : at;
	}
	bh_buf_add(&now, bh_slice_sub(p->text, at, to > at ? to - at : 0));
	if (now.failed || !bh_arena_copy(&p->arena, bh_buf_slice(&now), &r.text))
		return bh_fail(p->err, BH_ELIMIT, 0, "the changes of a text are too large to print them");
	trim(p, &r);
	if (r.from == r.to && r.text.len == 0)
		return 0;
	r.line = count_lines(bh_slice_sub(p->text, 0, r.from));
	r.n_old = count_lines(bh_slice_sub(p->text, r.from, r.to - r.from));
	r.n_new = count_lines(r.text);
	return run_vec_push(&p->runs, r) ? 0 : bh_fail(p->err, BH_ELIMIT, 0, "more than %zu runs of changed lines", p->runs.max);
}

static int find_runs(struct printer *p)
{
	size_t first = 0;
	int rc = 0;
	while (rc == 0 && first < p->edits->len) {
		size_t from, to, next_from, next_to, last = first + 1;
		lines_of(p, &p->edits->ptr[first], &from, &to);
		for (; last < p->edits->len; last++) {
			lines_of(p, &p->edits->ptr[last], &next_from, &next_to);
			if (next_from > to)
				break;
			to = next_to > to ? next_to : to;
		}
		rc = add_run(p, first, last, from, to);
		first = last;
	}
	return rc;
}

/* ---- printing ---- */

static void print_lines(struct bh_buf *out, char mark, struct bh_slice lines)
{
	while (lines.len) {
		size_t n = line_end(lines, 1);
		bh_buf_add_byte(out, (uint8_t)mark);
		bh_buf_add(out, bh_slice_sub(lines, 0, n));
		if (lines.ptr[n - 1] != '\n')
			bh_buf_add_str(out, "\n\\ No newline at end of file\n");
		lines = bh_slice_sub(lines, n, lines.len);
	}
}

static size_t lines_before(const struct printer *p, size_t at, size_t n)
{
	while (n-- > 0 && at > 0)
		at = line_start(p->text, at - 1);
	return at;
}

static size_t lines_behind(const struct printer *p, size_t at, size_t n)
{
	while (n-- > 0 && at < p->text.len)
		at = line_end(p->text, at + 1);
	return at;
}

/* A range of no lines is named by the line before it. */
static void print_range(struct bh_buf *out, char mark, size_t line, size_t n)
{
	bh_buf_printf(out, "%c%zu", mark, n ? line + 1 : line);
	if (n != 1)
		bh_buf_printf(out, ",%zu", n);
}

/* Runs [first, last) in one hunk; `shift`: how many lines more the new text has before it. */
static void print_hunk(const struct printer *p, size_t first, size_t last, int64_t shift)
{
	const struct run *runs = p->runs.ptr;
	size_t from = lines_before(p, runs[first].from, CONTEXT_LINES), to = lines_behind(p, runs[last - 1].to, CONTEXT_LINES), at = from;
	size_t n_old = count_lines(bh_slice_sub(p->text, from, to - from)), n_new = n_old, line = count_lines(bh_slice_sub(p->text, 0, from));
	for (size_t i = first; i < last; i++)
		n_new += runs[i].n_new - runs[i].n_old;
	bh_buf_add_str(p->out, "@@ ");
	print_range(p->out, '-', line, n_old);
	bh_buf_add_byte(p->out, ' ');
	print_range(p->out, '+', (size_t)((int64_t)line + shift), n_new);
	bh_buf_add_str(p->out, " @@\n");
	for (size_t i = first; i < last; i++) {
		print_lines(p->out, ' ', bh_slice_sub(p->text, at, runs[i].from - at));
		print_lines(p->out, '-', bh_slice_sub(p->text, runs[i].from, runs[i].to - runs[i].from));
		print_lines(p->out, '+', runs[i].text);
		at = runs[i].to;
	}
	print_lines(p->out, ' ', bh_slice_sub(p->text, at, to - at));
}

static void print_hunks(const struct printer *p)
{
	int64_t shift = 0;
	for (size_t first = 0, last; first < p->runs.len; first = last) {
		last = first + 1;
		while (last < p->runs.len && lines_before(p, p->runs.ptr[last].from, 2 * CONTEXT_LINES) <= p->runs.ptr[last - 1].to)
			last++;
		print_hunk(p, first, last, shift);
		for (size_t i = first; i < last; i++)
			shift += (int64_t)p->runs.ptr[i].n_new - (int64_t)p->runs.ptr[i].n_old;
	}
}

static bool is_odd(uint8_t c)
{
	return c < ' ' || c == 0x7f || c == '"' || c == '\\';
}

/* As GNU diff and git write names: in quotes with octal numbers where that is needed, and a tab behind one with spaces, so that patch takes all of it. */
static void print_name(struct bh_buf *out, const char *before, struct bh_slice name)
{
	bool odd = false, spaces = false;
	for (size_t i = 0; i < name.len; i++) {
		odd |= is_odd(name.ptr[i]);
		spaces |= name.ptr[i] == ' ';
	}
	bh_buf_add_str(out, before);
	bh_buf_add_str(out, odd ? "\"" : "");
	for (size_t i = 0; i < name.len; i++) {
		if (is_odd(name.ptr[i]))
			bh_buf_printf(out, "\\%03o", name.ptr[i]);
		else
			bh_buf_add_byte(out, name.ptr[i]);
	}
	bh_buf_add_str(out, odd ? "\"\n" : spaces ? "\t\n" : "\n");
}

int kube_edits_print(struct bh_slice name, struct bh_slice text, const struct kube_edit_vec *edits, struct bh_buf *out, struct bh_err *err)
{
	struct printer p = { .text = text, .edits = edits, .runs = { .max = KUBE_EDITS_MAX }, .out = out, .err = err };
	bh_arena_init(&p.arena, out->max_bytes);
	int rc = find_runs(&p);
	if (rc == 0 && p.runs.len) {
		print_name(out, "--- ", name);
		print_name(out, "+++ ", name);
		print_hunks(&p);
		rc = out->failed ? bh_fail(err, BH_ELIMIT, 0, "the changes of a text are too large to print them") : 0;
	}
	run_vec_done(&p.runs);
	bh_arena_done(&p.arena);
	return rc;
}
