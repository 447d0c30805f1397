/*
 * lex.h: the tokens of an expression (cel-spec langdef.md, "Syntax"). Strings are unescaped, numbers read; the whole text becomes one array, so that
 * the parser may look ahead.
 */
#ifndef CEL_LEX_H
#define CEL_LEX_H

#include "policy/cel/ast.h"

enum cel_token_kind {
	CEL_TOKEN_END,
	CEL_TOKEN_IDENT,
	CEL_TOKEN_QUOTED, /* `a-b`, without the backticks */
	CEL_TOKEN_CONST,  /* numbers, strings, bytes, true, false, null */
	CEL_TOKEN_IN,
	CEL_TOKEN_SIGN,   /* operators and brackets: .text */
};

struct cel_token {
	enum cel_token_kind kind;
	size_t offset_bytes;
	struct bh_slice text;   /* as written; a name without its backticks */
	struct cel_value value; /* CONST */
	bool too_large;         /* an integer one beyond int64: only behind a minus */
};

/* The tokens, ended by CEL_TOKEN_END; NULL when something is no token (in the maker's issues). */
struct cel_token *cel_lex(struct cel_maker *m, struct bh_slice text);

#endif
