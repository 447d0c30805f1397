/*
 * ruleset.h: files of rules in Falco's language: lists, macros and rules, with exceptions, overrides and appends, put together in the order of the files as Falco's loader (engine 0.63)
 * does. What is wrong is told with file, line and column; what can be used is there nevertheless.
 *
 * Beside Falco's keys a rule may have `action` (audit, kill, deny, freeze, quarantine, capture), which Falco only warns of.
 */
#ifndef BH_GUARD_RULESET_H
#define BH_GUARD_RULESET_H

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "guard/syntax.h"

struct bh_yaml;
struct bh_yaml_node;

#define GUARD_ENGINE_VERSION "0.63.0" /* of the language */
#define GUARD_TYPES_MAX 512u          /* events that rules name */
#define GUARD_MACRO_DEPTH_MAX 200u

struct guard_place {
	const char *file;
	uint32_t line, column; /* from 1; 0: the whole file */
};

struct guard_problem {
	struct guard_place place;
	bool is_warning;
	struct bh_slice text;
	struct bh_slice excerpt; /* the line of the file */
};

BH_VEC(guard_problem_vec, struct guard_problem)

struct guard_source {
	const char *name;
	struct bh_slice bytes;
	struct bh_yaml *yaml;
};

BH_VEC(guard_source_vec, struct guard_source)

/* A scalar of a file: a part of a condition, an item of a list. */
struct guard_scalar {
	uint32_t source; /* index in sources */
	const struct bh_yaml_node *node;
};

BH_VEC(guard_scalar_vec, struct guard_scalar)

/* What lists, macros and rules share. index: when the name came up first, visible: when it was last defined; a macro sees what came up before its own last definition. */
struct guard_item {
	struct bh_slice name;
	struct guard_scalar at; /* the value of its first key */
	size_t index, visible;
	bool is_used;
};

struct guard_list {
	struct guard_item item;
	struct guard_scalar_vec items;
};

/* Events a condition may be true for: bits by number in the set's types, rest: those that no rule names. */
struct guard_types {
	uint64_t bits[GUARD_TYPES_MAX / 64];
	bool rest;
};

/* A condition and what is known of it. */
struct guard_condition {
	struct guard_scalar_vec parts; /* joined by blanks */
	struct guard_text text;        /* with lists in place */
	struct guard_node *tree;       /* NULL: it is wrong */
	size_t n_checks;               /* with macros in place */
	unsigned depth;                /* of macros in it */
	struct guard_types types[2];   /* of it, and of its negation */
	enum { GUARD_UNSEEN, GUARD_AT_WORK, GUARD_GOOD, GUARD_BAD, GUARD_UNKNOWN } state; /* UNKNOWN: it names a field or an event that is not there */
	struct guard_problem why;      /* of GUARD_BAD and GUARD_UNKNOWN; without a text: it was told already */
};

struct guard_macro {
	struct guard_item item;
	struct guard_condition condition;
};

enum guard_priority { GUARD_EMERGENCY, GUARD_ALERT, GUARD_CRITICAL, GUARD_ERROR, GUARD_WARNING, GUARD_NOTICE, GUARD_INFORMATIONAL, GUARD_DEBUG };

enum guard_action { GUARD_AUDIT, GUARD_KILL, GUARD_DENY, GUARD_FREEZE, GUARD_QUARANTINE, GUARD_CAPTURE };

struct guard_exception {
	struct guard_scalar name, fields, comps; /* comps.node NULL: the usual ones */
	struct guard_scalar_vec values;          /* sequences, or scalars */
};

BH_VEC(guard_exception_vec, struct guard_exception)

struct guard_rule {
	struct guard_item item;
	struct guard_condition condition;
	struct guard_exception_vec exceptions;
	struct bh_slice desc, output, source;
	struct guard_scalar output_at;
	enum guard_priority priority;
	enum guard_action action;
	struct guard_scalar_vec tags;
	bool is_enabled, skip_if_unknown, warn_evttypes, capture, is_foreign; /* is_foreign: of a source that is not here */
	bool is_loaded; /* it can be used */
};

BH_VEC(guard_regex_vec, struct bh_regex *)

struct guard_ruleset {
	struct bh_arena arena;
	struct guard_source_vec sources;
	struct bh_map lists, macros, rules; /* name -> struct guard_list *, guard_macro *, guard_rule * */
	struct guard_problem_vec problems;
	size_t n_dropped, n_dropped_errors; /* problems beyond the maximum */
	size_t n_errors, n_defined;
	struct bh_slice types[GUARD_TYPES_MAX];
	size_t n_types;
	struct bh_map type_numbers;
	unsigned macro_depth; /* of those at work */
	struct guard_regex_vec regexes;
};

void guard_ruleset_init(struct guard_ruleset *r);
void guard_ruleset_done(struct guard_ruleset *r);

/* A file, whose name and bytes live as long as the set. What is wrong with it becomes a problem; negative: BH_ENOMEM, BH_ELIMIT. */
int guard_ruleset_add(struct guard_ruleset *r, const char *name, struct bh_slice bytes, struct bh_err *err) BH_MUST_CHECK;

/* Once, when all files are added: lists into conditions, conditions to trees, macros into trees, fields, values, events, outputs. */
int guard_ruleset_compile(struct guard_ruleset *r, struct bh_err *err) BH_MUST_CHECK;

const char *guard_priority_name(enum guard_priority p);
const char *guard_action_name(enum guard_action a);

/* ---- for the files of this folder ---- */

struct bh_slice guard_scalar_text(struct guard_scalar s);
struct guard_place guard_scalar_place(const struct guard_ruleset *r, struct guard_scalar s);

/* A problem where a scalar stands. The text is printf's. False: memory. */
bool guard_tell(struct guard_ruleset *r, struct guard_scalar at, bool is_warning, const char *fmt, ...) BH_PRINTF(4, 5);

/* A problem at an offset of a condition's text. */
bool guard_tell_at(struct guard_ruleset *r, const struct guard_text *source, size_t at, bool is_warning, const char *text);
struct guard_problem guard_problem_at(struct guard_ruleset *r, const struct guard_text *source, size_t at, bool is_warning, const char *text);
bool guard_problem_add(struct guard_ruleset *r, const struct guard_problem *p);

/* text.c: the text of a rule's or macro's condition, with exceptions, with lists in place. */
int guard_text_make(struct guard_ruleset *r, const struct guard_scalar_vec *parts, const struct guard_exception_vec *exceptions, struct guard_text *ret, struct bh_err *err) BH_MUST_CHECK;

/* check.c: is all of a tree there, macros being resolved already? Sets n_checks, types, state. */
void guard_check_condition(struct guard_ruleset *r, struct guard_condition *c);
bool guard_check_output(struct guard_ruleset *r, const struct guard_rule *rule);

/* The field or transformer at a "%", its fields found; the bytes it takes with the "%", 0: there is none that is good. */
size_t guard_output_field(struct bh_slice text, struct bh_arena *arena, struct guard_operand *ret);

/* show.c: a tree as a condition again, macros in place, a part a line. */
void guard_show_condition(const struct guard_node *n, unsigned indent, struct bh_buf *out);

#endif
