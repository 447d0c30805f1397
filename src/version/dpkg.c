/*
 * dpkg.c: the order of Debian package versions, [epoch:]upstream[-revision], as dpkg 1.21 has it (lib/dpkg/parsehelp.c and
 * version.c; deb-version(7)). `dpkg --compare-versions` warns about some odd versions and compares them all the same; others
 * it refuses. So do we: what it only warns about is compared here.
 *
 * Inside upstream and revision, runs of non-digits and runs of digits alternate. Non-digits compare byte by byte with
 * ~ < end or digit < letters < everything else; digits compare as numbers of any length. Each byte is looked at once.
 */
#include "version/version.h"

#include <limits.h>

struct dpkg_version {
	uint64_t epoch;
	struct bh_slice upstream, revision;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* What strtol(3) skips before the epoch: dpkg has trimmed blanks and tabs, the others get this far. */
static bool is_space(uint8_t c)
{
	return is_blank(c) || (c >= '\n' && c <= '\r');
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct bh_slice trim_blanks(struct bh_slice s)
{
	while (s.len && is_blank(s.ptr[0]))
		s = bh_slice_sub(s, 1, s.len);
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* strtol(3) over the whole slice: spaces, a sign, digits; and dpkg's range, 0 to INT_MAX. NULL or what is wrong. */
static const char *parse_epoch(struct bh_slice s, uint64_t *ret)
{
	size_t i = 0;
	bool negative = false;
	while (i < s.len && is_space(s.ptr[i]))
		i++;
	if (i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+'))
		negative = s.ptr[i++] == '-';
	uint64_t value = 0;
	size_t first = i;
	for (; i < s.len && is_digit(s.ptr[i]); i++)
		if (value <= INT_MAX)
			value = value * 10 + (s.ptr[i] - '0');
	if (i == first || i < s.len)
		return "epoch is not a number";
	if (value > INT_MAX)
		return "epoch is too big";
	if (negative && value != 0)
		return "epoch is negative";
	*ret = value;
	return NULL;
}

/* NULL or what dpkg would refuse the version for. */
static const char *split(struct bh_slice s, struct dpkg_version *ret)
{
	*ret = (struct dpkg_version){ 0 };
	if (bh_slice_find(s, '\0') < s.len)
		return "it holds a NUL byte";
	s = trim_blanks(s);
	if (s.len == 0)
		return "it is empty";
	if (bh_slice_find(s, ' ') < s.len || bh_slice_find(s, '\t') < s.len)
		return "it has spaces inside";
	struct bh_slice head, tail;
	if (bh_slice_cut(s, ':', &head, &tail)) {
		if (head.len == 0)
			return "epoch is empty";
		const char *wrong = parse_epoch(head, &ret->epoch);
		if (wrong)
			return wrong;
		if (tail.len == 0)
			return "nothing follows the epoch";
		s = tail;
	}
	ret->upstream = s;
	for (size_t i = s.len; i > 0; i--) {
		if (s.ptr[i - 1] != '-')
			continue;
		ret->upstream = bh_slice_sub(s, 0, i - 1);
		ret->revision = bh_slice_sub(s, i, s.len);
		if (ret->revision.len == 0)
			return "revision is empty";
		break;
	}
	return ret->upstream.len ? NULL : "version number is empty";
}

/*
 * Where a byte stands among the non-digits. dpkg adds 256 to a plain char: bytes beyond ASCII are negative there and come
 * out as 128 to 255, between the letters and the other signs.
 */
static int order(struct bh_slice s, size_t i)
{
	if (i >= s.len || is_digit(s.ptr[i]))
		return 0;
	uint8_t c = s.ptr[i];
	if (is_alpha(c))
		return c;
	if (c == '~')
		return -1;
	return c < 128 ? c + 256 : c;
}

static bool digit_at(struct bh_slice s, size_t i)
{
	return i < s.len && is_digit(s.ptr[i]);
}

/* dpkg's verrevcmp() over two upstream versions or two revisions. */
static int compare_part(struct bh_slice a, struct bh_slice b)
{
	size_t i = 0, j = 0;
	while (i < a.len || j < b.len) {
		while ((i < a.len && !is_digit(a.ptr[i])) || (j < b.len && !is_digit(b.ptr[j]))) {
			int x = order(a, i), y = order(b, j);
			if (x != y)
				return x < y ? -1 : 1;
			i++, j++;
		}
		while (i < a.len && a.ptr[i] == '0')
			i++;
		while (j < b.len && b.ptr[j] == '0')
			j++;
		int first_difference = 0;
		for (; digit_at(a, i) && digit_at(b, j); i++, j++)
			if (!first_difference)
				first_difference = a.ptr[i] - b.ptr[j];
		if (digit_at(a, i))
			return 1;
		if (digit_at(b, j))
			return -1;
		if (first_difference)
			return first_difference < 0 ? -1 : 1;
	}
	return 0;
}

static int parse(struct bh_slice s, struct dpkg_version *ret, struct bh_err *err)
{
	const char *wrong = split(s, ret);
	return wrong ? bh_fail(err, BH_EMALFORMED, 0, "\"%.*s\" is not a Debian version: %s", BH_SLICE_FMT(bh_slice_sub(s, 0, 80)), wrong) : 0;
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct dpkg_version x, y;
	int rc = parse(a, &x, err);
	if (rc == 0)
		rc = parse(b, &y, err);
	if (rc < 0)
		return rc;
	int order_found = (x.epoch > y.epoch) - (x.epoch < y.epoch);
	if (order_found == 0)
		order_found = compare_part(x.upstream, y.upstream);
	if (order_found == 0)
		order_found = compare_part(x.revision, y.revision);
	*ret = order_found;
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct dpkg_version parts;
	return split(v, &parts) == NULL;
}

const struct version_scheme version_scheme_dpkg = { .name = "dpkg", .compare = compare, .valid = valid };
