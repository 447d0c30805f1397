/*
 * test_logic.c: logic.h and proof.h. Small programs by hand, then hundreds by chance, whose cuts and shortest proofs are compared with all subsets of the
 * given facts tried one by one.
 */
#include "kube/proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define GIVEN 7u
#define DERIVED 6u
#define RULES 12u
#define TEXT_BYTES 100u

static struct bh_slice text(const char *s)
{
	return bh_slice_str(s);
}

static void give(struct logic *l, const char *predicate, const char *a, const char *b)
{
	const struct bh_slice arguments[] = { text(a), text(b ? b : "") };
	struct bh_err err;
	assert_int_equal(logic_add(l, predicate, arguments, b ? 2 : 1, NULL, &err), 0);
}

static bool follows(const struct logic *l, const char *predicate, const char *a, const char *b)
{
	const struct bh_slice arguments[] = { text(a), text(b ? b : "") };
	return logic_find(l, predicate, arguments, b ? 2 : 1) != LOGIC_NONE;
}

static void closure_of_a_relation(void **state)
{
	static const char *const rules[] = { "path(X, Y) :- edge(X, Y)", "path(X, Z) :- path(X, Y), edge(Y, Z)", "loop(X) :- path(X, X)", "met(Y) :- path(start, Y)" };
	struct logic l;
	struct bh_err err;
	(void)state;
	assert_int_equal(logic_init(&l, rules, 4, &err), 0);
	give(&l, "edge", "a", "b");
	give(&l, "edge", "b", "c");
	give(&l, "edge", "c", "a");
	give(&l, "edge", "start", "d");
	assert_int_equal(logic_run(&l, &err), 0);
	assert_true(follows(&l, "path", "a", "c"));
	assert_true(follows(&l, "path", "b", "a"));
	assert_true(follows(&l, "loop", "c", NULL));
	assert_true(follows(&l, "met", "d", NULL));
	assert_false(follows(&l, "loop", "d", NULL));
	assert_false(follows(&l, "met", "a", NULL));
	assert_false(follows(&l, "path", "a", "d"));
	logic_done(&l);
}

/* Each way counts once, also where one fact stands at two places. */
static void every_way_once(void **state)
{
	static const char *const rules[] = { "pair(X, Y) :- one(X), one(Y)", "any(all) :- one(X)" };
	struct logic l;
	struct bh_err err;
	(void)state;
	assert_int_equal(logic_init(&l, rules, 2, &err), 0);
	give(&l, "one", "a", NULL);
	give(&l, "one", "b", NULL);
	give(&l, "one", "c", NULL);
	assert_int_equal(logic_run(&l, &err), 0);
	assert_int_equal(l.steps.len, 9 + 3);
	logic_done(&l);
}

static void bad_rules(void **state)
{
	static const char *const bad[] = { "", "a(X)", "a(X) :- ", "a(X) :- b(Y)", "a(X) :- b(X", "a(X) :- b(X) c(X)", "a :- b(X)", "a(W, X, Y, Z) :- b(W, X, Y, Z)",
					   "a(X) :- b(X), c(X), d(X), e(X), f(X), g(X)" };
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct logic l;
		struct bh_err err;
		assert_int_equal(logic_init(&l, &bad[i], 1, &err), BH_EMALFORMED);
		logic_done(&l);
	}
}

/* ---- programs by chance ---- */

/* Facts 0 to GIVEN - 1 are given, the others follow. */
struct program {
	struct {
		unsigned head, body[3], n;
	} rules[RULES];
	char texts[RULES][TEXT_BYTES];
};

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

static void make(struct program *p, unsigned *seed)
{
	for (size_t i = 0; i < RULES; i++) {
		p->rules[i].head = GIVEN + next_random(seed) % DERIVED;
		p->rules[i].n = 1 + next_random(seed) % 3;
		size_t used = (size_t)snprintf(p->texts[i], TEXT_BYTES, "f(n%u) :- ", p->rules[i].head);
		for (unsigned k = 0; k < p->rules[i].n; k++) {
			p->rules[i].body[k] = next_random(seed) % (GIVEN + DERIVED);
			used += (size_t)snprintf(p->texts[i] + used, TEXT_BYTES - used, "%sf(n%u)", k ? ", " : "", p->rules[i].body[k]);
		}
	}
}

/* The cost of the target with a subset of what is given, by going round until nothing changes; UINT32_MAX: it does not follow. */
static uint32_t cost_of(const struct program *p, unsigned given, unsigned target)
{
	uint32_t cost[GIVEN + DERIVED];
	for (unsigned i = 0; i < GIVEN + DERIVED; i++)
		cost[i] = i < GIVEN && (given >> i & 1) ? 0 : UINT32_MAX;
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < RULES; i++) {
			uint64_t sum = 1;
			unsigned seen = 0;
			for (unsigned k = 0; k < p->rules[i].n; k++) {
				if (!(seen >> p->rules[i].body[k] & 1))
					sum += cost[p->rules[i].body[k]];
				seen |= 1u << p->rules[i].body[k];
			}
			if (sum < cost[p->rules[i].head]) {
				cost[p->rules[i].head] = (uint32_t)sum;
				changed = true;
			}
		}
	}
	return cost[target];
}

struct collected {
	const struct program *p;
	unsigned target, cuts[100], n_cuts, n_paths;
	const struct logic *l;
};

/* "n3" -> 3 */
static unsigned number_of(const struct logic *l, uint32_t fact)
{
	uint64_t n = 0;
	struct bh_slice s = logic_text(l, l->facts.ptr[fact].arguments[0]);
	assert_true(bh_slice_u64(bh_slice_sub(s, 1, s.len), 100, &n));
	return (unsigned)n;
}

static bool can_go(void *ctx, uint32_t fact)
{
	(void)ctx;
	(void)fact;
	return true;
}

/* What the path rests on is enough for the target, and its steps come in a good order. */
static int on_path(void *ctx, const struct proof *p, struct bh_err *err)
{
	struct collected *c = ctx;
	unsigned given = 0, known;
	(void)err;
	for (size_t i = 0; i < p->n_rests_on; i++)
		given |= 1u << number_of(c->l, p->rests_on[i]);
	assert_true(cost_of(c->p, given, c->target) != UINT32_MAX);
	known = given;
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct logic_step *s = &c->l->steps.ptr[p->steps[i]];
		for (size_t b = 0; b < s->n; b++)
			assert_true(known >> number_of(c->l, s->body[b]) & 1);
		known |= 1u << number_of(c->l, s->head);
	}
	assert_true(known >> c->target & 1);
	c->n_paths++;
	return 0;
}

static int on_cut(void *ctx, const uint32_t *facts, size_t n, struct bh_err *err)
{
	struct collected *c = ctx;
	unsigned bits = 0;
	(void)err;
	for (size_t i = 0; i < n; i++)
		bits |= 1u << number_of(c->l, facts[i]);
	assert_true(c->n_cuts < 100);
	c->cuts[c->n_cuts++] = bits;
	return 0;
}

static bool is_cut(const struct program *p, unsigned target, unsigned bits)
{
	return cost_of(p, ((1u << GIVEN) - 1) & ~bits, target) == UINT32_MAX;
}

static bool is_minimal(const struct program *p, unsigned target, unsigned bits)
{
	for (unsigned i = 0; i < GIVEN; i++)
		if ((bits >> i & 1) && is_cut(p, target, bits & ~(1u << i)))
			return false;
	return is_cut(p, target, bits);
}

static void compare(const struct program *p, const struct logic *l, unsigned target)
{
	char name[8];
	snprintf(name, sizeof(name), "n%u", target);
	const struct bh_slice argument = text(name);
	uint32_t fact = logic_find(l, "f", &argument, 1);
	uint32_t cost = cost_of(p, (1u << GIVEN) - 1, target);
	struct collected c = { .p = p, .target = target, .l = l };
	const struct proof_search search = { can_go, on_path, on_cut, &c, 1000, 1000, 100000 };
	struct proof_space space;
	struct bh_err err;
	bool whole;
	assert_int_equal(fact != LOGIC_NONE, cost != UINT32_MAX);
	if (fact == LOGIC_NONE)
		return;
	assert_int_equal(proof_space_init(&space, l, fact, &err), 0);
	assert_int_equal(proof_enumerate(&space, &search, &whole, &err), 0);
	/* With a single try no small cut is found, and the greedy one must be one that nothing can be left out of. */
	struct collected wide = { .p = p, .target = target, .l = l };
	const struct proof_search single = { can_go, on_path, on_cut, &wide, 1000, 1000, 1 };
	assert_int_equal(proof_enumerate(&space, &single, &whole, &err), 0);
	assert_false(whole);
	assert_int_equal(wide.n_cuts, 1);
	assert_true(is_minimal(p, target, wide.cuts[0]));
	proof_space_done(&space);
	assert_true(c.n_paths > 0);
	unsigned expected = 0;
	for (unsigned bits = 1; bits < 1u << GIVEN; bits++) {
		bool found = false;
		if ((unsigned)__builtin_popcount(bits) > PROOF_CUT_MAX || !is_minimal(p, target, bits))
			continue;
		for (unsigned i = 0; i < c.n_cuts; i++)
			found |= c.cuts[i] == bits;
		assert_true(found);
		expected++;
	}
	assert_int_equal(c.n_cuts, expected);
}

/* A program by chance, and all that follows from its given facts n0, n1 ... */
static void make_run(struct program *p, struct logic *l, unsigned *seed)
{
	const char *texts[RULES];
	struct bh_err err;
	make(p, seed);
	for (size_t i = 0; i < RULES; i++)
		texts[i] = p->texts[i];
	assert_int_equal(logic_init(l, texts, RULES, &err), 0);
	for (unsigned i = 0; i < GIVEN; i++) {
		char name[8];
		snprintf(name, sizeof(name), "n%u", i);
		give(l, "f", name, NULL);
	}
	assert_int_equal(logic_run(l, &err), 0);
}

static void programs_by_chance(void **state)
{
	unsigned seed = 4711;
	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct program p;
		struct logic l;
		make_run(&p, &l, &seed);
		for (unsigned target = GIVEN; target < GIVEN + DERIVED; target++)
			compare(&p, &l, target);
		logic_done(&l);
	}
}

/* The first proof costs what the shortest costs: the sum over its tree. */
static uint32_t tree_cost(const struct logic *l, const struct proof *p, uint32_t fact)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct logic_step *s = &l->steps.ptr[p->steps[i]];
		uint32_t sum = 1;
		if (s->head != fact)
			continue;
		for (size_t b = 0; b < s->n; b++) {
			bool again = false;
			for (size_t k = 0; k < b; k++)
				again |= s->body[k] == s->body[b];
			sum += again ? 0 : tree_cost(l, p, s->body[b]);
		}
		return sum;
	}
	return 0;
}

static void the_shortest_is_shortest(void **state)
{
	unsigned seed = 99;
	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct program p;
		struct logic l;
		struct bh_err err;
		struct bh_arena arena;
		make_run(&p, &l, &seed);
		bh_arena_init(&arena, 1u << 20);
		for (uint32_t f = GIVEN; f < l.facts.len; f++) {
			struct proof_space space;
			struct proof proof;
			assert_int_equal(proof_space_init(&space, &l, f, &err), 0);
			assert_int_equal(proof_shortest(&space, &arena, &proof, &err), 1);
			assert_int_equal(tree_cost(&l, &proof, f), cost_of(&p, (1u << GIVEN) - 1, number_of(&l, f)));
			proof_space_done(&space);
		}
		bh_arena_done(&arena);
		logic_done(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closure_of_a_relation), cmocka_unit_test(every_way_once),       cmocka_unit_test(bad_rules),
		cmocka_unit_test(programs_by_chance),    cmocka_unit_test(the_shortest_is_shortest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
