/* stages.c: which instructions are whose, what stages are FROM, and the values of variables. */
#include "dockerfile/parse.h"

#define EXPAND_DEPTH_MAX 16u
#define VALUE_BYTES_MAX 65536u

static bool same(struct bh_slice a, struct bh_slice b)
{
	for (size_t i = 0; a.len == b.len && i < a.len; i++)
		if (bh_lower(a.ptr[i]) != bh_lower(b.ptr[i]))
			return false;
	return a.len == b.len;
}

/* ---- variables ---- */

static bool expand(const struct df_file *f, size_t before, struct bh_slice s, struct bh_buf *out, unsigned depth);

/* Of the instructions [first, before), the last that sets the name. */
static bool find_pair(const struct df_file *f, size_t first, size_t before, struct bh_slice name, bool env_only, size_t *at, const struct df_pair **ret)
{
	for (size_t k = before; k-- > first;) {
		const struct df_instruction *i = &f->all.ptr[k];
		bool is_env = bh_slice_eq_str(i->keyword, "ENV");
		if (i->is_trigger || (!is_env && (env_only || !bh_slice_eq_str(i->keyword, "ARG"))))
			continue;
		for (size_t n = i->n_pairs; n-- > 0;)
			if (bh_slice_eq(i->pairs[n].name, name)) {
				*at = k;
				*ret = &i->pairs[n];
				return true;
			}
	}
	return false;
}

/* False: the file does not tell it. */
static bool value_of(const struct df_file *f, size_t before, struct bh_slice name, struct bh_buf *out, unsigned depth)
{
	size_t end = before < f->all.len ? before : f->all.len, globals = f->stages.len ? f->stages.ptr[0].from : f->all.len, at;
	const struct df_pair *pair = NULL;
	uint32_t stage = DF_NO_STAGE;
	for (uint32_t k = 0; k < f->stages.len && f->stages.ptr[k].from < end; k++)
		stage = k;
	bool in_stage = stage != DF_NO_STAGE, is_own = true;
	for (unsigned n = 0; in_stage && stage != DF_NO_STAGE && n < EXPAND_DEPTH_MAX; n++, is_own = false) {
		const struct df_stage *s = &f->stages.ptr[stage];
		size_t to = is_own ? end : s->end;
		if (find_pair(f, s->first, to, name, !is_own, &at, &pair))
			break;
		stage = s->of;
	}
	if (pair && pair->has_value)
		return expand(f, at, pair->value, out, depth + 1);
	/* "ARG name" in a stage takes the one above the first FROM */
	if ((pair || !in_stage) && find_pair(f, 0, in_stage ? globals : end, name, false, &at, &pair) && pair->has_value)
		return expand(f, at, pair->value, out, depth + 1);
	return false;
}

static size_t find_brace(struct bh_slice s)
{
	unsigned depth = 0;
	for (size_t i = 0; i < s.len; i++) {
		depth += s.ptr[i] == '{';
		if (s.ptr[i] == '}' && depth-- == 0)
			return i;
	}
	return s.len;
}

/* Inside of ${}: name, and what if it has a value or not. */
static bool expand_braces(const struct df_file *f, size_t before, struct bh_slice inner, struct bh_buf *out, unsigned depth)
{
	size_t n = 0, start = out->len;
	while (n < inner.len && df_is_name_byte(inner.ptr[n], n == 0))
		n++;
	struct bh_slice name = bh_slice_sub(inner, 0, n), rest = bh_slice_sub(inner, n, inner.len);
	bool known = value_of(f, before, name, out, depth);
	if (!known)
		out->len = start;
	if (rest.len == 0)
		return known;
	bool colon = rest.ptr[0] == ':';
	rest = bh_slice_sub(rest, colon, rest.len);
	uint8_t op = rest.len ? rest.ptr[0] : 0;
	bool is_set = known && (!colon || out->len > start);
	if (op == '+') {
		out->len = start;
		return !is_set || expand(f, before, bh_slice_sub(rest, 1, rest.len), out, depth + 1);
	}
	if (op == '-' && !is_set)
		return expand(f, before, bh_slice_sub(rest, 1, rest.len), out, depth + 1);
	return (op == '-' || op == '?') && is_set;
}

static bool expand_one(const struct df_file *f, size_t before, struct bh_slice *s, struct bh_buf *out, unsigned depth)
{
	struct bh_slice rest = bh_slice_sub(*s, 1, s->len);
	size_t n = 0;
	if (rest.len && rest.ptr[0] == '{') {
		rest = bh_slice_sub(rest, 1, rest.len);
		n = find_brace(rest);
		*s = bh_slice_sub(rest, n + 1, rest.len);
		return n < rest.len && expand_braces(f, before, bh_slice_sub(rest, 0, n), out, depth);
	}
	while (n < rest.len && df_is_name_byte(rest.ptr[n], n == 0))
		n++;
	*s = bh_slice_sub(rest, n, rest.len);
	return n && value_of(f, before, bh_slice_sub(rest, 0, n), out, depth);
}

static bool expand(const struct df_file *f, size_t before, struct bh_slice s, struct bh_buf *out, unsigned depth)
{
	if (depth > EXPAND_DEPTH_MAX)
		return false;
	while (s.len) {
		if (s.ptr[0] == '$') {
			if (!expand_one(f, before, &s, out, depth))
				return false;
			continue;
		}
		bh_buf_add_byte(out, s.ptr[0]);
		s = bh_slice_sub(s, 1, s.len);
	}
	return !out->failed;
}

bool df_expand(const struct df_file *f, size_t before, struct bh_slice s, struct bh_buf *out)
{
	return expand(f, before, s, out, 0);
}

/* ---- stages ---- */

static uint32_t find_stage(const struct df_file *f, uint32_t before, struct bh_slice name)
{
	for (uint32_t k = before; k-- > 0;)
		if (f->stages.ptr[k].name.len && same(f->stages.ptr[k].name, name))
			return k;
	return DF_NO_STAGE;
}

uint32_t df_stage_before(const struct df_file *f, uint32_t stage, struct bh_slice name)
{
	uint32_t found = find_stage(f, stage, name), number = 0;
	size_t digits = 0;
	while (digits < name.len && digits < 4 && name.ptr[digits] >= '0' && name.ptr[digits] <= '9')
		number = number * 10 + (uint32_t)(name.ptr[digits++] - '0');
	bool is_number = digits && digits == name.len && number < stage;
	return found == DF_NO_STAGE && is_number ? number : found;
}

static bool add_stage(struct df_file *f, size_t at)
{
	const struct df_instruction *i = &f->all.ptr[at];
	struct df_stage s = { .of = DF_NO_STAGE, .line = i->line, .from = at, .first = at + 1, .end = at + 1 };
	struct bh_buf base;
	if (i->n_words && !df_unquote(f, i->words[0], &s.written))
		return false;
	if (i->n_words == 3 && same(i->words[1], BH_SLICE_LIT("as")))
		s.name = i->words[2];
	else if (i->n_words != 1)
		df_complain(f, i->line, "FROM takes one image, or an image and AS with a name");
	bh_buf_init(&base, VALUE_BYTES_MAX);
	/* variables of FROM are the arguments above the first one, wherever it stands */
	bool known = df_expand(f, f->stages.len ? f->stages.ptr[0].from : at, s.written, &base);
	bool ok = !known || bh_arena_copy(&f->arena, bh_buf_slice(&base), &s.base);
	bh_buf_done(&base);
	s.of = find_stage(f, (uint32_t)f->stages.len, s.base);
	return ok && df_stage_vec_push(&f->stages, s);
}

bool df_read_stages(struct df_file *f)
{
	for (size_t k = 0; k < f->all.len; k++) {
		struct df_instruction *i = &f->all.ptr[k];
		if (bh_slice_eq_str(i->keyword, "FROM") && !i->is_trigger && !add_stage(f, k))
			return false;
		if (f->stages.len == 0 && !bh_slice_eq_str(i->keyword, "ARG"))
			df_complain(f, i->line, "an instruction other than ARG before the first FROM");
		if (f->stages.len) {
			i->stage = (uint32_t)f->stages.len - 1;
			f->stages.ptr[i->stage].end = k + 1;
		}
	}
	if (f->stages.len == 0)
		df_complain(f, 1, "no FROM in it");
	return true;
}

const struct df_instruction *df_last(const struct df_file *f, size_t before, uint32_t stage, const char *keyword)
{
	for (; stage != DF_NO_STAGE; stage = f->stages.ptr[stage].of, before = SIZE_MAX) {
		const struct df_stage *s = &f->stages.ptr[stage];
		for (size_t k = before < s->end ? before : s->end; k-- > s->first;)
			if (!f->all.ptr[k].is_trigger && bh_slice_eq_str(f->all.ptr[k].keyword, keyword))
				return &f->all.ptr[k];
	}
	return NULL;
}
