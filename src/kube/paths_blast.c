#include "kube/paths_blast.h"

#include <stdlib.h>

#include "kube/paths.h"

#define WORKLOADS_MAX 2000u /* each is a search of its own */

enum count { WORKLOADS, SECRETS, ACCOUNTS, NODES, ADMINS, CLOUDS, COUNTS };

static const char *const counted[COUNTS] = { "code", "secret", "identity", "node", "admin", "cloud" };

struct radius {
	struct bh_slice workload;
	size_t reached[COUNTS];
	unsigned score;
};

BH_VEC(radius_vec, struct radius)

/* Everything that follows from the given facts with one start: each step counts the conditions it still lacks. */
struct closure {
	const struct logic *l;
	uint32_t *first_use;              /* by fact: the first of its uses; LOGIC_NONE */
	uint32_t *use_step, *use_next;
	uint8_t *lacking, *lacks;         /* by step: in this run; at the start of every run */
	bool *known, *is_start;
	uint32_t *queue;
	uint8_t *kind;                    /* by fact: enum count; COUNTS: not counted */
	struct bh_arena arena;
};

static bool closure_init(struct closure *c, const struct logic *l)
{
	size_t n = l->facts.len + 1, m = l->steps.len + 1;
	*c = (struct closure){ .l = l };
	bh_arena_init(&c->arena, SIZE_MAX);
	c->first_use = bh_arena_array(&c->arena, n, sizeof(*c->first_use));
	c->use_step = bh_arena_array(&c->arena, m * LOGIC_BODY_MAX, sizeof(*c->use_step));
	c->use_next = bh_arena_array(&c->arena, m * LOGIC_BODY_MAX, sizeof(*c->use_next));
	c->lacking = bh_arena_array(&c->arena, m, 1);
	c->lacks = bh_arena_array(&c->arena, m, 1);
	c->known = bh_arena_array(&c->arena, n, sizeof(*c->known));
	c->is_start = bh_arena_array(&c->arena, n, sizeof(*c->is_start));
	c->queue = bh_arena_array(&c->arena, n, sizeof(*c->queue));
	c->kind = bh_arena_array(&c->arena, n, 1);
	return c->first_use && c->use_step && c->use_next && c->lacking && c->lacks && c->known && c->is_start && c->queue && c->kind;
}

static void closure_link(struct closure *c)
{
	const struct logic *l = c->l;
	uint32_t uses = 0;
	for (size_t i = 0; i < l->facts.len; i++) {
		struct bh_slice predicate = logic_text(l, l->facts.ptr[i].predicate);
		c->first_use[i] = LOGIC_NONE;
		c->is_start[i] = bh_slice_eq_str(predicate, "start");
		for (c->kind[i] = 0; c->kind[i] < COUNTS && !bh_slice_eq_str(predicate, counted[c->kind[i]]);)
			c->kind[i]++;
	}
	for (size_t i = 0; i < l->steps.len; i++) {
		const struct logic_step *s = &l->steps.ptr[i];
		c->lacks[i] = s->n;
		for (size_t b = 0; b < s->n; b++) {
			c->use_step[uses] = (uint32_t)i;
			c->use_next[uses] = c->first_use[s->body[b]];
			c->first_use[s->body[b]] = uses++;
		}
	}
}

static void learn(struct closure *c, uint32_t fact, size_t *n)
{
	if (c->known[fact])
		return;
	c->known[fact] = true;
	c->queue[(*n)++] = fact;
}

static void closure_run(struct closure *c, uint32_t start, struct radius *ret)
{
	const struct logic *l = c->l;
	size_t n = 0;
	memcpy(c->lacking, c->lacks, l->steps.len);
	memset(c->known, 0, l->facts.len * sizeof(*c->known));
	for (uint32_t i = 0; i < l->facts.len; i++)
		if (l->facts.ptr[i].is_given && (!c->is_start[i] || i == start))
			learn(c, i, &n);
	for (size_t i = 0; i < n; i++) {
		uint32_t fact = c->queue[i];
		if (c->kind[fact] < COUNTS)
			ret->reached[c->kind[fact]]++;
		for (uint32_t u = c->first_use[fact]; u != LOGIC_NONE; u = c->use_next[u])
			if (--c->lacking[c->use_step[u]] == 0)
				learn(c, l->steps.ptr[c->use_step[u]].head, &n);
	}
}

/*
 * 100: the cluster. Else 60 for a node and 15 for the cloud's role, and up to 10 each for other workloads, secrets and service accounts by the share
 * of all that falls.
 */
static unsigned score_of(const struct radius *r, const size_t *all)
{
	unsigned score = (r->reached[NODES] ? 60u : 0u) + (r->reached[CLOUDS] ? 15u : 0u);
	size_t others = r->reached[WORKLOADS] ? r->reached[WORKLOADS] - 1 : 0;
	const size_t parts[] = { others, r->reached[SECRETS], r->reached[ACCOUNTS] };
	if (r->reached[ADMINS])
		return 100;
	for (size_t i = 0; i < 3; i++)
		score += all[i] && parts[i] ? 1u + (unsigned)(9 * parts[i] / all[i]) : 0;
	return score < 99 ? score : 99;
}

static size_t count_of(const struct logic *l, const char *predicate)
{
	size_t n = 0;
	for (uint32_t f = logic_next(l, predicate, LOGIC_NONE); f != LOGIC_NONE; f = logic_next(l, predicate, f))
		n++;
	return n;
}

static int by_score(const void *a, const void *b)
{
	const struct radius *x = a, *y = b;
	return x->score != y->score ? (x->score < y->score) - (x->score > y->score) : bh_slice_cmp(x->workload, y->workload);
}

static void add_count(struct bh_buf *out, size_t n, const char *one, const char *many, bool *first)
{
	if (n == 0)
		return;
	bh_buf_printf(out, "%s%zu %s", *first ? "" : ", ", n, n == 1 ? one : many);
	*first = false;
}

static void add_sentence(struct bh_buf *out, const struct radius *r)
{
	bool first = true;
	bh_buf_add_str(out, "with it fall ");
	if (r->reached[ADMINS]) {
		bh_buf_add_str(out, "the whole cluster");
		first = false;
	}
	add_count(out, r->reached[NODES], "node", "nodes", &first);
	add_count(out, r->reached[WORKLOADS] - 1, "other workload", "other workloads", &first);
	add_count(out, r->reached[SECRETS], "secret", "secrets", &first);
	add_count(out, r->reached[ACCOUNTS], "service account", "service accounts", &first);
	if (r->reached[CLOUDS]) {
		bh_buf_printf(out, "%sthe node's cloud role", first ? "" : ", ");
		first = false;
	}
	bh_buf_add_str(out, first ? "nothing else" : "");
}

static int say(struct kube_asked *asked, struct kube_cells *cells, const struct radius *r, struct bh_err *err)
{
	static const struct {
		enum paths_blast_cell cell;
		enum count count;
	} numbers[] = { { PATHS_BLAST_SECRETS, SECRETS }, { PATHS_BLAST_ACCOUNTS, ACCOUNTS }, { PATHS_BLAST_NODES, NODES } };
	struct bh_buf *cell = cells->text;
	bh_buf_add(&cell[PATHS_BLAST_WORKLOAD], r->workload);
	bh_buf_printf(&cell[PATHS_BLAST_SCORE], "%u", r->score);
	bh_buf_printf(&cell[PATHS_BLAST_WORKLOADS], "%zu", r->reached[WORKLOADS] - 1);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		bh_buf_printf(&cell[numbers[i].cell], "%zu", r->reached[numbers[i].count]);
	bh_buf_add_str(&cell[PATHS_BLAST_ADMIN], r->reached[ADMINS] ? "yes" : "no");
	add_sentence(&cell[PATHS_BLAST_SENTENCE], r);
	return kube_cells_say(asked, cells, PATHS_ROW_BLAST, PATHS_BLAST_CELLS, err);
}

/* An attacker in every workload, so that all that could follow is known. */
static int begin_everywhere(struct logic *l, struct bh_err *err)
{
	int rc = 0;
	for (uint32_t f = logic_next(l, "pod_in", LOGIC_NONE); rc == 0 && f != LOGIC_NONE; f = logic_next(l, "pod_in", f)) {
		const struct bh_slice name = logic_text(l, l->facts.ptr[f].arguments[1]);
		rc = logic_add(l, "start", &name, 1, NULL, err);
	}
	return rc < 0 ? rc : logic_run(l, err);
}

static int measure_all(struct closure *c, struct radius_vec *out, struct bh_err *err)
{
	const struct logic *l = c->l;
	const size_t all[] = { count_of(l, "pod_in"), count_of(l, "secret_in"), count_of(l, "account_in") };
	for (uint32_t f = logic_next(l, "start", LOGIC_NONE); f != LOGIC_NONE; f = logic_next(l, "start", f)) {
		struct radius r = { .workload = logic_text(l, l->facts.ptr[f].arguments[0]) };
		closure_run(c, f, &r);
		r.score = score_of(&r, all);
		if (!radius_vec_push(out, r))
			return bh_fail(err, BH_ELIMIT, 0, "the blast radius of more than %u workloads at once; leave some of the files out", WORKLOADS_MAX);
	}
	if (out->len)
		qsort(out->ptr, out->len, sizeof(*out->ptr), by_score);
	return 0;
}

int paths_blast(struct kube_asked *asked, struct paths_facts *f, struct kube_cells *cells, struct bh_err *err)
{
	struct closure c = { 0 };
	struct radius_vec radii = { .max = WORKLOADS_MAX };
	int rc = begin_everywhere(&f->logic, err);
	if (rc == 0 && !closure_init(&c, &f->logic))
		rc = bh_fail(err, BH_ENOMEM, 0, "out of memory for the blast radius");
	if (rc == 0) {
		closure_link(&c);
		rc = measure_all(&c, &radii, err);
	}
	for (size_t i = 0; rc == 0 && i < radii.len; i++)
		rc = say(asked, cells, &radii.ptr[i], err);
	radius_vec_done(&radii);
	bh_arena_done(&c.arena);
	return rc;
}
