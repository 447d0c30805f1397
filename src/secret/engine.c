/* engine.c: see engine.h. */
#include "secret/engine.h"

#include "format/multi.h"
#include "format/regex.h"
#include "secret/checks.h"
#include "secret/compiled.h"
#include "secret/entropy.h"
#include "secret/gitleaks.h"
#include "secret/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGEX_BYTES_MAX (8u << 20)
#define MISSES_MAX 64u          /* ends in one text whose match is longer than the window, until the detector is left out */
#define PLACEHOLDER_BYTES_MAX 256u
#define PATTERN_BYTES_MAX 16384u /* the generic ones of gitleaks are long */
#define LINE_BYTES_MAX 4096u     /* of a line, each way from the match */

/* A detector and where it is in the text that is searched. */
struct rule {
	const struct secret_detector *detector;
	const struct gitleaks_rule *custom; /* NULL: a built-in one */
	struct bh_regex *pattern, *allow; /* compiled when first needed */
	size_t done;                      /* up to here its matches are known */
	unsigned misses;
	bool disabled;
	bool unwanted;                    /* custom ones: not in this file, or without any of its keywords */
	uint64_t text;                    /* number of the text that these are about */
};

/* Patterns that are searched together: rules from `first` on. */
struct set {
	struct bh_multi *multi;
	size_t first;
};

struct secret_engine {
	const struct gitleaks_rules *custom;
	struct set sets[2];
	size_t n_sets;
	struct rule *rules;
	size_t n;
	uint64_t texts;
};

struct search {
	struct secret_engine *engine;
	struct bh_slice path, text;
	struct secret_hit_vec *hits;
	size_t set;
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

static bool is_disabled(const struct gitleaks_rules *custom, const char *id)
{
	for (size_t i = 0; custom && i < custom->n_disabled; i++)
		if (bh_slice_eq_str(custom->disabled[i], id))
			return true;
	return false;
}

static int add_built_in(struct secret_engine *e, struct bh_err *err)
{
	struct set *set = &e->sets[e->n_sets++];
	set->first = e->n;
	for (size_t i = 0; i < secret_detectors_n; i++)
		e->rules[e->n++] = (struct rule){ .detector = &secret_detectors[i], .disabled = is_disabled(e->custom, secret_detectors[i].id) };
	return load_patterns(&set->multi, err);
}

/* Rules without a pattern stand behind the others, where no search finds them. */
static int add_custom(struct secret_engine *e, struct bh_err *err)
{
	struct set *set = &e->sets[e->n_sets];
	size_t n = 0;
	const char **patterns = calloc(e->custom->rules.len + 1, sizeof(*patterns));
	if (!patterns)
		return no_memory(err);
	set->first = e->n;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < e->custom->rules.len; i++) {
			const struct gitleaks_rule *rule = &e->custom->rules.ptr[i];
			if ((rule->detector.pattern[0] == '\0') != (pass == 1))
				continue;
			e->rules[e->n++] = (struct rule){ .detector = &rule->detector, .custom = rule };
			if (pass == 0)
				patterns[n++] = rule->detector.pattern;
		}
	struct bh_err why = { 0 };
	int rc = n ? bh_multi_compile(patterns, n, BH_MULTI_THIS, &set->multi, &why) : 0;
	if (rc == BH_EMALFORMED && why.offset_bytes < n)
		rc = bh_fail(err, BH_EUSAGE, 0, "rule %s: its regular expression can't be searched for: %s", e->rules[set->first + why.offset_bytes].detector->id, why.text);
	else if (rc < 0)
		*err = why;
	e->n_sets += n > 0;
	free(patterns);
	return rc;
}

int secret_engine_new(const struct gitleaks_rules *custom, struct secret_engine **ret, struct bh_err *err)
{
	struct secret_engine *e = calloc(1, sizeof(*e));
	if (!e)
		return no_memory(err);
	e->custom = custom;
	e->rules = calloc(secret_detectors_n + (custom ? custom->rules.len : 0), sizeof(*e->rules));
	int rc = e->rules ? 0 : no_memory(err);
	if (rc == 0 && (!custom || custom->use_default))
		rc = add_built_in(e, err);
	if (rc == 0 && custom)
		rc = add_custom(e, err);
	if (rc < 0) {
		secret_engine_free(e);
		return rc;
	}
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
	for (size_t i = 0; i < sizeof(e->sets) / sizeof(e->sets[0]); i++)
		bh_multi_free(e->sets[i].multi);
	free(e);
}

const struct secret_detector *secret_engine_find(const struct secret_engine *e, struct bh_slice id)
{
	for (size_t i = 0; i < e->n; i++)
		if (bh_slice_eq_str(id, e->rules[i].detector->id))
			return e->rules[i].detector;
	return NULL;
}

const struct secret_detector *secret_engine_by_path(const struct secret_engine *e, struct bh_slice path, size_t *at)
{
	for (; e->custom && *at < e->n; ++*at) {
		const struct rule *r = &e->rules[*at];
		if (r->custom && r->detector->pattern[0] == '\0' && gitleaks_wants(r->custom, path, (struct bh_slice){ 0 }) &&
		    gitleaks_is_secret(e->custom, r->custom, path, path, path, path))
			return e->rules[(*at)++].detector;
	}
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

/* One of the words, separated by "|". */
static bool has_any(struct bh_slice text, struct bh_slice words)
{
	struct bh_slice word;
	bool more = words.len > 0;
	while (more) {
		more = bh_slice_cut(words, '|', &word, &words);
		if (bh_slice_has_nocase(text, word))
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

static void keep(struct search *s, const struct secret_hit *hit)
{
	if (!secret_hit_vec_push(s->hits, *hit))
		s->cut = "more secrets than a report may have of one text";
}

/* Which group the secret is: the one that the rule says, else the first that took part. */
static struct bh_slice secret_of(const struct gitleaks_rule *rule, const struct bh_slice *groups, size_t n)
{
	if (rule->group)
		return rule->group < n && groups[rule->group].ptr ? groups[rule->group] : (struct bh_slice){ 0 };
	for (size_t i = 1; i < n; i++)
		if (groups[i].len)
			return groups[i];
	return groups[0];
}

static void judge_custom(struct search *s, const struct rule *r, const struct bh_slice *groups, size_t n)
{
	struct bh_slice secret = secret_of(r->custom, groups, n);
	size_t at = (size_t)(groups[0].ptr - s->text.ptr);
	const struct secret_hit hit = { .detector = r->detector, .from = (size_t)(secret.ptr - s->text.ptr), .to = (size_t)(secret.ptr - s->text.ptr) + secret.len, .shown_at = at };
	if (secret.len && gitleaks_is_secret(s->engine->custom, r->custom, s->path, secret, groups[0], secret_lines_of(s->text, at, at + groups[0].len, LINE_BYTES_MAX)))
		keep(s, &hit);
}

/* A match: is it a secret? */
static void judge(struct search *s, struct rule *r, const struct bh_slice *groups, size_t n)
{
	if (r->custom) {
		judge_custom(s, r, groups, n);
		return;
	}
	const struct secret_detector *d = r->detector;
	struct bh_slice whole = groups[0], secret = n > 1 && groups[1].ptr ? groups[1] : groups[0];
	struct secret_hit hit = { .detector = d, .from = (size_t)(secret.ptr - s->text.ptr) };
	size_t at = (size_t)(whole.ptr - s->text.ptr);
	hit.to = hit.from + secret.len;
	hit.shown_at = hit.from;
	if (secret.len == 0 || !is_near(s, d, at, at + whole.len) || (d->entropy && secret_entropy(secret) < d->entropy))
		return;
	if ((secret.len < PLACEHOLDER_BYTES_MAX && secret_is_placeholder(secret)) || is_allowed(s, r, secret) || s->rc < 0)
		return;
	if (d->check)
		hit.form = d->check(secret, around(s, at, at + whole.len), hit.said);
	if (hit.form != SECRET_WRONG)
		keep(s, &hit);
}

/* ---- the pass ---- */

/* Matches from where the last one ended, until one ends here or behind. */
static void find_again(struct search *s, struct rule *r, size_t end)
{
	struct bh_slice groups[BH_REGEX_GROUPS_MAX];
	struct bh_slice text = bh_slice_sub(s->text, 0, end + SECRET_WINDOW_BYTES);
	size_t from = end > SECRET_WINDOW_BYTES ? end - SECRET_WINDOW_BYTES : 0;
	r->done = r->done > from ? r->done : from;
	size_t n = 1 + bh_regex_groups(r->pattern);
	n = !r->custom && n > 2 ? 2 : n > BH_REGEX_GROUPS_MAX ? BH_REGEX_GROUPS_MAX : n;
	while (s->rc == 0 && r->done < end) {
		if (bh_regex_search(r->pattern, text, r->done, groups, n) != 1) {
			r->done = end;
			if (++r->misses == MISSES_MAX)
				s->cut = "some matches are longer than what is looked at";
			return;
		}
		size_t behind = (size_t)(groups[0].ptr - s->text.ptr) + groups[0].len;
		r->done = behind > r->done ? behind : r->done + 1;
		judge(s, r, groups, n);
	}
}

static bool on_end(void *ctx, unsigned number, size_t end)
{
	struct search *s = ctx;
	struct rule *r = &s->engine->rules[s->engine->sets[s->set].first + number];
	if (r->text != s->engine->texts) {
		r->text = s->engine->texts;
		r->done = r->misses = 0;
		r->unwanted = r->disabled || (r->custom && !gitleaks_wants(r->custom, s->path, s->text));
	}
	if (r->unwanted || end <= r->done || r->misses >= MISSES_MAX)
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
	int rc = 0;
	for (s.set = 0; rc == 0 && s.set < e->n_sets; s.set++) {
		rc = bh_multi_search(e->sets[s.set].multi, text, on_end, &s, err);
		rc = rc < 0 ? rc : s.rc;
	}
	if (rc == 0)
		choose(&s);
	*cut = s.cut;
	return rc;
}
