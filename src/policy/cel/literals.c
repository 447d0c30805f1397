#include "policy/cel/literals.h"

#include "policy/cel/format.h"
#include "policy/cel/patterns.h"
#include "policy/cel/time.h"

#define TYPE_BYTES_MAX (64u << 10)

struct walk {
	const struct cel_env *env;
	struct cel_issues *issues;
	unsigned formats; /* calls of format() around */
};

/* ---- one type ---- */

static void complain_of_type(struct walk *w, const struct cel_expr *e, const struct cel_type *wanted, const struct cel_type *found)
{
	struct bh_buf a, b;
	bh_buf_init(&a, TYPE_BYTES_MAX);
	bh_buf_init(&b, TYPE_BYTES_MAX);
	cel_type_print(&a, wanted);
	cel_type_print(&b, found);
	cel_issue_add(w->issues, e->offset_bytes, "expected type '%.*s' but found '%.*s'", BH_SLICE_FMT(bh_buf_slice(&a)), BH_SLICE_FMT(bh_buf_slice(&b)));
	bh_buf_done(&b);
	bh_buf_done(&a);
}

/* The first one's type is everybody's. False: another one, and said so. */
static bool is_alike(struct walk *w, const struct cel_expr *e, bool is_optional, const struct cel_type **first)
{
	const struct cel_type *t = is_optional && e->type->n ? e->type->params[0] : e->type;
	if (!*first)
		*first = t;
	if (cel_type_same(*first, t))
		return true;
	complain_of_type(w, e, *first, t);
	return false;
}

static void want_one_type(struct walk *w, const struct cel_expr *e)
{
	const struct cel_type *item = NULL, *key = NULL;
	if (e->kind == CEL_EXPR_LIST)
		for (size_t i = 0; i < e->list.n && is_alike(w, e->list.items[i], e->list.optional && e->list.optional[i], &item); i++)
			;
	else
		for (size_t i = 0; i < e->map.n; i++) {
			(void)is_alike(w, e->map.pairs[i].key, false, &key);
			(void)is_alike(w, e->map.pairs[i].value, e->map.pairs[i].optional, &item);
		}
}

/* ---- texts that are read ---- */

static bool is_duration(struct bh_slice text)
{
	struct cel_time t;
	struct bh_err err;
	return cel_duration_parse(text, &t, &err) == 0;
}

static bool is_timestamp(struct bh_slice text)
{
	struct cel_time t;
	struct bh_err err;
	return cel_timestamp_parse(text, &t, &err) == 0;
}

static bool is_pattern(struct bh_slice text)
{
	struct cel_patterns *patterns = NULL;
	const struct bh_regex *re;
	struct bh_err err;
	bool ok = cel_patterns_get(&patterns, text, &re, &err) == 0;
	cel_patterns_free(patterns);
	return ok;
}

static const struct {
	const char *function;
	bool (*is_readable)(struct bh_slice text);
} readers[] = { { "duration", is_duration }, { "timestamp", is_timestamp }, { "matches", is_pattern } };

static void read_argument(struct walk *w, const struct cel_expr *e)
{
	const struct cel_expr *text = e->call.n ? e->call.args[0] : NULL;
	if (!text || text->kind != CEL_EXPR_CONST || text->constant.kind != CEL_STRING)
		return;
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (bh_slice_eq_str(e->call.function, readers[i].function) && !readers[i].is_readable(text->constant.text))
			cel_issue_add(w->issues, text->offset_bytes, "invalid %s argument", readers[i].function);
}

/* ---- formats ---- */

/* By the letter of a clause: the kinds of types it takes, and what is said of others. */
#define KIND(k) (1u << CEL_TYPE_##k)
static const struct {
	const char *letters;
	unsigned kinds;
	const char *why;
} clauses[] = {
	{ "s",
	  KIND(LIST) | KIND(MAP) | KIND(INT) | KIND(UINT) | KIND(DOUBLE) | KIND(BOOL) | KIND(STRING) | KIND(TIMESTAMP) | KIND(BYTES) | KIND(DURATION)
		  | KIND(TYPE) | KIND(NULL),
	  "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps" },
	{ "d", KIND(INT) | KIND(UINT), "decimal clause can only be used on integers" },
	{ "f", KIND(DOUBLE) | KIND(STRING), "fixed-point clause can only be used on doubles" },
	{ "e", KIND(DOUBLE) | KIND(STRING), "scientific clause can only be used on doubles" },
	{ "b", KIND(INT) | KIND(UINT) | KIND(BOOL), "only integers and bools can be formatted as binary" },
	{ "o", KIND(INT) | KIND(UINT), "octal clause can only be used on integers" },
	{ "xX", KIND(INT) | KIND(UINT) | KIND(STRING) | KIND(BYTES), "only integers, byte buffers, and strings can be formatted as hex" },
};

/* What literals hold has to be text, too. The tree is at most CEL_DEPTH_MAX deep. */
static void want_clause(struct walk *w, const struct cel_expr *argument, uint8_t letter)
{
	const struct cel_type *t = argument->type;
	for (size_t i = 0; i < sizeof(clauses) / sizeof(clauses[0]); i++)
		if (strchr(clauses[i].letters, letter) && t->kind != CEL_TYPE_DYN && !(clauses[i].kinds & 1u << t->kind))
			cel_issue_add(w->issues, argument->offset_bytes, "error during formatting: %s", clauses[i].why);
	if (letter == 's' && argument->kind == CEL_EXPR_LIST)
		for (size_t i = 0; i < argument->list.n; i++)
			want_clause(w, argument->list.items[i], letter);
	if (letter == 's' && argument->kind == CEL_EXPR_MAP)
		for (size_t i = 0; i < argument->map.n; i++) {
			want_clause(w, argument->map.pairs[i].key, letter);
			want_clause(w, argument->map.pairs[i].value, letter);
		}
}

static void read_format(struct walk *w, const struct cel_expr *e)
{
	const struct cel_expr *target = e->call.target, *list = e->call.n == 1 ? e->call.args[0] : NULL;
	if (!target || target->kind != CEL_EXPR_CONST || target->constant.kind != CEL_STRING || !list || list->kind != CEL_EXPR_LIST)
		return;
	struct bh_slice rest = target->constant.text, plain;
	struct cel_clause clause;
	struct bh_err err;
	size_t used = 0;
	int rc;
	while ((rc = cel_clause_next(&rest, &plain, &clause, &err)) > 0) {
		if (clause.letter == '%')
			continue;
		if (used == list->list.n) {
			cel_issue_add(w->issues, e->offset_bytes, "index %zu out of range", used);
			return;
		}
		want_clause(w, list->list.items[used++], clause.letter);
	}
	if (rc < 0)
		cel_issue_add(w->issues, e->offset_bytes, "%s", err.text);
	else if (used < list->list.n)
		cel_issue_add(w->issues, e->offset_bytes, "too many arguments supplied to string.format (expected %zu, got %zu)", used, list->list.n);
}

/* ---- the tree ---- */

static void walk(struct walk *w, const struct cel_expr *e);

static void walk_call(struct walk *w, const struct cel_expr *e)
{
	bool is_format = bh_slice_eq_str(e->call.function, "format") && cel_env_find_callee(w->env, e->call.function);
	if (w->env->reads_literals) {
		read_argument(w, e);
		if (is_format)
			read_format(w, e);
	}
	w->formats += is_format;
	if (e->call.target)
		walk(w, e->call.target);
	for (size_t i = 0; i < e->call.n; i++)
		walk(w, e->call.args[i]);
	w->formats -= is_format;
}

/* The tree is at most CEL_DEPTH_MAX deep. */
static void walk(struct walk *w, const struct cel_expr *e)
{
	if ((e->kind == CEL_EXPR_LIST || e->kind == CEL_EXPR_MAP) && w->env->is_homogeneous && w->formats == 0)
		want_one_type(w, e);
	switch (e->kind) {
	case CEL_EXPR_CONST:
	case CEL_EXPR_IDENT: break;
	case CEL_EXPR_SELECT: walk(w, e->select.operand); break;
	case CEL_EXPR_CALL: walk_call(w, e); break;
	case CEL_EXPR_LIST:
		for (size_t i = 0; i < e->list.n; i++)
			walk(w, e->list.items[i]);
		break;
	case CEL_EXPR_MAP:
	case CEL_EXPR_RECORD:
		for (size_t i = 0; i < e->map.n; i++) {
			if (e->kind == CEL_EXPR_MAP)
				walk(w, e->map.pairs[i].key);
			walk(w, e->map.pairs[i].value);
		}
		break;
	case CEL_EXPR_FOLD:
		walk(w, e->fold.range);
		walk(w, e->fold.init);
		walk(w, e->fold.condition);
		walk(w, e->fold.step);
		walk(w, e->fold.result);
		break;
	}
}

void cel_check_literals(const struct cel_env *env, const struct cel_expr *tree, struct cel_issues *issues)
{
	struct walk w = { .env = env, .issues = issues };
	if (env->is_homogeneous || env->reads_literals)
		walk(&w, tree);
}
