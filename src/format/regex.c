#include "format/regex.h"

#include "format/regex_re2.h"

#define PATTERN_BYTES_MAX (1u << 20)

/* bh_regex is RE2's object under another name. */
static struct regex_re2 *inside(struct bh_regex *re)
{
	return (struct regex_re2 *)re;
}

static const struct regex_re2 *inside_const(const struct bh_regex *re)
{
	return (const struct regex_re2 *)re;
}

int bh_regex_compile(struct bh_slice pattern, enum bh_regex_text text, size_t memory_bytes, struct bh_regex **ret, struct bh_err *err)
{
	char why[256] = "";
	struct regex_re2 *made = NULL;
	if (pattern.len > PATTERN_BYTES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "a regular expression of more than %u bytes", PATTERN_BYTES_MAX);
	switch (regex_re2_new(pattern.len ? (const char *)pattern.ptr : "", pattern.len, text == BH_REGEX_UTF8, memory_bytes, &made, why, sizeof(why))) {
	case REGEX_RE2_OK: *ret = (struct bh_regex *)made; return 0;
	case REGEX_RE2_WRONG: return bh_fail(err, BH_EMALFORMED, 0, "wrong regular expression: %s", why);
	case REGEX_RE2_TOO_LARGE: return bh_fail(err, BH_ELIMIT, 0, "a regular expression that needs too much memory: %s", why);
	case REGEX_RE2_NO_MEMORY: break;
	}
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for a regular expression");
}

void bh_regex_free(struct bh_regex *re)
{
	regex_re2_free(inside(re));
}

size_t bh_regex_groups(const struct bh_regex *re)
{
	return regex_re2_groups(inside_const(re));
}

const char *bh_regex_group_name(const struct bh_regex *re, size_t group)
{
	return regex_re2_group_name(inside_const(re), group);
}

int bh_regex_search(const struct bh_regex *re, struct bh_slice text, size_t from, struct bh_slice *groups, size_t n)
{
	struct regex_re2_part parts[BH_REGEX_GROUPS_MAX];
	n = n < BH_REGEX_GROUPS_MAX ? n : BH_REGEX_GROUPS_MAX;
	if (from > text.len)
		return 0;
	int rc = regex_re2_search(inside_const(re), text.len ? (const char *)text.ptr : "", text.len, from, parts, n);
	for (size_t i = 0; rc == 1 && i < n; i++)
		groups[i] = (struct bh_slice){ (const uint8_t *)parts[i].ptr, parts[i].len };
	return rc < 0 ? BH_ELIMIT : rc;
}
