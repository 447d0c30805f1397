/* parsers.c: the table of parsers and the question "who wants this path?". */
#include "pkg/pkg.h"

#include <assert.h>
#include <pthread.h>

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
		struct bh_slice p = bh_slice_base(pattern), part = bh_slice_base(path);
		if (part.len == 0 || !pkg_part_matches(p, part))
			return false;
		if (p.len == pattern.len)
			return true;
		pattern = without(pattern, p);
		path = without(path, part);
	}
}

bool pkg_wants_path(const struct pkg_want *w, struct bh_slice path, bool elf)
{
	struct bh_slice pattern = bh_slice_str(w->path);
	struct bh_slice base = bh_slice_base(path);
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

/*
 * ---- the index: which wants may a path interest? One bit per want, in the order of parsers; three bytes of the path's last part, its first
 * and its last two, each say which wants agree with them. What all three leave is then compared in full: 3 of some 150.
 */
#define WANTS_MAX 512u
#define WORDS (WANTS_MAX / 64)

struct set {
	uint64_t words[WORDS];
};

static struct {
	struct set first[256], last[256], before_last[256];
	const struct pkg_want *wants[WANTS_MAX];
	uint16_t parser[WANTS_MAX];
	size_t n;
} index_of;
static pthread_once_t index_once = PTHREAD_ONCE_INIT;

/* at: the byte that the want asks for; NULL: any does. */
static void agree(struct set *sets, const uint8_t *at, size_t want)
{
	for (size_t byte = at ? *at : 0; byte < (at ? (size_t)*at + 1 : 256); byte++)
		sets[byte].words[want / 64] |= 1ull << (want % 64);
}

static void add_want(const struct pkg_want *w, size_t parser)
{
	bool by_suffix = w->kind == PKG_WANT_DIR || w->kind == PKG_WANT_BELOW;
	struct bh_slice base = { 0 };
	if (w->kind != PKG_WANT_ELF)
		base = bh_slice_base(bh_slice_str(by_suffix ? w->suffix : w->path));
	bool begins = base.len && base.ptr[0] != '*' && (!by_suffix || base.len < strlen(w->suffix)); /* a suffix may lack the part's start */
	bool ends = base.len && base.ptr[base.len - 1] != '*', ends_in_two = ends && base.len > 1 && base.ptr[base.len - 2] != '*';
	size_t i = index_of.n++;
	assert(i < WANTS_MAX);
	index_of.wants[i] = w;
	index_of.parser[i] = (uint16_t)parser;
	agree(index_of.first, begins ? base.ptr : NULL, i);
	agree(index_of.last, ends ? base.ptr + base.len - 1 : NULL, i);
	agree(index_of.before_last, ends_in_two ? base.ptr + base.len - 2 : NULL, i);
}

static void make_index(void)
{
	for (size_t i = 0; pkg_parsers[i]; i++)
		for (const struct pkg_want *w = pkg_parsers[i]->wants; w->kind != PKG_WANT_END; w++)
			add_want(w, i);
}

/* The first want from parser number `from` on that the path fits; n when there is none. */
static size_t first_want(struct bh_slice path, bool elf, size_t from)
{
	struct bh_slice base = bh_slice_base(path);
	bool any = base.len < 2;
	for (size_t word = 0; word < WORDS && word * 64 < index_of.n; word++) {
		uint64_t left = any ? UINT64_MAX : index_of.first[base.ptr[0]].words[word] & index_of.last[base.ptr[base.len - 1]].words[word] &
							   index_of.before_last[base.ptr[base.len - 2]].words[word];
		for (; left; left &= left - 1) {
			size_t i = word * 64 + (size_t)__builtin_ctzll(left);
			if (i < index_of.n && index_of.parser[i] >= from && pkg_wants_path(index_of.wants[i], path, elf))
				return i;
		}
	}
	return index_of.n;
}

const struct pkg_parser *pkg_parser_for(struct bh_slice path, bool elf, size_t *at)
{
	(void)pthread_once(&index_once, make_index);
	size_t i = first_want(path, elf, *at);
	if (i == index_of.n) {
		while (pkg_parsers[*at])
			++*at;
		return NULL;
	}
	*at = index_of.parser[i] + 1u;
	return pkg_parsers[index_of.parser[i]];
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
