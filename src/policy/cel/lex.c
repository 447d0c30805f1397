#include "policy/cel/lex.h"

#include <errno.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "base/vec.h"

#define NUMBER_BYTES_MAX 400u /* digits of a literal: the longest double has 309 before the point */

BH_VEC(token_vec, struct cel_token)

struct lexer {
	struct cel_maker *m;
	struct bh_slice text;
	size_t at;
	struct token_vec tokens;
};

static bool fail(struct lexer *l, size_t at, const char *why)
{
	if (!l->m->failed)
		cel_issue_add(l->m->issues, at, "Syntax error: %s", why);
	l->m->failed = true;
	return false;
}

static uint8_t peek(const struct lexer *l, size_t ahead)
{
	return ahead < l->text.len - l->at ? l->text.ptr[l->at + ahead] : 0;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool add(struct lexer *l, enum cel_token_kind kind, size_t from, struct cel_value value)
{
	struct cel_token t = { .kind = kind, .offset_bytes = from, .text = bh_slice_sub(l->text, from, l->at - from), .value = value };
	return token_vec_push(&l->tokens, t) || fail(l, from, "too many tokens");
}

static void skip_blanks(struct lexer *l)
{
	while (l->at < l->text.len) {
		uint8_t c = peek(l, 0);
		if (c == '/' && peek(l, 1) == '/')
			l->at += bh_slice_find(bh_slice_sub(l->text, l->at, l->text.len), '\n');
		else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f')
			l->at++;
		else
			return;
	}
}

/* ---- numbers ---- */

static size_t count_digits(const struct lexer *l, size_t ahead, bool hex)
{
	size_t n = 0;
	while (hex ? bh_hex_digit(peek(l, ahead + n)) >= 0 : is_digit(peek(l, ahead + n)))
		n++;
	return n;
}

/* False: no fraction and no exponent follow, so it is a whole number. */
static bool double_length(const struct lexer *l, size_t *length)
{
	size_t n = count_digits(l, 0, false), fraction = peek(l, n) == '.' ? count_digits(l, n + 1, false) : 0;
	bool is_double = fraction > 0;
	if (fraction)
		n += 1 + fraction;
	if (bh_lower(peek(l, n)) == 'e') {
		size_t sign = peek(l, n + 1) == '+' || peek(l, n + 1) == '-';
		size_t digits = count_digits(l, n + 1 + sign, false);
		is_double |= digits > 0;
		n += digits ? 1 + sign + digits : 0;
	}
	*length = n;
	return is_double;
}

static bool read_double(struct lexer *l, size_t length)
{
	char copy[NUMBER_BYTES_MAX + 1];
	size_t from = l->at;
	if (length > NUMBER_BYTES_MAX)
		return fail(l, from, "a number with too many digits");
	memcpy(copy, l->text.ptr + from, length);
	copy[length] = '\0';
	l->at += length;
	return add(l, CEL_TOKEN_CONST, from, cel_double(strtod(copy, NULL)));
}

/* Digits behind "0x" or none; false when they are more than 64 bits. */
static bool read_whole(struct bh_slice digits, bool hex, uint64_t *ret)
{
	uint64_t v = 0;
	for (size_t i = 0; i < digits.len; i++)
		if (__builtin_mul_overflow(v, hex ? 16u : 10u, &v) || __builtin_add_overflow(v, (uint64_t)bh_hex_digit(digits.ptr[i]), &v))
			return false;
	*ret = v;
	return true;
}

static bool read_integer(struct lexer *l)
{
	size_t from = l->at;
	bool hex = peek(l, 0) == '0' && peek(l, 1) == 'x' && bh_hex_digit(peek(l, 2)) >= 0;
	l->at += hex ? 2 : 0;
	struct bh_slice digits = bh_slice_sub(l->text, l->at, count_digits(l, 0, hex));
	uint64_t v;
	l->at += digits.len;
	bool is_uint = bh_lower(peek(l, 0)) == 'u';
	if (!read_whole(digits, hex, &v) || (!is_uint && v > (uint64_t)INT64_MAX + 1))
		return fail(l, from, is_uint ? "invalid uint literal" : "invalid int literal");
	l->at += is_uint;
	if (!add(l, CEL_TOKEN_CONST, from, is_uint ? cel_uint(v) : cel_int((int64_t)v)))
		return false;
	l->tokens.ptr[l->tokens.len - 1].too_large = !is_uint && v > INT64_MAX;
	return true;
}

static bool read_number(struct lexer *l)
{
	size_t length;
	return double_length(l, &length) ? read_double(l, length) : read_integer(l);
}

/* ---- strings ---- */

struct literal {
	bool raw, bytes, triple;
	uint8_t quote;
	uint8_t *out; /* never longer than what was written */
	size_t n;
};

static void put_code_point(struct literal *s, uint32_t c)
{
	if (c < 0x80) {
		s->out[s->n++] = (uint8_t)c;
		return;
	}
	if (c < 0x800) {
		s->out[s->n++] = (uint8_t)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			s->out[s->n++] = (uint8_t)(0xe0 | c >> 12);
		} else {
			s->out[s->n++] = (uint8_t)(0xf0 | c >> 18);
			s->out[s->n++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		}
		s->out[s->n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	}
	s->out[s->n++] = (uint8_t)(0x80 | (c & 0x3f));
}

/* \xHH, \uHHHH, \UHHHHHHHH, \OOO: a code point in strings, a byte in bytes literals. */
static bool put_numbered(struct lexer *l, struct literal *s, size_t digits, bool octal)
{
	uint32_t c = 0;
	for (size_t i = 0; i < digits; i++) {
		int d = bh_hex_digit(peek(l, i));
		if (d < 0 || (octal && d > 7))
			return fail(l, l->at, "an escape with too few digits");
		c = c * (octal ? 8 : 16) + (uint32_t)d;
	}
	l->at += digits;
	if (s->bytes && (digits > 3 || c > 0xff))
		return fail(l, l->at, "a bytes literal holds bytes: \\xHH or \\OOO");
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return fail(l, l->at, "an escape that is no Unicode character");
	if (s->bytes)
		s->out[s->n++] = (uint8_t)c;
	else
		put_code_point(s, c);
	return true;
}

static bool put_escape(struct lexer *l, struct literal *s)
{
	static const char letters[] = "abfnrtv\\?\"'`", meanings[] = "\a\b\f\n\r\t\v\\?\"'`";
	uint8_t c = peek(l, 1);
	const char *simple = c ? strchr(letters, c) : NULL;
	if (simple) {
		s->out[s->n++] = (uint8_t)meanings[simple - letters];
		l->at += 2;
		return true;
	}
	bool octal = c >= '0' && c <= '3';
	l->at += octal ? 1 : 2;
	switch (octal ? 'o' : c) {
	case 'o': return put_numbered(l, s, 3, true);
	case 'x':
	case 'X': return put_numbered(l, s, 2, false);
	case 'u': return put_numbered(l, s, 4, false);
	case 'U': return put_numbered(l, s, 8, false);
	default: return fail(l, l->at - 2, "an escape that does not exist");
	}
}

static bool ends_here(const struct lexer *l, const struct literal *s)
{
	if (peek(l, 0) != s->quote)
		return false;
	return !s->triple || (peek(l, 1) == s->quote && peek(l, 2) == s->quote);
}

static bool put_character(struct lexer *l, struct literal *s)
{
	uint8_t c = peek(l, 0);
	if (!s->triple && (c == '\n' || c == '\r'))
		return fail(l, l->at, "a string ends at the end of its line; use three quotes for several lines");
	if (c == '\\' && !s->raw)
		return put_escape(l, s);
	/* A raw string keeps its backslashes; a quote behind one ends it all the same. */
	if (s->triple && c == '\r') {
		l->at += peek(l, 1) == '\n' ? 2 : 1;
		s->out[s->n++] = '\n';
		return true;
	}
	s->out[s->n++] = c;
	l->at++;
	return true;
}

/* At the quote; the prefix is known. */
static bool read_string(struct lexer *l, size_t from, bool raw, bool bytes)
{
	struct literal s = { .raw = raw, .bytes = bytes, .quote = peek(l, 0) };
	s.triple = peek(l, 1) == s.quote && peek(l, 2) == s.quote;
	s.out = bh_arena_alloc(l->m->arena, l->text.len - l->at);
	if (!s.out)
		return fail(l, from, "the expression uses up its memory");
	l->at += s.triple ? 3 : 1;
	while (!ends_here(l, &s)) {
		if (l->at >= l->text.len)
			return fail(l, from, "a string without its closing quote");
		if (!put_character(l, &s))
			return false;
	}
	l->at += s.triple ? 3 : 1;
	struct bh_slice text = { s.out, s.n };
	return add(l, CEL_TOKEN_CONST, from, bytes ? cel_bytes(text) : cel_string(text));
}

/* r, b, rb, br in any case, then a quote. */
static size_t string_prefix(const struct lexer *l, bool *raw, bool *bytes)
{
	size_t n = 0;
	for (; n < 2; n++) {
		uint8_t c = bh_lower(peek(l, n));
		if ((c == 'r' && !*raw) || (c == 'b' && !*bytes))
			*(c == 'r' ? raw : bytes) = true;
		else
			break;
	}
	return n;
}

static bool try_string(struct lexer *l, bool *is_one)
{
	bool raw = false, bytes = false;
	size_t from = l->at, n = string_prefix(l, &raw, &bytes);
	*is_one = peek(l, n) == '"' || peek(l, n) == '\'';
	if (!*is_one)
		return true;
	l->at += n;
	return read_string(l, from, raw, bytes);
}

/* ---- names and signs ---- */

static bool read_name(struct lexer *l)
{
	size_t from = l->at;
	while (is_letter(peek(l, 0)) || is_digit(peek(l, 0)))
		l->at++;
	struct bh_slice name = bh_slice_sub(l->text, from, l->at - from);
	if (bh_slice_eq_str(name, "in"))
		return add(l, CEL_TOKEN_IN, from, cel_null());
	if (bh_slice_eq_str(name, "null"))
		return add(l, CEL_TOKEN_CONST, from, cel_null());
	if (bh_slice_eq_str(name, "true") || bh_slice_eq_str(name, "false"))
		return add(l, CEL_TOKEN_CONST, from, cel_bool(name.len == 4));
	return add(l, CEL_TOKEN_IDENT, from, cel_null());
}

/* `a.b-c/d e`: names of fields that are no identifiers. */
static bool read_quoted(struct lexer *l)
{
	size_t from = ++l->at;
	while (is_letter(peek(l, 0)) || is_digit(peek(l, 0)) || (peek(l, 0) && strchr(".-/ ", peek(l, 0))))
		l->at++;
	if (peek(l, 0) != '`' || l->at == from)
		return fail(l, from - 1, "a name in backticks holds letters, digits, _ . - / and blanks");
	if (!add(l, CEL_TOKEN_QUOTED, from, cel_null()))
		return false;
	l->at++;
	return true;
}

static bool read_sign(struct lexer *l)
{
	static const char *const signs[] = { "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ",", ".", "(", ")",
					     "[", "]", "{", "}", NULL };
	struct bh_slice rest = bh_slice_sub(l->text, l->at, l->text.len);
	for (size_t i = 0; signs[i]; i++)
		if (bh_slice_starts(rest, bh_slice_str(signs[i]))) {
			size_t from = l->at;
			l->at += strlen(signs[i]);
			return add(l, CEL_TOKEN_SIGN, from, cel_null());
		}
	return fail(l, l->at, "a character that begins no token");
}

static bool read_token(struct lexer *l)
{
	bool is_string;
	uint8_t c = peek(l, 0);
	if (is_digit(c) || (c == '.' && is_digit(peek(l, 1))))
		return read_number(l);
	if (!try_string(l, &is_string) || is_string)
		return is_string && !l->m->failed;
	if (is_letter(c))
		return read_name(l);
	return c == '`' ? read_quoted(l) : read_sign(l);
}

static bool check_text(struct lexer *l)
{
	size_t n = 0;
	for (struct bh_slice rest = l->text; rest.len; n++) {
		uint32_t c;
		size_t bytes = bh_utf8_next(rest, &c);
		if (bytes == 0)
			return fail(l, l->text.len - rest.len, "not UTF-8");
		rest = bh_slice_sub(rest, bytes, rest.len);
	}
	return n <= CEL_TEXT_CHARACTERS_MAX || fail(l, 0, "expression code point size exceeds limit: 100000");
}

struct cel_token *cel_lex(struct cel_maker *m, struct bh_slice text)
{
	struct lexer l = { .m = m, .text = text, .tokens = { .max = CEL_TEXT_CHARACTERS_MAX + 1 } };
	bool ok = check_text(&l);
	skip_blanks(&l);
	while (ok && l.at < text.len) {
		ok = read_token(&l);
		skip_blanks(&l);
	}
	ok = ok && add(&l, CEL_TOKEN_END, l.at, cel_null());
	struct cel_token *copy = ok ? bh_arena_array(m->arena, l.tokens.len, sizeof(*copy)) : NULL;
	if (copy)
		memcpy(copy, l.tokens.ptr, l.tokens.len * sizeof(*copy));
	else if (ok)
		fail(&l, 0, "the expression uses up its memory");
	token_vec_done(&l.tokens);
	return copy;
}
