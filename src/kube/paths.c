#include "kube/paths.h"

#include "base/cleanup.h"
#include "kube/cells.h"
#include "kube/paths_blast.h"
#include "kube/paths_facts.h"
#include "kube/proof.h"

#define WAYS_BYTES_MAX (256u << 20)
#define KNOWN_TARGETS "cluster-admin, cloud, node, secret:NS/NAME, workload:NS/NAME, sa:NS/NAME and volume:NS/NAME are"
#define CUTS_MAX 20u
#define TRIES_MAX 3000u
#define PATHS_WITHOUT_MAX 1000u

struct answering {
	struct kube_asked *asked;
	const struct paths_asking *q;
	struct paths_facts facts;
	struct kube_cells cells;
	struct bh_arena arena;        /* of the ways of one target */
	struct proof_number_vec without; /* the facts of --without */
	struct bh_err *err;
};

/* What a search for one target finds, told when all of it is there. */
struct found {
	struct answering *a;
	struct proof *ways;
	size_t n_ways;
	struct {
		uint32_t facts[PROOF_WIDE_MAX];
		size_t n;
	} cuts[CUTS_MAX];
	size_t n_cuts;
};

/* ---- texts ---- */

static void add_argument(const struct logic *l, struct bh_buf *out, uint32_t fact, char digit)
{
	const struct logic_fact *f = &l->facts.ptr[fact];
	size_t i = (size_t)(digit - '0');
	if (digit >= '0' && i < f->n)
		bh_buf_add(out, logic_text(l, f->arguments[i]));
}

/* "$h0" and "$12" of a rule's sentence. */
static void add_step_sentence(const struct logic *l, struct bh_buf *out, const struct logic_step *step)
{
	for (const char *s = paths_rule_sentence(step->rule); *s; s++) {
		if (*s != '$' || !s[1] || !s[2]) {
			bh_buf_add_byte(out, (uint8_t)*s);
			continue;
		}
		size_t condition = (size_t)(s[1] - '0');
		if (s[1] == 'h')
			add_argument(l, out, step->head, s[2]);
		else if (condition < step->n)
			add_argument(l, out, step->body[condition], s[2]);
		s += 2;
	}
}

/* "$0" of a change's. */
static void add_change_sentence(const struct logic *l, struct bh_buf *out, const char *sentence, uint32_t fact)
{
	for (const char *s = sentence; *s; s++) {
		if (*s == '$' && s[1])
			add_argument(l, out, fact, *++s);
		else
			bh_buf_add_byte(out, (uint8_t)*s);
	}
}

/* "token shop/web shop/web": how --without names it. */
static void add_fact(const struct logic *l, struct bh_buf *out, uint32_t fact)
{
	const struct logic_fact *f = &l->facts.ptr[fact];
	bh_buf_add(out, logic_text(l, f->predicate));
	for (size_t i = 0; i < f->n; i++) {
		bh_buf_add_byte(out, ' ');
		bh_buf_add(out, logic_text(l, f->arguments[i]));
	}
}

static int note(struct answering *a, const char *text)
{
	bh_buf_add_str(&a->cells.text[PATHS_NOTE_TEXT], text);
	return kube_cells_say(a->asked, &a->cells, PATHS_ROW_NOTE, PATHS_NOTE_CELLS, a->err);
}

/* ---- targets ---- */

struct kind {
	const char *word, *predicate;
	const char *only;    /* the argument where the word takes no name; NULL: it takes one */
	bool any;            /* without a name: each that is reached */
};

static const struct kind kinds[] = {
	{ "cluster-admin", "admin", "the cluster", false },
	{ "cloud", "cloud", "node's cloud role", false },
	{ "node", "node", NULL, true },
	{ "secret", "secret", NULL, true },
	{ "workload", "code", NULL, true },
	{ "sa", "identity", NULL, true },
	{ "volume", "data", NULL, true },
};

/* Whether the word is one is for the caller to see in *ret_kind. */
static const struct kind *kind_of(struct bh_slice target, struct bh_slice *ret_name)
{
	struct bh_slice word;
	(void)bh_slice_cut(target, ':', &word, ret_name);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (bh_slice_eq_str(word, kinds[i].word) && (!kinds[i].only || ret_name->len == 0))
			return &kinds[i];
	return NULL;
}

/* ---- what was found about one target ---- */

static bool can_go(void *ctx, uint32_t fact)
{
	const struct found *f = ctx;
	return paths_change_of(&f->a->facts, fact) != NULL;
}

static int on_path(void *ctx, const struct proof *p, struct bh_err *err)
{
	struct found *f = ctx;
	struct proof *copy = &f->ways[f->n_ways++];
	uint32_t *steps = bh_arena_array(&f->a->arena, p->n_steps + 1, sizeof(*steps));
	uint32_t *rests = bh_arena_array(&f->a->arena, p->n_rests_on + 1, sizeof(*rests));
	if (!steps || !rests)
		return bh_fail(err, BH_ELIMIT, 0, "the ways to a target do not fit into memory");
	if (p->n_steps)
		memcpy(steps, p->steps, p->n_steps * sizeof(*steps));
	if (p->n_rests_on)
		memcpy(rests, p->rests_on, p->n_rests_on * sizeof(*rests));
	*copy = (struct proof){ steps, p->n_steps, rests, p->n_rests_on };
	return 0;
}

static int on_cut(void *ctx, const uint32_t *facts, size_t n, struct bh_err *err)
{
	struct found *f = ctx;
	(void)err;
	f->cuts[f->n_cuts].n = n;
	memcpy(f->cuts[f->n_cuts++].facts, facts, n * sizeof(*facts));
	return 0;
}

static int say_step(struct found *f, size_t way, size_t number, const struct logic_step *step)
{
	struct answering *a = f->a;
	const struct logic *l = &a->facts.logic;
	struct bh_buf *cell = a->cells.text;
	bh_buf_printf(&cell[PATHS_STEP_WAY], "%zu", way);
	bh_buf_printf(&cell[PATHS_STEP_NUMBER], "%zu", number);
	bh_buf_add_str(&cell[PATHS_STEP_RULE], paths_rule_id(step->rule));
	bh_buf_add_str(&cell[PATHS_STEP_TECHNIQUE], paths_rule_technique(step->rule));
	add_step_sentence(l, &cell[PATHS_STEP_SENTENCE], step);
	add_fact(l, &cell[PATHS_STEP_CONCLUDES], step->head);
	for (size_t i = 0; i < step->n; i++) {
		struct bh_slice place = paths_place_of(&a->facts, step->body[i]);
		bh_buf_add_str(&cell[PATHS_STEP_NEEDS], i ? "; " : "");
		add_fact(l, &cell[PATHS_STEP_NEEDS], step->body[i]);
		bh_buf_add_str(&cell[PATHS_STEP_PLACES], place.len && cell[PATHS_STEP_PLACES].len ? "; " : "");
		bh_buf_add(&cell[PATHS_STEP_PLACES], place);
	}
	return kube_cells_say(a->asked, &a->cells, PATHS_ROW_STEP, PATHS_STEP_CELLS, a->err);
}

/* A fact that can be changed, with its number in front, in the cells of a rest or a cut: they are alike. */
static int say_change(struct answering *a, enum paths_row kind, size_t number, uint32_t fact)
{
	const struct paths_change *change = paths_change_of(&a->facts, fact);
	struct bh_buf *cell = a->cells.text;
	bh_buf_printf(&cell[PATHS_REST_WAY], "%zu", number);
	add_fact(&a->facts.logic, &cell[PATHS_REST_FACT], fact);
	add_change_sentence(&a->facts.logic, &cell[PATHS_REST_SENTENCE], change->sentence, fact);
	add_change_sentence(&a->facts.logic, &cell[PATHS_REST_REMEDY], change->remedy, fact);
	bh_buf_add(&cell[PATHS_REST_PLACE], paths_place_of(&a->facts, fact));
	return kube_cells_say(a->asked, &a->cells, (uint16_t)kind, PATHS_REST_CELLS, a->err);
}

static int say_way(struct found *f, size_t way)
{
	const struct proof *p = &f->ways[way];
	const struct logic *l = &f->a->facts.logic;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < p->n_steps; i++)
		rc = say_step(f, way + 1, i + 1, &l->steps.ptr[p->steps[i]]);
	for (size_t i = 0; rc == 0 && i < p->n_rests_on; i++)
		if (paths_change_of(&f->a->facts, p->rests_on[i]))
			rc = say_change(f->a, PATHS_ROW_REST, way + 1, p->rests_on[i]);
	return rc;
}

static int say_target(struct found *f, struct bh_slice name, bool whole)
{
	struct answering *a = f->a;
	struct bh_buf *cell = a->cells.text;
	bh_buf_add_str(&cell[PATHS_TARGET_FROM], a->q->from);
	bh_buf_add(&cell[PATHS_TARGET_TO], name);
	bh_buf_add_str(&cell[PATHS_TARGET_REACHED], f->n_ways ? "yes" : "no");
	bh_buf_printf(&cell[PATHS_TARGET_WAYS], "%zu%s", f->n_ways, whole ? "" : "+");
	bh_buf_printf(&cell[PATHS_TARGET_CUTS], "%zu%s", f->n_cuts, whole ? "" : "+");
	int rc = kube_cells_say(a->asked, &a->cells, PATHS_ROW_TARGET, PATHS_TARGET_CELLS, a->err);
	for (size_t i = 0; rc == 0 && i < f->n_ways; i++)
		rc = say_way(f, i);
	for (size_t i = 0; rc == 0 && i < f->n_cuts; i++)
		for (size_t k = 0; rc == 0 && k < f->cuts[i].n; k++)
			rc = say_change(a, PATHS_ROW_CUT, i + 1, f->cuts[i].facts[k]);
	return rc;
}

static void take_away(const struct answering *a, struct proof_space *s)
{
	for (size_t i = 0; i < a->without.len; i++)
		if (s->place[a->without.ptr[i]] != LOGIC_NONE)
			proof_take_away(s, a->without.ptr[i], true);
}

static int answer_target(struct answering *a, uint32_t fact, struct bh_slice name)
{
	struct found f = { .a = a };
	struct proof_space space;
	const struct proof_search search = {
		.can_go = can_go, .path = on_path, .cut = on_cut, .ctx = &f, .paths_max = a->q->ways_max, .cuts_max = CUTS_MAX, .tries_max = TRIES_MAX,
	};
	bool whole = true;
	int rc = 0;
	bh_arena_done(&a->arena);
	f.ways = bh_arena_array(&a->arena, a->q->ways_max + 1, sizeof(*f.ways));
	if (!f.ways)
		return bh_fail(a->err, BH_ELIMIT, 0, "too many ways");
	if (fact != LOGIC_NONE) {
		rc = proof_space_init(&space, &a->facts.logic, fact, a->err);
		if (rc == 0)
			take_away(a, &space);
		rc = rc < 0 ? rc : proof_enumerate(&space, &search, &whole, a->err);
		proof_space_done(&space);
	}
	return rc < 0 ? rc : say_target(&f, name, whole);
}

/* "node:worker-1" of a fact node(worker-1). */
static int answer_named(struct answering *a, const struct kind *k, struct bh_slice name)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bh_buf_init(&text, 1u << 16);
	bh_buf_add_str(&text, k->word);
	if (!k->only)
		bh_buf_printf(&text, ":%.*s", BH_SLICE_FMT(name));
	return answer_target(a, logic_find(&a->facts.logic, k->predicate, &name, 1), bh_buf_slice(&text));
}

/* All that are reached, in the order in which they became known; if none is, that is said. */
static int answer_any(struct answering *a, const struct kind *k)
{
	const struct logic *l = &a->facts.logic;
	struct proof_number_vec facts = { .max = LOGIC_FACTS_MAX };
	int rc = 0;
	for (uint32_t f = logic_next(l, k->predicate, LOGIC_NONE); rc == 0 && f != LOGIC_NONE; f = logic_next(l, k->predicate, f))
		rc = proof_number_vec_push(&facts, f) ? 0 : bh_fail(a->err, BH_ENOMEM, 0, "out of memory");
	if (rc == 0 && facts.len == 0)
		rc = answer_target(a, LOGIC_NONE, bh_slice_str(k->word));
	for (size_t i = facts.len; rc == 0 && i > 0; i--)
		rc = answer_named(a, k, logic_text(l, l->facts.ptr[facts.ptr[i - 1]].arguments[0]));
	proof_number_vec_done(&facts);
	return rc;
}

static int answer_one(struct answering *a, const char *target)
{
	struct bh_slice name;
	const struct kind *k = kind_of(bh_slice_str(target), &name);
	if (!k)
		return bh_fail(a->err, BH_EUSAGE, 0, "paths: no target: %s; " KNOWN_TARGETS, target);
	if (k->only)
		name = bh_slice_str(k->only);
	return name.len ? answer_named(a, k, name) : answer_any(a, k);
}

/* ---- the question ---- */

static int no_start(struct answering *a, const char *what)
{
	return bh_fail(a->err, BH_EUSAGE, 0, "paths: --from %s: there is no such %s among the objects", a->q->from, what);
}

/* Before anything is followed: where the attacker is. */
static int begin(struct answering *a)
{
	struct logic *l = &a->facts.logic;
	struct bh_slice from = bh_slice_str(a->q->from), name, is_in;
	if (bh_slice_eq_str(from, "internet"))
		return logic_add(l, "outside", (const struct bh_slice[]){ BH_SLICE_LIT("the internet") }, 1, NULL, a->err);
	if (bh_slice_starts(from, BH_SLICE_LIT("user:")) || bh_slice_starts(from, BH_SLICE_LIT("group:")))
		return logic_add(l, "start_as", &from, 1, NULL, a->err);
	if (bh_slice_starts(from, BH_SLICE_LIT("sa:"))) {
		name = bh_slice_sub(from, 3, from.len);
		const struct bh_slice in[] = { bh_slice_sub(name, 0, bh_slice_find(name, '/')), name };
		if (logic_find(l, "account_in", in, 2) == LOGIC_NONE)
			return no_start(a, "service account");
		return logic_add(l, "start_as", &name, 1, NULL, a->err);
	}
	is_in = bh_slice_sub(from, 0, bh_slice_find(from, '/'));
	const struct bh_slice pod[] = { is_in, from };
	if (logic_find(l, "pod_in", pod, 2) == LOGIC_NONE)
		return no_start(a, "workload");
	return logic_add(l, "start", &from, 1, NULL, a->err);
}

/* What was assumed or not looked at. */
static int say_notes(struct answering *a)
{
	int rc = 0;
	if (!a->facts.n_reports)
		rc = note(a, "no reports of images were given (--report): every workload is taken to be exploitable, which is the worst case");
	if (rc == 0 && a->facts.has_pods && !a->facts.has_roles)
		rc = note(a, "there are no role bindings among the objects: service accounts are taken to have no rights");
	if (rc == 0 && a->facts.has_pods)
		rc = note(a, "pods without a nodeName are taken to share one node, called \"a node\", those that ask for a node's labels one with these");
	if (rc == 0)
		rc = note(a, "not considered: runtime and kernel vulnerabilities, credentials inside images, tags that others may push, and what no manifest says");
	return rc;
}

/* The texts of --without as facts, once for all targets: a fact has a text, and what was looked for is found in one go through them. */
static int read_without(struct answering *a)
{
	const struct logic *l = &a->facts.logic;
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bool found[PATHS_WITHOUT_MAX] = { false };
	int rc = a->q->n_without <= PATHS_WITHOUT_MAX ? 0 : bh_fail(a->err, BH_EUSAGE, 0, "paths: more than %u times --without", PATHS_WITHOUT_MAX);
	bh_buf_init(&text, 1u << 16);
	for (uint32_t f = 0; rc == 0 && a->q->n_without && f < l->facts.len; f++) {
		bh_buf_clear(&text);
		if (l->facts.ptr[f].is_given)
			add_fact(l, &text, f);
		for (size_t i = 0; rc == 0 && text.len && i < a->q->n_without; i++)
			if (bh_slice_eq_str(bh_buf_slice(&text), a->q->without[i])) {
				found[i] = true;
				rc = proof_number_vec_push(&a->without, f) ? 0 : bh_fail(a->err, BH_ENOMEM, 0, "out of memory");
			}
	}
	for (size_t i = 0; rc == 0 && i < a->q->n_without; i++)
		if (!found[i])
			rc = bh_fail(a->err, BH_EUSAGE, 0, "paths: --without %s: there is no such fact; take it from a path's list", a->q->without[i]);
	return rc;
}

static int answer_all(struct answering *a)
{
	static const char *const usual[] = { "cluster-admin", "node", "cloud" };
	const char *const *targets = a->q->n_to ? a->q->to : usual;
	size_t n = a->q->n_to ? a->q->n_to : sizeof(usual) / sizeof(*usual);
	int rc = begin(a);
	rc = rc < 0 ? rc : read_without(a);
	rc = rc < 0 ? rc : logic_run(&a->facts.logic, a->err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = answer_one(a, targets[i]);
	return rc;
}

int paths_answer(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	static const struct paths_asking usual = { .from = "internet", .ways_max = 3 };
	struct answering a = { .asked = asked, .q = ctx ? ctx : &usual, .without = { .max = LOGIC_FACTS_MAX }, .err = err };
	kube_cells_init(&a.cells);
	bh_arena_init(&a.arena, WAYS_BYTES_MAX);
	int rc = paths_facts_find(&a.facts, asked, bh_slice_str(a.q->from), err);
	rc = rc < 0 ? rc : say_notes(&a);
	if (rc == 0)
		rc = a.q->blast ? paths_blast(asked, &a.facts, &a.cells, err) : answer_all(&a);
	proof_number_vec_done(&a.without);
	paths_facts_done(&a.facts);
	kube_cells_done(&a.cells);
	bh_arena_done(&a.arena);
	return rc;
}
