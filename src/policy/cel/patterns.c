#include "policy/cel/patterns.h"

#include "base/buf.h"

#include <stdlib.h>

#define SETS 32u /* places by hash, two patterns each */
#define WAYS 2u
#define PATTERN_MEMORY_BYTES (8u << 20)

struct place {
	uint8_t *pattern;
	size_t len;
	struct bh_regex *re;
};

struct cel_patterns {
	struct place places[SETS][WAYS]; /* the one used last comes first */
};

static void clear(struct place *p)
{
	bh_regex_free(p->re);
	free(p->pattern);
	*p = (struct place){ 0 };
}

void cel_patterns_free(struct cel_patterns *kept)
{
	for (size_t i = 0; kept && i < SETS; i++)
		for (size_t k = 0; k < WAYS; k++)
			clear(&kept->places[i][k]);
	free(kept);
}

/* Where a class that begins at `at` ends: behind its bracket. The first ] is a member, and [:alpha:] stands inside. */
static size_t behind_class(struct bh_slice s, size_t at)
{
	at += at + 1 < s.len && s.ptr[at + 1] == '^' ? 2 : 1;
	for (size_t first = at; at < s.len; at++) {
		if (s.ptr[at] == '\\')
			at++;
		else if (s.ptr[at] == ']' && at > first)
			return at + 1;
		else if (s.ptr[at] == '[' && at + 1 < s.len && s.ptr[at + 1] == ':')
			for (at += 2; at < s.len && s.ptr[at] != ']'; at++)
				;
	}
	return s.len;
}

static size_t behind_quotation(struct bh_slice s, size_t at)
{
	while (at < s.len && !bh_slice_starts(bh_slice_sub(s, at, s.len), BH_SLICE_LIT("\\E")))
		at++;
	return at + 2 < s.len ? at + 2 : s.len;
}

/*
 * Go's regular expressions, which Kubernetes has, in RE2's syntax: (?<name>...) is (?P<name>...), and \C, a single byte, is refused.
 * `out` has room for twice the pattern.
 */
static int translate(struct bh_slice s, struct bh_buf *out, struct bh_err *err)
{
	for (size_t at = 0, end; at < s.len; at = end) {
		struct bh_slice rest = bh_slice_sub(s, at, s.len);
		end = at + 1;
		if (bh_slice_starts(rest, BH_SLICE_LIT("\\C")))
			return bh_fail(err, BH_EMALFORMED, 0, "wrong regular expression: invalid escape sequence: \\C");
		if (bh_slice_starts(rest, BH_SLICE_LIT("\\Q")))
			end = behind_quotation(s, at + 2);
		else if (s.ptr[at] == '\\')
			end = at + 2;
		else if (s.ptr[at] == '[')
			end = behind_class(s, at);
		bool is_name = bh_slice_starts(rest, BH_SLICE_LIT("(?<")) && rest.len > 3 && rest.ptr[3] != '=' && rest.ptr[3] != '!';
		if (is_name)
			end = at + 3;
		bh_buf_add(out, is_name ? BH_SLICE_LIT("(?P<") : bh_slice_sub(s, at, end - at));
	}
	return out->failed ? bh_fail(err, BH_ENOMEM, 0, "out of memory for a regular expression") : 0;
}

static int make(struct bh_slice pattern, struct place *ret, struct bh_err *err)
{
	ret->pattern = malloc(pattern.len + 1);
	if (!ret->pattern)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a regular expression");
	if (pattern.len)
		memcpy(ret->pattern, pattern.ptr, pattern.len);
	ret->len = pattern.len;
	struct bh_buf translated;
	bh_buf_init(&translated, 2 * pattern.len + 1);
	int rc = translate(pattern, &translated, err);
	if (rc == 0)
		rc = bh_regex_compile(bh_buf_slice(&translated), BH_REGEX_UTF8, PATTERN_MEMORY_BYTES, &ret->re, err);
	bh_buf_done(&translated);
	return rc;
}

/* In front of the others of its set; the last one goes. */
static int add(struct place *set, struct bh_slice pattern, struct bh_err *err)
{
	struct place fresh = { 0 };
	int rc = make(pattern, &fresh, err);
	if (rc < 0) {
		clear(&fresh);
		return rc;
	}
	clear(&set[WAYS - 1]);
	memmove(set + 1, set, (WAYS - 1) * sizeof(*set));
	set[0] = fresh;
	return 0;
}

int cel_patterns_get(struct cel_patterns **kept, struct bh_slice pattern, const struct bh_regex **ret, struct bh_err *err)
{
	if (!*kept)
		*kept = calloc(1, sizeof(**kept));
	if (!*kept)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a regular expression");
	struct place *set = (*kept)->places[bh_slice_hash(pattern) % SETS];
	for (size_t k = 0; k < WAYS; k++)
		if (set[k].re && bh_slice_eq((struct bh_slice){ set[k].pattern, set[k].len }, pattern)) {
			struct place found = set[k];
			memmove(set + 1, set, k * sizeof(*set));
			set[0] = found;
			*ret = found.re;
			return 0;
		}
	int rc = add(set, pattern, err);
	if (rc == 0)
		*ret = set[0].re;
	return rc;
}
