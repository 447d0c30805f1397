#include "kube/logic.h"

#include <stdio.h>

#include "base/buf.h"

#define ARENA_BYTES_MAX (1024u << 20)
#define SYMBOLS_MAX 4000000u
#define VARIABLES_MAX 10u
#define WORD_BYTES_MAX 64u
#define NOT_BOUND UINT32_MAX

/* A word of a rule: a variable by its number, or a symbol. */
struct term {
	bool is_variable;
	uint32_t value;
};

struct atom {
	uint32_t predicate;
	struct term terms[LOGIC_ARGUMENTS_MAX];
	size_t n;
};

struct logic_rule {
	struct atom head, body[LOGIC_BODY_MAX];
	size_t n;
};

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "more than %u facts, or %u ways in which they follow", LOGIC_FACTS_MAX, LOGIC_STEPS_MAX);
}

/* ---- symbols ---- */

static bool symbol_of(struct logic *l, struct bh_slice text, uint32_t *ret)
{
	const void *known = bh_map_get(&l->symbol_of, text);
	struct bh_slice copy;
	if (known) {
		*ret = (uint32_t)((uintptr_t)known - 1);
		return true;
	}
	if (!bh_arena_copy(&l->arena, text, &copy) || !logic_symbol_vec_push(&l->symbols, copy))
		return false;
	void **at = bh_map_put(&l->symbol_of, copy);
	if (!at)
		return false;
	*ret = (uint32_t)l->symbols.len - 1;
	*at = (void *)((uintptr_t)*ret + 1);
	return true;
}

static bool find_symbol(const struct logic *l, struct bh_slice text, uint32_t *ret)
{
	const void *known = bh_map_get(&l->symbol_of, text);
	*ret = known ? (uint32_t)((uintptr_t)known - 1) : 0;
	return known != NULL;
}

/* ---- facts ---- */

struct key {
	uint32_t words[1 + LOGIC_ARGUMENTS_MAX];
	size_t n;
};

static struct key key_of(uint32_t predicate, const uint32_t *arguments, size_t n)
{
	struct key k = { .words = { predicate }, .n = n + 1 };
	for (size_t i = 0; i < n; i++)
		k.words[i + 1] = arguments[i];
	return k;
}

static struct bh_slice bytes_of(const struct key *k)
{
	return (struct bh_slice){ (const uint8_t *)k->words, k->n * sizeof(k->words[0]) };
}

/* The number under a key of one of the maps; LOGIC_NONE when there is none. */
static uint32_t get(const struct bh_map *m, const struct key *k)
{
	const void *v = bh_map_get(m, bytes_of(k));
	return v ? (uint32_t)((uintptr_t)v - 1) : LOGIC_NONE;
}

static bool put(struct logic *l, struct bh_map *m, const struct key *k, uint32_t value)
{
	struct bh_slice key = bytes_of(k);
	if (!bh_map_get(m, key) && !bh_arena_copy(&l->arena, key, &key))
		return false;
	void **at = bh_map_put(m, key);
	if (at)
		*at = (void *)((uintptr_t)value + 1);
	return at != NULL;
}

static int add_fact(struct logic *l, uint32_t predicate, const uint32_t *arguments, size_t n, uint32_t *ret, struct bh_err *err)
{
	const struct key whole = key_of(predicate, arguments, n), by_predicate = key_of(predicate, NULL, 0);
	const struct key by_first = key_of(predicate, arguments, n ? 1 : 0);
	struct logic_fact f = { .predicate = predicate, .n = (uint8_t)n, .last_step = LOGIC_NONE };
	*ret = get(&l->fact_of, &whole);
	if (*ret != LOGIC_NONE)
		return 0;
	for (size_t i = 0; i < n; i++)
		f.arguments[i] = arguments[i];
	f.next_of_predicate = get(&l->last_of, &by_predicate);
	f.next_of_first = n ? get(&l->last_of, &by_first) : LOGIC_NONE;
	*ret = (uint32_t)l->facts.len;
	bool ok = logic_fact_vec_push(&l->facts, f) && put(l, &l->fact_of, &whole, *ret) && put(l, &l->last_of, &by_predicate, *ret);
	return ok && (n == 0 || put(l, &l->last_of, &by_first, *ret)) ? 0 : full(err);
}

static int add_given(struct logic *l, const char *predicate, const struct bh_slice *arguments, size_t n, uint32_t *ret, struct bh_err *err)
{
	uint32_t name, words[LOGIC_ARGUMENTS_MAX];
	bool ok = n <= LOGIC_ARGUMENTS_MAX && symbol_of(l, bh_slice_str(predicate), &name);
	for (size_t i = 0; ok && i < n; i++)
		ok = symbol_of(l, arguments[i], &words[i]);
	return ok ? add_fact(l, name, words, n, ret, err) : full(err);
}

int logic_add(struct logic *l, const char *predicate, const struct bh_slice *arguments, size_t n, uint32_t *ret, struct bh_err *err)
{
	uint32_t fact;
	int rc = add_given(l, predicate, arguments, n, &fact, err);
	if (rc < 0)
		return rc;
	l->facts.ptr[fact].is_given = true;
	if (ret)
		*ret = fact;
	return 0;
}

uint32_t logic_find(const struct logic *l, const char *predicate, const struct bh_slice *arguments, size_t n)
{
	uint32_t name, words[LOGIC_ARGUMENTS_MAX];
	bool ok = n <= LOGIC_ARGUMENTS_MAX && find_symbol(l, bh_slice_str(predicate), &name);
	for (size_t i = 0; ok && i < n; i++)
		ok = find_symbol(l, arguments[i], &words[i]);
	if (!ok)
		return LOGIC_NONE;
	const struct key whole = key_of(name, words, n);
	return get(&l->fact_of, &whole);
}

uint32_t logic_next(const struct logic *l, const char *predicate, uint32_t fact)
{
	uint32_t name;
	if (fact != LOGIC_NONE)
		return l->facts.ptr[fact].next_of_predicate;
	if (!find_symbol(l, bh_slice_str(predicate), &name))
		return LOGIC_NONE;
	const struct key k = key_of(name, NULL, 0);
	return get(&l->last_of, &k);
}

/* ---- rules ---- */

struct reading {
	struct logic *l;
	struct bh_slice variables[VARIABLES_MAX];
	size_t n_variables;
};

static bool read_term(struct reading *r, struct bh_slice word, struct term *ret)
{
	ret->is_variable = word.len && word.ptr[0] >= 'A' && word.ptr[0] <= 'Z';
	if (!ret->is_variable)
		return word.len && symbol_of(r->l, word, &ret->value);
	for (ret->value = 0; ret->value < r->n_variables; ret->value++)
		if (bh_slice_eq(r->variables[ret->value], word))
			return true;
	if (r->n_variables == VARIABLES_MAX)
		return false;
	r->variables[r->n_variables++] = word;
	return true;
}

/* "on(P, N)" from the text, which goes on behind it. */
static bool read_atom(struct reading *r, struct bh_slice *text, struct atom *ret)
{
	struct bh_slice name, inside, word;
	if (!bh_slice_cut(*text, '(', &name, &inside) || !bh_slice_cut(inside, ')', &inside, text) || !symbol_of(r->l, bh_slice_trim(name), &ret->predicate))
		return false;
	for (ret->n = 0; inside.len && ret->n < LOGIC_ARGUMENTS_MAX; ret->n++) {
		(void)bh_slice_cut(inside, ',', &word, &inside);
		if (!read_term(r, bh_slice_trim(word), &ret->terms[ret->n]))
			return false;
	}
	return inside.len == 0;
}

/* Every variable of the head must be bound by the body. */
static bool is_safe(const struct logic_rule *rule)
{
	uint32_t bound = 0;
	for (size_t i = 0; i < rule->n; i++)
		for (size_t k = 0; k < rule->body[i].n; k++)
			bound |= rule->body[i].terms[k].is_variable ? 1u << rule->body[i].terms[k].value : 0;
	for (size_t k = 0; k < rule->head.n; k++)
		if (rule->head.terms[k].is_variable && !(bound >> rule->head.terms[k].value & 1))
			return false;
	return rule->n > 0;
}

static bool read_rule(struct logic *l, const char *text, struct logic_rule *ret)
{
	struct reading r = { .l = l };
	struct bh_slice rest = bh_slice_str(text);
	if (!read_atom(&r, &rest, &ret->head))
		return false;
	rest = bh_slice_trim(rest);
	if (!bh_slice_starts(rest, BH_SLICE_LIT(":-")))
		return false;
	rest = bh_slice_sub(rest, 2, rest.len);
	while (ret->n < LOGIC_BODY_MAX) {
		if (!read_atom(&r, &rest, &ret->body[ret->n++]))
			return false;
		rest = bh_slice_trim(rest);
		if (rest.len == 0)
			return is_safe(ret);
		if (rest.ptr[0] != ',')
			return false;
		rest = bh_slice_sub(rest, 1, rest.len);
	}
	return false;
}

int logic_init(struct logic *l, const char *const *rules, size_t n, struct bh_err *err)
{
	*l = (struct logic){ .symbols = { .max = SYMBOLS_MAX }, .facts = { .max = LOGIC_FACTS_MAX }, .steps = { .max = LOGIC_STEPS_MAX } };
	bh_arena_init(&l->arena, ARENA_BYTES_MAX);
	bh_map_init(&l->symbol_of, SYMBOLS_MAX);
	bh_map_init(&l->fact_of, LOGIC_FACTS_MAX);
	bh_map_init(&l->last_of, LOGIC_FACTS_MAX * 2u);
	struct logic_rule *list = bh_arena_array(&l->arena, n + 1, sizeof(*list));
	if (!list)
		return full(err);
	for (size_t i = 0; i < n; i++) {
		list[i] = (struct logic_rule){ 0 };
		if (!read_rule(l, rules[i], &list[i]))
			return bh_fail(err, BH_EMALFORMED, 0, "no rule: %s", rules[i]);
	}
	l->rules = list;
	l->n_rules = n;
	return 0;
}

void logic_done(struct logic *l)
{
	logic_symbol_vec_done(&l->symbols);
	logic_fact_vec_done(&l->facts);
	logic_step_vec_done(&l->steps);
	bh_map_done(&l->symbol_of);
	bh_map_done(&l->fact_of);
	bh_map_done(&l->last_of);
	bh_arena_done(&l->arena);
}

/* ---- following ---- */

/* A rule whose body is being matched: the atom `first` with the fact that is new, the others with facts before it. */
struct matching {
	struct logic *l;
	const struct logic_rule *rule;
	size_t first;
	uint32_t newest, bound[VARIABLES_MAX], body[LOGIC_BODY_MAX];
	struct bh_err *err;
};

static uint32_t value_of(const struct matching *m, const struct term *t)
{
	return t->is_variable ? m->bound[t->value] : t->value;
}

/* Binds what was free; `undo` gets a bit for each variable that was. */
static bool unify(struct matching *m, const struct atom *a, const struct logic_fact *f, uint32_t *undo)
{
	*undo = 0;
	if (f->predicate != a->predicate || f->n != a->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		uint32_t known = value_of(m, &a->terms[i]);
		if (a->terms[i].is_variable && known == NOT_BOUND) {
			m->bound[a->terms[i].value] = f->arguments[i];
			*undo |= 1u << a->terms[i].value;
		} else if (known != f->arguments[i]) {
			return false;
		}
	}
	return true;
}

static void unbind(struct matching *m, uint32_t undo)
{
	for (size_t i = 0; i < VARIABLES_MAX; i++)
		if (undo >> i & 1)
			m->bound[i] = NOT_BOUND;
}

static int conclude(struct matching *m)
{
	const struct atom *head = &m->rule->head;
	uint32_t arguments[LOGIC_ARGUMENTS_MAX], fact;
	for (size_t i = 0; i < head->n; i++)
		arguments[i] = value_of(m, &head->terms[i]);
	int rc = add_fact(m->l, head->predicate, arguments, head->n, &fact, m->err);
	if (rc < 0)
		return rc;
	struct logic_step step = {
		.rule = (uint32_t)(m->rule - m->l->rules), .head = fact, .next_of_head = m->l->facts.ptr[fact].last_step, .n = (uint8_t)m->rule->n,
	};
	for (size_t i = 0; i < m->rule->n; i++) {
		step.body[i] = m->body[i];
		if (m->body[i] == fact)
			return 0; /* a fact that rests on itself says nothing */
	}
	if (!logic_step_vec_push(&m->l->steps, step))
		return full(m->err);
	m->l->facts.ptr[fact].last_step = (uint32_t)m->l->steps.len - 1;
	return 0;
}

/* The newest fact that could match the atom, by its first argument where that is known. */
static uint32_t candidates(const struct matching *m, const struct atom *a, bool *by_first)
{
	uint32_t first = a->n ? value_of(m, &a->terms[0]) : NOT_BOUND;
	*by_first = first != NOT_BOUND;
	const struct key k = key_of(a->predicate, &first, *by_first ? 1 : 0);
	return get(&m->l->last_of, &k);
}

/* Depth is the length of the body. */
static int match_from(struct matching *m, size_t i)
{
	if (i == m->rule->n)
		return conclude(m);
	if (i == m->first)
		return match_from(m, i + 1);
	const struct atom *a = &m->rule->body[i];
	bool by_first;
	int rc = 0;
	for (uint32_t f = candidates(m, a, &by_first); rc == 0 && f != LOGIC_NONE;) {
		uint32_t undo;
		/* The new fact may stand at several places: each way counts once. */
		bool is_old = f < m->newest || (f == m->newest && i > m->first);
		if (is_old && unify(m, a, &m->l->facts.ptr[f], &undo)) {
			m->body[i] = f;
			rc = match_from(m, i + 1);
			unbind(m, undo);
		} else if (is_old) {
			unbind(m, undo);
		}
		f = by_first ? m->l->facts.ptr[f].next_of_first : m->l->facts.ptr[f].next_of_predicate;
	}
	return rc;
}

static int follow(struct logic *l, uint32_t fact, struct bh_err *err)
{
	int rc = 0;
	for (size_t r = 0; rc == 0 && r < l->n_rules; r++)
		for (size_t i = 0; rc == 0 && i < l->rules[r].n; i++) {
			struct matching m = { .l = l, .rule = &l->rules[r], .first = i, .newest = fact, .err = err };
			uint32_t undo;
			for (size_t v = 0; v < VARIABLES_MAX; v++)
				m.bound[v] = NOT_BOUND;
			const struct logic_fact f = l->facts.ptr[fact]; /* the list moves when it grows */
			if (f.predicate != m.rule->body[i].predicate || !unify(&m, &m.rule->body[i], &f, &undo))
				continue;
			m.body[i] = fact;
			rc = match_from(&m, 0);
		}
	return rc;
}

int logic_run(struct logic *l, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < l->facts.len; i++)
		rc = follow(l, (uint32_t)i, err);
	return rc;
}
