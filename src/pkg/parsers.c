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

#define ELF_MAGIC "\177ELF"

static struct bh_slice basename_of(struct bh_slice path)
{
	size_t at = path.len;
	while (at && path.ptr[at - 1] != '/')
		at--;
	return bh_slice_sub(path, at, path.len);
}

/* One part against one pattern; a "*" that fails is given one byte more, the last one only: enough, and linear in practice. */
bool pkg_part_matches(struct bh_slice pattern, struct bh_slice part)
{
	size_t i = 0, k = 0, star = SIZE_MAX, resume = 0;
	while (k < part.len) {
		if (i < pattern.len && pattern.ptr[i] == '*') {
			star = i++;
			resume = k;
		} else if (i < pattern.len && pattern.ptr[i] == part.ptr[k]) {
			i++;
			k++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			k = ++resume;
		} else {
			return false;
		}
	}
	while (i < pattern.len && pattern.ptr[i] == '*')
		i++;
	return i == pattern.len;
}

static struct bh_slice without(struct bh_slice path, struct bh_slice base)
{
	size_t len = path.len - base.len;
	return bh_slice_sub(path, 0, len ? len - 1 : 0);
}

static bool glob_matches(struct bh_slice pattern, struct bh_slice path)
{
	for (;;) {
		struct bh_slice p = basename_of(pattern), part = basename_of(path);
		if (part.len == 0 || !pkg_part_matches(p, part))
			return false;
		if (p.len == pattern.len)
			return true;
		pattern = without(pattern, p);
		path = without(path, part);
	}
}

static bool wants(const struct pkg_want *w, struct bh_slice path, bool elf)
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
	case PKG_WANT_GLOB: return glob_matches(pattern, path);
	case PKG_WANT_ELF: return elf;
	case PKG_WANT_END: break;
	}
	return false;
}

const struct pkg_parser *pkg_parser_for(struct bh_slice path, bool elf, size_t *at)
{
	for (; pkg_parsers[*at]; ++*at)
		for (const struct pkg_want *w = pkg_parsers[*at]->wants; w->kind != PKG_WANT_END; w++)
			if (wants(w, path, elf))
				return pkg_parsers[(*at)++];
	return NULL;
}

bool pkg_is_elf(struct bh_slice head)
{
	return bh_slice_starts(head, BH_SLICE_LIT(ELF_MAGIC));
}

uint64_t pkg_elf_max_bytes(void)
{
	uint64_t most = 0;
	for (size_t i = 0; pkg_parsers[i]; i++)
		for (const struct pkg_want *w = pkg_parsers[i]->wants; w->kind != PKG_WANT_END; w++)
			if (w->kind == PKG_WANT_ELF && pkg_parsers[i]->max_bytes > most)
				most = pkg_parsers[i]->max_bytes;
	return most;
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
