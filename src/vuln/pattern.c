/*
 * pattern.c: "golang.*" and the like, by walking the name once with the set of places in the pattern that can be reached so far:
 * pattern x name steps at most.
 */
#include "vuln/pattern.h"

#define PATTERN_BYTES_MAX 128u

bool vuln_pattern_valid(struct bh_slice pattern)
{
	for (size_t i = 0; i < pattern.len; i++) {
		uint8_t c = pattern.ptr[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
		if (!plain && !(c == '*' && i && pattern.ptr[i - 1] != '*'))
			return false;
	}
	return pattern.len > 0 && pattern.len <= PATTERN_BYTES_MAX;
}

static bool starred(struct bh_slice p, size_t at)
{
	return at + 1 < p.len && p.ptr[at + 1] == '*';
}

/* A starred character can be left out: what is behind it is reachable, too. */
static void reach(struct bh_slice p, bool *places, size_t at)
{
	places[at] = true;
	for (; starred(p, at); at += 2)
		places[at + 2] = true;
}

bool vuln_pattern_matches(struct bh_slice pattern, struct bh_slice name)
{
	bool now[PATTERN_BYTES_MAX + 1] = { 0 };
	if (!vuln_pattern_valid(pattern))
		return false;
	reach(pattern, now, 0);
	for (size_t n = 0; n < name.len; n++) {
		bool next[PATTERN_BYTES_MAX + 1] = { 0 };
		for (size_t p = 0; p < pattern.len; p++)
			if (now[p] && (pattern.ptr[p] == '.' || pattern.ptr[p] == name.ptr[n]))
				reach(pattern, next, starred(pattern, p) ? p : p + 1);
		memcpy(now, next, sizeof(now));
	}
	return now[pattern.len];
}
