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

/* A fact during a search. */
struct fact_state {
	uint32_t cost, by; /* the step that proves it; LOGIC_NONE: given */
	uint32_t at;       /* where it stands in the heap */
	bool is_settled;
};

#define PRICE_MAX ((1u << 29) - 1) /* what costs more, costs this */
_Static_assert(LOGIC_BODY_MAX < 8, "conditions of a step are counted in three bits");

/* A step during a search. There are millions of them, and every search copies all: one word each. */
struct step_state {
	uint32_t missing : 3, price : 29; /* conditions that are not settled; what the settled ones cost */
};

/*
 * What a search writes to, kept for the next one. Most of what a proof can rest on is given, and little of that is ever taken away: where a search stands when all
 * that is given is settled, is known beforehand and copied.
 */
struct proof_work {
	struct fact_state *facts, *facts_given;
	struct step_state *steps, *steps_given;
	uint32_t *head; /* of each step: the place of what it concludes */
	uint32_t *heap; /* facts by cost, then by place */
	size_t n_heap;
	uint8_t *state; /* of each fact, while a proof is written */
};

static bool work_new(struct proof_space *s)
{
	const size_t n = s->facts.len + 1, m = s->steps.len + 1;
	struct proof_work *w = s->work = BH_ARENA_NEW(&s->arena, struct proof_work);
	if (!w)
		return false;
	w->facts = bh_arena_array(&s->arena, n, sizeof(*w->facts));
	w->facts_given = bh_arena_array(&s->arena, n, sizeof(*w->facts));
	w->steps = bh_arena_array(&s->arena, m, sizeof(*w->steps));
	w->steps_given = bh_arena_array(&s->arena, m, sizeof(*w->steps));
	w->head = bh_arena_array(&s->arena, m, sizeof(*w->head));
	w->heap = bh_arena_array(&s->arena, n, sizeof(*w->heap));
	w->state = bh_arena_array(&s->arena, n, 1);
	s->first_use = bh_arena_array(&s->arena, n + 1, sizeof(*s->first_use));
	s->away = bh_arena_array(&s->arena, n, sizeof(*s->away));
	s->ready = bh_arena_array(&s->arena, m, sizeof(*s->ready));
	return w->facts && w->facts_given && w->steps && w->steps_given && w->head && w->heap && w->state && s->first_use && s->away && s->ready;
}

/* Counted first, then laid down side by side: every try walks along them. */
static bool link_uses(struct proof_space *s)
{
	size_t n = 0;
	for (size_t k = 0; k < s->steps.len; k++) {
		const struct logic_step *step = &s->logic->steps.ptr[s->steps.ptr[k]];
		s->work->head[k] = s->place[step->head];
		for (size_t b = 0; b < step->n; b++)
			if (!is_repeated(step, b)) {
				s->first_use[s->place[step->body[b]] + 2]++;
				s->work->steps_given[k].missing++;
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

/* Given facts cost nothing, and so are settled before all others. */
static void settle_given(struct proof_space *s)
{
	struct proof_work *w = s->work;
	for (size_t i = 0; i < s->facts.len; i++) {
		bool is_given = s->logic->facts.ptr[s->facts.ptr[i]].is_given;
		w->facts_given[i] = (struct fact_state){ .cost = is_given ? 0 : UINT32_MAX, .by = LOGIC_NONE, .is_settled = is_given };
		for (uint32_t u = s->first_use[i]; is_given && u < s->first_use[i + 1]; u++)
			if (--w->steps_given[s->uses[u]].missing == 0)
				s->ready[s->n_ready++] = s->uses[u];
	}
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
	if (!ok || !work_new(s) || !link_uses(s))
		return no_memory(err);
	settle_given(s);
	return 0;
}

void proof_space_done(struct proof_space *s)
{
	proof_number_vec_done(&s->facts);
	proof_number_vec_done(&s->steps);
	bh_arena_done(&s->arena);
}

void proof_take_away(struct proof_space *s, uint32_t fact, bool away)
{
	uint32_t place = fact < s->logic->facts.len ? s->place[fact] : LOGIC_NONE;
	size_t i = 0;
	if (place == LOGIC_NONE || !s->logic->facts.ptr[fact].is_given)
		return;
	while (i < s->n_away && s->away[i] != place)
		i++;
	if (away && i == s->n_away)
		s->away[s->n_away++] = place;
	else if (!away && i < s->n_away)
		s->away[i] = s->away[--s->n_away];
}

/* ---- the shortest: Knuth's generalization of Dijkstra's algorithm to rules with several conditions ---- */

static bool is_less(const struct proof_work *w, uint32_t a, uint32_t b)
{
	return w->facts[a].cost != w->facts[b].cost ? w->facts[a].cost < w->facts[b].cost : a < b;
}

static void place_at(struct proof_work *w, size_t i, uint32_t fact)
{
	w->heap[i] = fact;
	w->facts[fact].at = (uint32_t)i;
}

static void rise(struct proof_work *w, size_t i)
{
	uint32_t fact = w->heap[i];
	while (i > 0 && is_less(w, fact, w->heap[(i - 1) / 2])) {
		place_at(w, i, w->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place_at(w, i, fact);
}

static void sink(struct proof_work *w, size_t i)
{
	uint32_t fact = w->heap[i];
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= w->n_heap)
			break;
		if (child + 1 < w->n_heap && is_less(w, w->heap[child + 1], w->heap[child]))
			child++;
		if (!is_less(w, w->heap[child], fact))
			break;
		place_at(w, i, w->heap[child]);
		i = child;
	}
	place_at(w, i, fact);
}

static void offer(struct proof_work *w, uint32_t fact, uint32_t cost, uint32_t step)
{
	struct fact_state *f = &w->facts[fact];
	if (f->is_settled || cost >= f->cost)
		return;
	bool is_new = f->cost == UINT32_MAX;
	f->cost = cost;
	f->by = step;
	if (is_new)
		place_at(w, w->n_heap++, fact);
	rise(w, f->at);
}

static uint32_t take_least(struct proof_work *w)
{
	uint32_t least = w->heap[0], last = w->heap[--w->n_heap];
	if (w->n_heap) {
		place_at(w, 0, last);
		sink(w, 0);
	}
	return least;
}

static uint32_t add(uint32_t a, uint32_t b)
{
	return a > PRICE_MAX - b ? PRICE_MAX : a + b;
}

static void settle(const struct proof_space *s, uint32_t fact)
{
	struct proof_work *w = s->work;
	w->facts[fact].is_settled = true;
	for (uint32_t u = s->first_use[fact]; u < s->first_use[fact + 1]; u++) {
		struct step_state *step = &w->steps[s->uses[u]];
		step->price = add(step->price, w->facts[fact].cost) & PRICE_MAX;
		if (--step->missing == 0)
			offer(w, w->head[s->uses[u]], add(step->price, 1), s->uses[u]);
	}
}

/* Where all is settled that is given and not taken away. */
static void begin_search(const struct proof_space *s)
{
	struct proof_work *w = s->work;
	memcpy(w->facts, w->facts_given, (s->facts.len + 1) * sizeof(*w->facts));
	memcpy(w->steps, w->steps_given, (s->steps.len + 1) * sizeof(*w->steps));
	w->n_heap = 0;
	for (size_t i = 0; i < s->n_away; i++) {
		uint32_t fact = s->away[i];
		w->facts[fact] = (struct fact_state){ .cost = UINT32_MAX, .by = LOGIC_NONE };
		for (uint32_t u = s->first_use[fact]; u < s->first_use[fact + 1]; u++)
			w->steps[s->uses[u]].missing++;
	}
	for (size_t i = 0; i < s->n_ready; i++)
		if (w->steps[s->ready[i]].missing == 0)
			offer(w, w->head[s->ready[i]], 1, s->ready[i]);
}

/* Is the target settled at the end? */
static bool search(const struct proof_space *s)
{
	const uint32_t target = s->place[s->target];
	begin_search(s);
	while (!s->work->facts[target].is_settled && s->work->n_heap) {
		uint32_t fact = take_least(s->work);
		if (fact == target)
			return true;
		settle(s, fact);
	}
	return s->work->facts[target].is_settled;
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
static bool collect(const struct proof_space *s, struct proof_number_vec *steps, struct proof_number_vec *given, struct proof_number_vec *pending, uint8_t *state)
{
	bool ok = proof_number_vec_push(pending, s->place[s->target]);
	while (ok && pending->len) {
		uint32_t fact = pending->ptr[pending->len - 1], k = s->work->facts[fact].by;
		if (state[fact] == 2 || k == LOGIC_NONE) {
			pending->len--;
			ok = state[fact] == 2 || proof_number_vec_push(given, s->facts.ptr[fact]);
			state[fact] = 2;
			continue;
		}
		const struct logic_step *step = &s->logic->steps.ptr[s->steps.ptr[k]];
		if (state[fact] == 1) { /* all below it is there */
			pending->len--;
			state[fact] = 2;
			ok = proof_number_vec_push(steps, s->steps.ptr[k]);
			continue;
		}
		state[fact] = 1;
		for (size_t b = step->n; ok && b > 0; b--)
			if (state[s->place[step->body[b - 1]]] != 2)
				ok = proof_number_vec_push(pending, s->place[step->body[b - 1]]);
	}
	return ok;
}

static bool write_proof(const struct proof_space *s, struct bh_arena *arena, struct proof *ret)
{
	BH_WITH(proof_number_vec_done) struct proof_number_vec steps = { .max = LOGIC_STEPS_MAX }, given = { .max = LOGIC_FACTS_MAX };
	BH_WITH(proof_number_vec_done) struct proof_number_vec pending = { .max = LOGIC_STEPS_MAX };
	memset(s->work->state, 0, s->facts.len + 1);
	if (!collect(s, &steps, &given, &pending, s->work->state))
		return false;
	if (given.len)
		qsort(given.ptr, given.len, sizeof(*given.ptr), by_number);
	ret->n_steps = steps.len;
	ret->n_rests_on = given.len;
	return copy_numbers(arena, &steps, &ret->steps) && copy_numbers(arena, &given, &ret->rests_on);
}

int proof_shortest(struct proof_space *s, struct bh_arena *arena, struct proof *ret, struct bh_err *err)
{
	if (!search(s))
		return 0;
	return write_proof(s, arena, ret) ? 1 : no_memory(err);
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
