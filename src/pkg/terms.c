/* terms.c: see terms.h. */
#include "pkg/terms.h"

#include <assert.h>

struct pkg_terms pkg_terms_of(struct bh_slice text)
{
	return (struct pkg_terms){ .r = bh_reader_of(text) };
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@' || c >= 0x80;
}

static void push(struct pkg_terms *t, enum pkg_term_kind kind, struct bh_slice text, size_t offset)
{
	memmove(t->last, t->last + 1, sizeof(t->last) - sizeof(t->last[0]));
	t->last[PKG_TERMS_KEPT - 1] = (struct pkg_term){ kind, text, offset };
}

static void skip_line(struct bh_reader *r)
{
	struct bh_slice ignored;
	(void)bh_take_line(r, &ignored);
}

/* Behind an opening quote: moves over the closing one. */
static bool take_quoted(struct bh_reader *r, uint8_t quote, struct bh_slice *ret)
{
	size_t start = r->pos;
	uint8_t c;
	while (bh_take_u8(r, &c)) {
		if (c == quote) {
			*ret = bh_slice_sub(r->src, start, r->pos - 1 - start);
			return true;
		}
		if (c == '\\')
			(void)bh_skip(r, 1);
	}
	return false;
}

static struct bh_slice take_word(struct bh_reader *r, size_t start)
{
	struct bh_slice next;
	while (bh_peek(r, 1, &next) && is_word(next.ptr[0]))
		r->pos++;
	return bh_slice_sub(r->src, start, r->pos - start);
}

/* Pushes the token that begins with c. False: c begins none. */
static bool take_token(struct pkg_terms *t, uint8_t c)
{
	size_t start = t->r.pos - 1;
	struct bh_slice text = { 0 };
	if (c == '"' || c == '\'') {
		if (!take_quoted(&t->r, c, &text)) {
			t->damage = "a quote is not closed";
			return false;
		}
		push(t, c == '"' ? PKG_TERM_STRING : PKG_TERM_ATOM, text, start);
	} else if (c == '{' || c == '[' || c == '(') {
		push(t, PKG_TERM_OPEN, text, start);
		t->depth++;
	} else if (c == '}' || c == ']' || c == ')') {
		push(t, PKG_TERM_CLOSE, text, start);
		t->depth -= t->depth ? 1 : 0;
	} else if (is_word(c) && (c < '0' || c > '9')) {
		push(t, PKG_TERM_ATOM, take_word(&t->r, start), start);
	} else {
		if (is_word(c))
			(void)take_word(&t->r, start); /* a number: all of it, as 0x1f is no atom x1f */
		return false;
	}
	return true;
}

bool pkg_terms_next(struct pkg_terms *t)
{
	uint8_t c;
	while (!t->damage && bh_take_u8(&t->r, &c)) {
		if (c == '%' || c == '#') {
			struct bh_slice next;
			if (bh_peek(&t->r, 1, &next) && next.ptr[0] == '{')
				continue; /* Elixir's %{ and Erlang's #{ open a map */
			skip_line(&t->r);
		} else if (take_token(t, c)) {
			return true;
		}
	}
	return false;
}

static bool is_like(const struct pkg_term *term, struct bh_slice word)
{
	switch (word.ptr[0]) {
	case '{': return term->kind == PKG_TERM_OPEN;
	case '}': return term->kind == PKG_TERM_CLOSE;
	case '@': return term->kind == PKG_TERM_ATOM;
	case '$': return term->kind == PKG_TERM_STRING;
	default: return term->kind == PKG_TERM_ATOM && bh_slice_eq(term->text, word);
	}
}

bool pkg_terms_are(const struct pkg_terms *t, const char *pattern, struct bh_slice *ret)
{
	struct bh_slice words = bh_slice_str(pattern), rest = words, word;
	size_t n = 1, found = 0;
	for (size_t i = 0; i < words.len; i++)
		n += words.ptr[i] == ' ';
	assert(words.len && n <= PKG_TERMS_KEPT);
	for (size_t i = PKG_TERMS_KEPT - n; i < PKG_TERMS_KEPT; i++) {
		(void)bh_slice_cut(rest, ' ', &word, &rest);
		if (!is_like(&t->last[i], word))
			return false;
		if (word.ptr[0] == '@' || word.ptr[0] == '$')
			ret[found++] = t->last[i].text;
	}
	return true;
}
