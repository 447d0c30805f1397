/* arguments.c: what stands behind a keyword: flags, an exec form's list, pairs of ENV, LABEL and ARG, or words. */
#include "base/utf8.h"
#include "dockerfile/parse.h"

bool df_unquote(struct df_file *f, struct bh_slice s, struct bh_slice *out)
{
	uint8_t *p = bh_arena_alloc(&f->arena, s.len + 1), quote = 0;
	size_t n = 0;
	for (size_t i = 0; p && i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c == f->escape && quote != '\'' && i + 1 < s.len)
			p[n++] = s.ptr[++i];
		else if (quote ? c == quote : c == '"' || c == '\'')
			quote = quote ? 0 : c;
		else
			p[n++] = c;
	}
	*out = (struct bh_slice){ p, n };
	return p != NULL;
}

static bool add_word(struct df_file *f, struct df_instruction *i, struct bh_slice word)
{
	i->words = df_room(f, i->words, i->n_words, sizeof(*i->words));
	if (i->words)
		i->words[i->n_words++] = word;
	return i->words != NULL;
}

bool df_read_flags(struct df_file *f, struct df_instruction *i)
{
	struct bh_slice rest = i->args, word, raw;
	while (rest.len > 2 && bh_slice_starts(rest, BH_SLICE_LIT("--"))) {
		raw = df_take_word(&rest, f->escape);
		rest = bh_slice_trim(rest);
		i->args = rest;
		if (raw.len == 2) /* "--" ends them */
			break;
		i->flags = df_room(f, i->flags, i->n_flags, sizeof(*i->flags));
		if (!i->flags || !df_unquote(f, bh_slice_sub(raw, 2, raw.len), &word))
			return false;
		struct df_flag *flag = &i->flags[i->n_flags++];
		(void)bh_slice_cut(word, '=', &flag->name, &flag->value);
		flag->value.ptr = flag->value.ptr ? flag->value.ptr : (const uint8_t *)"";
	}
	return true;
}

/* ---- JSON ---- */

static void skip_blanks(struct bh_slice *s)
{
	while (s->len && df_is_blank(s->ptr[0]))
		*s = bh_slice_sub(*s, 1, s->len);
}

static bool take_byte(struct bh_slice *s, uint8_t c)
{
	if (s->len == 0 || s->ptr[0] != c)
		return false;
	*s = bh_slice_sub(*s, 1, s->len);
	return true;
}

static bool take_hex(struct bh_slice *s, uint32_t *code)
{
	*code = 0;
	for (size_t i = 0; i < 4; i++) {
		int digit = s->len > i ? bh_hex_digit(s->ptr[i]) : -1;
		if (digit < 0)
			return false;
		*code = *code * 16 + (uint32_t)digit;
	}
	*s = bh_slice_sub(*s, 4, s->len);
	return true;
}

/* Behind a backslash; surrogates become the replacement character. At most 3 bytes. */
static bool take_escaped(struct bh_slice *s, uint8_t *p, size_t *n)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint8_t c = s->len ? s->ptr[0] : 0;
	const char *at = c ? strchr(from, c) : NULL;
	uint32_t code;
	*s = bh_slice_sub(*s, 1, s->len);
	if (at) {
		p[(*n)++] = (uint8_t)to[at - from];
		return true;
	}
	if (c != 'u' || !take_hex(s, &code))
		return false;
	code = code >= 0xd800 && code < 0xe000 ? 0xfffd : code;
	if (code < 0x80) {
		p[(*n)++] = (uint8_t)code;
	} else if (code < 0x800) {
		p[(*n)++] = (uint8_t)(0xc0 | code >> 6);
		p[(*n)++] = (uint8_t)(0x80 | (code & 0x3f));
	} else {
		p[(*n)++] = (uint8_t)(0xe0 | code >> 12);
		p[(*n)++] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
		p[(*n)++] = (uint8_t)(0x80 | (code & 0x3f));
	}
	return true;
}

static bool take_string(struct df_file *f, struct bh_slice *s, struct bh_slice *out)
{
	if (!take_byte(s, '"'))
		return false;
	size_t n = 0, end = 0;
	while (end < s->len && s->ptr[end] != '"')
		end += s->ptr[end] == '\\' ? 2 : 1;
	uint8_t *p = bh_arena_alloc(&f->arena, end + 1);
	while (p && s->len && s->ptr[0] != '"') {
		if (s->ptr[0] < 0x20)
			return false;
		if (take_byte(s, '\\')) {
			if (!take_escaped(s, p, &n))
				return false;
			continue;
		}
		p[n++] = s->ptr[0];
		*s = bh_slice_sub(*s, 1, s->len);
	}
	*out = (struct bh_slice){ p, n };
	return p && take_byte(s, '"');
}

/* ["a", "b"]; anything else is shell form, and no words are left. */
static bool read_list(struct df_file *f, struct df_instruction *i)
{
	struct bh_slice s = i->args, word;
	bool more = take_byte(&s, '[');
	skip_blanks(&s);
	if (more && take_byte(&s, ']'))
		return bh_slice_trim(s).len == 0;
	while (more) {
		skip_blanks(&s);
		if (!take_string(f, &s, &word) || !add_word(f, i, word))
			break;
		skip_blanks(&s);
		more = take_byte(&s, ',');
		if (!more && take_byte(&s, ']') && bh_slice_trim(s).len == 0)
			return true;
	}
	i->words = NULL;
	i->n_words = 0;
	return false;
}

/* ---- pairs ---- */

static bool add_pair(struct df_file *f, struct df_instruction *i, struct bh_slice name, struct bh_slice value, bool has_value)
{
	struct df_pair pair = { .has_value = has_value };
	i->pairs = df_room(f, i->pairs, i->n_pairs, sizeof(*i->pairs));
	if (!i->pairs || !df_unquote(f, name, &pair.name) || !df_unquote(f, value, &pair.value))
		return false;
	i->pairs[i->n_pairs++] = pair;
	return true;
}

static bool read_pairs(struct df_file *f, struct df_instruction *i)
{
	struct bh_slice rest = i->args, name, value;
	bool is_arg = bh_slice_eq_str(i->keyword, "ARG");
	struct bh_slice first = df_take_word(&rest, f->escape);
	if (!is_arg && bh_slice_find(first, '=') == first.len) { /* ENV name all the rest */
		i->is_old_form = true;
		if (bh_slice_trim(rest).len == 0)
			df_complain(f, i->line, "a name without a value");
		return add_pair(f, i, first, bh_slice_trim(rest), true);
	}
	for (rest = i->args; bh_slice_trim(rest).len;) {
		bool has_value = bh_slice_cut(df_take_word(&rest, f->escape), '=', &name, &value);
		if (!has_value && !is_arg)
			df_complain(f, i->line, "a word that is no name=value");
		if (!add_pair(f, i, name, value, has_value))
			return false;
	}
	return true;
}

bool df_read_arguments(struct df_file *f, struct df_instruction *i)
{
	static const char *const pairs[] = { "ENV", "LABEL", "ARG", NULL };
	static const char *const lists[] = { "ADD", "COPY", "VOLUME", "CMD", "ENTRYPOINT", "RUN", "SHELL", NULL };
	struct bh_slice rest = i->args;
	if (bh_slice_is_one_of(i->keyword, pairs))
		return read_pairs(f, i);
	if (bh_slice_is_one_of(i->keyword, lists)) {
		i->is_exec = read_list(f, i);
		if (i->is_exec)
			return true;
	}
	if (bh_slice_eq_str(i->keyword, "SHELL"))
		df_complain(f, i->line, "SHELL takes a JSON list");
	while (bh_slice_trim(rest).len)
		if (!add_word(f, i, df_take_word(&rest, f->escape)))
			return false;
	return true;
}
