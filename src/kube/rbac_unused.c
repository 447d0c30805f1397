/* rbac_unused.c: the question of rbac_unused.h: what both ways of looking need, and the rows that they say. */
#include "kube/rbac_unused.h"

#include <stdarg.h>
#include <stdio.h>

#include "kube/rbac_model.h"
#include "kube/rbac_text.h"
#include "kube/rbac_unused_model.h"

#define ARENA_BYTES_MAX (256u << 20)
#define SCRATCH_BYTES_MAX (16u << 20)
#define PARTS_MAX 4000000u /* rules, words and subjects that are needless */
#define NAMES_MAX 400000u /* of users and groups in a log */

int rbac_unused_read(struct kube_asked *asked, void *ctx, struct bh_slice name, int fd, struct bh_err *err)
{
	struct rbac_leaving *l = ctx;
	return rbac_log_read(asked, &l->audit, name, fd, err);
}

/* ---- rows ---- */

static void print_object(struct bh_buf *out, const struct kube_object *o, struct bh_slice namespace)
{
	bh_buf_add(out, o->kind);
	bh_buf_add_byte(out, ' ');
	bh_buf_add(out, namespace);
	bh_buf_add_str(out, namespace.len ? "/" : "");
	bh_buf_add(out, o->name);
}

void rbac_about_object(struct rbac_leftovers *l, const char *what, const struct kube_object *o, struct bh_slice namespace, uint32_t line)
{
	struct bh_buf *c = l->cells.text;
	bh_buf_add_str(&c[RBAC_UNUSED_WHAT], what);
	print_object(&c[RBAC_UNUSED_OBJECT], o, namespace);
	bh_buf_add(&c[RBAC_UNUSED_PLACE], o->file);
	bh_buf_printf(&c[RBAC_UNUSED_PLACE], ":%u", line ? line : o->line);
}

void rbac_about_role(struct rbac_leftovers *l, const char *what, const struct rbac_role *role)
{
	rbac_about_object(l, what, role->object, role->namespace, 0);
}

void rbac_about_binding(struct rbac_leftovers *l, const char *what, const struct rbac_binding *b)
{
	rbac_about_object(l, what, b->object, b->namespace, 0);
}

void rbac_about_rule(struct rbac_leftovers *l, const char *what, const struct rbac_rule *rule)
{
	struct bh_buf *c = l->cells.text;
	rbac_about_object(l, what, rule->role->object, rule->role->namespace, rule->line);
	bh_buf_printf(&c[RBAC_UNUSED_AT], "rules[%zu]", (size_t)(rule - rule->role->written));
}

void rbac_about_word(struct rbac_leftovers *l, const char *what, const struct rbac_rule *rule, enum rbac_part part, size_t index)
{
	rbac_about_rule(l, what, rule);
	bh_buf_printf(&l->cells.text[RBAC_UNUSED_AT], ".%s[%zu]", rbac_part_fields[part], index);
	bh_buf_add(&l->cells.text[RBAC_UNUSED_VALUE], rbac_part_of(rule, part)->ptr[index]);
}

static uint32_t line_of_subject(const struct kube_object *o, size_t index)
{
	struct cel_value list = kube_get(o->value, "subjects");
	struct bh_buf path;
	bh_buf_init(&path, 4096);
	uint32_t line = index < kube_length(list) ? kube_tree_find(o->tree, list.list->items[index].map, (struct bh_slice){ 0 }, &path) : 0;
	bh_buf_done(&path);
	return line;
}

void rbac_about_subject(struct rbac_leftovers *l, const char *what, const struct rbac_binding *b, size_t index)
{
	const struct rbac_subject *s = &b->subjects[index];
	rbac_about_object(l, what, b->object, b->namespace, line_of_subject(b->object, s->index));
	bh_buf_printf(&l->cells.text[RBAC_UNUSED_AT], "subjects[%u]", s->index);
	rbac_subject_print(s, &l->cells.text[RBAC_UNUSED_VALUE]);
}

bool rbac_set_gone(struct rbac_leftovers *l, const void *part)
{
	struct bh_slice key;
	void **at = bh_arena_copy(&l->arena, (struct bh_slice){ (const uint8_t *)&part, sizeof(part) }, &key) ? bh_map_put(&l->gone, key) : NULL;
	if (at)
		*at = l;
	return at != NULL;
}

bool rbac_is_gone(const struct rbac_leftovers *l, const void *part)
{
	return bh_map_get(&l->gone, (struct bh_slice){ (const uint8_t *)&part, sizeof(part) }) != NULL;
}

int rbac_say_unused(struct rbac_leftovers *l)
{
	return kube_cells_say(l->asked, &l->cells, RBAC_ROW_UNUSED, RBAC_UNUSED_CELLS, l->err);
}

int rbac_say_unjudged(struct rbac_leftovers *l, const struct kube_object *at, uint32_t line, const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	struct bh_buf *c = l->cells.text;
	bh_buf_add_str(&c[RBAC_UNJUDGED_TEXT], text);
	if (at) {
		bh_buf_add(&c[RBAC_UNJUDGED_PLACE], at->file);
		bh_buf_printf(&c[RBAC_UNJUDGED_PLACE], ":%u", line ? line : at->line);
	}
	return kube_cells_say(l->asked, &l->cells, RBAC_ROW_UNJUDGED, RBAC_UNJUDGED_CELLS, l->err);
}

/* ---- what both need to know ---- */

bool rbac_is_own_role(const struct rbac_role *role)
{
	return role->object && !rbac_is_servers(role);
}

bool rbac_is_own_binding(const struct rbac_binding *b)
{
	struct cel_value labels = b->object ? kube_path(b->object->value, "metadata.labels") : cel_null();
	return b->object && !(labels.kind == CEL_MAP && cel_map_field(labels.map, BH_SLICE_LIT("kubernetes.io/bootstrapping")));
}

const struct rbac_holder *rbac_holders_of(const struct rbac_leftovers *l, const struct rbac_role *role)
{
	return bh_map_get(&l->holders, (struct bh_slice){ (const uint8_t *)&role, sizeof(role) });
}

static bool add_holder(struct rbac_leftovers *l, const struct rbac_role *role, const struct rbac_binding *b)
{
	struct bh_slice key;
	struct rbac_holder *known = bh_map_get(&l->holders, (struct bh_slice){ (const uint8_t *)&role, sizeof(role) });
	if (known && known->binding == b)
		return true;
	struct rbac_holder *made = BH_ARENA_NEW(&l->arena, struct rbac_holder);
	void **at = made && bh_arena_copy(&l->arena, (struct bh_slice){ (const uint8_t *)&role, sizeof(role) }, &key) ? bh_map_put(&l->holders, key) : NULL;
	if (!at)
		return false;
	*made = (struct rbac_holder){ b, known };
	*at = made;
	return true;
}

static bool find_selected(struct rbac_leftovers *l)
{
	for (size_t i = 0; i < l->r->roles.len; i++) {
		const struct rbac_role *by = l->r->roles.ptr[i];
		for (size_t k = 0; by->is_aggregated && k < by->n_rules; k++) {
			void **at = bh_map_put(&l->selected, (struct bh_slice){ (const uint8_t *)&by->rules[k]->role, sizeof(void *) });
			if (!at)
				return false;
			*at = (void *)(uintptr_t)by;
		}
	}
	return true;
}

/* Of the bound role, and of those that it selects. */
static bool find_holders(struct rbac_leftovers *l)
{
	bool ok = true;
	for (size_t i = 0; ok && i < l->r->bindings.len; i++) {
		const struct rbac_binding *b = l->r->bindings.ptr[i];
		if (!b->role || b->n_subjects == 0)
			continue;
		ok = add_holder(l, b->role, b);
		for (size_t k = 0; ok && k < b->role->n_rules; k++)
			ok = b->role->rules[k]->role == b->role || add_holder(l, b->role->rules[k]->role, b);
	}
	return ok;
}

static bool find_accounts(struct rbac_leftovers *l)
{
	for (size_t i = 0; i < l->all->len; i++) {
		const struct kube_object *o = &l->all->ptr[i];
		if (o->group.len || !bh_slice_eq_str(o->kind, "ServiceAccount"))
			continue;
		const char *key = bh_arena_printf(&l->arena, "%.*s/%.*s", BH_SLICE_FMT(kube_namespace(o)), BH_SLICE_FMT(o->name));
		void **at = key ? bh_map_put(&l->accounts, bh_slice_str(key)) : NULL;
		if (!at)
			return false;
		*at = (void *)(uintptr_t)o;
	}
	return true;
}

/* ---- who is in the log ---- */

static bool count_name(struct rbac_leftovers *l, char kind, struct bh_slice name, uint64_t events)
{
	const char *key = bh_arena_printf(&l->arena, "%c%.*s", kind, BH_SLICE_FMT(name));
	uint64_t **at = key ? (uint64_t **)bh_map_put(&l->seen, bh_slice_str(key)) : NULL;
	if (!at || (!*at && !(*at = BH_ARENA_NEW(&l->arena, uint64_t))))
		return false;
	**at += events;
	return true;
}

static bool find_seen(struct rbac_leftovers *l, const struct rbac_audit *audit)
{
	bool ok = true;
	for (size_t i = 0; ok && i < audit->askers.len; i++) {
		const struct rbac_asker *a = audit->askers.entries[i].value;
		struct rbac_user user;
		uint64_t events = 0;
		for (size_t k = 0; k < a->requests.len; k++) {
			const struct rbac_asked *asked = a->requests.entries[k].value;
			events += asked->allowed + asked->denied;
		}
		bh_arena_clear(&l->scratch);
		ok = rbac_user_of(a->user.name, a->user.groups.ptr, a->user.groups.n, &l->scratch, &user) && count_name(l, 'u', user.name, events);
		for (size_t k = 0; ok && k < user.groups.n; k++)
			ok = count_name(l, 'g', user.groups.ptr[k], events);
	}
	return ok;
}

uint64_t rbac_seen_events(struct rbac_leftovers *l, const struct rbac_subject *s)
{
	struct rbac_user user;
	bh_arena_clear(&l->scratch);
	if (!l->usage || !rbac_user_of_subject(s, &l->scratch, &user))
		return 0;
	const char *key = bh_arena_printf(&l->scratch, "%c%.*s", s->kind == RBAC_GROUP ? 'g' : 'u', BH_SLICE_FMT(s->kind == RBAC_GROUP ? s->name : user.name));
	const uint64_t *events = key ? bh_map_get(&l->seen, bh_slice_str(key)) : NULL;
	return events ? *events : 0;
}

/* ---- the whole ---- */

static void tick(void *ctx, uint64_t requests)
{
	kube_say_progress(ctx, requests);
}

static int answer_log(struct rbac_leftovers *l, struct rbac_leaving *ask)
{
	struct rbac_usage usage;
	int rc = rbac_unlogged_read(l->all, &l->arena, &l->unlogged, l->err);
	rc = rc < 0 ? rc : rbac_usage_new(l->r, &ask->audit, (struct rbac_usage_ticker){ tick, l->asked, 0 }, &usage, l->err);
	if (rc < 0)
		return rc;
	l->usage = &usage;
	rc = find_seen(l, &ask->audit) ? 0 : bh_fail(l->err, BH_ELIMIT, 0, "too many users and groups in the log");
	rc = rc < 0 ? rc : rbac_unused_by_objects(l);
	rc = rc < 0 ? rc : rbac_unused_by_log(l);
	rc = rc < 0 ? rc : rbac_log_say(l->asked, &ask->audit, l->err);
	l->usage = NULL;
	rbac_usage_done(&usage);
	return rc;
}

static int answer(struct rbac_leftovers *l, struct rbac_leaving *ask)
{
	if (!find_selected(l) || !find_holders(l) || !find_accounts(l))
		return bh_fail(l->err, BH_ELIMIT, 0, "too many roles, bindings and service accounts");
	return ask->has_log ? answer_log(l, ask) : rbac_unused_by_objects(l);
}

int rbac_unused(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	struct rbac_leaving *ask = ctx;
	struct rbac_leftovers l = { .asked = asked, .all = kube_set_objects(kube_asked_set(asked, 0)), .err = err };
	struct rbac *r;
	int rc = rbac_of_asked(asked, 0, ask->defaults, &r, err);
	if (rc < 0)
		return rc;
	l.r = r;
	bh_arena_init(&l.arena, ARENA_BYTES_MAX);
	bh_arena_init(&l.scratch, SCRATCH_BYTES_MAX);
	bh_map_init(&l.holders, RBAC_ROLES_MAX + 1000);
	bh_map_init(&l.gone, PARTS_MAX);
	bh_map_init(&l.selected, RBAC_ROLES_MAX + 1000);
	bh_map_init(&l.accounts, KUBE_OBJECTS_MAX);
	bh_map_init(&l.seen, NAMES_MAX);
	kube_cells_init(&l.cells);
	rc = answer(&l, ask);
	kube_cells_done(&l.cells);
	bh_map_done(&l.seen);
	bh_map_done(&l.accounts);
	bh_map_done(&l.gone);
	bh_map_done(&l.selected);
	bh_map_done(&l.holders);
	bh_arena_done(&l.scratch);
	bh_arena_done(&l.arena);
	rbac_free(r);
	return rc;
}
