#include "policy/cel/type.h"

#define DEPTH_MAX 32u /* list(list(...)): nothing real is deeper than 6 */
#define SIMPLE(symbol, kind_)                                                                                                            \
	const struct cel_type symbol = {                                                                                                \
		.kind = kind_                                                                                                           \
	}

SIMPLE(cel_type_error, CEL_TYPE_ERROR);
SIMPLE(cel_type_dyn, CEL_TYPE_DYN);
SIMPLE(cel_type_any, CEL_TYPE_ANY);
SIMPLE(cel_type_null, CEL_TYPE_NULL);
SIMPLE(cel_type_bool, CEL_TYPE_BOOL);
SIMPLE(cel_type_int, CEL_TYPE_INT);
SIMPLE(cel_type_uint, CEL_TYPE_UINT);
SIMPLE(cel_type_double, CEL_TYPE_DOUBLE);
SIMPLE(cel_type_string, CEL_TYPE_STRING);
SIMPLE(cel_type_bytes, CEL_TYPE_BYTES);
SIMPLE(cel_type_duration, CEL_TYPE_DURATION);
SIMPLE(cel_type_timestamp, CEL_TYPE_TIMESTAMP);
SIMPLE(cel_type_type, CEL_TYPE_TYPE);
const struct cel_type cel_type_list = { .kind = CEL_TYPE_LIST, .n = 1, .params = { &cel_type_dyn } };
const struct cel_type cel_type_map = { .kind = CEL_TYPE_MAP, .n = 2, .params = { &cel_type_dyn, &cel_type_dyn } };
const struct cel_type cel_type_optional = { .kind = CEL_TYPE_OPAQUE, .name = { (const uint8_t *)"optional_type", 13 }, .n = 1, .params = { &cel_type_dyn } };

/* The names of declarations and messages; a second name is the one of protobuf, which expressions use. */
static const struct {
	const char *name, *message;
	const struct cel_type *type;
	size_t n_params;
} named[] = {
	{ "error", NULL, &cel_type_error, 0 },
	{ "dyn", NULL, &cel_type_dyn, 0 },
	{ "any", "google.protobuf.Any", &cel_type_any, 0 },
	{ "null", "null_type", &cel_type_null, 0 },
	{ "bool", NULL, &cel_type_bool, 0 },
	{ "int", NULL, &cel_type_int, 0 },
	{ "uint", NULL, &cel_type_uint, 0 },
	{ "double", NULL, &cel_type_double, 0 },
	{ "string", NULL, &cel_type_string, 0 },
	{ "bytes", NULL, &cel_type_bytes, 0 },
	{ "duration", "google.protobuf.Duration", &cel_type_duration, 0 },
	{ "timestamp", "google.protobuf.Timestamp", &cel_type_timestamp, 0 },
	{ "list", NULL, &cel_type_list, 1 },
	{ "map", NULL, &cel_type_map, 2 },
	{ "type", NULL, &cel_type_type, 1 },
};

const struct cel_type *cel_type_make(struct bh_arena *arena, enum cel_type_kind kind, struct bh_slice name, const struct cel_type *const *params, size_t n)
{
	struct cel_type *t = n <= CEL_TYPE_PARAMS_MAX ? BH_ARENA_NEW(arena, struct cel_type) : NULL;
	if (!t)
		return NULL;
	*t = (struct cel_type){ .kind = kind, .name = name, .n = n };
	for (size_t i = 0; i < n; i++)
		t->params[i] = params[i];
	return t;
}

static const struct cel_type *with_one(struct bh_arena *arena, enum cel_type_kind kind, struct bh_slice name, const struct cel_type *of)
{
	return of ? cel_type_make(arena, kind, name, &of, 1) : NULL;
}

const struct cel_type *cel_type_list_of(struct bh_arena *arena, const struct cel_type *item)
{
	return with_one(arena, CEL_TYPE_LIST, (struct bh_slice){ 0 }, item);
}

const struct cel_type *cel_type_map_of(struct bh_arena *arena, const struct cel_type *key, const struct cel_type *value)
{
	const struct cel_type *params[] = { key, value };
	return key && value ? cel_type_make(arena, CEL_TYPE_MAP, (struct bh_slice){ 0 }, params, 2) : NULL;
}

const struct cel_type *cel_type_type_of(struct bh_arena *arena, const struct cel_type *of)
{
	return with_one(arena, CEL_TYPE_TYPE, (struct bh_slice){ 0 }, of);
}

const struct cel_type *cel_type_optional_of(struct bh_arena *arena, const struct cel_type *of)
{
	return with_one(arena, CEL_TYPE_OPAQUE, cel_type_optional.name, of);
}

bool cel_type_is_optional(const struct cel_type *t)
{
	return t->kind == CEL_TYPE_OPAQUE && bh_slice_eq(t->name, cel_type_optional.name);
}

static bool same(const struct cel_type *a, const struct cel_type *b, unsigned depth)
{
	if (a == b)
		return true;
	if (depth > DEPTH_MAX || a->kind != b->kind || a->n != b->n || a->number != b->number || !bh_slice_eq(a->name, b->name))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same(a->params[i], b->params[i], depth + 1))
			return false;
	return true;
}

bool cel_type_same(const struct cel_type *a, const struct cel_type *b)
{
	return same(a, b, 0);
}

/* ---- text ---- */

static void print(struct bh_buf *out, const struct cel_type *t, unsigned depth)
{
	if (t->name.len) {
		bh_buf_add(out, t->name);
	} else if (t->kind == CEL_TYPE_WRAPPER) {
		bh_buf_add_str(out, "wrapper");
	} else {
		for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
			if (named[i].type->kind == t->kind)
				bh_buf_add_str(out, named[i].name);
	}
	for (size_t i = 0; i < t->n && depth < DEPTH_MAX; i++) {
		bh_buf_add_str(out, i ? ", " : "(");
		print(out, t->params[i], depth + 1);
	}
	if (t->n)
		bh_buf_add_byte(out, ')');
}

void cel_type_print(struct bh_buf *out, const struct cel_type *t)
{
	print(out, t, 0);
}

struct reading {
	struct bh_arena *arena;
	struct bh_slice rest;
	bool (*is_record)(void *ctx, struct bh_slice name);
	void *ctx;
};

static bool is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '@';
}

static struct bh_slice take_name(struct bh_slice *rest)
{
	size_t n = 0;
	while (n < rest->len && is_name_byte(rest->ptr[n]))
		n++;
	struct bh_slice name = bh_slice_sub(*rest, 0, n);
	*rest = bh_slice_sub(*rest, n, rest->len);
	return name;
}

static bool take_byte(struct bh_slice *rest, char c)
{
	while (rest->len && rest->ptr[0] == ' ')
		*rest = bh_slice_sub(*rest, 1, rest->len);
	if (rest->len == 0 || rest->ptr[0] != c)
		return false;
	*rest = bh_slice_sub(*rest, 1, rest->len);
	return true;
}

static int read_type(struct reading *r, unsigned depth, const struct cel_type **ret, struct bh_err *err);

static int read_params(struct reading *r, unsigned depth, const struct cel_type **params, size_t *n, struct bh_err *err)
{
	*n = 0;
	if (!take_byte(&r->rest, '('))
		return 0;
	do {
		if (*n == CEL_TYPE_PARAMS_MAX || depth == DEPTH_MAX)
			return bh_fail(err, BH_ELIMIT, 0, "a type with more than %u parameters, or too deep", CEL_TYPE_PARAMS_MAX);
		while (take_byte(&r->rest, ' ')) {
		}
		int rc = read_type(r, depth + 1, &params[(*n)++], err);
		if (rc < 0)
			return rc;
	} while (take_byte(&r->rest, ','));
	return take_byte(&r->rest, ')') ? 0 : bh_fail(err, BH_EMALFORMED, 0, "a type without its closing parenthesis");
}

/* What a name stands for; PARAM, RECORD and OPAQUE keep it. */
static const struct cel_type *meaning(const struct reading *r, struct bh_slice name, size_t n, enum cel_type_kind *kind)
{
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (bh_slice_eq_str(name, named[i].name) || (named[i].message && bh_slice_eq_str(name, named[i].message))) {
			*kind = named[i].type->kind;
			return n == 0 ? named[i].type : n == named[i].n_params ? &cel_type_dyn : NULL;
		}
	if (bh_slice_eq_str(name, "wrapper")) {
		*kind = CEL_TYPE_WRAPPER;
		return n == 1 ? &cel_type_dyn : NULL;
	}
	*kind = CEL_TYPE_OPAQUE;
	if (name.len == 1 && name.ptr[0] >= 'A' && name.ptr[0] <= 'Z')
		*kind = CEL_TYPE_PARAM;
	else if (n == 0 && r->is_record && r->is_record(r->ctx, name))
		*kind = CEL_TYPE_RECORD;
	return &cel_type_dyn;
}

static int read_type(struct reading *r, unsigned depth, const struct cel_type **ret, struct bh_err *err)
{
	const struct cel_type *params[CEL_TYPE_PARAMS_MAX];
	enum cel_type_kind kind;
	size_t n;
	struct bh_slice name = take_name(&r->rest);
	if (name.len == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "a type was expected");
	int rc = read_params(r, depth, params, &n, err);
	if (rc < 0)
		return rc;
	const struct cel_type *t = meaning(r, name, n, &kind);
	if (!t)
		return bh_fail(err, BH_EMALFORMED, 0, "type %.*s does not take %zu parameters", BH_SLICE_FMT(name), n);
	if (t == &cel_type_dyn && (n > 0 || kind >= CEL_TYPE_WRAPPER)) {
		bool keeps_name = kind == CEL_TYPE_OPAQUE || kind == CEL_TYPE_PARAM || kind == CEL_TYPE_RECORD;
		struct bh_slice copy = { 0 };
		if (keeps_name && !bh_arena_copy(r->arena, name, &copy))
			return bh_fail(err, BH_ENOMEM, 0, "types use up their memory");
		t = cel_type_make(r->arena, kind, copy, params, n);
	}
	if (!t)
		return bh_fail(err, BH_ENOMEM, 0, "types use up their memory");
	*ret = t;
	return 0;
}

int cel_type_parse(struct bh_arena *arena, struct bh_slice *text, bool (*is_record)(void *ctx, struct bh_slice name), void *ctx,
		   const struct cel_type **ret, struct bh_err *err)
{
	struct reading r = { arena, *text, is_record, ctx };
	int rc = read_type(&r, 0, ret, err);
	if (rc == 0)
		*text = r.rest;
	return rc;
}
