/* compile.c: from what files say to rules that can be used (see ruleset.h). */
#include "guard/ruleset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY_TYPES 100u
#define MESSAGE_BYTES 300u

/* The text and the tree of a condition; state stays GUARD_UNSEEN when there is one. */
static int make_tree(struct guard_ruleset *r, struct guard_condition *c, const struct guard_exception_vec *exceptions, struct bh_err *err)
{
	struct bh_err why = { 0 };
	int rc = guard_text_make(r, &c->parts, exceptions, &c->text, &why);
	if (rc == BH_ELIMIT) {
		c->state = GUARD_BAD;
		return guard_tell(r, c->parts.ptr[0], false, "%s", why.text) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
	}
	rc = guard_parse(&c->text, &r->arena, &c->tree, &why);
	if (rc == 0)
		return 0;
	c->tree = NULL;
	c->state = GUARD_BAD;
	return guard_tell_at(r, &c->text, (size_t)why.offset_bytes, false, why.text) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

/* ---- macros in place ---- */

struct resolving {
	struct guard_ruleset *r;
	size_t visible; /* what came up before that */
	struct bh_err *err;
};

static int finish_macro(struct guard_ruleset *r, struct guard_macro *m, struct bh_err *err);

static bool tell_macro(const struct resolving *g, const struct guard_node *n, const char *what)
{
	char text[MESSAGE_BYTES];
	(void)snprintf(text, sizeof(text), "%s '%.*s'", what, BH_SLICE_FMT(bh_slice_sub(n->name, 0, 100)));
	return guard_tell_at(g->r, n->source, n->at, false, text);
}

/* 0: it stands for something good; 1: it does not. */
static int resolve_name(const struct resolving *g, struct guard_node *n)
{
	struct guard_macro *m = bh_map_get(&g->r->macros, n->name);
	if (!m || m->item.index >= g->visible)
		return tell_macro(g, n, m ? "the macro is defined further below:" : "there is no macro") ? 1 : BH_ENOMEM;
	if (m->condition.state == GUARD_AT_WORK)
		return tell_macro(g, n, "the macro refers to itself:") ? 1 : BH_ENOMEM;
	m->item.is_used = true;
	if (g->r->macro_depth == GUARD_MACRO_DEPTH_MAX)
		return tell_macro(g, n, "macros are too deep in each other:") ? 1 : BH_ENOMEM;
	g->r->macro_depth++;
	int rc = finish_macro(g->r, m, g->err);
	g->r->macro_depth--;
	if (rc < 0)
		return rc;
	n->parts = &m->condition.tree;
	n->n = m->condition.tree ? 1 : 0;
	return n->n && m->condition.state != GUARD_BAD ? 0 : 1;
}

static int resolve(const struct resolving *g, struct guard_node *n)
{
	int result = 0;
	if (n->kind == GUARD_MACRO)
		return resolve_name(g, n);
	for (size_t i = 0; n->kind != GUARD_CHECK && i < n->n; i++) {
		int rc = resolve(g, n->parts[i]);
		if (rc < 0)
			return rc;
		result |= rc;
	}
	return result;
}

/* Macros of a condition, then all of it. What is wrong with its own text is told. */
static int finish_condition(struct guard_ruleset *r, struct guard_condition *c, size_t visible, struct bh_err *err)
{
	const struct resolving g = { r, visible, err };
	if (!c->tree)
		return 0;
	c->state = GUARD_AT_WORK;
	int rc = resolve(&g, c->tree);
	c->state = GUARD_BAD;
	if (rc == 0)
		guard_check_condition(r, c);
	return rc < 0 ? bh_fail(err, BH_ENOMEM, 0, "out of memory") : 0;
}

static int finish_macro(struct guard_ruleset *r, struct guard_macro *m, struct bh_err *err)
{
	struct guard_condition *c = &m->condition;
	if (c->state != GUARD_UNSEEN)
		return 0;
	int rc = finish_condition(r, c, m->item.visible, err);
	/* An unknown field is told by the rules that use the macro. */
	return rc < 0 || c->state != GUARD_BAD || c->why.text.len == 0 || guard_problem_add(r, &c->why) ? rc : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

/* ---- rules ---- */

static size_t count_types(const struct guard_ruleset *r, const struct guard_types *t)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_types; i++)
		n += t->bits[i / 64] >> i % 64 & 1;
	return n;
}

static bool warn_of_types(struct guard_ruleset *r, const struct guard_rule *rule)
{
	const struct guard_types *t = &rule->condition.types[0];
	if (t->rest && rule->warn_evttypes)
		return guard_tell(r, rule->item.at, true, "the rule looks at every kind of event: its condition does not say which evt.type it is about");
	if (!t->rest && count_types(r, t) == 0 && rule->is_enabled)
		return guard_tell(r, rule->item.at, true, "no event can be what the rule's condition says");
	if (!t->rest && count_types(r, t) > MANY_TYPES && rule->warn_evttypes)
		return guard_tell(r, rule->item.at, true, "the rule looks at %zu kinds of events", count_types(r, t));
	return true;
}

/* A rule that names what is not there is wrong, unless it says that it may. */
static bool judge_rule(struct guard_ruleset *r, struct guard_rule *rule)
{
	struct guard_condition *c = &rule->condition;
	if (c->state == GUARD_UNKNOWN) {
		struct guard_problem p = c->why;
		p.is_warning = rule->skip_if_unknown;
		return guard_problem_add(r, &p);
	}
	if (c->state == GUARD_BAD && c->why.text.len)
		return guard_problem_add(r, &c->why);
	if (c->state != GUARD_GOOD)
		return true;
	rule->is_loaded = guard_check_output(r, rule);
	return warn_of_types(r, rule);
}

static int finish_rule(struct guard_ruleset *r, struct guard_rule *rule, struct bh_err *err)
{
	if (rule->is_foreign)
		return 0;
	int rc = make_tree(r, &rule->condition, &rule->exceptions, err);
	rc = rc < 0 ? rc : finish_condition(r, &rule->condition, SIZE_MAX, err);
	return rc < 0 || judge_rule(r, rule) ? rc : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

static bool warn_unused(struct guard_ruleset *r, const struct bh_map *items, const char *what)
{
	for (size_t i = 0; i < items->len; i++) {
		const struct guard_item *item = items->entries[i].value; /* the first member of each kind */
		if (!item->is_used && !guard_tell(r, item->at, true, "nobody uses the %s '%.*s'", what, BH_SLICE_FMT(item->name)))
			return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct guard_problem *x = a, *y = b;
	int by_file = strcmp(x->place.file, y->place.file);
	if (by_file)
		return by_file;
	return x->place.line != y->place.line ? (x->place.line > y->place.line) - (x->place.line < y->place.line) : (x->place.column > y->place.column) - (x->place.column < y->place.column);
}

static bool is_same(const struct guard_problem *a, const struct guard_problem *b)
{
	return compare(a, b) == 0 && a->is_warning == b->is_warning && bh_slice_eq(a->text, b->text);
}

/* In the order of the files, each once: several rules may stumble over one macro. */
static void sort_problems(struct guard_ruleset *r)
{
	struct guard_problem_vec *v = &r->problems;
	size_t n = 0;
	if (v->len > 1)
		qsort(v->ptr, v->len, sizeof(v->ptr[0]), compare);
	for (size_t i = 0; i < v->len; i++)
		if (n == 0 || !is_same(&v->ptr[n - 1], &v->ptr[i]))
			v->ptr[n++] = v->ptr[i];
	v->len = n;
	r->n_errors = r->n_dropped_errors;
	for (size_t i = 0; i < n; i++)
		r->n_errors += !v->ptr[i].is_warning;
}

int guard_ruleset_compile(struct guard_ruleset *r, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < r->macros.len; i++)
		rc = make_tree(r, &((struct guard_macro *)r->macros.entries[i].value)->condition, NULL, err);
	for (size_t i = 0; rc == 0 && i < r->macros.len; i++)
		rc = finish_macro(r, r->macros.entries[i].value, err);
	for (size_t i = 0; rc == 0 && i < r->rules.len; i++)
		rc = finish_rule(r, r->rules.entries[i].value, err);
	if (rc == 0 && !(warn_unused(r, &r->macros, "macro") && warn_unused(r, &r->lists, "list")))
		rc = bh_fail(err, BH_ENOMEM, 0, "out of memory");
	sort_problems(r);
	return rc;
}
