#include "kube/proof.h"

#include <stdlib.h>

#include "base/cleanup.h"

#define ARENA_BYTES_MAX (1024u << 20)
#define TRIES_MAX 100000u

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the search for paths needs more than %u MiB", ARENA_BYTES_MAX >> 20);
}

/* ---- the part that matters ---- */

static bool enter(struct proof_space *s, uint32_t fact)
{
	if (s->place[fact] != LOGIC_NONE)
		return true;
	s->place[fact] = (uint32_t)s->facts.len;
	return proof_number_vec_push(&s->facts, fact);
}

/* A fact that stands twice in a body is one condition. */
static bool is_repeated(const struct logic_step *step, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (step->body[k] == step->body[i])
			return true;
	return false;
}

/* Counted first, then laid down side by side: every try walks along them. */
static bool link_uses(struct proof_space *s)
{
	size_t n = 0;
	s->first_use = bh_arena_array(&s->arena, s->facts.len + 2, sizeof(*s->first_use));
	s->needs = bh_arena_array(&s->arena, s->steps.len + 1, sizeof(*s->needs));
	if (!s->first_use || !s->needs)
		return false;
	for (size_t k = 0; k < s->steps.len; k++) {
		const struct logic_step *step = &s->logic->steps.ptr[s->steps.ptr[k]];
		for (size_t b = 0; b < step->n; b++)
			if (!is_repeated(step, b)) {
				s->first_use[s->place[step->body[b]] + 2]++;
				s->needs[k]++;
				n++;
			}
	}
	s->uses = bh_arena_array(&s->arena, n + 1, sizeof(*s->uses));
	for (size_t i = 2; i < s->facts.len + 2; i++)
		s->first_use[i] += s->first_use[i - 1];
	for (size_t k = 0; s->uses && k < s->steps.len; k++) {
		const struct logic_step *step = &s->logic->steps.ptr[s->steps.ptr[k]];
		for (size_t b = 0; b < step->n; b++)
			if (!is_repeated(step, b))
				s->uses[s->first_use[s->place[step->body[b]] + 1]++] = (uint32_t)k;
	}
	return s->uses != NULL;
}

int proof_space_init(struct proof_space *s, const struct logic *l, uint32_t target, struct bh_err *err)
{
	*s = (struct proof_space){ .logic = l, .target = target, .facts = { .max = LOGIC_FACTS_MAX }, .steps = { .max = LOGIC_STEPS_MAX } };
	bh_arena_init(&s->arena, ARENA_BYTES_MAX);
	s->place = bh_arena_array(&s->arena, l->facts.len + 1, sizeof(*s->place));
	if (!s->place)
		return no_memory(err);
	for (size_t i = 0; i < l->facts.len; i++)
		s->place[i] = LOGIC_NONE;
	bool ok = enter(s, target);
	for (size_t i = 0; ok && i < s->facts.len; i++)
		for (uint32_t k = l->facts.ptr[s->facts.ptr[i]].last_step; ok && k != LOGIC_NONE; k = l->steps.ptr[k].next_of_head) {
			ok = proof_number_vec_push(&s->steps, k);
			for (size_t b = 0; ok && b < l->steps.ptr[k].n; b++)
				ok = enter(s, l->steps.ptr[k].body[b]);
		}
	s->removed = ok ? bh_arena_array(&s->arena, s->facts.len + 1, 1) : NULL;
	return s->removed && link_uses(s) ? 0 : no_memory(err);
}

void proof_space_done(struct proof_space *s)
{
	proof_number_vec_done(&s->facts);
	proof_number_vec_done(&s->steps);
	bh_arena_done(&s->arena);
}

void proof_take_away(struct proof_space *s, uint32_t fact, bool away)
{
	if (fact < s->logic->facts.len && s->place[fact] != LOGIC_NONE)
		s->removed[s->place[fact]] = away;
}

/* ---- the shortest: Knuth's generalization of Dijkstra's algorithm to rules with several conditions ---- */

struct shortest {
	const struct proof_space *s;
	struct bh_arena arena;
	uint32_t *cost, *by;       /* of each fact; the step that proves it: LOGIC_NONE: given */
	bool *settled;
	uint32_t *missing, *price; /* of each step: conditions that are not settled; what the settled ones cost */
	uint32_t *heap;            /* facts by cost, then by place */
	uint32_t *at;              /* where a fact stands in the heap */
	size_t n_heap;
};

static bool is_less(const struct shortest *x, uint32_t a, uint32_t b)
{
	return x->cost[a] != x->cost[b] ? x->cost[a] < x->cost[b] : a < b;
}

static void place_at(struct shortest *x, size_t i, uint32_t fact)
{
	x->heap[i] = fact;
	x->at[fact] = (uint32_t)i;
}

static void rise(struct shortest *x, size_t i)
{
	uint32_t fact = x->heap[i];
	while (i > 0 && is_less(x, fact, x->heap[(i - 1) / 2])) {
		place_at(x, i, x->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place_at(x, i, fact);
}

static void sink(struct shortest *x, size_t i)
{
	uint32_t fact = x->heap[i];
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= x->n_heap)
			break;
		if (child + 1 < x->n_heap && is_less(x, x->heap[child + 1], x->heap[child]))
			child++;
		if (!is_less(x, x->heap[child], fact))
			break;
		place_at(x, i, x->heap[child]);
		i = child;
	}
	place_at(x, i, fact);
}

static void offer(struct shortest *x, uint32_t fact, uint32_t cost, uint32_t step)
{
	if (x->settled[fact] || cost >= x->cost[fact])
		return;
	bool is_new = x->cost[fact] == UINT32_MAX;
	x->cost[fact] = cost;
	x->by[fact] = step;
	if (is_new)
		place_at(x, x->n_heap++, fact);
	rise(x, x->at[fact]);
}

static uint32_t take_least(struct shortest *x)
{
	uint32_t least = x->heap[0], last = x->heap[--x->n_heap];
	if (x->n_heap) {
		place_at(x, 0, last);
		sink(x, 0);
	}
	return least;
}

static bool shortest_init(struct shortest *x, const struct proof_space *s)
{
	size_t n = s->facts.len + 1, m = s->steps.len + 1;
	*x = (struct shortest){ .s = s };
	bh_arena_init(&x->arena, ARENA_BYTES_MAX);
	x->cost = bh_arena_array(&x->arena, n, sizeof(*x->cost));
	x->by = bh_arena_array(&x->arena, n, sizeof(*x->by));
	x->settled = bh_arena_array(&x->arena, n, sizeof(*x->settled));
	x->heap = bh_arena_array(&x->arena, n, sizeof(*x->heap));
	x->at = bh_arena_array(&x->arena, n, sizeof(*x->at));
	x->missing = bh_arena_array(&x->arena, m, sizeof(*x->missing));
	x->price = bh_arena_array(&x->arena, m, sizeof(*x->price));
	return x->cost && x->by && x->settled && x->heap && x->at && x->missing && x->price;
}

static uint32_t add(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - 1 - b ? UINT32_MAX - 1 : a + b;
}

static void settle(struct shortest *x, uint32_t fact)
{
	const struct proof_space *s = x->s;
	x->settled[fact] = true;
	for (uint32_t u = s->first_use[fact]; u < s->first_use[fact + 1]; u++) {
		uint32_t k = s->uses[u];
		x->price[k] = add(x->price[k], x->cost[fact]);
		if (--x->missing[k] == 0)
			offer(x, s->place[s->logic->steps.ptr[s->steps.ptr[k]].head], add(x->price[k], 1), k);
	}
}

/* Is the target settled at the end? */
static bool search(struct shortest *x)
{
	const struct proof_space *s = x->s;
	for (size_t i = 0; i < s->facts.len; i++) {
		x->cost[i] = UINT32_MAX;
		x->by[i] = LOGIC_NONE;
	}
	if (s->steps.len)
		memcpy(x->missing, s->needs, s->steps.len * sizeof(*x->missing));
	for (size_t i = 0; i < s->facts.len; i++)
		if (s->logic->facts.ptr[s->facts.ptr[i]].is_given && !s->removed[i])
			offer(x, (uint32_t)i, 0, LOGIC_NONE);
	while (x->n_heap) {
		uint32_t fact = take_least(x);
		if (fact == s->place[s->target])
			return true;
		settle(x, fact);
	}
	return false;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static bool copy_numbers(struct bh_arena *arena, const struct proof_number_vec *from, const uint32_t **ret)
{
	uint32_t *copy = bh_arena_array(arena, from->len + 1, sizeof(*copy));
	if (copy && from->len)
		memcpy(copy, from->ptr, from->len * sizeof(*copy));
	*ret = copy;
	return copy != NULL;
}

/* Backwards from the target with a list of its own instead of recursion: proofs may be long. */
static bool collect(const struct shortest *x, struct proof_number_vec *steps, struct proof_number_vec *given, struct proof_number_vec *todo, uint8_t *state)
{
	const struct proof_space *s = x->s;
	bool ok = proof_number_vec_push(todo, s->place[s->target]);
	while (ok && todo->len) {
		uint32_t fact = todo->ptr[todo->len - 1], k = x->by[fact];
		if (state[fact] == 2 || k == LOGIC_NONE) {
			todo->len--;
			ok = state[fact] == 2 || proof_number_vec_push(given, s->facts.ptr[fact]);
			state[fact] = 2;
			continue;
		}
		const struct logic_step *step = &s->logic->steps.ptr[s->steps.ptr[k]];
		if (state[fact] == 1) { /* all below it is there */
			todo->len--;
			state[fact] = 2;
			ok = proof_number_vec_push(steps, s->steps.ptr[k]);
			continue;
		}
		state[fact] = 1;
		for (size_t b = step->n; ok && b > 0; b--)
			if (state[s->place[step->body[b - 1]]] != 2)
				ok = proof_number_vec_push(todo, s->place[step->body[b - 1]]);
	}
	return ok;
}

static bool write_proof(struct shortest *x, struct bh_arena *arena, struct proof *ret)
{
	BH_WITH(proof_number_vec_done) struct proof_number_vec steps = { .max = LOGIC_STEPS_MAX }, given = { .max = LOGIC_FACTS_MAX };
	BH_WITH(proof_number_vec_done) struct proof_number_vec todo = { .max = LOGIC_STEPS_MAX };
	uint8_t *state = bh_arena_array(&x->arena, x->s->facts.len + 1, 1);
	if (!state || !collect(x, &steps, &given, &todo, state))
		return false;
	if (given.len)
		qsort(given.ptr, given.len, sizeof(*given.ptr), by_number);
	ret->n_steps = steps.len;
	ret->n_rests_on = given.len;
	return copy_numbers(arena, &steps, &ret->steps) && copy_numbers(arena, &given, &ret->rests_on);
}

int proof_shortest(const struct proof_space *s, struct bh_arena *arena, struct proof *ret, struct bh_err *err)
{
	struct shortest x;
	int rc = shortest_init(&x, s) ? (int)search(&x) : no_memory(err);
	if (rc == 1 && !write_proof(&x, arena, ret))
		rc = no_memory(err);
	bh_arena_done(&x.arena);
	return rc;
}

/* ---- all of them ---- */

struct try {
	uint32_t away[PROOF_CUT_MAX];
	size_t n;
};

BH_VEC(try_vec, struct try)

struct enumeration {
	struct proof_space *s;
	const struct proof_search *search;
	struct try_vec tries, cuts;
	uint32_t *rested_on; /* by index in the space's facts: by how many proofs */
	struct bh_map seen; /* sets that were tried, and what paths rest on */
	struct bh_arena arena;
	size_t n_paths;
	bool whole;
	struct bh_err *err;
};

static bool holds(const struct try *set, const struct try *part)
{
	for (size_t i = 0; i < part->n; i++) {
		bool found = false;
		for (size_t k = 0; k < set->n; k++)
			found |= set->away[k] == part->away[i];
		if (!found)
			return false;
	}
	return true;
}

/* A set of numbers the first time; behind a mark that tells tries and paths apart. */
static int is_new(struct enumeration *e, uint32_t mark, const uint32_t *numbers, size_t n)
{
	uint32_t *key = bh_arena_array(&e->arena, n + 1, sizeof(*key));
	if (!key)
		return no_memory(e->err);
	key[0] = mark;
	if (n)
		memcpy(key + 1, numbers, n * sizeof(*key));
	struct bh_slice bytes = { (const uint8_t *)key, (n + 1) * sizeof(*key) };
	if (bh_map_get(&e->seen, bytes))
		return 0;
	void **at = bh_map_put(&e->seen, bytes);
	if (!at)
		return no_memory(e->err);
	*at = key;
	return 1;
}

static int branch(struct enumeration *e, const struct try *t, uint32_t fact)
{
	struct try child = *t;
	if (t->n == PROOF_CUT_MAX) {
		e->whole = false;
		return 0;
	}
	child.away[child.n++] = fact;
	qsort(child.away, child.n, sizeof(child.away[0]), by_number);
	int rc = is_new(e, 0, child.away, child.n);
	if (rc <= 0)
		return rc;
	return try_vec_push(&e->tries, child) ? 0 : no_memory(e->err);
}

static int tell_path(struct enumeration *e, const struct proof *p)
{
	int rc = is_new(e, 1, p->rests_on, p->n_rests_on);
	if (rc <= 0)
		return rc;
	if (e->n_paths == e->search->paths_max) {
		e->whole = false;
		return 0;
	}
	e->n_paths++;
	return e->search->path(e->search->ctx, p, e->err);
}

/* Does the target follow without these? */
static int follows_without(struct enumeration *e, const uint32_t *away, size_t n, struct proof *ret)
{
	for (size_t i = 0; i < n; i++)
		proof_take_away(e->s, away[i], true);
	int rc = proof_shortest(e->s, &e->arena, ret, e->err);
	for (size_t i = 0; i < n; i++)
		proof_take_away(e->s, away[i], false);
	for (size_t i = 0; rc == 1 && i < ret->n_rests_on; i++)
		e->rested_on[e->s->place[ret->rests_on[i]]]++;
	return rc;
}

static bool is_known(const struct enumeration *e, const struct try *t)
{
	for (size_t i = 0; i < e->cuts.len; i++)
		if (holds(t, &e->cuts.ptr[i]))
			return true;
	return false;
}

/* A proof may rest on more than it needs, and so a cut may hold more than it needs: what can stay, stays. */
static int lessen(struct enumeration *e, uint32_t *away, size_t *n)
{
	for (size_t i = 0; i < *n;) {
		uint32_t less[PROOF_WIDE_MAX];
		struct proof ignored;
		size_t k = 0;
		for (size_t j = 0; j < *n; j++)
			if (j != i)
				less[k++] = away[j];
		int rc = follows_without(e, less, k, &ignored);
		if (rc < 0)
			return rc;
		if (rc == 0) {
			memcpy(away, less, k * sizeof(*away));
			*n = k;
		} else {
			i++;
		}
	}
	return 0;
}

static int tell_cut(struct enumeration *e, const struct try *found)
{
	struct try t = *found;
	int rc = lessen(e, t.away, &t.n);
	if (rc < 0 || t.n == 0 || is_known(e, &t))
		return rc;
	if (e->cuts.len == e->search->cuts_max) {
		e->whole = false;
		return 0;
	}
	return try_vec_push(&e->cuts, t) ? e->search->cut(e->search->ctx, t.away, t.n, e->err) : no_memory(e->err);
}

static int try_one(struct enumeration *e, const struct try *t)
{
	struct proof p;
	if (is_known(e, t))
		return 0;
	int rc = follows_without(e, t->away, t->n, &p);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return tell_cut(e, t);
	rc = tell_path(e, &p);
	for (size_t i = 0; rc == 0 && i < p.n_rests_on; i++)
		if (e->search->can_go(e->search->ctx, p.rests_on[i]))
			rc = branch(e, t, p.rests_on[i]);
	return rc;
}

/* The fact of the proof that can go and that most proofs rest on, the first of equals; LOGIC_NONE: none can go. */
static uint32_t most_used(const struct enumeration *e, const struct proof *p)
{
	uint32_t best = LOGIC_NONE;
	for (size_t i = 0; i < p->n_rests_on; i++) {
		uint32_t fact = p->rests_on[i];
		if (e->search->can_go(e->search->ctx, fact) && (best == LOGIC_NONE || e->rested_on[e->s->place[fact]] > e->rested_on[e->s->place[best]]))
			best = fact;
	}
	return best;
}

static int find_wide_cut(struct enumeration *e)
{
	uint32_t away[PROOF_WIDE_MAX];
	size_t n = 0;
	struct proof p;
	int rc;
	while ((rc = follows_without(e, away, n, &p)) == 1) {
		uint32_t fact = n < PROOF_WIDE_MAX ? most_used(e, &p) : LOGIC_NONE;
		if (fact == LOGIC_NONE)
			return 0;
		away[n++] = fact;
	}
	rc = rc < 0 ? rc : lessen(e, away, &n);
	if (rc < 0 || n == 0)
		return rc;
	qsort(away, n, sizeof(*away), by_number);
	return e->search->cut(e->search->ctx, away, n, e->err);
}

static size_t tries_of(const struct proof_space *s, const struct proof_search *search)
{
	size_t most = PROOF_WORK_MAX / (s->facts.len + s->steps.len + 1);
	most = most < PROOF_TRIES_MIN ? PROOF_TRIES_MIN : most;
	return most < search->tries_max ? most : search->tries_max;
}

int proof_enumerate(struct proof_space *s, const struct proof_search *search, bool *ret_whole, struct bh_err *err)
{
	struct enumeration e = { .s = s, .search = search, .tries = { .max = TRIES_MAX }, .cuts = { .max = TRIES_MAX }, .whole = true, .err = err };
	const struct try nothing = { .n = 0 };
	bh_arena_init(&e.arena, ARENA_BYTES_MAX);
	bh_map_init(&e.seen, 4u * TRIES_MAX);
	const size_t tries_max = tries_of(s, search);
	e.rested_on = bh_arena_array(&e.arena, s->facts.len + 1, sizeof(*e.rested_on));
	int rc = e.rested_on && try_vec_push(&e.tries, nothing) ? 0 : no_memory(err);
	for (size_t i = 0; rc == 0 && i < e.tries.len; i++) {
		const struct try t = e.tries.ptr[i];
		if (i == tries_max) {
			e.whole = false;
			break;
		}
		rc = try_one(&e, &t);
	}
	if (rc == 0 && !e.whole && e.cuts.len == 0 && search->cuts_max)
		rc = find_wide_cut(&e);
	*ret_whole = e.whole;
	try_vec_done(&e.tries);
	try_vec_done(&e.cuts);
	bh_map_done(&e.seen);
	bh_arena_done(&e.arena);
	return rc;
}
