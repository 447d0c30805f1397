/*
 * range_pep440.c: specifiers of Python packages, as `packaging` reads them (PEP 440): comparisons between commas, all of which must hold.
 *
 *     ==1.2, !=1.2    local parts count only when written          ==1.2.*, !=1.2.*   by the beginning of the release
 *     >=1.2, <=1.2    local parts of the version don't count        ~=1.2.3            >=1.2.3, ==1.2.*
 *     <1.2            not the pre-releases of 1.2 itself            >1.2               not post-releases and local builds of 1.2 itself
 *     ===text         letter by letter, without case
 *
 * The rules of "<" and ">" are those of packaging 26; earlier ones left out a few more (">1.2a1" did not mean 1.2.post1).
 */
#include "version/chars.h"
#include "version/pep440_parts.h"
#include "version/ranges.h"

enum own {
	PREFIX = 1, /* EQ, NE: the release begins like this */
	TEXT = 2,   /* EQ: as text */
};

enum operator { COMPATIBLE, ARBITRARY, EQUAL, UNEQUAL, LESS_EQ, GREATER_EQ, LESS, GREATER };
static const char *const operators[] = { "~=", "===", "==", "!=", "<=", ">=", "<", ">", NULL };
static const enum version_op ops[] = { VERSION_GE, VERSION_EQ, VERSION_EQ, VERSION_NE, VERSION_LE, VERSION_GE, VERSION_LT, VERSION_GT };

/* Do nothing but numbers stand before the star of "1.2.*"? */
static bool is_prefix(struct bh_slice word, struct pep440 *parts)
{
	return pep440_parse(word, parts) && parts->pre == PEP440_FINAL && !parts->has_post && !parts->has_dev && parts->local.len == 0;
}

/* "1.2.3" -> "==1.2.*", with its epoch */
static bool add_compatible(struct version_range *r, struct bh_slice word, const struct pep440 *parts)
{
	size_t end = parts->written.len;
	while (end && parts->written.ptr[end - 1] != '.')
		end--;
	if (end == 0 || parts->local.len)
		return false;
	size_t before = (size_t)(parts->written.ptr - word.ptr);
	return version_range_add(r, VERSION_GE, word, 0) && version_range_add(r, VERSION_EQ, bh_slice_sub(word, 0, before + end - 1), PREFIX);
}

static bool has_space_or_bracket(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (version_is_space(s.ptr[i]) || s.ptr[i] == ')' || s.ptr[i] == ';')
			return true;
	return false;
}

static bool add_specifier(struct version_range *r, struct bh_slice word)
{
	struct pep440 parts;
	int op = version_range_take_op(&word, operators);
	if (op < 0 || word.len == 0)
		return false;
	if (op == ARBITRARY)
		return !has_space_or_bracket(word) && version_range_add(r, VERSION_EQ, word, TEXT);
	if ((op == EQUAL || op == UNEQUAL) && bh_slice_ends(word, BH_SLICE_LIT(".*"))) {
		word.len -= 2;
		return is_prefix(word, &parts) && version_range_add(r, ops[op], word, PREFIX);
	}
	if (!pep440_parse(word, &parts))
		return false;
	if (op == COMPATIBLE)
		return add_compatible(r, word, &parts);
	return (op == EQUAL || op == UNEQUAL || parts.local.len == 0) && version_range_add(r, ops[op], word, 0);
}

static int parse(struct bh_slice text, struct version_range *r, struct bh_err *err)
{
	struct bh_slice rest = text, word;
	if (!version_range_add(r, VERSION_ANY, (struct bh_slice){ 0 }, 0)) /* "" is every version */
		return version_range_refuse(r, text, err);
	for (bool more = true; more;) {
		more = bh_slice_cut(rest, ',', &word, &rest);
		word = version_trim(word);
		if (word.len && !add_specifier(r, word))
			return version_range_refuse(r, text, err);
	}
	return 0;
}

/* Numbers of the release, "0" for those that are missing. */
static bool begins_like(const struct pep440 *v, const struct pep440 *prefix)
{
	struct bh_slice a = v->written, b = prefix->written;
	bool more = version_compare_numbers(v->epoch, prefix->epoch) == 0;
	bool same = more;
	while (more && same) {
		struct bh_slice x, y;
		more = bh_slice_cut(b, '.', &y, &b);
		(void)bh_slice_cut(a, '.', &x, &a);
		same = version_compare_numbers(x, y) == 0;
	}
	return same;
}

static int compare_public(struct pep440 v, const struct pep440 *bound)
{
	v.local = (struct bh_slice){ 0 };
	return pep440_compare(&v, bound);
}

/* Before the first pre-release of the bound, unless it is one itself. */
static bool is_before(const struct pep440 *v, struct pep440 bound)
{
	if (!pep440_is_prerelease(&bound)) {
		bound.has_dev = true;
		bound.pre = bound.has_post ? bound.pre : PEP440_DEV_ONLY;
	}
	return pep440_compare(v, &bound) < 0;
}

/* Behind the bound and its local builds; and its post-releases, unless it is one itself. */
static bool is_behind(const struct pep440 *v, const struct pep440 *bound)
{
	bool same = version_compare_numbers(v->epoch, bound->epoch) == 0 && pep440_compare_release(v->release, bound->release) == 0 &&
		v->pre == bound->pre &&
		    version_compare_numbers(v->pre_number, bound->pre_number) == 0;
	return compare_public(*v, bound) > 0 && (!same || bound->has_post || bound->has_dev);
}

static bool holds(const struct version_range *r, const struct version_bound *b, struct bh_slice version)
{
	struct pep440 v, bound;
	(void)r;
	if (b->own & TEXT)
		return version_compare_nocase(version, b->version) == 0;
	if (!pep440_parse(version, &v) || !pep440_parse(b->version, &bound))
		return false;
	if (b->own & PREFIX)
		return begins_like(&v, &bound) == (b->op == VERSION_EQ);
	switch (b->op) {
	case VERSION_LT: return is_before(&v, bound);
	case VERSION_GT: return is_behind(&v, &bound);
	case VERSION_EQ:
	case VERSION_NE: return version_op_holds(b->op, bound.local.len ? pep440_compare(&v, &bound) : compare_public(v, &bound));
	case VERSION_LE:
	case VERSION_GE: return version_op_holds(b->op, compare_public(v, &bound));
	case VERSION_ANY:
	case VERSION_NONE: break;
	}
	return false;
}

const struct version_range_syntax version_ranges_pep440 = { .name = "pep440", .scheme = "pep440", .parse = parse, .holds = holds };
