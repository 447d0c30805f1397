/*
 * range_maven.c: version ranges of a pom.xml, as VersionRange of Maven 3.8 reads them: "[1.0,2.0)", "(,1.0],[1.2,)", "[1.0]". A version without
 * brackets is a wish, not a restriction: every version is in it.
 */
#include "version/chars.h"
#include "version/ranges.h"

struct ends {
	struct bh_slice low, high; /* empty: open */
	bool low_in, high_in;
};

static int order_of(const struct version_range *r, struct bh_slice a, struct bh_slice b)
{
	int order = 0;
	return r->scheme->compare(a, b, &order, NULL) < 0 ? 1 : order;
}

/* text: one pair of brackets and what is in it */
static bool parse_ends(const struct version_range *r, struct bh_slice text, struct ends *ret)
{
	ret->low_in = text.ptr[0] == '[';
	ret->high_in = text.ptr[text.len - 1] == ']';
	struct bh_slice inner = version_trim(bh_slice_sub(text, 1, text.len - 2));
	bool two = bh_slice_cut(inner, ',', &ret->low, &ret->high);
	ret->low = version_trim(ret->low);
	ret->high = version_trim(ret->high);
	if (!two) {
		ret->low = ret->high = ret->low.len ? ret->low : BH_SLICE_LIT("0"); /* "[]" */
		return ret->low_in && ret->high_in;
	}
	int order = ret->low.len && ret->high.len ? order_of(r, ret->low, ret->high) : -1;
	return order < 0 || (order == 0 && ret->low_in && ret->high_in);
}

static bool add_ends(struct version_range *r, const struct ends *e)
{
	bool good = (e->low.len == 0 || r->scheme->valid(e->low)) && (e->high.len == 0 || r->scheme->valid(e->high));
	version_range_or(r);
	good = good && version_range_add(r, VERSION_ANY, (struct bh_slice){ 0 }, 0);
	if (good && e->low.len)
		good = version_range_add(r, e->low_in ? VERSION_GE : VERSION_GT, e->low, 0);
	if (good && e->high.len)
		good = version_range_add(r, e->high_in ? VERSION_LE : VERSION_LT, e->high, 0);
	return good;
}

static size_t bracket_end(struct bh_slice s)
{
	size_t n = 1;
	while (n < s.len && s.ptr[n] != ')' && s.ptr[n] != ']')
		n++;
	return n;
}

static int parse(struct bh_slice text, struct version_range *r, struct bh_err *err)
{
	struct bh_slice rest = text;
	struct ends e = { 0 };
	bool some = false;
	while (rest.len && (rest.ptr[0] == '[' || rest.ptr[0] == '(')) {
		size_t end = bracket_end(rest);
		struct bh_slice before = e.high;
		if (end == rest.len || !parse_ends(r, version_take(&rest, end + 1), &e))
			return version_range_refuse(r, text, err);
		if (before.len && (e.low.len == 0 || order_of(r, e.low, before) < 0))
			return version_range_refuse(r, text, err); /* they overlap */
		if (!add_ends(r, &e))
			return version_range_refuse(r, text, err);
		some = true;
		rest = version_trim(rest);
		if (version_take_char(&rest, ','))
			rest = version_trim(rest);
	}
	if (rest.len && (some || !version_range_add(r, VERSION_ANY, (struct bh_slice){ 0 }, 0)))
		return version_range_refuse(r, text, err);
	return some || rest.len ? 0 : version_range_refuse(r, text, err);
}

const struct version_range_syntax version_ranges_maven = { .name = "maven", .scheme = "maven", .parse = parse };
