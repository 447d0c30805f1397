/*
 * parse.c: lines to instructions (docs.docker.com/reference/dockerfile; buildkit frontend/dockerfile/parser):
 *
 *     # escape=`                    another character for joining lines; only above everything else
 *     RUN --mount=type=cache a && \ joined with the next line; comment and empty lines between don't end it
 *         b
 *     RUN <<EOF                     here-documents: lines up to EOF belong to it
 *     EOF
 */
#include "dockerfile/parse.h"

#include "base/reader.h"

#define WORD_BYTES_MAX 32u
#define HEREDOCS_MAX 16u
#define STAGES_MAX 512u
#define PROBLEMS_MAX 1000u

void df_complain(struct df_file *f, uint32_t line, const char *text)
{
	(void)df_problem_vec_push(&f->problems, (struct df_problem){ line, text }); /* those beyond the limit say nothing new */
}

void *df_room(struct df_file *f, void *old, size_t n, size_t item_bytes)
{
	if (n & (n - 1)) /* between powers of two there is room */
		return old;
	void *more = bh_arena_array(&f->arena, n ? 2 * n : 1, item_bytes);
	if (more && n)
		memcpy(more, old, n * item_bytes);
	return more;
}

static int too_large(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "more than %u instructions or %u MiB of them", DF_INSTRUCTIONS_MAX, DF_TEXT_BYTES_MAX >> 20);
}

/* The next byte to be taken. */
static const uint8_t *here(const struct df_parser *p)
{
	return p->in.src.ptr + p->in.pos;
}

static bool take_line(struct df_parser *p, struct bh_slice *line)
{
	if (!bh_take_line(&p->in, line))
		return false;
	p->line++;
	while (line->len && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

static struct bh_slice without_left(struct bh_slice s)
{
	while (s.len && df_is_blank(s.ptr[0]))
		s = bh_slice_sub(s, 1, s.len);
	return s;
}

static bool same_word(struct bh_slice a, const char *b)
{
	for (size_t i = 0; i < a.len; i++)
		if (b[i] == '\0' || bh_lower(a.ptr[i]) != (uint8_t)b[i])
			return false;
	return b[a.len] == '\0';
}

/* "# escape=`" among the directives at the top; each counts once. */
static void read_directives(struct df_parser *p)
{
	struct bh_reader ahead = p->in;
	struct bh_slice line, key, value;
	for (uint32_t n = 1; bh_take_line(&ahead, &line); n++) {
		line = bh_slice_trim(line);
		if (line.len == 0 || line.ptr[0] != '#' || !bh_slice_cut(bh_slice_sub(line, 1, line.len), '=', &key, &value))
			return;
		key = bh_slice_trim(key);
		value = bh_slice_trim(value);
		if (same_word(key, "syntax"))
			p->f->syntax = value;
		else if (same_word(key, "check"))
			p->f->check = value;
		else if (!same_word(key, "escape"))
			return;
		else if (value.len == 1 && (value.ptr[0] == '\\' || value.ptr[0] == '`'))
			p->f->escape = value.ptr[0];
		else
			df_complain(p->f, n, "the directive escape takes \\ or `");
	}
}

/* ---- here-documents ---- */

struct mark {
	struct bh_slice name;
	bool chomp, quoted;
};

/* "<<EOF", "3<<-'EOF'" as a whole word. */
static bool read_mark(struct bh_slice w, struct mark *m)
{
	while (w.len && w.ptr[0] >= '0' && w.ptr[0] <= '9')
		w = bh_slice_sub(w, 1, w.len);
	if (!bh_slice_starts(w, BH_SLICE_LIT("<<")))
		return false;
	w = bh_slice_sub(w, 2, w.len);
	m->chomp = w.len && w.ptr[0] == '-';
	w = bh_slice_sub(w, m->chomp, w.len);
	m->quoted = w.len >= 2 && (w.ptr[0] == '"' || w.ptr[0] == '\'') && w.ptr[w.len - 1] == w.ptr[0];
	m->name = m->quoted ? bh_slice_sub(w, 1, w.len - 2) : w;
	return m->name.len && bh_slice_find(m->name, '<') == m->name.len;
}

/* A word of a line: quotes hold it together. */
struct bh_slice df_take_word(struct bh_slice *s, uint8_t escape)
{
	struct bh_slice rest = without_left(*s);
	size_t n = 0;
	uint8_t quote = 0;
	while (n < rest.len && (quote || !df_is_blank(rest.ptr[n]))) {
		uint8_t c = rest.ptr[n];
		if (c == escape && quote != '\'' && n + 1 < rest.len)
			n++;
		else if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		n++;
	}
	*s = bh_slice_sub(rest, n, rest.len);
	return bh_slice_sub(rest, 0, n);
}

static bool take_heredoc(struct df_parser *p, const struct mark *m, struct df_heredoc *h)
{
	const uint8_t *first = here(p);
	struct bh_slice line;
	struct bh_buf text;
	bool ends = false;
	*h = (struct df_heredoc){ .name = m->name, .line = p->line + 1, .is_quoted = m->quoted };
	bh_buf_init(&text, DF_TEXT_BYTES_MAX);
	while (!ends && take_line(p, &line)) {
		while (m->chomp && line.len && line.ptr[0] == '\t')
			line = bh_slice_sub(line, 1, line.len);
		ends = bh_slice_eq(line, m->name);
		if (!ends) {
			bh_buf_add(&text, line);
			bh_buf_add_byte(&text, '\n');
		}
	}
	if (!ends)
		df_complain(p->f, h->line ? h->line - 1 : 0, "a here-document does not end");
	bool ok = !text.failed && bh_arena_copy(&p->f->arena, bh_buf_slice(&text), &h->content);
	bool fits = first && h->content.len <= (size_t)(here(p) - first);
	if (ok && fits && (h->content.len == 0 || memcmp(first, h->content.ptr, h->content.len) == 0))
		h->written = first; /* no tabs were taken off, no \r */
	bh_buf_done(&text);
	return ok;
}

/* A line whose quotes don't close starts no here-document. */
static bool is_closed(struct bh_slice s, uint8_t escape)
{
	uint8_t quote = 0;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c == escape && quote != '\'')
			i++;
		else if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
	}
	return quote == 0;
}

static bool takes_heredocs(struct bh_slice keyword)
{
	static const char *const with[] = { "RUN", "COPY", "ADD", NULL };
	return bh_slice_is_one_of(keyword, with);
}

static bool take_heredocs(struct df_parser *p, struct df_instruction *i)
{
	struct bh_slice rest = i->args;
	struct mark m;
	bool takes = takes_heredocs(i->keyword) && is_closed(rest, p->f->escape);
	while (takes && rest.len && i->n_heredocs < HEREDOCS_MAX) {
		if (!read_mark(df_take_word(&rest, p->f->escape), &m))
			continue;
		i->heredocs = df_room(p->f, i->heredocs, i->n_heredocs, sizeof(*i->heredocs));
		if (!i->heredocs || !take_heredoc(p, &m, &i->heredocs[i->n_heredocs++]))
			return false;
	}
	return true;
}

/* ---- instructions ---- */

/* Is the line joined with the next one? Cuts what says so. */
static bool is_joined(const struct df_file *f, struct bh_slice *line)
{
	size_t n = line->len;
	while (n && (line->ptr[n - 1] == ' ' || line->ptr[n - 1] == '\t'))
		n--;
	if (n == 0 || line->ptr[n - 1] != f->escape || (n > 1 && line->ptr[n - 2] == f->escape))
		return false;
	*line = bh_slice_sub(*line, 0, n - 1);
	return true;
}

static bool add_span(struct df_parser *p, struct df_instruction *i, struct bh_slice line)
{
	i->spans = df_room(p->f, i->spans, i->n_spans, sizeof(*i->spans));
	if (i->spans)
		i->spans[i->n_spans++] = (struct df_span){ p->text.len, p->line, line.ptr };
	return i->spans != NULL;
}

/* The lines of an instruction, up to one that is not joined with the next. */
static bool take_joined(struct df_parser *p, struct df_instruction *i, struct bh_slice line)
{
	bool more = true;
	bh_buf_clear(&p->text);
	while (more) {
		struct bh_slice bare = without_left(line);
		bool skipped = p->line != i->line && (bare.len == 0 || bare.ptr[0] == '#');
		if (!skipped) {
			if (!add_span(p, i, line))
				return false;
			more = is_joined(p->f, &line);
			bh_buf_add(&p->text, line);
		}
		i->end_line = p->line;
		if (more && !take_line(p, &line))
			more = false;
	}
	return !p->text.failed && bh_arena_copy(&p->f->arena, bh_buf_slice(&p->text), &i->whole);
}

static bool take_keyword(struct df_parser *p, struct bh_slice *s, struct bh_slice *keyword)
{
	size_t n = 0;
	*s = without_left(*s);
	while (n < s->len && !df_is_blank(s->ptr[n]))
		n++;
	uint8_t *k = bh_arena_alloc(&p->f->arena, n + 1);
	for (size_t i = 0; k && i < n; i++)
		k[i] = s->ptr[i] >= 'a' && s->ptr[i] <= 'z' ? (uint8_t)(s->ptr[i] - 'a' + 'A') : s->ptr[i];
	*keyword = (struct bh_slice){ k, n };
	*s = without_left(bh_slice_sub(*s, n, s->len));
	return k != NULL;
}

static bool is_known(struct bh_slice keyword)
{
	static const char *const known[] = { "ADD",    "ARG",	 "CMD",	 "COPY",  "ENTRYPOINT", "ENV",	  "EXPOSE", "FROM",    "HEALTHCHECK", "LABEL", "MAINTAINER",
					     "ONBUILD", "RUN",	 "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR", NULL };
	return bh_slice_is_one_of(keyword, known);
}

/* The parts of what stands behind the keyword. */
static bool read_whole(struct df_parser *p, struct df_instruction *i)
{
	i->args = i->whole;
	if (bh_slice_eq_str(i->keyword, "ONBUILD") && i->args.len) {
		i->is_trigger = true;
		if (!take_keyword(p, &i->args, &i->keyword))
			return false;
	}
	if (!is_known(i->keyword))
		df_complain(p->f, i->line, "an unknown instruction");
	else if (i->args.len == 0)
		df_complain(p->f, i->line, "an instruction without arguments");
	return df_read_flags(p->f, i) && take_heredocs(p, i) && df_read_arguments(p->f, i);
}

/* Offsets count from behind the keyword. */
static void cut_span(struct df_span *s, size_t cut)
{
	size_t before = s->offset < cut ? cut - s->offset : 0;
	s->written += before;
	s->offset -= cut - before;
}

/* Up to the line that was taken last. */
static struct bh_slice written_from(const struct df_parser *p, const uint8_t *from)
{
	struct bh_slice all = { from, (size_t)(here(p) - from) };
	while (all.len && (all.ptr[all.len - 1] == '\n' || all.ptr[all.len - 1] == '\r'))
		all.len--;
	return all;
}

static int take_instruction(struct df_parser *p, struct bh_slice line, struct bh_err *err)
{
	struct df_instruction i = { .line = p->line, .stage = DF_NO_STAGE };
	struct df_file *f = p->f;
	struct bh_slice start = without_left(line);
	size_t cut;
	if (!take_joined(p, &i, start))
		return too_large(err);
	struct bh_slice joined = i.whole;
	if (!take_keyword(p, &i.whole, &i.keyword))
		return too_large(err);
	cut = (size_t)(i.whole.len ? i.whole.ptr - joined.ptr : 0);
	for (size_t k = 0; k < i.n_spans; k++)
		cut_span(&i.spans[k], cut);
	i.whole = bh_slice_trim(i.whole);
	if (!read_whole(p, &i) || !df_instruction_vec_push(&f->all, i))
		return too_large(err);
	f->all.ptr[f->all.len - 1].end_line = p->line;
	f->all.ptr[f->all.len - 1].written = written_from(p, start.ptr);
	return 0;
}

static const struct df_span *span_of(const struct df_instruction *i, size_t offset)
{
	size_t k = i->n_spans;
	while (k > 0 && i->spans[k - 1].offset > offset)
		k--;
	return k ? &i->spans[k - 1] : NULL;
}

uint32_t df_line_of(const struct df_instruction *i, const uint8_t *at)
{
	const struct df_span *s = span_of(i, i->whole.ptr && at >= i->whole.ptr ? (size_t)(at - i->whole.ptr) : 0);
	return s ? s->line : i->line;
}

static bool is_inside(struct bh_slice part, struct bh_slice all)
{
	return all.ptr && part.ptr >= all.ptr && part.ptr + part.len <= all.ptr + all.len;
}

struct bh_slice df_written(const struct df_instruction *i, struct bh_slice part)
{
	if (part.len == 0)
		return (struct bh_slice){ 0 };
	for (size_t k = 0; k < i->n_heredocs; k++)
		if (i->heredocs[k].written && is_inside(part, i->heredocs[k].content))
			return (struct bh_slice){ i->heredocs[k].written + (part.ptr - i->heredocs[k].content.ptr), part.len };
	if (!is_inside(part, i->whole))
		return (struct bh_slice){ 0 };
	size_t from = (size_t)(part.ptr - i->whole.ptr), last = from + part.len - 1;
	const struct df_span *a = span_of(i, from), *b = span_of(i, last);
	if (!a || !b)
		return (struct bh_slice){ 0 };
	const uint8_t *first = a->written + (from - a->offset), *end = b->written + (last - b->offset) + 1;
	return (struct bh_slice){ first, (size_t)(end - first) };
}

struct bh_slice df_flag(const struct df_instruction *i, const char *name)
{
	for (size_t k = 0; k < i->n_flags; k++)
		if (bh_slice_eq_str(i->flags[k].name, name))
			return i->flags[k].value;
	return (struct bh_slice){ 0 };
}

int df_parse(struct bh_slice text, struct df_file *ret, struct bh_err *err)
{
	struct df_file f = { .all.max = DF_INSTRUCTIONS_MAX, .stages.max = STAGES_MAX, .problems.max = PROBLEMS_MAX, .escape = '\\' };
	bh_arena_init(&f.arena, 8 * DF_TEXT_BYTES_MAX);
	struct df_parser p = { .f = &f, .in = bh_reader_of(text) };
	bh_buf_init(&p.text, DF_TEXT_BYTES_MAX);
	if (bh_slice_starts(text, BH_SLICE_LIT("\xef\xbb\xbf"))) /* a byte order mark, as editors on Windows write it */
		(void)bh_skip(&p.in, 3);
	read_directives(&p);
	struct bh_slice line;
	int rc = text.len > DF_TEXT_BYTES_MAX ? too_large(err) : 0;
	while (rc == 0 && take_line(&p, &line)) {
		struct bh_slice s = without_left(line);
		if (s.len && s.ptr[0] != '#')
			rc = take_instruction(&p, line, err);
	}
	bh_buf_done(&p.text);
	if (rc == 0 && !df_read_stages(&f))
		rc = too_large(err);
	if (rc < 0)
		df_done(&f);
	else
		*ret = f;
	return rc;
}

void df_done(struct df_file *f)
{
	df_instruction_vec_done(&f->all);
	df_stage_vec_done(&f->stages);
	df_problem_vec_done(&f->problems);
	bh_arena_done(&f->arena);
}

/* ---- which files ---- */

bool df_is_name(struct bh_slice path)
{
	size_t slash = path.len;
	while (slash && path.ptr[slash - 1] != '/')
		slash--;
	struct bh_slice name = bh_slice_sub(path, slash, path.len);
	static const char *const words[] = { "Dockerfile", "Containerfile" };
	static const char *const not[] = { ".dockerignore", ".yaml", ".yml", ".json", ".md", NULL };
	for (size_t i = 0; not[i]; i++)
		if (bh_slice_ends(name, bh_slice_str(not[i])))
			return false;
	for (size_t i = 0; i < 2; i++) {
		struct bh_slice word = bh_slice_str(words[i]), rest = bh_slice_sub(name, word.len, name.len);
		if (bh_slice_starts(name, word) && (rest.len == 0 || rest.ptr[0] == '.'))
			return true;
		if (name.len > word.len && name.ptr[name.len - word.len - 1] == '.' && same_word(bh_slice_sub(name, name.len - word.len, word.len), i ? "containerfile" : "dockerfile"))
			return true;
	}
	return false;
}

bool df_is_text(struct bh_slice text)
{
	struct bh_reader r = bh_reader_of(text);
	struct bh_slice line, word;
	while (bh_take_line(&r, &line)) {
		line = bh_slice_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		word = df_take_word(&line, '\\');
		return (same_word(word, "from") || same_word(word, "arg")) && line.len > 1;
	}
	return false;
}
