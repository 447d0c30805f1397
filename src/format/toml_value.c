/* toml_value.c: numbers, dates and strings of TOML 1.0. */
#include "format/toml_value.h"

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* What the digit is worth, or 99. */
static unsigned digit_of(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10u;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10u : 99;
}

static bool take(struct bh_slice *s, const char *one_of)
{
	if (s->len == 0 || s->ptr[0] == '\0' || !strchr(one_of, s->ptr[0]))
		return false;
	*s = bh_slice_sub(*s, 1, s->len);
	return true;
}

/* A run of digits with single underscores between them; false when there is none. */
static bool take_digits(struct bh_slice *s, unsigned base)
{
	size_t n = 0;
	while (n < s->len && (digit_of(s->ptr[n]) < base || (s->ptr[n] == '_' && n && s->ptr[n - 1] != '_')))
		n++;
	if (n == 0 || s->ptr[n - 1] == '_')
		return false;
	*s = bh_slice_sub(*s, n, s->len);
	return true;
}

/* A run of decimal digits whose first one is no "0" unless it is the only one. */
static bool take_whole(struct bh_slice *s)
{
	struct bh_slice before = *s;
	return take_digits(s, 10) && (before.ptr[0] != '0' || before.len - s->len == 1);
}

/* base of "0x...", "0o..." and "0b..." with the prefix taken, or 0 */
static unsigned take_prefix(struct bh_slice *s)
{
	static const struct {
		char letter;
		unsigned base;
	} prefixes[] = { { 'x', 16 }, { 'o', 8 }, { 'b', 2 } };
	for (size_t i = 0; s->len > 2 && s->ptr[0] == '0' && i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (s->ptr[1] == prefixes[i].letter) {
			*s = bh_slice_sub(*s, 2, s->len);
			return prefixes[i].base;
		}
	return 0;
}

static const char *number_kind(struct bh_slice word, enum bh_toml_kind *ret_kind)
{
	static const char complaint[] = "not a value: strings need quotes, and numbers are wrong in this form";
	struct bh_slice s = word;
	unsigned base = take_prefix(&s);
	*ret_kind = BH_TOML_INTEGER;
	if (base)
		return take_digits(&s, base) && s.len == 0 ? NULL : complaint;
	(void)take(&s, "+-");
	if (bh_slice_eq_str(s, "inf") || bh_slice_eq_str(s, "nan")) {
		*ret_kind = BH_TOML_FLOAT;
		return NULL;
	}
	if (!take_whole(&s))
		return complaint;
	if (s.len == 0)
		return NULL;
	*ret_kind = BH_TOML_FLOAT;
	if (take(&s, ".") && !take_digits(&s, 10))
		return complaint;
	if (take(&s, "eE")) {
		(void)take(&s, "+-");
		if (!take_digits(&s, 10))
			return complaint;
	}
	return s.len == 0 ? NULL : complaint;
}

/* Exactly n digits, at most max. */
static bool take_field(struct bh_slice *s, size_t n, unsigned max, unsigned *out)
{
	unsigned value = 0;
	if (s->len < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(s->ptr[i]))
			return false;
		value = value * 10 + digit_of(s->ptr[i]);
	}
	*s = bh_slice_sub(*s, n, s->len);
	*out = value;
	return value <= max;
}

static unsigned days_in(unsigned year, unsigned month)
{
	static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(struct bh_slice *s)
{
	unsigned year = 0, month = 0, day = 0;
	return take_field(s, 4, 9999, &year) && take(s, "-") && take_field(s, 2, 12, &month) && month && take(s, "-") &&
	       take_field(s, 2, days_in(year, month), &day) && day;
}

/* Leap seconds (60) are allowed, as in RFC 3339. */
static bool take_time(struct bh_slice *s)
{
	unsigned field;
	if (!take_field(s, 2, 23, &field) || !take(s, ":") || !take_field(s, 2, 59, &field) || !take(s, ":") || !take_field(s, 2, 60, &field))
		return false;
	if (!take(s, "."))
		return true;
	size_t digits = 0;
	while (digits < s->len && is_digit(s->ptr[digits]))
		digits++;
	*s = bh_slice_sub(*s, digits, s->len);
	return digits != 0;
}

static bool take_offset(struct bh_slice *s)
{
	unsigned field;
	if (take(s, "zZ"))
		return true;
	return take(s, "+-") && take_field(s, 2, 23, &field) && take(s, ":") && take_field(s, 2, 59, &field);
}

static const char *datetime_kind(struct bh_slice word, enum bh_toml_kind *ret_kind)
{
	struct bh_slice s = word;
	bool date = word.len > 4 && word.ptr[4] == '-', ok = date ? take_date(&s) : take_time(&s);
	*ret_kind = BH_TOML_DATETIME;
	if (ok && date && s.len) {
		ok = take(&s, "Tt ") && take_time(&s);
		ok = ok && (s.len == 0 || take_offset(&s));
	}
	return ok && s.len == 0 ? NULL : "not a date or time of the calendar";
}

bool bh_toml_is_date(struct bh_slice word)
{
	return word.len == 10 && word.ptr[4] == '-' && word.ptr[7] == '-';
}

const char *bh_toml_word_kind(struct bh_slice word, enum bh_toml_kind *ret_kind)
{
	*ret_kind = BH_TOML_BOOLEAN;
	if (bh_slice_eq_str(word, "true") || bh_slice_eq_str(word, "false"))
		return NULL;
	bool time = word.len > 2 && word.ptr[2] == ':';
	bool date = word.len > 4 && word.ptr[4] == '-' && is_digit(word.ptr[0]) && is_digit(word.ptr[1]) && is_digit(word.ptr[2]) &&
		    is_digit(word.ptr[3]);
	return time || date ? datetime_kind(word, ret_kind) : number_kind(word, ret_kind);
}

bool bh_toml_integer(struct bh_slice word, int64_t *out)
{
	struct bh_slice s = word;
	uint64_t value = 0;
	unsigned prefix = take_prefix(&s), base = prefix ? prefix : 10;
	bool negative = !prefix && s.len && s.ptr[0] == '-';
	if (!prefix)
		(void)take(&s, "+-");
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '_')
			continue;
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) || __builtin_add_overflow(value, (uint64_t)digit_of(s.ptr[i]), &value))
			return false;
	}
	if (value > (uint64_t)INT64_MAX + negative)
		return false;
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

/* ---- strings ---- */

struct quotes {
	uint8_t mark;
	bool many_lines, escapes;
	size_t width; /* of the quotes, 1 or 3 */
};

static bool has_three(struct bh_slice text, size_t at, uint8_t mark)
{
	struct bh_slice three = bh_slice_sub(text, at, 3);
	return three.len == 3 && three.ptr[0] == mark && three.ptr[1] == mark && three.ptr[2] == mark;
}

/* Where the content ends, from `from` on: at the closing quotes. Up to two quotes may stand right before three closing ones. */
static const char *find_end(struct bh_slice text, size_t from, const struct quotes *q, size_t *ret_end)
{
	for (size_t i = from; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (c == '\n' && !q->many_lines)
			return "a string that does not end in its line";
		if (c == '\\' && q->escapes) {
			i++; /* whatever it is, it ends nothing; decoding checks it */
			if (i < text.len && text.ptr[i] == '\n' && !q->many_lines)
				return "a string that does not end in its line";
		} else if (c == q->mark && (!q->many_lines || has_three(text, i, q->mark))) {
			for (size_t extra = 0; q->many_lines && extra < 2 && has_three(text, i + 1, q->mark); extra++)
				i++;
			*ret_end = i;
			return NULL;
		}
	}
	return "a string that does not end";
}

static size_t put_utf8(uint8_t *out, uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (uint8_t)cp;
		return 1;
	}
	size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	for (size_t i = n - 1; i > 0; i--, cp >>= 6)
		out[i] = (uint8_t)(0x80 | (cp & 0x3f));
	out[0] = (uint8_t)(lead[n] | cp);
	return n;
}

/* \uXXXX and \UXXXXXXXX: s stands behind the letter. */
static bool take_code_point(struct bh_slice *s, size_t digits, uint32_t *out)
{
	uint32_t cp = 0;
	if (s->len < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (digit_of(s->ptr[i]) > 15)
			return false;
		cp = cp << 4 | digit_of(s->ptr[i]);
	}
	*s = bh_slice_sub(*s, digits, s->len);
	*out = cp;
	return cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
}

/* A backslash at the end of a line: it, the line's end and all blanks and empty lines behind it are nothing. */
static bool take_line_end(struct bh_slice *s)
{
	size_t i = 0;
	while (i < s->len && (s->ptr[i] == ' ' || s->ptr[i] == '\t' || s->ptr[i] == '\r'))
		i++;
	if (i == s->len || s->ptr[i] != '\n')
		return false;
	while (i < s->len && strchr(" \t\r\n", s->ptr[i]))
		i++;
	*s = bh_slice_sub(*s, i, s->len);
	return true;
}

/* One escape, s behind the backslash: its bytes to out (at most 4, never more than it has itself). */
static bool take_escape(struct bh_slice *s, bool many_lines, uint8_t *out, size_t *ret_bytes)
{
	static const char letters[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	const char *letter = s->len && s->ptr[0] ? strchr(letters, s->ptr[0]) : NULL;
	uint32_t cp = 0;
	*ret_bytes = 0;
	if (many_lines && take_line_end(s))
		return true;
	if (letter) {
		*s = bh_slice_sub(*s, 1, s->len);
		out[0] = (uint8_t)values[letter - letters];
		*ret_bytes = 1;
		return true;
	}
	bool wide = s->len && s->ptr[0] == 'U';
	if (!take(s, "uU") || !take_code_point(s, wide ? 8 : 4, &cp))
		return false;
	*ret_bytes = put_utf8(out, cp);
	return true;
}

/* Content never grows by decoding: "\u00e9" has 6 bytes and becomes 2. */
static const char *decode(struct bh_slice content, const struct quotes *q, struct bh_arena *arena, struct bh_slice *ret)
{
	uint8_t *out = bh_arena_alloc(arena, content.len);
	size_t len = 0, bytes;
	if (!out)
		return "too much text for the memory that its size allows";
	while (content.len) {
		uint8_t c = content.ptr[0];
		content = bh_slice_sub(content, 1, content.len);
		if (c == '\\' && q->escapes) {
			if (!take_escape(&content, q->many_lines, out + len, &bytes))
				return "an escape that TOML does not have";
			len += bytes;
		} else if (c != '\r') { /* there are only those of line ends */
			out[len++] = c;
		}
	}
	*ret = (struct bh_slice){ out, len };
	return NULL;
}

const char *bh_toml_quoted(struct bh_slice text, bool one_line, struct bh_arena *arena, struct bh_slice *ret, size_t *ret_bytes)
{
	struct quotes q = { .mark = text.ptr[0], .escapes = text.ptr[0] == '"', .width = 1 };
	size_t from = 1, end = 0;
	if (has_three(text, 0, q.mark)) {
		if (one_line)
			return "a key can't have several lines";
		q.many_lines = true;
		from = q.width = 3;
		if (bh_slice_starts(bh_slice_sub(text, from, text.len), BH_SLICE_LIT("\r\n")))
			from += 2;
		else if (from < text.len && text.ptr[from] == '\n') /* right behind the quotes it is not content */
			from++;
	}
	const char *complaint = find_end(text, from, &q, &end);
	if (complaint)
		return complaint;
	struct bh_slice content = bh_slice_sub(text, from, end - from);
	*ret_bytes = end + q.width;
	*ret = content;
	bool as_is = bh_slice_find(content, '\r') == content.len && (!q.escapes || bh_slice_find(content, '\\') == content.len);
	return as_is ? NULL : decode(content, &q, arena, ret);
}
