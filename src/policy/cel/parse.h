/* parse.h: the text of an expression to its tree (cel-spec langdef.md, "Syntax"). */
#ifndef CEL_PARSE_H
#define CEL_PARSE_H

#include "policy/cel/ast.h"
#include "policy/cel/library.h"

/*
 * The tree, with the macros of the libraries (a list that NULL ends) expanded; NULL when the text is wrong (in the maker's issues). The text must
 * outlive it.
 */
struct cel_expr *cel_parse(struct cel_maker *m, struct bh_slice text, const struct cel_library *const *libraries);

#endif
