/*
 * apk.c: the order of Alpine package versions as apk-tools 2.14 has it (version.c, `apk version -t`):
 *
 *     digits{.digits}[letter][{_suffix[digits]}][~hash][-rdigits]
 *     suffixes:  _alpha < _beta < _pre < _rc  <  (none)  <  _cvs < _svn < _git < _hg < _p
 *
 * Two versions are walked token by token while their tokens are of one type and equal; then the one that goes on is the greater
 * one, unless it goes on with a suffix that means "before the release". A component behind a dot that starts with zeros sorts
 * as a fraction: more zeros are less ("1.01" < "1.1").
 *
 * Like the tool, compare() orders invalid versions too (an invalid token sorts first); valid() is `apk version --check`.
 * apk-tools 3 (Alpine 3.23 on) differs in corners that real versions don't reach:
 *   - components with leading zeros compare as texts there, so "1.0" < "1.00" and "1.09" > "1.010", here the other way round;
 *   - digits right behind a letter ("1.2p1"), an empty component ("1..2") and a repeated -r are invalid there, valid here;
 *   - invalid tokens sort last instead of first;
 *   - ~hash is new there. It is taken here as well, where apk 2 would call the version invalid: there is no older order to keep.
 */
#include "version/version.h"

enum token { INVALID = -1, DIGIT_OR_ZERO, DIGIT, LETTER, SUFFIX, SUFFIX_NUMBER, HASH, REVISION, END };

/* What a token is worth: `rank` first (zeros of a fraction: negative; letters; suffixes), then the number, then the text. */
struct value {
	int64_t rank;
	struct bh_slice digits; /* without leading zeros, any length */
	struct bh_slice text;   /* hash */
};

struct walk {
	struct bh_slice rest;
	enum token type; /* of the token in front */
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(uint8_t c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_hex(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static void advance(struct walk *w, size_t n)
{
	w->rest = bh_slice_sub(w->rest, n, w->rest.len);
}

/* Types only grow along a version, with these exceptions. */
static bool may_follow(enum token type, enum token before)
{
	if (type == HASH && before == HASH)
		return false;
	return type >= before || (type == DIGIT_OR_ZERO && before == DIGIT) || (type == SUFFIX && before == SUFFIX_NUMBER) ||
	       (type == DIGIT && before == LETTER);
}

/* The type that a separator announces; eats it. */
static enum token take_separator(struct walk *w)
{
	uint8_t c = w->rest.ptr[0];
	enum token type = INVALID;
	if (c == '.') {
		type = DIGIT_OR_ZERO;
	} else if (c == '_') {
		type = SUFFIX;
	} else if (c == '~') {
		type = HASH;
	} else if (c == '-' && w->rest.len > 1 && w->rest.ptr[1] == 'r') {
		type = REVISION;
		advance(w, 1);
	}
	advance(w, 1);
	return type;
}

static void find_next(struct walk *w)
{
	enum token before = w->type;
	uint8_t c = w->rest.ptr[0];
	enum token type;
	if ((before == DIGIT || before == DIGIT_OR_ZERO) && is_lower(c))
		type = LETTER;
	else if (before == LETTER && is_digit(c))
		type = DIGIT;
	else if (before == SUFFIX && is_digit(c))
		type = SUFFIX_NUMBER;
	else
		type = take_separator(w);
	w->type = may_follow(type, before) ? type : INVALID;
}

/* Number of bytes of the suffix's name, 0 when there is none; its rank. */
static size_t suffix_at(struct bh_slice s, int64_t *rank)
{
	static const struct {
		const char *name;
		int64_t rank;
	} suffixes[] = { { "alpha", -4 }, { "beta", -3 }, { "pre", -2 }, { "rc", -1 }, { "cvs", 0 }, { "svn", 1 }, { "git", 2 }, { "hg", 3 }, { "p", 4 } };
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		struct bh_slice name = bh_slice_str(suffixes[i].name);
		if (bh_slice_starts(s, name)) {
			*rank = suffixes[i].rank;
			return name.len;
		}
	}
	return 0;
}

static size_t number_at(struct bh_slice s, struct value *v)
{
	size_t n = 0, zeros = 0;
	while (zeros < s.len && s.ptr[zeros] == '0')
		zeros++;
	for (n = zeros; n < s.len && is_digit(s.ptr[n]);)
		n++;
	v->digits = bh_slice_sub(s, zeros, n - zeros);
	return n;
}

static struct value invalid_token(struct walk *w)
{
	w->type = INVALID;
	return (struct value){ .rank = -1 };
}

/* Takes the token in front and finds the type of the one behind it. */
static struct value take(struct walk *w)
{
	struct value v = { 0 };
	struct bh_slice s = w->rest;
	size_t n = 0;
	bool fraction = false;
	if (s.len == 0 && w->type != HASH) { /* "1." and "1-r" are fine with apk 2; "1~" is not with apk 3 */
		w->type = END;
		return v;
	}
	switch (w->type) {
	case DIGIT_OR_ZERO:
		while (n < s.len && s.ptr[n] == '0')
			n++;
		fraction = n > 0;
		v.rank = -(int64_t)n;
		if (!fraction)
			n = number_at(s, &v);
		break;
	case DIGIT:
	case SUFFIX_NUMBER:
	case REVISION:
		n = number_at(s, &v);
		break;
	case LETTER:
		v.rank = s.ptr[n++];
		break;
	case SUFFIX:
		n = suffix_at(s, &v.rank);
		if (n == 0)
			return invalid_token(w);
		break;
	case HASH:
		while (n < s.len && is_hex(s.ptr[n]))
			n++;
		if (n == 0)
			return invalid_token(w);
		v.text = bh_slice_sub(s, 0, n);
		break;
	case INVALID:
	case END:
		return invalid_token(w);
	}
	advance(w, n);
	if (w->rest.len == 0)
		w->type = END;
	else if (fraction)
		w->type = DIGIT; /* the digits behind the zeros are a token of their own */
	else
		find_next(w);
	return v;
}

static int compare_values(const struct value *a, const struct value *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->digits.len != b->digits.len)
		return a->digits.len < b->digits.len ? -1 : 1;
	int order = bh_slice_cmp(a->digits, b->digits);
	return order ? order : bh_slice_cmp(a->text, b->text);
}

/* Does the version go on with a suffix that sorts before the release (or with one that is unknown)? */
static bool goes_back(struct walk w)
{
	if (w.type != SUFFIX)
		return false;
	return take(&w).rank < 0;
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	if (a.len == 0 || b.len == 0 || bh_slice_find(a, '\0') < a.len || bh_slice_find(b, '\0') < b.len)
		return bh_fail(err, BH_EMALFORMED, 0, "an empty text, or one with a NUL byte, is not an Alpine version");
	struct walk x = { a, DIGIT }, y = { b, DIGIT };
	int order = 0;
	while (x.type == y.type && x.type != END && x.type != INVALID && order == 0) {
		struct value v = take(&x), w = take(&y);
		order = compare_values(&v, &w);
	}
	if (order)
		*ret = order < 0 ? -1 : 1;
	else if (x.type == y.type)
		*ret = 0;
	else if (goes_back(x))
		*ret = -1;
	else if (goes_back(y))
		*ret = 1;
	else
		*ret = x.type > y.type ? -1 : 1; /* the earlier a token type stands in the grammar, the more it says */
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct walk w = { v, DIGIT };
	if (v.len == 0 || bh_slice_find(v, '\0') < v.len)
		return false;
	while (w.type != END && w.type != INVALID)
		(void)take(&w);
	return w.type == END;
}

const struct version_scheme version_scheme_apk = { .name = "apk", .compare = compare, .valid = valid };
