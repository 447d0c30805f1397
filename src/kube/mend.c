#include "kube/mend.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "dockerfile/mend.h"
#include "kube/map.h"
#include "kube/nulls.h"
#include "kube/patch.h"
#include "kube/pin.h"
#include "kube/rules.h"

#define POLICIES_MAX 2000u
#define CHECKS_MAX 10000u
#define CHANGES_MAX 100000u
#define ROUNDS_MAX 4u              /* until policies that wait for each other have to be done */
#define RULES_BYTES_MAX (256u << 20)
#define WHY_BYTES_MAX (8u << 10)
#define NAME_BYTES_MAX 300u
#define MUTATING_SINCE_MINOR 32u   /* what a policy may say has no older version */

struct policy {
	struct map_policy *map;
	struct bh_slice check; /* empty: it is for every object */
	enum kube_mend_level level;
};
BH_VEC(policy_vec, struct policy)

struct kube_mender {
	unsigned minor;
	const struct kube_world *world;
	struct kube_schema *schema;    /* NULL until a policy needs it */
	struct kube_set *rules;        /* those that were read */
	struct policy_vec policies;
	struct bh_map cures;           /* check -> struct kube_cure: its rules were read */
	struct map_policy **asked;     /* room for all */
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for the policies that mend");
}

int kube_mender_new(unsigned minor, const struct kube_world *world, struct kube_mender **ret, struct bh_err *err)
{
	struct kube_mender *m = calloc(1, sizeof(*m));
	if (!m)
		return no_memory(err);
	*m = (struct kube_mender){ .minor = minor, .world = world, .policies = { .max = POLICIES_MAX } };
	bh_map_init(&m->cures, CHECKS_MAX);
	int rc = kube_set_new(RULES_BYTES_MAX, &m->rules, err);
	if (rc < 0)
		kube_mender_free(m);
	else
		*ret = m;
	return rc;
}

void kube_mender_free(struct kube_mender *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->policies.len; i++)
		map_policy_free(m->policies.ptr[i].map);
	policy_vec_done(&m->policies);
	bh_map_done(&m->cures);
	kube_schema_free(m->schema);
	kube_set_free(m->rules);
	free(m->asked);
	free(m);
}

/* ---- policies ---- */

/* An apply configuration is merged along the types of the API. */
static int get_schema(struct kube_mender *m, const struct kube_object *o, struct bh_err *err)
{
	struct cel_value mutations = kube_path(o->value, "spec.mutations");
	bool merges = false;
	for (size_t i = 0; i < kube_length(mutations); i++)
		merges |= !bh_slice_eq_str(kube_text(mutations.list->items[i], "patchType"), "JSONPatch");
	return merges && !m->schema ? kube_schema_new(m->minor > KUBE_SCHEMA_OLDEST_MINOR ? m->minor : KUBE_SCHEMA_OLDEST_MINOR, &m->schema, err) : 0;
}

static int add(struct kube_mender *m, const struct kube_object *o, unsigned minor, struct bh_buf *why, struct bh_err *err)
{
	struct policy p = { .check = kube_rule_says(o, "labels", "bulkhead.io/check"), .level = KUBE_MEND_SAFE };
	struct map_policy **asked = realloc(m->asked, (m->policies.len + 1) * sizeof(struct map_policy *));
	if (!asked)
		return no_memory(err);
	m->asked = asked;
	if (bh_slice_eq_str(kube_rule_says(o, "labels", "bulkhead.io/fix"), "all"))
		p.level = KUBE_MEND_ALL;
	int rc = get_schema(m, o, err);
	rc = rc < 0 ? rc : map_policy_new(o, minor, &p.map, why, err);
	if (rc < 0 || policy_vec_push(&m->policies, p))
		return rc;
	map_policy_free(p.map);
	return bh_fail(err, BH_ELIMIT, 0, "more than %u mutating policies", POLICIES_MAX);
}

int kube_mender_add(struct kube_mender *m, const struct kube_object *o, struct bh_buf *why, struct bh_err *err)
{
	return add(m, o, m->minor > MUTATING_SINCE_MINOR ? m->minor : MUTATING_SINCE_MINOR, why, err);
}

bool kube_mender_is_for_all(const struct kube_mender *m)
{
	bool any = false;
	for (size_t i = 0; i < m->policies.len; i++)
		any |= m->policies.ptr[i].check.len == 0;
	return any;
}

/* ---- the rules of a check ---- */

/* The objects of the rule of that name, if there is one, are those of the set from *ret_first on. */
static int read_rule(struct kube_mender *m, const char *before, struct bh_slice check, const char *behind, size_t *ret_first, struct bh_err *err)
{
	struct bh_buf name;
	bh_buf_init(&name, NAME_BYTES_MAX);
	bh_buf_printf(&name, "%s%.*s%s", before, BH_SLICE_FMT(check), behind);
	const struct kube_rule *rule = name.failed ? NULL : kube_rule_find(bh_buf_slice(&name));
	bh_buf_done(&name);
	*ret_first = kube_set_objects(m->rules)->len;
	return rule ? kube_set_read(m->rules, bh_slice_str(rule->file), bh_slice_str(rule->text), err) : 0;
}

/* Ours compile, as the tests show. */
static int add_rule(struct kube_mender *m, struct bh_slice check, const char *behind, struct kube_cure *cure, struct bh_err *err)
{
	size_t first;
	int rc = read_rule(m, "fix-", check, behind, &first, err);
	for (size_t i = first; rc == 0 && i < kube_set_objects(m->rules)->len; i++) {
		/* The set's objects may move when more are read; what a policy keeps of one must not. */
		struct kube_object *o = BH_ARENA_NEW(kube_set_arena(m->rules), struct kube_object);
		BH_WITH(bh_buf_done) struct bh_buf why = { 0 };
		bh_buf_init(&why, WHY_BYTES_MAX);
		if (!kube_rule_is_for(&kube_set_objects(m->rules)->ptr[i], m->minor))
			continue;
		if (!o)
			return no_memory(err);
		*o = kube_set_objects(m->rules)->ptr[i];
		rc = add(m, o, VAP_NEWEST_MINOR, &why, err);
		if (rc == 0 && m->policies.ptr[m->policies.len - 1].level == KUBE_MEND_ALL)
			cure->may_break = kube_rule_says(o, "annotations", "bulkhead.io/may-break");
	}
	return rc;
}

static int read_needs(struct kube_mender *m, struct bh_slice check, struct kube_cure *cure, struct bh_err *err)
{
	size_t first;
	int rc = read_rule(m, "", check, "", &first, err);
	if (rc == 0 && first < kube_set_objects(m->rules)->len)
		cure->needs = kube_rule_says(&kube_set_objects(m->rules)->ptr[first], "annotations", "bulkhead.io/needs");
	return rc;
}

static int find_cure(struct kube_mender *m, struct bh_slice check, struct kube_cure *cure, struct bh_err *err)
{
	int rc = add_rule(m, check, "", cure, err);
	rc = rc < 0 ? rc : add_rule(m, check, "-all", cure, err);
	rc = rc < 0 ? rc : read_needs(m, check, cure, err);
	for (size_t i = 0; rc == 0 && i < m->policies.len; i++)
		if (bh_slice_eq(m->policies.ptr[i].check, check))
			cure->is_there[m->policies.ptr[i].level] = true;
	const struct df_cure *of_text = df_cure_find(check);
	if (rc == 0 && of_text && !pin_is_check(check)) { /* those are mended when a registry is asked, and not alone */
		cure->is_there[of_text->may_break ? KUBE_MEND_ALL : KUBE_MEND_SAFE] = true;
		cure->may_break = of_text->may_break ? bh_slice_str(of_text->may_break) : cure->may_break;
	}
	return rc;
}

int kube_mender_cure(struct kube_mender *m, struct bh_slice check, struct kube_cure *ret, struct bh_err *err)
{
	const struct kube_cure *known = bh_map_get(&m->cures, check);
	if (!known) {
		struct kube_cure *cure = BH_ARENA_NEW(kube_set_arena(m->rules), struct kube_cure);
		struct bh_slice key;
		int rc = cure && bh_arena_copy(kube_set_arena(m->rules), check, &key) ? find_cure(m, key, cure, err) : no_memory(err);
		void **slot = rc == 0 ? bh_map_put(&m->cures, key) : NULL;
		if (!slot)
			return rc < 0 ? rc : no_memory(err);
		*slot = cure;
		known = cure;
	}
	*ret = *known;
	return 0;
}

/* ---- mending ---- */

struct mending {
	struct kube_mender *m;
	const struct kube_mend_wish *wish;
	struct kube_object object; /* without nulls */
	size_t n_asked;
	struct bh_buf why;
	struct bh_err *err;
};

static int on_said(void *ctx, const struct map_policy *policy, enum vap_outcome outcome, struct bh_slice why, struct bh_err *err)
{
	struct mending *w = ctx;
	(void)outcome;
	(void)err;
	bh_buf_printf(&w->why, "%spolicy %.*s: %.*s", w->why.len ? "; " : "", BH_SLICE_FMT(map_policy_object(policy)->name), BH_SLICE_FMT(why));
	return 0;
}

static bool is_asked(const struct mending *w, const struct policy *p)
{
	if (p->level > w->wish->level)
		return false;
	if (p->check.len == 0)
		return w->wish->with_all;
	for (size_t i = 0; i < w->wish->n_checks; i++)
		if (bh_slice_eq(p->check, w->wish->checks[i]))
			return true;
	return false;
}

static int choose(struct mending *w)
{
	int rc = 0;
	struct kube_cure unused;
	for (size_t i = 0; rc == 0 && i < w->wish->n_checks; i++)
		rc = kube_mender_cure(w->m, w->wish->checks[i], &unused, w->err);
	for (size_t i = 0; rc == 0 && i < w->m->policies.len; i++)
		if (is_asked(w, &w->m->policies.ptr[i]))
			w->m->asked[w->n_asked++] = w->m->policies.ptr[i].map;
	return rc;
}

/* A policy that wants parameters and has no binding says so as an error: it is the user's mistake. */
static int mutate_once(struct mending *w, struct cel_value *value)
{
	struct kube_request request;
	struct bh_err why = { 0 };
	w->object.value = *value;
	if (!kube_request_create(&w->object, w->m->world, w->wish->arena, &request))
		return no_memory(w->err);
	const struct map_context context = {
		.request = &request, .world = w->m->world, .schema = w->m->schema, .arena = w->wish->arena, .sink = on_said, .ctx = w,
	};
	int rc = map_mutate(w->m->asked, w->n_asked, &context, value, &why);
	if (rc == BH_EMALFORMED) {
		bh_buf_printf(&w->why, "%s%s", w->why.len ? "; " : "", why.text);
		return 0;
	}
	if (rc < 0)
		*w->err = why;
	return rc;
}

/* Until nothing changes any more: only then a second run changes nothing. */
static int mutate(struct mending *w, struct cel_value *value)
{
	struct cel_value before = *value;
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		struct cel_value last = *value;
		bh_buf_clear(&w->why);
		int rc = mutate_once(w, value);
		if (rc < 0 || cel_same(last, *value))
			return rc;
	}
	*value = before;
	bh_buf_clear(&w->why);
	bh_buf_add_str(&w->why, "its policies change the object each time they are asked");
	return 0;
}

/* The changes, made to the object as it was written. */
static int put_back(struct mending *w, struct cel_value clean, struct cel_value now, struct kube_mended *out)
{
	struct kube_change_vec changes = { .max = CHANGES_MAX };
	int rc = kube_difference(w->wish->arena, clean, now, &changes, w->err);
	rc = rc < 0 ? rc : kube_difference_steps(w->wish->arena, &changes, &out->steps, w->err);
	kube_change_vec_done(&changes);
	rc = rc < 0 ? rc : kube_patch_apply(w->wish->arena, w->wish->object->value, out->steps, KUBE_PATCH_SERVER, &out->value, w->err);
	return rc < 0 ? rc : 0;
}

static int mend(struct mending *w, struct kube_mended *out)
{
	struct cel_value clean = kube_without_nulls(w->wish->arena, w->object.value, NULL), now = clean;
	if (clean.kind != CEL_MAP)
		return no_memory(w->err);
	int rc = mutate(w, &now);
	if (rc == 0 && !cel_same(clean, now))
		rc = put_back(w, clean, now, out);
	if (rc == 0 && !bh_arena_copy(w->wish->arena, bh_buf_slice(&w->why), &out->why))
		rc = no_memory(w->err);
	return rc;
}

int kube_mend(struct kube_mender *m, const struct kube_mend_wish *wish, struct kube_mended *ret, struct bh_err *err)
{
	struct kube_mended out = { .value = wish->object->value, .steps = cel_null() };
	struct mending w = { .m = m, .wish = wish, .object = *wish->object, .err = err };
	bh_buf_init(&w.why, WHY_BYTES_MAX);
	int rc = choose(&w);
	if (rc == 0 && w.n_asked)
		rc = mend(&w, &out);
	bh_buf_done(&w.why);
	if (rc == 0)
		*ret = out;
	return rc;
}
