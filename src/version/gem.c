/*
 * gem.c: the order of Ruby gems, as Gem::Version has it: runs of digits are numbers, runs of letters words, "-" is the word "pre". Words
 * come before numbers, what is missing is 0; zeros at the end, and those right before the first word, go:
 *
 *     1.a < 1.b < 1 = 1.0 < 1.0.1        1.0.0.a = 1.a
 */
#include "version/chars.h"
#include "version/version.h"

struct segment {
	bool is_word;
	struct bh_slice text;
};

struct segments {
	struct bh_slice rest;          /* of the numbers up to the first word */
	struct bh_slice words;         /* from the first word on */
};

/* False: no more. Numbers, words and "-"; all else separates. */
static bool take_segment(struct bh_slice *s, struct segment *ret)
{
	while (s->len) {
		uint8_t c = s->ptr[0];
		ret->is_word = !version_is_digit(c);
		ret->text = version_take(s, ret->is_word ? version_count(*s, version_is_alpha) : version_count(*s, version_is_digit));
		if (ret->text.len)
			return true;
		(void)version_take(s, 1);
		ret->text = BH_SLICE_LIT("pre");
		if (c == '-')
			return true;
	}
	return false;
}

/* Without the zeros at its end; at the first word, when `to_word`. *rest: what was not looked at. */
static struct bh_slice without_last_zeros(struct bh_slice s, bool to_word, struct bh_slice *rest)
{
	struct bh_slice at = s, before = s;
	struct segment segment;
	size_t keep = 0;
	while (take_segment(&at, &segment)) {
		if (to_word && segment.is_word)
			break;
		if (segment.is_word || !version_is_zero(segment.text))
			keep = s.len - at.len;
		before = at;
	}
	*rest = before;
	return bh_slice_sub(s, 0, keep);
}

static struct segments canonical(struct bh_slice v)
{
	struct bh_slice words, nothing;
	struct segments ret = { .rest = without_last_zeros(v, true, &words) };
	ret.words = without_last_zeros(words, false, &nothing);
	return ret;
}

static bool next(struct segments *s, struct segment *ret)
{
	return take_segment(&s->rest, ret) || take_segment(&s->words, ret);
}

static bool is_dotted(uint8_t c)
{
	return version_is_digit(c) || version_is_alpha(c);
}

static bool is_dashed(uint8_t c)
{
	return is_dotted(c) || c == '-';
}

/* [0-9]+(\.[0-9a-zA-Z]+)*(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)? with spaces around */
static bool valid(struct bh_slice v)
{
	v = version_trim(v);
	if (version_take_digits(&v).len == 0)
		return false;
	while (version_take_char(&v, '.'))
		if (version_take(&v, version_count(v, is_dotted)).len == 0)
			return false;
	if (!version_take_char(&v, '-'))
		return v.len == 0;
	do {
		if (version_take(&v, version_count(v, is_dashed)).len == 0)
			return false;
	} while (version_take_char(&v, '.'));
	return v.len == 0;
}

static int compare_segments(const struct segment *a, const struct segment *b)
{
	if (a->is_word != b->is_word)
		return a->is_word ? -1 : 1;
	return a->is_word ? bh_slice_cmp(a->text, b->text) : version_compare_numbers(a->text, b->text);
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	if (!valid(a))
		return version_refuse(err, a, "RubyGems");
	if (!valid(b))
		return version_refuse(err, b, "RubyGems");
	struct segments x = canonical(version_trim(a)), y = canonical(version_trim(b));
	int order = 0;
	for (bool more = true; more && order == 0;) {
		struct segment p = { 0 }, q = { 0 }, zero = { 0 };
		bool some_x = next(&x, &p), some_y = next(&y, &q);
		order = compare_segments(some_x ? &p : &zero, some_y ? &q : &zero);
		more = some_x || some_y;
	}
	*ret = order;
	return 0;
}

const struct version_scheme version_scheme_gem = { .name = "gem", .compare = compare, .valid = valid };
