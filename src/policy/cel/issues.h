/*
 * issues.h: what is wrong with the text of an expression, where. Printed as cel-go and with it Kubernetes prints it:
 *
 *     ERROR: <input>:1:5: undeclared reference to 'x' (in container '')
 *      | 1 + x
 *      | ....^
 */
#ifndef CEL_ISSUES_H
#define CEL_ISSUES_H

#include "base/arena.h"
#include "base/buf.h"

#define CEL_ISSUES_MAX 100u /* further ones are counted only */

struct cel_issue {
	size_t offset_bytes;
	struct bh_slice text;
};

struct cel_issues {
	struct bh_arena *arena;
	struct bh_slice source; /* the expression */
	size_t n, n_left_out;
	struct cel_issue list[CEL_ISSUES_MAX];
};

void cel_issue_add(struct cel_issues *issues, size_t offset_bytes, const char *fmt, ...) BH_PRINTF(3, 4);

/* Line and column (in characters) from 1. */
void cel_issue_place(struct bh_slice source, size_t offset_bytes, unsigned *line, unsigned *column);

/* All of them, in the order of their places, with a line end between them. `name` stands for the file: "<input>". */
void cel_issues_print(const struct cel_issues *issues, const char *name, struct bh_buf *out);

#endif
