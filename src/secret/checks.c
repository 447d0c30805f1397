/* checks.c: see checks.h. */
#include "secret/checks.h"

#define DISTINCT_MIN 4u

static bool has_brackets(struct bh_slice s)
{
	return bh_slice_search(s, "${") || bh_slice_search(s, "{{") || bh_slice_search(s, "$(") || (s.ptr[0] == '<' && s.ptr[s.len - 1] == '>') || s.ptr[0] == '$' || s.ptr[0] == '%';
}

static unsigned distinct_bytes(struct bh_slice s)
{
	bool seen[256] = { 0 };
	unsigned n = 0;
	for (size_t i = 0; i < s.len; i++) {
		n += !seen[s.ptr[i]];
		seen[s.ptr[i]] = true;
	}
	return n;
}

bool secret_is_placeholder(struct bh_slice secret)
{
	static const char *const words[] = { "example", "changeme", "change-me", "change_me", "placeholder", "your-", "your_", "yourtoken", "dummy", "redacted", "xxxxxx", "******", NULL };
	if (secret.len == 0 || has_brackets(secret) || distinct_bytes(secret) < DISTINCT_MIN)
		return true;
	for (size_t i = 0; words[i]; i++)
		if (bh_slice_search(secret, words[i]))
			return true;
	return false;
}
