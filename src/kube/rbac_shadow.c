#include "kube/rbac_shadow.h"

const char *const rbac_part_fields[RBAC_PARTS] = { "verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs" };
const char *const rbac_part_words[RBAC_PARTS] = { "verb", "group", "resource", "name", "url" };

const struct rbac_words *rbac_part_of(const struct rbac_rule *rule, enum rbac_part part)
{
	switch (part) {
	case RBAC_VERBS: return &rule->verbs;
	case RBAC_GROUPS: return &rule->groups;
	case RBAC_RESOURCES: return &rule->resources;
	case RBAC_NAMES: return &rule->names;
	case RBAC_URLS: return &rule->urls;
	case RBAC_PARTS: break;
	}
	return NULL;
}

/* ---- words ---- */

static struct bh_slice without_stars(struct bh_slice url)
{
	while (url.len && url.ptr[url.len - 1] == '*')
		url.len--;
	return url;
}

/* A path that happens to end in a star is one that the pattern holds, too. */
static bool url_covers(struct bh_slice word, struct bh_slice other)
{
	return bh_slice_ends(word, BH_SLICE_LIT("*")) && bh_slice_starts(without_stars(other), without_stars(word));
}

bool rbac_word_covers(enum rbac_part part, struct bh_slice word, struct bh_slice other)
{
	if (bh_slice_eq(word, other))
		return true;
	if (part == RBAC_URLS)
		return url_covers(word, other);
	if (part == RBAC_NAMES)
		return false;
	if (bh_slice_eq_str(word, "*"))
		return true;
	/* "*" + "/" is no pattern: it would hold what has no subresource. */
	size_t slash = bh_slice_find(other, '/');
	return part == RBAC_RESOURCES && word.len > 2 && bh_slice_starts(word, BH_SLICE_LIT("*/")) && slash < other.len
	       && bh_slice_eq(bh_slice_sub(word, 1, word.len), bh_slice_sub(other, slash, other.len));
}

static bool words_cover(enum rbac_part part, struct rbac_words words, struct rbac_words others)
{
	for (size_t i = 0; i < others.n; i++) {
		size_t k = 0;
		while (k < words.n && !rbac_word_covers(part, words.ptr[k], others.ptr[i]))
			k++;
		if (k == words.n)
			return false;
	}
	return true;
}

static bool words_meet(enum rbac_part part, struct rbac_words a, struct rbac_words b)
{
	for (size_t i = 0; i < a.n; i++)
		for (size_t k = 0; k < b.n; k++)
			if (rbac_word_covers(part, a.ptr[i], b.ptr[k]) || rbac_word_covers(part, b.ptr[k], a.ptr[i]))
				return true;
	return false;
}

/* ---- rules ---- */

static bool has_resources(const struct rbac_rule *rule)
{
	return rule->verbs.n && rule->groups.n && rule->resources.n;
}

static bool has_urls(const struct rbac_rule *rule)
{
	return rule->verbs.n && rule->urls.n;
}

bool rbac_rule_covers(const struct rbac_rule *rule, const struct rbac_rule *other)
{
	if (!words_cover(RBAC_VERBS, rule->verbs, other->verbs) || (has_urls(other) && !words_cover(RBAC_URLS, rule->urls, other->urls)))
		return false;
	return !has_resources(other)
	       || (words_cover(RBAC_GROUPS, rule->groups, other->groups) && words_cover(RBAC_RESOURCES, rule->resources, other->resources)
		   && (rule->names.n == 0 || (other->names.n && words_cover(RBAC_NAMES, rule->names, other->names))));
}

bool rbac_rules_meet(const struct rbac_rule *a, const struct rbac_rule *b)
{
	if (!words_meet(RBAC_VERBS, a->verbs, b->verbs))
		return false;
	return words_meet(RBAC_URLS, a->urls, b->urls)
	       || (words_meet(RBAC_GROUPS, a->groups, b->groups) && words_meet(RBAC_RESOURCES, a->resources, b->resources)
		   && (a->names.n == 0 || b->names.n == 0 || words_meet(RBAC_NAMES, a->names, b->names)));
}

/* Names can't be told of what is created, or deleted as a whole; a list without a field selector has none either. */
static bool is_void_by_names(const struct rbac_rule *rule)
{
	if (rule->names.n == 0)
		return false;
	for (size_t i = 0; i < rule->names.n; i++)
		if (rule->names.ptr[i].len == 0)
			return false;
	for (size_t i = 0; i < rule->verbs.n; i++)
		if (!bh_slice_eq_str(rule->verbs.ptr[i], "create") && !bh_slice_eq_str(rule->verbs.ptr[i], "deletecollection"))
			return false;
	for (size_t i = 0; i < rule->resources.n; i++)
		if (bh_slice_eq_str(rule->resources.ptr[i], "*") || bh_slice_find(rule->resources.ptr[i], '/') < rule->resources.ptr[i].len)
			return false;
	return true;
}

bool rbac_rule_is_void(const struct rbac_rule *rule, bool cluster)
{
	return (!has_resources(rule) || is_void_by_names(rule)) && !(cluster && has_urls(rule));
}

/* ---- roles ---- */

bool rbac_role_covers(const struct rbac_role *role, const struct rbac_role *other, uint64_t *steps)
{
	for (size_t i = 0; role != other && i < other->n_rules; i++) {
		size_t k = 0;
		while (k < role->n_rules && !rbac_rule_covers(role->rules[k], other->rules[i]))
			k++;
		*steps += k + 1;
		if (k == role->n_rules)
			return false;
	}
	return true;
}
