/* gitleaks.c: see gitleaks.h. Semantics are those of gitleaks 8.30, as its README and its detect package have them. */
#include "secret/gitleaks.h"

#include "base/buf.h"
#include "format/regex.h"
#include "format/toml.h"
#include "secret/entropy.h"
#include "sys/files.h"

#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGEX_BYTES_MAX (8u << 20)
#define ARENA_BYTES_MAX (64u << 20)
#define ALLOWLISTS_MAX 4096u
#define REGEXES_MAX 4096u

struct reading {
	struct gitleaks_rules *rules;
	const char *path;
	unsigned depth;
	struct bh_err *err;
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the rules need more memory than they may have");
}

static int wrong(const struct reading *r, const struct bh_toml_node *at, const char *fmt, ...) BH_PRINTF(3, 4);
static int wrong(const struct reading *r, const struct bh_toml_node *at, const char *fmt, ...)
{
	char text[BH_ERR_TEXT_BYTES];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return bh_fail(r->err, BH_EUSAGE, 0, "%s:%u: %s", r->path, bh_toml_line(at), text);
}

void gitleaks_rules_init(struct gitleaks_rules *r)
{
	*r = (struct gitleaks_rules){ .rules.max = GITLEAKS_RULES_MAX, .allow.max = ALLOWLISTS_MAX };
	bh_arena_init(&r->arena, ARENA_BYTES_MAX);
}

static void regexes_done(struct gitleaks_regex_vec *v)
{
	for (size_t i = 0; i < v->len; i++)
		bh_regex_free(v->ptr[i]);
	gitleaks_regex_vec_done(v);
}

static void allowlists_done(struct gitleaks_allowlist_vec *v)
{
	for (size_t i = 0; i < v->len; i++) {
		regexes_done(&v->ptr[i].paths);
		regexes_done(&v->ptr[i].regexes);
	}
	gitleaks_allowlist_vec_done(v);
}

void gitleaks_rules_done(struct gitleaks_rules *r)
{
	for (size_t i = 0; i < r->rules.len; i++) {
		bh_regex_free(r->rules.ptr[i].path);
		allowlists_done(&r->rules.ptr[i].allow);
	}
	gitleaks_rule_vec_done(&r->rules);
	allowlists_done(&r->allow);
	bh_arena_done(&r->arena);
}

/* ---- reading ---- */

static int compile(const struct reading *r, const struct bh_toml_node *node, struct bh_regex **ret)
{
	struct bh_err why = { 0 };
	if (!bh_toml_is(node, BH_TOML_STRING))
		return wrong(r, node, "a regular expression in quotes was expected");
	int rc = bh_regex_compile(bh_toml_str(node), BH_REGEX_BYTES, REGEX_BYTES_MAX, ret, &why);
	return rc < 0 ? wrong(r, node, "a regular expression that RE2 does not take: %s", why.text) : 0;
}

static int read_regexes(const struct reading *r, const struct bh_toml_node *list, struct gitleaks_regex_vec *out)
{
	int rc = 0;
	out->max = REGEXES_MAX;
	for (size_t i = 0; rc == 0 && i < bh_toml_len(list); i++) {
		struct bh_regex *re = NULL;
		rc = compile(r, bh_toml_at(list, i), &re);
		if (rc == 0 && !gitleaks_regex_vec_push(out, re)) {
			bh_regex_free(re);
			rc = no_memory(r->err);
		}
	}
	return rc;
}

static int read_words(const struct reading *r, const struct bh_toml_node *list, const struct bh_slice **ret, size_t *ret_n)
{
	size_t n = bh_toml_len(list);
	struct bh_slice *words = n ? bh_arena_array(&r->rules->arena, n, sizeof(*words)) : NULL;
	if (n && !words)
		return no_memory(r->err);
	for (size_t i = 0; i < n; i++)
		if (!bh_toml_is(bh_toml_at(list, i), BH_TOML_STRING) || !bh_arena_copy(&r->rules->arena, bh_toml_str(bh_toml_at(list, i)), &words[i]))
			return wrong(r, bh_toml_at(list, i), "a text was expected");
	*ret = words;
	*ret_n = n;
	return 0;
}

static int read_allowlist(const struct reading *r, const struct bh_toml_node *node, struct gitleaks_allowlist *ret)
{
	struct bh_slice condition = bh_toml_str(bh_toml_get(node, "condition")), target = bh_toml_str(bh_toml_get(node, "regexTarget"));
	static const char *const ands[] = { "AND", "and", "&&", NULL };
	ret->all = bh_slice_is_one_of(condition, ands);
	ret->target = bh_slice_eq_str(target, "match") ? GITLEAKS_MATCH : bh_slice_eq_str(target, "line") ? GITLEAKS_LINE : GITLEAKS_SECRET;
	int rc = read_regexes(r, bh_toml_get(node, "paths"), &ret->paths);
	rc = rc < 0 ? rc : read_regexes(r, bh_toml_get(node, "regexes"), &ret->regexes);
	rc = rc < 0 ? rc : read_words(r, bh_toml_get(node, "stopwords"), &ret->stopwords, &ret->n_stopwords);
	return rc < 0 ? rc : read_words(r, bh_toml_get(node, "targetRules"), &ret->rules, &ret->n_rules);
}

/* "allowlist" is a table, "allowlists" an array of them. */
static int read_allowlists(const struct reading *r, const struct bh_toml_node *of, struct gitleaks_allowlist_vec *out)
{
	const struct bh_toml_node *one = bh_toml_get(of, "allowlist"), *many = bh_toml_get(of, "allowlists");
	size_t n = bh_toml_len(many) + (one != NULL);
	int rc = 0;
	out->max = ALLOWLISTS_MAX;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct gitleaks_allowlist a = { 0 };
		rc = read_allowlist(r, one && i == 0 ? one : bh_toml_at(many, i - (one != NULL)), &a);
		if (!gitleaks_allowlist_vec_push(out, a))
			rc = no_memory(r->err);
	}
	return rc;
}

static const char *text_of(const struct reading *r, const struct bh_toml_node *node)
{
	return bh_arena_strdup(&r->rules->arena, bh_toml_str(node));
}

static double number_of(const struct bh_toml_node *node)
{
	char text[32];
	struct bh_slice s = bh_toml_text(node);
	(void)snprintf(text, sizeof(text), "%.*s", BH_SLICE_FMT(bh_slice_sub(s, 0, sizeof(text) - 1)));
	return strtod(text, NULL);
}

static int read_rule(const struct reading *r, const struct bh_toml_node *node, struct gitleaks_rule *ret)
{
	const struct bh_toml_node *id = bh_toml_get(node, "id"), *title = bh_toml_get(node, "description"), *path = bh_toml_get(node, "path");
	int64_t group = 0;
	if (bh_toml_str(id).len == 0)
		return wrong(r, node, "a rule without id");
	if (bh_toml_len(bh_toml_get(node, "required")))
		return wrong(r, node, "rule %.*s is a composite one ([[rules.required]]), which is not supported: take it out", BH_SLICE_FMT(bh_toml_str(id)));
	ret->detector = (struct secret_detector){
		.id = text_of(r, id), .title = text_of(r, bh_toml_str(title).len ? title : id), .severity = BH_SEV_HIGH, .pattern = text_of(r, bh_toml_get(node, "regex")), .near = "",
		.allow = "", .revoke = "Revoke it where it was issued, replace it, and take it out of the image and its build.",
	};
	if (!ret->detector.id || !ret->detector.title || !ret->detector.pattern)
		return no_memory(r->err);
	if (ret->detector.pattern[0] == '\0' && !path)
		return wrong(r, node, "rule %s has neither regex nor path", ret->detector.id);
	if (bh_toml_i64(bh_toml_get(node, "secretGroup"), &group) && group >= 0)
		ret->group = (size_t)group;
	ret->entropy = number_of(bh_toml_get(node, "entropy"));
	int rc = path ? compile(r, path, &ret->path) : 0;
	rc = rc < 0 ? rc : read_words(r, bh_toml_get(node, "keywords"), &ret->keywords, &ret->n_keywords);
	return rc < 0 ? rc : read_allowlists(r, node, &ret->allow);
}

/* Of two rules of one id the one of the file that extends counts, which is read first. */
static bool is_known(const struct gitleaks_rules *r, struct bh_slice id)
{
	for (size_t i = 0; i < r->rules.len; i++)
		if (bh_slice_eq_str(id, r->rules.ptr[i].detector.id))
			return true;
	for (size_t i = 0; i < r->n_disabled; i++)
		if (bh_slice_eq(id, r->disabled[i]))
			return true;
	return false;
}

static int read_rules(const struct reading *r, const struct bh_toml_node *list)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_toml_len(list); i++) {
		const struct bh_toml_node *node = bh_toml_at(list, i);
		struct gitleaks_rule rule = { .allow.max = ALLOWLISTS_MAX };
		if (r->depth && is_known(r->rules, bh_toml_str(bh_toml_get(node, "id"))))
			continue;
		rc = read_rule(r, node, &rule);
		if (!gitleaks_rule_vec_push(&r->rules->rules, rule)) {
			allowlists_done(&rule.allow);
			bh_regex_free(rule.path);
			rc = no_memory(r->err);
		}
	}
	return rc;
}

static int read_at(struct gitleaks_rules *rules, const char *path, struct bh_slice text, unsigned depth, struct bh_err *err);

static int read_file(struct gitleaks_rules *rules, const char *path, unsigned depth, struct bh_err *err)
{
	struct bh_buf text;
	bh_buf_init(&text, GITLEAKS_FILE_BYTES_MAX);
	int rc = bh_read_file(path, GITLEAKS_FILE_BYTES_MAX, &text, err);
	rc = rc < 0 ? rc : read_at(rules, path, bh_buf_slice(&text), depth, err);
	bh_buf_done(&text);
	return rc;
}

static int read_extend(const struct reading *r, const struct bh_toml_node *extend)
{
	struct bh_slice path = bh_toml_str(bh_toml_get(extend, "path"));
	char beside[PATH_MAX], folder[PATH_MAX];
	if (r->depth == 0 && read_words(r, bh_toml_get(extend, "disabledRules"), &r->rules->disabled, &r->rules->n_disabled) < 0)
		return r->err->code;
	if (bh_toml_len(bh_toml_get(extend, "url")) || bh_toml_str(bh_toml_get(extend, "url")).len)
		return wrong(r, extend, "extend.url would be fetched: save the file and name it with extend.path");
	r->rules->use_default |= bh_toml_bool(bh_toml_get(extend, "useDefault"));
	if (path.len == 0)
		return 0;
	if (r->depth == GITLEAKS_EXTEND_DEPTH_MAX)
		return wrong(r, extend, "more than %u files that extend each other", GITLEAKS_EXTEND_DEPTH_MAX);
	(void)snprintf(folder, sizeof(folder), "%s", r->path);
	int n = path.ptr[0] == '/' ? snprintf(beside, sizeof(beside), "%.*s", BH_SLICE_FMT(path)) : snprintf(beside, sizeof(beside), "%s/%.*s", dirname(folder), BH_SLICE_FMT(path));
	if (n < 0 || (size_t)n >= sizeof(beside))
		return wrong(r, extend, "a path that is too long");
	return read_file(r->rules, beside, r->depth + 1, r->err);
}

static int read_at(struct gitleaks_rules *rules, const char *path, struct bh_slice text, unsigned depth, struct bh_err *err)
{
	const struct reading r = { rules, path, depth, err };
	struct bh_toml *doc = NULL;
	struct gitleaks_allowlist_vec allow = { .max = ALLOWLISTS_MAX };
	struct bh_err why = { 0 };
	int rc = bh_toml_parse(text, GITLEAKS_FILE_BYTES_MAX, &doc, &why);
	if (rc < 0)
		return bh_fail(err, BH_EUSAGE, 0, "%s: %s", path, why.text);
	const struct bh_toml_node *root = bh_toml_root(doc);
	rules->variant = (rules->variant + bh_slice_hash(text)) * 0x100000001b3u;
	rc = read_rules(&r, bh_toml_get(root, "rules"));
	rc = rc < 0 ? rc : read_allowlists(&r, root, &allow);
	for (size_t i = 0; i < allow.len; i++)
		if (!gitleaks_allowlist_vec_push(&rules->allow, allow.ptr[i])) {
			regexes_done(&allow.ptr[i].paths);
			regexes_done(&allow.ptr[i].regexes);
			rc = no_memory(err);
		}
	gitleaks_allowlist_vec_done(&allow);
	rc = rc < 0 ? rc : read_extend(&r, bh_toml_get(root, "extend"));
	bh_toml_free(doc);
	return rc;
}

int gitleaks_rules_parse(struct gitleaks_rules *r, const char *path, struct bh_slice text, struct bh_err *err)
{
	int rc = read_at(r, path, text, 0, err);
	if (rc == 0 && r->rules.len == 0 && !r->use_default)
		return bh_fail(err, BH_EUSAGE, 0, "%s: no rules: [[rules]], or [extend] with useDefault or path", path);
	return rc;
}

int gitleaks_rules_read(struct gitleaks_rules *r, const char *path, struct bh_err *err)
{
	int rc = read_file(r, path, 0, err);
	if (rc == 0 && r->rules.len == 0 && !r->use_default)
		return bh_fail(err, BH_EUSAGE, 0, "%s: no rules: [[rules]], or [extend] with useDefault or path", path);
	return rc;
}

/* ---- deciding ---- */

static bool any_matches(const struct gitleaks_regex_vec *v, struct bh_slice text)
{
	struct bh_slice whole;
	for (size_t i = 0; i < v->len; i++)
		if (bh_regex_search(v->ptr[i], text, 0, &whole, 1) == 1)
			return true;
	return false;
}

static bool any_word(const struct bh_slice *words, size_t n, struct bh_slice text)
{
	for (size_t i = 0; i < n; i++)
		if (bh_slice_has_nocase(text, words[i]))
			return true;
	return false;
}

bool gitleaks_wants(const struct gitleaks_rule *rule, struct bh_slice path, struct bh_slice text)
{
	struct bh_slice whole;
	if (rule->path && bh_regex_search(rule->path, path, 0, &whole, 1) != 1)
		return false;
	return rule->n_keywords == 0 || any_word(rule->keywords, rule->n_keywords, text);
}

static bool applies(const struct gitleaks_allowlist *a, const char *id)
{
	for (size_t i = 0; i < a->n_rules; i++)
		if (bh_slice_eq_str(a->rules[i], id))
			return true;
	return a->n_rules == 0;
}

static bool is_allowed(const struct gitleaks_allowlist *a, struct bh_slice path, struct bh_slice secret, struct bh_slice match, struct bh_slice line)
{
	struct bh_slice target = a->target == GITLEAKS_MATCH ? match : a->target == GITLEAKS_LINE ? line : secret;
	const bool given[] = { a->paths.len > 0, a->regexes.len > 0, a->n_stopwords > 0 };
	const bool holds[] = { any_matches(&a->paths, path), any_matches(&a->regexes, target), any_word(a->stopwords, a->n_stopwords, secret) };
	bool any = false, all = true;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		any |= given[i] && holds[i];
		all &= !given[i] || holds[i];
	}
	return a->all ? any && all : any;
}

static bool has_digit(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] >= '0' && s.ptr[i] <= '9')
			return true;
	return false;
}

bool gitleaks_is_secret(const struct gitleaks_rules *all, const struct gitleaks_rule *rule, struct bh_slice path, struct bh_slice secret, struct bh_slice match,
			struct bh_slice line)
{
	if (rule->entropy > 0 && secret_entropy_bits(secret) <= rule->entropy)
		return false;
	if (strncmp(rule->detector.id, "generic", sizeof("generic") - 1) == 0 && !has_digit(secret)) /* gitleaks' own rule for its generic ones */
		return false;
	for (size_t i = 0; i < rule->allow.len; i++)
		if (is_allowed(&rule->allow.ptr[i], path, secret, match, line))
			return false;
	for (size_t i = 0; i < all->allow.len; i++)
		if (applies(&all->allow.ptr[i], rule->detector.id) && is_allowed(&all->allow.ptr[i], path, secret, match, line))
			return false;
	return true;
}
