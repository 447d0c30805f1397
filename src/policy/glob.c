/*
 * glob.c: matching with two places to fall back to: behind the last "*" and behind the last "**". Only the last of each matters, so
 * the work is at most text x pattern, whatever the pattern.
 */
#include "policy/glob.h"

struct fallback {
	size_t pattern, text; /* where to go on; pattern is SIZE_MAX when there was no such star */
	bool folders;         /* a star between slashes, which takes whole folders */
};

static bool same(uint8_t pattern, uint8_t c, bool path)
{
	if (pattern == '?')
		return !path || c != '/';
	return path ? pattern == c : bh_lower(pattern) == bh_lower(c);
}

/* Goes back to the last star that may take one more byte. False when none may. */
static bool retry(struct bh_slice text, bool path, struct fallback *one, struct fallback *two, size_t *p, size_t *t)
{
	if (one->pattern != SIZE_MAX && one->text < text.len && !(path && text.ptr[one->text] == '/')) {
		*p = one->pattern;
		*t = ++one->text;
		return true;
	}
	if (two->pattern == SIZE_MAX || two->text >= text.len)
		return false;
	while (two->folders && two->text < text.len && text.ptr[two->text] != '/')
		two->text++;
	if (two->text == text.len)
		return false;
	one->pattern = SIZE_MAX;
	*p = two->pattern;
	*t = ++two->text;
	return true;
}

static bool match(struct bh_slice pattern, struct bh_slice text, bool path)
{
	struct fallback one = { SIZE_MAX, 0, false }, two = { SIZE_MAX, 0, false };
	size_t p = 0, t = 0;
	while (t < text.len || p < pattern.len) {
		bool star = p < pattern.len && pattern.ptr[p] == '*';
		if (star && path && p + 1 < pattern.len && pattern.ptr[p + 1] == '*') {
			p += 2;
			bool folders = p < pattern.len && pattern.ptr[p] == '/' && (p == 2 || pattern.ptr[p - 3] == '/');
			p += folders; /* it may be no folder at all */
			two = (struct fallback){ p, t, folders };
			one.pattern = SIZE_MAX;
		} else if (star) {
			one = (struct fallback){ ++p, t, false };
		} else if (p < pattern.len && t < text.len && same(pattern.ptr[p], text.ptr[t], path)) {
			p++;
			t++;
		} else if (!retry(text, path, &one, &two, &p, &t)) {
			return false;
		}
	}
	return true;
}

static struct bh_slice without_slash(struct bh_slice s)
{
	return s.len && s.ptr[0] == '/' ? bh_slice_sub(s, 1, s.len) : s;
}

bool policy_glob(struct bh_slice pattern, struct bh_slice text)
{
	return match(pattern, text, false);
}

bool policy_glob_path(struct bh_slice pattern, struct bh_slice path)
{
	return match(without_slash(pattern), without_slash(path), true);
}

bool policy_is_glob(struct bh_slice pattern)
{
	return bh_slice_find(pattern, '*') < pattern.len || bh_slice_find(pattern, '?') < pattern.len;
}
