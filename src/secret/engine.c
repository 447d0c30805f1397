/* engine.c: see engine.h. */
#include "secret/engine.h"

#include "format/multi.h"
#include "format/regex.h"
#include "secret/checks.h"
#include "secret/compiled.h"
#include "secret/entropy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGEX_BYTES_MAX (8u << 20)
#define MISSES_MAX 64u          /* ends in one text whose match is longer than the window, until the detector is left out */
#define PLACEHOLDER_BYTES_MAX 256u
#define PATTERN_BYTES_MAX 4096u

/* A detector and where it is in the text that is searched. */
struct rule {
	const struct secret_detector *detector;
	struct bh_regex *pattern, *allow; /* compiled when first needed */
	size_t done;                      /* up to here its matches are known */
	unsigned misses;
	uint64_t text;                    /* number of the text that these two are about */
};

struct secret_engine {
	struct bh_multi *multi;
	struct rule *rules;
	size_t n;
	uint64_t texts;
};

struct search {
	struct secret_engine *engine;
	struct bh_slice path, text;
	struct secret_hit_vec *hits;
	size_t first; /* hit of this text */
	const char *cut;
	struct bh_err *err;
	int rc;
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for the detectors of secrets");
}

/* ---- making one ---- */

/* What the build compiled, when the library and the machine are as they were; else all of it anew. */
static int load_patterns(struct bh_multi **ret, struct bh_err *err)
{
	struct bh_err why = { 0 };
	if (bh_multi_load(secret_compiled_detectors(bh_multi_has_avx2()), ret, &why) == 0)
		return 0;
	const char **patterns = calloc(secret_detectors_n, sizeof(*patterns));
	if (!patterns)
		return no_memory(err);
	for (size_t i = 0; i < secret_detectors_n; i++)
		patterns[i] = secret_detectors[i].pattern;
	int rc = bh_multi_compile(patterns, secret_detectors_n, BH_MULTI_THIS, ret, err);
	free(patterns);
	return rc;
}

int secret_engine_new(struct secret_engine **ret, struct bh_err *err)
{
	struct secret_engine *e = calloc(1, sizeof(*e));
	if (!e)
		return no_memory(err);
	e->n = secret_detectors_n;
	e->rules = calloc(e->n, sizeof(*e->rules));
	int rc = e->rules ? load_patterns(&e->multi, err) : no_memory(err);
	if (rc < 0) {
		secret_engine_free(e);
		return rc;
	}
	for (size_t i = 0; i < e->n; i++)
		e->rules[i].detector = &secret_detectors[i];
	*ret = e;
	return 0;
}

void secret_engine_free(struct secret_engine *e)
{
	if (!e)
		return;
	for (size_t i = 0; e->rules && i < e->n; i++) {
		bh_regex_free(e->rules[i].pattern);
		bh_regex_free(e->rules[i].allow);
	}
	free(e->rules);
	bh_multi_free(e->multi);
	free(e);
}

const struct secret_detector *secret_engine_find(const struct secret_engine *e, struct bh_slice id)
{
	for (size_t i = 0; i < e->n; i++)
		if (bh_slice_eq_str(id, e->rules[i].detector->id))
			return e->rules[i].detector;
	return NULL;
}

/* Lines are lines to both libraries. */
static int compile(const char *pattern, struct bh_regex **ret, struct bh_err *err)
{
	char text[PATTERN_BYTES_MAX];
	int n = snprintf(text, sizeof(text), "(?m)%s", pattern);
	if (*ret)
		return 0;
	if (n < 0 || (size_t)n >= sizeof(text))
		return bh_fail(err, BH_ELIMIT, 0, "a pattern of more than %u bytes", PATTERN_BYTES_MAX);
	return bh_regex_compile(bh_slice_str(text), BH_REGEX_BYTES, REGEX_BYTES_MAX, ret, err);
}

/* ---- what decides ---- */

static bool has_word(struct bh_slice text, struct bh_slice word)
{
	for (size_t i = 0; word.len && i + word.len <= text.len; i++) {
		size_t n = 0;
		while (n < word.len && bh_lower(text.ptr[i + n]) == bh_lower(word.ptr[n]))
			n++;
		if (n == word.len)
			return true;
	}
	return false;
}

/* One of the words, separated by "|". */
static bool has_any(struct bh_slice text, struct bh_slice words)
{
	struct bh_slice word;
	bool more = words.len > 0;
	while (more) {
		more = bh_slice_cut(words, '|', &word, &words);
		if (has_word(text, more ? word : words))
			return true;
	}
	return false;
}

static bool is_near(const struct search *s, const struct secret_detector *d, size_t from, size_t to)
{
	struct bh_slice words = bh_slice_str(d->near);
	size_t begin = from > SECRET_NEAR_BYTES ? from - SECRET_NEAR_BYTES : 0;
	return words.len == 0 || has_any(bh_slice_sub(s->text, begin, to - begin), words) || has_any(s->path, words);
}

static bool is_allowed(struct search *s, struct rule *r, struct bh_slice secret)
{
	struct bh_slice whole;
	if (r->detector->allow[0] == '\0')
		return false;
	s->rc = compile(r->detector->allow, &r->allow, s->err);
	return s->rc == 0 && bh_regex_search(r->allow, secret, 0, &whole, 1) == 1;
}

static struct bh_slice around(const struct search *s, size_t from, size_t to)
{
	size_t begin = from > SECRET_WINDOW_BYTES ? from - SECRET_WINDOW_BYTES : 0;
	return bh_slice_sub(s->text, begin, to - begin + SECRET_WINDOW_BYTES);
}

/* A match: is it a secret? */
static void judge(struct search *s, struct rule *r, struct bh_slice whole, struct bh_slice secret)
{
	const struct secret_detector *d = r->detector;
	struct secret_hit hit = { .detector = d, .from = (size_t)(secret.ptr - s->text.ptr) };
	size_t at = (size_t)(whole.ptr - s->text.ptr);
	hit.to = hit.from + secret.len;
	if (secret.len == 0 || !is_near(s, d, at, at + whole.len) || (d->entropy && secret_entropy(secret) < d->entropy))
		return;
	if ((secret.len < PLACEHOLDER_BYTES_MAX && secret_is_placeholder(secret)) || is_allowed(s, r, secret) || s->rc < 0)
		return;
	if (d->check)
		hit.form = d->check(secret, around(s, at, at + whole.len), hit.said);
	if (hit.form != SECRET_WRONG && !secret_hit_vec_push(s->hits, hit))
		s->cut = "more secrets than a report may have of one text";
}

/* ---- the pass ---- */

/* Matches from where the last one ended, until one ends here or behind. */
static void find_again(struct search *s, struct rule *r, size_t end)
{
	struct bh_slice groups[2];
	struct bh_slice text = bh_slice_sub(s->text, 0, end + SECRET_WINDOW_BYTES);
	size_t from = end > SECRET_WINDOW_BYTES ? end - SECRET_WINDOW_BYTES : 0;
	r->done = r->done > from ? r->done : from;
	size_t n = bh_regex_groups(r->pattern) ? 2 : 1;
	while (s->rc == 0 && r->done < end) {
		if (bh_regex_search(r->pattern, text, r->done, groups, n) != 1) {
			r->done = end;
			if (++r->misses == MISSES_MAX)
				s->cut = "some matches are longer than what is looked at";
			return;
		}
		size_t behind = (size_t)(groups[0].ptr - s->text.ptr) + groups[0].len;
		r->done = behind > r->done ? behind : r->done + 1;
		judge(s, r, groups[0], n == 2 && groups[1].ptr ? groups[1] : groups[0]);
	}
}

static bool on_end(void *ctx, unsigned number, size_t end)
{
	struct search *s = ctx;
	struct rule *r = &s->engine->rules[number];
	if (r->text != s->engine->texts) {
		r->text = s->engine->texts;
		r->done = r->misses = 0;
	}
	if (end <= r->done || r->misses >= MISSES_MAX)
		return true;
	s->rc = compile(r->detector->pattern, &r->pattern, s->err);
	find_again(s, r, end);
	return s->rc == 0 && s->hits->len < s->hits->max;
}

/* ---- one for each place ---- */

static int compare_hits(const void *a, const void *b)
{
	const struct secret_hit *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (x->detector > y->detector) - (x->detector < y->detector);
}

static bool is_generic(const struct secret_hit *h)
{
	return strncmp(h->detector->id, "generic-", sizeof("generic-") - 1) == 0;
}

/* Does a say more than b about the same bytes? What is known by its form does, then what is worse, then what is longer. */
static bool says_more(const struct secret_hit *a, const struct secret_hit *b)
{
	if (is_generic(a) != is_generic(b))
		return is_generic(b);
	if (a->form != b->form)
		return a->form == SECRET_VALID;
	if (a->detector->severity != b->detector->severity)
		return a->detector->severity > b->detector->severity;
	return a->to - a->from > b->to - b->from;
}

static void choose(struct search *s)
{
	struct secret_hit *h = s->hits->ptr;
	size_t kept = s->first;
	if (s->hits->len == s->first)
		return;
	qsort(h + s->first, s->hits->len - s->first, sizeof(*h), compare_hits);
	for (size_t i = s->first; i < s->hits->len; i++) {
		if (kept == s->first || h[i].from >= h[kept - 1].to)
			h[kept++] = h[i];
		else if (says_more(&h[i], &h[kept - 1]))
			h[kept - 1] = h[i];
	}
	s->hits->len = kept;
}

int secret_engine_search(struct secret_engine *e, struct bh_slice path, struct bh_slice text, struct secret_hit_vec *hits, const char **cut, struct bh_err *err)
{
	struct search s = { .engine = e, .path = path, .text = text, .hits = hits, .first = hits->len, .err = err };
	e->texts++;
	int rc = bh_multi_search(e->multi, text, on_end, &s, err);
	rc = rc < 0 ? rc : s.rc;
	if (rc == 0)
		choose(&s);
	*cut = s.cut;
	return rc;
}
