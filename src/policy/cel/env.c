#include "policy/cel/env.h"

#include <stdlib.h>

#include "policy/cel/wellknown.h"

#define ARENA_BYTES_MAX (4u << 20)
#define NAMES_MAX 65536u
#define NAME_BYTES_MAX 512u

#define CEL_LIBRARY_PART(name) CEL_LIBRARY(name)
#define CEL_LIBRARY(name) extern const struct cel_library cel_library_##name;
#include "policy/cel/libraries.def"
#undef CEL_LIBRARY

const struct cel_library *const cel_libraries_all[] = {
#define CEL_LIBRARY(name) &cel_library_##name,
#include "policy/cel/libraries.def"
#undef CEL_LIBRARY
	NULL,
};
#undef CEL_LIBRARY_PART

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "a CEL environment uses up its memory");
}

/* ---- declarations ---- */

static const void *get_record(const struct cel_env *env, struct bh_slice name)
{
	struct bh_slice first, rest;
	const struct cel_record *record = bh_map_get(&env->records, name);
	if (record || !bh_slice_cut(name, '.', &first, &rest))
		return record;
	record = bh_map_get(&env->records, first);
	return record && record->is_open ? record : NULL;
}

static bool is_record(void *ctx, struct bh_slice name)
{
	return get_record(ctx, name) != NULL;
}

static int read_type(struct cel_env *env, struct bh_slice *text, const struct cel_type **ret, struct bh_err *err)
{
	return cel_type_parse(&env->arena, text, is_record, env, ret, err);
}

static bool skip(struct bh_slice *text, const char *what)
{
	while (text->len && text->ptr[0] == ' ')
		*text = bh_slice_sub(*text, 1, text->len);
	if (!bh_slice_starts(*text, bh_slice_str(what)))
		return false;
	*text = bh_slice_sub(*text, strlen(what), text->len);
	return true;
}

static int add_param(struct cel_env *env, struct cel_candidate *c, struct bh_slice *text, struct bh_err *err)
{
	if (c->n == CEL_PARAMS_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u parameters", CEL_PARAMS_MAX);
	return read_type(env, text, &c->params[c->n++], err);
}

/* "string.(int, int) -> bool", "(A, list(A)) -> bool" */
static int read_signature(struct cel_env *env, struct cel_candidate *c, struct bh_err *err)
{
	struct bh_slice text = bh_slice_str(c->of->signature);
	int rc = 0;
	if (text.len && text.ptr[0] != '(') {
		c->is_member = true;
		const uint8_t *dot = bh_slice_search(text, ".(");
		struct bh_slice receiver = { text.ptr, dot ? (size_t)(dot - text.ptr) : 0 };
		rc = add_param(env, c, &receiver, err);
		text = bh_slice_sub(text, dot ? (size_t)(dot - text.ptr) + 1 : text.len, text.len);
	}
	if (rc == 0 && !skip(&text, "("))
		return bh_fail(err, BH_EMALFORMED, 0, "overload %s: a signature without \"(\"", c->of->id);
	for (bool first = true; rc == 0 && !skip(&text, ")"); first = false) {
		if (!first && !skip(&text, ","))
			return bh_fail(err, BH_EMALFORMED, 0, "overload %s: a signature without \")\"", c->of->id);
		(void)skip(&text, ""); /* blanks */
		rc = add_param(env, c, &text, err);
	}
	if (rc == 0 && !skip(&text, "-> "))
		return bh_fail(err, BH_EMALFORMED, 0, "overload %s: a signature without \"-> \"", c->of->id);
	return rc < 0 ? rc : read_type(env, &text, &c->result, err);
}

static struct cel_callee *callee_of(struct cel_env *env, const char *name)
{
	void **at = bh_map_put(&env->callees, bh_slice_str(name));
	if (!at)
		return NULL;
	if (!*at) {
		struct cel_callee *f = BH_ARENA_NEW(&env->arena, struct cel_callee);
		if (f)
			f->name = bh_slice_str(name);
		*at = f;
	}
	return *at;
}

int cel_env_overload(struct cel_env *env, const struct cel_overload *overload, struct bh_err *err)
{
	struct cel_callee *f = callee_of(env, overload->function);
	struct cel_candidate *c = f ? BH_ARENA_NEW(&env->arena, struct cel_candidate) : NULL;
	if (!c)
		return no_memory(err);
	c->of = overload;
	int rc = read_signature(env, c, err);
	if (rc < 0)
		return bh_wrap(err, "overload %s", overload->id);
	if (f->last)
		f->last->next = c;
	else
		f->first = c;
	f->last = c;
	return 0;
}

static int add_named(struct cel_env *env, const char *name, const char *type, struct cel_named **ret, struct bh_err *err)
{
	struct bh_slice text = bh_slice_str(type), copy;
	struct cel_named *n = BH_ARENA_NEW(&env->arena, struct cel_named);
	void **at = n && bh_arena_copy(&env->arena, bh_slice_str(name), &copy) ? bh_map_put(&env->named, copy) : NULL;
	if (!at)
		return no_memory(err);
	n->name = copy;
	int rc = read_type(env, &text, &n->type, err);
	if (rc == 0)
		*at = *ret = n;
	return rc < 0 ? bh_wrap(err, "variable %s", name) : 0;
}

int cel_env_variable(struct cel_env *env, const char *name, const char *type, unsigned *ret_slot, struct bh_err *err)
{
	struct cel_named *n;
	if (env->n_variables == CEL_VARIABLES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u variables", CEL_VARIABLES_MAX);
	int rc = add_named(env, name, type, &n, err);
	if (rc < 0)
		return rc;
	*ret_slot = n->slot = env->n_variables++;
	n->cost = 1;
	return 0;
}

int cel_env_field_variable(struct cel_env *env, const char *name, const char *type, unsigned *ret_slot, struct bh_err *err)
{
	int rc = cel_env_variable(env, name, type, ret_slot, err);
	if (rc == 0)
		((struct cel_named *)bh_map_get(&env->named, bh_slice_str(name)))->cost = 2;
	return rc;
}

int cel_env_record(struct cel_env *env, const char *name, const struct cel_field *fields, struct bh_err *err)
{
	struct bh_slice copy;
	struct cel_record *r = BH_ARENA_NEW(&env->arena, struct cel_record);
	void **at = r && bh_arena_copy(&env->arena, bh_slice_str(name), &copy) ? bh_map_put(&env->records, copy) : NULL;
	if (!at)
		return no_memory(err);
	*at = r;
	r->name = copy;
	r->type = cel_type_make(&env->arena, CEL_TYPE_RECORD, copy, NULL, 0);
	bh_map_init(&r->fields, NAMES_MAX);
	for (; fields->name; fields++) {
		const struct cel_type *type;
		struct bh_slice text = bh_slice_str(fields->type), field;
		int rc = read_type(env, &text, &type, err);
		if (rc < 0)
			return bh_wrap(err, "field %s of %s", fields->name, name);
		at = bh_arena_copy(&env->arena, bh_slice_str(fields->name), &field) ? bh_map_put(&r->fields, field) : NULL;
		if (!at)
			return no_memory(err);
		*at = (void *)(uintptr_t)type; /* the map holds what it is given */
	}
	return r->type ? 0 : no_memory(err);
}

int cel_env_open_record(struct cel_env *env, const char *name, struct bh_err *err)
{
	static const struct cel_field none[] = { { 0 } };
	int rc = cel_env_record(env, name, none, err);
	if (rc == 0)
		((struct cel_record *)bh_map_get(&env->records, bh_slice_str(name)))->is_open = true;
	return rc;
}

static int add_library(struct cel_env *env, const struct cel_library *library, struct bh_err *err)
{
	int rc = 0;
	for (const struct cel_overload *o = library->overloads; rc == 0 && o && o->signature; o++)
		rc = cel_env_overload(env, o, err);
	for (const struct cel_constant *c = library->constants; rc == 0 && c && c->name; c++) {
		struct cel_named *n = NULL;
		rc = add_named(env, c->name, c->type, &n, err);
		if (n) {
			n->is_constant = true;
			n->value = c->value;
		}
	}
	return rc;
}

int cel_env_new(const struct cel_library *const *libraries, struct cel_env **ret, struct bh_err *err)
{
	struct cel_env *env = calloc(1, sizeof(*env));
	int rc = 0;
	if (!env)
		return no_memory(err);
	bh_arena_init(&env->arena, ARENA_BYTES_MAX);
	bh_map_init(&env->callees, NAMES_MAX);
	bh_map_init(&env->named, NAMES_MAX);
	bh_map_init(&env->records, NAMES_MAX);
	env->libraries = libraries;
	for (size_t i = 0; libraries[i] && rc == 0; i++)
		rc = add_library(env, libraries[i], err);
	if (rc < 0) {
		cel_env_free(env);
		return rc;
	}
	*ret = env;
	return 0;
}

void cel_env_free(struct cel_env *env)
{
	if (!env)
		return;
	for (size_t i = 0; i < env->records.len; i++) {
		struct cel_record *r = env->records.entries[i].value;
		if (r)
			bh_map_done(&r->fields);
	}
	bh_map_done(&env->callees);
	bh_map_done(&env->named);
	bh_map_done(&env->records);
	bh_arena_done(&env->arena);
	free(env);
}

int cel_env_container(struct cel_env *env, const char *name, struct bh_err *err)
{
	return bh_arena_copy(&env->arena, bh_slice_str(name), &env->container) ? 0 : no_memory(err);
}

void cel_env_set_literals(struct cel_env *env, bool is_homogeneous, bool reads_literals)
{
	env->is_homogeneous = is_homogeneous;
	env->reads_literals = reads_literals;
}

/* ---- look-up ---- */

/* In container a.b: a.b.NAME, a.NAME, NAME. */
static const void *find(const struct cel_env *env, const void *(*get)(const struct cel_env *env, struct bh_slice name), struct bh_slice name)
{
	char text[NAME_BYTES_MAX];
	struct bh_slice container = env->container;
	if (name.len && name.ptr[0] == '.')
		return get(env, bh_slice_sub(name, 1, name.len));
	while (container.len && container.len + name.len + 1 <= sizeof(text)) {
		memcpy(text, container.ptr, container.len);
		text[container.len] = '.';
		memcpy(text + container.len + 1, name.ptr, name.len);
		const void *found = get(env, (struct bh_slice){ (const uint8_t *)text, container.len + 1 + name.len });
		if (found)
			return found;
		while (container.len && container.ptr[container.len - 1] != '.')
			container.len--;
		container.len -= container.len > 0;
	}
	return get(env, name);
}

static const void *get_named(const struct cel_env *env, struct bh_slice name)
{
	return bh_map_get(&env->named, name);
}

static const void *get_callee(const struct cel_env *env, struct bh_slice name)
{
	return bh_map_get(&env->callees, name);
}

static const void *get_wellknown(const struct cel_env *env, struct bh_slice name)
{
	(void)env;
	return cel_wellknown_find(name);
}

const struct cel_named *cel_env_find_named(const struct cel_env *env, struct bh_slice name)
{
	return find(env, get_named, name);
}

const struct cel_callee *cel_env_find_callee(const struct cel_env *env, struct bh_slice name)
{
	return find(env, get_callee, name);
}

const struct cel_record *cel_env_find_record(const struct cel_env *env, struct bh_slice name)
{
	return find(env, get_record, name);
}

const struct cel_wellknown *cel_env_find_wellknown(const struct cel_env *env, struct bh_slice name)
{
	return find(env, get_wellknown, name);
}
