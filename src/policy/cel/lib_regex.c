/*
 * lib_regex.c: regular expressions: matches of the language itself (cel-spec langdef.md, "Regular Expressions"), find and findAll of Kubernetes
 * (apiserver, library/regex.go). RE2 syntax; a pattern that is a literal is compiled once per run.
 */
#include "format/regex.h"
#include "policy/cel/library.h"

static struct cel_value matches(struct cel_run *run, const struct cel_value *a, size_t n)
{
	struct cel_value bad;
	struct bh_slice whole;
	const struct bh_regex *re = cel_regex(run, a[1].text, &bad);
	(void)n;
	if (!re)
		return bad;
	int rc = bh_regex_search(re, a[0].text, 0, &whole, 1);
	return rc < 0 ? cel_out_of_memory() : cel_bool(rc == 1);
}

/* The first match; empty when there is none. */
static struct cel_value find(struct cel_run *run, const struct cel_value *a, size_t n)
{
	struct cel_value bad;
	struct bh_slice whole;
	const struct bh_regex *re = cel_regex(run, a[1].text, &bad);
	(void)n;
	if (!re)
		return bad;
	int rc = bh_regex_search(re, a[0].text, 0, &whole, 1);
	if (rc < 0)
		return cel_out_of_memory();
	return cel_string(rc == 1 ? whole : (struct bh_slice){ 0 });
}

/* Where to look on behind a match: an empty one does not stand still. */
static size_t behind(struct bh_slice text, struct bh_slice match)
{
	size_t at = (size_t)(match.ptr - text.ptr) + match.len;
	if (match.len)
		return at;
	do
		at++;
	while (at < text.len && (text.ptr[at] & 0xc0) == 0x80);
	return at;
}

/* A match that is empty and lies right behind the one before is none (Go, regexp.FindAll). */
static bool counts(struct bh_slice match, const struct cel_value *before, size_t n)
{
	return match.len > 0 || n == 0 || before[n - 1].text.ptr + before[n - 1].text.len != match.ptr;
}

static struct cel_value find_up_to(struct cel_run *run, struct bh_slice text, struct bh_slice pattern, size_t limit)
{
	struct cel_value bad, *items = NULL;
	struct bh_slice match;
	size_t n = 0, cap = 0, at = 0;
	const struct bh_regex *re = cel_regex(run, pattern, &bad);
	if (!re)
		return bad;
	while (n < limit && at <= text.len) {
		int rc = bh_regex_search(re, text, at, &match, 1);
		if (rc < 0)
			return cel_out_of_memory();
		if (rc == 0)
			break;
		at = behind(text, match);
		if (!counts(match, items, n))
			continue;
		if (n == cap) {
			struct cel_value *more = bh_arena_array(cel_arena(run), cap * 2 + 8, sizeof(*more));
			if (!more)
				return cel_out_of_memory();
			if (n)
				memcpy(more, items, n * sizeof(*more));
			items = more;
			cap = cap * 2 + 8;
		}
		items[n++] = cel_string(match);
	}
	return cel_list_of(cel_arena(run), items, n);
}

static struct cel_value find_all(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)n;
	return find_up_to(run, a[0].text, a[1].text, SIZE_MAX);
}

/* A negative limit is none. */
static struct cel_value find_some(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)n;
	return find_up_to(run, a[0].text, a[1].text, a[2].integer < 0 ? SIZE_MAX : (size_t)a[2].integer);
}

static const struct cel_overload overloads[] = {
	{ "matches", "matches", "(string, string) -> bool", matches, cel_cost_of_match },
	{ "matches", "matches_string", "string.(string) -> bool", matches, cel_cost_of_match },
	{ "find", "string_find_string", "string.(string) -> string", find, cel_cost_of_match },
	{ "findAll", "string_find_all_string", "string.(string) -> list(string)", find_all, cel_cost_of_match },
	{ "findAll", "string_find_all_string_int", "string.(string, int) -> list(string)", find_some, cel_cost_of_match },
	{ 0 },
};

const struct cel_library cel_library_regex = { .name = "regex", .overloads = overloads };
