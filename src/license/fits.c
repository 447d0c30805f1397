/*
 * fits.c: is an expression within an allow list and outside of a deny list? Versions are compared within a family: "GPL-2.0-or-later" may be
 * used as GPL-3.0-only, and an allowed "GPL-2.0-or-later" allows GPL-3.0-only.
 */
#include "license/license.h"

#include <strings.h>

#define WORD_BYTES_MAX 256u

/* "GPL-2.0-or-later" = GPL, 2.0, later. An identifier without a version at its end is a family of its own. */
struct meaning {
	struct bh_slice family, version, exception;
	bool later;
};

static struct bh_slice without_end(struct bh_slice s, const char *end, bool *had)
{
	if (s.len > strlen(end) && strncasecmp((const char *)s.ptr + s.len - strlen(end), end, strlen(end)) == 0) {
		s.len -= strlen(end);
		*had = true;
	}
	return s;
}

/* Where the letter of "1.3c" is; the length of s when it ends in none. */
static size_t letter_at(struct bh_slice s)
{
	bool letter = s.len > 1 && s.ptr[s.len - 1] >= 'a' && s.ptr[s.len - 1] <= 'z' && s.ptr[s.len - 2] >= '0' && s.ptr[s.len - 2] <= '9';
	return letter ? s.len - 1 : s.len;
}

static struct meaning meaning_of(struct bh_slice id, bool plus, struct bh_slice exception)
{
	bool only = false, later = plus;
	struct bh_slice base = without_end(without_end(without_end(id, "-only", &only), "-or-later", &later), "+", &later);
	size_t at = letter_at(base);
	while (at && ((base.ptr[at - 1] >= '0' && base.ptr[at - 1] <= '9') || base.ptr[at - 1] == '.'))
		at--;
	bool version = at && at < base.len && base.ptr[at - 1] == '-';
	return (struct meaning){ .family = version ? bh_slice_sub(base, 0, at - 1) : base,
				 .version = version ? bh_slice_sub(base, at, base.len) : (struct bh_slice){ 0 },
				 .exception = exception,
				 .later = later };
}

static bool same_text(struct bh_slice a, struct bh_slice b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp((const char *)a.ptr, (const char *)b.ptr, a.len) == 0);
}

/* A number and perhaps a letter behind it: 3, 3a, 3c. */
static uint64_t part_value(struct bh_slice part)
{
	size_t letter = letter_at(part);
	uint64_t n = 0;
	(void)bh_slice_u64(bh_slice_sub(part, 0, letter), UINT32_MAX, &n);
	return n << 8 | (letter < part.len ? part.ptr[letter] : 0);
}

/* Numbers between dots; "2" = "2.0". */
static int compare_versions(struct bh_slice a, struct bh_slice b)
{
	while (a.len || b.len) {
		struct bh_slice x, y;
		(void)bh_slice_cut(a, '.', &x, &a);
		(void)bh_slice_cut(b, '.', &y, &b);
		uint64_t m = part_value(x), n = part_value(y);
		if (m != n)
			return m < n ? -1 : 1;
	}
	return 0;
}

static bool compatible(const struct meaning *have, const struct meaning *word)
{
	if (!same_text(have->family, word->family) || !same_text(have->exception, word->exception))
		return false;
	int order = compare_versions(have->version, word->version);
	if (have->later && word->later)
		return true;
	return order == 0 || (word->later && order > 0) || (have->later && order < 0);
}

static bool glob(struct bh_slice pattern, struct bh_slice text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0;
	while (t < text.len || p < pattern.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = ++p;
			from = t;
		} else if (p < pattern.len && t < text.len && same_text(bh_slice_sub(pattern, p, 1), bh_slice_sub(text, t, 1))) {
			p++;
			t++;
		} else if (star != SIZE_MAX && from < text.len) {
			p = star;
			t = ++from;
		} else {
			return false;
		}
	}
	return true;
}

/* "GPL-2.0-or-later WITH Classpath-exception-2.0" */
static struct meaning word_meaning(struct bh_slice word)
{
	struct bh_slice id = word, exception = { 0 }, rest;
	if (bh_slice_cut(word, ' ', &id, &rest)) {
		struct bh_slice with;
		(void)bh_slice_cut(bh_slice_trim(rest), ' ', &with, &exception);
		exception = bh_slice_trim(exception);
	}
	return meaning_of(id, false, exception);
}

static bool is_like(const struct license_node *n, struct bh_slice word)
{
	if (bh_slice_find(word, '*') < word.len)
		return glob(word, n->id);
	struct meaning have = meaning_of(n->id, n->plus, n->exception), want = word_meaning(word);
	return compatible(&have, &want);
}

static bool in_list(const struct license_node *n, const struct license_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (is_like(n, bh_slice_trim(bh_slice_str(list->words[i]))))
			return true;
	return false;
}

/* "GPL-2.0-or-later" is not denied by GPL-3.0-only: it may be used as GPL-2.0. So a word denies what it names, and later versions if it says so. */
static bool is_denied(const struct license_node *n, const struct license_list *deny)
{
	struct meaning have = meaning_of(n->id, n->plus, n->exception);
	for (size_t i = 0; i < deny->n; i++) {
		struct bh_slice word = bh_slice_trim(bh_slice_str(deny->words[i]));
		struct meaning want = word_meaning(word);
		int order = compare_versions(have.version, want.version);
		bool pattern = bh_slice_find(word, '*') < word.len;
		bool named = same_text(have.family, want.family) && (want.exception.len == 0 || same_text(have.exception, want.exception)) &&
			     (order == 0 || (want.later && order > 0)) && (want.later || !have.later || same_text(n->id, word));
		if (pattern ? glob(word, n->id) : named)
			return true;
	}
	return false;
}

bool license_fits(const struct license_node *n, const struct license_list *allow, const struct license_list *deny, struct bh_slice *ret_bad)
{
	struct bh_slice left_bad = { 0 }, ignored = { 0 };
	bool fine;
	switch (n->kind) {
	case LICENSE_AND: return license_fits(n->left, allow, deny, ret_bad) && license_fits(n->right, allow, deny, ret_bad);
	case LICENSE_OR:
		if (license_fits(n->left, allow, deny, &left_bad) || license_fits(n->right, allow, deny, &ignored))
			return true;
		*ret_bad = left_bad;
		return false;
	case LICENSE_LEAF: break;
	}
	fine = !is_denied(n, deny) && (allow->n == 0 || in_list(n, allow));
	if (!fine)
		*ret_bad = n->id;
	return fine;
}
