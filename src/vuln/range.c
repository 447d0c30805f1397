/* range.c: the ends of a range against one version. */
#include "vuln/range.h"

static bool order(const struct version_scheme *scheme, struct bh_slice version, struct bh_slice bound, int *ret)
{
	return scheme->valid(bound) && scheme->compare(version, bound, ret, NULL) == BH_OK;
}

enum vuln_holds vuln_range_holds(const struct version_scheme *scheme, const struct vuln_range *r, struct bh_slice version)
{
	int c = 0;
	/* The row's own "from the beginning" is an empty start; OSV also writes "0" for it, which no scheme has to know. */
	bool from_origin = r->start.len == 0 || bh_slice_eq_str(r->start, "0");
	if (!from_origin && !order(scheme, version, r->start, &c))
		return VULN_HOLDS_UNKNOWN;
	if (!from_origin && c < 0)
		return VULN_HOLDS_NO;
	if (r->kind == VULN_END_NONE)
		return VULN_HOLDS_YES;
	if (!order(scheme, version, r->end, &c))
		return VULN_HOLDS_UNKNOWN;
	return (r->kind == VULN_END_LAST ? c <= 0 : c < 0) ? VULN_HOLDS_YES : VULN_HOLDS_NO;
}
