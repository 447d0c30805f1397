/*
 * package_name.c: names that are the same to an ecosystem, but written in several ways.
 *
 *     PyPI         PEP 503: letters without case, runs of ".", "-" and "_" are one "-"     Flask_CORS -> flask-cors
 *     NuGet, Packagist, GitHub Actions: letters without case                                 Newtonsoft.Json -> newtonsoft.json
 *     SwiftURL     letters without case, without "https://" and ".git"                      https://github.com/Apple/swift-nio.git
 */
#include "vuln/package_name.h"

enum rule { LOWER, PEP503, REPOSITORY };

static const struct {
	const char *ecosystem;
	enum rule rule;
} rules[] = {
	{ "PyPI", PEP503 }, { "NuGet", LOWER }, { "Packagist", LOWER }, { "GitHub Actions", LOWER }, { "SwiftURL", REPOSITORY },
};

static bool is_separator(uint8_t c)
{
	return c == '-' || c == '_' || c == '.';
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool fold(struct bh_slice name, bool join_separators, struct bh_arena *arena, struct bh_slice *ret)
{
	uint8_t *out = bh_arena_alloc(arena, name.len);
	size_t len = 0;
	for (size_t i = 0; out && i < name.len; i++) {
		bool separator = join_separators && is_separator(name.ptr[i]);
		if (separator && i && is_separator(name.ptr[i - 1]))
			continue;
		out[len++] = separator ? '-' : lower(name.ptr[i]);
	}
	*ret = (struct bh_slice){ out, len };
	return out != NULL;
}

static struct bh_slice repository(struct bh_slice url)
{
	static const char *const schemes[] = { "https://", "http://" };
	for (size_t i = 0; i < 2; i++)
		if (bh_slice_starts(url, bh_slice_str(schemes[i])))
			url = bh_slice_sub(url, strlen(schemes[i]), url.len);
	if (bh_slice_ends(url, BH_SLICE_LIT(".git")))
		url.len -= strlen(".git");
	return url;
}

bool vuln_package_name(struct bh_slice ecosystem, struct bh_slice name, struct bh_arena *arena, struct bh_slice *ret)
{
	struct bh_slice family, suffix;
	(void)bh_slice_cut(ecosystem, ':', &family, &suffix);
	*ret = name;
	for (size_t i = 0; name.len && i < sizeof(rules) / sizeof(rules[0]); i++)
		if (bh_slice_eq_str(family, rules[i].ecosystem))
			return fold(rules[i].rule == REPOSITORY ? repository(name) : name, rules[i].rule == PEP503, arena, ret);
	return true;
}
