/* parsers.c: the table of parsers and the question "who wants this path?". */
#include "pkg/pkg.h"

#define PKG_PARSER(name) extern const struct pkg_parser pkg_parser_##name;
#include "pkg/parsers.def"
#undef PKG_PARSER

const struct pkg_parser *const pkg_parsers[] = {
#define PKG_PARSER(name) &pkg_parser_##name,
#include "pkg/parsers.def"
#undef PKG_PARSER
	NULL,
};

static struct bh_slice basename_of(struct bh_slice path)
{
	size_t at = path.len;
	while (at && path.ptr[at - 1] != '/')
		at--;
	return bh_slice_sub(path, at, path.len);
}

static bool wants(const struct pkg_want *w, struct bh_slice path)
{
	struct bh_slice pattern = bh_slice_str(w->path);
	struct bh_slice base = basename_of(path);
	switch (w->kind) {
	case PKG_WANT_PATH: return bh_slice_eq(path, pattern);
	case PKG_WANT_DIR:
		return bh_slice_starts(path, pattern) && path.len - pattern.len == base.len && base.len &&
		       bh_slice_ends(base, bh_slice_str(w->suffix));
	case PKG_WANT_BELOW:
		return bh_slice_starts(path, pattern) && bh_slice_ends(path, bh_slice_str(w->suffix)) &&
		       path.len - pattern.len > strlen(w->suffix);
	case PKG_WANT_BASENAME: return bh_slice_eq(base, pattern);
	case PKG_WANT_SUFFIX: return bh_slice_ends(base, pattern);
	case PKG_WANT_END: break;
	}
	return false;
}

const struct pkg_parser *pkg_parser_for(struct bh_slice path, size_t *at)
{
	for (; pkg_parsers[*at]; ++*at)
		for (const struct pkg_want *w = pkg_parsers[*at]->wants; w->kind != PKG_WANT_END; w++)
			if (wants(w, path))
				return pkg_parsers[(*at)++];
	return NULL;
}

static bool is_fixed(const struct pkg_want *w)
{
	return w->kind == PKG_WANT_PATH || w->kind == PKG_WANT_DIR || w->kind == PKG_WANT_BELOW;
}

struct bh_slice pkg_fixed_place(size_t index)
{
	for (size_t i = 0; pkg_parsers[i]; i++)
		for (const struct pkg_want *w = pkg_parsers[i]->wants; w->kind != PKG_WANT_END; w++)
			if (is_fixed(w) && index-- == 0)
				return bh_slice_str(w->path);
	return (struct bh_slice){ 0 };
}

/* Does the wanted folder or file lie below dir, or dir below the wanted folder? */
static bool lies_below(const struct pkg_want *w, struct bh_slice dir)
{
	struct bh_slice pattern = bh_slice_str(w->path);
	if (!is_fixed(w) || dir.len == 0)
		return is_fixed(w);
	if (bh_slice_starts(pattern, dir) && pattern.len > dir.len && pattern.ptr[dir.len] == '/')
		return true;
	return w->kind == PKG_WANT_BELOW && bh_slice_starts(dir, pattern);
}

bool pkg_wants_below(struct bh_slice dir)
{
	for (size_t i = 0; pkg_parsers[i]; i++)
		for (const struct pkg_want *w = pkg_parsers[i]->wants; w->kind != PKG_WANT_END; w++)
			if (lies_below(w, dir))
				return true;
	return false;
}
