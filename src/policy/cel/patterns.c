#include "policy/cel/patterns.h"

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

static int make(struct bh_slice pattern, struct place *ret, struct bh_err *err)
{
	ret->pattern = malloc(pattern.len + 1);
	if (!ret->pattern)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a regular expression");
	if (pattern.len)
		memcpy(ret->pattern, pattern.ptr, pattern.len);
	ret->len = pattern.len;
	return bh_regex_compile(pattern, BH_REGEX_UTF8, PATTERN_MEMORY_BYTES, &ret->re, err);
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
