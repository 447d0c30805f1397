/*
 * range_nuget.c: version ranges of NuGet, as NuGet.Versioning reads them: "[1.0,2.0)" and its like; "1.0" is "[1.0,)"; a floating version asks for
 * the newest one from its lowest on: "1.2.*" is "[1.2,)", "1.0.0-beta*" is "[1.0.0-beta,)".
 */
#include "version/chars.h"
#include "version/ranges.h"

/* The lowest version that a floating one stands for; a version without "*" is itself. */
static bool lowest(struct version_range *r, struct bh_slice v, struct bh_slice *ret)
{
	*ret = v;
	if (v.len == 0 || v.ptr[v.len - 1] != '*')
		return r->scheme->valid(v);
	v.len--;
	if (bh_slice_find(v, '*') < v.len)
		return false;
	bool bare = v.len == 0, number = bare || v.ptr[v.len - 1] == '.', pre = v.len && v.ptr[v.len - 1] == '-';
	*ret = bh_slice_str(bh_arena_printf(r->arena, "%.*s%s", BH_SLICE_FMT(v), number || pre ? "0" : ""));
	bool floats = number || bh_slice_find(v, '-') < v.len;
	return ret->len && floats && r->scheme->valid(*ret);
}

static bool add(struct version_range *r, enum version_op op, struct bh_slice version)
{
	return version.len == 0 || version_range_add(r, op, version, 0);
}

static bool parse_brackets(struct version_range *r, struct bh_slice text)
{
	uint8_t open = text.ptr[0], close = text.ptr[text.len - 1];
	if (text.len < 3 || (close != ']' && close != ')'))
		return false;
	struct bh_slice low, high, inner = version_trim(bh_slice_sub(text, 1, text.len - 2));
	bool two = bh_slice_cut(inner, ',', &low, &high);
	low = version_trim(low);
	high = version_trim(high);
	if (!two)
		return open == '[' && close == ']' && r->scheme->valid(low) && add(r, VERSION_EQ, low);
	if ((low.len == 0 && high.len == 0) || (low.len && !lowest(r, low, &low)) || (high.len && !r->scheme->valid(high)))
		return false;
	int order = -1;
	if (low.len && high.len && (r->scheme->compare(low, high, &order, NULL) < 0 || order > 0 || (order == 0 && open == '(' && close == ')')))
		return false;
	return add(r, open == '[' ? VERSION_GE : VERSION_GT, low) && add(r, close == ']' ? VERSION_LE : VERSION_LT, high);
}

static int parse(struct bh_slice text, struct version_range *r, struct bh_err *err)
{
	struct bh_slice s = version_trim(text), low;
	bool good = s.len > 0;
	if (good && (s.ptr[0] == '[' || s.ptr[0] == '('))
		good = parse_brackets(r, s);
	else if (good)
		good = lowest(r, s, &low) && add(r, VERSION_GE, low);
	return good ? 0 : version_range_refuse(r, text, err);
}

const struct version_range_syntax version_ranges_nuget = { .name = "nuget", .scheme = "nuget", .parse = parse };
