/*
 * syntax.h: conditions of the Falco rule language to trees. The grammar is that of falcosecurity/libs, userspace/libsinsp/filter/parser (2026-07): "and" binds tighter than "or"; names of
 * macros are words without a dot, names of fields have one. Nothing is known here of which fields and macros there are.
 */
#ifndef BH_GUARD_SYNTAX_H
#define BH_GUARD_SYNTAX_H

#include "base/arena.h"
#include "base/err.h"
#include "guard/fields.h"

struct bh_regex;

#define GUARD_DEPTH_MAX 400u /* of parentheses in parentheses */

/* A condition's text, in which lists are replaced by their items already, and where each byte stood: origin[i] is the caller's, shown in messages. */
struct guard_text {
	struct bh_slice text;
	const uint64_t *origin; /* as many as bytes; NULL: nobody asks */
};

enum guard_operand_kind { GUARD_FIELD, GUARD_TRANSFORM, GUARD_LITERAL, GUARD_TUPLE };

/* A side of a check: a field, what a transformer makes of its arguments, a text or number, or a list of these. */
struct guard_operand {
	enum guard_operand_kind kind;
	struct bh_slice name;     /* of the field or transformer as written; the literal's text */
	struct bh_slice argument; /* in brackets behind a field */
	bool has_argument;
	struct guard_operand *parts;
	size_t n;
	size_t at; /* offset in the condition's text */
	const struct guard_field *field; /* filled in by whoever knows fields */
	struct bh_slice dotted;          /* the argument that stands in the name, likewise */
	struct bh_regex *regex;          /* of a text behind "regex", likewise */
};

enum guard_op {
#define OP(name, word, kind, blank) GUARD_OP_##name,
#include "guard/operators.def"
#undef OP
};

enum guard_quantifier { GUARD_ONE, GUARD_ONEOF, GUARD_ANYOF, GUARD_ALLOF };

enum guard_node_kind { GUARD_AND, GUARD_OR, GUARD_NOT, GUARD_CHECK, GUARD_MACRO };

struct guard_node {
	enum guard_node_kind kind;
	struct guard_node **parts; /* AND, OR, NOT; MACRO: what it stands for, once that is known */
	size_t n;
	struct bh_slice name;      /* MACRO */
	/* CHECK */
	struct guard_operand left;
	enum guard_op op;
	enum guard_quantifier quantifier;
	bool is_list;                  /* the values stood in parentheses */
	struct guard_operand *values;  /* LITERALs, or one FIELD or TRANSFORM */
	size_t n_values;
	/* for messages */
	const struct guard_text *source;
	size_t at;
};

/* BH_EMALFORMED: what was expected where (err->offset_bytes: in the text). The tree lives in the arena, and borrows the text. */
int guard_parse(const struct guard_text *source, struct bh_arena *arena, struct guard_node **ret, struct bh_err *err) BH_MUST_CHECK;

/* A field or a transformer at the beginning of a text, as behind the "%" of an output; *ret_used: its bytes. */
int guard_parse_operand(struct bh_slice text, struct bh_arena *arena, struct guard_operand *ret, size_t *ret_used, struct bh_err *err) BH_MUST_CHECK;

const char *guard_op_word(enum guard_op op);
bool guard_op_takes_list(enum guard_op op); /* in, intersects, pmatch */
bool guard_op_parse(struct bh_slice word, enum guard_op *ret);

/* Of what an operand gives; its fields are found already. */
enum guard_type guard_operand_type(const struct guard_operand *o);

/* The token at an offset, for messages: a word, a mark, a quoted text. */
struct bh_slice guard_token_at(struct bh_slice text, size_t at);

#endif
