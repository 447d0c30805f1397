/* removable.c: see removable.h. */
#include "harden/removable.h"

#define INFO "var/lib/dpkg/info/"
#define LIST ".list"

#define PACKAGE(why, group, names) { why, group, names },
#define TREE(why, folder)
static const struct removable packages[] = {
#include "harden/removable.def"
};
#undef PACKAGE
#undef TREE

#define PACKAGE(why, group, names)
#define TREE(why, folder) { why, NULL, folder },
static const struct removable trees[] = {
#include "harden/removable.def"
};
#undef PACKAGE
#undef TREE

static const struct clutter {
	enum shrink_why why; /* 0: kept */
	const char *path;
} clutter[] = {
#define CLUTTER(why, path) { why, path },
#define KEPT(path) { 0, path },
#include "harden/clutter.def"
#undef CLUTTER
#undef KEPT
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *shrink_why_text(unsigned bit)
{
	switch (bit) {
#define WHY(name, number, text) case number: return text;
#include "harden/shrink_why.def"
#undef WHY
	default: return NULL;
	}
}

/* The patterns are few and ours, each with two stars at most: going back costs nothing. */
static bool fits(struct bh_slice pattern, struct bh_slice text)
{
	while (pattern.len && pattern.ptr[0] != '*') {
		bool digit = bh_slice_starts(pattern, BH_SLICE_LIT("[0-9]"));
		if (text.len == 0 || (digit ? text.ptr[0] < '0' || text.ptr[0] > '9' : text.ptr[0] != pattern.ptr[0]))
			return false;
		pattern = bh_slice_sub(pattern, digit ? 5 : 1, pattern.len);
		text = bh_slice_sub(text, 1, text.len);
	}
	if (pattern.len == 0)
		return text.len == 0;
	for (size_t i = 0; i <= text.len; i++) {
		if (fits(bh_slice_sub(pattern, 1, pattern.len), bh_slice_sub(text, i, text.len)))
			return true;
		if (i < text.len && text.ptr[i] == '/')
			return false;
	}
	return false;
}

bool removable_fits(const char *pattern, struct bh_slice text)
{
	return fits(bh_slice_str(pattern), text);
}

const struct removable *removable_package(struct bh_slice name)
{
	for (size_t i = 0; i < COUNT(packages); i++) {
		struct bh_slice rest = bh_slice_str(packages[i].names), word;
		while (rest.len) {
			(void)bh_slice_cut(rest, ' ', &word, &rest);
			if (fits(word, name))
				return &packages[i];
		}
	}
	return NULL;
}

const struct removable *removable_tree(size_t index)
{
	return index < COUNT(trees) ? &trees[index] : NULL;
}

/* As many components of the path as the pattern has; all of it when the pattern names a file. */
static struct bh_slice comparable(struct bh_slice pattern, struct bh_slice path)
{
	size_t slashes = bh_slice_count(pattern, '/'), at = 0;
	if (!bh_slice_ends(pattern, BH_SLICE_LIT("/")))
		return path;
	for (; at < path.len && slashes; at++)
		slashes -= path.ptr[at] == '/';
	return bh_slice_sub(path, 0, slashes ? 0 : at);
}

enum shrink_why removable_clutter(struct bh_slice path)
{
	for (size_t i = 0; i < COUNT(clutter); i++) {
		struct bh_slice pattern = bh_slice_str(clutter[i].path);
		if (fits(pattern, comparable(pattern, path)))
			return clutter[i].why;
	}
	return 0;
}

const char *removable_clutter_at(size_t index)
{
	for (size_t i = 0; i < COUNT(clutter); i++)
		if (clutter[i].why && index-- == 0)
			return clutter[i].path;
	return NULL;
}

bool removable_list_package(struct bh_slice path, struct bh_slice *ret)
{
	struct bh_slice info = BH_SLICE_LIT(INFO), list = BH_SLICE_LIT(LIST), architecture;
	if (!bh_slice_starts(path, info) || !bh_slice_ends(path, list) || path.len < info.len + list.len)
		return false;
	(void)bh_slice_cut(bh_slice_sub(path, info.len, path.len - info.len - list.len), ':', ret, &architecture);
	return removable_package(*ret) != NULL;
}

bool removable_is_list(struct bh_slice path)
{
	struct bh_slice name;
	return removable_list_package(path, &name);
}
