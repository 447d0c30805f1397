/* shell.c: see shell.h. */
#include "dockerfile/shell.h"

#include "base/cleanup.h"
#include "dockerfile/parse.h"

#define DEPTH_MAX 8u

struct script {
	struct bh_slice text;
	const struct df_instruction *i; /* whose text it is; NULL: lines are counted from `line` */
	uint32_t line;
	bool counts;                    /* its own lines; else all is on `line` */
};

struct shell {
	struct bh_arena *arena;
	struct df_command_vec *out;
	uint32_t n_pipelines;
	bool failed;
};

struct level {
	const struct script *script;
	struct bh_slice rest;
	struct df_command now;
	bool is_named, is_for, is_control_allowed;
	bool takes_file; /* the next word is a redirection's */
	uint32_t pipeline;
	const char *after;
	unsigned depth;
	bool is_substituted;
};

static void run(struct shell *sh, const struct script *script, unsigned depth, bool is_substituted);

static uint32_t line_at(const struct script *s, const uint8_t *at)
{
	uint32_t line = s->line;
	if (s->i)
		return df_line_of(s->i, at);
	for (const uint8_t *p = s->text.ptr; s->counts && p < at; p++)
		line += *p == '\n';
	return line;
}

/* ---- commands ---- */

static struct bh_slice *grown(struct shell *sh, const struct bh_slice *old, size_t n, size_t cap)
{
	struct bh_slice *more = bh_arena_array(sh->arena, cap, sizeof(*more));
	if (more && n)
		memcpy(more, old, n * sizeof(*more));
	return more;
}

static bool add_argument(struct shell *sh, struct df_command *c, struct bh_slice word, struct bh_slice source)
{
	if (c->n_args == c->cap_args) {
		size_t cap = c->cap_args * 2 + 4;
		c->args = grown(sh, c->args, c->n_args, cap);
		c->sources = grown(sh, c->sources, c->n_args, cap);
		if (!c->args || !c->sources)
			return false;
		c->cap_args = cap;
	}
	c->sources[c->n_args] = source;
	c->args[c->n_args++] = word;
	return true;
}

static struct bh_slice base_name(struct bh_slice s)
{
	for (size_t i = s.len; i-- > 0;)
		if (s.ptr[i] == '/' && i + 1 < s.len)
			return bh_slice_sub(s, i + 1, s.len);
	return s;
}

static bool is_shell(struct bh_slice name)
{
	static const char *const shells[] = { "sh", "bash", "ash", "dash", "zsh", "ksh", NULL };
	return bh_slice_is_one_of(name, shells);
}

static bool is_assignment(struct bh_slice w)
{
	size_t n = 0;
	while (n < w.len && df_is_name_byte(w.ptr[n], n == 0))
		n++;
	return n && n < w.len && w.ptr[n] == '=';
}

/* The words behind the options and assignments of sudo, env and their like; its options with a value are few. */
static size_t skip_options(const struct df_command *c)
{
	static const char *const with_value[] = { "-u", "-g", "-n", "-E", "-k", "-s", NULL };
	bool is_sudo = bh_slice_eq_str(c->name, "sudo");
	size_t k = 0;
	while (k < c->n_args && ((c->args[k].len && c->args[k].ptr[0] == '-') || is_assignment(c->args[k])))
		k += is_sudo && bh_slice_is_one_of(c->args[k], with_value) && !bh_slice_eq_str(c->args[k], "-E") && !bh_slice_eq_str(c->args[k], "-n") ? 2 : 1;
	return k;
}

static void end_command(struct shell *sh, const struct df_command *c, unsigned depth)
{
	static const char *const starters[] = { "sudo", "env", "exec", "command", "nohup", "nice", "time", "eatmydata", "xargs", NULL };
	struct df_command inner = *c;
	if (depth > DEPTH_MAX || sh->failed)
		return;
	if (!df_command_vec_push(sh->out, *c)) {
		sh->failed = true;
		return;
	}
	if (bh_slice_is_one_of(c->name, starters)) {
		size_t k = skip_options(c);
		if (k >= c->n_args)
			return;
		inner.name = base_name(c->args[k]);
		inner.args = c->args + k + 1;
		inner.written = c->sources ? c->sources[k] : (struct bh_slice){ 0 };
		inner.sources = c->sources ? c->sources + k + 1 : NULL;
		inner.n_args = inner.cap_args = c->n_args - k - 1;
		end_command(sh, &inner, depth + 1);
		return;
	}
	for (size_t k = 0; is_shell(c->name) && k + 1 < c->n_args; k++)
		if (c->args[k].len > 1 && c->args[k].ptr[0] == '-' && c->args[k].ptr[1] != '-' && bh_slice_ends(c->args[k], BH_SLICE_LIT("c"))) {
			const struct script script = { .text = c->args[k + 1], .line = c->line };
			run(sh, &script, depth + 1, c->is_substituted);
			return;
		}
}

static void finish(struct shell *sh, struct level *l)
{
	if (l->is_named)
		end_command(sh, &l->now, l->depth);
	l->is_named = l->is_for = l->takes_file = false;
}

static void part(struct shell *sh, struct level *l, const char *how)
{
	finish(sh, l);
	if (strcmp(how, "|") != 0)
		l->pipeline = ++sh->n_pipelines;
	l->after = how;
}

/* ---- words ---- */

/* The length up to the parenthesis that closes what is open at the start. */
static size_t find_close(struct bh_slice s)
{
	unsigned depth = 0;
	uint8_t quote = 0;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c == '\\' && quote != '\'')
			i++;
		else if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '(')
			depth++;
		else if (c == ')' && depth-- == 0)
			return i;
	}
	return s.len;
}

/* $(...) and `...` at the start of the text: their length; their commands are added. 0: it is none. */
static size_t take_substitution(struct shell *sh, const struct level *l, struct bh_slice s)
{
	struct bh_slice inner;
	size_t open = s.ptr[0] == '`' ? 1 : 2;
	if (s.ptr[0] != '`' && !(s.len > 2 && (s.ptr[0] == '$' || s.ptr[0] == '<' || s.ptr[0] == '>') && s.ptr[1] == '('))
		return 0;
	inner = bh_slice_sub(s, open, s.len);
	size_t n = open == 1 ? bh_slice_find(inner, '`') : find_close(inner);
	struct script script = *l->script;
	script.line = line_at(l->script, inner.ptr);
	script.text = bh_slice_sub(inner, 0, n);
	if (!(script.text.len && script.text.ptr[0] == '(')) /* $(( )) counts */
		run(sh, &script, l->depth + 1, true);
	return open + n + (n < inner.len);
}

static bool ends_word(uint8_t c)
{
	return df_is_blank(c) || strchr(";|&()<>", c) != NULL;
}

/* The word at the start of the rest, its quotes taken off. */
static struct bh_slice take_word(struct shell *sh, struct level *l)
{
	BH_WITH(bh_buf_done) struct bh_buf word = { 0 };
	struct bh_slice s = l->rest, kept = { 0 };
	uint8_t quote = 0;
	size_t i = 0;
	bh_buf_init(&word, DF_TEXT_BYTES_MAX);
	while (i < s.len && (quote || s.ptr[i] == 0 || !ends_word(s.ptr[i]))) {
		uint8_t c = s.ptr[i];
		size_t inner = quote != '\'' && (c == '$' || c == '`') ? take_substitution(sh, l, bh_slice_sub(s, i, s.len)) : 0;
		if (inner) {
			bh_buf_add(&word, bh_slice_sub(s, i, inner));
			i += inner;
			continue;
		}
		if (c == '\\' && quote != '\'' && i + 1 < s.len)
			bh_buf_add_byte(&word, s.ptr[++i]);
		else if (quote ? c == quote : c == '"' || c == '\'')
			quote = quote ? 0 : c;
		else
			bh_buf_add_byte(&word, c);
		i++;
	}
	l->rest = bh_slice_sub(s, i, s.len);
	sh->failed = sh->failed || word.failed || !bh_arena_copy(sh->arena, bh_buf_slice(&word), &kept);
	return kept;
}

static bool is_control(struct bh_slice w)
{
	static const char *const words[] = { "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "esac", "{", "}", "!", "in", NULL };
	return bh_slice_is_one_of(w, words);
}

/* source: the word with its quotes. */
static void add_word(struct shell *sh, struct level *l, struct bh_slice word, struct bh_slice source)
{
	bool was_quoted = *source.ptr == '"' || *source.ptr == '\'';
	if (l->takes_file || l->is_for) {
		l->takes_file = false;
		return;
	}
	if (l->is_named) {
		sh->failed = sh->failed || !add_argument(sh, &l->now, word, source);
		return;
	}
	if (!was_quoted && (is_control(word) || is_assignment(word)))
		return;
	l->is_for = bh_slice_eq_str(word, "for") || bh_slice_eq_str(word, "case");
	if (l->is_for || word.len == 0)
		return;
	l->now = (struct df_command){ .name = base_name(word), .written = source, .line = line_at(l->script, source.ptr), .after = l->after, .pipeline = l->pipeline,
				      .is_substituted = l->is_substituted };
	l->is_named = true;
}

/* Operators and redirections; false: a word stands there. */
static bool take_operator(struct shell *sh, struct level *l)
{
	static const struct {
		const char *text, *part;
	} all[] = { { "&>>", NULL }, { "&>", NULL }, { "&&", "&&" }, { "||", "||" }, { "|&", "|" }, { ";;", ";" }, { ">>", NULL }, { "<<<", NULL }, { "<<", NULL },
		    { ">&", NULL }, { "<&", NULL }, { ">|", NULL }, { ";", ";" }, { "|", "|" }, { "&", "&" }, { "\n", ";" }, { "(", ";" }, { ">", NULL }, { "<", NULL } };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!bh_slice_starts(l->rest, bh_slice_str(all[i].text)))
			continue;
		l->rest = bh_slice_sub(l->rest, strlen(all[i].text), l->rest.len);
		if (!all[i].part)
			l->takes_file = true;
		else if (all[i].text[0] == '(')
			finish(sh, l);
		else
			part(sh, l, all[i].part);
		return true;
	}
	return false;
}

/* "2" before ">": the number of a descriptor is no argument. */
static bool is_descriptor(struct bh_slice word, struct bh_slice rest)
{
	bool digits = word.len > 0 && rest.len && (rest.ptr[0] == '>' || rest.ptr[0] == '<');
	for (size_t i = 0; digits && i < word.len; i++)
		digits = word.ptr[i] >= '0' && word.ptr[i] <= '9';
	return digits;
}

static void step(struct shell *sh, struct level *l)
{
	uint8_t c = l->rest.ptr[0];
	if (c == '#') {
		l->rest = bh_slice_sub(l->rest, bh_slice_find(l->rest, '\n'), l->rest.len);
		return;
	}
	if (c == ')') { /* of a subshell, or of a pattern, which is no command */
		finish(sh, l);
		l->rest = bh_slice_sub(l->rest, 1, l->rest.len);
		return;
	}
	size_t inner = c == '<' || c == '>' ? take_substitution(sh, l, l->rest) : 0;
	if (inner) {
		l->rest = bh_slice_sub(l->rest, inner, l->rest.len);
		return;
	}
	if (take_operator(sh, l))
		return;
	const uint8_t *at = l->rest.ptr;
	struct bh_slice word = take_word(sh, l);
	if (!is_descriptor(word, l->rest))
		add_word(sh, l, word, (struct bh_slice){ at, (size_t)(l->rest.ptr - at) });
}

static void run(struct shell *sh, const struct script *script, unsigned depth, bool is_substituted)
{
	struct level l = { .script = script, .rest = script->text, .depth = depth, .after = "", .is_substituted = is_substituted, .pipeline = ++sh->n_pipelines };
	if (depth > DEPTH_MAX)
		return;
	while (l.rest.len && !sh->failed) {
		uint8_t c = l.rest.ptr[0];
		if (c != '\n' && df_is_blank(c))
			l.rest = bh_slice_sub(l.rest, 1, l.rest.len);
		else
			step(sh, &l);
	}
	finish(sh, &l);
}

/* ---- instructions ---- */

static void run_exec(struct shell *sh, const struct df_instruction *i, size_t first)
{
	struct df_command c = { .after = "", .line = i->line, .pipeline = ++sh->n_pipelines };
	if (i->n_words <= first)
		return;
	c.name = base_name(i->words[first]);
	c.args = i->words + first + 1;
	c.n_args = c.cap_args = i->n_words - first - 1;
	end_command(sh, &c, 0);
}

/* RUN <<EOF, RUN <<EOF bash: a script, unless it is for something that is no shell. */
static bool heredoc_is_script(const struct df_instruction *i)
{
	struct bh_slice content = i->heredocs[0].content, line, rest;
	for (size_t k = 0; k < i->n_words; k++)
		if (bh_slice_find(i->words[k], '<') == i->words[k].len)
			return is_shell(base_name(i->words[k]));
	if (!bh_slice_starts(content, BH_SLICE_LIT("#!")))
		return true;
	(void)bh_slice_cut(content, '\n', &line, &rest);
	return bh_slice_ends(bh_slice_trim(line), BH_SLICE_LIT("sh"));
}

bool df_commands(const struct df_file *f, const struct df_instruction *i, struct bh_arena *arena, struct df_command_vec *out)
{
	struct shell sh = { .arena = arena, .out = out };
	(void)f;
	if (i->is_exec) {
		run_exec(&sh, i, 0);
	} else {
		const struct script script = { .text = i->args, .i = i };
		run(&sh, &script, 0, false);
	}
	if (bh_slice_eq_str(i->keyword, "RUN") && i->n_heredocs && heredoc_is_script(i)) {
		const struct script script = { .text = i->heredocs[0].content, .line = i->heredocs[0].line, .counts = true };
		run(&sh, &script, 0, false);
	}
	return !sh.failed;
}
