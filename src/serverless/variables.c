#include "serverless/variables.h"

#include "base/buf.h"

#define TEXT_BYTES_MAX (64u << 10)
#define ROUNDS_MAX 64u     /* variables in one text */
#define DEPTH_MAX 16u      /* a value that is a variable that is a variable */
#define STEPS_MAX 100000u
#define OPEN '\x01'        /* begins what stays a variable; CLOSE ends it */
#define CLOSE '\x02'

/* "a.b.0.c" below the document's root. */
static struct cel_value look_up(struct fn_doc *doc, struct bh_slice path)
{
	struct cel_value at = doc->root;
	struct bh_slice name;
	uint64_t i;
	while (path.len && cel_is_known(at)) {
		(void)bh_slice_cut(path, '.', &name, &path);
		if (at.kind == CEL_LIST)
			at = bh_slice_u64(name, UINT32_MAX, &i) ? fn_item(doc, at, (size_t)i) : cel_null();
		else
			at = fn_field(doc, (struct fn_from){ .value = at }, name).value;
	}
	return at;
}

static bool is_quoted(struct bh_slice s)
{
	return s.len >= 2 && (s.ptr[0] == '\'' || s.ptr[0] == '"') && s.ptr[s.len - 1] == s.ptr[0];
}

/* 'dev', 3, true; anything else is another variable. */
static struct cel_value literal(struct bh_slice s)
{
	uint64_t n;
	if (is_quoted(s))
		return cel_string(bh_slice_sub(s, 1, s.len - 2));
	if (bh_slice_u64(s, INT64_MAX, &n))
		return cel_int((int64_t)n);
	if (bh_slice_eq_str(s, "true") || bh_slice_eq_str(s, "false"))
		return cel_bool(s.ptr[0] == 't');
	return cel_null();
}

/* Null: it is not there, the next alternative counts. */
static struct cel_value one(struct fn_doc *doc, struct bh_slice s)
{
	struct bh_slice source, address;
	if (!bh_slice_cut(s, ':', &source, &address))
		return literal(s);
	if (bh_slice_eq_str(source, "self"))
		return address.len ? look_up(doc, address) : cel_null();
	if (bh_slice_eq_str(source, "sls") && bh_slice_eq_str(address, "stage")) {
		struct cel_value stage = look_up(doc, BH_SLICE_LIT("provider.stage"));
		return stage.kind == CEL_NULL ? cel_string(BH_SLICE_LIT("dev")) : stage;
	}
	return bh_slice_eq_str(source, "opt") || bh_slice_eq_str(source, "env") || bh_slice_eq_str(source, "param") ? cel_null() : cel_unknown();
}

/* "opt:stage, self:provider.stage, 'dev'": the first that is there. What depends on who deploys has its default. */
static struct cel_value alternatives(struct fn_doc *doc, struct bh_slice rest)
{
	struct bh_slice item;
	if (memchr(rest.ptr, OPEN, rest.len))
		return cel_unknown();
	while (rest.len) {
		(void)bh_slice_cut(rest, ',', &item, &rest);
		struct cel_value v = one(doc, bh_slice_trim(item));
		if (v.kind != CEL_NULL)
			return v;
	}
	return cel_unknown();
}

/* The last "${" before the first "}" behind it. */
static bool innermost(struct bh_slice text, size_t *from, size_t *to)
{
	bool found = false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '$' && i + 1 < text.len && text.ptr[i + 1] == '{') {
			*from = i;
			found = true;
		} else if (text.ptr[i] == '}' && found) {
			*to = i;
			return true;
		}
	}
	return false;
}

static void add_value(struct bh_buf *out, struct cel_value v, struct bh_slice name)
{
	if (v.kind == CEL_STRING) {
		bh_buf_add(out, v.text);
	} else if (v.kind == CEL_INT) {
		bh_buf_printf(out, "%lld", (long long)v.integer);
	} else {
		bh_buf_add_byte(out, OPEN);
		bh_buf_add(out, name);
		bh_buf_add_byte(out, CLOSE);
	}
}

static struct cel_value close_text(struct fn_doc *doc, struct bh_buf *text)
{
	struct bh_buf out;
	struct bh_slice copy = { 0 };
	bh_buf_init(&out, TEXT_BYTES_MAX);
	for (size_t i = 0; i < text->len; i++) {
		if (text->ptr[i] == OPEN)
			bh_buf_add_str(&out, "${");
		else
			bh_buf_add_byte(&out, text->ptr[i] == CLOSE ? '}' : text->ptr[i]);
	}
	bool ok = !out.failed && !text->failed;
	if (ok && !bh_arena_copy(doc->arena, bh_buf_slice(&out), &copy)) {
		doc->failed = true;
		ok = false;
	}
	bh_buf_done(&out);
	return ok ? cel_string(copy) : cel_unknown();
}

/* One variable becomes its value in the text. True: the text was nothing but it, and *ret is the value. */
static bool replace(struct fn_doc *doc, struct bh_buf *text, size_t from, size_t to, struct cel_value *ret)
{
	struct bh_slice all = bh_buf_slice(text), name = bh_slice_sub(all, from + 2, to - from - 2);
	bool is_pseudo = bh_slice_starts(name, BH_SLICE_LIT("AWS::"));
	struct cel_value v = is_pseudo ? cel_bool(true) : alternatives(doc, name);
	struct bh_buf out;
	if (from == 0 && to + 1 == all.len && !is_pseudo) {
		*ret = v;
		return true;
	}
	bh_buf_init(&out, TEXT_BYTES_MAX);
	bh_buf_add(&out, bh_slice_sub(all, 0, from));
	add_value(&out, is_pseudo ? cel_unknown() : v, name);
	bh_buf_add(&out, bh_slice_sub(all, to + 1, all.len));
	bh_buf_done(text);
	*text = out;
	return false;
}

struct cel_value fn_variables(struct fn_doc *doc, struct bh_slice in)
{
	struct bh_buf text;
	size_t from, to;
	struct cel_value v;
	if (doc->depth >= DEPTH_MAX || doc->steps++ >= STEPS_MAX)
		return cel_unknown();
	bh_buf_init(&text, TEXT_BYTES_MAX);
	bh_buf_add(&text, in);
	doc->depth++;
	bool whole = false;
	for (unsigned i = 0; i < ROUNDS_MAX && !whole && !text.failed && innermost(bh_buf_slice(&text), &from, &to); i++)
		whole = replace(doc, &text, from, to, &v);
	if (whole && v.kind == CEL_STRING && !bh_arena_copy(doc->arena, v.text, &v.text)) { /* it may lie in the buffer */
		doc->failed = true;
		v = cel_unknown();
	}
	if (!whole)
		v = close_text(doc, &text);
	doc->depth--;
	bh_buf_done(&text);
	return v;
}
