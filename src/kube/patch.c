/* patch.c: the steps of a JSON Patch, one after the other. Only the containers on the way to what is changed are made anew. */
#include "kube/patch.h"

#include <string.h>

#include "kube/objects.h"

#define TOKEN_BYTES_MAX 4096u

enum op { OP_ADD, OP_REMOVE, OP_REPLACE, OP_MOVE, OP_COPY, OP_TEST };

static const char *const op_names[] = { "add", "remove", "replace", "move", "copy", "test", NULL };

struct patching {
	struct bh_arena *arena;
	enum kube_patch_rules rules;
	size_t step;             /* that is done, for messages */
	struct bh_slice pointer; /* that is followed, for messages */
	struct bh_err *err;
};

static int no_memory(struct patching *p)
{
	return bh_fail(p->err, BH_ENOMEM, 0, "a patch uses up the memory for it");
}

static int refuse(struct patching *p, const char *why)
{
	return bh_fail(p->err, BH_EMALFORMED, 0, "step %zu of the patch: %s: \"%.*s\"", p->step, why, BH_SLICE_FMT(bh_slice_sub(p->pointer, 0, 200)));
}

/* ---- pointers (RFC 6901) ---- */

/* "/a~1b/c": cuts "a/b" off. */
static int take_token(struct patching *p, struct bh_slice *rest, struct bh_slice *ret)
{
	struct bh_slice raw = bh_slice_sub(*rest, 1, rest->len);
	if (rest->len == 0 || rest->ptr[0] != '/')
		return refuse(p, "a path has to begin with /");
	raw = bh_slice_sub(raw, 0, bh_slice_find(raw, '/'));
	*rest = bh_slice_sub(*rest, 1 + raw.len, rest->len);
	*ret = raw;
	if (bh_slice_find(raw, '~') == raw.len)
		return 0;
	if (raw.len > TOKEN_BYTES_MAX)
		return refuse(p, "a part of the path is too long");
	uint8_t *text = bh_arena_alloc(p->arena, raw.len);
	size_t n = 0;
	if (!text)
		return no_memory(p);
	for (size_t i = 0; i < raw.len; i++) {
		text[n++] = raw.ptr[i];
		if (raw.ptr[i] != '~')
			continue;
		if (++i == raw.len || (raw.ptr[i] != '0' && raw.ptr[i] != '1'))
			return refuse(p, "only ~0 and ~1 may be behind a path");
		text[n - 1] = raw.ptr[i] == '0' ? '~' : '/';
	}
	*ret = (struct bh_slice){ text, n };
	return 0;
}

/* 0 to len; len only where an element is added. No leading zeros, "-" is the end. */
static int read_index(struct patching *p, struct bh_slice token, size_t len, bool adds, size_t *ret)
{
	uint64_t n;
	bool negative = p->rules == KUBE_PATCH_SERVER && token.len > 1 && token.ptr[0] == '-';
	struct bh_slice digits = bh_slice_sub(token, negative, token.len);
	if (adds && bh_slice_eq_str(token, "-")) {
		*ret = len;
		return 0;
	}
	if (!bh_slice_u64(digits, UINT32_MAX, &n) || (digits.len > 1 && digits.ptr[0] == '0'))
		return refuse(p, "no index of a list");
	size_t count = len + adds;
	if (negative ? n == 0 || n > count : n >= count)
		return refuse(p, "there is no such element");
	*ret = negative ? count - n : n;
	return 0;
}

/* The value of a member or element; BH_EMALFORMED when it is not there. */
static int find_child(struct patching *p, struct cel_value of, struct bh_slice token, struct cel_value *ret)
{
	if (of.kind == CEL_MAP) {
		const struct cel_value *v = cel_map_field(of.map, token);
		if (v)
			*ret = *v;
		return v ? 0 : refuse(p, "there is no such member");
	}
	if (of.kind != CEL_LIST)
		return refuse(p, "neither a map nor a list is on the way");
	size_t index = 0;
	int rc = read_index(p, token, of.list->len, false, &index);
	if (rc == 0)
		*ret = of.list->items[index];
	return rc;
}

static int find(struct patching *p, struct cel_value document, struct bh_slice pointer, struct cel_value *ret)
{
	struct bh_slice rest = pointer, token;
	int rc = 0;
	p->pointer = pointer;
	while (rc == 0 && rest.len) {
		rc = take_token(p, &rest, &token);
		rc = rc < 0 ? rc : find_child(p, document, token, &document);
	}
	if (rc == 0)
		*ret = document;
	return rc;
}

/* ---- containers, made anew ---- */

static int close_map(struct patching *p, const struct cel_entry *entries, size_t n, struct cel_value *ret)
{
	*ret = cel_map_of(p->arena, entries, n);
	return cel_is_known(*ret) ? 0 : no_memory(p);
}

/* The map with a member set, or without it (value NULL). */
static int with_member(struct patching *p, const struct cel_map *map, struct bh_slice key, const struct cel_value *value, struct cel_value *ret)
{
	struct cel_entry *entries = bh_arena_array(p->arena, map->len + 1, sizeof(*entries));
	size_t n = 0;
	bool found = false;
	if (!entries)
		return no_memory(p);
	for (size_t i = 0; i < map->len; i++) {
		bool same = map->entries[i].key.kind == CEL_STRING && bh_slice_eq(map->entries[i].key.text, key);
		found |= same;
		if (!same || value)
			entries[n++] = same ? (struct cel_entry){ map->entries[i].key, *value } : map->entries[i];
	}
	if (!found && value)
		entries[n++] = (struct cel_entry){ cel_string(key), *value };
	return close_map(p, entries, n, ret);
}

/* The list with `removed` elements at the index replaced by the value, if there is one. */
static int with_element(struct patching *p, const struct cel_list *list, size_t index, size_t removed, const struct cel_value *value, struct cel_value *ret)
{
	struct cel_value *items = bh_arena_array(p->arena, list->len + 1, sizeof(*items));
	size_t n = 0;
	if (!items)
		return no_memory(p);
	for (size_t i = 0; i < index; i++)
		items[n++] = list->items[i];
	if (value)
		items[n++] = *value;
	for (size_t i = index + removed; i < list->len; i++)
		items[n++] = list->items[i];
	*ret = cel_list_of(p->arena, items, n);
	return cel_is_known(*ret) ? 0 : no_memory(p);
}

/* The operation at its place: `of` is the container, the token names what is in it. */
static int change_child(struct patching *p, enum op op, struct cel_value of, struct bh_slice token, const struct cel_value *value, struct cel_value *ret)
{
	size_t index;
	bool is_there = of.kind == CEL_MAP && cel_map_field(of.map, token);
	if (of.kind == CEL_MAP) {
		if (op != OP_ADD && !is_there && !(op == OP_REPLACE && p->rules == KUBE_PATCH_SERVER))
			return refuse(p, "there is no such member");
		return with_member(p, of.map, token, op == OP_REMOVE ? NULL : value, ret);
	}
	if (of.kind != CEL_LIST)
		return refuse(p, "neither a map nor a list is on the way");
	int rc = read_index(p, token, of.list->len, op == OP_ADD, &index);
	return rc < 0 ? rc : with_element(p, of.list, index, op != OP_ADD, op == OP_REMOVE ? NULL : value, ret);
}

struct level {
	struct cel_value of;
	struct bh_slice token;
};

/* The levels above what was changed, each with its new child. */
static int rebuild(struct patching *p, const struct level *levels, size_t n, struct cel_value child, struct cel_value *ret)
{
	int rc = 0;
	while (rc == 0 && n > 0) {
		const struct level *l = &levels[--n];
		size_t index = 0;
		if (l->of.kind == CEL_MAP)
			rc = with_member(p, l->of.map, l->token, &child, &child);
		else if ((rc = read_index(p, l->token, l->of.list->len, false, &index)) == 0)
			rc = with_element(p, l->of.list, index, 1, &child, &child);
	}
	if (rc == 0)
		*ret = child;
	return rc;
}

static int change(struct patching *p, enum op op, struct cel_value document, struct bh_slice pointer, const struct cel_value *value, struct cel_value *ret)
{
	struct level levels[KUBE_PATCH_DEPTH_MAX];
	size_t n = 0;
	struct bh_slice rest = pointer, token;
	p->pointer = pointer;
	if (pointer.len == 0) {
		if (op == OP_REMOVE)
			return refuse(p, "the whole document can't be removed");
		*ret = *value;
		return 0;
	}
	int rc = take_token(p, &rest, &token);
	while (rc == 0 && rest.len) {
		if (n == KUBE_PATCH_DEPTH_MAX)
			return refuse(p, "the path is too long");
		levels[n++] = (struct level){ document, token };
		rc = find_child(p, document, token, &document);
		rc = rc < 0 ? rc : take_token(p, &rest, &token);
	}
	struct cel_value changed;
	rc = rc < 0 ? rc : change_child(p, op, document, token, value, &changed);
	return rc < 0 ? rc : rebuild(p, levels, n, changed, ret);
}

/* ---- steps ---- */

/* A text of the step; it has to be there. */
static int field(struct patching *p, struct cel_value step, const char *name, struct bh_slice *ret)
{
	struct cel_value v = kube_get(step, name);
	if (v.kind == CEL_STRING) {
		*ret = v.text;
		return 0;
	}
	p->pointer = bh_slice_str(name);
	return refuse(p, "a text is missing");
}

static int take_from(struct patching *p, enum op op, struct cel_value *document, struct cel_value step, struct bh_slice path, struct cel_value *ret)
{
	struct bh_slice from;
	int rc = field(p, step, "from", &from);
	rc = rc < 0 ? rc : find(p, *document, from, ret);
	if (rc < 0 || op == OP_COPY)
		return rc;
	if (path.len > from.len && bh_slice_starts(path, from) && path.ptr[from.len] == '/')
		return refuse(p, "a value can't be moved into itself");
	return bh_slice_eq(path, from) ? 0 : change(p, OP_REMOVE, *document, from, NULL, document);
}

static int test(struct patching *p, struct cel_value document, struct bh_slice path, struct cel_value wanted)
{
	struct cel_value found;
	struct bh_err why = { 0 };
	struct patching quiet = { p->arena, p->rules, p->step, path, &why };
	return find(&quiet, document, path, &found) == 0 && cel_equal(found, wanted);
}

static int do_step(struct patching *p, struct cel_value step, struct cel_value *document)
{
	struct bh_slice name, path;
	unsigned op = 0;
	struct cel_value value = cel_null();
	int rc = field(p, step, "op", &name);
	rc = rc < 0 ? rc : field(p, step, "path", &path);
	if (rc < 0)
		return rc;
	while (op_names[op] && !bh_slice_eq_str(name, op_names[op]))
		op++;
	if (!op_names[op]) {
		p->pointer = name;
		return refuse(p, "no operation of JSON Patch");
	}
	const struct cel_value *given = step.kind == CEL_MAP ? cel_map_field(step.map, BH_SLICE_LIT("value")) : NULL;
	if (op == OP_MOVE || op == OP_COPY) {
		rc = take_from(p, (enum op)op, document, step, path, &value);
		op = OP_ADD;
	} else if (op != OP_REMOVE) {
		p->pointer = path;
		rc = given ? kube_plain(p->arena, *given, &value, p->err) : refuse(p, "the value is missing");
	}
	if (rc < 0)
		return rc;
	if (op == OP_TEST)
		return test(p, *document, path, value);
	rc = change(p, (enum op)op, *document, path, &value, document);
	return rc < 0 ? rc : 1;
}

int kube_patch_apply(struct bh_arena *arena, struct cel_value document, struct cel_value steps, enum kube_patch_rules rules, struct cel_value *ret,
		     struct bh_err *err)
{
	struct patching p = { .arena = arena, .rules = rules, .err = err };
	if (steps.kind != CEL_LIST)
		return bh_fail(err, BH_EMALFORMED, 0, "a JSON Patch is a list of steps");
	if (steps.list->len > KUBE_PATCH_STEPS_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "a patch of more than %u steps", KUBE_PATCH_STEPS_MAX);
	for (size_t i = 0; i < steps.list->len; i++) {
		p.step = i + 1;
		int rc = do_step(&p, steps.list->items[i], &document);
		if (rc <= 0)
			return rc;
	}
	*ret = document;
	return 1;
}
