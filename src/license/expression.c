/*
 * expression.c: the grammar, with the operators' order: + binds before WITH, WITH before AND, AND before OR; the same operators group to
 * the right, which means the same.
 *
 *     or   = and [ "OR" or ]         and  = atom [ "AND" and ]
 *     atom = "(" or ")" | id [ "+" ] [ "WITH" exception ]
 */
#include "license/license.h"

#include <strings.h>

#define TEXT_BYTES_MAX (16u << 10)
#define DEPTH_MAX 64u  /* of parentheses and of what is right of an operator; the longest expression seen has 40 parts */

struct parser {
	struct bh_slice rest;
	struct bh_arena *arena;
	unsigned depth;
};

static bool is_id_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':';
}

static void skip_blanks(struct parser *p)
{
	p->rest = bh_slice_trim(p->rest);
}

static struct bh_slice peek_word(struct parser *p)
{
	size_t n = 0;
	skip_blanks(p);
	while (n < p->rest.len && is_id_byte(p->rest.ptr[n]))
		n++;
	return bh_slice_sub(p->rest, 0, n);
}

static bool same_word(struct bh_slice a, const char *b)
{
	return a.len == strlen(b) && strncasecmp((const char *)a.ptr, b, a.len) == 0;
}

static bool take_word(struct parser *p, const char *word)
{
	if (!same_word(peek_word(p), word))
		return false;
	p->rest = bh_slice_sub(p->rest, strlen(word), p->rest.len);
	return true;
}

static bool take_byte(struct parser *p, char c)
{
	if (p->rest.len == 0 || p->rest.ptr[0] != (uint8_t)c)
		return false;
	p->rest = bh_slice_sub(p->rest, 1, p->rest.len);
	return true;
}

/* "GPL-2.0" -> "GPL-2.0-only", "GPL-2.0+" -> "GPL-2.0-or-later": the plain ones are deprecated, as nobody knew what they meant. */
static bool modern_gpl(struct license_node *n, struct bh_arena *arena)
{
	static const char *const families[] = { "GPL-", "LGPL-", "AGPL-", "GFDL-" };
	bool gpl = false;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		gpl = gpl || bh_slice_starts(n->id, bh_slice_str(families[i]));
	struct bh_slice base = bh_slice_ends(n->id, BH_SLICE_LIT("+")) ? bh_slice_sub(n->id, 0, n->id.len - 1) : n->id;
	if (!gpl)
		return true;
	char *text = bh_arena_printf(arena, "%.*s%s", BH_SLICE_FMT(base), n->plus || base.len < n->id.len ? "-or-later" : "-only");
	if (!text)
		return false;
	struct bh_slice modern = license_id(bh_slice_str(text), NULL);
	if (modern.len) {
		n->id = modern;
		n->plus = false;
	}
	return true;
}

static bool is_reference(struct bh_slice word)
{
	struct bh_slice ref = word, document;
	if (bh_slice_starts(word, BH_SLICE_LIT("DocumentRef-")) && bh_slice_cut(word, ':', &document, &ref) && document.len == strlen("DocumentRef-"))
		return false;
	return bh_slice_starts(ref, BH_SLICE_LIT("LicenseRef-")) && ref.len > strlen("LicenseRef-") && bh_slice_find(ref, ':') == ref.len;
}

static const struct license_node *parse_license(struct parser *p)
{
	struct bh_slice word = peek_word(p), id = license_id(word, NULL), copy;
	struct license_node *n = BH_ARENA_NEW(p->arena, struct license_node);
	bool reference = is_reference(word);
	if (!n || (id.len == 0 && !reference) || !bh_arena_copy(p->arena, id.len ? id : word, &copy))
		return NULL;
	n->id = copy;
	p->rest = bh_slice_sub(p->rest, word.len, p->rest.len);
	n->plus = !reference && take_byte(p, '+');
	if (take_word(p, "WITH")) {
		struct bh_slice exception = peek_word(p);
		n->exception = license_exception_id(exception);
		if (n->exception.len == 0)
			return NULL;
		p->rest = bh_slice_sub(p->rest, exception.len, p->rest.len);
	}
	return modern_gpl(n, p->arena) ? n : NULL;
}

static const struct license_node *parse_or(struct parser *p);

static const struct license_node *parse_atom(struct parser *p)
{
	skip_blanks(p);
	if (!take_byte(p, '('))
		return parse_license(p);
	const struct license_node *inner = parse_or(p);
	skip_blanks(p);
	return inner && take_byte(p, ')') ? inner : NULL;
}

static const struct license_node *join(struct parser *p, enum license_kind kind, const struct license_node *left, const struct license_node *right)
{
	struct license_node *n = left && right ? BH_ARENA_NEW(p->arena, struct license_node) : NULL;
	if (n)
		*n = (struct license_node){ .kind = kind, .left = left, .right = right };
	return n;
}

static const struct license_node *parse_and(struct parser *p)
{
	if (++p->depth > DEPTH_MAX)
		return NULL;
	const struct license_node *left = parse_atom(p);
	if (left && take_word(p, "AND"))
		left = join(p, LICENSE_AND, left, parse_and(p));
	p->depth--;
	return left;
}

static const struct license_node *parse_or(struct parser *p)
{
	if (++p->depth > DEPTH_MAX)
		return NULL;
	const struct license_node *left = parse_and(p);
	if (left && take_word(p, "OR"))
		left = join(p, LICENSE_OR, left, parse_or(p));
	p->depth--;
	return left;
}

const struct license_node *license_parse(struct bh_slice text, struct bh_arena *arena)
{
	struct parser p = { .rest = text, .arena = arena };
	if (text.len > TEXT_BYTES_MAX)
		return NULL;
	const struct license_node *n = parse_or(&p);
	skip_blanks(&p);
	return p.rest.len == 0 ? n : NULL;
}

static void write_node(const struct license_node *n, struct bh_buf *out, bool in_and)
{
	if (n->kind == LICENSE_LEAF) {
		bh_buf_add(out, n->id);
		bh_buf_add_str(out, n->plus ? "+" : "");
		bh_buf_add_str(out, n->exception.len ? " WITH " : "");
		bh_buf_add(out, n->exception);
		return;
	}
	bool parentheses = n->kind == LICENSE_OR && in_and;
	bh_buf_add_str(out, parentheses ? "(" : "");
	write_node(n->left, out, n->kind == LICENSE_AND);
	bh_buf_add_str(out, n->kind == LICENSE_AND ? " AND " : " OR ");
	write_node(n->right, out, n->kind == LICENSE_AND);
	bh_buf_add_str(out, parentheses ? ")" : "");
}

bool license_write(const struct license_node *n, struct bh_buf *out)
{
	write_node(n, out, false);
	return !out->failed;
}
