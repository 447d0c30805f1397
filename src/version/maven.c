/*
 * maven.c: the order of Maven artifacts, as ComparableVersion of Maven 3.8 has it. A version is a list of numbers and words; "-" and every
 * change between digits and letters open a list in the list, as its last item. Zeros and words for "released" at the end of a list go:
 *
 *     1.0-rc-1  ->  [1 [rc [1]]]          alpha < beta < milestone < rc < snapshot < (released) < sp < other words < numbers
 *
 * Since an inner list is always the last item, the lists are one row of items with marks where a list opens, and comparing walks two rows.
 */
#include "version/chars.h"
#include "version/version.h"

#define ITEMS_MAX 256u /* longer versions are refused; real ones have below 20 */

enum kind { NUMBER, WORD, OPEN };

struct item {
	enum kind kind;
	int rank;             /* of a word: place among the known ones; UNKNOWN_WORD: its text counts */
	struct bh_slice text;
};

struct row {
	struct item items[ITEMS_MAX];
	size_t n;
	size_t in_list; /* items in the list that is open */
	bool too_long;
};

enum { RELEASED = 5, UNKNOWN_WORD = 7 };

static int rank_of(struct bh_slice word, bool digit_follows)
{
	static const struct {
		const char *word;
		int rank;
	} words[] = { { "alpha", 0 }, { "beta", 1 }, { "milestone", 2 }, { "rc", 3 }, { "cr", 3 }, { "snapshot", 4 },
		      { "ga", RELEASED }, { "final", RELEASED }, { "release", RELEASED }, { "", RELEASED }, { "sp", 6 } };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (version_eq_nocase(word, words[i].word))
			return words[i].rank;
	if (digit_follows && word.len == 1) {
		uint8_t c = version_lower(word.ptr[0]);
		return c == 'a' ? 0 : c == 'b' ? 1 : c == 'm' ? 2 : UNKNOWN_WORD;
	}
	return UNKNOWN_WORD;
}

static void add(struct row *r, enum kind kind, struct bh_slice text, bool digit_follows)
{
	if (r->n == ITEMS_MAX) {
		r->too_long = true;
		return;
	}
	r->items[r->n++] = (struct item){ .kind = kind, .text = text, .rank = kind == WORD ? rank_of(text, digit_follows) : 0 };
	r->in_list = kind == OPEN ? 0 : r->in_list + 1;
}

static void open_list(struct row *r)
{
	add(r, OPEN, (struct bh_slice){ 0 }, false);
}

static bool is_null(const struct item *i)
{
	return i->kind == NUMBER ? version_is_zero(i->text) : i->kind == WORD && i->rank == RELEASED;
}

/* From the end: what means nothing goes, up to the first item of each list that does mean something. */
static void normalize(struct row *r)
{
	size_t to = ITEMS_MAX;
	bool at_end = true;
	for (size_t i = r->n; i-- > 0;) {
		const struct item *item = &r->items[i];
		bool empty = item->kind == OPEN ? to == ITEMS_MAX : at_end && is_null(item);
		at_end = item->kind == OPEN || (at_end && empty);
		if (!empty)
			r->items[--to] = *item;
	}
	r->n = ITEMS_MAX - to;
	memmove(r->items, r->items + to, r->n * sizeof(r->items[0]));
}

static bool is_letter(uint8_t c)
{
	return !version_is_digit(c) && c != '.' && c != '-';
}

static void split(struct bh_slice s, struct row *r)
{
	bool fresh = true; /* nothing since the last separator */
	while (s.len && !r->too_long) {
		uint8_t c = s.ptr[0];
		if (c == '.' || c == '-') {
			if (fresh)
				add(r, NUMBER, BH_SLICE_LIT("0"), false);
			if (c == '-')
				open_list(r);
			(void)version_take(&s, 1);
			fresh = true;
		} else if (version_is_digit(c)) {
			add(r, NUMBER, version_take_digits(&s), false);
			if (s.len && is_letter(s.ptr[0]))
				open_list(r);
			fresh = false;
		} else {
			struct bh_slice word = version_take(&s, version_count(s, is_letter));
			bool digit_follows = s.len && version_is_digit(s.ptr[0]);
			if (r->in_list && (digit_follows || s.len == 0)) /* ".x1" is "-x1", but ".x.1" is not "-x.1" */
				open_list(r);
			add(r, WORD, word, digit_follows);
			if (digit_follows)
				open_list(r);
			fresh = false;
		}
	}
}

static bool parse(struct bh_slice v, struct row *r)
{
	r->n = r->in_list = 0;
	r->too_long = false;
	if (v.len == 0 || bh_slice_find(v, '\0') < v.len)
		return false;
	split(v, r);
	normalize(r);
	return !r->too_long;
}

static int compare_words(const struct item *a, const struct item *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->rank == UNKNOWN_WORD ? version_compare_nocase(a->text, b->text) : 0;
}

/* Against an item that is not there: a list is what its items are. */
static int compare_with_nothing(const struct item *i)
{
	if (i->kind == NUMBER)
		return version_is_zero(i->text) ? 0 : 1;
	return i->kind == WORD ? (i->rank > RELEASED) - (i->rank < RELEASED) : 0;
}

static int compare_items(const struct item *a, const struct item *b)
{
	static const int order[] = { [WORD] = 0, [OPEN] = 1, [NUMBER] = 2 }; /* 1-x < 1-1 < 1.1 */
	if (a->kind != b->kind)
		return order[a->kind] < order[b->kind] ? -1 : 1;
	if (a->kind == NUMBER)
		return version_compare_numbers(a->text, b->text);
	return a->kind == WORD ? compare_words(a, b) : 0;
}

static int compare_rows(const struct row *a, const struct row *b)
{
	int order = 0;
	for (size_t i = 0; order == 0 && (i < a->n || i < b->n); i++) {
		if (i >= a->n)
			order = -compare_with_nothing(&b->items[i]);
		else if (i >= b->n)
			order = compare_with_nothing(&a->items[i]);
		else
			order = compare_items(&a->items[i], &b->items[i]);
	}
	return order;
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct row x, y;
	if (!parse(a, &x))
		return version_refuse(err, a, "Maven");
	if (!parse(b, &y))
		return version_refuse(err, b, "Maven");
	*ret = compare_rows(&x, &y);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct row row;
	return parse(v, &row);
}

const struct version_scheme version_scheme_maven = { .name = "maven", .compare = compare, .valid = valid };
