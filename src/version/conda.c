/*
 * conda.c: the order of Conda packages, as VersionOrder of conda has it:
 *
 *     [epoch!]version[+local], in lower case; both are components between "." or "_" ("-" is "_"); each is a row of numbers and words
 *
 * What is missing is 0, a component that begins with a word has a 0 before it; in a place, words come before numbers, and of the words "*" first,
 * then "dev", the others as text; "post" comes after all numbers. A "_" at the very end belongs to the last component ("1.0.1_" < "1.0.1a").
 */
#include "version/chars.h"
#include "version/version.h"

enum rank { WORD_ANY, WORD_DEV, WORD, NUMBER, POST };

struct piece {
	enum rank rank;
	struct bh_slice text;
};

static bool is_separator(uint8_t c)
{
	return c == '.' || c == '_' || c == '-';
}

static bool is_word_byte(uint8_t c)
{
	return version_is_alpha(c) || is_separator(c);
}

static bool is_star(uint8_t c)
{
	return c == '*';
}

/* Cuts the first component off. The sign at the very end is part of the last one. */
static struct bh_slice take_component(struct bh_slice *s)
{
	size_t n = 0;
	while (n < s->len && !(is_separator(s->ptr[n]) && (s->ptr[n] == '.' || n + 1 < s->len)))
		n++;
	struct bh_slice component = version_take(s, n);
	(void)version_take(s, 1);
	return component;
}

static struct piece take_piece(struct bh_slice *component)
{
	struct piece p = { .rank = NUMBER }; /* what is missing is 0 */
	uint8_t c = component->len ? component->ptr[0] : '0';
	if (version_is_digit(c)) {
		p.text = version_take_digits(component);
		return p;
	}
	p.text = version_take(component, version_count(*component, is_star(c) ? is_star : is_word_byte));
	p.rank = is_star(c) ? WORD_ANY : version_eq_nocase(p.text, "dev") ? WORD_DEV : version_eq_nocase(p.text, "post") ? POST : WORD;
	return p;
}

static uint8_t fold(uint8_t c)
{
	return c == '-' ? '_' : version_lower(c);
}

static int compare_words(struct bh_slice a, struct bh_slice b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++)
		if (fold(a.ptr[i]) != fold(b.ptr[i]))
			return fold(a.ptr[i]) < fold(b.ptr[i]) ? -1 : 1;
	return (a.len > b.len) - (a.len < b.len);
}

static int compare_pieces(const struct piece *a, const struct piece *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->rank == NUMBER ? version_compare_numbers(a->text, b->text) : compare_words(a->text, b->text);
}

static bool begins_with_word(struct bh_slice component)
{
	return component.len && !version_is_digit(component.ptr[0]);
}

static int compare_components(struct bh_slice a, struct bh_slice b)
{
	int order = 0;
	struct piece zero = { .rank = NUMBER };
	if (begins_with_word(a) != begins_with_word(b)) { /* the 0 before the word */
		struct piece x = begins_with_word(a) ? zero : take_piece(&a), y = begins_with_word(b) ? zero : take_piece(&b);
		order = compare_pieces(&x, &y);
	}
	while (order == 0 && (a.len || b.len)) {
		struct piece x = take_piece(&a), y = take_piece(&b);
		order = compare_pieces(&x, &y);
	}
	return order;
}

static int compare_lists(struct bh_slice a, struct bh_slice b)
{
	int order = 0;
	while (order == 0 && (a.len || b.len)) {
		struct bh_slice x = take_component(&a), y = take_component(&b);
		order = compare_components(x, y);
	}
	return order;
}

struct conda {
	struct bh_slice epoch, version, local;
};

static bool are_components(struct bh_slice s)
{
	bool dash = bh_slice_find(s, '-') < s.len, underscore = bh_slice_find(s, '_') < s.len;
	if (s.len == 0 || s.ptr[s.len - 1] == '.' || (dash && underscore))
		return false;
	while (s.len) {
		struct bh_slice c = take_component(&s);
		if (c.len == 0)
			return false;
		for (size_t i = 0; i < c.len; i++)
			if (!version_is_digit(c.ptr[i]) && !version_is_alpha(c.ptr[i]) && !is_star(c.ptr[i]) && !is_separator(c.ptr[i]))
				return false;
	}
	return true;
}

static bool parse(struct bh_slice s, struct conda *ret)
{
	*ret = (struct conda){ 0 };
	s = version_trim(s);
	struct bh_slice head, tail;
	if (bh_slice_cut(s, '!', &head, &tail)) {
		ret->epoch = head;
		s = tail;
		if (!version_is_number(head))
			return false;
	}
	bool local = bh_slice_cut(s, '+', &ret->version, &ret->local);
	return are_components(ret->version) && (!local || are_components(ret->local));
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct conda x, y;
	if (!parse(a, &x))
		return version_refuse(err, a, "Conda");
	if (!parse(b, &y))
		return version_refuse(err, b, "Conda");
	int order = version_compare_numbers(x.epoch, y.epoch);
	if (order == 0)
		order = compare_lists(x.version, y.version);
	*ret = order ? order : compare_lists(x.local, y.local);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct conda parts;
	return parse(v, &parts);
}

const struct version_scheme version_scheme_conda = { .name = "conda", .compare = compare, .valid = valid };
