/*
 * pep440.c: the order of Python packages, as the library `packaging` has it (PEP 440):
 *
 *     [v][epoch!]1.2.3[{a|b|rc}N][.postN][.devN][+local]
 *
 * in any case, with ".", "-", "_" or nothing between the parts, and the spellings alpha, beta, c, pre, preview, rev, r, and -N for .postN.
 *
 *     1.0.dev1 < 1.0a1.dev1 < 1.0a1 < 1.0a1.post1 < 1.0 < 1.0+local < 1.0.post1.dev1 < 1.0.post1
 */
#include "version/chars.h"
#include "version/pep440_parts.h"
#include "version/version.h"

static void skip_separator(struct bh_slice *s)
{
	if (s->len && (s->ptr[0] == '.' || s->ptr[0] == '-' || s->ptr[0] == '_'))
		(void)version_take(s, 1);
}

/* Takes [separator]word[separator][digits]. The words are tried in order, longer ones first. Returns the word's place, or n. */
static size_t take_part(struct bh_slice *s, const char *const *words, size_t n, struct bh_slice *number)
{
	struct bh_slice rest = *s;
	skip_separator(&rest);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);
		if (!version_eq_nocase(bh_slice_sub(rest, 0, len), words[i]))
			continue;
		(void)version_take(&rest, len);
		skip_separator(&rest);
		*number = version_take_digits(&rest);
		*s = rest;
		return i;
	}
	return n;
}

static void take_pre(struct bh_slice *s, struct pep440 *ret)
{
	static const char *const words[] = { "alpha", "a", "beta", "b", "preview", "pre", "c", "rc" };
	static const enum pep440_pre kinds[] = { PEP440_ALPHA, PEP440_ALPHA, PEP440_BETA, PEP440_BETA, PEP440_RC, PEP440_RC, PEP440_RC,
						 PEP440_RC, PEP440_FINAL };
	ret->pre = kinds[take_part(s, words, 8, &ret->pre_number)];
}

static void take_post(struct bh_slice *s, struct pep440 *ret)
{
	static const char *const words[] = { "post", "rev", "r" };
	if (s->len > 1 && s->ptr[0] == '-' && version_is_digit(s->ptr[1])) {
		(void)version_take(s, 1);
		ret->post = version_take_digits(s);
		ret->has_post = true;
	} else {
		ret->has_post = take_part(s, words, 3, &ret->post) < 3;
	}
}

static bool take_release(struct bh_slice *s, struct pep440 *ret)
{
	struct bh_slice whole = *s;
	size_t keep = 0, end = 0;
	do {
		struct bh_slice digits = version_take_digits(s);
		if (digits.len == 0)
			return false;
		end = whole.len - s->len;
		keep = version_is_zero(digits) && keep ? keep : end;
	} while (s->len > 1 && s->ptr[0] == '.' && version_is_digit(s->ptr[1]) && version_take_char(s, '.'));
	ret->release = bh_slice_sub(whole, 0, keep);
	ret->written = bh_slice_sub(whole, 0, end);
	return true;
}

static bool is_local_byte(uint8_t c)
{
	return version_is_digit(c) || version_is_alpha(c);
}

static struct bh_slice take_local_word(struct bh_slice *s)
{
	struct bh_slice word = version_take(s, version_count(*s, is_local_byte));
	return word;
}

static bool is_local(struct bh_slice s)
{
	for (;;) {
		if (take_local_word(&s).len == 0)
			return false;
		if (s.len == 0)
			return true;
		size_t before = s.len;
		skip_separator(&s);
		if (s.len == before)
			return false;
	}
}

bool pep440_parse(struct bh_slice s, struct pep440 *ret)
{
	static const char *const dev[] = { "dev" };
	*ret = (struct pep440){ 0 };
	s = version_trim(s);
	if (s.len && version_lower(s.ptr[0]) == 'v')
		(void)version_take(&s, 1);
	struct bh_slice head = s, digits = version_take_digits(&head);
	if (digits.len && version_take_char(&head, '!')) {
		ret->epoch = digits;
		s = head;
	}
	if (!take_release(&s, ret))
		return false;
	take_pre(&s, ret);
	take_post(&s, ret);
	ret->has_dev = take_part(&s, dev, 1, &ret->dev) < 1;
	if (ret->pre == PEP440_FINAL && !ret->has_post && ret->has_dev)
		ret->pre = PEP440_DEV_ONLY;
	if (s.len == 0)
		return true;
	ret->local = bh_slice_sub(s, 1, s.len);
	return s.ptr[0] == '+' && is_local(ret->local);
}

/* "1.2" against "1.2.3": what is missing comes first; release has no zeros at its end */
int pep440_compare_release(struct bh_slice a, struct bh_slice b)
{
	for (;;) {
		struct bh_slice x, y;
		bool more_a = bh_slice_cut(a, '.', &x, &a), more_b = bh_slice_cut(b, '.', &y, &b);
		int order = version_compare_numbers(x, y);
		if (order || !more_a || !more_b)
			return order ? order : more_a - more_b;
	}
}

/* Words before numbers; the shorter list first; none before all. */
static int compare_local(struct bh_slice a, struct bh_slice b)
{
	while (a.len && b.len) {
		struct bh_slice x = take_local_word(&a), y = take_local_word(&b);
		bool number_x = version_is_number(x), number_y = version_is_number(y);
		if (number_x != number_y)
			return number_x ? 1 : -1;
		int order = number_x ? version_compare_numbers(x, y) : version_compare_nocase(x, y);
		if (order)
			return order;
		skip_separator(&a);
		skip_separator(&b);
	}
	return (a.len > 0) - (b.len > 0);
}

static int compare_optional(bool has_a, struct bh_slice a, bool has_b, struct bh_slice b)
{
	return has_a && has_b ? version_compare_numbers(a, b) : has_a - has_b;
}

int pep440_compare(const struct pep440 *a, const struct pep440 *b)
{
	int order = version_compare_numbers(a->epoch, b->epoch);
	if (order == 0)
		order = pep440_compare_release(a->release, b->release);
	if (order == 0)
		order = (a->pre > b->pre) - (a->pre < b->pre);
	if (order == 0)
		order = version_compare_numbers(a->pre_number, b->pre_number);
	if (order == 0)
		order = compare_optional(a->has_post, a->post, b->has_post, b->post);
	if (order == 0) /* a development version comes before the one without */
		order = a->has_dev && b->has_dev ? version_compare_numbers(a->dev, b->dev) : b->has_dev - a->has_dev;
	return order ? order : compare_local(a->local, b->local);
}

bool pep440_is_prerelease(const struct pep440 *v)
{
	return v->has_dev || v->pre != PEP440_FINAL;
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct pep440 x, y;
	if (!pep440_parse(a, &x))
		return version_refuse(err, a, "Python (PEP 440)");
	if (!pep440_parse(b, &y))
		return version_refuse(err, b, "Python (PEP 440)");
	*ret = pep440_compare(&x, &y);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct pep440 parts;
	return pep440_parse(v, &parts);
}

const struct version_scheme version_scheme_pep440 = { .name = "pep440", .compare = compare, .valid = valid };
