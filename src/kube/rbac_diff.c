/* rbac_diff.c: what subjects gained and lost between two sets of roles (rbac_ask.h): each single right of the one is asked of the other. */
#include "kube/rbac_ask.h"

#include "kube/cells.h"
#include "kube/rbac_text.h"

#define RIGHTS_MAX 20000000u /* single ones, of both sets: half a minute */

struct comparing {
	struct kube_asked *asked;
	const struct rbac *other;
	struct bh_arena arena; /* of one subject */
	struct kube_cells cells;
	const char *what;
	uint64_t rights;
	struct bh_err *err;
};

/* The verbs of the rule that the other set does not allow for this object, as one row. */
static int compare_verbs(struct comparing *c, const struct rbac_binding *b, const struct rbac_subject *s, const struct rbac_user *user, const struct rbac_rule *rule,
			 struct rbac_request *q)
{
	struct bh_buf *cell = c->cells.text;
	size_t n = 0;
	for (size_t v = 0; v < rule->verbs.n; v++) {
		q->verb = rule->verbs.ptr[v];
		if (++c->rights > RIGHTS_MAX)
			return bh_fail(c->err, BH_ELIMIT, 0, "the roles give more than %u single rights", RIGHTS_MAX);
		if (rbac_allows(c->other, user, q, NULL))
			continue;
		bh_buf_add_str(&cell[RBAC_CHANGE_VERBS], n++ ? ", " : "");
		bh_buf_add(&cell[RBAC_CHANGE_VERBS], q->verb);
	}
	if (n == 0)
		return 0;
	bh_buf_add_str(&cell[RBAC_CHANGE_WHAT], c->what);
	rbac_subject_print(s, &cell[RBAC_CHANGE_SUBJECT]);
	bh_buf_add(&cell[RBAC_CHANGE_SCOPE], b->namespace);
	if (q->is_url)
		bh_buf_add(&cell[RBAC_CHANGE_RESOURCE], q->path);
	else
		rbac_print_resource(&cell[RBAC_CHANGE_RESOURCE], q->group, q->resource);
	if (!q->is_url && q->subresource.len) {
		bh_buf_add_byte(&cell[RBAC_CHANGE_RESOURCE], '/');
		bh_buf_add(&cell[RBAC_CHANGE_RESOURCE], q->subresource);
	}
	bh_buf_add(&cell[RBAC_CHANGE_NAME], q->name);
	rbac_print_role(&cell[RBAC_CHANGE_ROLE], b);
	rbac_print_binding(&cell[RBAC_CHANGE_BINDING], b);
	return kube_cells_say(c->asked, &c->cells, RBAC_ROW_CHANGE, RBAC_CHANGE_CELLS, c->err);
}

static int compare_rule(struct comparing *c, const struct rbac_binding *b, const struct rbac_subject *s, const struct rbac_user *user, const struct rbac_rule *rule)
{
	const struct bh_slice none = { 0 };
	const struct rbac_words no_name = { &none, 1 }, names = rule->names.n ? rule->names : no_name;
	int rc = 0;
	for (size_t i = 0; rc == 0 && b->namespace.len == 0 && i < rule->urls.n; i++) {
		struct rbac_request q = { .is_url = true, .path = rule->urls.ptr[i] };
		rc = compare_verbs(c, b, s, user, rule, &q);
	}
	for (size_t g = 0; rc == 0 && g < rule->groups.n; g++)
		for (size_t i = 0; rc == 0 && i < rule->resources.n; i++)
			for (size_t k = 0; rc == 0 && k < names.n; k++) {
				struct rbac_request q = { .group = rule->groups.ptr[g], .namespace = b->namespace, .name = names.ptr[k] };
				(void)bh_slice_cut(rule->resources.ptr[i], '/', &q.resource, &q.subresource);
				rc = compare_verbs(c, b, s, user, rule, &q);
			}
	return rc;
}

/* What `of` gives and the other does not. */
static int compare(struct comparing *c, const struct rbac *of, const struct rbac *other, const char *what)
{
	int rc = 0;
	c->other = other;
	c->what = what;
	for (size_t i = 0; rc == 0 && i < of->bindings.len; i++) {
		const struct rbac_binding *b = of->bindings.ptr[i];
		for (size_t k = 0; rc == 0 && b->role && k < b->n_subjects; k++) {
			struct rbac_user user;
			bh_arena_done(&c->arena);
			if (!rbac_user_of_subject(&b->subjects[k], &c->arena, &user))
				return bh_fail(c->err, BH_ELIMIT, 0, "the name of a subject is too long");
			for (size_t n = 0; rc == 0 && n < b->role->n_rules; n++)
				rc = compare_rule(c, b, &b->subjects[k], &user, b->role->rules[n]);
		}
	}
	return rc;
}

int rbac_diff(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	const struct rbac_asking *a = ctx;
	struct comparing c = { .asked = asked, .err = err };
	struct rbac *before, *after;
	int rc = rbac_of_asked(asked, 0, a->defaults, &before, err);
	if (rc < 0)
		return rc;
	rc = rbac_of_asked(asked, 1, a->defaults, &after, err);
	if (rc == 0) {
		bh_arena_init(&c.arena, 16u << 20);
		kube_cells_init(&c.cells);
		rc = compare(&c, after, before, "gained");
		rc = rc < 0 ? rc : compare(&c, before, after, "lost");
		kube_cells_done(&c.cells);
		bh_arena_done(&c.arena);
		rbac_free(after);
	}
	rbac_free(before);
	return rc;
}
