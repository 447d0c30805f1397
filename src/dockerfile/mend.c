/*
 * mend.c: see mend.h.
 *
 *   lines of a wish ─► instructions ─► its cure, instruction by instruction ─► edits
 *   all edits ─► new text ─► read again, the cures asked again ─► what still has something to say is taken back, and all is tried once more
 */
#include "dockerfile/mending.h"

#include "base/cleanup.h"

#include <stdlib.h>

#define JOBS_MAX 20000u
#define ROUNDS_MAX 8u /* then nothing is changed */
#define TEXTS_BYTES_MAX (2 * (size_t)DF_TEXT_BYTES_MAX)
#define WHY_STILL "the changed file would not be read as what was wanted"
#define WHY_GONE "another fix changes the same place; run it again"

/* What is said of a FILE stands where its last stage begins; the cure finds its place itself. */
enum scope { LINE, FILE_WHOLE };

struct entry {
	struct df_cure cure;
	df_cure_fn fn;
	enum scope scope;
};

static const struct entry entries[] = {
#define FILE FILE_WHOLE
#define MEND(check, cure, of, may_break) { { check, may_break }, df_cure_##cure, of },
#include "dockerfile/mends.def"
#undef MEND
#undef FILE
};

static const struct entry *find(struct bh_slice check)
{
	for (size_t k = 0; k < sizeof(entries) / sizeof(entries[0]); k++)
		if (bh_slice_eq_str(check, entries[k].cure.check))
			return &entries[k];
	return NULL;
}

const struct df_cure *df_cure_find(struct bh_slice check)
{
	const struct entry *e = find(check);
	return e ? &e->cure : NULL;
}

/* ---- for the cures ---- */

static void put(struct df_mending *m, const uint8_t *from, const uint8_t *to, struct bh_slice text, enum df_edit_rank rank)
{
	const struct df_edit edit = { .from = (size_t)(from - m->text.ptr), .to = (size_t)(to - m->text.ptr), .text = text, .rank = rank, .order = m->edits->len };
	m->failed |= !df_edit_vec_push(m->edits, edit);
}

void df_mend_put(struct df_mending *m, const uint8_t *from, const uint8_t *to, struct bh_slice text)
{
	put(m, from, to, text, DF_EDIT_WORD);
}

void df_mend_refuse(struct df_mending *m, const char *why)
{
	m->why = m->why ? m->why : why;
}

/* The part as it stands in the text; false: it stands nowhere, or there is no text to put. */
static bool place(struct df_mending *m, struct bh_slice part, const char *text, struct bh_slice *ret)
{
	*ret = df_written(m->i, part);
	m->failed |= !text;
	if (!ret->ptr)
		df_mend_refuse(m, "it stands in a script inside of the script, or in a list");
	return ret->ptr && text;
}

static void put_behind(struct df_mending *m, struct bh_slice part, const char *text, enum df_edit_rank rank)
{
	struct bh_slice at;
	if (place(m, part, text, &at))
		put(m, at.ptr + at.len, at.ptr + at.len, bh_slice_str(text), rank);
}

void df_mend_put_before(struct df_mending *m, struct bh_slice part, const char *text)
{
	struct bh_slice at;
	if (place(m, part, text, &at))
		df_mend_put(m, at.ptr, at.ptr, bh_slice_str(text));
}

void df_mend_put_behind(struct df_mending *m, struct bh_slice part, const char *text)
{
	put_behind(m, part, text, DF_EDIT_WORD);
}

void df_mend_put_at_end(struct df_mending *m, struct bh_slice part, const char *text)
{
	put_behind(m, part, text, DF_EDIT_END);
}

/* A keyword is no part of what was joined: it stands where it is. */
void df_mend_replace(struct df_mending *m, struct bh_slice part, const char *text)
{
	struct bh_slice at = part;
	bool is_written = part.ptr >= m->text.ptr && part.ptr < m->text.ptr + m->text.len;
	if (is_written || place(m, part, text, &at))
		df_mend_put(m, at.ptr, at.ptr + at.len, bh_slice_str(text));
}

static void put_line(struct df_mending *m, const uint8_t *at, const char *text)
{
	m->failed |= !text;
	if (text)
		put(m, at, at, bh_slice_str(text), DF_EDIT_LINE);
}

void df_mend_add_before(struct df_mending *m, const char *line)
{
	const uint8_t *at = m->i->written.ptr;
	while (at > m->text.ptr && at[-1] != '\n')
		at--;
	m->adds_before++;
	put_line(m, at, line ? bh_arena_printf(m->arena, "%s%s", line, m->newline) : NULL);
}

/* A last line without an end gets one, and the new one has none. */
void df_mend_add_behind(struct df_mending *m, const char *line)
{
	const uint8_t *to = m->i->written.ptr + m->i->written.len, *end = m->text.ptr + m->text.len;
	to += bh_slice_find((struct bh_slice){ to, (size_t)(end - to) }, '\n');
	bool is_open = to == end;
	m->adds_behind++;
	put_line(m, to + !is_open, line ? bh_arena_printf(m->arena, is_open ? "%1$s%2$s" : "%2$s%1$s", m->newline, line) : NULL);
}

struct bh_slice df_mend_keyword(const struct df_mending *m)
{
	return bh_slice_sub(m->i->written, 0, m->i->keyword.len);
}

const struct df_instruction *df_mend_last(const struct df_mending *m, const char *keyword)
{
	return df_last(m->f, m->at, m->i->stage, keyword);
}

struct bh_slice df_mend_base(const struct df_mending *m)
{
	uint32_t stage = m->i->stage;
	while (stage != DF_NO_STAGE && m->f->stages.ptr[stage].of != DF_NO_STAGE)
		stage = m->f->stages.ptr[stage].of;
	if (stage == DF_NO_STAGE)
		return (struct bh_slice){ 0 };
	return m->f->stages.ptr[stage].base;
}

/* ---- asking a cure ---- */

/* A wish at an instruction. */
struct job {
	struct df_wish *wish;
	const struct entry *entry;
	size_t at, first, n; /* instruction; its edits */
	size_t adds_before, adds_behind;
	bool removes, dropped;
};
BH_VEC(job_vec, struct job)

struct mender {
	struct bh_slice text;
	struct df_file f;
	struct job_vec jobs;
	struct df_edit_vec all; /* of all jobs */
	struct bh_arena *arena;
	const struct df_mend_options *options;
	struct bh_err *err;
};

static int no_memory(struct mender *w)
{
	return bh_fail(w->err, BH_ENOMEM, 0, "mending a Dockerfile uses up the memory for it");
}

static const char *newline_of(struct bh_slice text)
{
	size_t first = bh_slice_find(text, '\n');
	return first && first < text.len && text.ptr[first - 1] == '\r' ? "\r\n" : "\n";
}

/* Edits and answers of one job in a file; 0, or no memory. */
static int ask(struct mender *w, const struct df_file *f, struct bh_slice text, const struct job *job, uint8_t *marks, struct df_edit_vec *edits, struct df_mending *ret)
{
	*ret = (struct df_mending){
		.f = f, .text = text, .newline = newline_of(text), .at = job->at, .i = &f->all.ptr[job->at], .commands = { .max = DF_COMMANDS_MAX },
		.options = w->options, .arena = w->arena, .edits = edits, .stages = marks,
	};
	bool ok = !bh_slice_eq_str(ret->i->keyword, "RUN") || df_commands(f, ret->i, w->arena, &ret->commands);
	if (ok)
		job->entry->fn(ret);
	df_command_vec_done(&ret->commands);
	return ok && !ret->failed ? 0 : no_memory(w);
}

static bool has_line(const struct df_wish *wish, const struct df_instruction *i)
{
	for (size_t k = 0; k < wish->n_lines; k++)
		if (wish->lines[k] >= i->line && wish->lines[k] <= i->end_line)
			return true;
	return false;
}

static int ask_wish(struct mender *w, struct df_wish *wish, const struct entry *entry)
{
	uint8_t *marks = bh_arena_array(w->arena, w->f.stages.len + 1, 1);
	int rc = marks ? 0 : no_memory(w);
	for (size_t k = 0; rc == 0 && k < w->f.all.len; k++) {
		struct job job = { .wish = wish, .entry = entry, .at = k, .first = w->all.len };
		struct df_mending m;
		if (entry->scope == LINE && !has_line(wish, &w->f.all.ptr[k]))
			continue;
		rc = ask(w, &w->f, w->text, &job, marks, &w->all, &m);
		if (rc == 0 && m.why) {
			wish->why = m.why;
			w->all.len = job.first;
			continue;
		}
		job.n = w->all.len - job.first;
		job.adds_before = m.adds_before;
		job.adds_behind = m.adds_behind;
		job.removes = m.removes;
		if (rc == 0 && job.n && !job_vec_push(&w->jobs, job))
			rc = no_memory(w);
	}
	return rc;
}

/* ---- together ---- */

static int by_place(const void *a, const void *b)
{
	const struct df_edit *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if ((x->from == x->to) != (y->from == y->to)) /* what is put in stands before what goes */
		return x->from == x->to ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void drop(struct job *job, const char *why)
{
	job->dropped = true;
	job->wish->why = job->wish->why ? job->wish->why : why;
}

/* An instruction that goes is not changed, too. */
static void drop_removed(struct mender *w)
{
	for (size_t k = 0; k < w->jobs.len; k++)
		for (size_t n = 0; w->jobs.ptr[k].removes && n < w->jobs.len; n++)
			if (!w->jobs.ptr[n].removes && w->jobs.ptr[n].at == w->jobs.ptr[k].at)
				w->jobs.ptr[n].dropped = true; /* what it was about is gone */
}

static bool overlap(const struct df_edit *a, const struct df_edit *b)
{
	return a->from < b->to && b->from < a->to;
}

static bool jobs_overlap(const struct mender *w, const struct job *a, const struct job *b)
{
	for (size_t i = a->first; i < a->first + a->n; i++)
		for (size_t k = b->first; k < b->first + b->n; k++)
			if (overlap(&w->all.ptr[i], &w->all.ptr[k]))
				return true;
	return false;
}

/* Edits of one instruction only can be at odds. */
static void drop_overlapping(struct mender *w)
{
	for (size_t k = 0; k < w->jobs.len; k++)
		for (size_t n = 0; n < k && !w->jobs.ptr[k].dropped; n++)
			if (!w->jobs.ptr[n].dropped && w->jobs.ptr[n].at == w->jobs.ptr[k].at && jobs_overlap(w, &w->jobs.ptr[n], &w->jobs.ptr[k]))
				drop(&w->jobs.ptr[k], WHY_GONE);
}

/* The edits of what is not dropped, sorted. */
static int collect(struct mender *w, struct df_edit_vec *edits)
{
	edits->len = 0;
	for (size_t k = 0; k < w->jobs.len; k++)
		for (size_t n = 0; !w->jobs.ptr[k].dropped && n < w->jobs.ptr[k].n; n++)
			if (!df_edit_vec_push(edits, w->all.ptr[w->jobs.ptr[k].first + n]))
				return no_memory(w);
	if (edits->len)
		qsort(edits->ptr, edits->len, sizeof(*edits->ptr), by_place);
	return 0;
}

static bool apply(const struct mender *w, const struct df_edit_vec *edits, struct bh_buf *out)
{
	size_t at = 0;
	bh_buf_clear(out);
	for (size_t k = 0; k < edits->len; k++) {
		const struct df_edit *e = &edits->ptr[k];
		if (e->from > at)
			bh_buf_add(out, bh_slice_sub(w->text, at, e->from - at));
		bh_buf_add(out, e->text);
		at = e->to > at ? e->to : at;
	}
	bh_buf_add(out, bh_slice_sub(w->text, at, w->text.len));
	return !out->failed;
}

/* Where an instruction is behind what comes and goes in front of it. */
static size_t moved(const struct mender *w, size_t at)
{
	size_t to = at;
	for (size_t k = 0; k < w->jobs.len; k++) {
		const struct job *job = &w->jobs.ptr[k];
		if (job->dropped)
			continue;
		to += job->at <= at ? job->adds_before : 0;
		to += job->at < at ? job->adds_behind : 0;
		to -= job->at < at && job->removes;
	}
	return to;
}

static size_t new_length(const struct mender *w)
{
	return moved(w, w->f.all.len);
}

/* Is the cure content with what the job became? 1, 0, no memory. */
static int is_content(struct mender *w, const struct df_file *now, struct bh_slice text, const struct job *job)
{
	struct df_edit_vec unused = { .max = DF_EDITS_MAX };
	uint8_t *marks = bh_arena_array(w->arena, now->stages.len + 1, 1);
	struct job again = *job;
	struct df_mending m = { 0 };
	again.at = moved(w, job->at);
	if (!marks || again.at >= now->all.len)
		return marks ? 0 : no_memory(w);
	int rc = ask(w, now, text, &again, marks, &unused, &m);
	rc = rc < 0 ? rc : !m.why && unused.len == 0;
	df_edit_vec_done(&unused);
	return rc;
}

/* 1: all is as it should be; 0: something was dropped. */
static int check(struct mender *w, struct bh_slice text)
{
	struct df_file now;
	bool all_good = true;
	int rc = df_parse(text, &now, w->err);
	if (rc < 0)
		return rc;
	bool same = now.problems.len <= w->f.problems.len && now.stages.len == w->f.stages.len && now.all.len == new_length(w);
	for (size_t k = w->jobs.len; rc >= 0 && k-- > 0;) {
		struct job *job = &w->jobs.ptr[k];
		if (job->dropped || job->removes)
			continue;
		rc = same ? is_content(w, &now, text, job) : 0;
		if (rc == 0) {
			drop(job, WHY_STILL);
			all_good = false;
		}
	}
	if (!same && all_good) /* only what goes is left */
		for (size_t k = 0; k < w->jobs.len; k++)
			drop(&w->jobs.ptr[k], WHY_STILL);
	df_done(&now);
	return rc < 0 ? rc : same && all_good;
}

static int settle(struct mender *w, struct df_edit_vec *edits)
{
	BH_WITH(bh_buf_done) struct bh_buf out = { 0 };
	int rc = 0;
	bh_buf_init(&out, TEXTS_BYTES_MAX);
	drop_removed(w);
	drop_overlapping(w);
	for (unsigned round = 0; rc == 0; round++) { /* each but the last drops something */
		for (size_t k = 0; round == ROUNDS_MAX && k < w->jobs.len; k++)
			drop(&w->jobs.ptr[k], WHY_STILL);
		rc = collect(w, edits);
		if (rc < 0 || edits->len == 0)
			return rc;
		rc = apply(w, edits, &out) ? check(w, bh_buf_slice(&out)) : no_memory(w);
	}
	return rc < 0 ? rc : 0;
}

int df_mend(struct bh_slice text, struct df_wish *wishes, size_t n, const struct df_mend_options *options, struct bh_arena *arena, struct df_edit_vec *edits, struct bh_err *err)
{
	struct mender w = { .text = text, .jobs = { .max = JOBS_MAX }, .all = { .max = DF_EDITS_MAX }, .arena = arena, .options = options, .err = err };
	int rc = df_parse(text, &w.f, err);
	if (rc < 0)
		return rc;
	for (size_t k = 0; rc == 0 && k < n; k++) {
		const struct entry *entry = find(wishes[k].check);
		wishes[k].why = NULL;
		if (entry && (options->is_risky || !entry->cure.may_break))
			rc = ask_wish(&w, &wishes[k], entry);
	}
	rc = rc < 0 ? rc : settle(&w, edits);
	df_edit_vec_done(&w.all);
	job_vec_done(&w.jobs);
	df_done(&w.f);
	return rc;
}
